#include "server/revocation.h"

#include "base/base64.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/work.h"
#include "server/reply.h"

enum {
	TICK = 1000,                    /* ms */
	QUEUE = 2,
	OCSP_REQUEST_MAX = 16 * 1024,   /* 32 certificates, and the signature of a signed request */
};
struct revocation_service {
	struct revocation_options options;
	struct store *store;
	struct ca *ca;
	struct crls *crls;
	struct ocsp *ocsp;
	struct work *work;
	struct root_watch *roots;
};

enum { CRL, OCSP_POST, OCSP_GET, OCSP_EMPTY };
static const struct http_route routes[] = {
	[CRL] = { HTTP_GET, "/crl/{issuer}/{file}", NULL, 0, "RFC 5280, 4.2.1.13" },
	[OCSP_POST] = { HTTP_POST, "/ocsp/{issuer}", "application/ocsp-request", OCSP_REQUEST_MAX,
	                "RFC 6960, A.1" },
	[OCSP_GET] = { HTTP_GET, "/ocsp/{issuer}/{request*}", NULL, 0, "RFC 9919, 6" },
	[OCSP_EMPTY] = { HTTP_GET, "/ocsp/{issuer}", NULL, 0, "RFC 9919, 6" },
};

/* --- what caches are told */

struct freshness {
	const char *etag;
	int64_t modified, expires, max_age;
};

/* RFC 9110, 13.1.2 and 13.1.3. The ETag is hexadecimal in quotes, so it stands in the list of ETags
 * where it stands in the text. A client that has no ETag sends our own Last-Modified back. */
static bool is_known_to(const struct http_request *request, const struct freshness *fresh, const char *modified)
{
	const char *etags = http_header(request, "If-None-Match");
	const char *since = http_header(request, "If-Modified-Since");

	if (request->method != HTTP_GET && request->method != HTTP_HEAD)
		return false;
	if (etags)
		return str_equal(etags, "*") || strstr(etags, fresh->etag);
	return since && str_equal(since, modified);
}

/* Whether the content is to be sent. */
static bool begin(const struct http_request *request, const struct freshness *fresh, const char *content_type,
                  struct http_response *response)
{
	char modified[30], expires[30];

	clock_format_http(fresh->modified, modified);
	clock_format_http(fresh->expires, expires);
	http_response_header(response, "Last-Modified", modified);
	http_response_header(response, "ETag", fresh->etag);
	http_response_header(response, "Expires", expires);
	http_response_header_printf(response, "Cache-Control", "max-age=%lld, public, no-transform, must-revalidate",
	                            (long long)(fresh->max_age > 0 ? fresh->max_age : 0));
	response->status = is_known_to(request, fresh, modified) ? 304 : 200;
	response->content_type = content_type;
	return response->status == 200;
}

/* --- CRLs */

static int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static void crl_done(void *crl)
{
	crl_unref(crl);
}

static bool serve_crl(const struct revocation_service *service, const struct http_request *request,
                      struct http_response *response, struct problem *p)
{
	auto_struct(crl) *crl = NULL;
	int64_t now = clock_now();
	struct crl_name name;

	if (!crl_name_from(request->captures[1], &name))
		return problem_set(p, PROBLEM_NOT_FOUND, "there is no such CRL: the first one is 0.crl");
	if (!crls_get(service->crls, request->captures[0], name, &crl, p))
		return false;
	const struct freshness fresh = {
		crl->etag, crl->this_update, crl->next_update,
		least(crl->next_update - now, service->options.crl_max_age),
	};
	if (begin(request, &fresh, "application/pkix-crl", response)) {
		struct bytes content = buf_bytes(&crl->der);
		http_response_share(response, content, crl_done, steal(crl));
	}
	return true;
}

/* --- OCSP */

static bool percent_decode(const char *text, struct buf *ret)
{
	for (; *text; text++) {
		if (*text != '%') {
			buf_add_char(ret, *text);
			continue;
		}
		if (text[1] == '\0' || text[2] == '\0' || !hex_decode(text + 1, 2, ret))
			return false;
		text += 2;
	}
	for (size_t i = 0; i < ret->len; i++) /* what took the path for a form made a space of each plus */
		if (ret->data[i] == ' ')
			ret->data[i] = '+';
	return !ret->failed;
}

/* RFC 9919, 6: base64 in the path, percent-encoded or not. Clients that lay a slash between are
 * answered: no request begins with the octets that one stands for. */
static bool request_of_path(const struct http_request *request, struct buf *ret, struct problem *p)
{
	const char *text = request->path + strlen("/ocsp/") + strlen(request->captures[0]);
	auto_value(buf) base64 = { 0 };

	text += strspn(text, "/");
	if (!percent_decode(text, &base64) || base64.len == 0 || base64.len > 2 * OCSP_REQUEST_MAX ||
	    !base64_decode(buf_text(&base64), base64.len, ret))
		return buf_check(&base64, p) && buf_check(ret, p) &&
		       problem_set(p, PROBLEM_MALFORMED, "RFC 9919, 6: the path is not the base64 of a request");
	return true;
}

