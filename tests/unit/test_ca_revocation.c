#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/digest.h"
#include "ca/inventory.h"
#include "ca/revocation.h"

/* RFC 5280, 5.3.1, and who may give which reason. */
static const struct {
	int64_t reason;
	const char *name; /* NULL: there is none */
	bool want_subscriber, want_operator;
} reasons[] = {
	{ 0, "unspecified", true, true },
	{ 1, "keyCompromise", true, true },
	{ 2, "cACompromise", false, true },
	{ 3, "affiliationChanged", true, true },
	{ 4, "superseded", true, true },
	{ 5, "cessationOfOperation", true, true },
	{ 6, "certificateHold", false, true },
	{ 7, NULL, false, false },
	{ 8, "removeFromCRL", false, false },
	{ 9, "privilegeWithdrawn", true, true },
	{ 10, "aACompromise", false, true },
	{ 11, NULL, false, false },
	{ -1, NULL, false, false },
	{ INT64_MIN, NULL, false, false },
	{ INT64_MAX, NULL, false, false },
};

static void reasons_are_for_those_who_may_give_them(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_length(reasons); i++) {
		auto_value(problem) p = { 0 };
		auto_value(problem) q = { 0 };
		assert_int_equal(revocation_reason_check(reasons[i].reason, REVOCATION_BY_SUBSCRIBER, &p), reasons[i].want_subscriber);
		assert_int_equal(p.kind, reasons[i].want_subscriber ? PROBLEM_NONE : PROBLEM_BAD_REVOCATION_REASON);
		assert_int_equal(revocation_reason_check(reasons[i].reason, REVOCATION_BY_OPERATOR, &q), reasons[i].want_operator);
		assert_int_equal(q.kind, reasons[i].want_operator ? PROBLEM_NONE : PROBLEM_BAD_REVOCATION_REASON);
	}
}

static void reasons_have_names(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_length(reasons); i++) {
		int64_t by_name = -7, by_number = -7;
		char number[32];
		const char *name = revocation_reason_name(reasons[i].reason);
		snprintf(number, sizeof(number), "%lld", (long long)reasons[i].reason);
		if (!reasons[i].name) {
			assert_null(name);
			assert_false(revocation_reason_from(number, &by_number));
			assert_int_equal(by_number, -7);
			continue;
		}
		assert_string_equal(name, reasons[i].name);
		assert_true(revocation_reason_from(reasons[i].name, &by_name) && revocation_reason_from(number, &by_number));
		assert_int_equal(by_name, reasons[i].reason);
		assert_int_equal(by_number, reasons[i].reason);
	}
}

static void other_words_are_no_reasons(void **state)
{
	static const char *const words[] = { "", " ", "keycompromise", "keyCompromise ", "01", "+1", "1x", "unused" };
	int64_t reason = -7;

	(void)state;
	for (size_t i = 0; i < array_length(words); i++)
		assert_false(revocation_reason_from(words[i], &reason));
	assert_int_equal(reason, -7);
}

/* --- the change of state, over the memory store */

enum { NOW = 1800000000 };
static const char id[] = "AAAAAAAAAAAAAAAAAAAAAA";

static bool put_fresh(struct store_txn *txn, void *arg, struct problem *p)
{
	const struct certificate row = {
		.id = "AAAAAAAAAAAAAAAAAAAAAA", .status = CERTIFICATE_VALID, .der = BYTES_STR("der"), .issuer = "issuing",
		.serial = BYTES_STR("serial"), .fingerprint = BYTES_STR("fingerprint-of-32-bytes-exactly!"),
		.key_hash = BYTES_STR("key-hash-of-32-bytes-exactly-so!"), .subject = "", .profile = "tls-server",
		.not_before = NOW - 100, .not_after = NOW + 100, .issued = NOW - 100, .method = "internal",
	};

	(void)arg;
	return store_certificate_put(txn, &row, p);
}

struct revocation {
	const char *id;
	int64_t reason, now;
	const char *by;
	enum revocation_asker asker;
};

static bool revoke(struct store_txn *txn, void *arg, struct problem *p)
{
	const struct revocation *r = arg;

	return revocation_record(txn, r->id, r->reason, r->now, r->by, "192.0.2.7", r->asker, p);
}

static bool get(struct store_txn *txn, void *arg, struct problem *p)
{
	return store_certificate_get(txn, id, arg, p);
}

