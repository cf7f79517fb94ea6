#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/base64.h"

/* RFC 4648, 10. */
static const struct {
	const char *plain, *standard, *url, *hex;
} vectors[] = {
	{ "", "", "", "" },
	{ "f", "Zg==", "Zg", "66" },
	{ "fo", "Zm8=", "Zm8", "666f" },
	{ "foo", "Zm9v", "Zm9v", "666f6f" },
	{ "foob", "Zm9vYg==", "Zm9vYg", "666f6f62" },
	{ "fooba", "Zm9vYmE=", "Zm9vYmE", "666f6f6261" },
	{ "foobar", "Zm9vYmFy", "Zm9vYmFy", "666f6f626172" },
	{ "\xff\xef\xbe", "/+++", "_--- ", "ffefbe" },
};

typedef bool decoder(const char *text, size_t len, struct buf *ret);
typedef void encoder(struct buf *b, struct bytes data);

static void check(decoder *decode, encoder *encode, const char *plain, const char *text)
{
	auto_value(buf) encoded = {0}, decoded = {0};
	size_t len = strcspn(text, " ");

	encode(&encoded, BYTES_STR(plain));
	assert_int_equal(encoded.len, len);
	assert_memory_equal(buf_text(&encoded), text, len);
	buf_add_str(&decoded, "kept ");
	assert_true(decode(text, len, &decoded));
	assert_int_equal(decoded.len, 5 + strlen(plain));
	assert_memory_equal(buf_text(&decoded), "kept ", 5);
	assert_memory_equal(buf_text(&decoded) + 5, plain, strlen(plain));
}

static void vectors_hold(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_length(vectors); i++) {
		check(base64_decode, buf_add_base64, vectors[i].plain, vectors[i].standard);
		check(base64url_decode, buf_add_base64url, vectors[i].plain, vectors[i].url);
		check(hex_decode, buf_add_hex, vectors[i].plain, vectors[i].hex);
	}
}

static void round_trips_at_each_length(void **state)
{
	static const struct {
		decoder *decode;
		encoder *encode;
	} rows[] = { { base64_decode, buf_add_base64 }, { base64url_decode, buf_add_base64url }, { hex_decode, buf_add_hex } };
	uint8_t plain[260];

	(void)state;
	for (size_t i = 0; i < sizeof(plain); i++)
		plain[i] = (uint8_t)(i * 73 + 11);
	for (size_t len = 0; len <= sizeof(plain); len++) {
		for (size_t i = 0; i < array_length(rows); i++) {
			auto_value(buf) text = {0}, back = {0};
			rows[i].encode(&text, BYTES(plain, len));
			assert_true(rows[i].decode(buf_text(&text), text.len, &back));
			assert_true(bytes_equal(buf_bytes(&back), BYTES(plain, len)));
		}
	}
}

static void refuse(decoder *decode, const char *text, size_t len)
{
	auto_value(buf) ret = {0};

	buf_add_str(&ret, "kept");
	assert_false(decode(text, len, &ret));
	assert_string_equal(buf_text(&ret), "kept");
	assert_false(ret.failed);
}

static void url_form_is_strict(void **state)
{
	static const char *const rows[] = {
		"Z", "Zm9vZ",                      /* one character is no byte */
		"Zg==", "Zm8=", "=", "Zm9v=",      /* padding */
		"Zm 9v", "Zm9v\n", " Zm9v", "\t",  /* white space */
		"Zm+v", "Zm/v", "Zm.v", "Zm\xc3v", /* not of the alphabet */
		"Zh", "Zv", "Zm9", "Zm9vYn",       /* unused bits that are not zero */
	};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++)
		refuse(base64url_decode, rows[i], strlen(rows[i]));
	refuse(base64url_decode, "Zm9v\0", 5);
	refuse(base64url_decode, "ZgAA", 1); /* what follows is not looked at */
	refuse(base64url_decode, "Zm9vZgAA", 5);
}

