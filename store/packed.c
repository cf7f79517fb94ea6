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

static uint32_t number_at(const uint8_t *from)
{
	return (uint32_t)key_number(from, NUMBER_SIZE);
}

static void reference_key(struct key *key, uint32_t number)
{
	uint8_t raw[NUMBER_SIZE];

	key_put_number(number, raw, sizeof(raw));
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
	*ret = (struct kind){ number_at(value.data), number_at(value.data + NUMBER_SIZE) };
	return true;
}

static bool take_number(void *arg, struct bytes key, struct bytes value)
{
	(void)value;
	if (key.len == 1 + NUMBER_SIZE)
		*(uint32_t *)arg = number_at(key.data + 1);
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
	key_put_number(kind->number, value, NUMBER_SIZE);
	key_put_number(kind->count, value + NUMBER_SIZE, NUMBER_SIZE);
	kv_put(kv, key_bytes(kind_at), BYTES(value, sizeof(value)));
}

static bool is_poor(const struct buf *delta, struct bytes plain)
{
	return delta->len * 5 > plain.len * 4;
}

/* The delta to the reference of its kind, which it may become itself. */
static bool delta_make(struct kv_txn *kv, const struct key *kind_at, struct bytes plain, struct buf *ret,
                       uint32_t *ret_number, struct problem *p)
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
	return kv_check(kv, p) && buf_check(ret, p);
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
		key_put_number(number, head + 1, NUMBER_SIZE);
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
	if (value.len < HEAD_SIZE || !reference_get(kv, number_at(value.data + 1), &reference) ||
	    !delta_decode(reference, BYTES(value.data + HEAD_SIZE, value.len - HEAD_SIZE), PACKED_PLAIN_MAX, room))
		return false;
	*ret = buf_bytes(room);
	return true;
}
