#include "tests/unit/acme_world.h"

/* The arrows as RFC 8555, 7.1.6 draws them, one text a figure: "from event to". */
static const char *const order_figure[] = {
	"pending AUTHORIZED ready", "pending FAILED invalid", "ready FINALIZED processing",
	        "ready FAILED invalid",
	"processing ISSUED valid", "processing FAILED invalid",
	"valid CANCEL canceled", /* RFC 8739, 3.1.2 */
	NULL,
};
static const char *const authorization_figure[] = {
	"pending FAILED invalid", "pending PROVED valid", "pending EXPIRE expired", "valid REVOKE revoked",
	"valid DEACTIVATE deactivated", "valid EXPIRE expired",
	"pending DEACTIVATE deactivated", /* 7.5.2, not in the figure */
	NULL,
};
static const char *const challenge_figure[] = {
	"pending RESPONSE processing", "processing RETRY processing", "processing RESPONSE processing",
	"processing PROVED valid", "processing FAILED invalid", NULL,
};

static const char *const order_events[] = { "AUTHORIZED", "FINALIZED", "ISSUED", "CANCEL", "FAILED" };
static const char *const authorization_events[] = { "PROVED", "FAILED", "DEACTIVATE", "REVOKE", "EXPIRE" };
static const char *const challenge_events[] = { "RESPONSE", "RETRY", "PROVED", "FAILED" };
_Static_assert(array_length(order_events) == ORDER_EVENT_MAX, "all of them");
_Static_assert(array_length(authorization_events) == AUTHORIZATION_EVENT_MAX, "all of them");
_Static_assert(array_length(challenge_events) == CHALLENGE_EVENT_MAX, "all of them");

static void check(const char *const *figure, const char *from, const char *event, bool moved, const char *to)
{
	char head[64], whole[96];

	snprintf(head, sizeof(head), "%s %s ", from, event);
	snprintf(whole, sizeof(whole), "%s%s", head, to);
	for (; *figure; figure++) {
		if (!str_starts(*figure, head))
			continue;
		if (!moved || !str_equal(*figure, whole))
			fail_msg("wanted \"%s\", got \"%s\" (%d)", *figure, whole, moved);
		return;
	}
	if (moved || !str_equal(from, to))
		fail_msg("\"%s\" is in no figure", whole);
}

static void every_pair_is_as_drawn(void **state)
{
	(void)state;
	for (int from = ORDER_PENDING; from <= ORDER_CANCELED; from++) {
		for (int event = 0; event < ORDER_EVENT_MAX; event++) {
			enum order_status s = (enum order_status)from;
			bool moved = order_step(&s, (enum order_event)event);
			check(order_figure, order_status_name((enum order_status)from), order_events[event],
			      moved, order_status_name(s));
		}
	}
	for (int from = AUTHORIZATION_PENDING; from <= AUTHORIZATION_REVOKED; from++) {
		for (int event = 0; event < AUTHORIZATION_EVENT_MAX; event++) {
			enum authorization_status s = (enum authorization_status)from;
			bool moved = authorization_step(&s, (enum authorization_event)event);
			check(authorization_figure,
			      authorization_status_name((enum authorization_status)from),
			      authorization_events[event], moved, authorization_status_name(s));
		}
	}
	for (int from = CHALLENGE_PENDING; from <= CHALLENGE_INVALID; from++) {
		for (int event = 0; event < CHALLENGE_EVENT_MAX; event++) {
			enum challenge_status s = (enum challenge_status)from;
			bool moved = challenge_step(&s, (enum challenge_event)event);
			check(challenge_figure, challenge_status_name((enum challenge_status)from),
			      challenge_events[event],
			      moved, challenge_status_name(s));
		}
	}
}

/* --- what follows from an event, in the store */

struct applying {
	const char *id;
	enum authorization_event event;
	struct state_change change;
};

static bool apply(struct store_txn *txn, void *arg, struct problem *p)
{
	struct applying *a = arg;
	auto_value(authorization) record = {0};

	return store_authorization_get(txn, a->id, &record, p) &&
	       authorization_apply(txn, &record, a->event, &a->change, p);
}

static void event(struct world *w, const char *id, enum authorization_event event)
{
	int64_t now = clock_now();
	struct applying a = { id, event, { .now = now, .keep_until = event == AUTHORIZATION_PROVED
	                                   ? 0 : now + 50,
	                                   .valid_until = now + 100, .error = "{\"detail\":\"why\"}" } };

	world_must(store_update(w->store, apply, &a, p));
}

static void orders_follow_their_authorizations(void **state)
{
	struct world *w = *state;
	struct placed both = place_order(w, 0, "dns:a.example dns:b.example");

	order_status_is(w, both.order, "pending");
	event(w, both.authorization[0], AUTHORIZATION_PROVED);
	order_status_is(w, both.order, "pending");
	event(w, both.authorization[1], AUTHORIZATION_PROVED);
	order_status_is(w, both.order, "ready");
}

static void any_end_of_an_authorization_ends_the_order(void **state)
{
	static const struct {
		bool proven;
		enum authorization_event event;
		const char *want;
	} rows[] = {
		{ false, AUTHORIZATION_FAILED, "invalid" },
		{ false, AUTHORIZATION_EXPIRE, "expired" },
		{ false, AUTHORIZATION_DEACTIVATE, "deactivated" },
		{ true, AUTHORIZATION_EXPIRE, "expired" },
		{ true, AUTHORIZATION_DEACTIVATE, "deactivated" },
		{ true, AUTHORIZATION_REVOKE, "revoked" },
	};
	struct world *w = *state;

	for (size_t i = 0; i < array_length(rows); i++) {
		char names[64];

		snprintf(names, sizeof(names), "dns:n%zu.example dns:o%zu.example", i, i);
		struct placed placed = place_order(w, 0, names);
		if (rows[i].proven) {
			event(w, placed.authorization[0], AUTHORIZATION_PROVED);
			event(w, placed.authorization[1], AUTHORIZATION_PROVED);
			order_status_is(w, placed.order, "ready");
		}
		event(w, placed.authorization[1], rows[i].event);
		authorization_status_is(w, placed.authorization[1], rows[i].want);
		order_status_is(w, placed.order, "invalid");
		/* And nothing brings it back. */
		event(w, placed.authorization[0], AUTHORIZATION_PROVED);
		order_status_is(w, placed.order, "invalid");
	}
}

