#include "tests/unit/test_store_rows.h"

#include "store/order.h"

static struct order make(unsigned id, unsigned account)
{
	struct order order = {0};

	id_of(id, order.id);
	id_of(account, order.account);
	return order;
}

static void put(const struct order *order)
{
	must(store_order_put(txn, order, p));
}

static void test_all_fields(void **state)
{
	static struct order_identifier identifiers[] = { { "dns", "WWW.example.com" }, { "ip", "192.0.2.1" } };
	char first[RANDOM_ID_SIZE], second[RANDOM_ID_SIZE];
	const char *const authorizations[] = { id_of(7, first), id_of(8, second) };
	struct order in = make(1, 100);
	struct order out;

	(void)state;
	in.directory = "default";
	in.profile = "server";
	in.profile_asked = true;
	in.status = ORDER_VALID;
	in.identifiers = (struct record_list){ identifiers, 2 };
	in.authorizations = (struct record_texts){ authorizations, 2 };
	in.created = 1000;
	in.expires = 2000;
	in.not_before = 3000;
	in.not_after = 4000;
	in.error = "{}";
	in.csr_digest = BYTES("digest", 6);
	id_of(200, in.certificate);
	in.replaces = "aki.serial";
	put(&in);
	must(store_order_get(txn, in.id, &out, p));
	assert_string_equal(out.id, in.id);
	assert_string_equal(out.account, in.account);
	want_text(out.directory, in.directory);
	want_text(out.profile, in.profile);
	assert_true(out.profile_asked);
	assert_int_equal(out.status, ORDER_VALID);
	const struct order_identifier *got = out.identifiers.v;
	assert_int_equal(out.identifiers.n, 2);
	want_text(got[0].type, "dns");
	want_text(got[0].value, "WWW.example.com");
	want_text(got[1].type, "ip");
	want_text(got[1].value, "192.0.2.1");
	want_texts(out.authorizations, in.authorizations);
	assert_int_equal(out.created, 1000);
	assert_int_equal(out.expires, 2000);
	assert_int_equal(out.not_before, 3000);
	assert_int_equal(out.not_after, 4000);
	want_text(out.error, "{}");
	want_bytes(out.csr_digest, in.csr_digest);
	assert_string_equal(out.certificate, in.certificate);
	want_text(out.replaces, "aki.serial");
	order_free(&out);
}

static void test_few_fields(void **state)
{
	struct order in = make(1, 2);
	struct order out;

	(void)state;
	put(&in);
	must(store_order_get(txn, in.id, &out, p));
	assert_int_equal(out.status, ORDER_PENDING);
	assert_string_equal(out.certificate, "");
	assert_null(out.error);
	assert_int_equal(out.identifiers.n, 0);
	order_free(&out);
	assert_int_equal(rows_count(KEY_EXPIRY), 0);
}

static void test_not_found(void **state)
{
	struct order order = make(1, 2);
	struct order out;

	(void)state;
	must_refuse(PROBLEM_NOT_FOUND, store_order_get(txn, order.id, &out, p));
	must(store_order_delete(txn, order.id, p));
	must(store_order_delete(txn, "no id", p));
	strcpy(order.id, "not an id");
	must_refuse(PROBLEM_INTERNAL, store_order_put(txn, &order, p));
}

static void test_list_newest_first(void **state)
{
	static const int64_t created[] = { 50, 40, 60, 1763724960, 0 };
	auto_value(store_page) all = {0};
	auto_value(store_page) none = {0};
	char account[RANDOM_ID_SIZE], other[RANDOM_ID_SIZE];

	(void)state;
	for (unsigned i = 0; i < array_length(created); i++) {
		struct order order = make(i, 100);
		order.created = created[i];
		put(&order);
	}
	struct order foreign = make(10, 101);
	put(&foreign);
	must(store_order_list(txn, id_of(100, account), "", 10, &all, p));
	WANT_IDS(all.ids, 3, 2, 0, 1, 4);
	assert_string_equal(all.next, "");
	must(store_order_list(txn, id_of(102, other), "", 10, &none, p));
	WANT_IDS(none.ids);
}

