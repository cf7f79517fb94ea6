#include "policy/pattern.h"

#include <assert.h>
#include <stdio.h>
#include <strings.h>

/* How many labels a DNS pattern lets a name have in front of its base. */
enum depth { DEPTH_NONE, DEPTH_ONE, DEPTH_ANY };

static const char *dns_base(const char *pattern, enum depth *ret)
{
	*ret = str_starts(pattern, "**.") ? DEPTH_ANY : str_starts(pattern, "*.") ? DEPTH_ONE : DEPTH_NONE;
	return pattern + (*ret == DEPTH_ANY ? 3 : *ret == DEPTH_ONE ? 2 : 0);
}

static bool dns_check(const char *pattern, struct problem *p)
{
	enum depth depth;
	const char *base = dns_base(pattern, &depth);
	struct identifier name;

	if (base[0] == '*')
		return problem_set(p, PROBLEM_MALFORMED,
		                   "\"%s\": stars stand in front alone, as \"*.\" or \"**.\"", pattern);
	return identifier_parse("dns", base, &name, p);
}

/* What stands before ".base" at the end of name; 0: it does not end so. */
static size_t labels_before(const char *name, const char *base)
{
	size_t len = strlen(name), base_len = strlen(base);

	if (len < base_len + 2 || name[len - base_len - 1] != '.' ||
	    strcasecmp(name + len - base_len, base) != 0)
		return 0;
	return len - base_len - 1;
}

static bool dns_matches(const char *pattern, const struct identifier *i)
{
	enum depth depth;
	const char *base = dns_base(pattern, &depth);
	size_t before = labels_before(i->value, base);

	switch (depth) {
	case DEPTH_NONE: return strcasecmp(base, i->value) == 0;
	case DEPTH_ONE: return before > 0 && !memchr(i->value, '.', before);
	case DEPTH_ANY: return before > 0;
	}
	return false;
}

static bool ip_check(const char *pattern, struct problem *p)
{
	struct addr_net net;

	return addr_net_parse(pattern, &net) ||
	       problem_set(p, PROBLEM_MALFORMED,
	                   "\"%s\" is neither an IP address nor a network without host bits", pattern);
}

static bool ip_matches(const char *pattern, const struct identifier *i)
{
	struct addr_net net;
	struct addr addr;

	identifier_addr(i, &addr);
	return addr_net_parse(pattern, &net) && addr_net_has(&net, &addr);
}

static bool email_check(const char *pattern, struct problem *p)
{
	struct identifier name;

	if (strchr(pattern, '*')) /* a mail address may have one, but who writes it here means something else */
		return problem_set(p, PROBLEM_MALFORMED,
		                   "\"%s\": a whole mail domain is written \"@example.com\"", pattern);
	return pattern[0] == '@' ? identifier_parse("dns", pattern + 1, &name, p)
	                         : identifier_parse("email", pattern, &name, p);
}

static bool email_matches(const char *pattern, const struct identifier *i)
{
	struct identifier whole;
	struct problem p = {0};

	if (pattern[0] == '@') /* a mailbox in quotes, of an otherName (RFC 9598), may have one before the domain's */
		return strcasecmp(pattern, strrchr(i->value, '@')) == 0;
	bool parsed = identifier_parse("email", pattern, &whole, &p);
	problem_done(&p);
	return parsed && identifier_equal(&whole, i);
}

/* The text of a URI pattern without its star, in canonical form. A URN's star may stand for the whole of what its
 * namespace names, which alone is no URN. */
static bool uri_parse(const char *pattern, bool *ret_prefix, struct identifier *ret, struct problem *p)
{
	size_t len = strlen(pattern);
	char text[IDENTIFIER_VALUE_SIZE] = "";

	*ret_prefix = len > 0 && pattern[len - 1] == '*';
	if (len >= sizeof(text))
		return problem_set(p, PROBLEM_MALFORMED,
		                   "RFC 5280, 4.2.1.6: the URI pattern is over 255 bytes");
	memcpy(text, pattern, *ret_prefix ? len - 1 : len);
	bool whole = *ret_prefix && len > 2 && text[len - 2] == ':';
	if (whole)
		text[len - 1] = 'x';
	if (!identifier_parse("uri", text, ret, p))
		return false;
	if (whole)
		ret->value[len - 1] = '\0';
	return true;
}

/* A prefix that ends within the host would let other hosts pass: "https://example.com*" begins
 * "https://example.com.evil.example/" too. */
static bool uri_check(const char *pattern, struct problem *p)
{
	struct identifier uri;
	bool prefix;

	const char *star = strstr(pattern, "://*");
	if (star && star[4] == '\0')
		return problem_set(p, PROBLEM_MALFORMED,
		                   "\"%s\": a host and a \"/\" stand before the \"*\"; \"*\" alone is every URI",
		                   pattern);
	if (!uri_parse(pattern, &prefix, &uri, p))
		return false;
	if (str_starts(uri.value, "urn:"))
		return true;
	const char *authority = strstr(uri.value, "://") + 3;
	if (prefix && !strchr(authority, '/'))
		return problem_set(p, PROBLEM_MALFORMED, "\"%s\": a \"/\" ends the host before the \"*\"",
		                   pattern);
	return true;
}

