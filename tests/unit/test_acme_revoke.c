#include "tests/unit/acme_fixture.h"

#include "store/authorization.h"

#define REVOKE "/acme/default/revoke-cert"

struct scene {
	struct fixture fixture;
	struct client owner, other;
	EVP_PKEY *key;            /* the certificate's */
	struct buf der;
	char id[RANDOM_ID_SIZE];  /* its row's */
};

/* --- a certificate of the ledger */

static void make_certificate(EVP_PKEY *key, struct buf *ret)
{
	auto(X509) *x = X509_new();
	X509_set_version(x, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(x), 77);
	X509_gmtime_adj(X509_getm_notBefore(x), -60);
	X509_gmtime_adj(X509_getm_notAfter(x), 3600);
	X509_set_pubkey(x, key);
	assert_true(X509_sign(x, key, EVP_sha256()) > 0);
	assert_true(ossl_der(i2d_X509, x, ret));
}

static bool put_certificate(struct store_txn *txn, void *arg, struct problem *p)
{
	return store_certificate_put(txn, arg, p);
}

static struct certificate_name both_names[] = { { "cn", "a.example.org" }, { "dns", "a.example.org" }, { "dns", "*.b.example.org" } };
static struct certificate_name loose_cn[] = { { "cn", "Some Body" }, { "dns", "a.example.org" } };

static void record(struct scene *s, const char *account, const char *method, struct record_list names, int64_t not_after)
{
	auto_value(problem) p = { 0 };
	auto_value(buf) spki = { 0 };
	uint8_t fingerprint[SHA256_SIZE], key_hash[SHA256_SIZE];
	digest_sha256(buf_bytes(&s->der), fingerprint);
	assert_true(ossl_public_der(s->key, &spki, &p));
	digest_sha256(buf_bytes(&spki), key_hash);
	struct certificate row = {
		.der = buf_bytes(&s->der), .issuer = "issuing", .serial = BYTES("\x4d", 1), .subject = "", .profile = "default",
		.fingerprint = BYTES(fingerprint, sizeof fingerprint), .key_hash = BYTES(key_hash, sizeof key_hash),
		.names = names, .not_before = clock_now() - 60, .not_after = not_after, .issued = clock_now(), .method = method,
	};
	copy_text(row.id, sizeof row.id, s->id);
	copy_text(row.account, sizeof row.account, account);
	if (!store_update(s->fixture.store, put_certificate, &row, &p))
		fail_msg("%s: %s", p.detail, p.cause);
}

static const char *account_id(const struct client *client)
{
	return strrchr(client->kid, '/') + 1;
}

static void open_scene(struct scene *s)
{
	struct acme_options options = fixture_options();
	auto_value(problem) p = { 0 };
	*s = (struct scene){ .key = maker_key("ES256") };
	fixture_open(&s->fixture, &options);
	client_open(&s->owner, &s->fixture, "ES256", "default");
	client_open(&s->other, &s->fixture, "ES256", "default");
	client_register(&s->owner, "{}");
	client_register(&s->other, "{}");
	make_certificate(s->key, &s->der);
	assert_true(random_id(s->id, &p));
}

/* As the scene has it in most tests: ordered over ACME by the owner, three names. */
static void open_ordered(struct scene *s)
{
	open_scene(s);
	record(s, account_id(&s->owner), "acme", (struct record_list){ both_names, 3 }, clock_now() + 3600);
}

static void close_scene(struct scene *s)
{
	EVP_PKEY_free(s->key);
	buf_free(&s->der);
	client_free(&s->owner);
	client_free(&s->other);
	fixture_close(&s->fixture);
}
#define auto_scene __attribute__((cleanup(close_scene))) struct scene

static bool get_certificate(struct store_txn *txn, void *arg, struct problem *p)
{
	struct certificate *row = arg;
	char id[RANDOM_ID_SIZE];
	memcpy(id, row->id, sizeof id);
	return store_certificate_get(txn, id, row, p);
}

static bool is_revoked(struct scene *s, int64_t *ret_reason, char by[64])
{
	auto_value(problem) p = { 0 };
	auto_value(certificate) row = { 0 };
	memcpy(row.id, s->id, sizeof row.id);
	assert_true(store_view(s->fixture.store, get_certificate, &row, &p));
	*ret_reason = row.reason;
	copy_text(by, 64, row.revoked_by ? row.revoked_by : "");
	return row.status == CERTIFICATE_REVOKED;
}

