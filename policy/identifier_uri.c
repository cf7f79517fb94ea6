#include "policy/identifier_uri.h"

#include <stdlib.h>
#include <strings.h>

#include "base/ascii.h"

enum { HOST_MAX = 253 };

/* RFC 3986, 3.1: what stands before "://"; 0 if that is no scheme. */
static size_t scheme_length(const char *value)
{
	size_t len = 0;

	while (ascii_is_alnum(value[len]) || (value[len] && strchr("+-.", value[len])))
		len++;
	bool letter = ascii_is_alnum(value[0]) && !ascii_is_digit(value[0]);
	return letter && strncmp(value + len, "://", 3) == 0 ? len : 0;
}

/* RFC 3986, 2: unreserved, reserved, and whole percent-encodings. */
static bool uri_characters_check(const char *value, struct problem *p)
{
	for (const char *c = value; *c; c++) {
		bool encoded = c[0] == '%' && strspn(c + 1, "0123456789abcdefABCDEF") >= 2;
		if (!encoded && !ascii_is_alnum(*c) && !strchr("-._~:/?#[]@!$&'()*+,;=", *c))
			return problem_set(p, PROBLEM_MALFORMED,
			                   "RFC 3986, 2: \"%s\" has a character that no URI has", value);
	}
	return true;
}

/* The URI with "." and "/" where it has them encoded; no longer than an identifier's value. */
static void decode_segments(const char *uri, char ret[IDENTIFIER_VALUE_SIZE])
{
	size_t len;

	for (; *uri; uri += len) {
		bool dot = strncasecmp(uri, "%2e", 3) == 0, slash = strncasecmp(uri, "%2f", 3) == 0;

		len = dot || slash ? 3 : 1;
		*ret++ = dot ? '.' : slash ? '/' : *uri;
	}
	*ret = '\0';
}

/* "." and ".." segments, plain or encoded: a reader that resolves them would see another URI than
 * the pattern that let this one pass. */
static bool has_dot_segment(const char *path)
{
	char plain[IDENTIFIER_VALUE_SIZE];

	decode_segments(path, plain);
	for (const char *at = strchr(plain, '/'); at; at = strchr(at, '/')) {
		size_t dots = strspn(++at, ".");

		if ((dots == 1 || dots == 2) && (at[dots] == '\0' || strchr("/?#", at[dots])))
			return true;
	}
	return false;
}

/* RFC 3986, 6.2.2.2: "%61" is "a" to who reads it, and something else to a pattern. */
static bool has_idle_escape(const char *value)
{
	for (const char *at = strchr(value, '%'); at; at = strchr(at + 1, '%')) {
		const char hex[3] = { at[1], at[2], '\0' };
		long c = strtol(hex, NULL, 16);
		if (c < 0x80 && (ascii_is_alnum((char)c) || (c != 0 && strchr("-._~", (int)c))))
			return true;
	}
	return false;
}

static bool idle_escape(const char *value, struct problem *p)
{
	return problem_set(p, PROBLEM_MALFORMED,
	                   "RFC 3986, 6.2.2.2: \"%s\" has a percent-encoding of a character that needs none", value);
}

/* The authority: a host and maybe a port. Nothing else may stand there, so that a pattern's prefix
 * means the host it shows. */
static bool authority_check(const char *value, const char *authority, size_t len, struct problem *p)
{
	char host[HOST_MAX + 1];
	size_t host_len = strcspn(authority, ":/?#");
	struct identifier name;
	struct addr addr;
	size_t digits = len > host_len ? strspn(authority + host_len + 1, "0123456789") : 0;

	if (host_len == 0 || host_len >= sizeof(host) || (len > host_len && host_len + 1 + digits != len))
		return problem_set(p, PROBLEM_MALFORMED, "RFC 5280, 4.2.1.6: \"%s\" has no plain host",
		                   value);
	memcpy(host, authority, host_len);
	host[host_len] = '\0';
	if (addr_parse(host, &addr))
		return true;
	if (host[0] == '*' || !identifier_parse("dns", host, &name, p))
		return problem_set(p, PROBLEM_MALFORMED,
		                   "RFC 5280, 4.2.1.6: the host of \"%s\" is no host name", value);
	return true;
}

/* RFC 8141, 2: the length of "urn:NID:", what has no case; 0: not so. */
static size_t urn_length(const char *value)
{
	size_t len = 0;

	if (strncasecmp(value, "urn:", 4) != 0)
		return 0;
	while (ascii_is_alnum(value[4 + len]) || value[4 + len] == '-')
		len++;
	bool good = len >= 2 && len <= 32 && value[4] != '-' && value[3 + len] != '-';
	return good && value[4 + len] == ':' ? 4 + len + 1 : 0;
}

static bool urn_canonical(const char *value, size_t prefix, struct identifier *ret, struct problem *p)
{
	if (!uri_characters_check(value, p))
		return false;
	if (!value[prefix] || strchr("/?#", value[prefix]) || has_dot_segment(value))
		return problem_set(p, PROBLEM_MALFORMED, "RFC 8141, 2: \"%s\" names nothing after its namespace",
		                   value);
	if (has_idle_escape(value))
		return idle_escape(value, p);
	strcpy(ret->value, value);
	for (size_t i = 0; i < prefix; i++)
		ret->value[i] = ascii_lower(value[i]);
	return true;
}

/* RFC 5280, 4.2.1.6: absolute, with a host, or a URN. Scheme and host have no case (7.4). */
bool identifier_uri(const char *value, struct identifier *ret, struct problem *p)
{
	size_t scheme = scheme_length(value), urn = urn_length(value);

	if (strlen(value) >= sizeof(ret->value))
		return problem_set(p, PROBLEM_MALFORMED, "RFC 5280, 4.2.1.6: the URI is over 255 bytes");
	if (urn > 0)
		return urn_canonical(value, urn, ret, p);
	if (scheme == 0)
		return problem_set(p, PROBLEM_MALFORMED,
		                   "RFC 5280, 4.2.1.6: \"%s\" is no absolute URI with a host, and no URN", value);
	const char *authority = value + scheme + 3;
	size_t len = strcspn(authority, "/?#");
	if (!uri_characters_check(value, p) || !authority_check(value, authority, len, p))
		return false;
	if (has_dot_segment(authority + len))
		return problem_set(p, PROBLEM_MALFORMED, "RFC 3986, 6.2.2.3: \"%s\" has a dot segment",
		                   value);
	if (has_idle_escape(authority + len))
		return idle_escape(value, p);
	strcpy(ret->value, value);
	for (size_t i = 0; i < scheme + 3 + len; i++)
		ret->value[i] = ascii_lower(value[i]);
	return true;
}
