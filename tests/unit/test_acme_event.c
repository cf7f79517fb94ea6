/* What issuing, refusing and revoking tell the audit log. */
#include "tests/unit/acme_world.h"

#include "store/audit_queue.h"
#include "tests/unit/audit_reader.h"

static void flush(struct world *w)
{
	world_must(audit_queue_flush(w->acme->audit, p));
}

static void finalize(struct world *w, int who, const char *order, const char *names, struct reply *ret)
{
	auto_value(buf) csr = {0};

	csr_payload(names, &csr);
	world_call(w, who, acme_order_finalize, order, "finalize", buf_text(&csr), ret);
}

static void want_actor(const struct world *w, int who, const struct json *event)
{
	char actor[64];

	snprintf(actor, sizeof(actor), "account %s", w->account[who].id);
	assert_string_equal(audit_says(event, "actor"), actor);
	assert_string_equal(audit_says(event, "from"), "192.0.2.7");
	assert_string_equal(audit_says(event, "account"), w->account[who].id);
}

struct row {
	const char *id;
	struct certificate certificate;
};

static bool get_row(struct store_txn *txn, void *arg, struct problem *p)
{
	struct row *row = arg;

	return store_certificate_get(txn, row->id, &row->certificate, p);
}

static void an_issuance_is_told(void **state)
{
	struct world *w = *state;
	auto_value(reply) r = {0};
	auto_value(buf) fingerprint = {0};
	struct placed placed = ready_order(w, "dns:a.example dns:b.example");

	finalize(w, 0, placed.order, "dns:a.example dns:b.example", &r);
	assert_done(&r, 200);
	auto_struct(json) *event = audit_newest(w->store, AUDIT_CERTIFICATE_ISSUED);
	want_actor(w, 0, event);
	assert_string_equal(audit_says(event, "order"), placed.order);
	assert_string_equal(audit_says(event, "profile"), "default");
	assert_string_equal(audit_says(event, "method"), "acme");
	const struct json *names = json_member(json_member(event, "about"), "names");
	assert_string_equal(json_string(json_at(names, 0)), "dns:a.example");
	assert_string_equal(json_string(json_at(names, 1)), "dns:b.example");
	struct row row = { .id = audit_says(event, "certificate") };
	world_must(store_view(w->store, get_row, &row, p));
	buf_add_hex(&fingerprint, row.certificate.fingerprint);
	assert_string_equal(audit_says(event, "fingerprint"), buf_text(&fingerprint));
	certificate_free(&row.certificate);
	assert_int_equal(audit_count(w->store, AUDIT_CERTIFICATE_ISSUED), 1);
}

/* Asked again, the same certificate is shown: nothing was decided. */
static void an_answer_repeated_is_no_event(void **state)
{
	struct world *w = *state;
	auto_value(buf) csr = {0};
	struct placed placed = ready_order(w, "dns:a.example");

	csr_payload("dns:a.example", &csr);
	for (int i = 0; i < 3; i++) {
		auto_value(reply) r = {0};

		world_call(w, 0, acme_order_finalize, placed.order, "finalize", buf_text(&csr), &r);
		assert_done(&r, 200);
	}
	assert_int_equal(audit_count(w->store, AUDIT_CERTIFICATE_ISSUED), 1);
}

static void a_refused_csr_is_told_with_reasons(void **state)
{
	struct world *w = *state;
	struct placed placed = ready_order(w, "dns:a.example");

	for (int i = 0; i < 3; i++) {
		auto_value(reply) r = {0};

		finalize(w, 0, placed.order, "dns:a.example dns:more.example", &r);
		assert_refused(&r, PROBLEM_BAD_CSR);
	}
	flush(w);
	assert_int_equal(audit_count(w->store, AUDIT_CERTIFICATE_REFUSED), 1);
	auto_struct(json) *event = audit_newest(w->store, AUDIT_CERTIFICATE_REFUSED);
	int64_t times = 0;
	want_actor(w, 0, event);
	assert_string_equal(audit_says(event, "order"), placed.order);
	assert_string_equal(audit_says(event, "problem"), "badCSR");
	assert_non_null(strstr(audit_says(event, "rules"), "names-equal"));
	const struct json *reasons = json_member(json_member(event, "about"), "reasons");
	assert_true(json_length(reasons) > 0);
	assert_non_null(strstr(json_string(json_at(reasons, 0)), "more.example"));
	assert_true(json_integer(json_member(event, "times"), &times));
	assert_int_equal(times, 3);
	assert_int_equal(audit_count(w->store, AUDIT_CERTIFICATE_ISSUED), 0);
}