static void post_revoke(struct scene *s, struct client *client, const char *more, struct reply *ret)
{
	auto_value(buf) payload = { 0 };
	buf_add_str(&payload, "{\"certificate\":\"");
	buf_add_base64url(&payload, buf_bytes(&s->der));
	buf_printf(&payload, "\"%s}", more);
	client_post(client, REVOKE, buf_text(&payload), ret);
}

static void expect_revoked(struct scene *s, bool want, int64_t want_reason, const char *want_by)
{
	int64_t reason;
	char by[64];
	assert_int_equal(is_revoked(s, &reason, by), want);
	assert_int_equal(reason, want_reason);
	assert_true(str_starts(by, want_by));
}

/* --- by the account that ordered it */

static void the_account_revokes_once(void **state)
{
	auto_scene s;
	auto_value(reply) reply = { 0 };

	(void)state;
	open_ordered(&s);
	post_revoke(&s, &s.owner, ",\"reason\":4", &reply);
	reply_expect(&reply, 200, NULL);
	assert_int_equal(reply.response.body.len, 0);
	assert_null(reply.response.content_type);
	expect_revoked(&s, true, 4, "account ");
	post_revoke(&s, &s.owner, ",\"reason\":1", &reply);
	reply_expect(&reply, 400, "alreadyRevoked");
	expect_revoked(&s, true, 4, "account ");
}

static const struct {
	const char *more;
	int status;
	const char *type;
} reasons[] = {
	{ "", 200, NULL }, { ",\"reason\":0", 200, NULL }, { ",\"reason\":1", 200, NULL }, { ",\"reason\":9", 200, NULL },
	{ ",\"reason\":2", 400, "badRevocationReason" }, { ",\"reason\":6", 400, "badRevocationReason" },
	{ ",\"reason\":7", 400, "badRevocationReason" }, { ",\"reason\":8", 400, "badRevocationReason" },
	{ ",\"reason\":10", 400, "badRevocationReason" }, { ",\"reason\":11", 400, "badRevocationReason" },
	{ ",\"reason\":-1", 400, "badRevocationReason" }, { ",\"reason\":\"1\"", 400, "malformed" },
	{ ",\"reason\":1.5", 400, "malformed" }, { ",\"reason\":null", 200, NULL }, { ",\"reason\":[1]", 400, "malformed" },
	{ ",\"reason\":1,\"reason\":1", 400, "malformed" },
};

static void reasons_are_judged(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_length(reasons); i++) {
		auto_scene s;
		auto_value(reply) reply = { 0 };
		int64_t reason;
		char by[64];
		open_ordered(&s);
		post_revoke(&s, &s.owner, reasons[i].more, &reply);
		reply_expect(&reply, reasons[i].status, reasons[i].type);
		assert_int_equal(is_revoked(&s, &reason, by), reasons[i].status == 200);
	}
}

/* --- by an account that holds its names */

struct grant {
	const struct client *client;
	const char *value;
	bool wildcard;
	enum authorization_status status;
	int64_t expires;
};

static bool put_authorization(struct store_txn *txn, void *arg, struct problem *p)
{
	return store_authorization_put(txn, arg, p);
}

static void grant(struct scene *s, struct grant g)
{
	auto_value(problem) p = { 0 };
	struct authorization a = {
		.directory = "default", .status = g.status, .type = "dns", .value = g.value, .wildcard = g.wildcard,
		.created = clock_now(), .expires = g.expires ? g.expires : clock_now() + 600,
	};
	assert_true(random_id(a.id, &p));
	copy_text(a.account, sizeof a.account, account_id(g.client));
	if (!store_update(s->fixture.store, put_authorization, &a, &p))
		fail_msg("%s: %s", p.detail, p.cause);
}

