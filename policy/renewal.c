#include "policy/renewal.h"

#include "policy/bearer.h"

/* NULL: no token. */
static const char *token_of(const char *text)
{
	return str_starts(text, "token ") ? text + strlen("token ") : NULL;
}

bool renewal_token(struct store *store, const char *text, int64_t now, struct token *ret, struct problem *p)
{
	const char *id = token_of(text);

	if (!id)
		return problem_set(p, PROBLEM_UNAUTHENTICATED, "%s is no token", text);
	return bearer_check_id(store, id, now, ret, p);
}

struct reading {
	const char *id;
	struct token *ret;
};

static bool read_token(struct store_txn *txn, void *arg, struct problem *p)
{
	const struct reading *r = arg;

	return store_token_get(txn, r->id, r->ret, p) || problem_forgive(p, PROBLEM_NOT_FOUND);
}

/* Its rights are not the server's. */
bool renewal_name(struct store *store, const char *text, struct token *ret, struct problem *p)
{
	struct reading reading = { token_of(text), ret };

	if (reading.id && random_id_valid(reading.id) && !store_view(store, read_token, &reading, p))
		return false;
	ret->roles = 0;
	ret->id[0] = '\0';
	ret->profiles = ret->names = (struct record_texts){0};
	return true;
}

bool renewal_names(const struct certificate *certificate, struct identifiers *ret, struct problem *p)
{
	const struct certificate_name *names = certificate->names.v;
	struct identifier name;
	enum identifier_type type;

	for (size_t i = 0; i < certificate->names.n; i++) {
		if (!identifier_type_from(names[i].type, &type) || identifier_is_device(type))
			continue;
		if (!identifier_parse(names[i].type, names[i].value, &name, p) || !identifiers_add(ret, &name, p))
			return false;
	}
	return true;
}
