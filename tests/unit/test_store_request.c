#include "tests/unit/test_store_rows.h"

#include "store/certificate.h"
#include "store/private_key.h"
#include "store/request.h"

static struct request make(unsigned n, enum request_state state)
{
	struct request request = { .state = state, .profile = "server", .created = 1000 + n, .ended = 2000 };

	id_of(n, request.id);
	return request;
}

static void put(unsigned n, enum request_state state)
{
	struct request request = make(n, state);

	if (state == REQUEST_PENDING)
		request.ended = 0;
	must(store_request_put(txn, &request, p));
}

static void test_all_fields(void **state)
{
	static const char *const reasons[] = { "CN does not match", "key too small" };
	struct request in = make(1, REQUEST_FAILED), out;

	(void)state;
	in.method = "api";
	in.identity = "token x";
	in.from = "192.0.2.1";
	in.csr_digest = BYTES("digest", 6);
	in.reasons = (struct record_texts){ reasons, 2 };
	id_of(2, in.certificate);
	id_of(3, in.replaces);
	must(store_request_put(txn, &in, p));
	must(store_request_get(txn, in.id, &out, p));
	assert_int_equal(out.state, REQUEST_FAILED);
	want_text(out.profile, "server");
	want_text(out.method, "api");
	want_text(out.identity, "token x");
	want_text(out.from, "192.0.2.1");
	want_bytes(out.csr_digest, in.csr_digest);
	assert_int_equal(out.created, 1001);
	assert_int_equal(out.ended, 2000);
	want_texts(out.reasons, in.reasons);
	want_text(out.certificate, in.certificate);
	want_text(out.replaces, in.replaces);
	request_free(&out);
	must_refuse(PROBLEM_NOT_FOUND, store_request_get(txn, "nothing", &out, p));
}

static size_t listed(const enum request_state *state)
{
	auto_value(store_page) page = {0};

	must(store_request_list(txn, state, "", 50, &page, p));
	return page.ids.n;
}

static void test_lists(void **state)
{
	static const enum request_state states[] = { REQUEST_PENDING, REQUEST_FAILED, REQUEST_ISSUED, REQUEST_REJECTED };
	auto_value(store_page) first = {0}, rest = {0};
	struct request newest = make(9, REQUEST_FAILED);

	(void)state;
	for (unsigned n = 0; n < 10; n++)
		put(n, n < 4 ? REQUEST_ISSUED : n < 6 ? REQUEST_PENDING : REQUEST_FAILED);
	assert_int_equal(listed(NULL), 10);
	assert_int_equal(listed(&states[0]), 2);
	assert_int_equal(listed(&states[1]), 4);
	assert_int_equal(listed(&states[3]), 0);
	must(store_request_list(txn, &states[1], "", 3, &first, p));
	want_text(first.ids.v[0], newest.id);
	must(store_request_list(txn, &states[1], first.next, 3, &rest, p));
	assert_int_equal(rest.ids.n, 1);
	assert_int_equal(listed(&states[2]), 4);
	put(6, REQUEST_ISSUED);
	assert_int_equal(listed(&states[1]), 3);
}

/* They are read off the list of all, so that a page can be short. */
static void test_issued_in_pages(void **state)
{
	static const enum request_state issued = REQUEST_ISSUED;
	char after[sizeof(((struct store_page *)0)->next)] = "";
	size_t pages = 0, found = 0;

	(void)state;
	for (unsigned n = 0; n < 10; n++)
		put(n, n < 4 ? REQUEST_ISSUED : REQUEST_FAILED);
	do {
		auto_value(store_page) page = {0};
		must(store_request_list(txn, &issued, after, 3, &page, p));
		memcpy(after, page.next, sizeof(after));
		found += page.ids.n;
		pages++;
	} while (after[0]);
	assert_int_equal(found, 4);
	assert_int_equal(pages, 4);
}

static void test_due_by_method(void **state)
{
	(void)state;
	for (unsigned n = 0; n < 4; n++) {
		struct request request = make(n, REQUEST_APPROVED);
		request.method = n % 2 ? "api" : "acme";
		request.due = n != 3;
		must(store_request_put(txn, &request, p));
	}
	auto_value(strings) acme = {0}, api = {0}, one = {0};
	must(store_request_due(txn, "acme", 10, &acme, p));
	must(store_request_due(txn, "api", 10, &api, p));
	must(store_request_due(txn, "acme", 1, &one, p));
	assert_true(acme.n == 2 && api.n == 1 && one.n == 1);
}

static bool sweep(int64_t before, size_t limit, size_t *ret_count, struct problem *p)
{
	char at[STORE_CURSOR_SIZE] = "";

	return store_request_sweep(txn, before, limit, at, ret_count, p);
}

/* More who wait than one call looks at do not hide who has ended before; and no call looks at more. */
static void test_sweep_goes_by_pages(void **state)
{
	char at[STORE_CURSOR_SIZE] = "";
	size_t n, calls = 0, gone = 0;

	(void)state;
	for (unsigned i = 0; i < 10; i++)
		put(i, i == 1 || i == 2 ? REQUEST_FAILED : REQUEST_PENDING);
	do {
		must(store_request_sweep(txn, 5000, 3, at, &n, p));
		gone += n;
		calls++;
	} while (at[0]);
	assert_int_equal(gone, 2);
	assert_int_equal(calls, 4);
	assert_int_equal(listed(NULL), 8);
}

