#include "ca/extension.h"

struct row {
	const char *oid;
	bool (*wanted)(const struct extension_source *source);   /* NULL: always */
	bool (*critical)(const struct extension_source *source); /* NULL: never */
	void (*put)(struct der *d, const struct extension_source *source);
};

/* critical is FALSE by DEFAULT and then not written (X.690, 11.5). */
void extension_open(struct der *d, const char *oid, bool critical)
{
	der_open(d, TLV_SEQUENCE);
	der_put_oid(d, oid);
	if (critical)
		der_put_bool(d, true);
	der_open(d, TLV_OCTET_STRING);
}

void extension_close(struct der *d)
{
	der_close(d);
	der_close(d);
}

static bool always(const struct extension_source *source)
{
	(void)source;
	return true;
}

static bool key_usage_wanted(const struct extension_source *source)
{
	return source->facts->key_usage != 0;
}

/* RFC 5280, 4.2.1.3: the bits of KeyUsage in order, and OpenSSL's name for each. */
static const unsigned key_usage_bits[] = {
	KU_DIGITAL_SIGNATURE, KU_NON_REPUDIATION, KU_KEY_ENCIPHERMENT, KU_DATA_ENCIPHERMENT, KU_KEY_AGREEMENT,
	KU_KEY_CERT_SIGN, KU_CRL_SIGN, KU_ENCIPHER_ONLY, KU_DECIPHER_ONLY,
};

void extension_put_key_usage(struct der *d, unsigned usage)
{
	unsigned bits = 0;

	for (unsigned i = 0; i < array_length(key_usage_bits); i++)
		if (usage & key_usage_bits[i])
			bits |= 1u << i;
	der_put_bits(d, bits, array_length(key_usage_bits));
}

static void put_key_usage(struct der *d, const struct extension_source *source)
{
	extension_put_key_usage(d, source->facts->key_usage);
}

void extension_put_purposes(struct der *d, const struct strings *oids)
{
	der_open(d, TLV_SEQUENCE);
	for (size_t i = 0; i < oids->n; i++)
		der_put_oid(d, oids->v[i]);
	der_close(d);
}

static void put_extended_key_usage(struct der *d, const struct extension_source *source)
{
	extension_put_purposes(d, source->facts->extended_key_usage);
}

/* cA is FALSE by DEFAULT and so not written (X.690, 11.5). The extension is there for readers that
 * take a certificate without it for a CA's. */
static void put_basic_constraints(struct der *d, const struct extension_source *source)
{
	uint8_t length = (uint8_t)source->facts->path_length;

	der_open(d, TLV_SEQUENCE);
	if (source->facts->ca)
		der_put_bool(d, true);
	if (source->facts->ca && source->facts->path_length >= 0)
		der_put_integer(d, BYTES(&length, 1));
	der_close(d);
}

static bool purpose_wanted(const struct extension_source *source)
{
	return source->facts->extended_key_usage->n > 0;
}

static void put_subject_key_id(struct der *d, const struct extension_source *source)
{
	der_put(d, TLV_OCTET_STRING, BYTES(source->key_id, sizeof(source->key_id)));
}

/* RFC 5280, 4.2.1.6: an empty subject leaves the names to this extension alone. */
static bool subject_empty(const struct extension_source *source)
{
	return source->facts->common_name == NULL && source->facts->subject == NULL;
}

/* A certificate of no names has no such extension, rather than an empty one. */
static bool names_known(const struct extension_source *source)
{
	return source->facts->names->n + source->facts->other_count > 0;
}

static const uint8_t general_name_tags[IDENTIFIER_TYPE_MAX] = {
	[IDENTIFIER_EMAIL] = TLV_CONTEXT(1), [IDENTIFIER_DNS] = TLV_CONTEXT(2), [IDENTIFIER_URI] = TLV_CONTEXT(6),
	[IDENTIFIER_IP] = TLV_CONTEXT(7),
};

static void put_general_name(struct der *d, const struct identifier *name)
{
	struct addr addr;

	if (name->type != IDENTIFIER_IP) {
		der_put(d, general_name_tags[name->type], BYTES_STR(name->value));
		return;
	}
	identifier_addr(name, &addr);
	der_put(d, general_name_tags[name->type], BYTES(addr.byte, addr_length(&addr)));
}

static void put_subject_alt_name(struct der *d, const struct extension_source *source)
{
	const struct identifiers *names = source->facts->names;

	der_open(d, TLV_SEQUENCE);
	for (size_t i = 0; i < names->n; i++)
		put_general_name(d, &names->v[i]);
	for (size_t i = 0; i < source->facts->other_count; i++)
		der_put_raw(d, buf_bytes(&source->facts->others[i].der));
	der_close(d);
}

