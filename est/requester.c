#include "est/requester.h"

#include "est/basic.h"
#include "est/client_cert.h"
#include "est/digest.h"
#include "policy/client_certificate.h"
#include "policy/enrollment_code.h"
#include "store/audit_queue.h"

enum { ISSUERS_MAX = 64 };

/* What becomes of one way to prove who asks. */
enum outcome {
	PROVEN,
	OPEN,   /* not so: another way may do */
	ENDED,  /* the refusal is the answer */
};

static bool accepts(const struct est_call *call, unsigned methods)
{
	return call->authentication->methods & methods;
}

/* --- by certificate */

static size_t issuers_of(const struct ca *ca, X509 *ret[ISSUERS_MAX])
{
	const struct issuer *issuer;
	size_t n = 0;

	while (n < ISSUERS_MAX && (issuer = ca_issuer_at(ca, n)))
		ret[n++] = issuer_x509(issuer);
	return n;
}

/* INTERNAL, RATE_LIMITED and the like are no matter of who asks. */
static enum outcome outcome_of(const struct problem *p)
{
	return p->kind == PROBLEM_UNAUTHENTICATED ? OPEN : ENDED;
}

static enum outcome not_here(const struct est_call *call, const char *what, struct problem *p)
{
	problem_set(p, PROBLEM_UNAUTHENTICATED, "%s is not taken at this label (authentication %s)", what,
	            call->authentication->name);
	return OPEN;
}

/* A registrar's certificate of whatever profile counts where registrars do, and else as a device's. */
static enum outcome admit_own(struct est_call *call, struct identity *identity, struct problem *p)
{
	auto_value(problem) why = {0};

	if (accepts(call, AUTHENTICATION_REGISTRAR) && identity_registrar(identity, call->profile->name, &why))
		return PROVEN;
	if (!accepts(call, AUTHENTICATION_CERTIFICATE))
		return not_here(call, "a device's certificate of this CA", p);
	return identity_may(identity, TOKEN_ISSUE, call->profile->name, p) ? PROVEN : OPEN;
}

static enum outcome by_own(struct est_call *call, const struct client_cert *shown, X509 *const *issuers, size_t n,
                           bool renewal, struct identity **ret, struct problem *p)
{
	auto_struct(identity) *identity = NULL;

	if (!accepts(call, AUTHENTICATION_CERTIFICATE | AUTHENTICATION_REGISTRAR))
		return not_here(call, "a certificate of this CA", p);
	const struct client_certificate_shown own = { shown->chain[0], shown->decoded };
	if (!identity_device(call->est->store, issuers, n, &own, renewal, call->now,
	                     call->profile->est.renewal_grace, &identity, p))
		return outcome_of(p);
	enum outcome outcome = admit_own(call, identity, p);
	if (outcome == PROVEN)
		*ret = steal(identity);
	return outcome;
}

static enum outcome by_manufacturer(struct est_call *call, const struct client_cert *shown, struct identity **ret,
                                    struct problem *p)
{
	const struct identity_maker maker = {
		.trust = call->authentication->trust, .profile = call->profile->name,
		.listed = call->authentication->listed,
	};

	return identity_manufactured(call->est->store, &maker, shown->chain, shown->n, call->now, ret, p)
	       ? PROVEN : outcome_of(p);
}

static enum outcome by_certificate(struct est_call *call, const struct client_cert *shown, bool renewal,
                                   struct identity **ret, struct problem *p)
{
	X509 *issuers[ISSUERS_MAX];
	size_t n = issuers_of(call->est->ca, issuers);

	if (client_certificate_claims(issuers, n, shown->chain[0]))
		return by_own(call, shown, issuers, n, renewal, ret, p);
	if (accepts(call, AUTHENTICATION_MANUFACTURER) && !renewal)
		return by_manufacturer(call, shown, ret, p);
	problem_set(p, PROBLEM_UNAUTHENTICATED, "the client certificate is not of this CA");
	return OPEN;
}

/* --- by HTTP */

static enum outcome admit(struct est_call *call, struct identity **identity, struct identity **ret, struct problem *p)
{
	if (!identity_may(*identity, TOKEN_ISSUE, call->profile->name, p))
		return ENDED;
	*ret = steal(*identity);
	return PROVEN;
}