static void a_refused_order_is_told(void **state)
{
	struct world *w = *state;
	auto_value(buf) payload = {0};
	auto_value(reply) r = {0};

	names_payload("dns:a.example dns:www.elsewhere.org", &payload);
	world_call(w, 1, acme_order_new, "", "", buf_text(&payload), &r);
	assert_refused(&r, PROBLEM_REJECTED_IDENTIFIER);
	flush(w);
	auto_struct(json) *event = audit_newest(w->store, AUDIT_ORDER_REFUSED);
	want_actor(w, 1, event);
	const struct json *reasons = json_member(json_member(event, "about"), "reasons");
	assert_int_equal(json_length(reasons), 1);
	assert_non_null(strstr(json_string(json_at(reasons, 0)), "www.elsewhere.org"));
}

/* What a client does wrong without asking for anything it may not have. */
static void other_refusals_are_no_events(void **state)
{
	static const char *const payloads[] = {
		"{}", "{\"identifiers\":[]}", "{\"identifiers\":[{\"type\":\"dns\"}]}", "{\"identifiers\":[{\"type\":\"dns\",\"value\":\"a.example\"}],\"notAfter\":\"x\"}",
	};
	struct world *w = *state;
	struct placed placed = place_order(w, 0, "dns:a.example");
	auto_value(reply) early = {0};

	for (size_t i = 0; i < array_length(payloads); i++) {
		auto_value(reply) r = {0};

		world_call(w, 0, acme_order_new, "", "", payloads[i], &r);
		assert_refused(&r, PROBLEM_MALFORMED);
	}
	finalize(w, 0, placed.order, "dns:a.example", &early);
	assert_refused(&early, PROBLEM_ORDER_NOT_READY);
	flush(w);
	assert_int_equal(audit_count(w->store, AUDIT_ORDER_REFUSED), 0);
	assert_int_equal(audit_count(w->store, AUDIT_CERTIFICATE_REFUSED), 0);
	assert_int_equal(audit_count(w->store, AUDIT_REFUSALS_DROPPED), 0);
}

static void revoke_payload(struct world *w, struct buf *ret)
{
	auto_struct(json) *event = audit_newest(w->store, AUDIT_CERTIFICATE_ISSUED);
	struct row row = { .id = audit_says(event, "certificate") };

	world_must(store_view(w->store, get_row, &row, p));
	buf_add_str(ret, "{\"certificate\":\"");
	buf_add_base64url(ret, row.certificate.der);
	buf_add_str(ret, "\",\"reason\":4}");
	certificate_free(&row.certificate);
}

static void revocations_are_told_and_those_refused(void **state)
{
	struct world *w = *state;
	auto_value(reply) issued = {0}, by_other = {0}, by_owner = {0}, again = {0};
	auto_value(buf) payload = {0};
	struct placed placed = ready_order(w, "dns:a.example");

	finalize(w, 0, placed.order, "dns:a.example", &issued);
	revoke_payload(w, &payload);
	world_call(w, 1, acme_certificate_revoke, "", "", buf_text(&payload), &by_other);
	assert_refused(&by_other, PROBLEM_UNAUTHORIZED);
	flush(w);
	auto_struct(json) *refused = audit_newest(w->store, AUDIT_REVOCATION_REFUSED);
	want_actor(w, 1, refused);
	assert_int_equal(audit_count(w->store, AUDIT_CERTIFICATE_REVOKED), 0);

	world_call(w, 0, acme_certificate_revoke, "", "", buf_text(&payload), &by_owner);
	assert_done(&by_owner, 200);
	auto_struct(json) *revoked = audit_newest(w->store, AUDIT_CERTIFICATE_REVOKED);
	want_actor(w, 0, revoked);
	assert_string_equal(audit_says(revoked, "reason"), "superseded");
	assert_string_equal(audit_says(revoked, "certificate"), audit_says(refused, "certificate"));

	world_call(w, 0, acme_certificate_revoke, "", "", buf_text(&payload), &again);
	assert_refused(&again, PROBLEM_ALREADY_REVOKED);
	flush(w);
	assert_int_equal(audit_count(w->store, AUDIT_CERTIFICATE_REVOKED), 1);
	assert_int_equal(audit_count(w->store, AUDIT_REVOCATION_REFUSED), 1);
}

/* Refusals are counted in memory until they are written, at closing too. */
static void closing_writes_what_waits(void **state)
{
	struct world *w = *state;
	auto_value(reply) r = {0};
	struct placed placed = ready_order(w, "dns:a.example");

	finalize(w, 0, placed.order, "dns:b.example", &r);
	acme_close(steal(w->acme));
	assert_int_equal(audit_count(w->store, AUDIT_CERTIFICATE_REFUSED), 1);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(an_issuance_is_told, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(an_answer_repeated_is_no_event, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(a_refused_csr_is_told_with_reasons, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(a_refused_order_is_told, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(other_refusals_are_no_events, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(revocations_are_told_and_those_refused, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(closing_writes_what_waits, world_setup, world_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
