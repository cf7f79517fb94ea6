/* The floor of an issuance: what the mandatory cryptography alone costs on this machine, in CPU
 * microseconds. "bare" has keys decoded and algorithms fetched beforehand; "plain" makes OpenSSL's
 * everyday calls. One JSON line. */
#include <openssl/ecdsa.h>
#include <stdio.h>
#include <time.h>

#include "base/ossl.h"
#include "tests/bench/http_client.h"

enum { ROUNDS = 5, TIMES = 1000 };

static EVP_PKEY *key;
static EVP_MD *sha256;
static struct buf spki, csr_der;
static uint8_t text[600], signature[80];
static size_t signature_len = sizeof signature;
static X509_NAME *issuer;

static double cpu_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void sign_bare(void)
{
	auto(EVP_MD_CTX) *ctx = EVP_MD_CTX_new();
	signature_len = sizeof signature;
	if (EVP_DigestSignInit(ctx, NULL, sha256, NULL, key) != 1 || EVP_DigestSign(ctx, signature, &signature_len, text, sizeof text) != 1)
		bench_fail("sign");
}

static void verify_with(EVP_PKEY *with, const EVP_MD *md)
{
	auto(EVP_MD_CTX) *ctx = EVP_MD_CTX_new();
	if (EVP_DigestVerifyInit(ctx, NULL, md, NULL, with) != 1 || EVP_DigestVerify(ctx, signature, signature_len, text, sizeof text) != 1)
		bench_fail("verify");
}

static void verify_bare(void)
{
	verify_with(key, sha256);
}

static void verify_plain(void)
{
	const uint8_t *p = spki.data;
	auto(EVP_PKEY) *decoded = d2i_PUBKEY(NULL, &p, (long)spki.len);
	verify_with(decoded, EVP_sha256());
}

static void csr_plain(void)
{
	const uint8_t *p = csr_der.data;
	auto(X509_REQ) *csr = d2i_X509_REQ(NULL, &p, (long)csr_der.len);
	auto(EVP_PKEY) *decoded = X509_REQ_get_pubkey(csr);
	if (X509_REQ_verify(csr, decoded) != 1)
		bench_fail("CSR");
}

static void add_extension(X509 *cert, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509V3_set_ctx(&ctx, cert, cert, NULL, NULL, 0);
	X509_EXTENSION *one = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	X509_add_ext(cert, one, -1);
	X509_EXTENSION_free(one);
}

static void certificate_plain(void)
{
	auto(X509) *cert = X509_new();
	X509_set_version(cert, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), 4711);
	X509_gmtime_adj(X509_getm_notBefore(cert), 0);
	X509_gmtime_adj(X509_getm_notAfter(cert), 7776000);
	X509_set_issuer_name(cert, issuer);
	X509_set_pubkey(cert, key);
	add_extension(cert, NID_key_usage, "critical,digitalSignature");
	add_extension(cert, NID_ext_key_usage, "serverAuth");
	add_extension(cert, NID_subject_key_identifier, "hash");
	add_extension(cert, NID_subject_alt_name, "critical,DNS:www.example.com");
	auto_value(buf) der = {0};
	if (!X509_sign(cert, key, EVP_sha256()) || !ossl_der(i2d_X509, cert, &der))
		bench_fail("certificate");
}

static void prepare(void)
{
	struct problem p = {0};
	key = EVP_EC_gen("P-256");
	sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	issuer = X509_NAME_new();
	X509_NAME_add_entry_by_txt(issuer, "CN", MBSTRING_ASC, (const unsigned char *)"Issuing CA", -1, -1, 0);
	auto(X509_REQ) *csr = X509_REQ_new();
	X509_REQ_set_pubkey(csr, key);
	if (!ossl_public_der(key, &spki, &p) || !X509_REQ_sign(csr, key, sha256) || !ossl_der(i2d_X509_REQ, csr, &csr_der))
		bench_fail("cannot prepare");
}

/* The best of a few rounds: what disturbs only ever adds. */
static double measure(void (*fn)(void))
{
	double best = 1e18;
	for (int r = 0; r < ROUNDS; r++) {
		double began = cpu_us();
		for (int i = 0; i < TIMES; i++)
			fn();
		double took = (cpu_us() - began) / TIMES;
		best = took < best ? took : best;
	}
	return best;
}

int main(void)
{
	prepare();
	sign_bare();
	double sign = measure(sign_bare), verify = measure(verify_bare);
	printf("{\"sign_us\":%.1f,\"verify_us\":%.1f,\"verify_plain_us\":%.1f,\"csr_plain_us\":%.1f,\"certificate_plain_us\":%.1f}\n", sign,
	       verify, measure(verify_plain), measure(csr_plain), measure(certificate_plain));
	return 0;
}