static void an_account_with_all_names_revokes(void **state)
{
	auto_scene s;
	auto_value(reply) reply = { 0 };

	(void)state;
	open_ordered(&s);
	/* Each of these alone, and all together, leave a name without a valid authorization. */
	const struct grant not_enough[] = {
		{ &s.other, "a.example.org", false, AUTHORIZATION_VALID, 0 },
		{ &s.other, "b.example.org", false, AUTHORIZATION_VALID, 0 },
		{ &s.owner, "b.example.org", true, AUTHORIZATION_VALID, 0 },
		{ &s.other, "b.example.org", true, AUTHORIZATION_PENDING, 0 },
		{ &s.other, "b.example.org", true, AUTHORIZATION_INVALID, 0 },
		{ &s.other, "b.example.org", true, AUTHORIZATION_DEACTIVATED, 0 },
		{ &s.other, "b.example.org", true, AUTHORIZATION_VALID, clock_now() - 1 },
		{ &s.other, "x.b.example.org", true, AUTHORIZATION_VALID, 0 },
	};
	post_revoke(&s, &s.other, "", &reply);
	reply_expect(&reply, 403, "unauthorized");
	for (size_t i = 0; i < array_length(not_enough); i++) {
		grant(&s, not_enough[i]);
		post_revoke(&s, &s.other, "", &reply);
		reply_expect(&reply, 403, "unauthorized");
		expect_revoked(&s, false, 0, "");
	}
	assert_non_null(strstr(reply_text(&reply, "detail"), "*.b.example.org"));
	grant(&s, (struct grant){ &s.other, "b.example.org", true, AUTHORIZATION_VALID, 0 });
	post_revoke(&s, &s.other, "", &reply);
	reply_expect(&reply, 200, NULL);
	expect_revoked(&s, true, 0, "account ");
}

/* A common name that is no proven name is an identifier that no authorization covers. */
static void a_loose_common_name_is_held_by_nobody(void **state)
{
	auto_scene s;
	auto_value(reply) reply = { 0 };

	(void)state;
	open_scene(&s);
	record(&s, account_id(&s.owner), "acme", (struct record_list){ loose_cn, 2 }, clock_now() + 3600);
	grant(&s, (struct grant){ &s.other, "a.example.org", false, AUTHORIZATION_VALID, 0 });
	post_revoke(&s, &s.other, "", &reply);
	reply_expect(&reply, 403, "unauthorized");
	post_revoke(&s, &s.owner, "", &reply);
	reply_expect(&reply, 200, NULL);
}

/* No names at all do not make every account their holder. */
static void a_certificate_without_names_is_its_accounts(void **state)
{
	auto_scene s;
	auto_value(reply) reply = { 0 };

	(void)state;
	open_scene(&s);
	record(&s, account_id(&s.owner), "acme", (struct record_list){ NULL, 0 }, clock_now() + 3600);
	post_revoke(&s, &s.other, "", &reply);
	reply_expect(&reply, 403, "unauthorized");
}

static void what_was_not_issued_over_acme_is_for_its_key(void **state)
{
	auto_scene s;
	auto_value(reply) reply = { 0 };
	auto_value(client) holder = { .f = &s.fixture, .alg = "ES256", .directory = "default" };

	(void)state;
	open_scene(&s);
	record(&s, "", "est", (struct record_list){ both_names + 1, 1 }, clock_now() + 3600);
	grant(&s, (struct grant){ &s.other, "a.example.org", false, AUTHORIZATION_VALID, 0 });
	post_revoke(&s, &s.other, "", &reply);
	reply_expect(&reply, 403, "unauthorized");
	holder.key = steal(s.key);
	post_revoke(&s, &holder, "", &reply);
	reply_expect(&reply, 200, NULL);
}

/* What was imported is another CA's to revoke, whoever has its key. */
static void what_another_ca_has_issued_is_not_revoked(void **state)
{
	auto_scene s;
	auto_value(reply) reply = { 0 };
	auto_value(client) holder = { .f = &s.fixture, .alg = "ES256", .directory = "default" };

	(void)state;
	open_scene(&s);
	record(&s, "", CERTIFICATE_IMPORT, (struct record_list){ both_names + 1, 1 }, clock_now() + 3600);
	holder.key = steal(s.key);
	post_revoke(&s, &holder, ",\"reason\":1", &reply);
	reply_expect(&reply, 404, NULL);
	expect_revoked(&s, false, 0, "");
	post_revoke(&s, &s.other, "", &reply);
	reply_expect(&reply, 404, NULL);
}

/* --- by the certificate's key */

