#include "est/digest.h"

#include <stddef.h>
#include <strings.h>

#include "base/base64.h"

#define PREFIX "/.well-known/est/"

static bool malformed(struct problem *p, const char *what)
{
	return problem_set(p, PROBLEM_MALFORMED, "RFC 7616, 3.4: the Authorization header of the scheme Digest "
	                   "%s", what);
}

bool digest_is(const char *header)
{
	return strncasecmp(header, "Digest ", 7) == 0;
}

/* --- its parameters */

#define FIELD(name) { #name, offsetof(struct digest, name) }
static const struct field {
	const char *name;
	size_t offset;
} fields[] = {
	FIELD(username), FIELD(realm), FIELD(nonce), FIELD(uri), FIELD(response), FIELD(cnonce), FIELD(nc),
	FIELD(qop), FIELD(algorithm),
};

static const struct field *field_named(const char *name, size_t len)
{
	for (size_t i = 0; i < array_length(fields); i++)
		if (strlen(fields[i].name) == len && strncasecmp(fields[i].name, name, len) == 0)
			return &fields[i];
	return NULL;
}

static const char *skip(const char *at)
{
	return at + strspn(at, " \t");
}

/* RFC 9110, 5.6.2 */
static size_t token(const char *at)
{
	return strspn(at, "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");
}

/* A token or a quoted string (RFC 9110, 5.6.4). NULL: neither, or longer than any of ours. */
static const char *read_value(const char *at, char ret[DIGEST_FIELD_SIZE])
{
	size_t n = 0, len = token(at);

	if (*at != '"') {
		if (len == 0 || len >= DIGEST_FIELD_SIZE)
			return NULL;
		memcpy(ret, at, len);
		ret[len] = '\0';
		return at + len;
	}
	for (at++; *at && *at != '"'; at++) {
		at += *at == '\\';
		if ((unsigned char)*at < ' ' || *at == 0x7f || n + 1 >= DIGEST_FIELD_SIZE)
			return NULL;
		ret[n++] = *at;
	}
	ret[n] = '\0';
	return *at == '"' ? at + 1 : NULL;
}

/* RFC 5987, 3.2: "UTF-8'language'text", in the text some octets as "%XX". In its own place. */
static bool read_extended(char value[DIGEST_FIELD_SIZE])
{
	const char *quote = strncasecmp(value, "UTF-8'", 6) == 0 ? strchr(value + 6, '\'') : NULL;
	auto_value(buf) text = {0};

	for (const char *at = quote ? quote + 1 : ""; *at; at++) {
		if (*at != '%') {
			buf_add_char(&text, *at);
			continue;
		}
		if (!at[1] || !at[2] || !hex_decode(at + 1, 2, &text))
			return false;
		at += 2;
	}
	if (!quote || text.failed)
		return false;
	for (size_t at = 0, len; at < text.len; at += len)
		if ((len = str_utf8(text.data + at, text.len - at)) == 0 || text.data[at] < ' ' || text.data[at] == 0x7f)
			return false;
	memcpy(value, buf_text(&text), text.len + 1); /* it is no longer than it was */
	return true;
}

/* One "name=value"; a name that stands twice could be read in two ways, and so could username beside username*
 * (RFC 7616, 3.4). */
static const char *read_parameter(const char *at, struct digest *ret)
{
	char value[DIGEST_FIELD_SIZE];
	size_t len = token(at);
	const char *after = skip(at + len);

	if (len == 0 || *after != '=')
		return NULL;
	bool extended = len == 9 && strncasecmp(at, "username*", len) == 0;
	const struct field *field = field_named(at, extended ? len - 1 : len);
	after = read_value(skip(after + 1), value);
	if (!after || !field)
		return after;
	if (extended && !read_extended(value))
		return NULL;
	char *to = (char *)ret + field->offset;
	if (*to)
		return NULL;
	strcpy(to, value);
	return after;
}

