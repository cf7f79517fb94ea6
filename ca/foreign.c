#include "ca/foreign.h"

#include <ctype.h>
#include <openssl/err.h>

#include "base/digest.h"
#include "base/ossl.h"
#include "base/random.h"
#include "policy/identifier.h"
#include "store/audit.h"

enum { NAMES_MAX = 1000, DER_MAX = 64 * 1024, SERIAL_MAX = 20 };

/* The row while it is being gathered: lists that own their texts. */
struct gathering {
	struct strings texts;
	struct certificate_name names[NAMES_MAX + 1];
	size_t count;
};

static bool malformed(struct problem *p, const char *what)
{
	ERR_clear_error();
	return problem_set(p, PROBLEM_MALFORMED, "the certificate %s", what);
}

/* The canonical form where there is one; names that we would never certify are known as they stand. */
static bool add_name(struct gathering *g, const char *type, const char *text, struct problem *p)
{
	struct identifier i;
	auto_value(problem) why = {0};
	const char *value = !str_equal(type, "cn") && identifier_parse(type, text, &i, &why) ? i.value : text;

	for (const char *c = value; *c; c++)
		if (iscntrl((unsigned char)*c))
			return malformed(p, "has a name with a control character");
	if (g->count == NAMES_MAX)
		return malformed(p, "has too many names");
	if (!strings_add(&g->texts, value))
		return problem_memory(p);
	g->names[g->count++] = (struct certificate_name){ type, g->texts.v[g->texts.n - 1] };
	return true;
}

static bool add_string(struct gathering *g, const char *type, const ASN1_STRING *string, struct problem *p)
{
	unsigned char *utf8 = NULL;
	int len = ASN1_STRING_to_UTF8(&utf8, string);
	bool plain = len >= 0 && memchr(utf8, '\0', (size_t)len) == NULL;
	bool added = !plain ? malformed(p, "has a name that is no text")
	        : len == 0 || add_name(g, type, (const char *)utf8, p);

	OPENSSL_free(utf8);
	return added;
}

static bool add_address(struct gathering *g, const ASN1_OCTET_STRING *octets, struct problem *p)
{
	struct addr address = { .family = ASN1_STRING_length(octets) == 4 ? AF_INET : AF_INET6 };
	char text[ADDR_TEXT_SIZE];

	if (ASN1_STRING_length(octets) != (int)addr_length(&address))
		return malformed(p, "has an address of the wrong length");
	memcpy(address.byte, ASN1_STRING_get0_data(octets), addr_length(&address));
	addr_format(&address, text);
	return add_name(g, "ip", text, p);
}

/* Names of other types are in the DER for who wants them. */
static bool add_general_name(struct gathering *g, const GENERAL_NAME *name, struct problem *p)
{
	int type;
	const ASN1_STRING *value = GENERAL_NAME_get0_value(name, &type);

	switch (type) {
	case GEN_DNS: return add_string(g, "dns", value, p);
	case GEN_EMAIL: return add_string(g, "email", value, p);
	case GEN_URI: return add_string(g, "uri", value, p);
	case GEN_IPADD: return add_address(g, value, p);
	default: return true;
	}
}

static bool add_names(struct gathering *g, X509 *x, struct problem *p)
{
	auto(GENERAL_NAMES) *list = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
	const X509_NAME *subject = X509_get_subject_name(x);

	for (int i = 0; i < sk_GENERAL_NAME_num(list); i++)
		if (!add_general_name(g, sk_GENERAL_NAME_value(list, i), p))
			return false;
	for (int at = -1; (at = X509_NAME_get_index_by_NID(subject, NID_commonName, at)) >= 0;)
		if (!add_string(g, "cn", X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)), p))
			return false;
	ERR_clear_error();
	return true;
}

/* RFC 4514, which turns round the order of the RDNs and escapes what is no visible character. */
static bool name_text(const X509_NAME *name, struct buf *ret, struct problem *p)
{
	auto(BIO) *bio = BIO_new(BIO_s_mem());
	char *text;

	if (!bio || X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253) < 0)
		return problem_openssl(p, "the name of a certificate");
	long len = BIO_get_mem_data(bio, &text);
	buf_add(ret, text, (size_t)len);
	return buf_check(ret, p);
}

static bool time_of(const ASN1_TIME *t, int64_t *ret, struct problem *p)
{
	if (!ossl_time(t, ret))
		return malformed(p, "has a date that is none");
	return *ret >= 0 || malformed(p, "has a date before 1970");
}