static bool list_revoked(struct store_txn *txn, void *arg, struct problem *p)
{
	return store_certificate_list(txn, CERTIFICATE_REVOKED_OF, "issuing", "", 10, arg, p);
}

static struct store *fresh_store(void)
{
	const uint8_t seal_key[32] = { 1 };
	auto_value(problem) p = { 0 };
	struct kv *kv = NULL;
	struct store *store = NULL;

	assert_true(kv_memory_open(&kv, &p) && store_open_kv(kv, seal_key, &store, &p));
	assert_true(store_update(store, put_fresh, NULL, &p));
	return store;
}

static void a_revocation_is_recorded_whole(void **state)
{
	auto_struct(store) *store = fresh_store();
	struct revocation r = { id, 4, NOW, "account BBBBBBBBBBBBBBBBBBBBBB", REVOCATION_BY_SUBSCRIBER };
	auto_value(problem) p = { 0 };
	auto_value(certificate) row = { 0 };
	auto_value(store_page) page = { 0 };

	(void)state;
	assert_true(store_update(store, revoke, &r, &p));
	assert_true(store_view(store, get, &row, &p));
	assert_int_equal(row.status, CERTIFICATE_REVOKED);
	assert_int_equal(row.revoked, NOW);
	assert_int_equal(row.reason, 4);
	assert_string_equal(row.revoked_by, r.by);
	assert_true(bytes_equal(row.der, BYTES_STR("der")));
	assert_string_equal(certificate_status_name(&row, NOW), "revoked");
	assert_true(store_view(store, list_revoked, &page, &p));
	assert_int_equal(page.ids.n, 1);
	assert_string_equal(page.ids.v[0], id);
}

static bool release(struct store_txn *txn, void *arg, struct problem *p)
{
	const struct revocation *r = arg;

	return revocation_release(txn, r->id, r->now, r->by, NULL, p);
}

static bool list_released(struct store_txn *txn, void *arg, struct problem *p)
{
	return store_certificate_released(txn, "issuing", NOW + 5, "", 10, arg, p);
}

/* Step by step over one certificate; what is refused leaves it as it was. */
static void a_hold_can_end(void **state)
{
	enum { RELEASE = -1, HOLD = 6, COMPROMISE = 1 };
	static const struct {
		int64_t step;
		enum problem_kind want;        /* 0: done */
		enum certificate_status status;
		int64_t reason, released;
		size_t listed;                 /* among those released since NOW + 5 */
	} rows[] = {
		{ RELEASE, PROBLEM_CONFLICT, CERTIFICATE_VALID, 0, 0, 0 },
		{ HOLD, 0, CERTIFICATE_REVOKED, HOLD, 0, 0 },
		{ HOLD, PROBLEM_ALREADY_REVOKED, CERTIFICATE_REVOKED, HOLD, 0, 0 },
		{ RELEASE, 0, CERTIFICATE_VALID, 0, NOW + 3, 0 },
		{ RELEASE, PROBLEM_CONFLICT, CERTIFICATE_VALID, 0, NOW + 3, 0 },
		{ HOLD, 0, CERTIFICATE_REVOKED, HOLD, 0, 0 },
		{ RELEASE, 0, CERTIFICATE_VALID, 0, NOW + 6, 1 },
		{ HOLD, 0, CERTIFICATE_REVOKED, HOLD, 0, 0 },
		{ COMPROMISE, 0, CERTIFICATE_REVOKED, COMPROMISE, 0, 0 },
		{ RELEASE, PROBLEM_CONFLICT, CERTIFICATE_REVOKED, COMPROMISE, 0, 0 },
		{ HOLD, PROBLEM_ALREADY_REVOKED, CERTIFICATE_REVOKED, COMPROMISE, 0, 0 },
	};
	auto_struct(store) *store = fresh_store();

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		struct revocation r = { id, rows[i].step, NOW + (int64_t)i, "operator ada", REVOCATION_BY_OPERATOR };
		auto_value(problem) p = { 0 };
		auto_value(certificate) row = { 0 };
		auto_value(store_page) page = { 0 };
		bool done = store_update(store, rows[i].step == RELEASE ? release : revoke, &r, &p);
		if (done != !rows[i].want || p.kind != rows[i].want)
			fail_msg("step %zu: %s: %s", i, problem_kind_name(p.kind), p.detail);
		problem_done(&p);
		assert_true(store_view(store, get, &row, &p) && store_view(store, list_released, &page, &p));
		assert_int_equal(row.status, rows[i].status);
		assert_int_equal(row.reason, rows[i].reason);
		assert_int_equal(row.released, rows[i].released);
		assert_int_equal(page.ids.n, rows[i].listed);
	}
}

