/* The end of an account, RFC 8555, 7.3.6. */
#include "acme/ending.h"
#include "acme/owner.h"
#include "acme/jwk.h"
#include "tests/unit/acme_world.h"
#include "tests/unit/jws_maker.h"

enum { MANY = 450 };

static const char deactivation[] = "{\"status\":\"deactivated\"}";

static void deactivate(struct world *w)
{
	auto_value(reply) r = {0};

	world_call(w, 0, acme_account_post, w->account_id[0], "", deactivation, &r);
	assert_done(&r, 200);
	assert_member(r.json, "status", "deactivated");
}

static bool read_account(struct store_txn *txn, void *arg, struct problem *p)
{
	struct world *w = arg;
	auto_value(account) account = {0};

	if (!store_account_get(txn, w->account_id[0], &account, p))
		return false;
	assert_int_equal(account.status, ACCOUNT_DEACTIVATED);
	return account.ending || problem_set(p, PROBLEM_NOT_FOUND, "it has ended, after %s", account.ended_after ?: "nothing");
}

static bool is_ending(struct world *w)
{
	auto_value(problem) p = {0};
	bool ending = store_view(w->store, read_account, w, &p);

	if (!ending)
		assert_string_equal(p.detail, "it has ended, after nothing");
	return ending;
}

static void end_all(struct world *w)
{
	bool more = true;

	for (int i = 0; more && i < 100; i++)
		world_must(acme_ending_once(w->acme, &more, p));
	assert_false(more);
	assert_false(is_ending(w));
}

static void an_account_takes_its_work_along(void **state)
{
	struct world *w = *state;
	struct placed ready = ready_order(w, "dns:a.example");
	struct placed pending = place_order(w, 0, "dns:b.example dns:c.example");
	struct placed other = place_order(w, 1, "dns:a.example");
	auto_value(reply) r = {0};

	deactivate(w);
	assert_false(is_ending(w));
	order_status_is(w, ready.order, "invalid");
	order_status_is(w, pending.order, "invalid");
	authorization_status_is(w, ready.authorization[0], "deactivated");
	authorization_status_is(w, pending.authorization[1], "deactivated");
	world_call(w, 1, acme_order_get, other.order, "", NULL, &r);
	assert_member(r.json, "status", "pending");
}

/* --- with much to cancel */

struct cancelling {
	struct world *w;
	const char *authorization;
	size_t waiting;
	bool more;
};

/* What the deactivation itself does, and what is left in that moment: the sweeper has not been there. */
static bool begin(struct store_txn *txn, void *arg, struct problem *p)
{
	struct cancelling *c = arg;
	struct account account = c->w->account[0];

	account.status = ACCOUNT_DEACTIVATED;
	return store_account_put(txn, &account, p) && acme_account_cancel_work(txn, account.id, &c->more, p) &&
	       store_order_count_waiting(txn, c->authorization, MANY, &c->waiting, p);
}

static struct placed place_many(struct world *w)
{
	struct placed first = ready_order(w, "dns:a.example"), last = {0};

	for (int i = 1; i < MANY; i++)
		last = place_order(w, 0, "dns:a.example");
	assert_string_equal(first.authorization[0], last.authorization[0]);
	return last;
}

/* One update may not cancel all that an account has ever begun: nobody could write meanwhile. */
static void much_work_is_cancelled_by_pages(void **state)
{
	struct world *w = *state;
	struct placed last = place_many(w);
	struct cancelling c = { .w = w, .authorization = last.authorization[0] };

	world_must(store_update(w->store, begin, &c, p));
	assert_true(c.more);
	assert_in_range(c.waiting, MANY / 2, MANY - 100);
	end_all(w);
	order_status_is(w, last.order, "invalid");
	authorization_status_is(w, last.authorization[0], "deactivated");
}

