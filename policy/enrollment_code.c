#include "policy/enrollment_code.h"

#include <stdio.h>

static void hash_code(const struct store *store, const char *code, uint8_t ret[SHA256_SIZE])
{
	uint8_t key[32];

	seal_derive(store_seal(store), "enrollment code", key);
	digest_hmac(256, BYTES(key, sizeof(key)), BYTES_STR(code), ret);
	mem_wipe(key, sizeof(key));
}

bool enrollment_code_make(const struct store *store, const char id[RANDOM_ID_SIZE], char ret[ENROLLMENT_CODE_SIZE],
                          uint8_t ret_hash[SHA256_SIZE], struct problem *p)
{
	char secret[RANDOM_ID_SIZE];

	if (!random_id(secret, p))
		return false;
	snprintf(ret, ENROLLMENT_CODE_SIZE, ENROLLMENT_CODE_PREFIX "%s.%s", id, secret);
	mem_wipe(secret, sizeof(secret));
	hash_code(store, ret, ret_hash);
	return true;
}

bool enrollment_code_is(const char *text)
{
	char id[RANDOM_ID_SIZE];

	return random_id_of(text, ENROLLMENT_CODE_PREFIX, ENROLLMENT_CODE_SIZE, id);
}

bool enrollment_code_good(const struct enrollment *e, int64_t now, struct problem *p)
{
	const char *what = e->kind == ENROLLMENT_CODE ? "enrollment code" : "credential";

	if (e->revoked != 0)
		return problem_set(p, PROBLEM_UNAUTHENTICATED, "the %s %s is revoked", what, e->id);
	if (e->expires != 0 && e->expires <= now)
		return problem_set(p, PROBLEM_UNAUTHENTICATED, "the %s %s has expired", what, e->id);
	if (e->uses_max != 0 && e->uses >= e->uses_max)
		return problem_set(p, PROBLEM_UNAUTHENTICATED, "the %s %s is used up", what, e->id);
	return true;
}

struct looking {
	char id[RANDOM_ID_SIZE];
	struct enrollment *ret;
};

static bool look(struct store_txn *txn, void *arg, struct problem *p)
{
	struct looking *l = arg;

	return store_enrollment_get(txn, l->id, l->ret, p);
}

static bool unknown(struct problem *p)
{
	return problem_set(p, PROBLEM_UNAUTHENTICATED, "there is no such enrollment code");
}

/* A code that nobody has made is told from a wrong secret in nothing. */
static bool find(struct store *store, const char *code, struct enrollment *ret, struct problem *p)
{
	struct looking looking = { .ret = ret };
	uint8_t hash[SHA256_SIZE];

	if (!random_id_of(code, ENROLLMENT_CODE_PREFIX, ENROLLMENT_CODE_SIZE, looking.id))
		return unknown(p);
	hash_code(store, code, hash);
	if (!store_view(store, look, &looking, p))
		return problem_forgive(p, PROBLEM_NOT_FOUND) && unknown(p);
	return (ret->kind == ENROLLMENT_CODE && ret->hash.len == SHA256_SIZE &&
	        mem_equal_secret(ret->hash.data, hash, SHA256_SIZE)) || unknown(p);
}

bool enrollment_code_check(struct store *store, const char *code, int64_t now, struct enrollment *ret,
                           struct problem *p)
{
	auto_value(enrollment) found = {0};

	if (!find(store, code, &found, p) || !enrollment_code_good(&found, now, p))
		return false;
	*ret = found;
	found = (struct enrollment){0};
	return true;
}

bool enrollment_code_spent(struct store *store, const char *code, int64_t now, struct enrollment *ret,
                           struct problem *p)
{
	auto_value(enrollment) found = {0};

	if (!find(store, code, &found, p))
		return false;
	struct enrollment unused = found; /* borrowed */
	unused.uses = 0;
	if (!enrollment_code_good(&unused, now, p))
		return false;
	*ret = found;
	found = (struct enrollment){0};
	return true;
}

bool enrollment_code_use(struct store_txn *txn, const char *id, int64_t now, struct problem *p)
{
	auto_value(enrollment) e = {0};

	if (!store_enrollment_get(txn, id, &e, p) || !enrollment_code_good(&e, now, p))
		return false;
	e.uses++;
	e.used = now;
	return store_enrollment_put(txn, &e, p);
}