/* Step by step over one certificate, revoked first at NOW. */
static void a_compromise_learned_later_is_told(void **state)
{
	enum { COMPROMISE = 1, CA_COMPROMISE = 2, SUPERSEDED = 4, HOLD = 6 };
	static const struct {
		enum revocation_asker asker;
		int64_t reason;
		enum problem_kind want;        /* 0: done */
		int64_t want_reason, want_revoked, want_changed;
	} rows[] = {
		{ REVOCATION_BY_OPERATOR, SUPERSEDED, 0, SUPERSEDED, NOW, 0 },
		{ REVOCATION_BY_SUBSCRIBER, COMPROMISE, PROBLEM_ALREADY_REVOKED, SUPERSEDED, NOW, 0 },
		{ REVOCATION_BY_OPERATOR, 0, PROBLEM_ALREADY_REVOKED, SUPERSEDED, NOW, 0 },
		{ REVOCATION_BY_OPERATOR, HOLD, PROBLEM_ALREADY_REVOKED, SUPERSEDED, NOW, 0 },
		{ REVOCATION_BY_OPERATOR, COMPROMISE, 0, COMPROMISE, NOW, NOW + 4 },
		{ REVOCATION_BY_OPERATOR, COMPROMISE, PROBLEM_ALREADY_REVOKED, COMPROMISE, NOW, NOW + 4 },
		{ REVOCATION_BY_OPERATOR, CA_COMPROMISE, PROBLEM_ALREADY_REVOKED, COMPROMISE, NOW, NOW + 4 },
		{ REVOCATION_BY_OPERATOR, SUPERSEDED, PROBLEM_ALREADY_REVOKED, COMPROMISE, NOW, NOW + 4 },
	};
	auto_struct(store) *store = fresh_store();

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		struct revocation r = { id, rows[i].reason, NOW + (int64_t)i, "operator ada", rows[i].asker };
		auto_value(problem) p = { 0 };
		auto_value(certificate) row = { 0 };
		bool done = store_update(store, revoke, &r, &p);
		if (done != !rows[i].want || p.kind != rows[i].want)
			fail_msg("step %zu: %s: %s", i, problem_kind_name(p.kind), p.detail);
		problem_done(&p);
		assert_true(store_view(store, get, &row, &p));
		assert_int_equal(row.status, CERTIFICATE_REVOKED);
		assert_int_equal(row.reason, rows[i].want_reason);
		assert_int_equal(row.revoked, rows[i].want_revoked);
		assert_int_equal(row.reason_changed, rows[i].want_changed);
	}
}

/* As of a renewal that was judged and signed while the old certificate was revoked. */
static bool put_another(struct store_txn *txn, void *arg, struct problem *p)
{
	const char *which = arg;
	uint8_t serial[CERTIFICATE_SERIAL_SIZE] = { (uint8_t)*which }, fingerprint[SHA256_SIZE] = { (uint8_t)*which };
	struct certificate row = {
		.status = CERTIFICATE_VALID, .der = BYTES_STR("der"), .issuer = "issuing", .serial = BYTES(serial, sizeof(serial)),
		.fingerprint = BYTES(fingerprint, sizeof(fingerprint)), .key_hash = BYTES_STR("key-hash-of-32-bytes-exactly-so!"),
		.subject = "", .profile = "tls-server", .not_before = NOW, .not_after = NOW + 100, .issued = NOW, .method = "api",
	};

	assert_true(certificate_serial_id(row.serial, row.id));
	return inventory_add(txn, &row, "token x", NULL, p);
}

