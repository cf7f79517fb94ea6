/* Android's key descriptions: DER in a certificate whose key has signed the challenge. What is judged good has the key
 * authorization, or its hash, in it. */
#include "acme/attestation_statement.h"
#include "base/digest.h"

#define KEY_AUTHORIZATION "token.thumbprint"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static EVP_PKEY *key;
static uint8_t statement[256];
static size_t statement_len;

/* { "alg": -7, "sig": signature } */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	auto(EVP_MD_CTX) *ctx = EVP_MD_CTX_new();
	size_t len = 72;

	(void)argc;
	(void)argv;
	key = EVP_EC_gen("P-256");
	memcpy(statement, "\xa2\x63" "alg" "\x26\x63" "sig" "\x58", 11);
	if (!key || EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key) != 1 ||
	    EVP_DigestSign(ctx, statement + 12, &len, (const uint8_t *)KEY_AUTHORIZATION, strlen(KEY_AUTHORIZATION)) != 1)
		abort();
	statement[11] = (uint8_t)len;
	statement_len = 12 + len;
	return 0;
}

static X509 *make(const uint8_t *data, size_t size)
{
	X509 *certificate = X509_new();
	auto(ASN1_OBJECT) *oid = OBJ_txt2obj("1.3.6.1.4.1.11129.2.1.17", 1);
	auto(ASN1_OCTET_STRING) *value = ASN1_OCTET_STRING_new();

	ASN1_OCTET_STRING_set(value, data, (int)size);
	X509_EXTENSION *e = X509_EXTENSION_create_by_OBJ(NULL, oid, 0, value);
	if (X509_set_pubkey(certificate, key) != 1 || X509_add_ext(certificate, e, -1) != 1)
		abort();
	X509_EXTENSION_free(e);
	return certificate;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes wanted = BYTES_STR(KEY_AUTHORIZATION);
	const struct attestation_challenge challenge = { wanted, wanted, BYTES_STR("token") };
	auto(ossl_x509_stack) *path = sk_X509_new_null();
	auto_value(attestation) got = {0};
	auto_value(problem) p = {0};
	uint8_t hash[SHA256_SIZE];
	struct cbor_run run;

	if (!sk_X509_push(path, make(data, size)) || !cbor_read(BYTES(statement, statement_len), &run, &p))
		abort();
	const struct attestation_statement s = { .format = ATTESTATION_ANDROID_KEY, .challenge = challenge, .fields = &run.item[0], .path = path };
	bool good = attestation_android_key(&s, &got, &p);
	if (!good && !problem_is_set(&p))
		abort();
	digest_sha256(wanted, hash);
	if (good && !memmem(data, size, wanted.data, wanted.len) && !memmem(data, size, hash, sizeof(hash)))
		abort();
	return 0;
}
