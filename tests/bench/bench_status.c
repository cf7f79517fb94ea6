/* What revocation status costs: a CRL of 100,000 entries built from the store, and OCSP answers against
 * the signature that is in each. One thread; BENCH_REVOKED sets the number of entries. */
#include <assert.h>
#include <stdio.h>
#include <sys/resource.h>

#include <openssl/ocsp.h>

/* The helpers of the unit tests, with assert in cmocka's place. */
#define assert_true(c) assert(c)
#define assert_false(c) assert(!(c))
#define assert_null(c) assert(!(c))
#define assert_non_null(c) assert(c)
#define assert_int_equal(a, b) assert((a) == (b))
#define print_error(...) fprintf(stderr, __VA_ARGS__)
#include "ca/crls.h"
#include "ca/ocsp.h"
#include "tests/unit/test_ca_status.h"

declare_auto(X509_CRL, X509_CRL_free);
declare_auto(OCSP_REQUEST, OCSP_REQUEST_free);

enum { REVOKED = 100000, BATCH = 1000, ROUNDS = 2000 };

static long peak_kb(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_maxrss;
}

/* --- the CRL */

struct batch {
	const struct certificate *pattern;
	unsigned begin, end;
};

/* Rows like a real one but for what must be unique. */
static bool put_batch(struct store_txn *txn, void *arg, struct problem *p)
{
	const struct batch *batch = arg;

	for (unsigned i = batch->begin; i < batch->end; i++) {
		struct certificate row = *batch->pattern;
		uint8_t digest[SHA256_SIZE];
		auto_value(buf) id = { 0 };
		digest_sha256(BYTES(&i, sizeof(i)), digest);
		digest[0] = (uint8_t)(digest[0] | 0x40);
		row.serial = BYTES(digest, 16);
		row.fingerprint = row.key_hash = BYTES(digest, sizeof(digest));
		buf_add_base64url(&id, BYTES(digest + 16, 16));
		memcpy(row.id, buf_text(&id), sizeof(row.id));
		row.status = CERTIFICATE_REVOKED;
		row.revoked = row.issued;
		row.reason = i % 2 ? 4 : 0;
		if (!store_certificate_put(txn, &row, p))
			return false;
	}
	return true;
}

static void fill(const struct certificate *pattern, unsigned count)
{
	for (struct batch batch = { .pattern = pattern }; batch.begin < count; batch.begin = batch.end) {
		auto_value(problem) p = { 0 };
		batch.end = batch.begin + BATCH < count ? batch.begin + BATCH : count;
		status_check(store_update(status.store, put_batch, &batch, &p), &p);
	}
}

static void open_disk_store(void)
{
	auto_value(problem) p = { 0 };

	store_close(status.store);
	status_check(store_open(in_folder("store"), true, NULL, &status.store, &p), &p);
}

static void check_crl(const struct crl *crl, unsigned count)
{
	const unsigned char *at = crl->der.data;
	auto(X509_CRL) *parsed = d2i_X509_CRL(NULL, &at, (long)crl->der.len);
	auto(X509) *issuer = test_parse(issuer_certificate(status_issuer()));

	assert(parsed && sk_X509_REVOKED_num(X509_CRL_get_REVOKED(parsed)) == (int)count);
	assert(X509_CRL_verify(parsed, X509_get0_pubkey(issuer)) == 1);
}

static void bench_crl(unsigned count)
{
	const struct crls_options options = { .lifetime = 2 * TEST_DAY, .interval = TEST_DAY / 2 };
	auto_value(certificate) pattern = { 0 };
	auto_value(problem) p = { 0 };
	struct crls *crls = NULL;
	struct crl *crl = NULL;

	status_open(KEYFILE_EC_P256);
	open_disk_store();
	status_issue(TEST_DAY, &pattern);
	fill(&pattern, count);
	status_check(crls_open(&options, status.store, status.ca, &crls, &p), &p);
	long before = peak_kb();
	int64_t cpu = clock_cpu_us(), begin = clock_monotonic_ms();
	status_check(crls_refresh(crls, &p) && crls_get(crls, "issuing", (struct crl_name){ 0 }, &crl, &p), &p);
	cpu = clock_cpu_us() - cpu;
	printf("CRL of %zu entries: %zu bytes, %.1f CPU ms, %lld ms, %.2f us an entry, %.1f MB more memory at the peak\n", crl->count,
	       crl->der.len, (double)cpu / 1000, (long long)(clock_monotonic_ms() - begin), (double)cpu / count,
	       (double)(peak_kb() - before) / 1024);
	check_crl(crl, count);
	crl_unref(crl);
	crls_close(crls);
	status_close();
}

