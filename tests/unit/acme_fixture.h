/* The ACME wing over a store in memory, and clients that talk to it through its route table. */
#pragma once

#include "tests/unit/jws_maker.h"

#include <stdio.h>

#include "acme/acme.h"
#include "acme/nonce.h"
#include "acme/routes.h"
#include "base/clock.h"
#include "store/certificate.h"
#include "store/eab.h"

#define FIXTURE_BASE "https://ca.example:8443"
#define FIXTURE_TERMS "https://ca.example/terms"

struct fixture {
	struct store *store;
	struct profiles *profiles;
	struct acme *acme;
	const char *peer;          /* who asks; NULL: 192.0.2.7 */
};

/* A reply as a client sees it, and the kind of the problem behind it. */
struct reply {
	struct http_response response;
	enum problem_kind kind;
	struct json *body;
	char route[128];
};

static inline void reply_free(struct reply *reply)
{
	http_response_free(&reply->response);
	json_free(reply->body);
	*reply = (struct reply){ 0 };
}
declare_auto_value(reply, reply_free);

/* --- the wing */

static inline struct profile *fixture_profile(const char *name)
{
	auto_value(problem) p = { 0 };
	struct profile *profile = NULL;
	if (!profile_new(name, &profile, &p))
		fail_msg("%s", p.detail);
	return profile;
}

/* Profiles "default", "other", "bound" (an external account is required) and "device" (no ACME). */
static inline struct profiles *fixture_profiles(void)
{
	auto_value(problem) p = { 0 };
	struct profiles *profiles = NULL;
	struct profile *list[] = { fixture_profile("default"), fixture_profile("other"), fixture_profile("bound"),
	                           fixture_profile("device") };
	list[2]->eab_required = true;
	list[3]->methods = PROFILE_EST;
	if (!profiles_new(list, array_length(list), "default", NULL, &profiles, &p))
		fail_msg("%s", p.detail);
	return profiles;
}

static inline struct acme_options fixture_options(void)
{
	return (struct acme_options){
		.order_lifetime = 86400, .authorization_pending_lifetime = 86400, .retention = 86400, .orders_page = 10,
		.pending_authorizations_max = 100, .contacts_max = 5, .http_port = 80, .https_port = 443, .probe_timeout_ms = 1000,
		.probe_attempts = 1, .probe_threads = 1, .probe_queue = 10, .challenge_wait_ms = 1,
	};
}

static inline void fixture_open(struct fixture *f, const struct acme_options *options)
{
	static const uint8_t seal_key[32] = { 1, 2, 3 };
	auto_value(problem) p = { 0 };
	struct kv *kv = NULL;
	*f = (struct fixture){ .profiles = fixture_profiles() };
	if (!kv_memory_open(&kv, &p) || !store_open_kv(kv, seal_key, &f->store, &p) ||
	    !acme_open(options, f->store, NULL, f->profiles, &f->acme, &p))
		fail_msg("%s: %s", p.detail, p.cause);
}

static inline void fixture_close(struct fixture *f)
{
	acme_close(f->acme);
	store_close(f->store);
	profiles_unref(f->profiles);
}
declare_auto_value(fixture, fixture_close);

/* --- requests */

/* Whether path fits the template, segment by segment; what the {names} matched goes to captures. */
static inline bool fixture_match(const char *template, const char *path, struct http_request *request)
{
	size_t n = 0;
	while (*template && *path) {
		size_t want = strcspn(template + 1, "/") + 1, have = strcspn(path + 1, "/") + 1;
		if (template[1] == '{') {
			if (have < 2 || n == HTTP_CAPTURES_MAX)
				return false;
			snprintf(request->captures[n++], HTTP_CAPTURE_SIZE, "%.*s", (int)have - 1, path + 1);
		} else if (want != have || strncmp(template, path, have) != 0) {
			return false;
		}
		template += want;
		path += have;
	}
	return !*template && !*path;
}

static inline size_t fixture_route(struct http_request *request)
{
	enum http_method method = request->method == HTTP_HEAD ? HTTP_GET : request->method;
	for (size_t i = 0; i < acme_route_count(); i++) {
		memset(request->captures, 0, sizeof request->captures);
		if (acme_route_at(i)->http.method == method && fixture_match(acme_route_at(i)->http.path, request->path, request))
			return i;
	}
	fail_msg("no route for %s", request->path);
	return 0;
}

