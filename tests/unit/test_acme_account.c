#include "tests/unit/acme_fixture.h"
#include "tests/unit/audit_reader.h"

#include <pthread.h>

struct scene {
	struct fixture fixture;
	struct client client;
};

static void open_scene(struct scene *s)
{
	struct acme_options options = fixture_options();
	options.terms_of_service = FIXTURE_TERMS;
	fixture_open(&s->fixture, &options);
	client_open(&s->client, &s->fixture, "ES256", "default");
}

static void close_scene(struct scene *s)
{
	client_free(&s->client);
	fixture_close(&s->fixture);
}
#define auto_scene __attribute__((cleanup(close_scene))) struct scene

#define AGREED "\"termsOfServiceAgreed\":true"

static bool count_account(struct store_txn *txn, void *arg, struct problem *p)
{
	auto_value(store_page) page = { 0 };
	if (!store_account_list(txn, "", 100, &page, p))
		return false;
	*(size_t *)arg = page.ids.n;
	return true;
}

static size_t accounts(struct fixture *f)
{
	auto_value(problem) p = { 0 };
	size_t n = 0;
	assert_true(store_view(f->store, count_account, &n, &p));
	return n;
}

static void every_algorithm_makes_an_account(void **state)
{
	auto_scene s;

	(void)state;
	open_scene(&s);
	for (size_t i = 0; i < array_length(maker_algorithms); i++) {
		auto_value(client) c = { 0 };
		auto_value(reply) reply = { 0 };
		char orders[300];
		bool agreed = false;
		client_open(&c, &s.fixture, maker_algorithms[i].name, "default");
		client_post_to(&c, "new-account", "{" AGREED ",\"contact\":[\"mailto:a@example.org\"],\"unknown\":1,\"orders\":\"x\"}", &reply);
		reply_expect(&reply, 201, NULL);
		copy_text(c.kid, sizeof c.kid, reply_header(&reply, "Location"));
		snprintf(orders, sizeof orders, "%s/orders", c.kid);
		assert_string_equal(reply_text(&reply, "status"), "valid");
		assert_string_equal(reply_text(&reply, "orders"), orders);
		assert_string_equal(json_string(json_at(json_member(reply.body, "contact"), 0)), "mailto:a@example.org");
		assert_true(json_bool(json_member(reply.body, "termsOfServiceAgreed"), &agreed) && agreed);
		assert_int_equal(json_length(reply.body), 5); /* and its key */
		client_post(&c, path_of(c.kid), "", &reply);
		reply_expect(&reply, 200, NULL);
		assert_string_equal(reply_text(&reply, "orders"), orders);
	}
	assert_int_equal(accounts(&s.fixture), array_length(maker_algorithms));
}

/* RFC 8555, 7.3.1: found by the key; all else in the request is ignored, even what would be refused. */
static void an_existing_account_is_shown_as_it_was(void **state)
{
	static const char *const payloads[] = {
		"{" AGREED "}", "{\"onlyReturnExisting\":true}", "{}", "{\"contact\":[\"tel:1\"]}", "{\"contact\":7,\"externalAccountBinding\":7}",
		"{\"onlyReturnExisting\":7,\"termsOfServiceAgreed\":\"x\"}",
		"{\"contact\":[\"mailto:new@example.org\"]," AGREED "}",
	};
	auto_scene s;

	(void)state;
	open_scene(&s);
	client_register(&s.client, "{" AGREED ",\"contact\":[\"mailto:a@example.org\"]}");
	char kid[sizeof s.client.kid];
	memcpy(kid, s.client.kid, sizeof kid);
	s.client.kid[0] = '\0';
	for (size_t i = 0; i < array_length(payloads); i++) {
		auto_value(reply) reply = { 0 };
		client_post_to(&s.client, "new-account", payloads[i], &reply);
		reply_expect(&reply, 200, NULL);
		assert_string_equal(reply_header(&reply, "Location"), kid);
		assert_string_equal(json_string(json_at(json_member(reply.body, "contact"), 0)), "mailto:a@example.org");
		assert_null(json_member(reply.body, "onlyReturnExisting"));
	}
	assert_int_equal(accounts(&s.fixture), 1);
}

