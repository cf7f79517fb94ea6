#include "acme/renewal_window.h"

#include "base/ossl.h"

enum { HOUR = 3600 };

/* --- the certificate */

static bool has_key_id(struct bytes have, const struct certificate_id *id)
{
	return bytes_equal(have, BYTES(id->key_id, id->key_id_len));
}

/* Of an issuer that is not loaded any more the certificate itself tells. */
static bool says_key_id(const struct certificate *row, const struct certificate_id *id)
{
	const unsigned char *der = row->der.data;
	auto(X509) *x = d2i_X509(NULL, &der, (long)row->der.len);
	const ASN1_OCTET_STRING *key_id = x ? X509_get0_authority_key_id(x) : NULL;

	return key_id && has_key_id(BYTES(ASN1_STRING_get0_data(key_id), (size_t)ASN1_STRING_length(key_id)), id);
}

bool renewal_find(struct store_txn *txn, const struct ca *ca, const struct certificate_id *id, struct certificate *ret,
                  struct problem *p)
{
	auto_value(certificate) row = { 0 };
	const struct issuer *issuer;

	if (!store_certificate_by_serial(txn, BYTES(id->serial, id->serial_len), &row, p) &&
	    !problem_forgive(p, PROBLEM_NOT_FOUND))
		return false;
	issuer = row.issuer && *row.issuer ? ca_issuer(ca, row.issuer) : NULL;
	if (!row.id[0] || !(issuer ? has_key_id(issuer_key_id(issuer), id) : says_key_id(&row, id)))
		return problem_set(p, PROBLEM_NOT_FOUND, "RFC 9773, 4.1: this CA has not issued that certificate");
	*ret = row;
	row = (struct certificate){ 0 };
	return true;
}

/* --- the window */

/* Its CA is gone, or is being replaced. One that is disabled and has no successor is waited for: there
 * is nobody who would issue. */
static bool is_forsaken(const struct acme_call *call, const struct certificate *row)
{
	const struct acme *acme = call->acme;
	const char *name = row->issuer ?: "";
	const struct issuer *issuer = ca_issuer(acme->ca, name);

	return !issuer || (issuer_is_disabled(issuer) && ca_issuer_current(acme->ca, name) != issuer) ||
	       (acme->options.issuers_retiring && strings_has(acme->options.issuers_retiring, name));
}

/* Over by an hour, so that clients whose clocks are slow see it as past as well (RFC 9773, 6). */
static struct renewal_window ended(int64_t at)
{
	return (struct renewal_window){ at - 2 * HOUR, at - HOUR };
}

/* The same for the same certificate, and anywhere for others. */
static uint64_t place_of(const struct certificate *row)
{
	uint64_t place = 0;

	for (size_t i = 0; i < sizeof(place) && i < row->fingerprint.len; i++)
		place = place << 8 | row->fingerprint.data[i];
	return place;
}

static struct renewal_window usual(const struct profile *profile, const struct certificate *row)
{
	int64_t life = row->not_after - row->not_before + 1;
	int64_t begin = row->not_before + life * profile->renewal_from / 100;
	int64_t room = life * (profile->renewal_until - profile->renewal_from) / 100;
	int64_t length = room / 4 > 0 ? room / 4 : 1;
	int64_t spread = room > length ? room - length : 0;
	int64_t from = begin + (int64_t)(place_of(row) % (uint64_t)(spread + 1));

	return (struct renewal_window){ from, from + length };
}

/* An operator's word brings a renewal forward and never puts it off. */
static struct renewal_window sooner(const struct certificate *row, struct renewal_window usual_one)
{
	bool advised = row->advised_until > row->advised_from && row->advised_until < usual_one.until;

	return advised ? (struct renewal_window){ row->advised_from, row->advised_until } : usual_one;
}

void renewal_window(const struct acme_call *call, const struct certificate *row, struct renewal_window *ret)
{
	const struct profile *profile = profiles_find(call->profiles,
	                                              row->profile ?: "") ?: profiles_default(call->profiles);

	if (row->status == CERTIFICATE_REVOKED)
		*ret = ended(row->revoked);
	else if (is_forsaken(call, row))
		*ret = ended(row->not_before);
	else
		*ret = sooner(row, usual(profile, row));
}
