#include "policy/bearer.h"

#include <stdio.h>

#include "base/ossl.h"
#include "store/certificate.h"

enum { SECRET_BYTES = 32 };

bool bearer_make(const char id[RANDOM_ID_SIZE], char ret[BEARER_SIZE], uint8_t ret_hash[SHA256_SIZE], struct problem *p)
{
	uint8_t secret[SECRET_BYTES];
	auto_value(buf) text = {0};

	if (!random_bytes(secret, sizeof(secret), p))
		return false;
	buf_add_base64url(&text, BYTES(secret, sizeof(secret)));
	mem_wipe(secret, sizeof(secret));
	if (!buf_check(&text, p))
		return false;
	snprintf(ret, BEARER_SIZE, BEARER_PREFIX "%s.%s", id, buf_text(&text));
	digest_sha256(BYTES_STR(ret), ret_hash);
	return true;
}

static bool unknown(struct problem *p)
{
	return problem_set(p, PROBLEM_UNAUTHENTICATED, "RFC 6750, 3.1: there is no such token");
}

/* Told to those only who have shown the secret. */
static bool check_life(const struct token *token, int64_t now, struct problem *p)
{
	if (token->revoked != 0)
		return problem_set(p, PROBLEM_UNAUTHENTICATED, "RFC 6750, 3.1: the token %s is revoked", token->id);
	if (token->expires != 0 && token->expires <= now)
		return problem_set(p, PROBLEM_UNAUTHENTICATED, "RFC 6750, 3.1: the token %s has expired", token->id);
	return true;
}

/* Hands the token over, if it is good now. */
static bool take(struct token *token, int64_t now, struct token *ret, struct problem *p)
{
	if (!check_life(token, now, p))
		return false;
	*ret = *token;
	*token = (struct token){0};
	return true;
}

static bool has_hash(const struct token *token, const uint8_t hash[SHA256_SIZE])
{
	return token->hash.len == SHA256_SIZE && mem_equal_secret(token->hash.data, hash, SHA256_SIZE);
}

struct looking {
	char id[RANDOM_ID_SIZE];
	struct bytes key_hash, fingerprint;
	struct token *ret;
};

static bool look_id(struct store_txn *txn, void *arg, struct problem *p)
{
	struct looking *l = arg;

	return store_token_get(txn, l->id, l->ret, p);
}

bool bearer_check(struct store *store, const char *text, int64_t now, struct token *ret, struct problem *p)
{
	auto_value(token) token = {0};
	struct looking looking = { .ret = &token };
	uint8_t hash[SHA256_SIZE];

	if (!random_id_of(text, BEARER_PREFIX, BEARER_SIZE, looking.id))
		return problem_set(p, PROBLEM_UNAUTHENTICATED,
		                   "RFC 6750, 2.1: a token looks like " BEARER_PREFIX "ID.SECRET");
	digest_sha256(BYTES_STR(text), hash);
	if (!store_view(store, look_id, &looking, p))
		return problem_forgive(p, PROBLEM_NOT_FOUND) && unknown(p);
	if (!has_hash(&token, hash))
		return unknown(p);
	return take(&token, now, ret, p);
}

bool bearer_check_id(struct store *store, const char *id, int64_t now, struct token *ret, struct problem *p)
{
	auto_value(token) token = {0};
	struct looking looking = { .ret = &token };

	if (!random_id_valid(id))
		return unknown(p);
	memcpy(looking.id, id, sizeof(looking.id));
	return store_view(store, look_id, &looking, p) && take(&token, now, ret, p);
}

/* --- client certificates */

/* Of a certificate that is not ours nobody here knows. */
static bool check_unrevoked(struct store_txn *txn, struct bytes fingerprint, struct problem *p)
{
	auto_value(certificate) own = {0};

	if (!store_certificate_by_fingerprint(txn, fingerprint, &own, p))
		return problem_forgive(p, PROBLEM_NOT_FOUND);
	return own.status != CERTIFICATE_REVOKED ||
	       problem_set(p, PROBLEM_UNAUTHENTICATED, "the client certificate is revoked");
}

static bool look_key(struct store_txn *txn, void *arg, struct problem *p)
{
	struct looking *l = arg;

	return store_token_by_key(txn, l->key_hash, l->ret, p) && check_unrevoked(txn, l->fingerprint, p);
}

/* RFC 5280, 4.1.2.5: both ends are inclusive. */
static bool is_current(X509 *certificate, int64_t now)
{
	time_t at = (time_t)now;

	return X509_cmp_time(X509_get0_notBefore(certificate), &at) < 0 &&
	       X509_cmp_time(X509_get0_notAfter(certificate), &at) > 0;
}

static bool read_certificate(struct bytes der, int64_t now, uint8_t ret_key_hash[SHA256_SIZE], struct problem *p)
{
	const uint8_t *at = der.data;
	auto(X509) *certificate = d2i_X509(NULL, &at, (long)der.len);
	auto_value(buf) spki = {0};
	EVP_PKEY *key = certificate ? X509_get0_pubkey(certificate) : NULL;

	if (!key || at != der.data + der.len)
		return !ossl_no_memory(p) &&
		       problem_set(p, PROBLEM_UNAUTHENTICATED, "the client certificate cannot be read");
	if (!is_current(certificate, now))
		return problem_set(p, PROBLEM_UNAUTHENTICATED, "the client certificate is not valid now");
	if (!ossl_public_der(key, &spki, p))
		return false;
	digest_sha256(buf_bytes(&spki), ret_key_hash);
	return true;
}

bool bearer_check_certificate(struct store *store, struct bytes der, int64_t now, struct token *ret, struct problem *p)
{
	uint8_t key_hash[SHA256_SIZE], fingerprint[SHA256_SIZE];
	auto_value(token) token = {0};
	struct looking looking = {
		.key_hash = BYTES(key_hash, SHA256_SIZE), .fingerprint = BYTES(fingerprint, SHA256_SIZE), .ret = &token,
	};

	if (!read_certificate(der, now, key_hash, p))
		return false;
	digest_sha256(der, fingerprint);
	if (!store_view(store, look_key, &looking, p))
		return problem_forgive(p, PROBLEM_NOT_FOUND) &&
		       problem_set(p, PROBLEM_UNAUTHENTICATED, "the key of the client certificate is no token's");
	return take(&token, now, ret, p);
}
