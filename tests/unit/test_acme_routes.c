#include "tests/unit/acme_fixture.h"

/* A path of this row that names nothing of anybody's, or the account of the client. */
static const char *path_for(const struct acme_route *row, const struct client *client)
{
	static char path[256];
	const char *account = client->kid[0] ? strrchr(client->kid, '/') + 1 : "x";
	auto_value(buf) out = { 0 };
	for (const char *c = row->http.path; *c; c++) {
		if (*c != '{') {
			buf_add_char(&out, *c);
			continue;
		}
		bool account_id = str_starts(row->http.path, "/acme/{profile}/account/") && str_starts(c, "{id}");
		buf_add_str(&out, str_starts(c, "{profile}") ? client->directory : account_id ? account : "AAAAAAAAAAAAAAAAAAAAAA");
		c = strchr(c, '}');
	}
	snprintf(path, sizeof path, "%s", buf_text(&out));
	return path;
}

struct walker {
	struct fixture fixture;
	struct client client;
};

static void open_walker(struct walker *w)
{
	struct acme_options options = fixture_options();
	fixture_open(&w->fixture, &options);
	client_open(&w->client, &w->fixture, "ES256", "default");
	client_register(&w->client, "{}");
}

static void close_walker(struct walker *w)
{
	client_free(&w->client);
	fixture_close(&w->fixture);
}
#define auto_walker __attribute__((cleanup(close_walker))) struct walker

static void expect_headers(const struct reply *reply, const struct acme_route *row, const char *directory)
{
	char link[256];
	assert_string_equal(reply_header(reply, "Cache-Control"), "no-store");
	snprintf(link, sizeof link, "<" FIXTURE_BASE "/acme/%s/directory>;rel=\"index\"", directory);
	if (row->directory)
		assert_null(reply_header(reply, "Link"));
	else
		assert_string_equal(reply_header(reply, "Link"), link);
}

/* --- how a request must be signed: every row with every fault */

static void bad_signature(struct client *c, const char *path, const char *payload, struct reply *ret)
{
	auto_value(buf) header = { 0 }, body = { 0 };
	buf_add_char(&header, '{');
	client_header(c, &header, path);
	buf_add_char(&header, '}');
	maker_join(&body, buf_text(&header), payload, BYTES("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", 64));
	fixture_send(c->f, HTTP_POST, path, buf_text(&body), ret);
}

/* The other one of jwk and kid. */
static void wrong_reference(struct client *c, const char *path, const char *payload, struct reply *ret)
{
	char kid[sizeof c->kid];
	memcpy(kid, c->kid, sizeof kid);
	snprintf(c->kid, sizeof c->kid, "%s", kid[0] ? "" : FIXTURE_BASE "/acme/default/account/AAAAAAAAAAAAAAAAAAAAAA");
	client_post(c, path, payload, ret);
	memcpy(c->kid, kid, sizeof kid);
}

static void post_header(struct client *c, const char *path, const char *payload, const char *url, const char *more, struct reply *ret)
{
	auto_value(buf) header = { 0 };
	buf_add_char(&header, '{');
	client_header(c, &header, url ? url : path);
	buf_printf(&header, "%s}", more);
	client_post_with(c, path, buf_text(&header), payload, ret);
}

static void wrong_url(struct client *c, const char *path, const char *payload, struct reply *ret)
{
	post_header(c, path, payload, "/acme/default/elsewhere", "", ret);
}

static void url_with_query(struct client *c, const char *path, const char *payload, struct reply *ret)
{
	char url[300];
	snprintf(url, sizeof url, "%s?", path);
	post_header(c, path, payload, url, "", ret);
}

static void query_that_the_url_has_not(struct client *c, const char *path, const char *payload, struct reply *ret)
{
	auto_value(buf) header = { 0 };
	char target[300];
	snprintf(target, sizeof target, "%s?", path);
	buf_add_char(&header, '{');
	client_header(c, &header, path);
	buf_add_char(&header, '}');
	client_post_with(c, target, buf_text(&header), payload, ret);
}

static void critical(struct client *c, const char *path, const char *payload, struct reply *ret)
{
	post_header(c, path, payload, NULL, ",\"crit\":[\"x\"],\"x\":1", ret);
}

