/* Webhook outcome: what a try to deliver came to, and when the next one is. Internal to admin/. */
#pragma once

#include "admin/webhook_send.h"

enum { WEBHOOK_WAIT_MAX = 7 * 86400 }; /* seconds; what a Retry-After beyond it is cut to */

struct webhook_outcome {
	uint64_t seq;                 /* of the event */
	bool delivered;
	struct webhook_answer answer;
	const char *error;            /* not delivered: in words */
	int64_t now;
};
/* The cursor goes on, or the next try is set, later each time; at the end the webhook is stopped, and the audit log
 * tells of it. One that is gone meanwhile is fine. */
bool webhook_outcome_record(struct store *store, const struct webhook_options *options, const char *id,
                            const struct webhook_outcome *outcome, struct problem *p) must_use;
/* Up to seq nothing was wanted. */
bool webhook_pass(struct store *store, const char *id, uint64_t seq, struct problem *p) must_use;
/* Seconds to wait after so many failures, 1 at least: doubled each time, up to the longest, give or take a quarter
 * that chance (0 to 65535) decides. Never less than what the receiver asked for. */
int64_t webhook_wait(const struct webhook_options *options, int64_t attempts, int64_t retry_after, uint16_t chance);
