#include "admin/webhook_event.h"

#include <stdio.h>

#include "admin/certificate.h"
#include "base/json.h"
#include "store/request.h"

enum { VERSION = 1, LOOK = 200 };

const char *const webhook_default_events[] = { "certificate-*", "request-*", "renewal-failed", NULL };

void webhook_event_free(struct webhook_event *event)
{
	buf_free(&event->body);
}

/* --- which */

bool webhook_pattern_matches(const char *pattern, const char *kind)
{
	size_t len = strlen(pattern);

	if (len > 0 && pattern[len - 1] == '*')
		return strncmp(pattern, kind, len - 1) == 0;
	return str_equal(pattern, kind);
}

bool webhook_pattern_check(const char *pattern, struct problem *p)
{
	for (int kind = 0; kind < AUDIT_KIND_MAX; kind++)
		if (webhook_pattern_matches(pattern, audit_kind_name((enum audit_kind)kind)))
			return true;
	return problem_set(p, PROBLEM_MALFORMED, "no event is called `%s`; `enrolld audit list --help` names all",
	                   pattern);
}

static bool wants_kind(const struct webhook *webhook, const char *kind)
{
	for (size_t i = 0; i < webhook->events.n; i++)
		if (webhook_pattern_matches(webhook->events.v[i], kind))
			return true;
	return false;
}

static bool wants_profile(const struct webhook *webhook, const char *profile)
{
	for (size_t i = 0; i < webhook->profiles.n; i++)
		if (str_equal(webhook->profiles.v[i], profile))
			return true;
	return webhook->profiles.n == 0;
}

/* --- how */

static void begin(struct json_writer *w, const struct webhook *webhook, const struct webhook_event *event)
{
	json_open(w, NULL);
	json_put(w, "id", event->id);
	json_put(w, "type", event->type);
	json_put_integer(w, "version", VERSION);
	json_put(w, "webhook", webhook->id);
}

/* The certificate as it is now, which may be later than the event. */
static void put_certificate(struct json_writer *w, const struct certificate *certificate)
{
	auto_value(buf) text = {0};

	certificate_json(certificate, false, &text);
	if (text.failed)
		w->out->failed = true;
	else
		json_put_raw(w, "certificate", buf_bytes(&text));
}

static bool write_body(const struct webhook *webhook, const char *line, const struct certificate *certificate,
                       struct webhook_event *event, struct problem *p)
{
	struct json_writer w = json_writer(&event->body);

	begin(&w, webhook, event);
	json_put_raw(&w, "event", BYTES_STR(line));
	if (certificate->id[0])
		put_certificate(&w, certificate);
	json_close(&w);
	return buf_check(&event->body, p);
}

bool webhook_event_test(const struct webhook *webhook, int64_t now, struct webhook_event *ret, struct problem *p)
{
	auto_value(webhook_event) event = { .found = true, .type = "webhook-test" };
	struct json_writer w = json_writer(&event.body);

	if (!random_id(event.id, p))
		return false;
	begin(&w, webhook, &event);
	json_open(&w, "event");
	json_put_time(&w, "time", now);
	json_put(&w, "kind", event.type);
	json_close(&w);
	json_close(&w);
	if (!buf_check(&event.body, p))
		return false;
	*ret = event;
	event.body = (struct buf){0};
	return true;
}

/* --- the next one */

/* What the event is about, if the store still has it. */
static bool find_certificate(struct store_txn *txn, const char *id, struct certificate *ret, struct problem *p)
{
	return !id || !random_id_valid(id) || store_certificate_get(txn, id, ret, p) ||
	       problem_forgive(p, PROBLEM_NOT_FOUND);
}

static bool find_request(struct store_txn *txn, const char *id, struct request *ret, struct problem *p)
{
	return !id || !random_id_valid(id) || store_request_get(txn, id, ret, p) ||
	       problem_forgive(p, PROBLEM_NOT_FOUND);
}

static void name_event(const struct audit_entry *entry, const char *kind, struct webhook_event *ret)
{
	auto_value(buf) hex = {0};

	buf_add_hex(&hex, BYTES(entry->hash, SHA256_SIZE));
	snprintf(ret->id, sizeof(ret->id), "%s", buf_text(&hex));
	snprintf(ret->type, sizeof(ret->type), "%s", kind);
}

/* An event that names no profile is of that of its certificate or request; one of none is wanted by those who want
 * all. */
static bool take(struct store_txn *txn, const struct webhook *webhook, const struct audit_entry *entry,
                 struct webhook_event *ret, struct problem *p)
{
	auto_struct(json) *event = NULL;
	auto_value(certificate) certificate = {0};
	auto_value(request) request = {0};
	const char *kind, *profile;

	if (!json_parse(BYTES_STR(entry->line), &event, p))
		return problem_forgive(p, PROBLEM_MALFORMED);
	if (!(kind = json_member_string(event, "kind")) || !wants_kind(webhook, kind))
		return true;
	const struct json *about = json_member(event, "about");
	if (!find_certificate(txn, json_member_string(about, "certificate"), &certificate, p) ||
	    !find_request(txn, json_member_string(about, "request"), &request, p))
		return false;
	profile = json_member_string(about, "profile") ?: certificate.profile ?: request.profile ?: "";
	if (!wants_profile(webhook, profile))
		return true;
	ret->found = true;
	name_event(entry, kind, ret);
	return write_body(webhook, entry->line, &certificate, ret, p);
}

bool webhook_event_next(struct store_txn *txn, const struct webhook *webhook, uint64_t after, struct webhook_event *ret,
                        struct problem *p)
{
	static const struct audit_query all = {0};
	auto_value(audit_page) page = {0};
	auto_value(webhook_event) event = { .seq = after };

	if (!store_audit_read(txn, &all, after, LOOK, &page, p))
		return false;
	for (size_t i = 0; i < page.n && !event.found; i++) {
		event.seq = page.v[i].seq;
		if (!take(txn, webhook, &page.v[i], &event, p))
			return false;
	}
	event.end = page.end;
	*ret = event;
	event.body = (struct buf){0};
	return true;
}
