#include "acme/routes.h"

#include <assert.h>

#include "acme/actions.h"
#include "acme/auth.h"
#include "acme/nonce.h"
#include "base/clock.h"

#define JOSE "application/jose+json"

enum {
	BODY = 64 * 1024,
	/* A certificate or a CSR of the largest size, in base64url twice. */
	BODY_LARGE = 256 * 1024,
	RETRY_AFTER_MAX = 60,   /* clients give up on more */
};

#define GET(p, section)            .http = { HTTP_GET, p, NULL, 0, "RFC 8555, " section }
#define POST(p, section)           .http = { HTTP_POST, p, JOSE, BODY, "RFC 8555, " section }
#define POST_LARGE(p, section)     .http = { HTTP_POST, p, JOSE, BODY_LARGE, "RFC 8555, " section }

static const struct acme_route routes[] = {
	{ GET("/acme/directory", "7.1.1"),
	  ACME_NONE, ACME_EMPTY, acme_directory_get, .directory = true },
	{ GET("/acme/{profile}/directory", "7.1.1"),
	  ACME_NONE, ACME_EMPTY, acme_directory_get, .directory = true },
	{ GET("/acme/new-nonce", "7.2"),
	  ACME_NONE, ACME_EMPTY, acme_nonce_get, .nonce = true },
	{ GET("/acme/{profile}/new-nonce", "7.2"),
	  ACME_NONE, ACME_EMPTY, acme_nonce_get, .nonce = true },
	/* POST-as-GET of both (6.3) */
	{ POST("/acme/directory", "6.3"),
	  ACME_KID, ACME_EMPTY, acme_directory_get, .directory = true },
	{ POST("/acme/{profile}/directory", "6.3"),
	  ACME_KID, ACME_EMPTY, acme_directory_get, .directory = true },
	{ POST("/acme/new-nonce", "6.3"),
	  ACME_KID, ACME_EMPTY, acme_nonce_get },
	{ POST("/acme/{profile}/new-nonce", "6.3"),
	  ACME_KID, ACME_EMPTY, acme_nonce_get },

	{ POST("/acme/{profile}/new-account", "7.3"),
	  ACME_JWK, ACME_OBJECT, acme_account_new },
	{ POST("/acme/{profile}/account/{id}", "7.3.2"),
	  ACME_KID, ACME_EITHER, acme_account_post },
	{ POST("/acme/{profile}/account/{id}/orders", "7.1.2.1"),
	  ACME_KID, ACME_EMPTY, acme_order_list },
	{ POST("/acme/{profile}/key-change", "7.3.5"),
	  ACME_KID, ACME_OBJECT, acme_key_change },

	{ POST("/acme/{profile}/new-order", "7.4"),
	  ACME_KID, ACME_OBJECT, acme_order_new, .issuance = true },
	{ POST("/acme/{profile}/order/{id}", "7.1.3"),
	  ACME_KID, ACME_EITHER, acme_order_get, .issuance = true },
	{ POST_LARGE("/acme/{profile}/order/{id}/finalize", "7.4"),
	  ACME_KID, ACME_OBJECT, acme_order_finalize, .issuance = true },
	{ POST("/acme/{profile}/certificate/{id}", "7.4.2"),
	  ACME_KID, ACME_EMPTY, acme_certificate_get, .issuance = true },
	{ POST("/acme/{profile}/certificate/{id}/{n}", "7.4.2"),
	  ACME_KID, ACME_EMPTY, acme_certificate_get, .issuance = true },

	{ .http = { HTTP_POST, "/acme/{profile}/star-certificate/{id}", JOSE, BODY, "RFC 8739, 3.3" },
	  ACME_KID, ACME_EMPTY, acme_star_certificate_get, .issuance = true },
	{ .http = { HTTP_GET, "/acme/{profile}/star-certificate/{id}", NULL, 0, "RFC 8739, 3.4" },
	  ACME_NONE, ACME_EMPTY, acme_star_certificate_get, .issuance = true },

	{ POST("/acme/{profile}/new-authz", "7.4.1"),
	  ACME_KID, ACME_OBJECT, acme_authorization_new, .issuance = true },
	{ POST("/acme/{profile}/authz/{id}", "7.5"),
	  ACME_KID, ACME_EITHER, acme_authorization_post, .issuance = true },
	{ POST("/acme/{profile}/challenge/{authz}/{key}", "7.5.1"),
	  ACME_KID, ACME_EITHER, acme_challenge_post, .issuance = true },

	{ POST_LARGE("/acme/{profile}/revoke-cert", "7.6"),
	  ACME_KID_OR_JWK, ACME_OBJECT, acme_certificate_revoke },

	{ .http = { HTTP_GET, "/acme/{profile}/renewal-info/{id}", NULL, 0, "RFC 9773, 4.1" },
	  ACME_NONE, ACME_EMPTY, acme_renewal_info_get },
};

size_t acme_route_count(void)
{
	return array_length(routes);
}

const struct acme_route *acme_route_at(size_t i)
{
	assert(i < array_length(routes));
	return &routes[i];
}

const char *acme_auth_name(enum acme_auth auth)
{
	static const char *const names[] = {
		[ACME_NONE] = "none", [ACME_JWK] = "jwk", [ACME_KID] = "kid", [ACME_KID_OR_JWK] = "kid-or-jwk",
	};
	assert((size_t)auth < array_length(names));
	return names[auth];
}

