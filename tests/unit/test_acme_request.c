#include "acme/request.h"
#include "acme/sweep.h"
#include "policy/consent.h"
#include "tests/unit/acme_world.h"

static const struct strings anybody;

static void guard(struct world *w, unsigned approvals)
{
	struct profile *profile = (struct profile *)(uintptr_t)profiles_find(w->profiles, "default");

	profile->approvals = approvals;
	profile->approval_lifetime = 200000; /* longer than an order lives, and than its proofs */
}

struct looking {
	const char *order;
	struct request request;
};
static bool look(struct store_txn *txn, void *arg, struct problem *p)
{
	struct looking *l = arg;

	return store_request_by_order(txn, l->order, &l->request, p);
}

static void request_is(struct world *w, const char *order, const char *want)
{
	struct looking l = { .order = order };

	world_must(store_view(w->store, look, &l, p));
	assert_string_equal(request_state_name(l.request.state), want);
	request_free(&l.request);
}

static bool approve(struct store_txn *txn, void *arg, struct problem *p)
{
	auto_value(consent_room) room = {0};
	const struct consent consent = { .by = "ada", .approvers = &anybody, .now = clock_now() };
	struct looking l = { .order = arg };

	bool done = store_request_by_order(txn, arg, &l.request, p) && consent_approve(&l.request, &consent, &room, p) &&
	            store_request_put(txn, &l.request, p);
	request_free(&l.request);
	return done;
}

static void finalize(struct world *w, const struct placed *placed, struct reply *r)
{
	auto_value(buf) csr = {0};

	csr_payload("dns:a.example", &csr);
	world_call(w, 0, acme_order_finalize, placed->order, "finalize", buf_text(&csr), r);
}

/* The order, and what it rests on, live as long as the request may wait. */
static void an_approval_after_the_orders_own_life(void **state)
{
	struct world *w = *state;
	auto_value(reply) r = {0};
	struct placed placed = ready_order(w, "dns:a.example");
	bool more;

	guard(w, 1);
	finalize(w, &placed, &r);
	assert_string_equal(json_member_string(r.json, "status"), "processing");
	assert_string_equal(reply_header(&r, "Retry-After"), "30");
	clock_shift(150000);
	world_must(acme_sweep_once(w->acme, &more, p));
	order_status_is(w, placed.order, "processing");
	world_must(acme_requests_once(w->acme, p));
	request_is(w, placed.order, "pending");
	world_must(store_update(w->store, approve, placed.order, p));
	world_must(acme_requests_once(w->acme, p));
	request_is(w, placed.order, "issued");
	order_status_is(w, placed.order, "valid");
	clock_shift(-150000);
}

static void nobody_approves_in_time(void **state)
{
	struct world *w = *state;
	auto_value(reply) r = {0};
	struct placed placed = ready_order(w, "dns:a.example");
	struct looking l = { .order = placed.order };
	auto_value(problem) why = {0};
	bool more;

	guard(w, 2);
	finalize(w, &placed, &r);
	world_must(store_update(w->store, approve, placed.order, p)); /* one of two */
	clock_shift(200001);
	world_must(acme_sweep_once(w->acme, &more, p));
	request_is(w, placed.order, "expired");
	order_status_is(w, placed.order, "invalid");
	world_must(acme_requests_once(w->acme, p));
	clock_shift(3700);
	world_must(acme_sweep_once(w->acme, &more, p));
	assert_false(store_view(w->store, look, &l, &why));
	assert_int_equal(why.kind, PROBLEM_NOT_FOUND);
	clock_shift(-203701);
}

/* What the profile asks for today counts, and not what it asked for then. */
static void more_approvals_are_demanded_meanwhile(void **state)
{
	struct world *w = *state;
	auto_value(reply) r = {0};
	struct placed placed = ready_order(w, "dns:a.example");

	guard(w, 1);
	finalize(w, &placed, &r);
	guard(w, 2);
	world_must(store_update(w->store, approve, placed.order, p));
	world_must(acme_requests_once(w->acme, p));
	request_is(w, placed.order, "failed");
	order_status_is(w, placed.order, "invalid");
}

int main(void)
{
#define test(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)
	const struct CMUnitTest tests[] = {
		test(an_approval_after_the_orders_own_life),
		test(nobody_approves_in_time),
		test(more_approvals_are_demanded_meanwhile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
