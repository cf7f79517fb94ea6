/* Webhook: a place that events of the audit log are sent to, and how far they have come there. The secret
 * that they are signed with is sealed at rest. */
#pragma once

#include "base/random.h"
#include "store/record.h"
#include "store/store.h"

/* One try to deliver. */
struct webhook_try {
	int64_t time;
	int64_t event;                /* its number in the audit log */
	int64_t status;               /* of the answer; 0: there was none */
	const char *error;            /* NULL: delivered */
};
struct webhook {
	void *memory;
	char id[RANDOM_ID_SIZE];
	const char *url;
	struct bytes sealed_secret;   /* store_seal, context "webhook " + id */
	const char *note;
	const char *name;             /* in the configuration, which then says all but how far it is; NULL: not there */
	struct record_texts events;   /* patterns of kinds of events */
	struct record_texts profiles; /* events of these alone; none: all */
	int64_t created;
	/* How far it is. Events up to the cursor are delivered, or not wanted: there is no queue besides. */
	int64_t cursor;
	int64_t delivered;            /* how many */
	int64_t attempts;             /* tries of the next one that failed */
	int64_t failing;              /* when the first of them was; 0: none */
	int64_t next_try;             /* not before; 0: now */
	int64_t stopped;              /* when it was given up; 0: not */
	struct record_list tries;     /* struct webhook_try; the last WEBHOOK_TRIES, newest first */
};
enum { WEBHOOK_TRIES = 10 };

void webhook_free(struct webhook *webhook);
declare_auto_value(webhook, webhook_free);

bool store_webhook_get(struct store_txn *txn, const char *id, struct webhook *ret, struct problem *p) must_use;
bool store_webhook_put(struct store_txn *txn, const struct webhook *webhook, struct problem *p) must_use;
bool store_webhook_delete(struct store_txn *txn, const char *id, struct problem *p) must_use;
/* All of them, up to limit. */
bool store_webhook_ids(struct store_txn *txn, size_t limit, struct strings *ret, struct problem *p) must_use;
bool store_webhook_list(struct store_txn *txn, const char *after, size_t limit, struct store_page *ret,
                        struct problem *p) must_use;