/* Without leading zeros, as all of the inventory's. A negative one, or 0, is an error that some CAs made
 * (RFC 5280, 4.1.2.2: readers should cope). */
static bool serial_of(X509 *x, struct buf *ret, struct problem *p)
{
	const ASN1_INTEGER *serial = X509_get0_serialNumber(x);
	int len = ASN1_STRING_length(serial);

	if (len < 1 || len > SERIAL_MAX + 1)
		return malformed(p, "has a serial number that is too long");
	buf_add(ret, ASN1_STRING_get0_data(serial), (size_t)len);
	return buf_check(ret, p) && (ret->len <= SERIAL_MAX || malformed(p, "has a serial number that is too long"));
}

static bool hash_key(X509 *x, uint8_t ret[SHA256_SIZE], struct problem *p)
{
	auto_value(buf) spki = {0};

	if (!ossl_der(i2d_X509_PUBKEY, X509_get_X509_PUBKEY(x), &spki))
		return malformed(p, "has no public key");
	digest_sha256(buf_bytes(&spki), ret);
	return true;
}

static bool row_make(struct gathering *g, X509 *x, struct certificate *row, struct certificate *ret, struct problem *p)
{
	auto_value(buf) serial = {0}, subject = {0}, issuer = {0};
	uint8_t fingerprint[SHA256_SIZE], key_hash[SHA256_SIZE];

	if (!random_id_timed(row->id, p) || !serial_of(x, &serial, p) || !hash_key(x, key_hash, p) ||
	    !time_of(X509_get0_notBefore(x), &row->not_before, p) ||
	    !time_of(X509_get0_notAfter(x), &row->not_after, p) ||
	    !name_text(X509_get_subject_name(x), &subject, p) || !name_text(X509_get_issuer_name(x), &issuer, p) ||
	    !add_names(g, x, p))
		return false;
	digest_sha256(row->der, fingerprint);
	row->serial = buf_bytes(&serial);
	row->fingerprint = BYTES(fingerprint, sizeof(fingerprint));
	row->key_hash = BYTES(key_hash, sizeof(key_hash));
	row->subject = buf_text(&subject);
	row->issuer_subject = buf_text(&issuer);
	row->names = (struct record_list){ g->names, g->count };
	return certificate_copy(row, ret, p);
}

bool foreign_row(struct bytes der, const char *profile, const char *identity, int64_t now, struct certificate *ret,
                 struct problem *p)
{
	const uint8_t *at = der.data;
	auto(X509) *x = der.len <= DER_MAX ? d2i_X509(NULL, &at, (long)der.len) : NULL;
	auto_free struct gathering *g = calloc(1, sizeof(*g));
	struct certificate row = {
		.der = der, .method = CERTIFICATE_IMPORT, .issuer = "", .profile = profile,
		.identity = identity, .issued = now,
	};

	if (!g)
		return problem_memory(p);
	if (!x || at != der.data + der.len)
		return malformed(p, "cannot be read");
	bool made = row_make(g, x, &row, ret, p);
	strings_free(&g->texts);
	return made;
}

/* --- into the inventory */

static bool tell_imported(struct store_txn *txn, const struct certificate *row, const char *actor, const char *from,
                          struct problem *p)
{
	const struct audit_fact facts[] = {
		audit_text("certificate", row->id), audit_hex("serial", row->serial),
		audit_hex("fingerprint", row->fingerprint),
		audit_text("issuer", row->issuer_subject), audit_text("subject", row->subject),
		audit_text("profile", row->profile),
		audit_time("notAfter", row->not_after), { 0 },
	};
	const struct audit_event event = {
		.kind = AUDIT_CERTIFICATE_IMPORTED, .time = row->issued, .actor = actor, .from = from, .facts = facts,
	};

	return store_audit_add(txn, &event, p);
}

bool foreign_add(struct store_txn *txn, const struct certificate *row, const char *actor, const char *from,
                 struct problem *p)
{
	auto_value(certificate) known = {0};
	auto_value(problem) why = {0};

	if (store_certificate_by_fingerprint(txn, row->fingerprint, &known, &why))
		return problem_set(p, PROBLEM_CONFLICT, "the certificate is in the inventory already, as %s", known.id);
	return store_certificate_put(txn, row, p) && tell_imported(txn, row, actor, from, p);
}
