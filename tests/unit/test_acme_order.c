#include "tests/unit/acme_world.h"

static void new_order(struct world *w, const char *payload, struct reply *ret)
{
	world_call(w, 0, acme_order_new, "", "", payload, ret);
}

static void shows_what_was_asked(void **state)
{
	struct world *w = *state;
	auto_value(reply) r = {0};
	char order[RANDOM_ID_SIZE];

	new_order(w,
	          "{\"identifiers\":[{\"type\":\"dns\",\"value\":\"WWW.Example\"},{\"type\":\"ip\",\"value\":\"127.0.0.1\"}],\"unknown\":{}}", &r);
	assert_done(&r, 201);
	id_in(reply_header(&r, "Location"), "order", order);
	assert_member(r.json, "status", "pending");
	assert_non_null(json_member_string(r.json, "expires"));
	assert_null(json_member(r.json, "error"));
	assert_null(json_member(r.json, "certificate"));
	assert_member(r.json, "profile", "default");
	assert_null(json_member(r.json, "notBefore"));
	const struct json *list = json_member(r.json, "identifiers");
	assert_int_equal(json_length(list), 2);
	assert_member(json_at(list, 0), "value", "WWW.Example"); /* as sent: clients compare text */
	assert_member(json_at(list, 1), "value", "127.0.0.1");
	assert_int_equal(json_length(json_member(r.json, "authorizations")), 2);
	assert_true(str_ends(json_member_string(r.json, "finalize"), "/finalize"));
	order_status_is(w, order, "pending");
}

static void judges_payloads(void **state)
{
	static const struct {
		const char *payload;
		enum problem_kind want;
		size_t want_subs;
	} rows[] = {
		{ "{}", PROBLEM_MALFORMED, 0 },
		{ "{\"identifiers\":[]}", PROBLEM_MALFORMED, 0 },
		{ "{\"identifiers\":{}}", PROBLEM_MALFORMED, 0 },
		{ "{\"identifiers\":\"a.example\"}", PROBLEM_MALFORMED, 0 },
		{ "{\"identifiers\":[\"a.example\"]}", PROBLEM_MALFORMED, 0 },
		{ "{\"identifiers\":[{\"type\":\"dns\"}]}", PROBLEM_MALFORMED, 0 },
		{ "{\"identifiers\":[{\"value\":\"a.example\"}]}", PROBLEM_MALFORMED, 0 },
		{ "{\"identifiers\":[{\"type\":\"dns\",\"value\":7}]}", PROBLEM_MALFORMED, 0 },
		{ "{\"identifiers\":[{\"type\":\"dns\",\"value\":\"a.elsewhere\"}]}",
		  PROBLEM_REJECTED_IDENTIFIER, 1 },
		{ "{\"identifiers\":[{\"type\":\"carrier-pigeon\",\"value\":\"a\"}]}",
		  PROBLEM_UNSUPPORTED_IDENTIFIER, 1 },
		{ "{\"identifiers\":[{\"type\":\"dns\",\"value\":\"a.example\"},{\"type\":\"dns\",\"value\":\"a.elsewhere\"},"
		  "{\"type\":\"dns\",\"value\":\"b.elsewhere\"}]}", PROBLEM_REJECTED_IDENTIFIER, 2 },
		{ "{\"identifiers\":[{\"type\":\"dns\",\"value\":\"a.elsewhere\"},{\"type\":\"x\",\"value\":\"b\"}]}", PROBLEM_COMPOUND, 2 },
		{ "{\"identifiers\":[{\"type\":\"dns\",\"value\":\"*.a.example\"}]}",
		  PROBLEM_REJECTED_IDENTIFIER, 1 },
		{ "{\"identifiers\":[{\"type\":\"dns\",\"value\":\"a.example\"}],\"profile\":\"none\"}",
		  PROBLEM_INVALID_PROFILE, 0 },
		{ "{\"identifiers\":[{\"type\":\"dns\",\"value\":\"a.example\"}],\"profile\":\"bound\"}",
		  PROBLEM_INVALID_PROFILE, 0 },
		{ "{\"identifiers\":[{\"type\":\"dns\",\"value\":\"a.example\"}],\"profile\":1}",
		  PROBLEM_MALFORMED, 0 },
		{ "{\"identifiers\":[{\"type\":\"dns\",\"value\":\"a.example\"}],\"notAfter\":\"tomorrow\"}",
		  PROBLEM_MALFORMED, 0 },
		{ "{\"identifiers\":[{\"type\":\"dns\",\"value\":\"a.example\"}],\"notAfter\":17}",
		  PROBLEM_MALFORMED, 0 },
		{ "{\"identifiers\":[{\"type\":\"dns\",\"value\":\"a.example\"}],\"notAfter\":\"2001-01-01T00:00:00Z\"}", PROBLEM_MALFORMED, 0 },
		{ "{\"identifiers\":[{\"type\":\"dns\",\"value\":\"a.example\"}],\"notAfter\":\"9999-01-01T00:00:00Z\"}", PROBLEM_MALFORMED, 0 },
		{ "{\"identifiers\":[{\"type\":\"dns\",\"value\":\"a.example\"}],\"notBefore\":\"2001-01-01T00:00:00Z\"}", PROBLEM_MALFORMED, 0 },
	};
	struct world *w = *state;

	for (size_t i = 0; i < array_length(rows); i++) {
		auto_value(reply) r = {0};

		new_order(w, rows[i].payload, &r);
		if (r.done || r.problem.kind != rows[i].want || r.problem.sub_count != rows[i].want_subs)
			fail_msg("%s: %s, %zu parts", rows[i].payload, problem_kind_name(r.problem.kind),
			         r.problem.sub_count);
	}
	auto_value(reply) list = {0};
	world_call(w, 0, acme_order_list, w->account_id[0], "", NULL, &list);
	assert_int_equal(json_length(json_member(list.json, "orders")), 0);
}

