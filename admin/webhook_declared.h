/* Webhook declared: the webhooks that the configuration names. Internal to admin/ and for the server. */
#pragma once

#include "admin/webhook.h"

struct webhook_declared {
	char *name;                     /* what it is known by, over restarts */
	char *url, *note;               /* note: NULL without one */
	struct strings events, profiles;
	struct {
		char *file, *environment, *credential; /* one of them */
	} secret;
};
/* Adds a part for each field that is wrong, as the configuration calls it below a row. */
void webhook_declared_check(const struct webhook_options *options, const struct webhook_declared *row,
                            struct problem *parts);

/* Whether its secret can be read as the process starts, and will do. */
bool webhook_declared_secret(const struct webhook_declared *row, struct problem *p) must_use;

/* What makes the store's rows what the configuration says: new ones begin with the next event, those that are as
 * they were stay as far as they are, and those that are named no more end. All secrets are read now; variables of
 * the environment when the process starts alone: after that a secret from one stays as it is. Nothing changes yet.
 * Borrows rows. */
struct webhook_plan;
bool webhooks_plan(struct store *store, const struct webhook_declared *rows, size_t n, bool starting,
                   struct webhook_plan **ret, struct problem *p) must_use;
/* In the caller's update, with the events of each. */
bool webhooks_carry_out(struct store_txn *txn, const struct webhook_plan *plan, struct problem *p) must_use;
void webhook_plan_free(struct webhook_plan *plan);
declare_auto_struct(webhook_plan, webhook_plan_free);
