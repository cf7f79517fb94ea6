/* A whole ACME wing for tests: CA, store in memory, two accounts, a name server where every name is
 * 127.0.0.1, and the web server that answers challenges there. Actions are called as the router
 * calls them, after the JWS. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ftw.h>
#include <stdatomic.h>

#include "acme/actions.h"
#include "acme/order_state.h"
#include "base/base64.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/ossl.h"
#include "tests/unit/fake_dns.h"
#include "tests/unit/fake_http.h"

enum world_web { WEB_RIGHT, WEB_WRONG, WEB_STALLED }; /* stalled: until it is something else */

struct world {
	char folder[64];
	struct acme_options options; /* change them, then world_open */
	struct addr_list allow;
	struct strings resolvers;
	struct store *store;
	struct ca *ca;
	struct profiles *profiles;
	struct acme *acme;
	struct fake_dns names;
	struct fake_http web;
	_Atomic enum world_web mode;
	struct account account[2];
	char account_id[2][RANDOM_ID_SIZE];
	uint8_t thumbprint[2][32];
	struct buf key[2];
	EVP_PKEY *public_key[2];
};

static const struct fake_record world_records[] = {
	{ .name = "*", .type = FAKE_A, .value = "127.0.0.1" },
	{ 0 },
};

static inline void world_answer(struct fake_http *server, int fd, const char *request)
{
	struct world *w = server->arg;
	auto_value(buf) body = {0};
	char token[128] = "";
	enum world_web mode;

	for (int i = 0; (mode = atomic_load(&w->mode)) == WEB_STALLED && i < 3000; i++)
		usleep(10 * 1000);
	if (sscanf(request, "GET /.well-known/acme-challenge/%127[A-Za-z0-9_-] HTTP/1.1", token) != 1)
		return;
	buf_printf(&body, "%s.", token);
	buf_add_base64url(&body, BYTES(w->thumbprint[0], 32));
	if (mode == WEB_WRONG)
		buf_add_str(&body, "wrong");
	char head[128];
	snprintf(head, sizeof(head), "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", body.len);
	fake_http_send(fd, head);
	fake_http_send(fd, buf_text(&body));
}

