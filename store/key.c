#include "store/key.h"

#include <assert.h>

#include "base/digest.h"

enum { TEXT_MAX = 255 };
#define TIME_MAX ((INT64_C(1) << (8 * KEY_TIME_SIZE)) - 1)

/* Two classes with one byte would not compile. */
static inline void classes_differ(enum key_class class)
{
	switch (class) {
#define X(name, byte, layout) case KEY_##name:
		KEY_CLASSES(X)
#undef X
		break;
	}
}

void key_begin(struct key *key, enum key_class class)
{
	classes_differ(class);
	key->v[0] = (uint8_t)class;
	key->len = 1;
}

void key_add(struct key *key, struct bytes part)
{
	assert(part.len <= KV_KEY_MAX - key->len);
	if (part.len > 0)
		memcpy(key->v + key->len, part.data, part.len);
	key->len += part.len;
}

bool key_add_id(struct key *key, const char *id)
{
	uint8_t raw[KEY_ID_SIZE];

	if (!key_id_raw(id, raw))
		return false;
	key_add(key, BYTES(raw, sizeof(raw)));
	return true;
}

void key_add_time(struct key *key, int64_t t)
{
	int64_t v = t < 0 ? 0 : t > TIME_MAX ? TIME_MAX : t;
	uint8_t raw[KEY_TIME_SIZE];

	for (size_t i = sizeof(raw); i-- > 0; v >>= 8)
		raw[i] = (uint8_t)(v & 0xff);
	key_add(key, BYTES(raw, sizeof(raw)));
}

void key_add_newest(struct key *key, int64_t t)
{
	key_add_time(key, TIME_MAX - (t < 0 ? 0 : t));
}

/* A first byte of 1 marks a digest, so a text that begins with it becomes one as well. */
void key_add_text(struct key *key, const char *text)
{
	const char *s = text ? text : "";
	size_t len = strlen(s);

	if (len <= TEXT_MAX && s[0] != '\1') {
		key_add(key, BYTES(s, len + 1));
		return;
	}
	uint8_t digest[SHA256_SIZE];
	digest_sha256(BYTES(s, len), digest);
	key_add(key, BYTES("\1", 1));
	key_add(key, BYTES(digest, sizeof(digest)));
}

struct bytes key_bytes(const struct key *key)
{
	return BYTES(key->v, key->len);
}

void key_id_text(const uint8_t raw[KEY_ID_SIZE], char ret[RANDOM_ID_SIZE])
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	uint32_t bits = 0;
	unsigned have = 0;
	char *to = ret;

	for (size_t i = 0; i < KEY_ID_SIZE; i++) {
		bits = bits << 8 | raw[i];
		for (have += 8; have >= 6; have -= 6)
			*to++ = alphabet[bits >> (have - 6) & 0x3f];
	}
	*to++ = alphabet[bits << (6 - have) & 0x3f];
	*to = '\0';
	assert(to == ret + RANDOM_ID_SIZE - 1);
}

static int digit(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '-' ? 62 : c == '_' ? 63 : -1;
}

bool key_id_raw(const char *id, uint8_t ret[KEY_ID_SIZE])
{
	uint8_t raw[KEY_ID_SIZE];
	uint32_t bits = 0;
	unsigned have = 0;
	size_t n = 0;

	for (size_t i = 0; i < RANDOM_ID_SIZE - 1; i++) {
		int d = digit(id[i]);

		if (d < 0)
			return false;
		bits = bits << 6 | (uint32_t)d;
		have += 6;
		if (have >= 8) {
			have -= 8;
			raw[n++] = (uint8_t)(bits >> have);
		}
	}
	/* Bits left over must be zero, or two texts would name one record. */
	if (id[RANDOM_ID_SIZE - 1] != '\0' || (bits & 0xf) != 0)
		return false;
	memcpy(ret, raw, sizeof(raw));
	return true;
}

int64_t key_time(const uint8_t raw[KEY_TIME_SIZE])
{
	int64_t t = 0;

	for (size_t i = 0; i < KEY_TIME_SIZE; i++)
		t = t << 8 | raw[i];
	return t;
}
