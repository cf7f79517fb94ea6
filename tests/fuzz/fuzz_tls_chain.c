/* A client's chain, before it is decoded: a key that is plain is no EC key on a curve of its own. */
#include <stdlib.h>

#include <openssl/ec.h>

#include "base/ossl.h"
#include "base/certificate_key.h"
#include "base/tls_chain.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool spells_out(const EVP_PKEY *key)
{
	char group[64];

	return key && EVP_PKEY_is_a(key, "EC") && EVP_PKEY_get_group_name(key, group, sizeof(group), NULL) != 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *at = data;

	for (int tls13 = 0; tls13 < 2; tls13++) {
		auto_free uint8_t *message = malloc(size + 1);
		memcpy(message, data, size);
		tls_chain_blot(message, size, tls13);
	}
	if (!certificate_key_is_plain(BYTES(data, size)))
		return 0;
	auto(X509) *certificate = d2i_X509(NULL, &at, (long)size);
	if (certificate && spells_out(X509_get0_pubkey(certificate)))
		abort();
	return 0;
}
