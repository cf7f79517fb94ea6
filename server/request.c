#include "server/request.h"

#include <stdio.h>
#include <strings.h>

#include "base/ascii.h"

/* The head lies in a buffer that is the connection's own. */
static char *writable(const char *text)
{
	return (char *)(uintptr_t)text;
}

static const char *trimmed(const char *value)
{
	size_t len = strlen(value);

	while (len > 0 && value[len - 1] == ' ')
		len--;
	writable(value)[len] = '\0';
	return value;
}

static void take_headers(const struct request_head *head, struct request *r)
{
	size_t count = head->header_count < HTTP_HEADERS_MAX ? head->header_count : HTTP_HEADERS_MAX;

	for (size_t i = 0; i < count; i++)
		r->headers[i] = (struct http_header){ head->headers[i].name, trimmed(head->headers[i].value) };
	r->http.headers = r->headers;
	r->http.header_count = count;
}

/* Two of them, and two readers could each believe another one (RFC 9110, 5.3). */
static bool check_single(const struct http_request *http, struct problem *p)
{
	static const char *const single[] = { "Host",         "Content-Length", "Transfer-Encoding",
		                              "Content-Type", "Authorization",  "Expect" };

	for (size_t i = 0; i < array_length(single); i++) {
		unsigned found = 0;
		for (size_t h = 0; h < http->header_count; h++)
			found += strcasecmp(http->headers[h].name, single[i]) == 0;
		if (found > 1)
			return problem_set(p, PROBLEM_MALFORMED, "RFC 9110, 5.3: the header %s stands more than once",
			                   single[i]);
	}
	return true;
}

static bool check_version(const char *version, struct problem *p)
{
	if (str_equal(version, "1.1") || str_equal(version, "1.0"))
		return true;
	problem_set(p, PROBLEM_NOT_IMPLEMENTED, "RFC 9112, 2.3: HTTP/1.1 and HTTP/1.0 are served, not HTTP/%s",
	            version);
	p->status = 505;
	return false;
}

/* "https://ca.example:8443/path": ret_authority is a copy; the target is left with the path. */
static bool split_absolute(const char **target, char *ret_authority, size_t size, struct problem *p)
{
	const char *authority = strstr(*target, "://");

	if (strncasecmp(*target, "http://", 7) != 0 && strncasecmp(*target, "https://", 8) != 0)
		return problem_set(p, PROBLEM_MALFORMED, "RFC 9112, 3.2: the target is neither a path nor a URL");
	authority += 3;
	size_t len = strcspn(authority, "/?");
	if (len == 0 || len >= size)
		return problem_set(p, PROBLEM_MALFORMED, "RFC 9112, 3.2.2: the target has no authority, or a long one");
	memcpy(ret_authority, authority, len);
	ret_authority[len] = '\0';
	*target = authority[len] == '/' ? authority + len : "/";
	return true;
}

static void split_query(const char *target, struct http_request *http)
{
	char *mark = writable(strchr(target, '?'));

	http->path = target;
	http->query = "";
	if (mark) {
		*mark = '\0';
		http->query = mark + 1;
		http->has_query = true;
	}
}

static bool is_host_char(char c)
{
	return ascii_is_alnum(c) || (c != '\0' && strchr("-._", c));
}

struct authority {
	char host[256];  /* without brackets */
	bool literal;    /* stood in brackets */
	unsigned port;   /* 0: none was said */
};

static bool parse_port(const char *text, unsigned *ret)
{
	unsigned port = 0;

	for (const char *at = text; *at; at++) {
		if (*at < '0' || *at > '9' || at - text > 4)
			return false;
		port = port * 10 + (unsigned)(*at - '0');
	}
	*ret = port;
	return port <= 65535;
}

/* uri-host [ ":" port ] (RFC 9110, 7.2). */
static bool parse_authority(const char *text, struct authority *ret)
{
	struct addr address;
	size_t len = 0;

	*ret = (struct authority){ .literal = *text == '[' };
	text += ret->literal;
	while (ret->literal ? text[len] && text[len] != ']' : is_host_char(text[len]))
		len++;
	if (len == 0 || len >= sizeof(ret->host))
		return false;
	memcpy(ret->host, text, len);
	text += len;
	if (ret->literal && (*text++ != ']' || !addr_parse(ret->host, &address)))
		return false;
	return *text == '\0' || (*text == ':' && parse_port(text + 1, &ret->port));
}

static bool is_named(const struct strings *names, const char *host)
{
	struct addr wanted, address;
	bool is_address = addr_parse(host, &wanted);

	for (size_t i = 0; names && i < names->n; i++) {
		if (strcasecmp(names->v[i], host) == 0)
			return true;
		if (is_address && addr_parse(names->v[i], &address) && addr_equal(&address, &wanted))
			return true;
	}
	return false;
}

static bool set_base_url(const struct request_place *place, const struct authority *a, struct request *r,
                         struct problem *p)
{
	unsigned standard = str_equal(place->scheme, "https") ? 443 : 80;
	const char *open = a->literal ? "[" : "", *close = a->literal ? "]" : "";
	char port[STR_DECIMAL_SIZE];
	bool implied = a->port == 0 || a->port == standard;