static void the_same_key_in_two_directories_is_two_accounts(void **state)
{
	auto_scene s;
	auto_value(reply) reply = { 0 };

	(void)state;
	open_scene(&s);
	client_register(&s.client, "{" AGREED "}");
	s.client.kid[0] = '\0';
	s.client.directory = "other";
	client_post_to(&s.client, "new-account", "{" AGREED "}", &reply);
	reply_expect(&reply, 201, NULL);
	assert_int_equal(accounts(&s.fixture), 2);
}

static const struct {
	const char *payload;
	int status;
	const char *type;
} refusals[] = {
	{ "{\"onlyReturnExisting\":true}", 400, "accountDoesNotExist" },
	{ "{\"onlyReturnExisting\":true," AGREED "}", 400, "accountDoesNotExist" },
	{ "{\"onlyReturnExisting\":1," AGREED "}", 400, "malformed" },
	{ "{\"onlyReturnExisting\":\"true\"," AGREED "}", 400, "malformed" },
	{ "{}", 403, "userActionRequired" },
	{ "{\"termsOfServiceAgreed\":false}", 403, "userActionRequired" },
	{ "{\"termsOfServiceAgreed\":\"yes\"}", 400, "malformed" },
	{ "{\"termsOfServiceAgreed\":null}", 403, "userActionRequired" }, /* null says nothing */
	{ "{" AGREED ",\"contact\":\"mailto:a@example.org\"}", 400, "malformed" },
	{ "{" AGREED ",\"contact\":[\"tel:1\"]}", 400, "unsupportedContact" },
	{ "{" AGREED ",\"contact\":[\"mailto:a@b,c@d\"]}", 400, "invalidContact" },
	{ "{" AGREED ",\"externalAccountBinding\":{}}", 400, "malformed" },
	{ "{" AGREED "," AGREED "}", 400, "malformed" },
	{ "[]", 400, "malformed" },
	{ "", 400, "malformed" },
	{ "null", 400, "malformed" },
};

static void new_accounts_that_are_refused(void **state)
{
	auto_scene s;

	(void)state;
	open_scene(&s);
	for (size_t i = 0; i < array_length(refusals); i++) {
		auto_value(reply) reply = { 0 };
		client_post_to(&s.client, "new-account", refusals[i].payload, &reply);
		reply_expect(&reply, refusals[i].status, refusals[i].type);
		assert_null(reply_header(&reply, "Location"));
		if (refusals[i].status != 403)
			continue;
		assert_string_equal(reply_text(&reply, "instance"), FIXTURE_TERMS);
		assert_non_null(strstr(buf_text(&reply.response.headers), "Link: <" FIXTURE_TERMS ">;rel=\"terms-of-service\"\r\n"));
	}
	assert_int_equal(accounts(&s.fixture), 0);
}

/* RSA keys that policy/key.h calls weak: e = 3, and too short for any algorithm. */
static void weak_keys_are_refused(void **state)
{
	static const struct {
		size_t bits;
		unsigned exponent;
	} rows[] = { { 2048, 3 }, { 1024, 65537 } };
	auto_scene s;

	(void)state;
	open_scene(&s);
	for (size_t i = 0; i < array_length(rows); i++) {
		auto_value(client) c = { .f = &s.fixture, .alg = "RS256", .directory = "default" };
		auto_value(reply) reply = { 0 };
		auto(EVP_PKEY_CTX) *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
		OSSL_PARAM params[] = {
			OSSL_PARAM_construct_size_t(OSSL_PKEY_PARAM_RSA_BITS, (size_t[]){ rows[i].bits }),
			OSSL_PARAM_construct_uint(OSSL_PKEY_PARAM_RSA_E, (unsigned[]){ rows[i].exponent }),
			OSSL_PARAM_construct_end(),
		};
		assert_int_equal(EVP_PKEY_keygen_init(ctx), 1);
		assert_int_equal(EVP_PKEY_CTX_set_params(ctx, params), 1);
		assert_int_equal(EVP_PKEY_generate(ctx, &c.key), 1);
		client_post_to(&c, "new-account", "{" AGREED "}", &reply);
		reply_expect(&reply, 400, "badPublicKey");
	}
	assert_int_equal(accounts(&s.fixture), 0);
}