static bool serve_ocsp(const struct revocation_service *service, struct bytes der,
                       const struct http_request *request, struct http_response *response, struct problem *p)
{
	auto_value(ocsp_reply) reply = { 0 };

	if (!ocsp_answer(service->ocsp, request->captures[0], der, &reply, p))
		return false;
	const struct freshness fresh = {
		reply.etag, reply.this_update, reply.next_update, reply.refresh - clock_now(),
	};
	if (begin(request, &fresh, "application/ocsp-response", response))
		buf_add(&response->body, reply.der.data, reply.der.len);
	return true;
}

static bool serve_ocsp_get(const struct revocation_service *service, const struct http_request *request,
                           struct http_response *response, struct problem *p)
{
	auto_value(buf) der = { 0 };

	return request_of_path(request, &der, p) && serve_ocsp(service, buf_bytes(&der), request, response, p);
}

/* RFC 6960, 2.3. What is the client's fault is an answer like any other to HTTP; what is ours is not,
 * so that a proxy, a client and the log can tell. */
static const struct error {
	enum problem_kind kind;
	enum ocsp_error error;
	int status;
} errors[] = {
	{ PROBLEM_MALFORMED, OCSP_MALFORMED_REQUEST, 200 },
	{ PROBLEM_UNAUTHORIZED, OCSP_UNAUTHORIZED, 200 },
	{ PROBLEM_UNAVAILABLE, OCSP_TRY_LATER, 503 },
	{ PROBLEM_INTERNAL, OCSP_INTERNAL_ERROR, 500 },
};

static void refuse(void *state, size_t i, const struct http_request *request, const struct problem *p,
                   struct http_response *response)
{
	const struct error *error = errors;

	(void)state;
	(void)request;
	while (error < errors + array_length(errors) && error->kind != p->kind)
		error++;
	if (i == CRL || i >= array_length(routes) || error == errors + array_length(errors)) {
		reply_problem(p, response);
		return;
	}
	response->status = error->status;
	response->content_type = "application/ocsp-response";
	http_response_header(response, "Cache-Control", "max-age=0, no-cache");
	if (p->retry_after > 0)
		http_response_header_printf(response, "Retry-After", "%d", p->retry_after);
	ocsp_answer_error(error->error, &response->body);
}

/* --- the wing */

static bool serve(void *state, size_t i, const struct http_request *request, struct http_response *response,
                  struct problem *p)
{
	const struct revocation_service *service = state;

	switch (i) {
	case CRL: return serve_crl(service, request, response, p);
	case OCSP_POST: return serve_ocsp(service, request->body, request, response, p);
	default: return serve_ocsp_get(service, request, response, p);
	}
}

static const struct http_route *route(void *state, size_t i)
{
	(void)state;
	return &routes[i];
}

struct http_wing revocation_wing(struct revocation_service *service)
{
	return (struct http_wing){
		.name = "revocation", .state = service, .route_count = array_length(routes), .route = route,
		.serve = serve, .refuse = refuse, .prefix = "/crl/",
	};
}

struct crls *revocation_crls(struct revocation_service *service)
{
	return service->crls;
}

struct root_watch *revocation_roots(struct revocation_service *service)
{
	return service->roots;
}

/* --- the thread */

static void log_failure(const char *what, const struct problem *p)
{
	if (work_ends())
		return;
	log_event(LOG_LEVEL_ERROR, what, "cause", problem_cause(p), NULL);
}

static void tick(void *arg)
{
	struct revocation_service *service = arg;
	auto_value(problem) why = { 0 }, closing = { 0 };

	if (!ca_follow(service->ca, service->store, &why))
		log_failure("following the operators", &why);
	if (!ocsp_refresh(service->ocsp, &why))
		log_failure("ocsp responder", &why);
	if (!crls_refresh(service->crls, &why))
		log_failure("crl", &why);
	root_watch_look(service->roots);
	(void)!work_add(service->work, TICK, tick, service, &closing);
}

static bool open_parts(struct revocation_service *service, struct store *store, struct ca *ca,
                       struct problem *p)
{
	return crls_open(&service->options.crl, store, ca, &service->crls, p) &&
	       ocsp_open(&service->options.ocsp, store, ca, &service->ocsp, p) &&
	       root_watch_new(&service->options.roots, store, ca, service->crls, &service->roots, p) &&
	       work_open("revocation", 1, QUEUE, &service->work, p) &&
	       work_add(service->work, 0, tick, service, p);
}

bool revocation_open(const struct revocation_options *options, struct store *store, struct ca *ca,
                     struct revocation_service **ret, struct problem *p)
{
	auto_struct(revocation_service) *service = calloc(1, sizeof(*service));

	if (!service)
		return problem_memory(p);
	service->options = *options;
	service->store = store;
	service->ca = ca;
	if (!open_parts(service, store, ca, p))
		return false;
	*ret = steal(service);
	return true;
}

void revocation_close(struct revocation_service *service)
{
	if (!service)
		return;
	if (service->work)
		work_close(service->work, NULL);
	root_watch_free(service->roots);
	crls_close(service->crls);
	ocsp_close(service->ocsp);
	free(service);
}
