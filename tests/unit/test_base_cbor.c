#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/base64.h"
#include "base/cbor.h"

static struct cbor_run run;

static bool read_hex(const char *hex, struct problem *p)
{
	auto_value(buf) raw = {0};

	assert_true(hex_decode(hex, strlen(hex), &raw));
	/* As long as it is: what is read past the end is seen by the sanitizers. */
	auto_free uint8_t *exact = malloc(raw.len ? raw.len : 1);
	if (raw.len)
		memcpy(exact, raw.data, raw.len);
	return cbor_read(BYTES(exact, raw.len), &run, p);
}

/* RFC 8949, appendix A, where not said otherwise. */
static void reads_items(void **state)
{
	static const struct {
		const char *hex;
		enum cbor_kind kind;
		int64_t integer;
		size_t count, span;
		const char *want; /* NULL: it is read */
	} rows[] = {
		{ "00", CBOR_INTEGER, 0, 0, 1 },
		{ "17", CBOR_INTEGER, 23, 0, 1 },
		{ "1818", CBOR_INTEGER, 24, 0, 1 },
		{ "1903e8", CBOR_INTEGER, 1000, 0, 1 },
		{ "1a000f4240", CBOR_INTEGER, 1000000, 0, 1 },
		{ "1b000000e8d4a51000", CBOR_INTEGER, 1000000000000, 0, 1 },
		{ "1b7fffffffffffffff", CBOR_INTEGER, INT64_MAX, 0, 1 },
		{ "1800", CBOR_INTEGER, 0, 0, 1 },                  /* longer than need be (4.2.1 is not asked for) */
		{ "20", CBOR_INTEGER, -1, 0, 1 },
		{ "3863", CBOR_INTEGER, -100, 0, 1 },
		{ "3903e7", CBOR_INTEGER, -1000, 0, 1 },
		{ "3a0001fffe", CBOR_INTEGER, -131071, 0, 1 },
		{ "3b7fffffffffffffff", CBOR_INTEGER, INT64_MIN, 0, 1 },
		{ "f4", CBOR_SIMPLE, 0, 0, 1 },
		{ "f5", CBOR_SIMPLE, 0, 0, 1 },
		{ "f6", CBOR_SIMPLE, 0, 0, 1 },
		{ "40", CBOR_BYTES, 0, 0, 1 },
		{ "4401020304", CBOR_BYTES, 0, 0, 1 },
		{ "60", CBOR_TEXT, 0, 0, 1 },
		{ "6449455446", CBOR_TEXT, 0, 0, 1 },
		{ "62c3bc", CBOR_TEXT, 0, 0, 1 },
		{ "80", CBOR_ARRAY, 0, 0, 1 },
		{ "83010203", CBOR_ARRAY, 0, 3, 4 },
		{ "8301820203820405", CBOR_ARRAY, 0, 3, 8 },
		{ "a0", CBOR_MAP, 0, 0, 1 },
		{ "a201020304", CBOR_MAP, 0, 2, 5 },
		{ "a26161016162820203", CBOR_MAP, 0, 2, 7 },
		{ "868080808080f4", CBOR_ARRAY, 0, 6, 7 },
		{ "818181818180", CBOR_ARRAY, 0, 1, 6 },
		/* what is not read */
		{ "", .want = "ends before" },
		{ "18", .want = "ends before" },
		{ "1b00000000000000", .want = "ends before" },
		{ "4401", .want = "ends before" },
		{ "5affffffff00", .want = "ends before" },
		{ "5bffffffffffffffff00", .want = "ends before" },
		{ "7b8000000000000000", .want = "ends before" },
		{ "81", .want = "ends before" },
		{ "a1", .want = "ends before" },
		{ "a101", .want = "ends before" },
		{ "9bffffffffffffffff", .want = "ends before" },
		{ "9b8000000000000000", .want = "ends before" },
		{ "bbffffffffffffffff", .want = "ends before" },
		{ "bb7fffffffffffffff0000", .want = "ends before" },
		{ "9b0203366bfffbde1856bfffff", .want = "ends before" },
		{ "0000", .want = "bytes after" },
		{ "a000", .want = "bytes after" },
		{ "1b8000000000000000", .want = "none of which" },      /* integers that do not fit */
		{ "3bffffffffffffffff", .want = "none of which" },
		{ "5f42010243030405ff", .want = "none of which" },      /* indefinite lengths */
		{ "7f657374726561646d696e67ff", .want = "none of which" },
		{ "9fff", .want = "none of which" },
		{ "bfff", .want = "none of which" },
		{ "ff", .want = "none of which" },
		{ "c11a514b67b0", .want = "none of which" },            /* tags */
		{ "d818456449455446", .want = "none of which" },
		{ "f93c00", .want = "none of which" },                  /* floating point */
		{ "fa47c35000", .want = "none of which" },
		{ "fb3ff199999999999a", .want = "none of which" },
		{ "f7", .want = "none of which" },
		{ "f0", .want = "none of which" },
		{ "f8ff", .want = "none of which" },
		{ "1c", .want = "none of which" },
		{ "5c", .want = "none of which" },
		{ "fc", .want = "none of which" },
		{ "61ff", .want = "UTF-8" },
		{ "62c380", CBOR_TEXT, 0, 0, 1 },
		{ "62c328", .want = "UTF-8" },
		{ "63eda080", .want = "UTF-8" },                        /* a surrogate */
		{ "a2616101616102", .want = "twice" },
		{ "a201000100", .want = "twice" },
		{ "a20100180100", .want = "twice" },                    /* written in two ways */
		{ "a3616180616201616102", .want = "twice" },
		{ "a18001", .want = "neither text" },
		{ "a1410101", .want = "neither text" },
		{ "a1f401", .want = "neither text" },
		{ "81818181818180", .want = "within each other" },
	};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		auto_value(problem) p = {0};
		bool good = read_hex(rows[i].hex, &p);

		if (good != !rows[i].want || (!good && !strstr(p.detail, rows[i].want)))
			fail_msg("row %zu, %s: %s", i, rows[i].hex, good ? "read" : p.detail);
		if (!good)
			continue;
		assert_int_equal(run.item[0].kind, rows[i].kind);
		assert_true(run.item[0].integer == rows[i].integer);
		assert_int_equal(run.item[0].count, rows[i].count);
		assert_int_equal(run.item[0].span, rows[i].span);
	}
}

