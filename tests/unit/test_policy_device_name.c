#include "policy/device_name.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "policy/csr_part.h"
#include "policy_make.h"

#define PERMANENT "permanent-identifier"
#define MODULE "hardware-module"

static struct identifier name_of(const char *type, const char *value)
{
	struct identifier name;
	auto_value(problem) p = {0};

	if (!identifier_parse(type, value, &name, &p))
		fail_msg("%s", p.detail);
	return name;
}

/* Octet for octet, there and back (the device attestation draft, 3.2 and 4.2). */
static void test_there_and_back(void **state)
{
	static const struct {
		const char *type, *value, *want, *want_policy;
	} rows[] = {
		{ PERMANENT, "a", "a01106082b06010505070803a00530030c0161", "a" },
		{ PERMANENT, "a/1.2.3", "a01506082b06010505070803a00930070c016106022a03", "a/1.2.3" },
		{ PERMANENT, "\xc3\xa4 *", "a01406082b06010505070803a00830060c04c3a4202a", "\xc3\xa4 *" },
		{ PERMANENT, "a/2.999.0", "a01706082b06010505070803a00b30090c0161060488370000", NULL },
		{ MODULE, "a/1.2.3", "a01506082b06010505070804a009300706022a03040161", "1.2.3/61" },
		{ MODULE, "A b/0.39", "a01606082b06010505070804a00a3008060127" "0403412062", "0.39/412062" },
	};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		struct identifier name = name_of(rows[i].type, rows[i].value), again;
		struct csr_other_name other = {0};
		char policy[IDENTIFIER_VALUE_SIZE];
		auto_value(buf) hex = {0};
		struct problem p = {0};

		assert_true(device_name_make(&name, &other, &p));
		buf_add_hex(&hex, buf_bytes(&other.der));
		if (rows[i].want_policy)
			assert_string_equal(buf_text(&hex), rows[i].want);
		assert_true(device_name_read(&other, &again));
		assert_true(identifier_equal(&name, &again));
		device_name_policy(&name, policy);
		assert_string_equal(policy, rows[i].want_policy ?: rows[i].value);
		assert_string_equal(other.value, policy);
		buf_free(&other.der);
	}
}

/* Names that are told apart, and what is none that can be ordered. */
static void test_other_names(void **state)
{
	static const struct {
		const char *der, *want; /* NULL: no device name */
	} rows[] = {
		{ "a01106082b06010505070803a00530030c0161", "a" },
		{ "a01706082b06010505070803a00b30090c07612f312e322e33", NULL },     /* "a/1.2.3" in the value alone */
		{ "a01206082b06010505070803a006300406022a03", NULL },               /* no value */
		{ "a01306082b06010505070803a00730050c03610062", NULL },             /* a NUL in it */
		{ "a01106082b06010505070803a0053003160161", NULL },                 /* IA5String */
		{ "a01606082b06010505070804a00a300806022a0304020aff", NULL },       /* bytes that are no text */
		{ "a01606082b06010505070804a00a300806022a030402612f", NULL },       /* a "/" */
		{ "a012060a2b060104018237140203a0040c026140", NULL },               /* a user's name */
	};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		auto_value(buf) der = {0};
		struct csr_other_name other = {0};
		struct identifier name;
		struct bytes content;
		struct problem p = {0};

		make_hex(&der, rows[i].der);
		assert_true(tlv_only(buf_bytes(&der), TLV_CONTEXT_CONSTRUCTED(0), &content));
		assert_true(csr_other_read(content, buf_bytes(&der), &other, &p));
		if (device_name_read(&other, &name) != (rows[i].want != NULL))
			fail_msg("row %zu: %s", i, other.value);
		if (rows[i].want)
			assert_string_equal(name.value, rows[i].want);
		buf_free(&other.der);
	}
}

static void test_value_alone(void **state)
{
	struct identifier plain = name_of(PERMANENT, "SN 1"), assigned = name_of(PERMANENT, "SN 1/1.2.3");

	(void)state;
	assert_true(device_name_is(&plain, "SN 1") && device_name_is(&assigned, "SN 1"));
	assert_false(device_name_is(&plain, "sn 1") || device_name_is(&plain, "SN 11") || device_name_is(&plain, "SN"));
	assert_false(device_name_is(&assigned, "SN 1/1.2.3") || device_name_is(&plain, ""));
	assert_int_equal(device_name_length(&assigned), 4);
}

/* What its own CSR could not say is no identifier. */
static void test_unseen(void **state)
{
	static const char *const values[] = { "S\xc2\x9d-7/1.2.3.4", "SN\xe2\x80\x8b", " SN", "SN " };

	(void)state;
	for (size_t i = 0; i < array_length(values); i++) {
		auto_value(problem) p = {0};
		struct identifier name;
		if (identifier_parse(PERMANENT, values[i], &name, &p) || p.kind != PROBLEM_REJECTED_IDENTIFIER)
			fail_msg("row %zu: %s", i, p.detail);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_there_and_back),
		cmocka_unit_test(test_other_names),
		cmocka_unit_test(test_value_alone),
		cmocka_unit_test(test_unseen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
