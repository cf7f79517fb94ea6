/* Webhook event: which events of the audit log a webhook wants, and how they are told. Internal to admin/. */
#pragma once

#include "store/audit.h"
#include "store/webhook.h"

enum { WEBHOOK_EVENT_ID_SIZE = 2 * SHA256_SIZE + 1 };

/* The next one behind a place in the log. */
struct webhook_event {
	bool found;
	uint64_t seq;                       /* of it; not found: all up to it is not wanted */
	bool end;                           /* not found, and nothing comes after seq for now */
	char id[WEBHOOK_EVENT_ID_SIZE];     /* the event's hash, in hexadecimal */
	char type[64];                      /* "certificate-issued" */
	struct buf body;
};
void webhook_event_free(struct webhook_event *event);
declare_auto_value(webhook_event, webhook_event_free);

/* Looks at some hundred events at most. */
bool webhook_event_next(struct store_txn *txn, const struct webhook *webhook, uint64_t after, struct webhook_event *ret,
                        struct problem *p) must_use;
/* The one that `webhook test` sends, which is in no log. */
bool webhook_event_test(const struct webhook *webhook, int64_t now, struct webhook_event *ret, struct problem *p)
	must_use;

/* A pattern is a kind of event, or the beginning of one and a "*". */
bool webhook_pattern_matches(const char *pattern, const char *kind) must_use;
/* Some kind of event is meant. MALFORMED. */
bool webhook_pattern_check(const char *pattern, struct problem *p) must_use;
/* What is wanted where nothing is said: NULL-ended. */
extern const char *const webhook_default_events[];
