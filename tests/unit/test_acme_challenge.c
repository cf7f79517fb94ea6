#include <sys/resource.h>

#include "acme/probe.h"
#include "tests/unit/acme_world.h"

/* Challenges from the client's response to the result, over acme/challenge.c, probe.c and
 * probe_result.c, against a web server that answers right, wrong, late or never. */

static void read_challenge(struct world *w, const char *authorization, struct reply *ret)
{
	world_call(w, 0, acme_challenge_post, authorization, "http-01", NULL, ret);
}

static void challenge_status_is(struct world *w, const char *authorization, const char *want)
{
	auto_value(reply) r = {0};

	read_challenge(w, authorization, &r);
	assert_done(&r, 200);
	assert_member(r.json, "status", want);
}

/* Polls as a client does, half a minute at most. */
static void challenge_becomes(struct world *w, const char *authorization, const char *want)
{
	for (int i = 0; i < 1500; i++) {
		auto_value(reply) r = {0};

		read_challenge(w, authorization, &r);
		assert_done(&r, 200);
		if (str_equal(json_member_string(r.json, "status"), want))
			return;
		usleep(20 * 1000);
	}
	fail_msg("the challenge did not become %s", want);
}

static void probes_end(struct world *w)
{
	for (int i = 0; i < 1500 && probes_count(w->acme->probes) > 0; i++)
		usleep(20 * 1000);
	assert_int_equal(probes_count(w->acme->probes), 0);
}

static void is_valid_in_the_reply(void **state)
{
	struct world *w = *state;
	struct placed placed = place_order(w, 0, "dns:a.example");
	auto_value(reply) r = {0};
	auto_value(buf) want = {0};

	answer_challenge(w, 0, placed.authorization[0], &r);
	assert_done(&r, 200);
	assert_member(r.json, "status", "valid");
	assert_non_null(json_member_string(r.json, "validated"));
	buf_printf(&want, "<https://ca.example/acme/default/authz/%s>;rel=\"up\"", placed.authorization[0]);
	assert_string_equal(reply_header(&r, "Link"), buf_text(&want));
	assert_null(reply_header(&r, "Retry-After"));
	authorization_status_is(w, placed.authorization[0], "valid");
	order_status_is(w, placed.order, "ready");
}

static void reading_starts_nothing(void **state)
{
	struct world *w = *state;
	struct placed placed = place_order(w, 0, "dns:a.example");

	for (int i = 0; i < 5; i++)
		challenge_status_is(w, placed.authorization[0], "pending");
	usleep(100 * 1000);
	assert_int_equal(atomic_load(&w->web.requests), 0);
}

static void answering_again_changes_nothing(void **state)
{
	struct world *w = *state;
	struct placed placed = ready_order(w, "dns:a.example");
	unsigned requests = atomic_load(&w->web.requests);

	for (int i = 0; i < 3; i++) {
		auto_value(reply) r = {0};

		answer_challenge(w, 0, placed.authorization[0], &r);
		assert_done(&r, 200);
		assert_member(r.json, "status", "valid");
	}
	assert_int_equal(atomic_load(&w->web.requests), requests);
}

static void a_wrong_answer_ends_it_all_at_once(void **state)
{
	struct world *w = *state;
	struct placed placed = place_order(w, 0, "dns:a.example dns:b.example");
	auto_value(reply) r = {0};
	auto_value(reply) again = {0};
	auto_value(reply) order = {0};

	atomic_store(&w->mode, WEB_WRONG);
	answer_challenge(w, 0, placed.authorization[0], &r);
	assert_done(&r, 200);
	assert_member(r.json, "status", "invalid");
	const struct json *error = json_member(r.json, "error");
	assert_member(error, "type", "urn:ietf:params:acme:error:incorrectResponse");
	assert_non_null(strstr(json_member_string(error, "detail"), "http://a.example:"));
	assert_non_null(strstr(json_member_string(error, "detail"), "127.0.0.1"));
	authorization_status_is(w, placed.authorization[0], "invalid");
	authorization_status_is(w, placed.authorization[1], "pending");
	world_call(w, 0, acme_order_get, placed.order, "", NULL, &order);
	assert_member(order.json, "status", "invalid");
	assert_member(json_member(order.json, "error"), "type",
	              "urn:ietf:params:acme:error:incorrectResponse");
	/* Settled is settled, even when the answer would be right now. */
	atomic_store(&w->mode, WEB_RIGHT);
	answer_challenge(w, 0, placed.authorization[0], &again);
	assert_done(&again, 200);
	assert_member(again.json, "status", "invalid");
}