/* A client that waited for people, and lost the reply that used its code up, asks once more. */
static bool was_code(struct est_call *call, const char *code, struct identity **ret)
{
	auto_value(problem) ignored = {0};

	call->spent = identity_enrolled(call->est->store, code, call->now, ret, &ignored);
	return call->spent;
}

static enum outcome by_code(struct est_call *call, const char *code, struct identity **ret, struct problem *p)
{
	auto_struct(identity) *identity = NULL;

	if (identity_enrollment(call->est->store, code, call->now, &identity, p))
		return admit(call, &identity, ret, p);
	if (p->kind == PROBLEM_UNAUTHENTICATED && call->profile->approvals > 0 && was_code(call, code, &identity)) {
		problem_done(p);
		return admit(call, &identity, ret, p);
	}
	if (p->kind == PROBLEM_UNAUTHENTICATED)
		guard_failed(call->est->guard, &call->from, NULL, p);
	return ENDED;
}

static enum outcome by_password(struct est_call *call, const struct basic *basic, struct identity **ret,
                                struct problem *p)
{
	struct store *store = call->est->store;
	const struct addr *from = &call->from;
	auto_struct(identity) *identity = NULL;

	if (identity_secret(store, basic->user, basic->password, call->now, &identity, p))
		return admit(call, &identity, ret, p);
	if (problem_is_set(p) || !guard_allows(call->est->guard, from, basic->user, p))
		return ENDED;
	if (identity_user(store, basic->user, basic->password, call->now, &identity, p)) {
		guard_passed(call->est->guard, from, basic->user);
		return admit(call, &identity, ret, p);
	}
	if (p->kind == PROBLEM_UNAUTHENTICATED)
		guard_failed(call->est->guard, from, basic->user, p);
	return ENDED;
}

static enum outcome pick(struct est_call *call, const struct basic *basic, struct identity **ret, struct problem *p)
{
	const char *code = basic_code(basic);
	bool is_code = enrollment_code_is(code);

	if (is_code && accepts(call, AUTHENTICATION_CODE))
		return by_code(call, code, ret, p);
	if (basic->user[0] && basic->password[0] && !is_code && accepts(call, AUTHENTICATION_PASSWORD))
		return by_password(call, basic, ret, p);
	problem_set(p, PROBLEM_UNAUTHENTICATED, "there is no such enrollment code or user");
	guard_failed(call->est->guard, &call->from, NULL, p);
	return ENDED;
}

static enum outcome by_basic(struct est_call *call, const char *header, struct identity **ret, struct problem *p)
{
	struct basic basic;
	enum outcome outcome = ENDED;

	if (basic_read(header, &basic, p))
		outcome = pick(call, &basic, ret, p);
	else if (p->kind == PROBLEM_MALFORMED)
		p->kind = PROBLEM_UNAUTHENTICATED;
	mem_wipe(&basic, sizeof(basic));
	return outcome;
}

/* A right response to an old nonce is told so: the client answers the new one without asking its user (RFC
 * 7616, 3.3). */
static enum outcome judge_digest(struct est_call *call, const struct digest *digest, struct identity **identity,
                                 struct identity **ret, struct problem *p)
{
	const struct addr *from = &call->from;

	if (identity_guessable(*identity) && !guard_allows(call->est->guard, from, digest->username, p))
		return ENDED;
	guard_passed(call->est->guard, from, digest->username);
	if (digest_nonce_use(call->est->nonces, digest->nonce, digest->count, call->now))
		return admit(call, identity, ret, p);
	problem_set(p, PROBLEM_UNAUTHENTICATED, "RFC 7616, 3.3: the nonce is old, or was used with this nc");
	p->stale = true;
	return ENDED;
}

static enum outcome by_digest(struct est_call *call, const char *header, struct identity **ret, struct problem *p)
{
	auto_struct(identity) *identity = NULL;
	struct digest digest;

