/* The value of an Authorization header, as Basic and as Digest: what is read fits its fields and can be read again. */
#include <stdlib.h>

#include "est/basic.h"
#include "est/digest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void try_basic(const char *header)
{
	struct basic basic;
	auto_value(problem) p = {0};

	if (!basic_read(header, &basic, &p)) {
		must(problem_is_set(&p));
		return;
	}
	must(memchr(basic.user, 0, sizeof(basic.user)) && memchr(basic.password, 0, sizeof(basic.password)));
	must(!strchr(basic.user, ':') && (basic.colon || !basic.user[0]) && basic_code(&basic));
}

static void try_digest(const char *header)
{
	const struct http_request request = { .path = "/.well-known/est/a/simpleenroll", .method_name = "POST" };
	struct digest digest;
	auto_value(problem) p = {0};

	if (!digest_read(header, &request, &digest, &p)) {
		must(problem_is_set(&p));
		return;
	}
	const struct password_claim claim = digest_claim(&digest, &request);
	must(strlen(claim.response) == (digest.sha256 ? 64 : 32) && *claim.user && *claim.nonce && digest.count > 0);
	must(strstr(claim.uri, "simpleenroll"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_free char *header = strndup((const char *)data, size);

	must(header);
	try_basic(header);
	try_digest(header);
	return 0;
}
