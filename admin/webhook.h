/* Webhooks: events of the audit log, sent to where the operators want them (docs/webhooks.md).
 *
 * A `struct webhooks` owns the threads that send, and the one that looks for certificates which expire; it
 * borrows the store, which lives longer. There is no queue: each webhook has a cursor over the log, and what
 * is behind it is delivered. So nothing is lost by a crash, and nothing is sent that was not committed. */
#pragma once

#include "base/addr.h"
#include "policy/profile.h"
#include "store/store.h"

struct webhook_options {
	const struct addr_list *allow;   /* wins over the denial of loopback, private networks, ... */
	const struct addr_list *deny;    /* wins over all */
	const char *trust;               /* PEM file of CAs; NULL: the system's */
	unsigned timeout_ms;             /* one try */
	int64_t retry_first, retry_max;  /* seconds between tries, doubled from the one to the other */
	int64_t give_up;                 /* seconds after which a webhook is stopped that could deliver nothing */
};
enum { WEBHOOKS_MAX = 32, WEBHOOK_URL_MAX = 1024, WEBHOOK_SECRET_MIN = 16, WEBHOOK_SECRET_MAX = 255 };

/* For monitoring: one webhook in numbers. */
struct webhook_gauge {
	const char *id, *status;         /* "active" "failing" "stopped" */
	int64_t behind, attempts;        /* events it has not come to; tries of the next one that failed */
};
typedef void webhook_visit(void *arg, const struct webhook_gauge *gauge);
bool webhooks_gauge(struct store *store, webhook_visit *visit, void *arg, struct problem *p) must_use;

struct webhooks;
struct webhook_settings;
/* Takes references to both. */
bool webhooks_open(struct webhook_settings *settings, struct store *store, struct profiles *profiles,
                   struct webhooks **ret, struct problem *p) must_use;
/* From now on, these profiles' alerts (SIGHUP). */
void webhooks_set_profiles(struct webhooks *webhooks, struct profiles *profiles);
/* What is sent from now on is sent like this (SIGHUP), over connections that were made like this. */
void webhooks_set_settings(struct webhooks *webhooks, struct webhook_settings *settings);
void webhooks_close(struct webhooks *webhooks); /* waits for what is being sent */
declare_auto_struct(webhooks, webhooks_close);
