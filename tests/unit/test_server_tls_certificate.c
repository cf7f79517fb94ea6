/* What listeners show, from PEM: what can be read, whose the key is, and what clients would refuse. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "server/tls_certificate.h"

enum { DAY = 86400, COUNT = 5 };

/* root, CA, leaf; a leaf that has ended; a CA of the same key that is yet to begin */
enum { ROOT, CA, LEAF, ENDED, EARLY };
static EVP_PKEY *keys[COUNT];
static X509 *made[COUNT];
static char *pems[COUNT];

static X509 *make(EVP_PKEY *key, const char *name, X509 *by, EVP_PKEY *by_key, long from, long until)
{
	X509 *one = X509_new();

	X509_set_version(one, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(one), (long)(from + until + 1000 * DAY));
	X509_NAME_add_entry_by_txt(X509_get_subject_name(one), "CN", MBSTRING_UTF8, (const unsigned char *)name, -1, -1, 0);
	X509_set_issuer_name(one, X509_get_subject_name(by ?: one));
	X509_gmtime_adj(X509_getm_notBefore(one), from);
	X509_gmtime_adj(X509_getm_notAfter(one), until);
	X509_set_pubkey(one, key);
	assert_true(X509_sign(one, by_key, EVP_sha256()) > 0);
	return one;
}

static int setup(void **state)
{
	(void)state;
	for (int i = 0; i < EARLY; i++)
		keys[i] = EVP_EC_gen("P-256");
	keys[EARLY] = keys[CA];
	made[ROOT] = make(keys[ROOT], "root", NULL, keys[ROOT], -DAY, DAY);
	made[CA] = make(keys[CA], "ca", made[ROOT], keys[ROOT], -DAY, DAY);
	made[LEAF] = make(keys[LEAF], "leaf", made[CA], keys[CA], -DAY, DAY);
	made[ENDED] = make(keys[ENDED], "ended", made[CA], keys[CA], -2 * DAY, -DAY);
	made[EARLY] = make(keys[EARLY], "ca", made[ROOT], keys[ROOT], DAY, 2 * DAY);
	for (int i = 0; i < COUNT; i++) {
		auto_value(buf) der = {0}, pem = {0};
		assert_true(ossl_der(i2d_X509, made[i], &der));
		ossl_pem("CERTIFICATE", buf_bytes(&der), &pem);
		pems[i] = buf_take(&pem, NULL);
	}
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	for (int i = 0; i < COUNT; i++) {
		X509_free(made[i]);
		free(pems[i]);
		if (i != EARLY)
			EVP_PKEY_free(keys[i]);
	}
	return 0;
}

/* -1 ends a chain. */
static char *chain_of(const int *which)
{
	auto_value(buf) text = {0};

	for (; *which >= 0; which++)
		buf_add_str(&text, pems[*which]);
	return buf_take(&text, NULL);
}

static void what_is_judged(void **state)
{
	static const struct {
		int chain[5];
		const char *want; /* NULL: good */
	} rows[] = {
		{ { LEAF, -1 }, NULL },
		{ { LEAF, CA, -1 }, NULL },
		{ { LEAF, CA, ROOT, -1 }, NULL },
		{ { LEAF, ROOT, CA, -1 }, "RFC 8446, 4.4.2: certificate 2 did not sign the one before it" },
		{ { LEAF, CA, LEAF, -1 }, "certificate 3 did not sign the one before it" },
		{ { LEAF, LEAF, -1 }, "certificate 2 did not sign" },
		{ { ENDED, CA, -1 }, "certificate 1 ended at 20" },
		{ { LEAF, EARLY, ROOT, -1 }, "certificate 2 begins at 20" },
	};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		auto_free char *pem = chain_of(rows[i].chain);
		auto_struct(tls_certificate) *certificate = NULL;
		auto_value(problem) p = {0};
		assert_true(tls_certificate_parse(BYTES_STR(pem), &certificate, &p));
		bool good = tls_certificate_judge(certificate, clock_now(), &p);
		if (good != !rows[i].want || (!good && !strstr(p.detail, rows[i].want)))
			fail_msg("%zu: %d %s", i, good, p.detail);
	}
}

static void what_can_be_read(void **state)
{
	auto_free char *broken = mem_printf("%s%.200s\n-----END CERTIFICATE-----\n", pems[LEAF], pems[CA]);
	auto_free char *spoilt = mem_printf("%s-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", pems[LEAF]);
	auto_free char *mixed = mem_printf("words\n%swords\n-----BEGIN THING-----\nAAAA\n-----END THING-----\n%swords", pems[LEAF], pems[CA]);
	auto_free char *most = mem_printf("%1$s%2$s%2$s%2$s%2$s%2$s%2$s%2$s%2$s%2$s%2$s", pems[LEAF], pems[CA]);
	auto_free char *more = mem_printf("%s%s", most, pems[CA]);
	const struct {
		const char *pem;
		int want_above; /* -1: refused */
		const char *want;
	} rows[] = {
		{ pems[LEAF], 0, NULL }, { mixed, 1, NULL }, { most, TLS_CERTIFICATE_ABOVE_MAX, NULL },
		{ more, -1, "no more than 11" }, { "", -1, "number 1" }, { "nonsense", -1, "number 1" },
		{ broken, -1, "number 2" }, { spoilt, -1, "number 2" },
	};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		auto_struct(tls_certificate) *certificate = NULL;
		auto_value(problem) p = {0};
		bool good = tls_certificate_parse(BYTES_STR(rows[i].pem), &certificate, &p);
		if (good != (rows[i].want_above >= 0) || (good && sk_X509_num(certificate->above) != rows[i].want_above) ||
		    (!good && !strstr(p.detail, rows[i].want)))
			fail_msg("%zu: %d %s", i, good, p.detail);
	}
}

static void key_must_fit(void **state)
{
	auto_struct(tls_certificate) *certificate = NULL;
	auto_value(problem) p = {0};

	(void)state;
	assert_true(tls_certificate_parse(BYTES_STR(pems[LEAF]), &certificate, &p));
	assert_false(tls_certificate_set_key(certificate, keys[CA], &p));
	assert_null(certificate->key);
	assert_true(tls_certificate_set_key(certificate, keys[LEAF], &p));
	assert_true(tls_certificate_set_key(certificate, keys[LEAF], &p)); /* again */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_judged),
		cmocka_unit_test(what_can_be_read),
		cmocka_unit_test(key_must_fit),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
