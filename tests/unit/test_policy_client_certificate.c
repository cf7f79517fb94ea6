/* Client certificates: what of the inventory and of the CA's issuers has to fit. The rest is tried over the wire
 * (tests/wire/test_est.py, test_est_authentication.py). */
#include "policy/client_certificate.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/digest.h"
#include "policy_make.h"
#include "store/table.h"

#define ID "certificate0000000000A"

static struct store *store;
/* Two CAs of one name, as after a new key, and a certificate of the first. */
static X509 *first, *second, *leaf;
static struct buf der;

static void extend(X509 *x, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;

	X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	assert_true(e && X509_add_ext(x, e, -1));
	X509_EXTENSION_free(e);
}

static X509 *begin(EVP_PKEY *key, const char *name, long serial)
{
	X509 *x = X509_new();

	assert_true(X509_set_version(x, X509_VERSION_3) && ASN1_INTEGER_set(X509_get_serialNumber(x), serial));
	X509_gmtime_adj(X509_getm_notBefore(x), -10);
	X509_gmtime_adj(X509_getm_notAfter(x), 1000);
	assert_true(X509_NAME_add_entry_by_NID(X509_get_subject_name(x), NID_commonName, MBSTRING_UTF8,
	                                       (const unsigned char *)name, -1, -1, 0));
	assert_true(X509_set_pubkey(x, key));
	return x;
}

static X509 *make_ca(EVP_PKEY *key)
{
	X509 *x = begin(key, "Issuing CA", 1);

	assert_true(X509_set_issuer_name(x, X509_get_subject_name(x)));
	extend(x, x, NID_basic_constraints, "critical,CA:TRUE");
	extend(x, x, NID_subject_key_identifier, "hash");
	assert_true(X509_sign(x, key, EVP_sha256()) > 0);
	return x;
}

static bool put_row(struct store_txn *txn, void *arg, struct problem *p)
{
	return store_certificate_put(txn, arg, p);
}

static int setup(void **state)
{
	static const uint8_t seal_key[32];
	static uint8_t fingerprint[SHA256_SIZE];
	EVP_PKEY *keys[] = { make_key("P-256"), make_key("P-256 other"), make_key("P-256 account") };
	struct kv *kv = NULL;
	struct problem p = {0};

	(void)state;
	first = make_ca(keys[0]);
	second = make_ca(keys[1]);
	leaf = begin(keys[2], "device", 77);
	assert_true(X509_set_issuer_name(leaf, X509_get_subject_name(first)));
	extend(leaf, first, NID_authority_key_identifier, "keyid:always");
	extend(leaf, first, NID_ext_key_usage, "clientAuth");
	assert_true(X509_sign(leaf, keys[0], EVP_sha256()) > 0 && ossl_der(i2d_X509, leaf, &der));
	digest_sha256(buf_bytes(&der), fingerprint);
	struct certificate row = {
		.id = ID, .issuer = "issuing", .serial = BYTES("\x4d", 1), .subject = "CN=device", .profile = "test",
		.not_after = clock_now() + 1000, .method = "est", .der = buf_bytes(&der),
		.fingerprint = BYTES(fingerprint, sizeof(fingerprint)), .key_hash = BYTES(fingerprint, sizeof(fingerprint)),
	};
	return kv_memory_open(&kv, &p) && store_open_kv(kv, seal_key, &store, &p) && store_update(store, put_row, &row, &p)
	       ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	store_close(store);
	buf_free(&der);
	X509_free(first);
	X509_free(second);
	X509_free(leaf);
	return 0;
}

static void judged(X509 *const *issuers, size_t n, struct bytes shown, const char *want)
{
	const struct client_certificate_shown what = { .der = shown };
	auto_value(client_certificate) found = {0};
	auto_value(problem) p = {0};
	bool good = client_certificate_check(store, issuers, n, &what, clock_now(), 0, &found, &p);

	if (!want) {
		assert_true(good);
		assert_string_equal(found.id, ID);
		return;
	}
	assert_false(good);
	assert_int_equal(p.kind, PROBLEM_UNAUTHENTICATED);
	assert_non_null(strstr(p.detail, want));
}

/* Of two CAs of one name the key decides: one that is no longer among the issuers vouches for nothing. */
static void its_issuer_is_one_of_ours(void **state)
{
	X509 *const both[] = { second, first };

	(void)state;
	judged(both, 2, buf_bytes(&der), NULL);
	judged(both + 1, 1, buf_bytes(&der), NULL);
	judged(both, 1, buf_bytes(&der), "not of this CA");
	judged(both, 0, buf_bytes(&der), "not of this CA");
}

/* The row stands for the signature, so each byte counts: of the signature, too, and of what follows it. */
static void its_bytes_are_those_of_the_inventory(void **state)
{
	X509 *const issuers[] = { first };

	(void)state;
	auto_value(buf) other = {0};
	buf_add(&other, der.data, der.len);
	other.data[other.len - 1] ^= 1;
	judged(issuers, 1, buf_bytes(&other), "not in the inventory");
	auto(X509) *resigned = X509_dup(leaf);
	auto_value(buf) again = {0};
	assert_true(X509_sign(resigned, make_key("P-256 other"), EVP_sha256()) > 0 && ossl_der(i2d_X509, resigned, &again));
	judged(issuers, 1, buf_bytes(&again), "not in the inventory");
	buf_add_char(&other, '\0');
	judged(issuers, 1, buf_bytes(&other), "cannot be read");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(its_issuer_is_one_of_ours),
		cmocka_unit_test(its_bytes_are_those_of_the_inventory),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
