/* Status: the wing that tells how the server is: /healthz, /readyz, and /metrics in Prometheus'
 * text format. Borrows what it reports; any thread. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "ca/crls.h"
#include "server/listen.h"
#include "server/own_certificate.h"
#include "server/root_watch.h"
#include "store/store.h"

struct status {
	struct store *store;
	const struct ca *ca;
	struct crls *crls;
	struct root_watch *roots;
	struct own_certificate *own;
	_Atomic(const struct listen *) listen; /* NULL until it listens */
	atomic_bool draining;
	pthread_rwlock_t lock;
	struct addr_list metrics_from;  /* guarded by lock: who may read /metrics */
	int64_t started;
	struct http_wing wing;
};
/* Fills the wing; status must not move afterwards. Nobody may read the metrics yet. */
void status_init(struct status *status);
/* From the next request on; the list is emptied. */
void status_take_metrics_from(struct status *status, struct addr_list *networks);
void status_done(struct status *status);
