#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "base/ossl.h"
#include "ca/der.h"

/* What was written, as hex. */
static void assert_hex(const struct buf *out, const char *want)
{
	auto_value(buf) hex = { 0 };

	assert_false(out->failed);
	buf_add_hex(&hex, buf_bytes(out));
	assert_string_equal(buf_text(&hex), want);
}

/* Around each step of the length's own size (X.690, 8.1.3 and 10.1). */
static void lengths_are_shortest(void **state)
{
	static const struct {
		size_t len;
		const char *want;
	} rows[] = {
		{ 0, "0400" }, { 1, "0401" }, { 127, "047f" }, { 128, "048180" }, { 255, "0481ff" },
		{ 256, "04820100" }, { 65535, "0482ffff" }, { 65536, "0483010000" }, { 1 << 24, "048401000000" },
	};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		auto_value(buf) put = { 0 };
		auto_value(buf) nested = { 0 };
		auto_value(buf) head = { 0 };
		auto_free uint8_t *content = calloc(1, rows[i].len + 1);
		assert_non_null(content);
		memset(content, 0x5a, rows[i].len);
		struct der d = der_writer(&put), e = der_writer(&nested);
		der_put(&d, 0x04, BYTES(content, rows[i].len));
		der_open(&e, 0x04);
		buf_add(&nested, content, rows[i].len);
		der_close(&e);
		assert_true(bytes_equal(buf_bytes(&put), buf_bytes(&nested)));
		buf_add(&head, put.data, put.len - rows[i].len);
		assert_hex(&head, rows[i].want);
		assert_memory_equal(put.data + head.len, content, rows[i].len);
	}
}

static void nesting_counts_inner_lengths(void **state)
{
	auto_value(buf) out = { 0 };
	uint8_t content[126];

	(void)state;
	memset(content, 7, sizeof(content));
	struct der d = der_writer(&out);
	der_open(&d, 0x30);
	der_open(&d, 0xa0);
	der_put(&d, 0x04, BYTES(content, sizeof(content)));
	der_close(&d);
	der_put_raw(&d, BYTES("\x05\x00", 2));
	der_open(&d, 0x31);
	der_close(&d);
	der_close(&d);
	assert_int_equal(d.depth, 0);
	assert_int_equal(out.len, 3 + 3 + 2 + 126 + 2 + 2);
	assert_memory_equal(out.data, "\x30\x81\x87\xa0\x81\x80\x04\x7e\x07", 9);
	assert_memory_equal(out.data + out.len - 4, "\x05\x00\x31\x00", 4);
}

static void the_deepest_nesting_fits(void **state)
{
	auto_value(buf) out = { 0 };

	(void)state;
	struct der d = der_writer(&out);
	for (int i = 0; i < DER_DEPTH_MAX; i++)
		der_open(&d, 0x30);
	for (int i = 0; i < DER_DEPTH_MAX; i++)
		der_close(&d);
	assert_int_equal(out.len, 2 * DER_DEPTH_MAX);
	for (int i = 0; i < DER_DEPTH_MAX; i++)
		assert_int_equal(out.data[2 * i + 1], 2 * (DER_DEPTH_MAX - 1 - i));
}

static void integers_are_minimal_and_positive(void **state)
{
	static const struct {
		const char *magnitude;
		size_t len;
		const char *want;
	} rows[] = {
		{ "", 0, "020100" }, { "\x00", 1, "020100" }, { "\x00\x00", 2, "020100" }, { "\x01", 1, "020101" },
		{ "\x7f", 1, "02017f" }, { "\x80", 1, "02020080" }, { "\xff", 1, "020200ff" },
		{ "\x00\x80", 2, "02020080" }, { "\x00\x00\x7f", 3, "02017f" }, { "\x01\x00", 2, "02020100" },
		{ "\xff\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01", 16,
		  "021100ff000000000000000000000000000001" },
	};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		auto_value(buf) out = { 0 };
		struct der d = der_writer(&out);
		der_put_integer(&d, BYTES(rows[i].magnitude, rows[i].len));
		assert_hex(&out, rows[i].want);
		const unsigned char *at = out.data;
		auto(ASN1_INTEGER) *read = d2i_ASN1_INTEGER(NULL, &at, (long)out.len);
		auto(BIGNUM) *got = read ? ASN1_INTEGER_to_BN(read, NULL) : NULL;
		auto(BIGNUM) *want = BN_bin2bn((const unsigned char *)rows[i].magnitude, (int)rows[i].len, NULL);
		assert_true(got && want && BN_cmp(got, want) == 0 && at == out.data + out.len);
	}
}

