#include "store/private_key.h"

#include "store/table.h"

static const struct record_field fields[] = {
	record_text(1, private_key, id),
	record_text(2, private_key, seal),
	record_bytes(3, private_key, sealed),
	record_time(4, private_key, created),
};
static const struct record_schema schema = { "private key", sizeof(struct private_key), fields, array_length(fields) };
static const struct table keys = { .class = KEY_PRIVATE_KEY, .schema = &schema, .by_text = true };

void private_key_free(struct private_key *key)
{
	record_free(key);
}

static bool id_make(struct bytes key_hash, struct buf *ret, struct problem *p)
{
	buf_add_hex(ret, key_hash);
	return buf_check(ret, p);
}

bool store_private_key_get(struct store_txn *txn, struct bytes key_hash, struct private_key *ret, struct problem *p)
{
	auto_value(buf) id = {0};

	return id_make(key_hash, &id, p) && table_get(txn, &keys, buf_text(&id), ret, p);
}

bool store_private_key_put(struct store_txn *txn, struct bytes key_hash, const struct private_key *key,
                           struct problem *p)
{
	auto_value(buf) id = {0};
	struct private_key row = *key;

	if (!id_make(key_hash, &id, p))
		return false;
	row.id = buf_text(&id);
	return table_put(txn, &keys, row.id, &row, p);
}

bool store_private_key_delete(struct store_txn *txn, struct bytes key_hash, struct problem *p)
{
	auto_value(buf) id = {0};

	return id_make(key_hash, &id, p) && table_delete(txn, &keys, buf_text(&id), p);
}

bool store_private_key_list(struct store_txn *txn, const char *after, size_t limit, struct store_page *ret,
                            struct problem *p)
{
	struct key prefix;

	key_begin(&prefix, KEY_PRIVATE_KEY);
	return page_read(txn, &prefix, true, after, limit, ret, p);
}
