#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "acme/dns_setup.h"
#include "base/outbound.h"

/* Built when a test begins; freed when it ends. */
struct made {
	struct strings resolvers, hints, anchors, insecure, zone_resolvers;
	struct addr_list allow, deny;
	struct dns_zone zone;
	struct dns_options options;
	struct buf text;
	struct problem p;
};

static void made_free(struct made *m)
{
	struct strings *const lists[] = { &m->resolvers, &m->hints, &m->anchors, &m->insecure, &m->zone.resolvers };

	for (size_t i = 0; i < array_length(lists); i++)
		strings_free(lists[i]);
	free(m->zone.name);
	addr_list_free(&m->allow);
	addr_list_free(&m->deny);
	buf_free(&m->text);
	problem_done(&m->p);
}
declare_auto_value(made, made_free);

static void point(struct made *m)
{
	m->options = (struct dns_options){
		.resolvers = &m->resolvers, .root_hints = &m->hints, .trust_anchors = &m->anchors,
		.insecure_zones = &m->insecure, .allow = &m->allow, .deny = &m->deny,
	};
}

static bool write_text(struct made *m)
{
	buf_clear(&m->text);
	return dns_setup_text(&m->options, &m->text, &m->p);
}

static bool says(struct made *m, const char *line)
{
	auto_free char *want = mem_printf("\n%s\n", line);

	assert_true(write_text(m));
	return strstr(buf_text(&m->text), want) != NULL;
}

static bool denies(struct made *m, const char *net)
{
	auto_free char *line = mem_printf("\tdo-not-query-address: %s", net);

	return says(m, line);
}

/* What a zone's owner says of his name servers is held to what a name leads to. */
static void name_servers_are_judged_as_what_names_lead_to(void **state)
{
	auto_value(made) m = {0};
	const char *net;

	(void)state;
	point(&m);
	assert_true(strings_add(&m.hints, "builtin") && addr_list_add(&m.deny, "192.0.2.0/24", &m.p));
	for (size_t i = 0; (net = outbound_denied_net(i)); i++)
		if (!denies(&m, net))
			fail_msg("%s", net);
	assert_true(denies(&m, "127.0.0.0/8") && denies(&m, "::1/128") && denies(&m, "169.254.0.0/16"));
	assert_true(denies(&m, "fd20:ce::254/128") && denies(&m, "64:ff9b::/96") && denies(&m, "::ffff:0:0/96"));
	assert_true(denies(&m, "192.0.2.0/24"));
}

static void what_is_allowed_is_asked(void **state)
{
	static const struct {
		const char *allow, *asked;
	} rows[] = {
		{ "127.0.0.0/8", "127.0.0.0/8" }, { "127.0.0.53", "127.0.0.0/8" }, { "169.254.0.0/15", "169.254.0.0/16" },
		{ "::1", "::1/128" },
	};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		auto_value(made) m = {0};

		point(&m);
		assert_true(strings_add(&m.hints, "builtin") && addr_list_add(&m.allow, rows[i].allow, &m.p));
		assert_false(denies(&m, rows[i].asked));
		assert_true(denies(&m, "224.0.0.0/4"));
		assert_true(says(&m, "\tdo-not-query-localhost: no"));
	}
}

static void resolvers_that_are_named_may_be_anywhere(void **state)
{
	auto_value(made) m = {0};

	(void)state;
	point(&m);
	assert_true(strings_add(&m.resolvers, "127.0.0.1@5353") && addr_list_add(&m.deny, "192.0.2.0/24", &m.p));
	assert_false(denies(&m, "127.0.0.0/8"));
	assert_false(denies(&m, "192.0.2.0/24"));
	assert_true(says(&m, "\tdo-not-query-localhost: no"));
	assert_true(says(&m, "forward-zone:\n\tname: \".\"\n\tforward-addr: \"127.0.0.1@5353\""));
}

