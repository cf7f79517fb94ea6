#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/json.h"

static struct json *parse(struct bytes text)
{
	auto_value(problem) p = {0};
	struct json *root = NULL;

	if (json_parse(text, &root, &p)) {
		assert_false(problem_is_set(&p));
		assert_non_null(root);
	} else {
		assert_int_equal(p.kind, PROBLEM_MALFORMED);
		assert_true(str_starts(p.detail, "RFC 8259"));
		assert_null(root);
	}
	return root;
}

/* Texts are given without their NUL and on the heap, so that a read past the end is seen by ASan. */
static bool accepts(const char *text, size_t len)
{
	auto_free char *copy = malloc(len > 0 ? len : 1);

	memcpy(copy, text, len);
	auto_struct(json) *root = parse(BYTES(copy, len));
	return root != NULL;
}

static void grammar_accepts(void **state)
{
	static const char *const rows[] = {
		"0", "-0", "1", "-1", "10", "1.0", "1.5e3", "1E-2", "1e+2", "0.1", "0e0", "1e999",
		"true", "false", "null", "\"\"", "\"a\"", "[]", "{}", " \t\r\n[ ] ", "[1]", "[1,2]", "[[],{}]",
		"{\"a\":1}", "{\"a\":1,\"b\":[]}", "{ \"a\" : { \"b\" : null } , \"c\" : \"\" }", "{\"\":1}",
		"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0001\\uD83D\\uDE00\\u00fF\"", "\"\x7f\"", "\"\xc3\xbc\"", "\"\xf4\x8f\xbf\xbf\"",
		"{\"a\":1,\"A\":2}", "[{\"a\":1},{\"a\":1}]", "{\"a\":{\"a\":1}}", "\"\\uFFFE\"",
		"123456789012345678901234567890123456789012345678901234567890",
	};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++)
		assert_true(accepts(rows[i], strlen(rows[i])));
}

static void grammar_refuses(void **state)
{
	static const char *const rows[] = {
		"", " ", "nul", "nulll", "True", "tru", "NaN", "Infinity", "-", "+1", "01", "-01", "00", "1.", ".5", "1.e1",
		"1e", "1e+", "0x10", "1_0", "--1", "- 1", "1 2", "1,", ",", "[", "]", "{", "}", "[1", "[1,", "[1,]", "[,1]",
		"[1 2]", "[1}", "{1}", "{\"a\"}", "{\"a\":}", "{\"a\":1", "{\"a\":1,}", "{,}", "{\"a\",1}", "{a:1}", "{'a':1}",
		"{\"a\":1]", "{\"a\"=1}", "{\"a\":1 \"b\":2}", "{\"a\"::1}", "[]]", "{}{}", "[][]", "\"", "\"a", "'a'", "\"a\" x",
		"\"\\\"", "\"\\", "\"\\x\"", "\"\\a\"", "\"\\u\"", "\"\\u12\"", "\"\\u123g\"", "\"\\U0041\"", "\"\\u 041\"",
		"\"\\u0000\"", "\"\\uD800\"", "\"\\uDC00\"", "\"\\uD800\\u0041\"", "\"\\uD800\\uD800\"", "\"\\uD800\\uE000\"", "\"\\uD800x\"",
		"\"\\uDE00\\uD83D\"", "\"\\uD800\\", "\"\\uD800\\u", "\"\n\"", "\"\t\"", "\"\x01\"", "\"\x1f\"",
		"\"\xff\"", "\"\xc0\x80\"", "\"\xed\xa0\x80\"", "\"\xc3\"", "\"\xf4\x90\x80\x80\"", "\xef\xbb\xbf{}", "\f1", "\v1",
		"\302\2401", "/**/1", "1//", "[1]\x01", "#1", "{\"a\":1,\"a\":2}", "{\"a\":1,\"b\":2,\"a\":1}",
		"{\"a\":1,\"\\u0061\":2}", "[{\"x\":{\"\":1,\"\":1}}]", "\xfe\xff",
		"1234567890123456789012345678901234567890123456789012345678901",
	};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++)
		assert_false(accepts(rows[i], strlen(rows[i])));
	assert_false(accepts("1\0", 2));
	assert_false(accepts("\0", 1));
	assert_false(accepts("[1,\0]", 5));
	assert_false(accepts("\"a\0b\"", 5));
	assert_false(accepts("{\"a\0\":1}", 8));
}

