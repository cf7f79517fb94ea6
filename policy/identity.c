#include "policy/identity.h"

#include "policy/bearer.h"
#include "policy/pattern.h"

struct identity {
	const char *method; /* static */
	char *text;
	struct identifiers names;  /* the operator's */
	struct token token;        /* the bearer's */
	bool bearer;
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

/* Takes the token. */
static bool bearer(struct token *token, struct identity **ret, struct problem *p)
{
	auto_struct(identity) *identity = calloc(1, sizeof(*identity));

	if (!identity) {
		token_free(token);
		return problem_memory(p);
	}
	identity->method = "api";
	identity->bearer = true;
	identity->token = *token;
	identity->text = mem_printf("token %s", token->id);
	if (!identity->text)
		return problem_memory(p);
	*ret = steal(identity);
	return true;
}

bool identity_bearer(struct store *store, const char *text, int64_t now, struct identity **ret, struct problem *p)
{
	struct token token;

	return bearer_check(store, text, now, &token, p) && bearer(&token, ret, p);
}

bool identity_client(struct store *store, struct bytes certificate, int64_t now, struct identity **ret, struct problem *p)
{
	struct token token;

	return bearer_check_certificate(store, certificate, now, &token, p) && bearer(&token, ret, p);
}

const char *identity_text(const struct identity *identity)
{
	return identity->text;
}

const char *identity_method(const struct identity *identity)
{
	return identity->method;
}

const struct token *identity_token(const struct identity *identity)
{
	return identity->bearer ? &identity->token : NULL;
}

/* A pattern of a token is "dns:**.example.com". */
static bool pattern_means(const char *pattern, const struct identifier *name)
{
	const char *type = identifier_type_name(name->type);
	size_t len = strlen(type);

	return strncmp(pattern, type, len) == 0 && pattern[len] == ':' && pattern_matches(name->type, pattern + len + 1, name);
}

bool identity_proves(const struct identity *identity, const struct identifier *name)
{
	const struct record_texts *patterns = &identity->token.names;

	if (!identity->bearer)
		return identifiers_has(&identity->names, name);
	for (size_t i = 0; i < patterns->n; i++)
		if (pattern_means(patterns->v[i], name))
			return true;
	return patterns->n == 0;
}

bool identity_everywhere(const struct identity *identity)
{
	return identity->token.profiles.n == 0;
}

static bool counts_in(const struct identity *identity, const char *profile)
{
	const struct record_texts *profiles = &identity->token.profiles;

	for (size_t i = 0; i < profiles->n; i++)
		if (str_equal(profiles->v[i], profile))
			return true;
	return profiles->n == 0;
}

/* admin has all the other roles but that of reading keys, which is nothing an administrator needs. */
static bool has_role(const struct token *token, enum token_role role)
{
	return token->roles & role || (token->roles & TOKEN_ADMIN && role != TOKEN_KEY);
}

bool identity_may(const struct identity *identity, enum token_role role, const char *profile, struct problem *p)
{
	if (!identity->bearer)
		return true;
	if (!has_role(&identity->token, role))
		return problem_set(p, PROBLEM_UNAUTHORIZED, "the token %s has not the role %s", identity->token.id, token_role_name(role));
	if (profile && !counts_in(identity, profile))
		return problem_set(p, PROBLEM_UNAUTHORIZED, "the token %s is not for profile %s", identity->token.id, profile);
	return true;
}

void identity_free(struct identity *identity)
{
	if (!identity)
		return;
	free(identity->text);
	identifiers_free(&identity->names);
	token_free(&identity->token);
	free(identity);
}