static void test_list_pages(void **state)
{
	char account[RANDOM_ID_SIZE], next[128] = "";
	unsigned seen = 0;

	(void)state;
	id_of(100, account);
	for (unsigned i = 0; i < 25; i++) {
		struct order order = make(i, 100);
		order.created = 1000 - i / 3; /* some of the same second */
		put(&order);
	}
	for (unsigned pages = 0; pages < 3; pages++) {
		auto_value(store_page) page = {0};
		char id[RANDOM_ID_SIZE];

		must(store_order_list(txn, account, next, 10, &page, p));
		assert_int_equal(page.ids.n, pages < 2 ? 10 : 5);
		for (size_t i = 0; i < page.ids.n; i++)
			assert_string_equal(page.ids.v[i], id_of(seen++, id));
		/* A new order does not move what is on the later pages. */
		struct order order = make(1000 + pages, 100);
		order.created = 2000;
		put(&order);
		strcpy(next, page.next);
		assert_true(strlen(next) < 40);
	}
	assert_string_equal(next, "");
}

static void test_full_last_page_has_no_next(void **state)
{
	auto_value(store_page) page = {0};
	struct order one = make(1, 100), two = make(2, 100);

	(void)state;
	put(&one);
	put(&two);
	must(store_order_list(txn, one.account, "", 2, &page, p));
	WANT_IDS(page.ids, 1, 2);
	assert_string_equal(page.next, "");
}

