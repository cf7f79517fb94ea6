#include "est/text.h"

/* A short text stands on one line. A longer one is broken as PEM is, for libest and `openssl base64` read no
 * line of more than 1024; but strongSwan before 5.9.11 and Rust's est-ca, which send no User-Agent, read no
 * text of several. */
enum { LONG_LINE = 1000, COLUMNS = 64 };

bool text_is_bare(const struct http_request *request)
{
	return !http_header(request, "User-Agent") && !http_header(request, "Accept");
}

static bool wants_lines(const struct est_call *call, size_t len)
{
	if (call->label->wrap != LABEL_WRAP_AUTO)
		return call->label->wrap == LABEL_WRAP_LINES;
	return len >= LONG_LINE && http_header(call->request, "User-Agent");
}

void text_wrap(const struct est_call *call, struct bytes der, struct buf *ret)
{
	auto_value(buf) text = {0};

	buf_add_base64(&text, der);
	if (text.failed)
		ret->failed = true;
	size_t columns = wants_lines(call, text.len) ? COLUMNS : text.len;
	for (size_t at = 0; at < text.len; at += columns) {
		buf_add(ret, text.data + at, text.len - at < columns ? text.len - at : columns);
		buf_add_char(ret, '\n');
	}
}

bool text_reply(struct est_call *call, const char *content_type, struct bytes der, struct problem *p)
{
	struct http_response *response = call->response;

	text_wrap(call, der, &response->body);
	response->status = 200;
	response->content_type = content_type;
	/* RFC 8951, 2.1: means nothing; some clients want it */
	http_response_header(response, "Content-Transfer-Encoding", "base64");
	return buf_check(&response->body, p);
}
