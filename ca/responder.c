#include "ca/responder.h"

#include "base/clock.h"
#include "base/ossl.h"
#include "ca/inventory.h"
#include "ca/issue.h"
#include "ca/issuer_inside.h"
#include "ca/keyfile.h"

enum { BACKDATE = 3600 }; /* for readers whose clocks are late */

/* Who can verify P-521 can verify P-384, and who Ed25519, P-256. RSA keys are made of 3072 bits at least:
 * what NIST SP 800-57 asks for after 2030. */
static enum keyfile_kind kind_of(const struct issuer *issuer)
{
	EVP_PKEY *key = issuer_public_key(issuer);

	if (EVP_PKEY_is_a(key, "RSA"))
		return KEYFILE_RSA_3072;
	return EVP_PKEY_get_bits(key) > 256 ? KEYFILE_EC_P384 : KEYFILE_EC_P256;
}

/* RFC 6960, 4.2.1: the key identifier in its certificate is the hash of its key. */
static bool key_hash(struct bytes certificate, uint8_t ret[20], struct problem *p)
{
	const unsigned char *at = certificate.data;
	auto(X509) *x = d2i_X509(NULL, &at, (long)certificate.len);
	struct bytes id = x ? ossl_key_id(x) : (struct bytes){ 0 };

	if (id.len != 20)
		return problem_openssl(p, "reading the OCSP responder's certificate");
	memcpy(ret, id.data, id.len);
	return true;
}

static bool record(struct store_txn *txn, void *arg, struct problem *p)
{
	return inventory_add_own(txn, arg, p);
}

static bool certify(const struct issuer *issuer, EVP_PKEY *key, struct store *store, int64_t lifetime,
                    struct responder *responder, struct problem *p)
{
	auto_value(certificate) row = { 0 };
	int64_t now = clock_now();

	if (issuer_not_after(issuer) <= now)
		return problem_unavailable(p, 3600, "issuer %s has ended: it can have no OCSP responder",
		                           issuer_name(issuer));
	if (!issue_responder(issuer, key, now - BACKDATE, now + lifetime, &row, p) ||
	    !store_update(store, record, &row, p))
		return false;
	responder->made = now;
	responder->not_after = row.not_after;
	responder->renew = now + (row.not_after - now) / 2;
	memcpy(responder->id, row.id, sizeof(row.id));
	buf_add(&responder->certificate, row.der.data, row.der.len);
	return buf_check(&responder->certificate, p) && key_hash(row.der, responder->key_hash, p);
}

bool responder_new(const struct issuer *issuer, struct store *store, int64_t lifetime, struct responder **ret,
                   struct problem *p)
{
	auto_struct(responder) *responder = calloc(1, sizeof(*responder));
	auto(EVP_PKEY) *key = NULL;

	if (!responder)
		return problem_memory(p);
	atomic_init(&responder->refs, 1);
	if (!keyfile_generate(kind_of(issuer), &key, p) || !signer_new(key, &responder->signer, p) ||
	    !certify(issuer, key, store, lifetime, responder, p))
		return false;
	*ret = steal(responder);
	return true;
}

void responder_unref(struct responder *responder)
{
	if (!responder || atomic_fetch_sub(&responder->refs, 1) > 1)
		return;
	signer_free(responder->signer);
	buf_free(&responder->certificate);
	free(responder);
}
