#include "store/upgrade.h"

#include "store/certificate_inside.h"

enum { ROWS = 500, ENTRIES = 5000 };

/* What is only ever added at the end of its class (certificates, events, expiries) should fill page after page. LMDB
 * leaves a full page behind only where nothing follows in the page that it splits; what begins the next class, once
 * in that page, would stay in it. So a store begins with values so large that a page has two of them, put in an order
 * in which the page's end comes to lie where each of these classes ends. Nothing reads them. */
#define TEXT(s) { (const uint8_t *)(s), sizeof(s) - 1 }
static const struct bytes page_ends[] = {
	TEXT("B\xff\xff\xff\xff\xff\xff\xff\xff\xff\1"), TEXT("D\0"), TEXT("B\xff\xff\xff\xff\xff\xff\xff\xff\xff\2"),
	TEXT("U\0"), TEXT("V\0"), TEXT("U\0\0"),
	TEXT("d\xff\xff\xff\xff\xff\xff\xff\xff\xff\1"), TEXT("f\0"), TEXT("d\xff\xff\xff\xff\xff\xff\xff\xff\xff\2"),
};

void schema_put(struct store_txn *txn)
{
	static const uint8_t version[4] = { 0, 0, 0, SCHEMA_VERSION }, half_page[1500];
	struct key key;

	for (size_t i = 0; i < array_length(page_ends); i++)
		kv_put(txn->kv, page_ends[i], BYTES(half_page, sizeof(half_page)));
	key_begin(&key, KEY_META);
	key_add_text(&key, "schema");
	kv_put(txn->kv, key_bytes(&key), BYTES(version, sizeof(version)));
}

/* The indexes of schema 1 whose keys are others now: fingerprint, name, key, account, profile. */
static const uint8_t old_classes[] = { 'f', 'n', 'k', 'c', 'p' };

/* What is noted: the cursor of the certificates; empty at the begin. */
static struct bytes note_key(struct key *key)
{
	key_begin(key, KEY_META);
	key_add_text(key, "upgrade");
	return key_bytes(key);
}

bool upgrade_is_open(struct store_txn *txn)
{
	struct bytes note;
	struct key key;

	return kv_get(txn->kv, note_key(&key), &note);
}

static void note_put(struct store_txn *txn, const char *cursor)
{
	struct key key;

	kv_put(txn->kv, note_key(&key), BYTES(cursor, strlen(cursor) + 1));
}

void upgrade_begin(struct store_txn *txn)
{
	schema_put(txn);
	note_put(txn, "");
}

struct gathered {
	struct buf keys;   /* each after its length */
	size_t n;
};

static bool gather(void *arg, struct bytes key, struct bytes value)
{
	struct gathered *g = arg;
	uint16_t len = (uint16_t)key.len;

	(void)value;
	buf_add(&g->keys, &len, sizeof(len));
	buf_add(&g->keys, key.data, key.len);
	return ++g->n < ENTRIES;
}

/* Deletes some of the old entries; ret_none: there was none left. */
static bool drop_entries(struct store_txn *txn, bool *ret_none, struct problem *p)
{
	struct gathered g = {0};
	uint16_t len;

	for (size_t i = 0; i < sizeof(old_classes) && g.n < ENTRIES; i++)
		kv_scan(txn->kv, BYTES(old_classes + i, 1), BYTES(old_classes + i, 1), gather, &g);
	bool ok = buf_check(&g.keys, p);
	for (size_t at = 0; ok && at < g.keys.len; at += sizeof(len) + len) {
		memcpy(&len, g.keys.data + at, sizeof(len));
		kv_delete(txn->kv, BYTES(g.keys.data + at + sizeof(len), len));
	}
	*ret_none = g.n == 0;
	buf_free(&g.keys);
	return ok;
}

static bool renew_rows(struct store_txn *txn, const char *cursor, struct problem *p)
{
	auto_value(store_page) page = {0};

	if (!store_certificate_list(txn, CERTIFICATE_ALL, NULL, cursor, ROWS, &page, p))
		return false;
	for (size_t i = 0; i < page.ids.n; i++)
		if (!table_renew(txn, &certificate_table, page.ids.v[i], p))
			return false;
	note_put(txn, page.next[0] ? page.next : "done");
	return true;
}

bool upgrade_step(struct store_txn *txn, void *ret_done, struct problem *p)
{
	char cursor[STORE_CURSOR_SIZE] = "";
	struct bytes note;
	struct key key;
	bool none = false;

	*(bool *)ret_done = false;
	if (!kv_get(txn->kv, note_key(&key), &note) || note.len == 0 || note.len > sizeof(cursor) ||
	    note.data[note.len - 1] != 0)
		return problem_internal(p, "the note of the store's upgrade cannot be read");
	memcpy(cursor, note.data, note.len);
	bool ok = str_equal(cursor, "done") ? drop_entries(txn, &none, p) : renew_rows(txn, cursor, p);
	if (ok && none)
		kv_delete(txn->kv, note_key(&key));
	*(bool *)ret_done = none;
	return ok && kv_check(txn->kv, p);
}