/* path may have a query. */
static inline void fixture_send(struct fixture *f, enum http_method method, const char *path, const char *body, struct reply *ret)
{
	char plain[256];
	const char *query = strchr(path, '?');
	const struct http_wing *wing = acme_wing(f->acme);
	auto_value(problem) p = { 0 }, ignored = { 0 };
	snprintf(plain, sizeof plain, "%.*s", (int)strcspn(path, "?"), path);
	struct http_request request = {
		.id = "req-1", .method = method, .method_name = http_method_name(method), .base_url = FIXTURE_BASE, .path = plain,
		.query = query ? query + 1 : "", .has_query = query != NULL, .body = BYTES_STR(body),
	};
	assert_true(addr_parse(f->peer ?: "192.0.2.7", &request.peer));
	size_t i = fixture_route(&request);
	reply_free(ret);
	if (!wing->serve(wing->state, i, &request, &ret->response, &p)) {
		assert_true(problem_is_set(&p));
		ret->kind = p.kind;
		wing->refuse(wing->state, i, &request, &p, &ret->response);
	}
	if (ret->response.content_type && strstr(ret->response.content_type, "json") &&
	    !json_parse(buf_bytes(&ret->response.body), &ret->body, &ignored))
		fail_msg("%s: %s", buf_text(&ret->response.body), ignored.detail);
}

/* The value of the reply's first header of that name, or NULL; overwritten by the next call. */
static inline const char *reply_header(const struct reply *reply, const char *name)
{
	static char value[512];
	const char *line = buf_text(&reply->response.headers);
	size_t len = strlen(name);
	while (*line) {
		size_t line_len = strcspn(line, "\r\n");
		if (strncmp(line, name, len) == 0 && strncmp(line + len, ": ", 2) == 0) {
			snprintf(value, sizeof value, "%.*s", (int)(line_len - len - 2), line + len + 2);
			return value;
		}
		line += line_len + 2;
	}
	return NULL;
}

static inline void copy_text(char *ret, size_t size, const char *text)
{
	assert_non_null(text);
	assert_true(strlen(text) < size);
	memcpy(ret, text, strlen(text) + 1);
}

static inline const char *reply_text(const struct reply *reply, const char *member)
{
	const char *text = json_member_string(reply->body, member);
	if (!text)
		fail_msg("no \"%s\" in %s", member, buf_text(&reply->response.body));
	return text;
}

static inline void reply_expect(const struct reply *reply, int status, const char *type)
{
	char urn[96];
	if (reply->response.status != status)
		fail_msg("status %d, not %d: %s", reply->response.status, status, buf_text(&reply->response.body));
	if (!type)
		return;
	snprintf(urn, sizeof urn, "urn:ietf:params:acme:error:%s", type);
	assert_string_equal(reply_text(reply, "type"), urn);
	assert_string_equal(reply->response.content_type, "application/problem+json");
}

/* --- clients */

struct client {
	struct fixture *f;
	EVP_PKEY *key;
	const char *alg;
	const char *directory;
	char kid[256];          /* "": signs by jwk */
	char nonce[NONCE_SIZE]; /* for the next request; "": a fresh one */
};

static inline void client_free(struct client *client)
{
	EVP_PKEY_free(client->key);
	*client = (struct client){ 0 };
}
declare_auto_value(client, client_free);

static inline void client_open(struct client *client, struct fixture *f, const char *alg, const char *directory)
{
	*client = (struct client){ .f = f, .key = maker_key(alg), .alg = alg, .directory = directory };
}

/* The members of a protected header, without braces. */
static inline void client_header(struct client *client, struct buf *out, const char *path)
{
	if (!client->nonce[0])
		nonce_make(client->f->acme->nonces, client->nonce);
	buf_printf(out, "\"alg\":\"%s\",\"nonce\":\"%s\",\"url\":\"" FIXTURE_BASE "%s\",", client->alg, client->nonce, path);
	client->nonce[0] = '\0';
	if (client->kid[0]) {
		buf_printf(out, "\"kid\":\"%s\"", client->kid);
	} else {
		buf_add_str(out, "\"jwk\":");
		maker_jwk(out, client->key, client->alg);
	}
}

static inline void client_post_with(struct client *client, const char *path, const char *header, const char *payload, struct reply *ret)
{
	auto_value(buf) body = { 0 };
	maker_jws(&body, client->key, client->alg, header, payload);
	fixture_send(client->f, HTTP_POST, path, buf_text(&body), ret);
}

static inline void client_post(struct client *client, const char *path, const char *payload, struct reply *ret)
{
	auto_value(buf) header = { 0 };
	buf_add_char(&header, '{');
	client_header(client, &header, path);
	buf_add_char(&header, '}');
	client_post_with(client, path, buf_text(&header), payload, ret);
}

/* To a resource of the client's directory, "new-account". */
static inline void client_post_to(struct client *client, const char *resource, const char *payload, struct reply *ret)
{
	char path[256];
	snprintf(path, sizeof path, "/acme/%s/%s", client->directory, resource);
	client_post(client, path, payload, ret);
}

/* The path of a URL of this server. */
static inline const char *path_of(const char *url)
{
	assert_true(str_starts(url, FIXTURE_BASE "/"));
	return url + strlen(FIXTURE_BASE);
}

static inline void client_register(struct client *client, const char *payload)
{
	auto_value(reply) reply = { 0 };
	client->kid[0] = '\0';
	client_post_to(client, "new-account", payload, &reply);
	reply_expect(&reply, 201, NULL);
	copy_text(client->kid, sizeof client->kid, reply_header(&reply, "Location"));
}
