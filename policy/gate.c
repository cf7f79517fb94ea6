#include "policy/gate.h"

#include <assert.h>
#include <stdio.h>

#include "base/clock.h"
#include "policy/gate_case.h"

/* In no header, so that nobody else can call it by including one; `make arch` looks at the symbols
 * and finds that this object alone refers to it. */
bool approval_make(const struct approval_facts *facts, struct approval **ret, struct problem *p) must_use;

enum origin { ORDER = 1, IDENTITY = 2, BOTH = ORDER | IDENTITY };
enum stage {
	ALONE,  /* a state in which there is nothing to judge: the first that fails is the answer */
	JUDGED, /* judged with the CSR, and all that fail are told */
	LAST,   /* what only matters where all else holds */
	SIGNER, /* what the CA holds when it signs: a trial alone asks it before */
};
enum concern {
	OF_KEY = 1,    /* it looks at the key itself, not at what kind of key it is */
	OF_ORIGIN = 2, /* it judges the order or the identity: of a CSR alone it has nothing to say */
	OF_SIGNER = 4, /* it judges the CA that would sign, where it is known */
};
static const struct rule {
	struct gate_rule shown;
	unsigned origins;
	enum stage stage;
	gate_check *check;
	unsigned of;   /* bits of enum concern */
} rules[] = {
	{ { "order-owner", "The order and its directory are the account's." },
	  ORDER, ALONE, gate_order_owner },
	{ { "account-valid", "The account is valid." },
	  ORDER, ALONE, gate_account_valid },
	{ { "order-ready", "The order is ready." },
	  ORDER, ALONE, gate_order_ready },
	{ { "order-unexpired", "The order has not expired." },
	  ORDER, ALONE, gate_order_unexpired },
	{ { "profile-known", "The profile exists." },
	  BOTH, ALONE, gate_profile_known },
	{ { "profile-open", "The profile is open to the method." },
	  BOTH, ALONE, gate_profile_open },

	{ { "directory-offers", "The profile is one that the account's directory offers." },
	  ORDER, ALONE, gate_directory_offers },
	{ { "scope-profile", "The account's scope opens the profile." },
	  ORDER, ALONE, gate_scope_profile },
	{ { "scope-quota", "The quotas of the account and of its external account key have room." },
	  ORDER, ALONE, gate_scope_quota },
	{ { "identity-may", "A token has the role `issue`; token, enrollment code or certificate is for this profile." },
	  IDENTITY, ALONE, gate_identity_may },

	{ { "identity-known", "Who has proven nothing is heard only where people must approve." },
	  IDENTITY, ALONE, gate_identity_known },

	{ { "account-bound", "A profile that requires it is for externally bound accounts alone." },
	  ORDER, JUDGED, gate_account_bound, OF_ORIGIN },
	{ { "scope-names", "The account's scope lets it order each identifier." },
	  ORDER, JUDGED, gate_scope_names, OF_ORIGIN },
	{ { "scope-granted", "What was authorized without a challenge is within the account's scope still." },
	  ORDER, JUDGED, gate_scope_granted, OF_ORIGIN },
	{ { "authorizations-valid", "Each authorization of the order is valid." },
	  ORDER, JUDGED, gate_authorizations_valid, OF_ORIGIN },
	{ { "authorizations-unexpired", "No authorization of the order has expired." },
	  ORDER, JUDGED, gate_authorizations_unexpired, OF_ORIGIN },
	{ { "authorizations-owner", "Each authorization is of the order's account and directory." },
	  ORDER, JUDGED, gate_authorizations_owner, OF_ORIGIN },
	{ { "authorizations-cover", "Each identifier has an authorization for exactly itself." },
	  ORDER, JUDGED, gate_authorizations_cover, OF_ORIGIN },
	{ { "authorizations-method", "Each identifier was proven by a challenge that the profile takes." },
	  ORDER, JUDGED, gate_authorizations_method, OF_ORIGIN },
	{ { "attestation-format", "Each device was attested in a format that the profile takes." },
	  ORDER, JUDGED, gate_attestation_format, OF_ORIGIN },
	{ { "key-attested", "The key is the one that was attested for each device of the order." },
	  ORDER, JUDGED, gate_key_attested, OF_KEY | OF_ORIGIN },
	{ { "devices-allowed", "The policy allows each device of the order, whether or not the certificate names it." },
	  ORDER, JUDGED, gate_devices_allowed, OF_ORIGIN },
	{ { "period", "The life that was asked for is one that the profile gives." },
	  BOTH, JUDGED, gate_period, OF_ORIGIN },
	{ { "rolling-same", "A certificate that renews itself is made from the CSR that the first was made from." },
	  ORDER, JUDGED, gate_rolling_same, OF_ORIGIN },
	{ { "names-present", "The CSR has a name." },
	  BOTH, JUDGED, gate_names_present },
	{ { "names-count", "The CSR has no more names than the profile lets it." },
	  BOTH, JUDGED, gate_names_count },
	{ { "names-equal", "The names of the CSR, its common name included, are exactly the order's." },
	  ORDER, JUDGED, gate_names_equal, OF_ORIGIN },
	{ { "names-proven", "Each name of the CSR is one that the identity proved." },
	  IDENTITY, JUDGED, gate_names_proven, OF_ORIGIN },
	{ { "device-bound", "Who is known by the serial number of a device asks for no other serialNumber, common name or typed name." },
	  IDENTITY, JUDGED, gate_device_bound, OF_ORIGIN },
	{ { "subject-held", "Who shows a certificate asks for its subject and, of other types, for its names." },
	  IDENTITY, JUDGED, gate_subject_held },
	{ { "change-allowed", "Another subject and other names are asked for (RFC 6402, 2.8) by who shows a certificate, where the profile lets him." },
	  BOTH, JUDGED, gate_change_allowed },
	{ { "renewal-whole", "A renewal asks for all names that the certificate has." },
	  IDENTITY, JUDGED, gate_renewal_whole },
	{ { "names-allowed", "The policy allows each name, and none that it requires is missing." },
	  BOTH, JUDGED, gate_names_allowed },
	{ { "names-typed", "Names of other types (UPN, permanentIdentifier, ...) are of an order its devices' alone, and always as the policy allows." },
	  BOTH, JUDGED, gate_names_typed },
	{ { "common-name-single", "The subject has one common name at most." },
	  BOTH, JUDGED, gate_common_name_single },
	{ { "common-name-named", "The common name is a DNS name or an IP address in an order, and always as the policy allows." },
	  BOTH, JUDGED, gate_common_name_named },
	{ { "subject-plain", "The subject's other attributes are the profile's own in an order, and always as the policy allows; a mail address is a "
	                    "name too (RFC 5280, 4.1.2.6)." },
	  BOTH, JUDGED, gate_subject_plain },
	{ { "extensions-known", "The CSR asks for no extension but subjectAltName, keyUsage, extKeyUsage, "
	                        "basicConstraints, subjectKeyIdentifier and TLS feature, and in a renewal those that the CA writes of itself." },
	  BOTH, JUDGED, gate_extensions_known },
	{ { "must-staple", "The TLS feature status_request is asked for TLS servers alone, and where there is revocation information." },
	  BOTH, JUDGED, gate_must_staple },
	{ { "no-ca", "The CSR asks to be a CA outside ACME alone, and where the policy allows it." },
	  BOTH, JUDGED, gate_no_ca },
	{ { "key-usage", "The policy allows each key usage asked for, and the key can have one." },
	  BOTH, JUDGED, gate_key_usage },
	{ { "extended-key-usage", "The policy allows each extended key usage asked for." },
	  BOTH, JUDGED, gate_extended_key_usage },
	{ { "key-allowed", "The policy takes the key's algorithm and size." },
	  BOTH, JUDGED, gate_key_allowed },
	{ { "signature-allowed", "The policy takes what the CSR is signed with." },
	  BOTH, JUDGED, gate_signature_allowed },
	{ { "key-strong", "The key has no known weakness." },
	  BOTH, JUDGED, gate_key_strong, OF_KEY },
	{ { "key-unlisted", "The key is not on the block list." },
	  BOTH, JUDGED, gate_key_unlisted, OF_KEY },
	{ { "key-uncompromised", "No certificate of the key was revoked for keyCompromise." },
	  BOTH, JUDGED, gate_key_uncompromised, OF_KEY },
	{ { "key-own", "No certificate of another requester has the key, where the policy says so." },
	  BOTH, JUDGED, gate_key_own, OF_KEY },
	{ { "key-new", "No earlier certificate of the requester, or of the same names, has the key, where the policy says so." },
	  BOTH, JUDGED, gate_key_new, OF_KEY },
	{ { "key-not-account", "The key is no account's, unless the profile lets it be." },
	  ORDER, JUDGED, gate_key_not_account, OF_KEY },
	{ { "issuer-allows", "The issuing CA may certify the names, and a CA below it (RFC 5280, 4.2.1.9 and 4.2.1.10)." },
	  BOTH, JUDGED, gate_issuer_allows, OF_SIGNER },

	{ { "approved", "As many people as the profile demands have approved this CSR." },
	  BOTH, LAST, gate_approved },

	{ { "issuer-ready", "The issuing CA is not disabled, and does not end before the certificate would." },
	  BOTH, SIGNER, gate_issuer_ready, OF_SIGNER },
};

