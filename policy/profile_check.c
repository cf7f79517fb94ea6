#include "policy/profile_check.h"

#include <openssl/err.h>

#include "base/ossl.h"

enum { NAME_MAX_LENGTH = 32 };
static const int64_t YEAR = 365 * 24 * 60 * 60;

static bool refuse(const struct profile *profile, const char *field, const char *what, struct problem *p)
{
	return problem_set(p, PROBLEM_MALFORMED, "profile %s: %s: %s", profile->name, field, what);
}

static bool check_name(const struct profile *profile, struct problem *p)
{
	size_t len = profile->name ? strlen(profile->name) : 0;

	size_t good = len > 0 ? strspn(profile->name, "abcdefghijklmnopqrstuvwxyz0123456789-") : 0;

	if (len > 0 && len <= NAME_MAX_LENGTH && good == len)
		return true;
	return problem_set(p, PROBLEM_MALFORMED,
	                   "profile \"%s\": name: 1 to 32 characters of a-z, 0-9 and \"-\"",
	                   profile->name ?: "");
}

static bool check_texts(const struct profile *profile, struct problem *p)
{
	if (!profile->issuer || !profile->description)
		return refuse(profile, "issuer, description", "a text, may be empty", p);
	return true;
}

static bool check_methods(const struct profile *profile, struct problem *p)
{
	unsigned known = PROFILE_ACME | PROFILE_EST | PROFILE_API | PROFILE_INTERNAL;

	if (profile->methods == 0 || (profile->methods & ~known) != 0)
		return refuse(profile, "methods", "at least one of acme, est, api, internal", p);
	return true;
}

static bool check_keys(const struct profile *profile, struct problem *p)
{
	if (profile->keys == 0 || profile->keys >> KEY_ALGORITHM_MAX != 0)
		return refuse(profile, "keys", "at least one known key algorithm", p);
	return true;
}

static bool patterns_check(const struct profile *profile, enum identifier_type type,
                           const struct strings *patterns, struct problem *p)
{
	struct problem why = {0};

	for (size_t i = 0; i < patterns->n; i++) {
		if (pattern_check(type, patterns->v[i], &why))
			continue;
		problem_set(p, PROBLEM_MALFORMED, "profile %s: names: %s: %s", profile->name,
		            identifier_type_name(type), why.detail);
		problem_done(&why);
		return false;
	}
	return true;
}

static bool check_patterns(const struct profile *profile, struct problem *p)
{
	bool any = false;

	for (enum identifier_type type = 0; type < IDENTIFIER_TYPE_MAX; type++) {
		if (!patterns_check(profile, type, &profile->names[type].allow, p) ||
		    !patterns_check(profile, type, &profile->names[type].deny, p))
			return false;
		any = any || profile->names[type].allow.n > 0;
	}
	return any || !profile->short_form || refuse(profile, "names", "no name at all is allowed", p);
}

static bool check_names_max(const struct profile *profile, struct problem *p)
{
	if (profile->names_max < 1 || profile->names_max > 1000)
		return refuse(profile, "names_max", "from 1 to 1000", p);
	return true;
}

/* The backdated part is no use to anybody: less than half of a certificate's life. */
static bool check_validity(const struct profile *profile, struct problem *p)
{
	if (profile->validity_max < 60 || profile->validity_max > 100 * YEAR)
		return refuse(profile, "validity_max", "from a minute to 100 years", p);
	if (profile->validity < 60 || profile->validity > profile->validity_max)
		return refuse(profile, "validity", "from a minute to validity_max", p);
	if (profile->backdate < 0 || profile->backdate > profile->validity / 2)
		return refuse(profile, "backdate", "not negative, and at most half of validity", p);
	if (profile->authorization_lifetime < 1 || profile->authorization_lifetime > YEAR)
		return refuse(profile, "authorization_lifetime", "from a second to a year", p);
	return true;
}

/* RFC 5280, 4.2.1.3: those of a CA are for CAs; encipherOnly and decipherOnly say how keyAgreement is
 * used. Each key that is allowed must have a use left. */
