/* Bodies held to a schema, and the values that are read from them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "admin/api_ask.h"
#include "admin/api_body.h"

static const struct api_field inner_fields[] = {
	{ "key", API_TEXT, .required = true, .min = 1, .max = 4, .meaning = "x" },
};
static API_OBJECT_OF(inner, "Inner", inner_fields);
static const char *const colours[] = { "red", "blue", NULL };
static const struct api_field fields[] = {
	{ "name", API_TEXT, .required = true, .max = 8, .meaning = "x" },
	{ "pem", API_LINES, .meaning = "x" },
	{ "password", API_SECRET, .min = 2, .meaning = "x" },
	{ "count", API_INTEGER, .min = 1, .max = 9, .meaning = "x" },
	{ "flag", API_BOOL, .meaning = "x" },
	{ "when", API_TIME, .meaning = "x" },
	{ "colour", API_TEXT, .choices = colours, .meaning = "x" },
	{ "colours", API_TEXTS, .max = 2, .choices = colours, .meaning = "x" },
	{ "one", API_OBJECT, .object = &inner, .meaning = "x" },
	{ "many", API_OBJECTS, .max = 3, .object = &inner, .meaning = "x" },
};
static API_OBJECT_OF(object, "Object", fields);

/* One part at most of each row: its field, and what is in its text; NULL: the body is good. */
static const struct {
	const char *body, *field, *text;
} rows[] = {
	{ "{\"name\":\"a\"}", NULL, NULL },
	{ "{\"name\":\"\"}", NULL, NULL },
	{ "{\"name\":\"12345678\"}", NULL, NULL },
	{ "{\"name\":\"123456789\"}", "name", "0 to 8 characters, got 9" },
	{ "{\"name\":\"\\u00fc\\u00fc\\u00fc\\u00fc\\u00fc\\u00fc\\u00fc\\u00fc\"}", NULL, NULL },
	{ "{\"name\":1}", "name", "a text" },
	{ "{\"name\":null}", "name", "a text" },
	{ "{\"name\":\"a\\nb\"}", "name", "control" },
	{ "{\"name\":\"a\\u009b\"}", "name", "control" },
	{ "{\"name\":\"a\\u007f\"}", "name", "control" },
	{ "{\"name\":\"\\u00fc\"}", NULL, NULL },
	{ "{}", "name", "missing" },
	{ "[]", "", "an object" },
	{ "1", "", "an object" },
	{ "{\"name\":\"a\",\"more\":1}", "more", "no such field" },
	{ "{\"name\":\"a\",\"Name\":\"a\"}", "Name", "no such field" },
	{ "{\"name\":\"a\",\"pem\":\"a\\r\\n\\tb\"}", NULL, NULL },
	{ "{\"name\":\"a\",\"pem\":\"a\\u0001b\"}", "pem", "control" },
	{ "{\"name\":\"a\",\"password\":\"x\"}", "password", "2 to 255" },
	{ "{\"name\":\"a\",\"count\":1}", NULL, NULL },
	{ "{\"name\":\"a\",\"count\":0}", "count", "1 to 9, got 0" },
	{ "{\"name\":\"a\",\"count\":10}", "count", "1 to 9, got 10" },
	{ "{\"name\":\"a\",\"count\":1.5}", "count", "whole number" },
	{ "{\"name\":\"a\",\"count\":\"1\"}", "count", "whole number" },
	{ "{\"name\":\"a\",\"flag\":true}", NULL, NULL },
	{ "{\"name\":\"a\",\"flag\":0}", "flag", "true or false" },
	{ "{\"name\":\"a\",\"when\":\"2026-11-21T00:00:00Z\"}", NULL, NULL },
	{ "{\"name\":\"a\",\"when\":\"2026-11-21\"}", "when", "RFC 3339" },
	{ "{\"name\":\"a\",\"colour\":\"red\"}", NULL, NULL },
	{ "{\"name\":\"a\",\"colour\":\"Red\"}", "colour", "`red`, `blue`" },
	{ "{\"name\":\"a\",\"colours\":[\"red\",\"blue\"]}", NULL, NULL },
	{ "{\"name\":\"a\",\"colours\":\"red\"}", "colours", "a list" },
	{ "{\"name\":\"a\",\"colours\":[\"red\",\"green\"]}", "colours[1]", "`red`" },
	{ "{\"name\":\"a\",\"colours\":[\"red\",1]}", "colours[1]", "a text" },
	{ "{\"name\":\"a\",\"colours\":[\"red\",\"red\",\"red\"]}", "colours", "at most 2" },
	{ "{\"name\":\"a\",\"one\":{\"key\":\"k\"}}", NULL, NULL },
	{ "{\"name\":\"a\",\"one\":[]}", "one", "an object" },
	{ "{\"name\":\"a\",\"one\":{}}", "one.key", "missing" },
	{ "{\"name\":\"a\",\"one\":{\"key\":\"\"}}", "one.key", "1 to 4" },
	{ "{\"name\":\"a\",\"many\":[{\"key\":\"k\"},{\"key\":\"k\",\"x\":1}]}", "many[1].x", "no such field" },
	{ "{\"name\":\"a\",\"many\":[1]}", "many[0]", "an object" },
};

static void check(const char *text, struct problem *parts)
{
	auto_struct(json) *body = NULL;
	struct problem p = {0};

	if (!json_parse(BYTES_STR(text), &body, &p))
		fail_msg("%s: %s", text, p.detail);
	api_body_check(&object, body, parts);
}