size_t gate_rule_count(void)
{
	return array_length(rules);
}

const struct gate_rule *gate_rule_at(size_t i)
{
	return &rules[i].shown;
}

/* A part that says the server could not judge (memory, OpenSSL) hides all others. */
static const struct problem_sub *unjudged(const struct problem *p)
{
	for (size_t i = 0; i < p->sub_count; i++)
		if (p->subs[i].kind == PROBLEM_INTERNAL || p->subs[i].kind == PROBLEM_UNAVAILABLE)
			return &p->subs[i];
	return NULL;
}

/* All reasons in one text, for clients that show no parts. */
static void reasons_join(const struct problem *p, char ret[PROBLEM_DETAIL_MAX])
{
	size_t used = 0;

	for (size_t i = 0; i < p->sub_count && used < PROBLEM_DETAIL_MAX; i++)
		used += (size_t)snprintf(ret + used, PROBLEM_DETAIL_MAX - used, "%s%s", i > 0 ? "; " : "",
		                         p->subs[i].detail);
}

/* The names of the broken rules go to the log: they say which test to read. */
static void refuse(struct problem *parts, const char *broken)
{
	char text[PROBLEM_DETAIL_MAX] = "";
	const struct problem_sub *fault = unjudged(parts);

	if (problem_is_set(parts)) /* a part was lost for want of memory */
		return;
	if (fault && fault->kind == PROBLEM_UNAVAILABLE)
		problem_unavailable(parts, 1, "%s: %s", broken, fault->detail);
	else if (fault || parts->sub_count == 0)
		problem_internal(parts, "%s: %s", broken, fault ? fault->detail : "no reason");
	if (problem_is_set(parts))
		return;
	reasons_join(parts, text);
	if (problem_settle(parts, "%s", text))
		assert(!"there are parts");
	snprintf(parts->cause, sizeof(parts->cause), "%s", broken);
}

