#include "policy/client_certificate.h"

#include <openssl/err.h>

#include "base/certificate_key.h"
#include "base/ossl.h"
#include "base/tlv.h"
#include "policy/renewal.h"
#include "store/enrollment.h"

static bool refuse(struct problem *p, const char *why)
{
	return !ossl_no_memory(p) && problem_set(p, PROBLEM_UNAUTHENTICATED, "the client certificate %s", why);
}

void client_certificate_free(struct client_certificate *certificate)
{
	free(certificate->profile);
	free(certificate->subject);
	free(certificate->name);
	strings_free(&certificate->others);
	identifiers_free(&certificate->names);
}

static bool read_certificate(const struct client_certificate_shown *shown, X509 **ret, struct problem *p)
{
	const uint8_t *at = shown->der.data;

	if (shown->decoded && X509_up_ref(shown->decoded) == 1) {
		*ret = shown->decoded;
		return true;
	}
	auto(X509) *certificate = certificate_key_is_plain(shown->der) ? d2i_X509(NULL, &at, (long)shown->der.len)
	                                                               : NULL;
	if (!certificate || at != shown->der.data + shown->der.len)
		return refuse(p, "cannot be read");
	*ret = steal(certificate);
	return true;
}

/* Of a v3 certificate (RFC 5280, 4.1), without decoding the rest of it. */
static bool read_issuer(struct bytes der, struct bytes *ret_serial, struct bytes *ret_name)
{
	struct bytes certificate, tbs, skipped;
	struct tlv name;

	if (!tlv_take(&der, TLV_SEQUENCE, &certificate) || !tlv_take(&certificate, TLV_SEQUENCE, &tbs) ||
	    !tlv_take(&tbs, TLV_CONTEXT_CONSTRUCTED(0), &skipped) || !tlv_take(&tbs, TLV_INTEGER, ret_serial) ||
	    !tlv_take(&tbs, TLV_SEQUENCE, &skipped) || !tlv_next(&tbs, &name))
		return false;
	*ret_name = name.whole;
	return true;
}

/* To the byte: each issuer of ours writes its name in one way. */
bool client_certificate_claims(X509 *const *issuers, size_t issuer_count, struct bytes der)
{
	struct bytes serial, name;

	if (!read_issuer(der, &serial, &name))
		return false;
	for (size_t i = 0; i < issuer_count; i++) {
		const unsigned char *own;
		size_t len;
		if (X509_NAME_get0_der(X509_get_subject_name(issuers[i]), &own, &len) == 1 &&
		    bytes_equal(name, BYTES(own, len)))
			return true;
	}
	return false;
}

/* By name and key identifier. That it signed these bytes is known from the inventory, see look. */
static bool check_issuer(X509 *certificate, X509 *const *issuers, size_t count, struct problem *p)
{
	for (size_t i = 0; i < count; i++)
		if (X509_check_issued(issuers[i], certificate) == X509_V_OK)
			return true;
	return refuse(p, "is not of this CA: none of its issuers has signed it");
}

static bool check_usage(X509 *certificate, struct problem *p)
{
	uint32_t usage = X509_get_extended_key_usage(certificate);

	return (usage != UINT32_MAX && usage & (XKU_SSL_CLIENT | XKU_ANYEKU)) ||
	       refuse(p, "is not for clients: it has no clientAuth");
}

struct looking {
	struct bytes der;
	struct certificate *ret;
};

static bool is_not_there(struct problem *p)
{
	return refuse(p, "is not in the inventory");
}

/* Byte for byte, so the row stands for the signature: it is committed with what the CA has signed, and who can write
 * rows has other ways to be believed. */
static bool look(struct store_txn *txn, void *arg, struct problem *p)
{
	struct looking *l = arg;
	auto_value(certificate) row = {0};
	struct bytes serial, name;

	if (!read_issuer(l->der, &serial, &name))
		return is_not_there(p);
	if (serial.len > 1 && serial.data[0] == 0)
		serial = BYTES(serial.data + 1, serial.len - 1);
	if (!store_certificate_by_serial(txn, serial, &row, p))
		return problem_forgive(p, PROBLEM_NOT_FOUND) && is_not_there(p);
	if (!bytes_equal(row.der, l->der))
		return is_not_there(p);
	*l->ret = row;
	row = (struct certificate){0};
	return true;
}

