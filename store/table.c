#include "store/table.h"

#include <assert.h>

#include "store/packed.h"

/* --- index entries: a length, whether unique, the key --- */

struct entry {
	struct bytes key;
	bool unique;
};

static void entry_add(struct index *ix, struct bytes key, struct bytes id, bool unique)
{
	uint16_t len = (uint16_t)(key.len + id.len);

	assert(key.len + id.len <= KV_KEY_MAX);
	buf_add(&ix->entries, &len, sizeof(len));
	buf_add_char(&ix->entries, (char)unique);
	buf_add(&ix->entries, key.data, key.len);
	buf_add(&ix->entries, id.data, id.len);
}

void index_add(struct index *ix, const struct key *key)
{
	entry_add(ix, key_bytes(key), ix->id, false);
}

void index_add_unique(struct index *ix, const struct key *key)
{
	entry_add(ix, key_bytes(key), BYTES(NULL, 0), true);
}

static void index_free(struct index *ix)
{
	buf_free(&ix->entries);
}
declare_auto_value(index, index_free);

static bool entry_next(struct bytes *rest, struct entry *ret)
{
	uint16_t len;

	if (rest->len == 0)
		return false;
	memcpy(&len, rest->data, sizeof(len));
	ret->unique = rest->data[sizeof(len)] != 0;
	ret->key = BYTES(rest->data + sizeof(len) + 1, len);
	*rest = BYTES(ret->key.data + len, rest->len - sizeof(len) - 1 - len);
	return true;
}

static bool index_has(const struct index *ix, struct bytes key)
{
	struct bytes rest = buf_bytes(&ix->entries);
	struct entry e;

	while (entry_next(&rest, &e))
		if (bytes_equal(e.key, key))
			return true;
	return false;
}

static bool index_make(const struct table *table, const void *record, struct bytes id, struct index *ret,
                       struct problem *p)
{
	ret->id = id;
	if (table->index)
		table->index(record, ret);
	return buf_check(&ret->entries, p);
}

static bool unique_put(struct kv_txn *kv, const struct table *table, struct bytes key, struct bytes id,
                       struct problem *p)
{
	struct bytes other;

	if (kv_put_new(kv, key, id))
		return true;
	if (kv_get(kv, key, &other) && !bytes_equal(other, id))
		return problem_set(p, PROBLEM_CONFLICT, "another %s has it already", table->schema->name);
	return kv_check(kv, p);
}

/* Brings the entries from those of the old record to those of the new. */
static bool index_move(struct kv_txn *kv, const struct table *table, const struct index *from,
                       const struct index *to, struct problem *p)
{
	struct bytes old = buf_bytes(&from->entries), new = buf_bytes(&to->entries);
	struct entry e;

	if (bytes_equal(old, new))
		return true;
	while (entry_next(&old, &e))
		if (!index_has(to, e.key))
			kv_delete(kv, e.key);
	while (entry_next(&new, &e)) {
		if (index_has(from, e.key))
			continue;
		if (!e.unique)
			kv_put(kv, e.key, BYTES(NULL, 0));
		else if (!unique_put(kv, table, e.key, to->id, p))
			return false;
	}
	return true;
}

/* --- records --- */

static bool record_key(const struct table *table, const char *id, struct key *ret)
{
	key_begin(ret, table->class);
	if (!table->by_text)
		return key_add_id(ret, id);
	key_add_text(ret, id);
	return true;
}

static struct bytes key_of_id(const struct key *key)
{
	return BYTES(key->v + 1, key->len - 1);
}

static bool not_found(struct store_txn *txn, const struct table *table, struct problem *p)
{
	return kv_check(txn->kv, p) && problem_set(p, PROBLEM_NOT_FOUND, "there is no such %s", table->schema->name);
}

static bool unreadable(const struct table *table, struct problem *p)
{
	return problem_internal(p, "the store holds a %s that cannot be read", table->schema->name);
}

static bool decode(struct store_txn *txn, const struct table *table, struct bytes value, void *ret, struct problem *p)
{
	auto_value(buf) room = {0};
	struct bytes plain;

	if (!packed_read(txn->kv, value, &room, &plain))
		return kv_check(txn->kv, p) && buf_check(&room, p) && unreadable(table, p);
	if (!record_decode(table->schema, plain, ret, p))
		return false;
	if (!table->is_whole || table->is_whole(ret))
		return true;
	record_free(ret);
	return unreadable(table, p);
}

