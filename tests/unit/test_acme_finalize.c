#include "acme/certificate_id.h"
#include "store/certificate.h"
#include "tests/unit/acme_world.h"

static void finalize(struct world *w, int who, const char *order, const char *payload, struct reply *ret)
{
	world_call(w, who, acme_order_finalize, order, "finalize", payload, ret);
}

static size_t certificates_of(struct world *w, const char *name);

struct counting {
	const char *name;
	size_t n;
};

static bool count(struct store_txn *txn, void *arg, struct problem *p)
{
	struct counting *c = arg;
	auto_value(store_page) page = {0};

	if (!store_certificate_list(txn, CERTIFICATE_BY_NAME, c->name, "", 1000, &page, p))
		return false;
	c->n = page.ids.n;
	return true;
}

static size_t certificates_of(struct world *w, const char *name)
{
	struct counting c = { .name = name };

	world_must(store_view(w->store, count, &c, p));
	return c.n;
}

static void issues(void **state)
{
	struct world *w = *state;
	auto_value(buf) csr = {0};
	auto_value(reply) r = {0};
	char certificate[RANDOM_ID_SIZE];

	struct placed placed = ready_order(w, "dns:a.example dns:b.example ip:127.0.0.1");
	order_status_is(w, placed.order, "ready");
	csr_payload("dns:b.example dns:a.example ip:127.0.0.1", &csr);
	finalize(w, 0, placed.order, buf_text(&csr), &r);
	assert_done(&r, 200);
	assert_member(r.json, "status", "valid");
	assert_non_null(strstr(reply_header(&r, "Location"), placed.order));
	id_in(json_member_string(r.json, "certificate"), "certificate", certificate);
	assert_null(json_member(r.json, "error"));
	order_status_is(w, placed.order, "valid");
	assert_int_equal(certificates_of(w, "dns:a.example"), 1);

	auto_value(reply) pem = {0};
	world_call(w, 0, acme_certificate_get, certificate, "", NULL, &pem);
	assert_done(&pem, 200);
	assert_string_equal(pem.response.content_type, "application/pem-certificate-chain");
	const char *text = buf_text(&pem.response.body);
	assert_true(str_starts(text, "-----BEGIN CERTIFICATE-----\n"));
	assert_true(str_ends(text, "-----END CERTIFICATE-----\n"));
	assert_non_null(strstr(text + 1, "-----BEGIN CERTIFICATE-----\n")); /* leaf and issuing CA, no root */
	assert_null(strstr(strstr(text + 1, "-----BEGIN CERTIFICATE-----\n") + 1, "-----BEGIN"));
	assert_null(reply_header(&pem, "Link"));

	auto_value(reply) other = {0};
	world_call(w, 1, acme_certificate_get, certificate, "", NULL, &other);
	assert_refused(&other, PROBLEM_UNAUTHORIZED);
	auto_value(reply) chain = {0};
	world_call(w, 0, acme_certificate_get, certificate, "1", NULL, &chain);
	assert_refused(&chain, PROBLEM_NOT_FOUND);
	auto_value(reply) spelled = {0};
	world_call(w, 0, acme_certificate_get, certificate, "0", NULL, &spelled);
	assert_refused(&spelled, PROBLEM_NOT_FOUND); /* it has one URL */
}

static void the_same_csr_again_is_answered_as_the_first(void **state)
{
	struct world *w = *state;
	auto_value(buf) csr = {0};
	auto_value(buf) other_csr = {0};
	auto_value(reply) first = {0};
	auto_value(reply) again = {0};
	auto_value(reply) other = {0};

	struct placed placed = ready_order(w, "dns:a.example");
	csr_payload("dns:a.example", &csr);
	csr_payload("dns:a.example", &other_csr);
	finalize(w, 0, placed.order, buf_text(&csr), &first);
	finalize(w, 0, placed.order, buf_text(&csr), &again);
	assert_done(&again, 200);
	assert_string_equal(buf_text(&first.response.body), buf_text(&again.response.body));
	finalize(w, 0, placed.order, buf_text(&other_csr), &other);
	assert_refused(&other, PROBLEM_ORDER_NOT_READY);
	assert_int_equal(problem_status(&other.problem), 403);
	assert_int_equal(certificates_of(w, "dns:a.example"), 1);
}

