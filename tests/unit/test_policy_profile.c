#include "policy/profile.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "policy_make.h"

static struct profile *profile_of(const char *name)
{
	struct profile *profile;
	struct problem p = {0};

	assert_true(profile_new(name, &profile, &p));
	return profile;
}

static bool profiles_of(struct profile *profile, struct profiles **ret, struct problem *p)
{
	if (profiles_new(&profile, 1, "test", NULL, ret, p))
		return true;
	profile_free(profile);
	return false;
}

/* What docs and header promise of the shipped profile. */
static void test_defaults(void **state)
{
	struct profile *profile = profile_of("test");
	auto_struct(profiles) *profiles = NULL;
	struct problem p = {0};

	(void)state;
	assert_true(profiles_of(profile, &profiles, &p));
	assert_int_equal(profile->methods, PROFILE_ACME | PROFILE_INTERNAL);
	for (enum key_algorithm a = 0; a < KEY_ALGORITHM_MAX; a++)
		assert_true(profile->keys & 1u << a);
	assert_true(profile->validity == 90 * 86400 && profile->validity_max == 397 * 86400 && profile->backdate == 60);
	assert_int_equal(profile->key_usage, KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT);
	assert_int_equal(profile->extended_key_usage.n, 2);
	assert_int_equal(OBJ_txt2nid(profile->extended_key_usage.v[0]), NID_server_auth);
	assert_int_equal(OBJ_txt2nid(profile->extended_key_usage.v[1]), NID_client_auth);
	assert_int_equal(profile->common_name, PROFILE_CN_IF_ASKED);
	assert_false(profile->reuse_account_key || profile->eab_required);
	assert_int_equal(profile->names[IDENTIFIER_EMAIL].allow.n + profile->names[IDENTIFIER_URI].allow.n, 0);
}

/* Each row spoils one field of a good profile. */
static void spoil_name(struct profile *p) { p->name[0] = 'T'; }
static void spoil_name_empty(struct profile *p) { p->name[0] = '\0'; }
static void spoil_methods(struct profile *p) { p->methods = 0; }
static void spoil_methods_unknown(struct profile *p) { p->methods = 16; }
static void spoil_keys(struct profile *p) { p->keys = 0; }
static void spoil_keys_unknown(struct profile *p) { p->keys |= 1u << KEY_ALGORITHM_MAX; }
static void spoil_allow(struct profile *p) { assert_true(strings_add(&p->names[IDENTIFIER_DNS].allow, "a.*.b")); }
static void spoil_deny(struct profile *p) { assert_true(strings_add(&p->names[IDENTIFIER_IP].deny, "10.0.0.1/8")); }
static void spoil_names(struct profile *p)
{
	strings_free(&p->names[IDENTIFIER_DNS].allow);
	strings_free(&p->names[IDENTIFIER_IP].allow);
}
static void spoil_names_max(struct profile *p) { p->names_max = 0; }
static void spoil_names_max_high(struct profile *p) { p->names_max = 1001; }
static void spoil_validity(struct profile *p) { p->validity = p->validity_max + 1; }
static void spoil_validity_zero(struct profile *p) { p->validity = 0; }
static void spoil_validity_max(struct profile *p) { p->validity_max = 200LL * 366 * 86400; }
static void spoil_backdate(struct profile *p) { p->backdate = -1; }
static void spoil_backdate_long(struct profile *p) { p->backdate = p->validity / 2 + 1; }
static void spoil_lifetime(struct profile *p) { p->authorization_lifetime = 0; }
static void spoil_usage(struct profile *p) { p->key_usage = 0; }
static void spoil_usage_ca(struct profile *p) { p->key_usage |= KU_KEY_CERT_SIGN; }
static void spoil_usage_crl(struct profile *p) { p->key_usage |= KU_CRL_SIGN; }
static void spoil_usage_alone(struct profile *p) { p->key_usage |= KU_ENCIPHER_ONLY; }
static void spoil_usage_unfit(struct profile *p) { p->key_usage = KU_KEY_ENCIPHERMENT; }
static void spoil_purpose_none(struct profile *p) { strings_free(&p->extended_key_usage); }
static void spoil_purpose(struct profile *p) { assert_true(strings_add(&p->extended_key_usage, "serverAuth")); }
static void spoil_purpose_form(struct profile *p) { assert_true(strings_add(&p->extended_key_usage, "1.2.03")); }
static void spoil_purpose_twice(struct profile *p) { assert_true(strings_add(&p->extended_key_usage, "1.3.6.1.5.5.7.3.1")); }
static void spoil_purpose_ocsp(struct profile *p) { assert_true(strings_add(&p->extended_key_usage, "1.3.6.1.5.5.7.3.9")); }
static void spoil_purpose_time(struct profile *p) { assert_true(strings_add(&p->extended_key_usage, "1.3.6.1.5.5.7.3.8")); }
static void spoil_hash(struct profile *p) { p->hash = "SHA1"; }
static void spoil_common_name(struct profile *p) { p->common_name = PROFILE_CN_FIRST + 1; }

