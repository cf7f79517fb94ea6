#include "base/random.h"

#include <assert.h>
#include <limits.h>

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

bool random_id_valid(const char *text)
{
	return strspn(text, alphabet) == RANDOM_ID_SIZE - 1 && text[RANDOM_ID_SIZE - 1] == '\0';
}
