#include "base/http.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <strings.h>

#include "base/base64.h"
#include "base/digest.h"

static const char *const method_names[] = {
	[HTTP_GET] = "GET",
	[HTTP_HEAD] = "HEAD",
	[HTTP_POST] = "POST",
	[HTTP_PUT] = "PUT",
	[HTTP_PATCH] = "PATCH",
	[HTTP_DELETE] = "DELETE",
	[HTTP_OPTIONS] = "OPTIONS",
};

const char *http_method_name(enum http_method method)
{
	return method < HTTP_METHOD_OTHER ? method_names[method] : "OTHER";
}

/* Names are case-sensitive, RFC 9110, 9.1. */
enum http_method http_method_from(const char *name)
{
	for (size_t i = 0; i < array_length(method_names); i++)
		if (str_equal(method_names[i], name))
			return (enum http_method)i;
	return HTTP_METHOD_OTHER;
}

const char *http_header(const struct http_request *request, const char *name)
{
	for (size_t i = 0; i < request->header_count; i++)
		if (strcasecmp(request->headers[i].name, name) == 0)
			return request->headers[i].value;
	return NULL;
}

bool http_is_type(const struct http_request *request, const char *media_type)
{
	const char *value = http_header(request, "Content-Type");
	size_t len = strlen(media_type);

	if (!value)
		return false;
	value += strspn(value, " \t");
	if (strncasecmp(value, media_type, len) != 0)
		return false;
	value += len;
	value += strspn(value, " \t");
	return *value == '\0' || *value == ';';
}

/* The text after "name=" up to '&'; NULL without. */
static const char *query_find(const char *query, const char *name, size_t *ret_len)
{
	size_t name_len = strlen(name);

	while (*query) {
		size_t len = strcspn(query, "&");
		if (len > name_len && strncmp(query, name, name_len) == 0 && query[name_len] == '=') {
			*ret_len = len - name_len - 1;
			return query + name_len + 1;
		}
		query += len + (query[len] == '&');
	}
	return NULL;
}

/* NUL is refused: values are used as C strings. */
static bool percent_decode(const char *text, size_t len, struct buf *ret)
{
	for (size_t i = 0; i < len; i++) {
		if (text[i] != '%') {
			buf_add_char(ret, text[i] == '+' ? ' ' : text[i]);
			continue;
		}
		if (len - i < 3 || !hex_decode(text + i + 1, 2, ret) || ret->data[ret->len - 1] == '\0')
			return false;
		i += 2;
	}
	return !ret->failed;
}

bool http_query(const struct http_request *request, const char *name, struct buf *ret)
{
	size_t len, begin = ret->len;
	const char *value = query_find(request->query, name, &len);

	if (!value)
		return false;
	if (percent_decode(value, len, ret))
		return true;
	buf_shorten(ret, begin);
	return false;
}

/* Whoever lets a client's bytes into a header has a bug that splits replies. */
static void assert_line(const char *text)
{
	assert(text[strcspn(text, "\r\n")] == '\0');
}

static void assert_name(const char *name)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-";

	assert(*name != '\0' && name[strspn(name, allowed)] == '\0');
}

void http_response_header(struct http_response *response, const char *name, const char *value)
{
	assert_name(name);
	assert_line(value);
	buf_add_strs(&response->headers, name, ": ", value, "\r\n", NULL);
}

void http_response_header_buf(struct http_response *response, const char *name, const struct buf *value)
{
	http_response_header(response, name, buf_text(value));
	if (value->failed)
		response->headers.failed = true;
}

void http_response_header_printf(struct http_response *response, const char *name, const char *fmt, ...)
{
	auto_free char *text = NULL;
	va_list args;

	va_start(args, fmt);
	int n = vasprintf(&text, fmt, args);
	va_end(args);
	if (n < 0) {
		text = NULL;
		response->headers.failed = true;
		return;
	}
	assert(strlen(text) == (size_t)n);
	http_response_header(response, name, text);
}

static void unshare(struct http_response *response)
{
	if (response->done)
		response->done(response->keep);
	response->shared = BYTES(NULL, 0);
	response->done = NULL;
	response->keep = NULL;
}

void http_etag(struct bytes content, char ret[HTTP_ETAG_SIZE])
{
	uint8_t digest[SHA256_SIZE];
	char *at = ret;

	digest_sha256(content, digest);
	*at++ = '"';
	for (size_t i = 0; i < sizeof(digest); i++)
		at += sprintf(at, "%02x", digest[i]);
	strcpy(at, "\"");
}

void http_response_share(struct http_response *response, struct bytes content, void (*done)(void *keep), void *keep)
{
	unshare(response);
	response->shared = content;
	response->done = done;
	response->keep = keep;
}

struct bytes http_response_content(const struct http_response *response)
{
	return response->done ? response->shared : buf_bytes(&response->body);
}

void http_response_clear(struct http_response *response)
{
	unshare(response);
	buf_clear(&response->headers);
	buf_clear(&response->body);
	response->status = 0;
	response->content_type = NULL;
}

void http_response_free(struct http_response *response)
{
	unshare(response);
	buf_free(&response->headers);
	buf_free(&response->body);
}
