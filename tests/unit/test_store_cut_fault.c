/* What the store keeps when calls of the disk fail, one after the other, and the power goes or the process dies after that. */
#include "tests/unit/cut_trial.h"

#include <errno.h>

struct fault {
	unsigned at;         /* calls still to come */
	unsigned times;
	unsigned met;
	int error;           /* ENOSPC: the disk is full, so that what makes a file longer fails */
	bool flushes;        /* no other calls */
};

static enum power_verdict fail_at(void *arg, struct power_event *event)
{
	struct fault *fault = arg;

	if (fault->flushes && event->act != POWER_ACT_FLUSH)
		return POWER_PASS;
	if (fault->at > 0) {
		fault->at--;
		return POWER_PASS;
	}
	bool is_hit = fault->error != ENOSPC || (event->act == POWER_ACT_WRITE && event->at + event->len > event->size);
	if (fault->times == 0 || !is_hit)
		return POWER_PASS;
	fault->times--;
	event->error = fault->error;
	return fault->met++ == 0 && fault->error == ENOSPC ? POWER_SHORT : POWER_FAIL;
}

/* Until it is as it should be again, by opening it anew when nothing else helps. */
static struct kv *go_on_after(struct kv *kv, unsigned updates)
{
	char why[256];
	unsigned done = 0;

	for (unsigned tries = 0; done < updates; tries++) {
		if (update_kv(kv, disk, why)) {
			done++;
			continue;
		}
		if (tries > 3)
			fail_msg("%s", why);
		kv_close(kv);
		if (!open_server(live, &kv, why))
			fail_msg("%s", why);
	}
	return kv;
}

/* While the disk fails reading may be refused as well. */
static void want_state(struct kv *kv, bool failing)
{
	struct trial t = trial_at(power_now(disk), 0);
	unsigned last;
	char why[256];

	if (!world_check(kv, t.least, t.most, &last, why) && !(failing && str_starts(why, "begin: ")))
		fail_msg("%s", why);
}

/* Returns whether it was met. */
static bool life_with(struct fault fault, unsigned updates)
{
	struct kv *kv = begin_workload(true);
	size_t begin = power_now(disk);
	char why[256];

	power_hook_set(fail_at, &fault);
	for (unsigned i = 0; i < updates; i++) {
		(void)update_kv(kv, disk, why);
		want_state(kv, true);
	}
	power_hook_set(NULL, NULL);
	kv = go_on_after(kv, 3);
	want_state(kv, false);
	kv_close(kv);
	want_log_whole();
	want_survival_anywhere(begin, 12);
	struct trial end = trial_at(power_now(disk), fault.at * 7 + 1);
	want_survival(power_cut, &end);
	return fault.met > 0;
}

/* At each call in turn, until there is none left. */
static void faults(unsigned times, int error)
{
	bool met = true;
	unsigned at = 0;

	for (; met; at++) {
		refusals_hold = error == ENOSPC;
		met = life_with((struct fault){ .at = at, .times = times, .error = error }, 5);
		teardown(NULL);
		setup(NULL);
	}
	assert_true(at > 5);
}

static void test_a_call_that_fails(void **state)
{
	(void)state;
	faults(1, EIO);
}

/* What a flush has lost no other brings back. */
static void test_a_flush_that_fails(void **state)
{
	(void)state;
	for (unsigned at = 0; at < 4; at++) {
		refusals_hold = false;
		assert_true(life_with((struct fault){ .at = at, .times = 1, .error = EIO, .flushes = true }, 150));
		teardown(NULL);
		setup(NULL);
	}
}

static void test_a_disk_that_fails_for_a_while(void **state)
{
	(void)state;
	faults(5, EIO);
}

static void test_a_disk_that_is_full_for_a_while(void **state)
{
	(void)state;
	faults(4, ENOSPC);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(test_a_call_that_fails),
		TEST(test_a_flush_that_fails),
		TEST(test_a_disk_that_fails_for_a_while),
		TEST(test_a_disk_that_is_full_for_a_while),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