struct reading {
	const char *order, *authorization;
	int64_t order_expires, authorization_expires;
	int64_t until;
};

static bool read_expires(struct store_txn *txn, void *arg, struct problem *p)
{
	struct reading *r = arg;
	auto_value(order) order = {0};
	auto_value(authorization) a = {0};

	if (!store_order_get(txn, r->order, &order, p) || !store_authorization_get(txn, r->authorization, &a,
	                                                                           p))
		return false;
	r->order_expires = order.expires;
	r->authorization_expires = a.expires;
	return true;
}

/* The order is a promise until it expires (7.4): what it rests on lasts as long. */
static void a_proven_authorization_outlasts_its_order(void **state)
{
	struct world *w = *state;
	struct placed placed = place_order(w, 0, "dns:a.example");
	struct reading r = { .order = placed.order, .authorization = placed.authorization[0] };

	event(w, placed.authorization[0], AUTHORIZATION_PROVED); /* for 100 seconds, said the change */
	world_must(store_view(w->store, read_expires, &r, p));
	assert_true(r.authorization_expires >= r.order_expires);
	assert_true(r.order_expires >= clock_now() + 80000);
}

static bool outlast(struct store_txn *txn, void *arg, struct problem *p)
{
	const struct reading *r = arg;
	auto_value(order) order = {0};

	return store_order_get(txn, r->order, &order, p) && authorizations_outlast(txn, &order, r->until, p);
}

static void proved_until(struct world *w, const char *id, int64_t ends)
{
	int64_t now = clock_now();
	struct applying a = {
		id, AUTHORIZATION_PROVED, { .now = now, .valid_until = now + 100, .ends = ends, .error = "{}" },
	};

	world_must(store_update(w->store, apply, &a, p));
}

/* persistUntil (draft-ietf-acme-dns-persist-02, 4.1): nothing is issued on the proof after it, so an order that rests on
 * it promises nothing after it. */
static void a_proof_that_ends_ends_what_rests_on_it(void **state)
{
	struct world *w = *state;
	struct placed placed = place_order(w, 0, "dns:a.example dns:b.example");
	int64_t ends = clock_now() + 5000;
	struct reading r = { .order = placed.order, .authorization = placed.authorization[0] };

	proved_until(w, placed.authorization[0], ends);
	order_status_is(w, placed.order, "pending");
	world_must(store_view(w->store, read_expires, &r, p));
	assert_int_equal(r.authorization_expires, ends);
	assert_int_equal(r.order_expires, ends);
	proved_until(w, placed.authorization[1], ends + 100); /* the earlier one counts */
	order_status_is(w, placed.order, "ready");
	world_must(store_view(w->store, read_expires, &r, p));
	assert_int_equal(r.order_expires, ends);
	clock_shift(5001);
	order_status_is(w, placed.order, "invalid");
	clock_shift(-5001);
}

static void nothing_outlasts_the_end_of_its_proof(void **state)
{
	struct world *w = *state;
	struct placed placed = place_order(w, 0, "dns:a.example dns:b.example");
	int64_t ends = clock_now() + 200000;
	struct reading r = { .order = placed.order, .authorization = placed.authorization[0], .until = ends - 1000 };

	proved_until(w, placed.authorization[0], ends);
	proved_until(w, placed.authorization[1], 0);
	world_must(store_update(w->store, outlast, &r, p));
	world_must(store_view(w->store, read_expires, &r, p));
	assert_int_equal(r.authorization_expires, ends - 1000);
	r.until = ends + 1000;
	for (int i = 0; i < 2; i++) {
		world_must(store_update(w->store, outlast, &r, p));
		world_must(store_view(w->store, read_expires, &r, p));
		assert_int_equal(r.authorization_expires, i ? r.until : ends);
		r.authorization = placed.authorization[1];
	}
}

static void time_ends_what_is_stored_as_open(void **state)
{
	struct world *w = *state;
	struct placed placed = place_order(w, 0, "dns:a.example");

	clock_shift(43200 + 1); /* authorization_pending_lifetime: the order itself has time left */
	authorization_status_is(w, placed.authorization[0], "expired");
	order_status_is(w, placed.order, "invalid");
	clock_shift(-(43200 + 1));
	order_status_is(w, placed.order, "pending");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_pair_is_as_drawn),
		cmocka_unit_test_setup_teardown(orders_follow_their_authorizations, world_setup,
		                                world_teardown),
		cmocka_unit_test_setup_teardown(any_end_of_an_authorization_ends_the_order, world_setup,
		                                world_teardown),
		cmocka_unit_test_setup_teardown(a_proven_authorization_outlasts_its_order, world_setup,
		                                world_teardown),
		cmocka_unit_test_setup_teardown(a_proof_that_ends_ends_what_rests_on_it, world_setup,
		                                world_teardown),
		cmocka_unit_test_setup_teardown(nothing_outlasts_the_end_of_its_proof, world_setup,
		                                world_teardown),
		cmocka_unit_test_setup_teardown(time_ends_what_is_stored_as_open, world_setup,
		                                world_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
