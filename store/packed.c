#include "store/packed.h"

#include <assert.h>

#include "base/delta.h"

enum {
	NUMBER_SIZE = 4,
	HEAD_SIZE = 1 + NUMBER_SIZE,
	PLAIN_MIN = 64,
	REFERENCES_MAX = 64,  /* of one kind: values that are like none before them make no more of them */
};

/* What is known of a kind: the reference in use, and how many there were. */
struct kind {
	uint32_t number, count;
};

static void number_put(uint32_t n, uint8_t ret[NUMBER_SIZE])
{
	for (size_t i = NUMBER_SIZE; i-- > 0; n >>= 8)
		ret[i] = (uint8_t)n;
}

static uint32_t number_get(const uint8_t from[NUMBER_SIZE])
{
	return (uint32_t)from[0] << 24 | (uint32_t)from[1] << 16 | (uint32_t)from[2] << 8 | from[3];
}

static void reference_key(struct key *key, uint32_t number)
{
	uint8_t raw[NUMBER_SIZE];

	number_put(number, raw);
	key_begin(key, KEY_REFERENCE);
	key_add(key, BYTES(raw, sizeof(raw)));
}

static bool reference_get(struct kv_txn *kv, uint32_t number, struct bytes *ret)
{
	struct key key;

	reference_key(&key, number);
	return kv_get(kv, key_bytes(&key), ret);
}

static void kind_key(struct key *key, enum key_class class, const char *kind)
{
	uint8_t byte = (uint8_t)class;

	key_begin(key, KEY_REFERENCE_KIND);
	key_add(key, BYTES(&byte, 1));
	key_add_text(key, kind);
}

static bool kind_get(struct kv_txn *kv, const struct key *key, struct kind *ret)
{
	struct bytes value;

	*ret = (struct kind){0};
	if (!kv_get(kv, key_bytes(key), &value) || value.len != 2 * NUMBER_SIZE)
		return false;
	*ret = (struct kind){ number_get(value.data), number_get(value.data + NUMBER_SIZE) };
	return true;
}

static bool take_number(void *arg, struct bytes key, struct bytes value)
{
	(void)value;
	if (key.len == 1 + NUMBER_SIZE)
		*(uint32_t *)arg = number_get(key.data + 1);
	return false;
}

/* The next number, with plain under it. */
static void reference_make(struct kv_txn *kv, const struct key *kind_at, struct bytes plain, struct kind *kind)
{
	uint8_t value[2 * NUMBER_SIZE];
	uint32_t last = 0;
	struct key key;

	key_begin(&key, KEY_REFERENCE);
	kv_scan_back(kv, key_bytes(&key), BYTES(NULL, 0), take_number, &last);
	*kind = (struct kind){ last + 1, kind->count + 1 };
	reference_key(&key, kind->number);
	kv_put(kv, key_bytes(&key), plain);
	number_put(kind->number, value);
	number_put(kind->count, value + NUMBER_SIZE);
	kv_put(kv, key_bytes(kind_at), BYTES(value, sizeof(value)));
}

static bool is_poor(const struct buf *delta, struct bytes plain)
{
	return delta->len * 5 > plain.len * 4;
}

/* The delta to the reference of its kind, which it may become itself. */
static bool delta_make(struct kv_txn *kv, const struct key *kind_at, struct bytes plain, struct buf *ret, uint32_t *ret_number,
                       struct problem *p)
{
	struct bytes reference;
	struct kind kind;

	bool known = kind_get(kv, kind_at, &kind) && reference_get(kv, kind.number, &reference);
	if (known)
		delta_encode(reference, plain, ret);
	if (!known || (is_poor(ret, plain) && kind.count < REFERENCES_MAX)) {
		reference_make(kv, kind_at, plain, &kind);
		buf_clear(ret);
		delta_encode(plain, plain, ret);
	}
	*ret_number = kind.number;
	return kv_failed(kv) ? kv_refuse(kv, p) : buf_check(ret, p);
}

bool packed_write(struct kv_txn *kv, enum key_class class, const char *kind, struct bytes plain, struct buf *ret,
                  struct problem *p)
{
	auto_value(buf) delta = {0};
	uint8_t head[HEAD_SIZE] = {0};
	uint32_t number = 0;
	struct key kind_at;

	assert(plain.len == 0 || plain.data[0] != 0);
	kind_key(&kind_at, class, kind);
	bool may = plain.len >= PLAIN_MIN && plain.len <= PACKED_PLAIN_MAX;
	if (may && !delta_make(kv, &kind_at, plain, &delta, &number, p))
		return false;
	bool shorter = may && delta.len + HEAD_SIZE < plain.len;
	if (shorter) {
		number_put(number, head + 1);
		buf_add(ret, head, sizeof(head));
	}
	struct bytes stored = shorter ? buf_bytes(&delta) : plain;
	buf_add(ret, stored.data, stored.len);
	return buf_check(ret, p);
}

bool packed_read(struct kv_txn *kv, struct bytes value, struct buf *room, struct bytes *ret)
{
	struct bytes reference;

	if (value.len == 0 || value.data[0] != 0) {
		*ret = value;
		return true;
	}
	buf_clear(room);
	if (value.len < HEAD_SIZE || !reference_get(kv, number_get(value.data + 1), &reference) ||
	    !delta_decode(reference, BYTES(value.data + HEAD_SIZE, value.len - HEAD_SIZE), PACKED_PLAIN_MAX, room))
		return false;
	*ret = buf_bytes(room);
	return true;
}
