/* The webhooks: POST, GET, PATCH, DELETE; test; resume. */
#include <stdio.h>

#include "admin/api_call.h"
#include "admin/webhook_change.h"
#include "store/audit.h"

struct showing {
	const char *id;
	struct webhook *row;             /* read where id is not NULL */
	uint64_t last;
};

static bool read_row(struct store_txn *txn, void *arg, struct problem *p)
{
	struct showing *s = arg;

	return (!s->id || webhook_get(txn, s->id, s->row, p)) && store_audit_last(txn, &s->last, p);
}

static bool show(struct api_call *call, struct webhook *row, const struct buf *secret, struct problem *p)
{
	struct showing showing = { .row = row };

	if (!store_view(call->api->store, read_row, &showing, p))
		return false;
	api_reply(call, 200);
	webhook_json(row, showing.last, secret && secret->len > 0 ? buf_text(secret) : NULL, &call->response->body);
	return buf_check(&call->response->body, p);
}

static struct webhook_asker asker_of(const struct api_call *call)
{
	return (struct webhook_asker){ .actor = identity_text(call->identity), .from = call->from, .now = call->now };
}

static const char *id_of(const struct api_call *call)
{
	return call->request->captures[0];
}

/* --- what is asked for */

static bool take_texts(const struct json *list, struct strings *ret)
{
	for (size_t i = 0; i < json_length(list); i++)
		if (!strings_add(ret, json_string(json_at(list, i))))
			return false;
	return true;
}

static void check_profiles(const struct api_call *call, const struct strings *profiles, struct problem *parts)
{
	for (size_t i = 0; i < profiles->n; i++) {
		char field[32];

		snprintf(field, sizeof(field), "profiles[%zu]", i);
		if (!profiles_find(call->profiles, profiles->v[i]))
			problem_add_field(parts, PROBLEM_NOT_FOUND, field, profiles->v[i], "there is no such profile");
	}
}

static bool take_wish(const struct api_call *call, struct strings *events, struct strings *profiles,
                      struct webhook_wish *ret, struct problem *p)
{
	const struct json *asked_events = json_member(call->body, "events"),
			  *asked_profiles = json_member(call->body, "profiles");
	auto_struct(webhook_settings) *settings = api_webhook_settings(call->api);
	auto_value(problem) parts = {0};

	if (!take_texts(asked_events, events) || !take_texts(asked_profiles, profiles))
		return problem_memory(p);
	ret->url = json_member_string(call->body, "url");
	ret->note = json_member_string(call->body, "note");
	ret->secret = json_member_string(call->body, "secret");
	ret->events = asked_events ? events : NULL;
	ret->profiles = asked_profiles ? profiles : NULL;
	(void)!json_bool(json_member(call->body, "newSecret"), &ret->new_secret);
	webhook_wish_check(&settings->options, ret, &parts);
	check_profiles(call, profiles, &parts);
	return api_settle(&parts, p);
}

/* id NULL: a new one. */
static bool put(struct api_call *call, const char *id, struct problem *p)
{
	auto_value(strings) events = {0}, profiles = {0};
	auto_value(buf) secret = {0};
	auto_value(webhook) row = {0};
	struct webhook_wish wish = {0};
	struct webhook_asker asker = asker_of(call);

	return take_wish(call, &events, &profiles, &wish, p) &&
	       (id ? webhook_set(call->api->store, id, &wish, &asker, &secret, &row, p)
	           : webhook_create(call->api->store, &wish, &asker, &secret, &row, p)) &&
	       show(call, &row, wish.secret ? NULL : &secret, p);
}

bool api_webhook_create(struct api_call *call, struct problem *p)
{
	return put(call, NULL, p);
}

bool api_webhook_change(struct api_call *call, struct problem *p)
{
	return put(call, id_of(call), p);
}

/* --- reading */

bool api_webhook_get(struct api_call *call, struct problem *p)
{
	auto_value(webhook) row = {0};
	struct showing showing = { .id = id_of(call), .row = &row };

	return store_view(call->api->store, read_row, &showing, p) && show(call, &row, NULL, p);
}

static bool list(struct store_txn *txn, void *arg, struct problem *p)
{
	struct json_writer *w = arg;
	auto_value(strings) ids = {0};
	uint64_t last;

	if (!store_webhook_ids(txn, WEBHOOKS_MAX, &ids, p) || !store_audit_last(txn, &last, p))
		return false;
	for (size_t i = 0; i < ids.n; i++) {
		auto_value(webhook) row = {0};
		auto_value(buf) text = {0};
		if (!store_webhook_get(txn, ids.v[i], &row, p))
			return false;
		webhook_json(&row, last, NULL, &text);
		if (!buf_check(&text, p))
			return false;
		json_put_raw(w, NULL, buf_bytes(&text));
	}
	return true;
}

bool api_webhook_list(struct api_call *call, struct problem *p)
{
	struct json_writer w = api_reply(call, 200);

	json_open(&w, NULL);
	json_open_array(&w, "webhooks");
	if (!store_view(call->api->store, list, &w, p))
		return false;
	json_close(&w);
	json_close(&w);
	return buf_check(&call->response->body, p);
}

/* --- deeds */

/* That the receiver did not take it is the answer, not a refusal. */
bool api_webhook_test(struct api_call *call, struct problem *p)
{
	auto_value(webhook) row = {0};
	auto_value(problem) why = {0};
	struct showing showing = { .id = id_of(call), .row = &row };
	struct webhook_answer answer = {0};
	auto_struct(webhook_settings) *settings = api_webhook_settings(call->api);

	if (!store_view(call->api->store, read_row, &showing, p))
		return false;
	bool taken = webhook_test(call->api->store, &settings->options, &row, call->now, &answer, &why);
	struct json_writer w = api_reply(call, 200);
	json_open(&w, NULL);
	json_put_bool(&w, "taken", taken);
	if (answer.status)
		json_put_integer(&w, "status", answer.status);
	json_put(&w, "error", taken ? NULL : problem_text(&why));
	json_close(&w);
	return buf_check(&call->response->body, p);
}

bool api_webhook_resume(struct api_call *call, struct problem *p)
{
	auto_value(webhook) row = {0};
	struct webhook_asker asker = asker_of(call);
	bool skip = false;

	(void)!json_bool(json_member(call->body, "skip"), &skip);
	return webhook_resume(call->api->store, id_of(call), skip, &asker, &row, p) && show(call, &row, NULL, p);
}

bool api_webhook_revoke(struct api_call *call, struct problem *p)
{
	struct webhook_asker asker = asker_of(call);

	if (!webhook_revoke(call->api->store, id_of(call), &asker, p))
		return false;
	call->response->status = 204;
	return true;
}