	if (!is_named(place->names, a->host)) {
		problem_set(p, PROBLEM_MALFORMED,
		            "RFC 9110, 7.4: this server is not \"%s\": `tls.names` says what it is called",
		            a->host);
		p->status = 421;
		return false;
	}
	str_join(r->base_url, sizeof(r->base_url), place->scheme, "://", open, a->host, close,
	         implied ? NULL : ":", str_decimal(a->port, port), NULL);
	return true;
}

/* RFC 9112, 3.2: the authority of an absolute target wins over Host. */
static bool find_base_url(const struct request_place *place, const char *absolute, struct request *r,
                          struct problem *p)
{
	const char *host = http_header(&r->http, "Host");
	struct authority authority;

	r->http.base_url = r->base_url;
	if (!host && r->is_11)
		return problem_set(p, PROBLEM_MALFORMED, "RFC 9112, 3.2: the request has no Host");
	if (host && !parse_authority(host, &authority))
		return problem_set(p, PROBLEM_MALFORMED, "RFC 9112, 3.2: the Host is not a host and a port");
	if (*absolute && !parse_authority(absolute, &authority))
		return problem_set(p, PROBLEM_MALFORMED, "RFC 9112, 3.2.2: the authority is not a host and a port");
	if (place->external_url) {
		r->http.base_url = place->external_url;
		return true;
	}
	if (host || *absolute)
		return set_base_url(place, &authority, r, p);
	snprintf(r->base_url, sizeof(r->base_url), "%s://%s", place->scheme, place->authority);
	return true;
}

static bool parse_length(const char *text, size_t *ret)
{
	size_t value = 0, len = strspn(text, "0123456789");

	if (len == 0 || len > 18 || text[len] != '\0')
		return false;
	for (size_t i = 0; i < len; i++)
		value = value * 10 + (size_t)(text[i] - '0');
	*ret = value;
	return true;
}

/* Chunked is the one coding that is taken, and never beside a length: one way to say where a request ends is one way to
 * smuggle less (RFC 9112, 6.1). Go's clients send it when they do not know how long their content is. */
static bool read_framing(struct request *r, struct problem *p)
{
	const char *length = http_header(&r->http, "Content-Length");
	const char *coding = http_header(&r->http, "Transfer-Encoding");
	const char *expect = http_header(&r->http, "Expect");

	if (coding && (length || !r->is_11 || strcasecmp(coding, "chunked") != 0))
		return problem_set(p, PROBLEM_MALFORMED,
		                   "RFC 9112, 6.1: this Transfer-Encoding is not taken; send Content-Length");
	r->chunked = coding;
	if (length && !parse_length(length, &r->content_length))
		return problem_set(p, PROBLEM_MALFORMED, "RFC 9110, 8.6: the Content-Length is not a decimal number");
	r->has_length = length;
	if (!expect || !r->is_11)
		return true;
	r->expects_continue = strcasecmp(expect, "100-continue") == 0;
	if (r->expects_continue)
		return true;
	problem_set(p, PROBLEM_MALFORMED, "RFC 9110, 10.1.1: 100-continue is the only expectation that is met");
	p->status = 417;
	return false;
}

static bool has_option(const char *list, const char *option)
{
	while (*list) {
		size_t len = strcspn(list, ", ");
		if (len == strlen(option) && strncasecmp(list, option, len) == 0)
			return true;
		list += len + strspn(list + len, ", ");
	}
	return false;
}

/* RFC 9112, 9.3: "close" is looked for first, and the header may stand more than once. */
static bool asks_to_end(const struct http_request *http)
{
	for (size_t i = 0; i < http->header_count; i++)
		if (strcasecmp(http->headers[i].name, "Connection") == 0 && has_option(http->headers[i].value, "close"))
			return true;
	return false;
}

bool request_read(const struct request_place *place, const struct request_head *head, struct request *ret,
                  struct problem *p)
{
	char absolute[256] = "";
	const char *target = head->target;

	ret->http.method = http_method_from(head->method);
	ret->http.method_name = head->method;
	ret->http.path = ret->http.query = "";
	ret->http.base_url = place->external_url ?: "";
	ret->is_11 = str_equal(head->version, "1.1");
	take_headers(head, ret);
	ret->ends = asks_to_end(&ret->http);
	if (!check_version(head->version, p))
		return false;
	if (*target != '/' && !str_equal(target, "*") && !split_absolute(&target, absolute, sizeof(absolute), p))
		return false;
	split_query(target, &ret->http);
	return check_single(&ret->http, p) && find_base_url(place, absolute, ret, p) && read_framing(ret, p);
}

bool request_check_body(const struct request *r, size_t body_max, struct problem *p)
{
	bool wants_body = r->http.method == HTTP_POST || r->http.method == HTTP_PUT || r->http.method == HTTP_PATCH;

	if (wants_body && !r->has_length && !r->chunked)
		return problem_set(p, PROBLEM_LENGTH_REQUIRED, "RFC 9110, 15.5.12: the request has no Content-Length");
	if (body_max == 0 && (r->content_length > 0 || r->chunked))
		return problem_set(p, PROBLEM_TOO_LARGE, "RFC 9110, 15.5.14: no content is taken here");
	if (r->content_length > body_max)
		return problem_set(p, PROBLEM_TOO_LARGE, "RFC 9110, 15.5.14: the content is longer than %zu bytes",
		                   body_max);
	return true;
}
