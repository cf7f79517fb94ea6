#include "tests/unit/acme_fixture.h"
#include "acme/eab.h"
#include "tests/unit/audit_reader.h"

#define MAC_KEY "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define NEW_ACCOUNT "/acme/bound/new-account"

struct scene {
	struct fixture fixture;
	struct client client;
};

static void open_scene(struct scene *s)
{
	struct acme_options options = fixture_options();
	fixture_open(&s->fixture, &options);
	client_open(&s->client, &s->fixture, "ES256", "bound");
}

static void close_scene(struct scene *s)
{
	client_free(&s->client);
	fixture_close(&s->fixture);
}
#define auto_scene __attribute__((cleanup(close_scene))) struct scene

static bool put(struct store_txn *txn, void *arg, struct problem *p)
{
	return store_eab_put(txn, arg, p);
}

/* As the operator makes one; the key is MAC_KEY. */
static void operator_puts(struct fixture *f, struct eab eab)
{
	auto_value(problem) p = { 0 };
	auto_value(buf) context = { 0 }, sealed = { 0 };
	buf_printf(&context, "eab %s", eab.kid);
	assert_true(seal_close(store_seal(f->store), buf_text(&context), BYTES_STR(MAC_KEY), &sealed, &p));
	eab.sealed_key = buf_bytes(&sealed);
	if (!store_update(f->store, put, &eab, &p))
		fail_msg("%s", p.detail);
}

static bool get_uses(struct store_txn *txn, void *arg, struct problem *p)
{
	auto_value(eab) eab = { 0 };
	if (!store_eab_get(txn, "key-1", &eab, p))
		return false;
	*(int64_t *)arg = eab.uses;
	return true;
}

static int64_t uses(struct fixture *f)
{
	auto_value(problem) p = { 0 };
	int64_t n = -1;
	assert_true(store_view(f->store, get_uses, &n, &p));
	return n;
}

/* A binding, and what can be wrong with it. */
struct bend {
	const char *name;
	const char *alg, *kid, *url, *more, *mac_key;
	bool other_key, reordered;
	int status;
	const char *type;
};

static void add_binding(struct buf *out, const struct bend *bend, EVP_PKEY *key)
{
	auto_value(buf) header = { 0 }, payload = { 0 };
	auto(EVP_PKEY) *other = maker_key("ES256");
	const char *alg = bend->alg ? bend->alg : "HS256";
	int bits = str_equal(alg, "HS384") ? 384 : str_equal(alg, "HS512") ? 512 : 256;
	buf_printf(&header, "{\"alg\":\"%s\",\"kid\":\"%s\",\"url\":\"%s\"%s}", alg, bend->kid ? bend->kid : "key-1",
	           bend->url ? bend->url : FIXTURE_BASE NEW_ACCOUNT, bend->more ? bend->more : "");
	maker_jwk(&payload, bend->other_key ? other : key, "ES256");
	if (bend->reordered) {
		buf_shorten(&payload, payload.len - 1);
		buf_add_str(&payload, " , \"kid\" : \"mine\", \"use\":\"sig\" }");
	}
	const char *mac_key = bend->mac_key ? bend->mac_key : MAC_KEY;
	maker_mac(out, bits, BYTES_STR(mac_key), buf_text(&header), buf_text(&payload));
}

static void post_bound(struct client *client, const struct bend *bend, struct reply *ret)
{
	auto_value(buf) payload = { 0 };
	buf_add_str(&payload, "{\"externalAccountBinding\":");
	add_binding(&payload, bend, client->key);
	buf_add_char(&payload, '}');
	client_post(client, NEW_ACCOUNT, buf_text(&payload), ret);
}

