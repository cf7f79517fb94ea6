/* Who decides about a request, and what comes of it; and the store's indexes of requests. */
#include "policy/consent.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define ID "request00000000000000A"
#define ORDER_ID "order0000000000000000A"
enum { NOW = 1800000000 };

static char ada[] = "ada", bob[] = "bob";
static char *approvers[] = { ada, bob };
static const struct strings anybody, these = { approvers, 2 };

/* "a" ada approves, "r" bob rejects, "A" bob approves, "x" eve approves, "c" somebody cancels */
static bool step(struct request *request, char what, const struct strings *who, int64_t now, struct consent_room *room,
                 struct problem *p)
{
	const struct consent consent = {
		.by = what == 'a' ? "ada" : what == 'x' ? "eve" : what == '-' ? "" : "bob", .reason = "why", .approvers = who, .now = now,
	};

	if (what == 'c')
		return consent_cancel(request, &consent, p);
	return what == 'r' ? consent_reject(request, &consent, room, p) : consent_approve(request, &consent, room, p);
}

static const struct {
	int64_t needed;
	const char *steps;        /* all but the last succeed */
	const struct strings *approvers;
	enum problem_kind want;   /* of the last step */
	enum request_state want_status;
	size_t want_count;
} rows[] = {
	{ 1, "a", &anybody, PROBLEM_NONE, REQUEST_APPROVED, 1 },
	{ 2, "a", &anybody, PROBLEM_NONE, REQUEST_PENDING, 1 },
	{ 2, "aA", &anybody, PROBLEM_NONE, REQUEST_APPROVED, 2 },
	{ 2, "aa", &anybody, PROBLEM_CONFLICT, REQUEST_PENDING, 1 },
	{ 2, "ar", &anybody, PROBLEM_NONE, REQUEST_REJECTED, 1 },
	{ 2, "ra", &anybody, PROBLEM_CONFLICT, REQUEST_REJECTED, 0 },
	{ 1, "ar", &anybody, PROBLEM_CONFLICT, REQUEST_APPROVED, 1 },
	{ 1, "c", &anybody, PROBLEM_NONE, REQUEST_CANCELLED, 0 },
	{ 1, "ac", &anybody, PROBLEM_NONE, REQUEST_CANCELLED, 1 },
	{ 1, "cc", &anybody, PROBLEM_CONFLICT, REQUEST_CANCELLED, 0 },
	{ 1, "x", &anybody, PROBLEM_NONE, REQUEST_APPROVED, 1 },
	{ 1, "x", &these, PROBLEM_UNAUTHORIZED, REQUEST_PENDING, 0 },
	{ 2, "aA", &these, PROBLEM_NONE, REQUEST_APPROVED, 2 },
	{ 1, "-", &anybody, PROBLEM_MALFORMED, REQUEST_PENDING, 0 },
};

static void test_decisions(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		struct request request = { .id = ID, .profile = "web", .needed = rows[i].needed, .expires = NOW + 1 };
		struct consent_room room[2] = {0};
		auto_value(problem) p = {0};
		size_t last = strlen(rows[i].steps) - 1;

		for (size_t k = 0; k < last; k++)
			assert_true(step(&request, rows[i].steps[k], rows[i].approvers, NOW, &room[0], &p));
		bool done = step(&request, rows[i].steps[last], rows[i].approvers, NOW, &room[1], &p);
		if (done != (rows[i].want == PROBLEM_NONE) || p.kind != rows[i].want || request.state != rows[i].want_status ||
		    consent_count(&request) != rows[i].want_count)
			fail_msg("row %zu: %s %s", i, request_state_name(request.state), p.detail);
		consent_room_free(&room[0]);
		consent_room_free(&room[1]);
	}
}

static void test_expired(void **state)
{
	static const char steps[] = { 'a', 'r', 'c' };

	(void)state;
	for (size_t i = 0; i < array_length(steps); i++) {
		struct request request = { .id = ID, .profile = "web", .needed = 1, .expires = NOW };
		auto_value(consent_room) room = {0};
		auto_value(problem) p = {0};
		assert_false(step(&request, steps[i], &anybody, NOW, &room, &p));
		assert_int_equal(p.kind, PROBLEM_GONE);
	}
}

struct indexed {
	struct request request;
	size_t all, pending, approved, due;
	bool by_order;
};
static size_t listed(struct store_txn *txn, enum request_state status)
{
	auto_value(store_page) page = {0};
	auto_value(problem) p = {0};

	assert_true(store_request_list(txn, status == REQUEST_STATE_MAX ? NULL : &status, "", 10, &page, &p));
	return page.ids.n;
}
static bool put_and_look(struct store_txn *txn, void *arg, struct problem *p)
{
	struct indexed *ix = arg;
	auto_value(strings) due = {0};
	auto_value(request) found = {0};

	if (!store_request_put(txn, &ix->request, p) || !store_request_due(txn, "acme", 10, &due, p))
		return false;
	ix->all = listed(txn, REQUEST_STATE_MAX);
	ix->pending = listed(txn, REQUEST_PENDING);
	ix->approved = listed(txn, REQUEST_APPROVED);
	ix->due = due.n;
	ix->by_order = store_request_by_order(txn, ORDER_ID, &found, p) && str_equal(found.id, ID) && found.needed == 2 &&
	               found.decisions.n == ix->request.decisions.n;
	return true;
}

static void test_store(void **state)
{
	static const uint8_t seal_key[32];
	struct request_decision decision = { "ada", true, NULL, NOW };
	struct kv *kv;
	struct store *opened = NULL;
	auto_value(problem) p = {0};
	struct indexed ix = { .request = {
		.id = ID, .order = ORDER_ID, .profile = "web", .method = "acme", .names = "dns:a", .csr = BYTES("x", 1), .needed = 2, .due = true,
		.created = NOW, .expires = NOW + 10,
	} };

	(void)state;
	assert_true(kv_memory_open(&kv, &p) && store_open_kv(kv, seal_key, &opened, &p));
	auto_struct(store) *store = opened;
	assert_true(store_update(store, put_and_look, &ix, &p));
	assert_true(ix.all == 1 && ix.pending == 1 && ix.approved == 0 && ix.due == 0 && ix.by_order);
	ix.request.state = REQUEST_APPROVED;
	ix.request.decisions = (struct record_list){ &decision, 1 };
	assert_true(store_update(store, put_and_look, &ix, &p));
	assert_true(ix.all == 1 && ix.pending == 0 && ix.approved == 1 && ix.due == 1 && ix.by_order);
	ix.request.due = false;
	assert_true(store_update(store, put_and_look, &ix, &p));
	assert_true(ix.all == 1 && ix.approved == 1 && ix.due == 0 && ix.by_order);
}

static void test_names(void **state)
{
	(void)state;
	for (enum request_state s = 0; s < REQUEST_STATE_MAX; s++) {
		enum request_state found;
		assert_true(request_state_from(request_state_name(s), &found) && found == s);
	}
	enum request_state unused;
	assert_false(request_state_from("odd", &unused));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_decisions),
		cmocka_unit_test(test_expired),
		cmocka_unit_test(test_store),
		cmocka_unit_test(test_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
