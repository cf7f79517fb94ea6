#include "est/csr_attributes.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/base64.h"
#include "base/tlv.h"

/* What a client that reads CsrAttrs by its ASN.1 finds: "OID" of each element, with its values behind it. */
static void show_values(struct bytes in, struct buf *ret)
{
	struct tlv value;
	char oid[TLV_OID_SIZE];

	while (in.len > 0) {
		assert_true(tlv_next(&in, &value));
		buf_add_char(ret, ' ');
		if (value.tag == TLV_OID && tlv_oid_text(value.value, oid))
			buf_add_str(ret, oid);
		else if (value.tag & 0x20) {
			buf_printf(ret, "%02x(", value.tag);
			show_values(value.value, ret);
			buf_add_str(ret, " )");
		} else {
			buf_printf(ret, "%02x:", value.tag);
			buf_add_hex(ret, value.value);
		}
	}
}

static void show(struct bytes der, struct buf *ret)
{
	struct bytes content;

	assert_true(tlv_only(der, TLV_SEQUENCE, &content));
	show_values(content, ret);
}

struct wish {
	unsigned keys, signatures;
	bool linked;
	enum profile_csr_attributes form;
	const char *oids[4];
};

static void write(const struct wish *wish, struct buf *ret)
{
	auto_struct(profile) *profile = NULL;
	auto_value(problem) p = {0};

	assert_true(profile_new("test", &profile, &p));
	profile->keys = wish->keys;
	profile->est.csr_attributes = wish->form;
	for (size_t i = 0; i < array_length(wish->oids) && wish->oids[i]; i++)
		assert_true(strings_add(&profile->est.csr_oids, wish->oids[i]));
	assert_true(profile_settle(profile, &p));
	profile->policy->signatures = wish->signatures;
	csr_attributes_write(profile, wish->linked, ret);
	assert_false(ret->failed);
}

#define ALL_KEYS ((1u << KEY_ALGORITHM_MAX) - 1)
#define ALL_EC (1 << KEY_EC_P256 | 1 << KEY_EC_P384 | 1 << KEY_EC_P521)
#define PSS (1 << CSR_RSA_PSS_SHA256 | 1 << CSR_RSA_PSS_SHA384 | 1 << CSR_RSA_PSS_SHA512)

/* The samples of RFC 9908, 5, as a server of ours would make them, to the byte. */
static const struct {
	const char *section;
	struct wish wish;
	const char *want; /* base64 */
} samples[] = {
	{ "5.2", { 1 << KEY_EC_P384, 1 << CSR_ECDSA_SHA384, true, PROFILE_CSR_PLAIN, { "1.3.6.1.1.1.1.22" } },
	  "MDIGCSqGSIb3DQEJBzASBgcqhkjOPQIBMQcGBSuBBAAiBgcrBgEBAQEWBggqhkjOPQQDAw==" },
	{ "5.4", { 1 << KEY_RSA_4096, 1 << CSR_RSA_SHA256, true, PROFILE_CSR_PLAIN, { NULL } },
	  "MCkGCSqGSIb3DQEJBzARBgkqhkiG9w0BAQExBAICEAAGCSqGSIb3DQEBCw==" },
	{ "5.5", { 1 << KEY_EC_P384, 1 << CSR_ECDSA_SHA384, true, PROFILE_CSR_PLAIN, { "2.5.4.5" } },
	  "MC4GCSqGSIb3DQEJBzASBgcqhkjOPQIBMQcGBSuBBAAiBgNVBAUGCCqGSM49BAMD" },
	{ "5.6", { 1 << KEY_EC_P521, 1 << CSR_ECDSA_SHA512, true, PROFILE_CSR_PLAIN,
	           { "1.2.840.113549.1.9.20", "0.9.2342.19200300.100.1.5", "2.5.4.5" } },
	  "MEUGCSqGSIb3DQEJBzASBgcqhkjOPQIBMQcGBSuBBAAjBgkqhkiG9w0BCRQGCgmSJomT8ixkAQUGA1UEBQYIKoZIzj0EAwQ=" },
};