struct racer {
	struct client *client;
	pthread_barrier_t *start;
	char location[256];
	int status;
};

static void *register_again(void *arg)
{
	struct racer *racer = arg;
	struct client own = *racer->client; /* shares the key */
	struct http_response response = { 0 };
	auto_value(problem) p = { 0 };
	auto_value(buf) header = { 0 }, body = { 0 };
	own.nonce[0] = '\0';
	buf_add_char(&header, '{');
	client_header(&own, &header, "/acme/default/new-account");
	buf_add_char(&header, '}');
	maker_jws(&body, own.key, own.alg, buf_text(&header), "{" AGREED "}");
	const struct http_wing *wing = acme_wing(own.f->acme);
	struct http_request request = {
		.id = "r", .method = HTTP_POST, .base_url = FIXTURE_BASE, .path = "/acme/default/new-account", .query = "",
		.body = buf_bytes(&body), .captures = { "default" }, .peer = { .family = AF_INET },
	};
	size_t i = fixture_route(&request);
	pthread_barrier_wait(racer->start);
	if (wing->serve(wing->state, i, &request, &response, &p)) {
		const char *at = strstr(buf_text(&response.headers), "Location: ") + 10;
		snprintf(racer->location, sizeof racer->location, "%.*s", (int)strcspn(at, "\r"), at);
		racer->status = response.status;
	}
	http_response_free(&response);
	return NULL;
}