static const struct bend bends[] = {
	{ "HS256", .status = 201 },
	{ "HS384", .alg = "HS384", .status = 201 },
	{ "HS512", .alg = "HS512", .status = 201 },
	{ "the same key in other words", .reordered = true, .status = 201 },
	{ "another MAC key", .mac_key = "guess", .status = 403, .type = "unauthorized" },
	{ "unknown kid", .kid = "nobody", .status = 403, .type = "unauthorized" },
	{ "empty kid", .kid = "", .status = 403, .type = "unauthorized" },
	{ "another url", .url = FIXTURE_BASE "/acme/default/new-account", .status = 403, .type = "unauthorized" },
	{ "another account key", .other_key = true, .status = 403, .type = "unauthorized" },
	{ "nonce", .more = ",\"nonce\":\"AAAA\"", .status = 400, .type = "malformed" },
	{ "crit", .more = ",\"crit\":[\"x\"],\"x\":1", .status = 400, .type = "malformed" },
	{ "jwk beside kid", .more = ",\"jwk\":{}", .status = 400, .type = "malformed" },
	{ "none", .alg = "none", .status = 400, .type = "badSignatureAlgorithm" },
	{ "a public key algorithm", .alg = "ES256", .status = 400, .type = "badSignatureAlgorithm" },
	{ "no such algorithm", .alg = "HS1", .status = 400, .type = "badSignatureAlgorithm" },
};

static void bindings_are_judged(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_length(bends); i++) {
		auto_scene s;
		auto_value(reply) reply = { 0 };
		open_scene(&s);
		operator_puts(&s.fixture, (struct eab){ .kid = "key-1" });
		post_bound(&s.client, &bends[i], &reply);
		if (reply.response.status != bends[i].status)
			fail_msg("%s: %d %s", bends[i].name, reply.response.status, buf_text(&reply.response.body));
		reply_expect(&reply, bends[i].status, bends[i].type);
		assert_int_equal(uses(&s.fixture), bends[i].status == 201);
		assert_int_equal(audit_count(s.fixture.store, AUDIT_EAB_USED), bends[i].status == 201);
		assert_int_equal(audit_count(s.fixture.store, AUDIT_ACCOUNT_CREATED), bends[i].status == 201);
	}
}

/* RFC 8555, 7.3.4: "the same value as the field in the request", then and later. */
static void the_binding_is_echoed(void **state)
{
	auto_scene s;
	auto_value(buf) binding = { 0 }, payload = { 0 };
	auto_value(reply) reply = { 0 };

	(void)state;
	open_scene(&s);
	operator_puts(&s.fixture, (struct eab){ .kid = "key-1" });
	add_binding(&binding, &bends[0], s.client.key);
	buf_printf(&payload, "{\"externalAccountBinding\":%s}", buf_text(&binding));
	client_post(&s.client, NEW_ACCOUNT, buf_text(&payload), &reply);
	reply_expect(&reply, 201, NULL);
	copy_text(s.client.kid, sizeof s.client.kid, reply_header(&reply, "Location"));
	assert_non_null(strstr(buf_text(&reply.response.body), buf_text(&binding)));
	client_post(&s.client, path_of(s.client.kid), "", &reply);
	assert_non_null(strstr(buf_text(&reply.response.body), buf_text(&binding)));
}

static void a_missing_binding_is_asked_for(void **state)
{
	auto_scene s;
	auto_value(reply) reply = { 0 };

	(void)state;
	open_scene(&s);
	client_post(&s.client, NEW_ACCOUNT, "{}", &reply);
	reply_expect(&reply, 403, "externalAccountRequired");
	client_post(&s.client, NEW_ACCOUNT, "{\"onlyReturnExisting\":true}", &reply);
	reply_expect(&reply, 400, "accountDoesNotExist");
	client_post(&s.client, NEW_ACCOUNT, "{\"externalAccountBinding\":\"x\"}", &reply);
	reply_expect(&reply, 400, "malformed");
}

static const char *const for_bound[] = { "default", "bound" }, *const for_others[] = { "default", "other" };

static const struct {
	const char *name;
	struct eab eab;
	int status;
} keys[] = {
	{ "for any directory", { .kid = "key-1" }, 201 },
	{ "for this directory", { .kid = "key-1", .scope.profiles = { for_bound, 2 } }, 201 },
	{ "for other directories", { .kid = "key-1", .scope.profiles = { for_others, 2 } }, 403 },
	{ "revoked", { .kid = "key-1", .revoked = true }, 403 },
	{ "expired", { .kid = "key-1", .expires = 1000 }, 403 },
	{ "expires later", { .kid = "key-1", .expires = INT64_C(4000000000) }, 201 },
	{ "used up", { .kid = "key-1", .uses = 2, .uses_max = 2 }, 403 },
	{ "one use left", { .kid = "key-1", .uses = 1, .uses_max = 2 }, 201 },
};

