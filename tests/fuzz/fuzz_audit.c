/* The audit log under bytes of somebody else's: as lines of an export, and as what stands in the store in the
 * place of an event or of the head. None must break the readers; and a log with such a thing in it is not whole. */
#include <stdlib.h>

#include "admin/audit_export.h"
#include "store/audit_inside.h"
#include "store/kv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { EVENTS = 4 };
static struct kv *kv;
static struct store *store;

static void must(bool holds)
{
	if (!holds)
		abort();
}

static bool add(struct store_txn *txn, void *arg, struct problem *p)
{
	(void)arg;
	return store_audit_add(txn, &(struct audit_event){ AUDIT_ACCOUNT_CREATED, 1000, "account X", "192.0.2.7", NULL }, p);
}

static void setup(void)
{
	static const uint8_t key[32] = { 1 };
	auto_value(problem) p = {0};

	must(kv_memory_open(&kv, &p) && store_open_kv(kv, key, &store, &p));
	for (int i = 0; i < EVENTS; i++)
		must(store_update(store, add, NULL, &p));
}

/* --- an export: only lines whose hash fits are taken, whatever the rest is */

static void read_export(struct bytes text)
{
	struct audit_export export = {0};

	while (text.len > 0) {
		const uint8_t *end = memchr(text.data, '\n', text.len);
		size_t len = end ? (size_t)(end - text.data) + 1 : text.len;
		uint64_t before = export.last;
		bool event;

		if (audit_export_take(&export, BYTES(text.data, len), &event))
			must(event && export.last > before && (before == 0 || export.last == before + 1));
		else
			must(export.last == before);
		text = BYTES(text.data + len, text.len - len);
	}
}

/* --- the store */

/* Writes value in place of what the key has; ret_old: what it had. */
static void replace(struct bytes key, struct bytes value, struct buf *ret_old)
{
	auto_value(problem) p = {0};
	struct kv_txn *txn = NULL;
	struct bytes old;

	must(kv_begin(kv, KV_WRITE, &txn, &p));
	if (ret_old && kv_get(txn, key, &old))
		buf_add(ret_old, old.data, old.len);
	kv_put(txn, key, value);
	must(kv_commit(&txn, &p));
}

static bool read_all(struct store_txn *txn, void *arg, struct problem *p)
{
	static const struct audit_query queries[] = { { 0 }, { .kind = "account-created" }, { .since = 999 } };
	uint64_t after, last;

	(void)arg;
	for (size_t i = 0; i < array_length(queries); i++) {
		auto_value(audit_page) page = {0};
		if (!store_audit_read(txn, &queries[i], 0, 10, &page, p))
			return false;
		must(page.n <= EVENTS + 1);
	}
	return store_audit_seek(txn, 1001, &after, p) && store_audit_last(txn, &last, p);
}

static bool check(struct store_txn *txn, void *arg, struct problem *p)
{
	return store_audit_check(txn, arg, 100, p);
}

struct pair {
	struct bytes a, b;
	bool same;
};

/* An event is the same in whatever way its line is packed. */
static bool compare(struct store_txn *txn, void *arg, struct problem *p)
{
	struct pair *pair = arg;
	struct audit_stored a, b;
	auto_value(buf) room_a = {0}, room_b = {0};

	(void)p;
	pair->same = audit_split(txn->kv, pair->a, &room_a, &a) && audit_split(txn->kv, pair->b, &room_b, &b) &&
	             memcmp(a.hash, b.hash, SHA256_SIZE) == 0 && memcmp(a.mac, b.mac, AUDIT_MAC_SIZE) == 0 &&
	             bytes_equal(a.line, b.line);
	return true;
}

static void try_value(struct bytes key, struct bytes value)
{
	auto_value(problem) p = {0};
	auto_value(buf) old = {0};
	struct audit_check found = {0};

	replace(key, value, &old);
	struct pair pair = { buf_bytes(&old), value, false };
	must(key.data[0] != KEY_AUDIT || store_view(store, compare, &pair, &p));
	bool same = pair.same || bytes_equal(buf_bytes(&old), value);
	/* An error of the reader's own is no crash: a head can name more events than there can be. */
	(void)!store_view(store, read_all, NULL, &p);
	must(store_view(store, check, &found, &p) && found.done);
	must((found.fault == AUDIT_FAULT_NONE) == same);
	replace(key, buf_bytes(&old), NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct key key;

	if (!store)
		setup();
	if (size == 0)
		return 0;
	struct bytes rest = BYTES(data + 1, size - 1);
	if (data[0] % 3 == 0)
		read_export(rest);
	if (data[0] % 3 == 1) {
		audit_key(&key, 2);
		try_value(key_bytes(&key), rest);
	}
	if (data[0] % 3 == 2) {
		key_begin(&key, KEY_META);
		key_add_text(&key, "audit");
		try_value(key_bytes(&key), rest);
	}
	return 0;
}
