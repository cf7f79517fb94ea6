#include "est/est.h"

#include "est/call.h"
#include "est/routes.h"
#include "store/audit_queue.h"

static struct est_settings settings_ref(const struct est_settings *settings)
{
	return (struct est_settings){ labels_ref(settings->labels), authentications_ref(settings->authentications),
	                              wrapping_keys_ref(settings->wrapping_keys) };
}

void est_settings_done(struct est_settings *settings)
{
	labels_unref(settings->labels);
	authentications_unref(settings->authentications);
	wrapping_keys_unref(settings->wrapping_keys);
}

struct est_settings est_settings_now(struct est *est)
{
	pthread_rwlock_rdlock(&est->lock);
	struct est_settings now = settings_ref(&est->settings);
	pthread_rwlock_unlock(&est->lock);
	return now;
}

void est_set(struct est *est, const struct est_settings *settings)
{
	struct est_settings new = settings_ref(settings);

	pthread_rwlock_wrlock(&est->lock);
	struct est_settings old = est->settings;
	est->settings = new;
	pthread_rwlock_unlock(&est->lock);
	est_settings_done(&old);
}

bool est_open(struct store *store, struct ca *ca, const struct est_settings *settings, struct est **ret,
              struct problem *p)
{
	auto_struct(est) *est = calloc(1, sizeof(*est));

	if (!est)
		return problem_memory(p);
	est->store = store;
	est->ca = ca;
	est->settings = settings_ref(settings);
	pthread_rwlock_init(&est->lock, NULL);
	est->wing = est_routes_wing(est);
	if (!guard_open(&est->guard, p) || !digest_nonces_open(&est->nonces, p) ||
	    !audit_queue_open(store, &est->audit, p))
		return false;
	*ret = steal(est);
	return true;
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
	guard_close(est->guard);
	digest_nonces_close(est->nonces);
	est_settings_done(&est->settings);
	pthread_rwlock_destroy(&est->lock);
	free(est);
}
