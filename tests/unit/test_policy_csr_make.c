/* CSRs of keys that the server makes: what is asked for is in them, and the parser that judges all CSRs reads it. */
#include "policy/csr_make.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "policy_make.h"

static const struct subject nobody;
static const struct identifiers no_names;

static struct csr *parsed(const struct buf *der)
{
	struct csr *csr = NULL;
	struct problem p = {0};

	assert_true(csr_parse(buf_bytes(der), &csr, &p));
	return csr;
}

static struct csr *made(const struct csr_wish *wish, enum key_algorithm algorithm, unsigned signatures)
{
	auto(EVP_PKEY) *key = NULL;
	auto_value(buf) der = {0};
	struct problem p = {0};

	assert_true(key_make(algorithm, &key, &p) && csr_make(wish, key, signatures, &der, &p));
	struct csr *csr = parsed(&der);
	assert_int_equal(csr->algorithm, algorithm);
	return csr;
}

static void add_name(struct identifiers *names, const char *type, const char *value)
{
	struct identifier name;
	struct problem p = {0};

	assert_true(identifier_parse(type, value, &name, &p) && identifiers_add(names, &name, &p));
}

static void every_kind_of_thing(void **state)
{
	auto_value(subject) subject = {0};
	auto_value(identifiers) names = {0};
	auto_value(strings) upns = {0}, usages = {0};
	struct problem p = {0};

	(void)state;
	for (enum subject_type type = 0; type < SUBJECT_TYPE_MAX; type++)
		assert_true(subject_add(&subject, type, type == SUBJECT_C ? "DE" : "device", &p));
	add_name(&names, "dns", "*.example.com");
	add_name(&names, "ip", "192.0.2.1");
	add_name(&names, "ip", "2001:db8::1");
	add_name(&names, "email", "a@example.com");
	add_name(&names, "uri", "https://example.com/x");
	assert_true(strings_add(&upns, "user@example.com") && strings_add(&usages, "1.3.6.1.5.5.7.3.1") &&
	            strings_add(&usages, "1.3.6.1.5.5.7.3.2"));
	const struct csr_wish wish = {
		.subject = &subject, .names = &names, .upns = &upns, .extended_key_usage = &usages, .path_length = 3, .ca = true,
		.key_usage = KU_DIGITAL_SIGNATURE | KU_KEY_CERT_SIGN | KU_DECIPHER_ONLY,
	};
	auto_struct(csr) *csr = made(&wish, KEY_EC_P256, 0);
	assert_true(identifiers_equal(&csr->names, &names));
	assert_int_equal(csr->subject_count, SUBJECT_TYPE_MAX);
	for (enum subject_type type = 0; type < SUBJECT_TYPE_MAX; type++)
		assert_string_equal(csr->subject[type].oid, subject_type_oid(type));
	assert_int_equal(csr->other_count, 1);
	assert_int_equal(csr->others[0].type, CSR_OTHER_UPN);
	assert_string_equal(csr->others[0].value, "user@example.com");
	assert_true(csr->has_key_usage && csr->key_usage == wish.key_usage);
	assert_int_equal(csr->extended_key_usage.n, 2);
	assert_true(csr->ca && csr->path_length == 3);
}

static void nothing_asked_is_nothing_said(void **state)
{
	const struct csr_wish wish = { .subject = &nobody, .names = &no_names };
	(void)state;
	auto_struct(csr) *csr = made(&wish, KEY_EC_P384, 0);

	assert_true(csr->extensions.n == 0 && !csr->has_key_usage && !csr->ca && csr->subject_count == 0);
}

static void signed_as_the_policy_takes(void **state)
{
	static const struct {
		enum key_algorithm key;
		unsigned allowed;
		enum csr_signature want;
	} rows[] = {
		{ KEY_EC_P256, 0, CSR_ECDSA_SHA256 },
		{ KEY_EC_P521, 1u << CSR_ECDSA_SHA512 | 1u << CSR_RSA_SHA256, CSR_ECDSA_SHA512 },
		{ KEY_RSA_2048, 1u << CSR_RSA_PSS_SHA384, CSR_RSA_PSS_SHA384 },
		{ KEY_RSA_2048, 1u << CSR_ECDSA_SHA256, CSR_RSA_SHA256 }, /* none fits: the gate refuses it */
		{ KEY_ED25519, 0, CSR_ED25519 },
	};
	const struct csr_wish wish = { .subject = &nobody, .names = &no_names };

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		auto_struct(csr) *csr = made(&wish, rows[i].key, rows[i].allowed);
		assert_int_equal(csr->signature, rows[i].want);
		assert_int_equal(csr_signature_for(rows[i].key, rows[i].allowed), rows[i].want);
	}
}

static void the_same_again_with_another_key(void **state)
{
	auto_value(subject) subject = {0};
	auto_value(identifiers) names = {0};
	auto_value(buf) first = {0}, second = {0};
	struct problem p = {0};

	(void)state;
	add_name(&names, "dns", "www.example.com");
	assert_true(subject_add(&subject, SUBJECT_CN, "www.example.com", &p));
	struct csr_wish wish = { .subject = &subject, .names = &names, .key_usage = KU_DIGITAL_SIGNATURE };
	assert_true(csr_make(&wish, make_key("P-256"), 0, &first, &p));
	assert_true(csr_make_again(buf_bytes(&first), make_key("P-256 other"), 0, &second, &p));
	auto_struct(csr) *a = parsed(&first), *b = parsed(&second);
	assert_true(csr_asks_same(a, b));
	assert_memory_not_equal(a->key_hash, b->key_hash, sizeof(a->key_hash));

	wish.key_usage = 0;
	auto_struct(csr) *usage = made(&wish, KEY_EC_P256, 0);
	assert_false(csr_asks_same(a, usage));
	wish.key_usage = KU_DIGITAL_SIGNATURE;
	auto_struct(csr) *algorithm = made(&wish, KEY_EC_P384, 0);
	assert_false(csr_asks_same(a, algorithm));
	wish.subject = &nobody;
	auto_struct(csr) *subject_less = made(&wish, KEY_EC_P256, 0);
	assert_false(csr_asks_same(a, subject_less));
	wish.subject = &subject;
	add_name(&names, "dns", "more.example.com");
	auto_struct(csr) *more = made(&wish, KEY_EC_P256, 0);
	assert_false(csr_asks_same(a, more));
}

static void what_is_no_csr_or_certificate(void **state)
{
	auto_value(buf) der = {0};
	auto_value(problem) p = {0};

	(void)state;
	assert_false(csr_make_again(BYTES_STR("x"), make_key("P-256"), 0, &der, &p));
	assert_false(csr_make_renewal(BYTES_STR("x"), make_key("P-256"), 0, &der, &p));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_of_thing),
		cmocka_unit_test(nothing_asked_is_nothing_said),
		cmocka_unit_test(signed_as_the_policy_takes),
		cmocka_unit_test(the_same_again_with_another_key),
		cmocka_unit_test(what_is_no_csr_or_certificate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
