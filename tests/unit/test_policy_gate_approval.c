/* A request that people have approved opens the gate for what they saw, and for whom: one thing of it is changed at a
 * time. */
#include "policy/gate.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/digest.h"
#include "policy/csr_make.h"
#include "policy_make.h"
#include "store/request.h"

#define REQUEST_ID "request00000000000000A"

struct world {
	struct request request;
	struct request_decision decisions[3];
	struct buf csr, shown, wider;            /* what is asked for; the same of another key; one name more */
	uint8_t digest[SHA256_SIZE], key_hash[SHA256_SIZE];
	const char *id;                          /* that the wish names */
};

static struct identifiers names, more_names;

static void make_csr_of(const struct identifiers *asked, const char *key, struct buf *ret)
{
	static const struct subject nobody;
	const struct csr_wish wish = { .subject = &nobody, .names = asked };
	struct problem p = {0};

	assert_true(csr_make(&wish, make_key(key), 0, ret, &p));
}

static void world_make(struct world *w)
{
	auto_struct(csr) *csr = NULL;
	struct problem p = {0};

	*w = (struct world){ .id = REQUEST_ID };
	make_csr_of(&names, "P-256", &w->csr);
	make_csr_of(&names, "P-256 shown", &w->shown);
	make_csr_of(&more_names, "P-256 shown", &w->wider);
	assert_true(csr_parse(buf_bytes(&w->csr), &csr, &p));
	memcpy(w->digest, csr->digest, sizeof(w->digest));
	memcpy(w->key_hash, csr->key_hash, sizeof(w->key_hash));
	for (size_t i = 0; i < array_length(w->decisions); i++)
		w->decisions[i] = (struct request_decision){ .by = i == 0 ? "ada" : "bob", .approved = true, .at = 1 };
	w->request = (struct request){
		.id = REQUEST_ID, .state = REQUEST_APPROVED, .profile = "test", .method = "internal", .identity = "operator",
		.csr_digest = BYTES(w->digest, SHA256_SIZE), .created = clock_now(), .expires = clock_now() + 1000, .needed = 2,
		.decisions = { w->decisions, 2 },
	};
}

static void world_free(struct world *w)
{
	buf_free(&w->csr);
	buf_free(&w->shown);
	buf_free(&w->wider);
}

static void managed(struct world *w)
{
	w->request.managed = true;
	w->request.csr = buf_bytes(&w->shown);
	w->request.csr_digest = BYTES(NULL, 0);
}

static void as_approved(struct world *w) { (void)w; }
static void not_named(struct world *w) { w->id = NULL; }
static void pending(struct world *w) { w->request.state = REQUEST_PENDING; }
static void rejected(struct world *w) { w->request.state = REQUEST_REJECTED; }
static void issued(struct world *w) { w->request.state = REQUEST_ISSUED; }
static void of_another(struct world *w) { w->request.identity = "token x"; }
static void of_another_method(struct world *w) { w->request.method = "api"; }
static void of_another_profile(struct world *w) { w->request.profile = "other"; }
static void of_another_csr(struct world *w) { w->digest[0] ^= 1; }
static void of_no_csr(struct world *w) { w->request.csr_digest = BYTES(NULL, 0); }
static void by_one(struct world *w) { w->request.decisions.n = 1; }
static void with_a_rejection(struct world *w) { w->decisions[1].approved = false; }
static void managed_wider(struct world *w) { managed(w), w->request.csr = buf_bytes(&w->wider); }
static void managed_unreadable(struct world *w) { managed(w), w->request.csr = BYTES_STR("x"); }
static void managed_same_key(struct world *w) { managed(w), w->request.key_hash = BYTES(w->key_hash, SHA256_SIZE); }
static void managed_other_key(struct world *w) { managed_same_key(w), w->key_hash[0] ^= 1; }
static void managed_pending(struct world *w) { managed(w), w->request.state = REQUEST_PENDING; }

static bool put(struct store_txn *txn, void *arg, struct problem *p)
{
	const struct world *w = arg;

	return store_request_put(txn, &w->request, p);
}

static bool judge(struct world *w, struct problem *p)
{
	auto_struct(store) *store = NULL;
	auto_struct(profiles) *profiles = NULL;
	auto_struct(identity) *identity = NULL;
	auto_struct(approval) *approval = NULL;
	const uint8_t seal[32] = { 1 };
	struct profile *profile = NULL;
	struct kv *kv = NULL;

	assert_true(kv_memory_open(&kv, p) && store_open_kv(kv, seal, &store, p) && store_update(store, put, w, p));
	assert_true(profile_new("test", &profile, p));
	profile->approvals = 2;
	assert_true(profiles_new(&profile, 1, "test", NULL, &profiles, p) && identity_operator(&names, &identity, p));
	const struct gate_wish wish = { .request = w->id };
	return gate_identity_wish(store, profiles, "test", identity, &wish, buf_bytes(&w->csr), &approval, p);
}

static void one_thing_at_a_time(void **state)
{
	static const struct {
		void (*change)(struct world *w);
		bool want;
	} rows[] = {
		{ as_approved, true },     { not_named, false },      { pending, false },          { rejected, false },
		{ issued, false },         { of_another, false },     { of_another_method, false }, { of_another_profile, false },
		{ of_another_csr, false }, { of_no_csr, false },      { by_one, false },           { with_a_rejection, false },
		{ managed, true },         { managed_wider, false },  { managed_unreadable, false }, { managed_same_key, true },
		{ managed_other_key, false }, { managed_pending, false },
	};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		struct world w;
		auto_value(problem) p = {0};
		world_make(&w);
		rows[i].change(&w);
		if (judge(&w, &p) != rows[i].want || (!rows[i].want && p.kind != PROBLEM_USER_ACTION_REQUIRED))
			fail_msg("row %zu: %s", i, p.detail);
		world_free(&w);
	}
}

static void a_request_that_is_not_there(void **state)
{
	struct world w;
	auto_value(problem) p = {0};

	(void)state;
	world_make(&w);
	w.id = "other0000000000000000A";
	assert_false(judge(&w, &p));
	assert_int_equal(p.kind, PROBLEM_NOT_FOUND);
	world_free(&w);
}

static int setup(void **state)
{
	struct identifier name;
	struct problem p = {0};

	(void)state;
	if (!identifier_parse("dns", "www.example.com", &name, &p) || !identifiers_add(&names, &name, &p) ||
	    !identifiers_add(&more_names, &name, &p) || !identifier_parse("dns", "more.example.com", &name, &p) ||
	    !identifiers_add(&more_names, &name, &p))
		return 1;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	identifiers_free(&names);
	identifiers_free(&more_names);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_thing_at_a_time),
		cmocka_unit_test(a_request_that_is_not_there),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
