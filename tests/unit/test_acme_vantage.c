#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdatomic.h>

#include "acme/vantage.h"

/* Places are told apart by whom they ask; nobody is asked in truth. */
enum { FIRST, SECOND, THIRD, PLACES };
static const char *const resolvers[PLACES] = { "192.0.2.1", "192.0.2.2", "192.0.2.3" };

enum verdict { NO, YES, BROKEN };
static enum verdict verdicts[PLACES];
static atomic_uint asked[PLACES];
static atomic_uint ends;              /* places that were to say when the proof ends */

static bool look(const struct challenge_tools *tools, const struct probe_task *task, struct problem *p)
{
	int place = FIRST;

	while (!str_equal(dns_servers(tools->dns), resolvers[place]))
		place++;
	atomic_fetch_add(&asked[place], 1);
	if (task->ret_until)
		atomic_fetch_add(&ends, 1);
	if (verdicts[place] == BROKEN)
		return problem_internal(p, "no memory to speak of");
	return verdicts[place] == YES || problem_set(p, PROBLEM_INCORRECT_RESPONSE, "nothing seen by %s", resolvers[place]);
}

static struct vantage *open_places(unsigned quorum, struct strings lists[PLACES])
{
	static char second[] = "second", third[] = "third";
	struct vantage_point points[2] = { { .name = second }, { .name = third } };
	struct acme_options options = { .quorum = quorum, .vantage = points, .vantage_count = 2, .probe_timeout_ms = 1000 };
	struct vantage *vantage = NULL;
	auto_value(problem) p = {0};

	for (int i = 0; i < PLACES; i++)
		assert_true(strings_add(&lists[i], resolvers[i]));
	options.dns.resolvers = &lists[FIRST];
	points[0].resolvers = lists[SECOND];
	points[1].resolvers = lists[THIRD];
	assert_true(vantage_open(&options, &vantage, &p));
	return vantage;
}

static void enough_must_agree(void **state)
{
	static const struct {
		unsigned quorum;
		enum verdict verdicts[PLACES];
		bool alone;
		const char *want;             /* NULL: proven */
		unsigned want_asked;
	} rows[] = {
		{ 1, { YES, NO, NO }, false, NULL, 1 },
		{ 1, { NO, YES, YES }, false, "192.0.2.1", 1 },
		{ 2, { YES, YES, NO }, false, NULL, 3 },
		{ 2, { YES, NO, YES }, false, NULL, 3 },
		{ 2, { YES, YES, YES }, false, NULL, 3 },
		{ 2, { YES, NO, NO }, false, "1 of 3 vantage points agree, 2 are wanted; second: nothing seen by 192.0.2.2", 3 },
		{ 2, { NO, YES, YES }, false, "nothing seen by 192.0.2.1", 1 }, /* this server itself must */
		{ 3, { YES, YES, YES }, false, NULL, 3 },
		{ 3, { YES, YES, NO }, false, "2 of 3 vantage points agree, 3 are wanted; third:", 3 },
		{ 2, { YES, BROKEN, YES }, false, NULL, 3 },
		{ 3, { YES, BROKEN, YES }, false, "", 3 },
		{ 3, { YES, NO, NO }, true, NULL, 1 },
		{ 3, { NO, YES, YES }, true, "192.0.2.1", 1 },
	};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		struct strings lists[PLACES] = {0};
		auto_struct(vantage) *vantage = open_places(rows[i].quorum, lists);
		const struct challenge_type type = { .name = "test-01", .alone = rows[i].alone, .prove = look };
		int64_t until = 0;
		const struct probe_task task = { .type = "dns", .value = "a.example", .ret_until = &until };
		auto_value(problem) p = {0};
		unsigned all = 0;

		memcpy(verdicts, rows[i].verdicts, sizeof(verdicts));
		atomic_store(&ends, 0);
		for (int k = 0; k < PLACES; k++)
			atomic_store(&asked[k], 0);
		bool proven = vantage_prove(vantage, &type, &task, &p);
		for (int k = 0; k < PLACES; k++) {
			assert_in_range(atomic_load(&asked[k]), 0, 1);
			all += atomic_load(&asked[k]);
		}
		if (proven != !rows[i].want || all != rows[i].want_asked || (!proven && !strstr(p.detail, rows[i].want)))
			fail_msg("row %zu: %u asked, %s", i, all, proven ? "proven" : p.detail);
		assert_int_equal(problem_is_ours(&p), !proven && rows[i].verdicts[SECOND] == BROKEN);
		if (problem_is_ours(&p)) /* which is for the log, not for the client */
			assert_string_equal(p.cause, "second: no memory to speak of");
		assert_int_equal(atomic_load(&ends), 1);
		for (int k = 0; k < PLACES; k++)
			strings_free(&lists[k]);
	}
}

static void nothing_to_ask_for_is_permitted(void **state)
{
	struct strings lists[PLACES] = {0};
	auto_struct(vantage) *vantage = open_places(3, lists);
	auto_value(problem) p = {0};

	(void)state;
	assert_true(vantage_caa(vantage, NULL, 0, &p));
	for (int k = 0; k < PLACES; k++)
		strings_free(&lists[k]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(enough_must_agree),
		cmocka_unit_test(nothing_to_ask_for_is_permitted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
