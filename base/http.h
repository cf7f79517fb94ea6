/* HTTP: what a request and a reply are, whatever carries them, and the rows that say which
 * requests there are.
 *
 * A request and all it points to is borrowed for the time of the call. A response is owned by the
 * router that hands it to the handler. Each is used by one thread. Wings (acme, est, admin) know
 * these types only; server/ fills them from civetweb. */
#pragma once

#include "base/addr.h"
#include "base/bytes.h"

enum http_method { HTTP_GET, HTTP_HEAD, HTTP_POST, HTTP_PUT, HTTP_PATCH, HTTP_DELETE, HTTP_OPTIONS, HTTP_METHOD_OTHER };
const char *http_method_name(enum http_method method);
enum http_method http_method_from(const char *name);

/* As whom the server has shown itself on a connection: libcrypto's X509, EVP_PKEY and STACK_OF(X509), borrowed. */
struct http_server {
	void *certificate, *key, *chain;
};

/* What the TLS connection proves about its client. DER is borrowed from the connection. */
struct http_tls {
	const char *version;           /* "TLSv1.3" */
	const struct bytes *chain;     /* the client's certificates, its own first */
	size_t chain_length;           /* 0: none was shown */
	/* Channel bindings: tls-unique (RFC 5929, TLS 1.2 only), tls-exporter (RFC 9266). false where
	 * the connection has none. */
	bool (*unique)(const struct http_tls *tls, struct buf *ret);
	bool (*exporter)(const struct http_tls *tls, uint8_t ret[32]);
	bool confidential;             /* its cipher hides what is sent, by 128 bits at least */
	void (*server)(const struct http_tls *tls, struct http_server *ret);
	void *peer;                    /* the first of chain as libcrypto's X509, borrowed; NULL where there is none */
	void *connection;
};

enum { HTTP_HEADERS_MAX = 64, HTTP_CAPTURES_MAX = 4, HTTP_CAPTURE_SIZE = 128 };

struct http_header {
	const char *name, *value;
};

struct http_request {
	const char *id;                 /* request id, for log and INTERNAL problems */
	enum http_method method;
	const char *method_name;
	const char *base_url;           /* "https://ca.example:8443": scheme and authority, no slash */
	const char *path;               /* as sent, not percent-decoded, no query */
	const char *query;              /* "" when there is none */
	bool has_query;                 /* also an empty one */
	const struct http_header *headers;
	size_t header_count;
	char captures[HTTP_CAPTURES_MAX][HTTP_CAPTURE_SIZE]; /* what {name} matched, in order */
	struct bytes body;
	struct addr peer;
	const struct http_tls *tls;     /* NULL on a plain listener */
};
/* Value of the first header of that name, any case; NULL without. */
const char *http_header(const struct http_request *request, const char *name);
/* Whether the Content-Type is this media type, any case, any parameters (RFC 9110, 8.3). */
bool http_is_type(const struct http_request *request, const char *media_type) must_use;
/* The value of name in the query, percent-decoded into ret ('+' is a space, as in forms); false: not
 * there, not decodable, or with a NUL in it; or memory is out, and ret has failed. */
bool http_query(const struct http_request *request, const char *name, struct buf *ret) must_use;

struct http_response {
	int status;
	struct buf headers;             /* whole "Name: value\r\n" lines */
	const char *content_type;       /* static; NULL: no body is sent */
	struct buf body;
	bool close;                     /* close the connection after this reply */
	struct bytes shared;            /* sent in the body's place: http_response_share */
	void (*done)(void *keep);
	void *keep;
};
/* Canonical-Case name. CR, LF and NUL in a value are a bug: asserted. */
void http_response_header(struct http_response *response, const char *name, const char *value);
void http_response_header_buf(struct http_response *response, const char *name, const struct buf *value); /* fails as it did */
void http_response_header_printf(struct http_response *response, const char *name, const char *fmt,
                                 ...) printf_like(3, 4);
/* A strong ETag for content (RFC 9110, 8.8.3): its SHA-256 in hexadecimal, in quotes. */
enum { HTTP_ETAG_SIZE = 2 + 64 + 1 };
void http_etag(struct bytes content, char ret[HTTP_ETAG_SIZE]);
/* Sends content that is not copied; it must stay until done(keep) is called. */
void http_response_share(struct http_response *response, struct bytes content, void (*done)(void *keep), void *keep);
/* What is sent: what is shared, or the body. */
struct bytes http_response_content(const struct http_response *response);
/* Empties the response; its memory is kept for another one. */
void http_response_clear(struct http_response *response);
void http_response_free(struct http_response *response);
declare_auto_value(http_response, http_response_free);

/* One row of a route table. Fields that the router checks before it calls serve. */
struct http_route {
	enum http_method method;        /* GET also serves HEAD */
	/* "/acme/{profile}/order/{id}"; a {name} is one segment: A-Z a-z 0-9 - _ . ~ :. A {name*} at the end is all
	 * that follows, of any characters: serve finds it in the request's path, it is no capture. */
	const char *path;
	const char *content_type;       /* wanted of the request; NULL: none is looked at */
	size_t body_max;                /* 0: no body is allowed */
	const char *rfc;                /* "RFC 8555, 7.4" */
	bool own_type;                  /* serve holds the request to the content type, not the router */
};

/* A wing as the router sees it. All functions are called from many threads at once. */
struct http_wing {
	const char *name;               /* the service of a listener: "acme" */
	void *state;
	size_t route_count;
	const struct http_route *(*route)(void *state, size_t i);
	/* Answers a request that fits route i. false: the problem is set and refuse will be called. */
	bool (*serve)(void *state, size_t i, const struct http_request *request,
	              struct http_response *response, struct problem *p);
	/* Turns a problem into a reply, the router's own refusals (404, 405, 413, 415) included: the
	 * one place of this protocol that does. i is the route, or route_count when none fitted. */
	void (*refuse)(void *state, size_t i, const struct http_request *request,
	               const struct problem *p, struct http_response *response);
	/* Whether a path that no row fits belongs to this wing, e.g. all below "/acme/". */
	const char *prefix;
};
