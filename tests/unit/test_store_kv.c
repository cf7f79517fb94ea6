/* The contract of store/kv.h, held by both engines. */
#include "tests/unit/test_store.h"

#include <pthread.h>

static char *folder;

static int open_lmdb(void **state)
{
	folder = folder_make();
	must(kv_lmdb_open(folder, NULL, (struct kv **)state, p));
	return 0;
}

static int open_memory(void **state)
{
	must(kv_memory_open((struct kv **)state, p));
	return 0;
}

static int close_engine(void **state)
{
	kv_close(*state);
	if (folder)
		folder_remove(steal(folder));
	return 0;
}

/* --- short forms --- */

static struct bytes b(const char *text)
{
	return BYTES_STR(text);
}

static struct kv_txn *begin(struct kv *kv, enum kv_mode mode)
{
	struct kv_txn *txn = NULL;

	must(kv_begin(kv, mode, &txn, p));
	return txn;
}

static struct kv_txn *nest(struct kv_txn *parent)
{
	struct kv_txn *txn = NULL;

	must(kv_nest(parent, &txn, p));
	return txn;
}

static void commit(struct kv_txn *txn)
{
	must(kv_commit(&txn, p));
	assert_null(txn);
}

static void want(struct kv_txn *txn, const char *key, const char *want_value)
{
	struct bytes value;

	bool found = kv_get(txn, b(key), &value);
	assert_int_equal(found, want_value != NULL);
	if (found)
		assert_true(bytes_equal(value, b(want_value)));
}

static void want_committed(struct kv *kv, const char *key, const char *want_value)
{
	struct kv_txn *txn = begin(kv, KV_READ);

	want(txn, key, want_value);
	kv_abort(&txn);
}

static void store_one(struct kv *kv, const char *key, const char *value)
{
	struct kv_txn *txn = begin(kv, KV_WRITE);

	kv_put(txn, b(key), b(value));
	commit(txn);
}

/* Keys that a scan shows, joined by spaces, at most max. */
struct shown {
	struct buf text;
	size_t max;
};

static bool show(void *arg, struct bytes key, struct bytes value)
{
	struct shown *shown = arg;

	(void)value;
	if (shown->text.len > 0)
		buf_add_char(&shown->text, ' ');
	buf_add(&shown->text, key.data, key.len);
	return --shown->max > 0;
}

static void want_scan(struct kv_txn *txn, const char *prefix, const char *from, size_t max, const char *want_keys)
{
	struct shown shown = { .max = max };

	kv_scan(txn, b(prefix), b(from), show, &shown);
	assert_string_equal(buf_text(&shown.text), want_keys);
	buf_free(&shown.text);
}

static void want_scan_back(struct kv_txn *txn, const char *prefix, const char *before, size_t max, const char *want_keys)
{
	struct shown shown = { .max = max };

	kv_scan_back(txn, b(prefix), b(before), show, &shown);
	assert_string_equal(buf_text(&shown.text), want_keys);
	buf_free(&shown.text);
}

/* --- the contract --- */

static void test_put_get_delete(void **state)
{
	struct kv *kv = *state;
	struct kv_txn *txn = begin(kv, KV_WRITE);

	want(txn, "a", NULL);
	kv_put(txn, b("a"), b("1"));
	want(txn, "a", "1");
	kv_put(txn, b("a"), b("longer than before"));
	want(txn, "a", "longer than before");
	kv_put(txn, b("empty"), b(""));
	commit(txn);
	want_committed(kv, "a", "longer than before");
	want_committed(kv, "empty", "");

	txn = begin(kv, KV_WRITE);
	kv_delete(txn, b("a"));
	kv_delete(txn, b("never there"));
	want(txn, "a", NULL);
	commit(txn);
	want_committed(kv, "a", NULL);
}

static void test_put_new(void **state)
{
	struct kv *kv = *state;
	struct kv_txn *txn = begin(kv, KV_WRITE);

	assert_true(kv_put_new(txn, b("k"), b("first")));
	assert_false(kv_put_new(txn, b("k"), b("second")));
	assert_false(kv_failed(txn));
	want(txn, "k", "first");
	commit(txn);
	want_committed(kv, "k", "first");
}

