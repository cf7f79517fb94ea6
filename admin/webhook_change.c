#include "admin/webhook_change.h"

#include <assert.h>
#include <stdio.h>

#include "admin/webhook_event.h"
#include "base/json.h"
#include "store/audit.h"

enum { SECRET_BYTES = 32, NOTE_MAX = 200 };
#define SECRET_PREFIX "whs_"

/* --- what is asked for */

static void check_events(const struct strings *events, struct problem *parts)
{
	for (size_t i = 0; events && i < events->n; i++) {
		auto_value(problem) why = {0};
		char field[32];

		snprintf(field, sizeof(field), "events[%zu]", i);
		if (!webhook_pattern_check(events->v[i], &why))
			problem_add_field(parts, why.kind, field, events->v[i], "%s", why.detail);
	}
}

static bool is_printable(const char *text)
{
	for (; *text; text++)
		if (*text <= ' ' || *text > '~')
			return false;
	return true;
}

void webhook_secret_check(const char *secret, struct problem *parts)
{
	size_t len = secret ? strlen(secret) : WEBHOOK_SECRET_MIN;

	if (len < WEBHOOK_SECRET_MIN || len > WEBHOOK_SECRET_MAX || (secret && !is_printable(secret)))
		problem_add_field(parts, PROBLEM_MALFORMED, "secret", NULL,
		                  "expected %d to %d printable ASCII characters without space", WEBHOOK_SECRET_MIN,
		                  WEBHOOK_SECRET_MAX);
}

void webhook_wish_check(const struct webhook_options *options, const struct webhook_wish *wish, struct problem *parts)
{
	auto_value(problem) why = {0};

	if (wish->url && !webhook_url_check(options, wish->url, &why))
		problem_add_field(parts, why.kind, "url", wish->url, "%s", problem_text(&why));
	if (wish->note && strlen(wish->note) > NOTE_MAX)
		problem_add_field(parts, PROBLEM_MALFORMED, "note", NULL, "expected at most %d bytes", NOTE_MAX);
	check_events(wish->events, parts);
	webhook_secret_check(wish->secret, parts);
}

static bool take_secret(const struct webhook_wish *wish, struct buf *ret, struct problem *p)
{
	uint8_t raw[SECRET_BYTES];

	if (wish->secret) {
		buf_add_str(ret, wish->secret);
		return buf_check(ret, p);
	}
	if (!random_bytes(raw, sizeof(raw), p))
		return false;
	buf_add_str(ret, SECRET_PREFIX);
	buf_add_base64url(ret, BYTES(raw, sizeof(raw)));
	mem_wipe(raw, sizeof(raw));
	return buf_check(ret, p);
}

static bool seal_secret(struct store *store, const char *id, struct bytes secret, struct buf *ret, struct problem *p)
{
	auto_free char *context = mem_printf("webhook %s", id);

	return context ? seal_close(store_seal(store), context, secret, ret, p) : problem_memory(p);
}

bool webhook_secret(struct store *store, const struct webhook *webhook, struct buf *ret, struct problem *p)
{
	auto_free char *context = mem_printf("webhook %s", webhook->id);

	if (!context)
		return problem_memory(p);
	return seal_reveal(store_seal(store), context, webhook->sealed_secret, ret) ||
	       problem_internal(p, "webhook %s: its secret cannot be opened with this seal.key", webhook->id);
}

/* --- changes */

static bool copy_id(const char *id, char ret[RANDOM_ID_SIZE], struct problem *p)
{
	if (!random_id_valid(id))
		return problem_missing(p, "there is no webhook %s", id);
	memcpy(ret, id, RANDOM_ID_SIZE);
	return true;
}

bool webhook_get(struct store_txn *txn, const char *id, struct webhook *ret, struct problem *p)
{
	return (random_id_valid(id) && store_webhook_get(txn, id, ret, p)) ||
	       problem_missing(p, "there is no webhook %s", id);
}

/* A URL can carry what opens the door behind it: the log has the host alone. */
static bool tell(struct store_txn *txn, const struct webhook_asker *asker, enum audit_kind kind,
                 const struct webhook *row, int64_t skipped, struct problem *p)
{
	auto_value(buf) place = {0};

	webhook_url_place(row->url, &place);
	if (!buf_check(&place, p))
		return false;
	const struct audit_fact facts[] = {
		audit_text("webhook", row->id),        audit_text("name", row->name),
		audit_text("place", buf_text(&place)), audit_text("note", row->note),
		audit_texts("events", row->events),    audit_texts("profiles", row->profiles),
		audit_integer("skipped", skipped),     { 0 },
	};
	return store_audit_add(txn, &(struct audit_event){ kind, asker->now, asker->actor, asker->from, facts }, p);
}

/* ret NULL: nobody wants to see it. */
static bool put(struct store_txn *txn, const struct webhook *row, struct webhook *ret, struct problem *p)
{
	if (!store_webhook_put(txn, row, p))
		return false;
	if (!ret)
		return true;
	webhook_free(ret);
	*ret = (struct webhook){0};
	return store_webhook_get(txn, row->id, ret, p);
}