const char *acme_payload_name(enum acme_payload payload)
{
	static const char *const names[] = {
		[ACME_EMPTY] = "empty", [ACME_OBJECT] = "object", [ACME_EITHER] = "either",
	};
	assert((size_t)payload < array_length(names));
	return names[payload];
}

/* --- the call */

static bool has_profile(const struct acme_route *row)
{
	return str_starts(row->http.path, "/acme/{profile}/");
}

/* The directory that the path names, or the default one; NULL: none that is open to ACME. */
static const struct profile *directory_of(const struct profiles *profiles, const struct acme_route *row,
                                          const struct http_request *request)
{
	const struct profile *profile = row && has_profile(row) ? profiles_find(profiles, request->captures[0])
	                                                        : profiles_default(profiles);
	return profile && profile->methods & PROFILE_ACME ? profile : NULL;
}

static void fill_captures(struct acme_call *call, const struct acme_route *row)
{
	size_t skip = has_profile(row);
	for (size_t i = 0; i + skip < HTTP_CAPTURES_MAX; i++)
		call->capture[i] = call->request->captures[i + skip];
}

/* Headers of every reply, refusals included. call has acme, request, response and directory. */
static void add_headers(struct acme_call *call, const struct acme_route *row, bool nonce)
{
	if (!call->cacheable)
		http_response_header(call->response, "Cache-Control", "no-store");
	if (call->directory && !(row && row->directory))
		acme_link(call, "index", "directory", NULL, NULL);
	if (!nonce)
		return;
	char text[NONCE_SIZE];
	nonce_make(call->acme->nonces, text);
	http_response_header(call->response, "Replay-Nonce", text);
}

static bool act(struct acme_call *call, const struct acme_route *row, struct problem *p)
{
	auto_value(auth) auth = { 0 };
	if (row->auth != ACME_NONE && !auth_verify(call, row->auth, row->payload, &auth, p))
		return false;
	return row->action(call, p);
}

static bool serve(void *state, size_t i, const struct http_request *request, struct http_response *response,
                  struct problem *p)
{
	struct acme *acme = state;
	const struct acme_route *row = acme_route_at(i);
	if (!acme_pass_limit(acme->requests_per_address, request, "RFC 8555, 6.6: too many requests", p))
		return false;
	auto_struct(profiles) *profiles = acme_profiles(acme);
	const struct profile *profile = directory_of(profiles, row, request);
	if (!profile)
		return problem_set(p, PROBLEM_NOT_FOUND, "RFC 8555, 7.1.1: there is no such directory");
	struct acme_call call = {
		.acme = acme, .request = request, .response = response, .profiles = profiles, .profile = profile,
		.directory = profile->name, .now = clock_now(),
	};
	fill_captures(&call, row);
	bool ok = act(&call, row, p);
	account_free(&call.account);
	if (ok)
		add_headers(&call, row, row->nonce || request->method == HTTP_POST);
	return ok;
}

/* --- the refusal */

/* cert-manager gives an order up for good on any 4xx but 400, so the way of an order is throttled
 * with 503, which every client retries; the type stays rateLimited (RFC 8555, 6.6). The copy borrows
 * the parts of p. */
static struct problem as_shown(const struct acme_route *row, const struct problem *p)
{
	struct problem shown = *p;
	if (p->kind == PROBLEM_RATE_LIMITED && row && row->issuance)
		shown.status = 503;
	return shown;
}

static void add_retry_after(struct http_response *response, int seconds)
{
	if (seconds > RETRY_AFTER_MAX)
		seconds = RETRY_AFTER_MAX;
	if (seconds > 0)
		http_response_header_printf(response, "Retry-After", "%d", seconds);
}

static void refuse(void *state, size_t i, const struct http_request *request, const struct problem *p,
                   struct http_response *response)
{
	struct acme *acme = state;
	const struct acme_route *row = i < array_length(routes) ? &routes[i] : NULL;
	auto_struct(profiles) *profiles = acme_profiles(acme);
	const struct profile *profile = directory_of(profiles, row, request);
	struct acme_call call = {
		.acme = acme, .request = request, .response = response, .directory = profile ? profile->name : NULL,
	};
	struct problem shown = as_shown(row, p);
	buf_clear(&response->headers);
	buf_clear(&response->body);
	response->status = problem_status(&shown);
	response->content_type = "application/problem+json";
	add_headers(&call, row, request->method == HTTP_POST);
	add_retry_after(response, p->retry_after);
	if (p->location[0])
		http_response_header(response, "Location", p->location);
	if (p->link[0])
		http_response_header(response, "Link", p->link);
	if (p->kind == PROBLEM_RATE_LIMITED && acme->options.website) /* RFC 8555, 6.6 */
		http_response_header_printf(response, "Link", "<%s>;rel=\"help\"", acme->options.website);
	acme_problem_write(&shown, request->id, &response->body);
}

/* --- the wing */

static const struct http_route *route(void *state, size_t i)
{
	(void)state;
	return &acme_route_at(i)->http;
}

struct http_wing acme_routes_wing(struct acme *acme)
{
	return (struct http_wing){
		.name = "acme", .state = acme, .route_count = array_length(routes), .route = route, .serve = serve,
		.refuse = refuse, .prefix = "/acme/",
	};
}