static void keys_are_judged(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_length(keys); i++) {
		auto_scene s;
		auto_value(reply) reply = { 0 };
		open_scene(&s);
		operator_puts(&s.fixture, keys[i].eab);
		post_bound(&s.client, &bends[0], &reply);
		if (reply.response.status != keys[i].status)
			fail_msg("%s: %d %s", keys[i].name, reply.response.status, buf_text(&reply.response.body));
		assert_int_equal(uses(&s.fixture), keys[i].eab.uses + (keys[i].status == 201));
	}
}

/* Uses are counted by new accounts alone. */
static bool use_key(struct store_txn *txn, void *arg, struct problem *p)
{
	return eab_use(txn, "key-1", "bound", *(int64_t *)arg, p);
}

/* Of two requests at once that were both judged while a use was left, one has it: so too for what ended between. */
static void the_last_use_is_had_once(void **state)
{
	auto_scene s;
	auto_value(problem) p = { 0 };
	int64_t now = 100;

	(void)state;
	open_scene(&s);
	operator_puts(&s.fixture, (struct eab){ .kid = "key-1", .uses_max = 1 });
	assert_true(store_update(s.fixture.store, use_key, &now, &p));
	assert_false(store_update(s.fixture.store, use_key, &now, &p));
	assert_int_equal(p.kind, PROBLEM_UNAUTHORIZED);
	assert_int_equal(uses(&s.fixture), 1);
	operator_puts(&s.fixture, (struct eab){ .kid = "key-1", .expires = 100 });
	assert_false(store_update(s.fixture.store, use_key, &now, &p));
	operator_puts(&s.fixture, (struct eab){ .kid = "key-1", .revoked = true });
	assert_false(store_update(s.fixture.store, use_key, &now, &p));
}

static void an_existing_account_uses_nothing(void **state)
{
	auto_scene s;
	auto_value(client) second = { 0 };
	auto_value(reply) reply = { 0 };

	(void)state;
	open_scene(&s);
	operator_puts(&s.fixture, (struct eab){ .kid = "key-1", .uses_max = 1 });
	post_bound(&s.client, &bends[0], &reply);
	reply_expect(&reply, 201, NULL);
	post_bound(&s.client, &bends[0], &reply);
	reply_expect(&reply, 200, NULL);
	assert_int_equal(uses(&s.fixture), 1);
	client_open(&second, &s.fixture, "ES256", "bound");
	post_bound(&second, &bends[0], &reply);
	reply_expect(&reply, 403, "unauthorized");
}

/* Where none is required, one that is given must still be right. */
static void an_unasked_binding_is_verified(void **state)
{
	auto_scene s;
	auto_value(reply) reply = { 0 };
	auto_value(buf) payload = { 0 };
	struct bend wrong = { .mac_key = "guess", .url = FIXTURE_BASE "/acme/default/new-account" };

	(void)state;
	open_scene(&s);
	operator_puts(&s.fixture, (struct eab){ .kid = "key-1" });
	buf_add_str(&payload, "{\"externalAccountBinding\":");
	add_binding(&payload, &wrong, s.client.key);
	buf_add_char(&payload, '}');
	client_post(&s.client, "/acme/default/new-account", buf_text(&payload), &reply);
	reply_expect(&reply, 403, "unauthorized");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bindings_are_judged),
		cmocka_unit_test(the_binding_is_echoed),
		cmocka_unit_test(a_missing_binding_is_asked_for),
		cmocka_unit_test(keys_are_judged),
		cmocka_unit_test(the_last_use_is_had_once),
		cmocka_unit_test(an_existing_account_uses_nothing),
		cmocka_unit_test(an_unasked_binding_is_verified),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