static size_t count_defaults(void)
{
	size_t n = 0;

	while (webhook_default_events[n])
		n++;
	return n;
}

static void fill(const struct webhook_deed *deed, struct webhook *row)
{
	const struct webhook_wish *wish = deed->wish;

	row->url = wish->url ?: row->url;
	row->note = wish->note ?: row->note;
	row->name = wish->name ?: row->name;
	if (deed->sealed.len > 0)
		row->sealed_secret = buf_bytes(&deed->sealed);
	if (wish->profiles)
		row->profiles = record_texts_of(wish->profiles);
	if (wish->events && wish->events->n > 0)
		row->events = record_texts_of(wish->events);
	else if (wish->events || row->events.n == 0)
		row->events = (struct record_texts){ webhook_default_events, count_defaults() };
	row->attempts = row->failing = row->next_try = row->stopped = 0;
}

static bool has_room(struct store_txn *txn, struct problem *p)
{
	auto_value(strings) ids = {0};

	if (!store_webhook_ids(txn, WEBHOOKS_MAX, &ids, p))
		return false;
	return ids.n < WEBHOOKS_MAX ||
	       problem_set(p, PROBLEM_CONFLICT, "there are %d webhooks, which is the most", WEBHOOKS_MAX);
}

/* It begins behind the event of its own making. */
static bool create(struct store_txn *txn, const struct webhook_deed *deed, struct webhook *ret, struct problem *p)
{
	struct webhook row = { .created = deed->asker->now };
	uint64_t last;

	memcpy(row.id, deed->id, sizeof(row.id));
	fill(deed, &row);
	if (!has_room(txn, p) || !tell(txn, deed->asker, AUDIT_WEBHOOK_CREATED, &row, 0, p) ||
	    !store_audit_last(txn, &last, p))
		return false;
	row.cursor = (int64_t)last;
	return put(txn, &row, ret, p);
}

static bool may_change(const struct webhook_asker *asker, const struct webhook *row, struct problem *p)
{
	return !row->name || asker->configuration ||
	       problem_set(p, PROBLEM_CONFLICT, "webhook %s is %s of the configuration, and changed there", row->id,
	                   row->name);
}

static bool set(struct store_txn *txn, const struct webhook_deed *deed, struct webhook *ret, struct problem *p)
{
	auto_value(webhook) row = {0};

	if (!webhook_get(txn, deed->id, &row, p) || !may_change(deed->asker, &row, p))
		return false;
	fill(deed, &row);
	return tell(txn, deed->asker, AUDIT_WEBHOOK_CHANGED, &row, 0, p) && put(txn, &row, ret, p);
}

static bool revoke(struct store_txn *txn, const struct webhook_deed *deed, struct problem *p)
{
	auto_value(webhook) row = {0};

	return webhook_get(txn, deed->id, &row, p) && may_change(deed->asker, &row, p) &&
	       store_webhook_delete(txn, deed->id, p) && tell(txn, deed->asker, AUDIT_WEBHOOK_REVOKED, &row, 0, p);
}

void webhook_deed_free(struct webhook_deed *deed)
{
	buf_free(&deed->sealed);
}

bool webhook_deed_prepare(struct store *store, enum webhook_deed_kind kind, const char *id,
                          const struct webhook_wish *wish, const struct webhook_asker *asker,
                          struct buf *ret_secret, struct webhook_deed *ret, struct problem *p)
{
	bool other = kind == WEBHOOK_CREATES || (kind == WEBHOOK_SETS && (wish->secret || wish->new_secret));

	*ret = (struct webhook_deed){ .kind = kind, .wish = wish, .asker = asker };
	if (kind == WEBHOOK_CREATES ? !random_id(ret->id, p) : !copy_id(id, ret->id, p))
		return false;
	return !other || (take_secret(wish, ret_secret, p) &&
	                  seal_secret(store, ret->id, buf_bytes(ret_secret), &ret->sealed, p));
}

bool webhook_deed_do(struct store_txn *txn, const struct webhook_deed *deed, struct webhook *ret, struct problem *p)
{
	switch (deed->kind) {
	case WEBHOOK_CREATES: return create(txn, deed, ret, p);
	case WEBHOOK_SETS: return set(txn, deed, ret, p);
	case WEBHOOK_REVOKES: return revoke(txn, deed, p);
	}
	assert(false);
}

struct doing {
	const struct webhook_deed *deed;
	struct webhook *ret;
};

static bool do_one(struct store_txn *txn, void *arg, struct problem *p)
{
	const struct doing *doing = arg;

	return webhook_deed_do(txn, doing->deed, doing->ret, p);
}

/* A deed in an update of its own. */
static bool run(struct store *store, enum webhook_deed_kind kind, const char *id, const struct webhook_wish *wish,
                const struct webhook_asker *asker, struct buf *ret_secret, struct webhook *ret, struct problem *p)
{
	auto_value(webhook_deed) deed = {0};
	struct doing doing = { &deed, ret };

	return webhook_deed_prepare(store, kind, id, wish, asker, ret_secret, &deed, p) &&
	       store_update(store, do_one, &doing, p);
}

