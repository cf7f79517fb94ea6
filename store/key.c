#include "store/key.h"

#include <assert.h>

#include "base/base64.h"
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

void key_put_number(uint64_t n, uint8_t *ret, size_t size)
{
	for (; size-- > 0; n >>= 8)
		ret[size] = (uint8_t)n;
}

uint64_t key_number(const uint8_t *from, size_t size)
{
	uint64_t n = 0;

	for (size_t i = 0; i < size; i++)
		n = n << 8 | from[i];
	return n;
}

void key_add_time(struct key *key, int64_t t)
{
	uint8_t raw[KEY_TIME_SIZE];

	key_put_number(t < 0 ? 0 : t > TIME_MAX ? TIME_MAX : (uint64_t)t, raw, sizeof(raw));
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

/* As base64url, in which the bits left over must be zero: no two texts name one record. */
void key_id_text(const uint8_t raw[KEY_ID_SIZE], char ret[RANDOM_ID_SIZE])
{
	char text[BASE64_SIZE(KEY_ID_SIZE)];

	base64url_encode_to(BYTES(raw, KEY_ID_SIZE), text);
	memcpy(ret, text, RANDOM_ID_SIZE);
}

bool key_id_raw(const char *id, uint8_t ret[KEY_ID_SIZE])
{
	uint8_t raw[KEY_ID_SIZE];

	if (strnlen(id, RANDOM_ID_SIZE) != RANDOM_ID_SIZE - 1 || !base64url_decode_to(id, RANDOM_ID_SIZE - 1, raw))
		return false;
	memcpy(ret, raw, sizeof(raw));
	return true;
}

int64_t key_time(const uint8_t raw[KEY_TIME_SIZE])
{
	return (int64_t)key_number(raw, KEY_TIME_SIZE);
}
