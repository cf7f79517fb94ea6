#include "acme/actions.h"
#include "acme/claim.h"
#include "acme/event.h"
#include "acme/later.h"
#include "acme/order_caa.h"
#include "acme/owner.h"
#include "acme/star.h"
#include "base/clock.h"
#include "base/log.h"
#include "ca/inventory.h"
#include "policy/gate.h"
#include "policy/scope.h"
#include "store/audit_queue.h"

enum { BATCH = 50 + LATER_MAX, EVERY_MS = 1000, AGAIN_MS = 10, SOON = 60 };

struct renewing {
	struct acme *acme;
	const char *id;
	int64_t now;
	struct order order;              /* as it was when the work began */
	struct certificate certificate;
	int64_t again;                   /* of a failure: the next try */
};

static void renewing_free(struct renewing *r)
{
	order_free(&r->order);
	certificate_free(&r->certificate);
}
declare_auto_value(renewing, renewing_free);

static bool read_order(struct store_txn *txn, void *arg, struct problem *p)
{
	struct renewing *r = arg;

	return store_order_get(txn, r->id, &r->order, p);
}

static bool is_live(const struct order *order)
{
	return star_is(order) && order->status == ORDER_VALID && order->star.due != 0;
}

/* In an update: nobody has canceled it since. RFC 8739, 3.1.2: then nothing more is issued. */
static bool store_renewed(struct store_txn *txn, void *arg, struct problem *p)
{
	struct renewing *r = arg;
	auto_value(order) order = { 0 };
	char actor[EVENT_ACTOR_SIZE];
	struct star_dates dates;

	if (!store_order_get(txn, r->id, &order, p) || !acme_account_stays(txn, order.account, p))
		return false;
	if (!is_live(&order) || order.star.count != r->order.star.count || !star_next(&order.star, r->now, &dates))
		return problem_set(p, PROBLEM_CONFLICT, "the order is %s", order_status_name(order.status));
	order.star.count = dates.number + 1;
	order.star.due = star_due(&order.star);
	memcpy(order.certificate, r->certificate.id, sizeof(order.certificate));
	event_actor(order.account, actor);
	return inventory_add(txn, &r->certificate, actor, NULL, p) && scope_spend(txn, order.account, r->now, p) &&
	       store_order_put(txn, &order, p);
}

static bool store_failed(struct store_txn *txn, void *arg, struct problem *p)
{
	const struct renewing *r = arg;
	auto_value(order) order = { 0 };

	if (!store_order_get(txn, r->id, &order, p))
		return false;
	if (!is_live(&order))
		return true;
	order.star.due = r->again < order.star.end ? r->again : 0;
	return store_order_put(txn, &order, p);
}

static bool issue(struct renewing *r, struct problem *p)
{
	struct acme *acme = r->acme;
	auto_struct(approval) *approval = NULL;
	auto_struct(profiles) *profiles = acme_profiles(acme);

	return gate_order(acme->store, profiles, r->id, r->order.account, r->order.star.csr, &approval, p) &&
	       order_caa(acme, profiles, &r->order, p) &&
	       ca_issue(acme->ca, &approval, &r->certificate, p) && store_update(acme->store, store_renewed, r, p);
}

/* What policy refuses is told to the audit log, and tried again when a tenth of the life is over: an operator may
 * have changed it by then. */
static void tell_refused(const struct renewing *r, const struct problem *why)
{
	char actor[EVENT_ACTOR_SIZE];
	const struct audit_fact facts[] = {
		audit_text("account", r->order.account), audit_text("order", r->id),
		audit_text("profile", r->order.profile), { 0 },
	};

	event_actor(r->order.account, actor);
	audit_queue_refuse(r->acme->audit,
	                   &(struct audit_event){ AUDIT_CERTIFICATE_REFUSED, r->now, actor, NULL, facts }, why);
}

static bool fail(struct renewing *r, const struct problem *why, struct problem *p)
{
	int64_t part = r->order.star.lifetime / 10;

	if (problem_is_ours(why) && part > SOON)
		part = SOON;
	r->again = r->now + (part > 0 ? part : 1);
	if (!problem_is_ours(why))
		tell_refused(r, why);
	log_event(LOG_LEVEL_WARN, "auto-renewal", "order", r->id, "cause", problem_cause(why), NULL);
	return store_update(r->acme->store, store_failed, r, p);
}

static bool renew(struct acme *acme, const char *id, struct problem *p)
{
	auto_value(renewing) r = { .acme = acme, .id = id, .now = clock_now() };
	auto_value(problem) why = { 0 };

	if (!store_view(acme->store, read_order, &r, p))
		return false;
	return issue(&r, &why) || why.kind == PROBLEM_CONFLICT || fail(&r, &why, p);
}

/* What CAA is asked for is not waited for here. Where there is no room for it, its turn comes later: what is due behind
 * it is to be found. ret_done: it was not left to others. */
static bool begin(struct acme *acme, const char *id, bool *ret_done, struct problem *p)
{
	auto_value(renewing) r = { .acme = acme, .id = id, .now = clock_now() };
	auto_value(problem) why = { 0 };

	if (!store_view(acme->store, read_order, &r, p))
		return false;
	*ret_done = !claim_held(acme->claims, id);
	if (!*ret_done)
		return true;
	if (!order_caa_wanted(acme, r.order.profile))
		return renew(acme, id, p);
	*ret_done = false;
	return later_do(acme, "auto-renewal", id, renew, &why) || fail(&r, &why, p);
}

struct finding {
	int64_t now;
	struct strings *ids;
};

static bool find_due(struct store_txn *txn, void *arg, struct problem *p)
{
	const struct finding *f = arg;

	return store_order_star_due(txn, f->now, BATCH, f->ids, p);
}

bool acme_star_once(struct acme *acme, bool *ret_more, struct problem *p)
{
	auto_value(strings) ids = { 0 };

	if (!store_view(acme->store, find_due, &(struct finding){ clock_now(), &ids }, p))
		return false;
	*ret_more = false;
	for (size_t i = 0; i < ids.n; i++) {
		auto_value(problem) why = { 0 };
		bool done = false;
		if (!begin(acme, ids.v[i], &done, &why))
			log_event(LOG_LEVEL_ERROR, "auto-renewal", "order", ids.v[i], "cause",
			          problem_cause(&why), NULL);
		*ret_more = *ret_more || (done && ids.n == BATCH);
	}
	return true;
}

static void run(void *arg)
{
	auto_value(problem) p = { 0 }, closing = { 0 };
	struct acme *acme = arg;
	bool more = false;

	if (!acme_star_once(acme, &more, &p))
		log_event(LOG_LEVEL_ERROR, "auto-renewal", "cause", problem_cause(&p), NULL);
	(void)!work_add(acme->sweeper, more ? AGAIN_MS : EVERY_MS, run, acme, &closing);
}

/* At once: what fell due while no server ran is late. */
bool acme_star_begin(struct acme *acme, struct problem *p)
{
	return work_add(acme->sweeper, 0, run, acme, p);
}
