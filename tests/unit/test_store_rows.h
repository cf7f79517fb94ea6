/* What the tests of the typed records share: one write transaction over the engine in memory. */
#pragma once

#include "tests/unit/test_store.h"

#include "store/table.h"

static struct kv *rows_kv;
static struct store_txn rows_txn, *txn = &rows_txn;

static inline int rows_begin(void **state)
{
	(void)state;
	must(kv_memory_open(&rows_kv, p));
	must(kv_begin(rows_kv, KV_WRITE, &rows_txn.kv, p));
	return 0;
}

static inline int rows_end(void **state)
{
	(void)state;
	kv_abort(&rows_txn.kv);
	kv_close(steal(rows_kv));
	return 0;
}
#define ROWS_TEST(name) cmocka_unit_test_setup_teardown(name, rows_begin, rows_end)

static inline bool rows_count_one(void *arg, struct bytes key, struct bytes value)
{
	(void)key;
	(void)value;
	++*(size_t *)arg;
	return true;
}

/* Keys of a class that there are: what is left over when a record goes. */
static inline size_t rows_count(enum key_class class)
{
	struct key prefix;
	size_t n = 0;

	key_begin(&prefix, class);
	kv_scan(txn->kv, key_bytes(&prefix), key_bytes(&prefix), rows_count_one, &n);
	return n;
}

static inline size_t rows_count_all(void)
{
	size_t n = 0;

	kv_scan(txn->kv, BYTES(NULL, 0), BYTES(NULL, 0), rows_count_one, &n);
	return n;
}

static inline void want_text(const char *have, const char *want)
{
	if (want)
		assert_string_equal(have, want);
	else
		assert_null(have);
}

static inline void want_bytes(struct bytes have, struct bytes want)
{
	assert_int_equal(have.len, want.len);
	assert_true(bytes_equal(have, want));
}

static inline void want_texts(struct record_texts have, struct record_texts want)
{
	assert_int_equal(have.n, want.n);
	for (size_t i = 0; i < want.n; i++)
		assert_string_equal(have.v[i], want.v[i]);
}

/* Ids as numbers of id_of, in order, ended by -1. */
static inline void want_ids(const struct strings *ids, const int *want)
{
	size_t n = 0;
	char id[RANDOM_ID_SIZE];

	for (; want[n] >= 0; n++) {
		assert_true(n < ids->n);
		assert_string_equal(ids->v[n], id_of((unsigned)want[n], id));
	}
	assert_int_equal(ids->n, n);
}
#define WANT_IDS(list, ...) want_ids(&(list), (const int[]){ __VA_ARGS__ __VA_OPT__(,) -1 })