/* Cursors come back from clients. */
static void test_bad_cursor(void **state)
{
	static const char *const cursors[] = { "?", "a", "AAAA=", "\xff\xff", "has space" };
	auto_value(store_page) page = {0};
	struct order order = make(1, 100);
	char longest[200];

	(void)state;
	put(&order);
	for (size_t i = 0; i < array_length(cursors); i++)
		must_refuse(PROBLEM_MALFORMED, store_order_list(txn, order.account, cursors[i], 5, &page, p));
	memset(longest, 'A', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	must_refuse(PROBLEM_MALFORMED, store_order_list(txn, order.account, longest, 5, &page, p));
	longest[124] = '\0'; /* 93 bytes: more than any key has */
	must_refuse(PROBLEM_MALFORMED, store_order_list(txn, order.account, longest, 5, &page, p));
	longest[120] = '\0'; /* 90 bytes: of no entry, but none is after it either or all are */
	must(store_order_list(txn, order.account, longest, 5, &page, p));
	must_refuse(PROBLEM_NOT_FOUND, store_order_list(txn, "no id", "", 5, &page, p));
}

static void test_invalid_is_not_listed(void **state)
{
	auto_value(store_page) before = {0};
	auto_value(store_page) after = {0};
	struct order order = make(1, 100);

	(void)state;
	put(&order);
	must(store_order_list(txn, order.account, "", 5, &before, p));
	WANT_IDS(before.ids, 1);
	order.status = ORDER_INVALID;
	put(&order);
	must(store_order_list(txn, order.account, "", 5, &after, p));
	WANT_IDS(after.ids);
}

static void test_by_authorization(void **state)
{
	static const struct {
		enum order_status status;
		bool want_listed;
	} rows[] = {
		{ ORDER_PENDING, true }, { ORDER_READY, true }, { ORDER_PROCESSING, false },
		{ ORDER_VALID, false }, { ORDER_INVALID, false }, { ORDER_PENDING, true },
	};
	char shared[RANDOM_ID_SIZE], own[RANDOM_ID_SIZE];
	const char *const authorizations[] = { id_of(7, shared), id_of(8, own) };
	struct order order = make(1, 100), other = make(2, 100);

	(void)state;
	order.authorizations = (struct record_texts){ authorizations, 2 };
	other.authorizations = (struct record_texts){ authorizations, 1 };
	put(&other);
	for (size_t i = 0; i < array_length(rows); i++) {
		auto_value(strings) of_shared = {0};
		auto_value(strings) of_own = {0};

		order.status = rows[i].status;
		put(&order);
		must(store_order_by_authorization(txn, shared, 10, &of_shared, p));
		must(store_order_by_authorization(txn, own, 10, &of_own, p));
		if (rows[i].want_listed) {
			WANT_IDS(of_shared, 1, 2);
			WANT_IDS(of_own, 1);
		} else {
			WANT_IDS(of_shared, 2);
			WANT_IDS(of_own);
		}
	}
}

static void test_delete_leaves_nothing(void **state)
{
	char authorization[RANDOM_ID_SIZE];
	const char *const authorizations[] = { id_of(7, authorization) };
	struct order order = make(1, 100);

	(void)state;
	order.authorizations = (struct record_texts){ authorizations, 1 };
	order.expires = 500;
	put(&order);
	assert_int_equal(rows_count_all(), 4);
	order.expires = 600;
	order.created = 3;
	put(&order);
	assert_int_equal(rows_count_all(), 4);
	must(store_order_delete(txn, order.id, p));
	assert_int_equal(rows_count_all(), 0);
}

static void test_names(void **state)
{
	(void)state;
	assert_string_equal(order_status_name(ORDER_PENDING), "pending");
	assert_string_equal(order_status_name(ORDER_READY), "ready");
	assert_string_equal(order_status_name(ORDER_PROCESSING), "processing");
	assert_string_equal(order_status_name(ORDER_VALID), "valid");
	assert_string_equal(order_status_name(ORDER_INVALID), "invalid");
}

/* RFC 8739: the ones that are due, soonest first, while they are valid. */
static void test_star_due(void **state)
{
	struct order order = { .status = ORDER_VALID, .created = 1, .expires = 100000,
	                       .star = { .lifetime = 10, .end = 1000, .adjust = 3, .get = true, .first = 20, .count = 2, .due = 50,
	                                 .csr = BYTES("csr", 3) } };
	struct order out = {0};
	auto_value(strings) none = {0}, due = {0}, late = {0};
	char ids[2][RANDOM_ID_SIZE];

	(void)state;
	for (int i = 0; i < 2; i++) {
		must(random_id(ids[i], p));
		memcpy(order.id, ids[i], RANDOM_ID_SIZE);
		must(random_id(order.account, p));
		order.star.due = 50 - 10 * i;
		must(store_order_put(txn, &order, p));
	}
	must(store_order_star_due(txn, 39, 10, &none, p));
	assert_int_equal(none.n, 0);
	must(store_order_star_due(txn, 50, 10, &due, p));
	assert_int_equal(due.n, 2);
	assert_string_equal(due.v[0], ids[1]);
	must(store_order_get(txn, ids[0], &out, p));
	assert_int_equal(out.star.lifetime + out.star.end + out.star.adjust + out.star.first + out.star.count + out.star.due, 1085);
	assert_true(out.star.get);
	want_bytes(out.star.csr, order.star.csr);
	out.status = ORDER_CANCELED;
	must(store_order_put(txn, &out, p));
	order_free(&out);
	must(store_order_star_due(txn, 50, 1, &late, p));
	assert_int_equal(late.n, 1);
	assert_string_equal(late.v[0], ids[1]);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		ROWS_TEST(test_all_fields), ROWS_TEST(test_star_due),
		ROWS_TEST(test_few_fields),
		ROWS_TEST(test_not_found),
		ROWS_TEST(test_list_newest_first),
		ROWS_TEST(test_list_pages),
		ROWS_TEST(test_full_last_page_has_no_next),
		ROWS_TEST(test_bad_cursor),
		ROWS_TEST(test_invalid_is_not_listed),
		ROWS_TEST(test_by_authorization),
		ROWS_TEST(test_delete_leaves_nothing),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