static void test_samples(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_length(samples); i++) {
		auto_value(buf) der = {0}, text = {0};
		write(&samples[i].wish, &der);
		buf_add_base64(&text, buf_bytes(&der));
		if (!str_equal(buf_text(&text), samples[i].want))
			fail_msg("RFC 9908, %s: %s", samples[i].section, buf_text(&text));
	}
}

/* What the RFCs show, read. */
static const struct {
	const char *text, *want;
} read_rows[] = {
	{ "MEEGCSqGSIb3DQEJBzASBgcqhkjOPQIBMQcGBSuBBAAiMBYGCSqGSIb3DQEJDjEJBgcrBgEBAQEWBggqhkjOPQQDAw==", /* RFC 8951, 4 */
	  " 1.2.840.113549.1.9.7 30( 1.2.840.10045.2.1 31( 1.3.132.0.34 ) ) 30( 1.2.840.113549.1.9.14 31( 1.3.6.1.1.1.1.22 ) ) 1.2.840.10045.4.3.3" },
	{ "MCkGCSqGSIb3DQEJBzARBgkqhkiG9w0BAQExBAICEAAGCSqGSIb3DQEBCw==",
	  " 1.2.840.113549.1.9.7 30( 1.2.840.113549.1.1.1 31( 02:1000 ) ) 1.2.840.113549.1.1.11" },
};

static void test_reading(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_length(read_rows); i++) {
		auto_value(buf) der = {0}, text = {0};
		assert_true(base64_decode(read_rows[i].text, strlen(read_rows[i].text), &der));
		show(buf_bytes(&der), &text);
		assert_string_equal(buf_text(&text), read_rows[i].want);
	}
}

#define KEY_USAGE " 30( 2.5.29.15 01:ff 04:030205a0 )"      /* digitalSignature, keyEncipherment */
#define SIGN_ONLY " 30( 2.5.29.15 01:ff 04:03020780 )"      /* what an EC key can have of them */
#define PURPOSES " 30( 2.5.29.37 04:301406082b0601050507030106082b06010505070302 )"
#define NAMES " 30( 2.5.29.17 )"
#define TEMPLATE(in) " 30( 1.2.840.113549.1.9.16.2.61 31( 30( 02:00" in " ) ) )"
#define EXTENSIONS(in) " a1( 30( 1.2.840.113549.1.9.16.2.62 31( 30(" in " ) ) ) )"