static void padding_is_let_pass(void **state)
{
	struct world *w = *state;
	auto_value(reply) r = {0};
	struct placed placed = ready_order(w, "dns:a.example");

	for (size_t len = 1;;) { /* a CSR whose length leaves room for padding */
		auto_value(buf) csr = {0};
		auto_value(buf) padded = {0};

		csr_payload("dns:a.example", &csr);
		len = csr.len - strlen("{\"csr\":\"\"}");
		if (len % 4 == 0)
			continue;
		buf_printf(&padded, "%.*s%s\"}", (int)(csr.len - 2), buf_text(&csr), len % 4 == 2
		           ? "==" : "=");
		finalize(w, 0, placed.order, buf_text(&padded), &r);
		break;
	}
	assert_done(&r, 200);
	assert_member(r.json, "status", "valid");
}

static void refusals_leave_the_order_ready(void **state)
{
	static const struct {
		const char *names, *payload;
		enum problem_kind want;
	} rows[] = {
		{ "dns:a.example dns:more.example", NULL, PROBLEM_BAD_CSR },
		{ "dns:b.example", NULL, PROBLEM_BAD_CSR },
		{ NULL, "{}", PROBLEM_MALFORMED },
		{ NULL, "{\"csr\":7}", PROBLEM_MALFORMED },
		{ NULL, "{\"csr\":\"\"}", PROBLEM_BAD_CSR },
		{ NULL, "{\"csr\":\"not base64!\"}", PROBLEM_BAD_CSR },
		{ NULL, "{\"csr\":\"AAAA\"}", PROBLEM_BAD_CSR },
		{ NULL, "{\"csr\":\"AAAA====\"}", PROBLEM_BAD_CSR },
	};
	struct world *w = *state;
	struct placed placed = ready_order(w, "dns:a.example");
	auto_value(buf) right = {0};
	auto_value(reply) last = {0};

	for (size_t i = 0; i < array_length(rows); i++) {
		auto_value(buf) csr = {0};
		auto_value(reply) r = {0};

		if (rows[i].names)
			csr_payload(rows[i].names, &csr);
		finalize(w, 0, placed.order, rows[i].names ? buf_text(&csr) : rows[i].payload, &r);
		assert_refused(&r, rows[i].want);
		order_status_is(w, placed.order, "ready");
	}
	assert_int_equal(certificates_of(w, "dns:a.example"), 0);
	csr_payload("dns:a.example", &right);
	finalize(w, 0, placed.order, buf_text(&right), &last);
	assert_done(&last, 200);
}

static void only_a_ready_order_of_ones_own(void **state)
{
	struct world *w = *state;
	auto_value(buf) csr = {0};
	auto_value(reply) pending = {0};
	auto_value(reply) other = {0};
	auto_value(reply) none = {0};

	csr_payload("dns:a.example", &csr);
	struct placed placed = place_order(w, 0, "dns:a.example");
	finalize(w, 0, placed.order, buf_text(&csr), &pending);
	assert_refused(&pending, PROBLEM_ORDER_NOT_READY);
	order_status_is(w, placed.order, "pending");
	finalize(w, 1, placed.order, buf_text(&csr), &other);
	assert_refused(&other, PROBLEM_UNAUTHORIZED);
	finalize(w, 0, "AAAAAAAAAAAAAAAAAAAAAA", buf_text(&csr), &none);
	assert_refused(&none, PROBLEM_NOT_FOUND);
}

static void an_expired_order_is_not_finalized(void **state)
{
	struct world *w = *state;
	auto_value(buf) csr = {0};
	auto_value(reply) r = {0};
	struct placed placed = ready_order(w, "dns:a.example");

	csr_payload("dns:a.example", &csr);
	clock_shift(2 * 86400);
	order_status_is(w, placed.order, "invalid");
	finalize(w, 0, placed.order, buf_text(&csr), &r);
	clock_shift(-(2 * 86400));
	assert_refused(&r, PROBLEM_ORDER_NOT_READY);
}

