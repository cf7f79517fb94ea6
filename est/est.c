#include "est/est.h"

#include "est/call.h"
#include "est/routes.h"
#include "store/audit_queue.h"

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
	if (!authentications_new(NULL, 0, NULL, &est->authentications, p) || !guard_open(&est->guard, p) ||
	    !digest_nonces_open(&est->nonces, p) ||
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

void est_set_authentications(struct est *est, struct authentications *authentications)
{
	struct authentications *new = authentications_ref(authentications);

	pthread_rwlock_wrlock(&est->labels_lock);
	struct authentications *old = est->authentications;
	est->authentications = new;
	pthread_rwlock_unlock(&est->labels_lock);
	authentications_unref(old);
}

void est_set_wrapping_keys(struct est *est, struct wrapping_keys *keys)
{
	struct wrapping_keys *new = wrapping_keys_ref(keys);

	pthread_rwlock_wrlock(&est->labels_lock);
	struct wrapping_keys *old = est->wrapping_keys;
	est->wrapping_keys = new;
	pthread_rwlock_unlock(&est->labels_lock);
	wrapping_keys_unref(old);
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
	authentications_unref(est->authentications);
	wrapping_keys_unref(est->wrapping_keys);
	labels_unref(est->labels);
	pthread_rwlock_destroy(&est->labels_lock);
	free(est);
}
