#include "acme/sweep.h"
#include "store/kv.h"
#include "store/table.h"
#include "tests/unit/acme_world.h"

static void sweep(struct world *w)
{
	bool more = true;

	while (more)
		world_must(acme_sweep_once(w->acme, &more, p));
}

static void is_gone(struct world *w, acme_action *action, const char *id)
{
	auto_value(reply) r = {0};

	world_call(w, 0, action, id, "", NULL, &r);
	assert_refused(&r, PROBLEM_NOT_FOUND);
}

/* order_lifetime 86400, authorization_pending_lifetime 43200, retention 3600 (acme_world.h) */
static void what_time_ended_is_kept_and_then_removed(void **state)
{
	struct world *w = *state;
	struct placed placed = place_order(w, 0, "dns:a.example");

	sweep(w);
	order_status_is(w, placed.order, "pending");
	clock_shift(43201);
	sweep(w);
	authorization_status_is(w, placed.authorization[0], "expired");
	order_status_is(w, placed.order, "invalid");
	clock_shift(3000);
	sweep(w);
	order_status_is(w, placed.order, "invalid");
	clock_shift(1000);
	sweep(w);
	is_gone(w, acme_order_get, placed.order);
	is_gone(w, acme_authorization_post, placed.authorization[0]);
	clock_shift(-47201);
}

static void a_valid_order_is_kept_for_the_retention(void **state)
{
	struct world *w = *state;
	auto_value(buf) csr = {0};
	auto_value(reply) r = {0};
	auto_value(reply) pem = {0};
	char certificate[RANDOM_ID_SIZE];
	struct placed placed = ready_order(w, "dns:a.example");

	csr_payload("dns:a.example", &csr);
	world_call(w, 0, acme_order_finalize, placed.order, "finalize", buf_text(&csr), &r);
	id_in(json_member_string(r.json, "certificate"), "certificate", certificate);
	clock_shift(3500);
	sweep(w);
	order_status_is(w, placed.order, "valid");
	clock_shift(200);
	sweep(w);
	is_gone(w, acme_order_get, placed.order);
	authorization_status_is(w, placed.authorization[0], "valid"); /* for reuse */
	world_call(w, 0, acme_certificate_get, certificate, "", NULL, &pem); /* the ledger forgets nothing */
	assert_done(&pem, 200);
	clock_shift(90000);
	sweep(w);
	authorization_status_is(w, placed.authorization[0], "expired");
	clock_shift(4000);
	sweep(w);
	is_gone(w, acme_authorization_post, placed.authorization[0]);
	clock_shift(-97700);
}

static void many_are_swept_in_batches(void **state)
{
	struct world *w = *state;
	struct placed last = {0};
	bool more;

	w->acme->options.pending_authorizations_max = 0;
	for (int i = 0; i < 150; i++)
		last = place_order(w, 0, "dns:a.example");
	clock_shift(90000);
	world_must(acme_sweep_once(w->acme, &more, p)); /* 300 are due */
	assert_true(more);
	sweep(w);
	order_status_is(w, last.order, "invalid");
	world_must(acme_sweep_once(w->acme, &more, p));
	assert_false(more);
	clock_shift(-90000);
}

static bool spoil(struct store_txn *txn, void *id, struct problem *p)
{
	struct key key;

	key_begin(&key, KEY_ORDER);
	assert_true(key_add_id(&key, id));
	kv_put(txn->kv, key_bytes(&key), BYTES("no order", 8));
	return kv_check(txn->kv, p);
}

/* What cannot be read stays where it is, and holds up nothing else. */
static void a_damaged_order_does_not_end_the_sweep(void **state)
{
	struct world *w = *state;
	struct placed damaged = place_order(w, 0, "dns:a.example"), sound = place_order(w, 0, "dns:b.example");

	world_must(store_update(w->store, spoil, damaged.order, p));
	clock_shift(90000);
	sweep(w);
	order_status_is(w, sound.order, "invalid");
	authorization_status_is(w, sound.authorization[0], "expired");
	clock_shift(-90000);
}

int main(void)
{
#define test(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)
	const struct CMUnitTest tests[] = {
		test(what_time_ended_is_kept_and_then_removed),
		test(a_valid_order_is_kept_for_the_retention),
		test(many_are_swept_in_batches),
		test(a_damaged_order_does_not_end_the_sweep),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
