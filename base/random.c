#include "base/random.h"

#include <assert.h>
#include <limits.h>
#include <time.h>

#include <openssl/rand.h>

bool random_bytes(void *ret, size_t len, struct problem *p)
{
	assert(len <= INT_MAX);
	return RAND_bytes(ret, (int)len) == 1 ? true : problem_openssl(p, "random numbers");
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

static uint32_t time_prefix(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME_COARSE, &now);
	return (uint32_t)((uint64_t)now.tv_sec * 64 + (uint64_t)now.tv_nsec / 15625000);
}

/* The first five characters are 30 bits of the prefix, the sixth the rest of it and four random bits. */
bool random_id_timed(char ret[RANDOM_ID_SIZE], struct problem *p)
{
	uint32_t prefix = time_prefix();

	if (!random_id(ret, p))
		return false;
	for (size_t i = 0; i < 5; i++)
		ret[i] = alphabet[prefix >> (26 - 6 * i) & 63];
	ret[5] = alphabet[(prefix & 3) << 4 | ((size_t)(strchr(alphabet, ret[5]) - alphabet) & 15)];
	return true;
}

bool random_id_valid(const char *text)
{
	return strspn(text, alphabet) == RANDOM_ID_SIZE - 1 && text[RANDOM_ID_SIZE - 1] == '\0';
}