static void a_key_compromised_meanwhile_is_not_certified(void **state)
{
	static const struct {
		int64_t reason;                /* of the other certificate of the key, before; -1: none */
		const char *which;
		enum problem_kind want;
	} rows[] = {
		{ -1, "1", PROBLEM_NONE }, { 4, "2", PROBLEM_NONE }, { 1, "3", PROBLEM_BAD_CSR },
	};
	auto_struct(store) *store = fresh_store();

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		struct revocation r = { id, rows[i].reason, NOW, "operator ada", REVOCATION_BY_OPERATOR };
		auto_value(problem) p = { 0 };
		assert_true(rows[i].reason < 0 || store_update(store, revoke, &r, &p));
		bool added = store_update(store, put_another, (void *)(uintptr_t)rows[i].which, &p);
		assert_int_equal(added, !rows[i].want);
		assert_int_equal(p.kind, rows[i].want);
	}
}

static void refusals_change_nothing(void **state)
{
	static const struct {
		struct revocation revocation;
		enum problem_kind want;
	} rows[] = {
		{ { "CCCCCCCCCCCCCCCCCCCCCC", 0, NOW, "x", REVOCATION_BY_SUBSCRIBER }, PROBLEM_NOT_FOUND },
		{ { id, 2, NOW, "x", REVOCATION_BY_SUBSCRIBER }, PROBLEM_BAD_REVOCATION_REASON },
		{ { id, 7, NOW, "x", REVOCATION_BY_OPERATOR }, PROBLEM_BAD_REVOCATION_REASON },
		{ { id, 0, NOW + 101, "x", REVOCATION_BY_SUBSCRIBER }, PROBLEM_MALFORMED },
	};
	auto_struct(store) *store = fresh_store();

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		struct revocation r = rows[i].revocation;
		auto_value(problem) p = { 0 };
		auto_value(certificate) row = { 0 };
		assert_false(store_update(store, revoke, &r, &p));
		assert_string_equal(problem_kind_name(p.kind), problem_kind_name(rows[i].want));
		assert_true(store_view(store, get, &row, &p));
		assert_int_equal(row.status, CERTIFICATE_VALID);
		assert_int_equal(row.revoked, 0);
		assert_null(row.revoked_by);
	}
}

static void the_last_second_of_its_life_counts(void **state)
{
	auto_struct(store) *store = fresh_store();
	struct revocation r = { id, 0, NOW + 100, "x", REVOCATION_BY_SUBSCRIBER };
	auto_value(problem) p = { 0 };

	(void)state;
	assert_true(store_update(store, revoke, &r, &p));
}

static void an_operator_can_revoke_what_has_expired(void **state)
{
	auto_struct(store) *store = fresh_store();
	struct revocation r = { id, 10, NOW + 101, "operator root", REVOCATION_BY_OPERATOR };
	auto_value(problem) p = { 0 };

	(void)state;
	assert_true(store_update(store, revoke, &r, &p));
}

static void the_first_revocation_stays(void **state)
{
	static const enum revocation_asker askers[] = { REVOCATION_BY_SUBSCRIBER, REVOCATION_BY_OPERATOR };
	auto_struct(store) *store = fresh_store();
	struct revocation first = { id, 1, NOW, "certificate key", REVOCATION_BY_SUBSCRIBER };
	auto_value(problem) p = { 0 };
	auto_value(certificate) row = { 0 };

	(void)state;
	assert_true(store_update(store, revoke, &first, &p));
	for (size_t i = 0; i < array_length(askers); i++) {
		struct revocation again = { id, 0, NOW + 50, "another", askers[i] };
		auto_value(problem) q = { 0 };
		assert_false(store_update(store, revoke, &again, &q));
		assert_int_equal(q.kind, PROBLEM_ALREADY_REVOKED);
	}
	assert_true(store_view(store, get, &row, &p));
	assert_int_equal(row.reason, 1);
	assert_int_equal(row.revoked, NOW);
	assert_string_equal(row.revoked_by, "certificate key");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reasons_are_for_those_who_may_give_them),
		cmocka_unit_test(reasons_have_names),
		cmocka_unit_test(other_words_are_no_reasons),
		cmocka_unit_test(a_revocation_is_recorded_whole),
		cmocka_unit_test(a_hold_can_end), cmocka_unit_test(a_compromise_learned_later_is_told),
		cmocka_unit_test(a_key_compromised_meanwhile_is_not_certified),
		cmocka_unit_test(refusals_change_nothing),
		cmocka_unit_test(the_last_second_of_its_life_counts),
		cmocka_unit_test(an_operator_can_revoke_what_has_expired),
		cmocka_unit_test(the_first_revocation_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