static void parts_name_what_was_sent(void **state)
{
	struct world *w = *state;
	auto_value(reply) r = {0};

	new_order(w, "{\"identifiers\":[{\"type\":\"dns\",\"value\":\"A.Elsewhere\"}]}", &r);
	assert_refused(&r, PROBLEM_REJECTED_IDENTIFIER);
	assert_string_equal(r.problem.subs[0].identifier_value, "A.Elsewhere");
}

static void doubles_are_dropped(void **state)
{
	struct world *w = *state;
	auto_value(reply) r = {0};

	new_order(w,
	          "{\"identifiers\":[{\"type\":\"dns\",\"value\":\"a.example\"},{\"type\":\"dns\",\"value\":\"A.EXAMPLE\"}]}", &r);
	assert_done(&r, 201);
	assert_int_equal(json_length(json_member(r.json, "identifiers")), 1);
	assert_int_equal(json_length(json_member(r.json, "authorizations")), 1);
}

static void times_are_echoed(void **state)
{
	struct world *w = *state;
	auto_value(reply) r = {0};
	auto_value(buf) payload = {0};
	char text[CLOCK_RFC3339_SIZE];

	clock_format(clock_now() + 10 * 86400, text);
	buf_printf(&payload,
	           "{\"identifiers\":[{\"type\":\"dns\",\"value\":\"a.example\"}],\"notAfter\":\"%s\",\"profile\":\"default\"}", text);
	new_order(w, buf_text(&payload), &r);
	assert_done(&r, 201);
	assert_member(r.json, "notAfter", text);
	assert_member(r.json, "profile", "default");
}

/* The profile of the tests, to be changed. */
static struct profile *profile_of(struct world *w)
{
	return (struct profile *)(uintptr_t)profiles_find(w->profiles, "default");
}

/* 7.4: refused with the order, and not when it is to be issued. */
static void no_certificate_outlives_the_ca(void **state)
{
	static const int64_t year = 365 * 86400;
	static const struct {
		int64_t life; /* the issuing CA lives for ten years */
		bool want;
	} rows[] = { { 9 * year, true }, { 11 * year, false } };
	struct world *w = *state;

	profile_of(w)->validity_max = 20 * year;
	for (size_t i = 0; i < array_length(rows); i++) {
		auto_value(reply) r = {0};
		auto_value(buf) payload = {0};
		char text[CLOCK_RFC3339_SIZE];

		clock_format(clock_now() + rows[i].life, text);
		buf_printf(&payload, "{\"identifiers\":[{\"type\":\"dns\",\"value\":\"a.example\"}],\"notAfter\":\"%s\"}", text);
		new_order(w, buf_text(&payload), &r);
		assert_int_equal(r.done, rows[i].want);
		assert_int_equal(r.problem.kind, rows[i].want ? PROBLEM_NONE : PROBLEM_MALFORMED);
	}
}