static void each_fault_is_told_by_its_field(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		auto_value(problem) parts = {0};
		check(rows[i].body, &parts);
		if (parts.sub_count != (rows[i].field ? 1 : 0))
			fail_msg("%s: %zu parts", rows[i].body, parts.sub_count);
		if (!rows[i].field)
			continue;
		assert_int_equal(parts.subs[0].kind, PROBLEM_MALFORMED);
		assert_string_equal(parts.subs[0].field, rows[i].field);
		if (!strstr(parts.subs[0].detail, rows[i].text))
			fail_msg("%s: %s", rows[i].body, parts.subs[0].detail);
	}
}

/* What its row says nothing about. */
static void what_has_no_bound_has_the_usual_one(void **state)
{
	static const struct {
		enum api_type type;
		int64_t want;
	} types[] = {
		{ API_TEXT, 255 }, { API_SECRET, 255 }, { API_TIME, 255 }, { API_LINES, 65536 }, { API_SECRET_LINES, 65536 },
		{ API_TEXTS, 100 }, { API_OBJECTS, 100 },
	};

	(void)state;
	for (size_t i = 0; i < array_length(types); i++) {
		struct api_field field = { "x", types[i].type, .meaning = "x" };
		assert_int_equal(api_field_max(&field), types[i].want);
		field.max = 7;
		assert_int_equal(api_field_max(&field), 7);
	}
}

static void all_faults_are_told(void **state)
{
	auto_value(problem) parts = {0}, p = {0};

	(void)state;
	check("{\"x\":1,\"count\":0,\"flag\":2,\"one\":{}}", &parts);
	assert_int_equal(parts.sub_count, 5);
	assert_false(api_settle(&parts, &p));
	assert_int_equal(p.kind, PROBLEM_MALFORMED);
	assert_int_equal(p.sub_count, 5);
	assert_non_null(strstr(p.detail, "name: is missing"));
}

static void secrets_are_not_echoed(void **state)
{
	auto_value(problem) parts = {0};
	auto_value(buf) text = {0};

	(void)state;
	check("{\"name\":\"a\",\"password\":\"hunter2\\u0001\"}", &parts);
	assert_int_equal(parts.sub_count, 1);
	(void)!problem_settle(&parts, "wrong");
	api_problem_write(&parts, "id", &text);
	assert_null(strstr(buf_text(&text), "hunter2"));
}

static void ttl_has_one_form(void **state)
{
	static const struct {
		const char *text;
		int64_t want; /* 0: refused */
	} ttls[] = {
		{ "1h", 3600 }, { "90d", 90 * 86400 }, { "3m", 90 * 86400 }, { "2y", 730 * 86400 }, { "999999h", 999999LL * 3600 },
		{ "007d", 7 * 86400 }, { "", 0 }, { "d", 0 }, { "90", 0 }, { "0d", 0 }, { "-1d", 0 }, { "1w", 0 }, { "1D", 0 }, { "1 d", 0 },
		{ " 1d", 0 }, { "1d ", 0 }, { "1dd", 0 }, { "1.5d", 0 }, { "1000000d", 0 }, { "1e3d", 0 }, { "99999999999999999999d", 0 },
	};

	(void)state;
	for (size_t i = 0; i < array_length(ttls); i++) {
		int64_t got = 0;
		if (api_ask_ttl(ttls[i].text, &got) != (ttls[i].want != 0) || got != ttls[i].want)
			fail_msg("%s: %lld", ttls[i].text, (long long)got);
	}
}

/* What is our own fault takes the place of what the client did. */
static void our_fault_hides_the_rest(void **state)
{
	auto_value(problem) parts = {0}, why = {0}, p = {0};

	(void)state;
	problem_add_field(&parts, PROBLEM_MALFORMED, "a", NULL, "x");
	problem_internal(&why, "the cause");
	assert_false(api_gather(&parts, &why, "b"));
	problem_set(&why, PROBLEM_BAD_CSR, "y");
	assert_false(api_gather(&parts, &why, "b"));
	assert_false(api_settle(&parts, &p));
	assert_int_equal(p.kind, PROBLEM_INTERNAL);
	assert_string_equal(p.cause, "the cause");
	assert_int_equal(p.sub_count, 0);
}

/* Every schema of the tables is complete. */
static void schemas_make_sense(void **state)
{
	static const struct api_object *const bodies[] = {
		&api_issue_body, &api_renew_body, &api_revoke_body, &api_change_body, &api_import_body, &api_problem_reply,
		&api_certificate_reply, &api_token_reply,
	};

	(void)state;
	for (size_t i = 0; i < array_length(bodies); i++)
		for (size_t k = 0; k < bodies[i]->field_count; k++) {
			const struct api_field *f = &bodies[i]->fields[k];
			assert_non_null(f->meaning);
			assert_true((f->type == API_OBJECT || f->type == API_OBJECTS) == (f->object != NULL));
			for (size_t n = 0; n < k; n++)
				assert_string_not_equal(f->name, bodies[i]->fields[n].name);
		}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_fault_is_told_by_its_field),
		cmocka_unit_test(what_has_no_bound_has_the_usual_one),
		cmocka_unit_test(all_faults_are_told),
		cmocka_unit_test(secrets_are_not_echoed),
		cmocka_unit_test(ttl_has_one_form),
		cmocka_unit_test(our_fault_hides_the_rest),
		cmocka_unit_test(schemas_make_sense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
