/* How long a chain of a device may be, and how deep. What its certificates say is tried over the wire. */
#include "policy/trust.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <openssl/x509v3.h>

enum { NOW = 1700000000, DAY = 86400, DEPTH = 7 };

/* A root, and CAs each below the one before. Ed25519: certificates of the same content have the same length. */
static struct {
	EVP_PKEY *key;
	X509 *ca[DEPTH + 1];
	struct trust *trust;
} world;

static void extend(X509 *x, int nid, const char *value)
{
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	assert_non_null(extension);
	assert_true(X509_add_ext(x, extension, -1));
	X509_EXTENSION_free(extension);
}

static void put_name(X509_NAME *name, int number)
{
	char text[32];

	snprintf(text, sizeof(text), "device-%d", number);
	X509_NAME_add_entry_by_txt(name, "serialNumber", MBSTRING_ASC, (const unsigned char *)text, -1, -1, 0);
}

static X509 *certificate(int number, int issuer, bool ca, size_t comment)
{
	X509 *x = X509_new();
	char *text = calloc(1, comment + 1);

	assert_non_null(x);
	assert_non_null(text);
	X509_set_version(x, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(x), number + 1);
	ASN1_TIME_set(X509_getm_notBefore(x), NOW - DAY);
	ASN1_TIME_set(X509_getm_notAfter(x), NOW + DAY);
	put_name(X509_get_subject_name(x), number);
	put_name(X509_get_issuer_name(x), issuer);
	X509_set_pubkey(x, world.key);
	extend(x, NID_basic_constraints, ca ? "critical,CA:TRUE" : "critical,CA:FALSE");
	memset(text, 'x', comment);
	if (comment > 0)
		extend(x, NID_netscape_comment, text);
	free(text);
	assert_true(X509_sign(x, world.key, NULL) > 0);
	return x;
}

static int setup(void **state)
{
	auto_value(buf) der = {0}, pem = {0};
	auto_value(problem) p = {0};

	(void)state;
	world.key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	for (int i = 0; i <= DEPTH; i++)
		world.ca[i] = certificate(i, i > 0 ? i - 1 : 0, true, 0);
	if (!ossl_der(i2d_X509, world.ca[0], &der))
		return -1;
	ossl_pem("CERTIFICATE", buf_bytes(&der), &pem);
	return trust_from_pem("the root", buf_bytes(&pem), &world.trust, &p) ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	trust_free(world.trust);
	for (int i = 0; i <= DEPTH; i++)
		X509_free(world.ca[i]);
	EVP_PKEY_free(world.key);
	return 0;
}

/* NULL: the chain is good. */
static void check(X509 *const *shown, size_t count, const char *want)
{
	struct buf der[16] = {0};
	struct bytes chain[16];
	auto_value(trust_device) device = {0};
	auto_value(problem) p = {0};

	for (size_t i = 0; i < count; i++) {
		assert_true(ossl_der(i2d_X509, shown[i], &der[i]));
		chain[i] = buf_bytes(&der[i]);
	}
	if (trust_check(world.trust, chain, count, NOW, &device, &p) != !want)
		fail_msg("%zu certificates: %s", count, problem_text(&p));
	if (want && !strstr(p.detail, want))
		fail_msg("%zu certificates: %s", count, p.detail);
	if (!want)
		assert_string_equal(device.serial, "device-100");
	for (size_t i = 0; i < count; i++)
		buf_free(&der[i]);
}

/* The device's own below so many CAs, all of which are shown, and the root as often as it takes to show so many. */
static void check_chain(int below, size_t shown, const char *want)
{
	auto(X509) *own = certificate(100, below, false, 0);
	X509 *chain[16] = { own };
	size_t n = 1;

	for (int i = below; i > 0; i--)
		chain[n++] = world.ca[i];
	while (n < shown && n < array_length(chain))
		chain[n++] = world.ca[0];
	check(chain, n, want);
}

static void eight_certificates_are_looked_at(void **state)
{
	(void)state;
	check_chain(0, 1, NULL);
	check_chain(2, 3, NULL);
	check_chain(2, 8, NULL);
	check_chain(2, 9, "too long a chain");
	check(NULL, 0, "too long a chain");
}

static void five_are_between_the_device_and_the_root(void **state)
{
	(void)state;
	check_chain(5, 6, NULL);
	check_chain(6, 7, "too many CAs");
}

/* Of whatever is shown, also what leads nowhere. */
static void a_chain_has_so_many_bytes(void **state)
{
	enum { SOME = 20000, ALL = 32 * 1024 };
	auto(X509) *own = certificate(100, 0, false, 0), *large = certificate(101, 0, true, SOME);
	size_t left = (size_t)(ALL - i2d_X509(own, NULL) - i2d_X509(large, NULL));
	auto(X509) *fits = certificate(101, 0, true, SOME + left), *more = certificate(101, 0, true, SOME + left + 1);

	(void)state;
	assert_int_equal(i2d_X509(own, NULL) + i2d_X509(fits, NULL), ALL);
	check((X509 *[]){ own, fits }, 2, NULL);
	check((X509 *[]){ own, more }, 2, "too long a chain");
}

static void nothing_stands_behind_a_certificate(void **state)
{
	auto(X509) *own = certificate(100, 0, false, 0);
	auto_value(buf) der = {0};
	auto_value(trust_device) device = {0};
	auto_value(problem) p = {0};

	(void)state;
	assert_true(ossl_der(i2d_X509, own, &der));
	buf_add_char(&der, 0);
	assert_false(trust_check(world.trust, &(struct bytes){ der.data, der.len }, 1, NOW, &device, &p));
	assert_int_equal(p.kind, PROBLEM_UNAUTHENTICATED);
	assert_non_null(strstr(p.detail, "cannot be read"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(eight_certificates_are_looked_at),
		cmocka_unit_test(five_are_between_the_device_and_the_root),
		cmocka_unit_test(a_chain_has_so_many_bytes),
		cmocka_unit_test(nothing_stands_behind_a_certificate),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
