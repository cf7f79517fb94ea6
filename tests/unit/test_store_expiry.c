#include "tests/unit/test_store_rows.h"

#include "store/authorization.h"
#include "store/expiry.h"
#include "store/order.h"

static void put_order(unsigned n, int64_t expires)
{
	struct order order = { .expires = expires };

	id_of(n, order.id);
	id_of(100, order.account);
	must(store_order_put(txn, &order, p));
}

static void put_authorization(unsigned n, int64_t expires)
{
	struct authorization authorization = { .type = "dns", .value = "example.com", .expires = expires };

	id_of(n, authorization.id);
	id_of(100, authorization.account);
	must(store_authorization_put(txn, &authorization, p));
}

/* "o1@10 z2@20", at most max of them. */
struct seen {
	struct buf text;
	size_t max;
};

static bool see(void *arg, enum expiry_kind kind, const char *id, int64_t expires)
{
	struct seen *seen = arg;

	buf_printf(&seen->text, "%s%c%d@%lld", seen->text.len > 0 ? " " : "", kind == EXPIRY_ORDER ? 'o' : 'z',
	           atoi(id), (long long)expires);
	return --seen->max > 0;
}

static void want_due(int64_t now, size_t max, const char *want)
{
	struct seen seen = { .max = max };

	store_expiry_due(txn, now, see, &seen);
	assert_string_equal(buf_text(&seen.text), want);
	buf_free(&seen.text);
}

static void test_due_in_order_of_time(void **state)
{
	(void)state;
	put_order(1, 1763724960);
	put_authorization(2, 30);
	put_order(3, 20);
	put_order(4, 0); /* never */
	put_authorization(5, 300);
	want_due(19, 9, "");
	want_due(20, 9, "o3@20");
	want_due(299, 9, "o3@20 z2@30");
	want_due(1763724960, 9, "o3@20 z2@30 z5@300 o1@1763724960");
	want_due(1763724960, 2, "o3@20 z2@30"); /* the visitor ends it */
}

/* A key that no put has made leads to nothing, and keeps nothing behind it from its turn. */
static void test_damaged_keys(void **state)
{
	static const uint8_t strange[] = { EXPIRY_REQUEST + 1 };
	struct key key;

	(void)state;
	put_order(1, 10);
	key_begin(&key, KEY_EXPIRY);
	kv_put(txn->kv, key_bytes(&key), BYTES(NULL, 0));
	key_add_time(&key, 5);
	kv_put(txn->kv, key_bytes(&key), BYTES(NULL, 0));
	key_add(&key, BYTES(strange, 1));
	assert_true(key_add_id(&key, "AAAAAAAAAAAAAAAAAAAAAA"));
	kv_put(txn->kv, key_bytes(&key), BYTES(NULL, 0));
	want_due(20, 9, "o1@10");
}

static void test_moves_with_the_record(void **state)
{
	(void)state;
	put_order(1, 20);
	put_authorization(2, 30);
	put_order(1, 200);
	want_due(100, 9, "z2@30");
	put_authorization(2, 0);
	want_due(100, 9, "");
	must(store_order_delete(txn, "000000000000000000001A", p));
	want_due(1000, 9, "");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		ROWS_TEST(test_due_in_order_of_time),
		ROWS_TEST(test_damaged_keys),
		ROWS_TEST(test_moves_with_the_record),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