static void test_abort_drops_all(void **state)
{
	struct kv *kv = *state;

	store_one(kv, "kept", "1");
	struct kv_txn *txn = begin(kv, KV_WRITE);
	assert_false(kv_dirty(txn));
	kv_put(txn, b("kept"), b("2"));
	kv_put(txn, b("new"), b("x"));
	assert_true(kv_dirty(txn));
	kv_abort(&txn);
	assert_null(txn);
	kv_abort(&txn);
	want_committed(kv, "kept", "1");
	want_committed(kv, "new", NULL);
}

static void test_key_of_full_length(void **state)
{
	struct kv *kv = *state;
	char key[KV_KEY_MAX + 1];

	memset(key, 'k', KV_KEY_MAX);
	key[KV_KEY_MAX] = '\0';
	store_one(kv, key, "v");
	want_committed(kv, key, "v");
}

static void test_large_value(void **state)
{
	struct kv *kv = *state;
	auto_free char *value = malloc(300001);

	memset(value, 'v', 300000);
	value[300000] = '\0';
	store_one(kv, "large", value);
	want_committed(kv, "large", value);
}

static void test_scan(void **state)
{
	static const struct {
		const char *prefix, *from;
		size_t max;
		const char *want_keys;
	} rows[] = {
		{ "b", "", 99, "b b1 b2 b3" },
		{ "b", "b", 99, "b b1 b2 b3" },
		{ "b", "b2", 99, "b2 b3" },
		{ "b", "b11", 99, "b2 b3" },
		{ "b", "a", 99, "b b1 b2 b3" },    /* from before the prefix */
		{ "b", "c", 99, "" },              /* from after it */
		{ "b", "b3z", 99, "" },
		{ "b", "", 2, "b b1" },            /* the visitor ends it */
		{ "x", "", 99, "" },
		{ "", "", 99, "a b b1 b2 b3 c \xff\xff" },
		{ "\xff", "", 99, "\xff\xff" },
	};
	static const char *const keys[] = { "c", "b2", "a", "\xff\xff", "b", "b3", "b1" };
	struct kv *kv = *state;
	struct kv_txn *txn = begin(kv, KV_WRITE);

	want_scan(txn, "", "", 99, "");
	for (size_t i = 0; i < array_length(keys); i++)
		kv_put(txn, b(keys[i]), b("v"));
	for (size_t i = 0; i < array_length(rows); i++) /* before the commit, */
		want_scan(txn, rows[i].prefix, rows[i].from, rows[i].max, rows[i].want_keys);
	commit(txn);
	txn = begin(kv, KV_READ);
	for (size_t i = 0; i < array_length(rows); i++) /* and after */
		want_scan(txn, rows[i].prefix, rows[i].from, rows[i].max, rows[i].want_keys);
	kv_abort(&txn);
}

static void test_scan_back(void **state)
{
	static const struct {
		const char *prefix, *before;
		size_t max;
		const char *want_keys;
	} rows[] = {
		{ "b", "", 99, "b3 b2 b1 b" },
		{ "b", "b", 99, "" },
		{ "b", "b2", 99, "b1 b" },
		{ "b", "b21", 99, "b2 b1 b" },
		{ "b", "a", 99, "" },              /* the bound before the prefix */
		{ "b", "c", 99, "b3 b2 b1 b" },    /* after it */
		{ "b", "zz", 99, "b3 b2 b1 b" },
		{ "b", "", 2, "b3 b2" },           /* the visitor ends it */
		{ "x", "", 99, "" },
		{ "a", "", 99, "a" },              /* the first of all */
		{ "", "", 99, "\xff\xff c b3 b2 b1 b a" },
		{ "", "b1", 99, "b a" },
		{ "\xff", "", 99, "\xff\xff" },   /* nothing can come after the prefix */
	};
	static const char *const keys[] = { "c", "b2", "a", "\xff\xff", "b", "b3", "b1" };
	struct kv *kv = *state;
	struct kv_txn *txn = begin(kv, KV_WRITE);

	want_scan_back(txn, "", "", 99, "");
	want_scan_back(txn, "b", "b1", 99, "");
	for (size_t i = 0; i < array_length(keys); i++)
		kv_put(txn, b(keys[i]), b("v"));
	for (size_t i = 0; i < array_length(rows); i++) /* before the commit, */
		want_scan_back(txn, rows[i].prefix, rows[i].before, rows[i].max, rows[i].want_keys);
	commit(txn);
	txn = begin(kv, KV_READ);
	for (size_t i = 0; i < array_length(rows); i++) /* and after */
		want_scan_back(txn, rows[i].prefix, rows[i].before, rows[i].max, rows[i].want_keys);
	kv_abort(&txn);
}

