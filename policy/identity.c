#include "policy/identity.h"

struct identity {
	const char *method; /* static */
	char *text;
	struct identifiers names;
};

bool identity_operator(const struct identifiers *names, struct identity **ret, struct problem *p)
{
	auto_struct(identity) *identity = calloc(1, sizeof(*identity));

	if (!identity)
		return problem_memory(p);
	identity->method = "internal";
	identity->text = strdup("operator");
	if (!identity->text)
		return problem_memory(p);
	for (size_t i = 0; i < names->n; i++)
		if (!identifiers_add(&identity->names, &names->v[i], p))
			return false;
	*ret = steal(identity);
	return true;
}

const char *identity_text(const struct identity *identity)
{
	return identity->text;
}

const struct identifiers *identity_names(const struct identity *identity)
{
	return &identity->names;
}

const char *identity_method(const struct identity *identity)
{
	return identity->method;
}

void identity_free(struct identity *identity)
{
	if (!identity)
		return;
	free(identity->text);
	identifiers_free(&identity->names);
	free(identity);
}
