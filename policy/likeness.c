#include "policy/likeness.h"

#include "base/addr.h"
#include "policy/plain_text.h"

/* As who compares names reads it (RFC 4518, 2.2): without joiners, which nobody sees, and without the final dot that
 * stands for the root of the DNS. */
static void reduce(const char *value, char ret[IDENTIFIER_VALUE_SIZE])
{
	plain_text_reduce(value, ret, IDENTIFIER_VALUE_SIZE);
	size_t len = strlen(ret);
	if (len > 0 && ret[len - 1] == '.')
		ret[len - 1] = '\0';
}

bool likeness_of_text(const char *value, struct identifier *ret)
{
	auto_value(problem) ignored = {0};
	char text[IDENTIFIER_VALUE_SIZE];
	struct addr addr;

	reduce(value, text);
	if (addr_parse(text, &addr)) { /* an IPv4-mapped one is the IPv4 address */
		*ret = (struct identifier){ .type = IDENTIFIER_IP };
		addr_format(&addr, ret->value);
		return true;
	}
	return strpbrk(text, ".:") && identifier_parse(strchr(text, '@') ? "email" : "dns", text, ret, &ignored);
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
		reduce(content(c, other->value), ret->value);
		return c->type != IDENTIFIER_EMAIL || strchr(ret->value, '@');
	}
	return false;
}