	if (!digest_read(header, call->request, &digest, p)) {
		p->kind = p->kind == PROBLEM_MALFORMED ? PROBLEM_UNAUTHENTICATED : p->kind;
		return ENDED;
	}
	if (!accepts(call, digest.sha256 ? AUTHENTICATION_DIGEST_SHA256 : AUTHENTICATION_DIGEST_MD5)) {
		not_here(call, digest.sha256 ? "Digest with SHA-256" : "Digest with MD5", p);
		return ENDED;
	}
	const struct password_claim claim = digest_claim(&digest, call->request);
	if (identity_digest(call->est->store, &claim, call->now, &identity, p))
		return judge_digest(call, &digest, &identity, ret, p);
	if (p->kind == PROBLEM_UNAUTHENTICATED)
		guard_failed(call->est->guard, &call->from, digest.username, p);
	return ENDED;
}

static enum outcome by_http(struct est_call *call, const char *header, struct identity **ret, struct problem *p)
{
	if (basic_is(header) && accepts(call, AUTHENTICATION_BASIC))
		return by_basic(call, header, ret, p);
	if (digest_is(header) && accepts(call, AUTHENTICATION_DIGEST))
		return by_digest(call, header, ret, p);
	problem_set(p, PROBLEM_UNAUTHENTICATED, "RFC 9110, 11.4: the scheme of the Authorization header is not "
	            "taken at this label");
	return ENDED;
}

/* --- all ways */

static enum outcome by_nothing(struct est_call *call, struct identity **ret, struct problem *p)
{
	if (accepts(call, AUTHENTICATION_ANONYMOUS))
		return identity_anonymous(call->profile->name, ret, p) ? PROVEN : ENDED;
	problem_set(p, PROBLEM_UNAUTHENTICATED, "RFC 7030, 3.2.3: %s is wanted",
	            accepts(call, AUTHENTICATION_HTTP)
	            ? "a client certificate, or an enrollment code or password over HTTP,"
	                                               : "a client certificate");
	return ENDED;
}

static enum outcome identify(struct est_call *call, const struct client_cert *shown, struct identity **ret,
                             struct problem *p)
{
	const char *header = http_header(call->request, "Authorization");
	enum outcome outcome = OPEN;

	if (shown->n > 0)
		outcome = by_certificate(call, shown, false, ret, p);
	if (outcome != OPEN)
		return outcome;
	if (header) {
		problem_done(p);
		return by_http(call, header, ret, p);
	}
	return shown->n > 0 ? ENDED : by_nothing(call, ret, p);
}

/* No code mends a renewal. */
static enum outcome identify_renewal(struct est_call *call, const struct client_cert *shown, struct identity **ret,
                                     struct problem *p)
{
	if (shown->n > 0)
		return by_certificate(call, shown, true, ret, p);
	problem_set(p, PROBLEM_UNAUTHORIZED, "RFC 7030, 4.2.2: the client certificate that is to be renewed is wanted");
	return ENDED;
}

/* What was shown and did not help. Who shows nothing yet is asked for it, and that is no refusal. */
static void tell(const struct est_call *call, const struct client_cert *shown, const struct problem *p)
{
	char from[ADDR_TEXT_SIZE];
	const struct audit_fact facts[] = {
		audit_text("profile", call->profile->name), audit_text("label", call->label->name),
		audit_text("authentication", call->authentication->name), {0},
	};
	const struct audit_event event = { AUDIT_ENROLLMENT_REFUSED, call->now, "somebody", from, facts };

	if (problem_status(p) >= 500 || (shown->n == 0 && !http_header(call->request, "Authorization")))
		return;
	addr_format(&call->from, from);
	audit_queue_refuse(call->est->audit, &event, p);
}

bool requester_identify(struct est_call *call, bool renewal, struct identity **ret, struct problem *p)
{
	auto_value(client_cert) shown = {0};

	if (!client_cert_read(call->request, authentications_proxies(call->authentications), &shown, p))
		return false;
	call->proxied = shown.proxied;
	if ((renewal ? identify_renewal : identify)(call, &shown, ret, p) == PROVEN) {
		problem_done(p); /* of a certificate that proved nothing */
		return true;
	}
	/* 401 asks for credentials: where none of HTTP's would help it is 403. */
	if (p->kind == PROBLEM_UNAUTHENTICATED && (renewal || !accepts(call, AUTHENTICATION_HTTP)))
		p->kind = PROBLEM_UNAUTHORIZED;
	tell(call, &shown, p);
	return false;
}
