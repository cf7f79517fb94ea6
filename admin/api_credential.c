/* The credentials of EST: POST, GET, revoke, import. */
#include <stdio.h>

#include "admin/api_page.h"
#include "admin/device_list.h"
#include "base/clock.h"
#include "policy/pattern.h"

enum { CODE_LIFE = 7 * 86400 };

static bool reply_with(struct api_call *call, const struct enrollment *row, const char *secret, struct problem *p)
{
	api_reply(call, 200);
	credential_json(row, secret, call->now, &call->response->body);
	return buf_check(&call->response->body, p);
}

/* --- made */

static void take_names(const struct json *list, struct strings *ret, struct problem *parts)
{
	for (size_t i = 0; i < json_length(list); i++) {
		auto_value(problem) why = {0};
		char field[48];
		snprintf(field, sizeof(field), "names[%zu]", i);
		if (!pattern_typed_check(json_string(json_at(list, i)), &why))
			problem_add_field(parts, PROBLEM_MALFORMED, field, json_string(json_at(list, i)), "%s",
			                  why.detail);
		else if (!strings_add(ret, json_string(json_at(list, i))))
			problem_memory(parts);
	}
}

static void take_profile(const struct api_call *call, const char *field, const char *name, struct problem *parts)
{
	if (name && !profiles_find(call->profiles, name))
		problem_add_field(parts, PROBLEM_NOT_FOUND, field, name, "there is no such profile");
}

static void take_digest(const struct json *list, struct credential_wish *wish)
{
	for (size_t i = 0; i < json_length(list); i++) {
		const char *name = json_string(json_at(list, i));
		wish->digest_sha256 = wish->digest_sha256 || str_equal(name, "sha-256");
		wish->digest_md5 = wish->digest_md5 || str_equal(name, "md5");
	}
}

static void take_bounds(const struct api_call *call, struct credential_wish *wish, struct problem *parts)
{
	const char *expires = json_member_string(call->body, "expires");
	bool code = wish->kind == ENROLLMENT_CODE;

	wish->expires = code ? call->now + CODE_LIFE : 0;
	wish->uses_max = code ? 1 : 0;
	(void)!json_integer(json_member(call->body, "usesMax"), &wish->uses_max);
	if (expires && (!clock_parse(expires, &wish->expires) || wish->expires <= call->now))
		problem_add_field(parts, PROBLEM_MALFORMED, "expires", expires, "expected a time to come");
}

static bool take_wish(const struct api_call *call, struct strings *names, struct credential_wish *ret,
                      struct problem *p)
{
	const struct json *body = call->body;
	auto_value(problem) parts = {0};

	(void)!credential_kind_from(json_member_string(body, "kind") ?: "code", &ret->kind);
	ret->profile = json_member_string(body, "profileId");
	if (*ret->profile == '\0')
		ret->profile = NULL;
	ret->user = json_member_string(body, "user");
	ret->password = json_member_string(body, "password");
	ret->device = json_member_string(body, "device");
	ret->certificate = json_member_string(body, "certificate");
	ret->note = json_member_string(body, "note");
	ret->names = names;
	take_names(json_member(body, "names"), names, &parts);
	take_profile(call, "profileId", ret->profile, &parts);
	take_digest(json_member(body, "digest"), ret);
	take_bounds(call, ret, &parts);
	return api_settle(&parts, p);
}

bool api_credential_create(struct api_call *call, struct problem *p)
{
	auto_value(strings) names = {0};
	auto_value(enrollment) made = {0};
	struct credential_wish wish = {0};
	const struct actor actor = api_actor(call);
	char secret[CREDENTIAL_SECRET_SIZE] = "";

	bool done = take_wish(call, &names, &wish, p) && api_may_give_names(call, p) &&
	            credential_make(call->api->store, &wish, &actor, &made, secret, p) &&
	            reply_with(call, &made, secret, p);
	mem_wipe(secret, sizeof(secret));
	return done;
}

