#include "policy/identity.h"

#include <assert.h>
#include <strings.h>

#include "policy/bearer.h"
#include "policy/client_certificate.h"
#include "policy/enrollment_code.h"
#include "policy/pattern.h"
#include "policy/renewal.h"

enum kind { OPERATOR, BEARER, CREDENTIAL, DEVICE, MANUFACTURED, REGISTRAR, ANONYMOUS, RENEWAL, PERSON };

struct identity {
	enum kind kind;
	const char *method; /* static */
	char *text;
	struct identifiers names;  /* the operator's, or of what is renewed */
	struct token token;        /* the bearer's */
	struct enrollment enrollment; /* of who shows a credential, or of a device on the list; id "" without */
	struct client_certificate certificate; /* of our own: the device's, the registrar's; id "" without */
	struct trust_device device;   /* of a manufacturer; serial "" without */
	char *profile;                /* the one it was made for, where none of the above says so */
	bool renewal;
};

static bool identity_new(enum kind kind, const char *method, struct identity **ret, struct problem *p)
{
	struct identity *identity = calloc(1, sizeof(*identity));

	if (!identity)
		return problem_memory(p);
	identity->kind = kind;
	identity->method = method;
	*ret = identity;
	return true;
}

/* Hands over what is complete once it has its text. */
static bool identity_say(struct identity **identity, char *text, struct identity **ret, struct problem *p)
{
	if (!text)
		return problem_memory(p);
	(*identity)->text = text;
	*ret = steal(*identity);
	return true;
}

bool identity_operator(const struct identifiers *names, struct identity **ret, struct problem *p)
{
	auto_struct(identity) *identity = NULL;

	if (!identity_new(OPERATOR, "internal", &identity, p))
		return false;
	for (size_t i = 0; i < names->n; i++)
		if (!identifiers_add(&identity->names, &names->v[i], p))
			return false;
	return identity_say(&identity, strdup("operator"), ret, p);
}

/* Takes the token. */
static bool bearer(struct token *token, struct identity **ret, struct problem *p)
{
	auto_struct(identity) *identity = NULL;

	if (!identity_new(BEARER, "api", &identity, p)) {
		token_free(token);
		return false;
	}
	identity->token = *token;
	return identity_say(&identity, mem_printf("token %s", token->id), ret, p);
}

bool identity_bearer(struct store *store, const char *text, int64_t now, struct identity **ret, struct problem *p)
{
	struct token token;

	return bearer_check(store, text, now, &token, p) && bearer(&token, ret, p);
}

bool identity_client(struct store *store, struct bytes certificate, int64_t now, struct identity **ret,
                     struct problem *p)
{
	struct token token;

	return bearer_check_certificate(store, certificate, now, &token, p) && bearer(&token, ret, p);
}

/* --- who shows a credential */

/* Takes the enrollment. */
static bool enrolling(struct enrollment *e, struct identity **ret, struct problem *p)
{
	auto_struct(identity) *identity = NULL;

	if (!identity_new(CREDENTIAL, "est", &identity, p)) {
		enrollment_free(e);
		return false;
	}
	identity->enrollment = *e;
	return identity_say(&identity,
	                    e->user ? mem_printf("user %s", e->user) : mem_printf("enrollment code %s", e->id), ret,
	                    p);
}

bool identity_enrollment(struct store *store, const char *code, int64_t now, struct identity **ret, struct problem *p)
{
	struct enrollment enrollment;

	return enrollment_code_check(store, code, now, &enrollment, p) && enrolling(&enrollment, ret, p);
}

bool identity_enrolled(struct store *store, const char *code, int64_t now, struct identity **ret, struct problem *p)
{
	struct enrollment enrollment;

	return enrollment_code_spent(store, code, now, &enrollment, p) && enrolling(&enrollment, ret, p);
}

bool identity_user(struct store *store, const char *user, const char *password, int64_t now, struct identity **ret,
                   struct problem *p)
{
	struct enrollment enrollment;

	return password_check(store, user, password, now, &enrollment, p) && enrolling(&enrollment, ret, p);
}

bool identity_secret(struct store *store, const char *user, const char *secret, int64_t now, struct identity **ret,
                     struct problem *p)
{
	struct enrollment enrollment;