static const struct {
	void (*spoil)(struct profile *p);
	const char *want;
} spoils[] = {
	{ spoil_name, "name:" }, { spoil_name_empty, "name:" }, { spoil_methods, "methods:" }, { spoil_methods_unknown, "methods:" },
	{ spoil_keys, "keys:" }, { spoil_keys_unknown, "keys:" }, { spoil_allow, "names: dns:" }, { spoil_deny, "names: ip:" },
	{ spoil_names, "names:" }, { spoil_names_max, "names_max:" }, { spoil_names_max_high, "names_max:" },
	{ spoil_validity, "validity:" }, { spoil_validity_zero, "validity:" }, { spoil_validity_max, "validity_max:" },
	{ spoil_backdate, "backdate:" }, { spoil_backdate_long, "backdate:" }, { spoil_lifetime, "authorization_lifetime:" },
	{ spoil_usage, "key_usage:" }, { spoil_usage_ca, "key_usage:" }, { spoil_usage_crl, "key_usage:" },
	{ spoil_usage_alone, "key_usage:" }, { spoil_usage_unfit, "key_usage:" }, { spoil_purpose_none, "extended_key_usage:" },
	{ spoil_purpose, "extended_key_usage:" }, { spoil_purpose_form, "extended_key_usage:" },
	{ spoil_purpose_twice, "extended_key_usage:" }, { spoil_purpose_ocsp, "extended_key_usage:" },
	{ spoil_purpose_time, "extended_key_usage:" }, { spoil_hash, "hash:" }, { spoil_common_name, "common_name:" },
};

static void test_checks(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_length(spoils); i++) {
		struct profile *profile = profile_of("test");
		struct profiles *profiles = NULL;
		auto_value(problem) p = {0};

		spoils[i].spoil(profile);
		if (profiles_of(profile, &profiles, &p))
			fail_msg("row %zu passed: %s", i, spoils[i].want);
		assert_int_equal(p.kind, PROBLEM_MALFORMED);
		if (!strstr(p.detail, "profile ") || !strstr(p.detail, spoils[i].want))
			fail_msg("row %zu: \"%s\" does not say \"%s\"", i, p.detail, spoils[i].want);
	}
}

static void test_set(void **state)
{
	struct profile *list[] = { profile_of("a"), profile_of("b") };
	struct profiles *profiles;
	auto_value(problem) p = {0};

	(void)state;
	assert_false(profiles_new(list, 2, "c", NULL, &profiles, &p));
	assert_non_null(strstr(p.detail, "\"c\""));
	assert_true(profiles_new(list, 2, "b", NULL, &profiles, &p));
	assert_ptr_equal(profiles_default(profiles), list[1]);
	assert_ptr_equal(profiles_find(profiles, "a"), list[0]);
	assert_null(profiles_find(profiles, "c"));
	assert_ptr_equal(profiles_at(profiles, 1), list[1]);
	assert_null(profiles_at(profiles, 2));
	assert_null(profiles_blocklist(profiles));
	struct profiles *again = profiles_ref(profiles);
	profiles_unref(profiles);
	assert_ptr_equal(profiles_find(again, "a"), list[0]);
	profiles_unref(again);
}

static void test_same_name(void **state)
{
	struct profile *list[] = { profile_of("a"), profile_of("a") };
	struct profiles *profiles;
	auto_value(problem) p = {0};

	(void)state;
	assert_false(profiles_new(list, 2, "a", NULL, &profiles, &p));
	assert_non_null(strstr(p.detail, "two of this name"));
	profile_free(list[0]);
	profile_free(list[1]);
}

static const struct {
	const char *allow, *deny; /* DNS patterns; NULL: none */
	bool wildcards;
	const char *name;
	bool want;
} rules[] = {
	{ "*", NULL, true, "dns:www.example.com", true },
	{ "*", NULL, true, "dns:*.example.com", true },
	{ "*", NULL, false, "dns:*.example.com", false },
	{ "*", NULL, false, "dns:www.example.com", true },
	{ "*.example.com", NULL, true, "dns:www.example.com", true },
	{ "*.example.com", NULL, true, "dns:www.example.org", false },
	{ NULL, NULL, true, "dns:www.example.com", false },
	{ "*", "www.example.com", true, "dns:www.example.com", false },
	{ "*", "www.example.com", true, "dns:WWW.EXAMPLE.COM", false },
	{ "*", "www.example.com", true, "dns:ftp.example.com", true },
	{ "*", "www.example.com", true, "dns:*.example.com", false }, /* it would serve www as well */
	{ "*", "www.example.com", true, "dns:*.www.example.com", true },
	{ "*", "**.example.com", true, "dns:a.b.example.com", false },
	{ "*", NULL, true, "ip:10.0.0.1", true },
	{ "*", NULL, true, "email:a@example.com", false },
	{ "*", NULL, true, "uri:https://example.com/", false },
};