static void oids_read_back(void **state)
{
	static const struct {
		const char *dotted, *want;
	} rows[] = {
		{ "0.0", "060100" }, { "0.39", "060127" }, { "1.0", "060128" }, { "1.39", "06014f" }, { "2.0", "060150" },
		{ "2.47", "06017f" }, { "2.48", "06028100" }, { "2.999.3", "0603883703" }, { "2.5.29.17", "0603551d11" },
		{ "1.2.840.113549.1.1.11", "06092a864886f70d01010b" },
		{ "1.3.127.128.16383.16384", "06092b7f8100ff7f818000" },
		{ "1.3.4294967295.4294967296", "060b2b8fffffff7f9080808000" },
		/* X.667: a UUID of all ones, 128 bits. */
		{ "2.25.340282366920938463463374607431768211455", "06146983ffffffffffffffffffffffffffffffffff7f" },
		/* As long as a configuration can have one. */
		{ "2.25.1606938044258990275541962092341162602522202993782792835301", NULL },
	};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		auto_value(buf) out = { 0 };
		char text[128];
		struct der d = der_writer(&out);
		der_put_oid(&d, rows[i].dotted);
		if (rows[i].want)
			assert_hex(&out, rows[i].want);
		const unsigned char *at = out.data;
		auto(ASN1_OBJECT) *read = d2i_ASN1_OBJECT(NULL, &at, (long)out.len);
		assert_true(read && OBJ_obj2txt(text, sizeof(text), read, 1) > 0);
		assert_string_equal(text, rows[i].dotted);
	}
}

static void booleans_are_der(void **state)
{
	auto_value(buf) out = { 0 };

	(void)state;
	struct der d = der_writer(&out);
	der_put_bool(&d, true);
	der_put_bool(&d, false);
	assert_hex(&out, "0101ff010100");
}

/* RFC 5280, 4.1.2.5: the form changes with the year 2050. */
static void times_change_form_in_2050(void **state)
{
	static const struct {
		int64_t t;
		uint8_t want_tag;
		const char *want;
	} rows[] = {
		{ -631152000, 0x17, "500101000000Z" },     { 0, 0x17, "700101000000Z" },
		{ 951782400, 0x17, "000229000000Z" },      { 1795260960, 0x17, "261121113600Z" },
		{ 2524607999, 0x17, "491231235959Z" },     { 2524608000, 0x18, "20500101000000Z" },
		{ 4102444800, 0x18, "21000101000000Z" },   { 253402300799, 0x18, "99991231235959Z" },
	};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		auto_value(buf) out = { 0 };
		struct tm tm;
		struct der d = der_writer(&out);
		der_put_time(&d, rows[i].t);
		assert_int_equal(out.data[0], rows[i].want_tag);
		assert_int_equal(out.data[1], strlen(rows[i].want));
		assert_string_equal((const char *)out.data + 2, rows[i].want);
		const unsigned char *at = out.data;
		auto(ASN1_TIME) *read = d2i_ASN1_TIME(NULL, &at, (long)out.len);
		assert_true(read && ASN1_TIME_to_tm(read, &tm) == 1);
		assert_int_equal(timegm(&tm), rows[i].t);
	}
}

/* X.690, 11.2.2: no trailing zero bit of a named list is written. */
static void bits_drop_trailing_zeros(void **state)
{
	static const struct {
		unsigned bits, count;
		const char *want;
	} rows[] = {
		{ 0, 9, "030100" },         { 1u << 0, 9, "03020780" },     { 1u << 7, 9, "03020001" },
		{ 1u << 8, 9, "0303070080" }, { 1u << 0 | 1u << 2, 9, "030205a0" }, { 1u << 5 | 1u << 6, 9, "03020106" },
		{ 0x1ff, 9, "030307ff80" }, { 0xffffffff, 32, "030500ffffffff" },
	};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		auto_value(buf) out = { 0 };
		struct der d = der_writer(&out);
		der_put_bits(&d, rows[i].bits, rows[i].count);
		assert_hex(&out, rows[i].want);
		const unsigned char *at = out.data;
		auto(ASN1_BIT_STRING) *read = d2i_ASN1_BIT_STRING(NULL, &at, (long)out.len);
		assert_non_null(read);
		for (int bit = 0; bit < 32; bit++)
			assert_int_equal(ASN1_BIT_STRING_get_bit(read, bit), rows[i].bits >> bit & 1);
	}
}

/* A failed buffer stays failed, and nothing is written through it. */
static void failure_is_kept_by_the_buffer(void **state)
{
	auto_value(buf) out = { .failed = true };
	auto_value(problem) p = { 0 };

	(void)state;
	struct der d = der_writer(&out);
	der_open(&d, 0x30);
	der_put_oid(&d, "2.5.29.17");
	der_put_time(&d, 0);
	der_put_integer(&d, BYTES("\x01", 1));
	der_close(&d);
	assert_int_equal(d.depth, 0);
	assert_false(buf_check(&out, &p));
	assert_int_equal(out.len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lengths_are_shortest),
		cmocka_unit_test(nesting_counts_inner_lengths),
		cmocka_unit_test(the_deepest_nesting_fits),
		cmocka_unit_test(integers_are_minimal_and_positive),
		cmocka_unit_test(oids_read_back),
		cmocka_unit_test(booleans_are_der),
		cmocka_unit_test(times_change_form_in_2050),
		cmocka_unit_test(bits_drop_trailing_zeros),
		cmocka_unit_test(failure_is_kept_by_the_buffer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
