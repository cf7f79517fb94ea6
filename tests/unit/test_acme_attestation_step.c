#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "attestation_maker.h"

#define SERIAL "1.3.6.1.4.1.41482.3.7"
#define MANAGED "1.3.6.1.4.1.37476.9000.64.4"

/* How the statement is made, and what comes of it. */
struct row {
	const char *key;             /* "P-256", "RSA" or "ED25519" */
	const char *oid, *value;     /* extension that names the device, hexadecimal */
	const char *oid2, *value2;
	int64_t alg;                 /* 0: none */
	const char *signed_text;     /* NULL: the key authorization */
	enum { WRAPPED, RAW, BROKEN, MISSING, EMPTY } sig;
	bool foreign;                /* signed by another key than the certificate's */
	const char *want_name;
	const char *want;            /* NULL: good */
};

static const struct row rows[] = {
	{ "P-256", SERIAL, "020400bc614e", .alg = -7, .want_name = "12345678" },
	{ "P-256", SERIAL, "02017b", .alg = -7, .sig = RAW, .want_name = "123" },
	{ "P-256", SERIAL, "02020080", .want_name = "128" },
	{ "RSA", SERIAL, "02017b", .alg = -257, .want_name = "123" },
	{ "RSA", SERIAL, "02017b", .alg = -257, .sig = RAW, .want_name = "123" },
	{ "RSA", SERIAL, "02017b", .want_name = "123" },
	{ "ED25519", SERIAL, "02017b", .alg = -8, .want_name = "123" },
	{ "P-256", MANAGED, "300a0c084142433132333435", .alg = -7, .want_name = "ABC12345" },
	{ "P-256", SERIAL, "02017b", .alg = -257, .want = "is not for the key" },
	{ "P-256", SERIAL, "02017b", .alg = -8, .want = "is not for the key" },
	{ "RSA", SERIAL, "02017b", .alg = -7, .want = "is not for the key" },
	{ "RSA", SERIAL, "02017b", .alg = -65535, .want = "SHA-1" },
	{ "P-256", SERIAL, "02017b", .alg = -47, .want = "not a signature algorithm that is known" },
	{ "P-256", SERIAL, "02017b", .alg = -35, .want = "sig is not a signature (ES384)" },
	{ "P-256", SERIAL, "02017b", .alg = -7, .signed_text = TOKEN, .want = "sig is not a signature" },
	{ "P-256", SERIAL, "02017b", .alg = -7, .signed_text = TOKEN ".other", .want = "sig is not a signature" },
	{ "P-256", SERIAL, "02017b", .alg = -7, .foreign = true, .want = "sig is not a signature" },
	{ "P-256", SERIAL, "02017b", .alg = -7, .sig = BROKEN, .want = "sig is not a signature" },
	{ "P-256", SERIAL, "02017b", .alg = -7, .sig = MISSING, .want = "there is no \"sig\"" },
	{ "P-256", SERIAL, "02017b", .alg = -7, .sig = EMPTY, .want = "there is no \"sig\"" },
	{ "P-256", .alg = -7, .want = "names no device" },
	{ "P-256", SERIAL, "0201ff", .alg = -7, .want = "not a positive INTEGER" },
	{ "P-256", SERIAL, "0200", .alg = -7, .want = "not a positive INTEGER" },
	{ "P-256", SERIAL, "02080102030405060708", .alg = -7, .want = "not a positive INTEGER" },
	{ "P-256", SERIAL, "02017b00", .alg = -7, .want = "not a positive INTEGER" },
	{ "P-256", SERIAL, "0c0131", .alg = -7, .want = "not a positive INTEGER" },
	{ "P-256", SERIAL, "02017b", SERIAL, "02017c", .alg = -7, .want = "2 times" },
	{ "P-256", MANAGED, "3000", .alg = -7, .want = "not a SEQUENCE of one text" },
	{ "P-256", MANAGED, "30060c01410c0142", .alg = -7, .want = "not a SEQUENCE of one text" },
	{ "P-256", MANAGED, "300304012f", .alg = -7, .want = "not a SEQUENCE of one text" },
	{ "P-256", MANAGED, "30030c012f", .alg = -7, .want = "names no device" },     /* "/" */
	{ "P-256", MANAGED, "30030c0100", .alg = -7, .want = "names no device" },
};

static void put_sig(struct buf *b, const struct row *row, EVP_PKEY *key)
{
	auto_value(buf) signature = {0}, wrapped = {0};
	const char *text = row->signed_text ? row->signed_text : KEY_AUTHORIZATION;

	sign(key, str_equal(row->key, "ED25519") ? NULL : EVP_sha256(), false, BYTES_STR(text), &signature);
	if (row->sig == BROKEN)
		signature.data[signature.len - 1] ^= 1;
	put_bytes(&wrapped, buf_bytes(&signature));
	put_text(b, "sig");
	put_bytes(b, row->sig == EMPTY ? BYTES(NULL, 0) : row->sig == RAW ? buf_bytes(&signature) : buf_bytes(&wrapped));
}

static void make_object(struct buf *b, const struct row *row, const struct maker_of_devices *m, EVP_PKEY *key)
{
	auto_value(buf) value = {0}, value2 = {0};

	if (row->oid)
		put_hex(&value, row->value);
	if (row->oid2)
		put_hex(&value2, row->value2);
	auto(X509) *leaf = make_certificate(&(struct plan){
		.name = "YubiKey PIV Attestation 9a", .key = key, .issuer = m->ca, .issuer_key = m->ca_key,
		.extensions = { { row->oid, false, buf_bytes(&value) }, { row->oid2, false, buf_bytes(&value2) } } });
	put_object(b, "step", 1 + (size_t)!!row->alg + (row->sig != MISSING));
	if (row->alg) {
		put_text(b, "alg");
		put_integer(b, row->alg);
	}
	if (row->sig != MISSING)
		put_sig(b, row, row->foreign ? made_key(row->key, ROLE_OTHER) : key);
	put_x5c(b, leaf, m->ca);
}

static void judges_step_statements(void **state)
{
	struct maker_of_devices m = make_maker("Yubico PIV Root");
	const struct attestation_rules rules = { .roots[ATTESTATION_STEP] = m.trust };

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		auto_value(buf) object = {0}, spki = {0};
		auto_value(problem) p = {0};
		auto_value(attestation) got = {0};
		EVP_PKEY *key = made_key(rows[i].key, ROLE_LEAF);

		make_object(&object, &rows[i], &m, key);
		bool good = attestation_judge(&rules, buf_bytes(&object), BYTES_STR(KEY_AUTHORIZATION), NOW, &got, &p);
		if (good != !rows[i].want || (!good && !strstr(p.detail, rows[i].want)))
			fail_msg("row %zu: %s", i, good ? "good" : p.detail);
		assert_true(good || p.kind == PROBLEM_BAD_ATTESTATION);
		if (!good)
			continue;
		assert_int_equal(got.format, ATTESTATION_STEP);
		assert_int_equal(got.name_count, 1);
		assert_string_equal(got.names[0].value, rows[i].want_name);
		assert_true(ossl_public_der(key, &spki, &p));
		assert_true(bytes_equal(buf_bytes(&spki), buf_bytes(&got.key)));
	}
	free_maker(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(judges_step_statements),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