/* What the policy did not say of a part: the gate's own rule, and the field of a name. */
static bool check(const struct rule *rule, const struct gate_case *c, struct problem *parts)
{
	size_t from = parts->sub_count;
	bool held = rule->check(c, parts);

	for (size_t i = from; i < parts->sub_count; i++) {
		struct problem_sub *sub = &parts->subs[i];
		if (sub->rule[0])
			continue;
		snprintf(sub->rule, sizeof(sub->rule), "%s", rule->shown.name);
		if (!sub->field[0] && sub->identifier_type[0]) {
			snprintf(sub->field, sizeof(sub->field), "san.%s", sub->identifier_type);
			memcpy(sub->value, sub->identifier_value, sizeof(sub->value));
		}
	}
	return held;
}

static bool judge(const struct gate_case *c, enum origin origin, enum stage stage, struct problem *p)
{
	auto_value(problem) parts = {0};
	char broken[PROBLEM_DETAIL_MAX] = "";
	size_t used = 0;

	for (size_t i = 0; i < array_length(rules); i++) {
		const struct rule *rule = &rules[i];
		if (rule->stage != stage || !(rule->origins & origin) || (rule->of & OF_KEY && c->unmade) ||
		    check(rule, c, &parts))
			continue;
		if (used < sizeof(broken))
			used += (size_t)snprintf(broken + used, sizeof(broken) - used, "%s%s",
			                         used > 0 ? ", " : "", rule->shown.name);
		if (stage == ALONE)
			break;
	}
	if (used == 0)
		return true;
	refuse(&parts, broken);
	return problem_pass(&parts, p);
}