	return password_check_secret(store, user, secret, now, &enrollment, p) && enrolling(&enrollment, ret, p);
}

bool identity_digest(struct store *store, const struct password_claim *claim, int64_t now, struct identity **ret,
                     struct problem *p)
{
	struct enrollment enrollment;

	return password_check_digest(store, claim, now, &enrollment, p) && enrolling(&enrollment, ret, p);
}

/* --- who shows a certificate */

bool identity_device(struct store *store, X509 *const *issuers, size_t issuer_count,
                     const struct client_certificate_shown *shown, bool renewal, int64_t now, int64_t grace,
                     struct identity **ret, struct problem *p)
{
	auto_struct(identity) *identity = NULL;

	if (!identity_new(DEVICE, "est", &identity, p) ||
	    !client_certificate_check(store, issuers, issuer_count, shown, now, grace, &identity->certificate, p))
		return false;
	identity->renewal = renewal;
	return identity_say(&identity, mem_printf("certificate %s", identity->certificate.id), ret, p);
}

static bool for_profile(struct identity *identity, const char *profile, struct problem *p)
{
	identity->profile = strdup(profile);
	return identity->profile || problem_memory(p);
}

bool identity_registrar(struct identity *device, const char *profile, struct problem *p)
{
	auto_free char *text = mem_printf("registrar %s", device->certificate.id);

	if (device->kind != DEVICE || !device->certificate.registrar)
		return problem_set(p, PROBLEM_UNAUTHORIZED,
		                   "the client certificate is no registration authority's: it has no id-kp-cmcRA "
		                   "(RFC 6402)");
	if (device->certificate.expired) /* what grace there is is for its own renewal */
		return problem_set(p, PROBLEM_UNAUTHORIZED, "the client certificate has expired");
	if (!text || !for_profile(device, profile, p))
		return problem_memory(p);
	free(device->text);
	device->text = steal(text);
	device->kind = REGISTRAR;
	return true;
}

struct listing {
	const struct trust_device *device;
	struct enrollment *ret;
};

static bool list_find(struct store_txn *txn, void *arg, struct problem *p)
{
	struct listing *l = arg;

	if (store_enrollment_by_device(txn, l->device->serial, l->ret, p))
		return !l->ret->certificate || str_equal(l->ret->certificate, l->device->certificate) ||
		       problem_set(p, PROBLEM_UNAUTHENTICATED, "the device %s is known with another certificate",
		                   l->device->serial);
	return problem_forgive(p, PROBLEM_NOT_FOUND) &&
	       store_enrollment_by_certificate(txn, l->device->certificate, l->ret, p) &&
	       (!l->ret->device ||
	        problem_set(p, PROBLEM_UNAUTHENTICATED, "the certificate %s is known of another device than %s",
	                    l->device->certificate, l->device->serial));
}

/* One that is revoked is out, whether the list is asked for or not. */
static bool list_judge(const struct enrollment *e, const struct trust_device *device, const char *profile, int64_t now,
                       struct problem *p)
{
	if (e->revoked != 0)
		return problem_set(p, PROBLEM_UNAUTHORIZED, "the device %s is revoked", device->serial);
	if (e->profile && !str_equal(e->profile, profile))
		return problem_set(p, PROBLEM_UNAUTHENTICATED, "the device %s is for profile %s, not %s",
		                   device->serial, e->profile, profile);
	return enrollment_code_good(e, now, p);
}

static bool list_check(struct store *store, struct identity *identity, bool listed, int64_t now, struct problem *p)
{
	struct listing listing = { &identity->device, &identity->enrollment };

	if (store_view(store, list_find, &listing, p))
		return list_judge(&identity->enrollment, &identity->device, identity->profile, now, p);
	if (!problem_forgive(p, PROBLEM_NOT_FOUND))
		return false;
	return !listed || problem_set(p, PROBLEM_UNAUTHENTICATED, "the device %s is not on the list of devices",
	                              identity->device.serial);
}

bool identity_manufactured(struct store *store, const struct identity_maker *maker, const struct bytes *chain,
                           size_t count, int64_t now, struct identity **ret, struct problem *p)
{
	auto_struct(identity) *identity = NULL;

	if (!identity_new(MANUFACTURED, "est", &identity, p) || !for_profile(identity, maker->profile, p) ||
	    !trust_check(maker->trust, chain, count, now, &identity->device, p) ||
	    !list_check(store, identity, maker->listed, now, p))
		return false;
	return identity_say(&identity, mem_printf("device %s", identity->device.serial), ret, p);
}