bool api_credential_revoke(struct api_call *call, struct problem *p)
{
	auto_value(enrollment) row = {0};
	const struct actor actor = api_actor(call);

	return credential_revoke(call->api->store, call->request->captures[0], &actor, &row, p) &&
	       reply_with(call, &row, NULL, p);
}

/* --- read */

struct reading {
	const char *id;
	struct enrollment *ret;
};

static bool read_one(struct store_txn *txn, void *arg, struct problem *p)
{
	struct reading *r = arg;

	return credential_find(txn, r->id, r->ret, p);
}

bool api_credential_get(struct api_call *call, struct problem *p)
{
	auto_value(enrollment) row = {0};
	struct reading reading = { call->request->captures[0], &row };

	return store_view(call->api->store, read_one, &reading, p) && reply_with(call, &row, NULL, p);
}

/* One that is named, or none, is a page of its own. */
static bool list_page(struct store_txn *txn, void *arg, const char *after, size_t limit, struct store_page *ret,
                      struct problem *p)
{
	const struct buf *name = arg;
	auto_value(enrollment) row = {0};

	if (name->len == 0)
		return store_enrollment_list(txn, after, limit, ret, p);
	if (!credential_find(txn, buf_text(name), &row, p))
		return problem_forgive(p, PROBLEM_NOT_FOUND);
	return strings_add(&ret->ids, row.id) || problem_memory(p);
}

static bool list_row(struct store_txn *txn, void *arg, const char *id, struct buf *ret, struct problem *p)
{
	auto_value(enrollment) row = {0};

	(void)arg;
	if (!store_enrollment_get(txn, id, &row, p))
		return false;
	credential_json(&row, NULL, clock_now(), ret);
	return true;
}

bool api_credential_list(struct api_call *call, struct problem *p)
{
	auto_value(buf) name = {0};
	auto_value(problem) parts = {0};

	(void)!api_query(call, "find", &name, &parts);
	return api_settle(&parts, p) &&
	       api_page(call, &(struct api_page){ "credentials", &name, list_page, list_row }, p);
}

/* --- devices in bulk */

/* One object a line is what the reader of lists takes. */
static bool write_lines(const struct json *devices, struct buf *ret, struct problem *p)
{
	static const char *const texts[] = { "device", "certificate", "profile", "note", "expires" };

	for (size_t i = 0; i < json_length(devices); i++) {
		const struct json *device = json_at(devices, i), *names = json_member(device, "names");
		struct json_writer w = json_writer(ret);
		json_open(&w, NULL);
		for (size_t k = 0; k < array_length(texts); k++)
			json_put(&w, texts[k], json_member_string(device, texts[k]));
		json_open_array(&w, "names");
		for (size_t k = 0; k < json_length(names); k++)
			json_put(&w, NULL, json_string(json_at(names, k)));
		json_close(&w);
		json_close(&w);
		buf_add_char(ret, '\n');
	}
	return buf_check(ret, p);
}

static bool check_profiles(const struct api_call *call, const struct device_list *devices, struct problem *p)
{
	auto_value(problem) parts = {0};

	for (size_t i = 0; i < devices->n; i++) {
		char field[48];
		snprintf(field, sizeof(field), "devices[%zu].profile", i);
		take_profile(call, field, devices->v[i].profile, &parts);
	}
	return api_settle(&parts, p);
}

static bool reply_counts(struct api_call *call, const struct device_list_result *counts, struct problem *p)
{
	api_reply(call, 200);
	device_list_result_json(counts, &call->response->body);
	return buf_check(&call->response->body, p);
}

bool api_credential_import(struct api_call *call, struct problem *p)
{
	auto_value(buf) lines = {0};
	auto_value(device_list) devices = {0};
	struct device_list_result counts;
	const struct actor actor = api_actor(call);

	return api_may_give_names(call, p) && write_lines(json_member(call->body, "devices"), &lines, p) &&
	       device_list_read(buf_bytes(&lines), &devices, p) && check_profiles(call, &devices, p) &&
	       device_list_store(call->api->store, &devices, &actor, &counts, p) && reply_counts(call, &counts, p);
}