static void *write_beside(void *arg)
{
	struct kv *kv = arg;
	struct kv_txn *txn = begin(kv, KV_WRITE);

	kv_put(txn, b("k"), b("new"));
	kv_put(txn, b("l"), b("new"));
	commit(txn);
	return NULL;
}

static void test_reader_keeps_its_snapshot(void **state)
{
	struct kv *kv = *state;
	pthread_t writer;

	store_one(kv, "k", "old");
	struct kv_txn *reader = begin(kv, KV_READ);
	want(reader, "k", "old");
	assert_int_equal(pthread_create(&writer, NULL, write_beside, kv), 0);
	pthread_join(writer, NULL);
	want(reader, "k", "old");
	want(reader, "l", NULL);
	want_scan(reader, "", "", 99, "k");
	kv_abort(&reader);
	want_committed(kv, "k", "new");
}

enum { READERS = 150 }; /* more than an engine keeps for reuse, and than LMDB has by default */

struct readers {
	struct kv *kv;
	pthread_barrier_t all_open;
};

static void *read_beside(void *arg)
{
	struct readers *readers = arg;
	struct kv_txn *txn = begin(readers->kv, KV_READ);

	pthread_barrier_wait(&readers->all_open);
	want(txn, "k", "v");
	kv_abort(&txn);
	return NULL;
}

static void test_many_readers_at_once(void **state)
{
	struct readers readers = { .kv = *state };
	pthread_t threads[READERS];

	store_one(*state, "k", "v");
	pthread_barrier_init(&readers.all_open, NULL, READERS);
	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < READERS; i++)
			assert_int_equal(pthread_create(&threads[i], NULL, read_beside, &readers), 0);
		for (size_t i = 0; i < READERS; i++)
			pthread_join(threads[i], NULL);
	}
	pthread_barrier_destroy(&readers.all_open);
}

static void test_failure_is_sticky(void **state)
{
	struct kv *kv = *state;
	struct kv_txn *txn = begin(kv, KV_WRITE);
	struct problem first = {0}, second = {0}, p = {0};
	struct bytes value;

	problem_unavailable(&first, 7, "first");
	problem_unavailable(&second, 8, "second");
	kv_put(txn, b("before"), b("1"));
	kv_fail(txn, &first);
	kv_fail(txn, &second);
	assert_true(kv_failed(txn));
	assert_false(kv_get(txn, b("before"), &value));
	assert_false(kv_put_new(txn, b("after"), b("1")));
	kv_put(txn, b("after"), b("1"));
	kv_delete(txn, b("before"));
	want_scan(txn, "", "", 99, "");
	assert_false(kv_commit(&txn, &p));
	assert_string_equal(p.cause, "first");
	assert_int_equal(p.retry_after, 7);
	want_committed(kv, "before", NULL);
	want_committed(kv, "after", NULL);
}

static void test_read_transaction_failure_does_not_last(void **state)
{
	struct kv *kv = *state;
	struct problem p = {0};

	store_one(kv, "k", "v");
	struct kv_txn *txn = begin(kv, KV_READ);
	problem_unavailable(&p, 1, "read");
	kv_fail(txn, &p);
	kv_abort(&txn);
	want_committed(kv, "k", "v");
}

/* --- nested parts --- */

static void test_nest_keep_and_drop(void **state)
{
	struct kv *kv = *state;

	store_one(kv, "was", "1");
	struct kv_txn *txn = begin(kv, KV_WRITE);
	struct kv_txn *part = nest(txn);
	kv_put(part, b("kept"), b("k"));
	want(part, "was", "1");
	assert_true(kv_keep(&part));
	assert_null(part);

	part = nest(txn);
	kv_put(part, b("was"), b("2"));
	kv_put(part, b("was"), b("3"));
	kv_delete(part, b("kept"));
	kv_put(part, b("kept"), b("again"));
	kv_delete(part, b("kept"));
	assert_true(kv_put_new(part, b("new"), b("n")));
	assert_false(kv_put_new(part, b("was"), b("n")));
	kv_delete(part, b("new"));
	kv_put(part, b("new"), b("n2"));
	kv_delete(part, b("never there"));
	want_scan(part, "", "", 99, "new was");
	kv_abort(&part);

	want_scan(txn, "", "", 99, "kept was");
	want(txn, "was", "1");
	want(txn, "kept", "k");
	commit(txn);
	want_committed(kv, "kept", "k");
	want_committed(kv, "was", "1");
	want_committed(kv, "new", NULL);
}