static const struct {
	struct wish wish;
	const char *want; /* NULL: nothing is said */
} rows[] = {
	{ { ALL_KEYS, 0, false, PROFILE_CSR_PLAIN, { NULL } }, NULL },
	{ { 1 << KEY_EC_P256, 0, false, PROFILE_CSR_NONE, { "2.5.4.5" } }, NULL },
	{ { 1 << KEY_EC_P256, 0, true, PROFILE_CSR_NONE, { "2.5.4.5" } }, " 1.2.840.113549.1.9.7" },
	{ { ALL_KEYS, 0, true, PROFILE_CSR_PLAIN, { NULL } }, " 1.2.840.113549.1.9.7" },
	{ { 1 << KEY_ED25519, 1 << CSR_RSA_PSS_SHA256, false, PROFILE_CSR_PLAIN, { NULL } }, " 30( 1.3.101.112 31( ) )" },
	{ { ALL_EC, 0, false, PROFILE_CSR_PLAIN, { NULL } }, " 30( 1.2.840.10045.2.1 31( ) )" },
	{ { 1 << KEY_RSA_3072 | 1 << KEY_RSA_4096, PSS, false, PROFILE_CSR_PLAIN, { NULL } }, " 30( 1.2.840.113549.1.1.1 31( ) ) 1.2.840.113549.1.1.10" },
	{ { 1 << KEY_EC_P256, PSS | 1 << CSR_ECDSA_SHA384, false, PROFILE_CSR_PLAIN, { NULL } },
	  " 30( 1.2.840.10045.2.1 31( 1.2.840.10045.3.1.7 ) ) 1.2.840.10045.4.3.3" },
	{ { ALL_KEYS, PSS | 1 << CSR_ECDSA_SHA384, false, PROFILE_CSR_PLAIN, { NULL } }, NULL },
	{ { ALL_KEYS, 0, false, PROFILE_CSR_EXTENSIONS, { NULL } }, " 30( 1.2.840.113549.1.9.14 31( 30(" KEY_USAGE PURPOSES " ) ) )" },
	{ { 1 << KEY_EC_P256, 0, false, PROFILE_CSR_EXTENSIONS, { NULL } },
	  " 30( 1.2.840.10045.2.1 31( 1.2.840.10045.3.1.7 ) ) 30( 1.2.840.113549.1.9.14 31( 30(" SIGN_ONLY PURPOSES " ) ) )" },
	{ { ALL_KEYS, 0, false, PROFILE_CSR_TEMPLATE, { NULL } }, TEMPLATE(EXTENSIONS(NAMES KEY_USAGE PURPOSES)) },
	{ { 1 << KEY_EC_P384, 1 << CSR_ECDSA_SHA384, true, PROFILE_CSR_TEMPLATE, { "2.5.4.5" } },
	  " 1.2.840.113549.1.9.7" TEMPLATE(" a0( 30( 1.2.840.10045.2.1 1.3.132.0.34 ) )" EXTENSIONS(NAMES SIGN_ONLY PURPOSES))
	  " 2.5.4.5 1.2.840.10045.4.3.3" },
	{ { ALL_EC, 0, false, PROFILE_CSR_TEMPLATE, { NULL } }, TEMPLATE(" a0( 30( 1.2.840.10045.2.1 ) )" EXTENSIONS(NAMES SIGN_ONLY PURPOSES)) },
};

static void test_forms(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		auto_value(buf) der = {0}, text = {0};
		write(&rows[i].wish, &der);
		assert_int_equal(der.len > 0, rows[i].want != NULL);
		if (rows[i].want) {
			show(buf_bytes(&der), &text);
			assert_string_equal(buf_text(&text), rows[i].want);
		}
	}
}

/* RFC 9908, 3.4: subject attributes with and without a value; the size of RSA by a placeholder of that size. */
static void test_template_subject(void **state)
{
	auto_struct(profile) *profile = NULL;
	auto_value(problem) p = {0};
	auto_value(buf) der = {0}, text = {0};

	(void)state;
	assert_true(profile_new("test", &profile, &p));
	profile->keys = 1 << KEY_RSA_3072;
	profile->est.csr_attributes = PROFILE_CSR_TEMPLATE;
	assert_true(subject_add(&profile->subject, SUBJECT_O, "Example", &p) && profile_settle(profile, &p));
	struct policy_values *fields = profile->policy->fields;
	assert_true(strings_add(&fields[POLICY_SUBJECT + SUBJECT_CN].required, "device-*"));
	assert_true(strings_add(&fields[POLICY_SUBJECT + SUBJECT_CN].required, "*-north"));
	assert_true(strings_add(&fields[POLICY_SUBJECT + SUBJECT_OU].required, "Pumps"));
	assert_true(strings_add(&fields[POLICY_SUBJECT + SUBJECT_OU].required, "North"));
	csr_attributes_write(profile, false, &der);
	show(buf_bytes(&der), &text);
	assert_true(str_starts(buf_text(&text), " 30( 1.2.840.113549.1.9.16.2.61 31( 30( 02:00 30( 31( 30( 2.5.4.3 ) ) 31( 30( 2.5.4.11 0c:50756d7073 ) ) 31( 30( 2.5.4.11 0c:4e6f727468 ) ) "
	                       "31( 30( 2.5.4.10 0c:4578616d706c65 ) ) ) a0( 30( 1.2.840.113549.1.1.1 05: ) 03:003082018a028201810080000000"));
	assert_non_null(strstr(buf_text(&text), "000000010203010001 ) a1( 30( 1.2.840.113549.1.9.16.2.62"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_samples), cmocka_unit_test(test_reading), cmocka_unit_test(test_forms), cmocka_unit_test(test_template_subject),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
