/* PKCS#11 URIs of the configuration and the key files (RFC 7512): what is taken names one key of one token. */
#include <assert.h>
#include <stdint.h>

#include "ca/pkcs11_uri.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_value(pkcs11_uri) uri = { 0 };
	auto_value(problem) p = { 0 };
	auto_free char *text = strndup((const char *)data, size);

	if (!text || !pkcs11_uri_parse(text, &uri, &p))
		return 0;
	assert(uri.object || uri.id.len > 0);
	assert(uri.token || uri.serial || uri.has_slot);
	return 0;
}