bool webhook_create(struct store *store, const struct webhook_wish *wish, const struct webhook_asker *asker,
                    struct buf *ret_secret, struct webhook *ret, struct problem *p)
{
	return run(store, WEBHOOK_CREATES, NULL, wish, asker, ret_secret, ret, p);
}

bool webhook_set(struct store *store, const char *id, const struct webhook_wish *wish,
                 const struct webhook_asker *asker, struct buf *ret_secret, struct webhook *ret, struct problem *p)
{
	return run(store, WEBHOOK_SETS, id, wish, asker, ret_secret, ret, p);
}

bool webhook_revoke(struct store *store, const char *id, const struct webhook_asker *asker, struct problem *p)
{
	return run(store, WEBHOOK_REVOKES, id, NULL, asker, NULL, NULL, p);
}

/* --- resumed */

struct resuming {
	const char *id;
	const struct webhook_asker *asker;
	bool skip;
	struct webhook *ret;             /* the caller's to free */
};

static bool resume(struct store_txn *txn, void *arg, struct problem *p)
{
	struct resuming *r = arg;
	auto_value(webhook) row = {0};
	auto_value(webhook_event) event = {0};

	if (!webhook_get(txn, r->id, &row, p))
		return false;
	if (r->skip && !webhook_event_next(txn, &row, (uint64_t)row.cursor, &event, p))
		return false;
	if (r->skip)
		row.cursor = (int64_t)event.seq;
	row.attempts = row.failing = row.next_try = row.stopped = 0;
	return tell(txn, r->asker, AUDIT_WEBHOOK_RESUMED, &row, event.found ? (int64_t)event.seq : 0, p) &&
	       put(txn, &row, r->ret, p);
}

bool webhook_resume(struct store *store, const char *id, bool skip, const struct webhook_asker *asker,
                    struct webhook *ret, struct problem *p)
{
	return store_update(store, resume, &(struct resuming){ id, asker, skip, ret }, p);
}

bool webhook_test(struct store *store, const struct webhook_options *options, const struct webhook *webhook,
                  int64_t now, struct webhook_answer *ret, struct problem *p)
{
	auto_value(webhook_event) event = {0};
	auto_value(buf) secret = {0};
	auto_struct(fetcher) *fetcher = NULL;

	if (!webhook_secret(store, webhook, &secret, p) || !webhook_event_test(webhook, now, &event, p) ||
	    !fetcher_open(&fetcher, p))
		return false;
	const struct webhook_message message = { .id = event.id, .type = event.type, .body = buf_bytes(&event.body) };
	return webhook_send(options, fetcher, webhook->url, buf_text(&secret), &message, ret, p);
}

/* --- showing */

const char *webhook_status(const struct webhook *webhook)
{
	return webhook->stopped ? "stopped" : webhook->failing ? "failing" : "active";
}

const char *webhook_error(const struct webhook *webhook)
{
	const struct webhook_try *tries = webhook->tries.v;

	return webhook->tries.n > 0 ? tries[0].error : NULL;
}

static void put_tries(struct json_writer *w, const struct webhook *webhook)
{
	const struct webhook_try *tries = webhook->tries.v;

	json_open_array(w, "tries");
	for (size_t i = 0; i < webhook->tries.n; i++) {
		json_open(w, NULL);
		json_put_time(w, "time", tries[i].time);
		if (tries[i].event)
			json_put_integer(w, "event", tries[i].event);
		if (tries[i].status)
			json_put_integer(w, "status", tries[i].status);
		json_put(w, "error", tries[i].error);
		json_close(w);
	}
	json_close(w);
}

void webhook_json(const struct webhook *webhook, uint64_t last, const char *secret, struct buf *ret)
{
	struct json_writer w = json_writer(ret);
	int64_t behind = (int64_t)last - webhook->cursor;

	json_open(&w, NULL);
	json_put(&w, "id", webhook->id);
	json_put(&w, "url", webhook->url);
	json_put(&w, "name", webhook->name);
	json_put(&w, "note", webhook->note);
	json_put(&w, "secret", secret);
	json_put_texts(&w, "events", webhook->events.v, webhook->events.n);
	json_put_texts(&w, "profiles", webhook->profiles.v, webhook->profiles.n);
	json_put(&w, "status", webhook_status(webhook));
	json_put_time(&w, "created", webhook->created);
	json_put_integer(&w, "cursor", webhook->cursor);
	json_put_integer(&w, "behind", behind > 0 ? behind : 0);
	json_put_integer(&w, "delivered", webhook->delivered);
	json_put_integer(&w, "attempts", webhook->attempts);
	json_put_time(&w, "failing", webhook->failing);
	json_put_time(&w, "nextTry", webhook->next_try);
	json_put_time(&w, "stopped", webhook->stopped);
	json_put(&w, "lastError", webhook->failing ? webhook_error(webhook) : NULL);
	put_tries(&w, webhook);
	json_close(&w);
}