static void test_allows(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_length(rules); i++) {
		auto_struct(profile) *profile = profile_of("test");
		struct profile_names *dns = &profile->names[IDENTIFIER_DNS];
		struct identifier name = make_identifier(rules[i].name);
		auto_value(problem) p = {0};

		strings_free(&dns->allow);
		assert_true(!rules[i].allow || strings_add(&dns->allow, rules[i].allow));
		assert_true(!rules[i].deny || strings_add(&dns->deny, rules[i].deny));
		profile->wildcards = rules[i].wildcards;
		assert_true(profile_settle(profile, &p));
		if (profile_allows(profile, NULL, &name, &p) != rules[i].want)
			fail_msg("row %zu: %s", i, rules[i].name);
		assert_true(rules[i].want || p.kind == PROBLEM_REJECTED_IDENTIFIER);
	}
}

enum { NOW = 1800000000, DAY = 86400, LIFE = 90 * DAY, MAX = 397 * DAY, EARLY = 60 };
static const struct {
	int64_t requested, not_before, not_after;
	int64_t want_from, want_to; /* 0: refused */
} periods[] = {
	{ NOW, 0, 0, NOW - EARLY, NOW - EARLY + LIFE - 1 },
	{ NOW - 7 * DAY, 0, 0, NOW - EARLY, NOW - EARLY + LIFE - 1 },
	{ NOW, NOW, 0, NOW, NOW + LIFE - 1 },
	{ NOW, NOW - EARLY, 0, NOW - EARLY, NOW - EARLY + LIFE - 1 },
	{ NOW, NOW - EARLY - 1, 0, 0, 0 },
	{ NOW - DAY, NOW - DAY, 0, NOW - DAY, NOW - DAY + LIFE - 1 }, /* asked when it was now */
	{ NOW, NOW + DAY, 0, NOW + DAY, NOW + DAY + LIFE - 1 },
	{ NOW, NOW + MAX - LIFE, 0, NOW + MAX - LIFE, NOW + MAX - 1 },
	{ NOW, NOW + MAX - LIFE + 1, 0, 0, 0 },
	{ NOW, 0, NOW + DAY, NOW - EARLY, NOW + DAY },
	{ NOW, 0, NOW, NOW - EARLY, NOW },
	{ NOW, 0, NOW - 1, 0, 0 },
	{ NOW, 0, NOW + MAX - 1, NOW, NOW + MAX - 1 }, /* begun later, to fit */
	{ NOW, 0, NOW + MAX - EARLY - 1, NOW - EARLY, NOW + MAX - EARLY - 1 },
	{ NOW, 0, NOW + MAX, NOW + 1, NOW + MAX }, /* cert-manager adds its duration to the time it has */
	{ NOW, 0, NOW + MAX + 1, 0, 0 },
	{ NOW, NOW, NOW + DAY, NOW, NOW + DAY },
	{ NOW, NOW + DAY, NOW + DAY, NOW + DAY, NOW + DAY },
	{ NOW, NOW + DAY, NOW + DAY - 1, 0, 0 },
	{ NOW, NOW - EARLY, NOW - EARLY + MAX - 1, NOW - EARLY, NOW - EARLY + MAX - 1 },
	{ NOW, NOW - EARLY, NOW - EARLY + MAX, 0, 0 },
	{ NOW - 400 * DAY, NOW - 400 * DAY, NOW + DAY, 0, 0 },
};

static void test_periods(void **state)
{
	auto_struct(profile) *profile = profile_of("test");

	(void)state;
	for (size_t i = 0; i < array_length(periods); i++) {
		int64_t from = 0, to = 0;
		auto_value(problem) p = {0};
		bool given = profile_period(profile, NOW, periods[i].requested, periods[i].not_before, periods[i].not_after, &from, &to, &p);

		if (from != periods[i].want_from || to != periods[i].want_to)
			fail_msg("row %zu: %lld to %lld (%s)", i, (long long)from - NOW, (long long)to - NOW, p.detail);
		assert_int_equal(given, periods[i].want_to != 0);
		assert_int_equal(p.kind, given ? PROBLEM_NONE : PROBLEM_MALFORMED);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_checks),
		cmocka_unit_test(test_set),
		cmocka_unit_test(test_same_name),
		cmocka_unit_test(test_allows),
		cmocka_unit_test(test_periods),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
