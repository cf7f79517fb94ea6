#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdbool.h>
#include <stdlib.h>

#include <cmocka.h>
#include <openssl/err.h>
#include <openssl/evp.h>

/* The file itself, so that its allocations can be made to fail. */
static bool memory_is_out;

static void *test_reallocarray(void *p, size_t n, size_t size)
{
	return memory_is_out ? NULL : reallocarray(p, n, size);
}
#define reallocarray test_reallocarray
#include "base/problem.c"
#undef reallocarray

static void each_kind_has_its_row(void **state)
{
	(void)state;
	for (int kind = PROBLEM_NONE + 1; kind < PROBLEM_KIND_MAX; kind++) {
		struct problem p = { .kind = (enum problem_kind)kind };
		assert_in_range(problem_status(&p), 400, 503);
		assert_true(strlen(problem_acme_type(p.kind)) > 2);
		assert_true(strlen(problem_kind_name(p.kind)) > 2);
	}
	assert_string_equal(problem_kind_name(PROBLEM_BAD_CSR), "BAD_CSR");
	assert_string_equal(problem_acme_type(PROBLEM_BAD_CSR), "badCSR");
	assert_string_equal(problem_acme_type(PROBLEM_TOO_LARGE), "malformed");
}

static void set_fills_and_returns_false(void **state)
{
	auto_value(problem) p = {0};

	(void)state;
	assert_false(problem_is_set(&p));
	assert_false(problem_set(&p, PROBLEM_ORDER_NOT_READY, "order %s is %d", "a", 7));
	assert_true(problem_is_set(&p));
	assert_int_equal(p.kind, PROBLEM_ORDER_NOT_READY);
	assert_int_equal(problem_status(&p), 403);
	assert_string_equal(p.detail, "order a is 7");
	assert_string_equal(problem_text(&p), "order a is 7");
	p.status = 418;
	assert_int_equal(problem_status(&p), 418);
}

static void text_is_one_line_of_utf8(void **state)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{ "plain", "plain" },
		{ "", "" },
		{ "a\r\nb\tc\x1b[1m\x7f", "a??b?c?[1m?" },
		{ "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80", "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80" },
		{ "\xc2\x9b""1m", "?1m" },
		{ "\xc2\xa0", "\xc2\xa0" },
		{ "a\xff\xc3", "a??" },
	};
	auto_value(problem) p = {0};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		problem_set(&p, PROBLEM_MALFORMED, "%s", rows[i].text);
		assert_string_equal(p.detail, rows[i].want);
	}
}

/* Whatever the place of the cut, what is left is whole characters, and as many as fit. */
static void text_is_cut_between_characters(void **state)
{
	static const struct {
		const char *character;
		size_t size;
	} rows[] = { { "x", 1 }, { "\xc3\xbc", 2 }, { "\xe2\x82\xac", 3 }, { "\xf0\x9f\x98\x80", 4 } };
	auto_value(problem) p = {0};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		for (size_t shift = 0; shift < 4; shift++) {
			char text[1024] = "";
			memset(text, 'a', shift);
			while (strlen(text) < sizeof(text) - 8)
				strcat(text, rows[i].character);
			problem_set(&p, PROBLEM_MALFORMED, "%s", text);
			size_t room = PROBLEM_DETAIL_MAX - 1 - shift;
			assert_int_equal(strlen(p.detail), shift + room - room % rows[i].size);
			assert_memory_equal(p.detail, text, strlen(p.detail));
		}
	}
}

static void arguments_may_be_its_own_fields(void **state)
{
	auto_value(problem) p = {0};

	(void)state;
	problem_set(&p, PROBLEM_MALFORMED, "inner");
	problem_set(&p, PROBLEM_BAD_CSR, "outer: %s", p.detail);
	assert_string_equal(p.detail, "outer: inner");
	problem_internal(&p, "while: %s", p.detail);
	assert_string_equal(p.cause, "while: outer: inner");

	problem_done(&p);
	problem_add(&p, PROBLEM_DNS, "dns", "a.example", "one");
	for (int i = 0; i < 20; i++)
		problem_add(&p, PROBLEM_DNS, p.subs[0].identifier_type, p.subs[0].identifier_value, "%s", p.subs[0].detail);
	assert_string_equal(p.subs[20].identifier_value, "a.example");
	assert_string_equal(p.subs[20].detail, "one");
	problem_set(&p, PROBLEM_DNS, "%s", p.subs[20].identifier_value);
	assert_string_equal(p.detail, "a.example");
}