/* --- many at once */

struct racer {
	struct world *w;
	const char *order, *payload;
	pthread_t thread;
	bool done;
	enum problem_kind kind;
	char status[16], certificate[RANDOM_ID_SIZE];
};

static void *race(void *arg)
{
	struct racer *racer = arg;
	struct reply r = {0};
	const char *url;

	world_call(racer->w, 0, acme_order_finalize, racer->order, "finalize", racer->payload, &r);
	racer->done = r.done;
	racer->kind = r.problem.kind;
	snprintf(racer->status, sizeof(racer->status), "%s", r.done
	         ? json_member_string(r.json, "status") : "");
	url = r.done ? json_member_string(r.json, "certificate") : NULL;
	if (url)
		id_in(url, "certificate", racer->certificate);
	reply_free(&r);
	return NULL;
}

enum { RACERS = 100 };

/* attacks.md: double finalize race. */
static void a_hundred_finalizes_give_one_certificate(void **state)
{
	struct world *w = *state;
	static struct racer racers[RACERS];
	auto_value(buf) csr = {0};
	struct placed placed = ready_order(w, "dns:a.example");

	csr_payload("dns:a.example", &csr);
	for (int i = 0; i < RACERS; i++) {
		racers[i] = (struct racer){ .w = w, .order = placed.order, .payload = buf_text(&csr) };
		assert_int_equal(pthread_create(&racers[i].thread, NULL, race, &racers[i]), 0);
	}
	for (int i = 0; i < RACERS; i++)
		pthread_join(racers[i].thread, NULL);
	for (int i = 0; i < RACERS; i++) {
		assert_true(racers[i].done);
		assert_true(str_equal(racers[i].status, "valid") ||
		            str_equal(racers[i].status, "processing"));
		if (racers[i].certificate[0] && racers[0].certificate[0])
			assert_string_equal(racers[i].certificate, racers[0].certificate);
	}
	assert_int_equal(certificates_of(w, "dns:a.example"), 1);
}

static void a_hundred_csrs_give_one_certificate(void **state)
{
	struct world *w = *state;
	static struct racer racers[RACERS];
	static struct buf csrs[RACERS];
	struct placed placed = ready_order(w, "dns:a.example");
	int done = 0;

	for (int i = 0; i < RACERS; i++) {
		csr_payload("dns:a.example", &csrs[i]);
		racers[i] = (struct racer){ .w = w, .order = placed.order, .payload = buf_text(&csrs[i]) };
	}
	for (int i = 0; i < RACERS; i++)
		assert_int_equal(pthread_create(&racers[i].thread, NULL, race, &racers[i]), 0);
	for (int i = 0; i < RACERS; i++) {
		pthread_join(racers[i].thread, NULL);
		buf_free(&csrs[i]);
		done += racers[i].done;
		if (!racers[i].done)
			assert_int_equal(racers[i].kind, PROBLEM_ORDER_NOT_READY);
	}
	assert_int_equal(done, 1);
	assert_int_equal(certificates_of(w, "dns:a.example"), 1);
}

/* What is signed while an authorization ends is never stored, so never leaves. */
static void a_deactivated_authorization_stops_it(void **state)
{
	struct world *w = *state;
	auto_value(buf) csr = {0};
	auto_value(reply) gone = {0};
	auto_value(reply) r = {0};
	struct placed placed = ready_order(w, "dns:a.example dns:b.example");

	world_call(w, 0, acme_authorization_post, placed.authorization[1], "", "{\"status\":\"deactivated\"}",
	           &gone);
	assert_done(&gone, 200);
	order_status_is(w, placed.order, "invalid");
	csr_payload("dns:a.example dns:b.example", &csr);
	finalize(w, 0, placed.order, buf_text(&csr), &r);
	assert_refused(&r, PROBLEM_ORDER_NOT_READY);
	assert_int_equal(certificates_of(w, "dns:a.example"), 0);
}

