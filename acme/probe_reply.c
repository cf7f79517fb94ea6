#include "acme/probe_reply.h"

#include <ctype.h>

/* White space at the end is ignored (8.3). */
static size_t trimmed(struct bytes body)
{
	while (body.len > 0 && isspace(body.data[body.len - 1]))
		body.len--;
	return body.len;
}

static bool is_text(struct bytes body, size_t len, const char *want)
{
	return len == strlen(want) && memcmp(body.data, want, len) == 0;
}

/* The token and then something else: made with the key of another account. */
static bool is_of_another_key(struct bytes body, size_t len, const char *token)
{
	size_t n = strlen(token);

	return len > n && memcmp(body.data, token, n) == 0 && body.data[n] == '.';
}

/* The usual mistakes are told apart, but what the other side sent is not repeated (10.4). */
bool probe_reply_check(const struct probe_reply *reply, const struct probe_task *task, struct problem *p)
{
	size_t len = trimmed(reply->body);
	char addr[ADDR_TEXT_SIZE];

	addr_format(&reply->addr, addr);
	if (reply->status != 200)
		return problem_set(p, PROBLEM_INCORRECT_RESPONSE,
		                   "RFC 8555, 8.3: %s at %s answered with status %ld, 200 was wanted",
		                   reply->url, addr, reply->status);
	if (reply->too_long)
		return problem_set(p, PROBLEM_INCORRECT_RESPONSE,
		                   "RFC 8555, 8.3: %s at %s answered with more than %zu bytes, %zu were wanted",
		                   reply->url, addr, reply->body.len, strlen(task->key_authorization));
	if (is_text(reply->body, len, task->key_authorization))
		return true;
	return problem_set(p, PROBLEM_INCORRECT_RESPONSE,
	                   "RFC 8555, 8.3: %s at %s answered %s (%zu bytes), %s was wanted",
	                   reply->url, addr,
	                   is_of_another_key(reply->body, len, task->token) ? "for another account key"
	                                                                    : "something else",
	                   len, task->key_authorization);
}
