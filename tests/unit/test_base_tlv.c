#include "base/tlv.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "policy_make.h"

static const struct {
	const char *hex;
	bool want;
	size_t want_value, want_rest; /* lengths */
} elements[] = {
	{ "0500", true, 0, 0 },
	{ "0401ff", true, 1, 0 },
	{ "0401ff0500", true, 1, 2 },
	{ "a003020100", true, 3, 0 },
	{ "", false, 0, 0 },
	{ "04", false, 0, 0 },
	{ "0401", false, 0, 0 },       /* cut */
	{ "0480", false, 0, 0 },       /* indefinite length */
	{ "04800000", false, 0, 0 },
	{ "048101ff", false, 0, 0 },   /* a length of one byte written in two */
	{ "04820001ff", false, 0, 0 },
	{ "0482", false, 0, 0 },       /* cut within the length */
	{ "048400000001ff", false, 0, 0 },
	{ "0484ffffffff", false, 0, 0 },
	{ "0488ffffffffffffffff", false, 0, 0 },
	{ "04ffffff", false, 0, 0 },
	{ "1f8101", false, 0, 0 },     /* a tag of many bytes */
	{ "3f0100", false, 0, 0 },
};

static void test_next(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_length(elements); i++) {
		auto_value(buf) der = {0};
		struct tlv element = {0};

		make_hex(&der, elements[i].hex);
		struct bytes in = buf_bytes(&der), before = in;
		if (tlv_next(&in, &element) != elements[i].want)
			fail_msg("%s", elements[i].hex);
		if (!elements[i].want) {
			assert_true(in.data == before.data && in.len == before.len);
			continue;
		}
		assert_int_equal(element.value.len, elements[i].want_value);
		assert_int_equal(in.len, elements[i].want_rest);
		assert_int_equal(element.whole.len + in.len, before.len);
	}
}

/* Every length around a change of its form is read back. */
static void test_lengths(void **state)
{
	static const size_t lengths[] = { 0, 1, 126, 127, 128, 129, 254, 255, 256, 257, 65535, 65536, 70000 };
	static const uint8_t zeros[70000];

	(void)state;
	for (size_t i = 0; i < array_length(lengths); i++) {
		auto_value(buf) der = {0};
		struct bytes value;

		make_tlv(&der, TLV_OCTET_STRING, BYTES(zeros, lengths[i]));
		assert_true(tlv_only(buf_bytes(&der), TLV_OCTET_STRING, &value));
		assert_int_equal(value.len, lengths[i]);
		for (size_t cut = 1; cut < der.len && cut < 8; cut++)
			assert_false(tlv_only(BYTES(der.data, der.len - cut), TLV_OCTET_STRING, &value));
	}
}

/* X.690, 10.1: a length with a zero byte before it is not the shortest, however long it is. */
static void test_length_with_a_zero_before_it(void **state)
{
	static const uint8_t zeros[0x80];
	auto_value(buf) der = {0};
	struct bytes value;

	(void)state;
	buf_add(&der, "\4\x82\0\x80", 4);
	buf_add(&der, zeros, sizeof(zeros));
	assert_false(tlv_only(buf_bytes(&der), TLV_OCTET_STRING, &value));
}

static void test_tag_and_rest(void **state)
{
	struct bytes in = BYTES("\x02\x01\x05\x04\x00", 5), value;

	(void)state;
	assert_false(tlv_take(&in, TLV_OCTET_STRING, &value));
	assert_int_equal(in.len, 5);
	assert_false(tlv_only(in, TLV_INTEGER, &value));
	assert_true(tlv_take(&in, TLV_INTEGER, &value));
	assert_int_equal(value.data[0], 5);
	assert_true(tlv_only(in, TLV_OCTET_STRING, &value));
}

static const struct {
	const char *hex;
	const char *want; /* NULL: refused */
} oids[] = {
	{ "550403", "2.5.4.3" },
	{ "2a864886f70d01010b", "1.2.840.113549.1.1.11" },
	{ "2b06010505070301", "1.3.6.1.5.5.7.3.1" },
	{ "00", "0.0" },
	{ "27", "0.39" },
	{ "28", "1.0" },
	{ "4f", "1.39" },
	{ "50", "2.0" },
	{ "8837", "2.999" },
	{ "2a81ffffffffffffffff7f", "1.2.18446744073709551615" },
	{ "2a82808080808080808000", NULL }, /* 2^64 */
	{ "", NULL },
	{ "80", NULL },
	{ "2a8001", NULL },   /* a leading zero */
	{ "2a86", NULL },     /* cut */
	{ "2aff7fff7fff7fff7fff7fff7fff7fff7fff7fff7fff7fff7f", NULL }, /* 64 characters or more */
};

static void test_oid(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_length(oids); i++) {
		auto_value(buf) der = {0};
		char text[TLV_OID_SIZE];

		make_hex(&der, oids[i].hex);
		bool read = tlv_oid_text(buf_bytes(&der), text);
		if (read != (oids[i].want != NULL))
			fail_msg("%s: %s", oids[i].hex, read ? text : "refused");
		if (read)
			assert_string_equal(text, oids[i].want);
	}
}

static const struct {
	const char *hex;
	bool want;
	uint32_t number;
	size_t want_value, want_rest;
} numbered[] = {
	{ "a003020105", true, 0, 3, 0 },
	{ "be00", true, 30, 0, 0 },
	{ "bf1f00", true, 31, 0, 0 },
	{ "bf7f00", true, 127, 0, 0 },
	{ "bf810000", true, 128, 0, 0 },
	{ "bf853e0302010004", true, 702, 3, 1 },  /* origin, in Android's key descriptions */
	{ "bf845f00", true, 607, 0, 0 },          /* its last byte looks like a tag of many bytes */
	{ "bf8fffff7f00", true, 0x1ffffff, 0, 0 },
	{ "", false },
	{ "a0", false },
	{ "bf", false },
	{ "bf85", false },
	{ "bf853e", false },
	{ "bf853e01", false },
	{ "bf853e80", false },
	{ "bf1e00", false },                      /* fits the low form */
	{ "bf801f00", false },                    /* longer than need be */
	{ "bfffffffff7f00", false },
	{ "8000", false },                        /* primitive */
	{ "3000", false },                        /* universal */
	{ "7f853e00", false },                    /* application */
};

static void test_numbered(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_length(numbered); i++) {
		auto_value(buf) der = {0};
		struct bytes value;
		uint32_t number;

		make_hex(&der, numbered[i].hex);
		struct bytes in = buf_bytes(&der), before = in;
		if (tlv_take_numbered(&in, &number, &value) != numbered[i].want)
			fail_msg("%s", numbered[i].hex);
		assert_true(numbered[i].want || (in.data == before.data && in.len == before.len));
		if (!numbered[i].want)
			continue;
		assert_int_equal(number, numbered[i].number);
		assert_int_equal(value.len, numbered[i].want_value);
		assert_int_equal(in.len, numbered[i].want_rest);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_next),
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_length_with_a_zero_before_it),
		cmocka_unit_test(test_tag_and_rest),
		cmocka_unit_test(test_oid),
		cmocka_unit_test(test_numbered),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