static void test_nest_in_nest(void **state)
{
	struct kv *kv = *state;
	struct kv_txn *txn = begin(kv, KV_WRITE);
	struct kv_txn *outer = nest(txn);
	struct kv_txn *inner = nest(outer);

	kv_put(inner, b("a"), b("1"));
	assert_true(kv_keep(&inner));
	kv_put(outer, b("a"), b("2"));
	inner = nest(outer);
	kv_put(inner, b("a"), b("3"));
	kv_abort(&inner);
	want(outer, "a", "2");
	inner = nest(outer);
	kv_put(inner, b("b"), b("1"));
	assert_true(kv_keep(&inner));
	kv_abort(&outer); /* what the inner parts kept goes with it */
	want_scan(txn, "", "", 99, "");
	kv_put(txn, b("c"), b("1"));
	commit(txn);
	want_committed(kv, "a", NULL);
	want_committed(kv, "c", "1");
}

static void test_failure_in_a_part_fails_the_whole(void **state)
{
	struct kv *kv = *state;
	struct kv_txn *txn = begin(kv, KV_WRITE);
	struct kv_txn *part = nest(txn);
	struct problem cause = {0};

	kv_put(part, b("a"), b("1"));
	problem_unavailable(&cause, 1, "part");
	kv_fail(part, &cause);
	assert_true(kv_failed(txn));
	assert_false(kv_keep(&part));
	must_refuse(PROBLEM_UNAVAILABLE, kv_nest(txn, &part, p));
	must_refuse(PROBLEM_UNAVAILABLE, kv_commit(&txn, p));
	want_committed(kv, "a", NULL);
}

/* Every value that is ever stored is the sum of the others' changes: lost writes would show. */
static void *add_up(void *arg)
{
	struct kv *kv = arg;

	for (int i = 0; i < 50; i++) {
		struct kv_txn *txn = NULL;
		struct problem p = {0};
		struct bytes value;
		uint32_t n = 0;

		if (!kv_begin(kv, KV_WRITE, &txn, &p))
			return arg;
		if (kv_get(txn, BYTES("n", 1), &value))
			memcpy(&n, value.data, sizeof(n));
		n++;
		kv_put(txn, BYTES("n", 1), BYTES(&n, sizeof(n)));
		if (!kv_commit(&txn, &p))
			return arg;
	}
	return NULL;
}

static void test_writers_take_turns(void **state)
{
	struct kv *kv = *state;
	pthread_t threads[4];
	struct bytes value;
	uint32_t n = 0;

	for (size_t i = 0; i < array_length(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, add_up, kv), 0);
	for (size_t i = 0; i < array_length(threads); i++) {
		void *failed = NULL;
		pthread_join(threads[i], &failed);
		assert_null(failed);
	}
	struct kv_txn *txn = begin(kv, KV_READ);
	assert_true(kv_get(txn, b("n"), &value));
	memcpy(&n, value.data, sizeof(n));
	kv_abort(&txn);
	assert_int_equal(n, 200);
}

#define BOTH(test)                                                            \
	{ #test " (lmdb)", test, open_lmdb, close_engine, NULL },             \
	{ #test " (memory)", test, open_memory, close_engine, NULL }

int main(void)
{
	static const struct CMUnitTest tests[] = {
		BOTH(test_put_get_delete),
		BOTH(test_put_new),
		BOTH(test_abort_drops_all),
		BOTH(test_key_of_full_length),
		BOTH(test_large_value),
		BOTH(test_scan),
		BOTH(test_scan_back),
		BOTH(test_reader_keeps_its_snapshot),
		BOTH(test_many_readers_at_once),
		BOTH(test_failure_is_sticky),
		BOTH(test_read_transaction_failure_does_not_last),
		BOTH(test_nest_keep_and_drop),
		BOTH(test_nest_in_nest),
		BOTH(test_failure_in_a_part_fails_the_whole),
		BOTH(test_writers_take_turns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
