#include "policy/policy_match.h"

#include <openssl/err.h>

static const int64_t YEAR = 365 * 24 * 60 * 60;
enum { NAMES_MAX = 1000, PATH_LENGTH_MAX = 127 };

static bool refuse(const struct policy *policy, const char *field, const char *what, struct problem *p)
{
	return problem_set(p, PROBLEM_MALFORMED, "policy %s: %s: %s", policy->name, field, what);
}

static bool patterns_check(const struct policy *policy, enum policy_field field, const struct strings *patterns,
                           bool bound, struct problem *p)
{
	auto_value(problem) why = {0};

	for (size_t i = 0; i < patterns->n; i++) {
		if (!policy_pattern_check(field, patterns->v[i], &why))
			return refuse(policy, policy_field_key(field), why.detail, p);
		if (!bound && policy_pattern_bound(patterns->v[i]))
			return refuse(policy, policy_field_key(field),
			              "what is denied is denied to all: no \"{\" there", p);
	}
	return true;
}

static bool check_fields(const struct policy *policy, struct problem *p)
{
	for (enum policy_field field = 0; field < POLICY_FIELD_MAX; field++) {
		const struct policy_values *values = &policy->fields[field];
		if (!patterns_check(policy, field, &values->required, true, p) ||
		    !patterns_check(policy, field, &values->allow, true, p) ||
		    !patterns_check(policy, field, &values->deny, false, p))
			return false;
		for (size_t i = 0; i < values->required.n; i++)
			if (strings_has(&values->deny, values->required.v[i]))
				return refuse(policy, policy_field_key(field), "the same one is required and denied",
				              p);
	}
	return true;
}

static bool check_names_max(const struct policy *policy, struct problem *p)
{
	return (policy->names_max >= 1 && policy->names_max <= NAMES_MAX) ||
	       refuse(policy, "names_max", "from 1 to 1000", p);
}

/* A policy that no request could satisfy was not meant. */
static bool check_mentioned(const struct policy *policy, struct problem *p)
{
	if (policy->keys == 0 && !policy->unlisted)
		return refuse(policy, "keys", "not mentioned, so every key would be refused", p);
	if (policy->signatures == 0 && !policy->unlisted)
		return refuse(policy, "signatures", "not mentioned, so every request would be refused", p);
	if (policy->validity_max == 0 && !policy->unlisted)
		return refuse(policy, "validity_max", "not mentioned, so every life would be refused", p);
	return true;
}

static bool check_validity(const struct policy *policy, struct problem *p)
{
	return policy->validity_max == 0 || (policy->validity_max >= 60 && policy->validity_max <= 100 * YEAR) ||
	       refuse(policy, "validity_max", "from a minute to 100 years", p);
}

static bool check_key_usage(const struct policy *policy, struct problem *p)
{
	const struct policy_bits *bits = &policy->key_usage;
	unsigned ca = KU_KEY_CERT_SIGN | KU_CRL_SIGN;

	if ((bits->required & bits->deny) != 0)
		return refuse(policy, "key_usage", "the same one is required and denied", p);
	if (((bits->required | bits->allow) & ca) != 0 && policy->ca == POLICY_CA_FORBIDDEN)
		return refuse(policy, "key_usage",
		              "keyCertSign and cRLSign are a CA's, which `basic_constraints` forbids", p);
	return true;
}

static bool purposes_check(const struct policy *policy, const struct strings *oids, struct problem *p)
{
	for (size_t i = 0; i < oids->n; i++) {
		auto(ASN1_OBJECT) *object = OBJ_txt2obj(oids->v[i], 1);
		char text[64] = "";

		ERR_clear_error();
		if (!object || OBJ_obj2txt(text, sizeof(text), object, 1) < 0 || !str_equal(text, oids->v[i]))
			return refuse(policy, "extended_key_usage", "dotted object identifiers", p);
	}
	return true;
}

static bool check_extended_key_usage(const struct policy *policy, struct problem *p)
{
	const struct policy_values *values = &policy->extended_key_usage;

	for (size_t i = 0; i < values->required.n; i++)
		if (strings_has(&values->deny, values->required.v[i]))
			return refuse(policy, "extended_key_usage", "the same one is required and denied", p);
	return purposes_check(policy, &values->required, p) && purposes_check(policy, &values->allow, p) &&
	       purposes_check(policy, &values->deny, p);
}

static bool check_path_length(const struct policy *policy, struct problem *p)
{
	if (policy->path_length < -1 || policy->path_length > PATH_LENGTH_MAX)
		return refuse(policy, "basic_constraints.path_length", "from 0 to 127, or none", p);
	return policy->path_length < 0 || policy->ca != POLICY_CA_FORBIDDEN ||
	       refuse(policy, "basic_constraints.path_length", "it is for CAs, which `basic_constraints` forbids", p);
}

bool policy_check(const struct policy *policy, struct problem *p)
{
	static bool (*const checks[])(const struct policy *policy, struct problem *p) = {
		check_fields, check_names_max, check_mentioned, check_validity, check_key_usage,
		check_extended_key_usage, check_path_length,
	};

	for (size_t i = 0; i < array_length(checks); i++)
		if (!checks[i](policy, p))
			return false;
	return true;
}