/* Every beginning of a document is refused, and does not read past itself. */
static void cut_texts_are_refused(void **state)
{
	static const char text[] = "{\"a\":[1.5e3,true,null,\"\\uD83D\\uDE00\xc3\xbc\"],\"b\":{\"c\":-0}}";

	(void)state;
	for (size_t len = 0; len < sizeof(text) - 1; len++)
		assert_false(accepts(text, len));
	assert_true(accepts(text, sizeof(text) - 1));
}

static void refusal_names_the_byte(void **state)
{
	auto_value(problem) p = {0};
	struct json *root = NULL;

	(void)state;
	assert_false(json_parse(BYTES_STR("{\"a\": tru }"), &root, &p));
	assert_string_equal(p.detail, "RFC 8259: no value at byte 6");
	assert_false(json_parse(BYTES_STR("{\"a\":1,\"a\":2}"), &root, &p));
	assert_non_null(strstr(p.detail, "\"a\" stands twice"));
}

static void nested(struct buf *b, const char *open, const char *inner, const char *close, int levels)
{
	for (int i = 0; i < levels; i++)
		buf_add_str(b, open);
	buf_add_str(b, inner);
	for (int i = 0; i < levels; i++)
		buf_add_str(b, close);
}

static void depth_is_bounded(void **state)
{
	static const struct {
		const char *open, *inner, *close;
	} rows[] = { { "[", "", "]" }, { "{\"a\":", "1", "}" }, { "[", "1", "]" } };

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		auto_value(buf) good = {0}, deep = {0}, open = {0};
		nested(&good, rows[i].open, rows[i].inner, rows[i].close, JSON_DEPTH_MAX);
		assert_true(accepts(buf_text(&good), good.len));
		nested(&deep, rows[i].open, rows[i].inner, rows[i].close, JSON_DEPTH_MAX + 1);
		assert_false(accepts(buf_text(&deep), deep.len));
		nested(&open, rows[i].open, rows[i].inner, "", 100000);
		assert_false(accepts(buf_text(&open), open.len));
	}
}

/* Values count, the outermost one too; names do not. */
static void values_are_bounded(void **state)
{
	static const char *const rows[] = { "[", "{" };

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		for (int count = JSON_NODES_MAX - 1; count <= JSON_NODES_MAX; count++) {
			auto_value(buf) b = {0};
			buf_add_str(&b, rows[i]);
			for (int n = 0; n < count; n++) {
				if (*rows[i] == '{')
					buf_printf(&b, "\"%d\":", n);
				buf_add_str(&b, n + 1 < count ? "1," : "1");
			}
			buf_add_str(&b, *rows[i] == '{' ? "}" : "]");
			assert_int_equal(accepts(buf_text(&b), b.len), count == JSON_NODES_MAX - 1);
		}
	}
}