static void the_certificates_key_revokes(void **state)
{
	auto_scene s;
	auto_value(reply) reply = { 0 };
	auto_value(client) holder = { .f = &s.fixture, .alg = "ES256", .directory = "other" };

	(void)state;
	open_ordered(&s);
	holder.key = steal(s.key);
	post_revoke(&s, &holder, ",\"reason\":1", &reply);
	reply_expect(&reply, 200, NULL);
	expect_revoked(&s, true, 1, "certificate key");
	post_revoke(&s, &holder, ",\"reason\":1", &reply);
	reply_expect(&reply, 400, "alreadyRevoked");
}

/* A right signature by a key of the client's own choice proves nothing; nor does the account's key
 * as a jwk: accounts sign with kid. */
static void another_key_does_not(void **state)
{
	auto_scene s;
	auto_value(reply) reply = { 0 };
	auto_value(client) stranger = { 0 };

	(void)state;
	open_ordered(&s);
	client_open(&stranger, &s.fixture, "RS256", "default");
	post_revoke(&s, &stranger, "", &reply);
	reply_expect(&reply, 403, "unauthorized");
	s.owner.kid[0] = '\0';
	post_revoke(&s, &s.owner, "", &reply);
	reply_expect(&reply, 403, "unauthorized");
	expect_revoked(&s, false, 0, "");
}

/* --- which certificate */

static void only_the_very_certificate_is_found(void **state)
{
	auto_scene s;
	auto_value(reply) reply = { 0 };
	auto_value(buf) copy = { 0 };

	(void)state;
	open_ordered(&s);
	buf_add(&copy, s.der.data, s.der.len);
	s.der.data[s.der.len - 1] ^= 1;
	post_revoke(&s, &s.owner, "", &reply);
	reply_expect(&reply, 404, "malformed");
	s.der.data[s.der.len - 1] ^= 1;
	buf_add_char(&s.der, 0);
	post_revoke(&s, &s.owner, "", &reply);
	reply_expect(&reply, 404, "malformed");
	/* Another certificate of the same key. */
	buf_clear(&s.der);
	make_certificate(s.key, &s.der);
	post_revoke(&s, &s.owner, "", &reply);
	reply_expect(&reply, 404, "malformed");
	buf_clear(&s.der);
	post_revoke(&s, &s.owner, "", &reply);
	reply_expect(&reply, 404, "malformed");
	buf_add(&s.der, copy.data, copy.len);
	post_revoke(&s, &s.owner, "", &reply);
	reply_expect(&reply, 200, NULL);
}

static void payloads_without_a_certificate(void **state)
{
	static const char *const payloads[] = {
		"{}", "{\"certificate\":7}", "{\"certificate\":\"AA==\"}", "{\"certificate\":\"-----BEGIN CERTIFICATE-----\"}",
		"{\"certificate\":null}", "{\"certificate\":[]}",
	};
	auto_scene s;

	(void)state;
	open_ordered(&s);
	for (size_t i = 0; i < array_length(payloads); i++) {
		auto_value(reply) reply = { 0 };
		client_post(&s.owner, REVOKE, payloads[i], &reply);
		reply_expect(&reply, 400, "malformed");
	}
}

static void an_expired_certificate_needs_no_revocation(void **state)
{
	auto_scene s;
	auto_value(reply) reply = { 0 };

	(void)state;
	open_scene(&s);
	record(&s, account_id(&s.owner), "acme", (struct record_list){ both_names, 3 }, clock_now() - 10);
	post_revoke(&s, &s.owner, "", &reply);
	reply_expect(&reply, 400, "malformed");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_account_revokes_once),
		cmocka_unit_test(reasons_are_judged),
		cmocka_unit_test(an_account_with_all_names_revokes),
		cmocka_unit_test(a_loose_common_name_is_held_by_nobody),
		cmocka_unit_test(a_certificate_without_names_is_its_accounts),
		cmocka_unit_test(what_was_not_issued_over_acme_is_for_its_key),
		cmocka_unit_test(what_another_ca_has_issued_is_not_revoked),
		cmocka_unit_test(the_certificates_key_revokes),
		cmocka_unit_test(another_key_does_not),
		cmocka_unit_test(only_the_very_certificate_is_found),
		cmocka_unit_test(payloads_without_a_certificate),
		cmocka_unit_test(an_expired_certificate_needs_no_revocation),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
