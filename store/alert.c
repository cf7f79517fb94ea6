#include "store/alert.h"

#include "store/table.h"

#define STATE "alerts"

static const struct record_field state_fields[] = {
	record_time(1, alert_state, reached),
	record_integer(2, alert_state, cursor),
};
static const struct record_schema state_schema = {
	"state of alerts", sizeof(struct alert_state), state_fields, array_length(state_fields),
};
static const struct table states = { .class = KEY_META, .schema = &state_schema, .by_text = true };

void alert_state_free(struct alert_state *state)
{
	record_free(state);
}

bool store_alert_state_get(struct store_txn *txn, struct alert_state *ret, struct problem *p)
{
	if (table_get(txn, &states, STATE, ret, p))
		return true;
	if (!problem_forgive(p, PROBLEM_NOT_FOUND))
		return false;
	*ret = (struct alert_state){0};
	return true;
}

bool store_alert_state_put(struct store_txn *txn, const struct alert_state *state, struct problem *p)
{
	return table_put(txn, &states, STATE, state, p);
}
