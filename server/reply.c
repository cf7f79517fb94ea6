#include "server/reply.h"

#include <assert.h>

#include "base/clock.h"
#include "base/json.h"

const char *reply_reason(int status)
{
	static const struct {
		int status;
		const char *reason;
	} reasons[] = {
		{ 200, "OK" },
		{ 201, "Created" },
		{ 202, "Accepted" },
		{ 204, "No Content" },
		{ 301, "Moved Permanently" },
		{ 302, "Found" },
		{ 303, "See Other" },
		{ 304, "Not Modified" },
		{ 307, "Temporary Redirect" },
		{ 308, "Permanent Redirect" },
		{ 400, "Bad Request" },
		{ 401, "Unauthorized" },
		{ 403, "Forbidden" },
		{ 404, "Not Found" },
		{ 405, "Method Not Allowed" },
		{ 406, "Not Acceptable" },
		{ 408, "Request Timeout" },
		{ 409, "Conflict" },
		{ 410, "Gone" },
		{ 411, "Length Required" },
		{ 412, "Precondition Failed" },
		{ 413, "Content Too Large" },
		{ 415, "Unsupported Media Type" },
		{ 417, "Expectation Failed" },
		{ 421, "Misdirected Request" },
		{ 422, "Unprocessable Content" },
		{ 428, "Precondition Required" },
		{ 429, "Too Many Requests" },
		{ 431, "Request Header Fields Too Large" },
		{ 500, "Internal Server Error" },
		{ 501, "Not Implemented" },
		{ 503, "Service Unavailable" },
		{ 505, "HTTP Version Not Supported" },
	};

	for (size_t i = 0; i < array_length(reasons); i++)
		if (reasons[i].status == status)
			return reasons[i].reason;
	return "Unnamed";
}

void reply_problem(const struct problem *p, struct http_response *response)
{
	struct json_writer w = json_writer(&response->body);

	response->status = problem_status(p);
	response->content_type = "application/problem+json";
	json_open(&w, NULL);
	json_put(&w, "type", "about:blank");
	json_put(&w, "title", reply_reason(response->status));
	json_put_integer(&w, "status", response->status);
	json_put(&w, "detail", problem_text(p));
	json_close(&w);
	if (p->retry_after > 0)
		http_response_header_printf(response, "Retry-After", "%d", p->retry_after);
	if (p->location[0])
		http_response_header(response, "Location", p->location);
	if (p->link[0])
		http_response_header(response, "Link", p->link);
}

/* Made once a second at most. */
static const char *date_now(void)
{
	static _Thread_local int64_t made;
	static _Thread_local char text[30];
	int64_t now = clock_now();

	if (now != made) {
		clock_format_http(now, text);
		made = now;
	}
	return text;
}

/* RFC 9112, 6.3: these end with their head, whatever it says. */
static bool is_bodiless(int status)
{
	return status < 200 || status == 204 || status == 304;
}

bool reply_has_content(const struct http_response *response, const struct reply_options *options)
{
	return !options->head && !is_bodiless(response->status) && response->content_type &&
	       http_response_content(response).len > 0;
}

bool reply_head(const struct http_response *response, const struct reply_options *options, struct buf *ret)
{
	assert(response->status >= 200 && response->status <= 599);
	if (response->headers.failed || response->body.failed)
		return false;
	buf_add_str(ret, "HTTP/1.1 ");
	buf_add_decimal(ret, (uint64_t)response->status);
	buf_add_strs(ret, " ", reply_reason(response->status), "\r\nDate: ", date_now(), "\r\n", NULL);
	if (!is_bodiless(response->status)) {
		if (response->content_type)
			buf_add_strs(ret, "Content-Type: ", response->content_type, "\r\n", NULL);
		buf_add_str(ret, "Content-Length: ");
		buf_add_decimal(ret, response->content_type ? http_response_content(response).len : 0);
		buf_add_str(ret, "\r\n");
	}
	if (!options->keep_alive)
		buf_add_str(ret, "Connection: close\r\n");
	else if (options->http10)
		buf_add_str(ret, "Connection: keep-alive\r\n");
	buf_add(ret, response->headers.data, response->headers.len);
	buf_add_str(ret, "\r\n");
	return !ret->failed;
}
