#include "policy/profile.h"

#include <assert.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "policy/profile_check.h"

enum { MINUTE = 60, DAY = 24 * 60 * MINUTE };

struct profiles {
	atomic_uint references;
	struct profile **v;
	size_t n;
	const struct profile *fallback; /* the default */
	struct key_blocklist *blocklist;
	struct profile_signers signers;
};

static const struct profile defaults = {
	.methods = PROFILE_ACME | PROFILE_INTERNAL,
	.keys = (1u << KEY_ALGORITHM_MAX) - 1,
	.wildcards = true,
	.names_max = 100,
	.validity = 90 * DAY,
	.validity_max = 397 * DAY,
	.backdate = MINUTE,
	.key_usage = KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT,
	.common_name = PROFILE_CN_IF_ASKED,
	.authorization_lifetime = DAY,
	.star = { .lifetime_min = DAY, .duration_max = 365 * DAY },
	.renewal_from = 66,
	.renewal_until = 80,
	.approval_lifetime = 7 * DAY,
};

bool profile_new(const char *name, struct profile **ret, struct problem *p)
{
	auto_struct(profile) *profile = malloc(sizeof(*profile));

	if (!profile)
		return problem_memory(p);
	*profile = defaults;
	profile->alerts = profile_default_alerts;
	profile->name = strdup(name);
	profile->description = strdup("TLS servers");
	profile->issuer = strdup("");
	if (!profile->name || !profile->description || !profile->issuer ||
	    !strings_add(&profile->names[IDENTIFIER_DNS].allow, "*") ||
	    !strings_add(&profile->names[IDENTIFIER_IP].allow, "*") ||
	    /* Both, since acme.sh asks for both in each of its CSRs; a CSR that asks for one gets one. */
	    !strings_add(&profile->extended_key_usage, "1.3.6.1.5.5.7.3.1") ||
	    !strings_add(&profile->extended_key_usage, "1.3.6.1.5.5.7.3.2"))
		return problem_memory(p);
	*ret = steal(profile);
	return true;
}

void profile_free(struct profile *profile)
{
	if (!profile)
		return;
	free(profile->name);
	free(profile->description);
	free(profile->issuer);
	for (enum identifier_type type = 0; type < IDENTIFIER_TYPE_MAX; type++) {
		strings_free(&profile->names[type].allow);
		strings_free(&profile->names[type].deny);
	}
	strings_free(&profile->extended_key_usage);
	strings_free(&profile->approvers);
	strings_free(&profile->acme.challenges);
	strings_free(&profile->acme.attestation_formats);
	strings_free(&profile->est.change_names);
	strings_free(&profile->est.csr_oids);
	subject_free(&profile->subject);
	policy_free(profile->policy);
	free(profile);
}

bool profile_takes_challenge(const struct profile *profile, const char *type)
{
	return profile->acme.challenges.n == 0 || strings_has(&profile->acme.challenges, type);
}

/* A type without an allowed pattern is not mentioned, whatever is denied of it. */
static bool short_names(const struct profile *profile, struct policy *policy)
{
	struct policy_values *cn = &policy->fields[POLICY_SUBJECT + SUBJECT_CN];

	for (enum identifier_type type = 0; type < IDENTIFIER_TYPE_MAX; type++) {
		struct policy_values *values = &policy->fields[POLICY_SAN + (enum policy_field)type];
		if (profile->names[type].allow.n > 0 && (!strings_copy(&profile->names[type].allow, &values->allow) ||
		                                         !strings_copy(&profile->names[type].deny, &values->deny)))
			return false;
	}
	return strings_add(&cn->allow, "{name}") &&
	       strings_copy(&profile->extended_key_usage, &policy->extended_key_usage.allow);
}

static bool short_policy(const struct profile *profile, struct policy **ret, struct problem *p)
{
	auto_struct(policy) *policy = NULL;

	if (!policy_new(profile->name, &policy, p))
		return false;
	if (!short_names(profile, policy))
		return problem_memory(p);
	policy->wildcards = profile->wildcards;
	policy->names_max = profile->names_max;
	policy->keys = profile->keys;
	policy->signatures = (1u << CSR_SIGNATURE_MAX) - 1;
	policy->key_usage.allow = profile->key_usage;
	policy->validity_max = profile->validity_max;
	*ret = steal(policy);
	return true;
}

bool profile_settle(struct profile *profile, struct problem *p)
{
	if (!profile->policy) {
		profile->short_form = true;
		return short_policy(profile, &profile->policy, p);
	}
	profile->names_max = profile->policy->names_max;
	profile->keys = profile->policy->keys ?: (1u << KEY_ALGORITHM_MAX) - 1;
	profile->validity_max = profile->policy->validity_max ?: 100LL * 365 * DAY;
	return true;
}

static const struct profile *find(struct profile *const *list, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (str_equal(list[i]->name, name))
			return list[i];
	return NULL;
}

