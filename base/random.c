#include "base/random.h"

#include <assert.h>
#include <limits.h>
#include <time.h>

#include <openssl/rand.h>

/* The generator's set-up costs more than its bytes, so each thread fetches some for several calls. What is taken
 * is wiped: as with the generator itself, its memory tells nothing of what was given out. */
enum { POOL_SIZE = 256, FROM_POOL_MAX = 32 };
static _Thread_local struct {
	uint8_t v[POOL_SIZE];
	size_t left;
} pool;

static bool generate(void *ret, size_t len, struct problem *p)
{
	assert(len <= INT_MAX);
	return RAND_bytes(ret, (int)len) == 1 ? true : problem_openssl(p, "random numbers");
}

bool random_bytes(void *ret, size_t len, struct problem *p)
{
	if (len > FROM_POOL_MAX)
		return generate(ret, len, p);
	if (len > pool.left) {
		if (!generate(pool.v, sizeof(pool.v), p))
			return false;
		pool.left = sizeof(pool.v);
	}
	pool.left -= len;
	memcpy(ret, pool.v + pool.left, len);
	mem_wipe(pool.v + pool.left, len);
	return true;
}

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* 22 characters carry 132 bits; the last one carries two, as base64url of 16 bytes would. */
bool random_id(char ret[RANDOM_ID_SIZE], struct problem *p)
{
	uint8_t raw[RANDOM_ID_SIZE - 1];

	if (!random_bytes(raw, sizeof(raw), p))
		return false;
	raw[sizeof(raw) - 1] &= 0x30;
	for (size_t i = 0; i < sizeof(raw); i++)
		ret[i] = alphabet[raw[i] & 63];
	ret[sizeof(raw)] = '\0';
	return true;
}

static uint64_t time_prefix(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME_COARSE, &now);
	return (uint64_t)now.tv_sec * 64 + (uint64_t)now.tv_nsec / 15625000;
}

/* The first six characters are 36 bits of the prefix, the seventh the rest of it and two random bits. */
bool random_id_timed(char ret[RANDOM_ID_SIZE], struct problem *p)
{
	uint64_t prefix = time_prefix();

	if (!random_id(ret, p))
		return false;
	for (size_t i = 0; i < 6; i++)
		ret[i] = alphabet[prefix >> (34 - 6 * i) & 63];
	ret[6] = alphabet[(prefix & 15) << 2 | ((size_t)(strchr(alphabet, ret[6]) - alphabet) & 3)];
	return true;
}

bool random_id_valid(const char *text)
{
	return strspn(text, alphabet) == RANDOM_ID_SIZE - 1 && text[RANDOM_ID_SIZE - 1] == '\0';
}

bool random_id_of(const char *text, const char *prefix, size_t size, char ret[RANDOM_ID_SIZE])
{
	size_t begin = strlen(prefix);

	if (strlen(text) != size - 1 || !str_starts(text, prefix) || text[begin + RANDOM_ID_SIZE - 1] != '.')
		return false;
	memcpy(ret, text + begin, RANDOM_ID_SIZE - 1);
	ret[RANDOM_ID_SIZE - 1] = '\0';
	return random_id_valid(ret);
}