static void unencoded(struct client *c, const char *path, const char *payload, struct reply *ret)
{
	post_header(c, path, payload, NULL, ",\"b64\":false", ret);
}

static void used_nonce(struct client *c, const char *path, const char *payload, struct reply *ret)
{
	char nonce[NONCE_SIZE];
	nonce_make(c->f->acme->nonces, nonce);
	assert_true(nonce_use(c->f->acme->nonces, nonce));
	memcpy(c->nonce, nonce, sizeof nonce);
	client_post(c, path, payload, ret);
	assert_string_equal(reply_text(ret, "detail"), "JWS has an invalid anti-replay nonce");
}

static void foreign_nonce(struct client *c, const char *path, const char *payload, struct reply *ret)
{
	snprintf(c->nonce, sizeof c->nonce, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
	client_post(c, path, payload, ret);
}

static void unprotected_header(struct client *c, const char *path, const char *payload, struct reply *ret)
{
	auto_value(buf) header = { 0 }, body = { 0 };
	buf_add_char(&header, '{');
	client_header(c, &header, path);
	buf_add_char(&header, '}');
	maker_jws(&body, c->key, c->alg, buf_text(&header), payload);
	buf_shorten(&body, body.len - 1);
	buf_add_str(&body, ",\"header\":{}}");
	fixture_send(c->f, HTTP_POST, path, buf_text(&body), ret);
}

static void no_json(struct client *c, const char *path, const char *payload, struct reply *ret)
{
	(void)payload;
	fixture_send(c->f, HTTP_POST, path, "{\"protected\"", ret);
}

static void mac(struct client *c, const char *path, const char *payload, struct reply *ret)
{
	auto_value(buf) header = { 0 }, body = { 0 };
	buf_printf(&header, "{\"alg\":\"HS256\",\"nonce\":\"AA\",\"url\":\"" FIXTURE_BASE "%s\",\"kid\":\"%s\"}", path, c->kid);
	maker_mac(&body, 256, BYTES("secret", 6), buf_text(&header), payload);
	fixture_send(c->f, HTTP_POST, path, buf_text(&body), ret);
	assert_int_equal(json_length(json_member(ret->body, "algorithms")), 6);
}

static void array_payload(struct client *c, const char *path, const char *payload, struct reply *ret)
{
	(void)payload;
	client_post(c, path, "[]", ret);
}

static const struct fault {
	const char *name;
	void (*post)(struct client *c, const char *path, const char *payload, struct reply *ret);
	int want_status;
	const char *want_type;
} faults[] = {
	{ "bad signature", bad_signature, 400, "malformed" },
	{ "kid for jwk, jwk for kid", wrong_reference, 400, "malformed" },
	{ "wrong url", wrong_url, 403, "unauthorized" },
	{ "url with a query", url_with_query, 403, "unauthorized" },
	{ "query that the url has not", query_that_the_url_has_not, 403, "unauthorized" },
	{ "crit", critical, 400, "malformed" },
	{ "b64", unencoded, 400, "malformed" },
	{ "used nonce", used_nonce, 400, "badNonce" },
	{ "foreign nonce", foreign_nonce, 400, "badNonce" },
	{ "unprotected header", unprotected_header, 400, "malformed" },
	{ "no JSON", no_json, 400, "malformed" },
	{ "HMAC", mac, 400, "badSignatureAlgorithm" },
	{ "payload is an array", array_payload, 400, "malformed" },
};

static void every_post_route_refuses_every_fault(void **state)
{
	auto_walker w;
	size_t walked = 0;

	(void)state;
	open_walker(&w);
	for (size_t i = 0; i < acme_route_count(); i++) {
		const struct acme_route *row = acme_route_at(i);
		if (row->http.method != HTTP_POST)
			continue;
		for (size_t j = 0; j < array_length(faults); j++) {
			auto_value(reply) reply = { 0 };
			char kid[sizeof w.client.kid];
			memcpy(kid, w.client.kid, sizeof kid);
			if (row->auth == ACME_JWK)
				w.client.kid[0] = '\0';
			if (row->auth != ACME_KID_OR_JWK || faults[j].post != wrong_reference) {
				const char *path = path_for(row, &w.client);
				faults[j].post(&w.client, path, row->payload == ACME_OBJECT ? "{}" : "", &reply);
				if (reply.response.status != faults[j].want_status)
					fail_msg("%s, %s: %d %s", row->http.path, faults[j].name, reply.response.status,
					         buf_text(&reply.response.body));
				reply_expect(&reply, faults[j].want_status, faults[j].want_type);
				expect_headers(&reply, row, "default");
				assert_true(nonce_use(w.fixture.acme->nonces, reply_header(&reply, "Replay-Nonce")));
				walked++;
			}
			memcpy(w.client.kid, kid, sizeof kid);
		}
	}
	assert_true(walked > 100);
}

static void payloads_are_what_the_row_wants(void **state)
{
	auto_walker w;

	(void)state;
	open_walker(&w);
	for (size_t i = 0; i < acme_route_count(); i++) {
		const struct acme_route *row = acme_route_at(i);
		if (row->http.method != HTTP_POST || row->payload == ACME_EITHER || row->auth == ACME_JWK)
			continue;
		auto_value(reply) reply = { 0 };
		client_post(&w.client, path_for(row, &w.client), row->payload == ACME_OBJECT ? "" : "{}", &reply);
		reply_expect(&reply, 400, "malformed");
	}
}

static void rows_are_whole(void **state)
{
	(void)state;
	for (size_t i = 0; i < acme_route_count(); i++) {
		const struct acme_route *row = acme_route_at(i);
		assert_non_null(row->action);
		assert_true(str_starts(row->http.path, "/acme/"));
		assert_true(str_starts(row->http.rfc, "RFC "));
		assert_int_equal(row->http.method == HTTP_GET, row->auth == ACME_NONE);
		assert_int_equal(row->http.body_max > 0, row->http.method == HTTP_POST);
		assert_int_equal(row->http.content_type != NULL, row->http.method == HTTP_POST);
	}
}

/* --- who is asked for: kid */

static void kid_must_be_the_whole_account_url(void **state)
{
	static const struct {
		const char *format;   /* of the account's id */
		int status;
		const char *type;
	} rows[] = {
		{ FIXTURE_BASE "/acme/default/account/%s", 200, NULL },
		{ "%s", 400, "malformed" },
		{ "/acme/default/account/%s", 400, "malformed" },
		{ "http://ca.example:8443/acme/default/account/%s", 400, "malformed" },
		{ "https://ca.example/acme/default/account/%s", 400, "malformed" },
		{ "https://evil.example:8443/acme/default/account/%s", 400, "malformed" },
		{ FIXTURE_BASE "/acme/other/account/%s", 400, "malformed" },
		{ FIXTURE_BASE "/acme/defaulT/account/%s", 400, "malformed" },
		{ "https://cb.example:8443/acme/default/account/%s", 400, "malformed" },
		{ FIXTURE_BASE "/acme/default/order/%s", 400, "malformed" },
		{ FIXTURE_BASE "/acme/default/account/x/%s", 400, "accountDoesNotExist" },
		{ FIXTURE_BASE "/acme/default/account/%s/", 400, "accountDoesNotExist" },
		{ FIXTURE_BASE "/acme/default/account/%s?x", 400, "accountDoesNotExist" },
		{ FIXTURE_BASE "/acme/default/account/AAAAAAAAAAAAAAAAAAAAAA", 400, "accountDoesNotExist" },
		{ FIXTURE_BASE "/acme/default/account/", 400, "accountDoesNotExist" },
		{ "", 400, "malformed" },
	};
	auto_walker w;
	char id[32];

	(void)state;
	open_walker(&w);
	snprintf(id, sizeof id, "%s", strrchr(w.client.kid, '/') + 1);
	for (size_t i = 0; i < array_length(rows); i++) {
		auto_value(reply) reply = { 0 };
		auto_value(buf) header = { 0 }, kid = { 0 };
		char path[128], nonce[NONCE_SIZE];
		const char *at = strstr(rows[i].format, "%s");
		nonce_make(w.fixture.acme->nonces, nonce);
		snprintf(path, sizeof path, "/acme/default/account/%s", id);
		buf_add(&kid, rows[i].format, at ? (size_t)(at - rows[i].format) : strlen(rows[i].format));
		if (at)
			buf_printf(&kid, "%s%s", id, at + 2);
		buf_printf(&header, "{\"alg\":\"ES256\",\"nonce\":\"%s\",\"url\":\"" FIXTURE_BASE "%s\",\"kid\":\"%s\"}", nonce, path,
		           buf_text(&kid));
		client_post_with(&w.client, path, buf_text(&header), "", &reply);
		reply_expect(&reply, rows[i].status, rows[i].type);
	}
}

/* The account of one directory is nobody in another, even under that one's own URLs. */
static void accounts_belong_to_their_directory(void **state)
{
	auto_walker w;
	auto_value(reply) reply = { 0 };
	char path[128], id[64];

	(void)state;
	open_walker(&w);
	snprintf(id, sizeof id, "%s", strrchr(w.client.kid, '/') + 1);
	snprintf(path, sizeof path, "/acme/other/account/%s", id);
	snprintf(w.client.kid, sizeof w.client.kid, FIXTURE_BASE "/acme/other/account/%s", id);
	client_post(&w.client, path, "", &reply);
	reply_expect(&reply, 400, "accountDoesNotExist");
}

/* One account signs under another's kid. */
static void anothers_kid_is_refused(void **state)
{
	auto_walker w;
	auto_value(client) mallory = { 0 };
	auto_value(reply) reply = { 0 };

	(void)state;
	open_walker(&w);
	client_open(&mallory, &w.fixture, "ES256", "default");
	client_register(&mallory, "{}");
	memcpy(mallory.kid, w.client.kid, sizeof mallory.kid);
	client_post(&mallory, path_of(w.client.kid), "", &reply);
	reply_expect(&reply, 400, "malformed");
}

/* --- nonces */

static void a_bad_signature_leaves_the_nonce(void **state)
{
	auto_walker w;
	auto_value(reply) reply = { 0 };
	char nonce[NONCE_SIZE];

	(void)state;
	open_walker(&w);
	nonce_make(w.fixture.acme->nonces, nonce);
	memcpy(w.client.nonce, nonce, sizeof nonce);
	bad_signature(&w.client, path_of(w.client.kid), "", &reply);
	reply_expect(&reply, 400, "malformed");
	memcpy(w.client.nonce, nonce, sizeof nonce);
	client_post(&w.client, path_of(w.client.kid), "", &reply);
	reply_expect(&reply, 200, NULL);
	memcpy(w.client.nonce, nonce, sizeof nonce);
	client_post(&w.client, path_of(w.client.kid), "", &reply);
	reply_expect(&reply, 400, "badNonce");
}

/* RFC 8555, 6.5: it has appeared in a request that was its sender's, whatever else is wrong with that. */
static void a_signed_request_uses_up_the_nonce(void **state)
{
	static void (*const posts[])(struct client *c, const char *path, const char *payload, struct reply *ret) = { wrong_url, array_payload };
	auto_walker w;
	char nonce[NONCE_SIZE];

	(void)state;
	open_walker(&w);
	for (size_t i = 0; i < array_length(posts); i++) {
		auto_value(reply) refused = { 0 }, reply = { 0 };
		nonce_make(w.fixture.acme->nonces, nonce);
		memcpy(w.client.nonce, nonce, sizeof nonce);
		posts[i](&w.client, path_of(w.client.kid), "", &refused);
		assert_true(refused.kind != PROBLEM_NONE);
		memcpy(w.client.nonce, nonce, sizeof nonce);
		client_post(&w.client, path_of(w.client.kid), "", &reply);
		reply_expect(&reply, 400, "badNonce");
	}
}

/* The nonce of one reply is good for a request to another directory's resource. */
static void nonces_are_for_all_resources(void **state)
{
	auto_walker w;
	auto_value(client) other = { 0 };
	auto_value(reply) reply = { 0 };

	(void)state;
	open_walker(&w);
	client_post(&w.client, path_of(w.client.kid), "", &reply);
	client_open(&other, &w.fixture, "ES256", "other");
	copy_text(other.nonce, sizeof other.nonce, reply_header(&reply, "Replay-Nonce"));
	client_register(&other, "{}");
}

static void new_nonce_answers_get_head_and_post_as_get(void **state)
{
	static const char *const paths[] = { "/acme/new-nonce", "/acme/default/new-nonce" };
	auto_walker w;

	(void)state;
	open_walker(&w);
	for (size_t i = 0; i < array_length(paths); i++) {
		for (int post = 0; post < 3; post++) {
			auto_value(reply) reply = { 0 };
			if (post == 2)
				client_post(&w.client, paths[i], "", &reply);
			else
				fixture_send(&w.fixture, post ? HTTP_HEAD : HTTP_GET, paths[i], "", &reply);
			reply_expect(&reply, post == 1 ? 200 : 204, NULL);
			assert_null(reply.response.content_type);
			assert_int_equal(reply.response.body.len, 0);
			assert_string_equal(reply_header(&reply, "Cache-Control"), "no-store");
			assert_string_equal(reply_header(&reply, "Link"), "<" FIXTURE_BASE "/acme/default/directory>;rel=\"index\"");
			assert_true(nonce_use(w.fixture.acme->nonces, reply_header(&reply, "Replay-Nonce")));
		}
	}
}

/* --- the directory */

static void directory_without_options(void **state)
{
	static const char *const names[] = { "newNonce", "newAccount", "newOrder", "newAuthz", "revokeCert", "keyChange", "renewalInfo" };
	auto_walker w;
	auto_value(reply) reply = { 0 }, named = { 0 };

	(void)state;
	open_walker(&w);
	fixture_send(&w.fixture, HTTP_GET, "/acme/directory", "", &reply);
	reply_expect(&reply, 200, NULL);
	assert_string_equal(reply.response.content_type, "application/json");
	assert_null(reply_header(&reply, "Link"));
	for (size_t i = 0; i < array_length(names); i++)
		assert_true(str_starts(reply_text(&reply, names[i]), FIXTURE_BASE "/acme/default/"));
	assert_int_equal(json_length(reply.body), array_length(names) + 1);
	assert_int_equal(json_length(json_member(reply.body, "meta")), 2);
	assert_int_equal(json_length(json_member(json_member(reply.body, "meta"), "profiles")), 3);
	fixture_send(&w.fixture, HTTP_GET, "/acme/default/directory", "", &named);
	assert_string_equal(buf_text(&named.response.body), buf_text(&reply.response.body));
	client_post(&w.client, "/acme/default/directory", "", &named);
	assert_string_equal(buf_text(&named.response.body), buf_text(&reply.response.body));
	assert_non_null(reply_header(&named, "Replay-Nonce"));
}

static void directory_with_all_options(void **state)
{
	auto_value(strings) caa = { 0 };
	auto_value(fixture) f = { 0 };
	auto_value(reply) reply = { 0 };
	struct acme_options options = fixture_options();
	bool required = false;

	(void)state;
	assert_true(strings_add(&caa, "ca.example") && strings_add(&caa, "ca.example.net"));
	options.caa_identities = &caa;
	options.terms_of_service = FIXTURE_TERMS;
	options.website = "https://ca.example";
	fixture_open(&f, &options);
	fixture_send(&f, HTTP_GET, "/acme/bound/directory", "", &reply);
	const struct json *meta = json_member(reply.body, "meta");
	assert_string_equal(json_member_string(meta, "termsOfService"), FIXTURE_TERMS);
	assert_string_equal(json_member_string(meta, "website"), "https://ca.example");
	assert_string_equal(json_string(json_at(json_member(meta, "caaIdentities"), 1)), "ca.example.net");
	assert_true(json_bool(json_member(meta, "externalAccountRequired"), &required) && required);
	assert_string_equal(reply_text(&reply, "newOrder"), FIXTURE_BASE "/acme/bound/new-order");
}

static void directories_of_no_acme_profile_are_not_there(void **state)
{
	static const char *const paths[] = { "/acme/nowhere/directory", "/acme/device/directory", "/acme/device/new-nonce" };
	auto_walker w;

	(void)state;
	open_walker(&w);
	for (size_t i = 0; i < array_length(paths); i++) {
		auto_value(reply) reply = { 0 };
		fixture_send(&w.fixture, HTTP_GET, paths[i], "", &reply);
		reply_expect(&reply, 404, "malformed");
	}
}

/* --- the reply */

/* What the router refuses by itself is worded and dressed by the wing, route or none. */
static void refusals_of_the_router(void **state)
{
	auto_walker w;
	auto_value(problem) p = { 0 };
	auto_value(http_response) response = { 0 };
	struct http_request request = { .id = "r", .method = HTTP_POST, .base_url = FIXTURE_BASE, .path = "/acme/x", .query = "" };

	(void)state;
	open_walker(&w);
	const struct http_wing *wing = acme_wing(w.fixture.acme);
	problem_set(&p, PROBLEM_NOT_FOUND, "nothing here");
	buf_add_str(&response.headers, "Stale: 1\r\n");
	buf_add_str(&response.body, "stale");
	wing->refuse(wing->state, wing->route_count, &request, &p, &response);
	assert_int_equal(response.status, 404);
	assert_null(strstr(buf_text(&response.headers), "Stale"));
	assert_non_null(strstr(buf_text(&response.headers), "Replay-Nonce: "));
	assert_non_null(strstr(buf_text(&response.headers), "Link: <" FIXTURE_BASE "/acme/default/directory>;rel=\"index\"\r\n"));
	assert_string_equal(buf_text(&response.body),
	                    "{\"type\":\"urn:ietf:params:acme:error:malformed\",\"detail\":\"nothing here\",\"status\":404}");
}

struct rate_row {
	const char *path;
	int want;
};

/* cert-manager lives with 503, not with 429, once an order is under way. */
static void requests_are_limited_by_address(void **state)
{
	static const struct rate_row rows[] = {
		{ "/acme/default/new-order", 503 },
		{ "/acme/default/order/AAAAAAAAAAAAAAAAAAAAAA/finalize", 503 },
		{ "/acme/default/new-account", 429 },
		{ "/acme/default/revoke-cert", 429 },
	};
	auto_value(fixture) f = { 0 };
	auto_value(client) c = { 0 };
	auto_value(reply) reply = { 0 };
	struct acme_options options = fixture_options();

	(void)state;
	options.requests_per_address = (struct acme_limit_options){ .burst = 2, .period = 100000 };
	fixture_open(&f, &options);
	client_open(&c, &f, "ES256", "default");
	client_register(&c, "{}");
	client_post(&c, path_of(c.kid), "", &reply);
	reply_expect(&reply, 200, NULL);
	for (size_t i = 0; i < array_length(rows); i++) {
		client_post(&c, rows[i].path, "{}", &reply);
		reply_expect(&reply, rows[i].want, "rateLimited");
		assert_string_equal(reply_header(&reply, "Retry-After"), "60");
		assert_non_null(reply_header(&reply, "Replay-Nonce"));
	}
}

static void a_reload_changes_the_directories(void **state)
{
	auto_walker w;
	auto_value(problem) p = { 0 };
	auto_value(reply) reply = { 0 };
	struct profile *list[] = { fixture_profile("fresh") };
	struct profiles *profiles = NULL;

	(void)state;
	open_walker(&w);
	assert_true(profiles_new(list, 1, "fresh", NULL, &profiles, &p));
	acme_set_profiles(w.fixture.acme, profiles);
	profiles_unref(profiles);
	fixture_send(&w.fixture, HTTP_GET, "/acme/directory", "", &reply);
	assert_string_equal(reply_text(&reply, "newOrder"), FIXTURE_BASE "/acme/fresh/new-order");
	fixture_send(&w.fixture, HTTP_GET, "/acme/default/directory", "", &reply);
	reply_expect(&reply, 404, "malformed");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_are_whole),
		cmocka_unit_test(every_post_route_refuses_every_fault),
		cmocka_unit_test(payloads_are_what_the_row_wants),
		cmocka_unit_test(kid_must_be_the_whole_account_url),
		cmocka_unit_test(accounts_belong_to_their_directory),
		cmocka_unit_test(anothers_kid_is_refused),
		cmocka_unit_test(a_bad_signature_leaves_the_nonce),
		cmocka_unit_test(a_signed_request_uses_up_the_nonce),
		cmocka_unit_test(nonces_are_for_all_resources),
		cmocka_unit_test(new_nonce_answers_get_head_and_post_as_get),
		cmocka_unit_test(directory_without_options),
		cmocka_unit_test(directory_with_all_options),
		cmocka_unit_test(directories_of_no_acme_profile_are_not_there),
		cmocka_unit_test(refusals_of_the_router),
		cmocka_unit_test(requests_are_limited_by_address),
		cmocka_unit_test(a_reload_changes_the_directories),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
