#include "server/publish.h"

#include "ca/files.h"
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

/* A root, which is no issuer here, and which the certificates of CAs point to. */
static bool root_der(const struct ca *ca, const char *name, struct buf *ret, struct problem *p)
{
	auto(X509) *root = NULL;
	auto_value(problem) why = {0};
	bool found = files_certificate(ca_folder(ca), name, &root, &why);
	if (!found && why.kind == PROBLEM_INTERNAL)
		return problem_internal(p, "%s", why.cause);
	if (!found)
		return problem_set(p, PROBLEM_NOT_FOUND, "there is no CA of this name");
	return ossl_der(i2d_X509, root, ret) ? true : problem_memory(p);
}

static bool serve_certificate(const struct ca *ca, const char *file, struct http_response *response, struct problem *p)
{
	auto_value(buf) der = {0};
	auto_free char *name = str_ends(file, ".crt")
	                               ? mem_printf("%.*s", (int)(strlen(file) - strlen(".crt")), file)
	                               : NULL;
	const struct issuer *issuer = name && *name ? ca_issuer(ca, name) : NULL;
	if (!name)
		return problem_set(p, PROBLEM_NOT_FOUND, "there is no CA of this name");
	if (!issuer && !root_der(ca, name, &der, p))
		return false;
	reply(response, "application/pkix-cert", issuer ? issuer_certificate(issuer) : buf_bytes(&der));
	return true;
}

static bool serve(void *state, size_t i, const struct http_request *request, struct http_response *response,
                  struct problem *p)
{
	const struct ca *ca = state;
	if (i == ISSUER)
		return serve_certificate(ca, request->captures[0], response, p);
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
