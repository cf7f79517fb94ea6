#include "acme/key_cache.h"

#include <pthread.h>

#include "base/digest.h"

enum { SETS = 1024, WAYS = 4 };

struct entry {
	char id[RANDOM_ID_SIZE];
	uint8_t thumbprint[SHA256_SIZE];
	EVP_PKEY *key;            /* NULL: free */
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
			EVP_PKEY_free(cache->sets[i][j].key);
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

static EVP_PKEY *look_up(struct key_cache *cache, const struct account *account)
{
	EVP_PKEY *key = NULL;
	pthread_mutex_lock(&cache->lock);
	struct entry *e = place_of(set_of(cache, account->id), account->id);
	if (is_current(e, account) && EVP_PKEY_up_ref(e->key)) {
		key = e->key;
		e->used = ++cache->clock;
	}
	pthread_mutex_unlock(&cache->lock);
	return key;
}

static void remember(struct key_cache *cache, const struct account *account, EVP_PKEY *key)
{
	if (account->thumbprint.len != SHA256_SIZE || !EVP_PKEY_up_ref(key))
		return;
	pthread_mutex_lock(&cache->lock);
	struct entry *e = place_of(set_of(cache, account->id), account->id);
	EVP_PKEY *old = e->key;
	*e = (struct entry){ .key = key, .used = ++cache->clock };
	memcpy(e->id, account->id, sizeof e->id);
	memcpy(e->thumbprint, account->thumbprint.data, SHA256_SIZE);
	pthread_mutex_unlock(&cache->lock);
	EVP_PKEY_free(old);
}

bool key_cache_get(struct key_cache *cache, const struct account *account, EVP_PKEY **ret, struct problem *p)
{
	EVP_PKEY *key = look_up(cache, account);
	if (!key) {
		if (!ossl_public_key(account->key, &key, p))
			return false;
		remember(cache, account, key);
	}
	*ret = key;
	return true;
}