static void a_page_counts_authorizations_too(void **state)
{
	struct world *w = *state;
	struct placed placed[10] = {0};
	struct cancelling c = { .w = w };
	auto_value(reply) r = {0};

	w->acme->options.pending_authorizations_max = 0;
	for (int i = 0; i < 300; i++) {
		char name[32];
		snprintf(name, sizeof(name), "dns:n%d.example", i);
		placed[i % 10] = place_order(w, 0, name);
	}
	c.authorization = placed[0].authorization[0];
	world_must(store_update(w->store, begin, &c, p));
	assert_true(c.more);
	end_all(w);
	for (int i = 0; i < 10; i++) {
		order_status_is(w, placed[i].order, "invalid");
		authorization_status_is(w, placed[i].authorization[0], "deactivated");
	}
	world_call(w, 0, acme_order_list, w->account_id[0], "", NULL, &r);
	assert_int_equal(json_length(json_member(r.json, "orders")), 0);
}

static void a_restart_goes_on(void **state)
{
	struct world *w = *state;
	struct placed last = place_many(w);
	struct cancelling c = { .w = w, .authorization = last.authorization[0] };

	acme_close(w->acme);
	world_must(store_update(w->store, begin, &c, p));
	assert_true(c.more && is_ending(w));
	world_open(w);
	for (int i = 0; i < 1200 && is_ending(w); i++)
		usleep(50 * 1000);
	assert_false(is_ending(w));
	authorization_status_is(w, last.authorization[0], "deactivated");
}

/* --- what came before and is stored after */

static void what_comes_late_is_not_stored(void **state)
{
	struct world *w = *state;
	auto_value(reply) order = {0};
	auto_value(reply) authorization = {0};

	deactivate(w);
	world_call(w, 0, acme_order_new, "", "", "{\"identifiers\":[{\"type\":\"dns\",\"value\":\"a.example\"}]}", &order);
	assert_refused(&order, PROBLEM_UNAUTHENTICATED);
	world_call(w, 0, acme_authorization_new, "", "", "{\"identifier\":{\"type\":\"dns\",\"value\":\"a.example\"}}",
	           &authorization);
	assert_refused(&authorization, PROBLEM_UNAUTHENTICATED);
}

/* These requests were verified before the account ended: what is stored as valid again would be its way back. */
static void an_account_is_not_changed_after_its_end(void **state)
{
	struct world *w = *state;
	static const char *const payloads[] = { "{\"contact\":[\"mailto:a@example.org\"]}", deactivation };

	deactivate(w);
	for (size_t i = 0; i < array_length(payloads); i++) {
		auto_value(reply) r = {0};

		world_call(w, 0, acme_account_post, w->account_id[0], "", payloads[i], &r);
		assert_refused(&r, PROBLEM_UNAUTHENTICATED);
	}
}

/* Its account's thumbprint becomes that of its key's JWK, which keyChange compares. */
static void take_thumbprint(struct world *w)
{
	auto_value(buf) text = {0};
	auto_struct(json) *json = NULL;
	auto_value(jwk) jwk = {0};

	maker_jwk(&text, w->public_key[0], "ES256");
	world_must(json_parse(buf_bytes(&text), &json, p) && jwk_read(json, &jwk, p));
	memcpy(w->thumbprint[0], jwk.thumbprint, sizeof(jwk.thumbprint));
	world_must(store_update(w->store, world_put_account, &w->account[0], p));
}

static void make_inner(struct world *w, EVP_PKEY *new_key, struct buf *ret)
{
	auto_value(buf) header = {0}, payload = {0};

	buf_add_str(&header, "{\"alg\":\"ES256\",\"url\":\"https://ca.example/acme/default/x\",\"jwk\":");
	maker_jwk(&header, new_key, "ES256");
	buf_add_char(&header, '}');
	buf_printf(&payload, "{\"account\":\"https://ca.example/acme/default/account/%s\",\"oldKey\":", w->account_id[0]);
	maker_jwk(&payload, w->public_key[0], "ES256");
	buf_add_char(&payload, '}');
	maker_jws(ret, new_key, "ES256", buf_text(&header), buf_text(&payload));
}

