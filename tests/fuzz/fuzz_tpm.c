/* Structures of a TPM: TPMS_ATTEST, TPMT_PUBLIC with the key in it, TPMT_SIGNATURE. Each input is tried as each. */
#include "acme/tpm.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void within(struct bytes part, const uint8_t *data, size_t size)
{
	if (part.len > 0 && (part.data < data || part.data + part.len > data + size))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = BYTES(data, size);
	struct tpm_certified certified;
	struct tpm_public public;
	struct tpm_signature signature;
	auto_value(problem) p = {0};
	auto(EVP_PKEY) *key = NULL;

	if (tpm_certified_read(in, &certified, &p)) {
		within(certified.extra_data, data, size);
		within(certified.name, data, size);
	}
	if (tpm_signature_read(in, &signature)) {
		within(signature.rsa, data, size);
		within(signature.r, data, size);
		within(signature.s, data, size);
	}
	if (tpm_public_read(in, &public, &p)) {
		within(public.modulus, data, size);
		within(public.x, data, size);
		within(public.y, data, size);
		if (!tpm_public_key(&public, &key, &p) && !problem_is_set(&p))
			abort();
	}
	return 0;
}
