#include "store/expiry.h"

#include <assert.h>

#include "store/table.h"

/* Where the parts of a key lie, after its class. */
enum { AT_TIME = 1, AT_KIND = AT_TIME + KEY_TIME_SIZE, AT_ID = AT_KIND + 1, KEY_LEN = AT_ID + KEY_ID_SIZE };

void expiry_index(struct index *ix, enum expiry_kind kind, int64_t expires)
{
	uint8_t byte = (uint8_t)kind;
	struct key key;

	if (expires <= 0)
		return;
	key_begin(&key, KEY_EXPIRY);
	key_add_time(&key, expires);
	key_add(&key, BYTES(&byte, 1));
	index_add(ix, &key);
}

struct due {
	int64_t now;
	expiry_visit *visit;
	void *arg;
};

static bool visit_entry(void *arg, struct bytes key, struct bytes value)
{
	const struct due *due = arg;
	char id[RANDOM_ID_SIZE];

	(void)value;
	if (key.len != KEY_LEN || key.data[AT_KIND] > EXPIRY_REQUEST) /* damaged: it leads to nothing */
		return true;
	int64_t expires = key_time(key.data + AT_TIME);
	if (expires > due->now)
		return false;
	key_id_text(key.data + AT_ID, id);
	return due->visit(due->arg, (enum expiry_kind)key.data[AT_KIND], id, expires);
}

void store_expiry_due(struct store_txn *txn, int64_t now, expiry_visit *visit, void *arg)
{
	struct due due = { now, visit, arg };
	struct key prefix;

	key_begin(&prefix, KEY_EXPIRY);
	kv_scan(txn->kv, key_bytes(&prefix), key_bytes(&prefix), visit_entry, &due);
}
