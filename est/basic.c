#include "est/basic.h"

#include <strings.h>

#include "base/base64.h"

enum { HEADER_MAX = 1024 };

static bool malformed(struct problem *p)
{
	return problem_set(p, PROBLEM_MALFORMED, "RFC 7617, 2: the Authorization header is not one of the "
	                   "scheme Basic");
}

bool basic_is(const char *header)
{
	return strncasecmp(header, "Basic ", 6) == 0;
}

static bool is_text(struct bytes text)
{
	size_t len;

	for (size_t at = 0; at < text.len; at += len) {
		len = str_utf8(text.data + at, text.len - at);
		if (len == 0 || text.data[at] < ' ' || text.data[at] == 0x7f)
			return false;
	}
	return true;
}

/* What is longer than any of ours is nobody's, and is not worth to be told apart. */
static void take(struct bytes text, char *ret, size_t size)
{
	if (text.len >= size)
		text = BYTES_STR("?");
	memcpy(ret, text.data, text.len);
	ret[text.len] = '\0';
}

static bool read_pair(struct bytes pair, struct basic *ret, struct problem *p)
{
	const uint8_t *colon = pair.len > 0 ? memchr(pair.data, ':', pair.len) : NULL;
	size_t user = colon ? (size_t)(colon - pair.data) : 0, rest = colon ? user + 1 : 0;

	if (pair.len == 0 || !is_text(pair))
		return malformed(p);
	ret->colon = colon;
	take(BYTES(pair.data, user), ret->user, sizeof(ret->user));
	take(BYTES(pair.data + rest, pair.len - rest), ret->password, sizeof(ret->password));
	return true;
}

bool basic_read(const char *header, struct basic *ret, struct problem *p)
{
	auto_value(buf) pair = {0};

	*ret = (struct basic){0};
	if (!basic_is(header) || strlen(header) > HEADER_MAX)
		return malformed(p);
	const char *token = header + 6 + strspn(header + 6, " ");
	if (!base64_decode(token, strlen(token), &pair))
		return buf_check(&pair, p) && malformed(p);
	return read_pair(buf_bytes(&pair), ret, p);
}

const char *basic_code(const struct basic *basic)
{
	return basic->colon && basic->password[0] == '\0' ? basic->user : basic->password;
}
