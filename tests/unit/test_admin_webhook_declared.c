/* Webhooks that the configuration names: what a plan does is one update, whatever else that update is for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <unistd.h>

#include "admin/webhook_change.h"
#include "admin/webhook_declared.h"
#include "store/audit.h"
#include "store/kv.h"
#include "store/webhook.h"

static struct store *store;
static char secret_file[] = "/tmp/enrolld-webhook-XXXXXX";

static int begin(void **state)
{
	static uint8_t seal_key[32] = { 1 };
	struct kv *kv;
	auto_value(problem) p = {0};
	int fd = mkstemp(secret_file);

	(void)state;
	if (fd < 0 || write(fd, "0123456789abcdef\n", 17) != 17 || close(fd) != 0)
		return -1;
	return kv_memory_open(&kv, &p) && store_open_kv(kv, seal_key, &store, &p) ? 0 : -1;
}

static int end(void **state)
{
	(void)state;
	store_close(store);
	return unlink(secret_file);
}

/* What the store has: the names, and how many events. */
struct state {
	struct strings names;
	uint64_t events;
};

static bool read_state(struct store_txn *txn, void *arg, struct problem *p)
{
	struct state *s = arg;
	auto_value(strings) ids = {0};

	if (!store_webhook_ids(txn, WEBHOOKS_MAX, &ids, p) || !store_audit_last(txn, &s->events, p))
		return false;
	for (size_t i = 0; i < ids.n; i++) {
		auto_value(webhook) row = {0};
		if (!store_webhook_get(txn, ids.v[i], &row, p) || !strings_add(&s->names, row.name ?: "-"))
			return false;
	}
	return true;
}

static void must_have(uint64_t events, const char *const *names, size_t n)
{
	struct state s = {0};
	auto_value(problem) p = {0};

	assert_true(store_view(store, read_state, &s, &p));
	assert_int_equal(s.names.n, n);
	for (size_t i = 0; i < n; i++)
		assert_true(strings_has(&s.names, names[i]));
	assert_int_equal(s.events, events > 0 ? events + 1 : 0); /* the first tells of the log itself */
	strings_free(&s.names);
}

struct carrying {
	const struct webhook_plan *plan;
	bool refuse;      /* what comes after it in the same update */
};

static bool carry_out(struct store_txn *txn, void *arg, struct problem *p)
{
	const struct carrying *c = arg;

	return webhooks_carry_out(txn, c->plan, p) && (!c->refuse || problem_set(p, PROBLEM_CONFLICT, "not now"));
}

static void declare(const char *const *names, size_t n, bool refuse)
{
	struct webhook_declared rows[WEBHOOKS_MAX] = {0};
	auto_struct(webhook_plan) *plan = NULL;
	auto_value(problem) p = {0};

	for (size_t i = 0; i < n; i++) {
		rows[i].name = (char *)(uintptr_t)names[i];
		rows[i].url = (char *)(uintptr_t)"https://receiver.example/";
		rows[i].secret.file = secret_file;
	}
	if (!webhooks_plan(store, rows, n, false, &plan, &p))
		fail_msg("%s", problem_cause(&p));
	assert_int_equal(store_update(store, carry_out, &(struct carrying){ plan, refuse }, &p), !refuse);
}

static void all_of_it_or_nothing(void **state)
{
	static const char *const first[] = { "a", "b" }, *const second[] = { "b", "c" };

	(void)state;
	declare(first, 2, true);
	must_have(0, NULL, 0);
	declare(first, 2, false);
	must_have(2, first, 2);
	declare(second, 2, true);      /* a ends, b stays, c begins: and then it is refused */
	must_have(2, first, 2);
	declare(second, 2, false);
	must_have(4, second, 2);
	declare(second, 2, false);     /* as it is */
	must_have(4, second, 2);
	declare(NULL, 0, false);
	must_have(6, NULL, 0);
}

/* As many may end as there can be, and as many begin, at once. */
static void the_most_of_them_can_all_change(void **state)
{
	char room[2][WEBHOOKS_MAX][8];
	const char *names[2][WEBHOOKS_MAX];

	(void)state;
	for (size_t k = 0; k < 2; k++)
		for (size_t i = 0; i < WEBHOOKS_MAX; i++) {
			snprintf(room[k][i], sizeof(room[k][i]), "n%zu-%zu", k, i);
			names[k][i] = room[k][i];
		}
	declare(names[0], WEBHOOKS_MAX, false);
	must_have(6 + WEBHOOKS_MAX, names[0], WEBHOOKS_MAX);
	declare(names[1], WEBHOOKS_MAX, false);
	must_have(6 + 3 * WEBHOOKS_MAX, names[1], WEBHOOKS_MAX);

	auto_value(buf) secret = {0};
	auto_value(webhook) row = {0};
	auto_value(problem) p = {0};
	const struct webhook_wish wish = { .url = "https://one.example/more" };
	const struct webhook_asker asker = { .actor = "test", .now = 1 };
	assert_false(webhook_create(store, &wish, &asker, &secret, &row, &p));
	assert_int_equal(p.kind, PROBLEM_CONFLICT);
	must_have(6 + 3 * WEBHOOKS_MAX, names[1], WEBHOOKS_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_of_it_or_nothing),
		cmocka_unit_test(the_most_of_them_can_all_change),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
