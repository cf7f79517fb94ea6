#include "est/requester.h"

#include "est/basic.h"

enum { ISSUERS_MAX = 64 };

static size_t issuers_of(const struct ca *ca, struct bytes ret[ISSUERS_MAX])
{
	const struct issuer *issuer;
	size_t n = 0;

	while (n < ISSUERS_MAX && (issuer = ca_issuer_at(ca, n)))
		ret[n++] = issuer_certificate(issuer);
	return n;
}

/* Behind a proxy that ends TLS there is none to see. */
static bool shows_certificate(const struct est_call *call)
{
	return call->request->tls && call->request->tls->chain_length > 0;
}

static bool by_certificate(struct est_call *call, bool renewal, struct identity **ret, struct problem *p)
{
	const struct http_tls *tls = call->request->tls;
	auto_struct(identity) *identity = NULL;
	struct bytes issuers[ISSUERS_MAX];
	size_t n = issuers_of(call->est->ca, issuers);

	if (!shows_certificate(call))
		return problem_set(p, PROBLEM_UNAUTHENTICATED, "RFC 7030, 3.2.3: a client certificate of this CA or an enrollment "
		                   "code, as HTTP Basic, is wanted");
	if (!identity_device(call->est->store, issuers, n, tls->chain[0], renewal, call->now, &identity, p) ||
	    !identity_may(identity, TOKEN_ISSUE, call->profile->name, p))
		return false;
	*ret = steal(identity);
	return true;
}

/* One bucket for an IPv4 address, one for the /64 that an IPv6 client can wander in. */
static void address_key(const struct http_request *request, char ret[ADDR_TEXT_SIZE])
{
	struct addr peer = request->peer;

	if (peer.family == AF_INET6)
		memset(peer.byte + 8, 0, 8);
	addr_format(&peer, ret);
}

static bool slow_down(struct problem *p, const char *address, int wait)
{
	problem_set(p, PROBLEM_RATE_LIMITED, "too many wrong enrollment codes from %s", address);
	p->retry_after = wait;
	return false;
}

/* Who has guessed wrong too often is not told whether the next guess is right. */
static bool by_code(struct est_call *call, const char *code, struct identity **ret, struct problem *p)
{
	struct est *est = call->est;
	char address[ADDR_TEXT_SIZE];
	int wait;

	address_key(call->request, address);
	if (!limit_has(est->failures, address, &wait))
		return slow_down(p, address, wait);
	if (identity_enrollment(est->store, code, call->now, ret, p))
		return true;
	if (p->kind == PROBLEM_UNAUTHENTICATED && !limit_take(est->failures, address, &wait))
		return slow_down(p, address, wait);
	return false;
}

/* No code mends a renewal: not 401, which would ask for one. */
static bool refuse_renewal(const struct est_call *call, struct problem *p)
{
	if (!shows_certificate(call))
		return problem_set(p, PROBLEM_UNAUTHORIZED, "RFC 7030, 4.2.2: the client certificate that is to be renewed is wanted");
	if (p->kind == PROBLEM_UNAUTHENTICATED)
		p->kind = PROBLEM_UNAUTHORIZED;
	return false;
}

bool requester_identify(struct est_call *call, bool renewal, struct identity **ret, struct problem *p)
{
	char code[BASIC_CODE_SIZE] = "";
	auto_value(problem) why = {0};

	if (by_certificate(call, renewal, ret, p))
		return true;
	if (renewal)
		return refuse_renewal(call, p);
	if (p->kind != PROBLEM_UNAUTHENTICATED && p->kind != PROBLEM_UNAUTHORIZED)
		return false;
	if (!basic_code(call->request, code, &why))
		return problem_set(p, PROBLEM_UNAUTHENTICATED, "%s", why.detail);
	if (!*code)
		return false;
	problem_done(p);
	bool known = by_code(call, code, ret, p);
	mem_wipe(code, sizeof(code));
	return known;
}
