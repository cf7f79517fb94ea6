#include "acme/order_caa.h"
#include "acme/probe.h"
#include "tests/unit/acme_world.h"

/* CAA as the owner of a name says it, to probes and before a certificate is made. */

static const struct fake_record records[] = {
	{ .name = "forbidden.example", .type = FAKE_CAA, .value = "0 issue other.example" },
	{ .name = "127.0.0.1", .type = FAKE_CAA, .value = "0 issue other.example" }, /* a name like an address */
	{ .name = "*", .type = FAKE_A, .value = "127.0.0.1" },
	{ 0 },
};

struct asking {
	struct world *w;
	struct fake_dns names;
	struct strings resolvers, identities;
};

static int setup(void **state)
{
	struct asking *a = calloc(1, sizeof(*a));

	a->w = world_new();
	fake_dns_start(&a->names, records);
	assert_true(strings_add(&a->resolvers, a->names.resolver) && strings_add(&a->identities, "ca.example"));
	a->w->options.dns.resolvers = &a->resolvers;
	a->w->options.caa_identities = &a->identities;
	((struct profile *)(uintptr_t)profiles_find(a->w->profiles, "default"))->caa = true;
	world_open(a->w);
	*state = a;
	return 0;
}

static int teardown(void **state)
{
	struct asking *a = *state;

	world_free(a->w);
	fake_dns_stop(&a->names);
	strings_free(&a->resolvers);
	strings_free(&a->identities);
	free(a);
	return 0;
}

static void what_is_forbidden_is_not_proven(void **state)
{
	static const struct {
		const char *names;
		bool want;
	} rows[] = {
		{ "dns:free.example", true }, { "dns:forbidden.example", false }, { "dns:www.forbidden.example", false },
		{ "ip:127.0.0.1", true }, /* CAA speaks of names alone */
	};
	struct world *w = ((struct asking *)*state)->w;

	for (size_t i = 0; i < array_length(rows); i++) {
		struct placed placed = place_order(w, 0, rows[i].names);
		auto_value(reply) r = {0};

		answer_challenge(w, 0, placed.authorization[0], &r);
		assert_done(&r, 200);
		assert_member(r.json, "status", rows[i].want ? "valid" : "invalid");
		if (rows[i].want)
			continue;
		const struct json *error = json_member(r.json, "error");
		assert_member(error, "type", "urn:ietf:params:acme:error:caa");
		assert_non_null(strstr(json_member_string(error, "detail"), "records at forbidden.example"));
	}
}

struct reading {
	const char *id;
	struct order order;
};

static bool read_order(struct store_txn *txn, void *arg, struct problem *p)
{
	struct reading *r = arg;

	return store_order_get(txn, r->id, &r->order, p);
}

/* Request threads are for requests. */
static void who_waits_is_bounded(void **state)
{
	enum { PLACES = 16 };
	struct world *w = ((struct asking *)*state)->w;
	struct placed placed = ready_order(w, "dns:free.example");
	struct reading r = { .id = placed.order };
	auto_value(problem) why = {0};

	world_must(store_view(w->store, read_order, &r, p));
	for (int i = 0; i < PLACES; i++)
		assert_true(probes_caa_begin(w->acme->probes));
	for (int i = 0; i < 2; i++) { /* who was refused has taken none */
		problem_done(&why);
		assert_false(order_caa(w->acme, w->profiles, &r.order, &why));
		assert_int_equal(why.kind, PROBLEM_UNAVAILABLE);
		assert_true(why.retry_after > 0);
	}
	probes_caa_end(w->acme->probes);
	for (int i = 0; i < 2; i++) /* who was answered has given his back */
		world_must(order_caa(w->acme, w->profiles, &r.order, p));
	for (int i = 1; i < PLACES; i++)
		probes_caa_end(w->acme->probes);
	order_free(&r.order);
}

static void a_profile_that_does_not_ask(void **state)
{
	struct asking *a = *state;
	struct world *w = a->w;
	struct profile *profile = (struct profile *)(uintptr_t)profiles_find(w->profiles, "default");

	profile->caa = false;
	struct placed placed = ready_order(w, "dns:forbidden.example");
	struct reading r = { .id = placed.order };
	auto_value(problem) why = {0};
	unsigned before = atomic_load(&a->names.queries);

	world_must(store_view(w->store, read_order, &r, p));
	world_must(order_caa(w->acme, w->profiles, &r.order, p));
	assert_int_equal(atomic_load(&a->names.queries), before);
	profile->caa = true;
	assert_false(order_caa(w->acme, w->profiles, &r.order, &why));
	assert_int_equal(why.kind, PROBLEM_CAA);
	order_free(&r.order);
}

static void addresses_are_not_asked_for(void **state)
{
	struct world *w = ((struct asking *)*state)->w;
	struct placed placed = ready_order(w, "ip:127.0.0.1 dns:free.example");
	struct reading r = { .id = placed.order };

	world_must(store_view(w->store, read_order, &r, p));
	world_must(order_caa(w->acme, w->profiles, &r.order, p));
	order_free(&r.order);
}

int main(void)
{
#define test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		test(what_is_forbidden_is_not_proven),
		test(who_waits_is_bounded),
		test(a_profile_that_does_not_ask),
		test(addresses_are_not_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
