#include "acme/challenge.h"
#include "tests/unit/acme_world.h"

static void get(struct world *w, int who, const char *id, const char *payload, struct reply *ret)
{
	world_call(w, who, acme_authorization_post, id, "", payload, ret);
}

static void new_authorization(struct world *w, const char *payload, struct reply *ret)
{
	world_call(w, 0, acme_authorization_new, "", "", payload, ret);
}

static void shows_itself(void **state)
{
	struct world *w = *state;
	struct placed placed = place_order(w, 0, "dns:A.Example");
	auto_value(reply) r = {0};

	get(w, 0, placed.authorization[0], NULL, &r);
	assert_done(&r, 200);
	assert_member(r.json, "status", "pending");
	assert_non_null(json_member_string(r.json, "expires"));
	assert_member(json_member(r.json, "identifier"), "type", "dns");
	assert_member(json_member(r.json, "identifier"), "value",
	              "a.example"); /* as in the certificate (7.1.4) */
	assert_null(json_member(r.json, "wildcard"));
	const struct json *challenges = json_member(r.json, "challenges");
	assert_int_equal(json_length(challenges), 1);
	const struct json *c = json_at(challenges, 0);
	/* Flat, in this order: some clients read it with regular expressions. */
	assert_int_equal(json_length(c), 4);
	assert_string_equal(json_name(json_at(c, 0)), "type");
	assert_string_equal(json_name(json_at(c, 1)), "url");
	assert_string_equal(json_name(json_at(c, 2)), "status");
	assert_string_equal(json_name(json_at(c, 3)), "token");
	assert_member(c, "type", "http-01");
	assert_member(c, "status", "pending");
	assert_true(strlen(json_member_string(c, "token")) >= 22);
	assert_null(strchr(buf_text(&r.response.body), ' '));
}

static void belongs_to_its_account(void **state)
{
	struct world *w = *state;
	struct placed placed = place_order(w, 0, "dns:a.example");
	static const char *const payloads[] = { NULL, "{\"status\":\"deactivated\"}" };

	for (size_t i = 0; i < array_length(payloads); i++) {
		auto_value(reply) r = {0};

		get(w, 1, placed.authorization[0], payloads[i], &r);
		assert_refused(&r, PROBLEM_UNAUTHORIZED);
	}
	auto_value(reply) challenge = {0};
	answer_challenge(w, 1, placed.authorization[0], &challenge);
	assert_refused(&challenge, PROBLEM_UNAUTHORIZED);
	authorization_status_is(w, placed.authorization[0], "pending");
}

static void deactivates(void **state)
{
	static const char *const others[] = { "{}", "{\"status\":\"valid\"}", "{\"status\":7}" };
	struct world *w = *state;
	struct placed placed = ready_order(w, "dns:a.example");
	auto_value(reply) r = {0};
	auto_value(reply) again = {0};

	for (size_t i = 0; i < array_length(others); i++) {
		auto_value(reply) other = {0};

		get(w, 0, placed.authorization[0], others[i], &other);
		assert_refused(&other, PROBLEM_MALFORMED);
	}
	authorization_status_is(w, placed.authorization[0], "valid");
	get(w, 0, placed.authorization[0], "{\"status\":\"deactivated\"}", &r);
	assert_done(&r, 200);
	assert_member(r.json, "status", "deactivated");
	assert_null(json_member(r.json, "expires"));
	order_status_is(w, placed.order, "invalid");
	get(w, 0, placed.authorization[0], "{\"status\":\"deactivated\"}", &again);
	assert_done(&again, 200);
	assert_member(again.json, "status", "deactivated");
}

static void shows_only_the_challenge_that_counted(void **state)
{
	struct world *w = *state;
	struct placed placed = ready_order(w, "dns:a.example");
	auto_value(reply) r = {0};

	get(w, 0, placed.authorization[0], NULL, &r);
	assert_member(r.json, "status", "valid");
	const struct json *c = json_at(json_member(r.json, "challenges"), 0);
	assert_member(c, "status", "valid");
	assert_non_null(json_member_string(c, "validated"));
	assert_null(json_member(c, "error"));
}

static void is_made_in_advance(void **state)
{
	struct world *w = *state;
	auto_value(reply) first = {0};
	auto_value(reply) proven = {0};
	auto_value(reply) again = {0};
	char id[RANDOM_ID_SIZE], same[RANDOM_ID_SIZE];

	new_authorization(w, "{\"identifier\":{\"type\":\"dns\",\"value\":\"Pre.Example\"}}", &first);
	assert_done(&first, 201);
	assert_member(first.json, "status", "pending");
	id_in(reply_header(&first, "Location"), "authz", id);
	answer_challenge(w, 0, id, &proven);
	assert_member(proven.json, "status", "valid");
	struct placed placed = place_order(w, 0, "dns:pre.example");
	assert_string_equal(placed.authorization[0], id);
	order_status_is(w, placed.order, "ready");
	new_authorization(w, "{\"identifier\":{\"type\":\"dns\",\"value\":\"pre.example\"}}", &again);
	assert_done(&again, 201);
	assert_string_equal(id_in(reply_header(&again, "Location"), "authz", same), id);
	assert_member(again.json, "status", "valid");
}

