#include "est/wanted.h"

#include "base/clock.h"
#include "est/digest.h"

static void add_digest(struct est *est, bool sha256, bool stale, struct http_response *response)
{
	char nonce[DIGEST_NONCE_SIZE];
	auto_value(buf) text = {0};
	auto_value(problem) ignored = {0};

	if (!digest_nonce_make(est->nonces, clock_now(), nonce, &ignored))
		return;
	digest_challenge(sha256, nonce, stale, &text);
	if (!text.failed)
		http_response_header(response, "WWW-Authenticate", buf_text(&text));
}

void wanted_write(struct est *est, const struct authentication *authentication, bool stale,
                  struct http_response *response)
{
	if (authentication->methods & AUTHENTICATION_DIGEST_MD5)
		add_digest(est, false, stale, response);
	if (authentication->methods & AUTHENTICATION_DIGEST_SHA256)
		add_digest(est, true, stale, response);
	if (authentication->methods & AUTHENTICATION_BASIC)
		http_response_header(response, "WWW-Authenticate",
		                     "Basic realm=\"" PASSWORD_REALM "\", charset=\"UTF-8\"");
}