bool identity_anonymous(const char *profile, struct identity **ret, struct problem *p)
{
	auto_struct(identity) *identity = NULL;

	return identity_new(ANONYMOUS, "est", &identity, p) && for_profile(identity, profile, p) &&
	       identity_say(&identity, strdup("anonymous"), ret, p);
}

#define PERSON_PREFIX "operator "

bool identity_person(const char *text, struct identity **ret, struct problem *p)
{
	auto_struct(identity) *identity = NULL;

	assert(str_starts(text, PERSON_PREFIX));
	return identity_new(PERSON, "api", &identity, p) && identity_say(&identity, strdup(text), ret, p);
}

bool identity_recall(struct store *store, const char *text, int64_t now, struct identity **ret, struct problem *p)
{
	struct token token;

	if (str_starts(text, PERSON_PREFIX))
		return identity_person(text, ret, p);
	return renewal_token(store, text, now, &token, p) && bearer(&token, ret, p);
}

bool identity_renewal(struct store *store, const struct certificate *certificate, struct identity **ret,
                      struct problem *p)
{
	auto_struct(identity) *identity = NULL;

	if (!certificate->method || !str_equal(certificate->method, "api") || !certificate->identity ||
	    !certificate->profile)
		return problem_set(p, PROBLEM_CONFLICT, "the certificate %s was not issued over the API",
		                   certificate->id);
	return identity_new(RENEWAL, "api", &identity, p) && for_profile(identity, certificate->profile, p) &&
	       renewal_names(certificate, &identity->names, p) &&
	       renewal_name(store, certificate->identity, &identity->token, p) &&
	       identity_say(&identity, strdup(certificate->identity), ret, p);
}

/* --- what it may */

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
	return token.revoked == 0 ||
	       problem_set(p, PROBLEM_UNAUTHENTICATED, "RFC 6750, 3.1: the token %s is revoked", id);
}

/* A device that nobody has listed may have been listed, and revoked, meanwhile: the next request finds it. */
bool identity_spend(struct store_txn *txn, const struct identity *identity, int64_t now, struct problem *p)
{
	if (identity->enrollment.id[0] != '\0')
		return enrollment_code_use(txn, identity->enrollment.id, now, p);
	if (identity->kind == BEARER)
		return token_unrevoked(txn, identity->token.id, p);
	return identity->certificate.id[0] == '\0' || still_valid(txn, identity->certificate.id, p);
}

const struct client_certificate *identity_certificate(const struct identity *identity, bool *ret_renewal)
{
	if (ret_renewal)
		*ret_renewal = identity->kind == DEVICE && identity->renewal;
	return identity->kind == DEVICE ? &identity->certificate : NULL;
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
	return identity->kind == BEARER ? &identity->token : NULL;
}

static const struct record_texts *patterns_of(const struct identity *identity)
{
	return identity->kind == BEARER ? &identity->token.names : &identity->enrollment.names;
}

/* "serial.example.com" is a name of the device with that serial number, "serial-2.example.com" is not. */
static bool begins_with(const struct identifier *name, const char *serial)
{
	size_t len = strlen(serial);

	return name->type == IDENTIFIER_DNS && strncasecmp(name->value, serial, len) == 0 &&
	       (name->value[len] == '.' || name->value[len] == '\0');
}

bool identity_proves(const struct identity *identity, const struct identifier *name)
{
	const struct record_texts *patterns = patterns_of(identity);
	const char *serial = identity_serial(identity);

	if (identity->kind == DEVICE)
		return identifiers_has(&identity->certificate.names, name);
	if (identity->kind == OPERATOR || identity->kind == RENEWAL)
		return identifiers_has(&identity->names, name);
	if (patterns->n > 0)
		return pattern_typed_any(patterns->v, patterns->n, name);
	return !serial || begins_with(name, serial);
}

bool identity_bound(const struct identity *identity)
{
	return patterns_of(identity)->n > 0;
}