/* Each byte at each place of a group, in each alphabet: 64 digits (22 for hex) and no other. */
static void alphabets_are_exact(void **state)
{
	static const struct {
		decoder *decode;
		const char *extra, *text;
	} rows[] = { { base64_decode, "+/", "AAAA" }, { base64url_decode, "-_", "AAAA" } };

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		for (size_t at = 0; at < 4; at++) {
			int digits = 0;
			for (int c = 0; c < 256; c++) {
				auto_value(buf) ret = {0};
				char text[5];
				strcpy(text, rows[i].text);
				text[at] = (char)c;
				bool space = rows[i].decode == base64_decode && c && strchr(" \t\r\n", c);
				if (!space && rows[i].decode(text, 4, &ret) && ret.len == 3)
					digits++;
			}
			assert_int_equal(digits, 64);
			auto_value(buf) ret = {0};
			char text[5] = "AAAA";
			text[at] = rows[i].extra[at % 2];
			assert_true(rows[i].decode(text, 4, &ret));
		}
	}
}

static void standard_form_takes_white_space(void **state)
{
	static const char *const accepted[] = {
		"Zm9vYg==", "Zm9v\r\nYg==\r\n", " Z m 9 v Y g = = ", "\tZm9vYg=\n=\n",
	};
	static const char *const refused[] = {
		"Zm9vYg", "Zm9vYg=", "Zm9vYg===", "Zm9vYg====", "====", "=", "Zg==Zg==", "Zg=a", "Z===",
		"Zm9-", "Zm9_", "Zm9v\v", "Zm9v\f", "Zh==", "Zm9=", "-----",
	};

	(void)state;
	for (size_t i = 0; i < array_length(accepted); i++) {
		auto_value(buf) ret = {0};
		assert_true(base64_decode(accepted[i], strlen(accepted[i]), &ret));
		assert_string_equal(buf_text(&ret), "foob");
	}
	for (size_t i = 0; i < array_length(refused); i++)
		refuse(base64_decode, refused[i], strlen(refused[i]));
	refuse(base64_decode, "Zm9v\0\0\0\0", 8);
	auto_value(buf) none = {0};
	assert_true(base64_decode(" \r\n", 3, &none));
	assert_int_equal(none.len, 0);
}

static void hex_takes_either_case(void **state)
{
	static const char *const refused[] = { "0", "0g", "g0", "0x12", "12 3", "1 ", "\xc3\xbc", "//", "::", "@@", "``" };
	auto_value(buf) ret = {0};

	(void)state;
	assert_true(hex_decode("00fFAb", 6, &ret));
	assert_true(bytes_equal(buf_bytes(&ret), BYTES("\x00\xff\xab", 3)));
	for (size_t i = 0; i < array_length(refused); i++)
		refuse(hex_decode, refused[i], strlen(refused[i]));
}

static void failed_buffer_stays_failed(void **state)
{
	auto_value(buf) b = { .failed = true };

	(void)state;
	buf_add_base64(&b, BYTES_STR("foo"));
	buf_add_hex(&b, BYTES_STR("foo"));
	assert_false(base64_decode("Zm9v", 4, &b));
	assert_true(b.failed);
	assert_int_equal(b.len, 0);
	buf_clear(&b);
	buf_add_base64(&b, BYTES("", SIZE_MAX));
	assert_true(b.failed);
}

/* Into the caller's memory: each length, and not a byte beyond. */
static void fixed_form_is_the_same(void **state)
{
	(void)state;
	for (size_t n = 0; n <= 19; n++) {
		uint8_t data[32], back[32];
		char text[48];
		auto_value(buf) want = {0};

		memset(data, 0xa5 + (int)n, sizeof(data));
		memset(back, 0x5a, sizeof(back));
		buf_add_base64url(&want, BYTES(data, n));
		base64url_encode_to(BYTES(data, n), text);
		assert_string_equal(text, buf_text(&want));
		assert_true(base64url_decode_to(text, strlen(text), back));
		assert_memory_equal(back, data, n);
		assert_int_equal(back[n], 0x5a);
	}
	uint8_t raw[16];
	assert_false(base64url_decode_to("A", 1, raw));
	assert_false(base64url_decode_to("AB", 2, raw)); /* bits left over */
	assert_false(base64url_decode_to("AA==", 4, raw));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vectors_hold),
		cmocka_unit_test(round_trips_at_each_length),
		cmocka_unit_test(url_form_is_strict),
		cmocka_unit_test(alphabets_are_exact),
		cmocka_unit_test(standard_form_takes_white_space),
		cmocka_unit_test(hex_takes_either_case),
		cmocka_unit_test(failed_buffer_stays_failed),
		cmocka_unit_test(fixed_form_is_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
