#include "admin/webhook_declared.h"

#include <assert.h>

#include "admin/webhook_change.h"
#include "admin/webhook_event.h"
#include "base/clock.h"
#include "ca/secret.h"

static struct webhook_wish wish_of(const struct webhook_declared *row)
{
	return (struct webhook_wish){
		.name = row->name,
		.url = row->url,
		.note = row->note ?: "",
		.events = &row->events,
		.profiles = &row->profiles,
	};
}

void webhook_declared_check(const struct webhook_options *options, const struct webhook_declared *row,
                            struct problem *parts)
{
	struct webhook_wish wish = wish_of(row);
	int sources = !!row->secret.file + !!row->secret.environment + !!row->secret.credential;

	webhook_wish_check(options, &wish, parts);
	if (sources != 1)
		problem_add_field(parts, PROBLEM_MALFORMED, "secret", NULL,
		                  "expected one of `file`, `environment` and `credential`");
}

/* --- what there is */

struct present {
	struct webhook v[WEBHOOKS_MAX];
	size_t n;
};

static void present_free(struct present *present)
{
	for (size_t i = 0; i < present->n; i++)
		webhook_free(&present->v[i]);
	free(present);
}
declare_auto_struct(present, present_free);

static bool read_present(struct store_txn *txn, void *arg, struct problem *p)
{
	struct present *present = arg;
	auto_value(strings) ids = {0};

	if (!store_webhook_ids(txn, WEBHOOKS_MAX, &ids, p))
		return false;
	for (; present->n < ids.n; present->n++)
		if (!store_webhook_get(txn, ids.v[present->n], &present->v[present->n], p))
			return false;
	return true;
}

static const struct webhook *find(const struct present *present, const char *name)
{
	for (size_t i = 0; i < present->n; i++)
		if (present->v[i].name && str_equal(present->v[i].name, name))
			return &present->v[i];
	return NULL;
}

/* --- whether it is as it should be */

static bool same_texts(const struct record_texts *have, const struct strings *want, const char *const *none)
{
	size_t n = want->n;

	while (want->n == 0 && none && none[n])
		n++;
	if (have->n != n)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!str_equal(have->v[i], want->n > 0 ? want->v[i] : none[i]))
			return false;
	return true;
}

static bool same_secret(struct store *store, const struct webhook *row, const char *secret)
{
	auto_value(buf) have = {0};
	auto_value(problem) why = {0};

	return !secret || (webhook_secret(store, row, &have, &why) && str_equal(buf_text(&have), secret));
}

static bool is_same(struct store *store, const struct webhook *row, const struct webhook_wish *wish)
{
	return str_equal(row->url, wish->url) && str_equal(row->note ?: "", wish->note) &&
	       same_texts(&row->events, wish->events, webhook_default_events) &&
	       same_texts(&row->profiles, wish->profiles, NULL) && same_secret(store, row, wish->secret);
}

/* --- its secret */

static struct webhook_asker server_asks(void)
{
	return (struct webhook_asker){ .actor = "server", .now = clock_now(), .configuration = true };
}

static bool read_secret(const struct webhook_declared *row, bool starting, bool known, struct buf *ret,
                        struct problem *p)
{
	const struct secret_source source = { row->secret.file, row->secret.environment, row->secret.credential };
	auto_value(problem) why = {0};

	if (row->secret.environment && !starting)
		return known ||
		       problem_set(p, PROBLEM_MALFORMED,
		                   "webhook %s: a restart reads its secret from the environment", row->name);
	if (secret_read(&source, "", ret, &why))
		return true;
	return problem_set(p, why.kind, "webhook %s: %s", row->name, problem_cause(&why));
}

static bool take_secret(const struct webhook_declared *declared, bool starting, bool known, struct buf *ret,
                        struct problem *p)
{
	auto_value(problem) parts = {0};

	if (!read_secret(declared, starting, known, ret, p))
		return false;
	webhook_secret_check(ret->len > 0 ? buf_text(ret) : NULL, &parts);
	return parts.sub_count == 0 ||
	       problem_set(p, PROBLEM_MALFORMED, "webhook %s: its secret: %s", declared->name, parts.subs[0].detail);
}

bool webhook_declared_secret(const struct webhook_declared *row, struct problem *p)
{
	auto_value(buf) secret = {0};

	return take_secret(row, true, false, &secret, p);
}

/* --- what is to be done, and in one update */

struct planned {
	struct webhook_wish wish;
	struct webhook_deed deed;       /* borrows the wish */
};
struct webhook_plan {
	struct webhook_asker asker;
	size_t n;
	struct planned v[2 * WEBHOOKS_MAX]; /* all there are may end, and as many begin */
};

void webhook_plan_free(struct webhook_plan *plan)
{
	if (!plan)
		return;
	for (size_t i = 0; i < plan->n; i++)
		webhook_deed_free(&plan->v[i].deed);
	free(plan);
}

static bool plan_end(struct store *store, const struct webhook *row, struct webhook_plan *plan, struct problem *p)
{
	struct planned *planned = &plan->v[plan->n++];

	return webhook_deed_prepare(store, WEBHOOK_REVOKES, row->id, NULL, &plan->asker, NULL, &planned->deed, p);
}

static bool plan_row(struct store *store, const struct webhook *row, const struct webhook_declared *declared,
                     bool starting, struct webhook_plan *plan, struct problem *p)
{
	struct planned *planned = &plan->v[plan->n];
	auto_value(buf) secret = {0}, shown = {0};

	planned->wish = wish_of(declared);
	if (!take_secret(declared, starting, row, &secret, p))
		return false;
	planned->wish.secret = secret.len > 0 ? buf_text(&secret) : NULL;
	if (row && is_same(store, row, &planned->wish))
		return true;
	plan->n++;
	bool ready = webhook_deed_prepare(store, row ? WEBHOOK_SETS : WEBHOOK_CREATES, row ? row->id : NULL,
	                                  &planned->wish, &plan->asker, &shown, &planned->deed, p);
	planned->wish.secret = NULL; /* it is sealed, and ends here */
	return ready;
}

static bool is_declared(const struct webhook *row, const struct webhook_declared *rows, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (str_equal(row->name, rows[i].name))
			return true;
	return false;
}

bool webhooks_plan(struct store *store, const struct webhook_declared *rows, size_t n, bool starting,
                   struct webhook_plan **ret, struct problem *p)
{
	auto_struct(present) *present = calloc(1, sizeof(*present));
	auto_struct(webhook_plan) *plan = calloc(1, sizeof(*plan));

	assert(n <= WEBHOOKS_MAX);
	if (!present || !plan)
		return problem_memory(p);
	plan->asker = server_asks();
	if (!store_view(store, read_present, present, p))
		return false;
	for (size_t i = 0; i < present->n; i++)
		if (present->v[i].name && !is_declared(&present->v[i], rows, n) &&
		    !plan_end(store, &present->v[i], plan, p))
			return false;
	for (size_t i = 0; i < n; i++)
		if (!plan_row(store, find(present, rows[i].name), &rows[i], starting, plan, p))
			return false;
	*ret = steal(plan);
	return true;
}

bool webhooks_carry_out(struct store_txn *txn, const struct webhook_plan *plan, struct problem *p)
{
	for (size_t i = 0; i < plan->n; i++)
		if (!webhook_deed_do(txn, &plan->v[i].deed, NULL, p))
			return false;
	return true;
}
