#include "acme/call.h"

void acme_url(const struct acme_call *call, struct buf *ret, const char *kind, const char *id, const char *more)
{
	buf_add_strs(ret, call->request->base_url, "/acme/", call->directory, "/", kind, NULL);
	if (id)
		buf_add_strs(ret, "/", id, NULL);
	if (more)
		buf_add_strs(ret, "/", more, NULL);
}

void acme_location(struct acme_call *call, const char *kind, const char *id, const char *more)
{
	auto_value(buf) url = { 0 };
	acme_url(call, &url, kind, id, more);
	http_response_header_buf(call->response, "Location", &url);
}

void acme_link(struct acme_call *call, const char *rel, const char *kind, const char *id, const char *more)
{
	auto_value(buf) link = { 0 };
	buf_add_char(&link, '<');
	acme_url(call, &link, kind, id, more);
	buf_add_strs(&link, ">;rel=\"", rel, "\"", NULL);
	http_response_header_buf(call->response, "Link", &link);
}

bool acme_pass_limit(struct limit *limit, const struct http_request *request, const char *what, struct problem *p)
{
	char from[ADDR_TEXT_SIZE];
	int wait;

	addr_format_host(&request->peer, from);
	return limit_take(limit, from, &wait) || problem_limited(p, wait, "%s from %s", what, from);
}

struct json_writer acme_reply(struct acme_call *call, int status)
{
	call->response->status = status;
	call->response->content_type = "application/json";
	return json_writer(&call->response->body);
}

static void put_type(struct json_writer *w, enum problem_kind kind)
{
	char type[96];
	snprintf(type, sizeof type, "urn:ietf:params:acme:error:%s", problem_acme_type(kind));
	json_put(w, "type", type);
}

/* RFC 8555, 6.7.1: parts only when there are some that say more than the whole; "identifier" in parts alone. */
static void put_parts(struct json_writer *w, const struct problem *p)
{
	if (p->sub_count == 0 || (p->sub_count == 1 && !p->subs[0].identifier_type[0]))
		return;
	json_open_array(w, "subproblems");
	for (size_t i = 0; i < p->sub_count; i++) {
		const struct problem_sub *sub = &p->subs[i];
		json_open(w, NULL);
		put_type(w, sub->kind);
		json_put(w, "detail", sub->detail);
		if (sub->identifier_type[0]) {
			json_open(w, "identifier");
			json_put(w, "type", sub->identifier_type);
			json_put(w, "value", sub->identifier_value);
			json_close(w);
		}
		json_close(w);
	}
	json_close(w);
}

/* RFC 8555, 7.3.3: the page that the user must visit is the one that the Link header names. Other
 * instances are the request, so that the operator finds it in the log. */
static void put_instance(struct json_writer *w, const struct problem *p, const char *request_id)
{
	char text[PROBLEM_DETAIL_MAX];
	const char *end = strchr(p->link, '>');
	if (p->kind == PROBLEM_USER_ACTION_REQUIRED && p->link[0] == '<' && end)
		snprintf(text, sizeof text, "%.*s", (int)(end - p->link - 1), p->link + 1);
	else if (problem_status(p) >= 500 && request_id)
		snprintf(text, sizeof text, "urn:enrolld:request:%s", request_id);
	else
		return;
	json_put(w, "instance", text);
}

void acme_problem_write(const struct problem *p, const char *request_id, struct buf *ret)
{
	struct json_writer w = json_writer(ret);
	json_open(&w, NULL);
	put_type(&w, p->kind);
	json_put(&w, "detail", problem_text(p));
	json_put_integer(&w, "status", problem_status(p));
	put_instance(&w, p, request_id);
	if (p->algorithms) {
		json_open_array(&w, "algorithms");
		for (const char *const *name = p->algorithms; *name; name++)
			json_put(&w, NULL, *name);
		json_close(&w);
	}
	put_parts(&w, p);
	json_close(&w);
}
