#include "tests/unit/acme_fixture.h"
#include "tests/unit/audit_reader.h"

#include <openssl/core_names.h>
#include <pthread.h>

#define KEY_CHANGE "/acme/default/key-change"

struct scene {
	struct fixture fixture;
	struct client client, other;   /* two accounts */
	EVP_PKEY *new_key;
};

static void open_scene(struct scene *s)
{
	struct acme_options options = fixture_options();
	fixture_open(&s->fixture, &options);
	client_open(&s->client, &s->fixture, "ES256", "default");
	client_open(&s->other, &s->fixture, "ES256", "default");
	client_register(&s->client, "{\"contact\":[\"mailto:a@example.org\"]}");
	client_register(&s->other, "{}");
	s->new_key = maker_key("ES256");
}

static void close_scene(struct scene *s)
{
	EVP_PKEY_free(s->new_key);
	client_free(&s->client);
	client_free(&s->other);
	fixture_close(&s->fixture);
}
#define auto_scene __attribute__((cleanup(close_scene))) struct scene

/* The inner JWS and what can be wrong with it. */
struct bend {
	const char *name;
	const char *url, *account, *payload, *more, *alg_named;
	bool signed_by_old, old_key_is_new, new_key_is_others, new_key_is_old, kid, whole_old_key;
	int status;
	const char *type;
};

static EVP_PKEY *new_key_of(const struct scene *s, const struct bend *bend)
{
	return bend->new_key_is_others ? s->other.key : bend->new_key_is_old ? s->client.key : s->new_key;
}

static void add_payload(struct buf *out, const struct scene *s, const struct bend *bend)
{
	if (bend->payload) {
		buf_add_str(out, bend->payload);
		return;
	}
	buf_printf(out, "{\"account\":\"%s\",\"oldKey\":", bend->account ? bend->account : s->client.kid);
	maker_jwk(out, bend->old_key_is_new ? new_key_of(s, bend) : s->client.key, "ES256");
	if (bend->whole_old_key) {
		buf_shorten(out, out->len - 1);
		buf_add_str(out, ",\"kid\":\"x\",\"use\":\"sig\"}");
	}
	buf_add_char(out, '}');
}

static void add_inner(struct buf *out, const struct scene *s, const struct bend *bend)
{
	auto_value(buf) header = { 0 }, payload = { 0 };
	EVP_PKEY *key = new_key_of(s, bend);
	buf_printf(&header, "{\"alg\":\"%s\",\"url\":\"%s\"%s", bend->alg_named ? bend->alg_named : "ES256",
	           bend->url ? bend->url : FIXTURE_BASE KEY_CHANGE, bend->more ? bend->more : "");
	if (bend->kid) {
		buf_printf(&header, ",\"kid\":\"%s\"}", s->client.kid);
	} else {
		buf_add_str(&header, ",\"jwk\":");
		maker_jwk(&header, key, "ES256");
		buf_add_char(&header, '}');
	}
	add_payload(&payload, s, bend);
	maker_jws(out, bend->signed_by_old ? s->client.key : key, "ES256", buf_text(&header), buf_text(&payload));
}

static void change(struct scene *s, const struct bend *bend, struct reply *ret)
{
	auto_value(buf) inner = { 0 };
	add_inner(&inner, s, bend);
	client_post(&s->client, KEY_CHANGE, buf_text(&inner), ret);
}

static const struct bend bends[] = {
	{ "right", .status = 200 },
	{ "oldKey in other words", .whole_old_key = true, .status = 200 },
	{ "inner signed by the old key", .signed_by_old = true, .status = 400, .type = "malformed" },
	{ "inner url is another", .url = FIXTURE_BASE "/acme/default/new-order", .status = 400, .type = "malformed" },
	{ "inner url is empty", .url = "", .status = 400, .type = "malformed" },
	{ "inner nonce", .more = ",\"nonce\":\"AAAA\"", .status = 400, .type = "malformed" },
	{ "inner crit", .more = ",\"crit\":[\"x\"]", .status = 400, .type = "malformed" },
	{ "inner kid", .kid = true, .status = 400, .type = "malformed" },
	{ "inner kid and jwk", .more = ",\"kid\":\"x\"", .status = 400, .type = "malformed" },
	{ "inner MAC", .alg_named = "HS256", .status = 400, .type = "badSignatureAlgorithm" },
	{ "inner algorithm of another key", .alg_named = "RS256", .status = 400, .type = "badPublicKey" },
	{ "another account", .account = FIXTURE_BASE "/acme/default/account/AAAAAAAAAAAAAAAAAAAAAA", .status = 400, .type = "malformed" },
	{ "account without base", .account = "/acme/default/account/x", .status = 400, .type = "malformed" },
	{ "oldKey is the new one", .old_key_is_new = true, .status = 400, .type = "malformed" },
	{ "no members", .payload = "{}", .status = 400, .type = "malformed" },
	{ "payload is no object", .payload = "[]", .status = 400, .type = "malformed" },
	{ "empty payload", .payload = "", .status = 400, .type = "malformed" },
	{ "oldKey is text", .payload = "{\"account\":\"x\",\"oldKey\":\"x\"}", .status = 400, .type = "malformed" },
	{ "the key of another account", .new_key_is_others = true, .status = 409, .type = "malformed" },
	{ "the key it has", .new_key_is_old = true, .status = 409, .type = "malformed" },
};

