/* What issuing costs beyond the signature: CPU of ca_issue, of its signature alone, and of the same
 * certificate through the X509 calls, for each kind of issuer key. One thread, nothing stored. */
#include <assert.h>
#include <stdio.h>

/* The helpers of the unit tests, with assert in cmocka's place. */
#define assert_true(c) assert(c)
#define assert_null(c) assert(!(c))
#define assert_non_null(c) assert(c)
#define assert_int_equal(a, b) assert((a) == (b))
#define print_error(...) fprintf(stderr, __VA_ARGS__)
#include "tests/unit/test_ca_issue.h"

enum { ROUNDS = 2000 };

struct round {
	struct ca *ca;
	EVP_PKEY *key;
	X509 *issuer;
	struct approval_facts facts;
	size_t size;
};

static void issue_round(struct round *r)
{
	auto_value(certificate) row = { 0 };
	auto_value(problem) p = { 0 };

	assert(test_issue(r->ca, &r->facts, &row, &p));
	r->size = row.der.len;
}

static void approval_round(struct round *r)
{
	auto_struct(approval) *approval = NULL;
	auto_value(problem) p = { 0 };

	assert(approval_make(&r->facts, &approval, &p));
}

/* As bare as OpenSSL signs: the algorithm is fetched, the context is prepared. */
static void signature_round(struct round *r)
{
	static EVP_MD_CTX *ready;
	static EVP_PKEY *of;
	uint8_t message[600] = { 0 }, signature[512];
	size_t len = sizeof(signature);
	auto(EVP_MD_CTX) *ctx = EVP_MD_CTX_new();

	if (of != r->key) {
		EVP_MD_CTX_free(ready);
		ready = EVP_MD_CTX_new();
		of = r->key;
		assert(EVP_DigestSignInit_ex(ready, NULL, EVP_PKEY_get_bits(of) == 384 ? "SHA384" : "SHA256", NULL, NULL, of, NULL) == 1);
	}
	assert(EVP_MD_CTX_copy_ex(ctx, ready) == 1);
	assert(EVP_DigestSign(ctx, signature, &len, message, sizeof(message)) == 1);
}

static void add_extension(X509 *certificate, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;

	X509V3_set_ctx(&ctx, issuer, certificate, NULL, NULL, 0);
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	assert(extension && X509_add_ext(certificate, extension, -1) == 1);
	X509_EXTENSION_free(extension);
}

/* The same certificate as everyday code makes it. */
static void plain_round(struct round *r)
{
	auto(X509) *certificate = X509_new();
	auto(BIGNUM) *serial = BN_new();
	const unsigned char *at = r->facts.spki.data;
	auto(EVP_PKEY) *key = d2i_PUBKEY(NULL, &at, (long)r->facts.spki.len);
	auto_value(buf) der = { 0 };

	assert(X509_set_version(certificate, 2) == 1 && BN_rand(serial, 127, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1);
	assert(BN_to_ASN1_INTEGER(serial, X509_get_serialNumber(certificate)));
	assert(X509_set_issuer_name(certificate, X509_get_subject_name(r->issuer)) == 1);
	assert(ASN1_TIME_set(X509_getm_notBefore(certificate), r->facts.not_before));
	assert(ASN1_TIME_set(X509_getm_notAfter(certificate), r->facts.not_after));
	assert(X509_set_pubkey(certificate, key) == 1);
	add_extension(certificate, r->issuer, NID_key_usage, "critical,digitalSignature");
	add_extension(certificate, r->issuer, NID_ext_key_usage, "serverAuth");
	add_extension(certificate, r->issuer, NID_basic_constraints, "critical,CA:FALSE");
	add_extension(certificate, r->issuer, NID_subject_key_identifier, "hash");
	add_extension(certificate, r->issuer, NID_authority_key_identifier, "keyid");
	add_extension(certificate, r->issuer, NID_subject_alt_name, "critical,DNS:example.com,DNS:www.example.com");
	add_extension(certificate, r->issuer, NID_info_access, "caIssuers;URI:" TEST_BASE "/ca/issuing.crt");
	add_extension(certificate, r->issuer, NID_crl_distribution_points, "URI:" TEST_BASE "/crl/issuing/0.crl");
	assert(X509_sign(certificate, r->key, EVP_PKEY_get_bits(r->key) == 384 ? EVP_sha384() : EVP_sha256()) > 0);
	assert(ossl_der(i2d_X509, certificate, &der));
}

/* CPU microseconds a round, the best of three runs: others use the machine too. */
static double measure(void (*round)(struct round *), struct round *r, int rounds)
{
	double best = 1e9;

	for (int run = 0; run < 3; run++) {
		int64_t begin = clock_cpu_us();
		for (int i = 0; i < rounds; i++)
			round(r);
		double each = (double)(clock_cpu_us() - begin) / rounds;
		best = each < best ? each : best;
	}
	return best;
}

static void bench(const char *name, enum keyfile_kind kind, const struct identifiers *names, const struct strings *usages)
{
	auto_value(problem) p = { 0 };
	auto_struct(ca) *ca = NULL;
	auto(EVP_PKEY) *key = NULL;

	assert(folder_setup(NULL) == 0);
	test_create(folder, KEYFILE_EC_P256, kind);
	ca = test_open(folder, TEST_BASE);
	assert(keyfile_read(in_folder("issuing.key"), test_passphrase, &key, &p));
	auto(X509) *issuer = test_parse(issuer_certificate(ca_issuer(ca, "")));
	struct round r = { .ca = ca, .key = key, .issuer = issuer, .facts = test_facts(KEY_EC_P256, names, usages) };
	int rounds = kind == KEYFILE_EC_P256 ? ROUNDS : ROUNDS / 10;
	double approval = measure(approval_round, &r, ROUNDS), signature = measure(signature_round, &r, rounds);
	double issue = measure(issue_round, &r, rounds) - approval, plain = measure(plain_round, &r, rounds);
	printf("%-9s %6zu %12.1f %12.1f %12.1f %12.1f\n", name, r.size, signature, issue, issue - signature, plain);
	assert(folder_teardown(NULL) == 0);
}

int main(void)
{
	static const char *const list[] = { "dns:www.example.com", "dns:example.com", NULL };
	auto_value(strings) usages = { 0 };

	test_keys_make();
	auto_value(identifiers) names = test_names(list);
	assert(strings_add(&usages, "1.3.6.1.5.5.7.3.1"));
	printf("CPU microseconds a certificate of two names and a P-256 key, by the issuer's key\n");
	printf("%-9s %6s %12s %12s %12s %12s\n", "issuer", "bytes", "signature", "ca_issue", "beyond it", "X509 calls");
	bench("ec-p256", KEYFILE_EC_P256, &names, &usages);
	bench("ec-p384", KEYFILE_EC_P384, &names, &usages);
	bench("rsa-3072", KEYFILE_RSA_3072, &names, &usages);
	bench("rsa-4096", KEYFILE_RSA_4096, &names, &usages);
	test_keys_free();
	return 0;
}
