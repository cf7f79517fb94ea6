#include "acme/claim.h"
#include "acme/later.h"
#include "tests/unit/acme_world.h"

static atomic_uint running, done;
static atomic_bool held;

static bool slow(struct acme *acme, const char *id, struct problem *p)
{
	(void)acme;
	(void)id;
	atomic_fetch_add(&running, 1);
	for (int i = 0; i < 6000 && atomic_load(&held); i++)
		usleep(20 * 1000);
	atomic_fetch_add(&done, 1);
	return atomic_load(&done) % 2 || problem_set(p, PROBLEM_DNS, "failed, which is logged");
}

static void hold(void)
{
	atomic_store(&running, 0);
	atomic_store(&done, 0);
	atomic_store(&held, true);
}

static void wait_for(atomic_uint *counter, unsigned n)
{
	for (int i = 0; i < 6000 && atomic_load(counter) < n; i++)
		usleep(10 * 1000);
	assert_int_equal(atomic_load(counter), n);
}

static bool add(struct world *w, unsigned n, struct problem *p)
{
	char id[RANDOM_ID_SIZE];

	snprintf(id, sizeof(id), "%u", n);
	return later_do(w->acme, "test", id, slow, p);
}

/* The caller is never held up, and what finds no room is told so. */
static void is_bounded(void **state)
{
	struct world *w = *state;
	auto_value(problem) p = {0};
	unsigned n = 0;

	hold();
	while (n < 1000 && add(w, n, &p))
		n++;
	assert_int_equal(p.kind, PROBLEM_UNAVAILABLE);
	assert_in_range(n, LATER_MAX, LATER_MAX + 8);
	assert_false(claim_held(w->acme->claims, "1000"));
	atomic_store(&held, false);
	wait_for(&done, n);
}

static void is_under_way_once(void **state)
{
	struct world *w = *state;

	hold();
	world_must(add(w, 1, p));
	wait_for(&running, 1);
	assert_true(claim_held(w->acme->claims, "1"));
	world_must(add(w, 1, p));
	world_must(add(w, 1, p));
	atomic_store(&held, false);
	for (int i = 0; i < 6000 && claim_held(w->acme->claims, "1"); i++)
		usleep(10 * 1000);
	assert_int_equal(atomic_load(&done), 1);
	world_must(add(w, 1, p));
	wait_for(&done, 2);
}

/* What waits is dropped; what runs is waited for. */
static void closes_with_work_waiting(void **state)
{
	struct world *w = *state;

	hold();
	for (unsigned i = 0; i < 40; i++)
		world_must(add(w, i, p));
	wait_for(&running, 8);
	atomic_store(&held, false);
}

int main(void)
{
#define test(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)
	const struct CMUnitTest tests[] = {
		test(is_bounded),
		test(is_under_way_once),
		test(closes_with_work_waiting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