static int fetch(struct scene *s, EVP_PKEY *key)
{
	auto_value(reply) reply = { 0 };
	struct client as = s->client;
	as.key = key;
	as.nonce[0] = '\0';
	client_post(&as, path_of(as.kid), "", &reply);
	return reply.response.status;
}

/* After a refusal the old key is the account's still; after a change it is not. */
static void rollovers_are_judged(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_length(bends); i++) {
		auto_scene s;
		auto_value(reply) reply = { 0 };
		open_scene(&s);
		assert_int_equal(fetch(&s, s.client.key), 200); /* the key is cached */
		change(&s, &bends[i], &reply);
		if (reply.response.status != bends[i].status)
			fail_msg("%s: %d %s", bends[i].name, reply.response.status, buf_text(&reply.response.body));
		reply_expect(&reply, bends[i].status, bends[i].type);
		bool changed = bends[i].status == 200;
		assert_int_equal(audit_count(s.fixture.store, AUDIT_ACCOUNT_KEY_CHANGED), changed);
		assert_int_equal(fetch(&s, s.client.key), changed ? 400 : 200);
		assert_int_equal(fetch(&s, s.new_key), changed ? 200 : 400);
	}
}

static void a_taken_key_is_located(void **state)
{
	static const struct bend taken = { .new_key_is_others = true }, own = { .new_key_is_old = true };
	auto_scene s;
	auto_value(reply) reply = { 0 };

	(void)state;
	open_scene(&s);
	change(&s, &taken, &reply);
	assert_string_equal(reply_header(&reply, "Location"), s.other.kid);
	change(&s, &own, &reply);
	assert_string_equal(reply_header(&reply, "Location"), s.client.kid);
}

static void the_account_is_otherwise_as_it_was(void **state)
{
	auto_scene s;
	auto_value(reply) reply = { 0 }, before = { 0 };

	(void)state;
	open_scene(&s);
	client_post(&s.client, path_of(s.client.kid), "", &before);
	change(&s, &bends[0], &reply);
	assert_int_equal(json_length(reply.body), json_length(before.body));
	assert_string_equal(reply_text(&reply, "status"), reply_text(&before, "status"));
	assert_string_equal(reply_text(&reply, "orders"), reply_text(&before, "orders"));
	assert_string_equal(json_string(json_at(json_member(reply.body, "contact"), 0)), "mailto:a@example.org");
	assert_string_not_equal(json_string(json_member(json_member(reply.body, "key"), "x")), json_string(json_member(json_member(before.body, "key"), "x")));
	/* The new key finds the account; the old one is free again and would make another. */
	auto_value(client) as_new = { .f = &s.fixture, .alg = "ES256", .directory = "default" };
	as_new.key = s.new_key;
	s.new_key = NULL;
	client_post_to(&as_new, "new-account", "{\"onlyReturnExisting\":true}", &reply);
	reply_expect(&reply, 200, NULL);
	assert_string_equal(reply_header(&reply, "Location"), s.client.kid);
	s.client.kid[0] = '\0';
	client_post_to(&s.client, "new-account", "{\"onlyReturnExisting\":true}", &reply);
	reply_expect(&reply, 400, "accountDoesNotExist");
}

/* Another kind of key, whose strength is judged as at newAccount. */
static void to_another_algorithm(void **state)
{
	auto_scene s;
	auto_value(buf) header = { 0 }, payload = { 0 }, inner = { 0 };
	auto_value(reply) reply = { 0 };
	auto(EVP_PKEY) *rsa = maker_key("RS256");
	static const struct bend right = { .name = "right" };

	(void)state;
	open_scene(&s);
	buf_add_str(&header, "{\"alg\":\"PS256\",\"url\":\"" FIXTURE_BASE KEY_CHANGE "\",\"jwk\":");
	maker_jwk(&header, rsa, "RS256");
	buf_add_char(&header, '}');
	add_payload(&payload, &s, &right);
	maker_jws(&inner, rsa, "PS256", buf_text(&header), buf_text(&payload));
	client_post(&s.client, KEY_CHANGE, buf_text(&inner), &reply);
	reply_expect(&reply, 200, NULL);
	s.client.alg = "RS256";
	assert_int_equal(fetch(&s, rsa), 200);
}