static void too_many_names(void **state)
{
	struct world *w = *state;

	for (int n = 100; n <= 101; n++) { /* the profile's bound, and one more */
		auto_value(reply) r = {0};
		auto_value(buf) payload = {0};

		buf_add_str(&payload, "{\"identifiers\":[");
		for (int i = 0; i < n; i++)
			buf_printf(&payload, "%s{\"type\":\"dns\",\"value\":\"n%d.example\"}", i ? "," : "", i);
		buf_add_str(&payload, "]}");
		new_order(w, buf_text(&payload), &r);
		if (n == 100) {
			assert_done(&r, 201);
			continue;
		}
		assert_refused(&r, PROBLEM_REJECTED_IDENTIFIER);
		assert_non_null(strstr(r.problem.detail, "101"));
	}
}

/* What is counted is what was sent: a list without end is not even looked at. */
static void a_list_of_names_has_a_bound(void **state)
{
	struct world *w = *state;

	for (int n = 1000; n <= 1001; n++) {
		auto_value(reply) r = {0};
		auto_value(buf) payload = {0};

		buf_add_str(&payload, "{\"identifiers\":[");
		for (int i = 0; i < n; i++)
			buf_printf(&payload, "%s{\"type\":\"dns\",\"value\":\"a.example\"}", i ? "," : "");
		buf_add_str(&payload, "]}");
		new_order(w, buf_text(&payload), &r);
		if (n == 1000) {
			assert_done(&r, 201);
			continue;
		}
		assert_refused(&r, PROBLEM_MALFORMED);
		assert_non_null(strstr(r.problem.detail, "1001 identifiers"));
	}
}

/* --- reuse */

static void a_valid_authorization_is_reused(void **state)
{
	struct world *w = *state;
	struct placed first = ready_order(w, "dns:a.example");
	struct placed second = place_order(w, 0, "dns:a.example");
	struct placed third = place_order(w, 0, "dns:a.example dns:b.example");

	assert_string_equal(second.authorization[0], first.authorization[0]);
	order_status_is(w, second.order, "ready");
	assert_string_equal(third.authorization[0], first.authorization[0]);
	order_status_is(w, third.order, "pending");
	/* Not by another account, and not for another name. */
	struct placed other = place_order(w, 1, "dns:a.example");
	assert_string_not_equal(other.authorization[0], first.authorization[0]);
}

static void one_that_is_not_valid_any_more_is_not(void **state)
{
	struct world *w = *state;
	struct placed first = ready_order(w, "dns:a.example");
	auto_value(reply) r = {0};

	clock_shift(86400 - 300); /* valid for five more minutes: too few */
	struct placed late = place_order(w, 0, "dns:a.example");
	assert_string_not_equal(late.authorization[0], first.authorization[0]);
	clock_shift(-(86400 - 300));
	world_call(w, 0, acme_authorization_post, first.authorization[0], "", "{\"status\":\"deactivated\"}",
	           &r);
	struct placed second = place_order(w, 0, "dns:a.example");
	assert_string_not_equal(second.authorization[0], first.authorization[0]);
	order_status_is(w, second.order, "pending");
	/* A pending one is not shared either. */
	struct placed third = place_order(w, 0, "dns:a.example");
	assert_string_not_equal(third.authorization[0], second.authorization[0]);
}

static void a_proof_that_the_profile_does_not_take_is_not_reused(void **state)
{
	struct world *w = *state;
	struct profile *profile = profile_of(w);
	struct placed first = ready_order(w, "dns:a.example");

	profile->require_dnssec = true; /* and the name server here signs nothing */
	struct placed second = place_order(w, 0, "dns:a.example");
	assert_string_not_equal(second.authorization[0], first.authorization[0]);
	profile->require_dnssec = false;
	assert_true(strings_add(&profile->acme.challenges, "dns-01"));
	auto_value(reply) r = {0};
	new_order(w, "{\"identifiers\":[{\"type\":\"dns\",\"value\":\"a.example\"}]}", &r);
	assert_refused(&r, PROBLEM_REJECTED_IDENTIFIER); /* nothing offered proves it, and the proof by http-01 does not count */
	strings_free(&profile->acme.challenges);
}