struct reading {
	const char *id;
	int64_t expires;
};

static bool read_expires(struct store_txn *txn, void *arg, struct problem *p)
{
	struct reading *r = arg;
	auto_value(authorization) a = {0};

	if (!store_authorization_get(txn, r->id, &a, p))
		return false;
	r->expires = a.expires;
	return true;
}

/* What was proven for as long as the profile says, what failed for as long as such things are kept. */
static void results_are_kept_for_their_time(void **state)
{
	struct world *w = *state;
	struct profile *profile = (struct profile *)(uintptr_t)profiles_find(w->profiles, "default");

	profile->authorization_lifetime = 30 * 86400;
	for (int proven = 0; proven < 2; proven++) {
		struct placed placed = place_order(w, 0, proven ? "dns:a.example" : "dns:b.example");
		struct reading r = { .id = placed.authorization[0] };
		int64_t want = clock_now() + (proven ? 30 * 86400 : 3600);
		auto_value(reply) reply = {0};

		atomic_store(&w->mode, proven ? WEB_RIGHT : WEB_WRONG);
		answer_challenge(w, 0, placed.authorization[0], &reply);
		assert_member(reply.json, "status", proven ? "valid" : "invalid");
		world_must(store_view(w->store, read_expires, &r, p));
		assert_in_range(r.expires, want, want + 60);
	}
}

/* A client may answer all that it is shown. */
static void another_challenge_of_what_is_proven_is_no_mistake(void **state)
{
	struct world *w = world_new();
	auto_value(reply) r = {0};

	(void)state;
	w->options.challenges = ACME_HTTP_01 | ACME_TLS_ALPN_01;
	world_open(w);
	struct placed placed = ready_order(w, "dns:a.example");
	world_call(w, 0, acme_challenge_post, placed.authorization[0], "tls-alpn-01", "{}", &r);
	assert_done(&r, 200);
	assert_member(r.json, "status", "pending");
	assert_int_equal(probes_count(w->acme->probes), 0);
	world_free(w);
}

static void what_takes_longer_is_processing(void **state)
{
	struct world *w = *state;
	struct placed placed = place_order(w, 0, "dns:a.example");
	auto_value(reply) r = {0};
	auto_value(reply) read = {0};
	auto_value(reply) authz = {0};
	int64_t began = clock_monotonic_ms();

	w->acme->options.challenge_wait_ms = 100;
	atomic_store(&w->mode, WEB_STALLED);
	answer_challenge(w, 0, placed.authorization[0], &r);
	assert_in_range(clock_monotonic_ms() - began, 90, 20000);
	assert_done(&r, 200);
	assert_member(r.json, "status", "processing");
	assert_in_range(atoi(reply_header(&r, "Retry-After")), 1, 60);
	read_challenge(w, placed.authorization[0], &read);
	assert_member(read.json, "status", "processing");
	world_call(w, 0, acme_authorization_post, placed.authorization[0], "", NULL, &authz);
	assert_member(authz.json, "status", "pending"); /* never processing: clients do not know it */
	assert_in_range(atoi(reply_header(&authz, "Retry-After")), 1, 60);
	atomic_store(&w->mode, WEB_RIGHT);
	challenge_becomes(w, placed.authorization[0], "valid");
	order_status_is(w, placed.order, "ready");
}