static EVP_PKEY *rsa_make(size_t bits, unsigned exponent)
{
	auto(EVP_PKEY_CTX) *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	EVP_PKEY *key = NULL;
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_size_t(OSSL_PKEY_PARAM_RSA_BITS, &bits),
		OSSL_PARAM_construct_uint(OSSL_PKEY_PARAM_RSA_E, &exponent), OSSL_PARAM_construct_end(),
	};

	assert_int_equal(EVP_PKEY_keygen_init(ctx), 1);
	assert_int_equal(EVP_PKEY_CTX_set_params(ctx, params), 1);
	assert_int_equal(EVP_PKEY_generate(ctx, &key), 1);
	return key;
}

static void check_weak(EVP_PKEY *weak)
{
	auto_scene s;
	auto_value(buf) header = { 0 }, payload = { 0 }, inner = { 0 };
	auto_value(reply) reply = { 0 };
	static const struct bend right = { .name = "right" };

	open_scene(&s);
	buf_add_str(&header, "{\"alg\":\"RS256\",\"url\":\"" FIXTURE_BASE KEY_CHANGE "\",\"jwk\":");
	maker_jwk(&header, weak, "RS256");
	buf_add_char(&header, '}');
	add_payload(&payload, &s, &right);
	maker_jws(&inner, weak, "RS256", buf_text(&header), buf_text(&payload));
	client_post(&s.client, KEY_CHANGE, buf_text(&inner), &reply);
	reply_expect(&reply, 400, "badPublicKey");
	assert_int_equal(fetch(&s, s.client.key), 200);
}

/* Too short for any algorithm, and of a form that verifies and that policy/key.h calls weak. */
static void weak_new_keys_are_refused(void **state)
{
	auto(EVP_PKEY) *is_short = rsa_make(1024, 65537), *exponent = rsa_make(2048, 3);

	(void)state;
	check_weak(is_short);
	check_weak(exponent);
}

struct racer {
	struct scene scene;          /* the account's, with a new key of the racer's own */
	pthread_barrier_t *start;
	int status;
};

static void *race(void *arg)
{
	static const struct bend right = { .name = "right" };
	struct racer *racer = arg;
	auto_value(buf) inner = { 0 }, header = { 0 }, body = { 0 };
	auto_value(problem) p = { 0 };
	struct http_response response = { 0 };
	struct client *client = &racer->scene.client;

	add_inner(&inner, &racer->scene, &right);
	buf_add_char(&header, '{');
	client_header(client, &header, KEY_CHANGE);
	buf_add_char(&header, '}');
	maker_jws(&body, client->key, client->alg, buf_text(&header), buf_text(&inner));
	struct http_request request = {
		.id = "r", .method = HTTP_POST, .base_url = FIXTURE_BASE, .path = KEY_CHANGE, .query = "", .body = buf_bytes(&body),
		.captures = { "default" }, .peer = { .family = AF_INET },
	};
	const struct http_wing *wing = acme_wing(client->f->acme);
	size_t i = fixture_route(&request);
	pthread_barrier_wait(racer->start);
	racer->status = wing->serve(wing->state, i, &request, &response, &p) ? response.status : problem_status(&p);
	http_response_free(&response);
	return NULL;
}

/* Each is signed by the key that the account has as it begins: whoever comes second is nobody's any more. */
static void of_parallel_rollovers_one_counts(void **state)
{
	enum { ROUNDS = 8, THREADS = 4 };

	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		auto_scene s;
		struct racer racers[THREADS];
		pthread_t threads[THREADS];
		pthread_barrier_t start;
		int done = 0;

		open_scene(&s);
		s.client.nonce[0] = '\0';
		pthread_barrier_init(&start, NULL, THREADS);
		for (int i = 0; i < THREADS; i++) {
			racers[i] = (struct racer){ .scene = s, .start = &start };
			racers[i].scene.new_key = maker_key("ES256");
			assert_int_equal(pthread_create(&threads[i], NULL, race, &racers[i]), 0);
		}
		for (int i = 0; i < THREADS; i++)
			pthread_join(threads[i], NULL);
		for (int i = 0; i < THREADS; i++) {
			done += racers[i].status == 200;
			assert_int_equal(fetch(&s, racers[i].scene.new_key) == 200, racers[i].status == 200);
			EVP_PKEY_free(racers[i].scene.new_key);
		}
		assert_int_equal(done, 1);
		assert_int_equal(audit_count(s.fixture.store, AUDIT_ACCOUNT_KEY_CHANGED), 1);
		pthread_barrier_destroy(&start);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rollovers_are_judged),
		cmocka_unit_test(a_taken_key_is_located),
		cmocka_unit_test(the_account_is_otherwise_as_it_was),
		cmocka_unit_test(to_another_algorithm),
		cmocka_unit_test(weak_new_keys_are_refused),
		cmocka_unit_test(of_parallel_rollovers_one_counts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