static void an_ended_account_gets_no_other_key(void **state)
{
	struct world *w = *state;
	auto_value(buf) inner = {0};
	auto_value(reply) r = {0};
	EVP_PKEY *new_key = maker_key("ES256");

	take_thumbprint(w);
	deactivate(w);
	make_inner(w, new_key, &inner);
	world_call(w, 0, acme_key_change, "", "", buf_text(&inner), &r);
	assert_refused(&r, PROBLEM_UNAUTHENTICATED);
	EVP_PKEY_free(new_key);
}

struct finalizing {
	struct cancelling cancelling;
	const char *order, *payload;
	struct reply reply;
	pthread_t thread;
};

static void *finalize(void *arg)
{
	struct finalizing *f = arg;

	world_call(f->cancelling.w, 0, acme_order_finalize, f->order, "finalize", f->payload, &f->reply);
	return NULL;
}

/* Holds up all other updates until what is finalized meanwhile is signed and waits to be stored. */
static bool begin_slowly(struct store_txn *txn, void *arg, struct problem *p)
{
	struct finalizing *f = arg;

	assert_int_equal(pthread_create(&f->thread, NULL, finalize, f), 0);
	usleep(500 * 1000);
	return begin(txn, &f->cancelling, p);
}

/* The gate has read the account before; its turn among the pages is still to come. */
static void what_is_signed_meanwhile_is_not_given_out(void **state)
{
	struct world *w = *state;
	struct placed last = place_many(w);
	auto_value(buf) csr = {0};
	struct finalizing f = { .cancelling = { .w = w, .authorization = last.authorization[0] }, .order = last.order };

	csr_payload("dns:a.example", &csr);
	f.payload = buf_text(&csr);
	world_must(store_update(w->store, begin_slowly, &f, p));
	pthread_join(f.thread, NULL);
	assert_false(f.reply.done);
	if (f.reply.problem.kind != PROBLEM_UNAUTHORIZED) /* of the gate, on a machine that is slower than that */
		assert_int_equal(f.reply.problem.kind, PROBLEM_UNAUTHENTICATED);
	reply_free(&f.reply);
}

/* --- what renews itself (RFC 8739) */

static const char renewing[] = "AAAAAAAAAAAAAAAAAAAAAA";

static bool put_renewing(struct store_txn *txn, void *arg, struct problem *p)
{
	struct world *w = arg;
	int64_t now = clock_now();
	struct order order = {
		.directory = "default", .profile = "default", .status = ORDER_VALID, .created = now, .expires = now + 86400,
		.star = { .lifetime = 600, .end = now + 86400, .get = true, .due = now + 3600 },
	};

	memcpy(order.id, renewing, sizeof(order.id));
	memcpy(order.certificate, renewing, sizeof(order.certificate));
	memcpy(order.account, w->account_id[0], sizeof(order.account));
	return store_order_put(txn, &order, p);
}

/* Whether or not its page has come. */
static void what_renews_itself_is_fetched_no_more(void **state)
{
	struct world *w = *state;
	auto_value(reply) before = {0};
	auto_value(reply) after = {0};

	world_must(store_update(w->store, put_renewing, w, p));
	world_call(w, 0, acme_star_certificate_get, renewing, "", NULL, &before);
	assert_refused(&before, PROBLEM_NOT_FOUND); /* of the certificate, which is not what is looked at here */
	deactivate(w);
	world_call(w, 0, acme_star_certificate_get, renewing, "", NULL, &after);
	assert_refused(&after, PROBLEM_AUTO_RENEWAL_CANCELED);
}

int main(void)
{
#define test(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)
	const struct CMUnitTest tests[] = {
		test(an_account_takes_its_work_along),
		test(much_work_is_cancelled_by_pages),
		test(a_page_counts_authorizations_too),
		test(a_restart_goes_on),
		test(what_comes_late_is_not_stored),
		test(an_account_is_not_changed_after_its_end),
		test(an_ended_account_gets_no_other_key),
		test(what_is_signed_meanwhile_is_not_given_out),
		test(what_renews_itself_is_fetched_no_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
