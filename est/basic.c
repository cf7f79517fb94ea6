#include "est/basic.h"

#include <strings.h>

#include "base/base64.h"

enum { HEADER_MAX = 1024 };

static bool malformed(struct problem *p)
{
	return problem_set(p, PROBLEM_MALFORMED, "RFC 7617, 2: the Authorization header is not one of the scheme Basic");
}

/* What follows "Basic "; NULL: another scheme. */
static const char *token_of(const char *header)
{
	if (strncasecmp(header, "Basic ", 6) != 0)
		return NULL;
	return header + 6 + strspn(header + 6, " ");
}

static struct bytes code_in(struct bytes pair)
{
	const uint8_t *colon = memchr(pair.data, ':', pair.len);
	size_t user = colon ? (size_t)(colon - pair.data) : pair.len;

	if (!colon || user + 1 == pair.len)
		return BYTES(pair.data, user);
	return BYTES(colon + 1, pair.len - user - 1);
}

bool basic_code(const struct http_request *request, char ret[BASIC_CODE_SIZE], struct problem *p)
{
	const char *header = http_header(request, "Authorization");
	const char *token = header ? token_of(header) : NULL;
	auto_value(buf) pair = {0};

	ret[0] = '\0';
	if (!header)
		return true;
	if (!token || strlen(token) > HEADER_MAX || !base64_decode(token, strlen(token), &pair) || pair.len == 0)
		return malformed(p);
	struct bytes code = code_in(buf_bytes(&pair));
	if (code.len >= BASIC_CODE_SIZE || memchr(code.data, '\0', code.len)) /* no code of ours: it will not be found */
		code = BYTES_STR("?");
	memcpy(ret, code.data, code.len);
	ret[code.len] = '\0';
	return true;
}