static bool check_key_usage(const struct profile *profile, struct problem *p)
{
	unsigned direction = KU_ENCIPHER_ONLY | KU_DECIPHER_ONLY;
	unsigned ca = profile->policy->ca != POLICY_CA_FORBIDDEN ? KU_KEY_CERT_SIGN | KU_CRL_SIGN : 0;
	unsigned known = KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION | KU_KEY_ENCIPHERMENT |
	                 KU_DATA_ENCIPHERMENT | KU_KEY_AGREEMENT | direction | ca;

	if (profile->key_usage == 0 || (profile->key_usage & ~known) != 0)
		return refuse(profile, "key_usage", "at least one, and none of a CA's", p);
	if ((profile->key_usage & direction) != 0 && !(profile->key_usage & KU_KEY_AGREEMENT))
		return refuse(profile, "key_usage", "encipherOnly and decipherOnly go with keyAgreement", p);
	for (enum key_algorithm a = 0; a < KEY_ALGORITHM_MAX; a++)
		if ((profile->keys & 1u << a) != 0 &&
		    (profile->key_usage & (key_algorithm_usage(a) | ca) & ~direction) == 0)
			return refuse(profile, "key_usage",
			              "nothing of it fits a key algorithm that is allowed", p);
	return true;
}

/* Purposes that a certificate of a profile never has: one that could answer OCSP for the CA (RFC
 * 6960, 4.2.2.2), and one whose extension would have to be critical (RFC 3161, 2.3). */
static bool check_purpose(const struct profile *profile, const char *oid, struct problem *p)
{
	auto(ASN1_OBJECT) *object = OBJ_txt2obj(oid, 1);
	char text[64] = "";

	ERR_clear_error();
	if (!object || OBJ_obj2txt(text, sizeof(text), object, 1) < 0 || !str_equal(text, oid))
		return refuse(profile, "extended_key_usage", "dotted object identifiers", p);
	if (str_equal(oid, "1.3.6.1.5.5.7.3.9") || str_equal(oid, "1.3.6.1.5.5.7.3.8"))
		return refuse(profile, "extended_key_usage",
		              "OCSPSigning and timeStamping are not for profiles", p);
	return true;
}

static bool check_extended_key_usage(const struct profile *profile, struct problem *p)
{
	const struct strings *oids = &profile->extended_key_usage;

	if (oids->n == 0 && profile->policy->ca != POLICY_CA_REQUIRED)
		return refuse(profile, "extended_key_usage", "at least one", p);
	for (size_t i = 0; i < oids->n; i++) {
		struct strings earlier = { .v = oids->v, .n = i };
		if (!check_purpose(profile, oids->v[i], p))
			return false;
		if (strings_has(&earlier, oids->v[i]))
			return refuse(profile, "extended_key_usage", "each one once", p);
	}
	return true;
}

/* Nobody could ever give what more approvers than there are would have to. */
static bool check_approvals(const struct profile *profile, struct problem *p)
{
	if (profile->approvers.n > 0 && profile->approvals > profile->approvers.n)
		return refuse(profile, "approvals", "no more than there are approvers", p);
	if (profile->approval_lifetime < 60 || profile->approval_lifetime > YEAR)
		return refuse(profile, "approval_lifetime", "from a minute to a year", p);
	return true;
}

static bool check_renewal(const struct profile *profile, struct problem *p)
{
	if (profile->renewal_from < 1 || profile->renewal_until > 99 || profile->renewal_from >= profile->renewal_until)
		return refuse(profile, "renewal", "`from` less than `until`, both from 1 to 99", p);
	return true;
}

static bool check_kept(const struct profile *profile, struct problem *p)
{
	if (profile->renew_before > 0 && !profile->keep_keys)
		return refuse(profile, "renew_before",
		              "keep_keys beside it: the server renews what it has the key of", p);
	return profile->renew_before < profile->validity ||
	       refuse(profile, "renew_before", "less than validity", p);
}

/* Nobody is there to approve what the server renews. */
static bool check_star(const struct profile *profile, struct problem *p)
{
	const struct profile_star *star = &profile->star;

	if (star->on && (star->lifetime_min < 1 || star->lifetime_min > profile->validity_max ||
	                 star->duration_max < star->lifetime_min))
		return refuse(profile, "auto_renewal", "min_lifetime at most validity_max and max_duration", p);
	return !star->on || profile->approvals == 0 ||
	       refuse(profile, "auto_renewal", "not together with approvals", p);
}

