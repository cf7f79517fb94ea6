/* store/audit_queue.c: refusals are written together, counted, and bounded. */
#include "tests/unit/test_store.h"

#include <pthread.h>

#include "base/clock.h"
#include "store/audit_queue.h"
#include "tests/unit/audit_reader.h"

static struct store *store;
static struct audit_queue *queue;

static int begin(void **state)
{
	static const uint8_t seal_key[32] = { 7 };
	struct kv *kv;

	(void)state;
	must(kv_memory_open(&kv, p));
	must(store_open_kv(kv, seal_key, &store, p));
	must(audit_queue_open(store, &queue, p));
	return 0;
}

static int end(void **state)
{
	(void)state;
	audit_queue_close(steal(queue));
	store_close(steal(store));
	return 0;
}
#define QUEUE_TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

static void refuse(const char *actor, const char *from, int64_t what)
{
	const struct audit_fact facts[] = { audit_text("order", "ORDER"), audit_integer("what", what), {0} };

	audit_queue_add(queue, &(struct audit_event){ AUDIT_CERTIFICATE_REFUSED, clock_now(), actor, from, facts });
}

static size_t refused(void)
{
	return audit_count(store, AUDIT_CERTIFICATE_REFUSED);
}

static int64_t number(const struct json *j, const char *name)
{
	int64_t n = -1;

	return json_integer(json_member(j, name), &n) ? n : -1;
}

static void test_written_within_a_moment(void **state)
{
	uint64_t commits = 0, after = 0, updates;

	(void)state;
	store_counters(store, &commits, &updates);
	for (int i = 0; i < 5; i++)
		refuse("account A", "192.0.2.7", i + 1);
	for (int i = 0; i < 100 && refused() == 0; i++)
		usleep(100 * 1000);
	assert_int_equal(refused(), 5);
	store_counters(store, &after, &updates);
	assert_int_equal(after - commits, 1);
	auto_struct(json) *event = audit_newest(store, AUDIT_CERTIFICATE_REFUSED);
	assert_string_equal(audit_says(event, "order"), "ORDER");
	assert_int_equal(number(json_member(event, "about"), "what"), 5);
	assert_int_equal(number(event, "times"), -1);
}

/* The same from another address is not the same. */
static void test_the_same_is_counted(void **state)
{
	(void)state;
	for (int i = 0; i < 1000; i++)
		refuse("account A", "192.0.2.7", 1);
	refuse("account A", "192.0.2.8", 1);
	refuse("account A", NULL, 1);
	refuse("account B", "192.0.2.7", 1);
	must(audit_queue_flush(queue, p));
	assert_int_equal(refused(), 4);
	refuse("account A", "192.0.2.7", 1);
	refuse("account A", "192.0.2.7", 1);
	must(audit_queue_flush(queue, p));
	auto_struct(json) *event = audit_newest(store, AUDIT_CERTIFICATE_REFUSED);
	assert_int_equal(number(event, "times"), 2);
	assert_int_equal(audit_count(store, AUDIT_REFUSALS_DROPPED), 0);
}

static void test_an_actor_is_bounded(void **state)
{
	(void)state;
	for (int i = 1; i <= AUDIT_QUEUE_PER_ACTOR + 40; i++) {
		refuse("account A", "192.0.2.7", i);
		if (i % 20 == 0)
			must(audit_queue_flush(queue, p));
	}
	assert_int_equal(refused(), AUDIT_QUEUE_PER_ACTOR);
	refuse("account B", "192.0.2.7", 1);
	must(audit_queue_flush(queue, p));
	assert_int_equal(refused(), AUDIT_QUEUE_PER_ACTOR + 1);
	/* Each flush tells of those dropped before it. */
	assert_int_equal(audit_count(store, AUDIT_REFUSALS_DROPPED), 2);
	auto_struct(json) *event = audit_newest(store, AUDIT_REFUSALS_DROPPED);
	assert_int_equal(number(json_member(event, "about"), "count"), 20);
}

static void test_all_are_bounded(void **state)
{
	char actor[32];
	int n = 0;

	(void)state;
	for (int a = 0; a < 200; a++) {
		for (int i = 1; i <= 10; i++, n++) {
			snprintf(actor, sizeof(actor), "account %d", a);
			refuse(actor, NULL, i);
		}
		must(audit_queue_flush(queue, p));
	}
	assert_in_range(refused(), AUDIT_QUEUE_PER_HOUR, AUDIT_QUEUE_PER_HOUR + 20); /* some come back with time */
}

static void test_what_waits_is_bounded(void **state)
{
	char actor[32];

	(void)state;
	for (int i = 0; i < AUDIT_QUEUE_WAITING_MAX + 10; i++) {
		snprintf(actor, sizeof(actor), "account %d", i);
		refuse(actor, NULL, 1);
	}
	must(audit_queue_flush(queue, p));
	assert_int_equal(refused(), AUDIT_QUEUE_WAITING_MAX);
	auto_struct(json) *event = audit_newest(store, AUDIT_REFUSALS_DROPPED);
	assert_int_equal(number(json_member(event, "about"), "count"), 10);
}

static void *refuse_many(void *arg)
{
	for (int i = 0; i < 500; i++)
		refuse(arg, NULL, i % 3 + 1);
	return NULL;
}

static void test_threads(void **state)
{
	static char actors[4][8] = { "A", "B", "C", "D" };
	pthread_t threads[4];

	(void)state;
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, refuse_many, actors[i]), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	must(audit_queue_flush(queue, p));
	assert_in_range(refused(), 12, 4 * AUDIT_QUEUE_PER_ACTOR);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		QUEUE_TEST(test_written_within_a_moment),
		QUEUE_TEST(test_the_same_is_counted),
		QUEUE_TEST(test_an_actor_is_bounded),
		QUEUE_TEST(test_all_are_bounded),
		QUEUE_TEST(test_what_waits_is_bounded),
		QUEUE_TEST(test_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
