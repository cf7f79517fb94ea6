#include "policy/likeness.h"

#include <stdio.h>

#include "base/addr.h"

bool likeness_of_text(const char *value, struct identifier *ret)
{
	auto_value(problem) ignored = {0};
	struct addr addr;
	const char *type = addr_parse(value, &addr) ? "ip" : strchr(value, '@') ? "email" : "dns";

	return strpbrk(value, ".:") && identifier_parse(type, value, ret, &ignored);
}

static const struct container {
	const char *prefix;
	enum identifier_type type;
	bool service; /* "_service." stands before it */
} containers[] = {
	{ "1.3.6.1.5.5.7.8.9:", IDENTIFIER_EMAIL, false },
	{ "1.3.6.1.5.5.7.8.7:", IDENTIFIER_DNS, true },
	{ "1.3.6.1.5.5.7.8.8:", IDENTIFIER_DNS, false },
};

static const char *content(const struct container *c, const char *value)
{
	const char *text = value + strlen(c->prefix);
	const char *dot = c->service && text[0] == '_' ? strchr(text, '.') : NULL;

	return dot ? dot + 1 : text;
}

bool likeness_of_other(const struct csr_other_name *other, struct identifier *ret)
{
	for (size_t i = 0; other->type == CSR_OTHER_TEXT && i < array_length(containers); i++) {
		const struct container *c = &containers[i];
		if (!str_starts(other->value, c->prefix))
			continue;
		*ret = (struct identifier){ .type = c->type };
		snprintf(ret->value, sizeof(ret->value), "%s", content(c, other->value));
		return c->type != IDENTIFIER_EMAIL || strchr(ret->value, '@');
	}
	return false;
}
