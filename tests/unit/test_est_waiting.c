#include "test_store.h"

#include "est/waiting.h"

enum { NOW = 1700000000, NEEDED = 2 };

struct fixture {
	struct store *store;
	struct identity *identity;
	struct est est;
	struct label label;
	struct profile profile;
	struct http_request request;
	struct http_response response;
	struct est_call call;
	struct csr sent;
	struct waiting waiting;
};

static void set_up(struct fixture *f)
{
	static const uint8_t key[32];
	static char line[] = "line", device[] = "device";
	struct kv *kv;

	*f = (struct fixture){ .label = { .name = line, .retry_after = 30 },
	                       .profile = { .name = device, .approvals = NEEDED, .approval_lifetime = 3600 } };
	must(kv_memory_open(&kv, p));
	must(store_open_kv(kv, key, &f->store, p));
	must(identity_operator(&(struct identifiers){0}, &f->identity, p));
	f->est.store = f->store;
	f->call = (struct est_call){ .est = &f->est, .request = &f->request, .response = &f->response, .label = &f->label,
	                             .profile = &f->profile, .now = NOW };
	f->waiting = (struct waiting){ .call = &f->call, .identity = f->identity, .sent = &f->sent, .csr = BYTES("csr", 3) };
	must(addr_parse("192.0.2.1", &f->call.from) || problem_internal(p, "address"));
}

static void tear_down(struct fixture *f)
{
	request_free(&f->waiting.request);
	http_response_free(&f->response);
	identity_free(f->identity);
	store_close(f->store);
}

/* Reads the client's request anew, as its next one does. */
static void find(struct fixture *f)
{
	request_free(&f->waiting.request);
	f->waiting.request = (struct request){0};
	must(waiting_find(&f->waiting, p));
}

static bool approve(struct store_txn *txn, void *arg, struct problem *p)
{
	auto_value(request) request = {0};

	if (!store_request_get(txn, arg, &request, p))
		return false;
	request.state = REQUEST_APPROVED;
	return store_request_put(txn, &request, p);
}

static void an_approval_that_comes_meanwhile_stands(void **state)
{
	struct fixture f;

	(void)state;
	set_up(&f);
	find(&f);
	must(waiting_ask(&f.waiting, p));
	find(&f);
	assert_true(waiting_is_pending(&f.waiting));
	must(store_update(f.store, approve, f.waiting.request.id, p)); /* after the client's request was read */
	must(waiting_ask(&f.waiting, p));
	find(&f);
	assert_non_null(waiting_request(&f.waiting));
	tear_down(&f);
}

/* It was approved when it was read, and the gate wants more people than that. */
static void one_that_needs_more_people_waits_again(void **state)
{
	struct fixture f;

	(void)state;
	set_up(&f);
	find(&f);
	must(waiting_ask(&f.waiting, p));
	find(&f);
	must(store_update(f.store, approve, f.waiting.request.id, p));
	find(&f);
	f.profile.approvals = NEEDED + 1;
	must(waiting_ask(&f.waiting, p));
	find(&f);
	assert_true(waiting_is_pending(&f.waiting));
	assert_int_equal(f.waiting.request.needed, NEEDED + 1);
	tear_down(&f);
}

static bool settle(struct store_txn *txn, void *arg, struct problem *p)
{
	return waiting_settle(txn, arg, "certificate000000000A", p);
}

/* Two tries of one client came to the end together. A certificate is the same for both; a key was given, and the second
 * hears so, and asks for another: that one waits, and nothing of the first is in its way. */
static void a_key_goes_to_one_try(void **state)
{
	for (int made = 0; made < 2; made++) {
		auto_value(problem) late = {0};
		struct fixture f;

		(void)state;
		set_up(&f);
		f.waiting.made = made;
		find(&f);
		must(waiting_ask(&f.waiting, p));
		find(&f);
		must(store_update(f.store, approve, f.waiting.request.id, p));
		find(&f);
		must(store_update(f.store, settle, &f.waiting, p));
		assert_false(store_update(f.store, settle, &f.waiting, &late));
		assert_int_equal(problem_status(&late), 409);
		assert_true((strstr(late.detail, "went to another try") != NULL) == made);
		find(&f);
		assert_null(waiting_request(&f.waiting));
		must(waiting_ask(&f.waiting, p));
		assert_int_equal(f.response.status, 202);
		find(&f);
		assert_true(waiting_is_pending(&f.waiting));
		tear_down(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_approval_that_comes_meanwhile_stands),
		cmocka_unit_test(one_that_needs_more_people_waits_again),
		cmocka_unit_test(a_key_goes_to_one_try),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
