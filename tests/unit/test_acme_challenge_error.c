#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "acme/challenge_error.h"
#include "base/json.h"

static void add(const char *before, struct buf *ret, const char *detail, bool parts)
{
	auto_value(problem) p = {0}, why = {0};

	if (parts) {
		problem_add(&p, PROBLEM_CAA, "dns", "a.example", "%s", detail);
		problem_add(&p, PROBLEM_DNS, "dns", "b.example", "%s", detail);
		assert_false(problem_settle(&p, "both"));
	} else {
		problem_set(&p, PROBLEM_INCORRECT_RESPONSE, "%s", detail);
	}
	assert_true(challenge_error_write(before, &p, ret, &why));
}

static struct json *parse(const struct buf *text)
{
	auto_value(problem) p = {0};
	struct json *json = NULL;

	assert_true(json_parse(buf_bytes(text), &json, &p));
	return json;
}

static void the_first_stands_alone(void **state)
{
	auto_value(buf) text = {0};

	(void)state;
	add(NULL, &text, "try 0", false);
	auto_struct(json) *json = parse(&text);
	assert_string_equal(json_member_string(json, "detail"), "try 0");
	assert_null(json_member(json, "subproblems"));
}

/* The newest try is the problem; all of the last ten are its parts, the oldest first. */
static void each_try_has_an_entry(void **state)
{
	auto_value(buf) text = {0};
	char detail[20];

	(void)state;
	for (size_t n = 0; n < 15; n++) {
		auto_value(buf) before = {0};

		buf_add(&before, text.data, text.len);
		buf_clear(&text);
		snprintf(detail, sizeof(detail), "try %zu", n);
		add(n ? buf_text(&before) : NULL, &text, detail, false);
		auto_struct(json) *json = parse(&text);
		const struct json *entries = json_member(json, "subproblems");
		size_t want = n == 0 ? 0 : n < 10 ? n + 1 : 10;
		assert_string_equal(json_member_string(json, "detail"), detail);
		assert_int_equal(json_length(entries), want);
		for (size_t i = 0; i < want; i++) {
			snprintf(detail, sizeof(detail), "try %zu", n + 1 - want + i);
			assert_string_equal(json_member_string(json_at(entries, i), "detail"), detail);
			assert_null(json_member(json_at(entries, i), "subproblems"));
		}
	}
}

/* RFC 8555, 6.7.1: no parts of parts. */
static void parts_stay_parts(void **state)
{
	auto_value(buf) first = {0}, second = {0}, third = {0};

	(void)state;
	add(NULL, &first, "try 0", true);
	add(buf_text(&first), &second, "try 1", false);
	add(buf_text(&second), &third, "try 2", true);
	auto_struct(json) *json = parse(&third);
	const struct json *entries = json_member(json, "subproblems");
	assert_int_equal(json_length(entries), 5);
	assert_string_equal(json_member_string(json_member(json_at(entries, 0), "identifier"), "value"), "a.example");
	assert_null(json_member(json_at(entries, 2), "identifier"));
	assert_string_equal(json_member_string(json_at(entries, 4), "type"), "urn:ietf:params:acme:error:dns");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_stands_alone),
		cmocka_unit_test(each_try_has_an_entry),
		cmocka_unit_test(parts_stay_parts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