/* Nothing between two commas, or beside one, is no parameter, and no mistake (RFC 9110, 5.6.1.2). */
static bool read_parameters(const char *at, struct digest *ret, struct problem *p)
{
	for (at += strspn(at, ", \t"); *at; at += strspn(at, ", \t")) {
		at = read_parameter(at, ret);
		if (!at)
			return malformed(p, "is not a list of parameters, each once");
		at = skip(at);
		if (*at && *at != ',')
			return malformed(p, "is not a list of parameters between commas");
	}
	return true;
}

/* --- what they must be */

static size_t length_of(const char *path)
{
	size_t len = strcspn(path, "?");

	return len > 0 && path[len - 1] == '/' ? len - 1 : len;
}

/* The last segment. */
static const char *operation_of(const char *path, size_t len)
{
	while (len > 0 && path[len - 1] != '/')
		len--;
	return path + len;
}

static bool is_uri(const char *uri, const char *path)
{
	const char *scheme = strstr(uri, "://");
	const char *own = scheme ? strchr(scheme + 3, '/') ?: "" : uri;
	size_t len = length_of(own), path_len = length_of(path);
	const char *operation = operation_of(path, path_len);
	size_t operation_len = path_len - (size_t)(operation - path);

	if (len == path_len && memcmp(own, path, len) == 0)
		return true;
	return len == strlen(PREFIX) + operation_len && str_starts(own, PREFIX) &&
	       memcmp(own + strlen(PREFIX), operation, operation_len) == 0;
}

static bool read_count(const char *nc, uint32_t *ret)
{
	auto_value(buf) raw = {0};

	if (strlen(nc) != 8 || !hex_decode(nc, 8, &raw))
		return false;
	*ret = (uint32_t)raw.data[0] << 24 | (uint32_t)raw.data[1] << 16 | (uint32_t)raw.data[2] << 8 | raw.data[3];
	return *ret > 0;
}

static bool is_response(struct digest *d)
{
	size_t len = strlen(d->response);

	for (char *c = d->response; *c; c++)
		if (*c >= 'A' && *c <= 'F')
			*c = (char)(*c - 'A' + 'a');
	return len == (d->sha256 ? 64 : 32) && strspn(d->response, "0123456789abcdef") == len;
}

static bool check(struct digest *d, const struct http_request *request, struct problem *p)
{
	d->sha256 = strcasecmp(d->algorithm, "SHA-256") == 0;
	if (!d->username[0] || !d->nonce[0] || !d->cnonce[0])
		return malformed(p, "has not all of username, nonce and cnonce");
	if (!str_equal(d->realm, PASSWORD_REALM))
		return malformed(p, "is of another realm");
	if (!d->sha256 && d->algorithm[0] && strcasecmp(d->algorithm, "MD5") != 0)
		return malformed(p, "has an algorithm that is not served");
	if (!str_equal(d->qop, "auth") || !read_count(d->nc, &d->count))
		return malformed(p, "has not qop=auth and its nc");
	if (!is_uri(d->uri, request->path))
		return malformed(p, "has the uri of another request");
	return is_response(d) || malformed(p, "has no response in hexadecimal");
}

bool digest_read(const char *header, const struct http_request *request, struct digest *ret, struct problem *p)
{
	*ret = (struct digest){0};
	if (!digest_is(header) || strlen(header) > DIGEST_HEADER_MAX)
		return malformed(p, "is too long");
	return read_parameters(header + 7, ret, p) && check(ret, request, p);
}

struct password_claim digest_claim(const struct digest *d, const struct http_request *request)
{
	return (struct password_claim){
		.user = d->username, .method = request->method_name, .uri = d->uri, .nonce = d->nonce,
		.nc = d->nc, .cnonce = d->cnonce,
		.response = d->response, .sha256 = d->sha256,
	};
}

void digest_challenge(bool sha256, const char *nonce, bool stale, struct buf *ret)
{
	buf_printf(ret, "Digest realm=\"" PASSWORD_REALM "\", qop=\"auth\", algorithm=%s, nonce=\"%s\"%s",
	           sha256 ? "SHA-256" : "MD5", nonce,
	           stale ? ", stale=true" : "");
	if (sha256) /* RFC 7616, 4; to libest, which takes MD5 alone, each parameter more is a risk */
		buf_add_str(ret, ", charset=UTF-8");
}