static void second_call_overwrites_all(void **state)
{
	static const char *const names[] = { "ES256", NULL };
	auto_value(problem) p = {0};

	(void)state;
	problem_unavailable(&p, 30, "cause");
	p.algorithms = names;
	p.status = 418;
	p.stale = true;
	strcpy(p.location, "x");
	strcpy(p.link, "y");
	problem_add(&p, PROBLEM_DNS, "dns", "a.example", "part");
	problem_set(&p, PROBLEM_MALFORMED, "fresh");
	assert_null(p.subs);
	assert_int_equal(p.sub_count, 0);
	assert_null(p.algorithms);
	assert_int_equal(p.retry_after, 0);
	assert_false(p.stale);
	assert_int_equal(problem_status(&p), 400);
	assert_string_equal(p.cause, "");
	assert_string_equal(p.location, "");
	assert_string_equal(p.link, "");
}

static void cause_is_for_the_log_only(void **state)
{
	auto_value(problem) p = {0};

	(void)state;
	assert_false(problem_internal(&p, "disk %d", 3));
	assert_int_equal(problem_status(&p), 500);
	assert_string_equal(p.cause, "disk 3");
	assert_null(strstr(problem_text(&p), "disk"));
	assert_false(problem_unavailable(&p, 9, "queue"));
	assert_int_equal(problem_status(&p), 503);
	assert_int_equal(p.retry_after, 9);
	assert_null(strstr(problem_text(&p), "queue"));
	problem_set(&p, PROBLEM_INTERNAL, "secret path");
	assert_string_equal(p.cause, "secret path");
	assert_null(strstr(problem_text(&p), "secret"));
	assert_false(problem_memory(&p));
	assert_int_equal(p.kind, PROBLEM_UNAVAILABLE);
	assert_int_equal(p.retry_after, 1);
}

static void openssl_queue_is_told_and_emptied(void **state)
{
	auto_value(problem) p = {0};

	(void)state;
	ERR_raise_data(ERR_LIB_EVP, EVP_R_BAD_DECRYPT, "the key of %s", "issuing-ca");
	for (int i = 0; i < 40; i++)
		ERR_raise(ERR_LIB_EVP, EVP_R_BAD_DECRYPT);
	assert_false(problem_openssl(&p, "loading"));
	assert_int_equal(p.kind, PROBLEM_INTERNAL);
	assert_true(str_starts(p.cause, "loading: error:"));
	assert_int_equal(ERR_peek_error(), 0);

	char what[2 * PROBLEM_DETAIL_MAX];
	memset(what, 'w', sizeof(what) - 1);
	what[sizeof(what) - 1] = '\0';
	assert_false(problem_openssl(&p, what));
	assert_int_equal(strlen(p.cause), PROBLEM_DETAIL_MAX - 1);

	ERR_raise_data(ERR_LIB_EVP, EVP_R_BAD_DECRYPT, "the key of %s", "issuing-ca");
	problem_openssl(&p, "again");
	assert_non_null(strstr(p.cause, "bad decrypt"));
	assert_non_null(strstr(p.cause, "(the key of issuing-ca)"));
}

/* What the store cannot read, or has no memory for, is not "not there". */
static void missing_words_a_look_up_alone(void **state)
{
	auto_value(problem) p = {0};

	(void)state;
	assert_false(problem_missing(&p, "there is no account %s", "a"));
	assert_int_equal(p.kind, PROBLEM_NOT_FOUND);
	assert_false(problem_missing(&p, "there is no order %s", "b"));
	assert_string_equal(p.detail, "there is no order b");
	problem_memory(&p);
	assert_false(problem_missing(&p, "there is no order %s", "b"));
	assert_int_equal(p.kind, PROBLEM_UNAVAILABLE);
	assert_string_equal(p.detail, "");
}

static void one_kind_is_forgiven(void **state)
{
	auto_value(problem) p = {0};

	(void)state;
	problem_internal(&p, "disk %d", 3);
	assert_false(problem_forgive(&p, PROBLEM_NOT_FOUND));
	assert_int_equal(p.kind, PROBLEM_INTERNAL);
	problem_set(&p, PROBLEM_NOT_FOUND, "there is no such order");
	assert_true(problem_forgive(&p, PROBLEM_NOT_FOUND));
	assert_false(problem_is_set(&p));
	assert_string_equal(p.detail, "");
}

