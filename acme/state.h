/* State: what the parts of the ACME wing share. Internal to acme/. */
#pragma once

#include <pthread.h>

#include "acme/acme.h"
#include "base/limit.h"

struct nonces;      /* acme/nonce.h */
struct key_cache;   /* acme/key_cache.h: parsed account keys by account id */
struct probes;      /* acme/probe.h: challenges in flight */
struct audit_queue; /* store/audit_queue.h: refusals, on their way to the audit log */
struct claims;      /* acme/claim.h: orders that one request is finalizing now */

struct acme {
	struct acme_options options;   /* strings and lists are owned copies */
	struct store *store;
	struct ca *ca;
	pthread_rwlock_t profiles_lock;
	struct profiles *profiles;
	struct attestation_roots *attestation; /* under the same lock; NULL: none */
	struct nonces *nonces;
	struct key_cache *keys;
	struct probes *probes;
	struct claims *claims;
	struct audit_queue *audit;
	struct limit *accounts_per_address, *orders_per_account, *orders_per_name, *requests_per_address;
	struct limit *renewal_info_per_address;
	struct work *sweeper;
	struct work *later; /* acme/later.h */
	struct http_wing wing;
};
/* The profiles of this moment; the caller gives the reference back. */
struct profiles *acme_profiles(struct acme *acme) must_use;
