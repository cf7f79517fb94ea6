#include "admin/webhook_outcome.h"

#include "base/random.h"
#include "store/audit.h"

int64_t webhook_wait(const struct webhook_options *options, int64_t attempts, int64_t retry_after, uint16_t chance)
{
	int64_t wait = options->retry_first;

	for (int64_t i = 1; i < attempts && wait < options->retry_max; i++)
		wait *= 2;
	if (wait > options->retry_max)
		wait = options->retry_max;
	wait += (wait * chance / 65536 - wait / 2) / 2;
	if (retry_after > WEBHOOK_WAIT_MAX)
		retry_after = WEBHOOK_WAIT_MAX;
	if (wait < retry_after)
		wait = retry_after;
	return wait > 0 ? wait : 1;
}

/* --- in the store */

struct recording {
	const char *id;
	const struct webhook_options *options;
	const struct webhook_outcome *outcome;
	uint16_t chance;
};

/* NOT_FOUND is no refusal: the webhook was revoked meanwhile. */
static bool load(struct store_txn *txn, const char *id, struct webhook *ret, bool *ret_found, struct problem *p)
{
	auto_value(problem) why = {0};

	*ret_found = store_webhook_get(txn, id, ret, &why);
	return *ret_found || why.kind == PROBLEM_NOT_FOUND || problem_internal(p, "%s", why.cause);
}

static void note_delivered(struct webhook *row, const struct webhook_outcome *outcome)
{
	if (row->cursor < (int64_t)outcome->seq)
		row->cursor = (int64_t)outcome->seq;
	row->delivered++;
	row->attempts = row->failing = row->next_try = 0;
}

static bool note_failed(struct store_txn *txn, const struct recording *r, struct webhook *row, struct problem *p)
{
	const struct webhook_outcome *outcome = r->outcome;
	auto_value(buf) place = {0};

	row->attempts++;
	if (!row->failing)
		row->failing = outcome->now;
	row->next_try = outcome->now + webhook_wait(r->options, row->attempts, outcome->answer.retry_after, r->chance);
	if (outcome->now - row->failing < r->options->give_up)
		return true;
	row->stopped = outcome->now;
	webhook_url_place(row->url, &place);
	const struct audit_fact facts[] = {
		audit_text("webhook", row->id), audit_text("place", buf_text(&place)), audit_text("note", row->note),
		audit_integer("event", (int64_t)outcome->seq), audit_integer("attempts", row->attempts),
		audit_text("error", outcome->error), { 0 },
	};
	return buf_check(&place, p) && store_audit_add(txn, &(struct audit_event){
		.kind = AUDIT_WEBHOOK_STOPPED, .time = outcome->now, .actor = "server", .facts = facts }, p);
}

static bool record(struct store_txn *txn, void *arg, struct problem *p)
{
	const struct recording *r = arg;
	const struct webhook_outcome *outcome = r->outcome;
	auto_value(webhook) row = {0};
	struct webhook_try tries[WEBHOOK_TRIES] = {
		{ outcome->now, (int64_t)outcome->seq, outcome->answer.status,
		  outcome->delivered ? NULL : outcome->error },
	};
	bool found;

	if (!load(txn, r->id, &row, &found, p) || !found)
		return !problem_is_set(p);
	size_t kept = row.tries.n < WEBHOOK_TRIES ? row.tries.n : WEBHOOK_TRIES - 1;
	if (kept > 0)
		memcpy(tries + 1, row.tries.v, kept * sizeof(tries[0]));
	row.tries = (struct record_list){ tries, kept + 1 };
	if (outcome->delivered)
		note_delivered(&row, outcome);
	else if (!note_failed(txn, r, &row, p))
		return false;
	return store_webhook_put(txn, &row, p);
}

bool webhook_outcome_record(struct store *store, const struct webhook_options *options, const char *id,
                            const struct webhook_outcome *outcome, struct problem *p)
{
	struct recording recording = { .id = id, .options = options, .outcome = outcome };

	return random_bytes(&recording.chance, sizeof(recording.chance), p) &&
	       store_update(store, record, &recording, p);
}

struct passing {
	const char *id;
	int64_t seq;
};

static bool pass(struct store_txn *txn, void *arg, struct problem *p)
{
	const struct passing *passing = arg;
	auto_value(webhook) row = {0};
	bool found;

	if (!load(txn, passing->id, &row, &found, p) || !found)
		return !problem_is_set(p);
	if (row.cursor >= passing->seq)
		return true;
	row.cursor = passing->seq;
	return store_webhook_put(txn, &row, p);
}

bool webhook_pass(struct store *store, const char *id, uint64_t seq, struct problem *p)
{
	return store_update(store, pass, &(struct passing){ id, (int64_t)seq }, p);
}