static void settle_gathers(void **state)
{
	static const struct {
		enum problem_kind parts[3];
		size_t count;
		enum problem_kind want;
	} rows[] = {
		{ { PROBLEM_NONE }, 0, PROBLEM_NONE },
		{ { PROBLEM_DNS }, 1, PROBLEM_DNS },
		{ { PROBLEM_DNS, PROBLEM_DNS, PROBLEM_DNS }, 3, PROBLEM_DNS },
		{ { PROBLEM_DNS, PROBLEM_DNS, PROBLEM_CAA }, 3, PROBLEM_COMPOUND },
		{ { PROBLEM_CAA, PROBLEM_DNS }, 2, PROBLEM_COMPOUND },
	};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		auto_value(problem) p = {0};
		for (size_t j = 0; j < rows[i].count; j++)
			assert_false(problem_add(&p, rows[i].parts[j], "dns", NULL, "part %zu", j));
		assert_int_equal(problem_settle(&p, "%zu names", rows[i].count), rows[i].count == 0);
		assert_int_equal(p.kind, rows[i].want);
		assert_int_equal(p.sub_count, rows[i].count);
		if (rows[i].count > 0)
			assert_string_equal(p.subs[rows[i].count - 1].identifier_value, "");
	}
}

static void part_names_a_field(void **state)
{
	auto_value(problem) p = {0};
	char value[400];

	(void)state;
	memset(value, 'v', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	assert_false(problem_add_field(&p, PROBLEM_MALFORMED, "attributes.ttl", "9\n0d", "is no %s", "duration"));
	assert_false(problem_add_field(&p, PROBLEM_MALFORMED, "note", value, "too long"));
	assert_false(problem_add_field(&p, PROBLEM_MALFORMED, "password", NULL, "too short"));
	assert_false(problem_settle(&p, "3 fields"));
	assert_int_equal(p.kind, PROBLEM_MALFORMED);
	assert_int_equal(p.sub_count, 3);
	assert_string_equal(p.subs[0].field, "attributes.ttl");
	assert_string_equal(p.subs[0].value, "9?0d");
	assert_string_equal(p.subs[0].detail, "is no duration");
	assert_string_equal(p.subs[0].identifier_type, "");
	assert_int_equal(strlen(p.subs[1].value), sizeof(p.subs[1].value) - 1);
	assert_string_equal(p.subs[2].value, "");
}

static void parts_are_bounded(void **state)
{
	auto_value(problem) p = {0};

	(void)state;
	for (int i = 0; i < PROBLEM_SUB_MAX + 5; i++)
		problem_add(&p, PROBLEM_DNS, "a type that is far too long", "a\nb", "%d", i);
	assert_int_equal(p.sub_count, PROBLEM_SUB_MAX);
	assert_string_equal(p.subs[0].identifier_type, "a type that is far too ");
	assert_string_equal(p.subs[0].identifier_value, "a?b");
	assert_false(problem_settle(&p, "many"));
	assert_int_equal(p.sub_count, PROBLEM_SUB_MAX);
}

static void lost_part_still_refuses(void **state)
{
	auto_value(problem) p = {0};

	(void)state;
	memory_is_out = true;
	assert_false(problem_add(&p, PROBLEM_DNS, "dns", "a.example", "part"));
	memory_is_out = false;
	assert_false(problem_settle(&p, "names"));
	assert_int_equal(problem_status(&p), 503);
}

static void done_empties(void **state)
{
	auto_value(problem) p = {0};

	(void)state;
	problem_add(&p, PROBLEM_DNS, "dns", "a.example", "part");
	problem_set(&p, PROBLEM_DNS, "x");
	problem_done(&p);
	assert_false(problem_is_set(&p));
	assert_true(problem_settle(&p, "nothing"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_kind_has_its_row),
		cmocka_unit_test(set_fills_and_returns_false),
		cmocka_unit_test(text_is_one_line_of_utf8),
		cmocka_unit_test(text_is_cut_between_characters),
		cmocka_unit_test(arguments_may_be_its_own_fields),
		cmocka_unit_test(second_call_overwrites_all),
		cmocka_unit_test(cause_is_for_the_log_only),
		cmocka_unit_test(openssl_queue_is_told_and_emptied),
		cmocka_unit_test(missing_words_a_look_up_alone),
		cmocka_unit_test(one_kind_is_forgiven),
		cmocka_unit_test(settle_gathers),
		cmocka_unit_test(part_names_a_field),
		cmocka_unit_test(parts_are_bounded),
		cmocka_unit_test(lost_part_still_refuses),
		cmocka_unit_test(done_empties),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