static bool encode(struct store_txn *txn, const struct table *table, const void *record, struct buf *ret,
                   struct problem *p)
{
	auto_value(buf) plain = {0};
	auto_value(buf) kind = {0};

	if (!table->kind)
		return record_encode(table->schema, record, ret, p);
	table->kind(record, &kind);
	return buf_check(&kind, p) && record_encode(table->schema, record, &plain, p) &&
	       packed_write(txn->kv, table->class, buf_text(&kind), buf_bytes(&plain), ret, p);
}

static bool get(struct store_txn *txn, const struct table *table, const struct key *key, void *ret, struct problem *p)
{
	struct bytes value;

	if (!kv_get(txn->kv, key_bytes(key), &value))
		return not_found(txn, table, p);
	return decode(txn, table, value, ret, p);
}

bool table_get(struct store_txn *txn, const struct table *table, const char *id, void *ret, struct problem *p)
{
	struct key key;

	if (!record_key(table, id, &key))
		return not_found(txn, table, p);
	return get(txn, table, &key, ret, p);
}

bool table_find(struct store_txn *txn, const struct table *table, const struct key *unique, void *ret,
                struct problem *p)
{
	struct bytes id;
	struct key key;

	if (!kv_get(txn->kv, key_bytes(unique), &id))
		return not_found(txn, table, p);
	if (id.len > KEY_ID_SIZE) /* no table has entries that lead to a longer one */
		return unreadable(table, p);
	key_begin(&key, table->class);
	key_add(&key, id);
	return get(txn, table, &key, ret, p);
}

/* The entries of the record that is stored now; none when there is none. */
static bool index_stored(struct store_txn *txn, const struct table *table, const struct key *key,
                         struct index *ret, struct problem *p)
{
	void *record = NULL;
	struct bytes value;

	if (!table->index || !kv_get(txn->kv, key_bytes(key), &value))
		return kv_check(txn->kv, p);
	record = malloc(table->schema->size);
	if (!record)
		return problem_memory(p);
	bool ok = decode(txn, table, value, record, p);
	if (ok) {
		ok = index_make(table, record, key_of_id(key), ret, p);
		record_free(record);
	}
	free(record);
	return ok;
}

/* Brings what is stored, of which from are the entries, to the record. */
static bool put(struct store_txn *txn, const struct table *table, const struct key *key, const struct index *from,
                const void *record, struct problem *p)
{
	auto_value(index) to = {0};
	auto_value(buf) bytes = {0};

	assert(!table->is_whole || table->is_whole(record));
	if (!index_make(table, record, key_of_id(key), &to, p) || !encode(txn, table, record, &bytes, p) ||
	    !index_move(txn->kv, table, from, &to, p))
		return false;
	kv_put(txn->kv, key_bytes(key), buf_bytes(&bytes));
	return kv_check(txn->kv, p);
}

bool table_put(struct store_txn *txn, const struct table *table, const char *id, const void *record,
               struct problem *p)
{
	auto_value(index) from = {0};
	struct key key;

	if (!record_key(table, id, &key))
		return problem_internal(p, "\"%s\" is no id for a %s", id, table->schema->name);
	return index_stored(txn, table, &key, &from, p) && put(txn, table, &key, &from, record, p);
}

bool table_renew(struct store_txn *txn, const struct table *table, const char *id, struct problem *p)
{
	const struct index none = {0};
	struct key key;

	if (!record_key(table, id, &key))
		return not_found(txn, table, p);
	void *record = calloc(1, table->schema->size);
	if (!record)
		return problem_memory(p);
	bool ok = get(txn, table, &key, record, p) && put(txn, table, &key, &none, record, p);
	record_free(record);
	free(record);
	return ok;
}

bool table_delete(struct store_txn *txn, const struct table *table, const char *id, struct problem *p)
{
	auto_value(index) from = {0};
	const struct index none = {0};
	struct key key;

	if (!record_key(table, id, &key))
		return true;
	if (!index_stored(txn, table, &key, &from, p) || !index_move(txn->kv, table, &from, &none, p))
		return false;
	kv_delete(txn->kv, key_bytes(&key));
	return kv_check(txn->kv, p);
}
