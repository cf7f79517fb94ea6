/* Status: the wing that tells how the server is: /healthz, /readyz, and /metrics in Prometheus'
 * text format. Borrows what it reports; any thread. */
#pragma once

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
	int64_t started;
	struct http_wing wing;
};
/* Fills the wing; status must not move afterwards. */
void status_init(struct status *status);
