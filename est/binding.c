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
	mem_wipe(raw, sizeof(raw));
	return !want.failed && str_equal(buf_text(&want), text);
}

static bool refuse(const struct est_call *call, struct problem *p)
{
	const struct http_tls *tls = call->request->tls;
	bool is_13 = tls && str_equal(tls->version, "TLSv1.3");

	if (call->proxied || !tls)
		return problem_set(p, PROBLEM_UNAUTHORIZED, "RFC 7030, 3.5: the CSR's challengePassword cannot be of this TLS connection, "
		                   "which a proxy has ended; make the CSR without one");
	if (is_13 && !call->authentication->exporter)
		return problem_set(p, PROBLEM_UNAUTHORIZED, "RFC 7030, 3.5: TLS 1.3 has no tls-unique for the CSR's challengePassword; "
		                   "make the CSR without one, or use TLS 1.2");
	return problem_set(p, PROBLEM_UNAUTHORIZED, "RFC 7030, 3.5: the CSR's challengePassword is not of this TLS connection: "
	                   "base64 of its %s is wanted", is_13 ? "tls-exporter (RFC 9266)" : "tls-unique (RFC 5929)");
}

static bool require(const struct est_call *call, struct problem *p)
{
	return call->authentication->binding != AUTHENTICATION_BINDING_REQUIRED ||
	       problem_set(p, PROBLEM_UNAUTHORIZED, "RFC 7030, 3.5: the linking of identity and proof of possession is required: the "
	                   "CSR's challengePassword must be base64 of the connection's tls-unique%s",
	                   call->authentication->exporter ? ", or of its tls-exporter" : "");
}

bool binding_check(const struct est_call *call, const struct identity *identity, struct bytes csr_der, struct problem *p)
{
	const struct http_tls *tls = call->proxied ? NULL : call->request->tls;
	auto_struct(csr) *csr = NULL;

	if (identity_vouches(identity))
		return true;
	if (!memmem(csr_der.data, csr_der.len, challenge_password, sizeof(challenge_password)))
		return require(call, p);
	if (!csr_parse(csr_der, &csr, p))
		return false;
	if (csr->challenge_password[0] == '\0')
		return require(call, p);
	return is_unique(tls, csr->challenge_password) ||
	       (call->authentication->exporter && is_exported(tls, csr->challenge_password)) || refuse(call, p);
}
