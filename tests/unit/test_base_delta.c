#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/delta.h"

static void want_back(struct bytes reference, struct bytes in, size_t want_at_most)
{
	auto_value(buf) delta = {0};
	auto_value(buf) out = {0};

	delta_encode(reference, in, &delta);
	assert_false(delta.failed);
	assert_in_range(delta.len, 0, want_at_most);
	buf_add_str(&out, "before");
	assert_true(delta_decode(reference, buf_bytes(&delta), in.len, &out));
	assert_int_equal(out.len, 6 + in.len);
	assert_memory_equal(out.data, "before", 6);
	assert_true(bytes_equal(BYTES(out.data + 6, in.len), in));
}

static void what_is_alike_is_short(void **state)
{
	static const struct {
		const char *reference, *in;
		size_t want_at_most;
	} rows[] = {
		{ "", "", 1 },
		{ "", "abc", 4 },
		{ "the quick brown fox", "", 1 },
		{ "the quick brown fox", "the quick brown fox", 9 },
		{ "the quick brown fox", "nothing of it", 14 },
		{ "", "abcabcabcabcabcabcabcabcabcabc", 13 },      /* of itself, overlapping */
		{ "http://ca.example.com/crl/0.crl?from=here", "http://ca.example.com/crl/1.crl?from=here", 22 },
	};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++)
		want_back(BYTES_STR(rows[i].reference), BYTES_STR(rows[i].in), rows[i].want_at_most);
}

/* Bytes of few values have copies of all lengths and distances; others have none. */
static void anything_comes_back(void **state)
{
	static uint8_t reference[3000], in[5000];
	uint32_t random = 1;

	(void)state;
	for (unsigned kinds = 2; kinds <= 256; kinds *= 2) {
		for (size_t i = 0; i < sizeof(reference); i++)
			reference[i] = (uint8_t)((random = random * 1664525 + 1013904223) >> 24) % kinds;
		for (size_t i = 0; i < sizeof(in); i++)
			in[i] = (uint8_t)((random = random * 1664525 + 1013904223) >> 24) % kinds;
		for (size_t n = 0; n <= sizeof(in); n += 313)
			want_back(BYTES(reference, n * 3 / 5), BYTES(in, n), n + n / 64 + 17);
	}
}

static void what_is_no_delta_is_refused(void **state)
{
	static const struct {
		const char *delta;
		size_t len;
	} rows[] = {
		{ "", 0 },                                       /* not even a token */
		{ "\x50" "abc", 4 },                             /* fewer new bytes than it says */
		{ "\xf0\xff\xff", 3 },                           /* a length without an end */
		{ "\x00\x05\x00" "\x50" "abcde", 9 },            /* before the begin of the reference */
		{ "\x20" "ab" "\x07\x00" "\x50" "abcde", 11 },   /* one too far */
		{ "\x0f\x04\x00\x7f" "\x50" "abcde", 10 },      /* more than there may be */
		{ "\xf0\x06" "0123456789abcdefghijk", 23 },      /* more new bytes than there may be */
	};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		auto_value(buf) out = {0};
		assert_false(delta_decode(BYTES("wxyz", 4), BYTES(rows[i].delta, rows[i].len), 20, &out));
	}
	auto_value(buf) out = {0};
	assert_true(delta_decode(BYTES("wxyz", 4), BYTES("\x20" "ab" "\x06\x00" "\x50" "abcde", 11), 20, &out));
	assert_string_equal(buf_text(&out), "abwxyzabcde");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_alike_is_short),
		cmocka_unit_test(anything_comes_back),
		cmocka_unit_test(what_is_no_delta_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
