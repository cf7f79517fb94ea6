#include "admin/webhook_change.h"
#include "store/audit.h"

struct gauging {
	webhook_visit *visit;
	void *arg;
};

static bool gauge_all(struct store_txn *txn, void *arg, struct problem *p)
{
	const struct gauging *g = arg;
	auto_value(strings) ids = {0};
	uint64_t last;

	if (!store_webhook_ids(txn, WEBHOOKS_MAX, &ids, p) || !store_audit_last(txn, &last, p))
		return false;
	for (size_t i = 0; i < ids.n; i++) {
		auto_value(webhook) row = {0};
		if (!store_webhook_get(txn, ids.v[i], &row, p))
			return false;
		g->visit(g->arg, &(struct webhook_gauge){ row.id, webhook_status(&row), (int64_t)last - row.cursor,
		                                          row.attempts });
	}
	return true;
}

bool webhooks_gauge(struct store *store, webhook_visit *visit, void *arg, struct problem *p)
{
	return store_view(store, gauge_all, &(struct gauging){ visit, arg }, p);
}