static void is_not_made_for_everything(void **state)
{
	static const struct {
		const char *payload;
		enum problem_kind want;
		int want_status;
	} rows[] = {
		{ "{}", PROBLEM_MALFORMED, 400 },
		{ "{\"identifier\":\"a.example\"}", PROBLEM_MALFORMED, 400 },
		{ "{\"identifier\":{\"type\":\"dns\"}}", PROBLEM_MALFORMED, 400 },
		{ "{\"identifier\":{\"type\":\"dns\",\"value\":\"*.a.example\"}}", PROBLEM_MALFORMED, 400 },
		{ "{\"identifier\":{\"type\":\"dns\",\"value\":\"a.elsewhere\"}}",
		  PROBLEM_REJECTED_IDENTIFIER, 403 },
		{ "{\"identifier\":{\"type\":\"x\",\"value\":\"a\"}}", PROBLEM_UNSUPPORTED_IDENTIFIER, 403 },
	};
	struct world *w = *state;

	for (size_t i = 0; i < array_length(rows); i++) {
		auto_value(reply) r = {0};

		new_authorization(w, rows[i].payload, &r);
		assert_refused(&r, rows[i].want);
		assert_int_equal(problem_status(&r.problem), rows[i].want_status);
	}
}

/* --- wildcards: no challenge here proves one yet, so one is laid into the store */

static bool put(struct store_txn *txn, void *arg, struct problem *p)
{
	return store_authorization_put(txn, arg, p);
}

static void wildcards_have_their_own(void **state)
{
	struct world *w = *state;
	struct challenge proven = { .type = "dns-01", .token = "t", .url_key = "dns-01",
	                            .status = CHALLENGE_VALID, .validated = clock_now() };
	struct authorization a = {
		.directory = "default", .status = AUTHORIZATION_VALID, .type = "dns", .value = "a.example",
		             .wildcard = true,
		.created = clock_now(), .expires = clock_now() + 86400, .challenges = { &proven, 1 },
	};
	auto_value(reply) r = {0};

	memcpy(a.account, w->account_id[0], sizeof(a.account));
	world_must(random_id(a.id, p));
	world_must(store_update(w->store, put, &a, p));
	struct placed wild = place_order(w, 0, "dns:*.a.example");
	assert_string_equal(wild.authorization[0], a.id);
	order_status_is(w, wild.order, "ready");
	get(w, 0, a.id, NULL, &r);
	assert_member(json_member(r.json, "identifier"), "value", "a.example");
	bool wildcard = false;
	assert_true(json_bool(json_member(r.json, "wildcard"), &wildcard) && wildcard);
	/* It says nothing of the name itself. */
	struct placed plain = place_order(w, 0, "dns:a.example");
	assert_string_not_equal(plain.authorization[0], a.id);
	order_status_is(w, plain.order, "pending");
}

static void the_table_offers_what_fits(void **state)
{
	static const struct {
		const char *name;
		enum identifier_type identifier;
		bool wildcard, want;
	} rows[] = {
		{ "http-01", IDENTIFIER_DNS, false, true },
		{ "http-01", IDENTIFIER_IP, false, true },    /* RFC 8738, 5 */
		{ "http-01", IDENTIFIER_DNS, true, false },   /* 8.3 proves one host, not all of a zone */
		{ "http-01", IDENTIFIER_EMAIL, false, false },
		{ "dns-01", IDENTIFIER_DNS, true, true },
		{ "dns-01", IDENTIFIER_IP, false, false },    /* RFC 8738, 7 */
		{ "tls-alpn-01", IDENTIFIER_DNS, false, true },
		{ "tls-alpn-01", IDENTIFIER_IP, false, true }, /* RFC 8738, 6 */
		{ "tls-alpn-01", IDENTIFIER_DNS, true, false }, /* RFC 8737, 3 */
	};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		const struct challenge_type *type = challenge_type_find(rows[i].name);

		assert_non_null(type);
		assert_int_equal(challenge_type_fits(type, ACME_CHALLENGES_USUAL, rows[i].identifier, rows[i].wildcard),
		                 rows[i].want);
	}
	assert_null(challenge_type_find("http-02"));
}

int main(void)
{
#define test(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)
	const struct CMUnitTest tests[] = {
		test(shows_itself),
		test(belongs_to_its_account),
		test(deactivates),
		test(shows_only_the_challenge_that_counted),
		test(is_made_in_advance),
		test(is_not_made_for_everything),
		test(wildcards_have_their_own),
		cmocka_unit_test(the_table_offers_what_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