/* RFC 5280, 4.2.1.1: the key identifier alone; issuer and serial would name one certificate of the
 * issuer and break every other chain. */
static void put_authority_key_id(struct der *d, const struct extension_source *source)
{
	der_open(d, TLV_SEQUENCE);
	der_put(d, TLV_CONTEXT(0), source->issuer_key_id);
	der_close(d);
}

bool extension_signs_ocsp(const struct extension_source *source)
{
	return strings_has(source->facts->extended_key_usage, OID_OCSP_SIGNING);
}

static bool no_revocation(const struct extension_source *source)
{
	return source->facts->no_revocation;
}

static bool must_staple(const struct extension_source *source)
{
	return source->facts->must_staple;
}

static void put_status_request(struct der *d, const struct extension_source *source)
{
	(void)source;
	der_open(d, 0x30);
	der_put_integer(d, BYTES("\x05", 1));
	der_close(d);
}

static void put_null(struct der *d, const struct extension_source *source)
{
	(void)source;
	der_put(d, TLV_NULL, BYTES("", 0));
}

static bool url_known(const struct extension_source *source)
{
	return source->certificate_url || source->ocsp_url;
}

static void put_access(struct der *d, const char *method, const char *url)
{
	if (!url)
		return;
	der_open(d, TLV_SEQUENCE);
	der_put_oid(d, method);
	der_put(d, TLV_CONTEXT(6), BYTES_STR(url));
	der_close(d);
}

static void put_authority_info(struct der *d, const struct extension_source *source)
{
	der_open(d, TLV_SEQUENCE);
	put_access(d, "1.3.6.1.5.5.7.48.1", source->ocsp_url);        /* id-ad-ocsp (RFC 6960, 3.1) */
	put_access(d, "1.3.6.1.5.5.7.48.2", source->certificate_url); /* id-ad-caIssuers */
	der_close(d);
}

static bool crl_url_known(const struct extension_source *source)
{
	return source->crl_url != NULL;
}

/* distributionPoint [0] of fullName [0] of a URI. */
void extension_put_point(struct der *d, const char *url)
{
	der_open(d, TLV_SEQUENCE);
	der_open(d, TLV_CONTEXT_CONSTRUCTED(0));
	der_open(d, TLV_CONTEXT_CONSTRUCTED(0));
	der_put(d, TLV_CONTEXT(6), BYTES_STR(url));
	der_close(d);
	der_close(d);
	der_close(d);
}

static void put_crl_points(struct der *d, const struct extension_source *source)
{
	der_open(d, TLV_SEQUENCE);
	extension_put_point(d, source->crl_url);
	der_close(d);
}

static const struct row own_rows[] = {
	{ OID_KEY_USAGE, key_usage_wanted, always, put_key_usage },
	{ OID_EXTENDED_KEY_USAGE, purpose_wanted, NULL, put_extended_key_usage },
	{ "2.5.29.19", NULL, always, put_basic_constraints },
	{ "2.5.29.14", NULL, NULL, put_subject_key_id },
	{ OID_SUBJECT_ALT_NAME, names_known, subject_empty, put_subject_alt_name },
	{ "1.3.6.1.5.5.7.48.1.5", extension_signs_ocsp, NULL, put_null }, /* id-pkix-ocsp-nocheck */
	{ "2.5.29.56", no_revocation, NULL, put_null },                   /* id-ce-noRevAvail (RFC 9608, 2) */
	{ "1.3.6.1.5.5.7.1.24", must_staple, NULL, put_status_request },  /* id-pe-tlsfeature (RFC 7633) */
};
static const struct row authority_row = { "2.5.29.35", NULL, NULL, put_authority_key_id };
static const struct row issuer_rows[] = {
	{ "1.3.6.1.5.5.7.1.1", url_known, NULL, put_authority_info },
	{ "2.5.29.31", crl_url_known, NULL, put_crl_points },
};

static void put_rows(struct der *d, const struct row *rows, size_t count, const struct extension_source *source)
{
	for (const struct row *row = rows; row < rows + count; row++) {
		if (row->wanted && !row->wanted(source))
			continue;
		extension_open(d, row->oid, row->critical && row->critical(source));
		row->put(d, source);
		extension_close(d);
	}
}

void extension_put_own(struct der *d, const struct extension_source *source)
{
	put_rows(d, own_rows, array_length(own_rows), source);
}

void extension_put_issuer(struct der *d, const struct extension_source *source)
{
	put_rows(d, &authority_row, 1, source);
	put_rows(d, issuer_rows, array_length(issuer_rows), source);
}

void extension_put_pointers(struct der *d, const struct extension_source *source)
{
	put_rows(d, issuer_rows, array_length(issuer_rows), source);
}

void extension_put_authority(struct der *d, const struct extension_source *source)
{
	put_rows(d, &authority_row, 1, source);
}
