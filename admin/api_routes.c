#include "admin/api_routes.h"

#include <assert.h>
#include <openssl/err.h>
#include <stdio.h>

#include "admin/api_body.h"
#include "admin/api_query.h"
#include "admin/certificate.h"
#include "base/clock.h"

#define JSON "application/json"

const char *api_route_role(const struct api_route *route)
{
	return route->role == API_PUBLIC     ? "none"
	       : route->role == API_ANY_ROLE ? "any"
	                                     : token_role_name((enum token_role)route->role);
}

const char *api_scope_name(enum api_scope scope)
{
	static const char *const names[] = {
		[API_OPEN] = "open",          [API_BY_BODY] = "body",
		[API_BY_PATH] = "path",       [API_BY_CERTIFICATE] = "certificate",
		[API_BY_REQUEST] = "request", [API_BY_ORDER] = "order",
		[API_BY_NAME] = "name",       [API_EVERYWHERE] = "everywhere",
	};

	assert((size_t)scope < array_length(names));
	return names[scope];
}

struct json_writer api_reply(struct api_call *call, int status)
{
	call->response->status = status;
	call->response->content_type = JSON;
	return json_writer(&call->response->body);
}

struct actor api_actor(const struct api_call *call)
{
	return (struct actor){ .name = identity_text(call->identity), .from = call->from, .now = call->now };
}

bool api_may_give_names(const struct api_call *call, struct problem *p)
{
	return !identity_bound(call->identity) || problem_set(p, PROBLEM_UNAUTHORIZED,
	                                                      "the token is bound to names: it makes nothing that "
	                                                      "others could be had with");
}

bool api_sees(const struct api_call *call, const char *profile)
{
	auto_value(problem) why = {0};

	/* What is of no profile is seen by those who see all. */
	return *profile ? identity_may(call->identity, TOKEN_READ, profile, &why) ||
	                          identity_may(call->identity, TOKEN_ISSUE, profile, &why)
	                : identity_everywhere(call->identity);
}

/* --- what the row's scope demands */

static bool may(const struct api_call *call, const char *profile, struct problem *p)
{
	static const enum token_role any[] = { TOKEN_READ, TOKEN_ISSUE, TOKEN_REVOKE, TOKEN_APPROVE, TOKEN_KEY };
	auto_value(problem) ignored = {0};

	if (call->route->role != API_ANY_ROLE)
		return identity_may(call->identity, (enum token_role)call->route->role, profile, p);
	for (size_t i = 0; i < array_length(any); i++)
		if (identity_may(call->identity, any[i], profile, &ignored))
			return true;
	return problem_set(p, PROBLEM_UNAUTHORIZED, "the token is not for profile %s", profile ?: "");
}

/* Whether a profile exists is not told to a token of others. */
static bool take_profile(struct api_call *call, const char *name, const char *field, struct problem *p)
{
	auto_value(problem) parts = {0};

	if (!may(call, name, p))
		return false;
	call->profile = profiles_find(call->profiles, name);
	if (!call->profile)
		problem_add_field(&parts, PROBLEM_NOT_FOUND, field, name, "there is no such profile");
	return api_settle(&parts, p);
}

struct finding {
	const char *id;
	struct certificate *ret;
};

static bool find_certificate(struct store_txn *txn, void *arg, struct problem *p)
{
	const struct finding *f = arg;

	return certificate_find(txn, f->id, f->ret, p);
}

static bool is_within(const struct api_call *call, const char *profile)
{
	auto_value(problem) why = {0};

	return *profile ? may(call, profile, &why) : identity_everywhere(call->identity);
}

/* Names bind what a token does, not what it reads: certificates are no secrets. */
static bool reaches(const struct api_call *call, struct problem *p)
{
	return call->route->role == TOKEN_READ || identity_reaches(call->identity, &call->certificate) ||
	       problem_set(p, PROBLEM_UNAUTHORIZED, "the %s is not for all names of the certificate %s",
	                   identity_text(call->identity), call->certificate.id);
}

/* What is another profile's is answered as if it were not there. */
static bool take_certificate(struct api_call *call, struct problem *p)
{
	const char *id = call->request->captures[0];
	struct finding finding = { id, &call->certificate };

	if (!store_view(call->api->store, find_certificate, &finding, p))
		return false;
	if (!is_within(call, certificate_scope(&call->certificate)))
		return problem_set(p, PROBLEM_NOT_FOUND, "there is no certificate %s", id);
	return reaches(call, p);
}

static bool find_request(struct store_txn *txn, void *arg, struct problem *p)
{
	struct api_call *call = arg;

	return store_request_get(txn, call->request->captures[0], &call->record, p);
}

static bool take_request(struct api_call *call, struct problem *p)
{
	const char *id = call->request->captures[0];

	if (!random_id_valid(id) || !store_view(call->api->store, find_request, call, p))
		return problem_is_set(p) && p->kind != PROBLEM_NOT_FOUND
		               ? false
		               : problem_set(p, PROBLEM_NOT_FOUND, "there is no request %s", id);
	return is_within(call, call->record.profile ?: "") ||
	       problem_set(p, PROBLEM_NOT_FOUND, "there is no request %s", id);
}

static bool find_order(struct store_txn *txn, void *arg, struct problem *p)
{
	struct api_call *call = arg;

	return order_find(txn, call->request->captures[0], &call->order, p);
}

