#include "est/routes.h"

#include <assert.h>

#include "base/clock.h"
#include "est/call.h"
#include "est/client_cert.h"
#include "est/text.h"
#include "est/wanted.h"

enum {
	/* The largest CSR in base64, in lines, with room for the dress of PEM. */
	BODY = 144 * 1024,
	RETRY_AFTER_MAX = 60,
};

struct est_route {
	struct http_route http;
	unsigned segments;       /* of the label */
	est_action *action;
};

static bool refuse_fullcmc(struct est_call *call, struct problem *p)
{
	(void)call;
	return problem_set(p, PROBLEM_NOT_IMPLEMENTED, "RFC 7030, 4.3: fullcmc is not served here; use simpleenroll");
}

/* Each without a label and with one of up to three segments, each also with a slash at its end, as some
 * clients write it. */
#define ROW(p, n, m, type, max, section, act)                                                                     \
	{ .http = { m, "/.well-known/est/" p, type, max, "RFC 7030, " section, true }, .segments = n, .action = act }
#define ROWS(name, ...)                                                                                           \
	ROW(name, 0, __VA_ARGS__), ROW(name "/", 0, __VA_ARGS__), ROW("{a}/" name, 1, __VA_ARGS__),                \
	ROW("{a}/" name "/", 1, __VA_ARGS__), ROW("{a}/{b}/" name, 2, __VA_ARGS__),               \
	ROW("{a}/{b}/" name "/", 2, __VA_ARGS__),                                                                  \
	ROW("{a}/{b}/{c}/" name, 3, __VA_ARGS__), ROW("{a}/{b}/{c}/" name "/", 3, __VA_ARGS__)
static const struct est_route routes[] = {
	ROWS("cacerts", HTTP_GET, NULL, 0, "4.1.2", est_cacerts),
	ROWS("simpleenroll", HTTP_POST, "application/pkcs10", BODY, "4.2.1", est_simpleenroll),
	ROWS("simplereenroll", HTTP_POST, "application/pkcs10", BODY, "4.2.2", est_simplereenroll),
	ROWS("fullcmc", HTTP_POST, NULL, BODY, "4.3", refuse_fullcmc),
	ROWS("serverkeygen", HTTP_POST, "application/pkcs10", BODY, "4.4.1", est_serverkeygen),
	ROWS("csrattrs", HTTP_GET, NULL, 0, "4.5", est_csrattrs),
};

/* --- the call */

static void name_label(const struct http_request *request, unsigned segments, struct buf *ret)
{
	for (unsigned i = 0; i < segments; i++)
		buf_printf(ret, "%s%s", i > 0 ? "/" : "", request->captures[i]);
}

static bool find_label(struct est_call *call, const struct labels *labels, unsigned segments, struct problem *p)
{
	auto_value(buf) name = {0};

	name_label(call->request, segments, &name);
	if (!buf_check(&name, p))
		return false;
	call->label = labels_find(labels, buf_text(&name));
	if (!call->label)
		return segments > 0 ? problem_set(p, PROBLEM_NOT_FOUND, "RFC 7030, 3.2.2: there is no label %s",
		                                  buf_text(&name))
		                    : problem_set(p, PROBLEM_NOT_FOUND,
		                                  "RFC 7030, 3.2.2: there is no service without a label");
	call->profile = profiles_find(call->profiles, call->label->profile);
	assert(call->profile); /* labels_new */
	call->authentication = authentications_find(call->authentications, call->label->name);
	return true;
}

/* Not the router, for a label may do without. */
static bool check_type(const struct est_call *call, const char *type, struct problem *p)
{
	return !type || call->label->any_content_type || http_is_type(call->request, type) ||
	       problem_set(p, PROBLEM_UNSUPPORTED_MEDIA_TYPE, "RFC 9110, 15.5.16: the Content-Type must be %s", type);
}

static bool serve(void *state, size_t i, const struct http_request *request, struct http_response *response,
                  struct problem *p)
{
	struct est *est = state;
	auto_value(est_settings) settings = est_settings_now(est);
	struct est_call call = {
		.est = est, .request = request, .response = response, .profiles = labels_profiles(settings.labels),
		.authentications = settings.authentications, .wrapping_keys = settings.wrapping_keys,
		.now = clock_now(),
	};

	assert(i < array_length(routes));
	call.from = client_cert_from(request, authentications_proxies(call.authentications));
	if (!request->tls && !str_starts(request->base_url, "https://"))
		return problem_set(p, PROBLEM_UNAUTHORIZED, "RFC 7030, 3.3: EST is served over HTTPS alone");
	return find_label(&call, settings.labels, routes[i].segments, p) &&
	       check_type(&call, routes[i].http.content_type, p) &&
	       routes[i].action(&call, p);
}

/* --- the refusal */

static void challenge(struct est *est, size_t i, const struct http_request *request, bool stale,
                      struct http_response *response)
{
	auto_value(est_settings) settings = est_settings_now(est);
	auto_value(buf) name = {0};

	name_label(request, routes[i].segments, &name);
	wanted_write(est, authentications_find(settings.authentications, buf_text(&name)), stale, response);
}

/* Bouncy Castle asks without credentials first, leaves the 401's body unread, and fails for that. Who has sent no
 * credentials knows what is missing from WWW-Authenticate. */
static bool asks_first(const struct http_request *request)
{
	return !http_header(request, "Authorization") && text_is_bare(request);
}

/* All that is wrong, where the one text has no room for it. */
static void put_text(const struct problem *p, struct buf *ret)
{
	if (p->sub_count < 2)
		return buf_printf(ret, "%s", problem_text(p));
	for (size_t i = 0; i < p->sub_count; i++)
		buf_printf(ret, "%s%s", i > 0 ? "; " : "", p->subs[i].detail);
}

/* One line: operators read it in the logs of their devices. */
static void refuse(void *state, size_t i, const struct http_request *request, const struct problem *p,
                   struct http_response *response)
{
	buf_clear(&response->headers);
	buf_clear(&response->body);
	response->status = problem_status(p);
	response->content_type = "text/plain";
	if (response->status == 401) /* of serve's alone: there is a route */
		challenge(state, i, request, p->stale, response);
	if (p->retry_after > 0)
		http_response_header_printf(response, "Retry-After", "%d",
		                            p->retry_after < RETRY_AFTER_MAX ? p->retry_after : RETRY_AFTER_MAX);
	if (response->status == 401 && asks_first(request)) {
		response->content_type = NULL;
		return;
	}
	put_text(p, &response->body);
	if (response->status >= 500)
		buf_printf(&response->body, " (request %s)", request->id);
	buf_add_char(&response->body, '\n');
}

/* --- the wing */

static const struct http_route *route(void *state, size_t i)
{
	(void)state;
	assert(i < array_length(routes));
	return &routes[i].http;
}

struct http_wing est_routes_wing(struct est *est)
{
	return (struct http_wing){
		.name = "est", .state = est, .route_count = array_length(routes), .route = route, .serve = serve,
		.refuse = refuse, .prefix = "/.well-known/est/",
	};
}
