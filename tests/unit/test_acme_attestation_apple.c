#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "attestation_maker.h"

#define SERIAL "1.2.840.113635.100.8.9.1"
#define UDID "1.2.840.113635.100.8.9.2"
#define SEPOS_VERSION "1.2.840.113635.100.8.10.2"
#define FRESHNESS "1.2.840.113635.100.8.11.1"
#define WEBAUTHN_NONCE "1.2.840.113635.100.8.2"

enum code { CODE_TOKEN, CODE_KEY_AUTHORIZATION, CODE_OTHER, CODE_PLAIN, CODE_SHORT, CODE_DER, CODE_NONE, CODE_TWICE };

static const struct row {
	const char *serial, *udid;
	enum code code;
	bool serial_twice;
	size_t want_names;
	const char *want; /* NULL: good */
} rows[] = {
	{ "DK1234ABCD", "00008110-001C195E0E91801E", CODE_TOKEN, .want_names = 2 },
	{ "DK1234ABCD", NULL, CODE_TOKEN, .want_names = 1 },
	{ NULL, "00008110-001C195E0E91801E", CODE_TOKEN, .want_names = 1 },
	{ NULL, NULL, CODE_TOKEN, .want = "names no device" },
	{ "DK1234ABCD", NULL, CODE_KEY_AUTHORIZATION, .want = "freshness code is not the SHA-256 of this challenge's token" },
	{ "DK1234ABCD", NULL, CODE_OTHER, .want = "freshness code is not" },
	{ "DK1234ABCD", NULL, CODE_PLAIN, .want = "freshness code is not" },
	{ "DK1234ABCD", NULL, CODE_SHORT, .want = "freshness code is not" },
	{ "DK1234ABCD", NULL, CODE_DER, .want = "freshness code is not" },
	{ "DK1234ABCD", NULL, CODE_NONE, .want = "no freshness code" },
	{ "DK1234ABCD", NULL, CODE_TWICE, .want = FRESHNESS " 2 times" },
	{ "DK1234ABCD", NULL, CODE_TOKEN, .serial_twice = true, .want = SERIAL " 2 times" },
};

static void put_code(struct buf *b, enum code code)
{
	const char *text = code == CODE_KEY_AUTHORIZATION ? KEY_AUTHORIZATION : code == CODE_OTHER ? "another" : TOKEN;
	uint8_t hash[SHA256_SIZE];

	digest_sha256(BYTES_STR(text), hash);
	if (code == CODE_PLAIN)
		buf_add_str(b, TOKEN);
	else if (code == CODE_DER)
		put_der(b, V_ASN1_OCTET_STRING, BYTES(hash, sizeof(hash)));
	else
		buf_add(b, hash, sizeof(hash) - (code == CODE_SHORT));
}

static X509 *make_leaf(const struct row *row, const struct maker_of_devices *m, EVP_PKEY *key)
{
	auto_value(buf) code = {0};
	struct plan plan = { .name = "leaf", .key = key, .issuer = m->ca, .issuer_key = m->ca_key };
	size_t n = 0;

	put_code(&code, row->code);
	plan.extensions[n++] = (struct extension){ SEPOS_VERSION, false, BYTES_STR("16.0") };
	plan.extensions[n++] = (struct extension){ WEBAUTHN_NONCE, false, buf_bytes(&code) };
	for (int i = 0; row->serial && i <= row->serial_twice; i++)
		plan.extensions[n++] = (struct extension){ SERIAL, false, BYTES_STR(row->serial) };
	if (row->udid)
		plan.extensions[n++] = (struct extension){ UDID, false, BYTES_STR(row->udid) };
	for (int i = 0; row->code != CODE_NONE && i <= (row->code == CODE_TWICE); i++)
		plan.extensions[n++] = (struct extension){ FRESHNESS, false, buf_bytes(&code) };
	return make_certificate(&plan);
}

static void judges_apple_statements(void **state)
{
	struct maker_of_devices m = make_maker("Apple Enterprise Attestation Root CA");
	const struct attestation_rules rules = { .roots[ATTESTATION_APPLE] = m.trust };

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		auto(EVP_PKEY) *key = EVP_EC_gen("P-384");
		auto(X509) *leaf = make_leaf(&rows[i], &m, key);
		auto_value(buf) object = {0}, spki = {0};
		auto_value(attestation) got = {0};
		auto_value(problem) p = {0};

		put_object(&object, "apple", 1);
		put_x5c(&object, leaf, m.ca);
		bool good = attestation_judge(&rules, buf_bytes(&object), BYTES_STR(KEY_AUTHORIZATION), NOW, &got, &p);
		if (good != !rows[i].want || (!good && !strstr(p.detail, rows[i].want)))
			fail_msg("row %zu: %s", i, good ? "good" : p.detail);
		assert_true(good || p.kind == PROBLEM_BAD_ATTESTATION);
		if (!good)
			continue;
		assert_int_equal(got.name_count, rows[i].want_names);
		assert_true(!rows[i].serial || attestation_check_name(&got, "permanent-identifier", rows[i].serial, &p));
		assert_true(!rows[i].udid || attestation_check_name(&got, "permanent-identifier", rows[i].udid, &p));
		assert_false(attestation_check_name(&got, "permanent-identifier", "16.0", &p));
		assert_true(ossl_public_der(key, &spki, &p) && bytes_equal(buf_bytes(&spki), buf_bytes(&got.key)));
	}
	free_maker(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(judges_apple_statements),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