/* A common name counts as one of the other names, or else as one that no pattern is of. */
static bool reaches_name(const struct identity *identity, const struct certificate *certificate,
                         const struct certificate_name *name)
{
	const struct certificate_name *names = certificate->names.v;
	auto_value(problem) ignored = {0};
	struct identifier parsed;

	if (!str_equal(name->type, "cn"))
		return identifier_parse(name->type, name->value, &parsed, &ignored) &&
		       identity_proves(identity, &parsed);
	for (size_t i = 0; i < certificate->names.n; i++)
		if (!str_equal(names[i].type, "cn") && str_equal(names[i].value, name->value))
			return true;
	return false;
}

bool identity_reaches(const struct identity *identity, const struct certificate *certificate)
{
	const struct certificate_name *names = certificate->names.v;

	if (!identity_bound(identity) || str_equal(certificate->identity ?: "", identity->text))
		return true;
	for (size_t i = 0; i < certificate->names.n; i++)
		if (!reaches_name(identity, certificate, &names[i]))
			return false;
	return certificate->names.n > 0;
}

const char *identity_serial(const struct identity *identity)
{
	if (identity->kind == MANUFACTURED)
		return identity->device.serial;
	return identity->kind == CREDENTIAL ? identity->enrollment.device : NULL;
}

bool identity_holds_other(const struct identity *identity, const char *der)
{
	return strings_has(&identity->device.others, der);
}

const char *identity_name(const struct identity *identity)
{
	const char *serial = identity_serial(identity);

	switch (identity->kind) {
	case BEARER:
	case RENEWAL: return identity->token.name;
	case CREDENTIAL: return serial ?: identity->enrollment.user ?: identity->text;
	case MANUFACTURED: return serial;
	case PERSON: return identity->text + strlen(PERSON_PREFIX);
	case DEVICE: return identity->certificate.name ?: identity->text;
	default: return identity->text;
	}
}

bool identity_unproven(const struct identity *identity)
{
	return identity->kind == ANONYMOUS;
}

bool identity_guessable(const struct identity *identity)
{
	return identity->kind == CREDENTIAL && identity->enrollment.kind == ENROLLMENT_PASSWORD;
}

bool identity_vouches(const struct identity *identity)
{
	return identity->kind == REGISTRAR;
}

bool identity_everywhere(const struct identity *identity)
{
	return !str_equal(identity->method, "est") && identity->token.profiles.n == 0;
}

static bool counts_in(const struct identity *identity, const char *profile)
{
	const struct record_texts *profiles = &identity->token.profiles;

	return profiles->n == 0 || record_texts_has(profiles, profile);
}

/* admin has all the other roles but that of reading keys, which is nothing an administrator needs. */
static bool has_role(const struct token *token, enum token_role role)
{
	return token->roles & role || (token->roles & TOKEN_ADMIN && role != TOKEN_KEY);
}

/* A device, or who shows a code, asks for certificates of one profile. */
static bool device_may(const struct identity *identity, enum token_role role, const char *profile, struct problem *p)
{
	const char *own = identity->profile ?: identity->enrollment.profile ?: identity->certificate.profile;

	if (role != TOKEN_ISSUE)
		return problem_set(p, PROBLEM_UNAUTHORIZED, "the %s is for enrollment alone", identity->text);
	return !profile || str_equal(own, profile) ||
	       problem_set(p, PROBLEM_UNAUTHORIZED, "the %s is for profile %s, not %s", identity->text, own, profile);
}

bool identity_may(const struct identity *identity, enum token_role role, const char *profile, struct problem *p)
{
	if (str_equal(identity->method, "est"))
		return device_may(identity, role, profile, p);
	if (identity->kind == RENEWAL && profile && !str_equal(identity->profile, profile))
		return problem_set(p, PROBLEM_UNAUTHORIZED, "the renewal is for profile %s, not %s",
		                   identity->profile, profile);
	if (identity->kind != BEARER)
		return true;
	if (!has_role(&identity->token, role))
		return problem_set(p, PROBLEM_UNAUTHORIZED, "the token %s has not the role %s", identity->token.id,
		                   token_role_name(role));
	if (profile && !counts_in(identity, profile))
		return problem_set(p, PROBLEM_UNAUTHORIZED, "the token %s is not for profile %s", identity->token.id,
		                   profile);
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
	trust_device_free(&identity->device);
	free(identity->profile);
	free(identity);
}
