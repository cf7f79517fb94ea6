#include "est/digest_nonce.h"

#include <pthread.h>

#include "base/base64.h"
#include "base/digest.h"
#include "base/random.h"

enum { TIME = 8, RANDOM = 8, MAC = 16, RAW = TIME + RANDOM + MAC, WAYS = 8, SETS = 512 };

struct used {
	uint8_t random[RANDOM];
	int64_t made;   /* 0: free */
	uint32_t count; /* the highest seen */
};
struct digest_nonces {
	uint8_t key[32];
	pthread_mutex_t mutex;
	struct used table[SETS][WAYS]; /* guarded by it, as is what follows */
	int64_t forgotten[SETS];       /* the latest time of one that the set has dropped */
};

bool digest_nonces_open(struct digest_nonces **ret, struct problem *p)
{
	auto_struct(digest_nonces) *nonces = mem_table(sizeof(*nonces)); /* few clients use Digest */

	if (!nonces)
		return problem_memory(p);
	pthread_mutex_init(&nonces->mutex, NULL);
	if (!random_bytes(nonces->key, sizeof(nonces->key), p))
		return false;
	*ret = steal(nonces);
	return true;
}

void digest_nonces_close(struct digest_nonces *nonces)
{
	if (!nonces)
		return;
	pthread_mutex_destroy(&nonces->mutex);
	mem_wipe(nonces->key, sizeof(nonces->key));
	mem_table_free(nonces, sizeof(*nonces));
}

static void seal(const struct digest_nonces *nonces, uint8_t raw[RAW])
{
	uint8_t mac[SHA256_SIZE];

	digest_hmac(256, BYTES(nonces->key, sizeof(nonces->key)), BYTES(raw, TIME + RANDOM), mac);
	memcpy(raw + TIME + RANDOM, mac, MAC);
}

bool digest_nonce_make(struct digest_nonces *nonces, int64_t now, char ret[DIGEST_NONCE_SIZE], struct problem *p)
{
	uint8_t raw[RAW];
	auto_value(buf) text = {0};

	for (size_t i = 0; i < TIME; i++)
		raw[i] = (uint8_t)((uint64_t)now >> (8 * (TIME - 1 - i)));
	if (!random_bytes(raw + TIME, RANDOM, p))
		return false;
	seal(nonces, raw);
	buf_add_base64url(&text, BYTES(raw, RAW));
	if (!buf_check(&text, p))
		return false;
	memcpy(ret, buf_text(&text), DIGEST_NONCE_SIZE);
	return true;
}

/* Its time and its random part; false: it is none of ours. */
static bool unseal(const struct digest_nonces *nonces, const char *nonce, uint8_t ret[RANDOM], int64_t *ret_made)
{
	uint8_t raw[RAW], want[RAW];
	uint64_t made = 0;

	if (strlen(nonce) != DIGEST_NONCE_SIZE - 1 || !base64url_decode_to(nonce, DIGEST_NONCE_SIZE - 1, raw))
		return false;
	memcpy(want, raw, RAW);
	seal(nonces, want);
	if (!mem_equal_secret(want, raw, RAW))
		return false;
	for (size_t i = 0; i < TIME; i++)
		made = made << 8 | want[i];
	memcpy(ret, want + TIME, RANDOM);
	*ret_made = (int64_t)made;
	return true;
}

static struct used *find(struct used set[WAYS], const uint8_t random[RANDOM])
{
	for (size_t i = 0; i < WAYS; i++)
		if (set[i].made != 0 && memcmp(set[i].random, random, RANDOM) == 0)
			return &set[i];
	return NULL;
}

static struct used *oldest(struct used set[WAYS])
{
	struct used *found = &set[0];

	for (size_t i = 1; i < WAYS; i++)
		if (set[i].made < found->made)
			found = &set[i];
	return found;
}

static bool use(struct digest_nonces *nonces, const uint8_t random[RANDOM], int64_t made, uint32_t count)
{
	size_t at = (random[0] | (size_t)random[1] << 8) % SETS;
	struct used *used = find(nonces->table[at], random);

	if (!used) {
		if (made <= nonces->forgotten[at])
			return false;
		used = oldest(nonces->table[at]);
		nonces->forgotten[at] = used->made > nonces->forgotten[at] ? used->made : nonces->forgotten[at];
		*used = (struct used){ .made = made };
		memcpy(used->random, random, RANDOM);
	}
	if (count <= used->count)
		return false;
	used->count = count;
	return true;
}

bool digest_nonce_use(struct digest_nonces *nonces, const char *nonce, uint32_t count, int64_t now)
{
	uint8_t random[RANDOM];
	int64_t made;

	if (!unseal(nonces, nonce, random, &made) || made > now + DIGEST_NONCE_LIFE || made + DIGEST_NONCE_LIFE < now)
		return false;
	pthread_mutex_lock(&nonces->mutex);
	bool good = use(nonces, random, made, count);
	pthread_mutex_unlock(&nonces->mutex);
	return good;
}
