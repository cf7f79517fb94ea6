#include "server/publish.h"

#include "server/reply.h"

enum { ISSUER, ROOT };
static const struct http_route routes[] = {
	[ISSUER] = { HTTP_GET, "/ca/{file}", NULL, 0, "RFC 5280, 4.2.2.1" },
	[ROOT] = { HTTP_GET, "/root.pem", NULL, 0, "RFC 7468, 5" },
};

static void reply(struct http_response *response, const char *content_type, struct bytes body)
{
	response->status = 200;
	response->content_type = content_type;
	http_response_header(response, "Cache-Control", "public, max-age=3600");
	buf_add(&response->body, body.data, body.len);
}

static const struct issuer *find(const struct ca *ca, const char *file)
{
	const struct issuer *issuer;
	for (size_t i = 0; (issuer = ca_issuer_at(ca, i)); i++) {
		const char *name = issuer_name(issuer);
		if (str_starts(file, name) && str_equal(file + strlen(name), ".crt"))
			return issuer;
	}
	return NULL;
}

static bool serve(void *state, size_t i, const struct http_request *request, struct http_response *response,
                  struct problem *p)
{
	const struct ca *ca = state;
	const struct issuer *issuer = i == ISSUER ? find(ca, request->captures[0]) : NULL;
	if (i == ISSUER && !issuer)
		return problem_set(p, PROBLEM_NOT_FOUND, "there is no issuer of this name");
	if (i == ISSUER)
		reply(response, "application/pkix-cert", issuer_certificate(issuer));
	else
		reply(response, "application/x-pem-file", ca_root_pem(ca));
	return true;
}

static const struct http_route *route(void *state, size_t i)
{
	(void)state;
	return &routes[i];
}

static void refuse(void *state, size_t i, const struct http_request *request, const struct problem *p,
                   struct http_response *response)
{
	(void)state, (void)i, (void)request;
	reply_problem(p, response);
}

struct http_wing publish_wing(const struct ca *ca)
{
	return (struct http_wing){
		.name = "ca", .state = (void *)(uintptr_t)ca, .route_count = array_length(routes),
		        .route = route, .serve = serve,
		.refuse = refuse, .prefix = "/ca/",
	};
}