static bool check_subject(const struct profile *profile, struct problem *p)
{
	auto_value(problem) why = {0};

	for (size_t i = 0; i < profile->subject.n; i++)
		if (!subject_check(profile->subject.v[i].type, profile->subject.v[i].value, &why))
			return refuse(profile, "subject", why.detail, p);
	return true;
}

struct default_check {
	const struct profile *profile;
	struct problem *p;
};
static void default_refused(void *arg, const struct policy_verdict *verdict)
{
	const struct default_check *check = arg;

	if (verdict->held || problem_is_set(check->p))
		return;
	if (str_equal(verdict->rule, "required"))
		problem_set(check->p, PROBLEM_MALFORMED,
		            "profile %s: %s: the defaults are refused by its own policy %s: %s", check->profile->name,
		            verdict->field, check->profile->policy->name, verdict->text);
	else
		problem_set(check->p, PROBLEM_MALFORMED,
		            "profile %s: %s: the default \"%s\" is refused by its own policy %s: %s",
		            check->profile->name, verdict->field, verdict->value, check->profile->policy->name,
		            verdict->text);
}

/* A default that its own policy would refuse is an error here and not at the first request. What is required of a
 * subject or of the names may come with the request; usages are asked for whole, or are the defaults. */
static bool check_defaults(const struct profile *profile, struct problem *p)
{
	static const struct identifiers none;
	static const enum policy_part parts[] = {
		POLICY_COMMON_NAME, POLICY_ATTRIBUTES, POLICY_KEY_USAGE, POLICY_EXTENDED_KEY_USAGE, POLICY_VALIDITY,
	};
	struct policy_request request = {
		.subject = &profile->subject, .names = &none, .key_usage_asked = profile->key_usage, .key_usage = profile->key_usage,
		.extended_key_usage = &profile->extended_key_usage, .ca = profile->policy->ca != POLICY_CA_FORBIDDEN,
		.validity = profile->validity,
	};
	struct default_check check = { profile, p };

	for (size_t i = 0; i < array_length(parts); i++) {
		request.partial = parts[i] != POLICY_KEY_USAGE && parts[i] != POLICY_EXTENDED_KEY_USAGE;
		if (!policy_judge(profile->policy, parts[i], &request, default_refused, &check))
			return false;
	}
	return true;
}

static bool check_policy(const struct profile *profile, struct problem *p)
{
	auto_value(problem) why = {0};

	return profile->short_form || policy_check(profile->policy, &why) ||
	       problem_set(p, PROBLEM_MALFORMED, "profile %s: %s", profile->name, why.detail);
}

static bool check_hash(const struct profile *profile, struct problem *p)
{
	const char *hash = profile->hash;

	return !hash || str_equal(hash, "SHA256") || str_equal(hash, "SHA384") || str_equal(hash, "SHA512") ||
	       refuse(profile, "hash", "SHA256, SHA384 or SHA512", p);
}

static bool check_common_name(const struct profile *profile, struct problem *p)
{
	return profile->common_name <= PROFILE_CN_FIRST ||
	       refuse(profile, "common_name", "none, if-asked or first", p);
}

static bool check_est(const struct profile *profile, struct problem *p)
{
	const struct strings *names = &profile->est.change_names;
	auto_value(problem) why = {0};

	for (size_t i = 0; i < names->n; i++)
		if (!pattern_typed_check(names->v[i], &why))
			return refuse(profile, "est.change_names", why.detail, p);
	return true;
}

bool profile_check(const struct profile *profile, struct problem *p)
{
	static bool (*const checks[])(const struct profile *profile, struct problem *p) = {
		check_name,     check_texts,       check_methods,
		check_keys,     check_patterns,    check_names_max,
		check_validity, check_key_usage,   check_extended_key_usage,
		check_hash,     check_common_name, check_policy,
		check_subject,  check_defaults,    check_approvals,
		check_renewal,  check_star,        check_est,
		check_kept,
	};

	for (size_t i = 0; i < array_length(checks); i++)
		if (!checks[i](profile, p))
			return false;
	return true;
}