static void an_issuance_costs_three_commits(void **state)
{
	struct world *w = *state;
	auto_value(buf) csr = {0};
	auto_value(reply) r = {0};
	uint64_t before, after, updates;

	store_counters(w->store, &before, &updates);
	struct placed placed = ready_order(w, "dns:a.example");
	csr_payload("dns:a.example", &csr);
	finalize(w, 0, placed.order, buf_text(&csr), &r);
	assert_done(&r, 200);
	store_counters(w->store, &after, &updates);
	assert_int_equal(after - before, 3);
}

struct replacing {
	struct world *w;
	const char *certificate, *order, *name;
	const char *by_certificate, *by_order; /* the mark; NULL: none */
};

/* An order says that it replaces the certificate, which has been marked since, or before there were such marks. */
static bool mark(struct store_txn *txn, void *arg, struct problem *p)
{
	const struct replacing *r = arg;
	auto_value(certificate) row = {0};
	auto_value(order) order = {0};

	if (!store_order_get(txn, r->order, &order, p) || !store_certificate_get(txn, r->certificate, &row, p))
		return false;
	order.replaces = r->name;
	row.replaced_by = r->by_certificate;
	snprintf(row.replacing, sizeof(row.replacing), "%s", r->by_order ?: "");
	return store_order_put(txn, &order, p) && store_certificate_put(txn, &row, p);
}

static bool write_name(struct store_txn *txn, void *arg, struct problem *p)
{
	struct replacing *r = arg;
	auto_value(certificate) row = {0};
	auto_value(buf) text = {0};

	if (!store_certificate_get(txn, r->certificate, &row, p))
		return false;
	certificate_id_write(issuer_key_id(ca_issuer(r->w->ca, row.issuer)), row.serial, &text);
	r->name = buf_take(&text, NULL);
	return r->name || problem_memory(p);
}

/* RFC 9773, 5. The order stays as it is: nothing is signed. */
static void a_certificate_is_not_replaced_twice(void **state)
{
	struct world *w = *state;
	auto_value(buf) csr = {0};
	auto_value(reply) issued = {0}, refused = {0}, again = {0}, good = {0};
	char certificate[RANDOM_ID_SIZE];
	struct replacing r = { .w = w, .certificate = certificate };

	struct placed first = ready_order(w, "dns:a.example");
	csr_payload("dns:a.example", &csr);
	finalize(w, 0, first.order, buf_text(&csr), &issued);
	assert_done(&issued, 200);
	id_in(json_member_string(issued.json, "certificate"), "certificate", certificate);
	world_must(store_view(w->store, write_name, &r, p));

	struct placed second = ready_order(w, "dns:a.example"), other = place_order(w, 0, "dns:z.example");
	r.order = second.order;
	r.by_certificate = "another";
	world_must(store_update(w->store, mark, &r, p));
	finalize(w, 0, second.order, buf_text(&csr), &refused);
	assert_refused(&refused, PROBLEM_ALREADY_REPLACED);
	r.by_certificate = NULL;
	r.by_order = other.order;
	world_must(store_update(w->store, mark, &r, p));
	finalize(w, 0, second.order, buf_text(&csr), &again);
	assert_refused(&again, PROBLEM_ALREADY_REPLACED);
	order_status_is(w, second.order, "ready");
	assert_int_equal(certificates_of(w, "dns:a.example"), 1);
	r.by_order = second.order;
	world_must(store_update(w->store, mark, &r, p));
	finalize(w, 0, second.order, buf_text(&csr), &good);
	assert_done(&good, 200);
	free((char *)(uintptr_t)r.name);
}

int main(void)
{
#define test(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)
	const struct CMUnitTest tests[] = {
		test(issues),
		test(the_same_csr_again_is_answered_as_the_first),
		test(padding_is_let_pass),
		test(refusals_leave_the_order_ready),
		test(only_a_ready_order_of_ones_own),
		test(an_expired_order_is_not_finalized),
		test(a_hundred_finalizes_give_one_certificate),
		test(a_hundred_csrs_give_one_certificate),
		test(a_deactivated_authorization_stops_it),
		test(a_certificate_is_not_replaced_twice),
		test(an_issuance_costs_three_commits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
