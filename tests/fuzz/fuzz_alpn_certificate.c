/* Certificates that a tls-alpn-01 peer shows: DER. What is judged good has the digest of the key authorization. */
#include "acme/tls_alpn01.h"
#include "base/digest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct probe_task tasks[] = {
		{ .type = "dns", .value = "a.example", .key_authorization = "token.thumbprint" },
		{ .type = "ip", .value = "192.0.2.1", .key_authorization = "token.thumbprint" },
	};
	const unsigned char *at = data;
	auto(X509) *certificate = d2i_X509(NULL, &at, (long)size);
	uint8_t digest[SHA256_SIZE];

	if (!certificate)
		return 0;
	digest_sha256(BYTES_STR("token.thumbprint"), digest);
	for (size_t i = 0; i < array_length(tasks); i++) {
		auto_value(problem) p = {0};
		bool good = tls_alpn01_judge(certificate, &tasks[i], &p);

		if (good && !memmem(data, size, digest, sizeof(digest)))
			abort();
		if (!good && !problem_is_set(&p))
			abort();
	}
	return 0;
}
