#include "acme/http_reply.h"

#include <ctype.h>
#include <strings.h>

enum {
	HEADERS_MAX = 16384,  /* bytes of all lines of one reply */
	LENGTH_DIGITS = 15, CHUNK_DIGITS = 8,
};

void http_reply_begin(struct http_reply *reply, struct fetch *to)
{
	reply->to = to;
	reply->state = HTTP_REPLY_STATUS;
	reply->fault = NULL;
	reply->chunked = reply->sized = reply->cut = false;
	reply->left = 0;
	reply->line_len = 0;
}

static void break_off(struct http_reply *reply, const char *fault)
{
	reply->state = HTTP_REPLY_BROKEN;
	reply->fault = fault;
}

/* --- lines */

/* RFC 9112, 4: "HTTP/1.1 200 reason". */
static void take_status(struct http_reply *reply, const char *line)
{
	static const char form[] = "HTTP/1.";

	if (!str_starts(line, form) || !isdigit((unsigned char)line[7]) || line[8] != ' ' ||
	    strspn(line + 9, "0123456789") != 3 || (line[12] != ' ' && line[12] != '\0')) {
		break_off(reply, "what it answered is no HTTP");
		return;
	}
	reply->to->status = strtol(line + 9, NULL, 10);
	reply->to->location[0] = '\0';
	reply->chunked = reply->sized = false;
	reply->state = HTTP_REPLY_HEADER;
}

/* The value of that header, without the white space around it; NULL: another header. */
static char *value_of(char *line, const char *name)
{
	size_t n = strlen(name);

	if (strncasecmp(line, name, n) != 0 || line[n] != ':')
		return NULL;
	line += n + 1 + strspn(line + n + 1, " \t");
	for (size_t len = strlen(line); len > 0 && isspace((unsigned char)line[len - 1]); len--)
		line[len - 1] = '\0';
	return line;
}

/* RFC 9112, 6.3: two that differ make the whole reply worthless. */
static void take_length(struct http_reply *reply, const char *value)
{
	size_t digits = strspn(value, "0123456789");
	uint64_t length = strtoull(value, NULL, 10);

	if (reply->cut || digits == 0 || digits > LENGTH_DIGITS || value[digits] != '\0' ||
	    (reply->sized && reply->left != length)) {
		break_off(reply, "its Content-Length is none");
		return;
	}
	reply->sized = true;
	reply->left = length;
}

/* A Location that is too long is none. */
static void take_header(struct http_reply *reply, char *line)
{
	const char *value;

	if ((value = value_of(line, "content-length"))) {
		take_length(reply, value);
	} else if ((value = value_of(line, "transfer-encoding"))) {
		reply->chunked = !reply->cut && strcasecmp(value, "chunked") == 0;
		if (!reply->chunked)
			break_off(reply, "it uses a transfer coding that nobody asked for");
	} else if ((value = value_of(line, "location"))) {
		size_t len = strlen(value);
		len = reply->cut || len > FETCH_LOCATION_MAX ? 0 : len;
		memcpy(reply->to->location, value, len);
		reply->to->location[len] = '\0';
	}
}

static bool is_interim(long status)
{
	return status >= 100 && status < 200 && status != 101;
}

/* RFC 9112, 6.3 */
static void end_head(struct http_reply *reply)
{
	if (is_interim(reply->to->status))
		reply->state = HTTP_REPLY_STATUS;
	else if (reply->to->status != 200 || (reply->sized && !reply->chunked && reply->left == 0))
		reply->state = HTTP_REPLY_DONE;
	else
		reply->state = reply->chunked ? HTTP_REPLY_CHUNK_SIZE : HTTP_REPLY_CONTENT;
	if (!reply->sized)
		reply->left = UINT64_MAX;
}

/* RFC 9112, 7.1: hexadecimal, then perhaps extensions. */
static void take_chunk_size(struct http_reply *reply, const char *line)
{
	size_t digits = strspn(line, "0123456789abcdefABCDEF");

	if (digits == 0 || digits > CHUNK_DIGITS || !strchr("; \t", line[digits])) {
		break_off(reply, "it broke its chunks");
		return;
	}
	reply->left = strtoull(line, NULL, 16);
	reply->state = reply->left > 0 ? HTTP_REPLY_CHUNK : HTTP_REPLY_TRAILER;
}

static void take_line(struct http_reply *reply)
{
	char *line = reply->line;

	if (reply->line_len > 0 && line[reply->line_len - 1] == '\r')
		reply->line_len--;
	line[reply->line_len] = '\0';
	reply->cut |= strlen(line) < reply->line_len;
	bool empty = reply->line_len == 0;
	switch (reply->state) {
	case HTTP_REPLY_STATUS: take_status(reply, line); break;
	case HTTP_REPLY_HEADER: empty ? end_head(reply) : take_header(reply, line); break;
	case HTTP_REPLY_CHUNK_SIZE: take_chunk_size(reply, line); break;
	case HTTP_REPLY_CHUNK_END:
		reply->state = HTTP_REPLY_CHUNK_SIZE;
		if (!empty)
			break_off(reply, "it broke its chunks");
		break;
	default:
		if (empty)
			reply->state = HTTP_REPLY_DONE;
	}
	reply->line_len = 0;
	reply->cut = false;
}

/* Takes bytes up to the end of the line, if that is there. Returns how many. */
static size_t add_to_line(struct http_reply *reply, struct bytes data)
{
	const uint8_t *end = memchr(data.data, '\n', data.len);
	size_t n = end ? (size_t)(end - data.data) : data.len, room = HTTP_REPLY_LINE_MAX - reply->line_len;

	memcpy(reply->line + reply->line_len, data.data, n < room ? n : room);
	reply->line_len += n < room ? n : room;
	reply->cut |= n > room;
	n += end != NULL;
	reply->to->header_bytes += n;
	if (reply->to->header_bytes > HEADERS_MAX)
		break_off(reply, "too many header lines");
	else if (end)
		take_line(reply);
	return n;
}

/* --- content */

static size_t add_to_content(struct http_reply *reply, struct bytes data)
{
	struct fetch *to = reply->to;
	size_t n = data.len < reply->left ? data.len : (size_t)reply->left;

	to->too_long = n > FETCH_BODY_MAX - to->body_len;
	if (to->too_long) {
		reply->state = HTTP_REPLY_DONE;
		return n;
	}
	memcpy(to->body + to->body_len, data.data, n);
	to->body_len += n;
	reply->left -= n;
	if (reply->left == 0)
		reply->state = reply->chunked ? HTTP_REPLY_CHUNK_END : HTTP_REPLY_DONE;
	return n;
}

static bool is_over(const struct http_reply *reply)
{
	return reply->state == HTTP_REPLY_DONE || reply->state == HTTP_REPLY_BROKEN;
}

bool http_reply_feed(struct http_reply *reply, struct bytes data)
{
	while (data.len > 0 && !is_over(reply)) {
		bool content = reply->state == HTTP_REPLY_CONTENT || reply->state == HTTP_REPLY_CHUNK;
		size_t n = content ? add_to_content(reply, data) : add_to_line(reply, data);
		data = BYTES(data.data + n, data.len - n);
	}
	return !is_over(reply);
}

/* RFC 9112, 8: content without a length is whole when the connection ends. */
void http_reply_end(struct http_reply *reply)
{
	if (is_over(reply))
		return;
	if (reply->state == HTTP_REPLY_CONTENT && !reply->sized)
		reply->state = HTTP_REPLY_DONE;
	else
		break_off(reply, "it closed the connection early");
}