/* The order ends no later than what it rests on. */
static void a_reused_authorization_bounds_the_order(void **state)
{
	struct world *w = *state;
	auto_value(reply) r = {0};
	int64_t expires;

	ready_order(w, "dns:a.example");
	clock_shift(80000);
	new_order(w, "{\"identifiers\":[{\"type\":\"dns\",\"value\":\"a.example\"}]}", &r);
	assert_member(r.json, "status", "ready");
	assert_true(clock_parse(json_member_string(r.json, "expires"), &expires));
	assert_in_range(expires - clock_now(), 1, 86400 - 80000);
	clock_shift(-(80000));
}

/* --- limits */

static void limits(void **state)
{
	struct world *w = world_new();

	(void)state;
	w->options.orders_per_account = (struct acme_limit_options){ 3, 3600 };
	w->options.orders_per_name = (struct acme_limit_options){ 2, 3600 };
	world_open(w);
	place_order(w, 0, "dns:a.example");
	place_order(w, 0, "dns:A.example");
	auto_value(reply) name = {0};
	new_order(w, "{\"identifiers\":[{\"type\":\"dns\",\"value\":\"a.EXAMPLE\"}]}", &name);
	assert_refused(&name, PROBLEM_RATE_LIMITED);
	assert_true(name.problem.retry_after > 0);
	assert_non_null(strstr(name.problem.detail, "a.example"));
	auto_value(reply) account = {0};
	new_order(w, "{\"identifiers\":[{\"type\":\"dns\",\"value\":\"b.example\"}]}", &account);
	assert_refused(&account, PROBLEM_RATE_LIMITED);
	place_order(w, 1, "dns:b.example"); /* another account has its own */
	world_free(w);
}

static void pending_authorizations_are_bounded(void **state)
{
	struct world *w = world_new();
	auto_value(reply) r = {0};
	auto_value(reply) pre = {0};

	(void)state;
	w->options.pending_authorizations_max = 3;
	world_open(w);
	struct placed placed = place_order(w, 0, "dns:a.example dns:b.example");
	new_order(w,
	          "{\"identifiers\":[{\"type\":\"dns\",\"value\":\"c.example\"},{\"type\":\"dns\",\"value\":\"d.example\"}]}", &r);
	assert_refused(&r, PROBLEM_RATE_LIMITED);
	place_order(w, 0, "dns:c.example");
	world_call(w, 0, acme_authorization_new, "", "",
	           "{\"identifier\":{\"type\":\"dns\",\"value\":\"d.example\"}}", &pre);
	assert_refused(&pre, PROBLEM_RATE_LIMITED);
	/* What is settled counts no more. */
	auto_value(reply) answered = {0};
	answer_challenge(w, 0, placed.authorization[0], &answered);
	assert_member(answered.json, "status", "valid");
	place_order(w, 0, "dns:e.example");
	world_free(w);
}

/* They end with it, in one update. */
static void orders_of_one_authorization_are_bounded(void **state)
{
	struct world *w = world_new();
	auto_value(reply) r = {0};
	auto_value(reply) ended = {0};

	(void)state;
	w->options.orders_per_authorization_max = 3;
	world_open(w);
	struct placed placed = ready_order(w, "dns:a.example");
	place_order(w, 0, "dns:a.example");
	place_order(w, 0, "dns:a.example dns:b.example");
	new_order(w, "{\"identifiers\":[{\"type\":\"dns\",\"value\":\"a.example\"}]}", &r);
	assert_refused(&r, PROBLEM_RATE_LIMITED);
	assert_non_null(strstr(r.problem.detail, "3 orders for dns \"a.example\""));
	assert_true(r.problem.retry_after > 0);
	place_order(w, 0, "dns:b.example");
	world_call(w, 0, acme_authorization_post, placed.authorization[0], "", "{\"status\":\"deactivated\"}", &ended);
	assert_done(&ended, 200);
	place_order(w, 0, "dns:a.example");
	world_free(w);
}