/* --- OCSP */

struct round {
	struct ocsp *ocsp;
	EVP_MD_CTX *ready;
	struct buf plain, nonce;
	size_t size;
};

static void request_make(const struct certificate *row, bool nonce, struct buf *ret)
{
	auto(X509) *certificate = test_parse(row->der), *issuer = test_parse(issuer_certificate(status_issuer()));
	auto(OCSP_REQUEST) *request = OCSP_REQUEST_new();

	assert(OCSP_request_add0_id(request, OCSP_cert_to_id(EVP_sha1(), certificate, issuer)));
	assert(!nonce || OCSP_request_add1_nonce(request, NULL, 32) == 1);
	assert(ossl_der(i2d_OCSP_REQUEST, request, ret));
}

static void answer(struct round *r, const struct buf *request)
{
	auto_value(ocsp_reply) reply = { 0 };
	auto_value(problem) p = { 0 };

	status_check(ocsp_answer(r->ocsp, "issuing", buf_bytes(request), &reply, &p), &p);
	r->size = reply.der.len;
}

static void kept_round(struct round *r)
{
	answer(r, &r->plain);
}

static void signed_round(struct round *r)
{
	answer(r, &r->nonce);
}

/* As bare as OpenSSL signs: the algorithm is fetched, the context is prepared. */
static void bare_round(struct round *r)
{
	uint8_t message[250] = { 0 }, signature[512];
	size_t len = sizeof(signature);
	auto(EVP_MD_CTX) *ctx = EVP_MD_CTX_new();

	assert(EVP_MD_CTX_copy_ex(ctx, r->ready) == 1);
	assert(EVP_DigestSign(ctx, signature, &len, message, sizeof(message)) == 1);
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

static void bench_ocsp(const char *name, enum keyfile_kind kind)
{
	const struct ocsp_options options = { .lifetime = 3600, .responder_lifetime = TEST_DAY, .nonce = true, .cache_places = 4096 };
	int rounds = kind == KEYFILE_EC_P256 ? ROUNDS : ROUNDS / 10;
	auto_value(certificate) row = { 0 };
	auto_value(problem) p = { 0 };
	auto(EVP_PKEY) *key = NULL;
	auto(EVP_MD_CTX) *ready = EVP_MD_CTX_new();
	struct round r = { .ready = ready };

	status_open(kind);
	open_disk_store();
	status_issue(TEST_DAY, &row);
	status_check(ocsp_open(&options, status.store, status.ca, &r.ocsp, &p) && ocsp_refresh(r.ocsp, &p) &&
	             keyfile_generate(kind, &key, &p), &p);
	assert(EVP_DigestSignInit_ex(ready, NULL, kind == KEYFILE_EC_P384 ? "SHA384" : "SHA256", NULL, NULL, key, NULL) == 1);
	request_make(&row, false, &r.plain);
	request_make(&row, true, &r.nonce);
	double bare = measure(bare_round, &r, rounds), live = measure(signed_round, &r, rounds), kept = measure(kept_round, &r, ROUNDS);
	printf("%-9s %6zu %10.1f %10.1f %6.2f %10.1f %12.0f %12.0f\n", name, r.size, bare, live, live / bare, kept, 1e6 / live, 1e6 / kept);
	buf_free(&r.plain);
	buf_free(&r.nonce);
	ocsp_close(r.ocsp);
	status_close();
}

int main(void)
{
	const char *text = getenv("BENCH_REVOKED");

	test_keys_make();
	bench_crl(text ? (unsigned)atoi(text) : REVOKED);
	printf("OCSP, CPU microseconds an answer of one certificate, by the issuer's key\n");
	printf("%-9s %6s %10s %10s %6s %10s %12s %12s\n", "issuer", "bytes", "signature", "signed", "times", "kept", "signed/s", "kept/s");
	bench_ocsp("ec-p256", KEYFILE_EC_P256);
	bench_ocsp("ec-p384", KEYFILE_EC_P384);
	bench_ocsp("rsa-3072", KEYFILE_RSA_3072);
	test_keys_free();
	return 0;
}