static void bounds_items_and_bytes(void **state)
{
	static uint8_t many[CBOR_SIZE_MAX + 1];
	auto_value(problem) p = {0};

	(void)state;
	many[0] = 0x98;
	many[1] = CBOR_ITEMS_MAX - 1;
	assert_true(cbor_read(BYTES(many, 2 + CBOR_ITEMS_MAX - 1), &run, &p));
	many[1] = CBOR_ITEMS_MAX;
	assert_false(cbor_read(BYTES(many, 2 + CBOR_ITEMS_MAX), &run, &p));
	assert_int_equal(p.kind, PROBLEM_TOO_LARGE);
	memcpy(many, "\x5a\x00\x00\xff\xfb", 5);
	assert_true(cbor_read(BYTES(many, CBOR_SIZE_MAX), &run, &p));
	assert_false(cbor_read(BYTES(many, CBOR_SIZE_MAX + 1), &run, &p));
	assert_int_equal(p.kind, PROBLEM_TOO_LARGE);
}

static void finds_values(void **state)
{
	auto_value(problem) p = {0};

	(void)state;
	/* {"a": [1, {"b": 2}], "b": h'07', 3: -4, -1: "x"} */
	assert_true(cbor_read(BYTES("\xa4\x61\x61\x82\x01\xa1\x61\x62\x02\x61\x62\x41\x07\x03\x23\x20\x61\x78", 18), &run, &p));
	const struct cbor *map = &run.item[0], *a = cbor_of(map, "a", CBOR_ARRAY);
	assert_non_null(a);
	assert_int_equal(cbor_first(a)->integer, 1);
	assert_int_equal(cbor_of(cbor_after(cbor_first(a)), "b", CBOR_INTEGER)->integer, 2);
	assert_true(bytes_equal(cbor_of(map, "b", CBOR_BYTES)->bytes, BYTES("\x07", 1)));
	assert_null(cbor_of(map, "b", CBOR_TEXT));
	assert_null(cbor_of(map, "c", CBOR_TEXT));
	assert_null(cbor_of(map, "", CBOR_TEXT));
	assert_int_equal(cbor_of_number(map, 3, CBOR_INTEGER)->integer, -4);
	assert_true(bytes_equal(cbor_of_number(map, -1, CBOR_TEXT)->bytes, BYTES_STR("x")));
	assert_null(cbor_of_number(map, 1, CBOR_TEXT));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_items),
		cmocka_unit_test(bounds_items_and_bytes),
		cmocka_unit_test(finds_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
