/* Alert: how far the look for certificates that expire has come. One record, of the store. */
#pragma once

#include "store/record.h"
#include "store/store.h"

struct alert_state {
	void *memory;
	int64_t reached;              /* alerts that fell due up to then are given; 0: none ever was */
	int64_t cursor;               /* the last event of the audit log that was looked at */
};
void alert_state_free(struct alert_state *state);
declare_auto_value(alert_state, alert_state_free);

/* All zero when there is none. */
bool store_alert_state_get(struct store_txn *txn, struct alert_state *ret, struct problem *p) must_use;
bool store_alert_state_put(struct store_txn *txn, const struct alert_state *state, struct problem *p) must_use;
