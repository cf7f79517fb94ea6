#include "policy/identifier.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "base/ascii.h"
#include "policy/alabel.h"
#include "policy/device_name.h"
#include "policy/identifier_uri.h"

enum { DNS_NAME_MAX = 253, DNS_LABEL_MAX = 63, LOCAL_PART_MAX = 64 };

static bool label_characters_check(const char *name, const char *label, size_t len, struct problem *p)
{
	for (size_t i = 0; i < len; i++) {
		if (ascii_is_alnum(label[i]) || label[i] == '-')
			continue;
		if (label[i] == '_')
			return problem_set(p, PROBLEM_REJECTED_IDENTIFIER,
			                   "RFC 5280, 4.2.1.6: \"%s\" has a \"_\": it is no host name", name);
		if ((uint8_t)label[i] >= 0x80)
			return problem_set(p, PROBLEM_MALFORMED,
			                   "RFC 8555, 7.1.4: \"%s\" is not ASCII: send the A-label, \"xn--...\"", name);
		return problem_set(p, PROBLEM_MALFORMED,
		                   "RFC 1034, 3.5: \"%s\" has a character that no host name has", name);
	}
	return true;
}

static bool label_check(const char *name, const char *label, size_t len, struct problem *p)
{
	if (len == 0)
		return problem_set(p, PROBLEM_REJECTED_IDENTIFIER, "RFC 1034, 3.1: \"%s\" has an empty label",
		                   name);
	if (len > DNS_LABEL_MAX)
		return problem_set(p, PROBLEM_REJECTED_IDENTIFIER,
		                   "RFC 1034, 3.1: \"%s\" has a label over 63 bytes", name);
	if (!label_characters_check(name, label, len, p))
		return false;
	if (label[0] == '-' || label[len - 1] == '-')
		return problem_set(p, PROBLEM_MALFORMED,
		                   "RFC 1034, 3.5: \"%s\" has a label that begins or ends with \"-\"", name);
	if (!alabel_check(label, len))
		return problem_set(p, PROBLEM_MALFORMED,
		                   "RFC 5890, 2.3.2.1: \"%s\" has a label with \"xn--\" that is no Punycode", name);
	return true;
}

/* In decimal, or in hexadecimal as inet_aton(3) and browsers read it: as the last label it could be the end of an IPv4
 * address (RFC 1123, 2.1). */
static bool is_number(const char *label, size_t len)
{
	bool hex = len >= 2 && label[0] == '0' && ascii_lower(label[1]) == 'x';

	return hex ? strspn(label + 2, "0123456789abcdefABCDEF") == len - 2 : strspn(label, "0123456789") == len;
}

/* All labels of base; name is what the problem shows. */
static bool labels_check(const char *name, const char *base, struct problem *p)
{
	for (const char *label = base;;) {
		size_t len = strcspn(label, ".");

		if (!label_check(name, label, len, p))
			return false;
		if (label[len] == '\0')
			return !is_number(label, len) ||
			       problem_set(p, PROBLEM_REJECTED_IDENTIFIER,
			                   "RFC 1123, 2.1: the last label of \"%s\" is a number", name);
		label += len + 1;
	}
}

static bool dns_check(const char *value, struct problem *p)
{
	size_t len = strlen(value);
	struct addr addr;

	if (len == 0)
		return problem_set(p, PROBLEM_MALFORMED, "RFC 8555, 7.1.3: the name is empty");
	if (len > DNS_NAME_MAX)
		return problem_set(p, PROBLEM_MALFORMED, "RFC 1035, 2.3.4: the name is over 253 bytes");
	if (addr_parse(value, &addr))
		return problem_set(p, PROBLEM_MALFORMED,
		                   "RFC 8738, 3: \"%s\" is an IP address: its identifier type is \"ip\"", value);
	if (value[len - 1] == '.')
		return problem_set(p, PROBLEM_MALFORMED, "RFC 8555, 7.1.4: \"%s\" ends with a dot", value);
	return labels_check(value, str_starts(value, "*.") ? value + 2 : value, p);
}

static bool dns_canonical(const char *value, struct identifier *ret, struct problem *p)
{
	if (!dns_check(value, p))
		return false;
	for (size_t i = 0; i <= strlen(value); i++)
		ret->value[i] = ascii_lower(value[i]);
	return true;
}

/* Neither "::" nor "::1", but "::192.0.2.1". */
static bool is_compatible(const struct addr *addr)
{
	static const uint8_t zeros[12];

	return addr->family == AF_INET6 && memcmp(addr->byte, zeros, sizeof(zeros)) == 0 &&
	       (addr->byte[12] || addr->byte[13]);
}

/* An IPv4-mapped or IPv4-compatible IPv6 address would be a second spelling of an IPv4 address: refused. */
static bool ip_canonical(const char *value, struct identifier *ret, struct problem *p)
{
	struct addr addr;

	if (!addr_parse(value, &addr))
		return problem_set(p, PROBLEM_MALFORMED, "RFC 8738, 3: \"%s\" is no IP address", value);
	if (addr.family == AF_INET && strchr(value, ':'))
		return problem_set(p, PROBLEM_MALFORMED,
		                   "RFC 8738, 3: \"%s\" is an IPv4-mapped address: write the IPv4 address", value);
	if (is_compatible(&addr))
		return problem_set(p, PROBLEM_MALFORMED,
		                   "RFC 4291, 2.5.5.1: \"%s\" is an IPv4-compatible address, which is deprecated", value);
	addr_format(&addr, ret->value);
	return true;
}