static bool find_row(struct store *store, struct bytes der, struct certificate *ret, struct problem *p)
{
	struct looking looking = { .der = der, .ret = ret };

	return store_view(store, look, &looking, p);
}

/* RFC 5280, 4.1.2.5: both ends are inclusive. */
static bool check_row(const struct certificate *row, int64_t now, int64_t grace, struct problem *p)
{
	if (row->status != CERTIFICATE_VALID)
		return problem_set(p, PROBLEM_UNAUTHORIZED, "the client certificate is revoked");
	if (now < row->not_before || now - grace > row->not_after)
		return refuse(p, now < row->not_before ? "is not valid yet" : "has expired");
	if (!str_equal(row->method ?: "", "est") && !str_equal(row->method ?: "", "api"))
		return refuse(p, "was not issued over EST or the API: its names are proven again where it came from");
	return true;
}

/* The only one of its kind: of two nobody could say which it is. */
static bool take_attribute(X509 *certificate, int nid, char **ret, struct problem *p)
{
	X509_NAME *subject = X509_get_subject_name(certificate);
	int at = X509_NAME_get_index_by_NID(subject, nid, -1);
	unsigned char *text = NULL;

	if (at < 0 || X509_NAME_get_index_by_NID(subject, nid, at) >= 0)
		return true;
	int len = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
	auto(ossl_bytes) *owned = text;
	if (len > 0 && !memchr(owned, 0, (size_t)len) && !(*ret = strndup((const char *)owned, (size_t)len)))
		return problem_memory(p);
	return true;
}

static bool take_name(X509 *certificate, struct client_certificate *ret, struct problem *p)
{
	return take_attribute(certificate, NID_serialNumber, &ret->name, p) &&
	       (ret->name || take_attribute(certificate, NID_commonName, &ret->name, p));
}

struct device {
	const char *serial;
	bool revoked;
};

static bool look_device(struct store_txn *txn, void *arg, struct problem *p)
{
	struct device *d = arg;
	auto_value(enrollment) row = {0};

	if (!store_enrollment_by_device(txn, d->serial, &row, p))
		return false;
	d->revoked = row.revoked != 0;
	return true;
}

/* A device that was put out of the list does not stay in by what it was given before. */
static bool check_device(struct store *store, const char *serial, struct problem *p)
{
	struct device device = { .serial = serial };

	if (serial && !store_view(store, look_device, &device, p))
		return problem_forgive(p, PROBLEM_NOT_FOUND);
	return !device.revoked || problem_set(p, PROBLEM_UNAUTHORIZED, "the device %s is revoked", serial);
}

static bool is_registrar(X509 *certificate)
{
	auto(EXTENDED_KEY_USAGE) *usages = X509_get_ext_d2i(certificate, NID_ext_key_usage, NULL, NULL);
	bool found = false;

	for (int i = 0; i < sk_ASN1_OBJECT_num(usages); i++)
		found = found || OBJ_obj2nid(sk_ASN1_OBJECT_value(usages, i)) == NID_cmcRA;
	return found;
}

bool client_certificate_check(struct store *store, X509 *const *issuers, size_t issuer_count,
                              const struct client_certificate_shown *shown, int64_t now, int64_t grace,
                              struct client_certificate *ret, struct problem *p)
{
	auto(X509) *certificate = NULL;
	auto_value(certificate) row = {0};
	auto_value(client_certificate) found = {0};

	if (!read_certificate(shown, &certificate, p) || !check_issuer(certificate, issuers, issuer_count, p) ||
	    !check_usage(certificate, p) || !find_row(store, shown->der, &row, p) || !check_row(&row, now, grace, p) ||
	    !renewal_names(&row, &found.names, p) || !ossl_other_names(certificate, &found.others, p) ||
	    !take_name(certificate, &found, p) || !check_device(store, found.name, p))
		return false;
	found.registrar = is_registrar(certificate);
	found.expired = now > row.not_after;
	memcpy(found.id, row.id, sizeof(found.id));
	found.profile = strdup(row.profile ?: "");
	found.subject = strdup(row.subject ?: "");
	if (!found.profile || !found.subject)
		return problem_memory(p);
	*ret = found;
	found = (struct client_certificate){0};
	return true;
}
