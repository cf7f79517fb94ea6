#include "est/binding.h"

#include "policy/csr.h"

/* challengePassword (RFC 2985, 5.4.1), as it stands in DER. Few CSRs have it, and only those are read
 * twice. */
static const uint8_t challenge_password[] = { 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x07 };

static bool is_unique(const struct http_tls *tls, const char *text)
{
	auto_value(buf) raw = {0}, want = {0};

	if (!tls || !tls->unique || !tls->unique(tls, &raw))
		return false;
	buf_add_base64(&want, buf_bytes(&raw));
	return !want.failed && str_equal(buf_text(&want), text);
}

static bool is_exported(const struct http_tls *tls, const char *text)
{
	uint8_t raw[32];
	auto_value(buf) want = {0};

	if (!tls || !tls->exporter || !tls->exporter(tls, raw))
		return false;
	buf_add_base64(&want, BYTES(raw, sizeof(raw)));
	return !want.failed && str_equal(buf_text(&want), text);
}

bool binding_check(const struct http_request *request, struct bytes csr_der, struct problem *p)
{
	auto_struct(csr) *csr = NULL;

	if (!memmem(csr_der.data, csr_der.len, challenge_password, sizeof(challenge_password)))
		return true;
	if (!csr_parse(csr_der, &csr, p))
		return false;
	if (csr->challenge_password[0] == '\0' || is_unique(request->tls, csr->challenge_password) ||
	    is_exported(request->tls, csr->challenge_password))
		return true;
	return problem_set(p, PROBLEM_UNAUTHORIZED, "RFC 7030, 3.5: the CSR's challengePassword is not of this TLS connection; "
	                   "make the CSR without one");
}
