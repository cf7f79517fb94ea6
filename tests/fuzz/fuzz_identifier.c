/* Identifiers and patterns: "type value" or "type value pattern". What parses is in its canonical
 * form: it parses again to itself, and is within the bounds that the rest of the house relies on.
 * A pattern that matches a name touches it as well, and a name is its own pattern. */
#include "base/bytes.h"
#include "policy/device_name.h"
#include "policy/pattern.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool held)
{
	if (!held)
		abort();
}

static void canonical_check(const struct identifier *i)
{
	struct identifier again;
	auto_value(problem) p = {0};
	size_t len = strlen(i->value);

	check(identifier_parse(identifier_type_name(i->type), i->value, &again, &p) && identifier_equal(i, &again));
	check(len > 0 && len < IDENTIFIER_VALUE_SIZE);
	for (size_t k = 0; k < len; k++)
		check(identifier_is_device(i->type) ? (uint8_t)i->value[k] >= 0x20 && i->value[k] != 0x7f
		                                    : i->value[k] > 0x20 && i->value[k] < 0x7f);
	if (i->type == IDENTIFIER_DNS)
		check(strspn(i->value, "abcdefghijklmnopqrstuvwxyz0123456789-.*") == len);
}

/* As an otherName it is the same name still, and nothing else is. */
static void device_check(const struct identifier *i)
{
	struct csr_other_name other = {0};
	struct identifier again;
	auto_value(problem) p = {0};

	if (!identifier_is_device(i->type))
		return;
	check(device_name_make(i, &other, &p) && other.type != CSR_OTHER_UNREADABLE);
	check(device_name_read(&other, &again) && identifier_equal(i, &again));
	device_name_policy(i, again.value);
	check(str_equal(again.value, other.value));
	buf_free(&other.der);
}

static void pattern_try(const struct identifier *i, const char *pattern)
{
	auto_value(problem) p = {0};
	bool sound = pattern_check(i->type, pattern, &p);
	bool matches = pattern_matches(i->type, pattern, i);

	check(sound || problem_is_set(&p));
	check(!matches || pattern_touches(i->type, pattern, i));
}

/* But for a wildcard, which means one label as a pattern, and a star in a mail address. */
static void self_check(const struct identifier *i)
{
	auto_value(problem) p = {0};

	if (i->type == IDENTIFIER_EMAIL && strchr(i->value, '*'))
		return;
	if (i->type == IDENTIFIER_URI && str_ends(i->value, "*"))
		return;
	check(pattern_check(i->type, i->value, &p) && pattern_matches(i->type, i->value, i));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_value(buf) text = {0};
	auto_value(problem) p = {0};
	struct identifier i;

	buf_add(&text, data, size);
	if (!text.data)
		return 0;
	char *at = (char *)text.data, *type = strsep(&at, " "), *value = strsep(&at, " ");
	if (!value)
		return 0;
	if (!identifier_parse(type, value, &i, &p)) {
		check(p.kind == PROBLEM_MALFORMED || p.kind == PROBLEM_REJECTED_IDENTIFIER || p.kind == PROBLEM_UNSUPPORTED_IDENTIFIER);
		return 0;
	}
	canonical_check(&i);
	device_check(&i);
	self_check(&i);
	if (at)
		pattern_try(&i, at);
	return 0;
}