static bool take_order(struct api_call *call, struct problem *p)
{
	return store_view(call->api->store, find_order, call, p) &&
	       (is_within(call, call->order.profile) ||
	        problem_set(p, PROBLEM_NOT_FOUND, "there is no order %s", call->order.id));
}

static bool take_scope(struct api_call *call, struct problem *p)
{
	switch (call->route->scope) {
	case API_BY_BODY: return take_profile(call, json_member_string(call->body, "profileId"), "profileId", p);
	case API_BY_PATH: return take_profile(call, call->request->captures[0], "profile", p);
	case API_BY_CERTIFICATE: return take_certificate(call, p);
	case API_BY_REQUEST: return take_request(call, p);
	case API_BY_ORDER: return take_order(call, p);
	case API_EVERYWHERE:
		return identity_everywhere(call->identity) || problem_set(p, PROBLEM_UNAUTHORIZED,
		                                                          "the token is for some profiles alone, "
		                                                          "and this concerns all");
	default: return true;
	}
}

/* --- the way of a request */

static bool read_body(const struct api_call *call, struct json **ret, struct problem *p)
{
	auto_value(problem) parts = {0};

	api_query_check(call->route, call->request, &parts);
	if (call->route->body) {
		if (!json_parse(call->request->body, ret, p))
			return false;
		api_body_check(call->route->body, *ret, &parts);
	}
	return api_settle(&parts, p);
}

/* What is left when it is known who asks. */
static bool proceed(struct api_call *call, struct problem *p)
{
	auto_struct(json) *body = NULL;

	if (call->route->role != API_PUBLIC && call->route->role != API_ANY_ROLE && !may(call, NULL, p))
		return false;
	if (!read_body(call, &body, p))
		return false;
	call->body = body;
	return take_scope(call, p) && call->route->action(call, p);
}

/* First who, then whether they may at all, then what: a token without the role learns nothing from the rest. */
static bool act(struct api_call *call, struct problem *p)
{
	auto_struct(identity) *identity = NULL;

	if (call->route->role != API_PUBLIC && !api_authenticate(call->api, call->request, call->now, &identity, p))
		return false;
	call->identity = identity;
	return proceed(call, p);
}

static void call_done(struct api_call *call)
{
	certificate_free(&call->certificate);
	request_free(&call->record);
	order_free(&call->order);
	ERR_clear_error();
}

bool api_ask_as(struct api *api, const struct identity *identity, const struct api_asking *asking,
                struct http_response *response, struct problem *p)
{
	auto_struct(profiles) *profiles = api_profiles(api);
	struct http_request request = {
		.id = "", .method_name = "", .base_url = "", .path = "", .query = "", .body = asking->body
	};
	struct api_call call = {
		.api = api,
		.request = &request,
		.response = response,
		.profiles = profiles,
		.identity = identity,
		.now = clock_now(),
	};

	for (size_t i = 0; i < api_route_count() && !call.route; i++)
		if (str_equal(api_route_at(i)->name, asking->route))
			call.route = api_route_at(i);
	assert(call.route && call.route->role != API_PUBLIC);
	snprintf(request.captures[0], sizeof(request.captures[0]), "%s", asking->id ?: "");
	bool done = proceed(&call, p);
	call_done(&call);
	return done;
}

static void add_headers(struct http_response *response)
{
	http_response_header(response, "Cache-Control", "no-store");
	http_response_header(response, "X-Content-Type-Options", "nosniff");
}

static bool serve(void *state, size_t i, const struct http_request *request, struct http_response *response,
                  struct problem *p)
{
	struct api *api = state;
	auto_struct(profiles) *profiles = api_profiles(api);
	char from[ADDR_TEXT_SIZE];
	struct api_call call = {
		.api = api,
		.route = api_route_at(i),
		.request = request,
		.response = response,
		.profiles = profiles,
		.from = from,
		.now = clock_now(),
	};

	addr_format(&request->peer, from);
	bool ok = act(&call, p);
	call_done(&call);
	if (ok)
		add_headers(response);
	return ok;
}

/* RFC 6750, 3: which credential is wanted; a wrong one is called so. */
static void add_challenge(const struct http_request *request, struct http_response *response)
{
	bool shown = http_header(request, "Authorization") != NULL;

	http_response_header(response, "WWW-Authenticate",
	                     shown ? "Bearer realm=\"enrolld\", error=\"invalid_token\""
	                           : "Bearer realm=\"enrolld\"");
}

static void refuse(void *state, size_t i, const struct http_request *request, const struct problem *p,
                   struct http_response *response)
{
	(void)state, (void)i;
	buf_clear(&response->headers);
	buf_clear(&response->body);
	response->status = api_problem_status(p);
	response->content_type = "application/problem+json";
	add_headers(response);
	if (response->status == 401)
		add_challenge(request, response);
	if (p->retry_after > 0)
		http_response_header_printf(response, "Retry-After", "%d", p->retry_after);
	if (p->location[0])
		http_response_header(response, "Location", p->location);
	api_problem_write(p, request->id, &response->body);
}

static const struct http_route *route(void *state, size_t i)
{
	(void)state;
	return &api_route_at(i)->http;
}

struct http_wing api_routes_wing(struct api *api)
{
	return (struct http_wing){
		.name = "api",
		.state = api,
		.route_count = api_route_count(),
		.route = route,
		.serve = serve,
		.refuse = refuse,
		.prefix = "/api/",
	};
}