static bool list_check(struct profile *const *list, size_t count, const char *default_name, struct problem *p)
{
	for (size_t i = 0; i < count; i++) {
		if (!profile_check(list[i], p))
			return false;
		if (find(list, i, list[i]->name))
			return problem_set(p, PROBLEM_MALFORMED, "profile %s: there are two of this name",
			                   list[i]->name);
	}
	return find(list, count, default_name) ||
	       problem_set(p, PROBLEM_MALFORMED, "the default profile \"%s\" does not exist", default_name);
}

bool profiles_new(struct profile **list, size_t count, const char *default_name,
                  struct key_blocklist *blocklist, struct profiles **ret, struct problem *p)
{
	for (size_t i = 0; i < count; i++)
		if (!profile_settle(list[i], p))
			return false;
	if (!list_check(list, count, default_name, p))
		return false;
	auto_free struct profile **v = reallocarray(NULL, count, sizeof(*v));
	struct profiles *profiles = calloc(1, sizeof(*profiles));
	if (!v || !profiles) {
		free(profiles);
		return problem_memory(p);
	}
	memcpy(v, list, count * sizeof(*v));
	atomic_init(&profiles->references, 1);
	profiles->fallback = find(v, count, default_name);
	profiles->v = steal(v);
	profiles->n = count;
	profiles->blocklist = blocklist;
	*ret = profiles;
	return true;
}

struct profiles *profiles_ref(struct profiles *profiles)
{
	atomic_fetch_add_explicit(&profiles->references, 1, memory_order_relaxed);
	return profiles;
}

void profiles_unref(struct profiles *profiles)
{
	if (!profiles)
		return;
	unsigned before = atomic_fetch_sub_explicit(&profiles->references, 1, memory_order_acq_rel);
	assert(before > 0);
	if (before > 1)
		return;
	for (size_t i = 0; i < profiles->n; i++)
		profile_free(profiles->v[i]);
	free(profiles->v);
	key_blocklist_free(profiles->blocklist);
	free(profiles);
}

void profiles_set_signers(struct profiles *profiles, const struct profile_signers *signers)
{
	profiles->signers = *signers;
}

const struct profile_signers *profiles_signers(const struct profiles *profiles)
{
	return &profiles->signers;
}

const struct profile *profiles_find(const struct profiles *profiles, const char *name)
{
	return find(profiles->v, profiles->n, name);
}

const struct profile *profiles_default(const struct profiles *profiles)
{
	return profiles->fallback;
}

const struct profile *profiles_at(const struct profiles *profiles, size_t i)
{
	return i < profiles->n ? profiles->v[i] : NULL;
}

bool profiles_offer(const struct profiles *profiles, const char *directory, const struct profile *profile)
{
	return (profile->methods & PROFILE_ACME) &&
	       (str_equal(profile->name, directory) ||
	        (str_equal(profiles->fallback->name, directory) && !profile->directory_alone));
}

const struct key_blocklist *profiles_blocklist(const struct profiles *profiles)
{
	return profiles->blocklist;
}

bool profile_allows(const struct profile *profile, const struct policy_who *who, const struct identifier *i,
                    struct problem *p)
{
	return policy_allows(profile->policy, who, i, p);
}

bool profile_has_type(const struct profile *profile, enum identifier_type type)
{
	const struct policy_values *values = &profile->policy->fields[POLICY_SAN + (enum policy_field)type];

	return profile->policy->unlisted || values->required.n + values->allow.n + values->deny.n > 0;
}

/* The first second. A life that the client ends by its notAfter is begun late enough to fit. */
static int64_t period_begin(const struct profile *profile, int64_t now, int64_t not_before, int64_t not_after)
{
	int64_t early = now - profile->backdate;

	if (not_before != 0)
		return not_before;
	if (not_after != 0 && not_after - early + 1 > profile->validity_max)
		return not_after - profile->validity_max + 1;
	return early;
}

bool profile_begins_early(const struct profile *profile, int64_t requested, int64_t not_before)
{
	return not_before != 0 && not_before < requested - profile->backdate;
}

bool profile_period(const struct profile *profile, int64_t now, int64_t requested, int64_t not_before,
                    int64_t not_after, int64_t *ret_from, int64_t *ret_to, struct problem *p)
{
	int64_t from = period_begin(profile, now, not_before, not_after);
	int64_t to = not_after != 0 ? not_after : from + profile->validity - 1;
	int64_t last = now + profile->validity_max - (not_before != 0); /* who counts from now forgets that the last second counts */
	char most[CLOCK_DURATION_SIZE];

	clock_format_duration(profile->validity_max, most);
	if (profile_begins_early(profile, requested, not_before))
		return problem_set(p, PROBLEM_MALFORMED, "notBefore is earlier than profile %s allows", profile->name);
	if (to < from || to < now)
		return problem_set(p, PROBLEM_MALFORMED, "notAfter is past, or before notBefore");
	if (to - from + 1 > profile->validity_max || to > last)
		return problem_set(p, PROBLEM_MALFORMED,
		                   "notAfter is later than profile %s allows: a life of %s at most", profile->name,
		                   most);
	*ret_from = from;
	*ret_to = to;
	return true;
}