static void many_responses_are_one_probe(void **state)
{
	struct world *w = *state;
	struct placed placed = place_order(w, 0, "dns:a.example");

	w->acme->options.challenge_wait_ms = 50;
	atomic_store(&w->mode, WEB_STALLED);
	for (int i = 0; i < 5; i++) {
		auto_value(reply) r = {0};

		answer_challenge(w, 0, placed.authorization[0], &r);
		assert_member(r.json, "status", "processing");
	}
	atomic_store(&w->mode, WEB_RIGHT);
	challenge_becomes(w, placed.authorization[0], "valid");
	assert_int_equal(atomic_load(&w->web.requests), 1);
}

static void ended_authorizations_are_not_probed(void **state)
{
	struct world *w = *state;
	struct placed placed = place_order(w, 0, "dns:a.example");
	struct placed late = place_order(w, 0, "dns:b.example");
	auto_value(reply) gone = {0};
	auto_value(reply) r = {0};
	auto_value(reply) expired = {0};
	auto_value(reply) none = {0};

	world_call(w, 0, acme_authorization_post, placed.authorization[0], "", "{\"status\":\"deactivated\"}",
	           &gone);
	answer_challenge(w, 0, placed.authorization[0], &r);
	assert_refused(&r, PROBLEM_MALFORMED);
	clock_shift(50000);
	answer_challenge(w, 0, late.authorization[0], &expired);
	clock_shift(-50000);
	assert_refused(&expired, PROBLEM_MALFORMED);
	world_call(w, 0, acme_challenge_post, late.authorization[0], "dns-01", "{}", &none);
	assert_refused(&none, PROBLEM_NOT_FOUND);
	assert_int_equal(atomic_load(&w->web.requests), 0);
}

static void a_type_that_was_turned_off_proves_nothing(void **state)
{
	struct world *w = *state;
	struct placed placed = place_order(w, 0, "dns:a.example");
	auto_value(reply) r = {0};

	w->acme->options.challenges = ACME_DNS_01;
	answer_challenge(w, 0, placed.authorization[0], &r);
	assert_done(&r, 200);
	assert_member(r.json, "status", "invalid");
	assert_member(json_member(r.json, "error"), "type", "urn:ietf:params:acme:error:unauthorized");
	assert_int_equal(atomic_load(&w->web.requests), 0);
}

/* --- retries, 8.2 */

static void a_failed_try_is_told_and_tried_again(void **state)
{
	struct world *w = world_new();
	auto_value(reply) first = {0};
	auto_value(reply) soon = {0};
	auto_value(reply) again = {0};
	auto_value(reply) later = {0};

	(void)state;
	w->options.probe_attempts = 3;
	world_open(w);
	struct placed placed = place_order(w, 0, "dns:a.example");
	atomic_store(&w->mode, WEB_WRONG);
	answer_challenge(w, 0, placed.authorization[0], &first);
	assert_member(first.json, "status", "processing");
	assert_non_null(json_member_string(json_member(first.json, "error"), "detail"));
	assert_in_range(atoi(reply_header(&first, "Retry-After")), 4, 6);
	authorization_status_is(w, placed.authorization[0], "pending");
	order_status_is(w, placed.order, "pending");
	/* At once again is too soon; it does not run the tries out. */
	atomic_store(&w->mode, WEB_RIGHT);
	answer_challenge(w, 0, placed.authorization[0], &soon);
	assert_member(soon.json, "status", "processing");
	assert_int_equal(atomic_load(&w->web.requests), 1);
	/* A while later the client's response is a new try, before its own time. */
	usleep(2100 * 1000);
	atomic_store(&w->mode, WEB_WRONG);
	answer_challenge(w, 0, placed.authorization[0], &again);
	assert_member(again.json, "status", "processing");
	assert_in_range(atoi(reply_header(&again, "Retry-After")), 9, 11); /* twice as long as before */
	const struct json *error = json_member(again.json, "error"), *entries = json_member(error, "subproblems");
	assert_non_null(json_member_string(error, "detail"));
	assert_int_equal(json_length(entries), 2); /* 8.2: an entry for each try */
	for (size_t i = 0; i < 2; i++) {
		assert_member(json_at(entries, i), "type", "urn:ietf:params:acme:error:incorrectResponse");
		assert_non_null(strstr(json_member_string(json_at(entries, i), "detail"), "http://a.example:"));
	}
	atomic_store(&w->mode, WEB_RIGHT);
	usleep(2100 * 1000);
	answer_challenge(w, 0, placed.authorization[0], &later);
	assert_member(later.json, "status", "valid");
	assert_null(json_member(later.json, "error"));
	assert_int_equal(atomic_load(&w->web.requests), 3);
	order_status_is(w, placed.order, "ready");
	world_free(w);
}