/* RFC 5321, 4.1.2, Dot-string. */
static bool is_local_part(const char *text, size_t len)
{
	if (len == 0 || len > LOCAL_PART_MAX || text[0] == '.' || text[len - 1] == '.')
		return false;
	for (size_t i = 0; i < len; i++) {
		bool dot = text[i] == '.';
		if (!dot && !ascii_is_alnum(text[i]) && !strchr("!#$%&'*+-/=?^_`{|}~", text[i]))
			return false;
		if (dot && text[i + 1] == '.')
			return false;
	}
	return true;
}

/* RFC 5280, 4.2.1.6: the local part keeps its case, the domain has none (7.5). */
static bool email_canonical(const char *value, struct identifier *ret, struct problem *p)
{
	const char *at = strchr(value, '@');
	struct identifier domain;

	if (!at || !is_local_part(value, (size_t)(at - value)))
		return problem_set(p, PROBLEM_MALFORMED, "RFC 5280, 4.2.1.6: \"%s\" is no mail address",
		                   value);
	if (at[1] == '*' || !dns_canonical(at + 1, &domain, p))
		return problem_set(p, PROBLEM_MALFORMED,
		                   "RFC 5280, 4.2.1.6: the domain of \"%s\" is no host name", value);
	int len = snprintf(ret->value, sizeof(ret->value), "%.*s@%s", (int)(at - value), value, domain.value);
	if (len >= (int)sizeof(ret->value))
		return problem_set(p, PROBLEM_MALFORMED, "RFC 5321, 4.5.3.1: the mail address is too long");
	return true;
}

/* Octet for octet (the device attestation draft, 3.2). */
static bool device_canonical(const char *value, struct identifier *ret, struct problem *p)
{
	if (!device_name_check(ret->type, value, p))
		return false;
	strcpy(ret->value, value);
	return true;
}

static const struct {
	const char *name;
	bool (*canonical)(const char *value, struct identifier *ret, struct problem *p);
} types[IDENTIFIER_TYPE_MAX] = {
	[IDENTIFIER_DNS] = { "dns", dns_canonical },
	[IDENTIFIER_IP] = { "ip", ip_canonical },
	[IDENTIFIER_EMAIL] = { "email", email_canonical },
	[IDENTIFIER_URI] = { "uri", identifier_uri },
	[IDENTIFIER_PERMANENT] = { "permanent-identifier", device_canonical },
	[IDENTIFIER_HARDWARE] = { "hardware-module", device_canonical },
};

const char *identifier_type_name(enum identifier_type type)
{
	assert(type < IDENTIFIER_TYPE_MAX);
	return types[type].name;
}

bool identifier_type_from(const char *name, enum identifier_type *ret)
{
	for (enum identifier_type type = 0; type < IDENTIFIER_TYPE_MAX; type++) {
		if (str_equal(types[type].name, name)) {
			*ret = type;
			return true;
		}
	}
	return false;
}

bool identifier_parse(const char *type, const char *value, struct identifier *ret, struct problem *p)
{
	struct identifier i = {0};

	if (!identifier_type_from(type, &i.type))
		return problem_set(p, PROBLEM_UNSUPPORTED_IDENTIFIER,
		                   "RFC 8555, 9.7.7: identifiers of type \"%s\" are not supported", type);
	if (!types[i.type].canonical(value, &i, p))
		return false;
	*ret = i;
	return true;
}

bool identifier_equal(const struct identifier *a, const struct identifier *b)
{
	return identifier_compare(a, b) == 0;
}

int identifier_compare(const struct identifier *a, const struct identifier *b)
{
	if (a->type != b->type)
		return a->type < b->type ? -1 : 1;
	return strcmp(a->value, b->value);
}

bool identifier_is_device(enum identifier_type type)
{
	return type == IDENTIFIER_PERMANENT || type == IDENTIFIER_HARDWARE;
}

bool identifier_is_wildcard(const struct identifier *i)
{
	return i->type == IDENTIFIER_DNS && str_starts(i->value, "*.");
}

const char *identifier_base(const struct identifier *i)
{
	return identifier_is_wildcard(i) ? i->value + 2 : i->value;
}

void identifier_addr(const struct identifier *i, struct addr *ret)
{
	assert(i->type == IDENTIFIER_IP);
	bool parsed = addr_parse(i->value, ret);
	assert(parsed);
}

/* Where i is, or would be. */
static size_t lower_bound(const struct identifiers *set, const struct identifier *i)
{
	size_t low = 0, high = set->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (identifier_compare(&set->v[middle], i) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool is_at(const struct identifiers *set, size_t at, const struct identifier *i)
{
	return at < set->n && identifier_equal(&set->v[at], i);
}

/* Room doubles whenever the count is a power of two: no capacity has to be kept. */
static bool grow(struct identifiers *set)
{
	if ((set->n & (set->n - 1)) != 0)
		return true;
	struct identifier *v = reallocarray(set->v, set->n ? 2 * set->n : 1, sizeof(*v));
	if (!v)
		return false;
	set->v = v;
	return true;
}

bool identifiers_add(struct identifiers *set, const struct identifier *i, struct problem *p)
{
	size_t at = lower_bound(set, i);

	if (is_at(set, at, i))
		return true;
	if (!grow(set))
		return problem_memory(p);
	memmove(&set->v[at + 1], &set->v[at], (set->n - at) * sizeof(set->v[0]));
	set->v[at] = *i;
	set->n++;
	return true;
}

bool identifiers_has(const struct identifiers *set, const struct identifier *i)
{
	return is_at(set, lower_bound(set, i), i);
}

bool identifiers_equal(const struct identifiers *a, const struct identifiers *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (!identifier_equal(&a->v[i], &b->v[i]))
			return false;
	return true;
}

void identifiers_free(struct identifiers *set)
{
	free(set->v);
	*set = (struct identifiers){0};
}
