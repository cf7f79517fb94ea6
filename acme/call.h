/* Call: one ACME request after its JWS was verified, as the actions of the route table see it.
 *
 * Borrowed by the action for the time of the request. Internal to acme/. */
#pragma once

#include "acme/state.h"
#include "base/json.h"
#include "store/account.h"

/* How a row wants its request signed (RFC 8555, 6.2 and 6.3). */
enum acme_auth {
	ACME_NONE,        /* GET, HEAD: no JWS */
	ACME_JWK,         /* key in the header: newAccount */
	ACME_KID,         /* an account that is valid */
	ACME_KID_OR_JWK,  /* revokeCert */
};
enum acme_payload {
	ACME_EMPTY,       /* POST-as-GET alone: the payload is the empty string */
	ACME_OBJECT,      /* a JSON object alone */
	ACME_EITHER,      /* POST-as-GET reads, an object changes */
};
struct acme_call {
	struct acme *acme;
	const struct http_request *request;
	struct http_response *response;
	struct profiles *profiles;        /* the set this request began with */
	const struct profile *profile;    /* the directory's; directories are named by their profile */
	const char *directory;            /* its name */
	const char *capture[HTTP_CAPTURES_MAX]; /* the {…} of the row's path after {profile} */
	const struct json *payload;       /* NULL: POST-as-GET, or ACME_NONE */
	/* ACME_KID */
	struct account account;           /* from the store, status valid; id "" when signed by jwk */
	/* ACME_JWK, and the jwk case of ACME_KID_OR_JWK */
	struct bytes key;                 /* SubjectPublicKeyInfo DER; for ACME_KID the account's */
	const char *jwk;                  /* canonical text (RFC 7638) */
	uint8_t thumbprint[32];
	EVP_PKEY *public_key;             /* borrowed */
	int64_t now;
	bool cacheable;                   /* set by the action: its reply has a Cache-Control of its own */
};
typedef bool acme_action(struct acme_call *call, struct problem *p);

/* Whole URLs. kind is "order", "authz", "challenge", "certificate", "account", or a resource such as
 * "new-order"; ids may be NULL: {base}/acme/{directory}/{kind}[/{id}[/{more}]]. Appended. */
void acme_url(const struct acme_call *call, struct buf *ret, const char *kind, const char *id, const char *more);
/* Sets `Name: URL` (Location) or a Link header `<URL>;rel="rel"`. */
void acme_location(struct acme_call *call, const char *kind, const char *id, const char *more);
void acme_link(struct acme_call *call, const char *rel, const char *kind, const char *id, const char *more);
/* Takes a token of the address that the request comes from. RATE_LIMITED: "WHAT from ADDRESS". */
bool acme_pass_limit(struct limit *limit, const struct http_request *request, const char *what,
                     struct problem *p) must_use;
/* Status and application/json; the caller then writes call->response->body with a json_writer. */
struct json_writer acme_reply(struct acme_call *call, int status);
/* A problem as the JSON document of RFC 9457 with ACME's types, appended: for replies, and for the
 * error of orders and challenges. request_id may be NULL. */
void acme_problem_write(const struct problem *p, const char *request_id, struct buf *ret);
