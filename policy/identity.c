#include "policy/identity.h"

#include "policy/bearer.h"
#include "policy/client_certificate.h"
#include "policy/enrollment_code.h"
#include "policy/pattern.h"

struct identity {
	const char *method; /* static */
	char *text;
	struct identifiers names;  /* the operator's */
	struct token token;        /* the bearer's */
	bool bearer;
	struct enrollment enrollment; /* of who shows a code; id "" without */
	struct client_certificate certificate; /* the device's; id "" without */
	bool renewal;
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

/* Takes the enrollment. */
static bool enrolling(struct enrollment *enrollment, struct identity **ret, struct problem *p)
{
	auto_struct(identity) *identity = calloc(1, sizeof(*identity));

	if (!identity) {
		enrollment_free(enrollment);
		return problem_memory(p);
	}
	identity->method = "est";
	identity->enrollment = *enrollment;
	identity->text = mem_printf("enrollment code %s", enrollment->id);
	if (!identity->text)
		return problem_memory(p);
	*ret = steal(identity);
	return true;
}

bool identity_enrollment(struct store *store, const char *code, int64_t now, struct identity **ret, struct problem *p)
{
	struct enrollment enrollment;

	return enrollment_code_check(store, code, now, &enrollment, p) && enrolling(&enrollment, ret, p);
}

bool identity_device(struct store *store, const struct bytes *issuers, size_t issuer_count, struct bytes der,
                     bool renewal, int64_t now, struct identity **ret, struct problem *p)
{
	auto_struct(identity) *identity = calloc(1, sizeof(*identity));

	if (!identity)
		return problem_memory(p);
	if (!client_certificate_check(store, issuers, issuer_count, der, now, &identity->certificate, p))
		return false;
	identity->method = "est";
	identity->renewal = renewal;
	identity->text = mem_printf("certificate %s", identity->certificate.id);
	if (!identity->text)
		return problem_memory(p);
	*ret = steal(identity);
	return true;
}

static bool still_valid(struct store_txn *txn, const char *id, struct problem *p)
{
	auto_value(certificate) row = {0};

	if (!store_certificate_get(txn, id, &row, p))
		return false;
	return row.status == CERTIFICATE_VALID ||
	       problem_set(p, PROBLEM_UNAUTHENTICATED, "the client certificate is revoked");
}

static bool token_unrevoked(struct store_txn *txn, const char *id, struct problem *p)
{
	auto_value(token) token = {0};

	if (!store_token_get(txn, id, &token, p))
		return false;
	return token.revoked == 0 || problem_set(p, PROBLEM_UNAUTHENTICATED, "RFC 6750, 3.1: the token %s is revoked", id);
}

bool identity_spend(struct store_txn *txn, const struct identity *identity, int64_t now, struct problem *p)
{
	if (identity->enrollment.id[0] != '\0')
		return enrollment_code_use(txn, identity->enrollment.id, now, p);
	if (identity->bearer)
		return token_unrevoked(txn, identity->token.id, p);
	return identity->certificate.id[0] == '\0' || still_valid(txn, identity->certificate.id, p);
}

const struct client_certificate *identity_certificate(const struct identity *identity, bool *ret_renewal)
{
	if (ret_renewal)
		*ret_renewal = identity->renewal;
	return identity->certificate.id[0] != '\0' ? &identity->certificate : NULL;
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

/* A pattern of a token or a code is "dns:**.example.com". */
static bool pattern_means(const char *pattern, const struct identifier *name)
{
	const char *type = identifier_type_name(name->type);
	size_t len = strlen(type);

	return strncmp(pattern, type, len) == 0 && pattern[len] == ':' && pattern_matches(name->type, pattern + len + 1, name);
}

bool identity_proves(const struct identity *identity, const struct identifier *name)
{
	bool enrolls = identity->enrollment.id[0] != '\0';
	const struct record_texts *patterns = enrolls ? &identity->enrollment.names : &identity->token.names;

	if (identity->certificate.id[0] != '\0')
		return identifiers_has(&identity->certificate.names, name);
	if (!enrolls && !identity->bearer)
		return identifiers_has(&identity->names, name);
	for (size_t i = 0; i < patterns->n; i++)
		if (pattern_means(patterns->v[i], name))
			return true;
	return patterns->n == 0;
}

bool identity_bound(const struct identity *identity)
{
	return identity->enrollment.names.n > 0 || identity->token.names.n > 0;
}

const char *identity_name(const struct identity *identity)
{
	return identity->bearer ? identity->token.name : identity->text;
}

bool identity_everywhere(const struct identity *identity)
{
	return !str_equal(identity->method, "est") && identity->token.profiles.n == 0;
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

/* A device, or who shows a code, asks for certificates of one profile. */
static bool device_may(const struct identity *identity, enum token_role role, const char *profile, struct problem *p)
{
	const char *own = identity->enrollment.profile ?: identity->certificate.profile;

	if (role != TOKEN_ISSUE)
		return problem_set(p, PROBLEM_UNAUTHORIZED, "the %s is for enrollment alone", identity->text);
	return !profile || str_equal(own, profile) ||
	       problem_set(p, PROBLEM_UNAUTHORIZED, "the %s is for profile %s, not %s", identity->text, own, profile);
}

bool identity_may(const struct identity *identity, enum token_role role, const char *profile, struct problem *p)
{
	if (str_equal(identity->method, "est"))
		return device_may(identity, role, profile, p);
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
	enrollment_free(&identity->enrollment);
	client_certificate_free(&identity->certificate);
	free(identity);
}
