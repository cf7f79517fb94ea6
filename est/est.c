#include "est/est.h"

#include "est/call.h"
#include "est/routes.h"
#include "store/audit_queue.h"

enum {
	FAILURES = 20, FAILURES_PERIOD = 60, /* more than a person mistypes, and few for a search */
	ADDRESSES_MAX = 20000,
};

bool est_open(struct store *store, struct ca *ca, struct profiles *profiles, struct est **ret, struct problem *p)
{
	auto_struct(est) *est = calloc(1, sizeof(*est));

	if (!est)
		return problem_memory(p);
	est->store = store;
	est->ca = ca;
	est->profiles = profiles_ref(profiles);
	pthread_rwlock_init(&est->profiles_lock, NULL);
	est->wing = est_routes_wing(est);
	if (!limit_new(FAILURES, FAILURES_PERIOD, ADDRESSES_MAX, &est->failures, p) ||
	    !audit_queue_open(store, &est->audit, p))
		return false;
	*ret = steal(est);
	return true;
}

void est_set_profiles(struct est *est, struct profiles *profiles)
{
	struct profiles *new = profiles_ref(profiles);

	pthread_rwlock_wrlock(&est->profiles_lock);
	struct profiles *old = est->profiles;
	est->profiles = new;
	pthread_rwlock_unlock(&est->profiles_lock);
	profiles_unref(old);
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
	profiles_unref(est->profiles);
	pthread_rwlock_destroy(&est->profiles_lock);
	free(est);
}
