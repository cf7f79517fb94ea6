#include "est/label.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const struct {
	const char *name;
	bool want;
} names[] = {
	{ "", true }, { "a", true }, { "A-1_.~", true }, { "a/b", true }, { "a/b/c", true }, { "cacerts2", true },
	{ "a/b/c/d", false }, { "/", false }, { "a/", false }, { "/a", false }, { "a//b", false }, { "..", false }, { "a/../b", false },
	{ "a b", false }, { "a%20", false }, { "cacerts", false }, { "a/simpleenroll", false }, { "csrattrs/a", false }, { "serverkeygen", false },
	{ "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", true },
	{ "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false },
};

static void test_names(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_length(names); i++) {
		auto_value(problem) p = {0};
		if (label_check(names[i].name, &p) != names[i].want)
			fail_msg("%s", names[i].name);
		assert_true(names[i].want || p.kind == PROBLEM_MALFORMED);
	}
}

static struct profiles *make_profiles(void)
{
	static const unsigned methods[] = { PROFILE_EST, PROFILE_EST | PROFILE_ACME, PROFILE_ACME };
	static const char *const profile_names[] = { "one", "two", "web" };
	struct profile *list[3];
	struct profiles *profiles;
	auto_value(problem) p = {0};

	for (size_t i = 0; i < 3; i++) {
		assert_true(profile_new(profile_names[i], &list[i], &p));
		list[i]->methods = methods[i];
	}
	assert_true(profiles_new(list, 3, "two", NULL, &profiles, &p));
	return profiles;
}

static const char *profile_of(const struct labels *labels, const char *name)
{
	const struct label *label = labels_find(labels, name);

	return label ? label->profile : "";
}

static void test_labels(void **state)
{
	char line_1[] = "line/1", line_2[] = "line/2", one[] = "one", two[] = "two", web[] = "web", cacerts[] = "cacerts";
	struct label list[] = {
		{ .name = line_1, .profile = one, .wrap = LABEL_WRAP_NEVER }, { .name = line_2, .profile = one },
		{ .name = two, .profile = one },
	};
	struct labels_options options = { list, array_length(list), true };
	auto_struct(profiles) *profiles = make_profiles();
	auto_struct(labels) *labels = NULL, *few = NULL, *none = NULL;
	auto_value(problem) p = {0};

	(void)state;
	assert_true(labels_new(&options, profiles, &labels, &p));
	assert_string_equal(profile_of(labels, ""), "two");
	assert_string_equal(profile_of(labels, "line/1"), "one");
	assert_int_equal(labels_find(labels, "line/1")->wrap, LABEL_WRAP_NEVER);
	assert_string_equal(profile_of(labels, "line/2"), "one");
	assert_string_equal(profile_of(labels, "one"), "one");
	assert_string_equal(profile_of(labels, "two"), "one"); /* the list's word counts */
	assert_null(labels_find(labels, "web"));
	assert_null(labels_find(labels, "line"));
	options.profiles = false;
	assert_true(labels_new(&options, profiles, &few, &p));
	assert_null(labels_find(few, "one"));
	assert_string_equal(profile_of(few, ""), "two");
	for (size_t i = 0; i < 3; i++) {
		const struct label bad[] = {
			{ .name = line_1, .profile = one }, { .name = line_2, .profile = web }, { .name = cacerts, .profile = one },
		};
		struct label wrong[] = { list[0], bad[i] };
		const struct labels_options refused = { wrong, 2, true };
		auto_value(problem) why = {0};
		assert_false(labels_new(&refused, profiles, &none, &why));
		assert_int_equal(why.kind, PROBLEM_MALFORMED);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_names), cmocka_unit_test(test_labels) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