/* --- the list, 7.1.2.1 */

static void the_list_has_pages(void **state)
{
	struct world *w = *state;
	char order[7][RANDOM_ID_SIZE];
	size_t seen = 0;
	char cursor[200] = "";

	for (int i = 0; i < 7; i++)
		memcpy(order[i], place_order(w, 0, "dns:a.example").order, RANDOM_ID_SIZE);
	place_order(w, 1, "dns:a.example");
	for (int page = 0; page < 3; page++) {
		auto_value(reply) r = {0};
		char query[256];

		snprintf(query, sizeof(query), "cursor=%s", cursor);
		world_call_query(w, 0, acme_order_list, w->account_id[0], "", NULL, cursor[0] ? query : "",
		                 &r);
		assert_done(&r, 200);
		const struct json *list = json_member(r.json, "orders");
		assert_int_equal(json_length(list), page < 2 ? 3 : 1);
		for (size_t i = 0; i < json_length(list); i++, seen++)
			for (int k = 0; k < 7; k++)
				if (strstr(json_string(json_at(list, i)), order[k]))
					order[k][0] = '#'; /* found, once */
		const char *link = reply_header(&r, "Link");
		assert_int_equal(link != NULL, page < 2);
		if (link) {
			assert_true(str_starts(link, "<https://ca.example/acme/default/x?cursor="));
			assert_true(str_ends(link, ">;rel=\"next\""));
			snprintf(cursor, sizeof(cursor), "%.*s", (int)strcspn(strchr(link, '=') + 1, ">"),
			         strchr(link, '=') + 1);
		}
	}
	assert_int_equal(seen, 7);
	for (int k = 0; k < 7; k++)
		assert_int_equal(order[k][0], '#');
}

static void the_list_is_ones_own_and_without_invalid_orders(void **state)
{
	struct world *w = *state;
	struct placed placed = place_order(w, 0, "dns:a.example");
	auto_value(reply) gone = {0};
	auto_value(reply) mine = {0};
	auto_value(reply) other = {0};
	auto_value(reply) cursor = {0};

	world_call(w, 0, acme_authorization_post, placed.authorization[0], "", "{\"status\":\"deactivated\"}",
	           &gone);
	world_call(w, 0, acme_order_list, w->account_id[0], "", NULL, &mine);
	assert_done(&mine, 200);
	assert_int_equal(json_length(json_member(mine.json, "orders")), 0);
	world_call(w, 0, acme_order_list, w->account_id[1], "", NULL, &other);
	assert_refused(&other, PROBLEM_UNAUTHORIZED);
	world_call_query(w, 0, acme_order_list, w->account_id[0], "", NULL, "cursor=%21%21", &cursor);
	assert_refused(&cursor, PROBLEM_MALFORMED);
}

static void an_order_is_shown_to_its_account_alone(void **state)
{
	struct world *w = *state;
	struct placed placed = place_order(w, 0, "dns:a.example");
	auto_value(reply) other = {0};
	auto_value(reply) none = {0};

	world_call(w, 1, acme_order_get, placed.order, "", NULL, &other);
	assert_refused(&other, PROBLEM_UNAUTHORIZED);
	world_call(w, 0, acme_order_get, "../etc", "", NULL, &none);
	assert_refused(&none, PROBLEM_NOT_FOUND);
}

int main(void)
{
#define test(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)
	const struct CMUnitTest tests[] = {
		test(shows_what_was_asked),
		test(judges_payloads),
		test(parts_name_what_was_sent),
		test(doubles_are_dropped),
		test(times_are_echoed),
		test(too_many_names),
		test(a_list_of_names_has_a_bound),
		test(a_valid_authorization_is_reused),
		test(one_that_is_not_valid_any_more_is_not),
		test(a_reused_authorization_bounds_the_order),
		test(a_proof_that_the_profile_does_not_take_is_not_reused),
		test(no_certificate_outlives_the_ca),
		cmocka_unit_test(limits),
		cmocka_unit_test(pending_authorizations_are_bounded),
		cmocka_unit_test(orders_of_one_authorization_are_bounded),
		test(the_list_has_pages),
		test(the_list_is_ones_own_and_without_invalid_orders),
		test(an_order_is_shown_to_its_account_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
