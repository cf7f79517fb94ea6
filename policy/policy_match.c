#include "policy/policy_match.h"

#include <stdio.h>
#include <strings.h>

#include "policy/device_name.h"
#include "policy/plain_text.h"

enum { EXPANDED_SIZE = 512 };

static const struct variable {
	const char *text;
	size_t offset; /* of the text in struct policy_who */
} variables[] = {
	{ "{identity}", offsetof(struct policy_who, identity) },
	{ "{account}", offsetof(struct policy_who, account) },
	{ "{eab}", offsetof(struct policy_who, eab) },
};

static const struct variable *variable_at(const char *text)
{
	for (size_t i = 0; i < array_length(variables); i++)
		if (str_starts(text, variables[i].text))
			return &variables[i];
	return NULL;
}

bool policy_pattern_bound(const char *pattern)
{
	return strchr(pattern, '{') != NULL;
}

/* Whether a URI's host is not over yet there. */
static bool is_in_host(const char *pattern, const char *at)
{
	const char *host = strstr(pattern, "://");

	return host && host < at && !memchr(host + 3, '/', (size_t)(at - host - 3));
}

/* A value with a star or a brace would be read as a pattern itself, and one that ends a host leaves another, so they
 * match nothing. */
static bool value_safe(const char *value, bool in_host)
{
	return value && *value && !strpbrk(value, in_host ? "*{}/?#@" : "*{}");
}

/* The pattern with the requester's values in it; false: he has none, or it is too long. */
static bool expand(const char *pattern, const struct policy_who *who, char ret[EXPANDED_SIZE])
{
	const char *begin = pattern;
	size_t used = 0;

	while (*pattern) {
		const struct variable *variable = variable_at(pattern);
		const char *value = variable ? *(const char *const *)(const void *)((const char *)who +
		                                                                    variable->offset)
		                             : NULL;
		if (variable && !value_safe(value, is_in_host(begin, pattern)))
			return false;
		size_t len = variable ? strlen(value) : 1;
		if (len >= EXPANDED_SIZE - used)
			return false;
		memcpy(ret + used, variable ? value : pattern, len);
		used += len;
		pattern += variable ? strlen(variable->text) : 1;
	}
	ret[used] = '\0';
	return true;
}

/* A name that the certificate has as a subjectAltName too, or a device that was attested for it. */
static bool is_name(const struct policy_request *request, const char *value)
{
	const struct identifiers *devices = request->devices;

	for (size_t i = 0; i < request->names->n; i++)
		if (strcasecmp(request->names->v[i].value, value) == 0)
			return true;
	for (size_t i = 0; devices && i < devices->n; i++)
		if (identifier_is_device(devices->v[i].type) && device_name_is(&devices->v[i], value))
			return true;
	return false;
}

static bool is_identifier(enum policy_field field)
{
	return field >= POLICY_SAN && field < POLICY_OTHER;
}

/* A value makes neither a mail domain nor a network of what was none. */
static bool is_wider(enum identifier_type type, const char *pattern, const char *expanded)
{
	if (type == IDENTIFIER_EMAIL)
		return expanded[0] == '@' && pattern[0] != '@';
	return type == IDENTIFIER_IP && strchr(expanded, '/') && !strchr(pattern, '/');
}

/* A pattern in which a requester's value was put is checked again: it may be none any more. */
static bool name_matches(enum policy_field field, const char *pattern, const char *expanded,
                         const struct identifier *name)
{
	auto_value(problem) ignored = {0};
	enum identifier_type type = field - POLICY_SAN;

	if (expanded != pattern && (is_wider(type, pattern, expanded) || !pattern_check(type, expanded, &ignored)))
		return false;
	return pattern_matches(type, expanded, name);
}

static bool attribute_matches(const char *pattern, const char *value)
{
	char squeezed[SUBJECT_VALUE_SIZE], squeezed_pattern[EXPANDED_SIZE];

	plain_text_squeeze(value, squeezed, sizeof(squeezed));
	plain_text_squeeze(pattern, squeezed_pattern, sizeof(squeezed_pattern));
	return pattern_glob(squeezed_pattern, squeezed, false);
}

bool policy_match(enum policy_field field, const char *pattern, const struct policy_request *request, const char *value,
                  const struct identifier *name)
{
	char room[EXPANDED_SIZE];
	const char *expanded = policy_pattern_bound(pattern) ? room : pattern;

	if (str_equal(pattern, POLICY_ANY_NAME))
		return is_name(request, value);
	if (expanded == room && !expand(pattern, &request->who, room))
		return false;
	if (is_identifier(field))
		return name_matches(field, pattern, expanded, name);
	return field < POLICY_SAN ? attribute_matches(expanded, value) : pattern_glob(expanded, value, false);
}

bool policy_match_any(enum policy_field field, const struct strings *patterns, const struct policy_request *request,
                      const char *value, const struct identifier *name)
{
	for (size_t i = 0; i < patterns->n; i++)
		if (policy_match(field, patterns->v[i], request, value, name))
			return true;
	return false;
}

static bool braces_check(enum policy_field field, const char *pattern, struct problem *p)
{
	if (str_equal(pattern, POLICY_ANY_NAME))
		return field == POLICY_SUBJECT + SUBJECT_CN ||
		       problem_set(p, PROBLEM_MALFORMED, "\"%s\" is for the common name alone", pattern);
	for (const char *at = strchr(pattern, '{'); at; at = strchr(at + 1, '{'))
		if (!variable_at(at))
			return problem_set(p, PROBLEM_MALFORMED,
			                   "\"%s\": of words in braces there are {identity}, {account} and {eab}, and {name} alone "
			                   "for a common name", pattern);
	return true;
}

/* A name of these types begins with an OID: a pattern that does not would mean none, and deny nothing. */
static bool oid_check(enum policy_field field, const char *pattern, struct problem *p)
{
	size_t digits = strspn(pattern, "0123456789.");
	char end = field == POLICY_OTHER + CSR_OTHER_TEXT ? ':' : '/';
	bool typed = field == POLICY_OTHER + CSR_OTHER_TEXT || field == POLICY_OTHER + CSR_OTHER_HARDWARE;

	return !typed || pattern[0] == '*' || pattern[0] == '{' ||
	       (digits > 0 && (pattern[digits] == end || pattern[digits] == '*')) ||
	       problem_set(p, PROBLEM_MALFORMED, "\"%s\" does not begin with an OID and a \"%c\"", pattern, end);
}

bool policy_pattern_check(enum policy_field field, const char *pattern, struct problem *p)
{
	static const struct policy_who anybody = { "x", "x", "x" };
	char expanded[EXPANDED_SIZE];

	if (*pattern == '\0')
		return problem_set(p, PROBLEM_MALFORMED, "an empty pattern matches nothing");
	if (!braces_check(field, pattern, p))
		return false;
	if (!expand(pattern, &anybody, expanded))
		return problem_set(p, PROBLEM_MALFORMED, "\"%.64s...\" is over %d bytes", pattern, EXPANDED_SIZE - 1);
	return is_identifier(field) ? pattern_check(field - POLICY_SAN, expanded, p) : oid_check(field, pattern, p);
}
