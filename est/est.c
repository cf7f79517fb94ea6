#include "est/est.h"

#include "est/call.h"
#include "est/routes.h"
#include "store/audit_queue.h"

enum {
	FAILURES = 20, FAILURES_PERIOD = 60, /* more than a person mistypes, and few for a search */
	ADDRESSES_MAX = 20000,
};

bool est_open(struct store *store, struct ca *ca, struct labels *labels, struct est **ret, struct problem *p)
{
	auto_struct(est) *est = calloc(1, sizeof(*est));

	if (!est)
		return problem_memory(p);
	est->store = store;
	est->ca = ca;
	est->labels = labels_ref(labels);
	pthread_rwlock_init(&est->labels_lock, NULL);
	est->wing = est_routes_wing(est);
	if (!limit_new(FAILURES, FAILURES_PERIOD, ADDRESSES_MAX, &est->failures, p) ||
	    !audit_queue_open(store, &est->audit, p))
		return false;
	*ret = steal(est);
	return true;
}

void est_set_labels(struct est *est, struct labels *labels)
{
	struct labels *new = labels_ref(labels);

	pthread_rwlock_wrlock(&est->labels_lock);
	struct labels *old = est->labels;
	est->labels = new;
	pthread_rwlock_unlock(&est->labels_lock);
	labels_unref(old);
}

const struct http_wing *est_wing(struct est *est)
{
	return &est->wing;
}

void est_close(struct est *est)
{
	if (!est)
		return;
	audit_queue_close(est->audit);
	limit_free(est->failures);
	labels_unref(est->labels);
	pthread_rwlock_destroy(&est->labels_lock);
	free(est);
}