/* No descriptor is left for as long: sockets are refused to us. */
static void answer_without_descriptors(struct world *w, const char *authorization, struct reply *ret)
{
	struct rlimit before, none;
	int next = dup(STDERR_FILENO);

	close(next);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = (struct rlimit){ .rlim_cur = (rlim_t)next, .rlim_max = before.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	answer_challenge(w, 0, authorization, ret);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
}

static void a_fault_of_ours_ends_no_challenge(void **state)
{
	struct world *w = *state; /* of one attempt */
	struct placed placed = place_order(w, 0, "dns:a.example");
	auto_value(reply) r = {0};

	answer_without_descriptors(w, placed.authorization[0], &r);
	assert_done(&r, 200);
	assert_member(r.json, "status", "processing");
	assert_member(json_member(r.json, "error"), "type", "urn:ietf:params:acme:error:serverInternal");
	assert_int_equal(atomic_load(&w->web.requests), 0);
	challenge_becomes(w, placed.authorization[0], "valid");
	order_status_is(w, placed.order, "ready");
}

/* --- what the store holds, and a restart */

static bool set_processing(struct store_txn *txn, void *arg, struct problem *p)
{
	auto_value(authorization) a = {0};

	if (!store_authorization_get(txn, arg, &a, p))
		return false;
	((struct challenge *)a.challenges.v)[0].status = CHALLENGE_PROCESSING;
	return store_authorization_put(txn, &a, p);
}

static void a_restart_probes_again_what_was_in_flight(void **state)
{
	struct world *w = *state;
	struct placed placed = place_order(w, 0, "dns:a.example");
	struct placed untouched = place_order(w, 0, "dns:b.example");

	world_must(store_update(w->store, set_processing, placed.authorization[0], p));
	acme_close(steal(w->acme));
	world_open(w);
	challenge_becomes(w, placed.authorization[0], "valid");
	order_status_is(w, placed.order, "ready");
	challenge_status_is(w, untouched.authorization[0], "pending");
	assert_int_equal(atomic_load(&w->web.requests), 1);
}

/* The store is read in pages, and the queue's bound is for what is new. */
static void a_restart_resumes_all_that_were_in_flight(void **state)
{
	enum { ORDERS = 6, NAMES = 100 }; /* 500 are a page */
	struct world *w = world_new();

	(void)state;
	w->options.pending_authorizations_max = 0;
	world_open(w);
	for (int o = 0; o < ORDERS; o++) {
		auto_value(buf) names = {0};
		auto_value(buf) payload = {0};
		auto_value(reply) r = {0};
		char id[RANDOM_ID_SIZE];

		for (int i = 0; i < NAMES; i++)
			buf_printf(&names, "%sdns:n%d-%d.example", i ? " " : "", o, i);
		names_payload(buf_text(&names), &payload);
		world_call(w, 0, acme_order_new, "", "", buf_text(&payload), &r);
		assert_done(&r, 201);
		for (int i = 0; i < NAMES; i++) {
			id_in(json_string(json_at(json_member(r.json, "authorizations"), (size_t)i)), "authz", id);
			world_must(store_update(w->store, set_processing, id, p));
		}
	}
	acme_close(steal(w->acme));
	atomic_store(&w->mode, WEB_STALLED);
	world_open(w);
	assert_int_equal(probes_count(w->acme->probes), ORDERS * NAMES);
	atomic_store(&w->mode, WEB_RIGHT);
	world_free(w);
}

/* The sweeper has not seen it yet; nobody is asked for its sake. */
static void what_has_expired_meanwhile_is_not_probed_after_a_restart(void **state)
{
	struct world *w = *state;
	struct placed placed = place_order(w, 0, "dns:a.example");

	world_must(store_update(w->store, set_processing, placed.authorization[0], p));
	acme_close(steal(w->acme));
	clock_shift(50000);
	world_open(w);
	probes_end(w);
	clock_shift(-50000);
	assert_int_equal(atomic_load(&w->web.requests), 0);
	challenge_status_is(w, placed.authorization[0], "processing");
}

static void closing_leaves_it_to_the_next_start(void **state)
{
	struct world *w = *state;
	struct placed placed = place_order(w, 0, "dns:a.example");
	auto_value(reply) r = {0};

	w->acme->options.probe_attempts = 3;
	atomic_store(&w->mode, WEB_WRONG);
	answer_challenge(w, 0, placed.authorization[0], &r);
	assert_member(r.json, "status", "processing");
	acme_close(steal(w->acme)); /* between two tries */
	atomic_store(&w->mode, WEB_RIGHT);
	world_open(w);
	challenge_becomes(w, placed.authorization[0], "valid");
}

/* --- the world changes while a probe runs */

static bool put_account(struct store_txn *txn, void *arg, struct problem *p)
{
	return store_account_put(txn, arg, p);
}

static void an_answer_for_a_former_key_does_not_count(void **state)
{
	struct world *w = *state;
	struct placed placed = place_order(w, 0, "dns:a.example");
	auto_value(reply) r = {0};

	w->acme->options.challenge_wait_ms = 100;
	atomic_store(&w->mode, WEB_STALLED);
	answer_challenge(w, 0, placed.authorization[0], &r);
	assert_member(r.json, "status", "processing");
	/* Key rollover; the web server goes on answering for the old key. */
	uint8_t new[32] = { 9 };
	w->account[0].thumbprint = BYTES(new, sizeof(new));
	world_must(store_update(w->store, put_account, &w->account[0], p));
	atomic_store(&w->mode, WEB_RIGHT);
	challenge_becomes(w, placed.authorization[0], "invalid");
	assert_int_equal(atomic_load(&w->web.requests), 2);
}

static void a_deactivated_account_gets_nothing(void **state)
{
	struct world *w = *state;
	struct placed placed = place_order(w, 0, "dns:a.example");
	auto_value(reply) r = {0};

	w->acme->options.challenge_wait_ms = 100;
	atomic_store(&w->mode, WEB_STALLED);
	answer_challenge(w, 0, placed.authorization[0], &r);
	w->account[0].status = ACCOUNT_DEACTIVATED;
	world_must(store_update(w->store, put_account, &w->account[0], p));
	atomic_store(&w->mode, WEB_RIGHT);
	probes_end(w);
	challenge_status_is(w, placed.authorization[0], "processing");
	order_status_is(w, placed.order, "pending");
}

static void a_deactivated_authorization_stays_so(void **state)
{
	struct world *w = *state;
	struct placed placed = place_order(w, 0, "dns:a.example");
	auto_value(reply) r = {0};
	auto_value(reply) gone = {0};

	w->acme->options.challenge_wait_ms = 100;
	atomic_store(&w->mode, WEB_STALLED);
	answer_challenge(w, 0, placed.authorization[0], &r);
	world_call(w, 0, acme_authorization_post, placed.authorization[0], "", "{\"status\":\"deactivated\"}",
	           &gone);
	atomic_store(&w->mode, WEB_RIGHT);
	probes_end(w);
	authorization_status_is(w, placed.authorization[0], "deactivated");
	order_status_is(w, placed.order, "invalid");
}

static void what_expires_during_its_probe_is_not_proven(void **state)
{
	struct world *w = *state;
	struct placed placed = place_order(w, 0, "dns:a.example");
	auto_value(reply) r = {0};

	w->acme->options.challenge_wait_ms = 100;
	atomic_store(&w->mode, WEB_STALLED);
	answer_challenge(w, 0, placed.authorization[0], &r);
	assert_member(r.json, "status", "processing");
	clock_shift(50000);
	atomic_store(&w->mode, WEB_RIGHT);
	probes_end(w);
	clock_shift(-50000);
	assert_int_equal(atomic_load(&w->web.requests), 1);
	challenge_status_is(w, placed.authorization[0], "processing");
	order_status_is(w, placed.order, "pending");
}

/* --- the queue */

static void a_full_queue_is_503(void **state)
{
	struct world *w = world_new();
	auto_value(reply) full = {0};

	(void)state;
	w->options.probe_queue = 12; /* three for one account */
	w->options.challenge_wait_ms = 10;
	world_open(w);
	atomic_store(&w->mode, WEB_STALLED);
	struct placed placed = place_order(w, 0, "dns:a.example dns:b.example dns:c.example dns:d.example");
	for (int i = 0; i < 3; i++) {
		auto_value(reply) r = {0};

		answer_challenge(w, 0, placed.authorization[i], &r);
		assert_done(&r, 200);
		assert_member(r.json, "status", "processing");
	}
	answer_challenge(w, 0, placed.authorization[3], &full);
	assert_refused(&full, PROBLEM_UNAVAILABLE);
	assert_int_equal(problem_status(&full.problem), 503);
	assert_true(full.problem.retry_after > 0);
	challenge_status_is(w, placed.authorization[3], "pending");
	atomic_store(&w->mode, WEB_RIGHT);
	world_free(w);
}

static void hosts_that_never_answer_leave_room_for_others(void **state)
{
	struct world *w = *state;
	struct placed slow = place_order(w, 0,
	                                 "dns:a.example dns:b.example dns:c.example dns:d.example dns:e.example dns:f.example");
	struct placed quick = place_order(w, 1, "ip:127.0.0.9");
	auto_value(reply) r = {0};

	w->acme->options.challenge_wait_ms = 10;
	atomic_store(&w->mode, WEB_STALLED);
	for (int i = 0; i < 6; i++) { /* more than there are threads */
		auto_value(reply) stalled = {0};

		answer_challenge(w, 0, slow.authorization[i], &stalled);
		assert_done(&stalled, 200);
	}
	/* Nobody listens there: refused at once, if a thread is left for it. */
	w->acme->options.challenge_wait_ms = 20000;
	answer_challenge(w, 1, quick.authorization[0], &r);
	assert_done(&r, 200);
	assert_member(r.json, "status", "invalid");
	atomic_store(&w->mode, WEB_RIGHT);
	for (int i = 0; i < 6; i++)
		challenge_becomes(w, slow.authorization[i], "valid");
}

int main(void)
{
#define test(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)
	const struct CMUnitTest tests[] = {
		test(is_valid_in_the_reply),
		test(reading_starts_nothing),
		test(answering_again_changes_nothing),
		test(a_wrong_answer_ends_it_all_at_once),
		test(results_are_kept_for_their_time),
		cmocka_unit_test(another_challenge_of_what_is_proven_is_no_mistake),
		test(what_takes_longer_is_processing),
		test(many_responses_are_one_probe),
		test(ended_authorizations_are_not_probed),
		test(a_type_that_was_turned_off_proves_nothing),
		cmocka_unit_test(a_failed_try_is_told_and_tried_again),
		test(a_fault_of_ours_ends_no_challenge),
		test(a_restart_probes_again_what_was_in_flight),
		cmocka_unit_test(a_restart_resumes_all_that_were_in_flight),
		test(what_has_expired_meanwhile_is_not_probed_after_a_restart),
		test(closing_leaves_it_to_the_next_start),
		test(an_answer_for_a_former_key_does_not_count),
		test(a_deactivated_account_gets_nothing),
		test(a_deactivated_authorization_stays_so),
		test(what_expires_during_its_probe_is_not_proven),
		cmocka_unit_test(a_full_queue_is_503),
		test(hosts_that_never_answer_leave_room_for_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