static bool uri_matches(const char *pattern, const struct identifier *i)
{
	struct identifier uri;
	struct problem p = {0};
	bool prefix;
	bool parsed = uri_parse(pattern, &prefix, &uri, &p);

	problem_done(&p);
	return parsed && (prefix ? str_starts(i->value, uri.value) : identifier_equal(i, &uri));
}

/* The last star seen is the only one to come back to, so the time grows with the product of the two lengths and no
 * faster. */
bool pattern_glob(const char *pattern, const char *text, bool cased)
{
	const char *star = NULL, *resume = NULL;

	while (*text) {
		if (*pattern == '*') {
			star = ++pattern;
			resume = text;
		} else if (*pattern == *text || (!cased && strncasecmp(pattern, text, 1) == 0)) {
			pattern++;
			text++;
		} else if (star) {
			pattern = star;
			text = ++resume;
		} else {
			return false;
		}
	}
	return pattern[strspn(pattern, "*")] == '\0';
}

static bool device_check(const char *pattern, struct problem *p)
{
	if (pattern[0] == '\0' || strlen(pattern) >= IDENTIFIER_VALUE_SIZE)
		return problem_set(p, PROBLEM_MALFORMED, "a device's pattern has 1 to 255 bytes");
	return true;
}

/* Who assigns serial numbers may tell letters apart (the device attestation draft, 3.2). */
static bool device_matches(const char *pattern, const struct identifier *i)
{
	return pattern_glob(pattern, i->value, true);
}

static const struct {
	bool (*check)(const char *pattern, struct problem *p);
	bool (*matches)(const char *pattern, const struct identifier *i);
} types[IDENTIFIER_TYPE_MAX] = {
	[IDENTIFIER_DNS] = { dns_check, dns_matches },
	[IDENTIFIER_IP] = { ip_check, ip_matches },
	[IDENTIFIER_EMAIL] = { email_check, email_matches },
	[IDENTIFIER_URI] = { uri_check, uri_matches },
	[IDENTIFIER_PERMANENT] = { device_check, device_matches },
	[IDENTIFIER_HARDWARE] = { device_check, device_matches },
};

bool pattern_check(enum identifier_type type, const char *pattern, struct problem *p)
{
	assert(type < IDENTIFIER_TYPE_MAX);
	return str_equal(pattern, "*") || types[type].check(pattern, p);
}

bool pattern_matches(enum identifier_type type, const char *pattern, const struct identifier *i)
{
	assert(type < IDENTIFIER_TYPE_MAX);
	return i->type == type && (str_equal(pattern, "*") || types[type].matches(pattern, i));
}

/* The same place without its port, and with the path that an empty one stands for (RFC 3986, 6.2.3). */
static bool uri_touches(const char *pattern, const struct identifier *i)
{
	const char *host = strstr(i->value, "://");
	struct identifier bare = { .type = IDENTIFIER_URI };

	if (!host)
		return false;
	host += 3;
	const char *rest = host + strcspn(host, "/?#");
	int len = snprintf(bare.value, sizeof(bare.value), "%.*s%s%s", (int)(host + strcspn(host, ":/?#") - i->value),
	                   i->value, *rest == '/' ? "" : "/", rest);
	return len < (int)sizeof(bare.value) && pattern_matches(IDENTIFIER_URI, pattern, &bare);
}

bool pattern_touches(enum identifier_type type, const char *pattern, const struct identifier *i)
{
	if (pattern_matches(type, pattern, i) || (type == IDENTIFIER_EMAIL && strcasecmp(pattern, i->value) == 0))
		return true;
	if (type == IDENTIFIER_URI)
		return uri_touches(pattern, i);
	if (type != IDENTIFIER_DNS || !identifier_is_wildcard(i))
		return false;
	size_t before = labels_before(pattern, identifier_base(i));
	return before > 0 && !memchr(pattern, '.', before);
}

bool pattern_typed_check(const char *pattern, struct problem *p)
{
	for (enum identifier_type type = 0; type < IDENTIFIER_TYPE_MAX; type++) {
		const char *name = identifier_type_name(type);
		if (str_starts(pattern, name) && pattern[strlen(name)] == ':')
			return pattern_check(type, pattern + strlen(name) + 1, p);
	}
	return problem_set(p, PROBLEM_MALFORMED,
	                   "expected a pattern such as dns:*.example.com, its type being dns, ip, email, uri, "
	                   "permanent-identifier or hardware-module");
}

static bool typed_matches(const char *pattern, const struct identifier *i)
{
	const char *type = identifier_type_name(i->type);

	return str_starts(pattern, type) && pattern[strlen(type)] == ':' &&
	       pattern_matches(i->type, pattern + strlen(type) + 1, i);
}

bool pattern_typed_any(const char *const *patterns, size_t n, const struct identifier *i)
{
	for (size_t k = 0; k < n; k++)
		if (typed_matches(patterns[k], i))
			return true;
	return false;
}
