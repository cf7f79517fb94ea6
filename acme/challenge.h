/* Challenge: the ways to prove an identifier (RFC 8555, 8), as a table. Internal to acme/. */
#pragma once

#include "acme/call.h"
#include "acme/dns_persist01.h"
#include "acme/http01.h"
#include "policy/identifier.h"
#include "store/authorization.h"

/* What proving needs, as seen from one place; owned by the probes. */
struct challenge_tools {
	struct http01 *http01;
	struct tls_alpn01 *tls_alpn01;
	struct dns *dns;
	struct dns_persist_rules persist;
	unsigned timeout_ms;
};
struct challenge_type {
	const char *name;
	unsigned bit;           /* enum acme_challenge */
	unsigned identifiers;   /* bits 1u << enum identifier_type that it can prove */
	bool wildcard;          /* and "*." of them */
	bool alone;             /* no further vantage point is asked */
	bool answered;          /* the response itself has the proof: nobody looks for it */
	/* the record stays, and names the CA: the client is told its names in a token's place */
	bool lasting;
	/* Looks whether the proof is there. Slow: run by probe threads alone. NULL: it is answered. */
	bool (*prove)(const struct challenge_tools *tools, const struct probe_task *task, struct problem *p);
};
enum { CHALLENGE_TYPES_MAX = 8 };
const struct challenge_type *challenge_type_at(size_t i);               /* NULL past the end */
const struct challenge_type *challenge_type_find(const char *name);     /* NULL: none of that name */
/* Whether it is offered for that identifier, where those challenges (enum acme_challenge) are on. */
bool challenge_type_fits(const struct challenge_type *type, unsigned enabled, enum identifier_type identifier,
                         bool wildcard) must_use;

/* The challenge of that last URL segment; NULL: none. */
struct challenge *challenge_of(const struct authorization *authorization, const char *url_key);
/* One flat object, its error last: some clients read it with regular expressions. */
void challenge_write(const struct acme_call *call, struct json_writer *w,
                     const struct authorization *authorization, const struct challenge *challenge);
/* The Issuer Domain Names of dns-persist-01, as an array. */
void issuer_names_write(const struct acme *acme, struct json_writer *w, const char *member);