static bool approve(const struct gate_case *c, struct approval_facts *facts, struct approval **ret,
                    struct problem *p)
{
	if (!gate_case_period(c, &facts->not_before, &facts->not_after, p))
		return false;
	gate_case_facts(c, facts);
	return approval_make(facts, ret, p);
}

/* The CSR is read when the state of its origin is such that it can matter. */
static bool case_open(struct gate_case *c, enum origin origin, struct bytes csr_der, struct problem *p)
{
	struct csr *csr;

	return judge(c, origin, ALONE, p) && csr_parse(csr_der, &csr, p) && gate_case_take_csr(csr, c, p);
}

bool gate_order(struct store *store, const struct profiles *profiles, const char *order_id,
                const char *account_id, struct bytes csr_der, struct approval **ret, struct problem *p)
{
	auto_value(gate_case) c = {
		.now = clock_now(), .profiles = profiles, .method = PROFILE_ACME,
		.order_id = order_id, .account_id = account_id,
	};

	if (!gate_case_read_order(store, &c, p))
		return false;
	struct approval_facts facts = { .method = "acme", .account = c.order.account, .order = c.order.id };
	return case_open(&c, ORDER, csr_der, p) && gate_case_find_key(store, &c, p) &&
	       judge(&c, ORDER, JUDGED, p) && judge(&c, ORDER, LAST, p) && approve(&c, &facts, ret, p);
}

static enum profile_method method_of(const struct identity *identity)
{
	static const struct {
		const char *name;
		enum profile_method method;
	} methods[] = { { "est", PROFILE_EST }, { "api", PROFILE_API }, { "internal", PROFILE_INTERNAL } };

	for (size_t i = 0; i < array_length(methods); i++)
		if (str_equal(methods[i].name, identity_method(identity)))
			return methods[i].method;
	return 0;
}

bool gate_identity_wish(struct store *store, const struct profiles *profiles, const char *profile_name,
                        const struct identity *identity, const struct gate_wish *wish, struct bytes csr_der,
                        struct approval **ret, struct problem *p)
{
	auto_value(gate_case) c = {
		.now = clock_now(), .profiles = profiles, .method = method_of(identity), .identity = identity, .wish = wish,
		.profile_name = profile_name, .profile = profiles_find(profiles, profile_name),
	};
	struct approval_facts facts = {
		.method = identity_method(identity), .account = "", .order = "", .identity = identity_text(identity),
	};

	return gate_case_read_request(store, &c, p) && case_open(&c, IDENTITY, csr_der, p) &&
	       gate_case_find_key(store, &c, p) && judge(&c, IDENTITY, JUDGED, p) && judge(&c, IDENTITY, LAST, p) &&
	       approve(&c, &facts, ret, p);
}

