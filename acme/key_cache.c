#include "acme/key_cache.h"

#include <pthread.h>

#include "base/digest.h"

enum { SETS = 1024, WAYS = 4 };

struct entry {
	char id[RANDOM_ID_SIZE];
	uint8_t thumbprint[SHA256_SIZE];
	struct jws_key *key;      /* NULL: free */
	uint64_t used;
};
struct key_cache {
	pthread_mutex_t lock;
	uint64_t clock;
	struct entry sets[SETS][WAYS];
};

bool key_cache_open(struct key_cache **ret, struct problem *p)
{
	struct key_cache *cache = calloc(1, sizeof *cache);
	if (!cache)
		return problem_memory(p);
	pthread_mutex_init(&cache->lock, NULL);
	*ret = cache;
	return true;
}

void key_cache_close(struct key_cache *cache)
{
	if (!cache)
		return;
	for (size_t i = 0; i < SETS; i++)
		for (size_t j = 0; j < WAYS; j++)
			jws_key_unref(cache->sets[i][j].key);
	pthread_mutex_destroy(&cache->lock);
	free(cache);
}

/* Ids are random and the server's own choice (base/random.h), so any mix of them spreads. */
static struct entry *set_of(struct key_cache *cache, const char *id)
{
	unsigned hash = 0;
	for (const char *c = id; *c; c++)
		hash = hash * 31 + (unsigned char)*c;
	return cache->sets[hash % SETS];
}

/* The entry of this id, or else the one to give up for it. */
static struct entry *place_of(struct entry *set, const char *id)
{
	struct entry *oldest = set;
	for (struct entry *e = set; e < set + WAYS; e++) {
		if (e->key && str_equal(e->id, id))
			return e;
		if (e->used < oldest->used)
			oldest = e;
	}
	return oldest;
}

static bool is_current(const struct entry *e, const struct account *account)
{
	return e->key && str_equal(e->id, account->id) && account->thumbprint.len == SHA256_SIZE &&
	       memcmp(e->thumbprint, account->thumbprint.data, SHA256_SIZE) == 0;
}

static struct jws_key *look_up(struct key_cache *cache, const struct account *account)
{
	struct jws_key *key = NULL;
	pthread_mutex_lock(&cache->lock);
	struct entry *e = place_of(set_of(cache, account->id), account->id);
	if (is_current(e, account)) {
		key = jws_key_ref(e->key);
		e->used = ++cache->clock;
	}
	pthread_mutex_unlock(&cache->lock);
	return key;
}

static void remember(struct key_cache *cache, const struct account *account, struct jws_key *key)
{
	if (account->thumbprint.len != SHA256_SIZE)
		return;
	pthread_mutex_lock(&cache->lock);
	struct entry *e = place_of(set_of(cache, account->id), account->id);
	struct jws_key *old = e->key;
	*e = (struct entry){ .key = jws_key_ref(key), .used = ++cache->clock };
	memcpy(e->id, account->id, sizeof e->id);
	memcpy(e->thumbprint, account->thumbprint.data, SHA256_SIZE);
	pthread_mutex_unlock(&cache->lock);
	jws_key_unref(old);
}

static bool prepare(const struct account *account, struct jws_key **ret, struct problem *p)
{
	auto(EVP_PKEY) *public = NULL;
	return ossl_public_key(account->key, &public, p) && jws_key_new(public, ret, p);
}

bool key_cache_get(struct key_cache *cache, const struct account *account, struct jws_key **ret, struct problem *p)
{
	struct jws_key *key = look_up(cache, account);
	if (!key) {
		if (!prepare(account, &key, p))
			return false;
		remember(cache, account, key);
	}
	*ret = key;
	return true;
}