static void anchors_are_records_or_files(void **state)
{
	static const char ds[] = "example. IN DS 1 13 2 00", key[] = "example. IN DNSKEY 257 3 13 AA==";
	auto_value(made) m = {0};

	(void)state;
	point(&m);
	assert_true(says(&m, "\tmodule-config: \"iterator\""));
	assert_true(strings_add(&m.anchors, ds) && strings_add(&m.anchors, key) && strings_add(&m.anchors, "/etc/root.key"));
	assert_true(strings_add(&m.insecure, "lab.example"));
	assert_true(says(&m, "\tmodule-config: \"validator iterator\""));
	assert_true(says(&m, "\ttrust-anchor: \"example. IN DS 1 13 2 00\""));
	assert_true(says(&m, "\ttrust-anchor: \"example. IN DNSKEY 257 3 13 AA==\""));
	assert_true(says(&m, "\ttrust-anchor-file: \"/etc/root.key\""));
	assert_true(says(&m, "\tdomain-insecure: \"lab.example\""));
}

static void zones_are_asked_elsewhere(void **state)
{
	auto_value(made) m = {0};

	(void)state;
	point(&m);
	m.zone.name = strdup("corp.example");
	m.options.zones = &m.zone;
	m.options.zone_count = 1;
	assert_true(strings_add(&m.zone.resolvers, "10.0.0.53"));
	assert_true(says(&m, "forward-zone:\n\tname: \"corp.example\"\n\tforward-addr: \"10.0.0.53\""));
	assert_false(says(&m, "\tdomain-insecure: \"corp.example\""));
	m.zone.authoritative = m.zone.insecure = true;
	assert_true(says(&m, "stub-zone:\n\tname: \"corp.example\"\n\tstub-addr: \"10.0.0.53\""));
	assert_true(says(&m, "\tdomain-insecure: \"corp.example\""));
}

static void hints_are_files_beside_what_is_built_in(void **state)
{
	auto_value(made) m = {0};

	(void)state;
	point(&m);
	assert_true(dns_setup_is_system(&m.options));
	assert_true(strings_add(&m.hints, "builtin"));
	assert_false(dns_setup_is_system(&m.options));
	assert_null(strstr(write_text(&m) ? buf_text(&m.text) : "root-hints", "root-hints"));
	assert_true(strings_add(&m.hints, "/etc/root.hints"));
	assert_true(says(&m, "\troot-hints: \"/etc/root.hints\""));
	assert_true(says(&m, "\ttcp-upstream: no"));
	m.options.tcp = true;
	assert_true(says(&m, "\ttcp-upstream: yes"));
	strings_free(&m.hints);
	assert_true(strings_add(&m.resolvers, "192.0.2.53"));
	assert_false(dns_setup_is_system(&m.options));
}

/* The file has no escape, so a text cannot end its quotes, or its line. */
static void a_text_stays_within_its_quotes(void **state)
{
	static const char *const bad[] = { "192.0.2.53\"\n", "192.0.2.53\"", "192.0.2.53\n\tlogfile: /x", "\x7f" };

	(void)state;
	for (size_t i = 0; i < array_length(bad); i++)
		for (int which = 0; which < 4; which++) {
			auto_value(made) m = {0};
			struct strings *const lists[] = { &m.resolvers, &m.anchors, &m.insecure, &m.zone.resolvers };

			point(&m);
			m.zone.name = strdup("corp.example");
			m.options.zones = &m.zone;
			m.options.zone_count = 1;
			assert_true(strings_add(lists[which], bad[i]));
			assert_false(write_text(&m));
			assert_int_equal(m.p.kind, PROBLEM_MALFORMED);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(name_servers_are_judged_as_what_names_lead_to),
		cmocka_unit_test(what_is_allowed_is_asked),
		cmocka_unit_test(resolvers_that_are_named_may_be_anywhere),
		cmocka_unit_test(anchors_are_records_or_files),
		cmocka_unit_test(zones_are_asked_elsewhere),
		cmocka_unit_test(hints_are_files_beside_what_is_built_in),
		cmocka_unit_test(a_text_stays_within_its_quotes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