static void members_are_found(void **state)
{
	static const char text[] = "{\"a\":\"x\",\"A\":[10,{\"b\":true},null],\"n\":null,\"f\":false,\"\\u00fc\":\"\\u00e9\\ud83d\\ude00\"}";
	auto_struct(json) *root = parse(BYTES_STR(text));
	bool value;
	int64_t number;

	(void)state;
	assert_true(json_is_object(root) && !json_is_array(root) && !json_is_string(root));
	assert_int_equal(json_length(root), 5);
	assert_string_equal(json_member_string(root, "a"), "x");
	assert_string_equal(json_member_string(root, "\xc3\xbc"), "\xc3\xa9\xf0\x9f\x98\x80");
	assert_null(json_member(root, "b"));
	assert_non_null(json_member(root, "n"));
	assert_null(json_member_string(root, "n"));
	assert_true(json_bool(json_member(root, "f"), &value));
	assert_false(value);

	const struct json *array = json_member(root, "A");
	assert_true(json_is_array(array));
	assert_null(json_string(array));
	assert_int_equal(json_length(array), 3);
	assert_true(json_integer(json_at(array, 0), &number));
	assert_int_equal(number, 10);
	assert_true(json_bool(json_member(json_at(array, 1), "b"), &value));
	assert_true(value);
	assert_null(json_at(array, 3));
	assert_null(json_name(json_at(array, 0)));
	assert_null(json_member(array, "b"));

	static const char *const names[] = { "a", "A", "n", "f", "\xc3\xbc" };
	for (size_t i = 0; i < array_length(names); i++)
		assert_string_equal(json_name(json_at(root, i)), names[i]);
}

static void escapes_are_decoded(void **state)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{ "\"\"", "" },
		{ "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t" },
		{ "\"\\u0001\\u007f\\u0080\\u07ff\\u0800\\uFFFF\"", "\x01\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf" },
		{ "\"\\ud800\\udc00\\uDBFF\\uDFFF\"", "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf" },
		{ "\"a\\u00e9\xc3\xa9z\\\"\"", "a\xc3\xa9\xc3\xa9z\"" },
		{ " \"plain \xf0\x9f\x98\x80\" ", "plain \xf0\x9f\x98\x80" },
	};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		auto_struct(json) *root = parse(BYTES_STR(rows[i].text));
		assert_string_equal(json_string(root), rows[i].want);
	}
}

static void nothing_is_asked_of_null(void **state)
{
	int64_t number;
	bool value;

	(void)state;
	assert_false(json_is_object(NULL) || json_is_array(NULL) || json_is_string(NULL));
	assert_null(json_member(NULL, "a"));
	assert_null(json_string(NULL));
	assert_null(json_member_string(NULL, "a"));
	assert_null(json_at(NULL, 0));
	assert_null(json_name(NULL));
	assert_int_equal(json_length(NULL), 0);
	assert_false(json_integer(NULL, &number));
	assert_false(json_bool(NULL, &value));
	json_free(NULL);
}

static void integers_are_exact(void **state)
{
	static const struct {
		const char *text;
		bool want;
		int64_t want_value;
	} rows[] = {
		{ "0", true, 0 }, { "-0", true, 0 }, { "7", true, 7 }, { "-7", true, -7 }, { "1.0", true, 1 }, { "1e3", true, 1000 },
		{ "9007199254740991", true, 9007199254740991 }, { "-9007199254740991", true, -9007199254740991 },
		{ "9007199254740993", false, 0 }, { "-9007199254740993", false, 0 }, { "9223372036854775808", false, 0 },
		{ "1.5", false, 0 }, { "-0.1", false, 0 }, { "1e400", false, 0 }, { "-1e400", false, 0 }, { "1e-400", true, 0 },
		{ "\"7\"", false, 0 }, { "true", false, 0 }, { "null", false, 0 }, { "[7]", false, 0 },
	};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		auto_struct(json) *root = parse(BYTES_STR(rows[i].text));
		int64_t value = 42;
		assert_int_equal(json_integer(root, &value), rows[i].want);
		assert_int_equal(value, rows[i].want ? rows[i].want_value : 42);
	}
}