static void race(struct scene *s)
{
	enum { THREADS = 8 };
	struct racer racers[THREADS];
	pthread_t threads[THREADS];
	pthread_barrier_t start;
	int made = 0;

	pthread_barrier_init(&start, NULL, THREADS);
	for (int i = 0; i < THREADS; i++) {
		racers[i] = (struct racer){ .client = &s->client, .start = &start };
		assert_int_equal(pthread_create(&threads[i], NULL, register_again, &racers[i]), 0);
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	for (int i = 0; i < THREADS; i++) {
		assert_true(racers[i].location[0]);
		assert_string_equal(racers[i].location, racers[0].location);
		made += racers[i].status == 201;
	}
	assert_int_equal(made, 1);
	pthread_barrier_destroy(&start);
}

/* Many at once with one key: one is made, all are told of it. */
static void parallel_requests_make_one_account(void **state)
{
	enum { ROUNDS = 20 };
	auto_scene s;

	(void)state;
	open_scene(&s);
	for (int i = 0; i < ROUNDS; i++) {
		race(&s);
		EVP_PKEY_free(s.client.key);
		s.client.key = maker_key("ES256");
	}
	assert_int_equal(accounts(&s.fixture), ROUNDS);
}

static void new_accounts_are_limited_by_address(void **state)
{
	auto_value(fixture) f = { 0 };
	struct acme_options options = fixture_options();

	(void)state;
	options.accounts_per_address = (struct acme_limit_options){ .burst = 2, .period = 100000 };
	fixture_open(&f, &options);
	for (int i = 0; i < 3; i++) {
		auto_value(client) c = { 0 };
		auto_value(reply) reply = { 0 };
		client_open(&c, &f, "ES256", "default");
		client_post_to(&c, "new-account", "{}", &reply);
		reply_expect(&reply, i < 2 ? 201 : 429, i < 2 ? NULL : "rateLimited");
		if (i == 0) {
			/* An existing account costs nothing. */
			client_post_to(&c, "new-account", "{}", &reply);
			reply_expect(&reply, 200, NULL);
		}
	}
	assert_int_equal(accounts(&f), 2);
}

/* Who has a /64 has no more tries than who has an address. */
static void new_accounts_are_limited_by_network_of_ipv6(void **state)
{
	static const struct {
		const char *peer;
		int want;
	} rows[] = {
		{ "2001:db8::1", 201 }, { "2001:db8::2", 201 }, { "2001:db8::ffff:0:3", 429 }, { "2001:db8:0:1::1", 201 },
	};
	auto_value(fixture) f = { 0 };
	struct acme_options options = fixture_options();

	(void)state;
	options.accounts_per_address = (struct acme_limit_options){ .burst = 2, .period = 100000 };
	fixture_open(&f, &options);
	for (size_t i = 0; i < array_length(rows); i++) {
		auto_value(client) c = { 0 };
		auto_value(reply) reply = { 0 };
		f.peer = rows[i].peer;
		client_open(&c, &f, "ES256", "default");
		client_post_to(&c, "new-account", "{}", &reply);
		reply_expect(&reply, rows[i].want, rows[i].want == 201 ? NULL : "rateLimited");
	}
}

/* --- the account's URL */

static void contacts_are_updated(void **state)
{
	auto_scene s;
	auto_value(reply) reply = { 0 };

	(void)state;
	open_scene(&s);
	client_register(&s.client, "{" AGREED ",\"contact\":[\"mailto:a@example.org\"]}");
	const char *path = path_of(s.client.kid);
	client_post(&s.client, path, "{\"contact\":[\"mailto:b@example.org\",\"mailto:c@example.org\"]}", &reply);
	reply_expect(&reply, 200, NULL);
	assert_string_equal(json_string(json_at(json_member(reply.body, "contact"), 1)), "mailto:c@example.org");
	client_post(&s.client, path, "{\"contact\":[\"tel:1\"]}", &reply);
	reply_expect(&reply, 400, "unsupportedContact");
	client_post(&s.client, path, "", &reply);
	assert_int_equal(json_length(json_member(reply.body, "contact")), 2);
	client_post(&s.client, path, "{\"contact\":[]}", &reply);
	assert_null(json_member(reply.body, "contact"));
	client_post(&s.client, path, "", &reply);
	assert_null(json_member(reply.body, "contact"));
}

/* Each change of an account is an event of it; what changes nothing is none. */
static void changes_are_told(void **state)
{
	auto_scene s;
	auto_value(reply) reply = { 0 };
	char actor[64];

	(void)state;
	open_scene(&s);
	struct store *store = s.fixture.store;
	client_register(&s.client, "{" AGREED ",\"contact\":[\"mailto:a@example.org\"]}");
	snprintf(actor, sizeof actor, "account %s", strrchr(s.client.kid, '/') + 1);
	auto_struct(json) *created = audit_newest(store, AUDIT_ACCOUNT_CREATED);
	assert_string_equal(audit_says(created, "actor"), actor);
	assert_string_equal(audit_says(created, "from"), "192.0.2.7");
	assert_string_equal(audit_says(created, "directory"), "default");
	assert_string_equal(audit_says(created, "terms"), FIXTURE_TERMS);
	assert_int_equal(strlen(audit_says(created, "thumbprint")), 43);
	client_post(&s.client, path_of(s.client.kid), "", &reply);
	client_post(&s.client, path_of(s.client.kid), "{}", &reply);
	client_post(&s.client, path_of(s.client.kid), "{\"contact\":[\"tel:1\"]}", &reply);
	assert_int_equal(audit_count(store, AUDIT_ACCOUNT_CHANGED), 0);
	client_post(&s.client, path_of(s.client.kid), "{\"contact\":[\"mailto:b@example.org\"]}", &reply);
	auto_struct(json) *changed = audit_newest(store, AUDIT_ACCOUNT_CHANGED);
	assert_string_equal(audit_says(changed, "actor"), actor);
	const struct json *contacts = json_member(json_member(changed, "about"), "contacts");
	assert_string_equal(json_string(json_at(contacts, 0)), "mailto:b@example.org");
	client_post(&s.client, path_of(s.client.kid), "{\"status\":\"deactivated\"}", &reply);
	client_post(&s.client, path_of(s.client.kid), "{\"status\":\"deactivated\"}", &reply);
	auto_struct(json) *ended = audit_newest(store, AUDIT_ACCOUNT_DEACTIVATED);
	assert_string_equal(audit_says(ended, "account"), actor + strlen("account "));
	assert_int_equal(audit_count(store, AUDIT_ACCOUNT_CREATED), 1);
	assert_int_equal(audit_count(store, AUDIT_ACCOUNT_CHANGED), 1);
	assert_int_equal(audit_count(store, AUDIT_ACCOUNT_DEACTIVATED), 1);
}

/* RFC 8555, 7.3.2 */
static void other_members_are_ignored(void **state)
{
	static const char *const payloads[] = {
		"{}", "{\"status\":\"valid\"}", "{\"status\":\"revoked\"}", "{\"status\":7}", "{\"termsOfServiceAgreed\":false}",
		"{\"orders\":\"https://evil.example\",\"key\":{}}", "{\"externalAccountBinding\":7,\"x\":[]}",
	};
	auto_scene s;
	auto_value(reply) before = { 0 };

	(void)state;
	open_scene(&s);
	client_register(&s.client, "{" AGREED ",\"contact\":[\"mailto:a@example.org\"]}");
	client_post(&s.client, path_of(s.client.kid), "", &before);
	for (size_t i = 0; i < array_length(payloads); i++) {
		auto_value(reply) reply = { 0 };
		client_post(&s.client, path_of(s.client.kid), payloads[i], &reply);
		reply_expect(&reply, 200, NULL);
		assert_string_equal(buf_text(&reply.response.body), buf_text(&before.response.body));
	}
}

static void anothers_account_is_not_shown(void **state)
{
	auto_scene s;
	auto_value(client) mallory = { 0 };
	auto_value(reply) reply = { 0 };

	(void)state;
	open_scene(&s);
	client_register(&s.client, "{" AGREED "}");
	client_open(&mallory, &s.fixture, "ES256", "default");
	client_register(&mallory, "{" AGREED "}");
	client_post(&mallory, path_of(s.client.kid), "", &reply);
	reply_expect(&reply, 403, "unauthorized");
	client_post(&mallory, path_of(s.client.kid), "{\"status\":\"deactivated\"}", &reply);
	reply_expect(&reply, 403, "unauthorized");
	client_post(&mallory, "/acme/default/account/AAAAAAAAAAAAAAAAAAAAAA", "", &reply);
	reply_expect(&reply, 403, "unauthorized");
	client_post(&s.client, path_of(s.client.kid), "", &reply);
	assert_string_equal(reply_text(&reply, "status"), "valid");
}

/* RFC 8555, 7.3.6: 401 from then on, wherever it asks; 403 to its key where that asks for an account. */
static void deactivation_is_final(void **state)
{
	static const char *const payloads[] = { "", "{}", "{\"status\":\"valid\"}", "{\"status\":\"deactivated\"}" };
	auto_scene s;
	auto_value(reply) reply = { 0 };

	(void)state;
	open_scene(&s);
	client_register(&s.client, "{" AGREED "}");
	client_post(&s.client, path_of(s.client.kid), "{\"status\":\"deactivated\"}", &reply);
	reply_expect(&reply, 200, NULL);
	assert_string_equal(reply_text(&reply, "status"), "deactivated");
	for (size_t i = 0; i < array_length(payloads); i++) {
		client_post(&s.client, path_of(s.client.kid), payloads[i], &reply);
		reply_expect(&reply, 401, "unauthorized");
	}
	client_post(&s.client, "/acme/default/new-order", "{}", &reply);
	reply_expect(&reply, 401, "unauthorized");
	client_post(&s.client, "/acme/default/directory", "", &reply);
	reply_expect(&reply, 401, "unauthorized");
	s.client.kid[0] = '\0';
	client_post_to(&s.client, "new-account", "{" AGREED "}", &reply);
	reply_expect(&reply, 403, "unauthorized");
	client_post_to(&s.client, "new-account", "{\"onlyReturnExisting\":true}", &reply);
	reply_expect(&reply, 403, "unauthorized");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_algorithm_makes_an_account),
		cmocka_unit_test(an_existing_account_is_shown_as_it_was),
		cmocka_unit_test(the_same_key_in_two_directories_is_two_accounts),
		cmocka_unit_test(new_accounts_that_are_refused),
		cmocka_unit_test(weak_keys_are_refused),
		cmocka_unit_test(parallel_requests_make_one_account),
		cmocka_unit_test(new_accounts_are_limited_by_address),
		cmocka_unit_test(new_accounts_are_limited_by_network_of_ipv6),
		cmocka_unit_test(contacts_are_updated),
		cmocka_unit_test(changes_are_told),
		cmocka_unit_test(other_members_are_ignored),
		cmocka_unit_test(anothers_account_is_not_shown),
		cmocka_unit_test(deactivation_is_final),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