/* Who waits stays. */
static void test_sweep(void **state)
{
	size_t n;

	(void)state;
	for (unsigned i = 0; i < 10; i++)
		put(i, i == 2 ? REQUEST_PENDING : i == 3 ? REQUEST_FAILED : REQUEST_ISSUED);
	must(sweep(1000, 50, &n, p));
	assert_int_equal(n, 0);
	must(sweep(1005, 50, &n, p));
	assert_int_equal(n, 4);
	assert_int_equal(listed(NULL), 6);
	must(sweep(1005, 50, &n, p));
	assert_int_equal(n, 0);
	must(sweep(5000, 2, &n, p));
	assert_int_equal(n, 2);
}

/* A key that a certificate may still need is not thrown away because the certificate's row cannot be read now. */
static void test_sweep_keeps_keys_of_unreadable_rows(void **state)
{
	static const uint8_t hash[32] = { 7 };
	struct request request = make(1, REQUEST_ISSUED);
	const struct private_key kept = { .seal = "seal", .sealed = BYTES("sealed", 6) };
	auto_value(private_key) found = {0};
	struct key key;
	size_t n;

	(void)state;
	id_of(2, request.certificate);
	request.key_waits = true;
	request.key_hash = BYTES(hash, sizeof(hash));
	must(store_request_put(txn, &request, p));
	must(store_private_key_put(txn, request.key_hash, &kept, p));
	key_begin(&key, KEY_CERTIFICATE);
	assert_true(key_add_id(&key, request.certificate));
	kv_put(txn->kv, key_bytes(&key), BYTES("\xff\xff", 2));
	must_refuse(PROBLEM_INTERNAL, sweep(5000, 50, &n, p));
	must(store_private_key_get(txn, request.key_hash, &found, p));
}

/* The key of a certificate that the server keeps it for stays when the request goes; one that nobody collected goes. */
static void test_sweep_forgets_what_nobody_collected(void **state)
{
	static const uint8_t hash[32] = { 7 };
	struct certificate row = {
		.serial = BYTES(hash, 1), .fingerprint = BYTES(hash, sizeof(hash)), .key_hash = BYTES(hash, sizeof(hash)),
	};
	const struct private_key kept = { .seal = "seal", .sealed = BYTES("sealed", 6) };
	size_t n;

	(void)state;
	id_of(2, row.id);
	for (int keeps = 1; keeps >= 0; keeps--) {
		auto_value(private_key) found = {0};
		struct request request = make(1, REQUEST_ISSUED);

		id_of(2, request.certificate);
		request.key_waits = true;
		request.key_hash = BYTES(hash, sizeof(hash));
		row.key_kept = keeps;
		must(store_request_put(txn, &request, p));
		must(store_private_key_put(txn, request.key_hash, &kept, p));
		must(store_certificate_put(txn, &row, p));
		must(sweep(5000, 50, &n, p));
		assert_int_equal(n, 1);
		if (keeps)
			must(store_private_key_get(txn, request.key_hash, &found, p));
		else
			must_refuse(PROBLEM_NOT_FOUND, store_private_key_get(txn, request.key_hash, &found, p));
	}
}

/* Its entry would not fit a key. */
static void test_waiter_that_is_no_digest(void **state)
{
	static const uint8_t long_waiter[KV_KEY_MAX];
	struct buf value = {0};
	struct request out, good = make(1, REQUEST_PENDING);
	struct key key;

	(void)state;
	buf_add(&value, "\40\xe0\3", 3);
	buf_add(&value, long_waiter, sizeof(long_waiter));
	key_begin(&key, KEY_REQUEST);
	assert_true(key_add_id(&key, good.id));
	kv_put(txn->kv, key_bytes(&key), buf_bytes(&value));
	buf_free(&value);
	must_refuse(PROBLEM_INTERNAL, store_request_get(txn, good.id, &out, p));
	must_refuse(PROBLEM_INTERNAL, store_request_put(txn, &good, p));
}

static void test_states(void **state)
{
	enum request_state got;

	(void)state;
	for (enum request_state s = 0; s < REQUEST_STATE_MAX; s++)
		assert_true(request_state_from(request_state_name(s), &got) && got == s);
	assert_false(request_state_from("", &got));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		ROWS_TEST(test_all_fields),
		ROWS_TEST(test_lists),
		ROWS_TEST(test_issued_in_pages),
		ROWS_TEST(test_due_by_method),
		ROWS_TEST(test_sweep), ROWS_TEST(test_sweep_goes_by_pages),
		ROWS_TEST(test_sweep_forgets_what_nobody_collected),
		ROWS_TEST(test_waiter_that_is_no_digest),
		cmocka_unit_test(test_states),
		ROWS_TEST(test_sweep_keeps_keys_of_unreadable_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