static void writer_places_commas(void **state)
{
	auto_value(buf) b = {0};
	struct json_writer w = json_writer(&b);

	(void)state;
	json_open(&w, NULL);
	json_put(&w, "a", "x");
	json_put(&w, "none", NULL);
	json_open_array(&w, "b");
	json_put_integer(&w, NULL, INT64_MIN);
	json_open(&w, NULL);
	json_close(&w);
	json_put_bool(&w, NULL, true);
	json_open_array(&w, NULL);
	json_close(&w);
	json_close(&w);
	json_put_time(&w, "zero", 0);
	json_put_time(&w, "t", 1);
	json_put_raw(&w, "raw", BYTES_STR("[1, 2]"));
	json_put_bool(&w, "c", false);
	json_close(&w);
	assert_string_equal(buf_text(&b), "{\"a\":\"x\",\"b\":[-9223372036854775808,{},true,[]],"
	                    "\"t\":\"1970-01-01T00:00:01Z\",\"raw\":[1, 2],\"c\":false}");
}

static void writer_escapes(void **state)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{ "", "\"\"" },
		{ "a\"b\\c/d", "\"a\\\"b\\\\c/d\"" },
		{ "\b\f\n\r\t\x01\x1f\x7f", "\"\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\"" },
		{ "\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80", "\"\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80\"" },
		{ "a\xff""b\xc3", "\"a\xef\xbf\xbd""b\xef\xbf\xbd\"" },
		{ "\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
		{ "\"\"", "\"\\\"\\\"\"" },
	};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		auto_value(buf) b = {0};
		struct json_writer w = json_writer(&b);
		json_put(&w, NULL, rows[i].text);
		assert_string_equal(buf_text(&b), rows[i].want);
		auto_struct(json) *back = parse(buf_bytes(&b));
		assert_non_null(back);
	}
}

/* A key that there was no memory for must not be handed over as "". */
static void what_has_failed_fails_the_whole(void **state)
{
	auto_value(buf) out = {0}, text = { .failed = true };
	struct json_writer w = json_writer(&out);

	(void)state;
	json_open(&w, NULL);
	json_put_buf(&w, "privateKey", &text);
	json_close(&w);
	assert_true(out.failed);
}

static void writer_reaches_the_reader_s_depth(void **state)
{
	auto_value(buf) b = {0};
	struct json_writer w = json_writer(&b);

	(void)state;
	for (int i = 0; i < JSON_DEPTH_MAX; i++)
		json_open_array(&w, NULL);
	for (int i = 0; i < JSON_DEPTH_MAX; i++)
		json_close(&w);
	auto_struct(json) *back = parse(buf_bytes(&b));
	assert_non_null(back);
}

static void texts_are_written(void **state)
{
	static const char *const texts[] = { "a", "b\"" };
	static char c[] = "c";
	static char *list[] = { c };
	auto_value(buf) out = { 0 };
	struct json_writer w = json_writer(&out);

	(void)state;
	json_open(&w, NULL);
	json_put_some(&w, "none", NULL);
	json_put_some(&w, "empty", "");
	json_put_some(&w, "some", "x");
	json_put_texts(&w, "texts", texts, array_length(texts));
	json_put_texts(&w, "nobody", NULL, 0);
	json_put_strings(&w, "list", &(struct strings){ list, 1 });
	json_close(&w);
	assert_string_equal(buf_text(&out), "{\"some\":\"x\",\"texts\":[\"a\",\"b\\\"\"],\"nobody\":[],\"list\":[\"c\"]}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(grammar_accepts),
		cmocka_unit_test(grammar_refuses),
		cmocka_unit_test(cut_texts_are_refused),
		cmocka_unit_test(refusal_names_the_byte),
		cmocka_unit_test(depth_is_bounded),
		cmocka_unit_test(values_are_bounded),
		cmocka_unit_test(members_are_found),
		cmocka_unit_test(escapes_are_decoded),
		cmocka_unit_test(nothing_is_asked_of_null),
		cmocka_unit_test(integers_are_exact),
		cmocka_unit_test(writer_places_commas),
		cmocka_unit_test(writer_escapes),
		cmocka_unit_test(texts_are_written),
		cmocka_unit_test(what_has_failed_fails_the_whole),
		cmocka_unit_test(writer_reaches_the_reader_s_depth),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
