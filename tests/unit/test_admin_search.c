/* Which index a search reads: what it costs, and that a page can go on where it ended. */
#include "tests/unit/test_store_rows.h"

#include "admin/search.h"
#include "base/digest.h"

enum { COMMON = 2600, FAR = 10000 };

static void add(unsigned n, const char *profile, bool revoked)
{
	uint8_t digest[SHA256_SIZE], serial[CERTIFICATE_SERIAL_SIZE] = { 0x7f };
	struct certificate row = {
		.issuer = "issuing", .profile = profile, .method = "acme", .subject = "", .issued = 1000 + n, .not_after = FAR + n,
	};

	memcpy(serial + 8, &n, sizeof(n));
	digest_sha256(BYTES(serial, sizeof(serial)), digest);
	row.serial = BYTES(serial, sizeof(serial));
	row.fingerprint = row.key_hash = BYTES(digest, sizeof(digest));
	assert_true(certificate_serial_id(row.serial, row.id));
	if (revoked) {
		row.status = CERTIFICATE_REVOKED;
		row.revoked = 2000;
	}
	must(store_certificate_put(txn, &row, p));
}

static bool take(void *arg, const struct certificate *row, struct problem *p)
{
	return strings_add(arg, row->id) || problem_memory(p);
}

static struct search_query query(const char *profile)
{
	return (struct search_query){ .profile = profile, .status = "revoked", .now = 3000 };
}

/* More revoked ones expire before than a page looks at. */
static void test_the_revoked_of_a_small_profile_are_on_the_first_page(void **state)
{
	const struct search_query rare = query("rare");
	auto_struct(search) *search = NULL;
	auto_value(strings) found = {0};
	char next[SEARCH_CURSOR_SIZE];

	(void)state;
	for (unsigned n = 0; n < COMMON; n++)
		add(n, "common", true);
	add(COMMON, "rare", true);
	add(COMMON + 1, "rare", false);
	must(search_new(&rare, &search, p));
	must(search_page(txn, search, 10, take, &found, p));
	assert_int_equal(found.n, 1);
	assert_false(search_next(search, next));
}

/* All that are revoked, each once, whichever index it is. */
static void test_pages_of_either_index_are_a_whole(void **state)
{
	static const struct {
		const char *profile;
		size_t want_count;
	} rows[] = { { "common", 700 }, { "rare", 20 } };

	(void)state;
	for (unsigned n = 0; n < 700; n++)
		add(n, "common", true);
	for (unsigned n = 700; n < 740; n++)
		add(n, "rare", n % 2);
	for (size_t i = 0; i < array_length(rows); i++) {
		const struct search_query wanted = query(rows[i].profile);
		auto_value(strings) found = {0};
		char next[SEARCH_CURSOR_SIZE] = "";
		bool more = true;

		while (more) {
			auto_struct(search) *search = NULL;
			must(search_new(&wanted, &search, p));
			if (*next)
				assert_true(search_resume(search, next));
			must(search_page(txn, search, 7, take, &found, p));
			more = search_next(search, next);
		}
		assert_int_equal(found.n, rows[i].want_count);
		for (size_t k = 1; k < found.n; k++)
			assert_string_not_equal(found.v[k], found.v[k - 1]);
	}
}

/* As `cert list --after ID` does it. */
static void test_what_comes_after_a_row(void **state)
{
	const struct search_query rare = query("rare");
	auto_struct(search) *first = NULL, *second = NULL;
	auto_value(strings) found = {0}, rest = {0};

	(void)state;
	for (unsigned n = 0; n < 10; n++)
		add(n, n < 4 ? "common" : "rare", true);
	must(search_new(&rare, &first, p));
	must(search_page(txn, first, 100, take, &found, p));
	assert_int_equal(found.n, 6);
	must(search_new(&rare, &second, p));
	must(search_resume_after(txn, second, found.v[2], p));
	must(search_page(txn, second, 100, take, &rest, p));
	assert_int_equal(rest.n, 3);
	for (size_t i = 0; i < rest.n; i++)
		assert_string_equal(rest.v[i], found.v[i + 3]);
}

/* Four rows: the second is of another profile, the third has metadata, the fourth was renewed. */
static void add_four(void)
{
	struct certificate_metadata metadata = { "team", "red" };

	for (unsigned n = 0; n < 4; n++) {
		auto_value(certificate) row = {0};
		auto_value(store_page) page = {0};
		add(n, n == 1 ? "two" : "one", false);
		must(store_certificate_list(txn, CERTIFICATE_BY_EXPIRY, NULL, "", 4, &page, p));
		must(store_certificate_get(txn, page.ids.v[page.ids.n - 1], &row, p));
		if (n == 2)
			row.metadata = (struct record_list){ &metadata, 1 };
		if (n == 3)
			row.replaced_by = "renewed000000000000000A";
		must(store_certificate_put(txn, &row, p));
	}
}

static bool sees_two(const void *arg, const char *profile)
{
	(void)arg;
	return str_equal(profile, "two");
}

static void test_each_word_of_a_query_counts(void **state)
{
	enum { AT = FAR + 1 };
	static const struct {
		struct search_query query;
		size_t want;
	} rows[] = {
		{ { .now = AT }, 4 },
		{ { .now = AT, .issued_from = 1001 }, 3 }, { { .now = AT, .issued_to = 1001 }, 2 },
		{ { .now = AT, .issued_from = 1001, .issued_to = 1001 }, 1 },
		{ { .now = AT, .expires_from = AT }, 3 }, { { .now = AT, .expires_to = AT }, 2 },
		{ { .now = AT, .expires_from = AT, .expires_to = AT }, 1 },
		{ { .now = AT, .status = "expired" }, 1 }, { { .now = AT, .status = "valid" }, 3 },
		{ { .now = AT, .status = "expiring" }, 2 }, { { .now = AT, .status = "renewed" }, 1 },
		{ { .now = AT, .status = "revoked" }, 0 },
		{ { .now = AT, .metadata = "team" }, 1 }, { { .now = AT, .metadata = "team=red" }, 1 },
		{ { .now = AT, .metadata = "team=blue" }, 0 }, { { .now = AT, .metadata = "team=re" }, 0 },
		{ { .now = AT, .metadata = "tea" }, 0 }, { { .now = AT, .metadata = "teams=red" }, 0 },
		{ { .now = AT, .profile = "two" }, 1 }, { { .now = AT, .profile = "none" }, 0 },
		{ { .now = AT, .sees = sees_two }, 1 }, { { .now = AT, .sees = sees_two, .profile = "one" }, 0 },
		{ { .now = AT, .issuer = "issuing" }, 4 }, { { .now = AT, .issuer = "other" }, 0 },
		{ { .now = AT, .method = "acme" }, 4 }, { { .now = AT, .method = "est" }, 0 },
	};

	(void)state;
	add_four();
	for (size_t i = 0; i < array_length(rows); i++) {
		auto_struct(search) *search = NULL;
		auto_value(strings) found = {0};
		must(search_new(&rows[i].query, &search, p));
		must(search_page(txn, search, 100, take, &found, p));
		if (found.n != rows[i].want)
			fail_msg("row %zu: %zu", i, found.n);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROWS_TEST(test_the_revoked_of_a_small_profile_are_on_the_first_page),
		ROWS_TEST(test_pages_of_either_index_are_a_whole),
		ROWS_TEST(test_what_comes_after_a_row),
		ROWS_TEST(test_each_word_of_a_query_counts),
	};
	return cmocka_run_group_tests_name("admin/search", tests, NULL, NULL);
}
