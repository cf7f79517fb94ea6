#include "est/binding.h"

static bool is_unique(const struct http_tls *tls, const char *text)
{
	auto_value(buf) raw = {0}, want = {0};

	if (!tls || !tls->unique || !tls->unique(tls, &raw))
		return false;
	buf_add_base64(&want, buf_bytes(&raw));
	return !want.failed && str_equal(buf_text(&want), text);
}

/* RFC 9266, 4.1: for one use on a connection, which then ends. */
static bool is_exported(const struct est_call *call, const char *text)
{
	const struct http_tls *tls = call->proxied || !call->authentication->exporter ? NULL : call->request->tls;
	uint8_t raw[32];
	auto_value(buf) want = {0};

	if (!tls || !tls->exporter || !tls->exporter(tls, raw))
		return false;
	buf_add_base64(&want, BYTES(raw, sizeof(raw)));
	mem_wipe(raw, sizeof(raw));
	call->response->close = true;
	return !want.failed && str_equal(buf_text(&want), text);
}

static bool refuse(const struct est_call *call, const char *what, struct problem *p)
{
	const struct http_tls *tls = call->request->tls;
	bool is_13 = tls && str_equal(tls->version, "TLSv1.3");

	if (call->proxied || !tls)
		return problem_set(p, PROBLEM_UNAUTHORIZED,
		                   "RFC 7030, 3.5: the CSR's %s cannot be of this TLS connection, "
		                   "which a proxy has ended; make the CSR without one", what);
	if (is_13 && !call->authentication->exporter)
		return problem_set(p, PROBLEM_UNAUTHORIZED,
		                   "RFC 7030, 3.5: TLS 1.3 has no tls-unique for the CSR's %s; "
		                   "make the CSR without one, or use TLS 1.2", what);
	return problem_set(p, PROBLEM_UNAUTHORIZED, "RFC 7030, 3.5: the CSR's %s is not of this TLS connection: "
	                   "base64 of its %s is wanted", what, is_13 ? "tls-exporter (RFC 9266)"
	                   : "tls-unique (RFC 5929)");
}

static bool require(const struct est_call *call, struct problem *p)
{
	return call->authentication->binding != AUTHENTICATION_BINDING_REQUIRED ||
	       problem_set(p, PROBLEM_UNAUTHORIZED,
	                   "RFC 7030, 3.5: the linking of identity and proof of possession is required: the "
	                   "CSR's challengePassword must be base64 of the connection's tls-unique%s",
	                   call->authentication->exporter ? ", or of its tls-exporter" : "");
}

static bool check(const struct est_call *call, const char *what, const char *text, struct problem *p)
{
	const struct http_tls *tls = call->proxied ? NULL : call->request->tls;

	return is_unique(tls, text) || is_exported(call, text) || refuse(call, what, p);
}

/* RFC 7030, 3.5; RFC 7894, 4: each that is there must be right, an empty one too. */
bool binding_check(const struct est_call *call, const struct identity *identity, const struct csr *csr,
                   struct problem *p)
{
	if (identity_vouches(identity))
		return true;
	if (!csr->has_challenge_password && !csr->has_identity_linking)
		return require(call, p);
	return (!csr->has_challenge_password || check(call, "challengePassword", csr->challenge_password, p)) &&
	       (!csr->has_identity_linking || check(call, "estIdentityLinking", csr->identity_linking, p));
}
