/* Attestation objects: the examples of WebAuthn are the corpus and their root is trusted, so that chains
 * verify; but none is of this challenge, and none names a device. Then the formats alone, as after a chain that
 * is good. */
#include "acme/attestation_statement.h"
#include "tests/unit/webauthn_vectors.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct attestation_rules rules;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	uint8_t der[sizeof(vector_root) / 2];
	auto_value(buf) pem = {0};
	auto_value(problem) p = {0};
	struct trust *trust = NULL;
	size_t len = 0;

	(void)argc;
	(void)argv;
	(void)vectors;
	for (; len < sizeof(der); len++) {
		char byte[3] = { vector_root[2 * len], vector_root[2 * len + 1], '\0' };
		der[len] = (uint8_t)strtoul(byte, NULL, 16);
	}
	ossl_pem("CERTIFICATE", BYTES(der, len), &pem);
	if (!trust_from_pem("root", buf_bytes(&pem), &trust, &p))
		abort();
	for (size_t i = 0; i < ATTESTATION_FORMAT_MAX; i++)
		rules.roots[i] = trust;
	return 0;
}

typedef bool judge(const struct attestation_statement *s, struct attestation *ret, struct problem *p);
static judge *const judges[] = {
#define X(upper, name, lower) attestation_##lower,
	ATTESTATION_FORMATS(X)
#undef X
};

/* The first certificate of x5c, twice, as the path. */
static void judge_alone(const struct cbor *object, const struct attestation_challenge *challenge)
{
	const struct cbor *data = cbor_of(object, "authData", CBOR_BYTES);
	struct bytes auth_data = data ? data->bytes : BYTES(NULL, 0);
	const struct cbor *fields = cbor_of(object, "attStmt", CBOR_MAP);
	const struct cbor *x5c = fields ? cbor_of(fields, "x5c", CBOR_ARRAY) : NULL;

	if (!x5c || x5c->count == 0 || cbor_first(x5c)->kind != CBOR_BYTES)
		return;
	const unsigned char *at = cbor_first(x5c)->bytes.data;
	auto(X509) *leaf = d2i_X509(NULL, &at, (long)cbor_first(x5c)->bytes.len);
	auto(ossl_x509_stack) *path = sk_X509_new_null();
	if (!leaf || !path)
		return;
	for (int i = 0; i < 2; i++)
		if (X509_up_ref(leaf) != 1 || !sk_X509_push(path, leaf))
			abort();
	for (size_t i = 0; i < ATTESTATION_FORMAT_MAX; i++) {
		const struct attestation_statement s = { (enum attestation_format)i, *challenge, fields, auth_data, path };
		auto_value(attestation) got = {0};
		auto_value(problem) p = {0};

		if (!judges[i](&s, &got, &p) && !problem_is_set(&p))
			abort();
		auto(EVP_PKEY) *key = NULL;
		if (!attestation_credential_key(&s, &key, &p) && !problem_is_set(&p))
			abort();
		if (got.name_count > ATTESTATION_NAMES_MAX)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct cbor_run run;
	const struct attestation_challenge challenge = { BYTES_STR("token.thumbprint"), BYTES_STR("token.thumbprint"), BYTES_STR("token") };
	auto_value(attestation) got = {0};
	auto_value(problem) p = {0}, ignored = {0};

	if (attestation_judge(&rules, BYTES(data, size), BYTES_STR("token.thumbprint"), 1735689600, &got, &p) || !problem_is_set(&p))
		abort();
	if (cbor_read(BYTES(data, size), &run, &ignored) && run.item[0].kind == CBOR_MAP)
		judge_alone(&run.item[0], &challenge);
	return 0;
}