bool gate_identity(struct store *store, const struct profiles *profiles, const char *profile_name,
                   const struct identity *identity, struct bytes csr_der, struct approval **ret, struct problem *p)
{
	return gate_identity_wish(store, profiles, profile_name, identity, NULL, csr_der, ret, p);
}

/* --- before a key is made */

bool gate_identity_unmade(struct store *store, const struct profiles *profiles, const char *profile_name,
                          const struct identity *identity, struct bytes csr_der, enum key_algorithm key,
                          struct problem *p)
{
	auto_value(gate_case) c = {
		.now = clock_now(), .profiles = profiles, .method = method_of(identity), .identity = identity, .unmade = true,
		.profile_name = profile_name, .profile = profiles_find(profiles, profile_name),
	};
	struct csr *csr;

	if (!gate_case_read_request(store, &c, p) || !judge(&c, IDENTITY, ALONE, p) || !csr_peek(csr_der, &csr, p))
		return false;
	csr->algorithm = key;
	csr->signature = csr_signature_for(key, c.profile->policy->signatures);
	return gate_case_take_csr(csr, &c, p) && judge(&c, IDENTITY, JUDGED, p);
}

/* --- a trial */

/* A CSR alone is judged by it. */
static bool is_of_csr(const struct rule *rule, const struct gate_case *c)
{
	return (rule->stage == JUDGED || rule->stage == SIGNER) && !(rule->of & OF_ORIGIN) &&
	       (!(rule->of & OF_SIGNER) || profiles_signers(c->profiles)->ca);
}

static bool test_rules(const struct gate_case *c, const struct gate_test *test, struct problem *p)
{
	enum origin origin = c->identity ? IDENTITY : ORDER;
	bool held = true;

	for (size_t i = 0; i < array_length(rules); i++) {
		auto_value(problem) parts = {0};
		if (!(rules[i].origins & origin) || !is_of_csr(&rules[i], c))
			continue;
		bool good = check(&rules[i], c, &parts);
		if (unjudged(&parts) || problem_is_set(&parts))
			return problem_internal(p, "%s", unjudged(&parts) ? unjudged(&parts)->detail : parts.cause);
		test->rule(test->arg, rules[i].shown.name, good, &parts);
		held = held && good;
	}
	return held;
}

static bool test_case(struct store *store, struct gate_case *c, const struct gate_test *test, struct bytes csr_der,
                      bool *ret_held, struct problem *p)
{
	struct csr *csr;

	if (!csr_parse(csr_der, &csr, p) || !gate_case_take_csr(csr, c, p) ||
	    (store && !gate_case_find_key(store, c, p)))
		return false;
	*ret_held = test_rules(c, test, p);
	if (problem_is_set(p))
		return false;
	for (enum policy_part part = 0; part < POLICY_PART_MAX; part++)
		if (!policy_judge(c->profile->policy, part, &c->request, test->verdict, test->arg))
			*ret_held = false;
	return true;
}

bool gate_test(struct store *store, const struct profiles *profiles, const struct gate_test *test, struct bytes csr_der,
               bool *ret_held, struct problem *p)
{
	static const struct identifiers none;
	const struct gate_wish wish = { .replaces = test->replaces };
	auto_struct(identity) *identity = NULL;
	auto_value(gate_case) c = {
		.now = clock_now(), .profiles = profiles, .method = test->method, .profile_name = test->profile, .trial = &test->who,
		.tester = test->tester, .asker = test->asker,
		.wish = &wish, .profile = profiles_find(profiles, test->profile),
	};

	if (!c.profile)
		return problem_set(p, PROBLEM_NOT_FOUND, "there is no profile \"%s\"", test->profile);
	if (!identity_operator(&none, &identity, p))
		return false;
	c.identity = test->method == PROFILE_ACME ? NULL : identity;
	c.order.created = c.now;
	return test_case(store, &c, test, csr_der, ret_held, p);
}