#define world_must(call)                                                                                  \
	do {                                                                                              \
		struct problem world_p_ = {0};                                                            \
		struct problem *p = &world_p_;                                                            \
		if (!(call))                                                                              \
			fail_msg("%s: %s: %s%s", #call, problem_kind_name(p->kind), p->detail, p->cause); \
	} while (0)

static inline bool world_put_account(struct store_txn *txn, void *arg, struct problem *p)
{
	return store_account_put(txn, arg, p);
}

static inline void world_account(struct world *w, int i)
{
	struct account *a = &w->account[i];

	w->public_key[i] = EVP_EC_gen("P-256");
	world_must(ossl_public_der(w->public_key[i], &w->key[i], p));
	world_must(random_bytes(w->thumbprint[i], 32, p));
	world_must(random_id(w->account_id[i], p));
	*a = (struct account){
		.directory = "default", .status = ACCOUNT_VALID, .key = buf_bytes(&w->key[i]),
		.thumbprint = BYTES(w->thumbprint[i], 32), .jwk = "{}", .created = clock_now(),
	};
	memcpy(a->id, w->account_id[i], RANDOM_ID_SIZE);
	world_must(store_update(w->store, world_put_account, a, p));
}

static inline void world_ca(struct world *w)
{
	const struct ca_create_options create = {
		.folder = w->folder, .organization = "Example", .root_name = "Example Root",
		          .issuing_name = "Example Issuing",
		.root_key = KEYFILE_EC_P256, .issuing_key = KEYFILE_EC_P256,
		.root_lifetime = 20LL * 365 * 86400, .issuing_lifetime = 10LL * 365 * 86400,
	};
	const struct ca_options open = { .folder = w->folder };
	const struct bytes passphrase = BYTES("correct horse", 13);

	strcpy(w->folder, "/tmp/enrolld-acme-XXXXXX");
	assert_non_null(mkdtemp(w->folder));
	world_must(ca_create(&create, passphrase, p));
	world_must(ca_open(&open, passphrase, &w->ca, p));
}

/* Two directories: "default", which has names of .example and addresses of 127.0.0.0/8, and "bound",
        which wants
 * an external account. */
static inline void world_profiles(struct world *w)
{
	struct profile *list[2] = {0};

	world_must(profile_new("default", &list[0], p));
	world_must(profile_new("bound", &list[1], p));
	strings_free(&list[0]->names[IDENTIFIER_DNS].allow);
	assert_true(strings_add(&list[0]->names[IDENTIFIER_DNS].allow, "**.example"));
	list[1]->eab_required = true;
	world_must(profiles_new(list, 2, "default", NULL, &w->profiles, p));
}

static inline void world_options(struct world *w)
{
	world_must(addr_list_add(&w->allow, "127.0.0.0/8", p));
	assert_true(strings_add(&w->resolvers, w->names.resolver));
	w->options = (struct acme_options){
		.order_lifetime = 86400, .authorization_pending_lifetime = 43200, .retention = 3600,
		                  .orders_page = 3,
		.pending_authorizations_max = 100, .contacts_max = 3, .http_port = w->web.port,
		                              .https_port = w->web.port,
		.probe_allow = &w->allow, .probe_timeout_ms = 30000, .probe_attempts = 1, .probe_threads = 4,
		               .probe_queue = 64,
		.challenge_wait_ms = 30000, .dns = { .resolvers = &w->resolvers },
		/* The name server here says nothing but addresses; who tests more turns more on. */
		.challenges = ACME_HTTP_01,
	};
}

/* Everything but the wing itself. */
static inline struct world *world_new(void)
{
	static const uint8_t seal[32] = { 1 };
	struct world *w = calloc(1, sizeof(*w));
	struct kv *kv;

	log_setup(LOG_LEVEL_ERROR, LOG_FORMAT_LOGFMT);
	world_ca(w);
	world_profiles(w);
	world_must(kv_memory_open(&kv, p));
	world_must(store_open_kv(kv, seal, &w->store, p));
	world_account(w, 0);
	world_account(w, 1);
	w->web.handler = world_answer;
	w->web.arg = w;
	fake_http_start(&w->web);
	fake_dns_start(&w->names, world_records);
	world_options(w);
	return w;
}

static inline void world_open(struct world *w)
{
	world_must(acme_open(&w->options, w->store, w->ca, w->profiles, &w->acme, p));
}

static inline int world_remove(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static inline void world_free(struct world *w)
{
	acme_close(w->acme);
	profiles_unref(w->profiles);
	store_close(w->store);
	ca_free(w->ca);
	fake_http_stop(&w->web);
	fake_dns_stop(&w->names);
	addr_list_free(&w->allow);
	strings_free(&w->resolvers);
	for (int i = 0; i < 2; i++) {
		EVP_PKEY_free(w->public_key[i]);
		buf_free(&w->key[i]);
	}
	nftw(w->folder, world_remove, 8, FTW_DEPTH | FTW_PHYS);
	free(w);
}

static inline int world_setup(void **state)
{
	struct world *w = world_new();

	world_open(w);
	*state = w;
	return 0;
}

static inline int world_teardown(void **state)
{
	world_free(*state);
	return 0;
}

/* --- calling */

struct reply {
	bool done;
	struct problem problem;
	struct http_response response;
	struct json *json;
};

static inline void reply_free(struct reply *r)
{
	problem_done(&r->problem);
	http_response_free(&r->response);
	json_free(r->json);
}
declare_auto_value(reply, reply_free);

static inline struct http_request world_request(const char *path, const char *query)
{
	return (struct http_request){
		.id = "test", .method = HTTP_POST, .base_url = "https://ca.example", .path = path,
		      .query = query ? query : "",
		.peer = { .family = AF_INET, .byte = { 192, 0, 2, 7 } },
	};
}

/* payload NULL: POST-as-GET. who: which account. */
static inline void world_call_query(struct world *w, int who, acme_action *action, const char *first,
                                    const char *second,
                                    const char *payload, const char *query, struct reply *ret)
{
	struct http_request request = world_request("/acme/default/x", query);
	struct acme_call call = {
		.acme = w->acme, .request = &request, .response = &ret->response, .profiles = w->profiles,
		.profile = profiles_find(w->profiles, "default"), .directory = "default",
		           .capture = { first, second, "", "" },
		.account = w->account[who], .key = buf_bytes(&w->key[who]), .public_key = w->public_key[who],
		           .now = clock_now(),
	};
	auto_struct(json) *json = NULL;

	if (payload)
		world_must(json_parse(BYTES_STR(payload), &json, p));
	call.payload = json;
	memcpy(call.thumbprint, w->thumbprint[who], 32);
	ret->done = action(&call, &ret->problem);
	assert_int_equal(ret->done, !problem_is_set(&ret->problem));
	if (ret->done && ret->response.content_type && str_equal(ret->response.content_type,
	                                                         "application/json"))
		world_must(json_parse(buf_bytes(&ret->response.body), &ret->json, p));
}

static inline void world_call(struct world *w, int who, acme_action *action, const char *first,
                              const char *second,
                              const char *payload, struct reply *ret)
{
	world_call_query(w, who, action, first, second, payload, NULL, ret);
}

#define assert_done(r, want_status) reply_done((r), (want_status), __LINE__)
static inline void reply_done(const struct reply *r, int want_status, int line)
{
	if (!r->done)
		fail_msg("line %d: %s: %s%s", line, problem_kind_name(r->problem.kind), r->problem.detail,
		         r->problem.cause);
	assert_int_equal(r->response.status, want_status);
}

#define assert_refused(r, want_kind) reply_refused((r), (want_kind), __LINE__)
static inline void reply_refused(const struct reply *r, enum problem_kind want_kind, int line)
{
	if (r->done || r->problem.kind != want_kind)
		fail_msg("line %d: wanted %s, got %s: %s%s", line, problem_kind_name(want_kind),
		         r->done ? "a reply" : problem_kind_name(r->problem.kind), r->problem.detail,
		         r->problem.cause);
}

#define assert_member(json, name, want) \
	assert_string_equal(json_member_string(json, name) ?: "(missing)", want)

/* The value of a header of the reply, or NULL. One static buffer. */
static inline const char *reply_header(const struct reply *r, const char *name)
{
	static char value[512];
	const char *at = buf_text(&r->response.headers);
	char line[80];

	snprintf(line, sizeof(line), "%s: ", name);
	at = strstr(at, line);
	if (!at)
		return NULL;
	at += strlen(line);
	snprintf(value, sizeof(value), "%.*s", (int)strcspn(at, "\r"), at);
	return value;
}

/* The id in a URL of ours, after that kind. */
static inline const char *id_in(const char *url, const char *kind, char ret[RANDOM_ID_SIZE])
{
	char want[64];
	const char *at;

	snprintf(want, sizeof(want), "/acme/default/%s/", kind);
	assert_non_null(url);
	at = strstr(url, want);
	assert_non_null(at);
	snprintf(ret, RANDOM_ID_SIZE, "%s", at + strlen(want));
	return ret;
}

/* --- the usual steps */

struct placed {
	char order[RANDOM_ID_SIZE];
	char authorization[8][RANDOM_ID_SIZE];
};

/* names: "dns:a.example ip:127.0.0.1", separated by one space. */
static inline void names_payload(const char *names, struct buf *ret)
{
	auto_free char *copy = strdup(names);
	char *save = NULL;
	const char *comma = "";

	buf_add_str(ret, "{\"identifiers\":[");
	for (char *name = strtok_r(copy, " ", &save); name; name = strtok_r(NULL, " ", &save)) {
		char *colon = strchr(name, ':');

		buf_printf(ret, "%s{\"type\":\"%.*s\",\"value\":\"%s\"}", comma, (int)(colon - name), name,
		           colon + 1);
		comma = ",";
	}
	buf_add_str(ret, "]}");
}

static inline struct placed place_order(struct world *w, int who, const char *names)
{
	auto_value(buf) payload = {0};
	auto_value(reply) r = {0};
	struct placed placed = {0};

	names_payload(names, &payload);
	world_call(w, who, acme_order_new, "", "", buf_text(&payload), &r);
	assert_done(&r, 201);
	id_in(reply_header(&r, "Location"), "order", placed.order);
	const struct json *list = json_member(r.json, "authorizations");
	for (size_t i = 0; i < json_length(list) && i < array_length(placed.authorization); i++)
		id_in(json_string(json_at(list, i)), "authz", placed.authorization[i]);
	return placed;
}

static inline void answer_challenge(struct world *w, int who, const char *authorization, struct reply *ret)
{
	world_call(w, who, acme_challenge_post, authorization, "http-01", "{}", ret);
}

static inline struct placed ready_order(struct world *w, const char *names)
{
	struct placed placed = place_order(w, 0, names);

	for (size_t i = 0; i < array_length(placed.authorization) && placed.authorization[i][0]; i++) {
		auto_value(reply) r = {0};

		answer_challenge(w, 0, placed.authorization[i], &r);
		assert_done(&r, 200);
		assert_member(r.json, "status", "valid");
	}
	return placed;
}

/* names as above. A finalize payload with a fresh P-256 key. */
static inline void csr_payload(const char *names, struct buf *ret)
{
	auto(EVP_PKEY) *key = EVP_EC_gen("P-256");
	auto(X509_REQ) *req = X509_REQ_new();
	auto_free char *copy = strdup(names), *text = calloc(1, 4096);
	auto_value(buf) der = {0};
	STACK_OF(X509_EXTENSION) *extensions = sk_X509_EXTENSION_new_null();
	char *save = NULL;

	for (char *name = strtok_r(copy, " ", &save); name; name = strtok_r(NULL, " ", &save)) {
		char *colon = strchr(name, ':');

		*colon = '\0';
		strcat(strcat(strcat(text, text[0] ? "," : ""), str_equal(name, "dns") ? "DNS:" : "IP:"),
		       colon + 1);
	}
	sk_X509_EXTENSION_push(extensions, X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, text));
	X509_REQ_add_extensions(req, extensions);
	sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
	X509_REQ_set_pubkey(req, key);
	assert_true(X509_REQ_sign(req, key, EVP_sha256()) > 0);
	assert_true(ossl_der(i2d_X509_REQ, req, &der));
	buf_add_str(ret, "{\"csr\":\"");
	buf_add_base64url(ret, buf_bytes(&der));
	buf_add_str(ret, "\"}");
}

static inline void order_status_is(struct world *w, const char *order, const char *want)
{
	auto_value(reply) r = {0};

	world_call(w, 0, acme_order_get, order, "", NULL, &r);
	assert_done(&r, 200);
	assert_member(r.json, "status", want);
	assert_int_equal(json_member(r.json, "error") != NULL, str_equal(want, "invalid"));
}

static inline void authorization_status_is(struct world *w, const char *authorization, const char *want)
{
	auto_value(reply) r = {0};

	world_call(w, 0, acme_authorization_post, authorization, "", NULL, &r);
	assert_done(&r, 200);
	assert_member(r.json, "status", want);
}
