#include "est/client_cert.h"

#include <strings.h>

#include "base/base64.h"

#define CERT "Client-Cert"
#define CHAIN "Client-Cert-Chain"

void client_cert_free(struct client_cert *shown)
{
	buf_free(&shown->der);
}

static bool malformed(const char *header, struct problem *p)
{
	return problem_set(p, PROBLEM_MALFORMED, "RFC 9440, 2: the header %s is not of byte sequences between "
	                   "colons", header);
}

static size_t header_count(const struct http_request *request, const char *name)
{
	size_t n = 0;

	for (size_t i = 0; i < request->header_count; i++)
		n += strcasecmp(request->headers[i].name, name) == 0;
	return n;
}

/* A byte sequence (RFC 8941, 3.3.5) in its one strict form: no white space, all padding, no parameter. */
static bool read_sequence(const char **at, struct client_cert *ret, struct problem *p, const char *header)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=";
	const char *text = *at + 1;
	size_t begin = ret->der.len;

	if (**at != ':')
		return malformed(header, p);
	size_t len = strspn(text, alphabet);
	if (len == 0 || text[len] != ':')
		return malformed(header, p);
	if (ret->n >= CLIENT_CERT_MAX || begin + len / 4 * 3 > CLIENT_CERT_BYTES)
		return problem_set(p, PROBLEM_TOO_LARGE,
		                   "RFC 9440, 3.3: over %d client certificates, or over %d bytes", CLIENT_CERT_MAX,
		                   CLIENT_CERT_BYTES);
	if (!base64_decode(text, len, &ret->der))
		return buf_check(&ret->der, p) && malformed(header, p);
	ret->chain[ret->n++].len = ret->der.len - begin;
	*at = text + len + 1;
	return true;
}

static bool read_own(const char *value, struct client_cert *ret, struct problem *p)
{
	return read_sequence(&value, ret, p, CERT) && (*value == '\0' || malformed(CERT, p));
}

/* A list (RFC 8941, 3.1); its members may stand in several headers. */
static bool read_list(const char *value, struct client_cert *ret, struct problem *p)
{
	for (;;) {
		if (!read_sequence(&value, ret, p, CHAIN))
			return false;
		value += strspn(value, " \t");
		if (*value == '\0')
			return true;
		if (*value != ',')
			return malformed(CHAIN, p);
		value++;
		value += strspn(value, " \t");
	}
}

static bool read_headers(const struct http_request *request, struct client_cert *ret, struct problem *p)
{
	const char *own = http_header(request, CERT);

	if (header_count(request, CERT) > 1)
		return problem_set(p, PROBLEM_MALFORMED, "RFC 9440, 2.2: the header " CERT " stands more than once");
	if (!own)
		return header_count(request, CHAIN) == 0 ||
		       problem_set(p, PROBLEM_MALFORMED, "RFC 9440, 2.3: " CHAIN " stands without " CERT);
	if (!read_own(own, ret, p))
		return false;
	for (size_t i = 0; i < request->header_count; i++)
		if (strcasecmp(request->headers[i].name, CHAIN) == 0 && !read_list(request->headers[i].value, ret, p))
			return false;
	for (size_t i = 0, at = 0; i < ret->n; at += ret->chain[i++].len)
		ret->chain[i].data = ret->der.data + at;
	return true;
}

static void take_connection(const struct http_tls *tls, struct client_cert *ret)
{
	ret->decoded = tls ? tls->peer : NULL;
	for (; tls && ret->n < tls->chain_length && ret->n < CLIENT_CERT_MAX; ret->n++)
		ret->chain[ret->n] = tls->chain[ret->n];
}

static const char *last_forwarded(const struct http_request *request)
{
	const char *found = NULL;

	for (size_t i = 0; i < request->header_count; i++)
		if (strcasecmp(request->headers[i].name, "X-Forwarded-For") == 0)
			found = request->headers[i].value;
	const char *comma = found ? strrchr(found, ',') : NULL;
	return comma ? comma + 1 + strspn(comma + 1, " \t") : found;
}

struct addr client_cert_from(const struct http_request *request, const struct addr_list *proxies)
{
	const char *text = addr_list_has(proxies, &request->peer) ? last_forwarded(request) : NULL;
	struct addr from;

	return text && addr_parse(text, &from) ? from : request->peer;
}

bool client_cert_read(const struct http_request *request, const struct addr_list *proxies, struct client_cert *ret,
                      struct problem *p)
{
	ret->proxied = addr_list_has(proxies, &request->peer);
	if (ret->proxied)
		return read_headers(request, ret, p);
	if (header_count(request, CERT) + header_count(request, CHAIN) > 0)
		return problem_set(p, PROBLEM_MALFORMED,
		                   "RFC 9440, 4: " CERT " is taken from the listed proxies alone");
	take_connection(request->tls, ret);
	return true;
}
