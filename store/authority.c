#include "store/authority.h"

#include "store/table.h"

static const struct record_field authority_fields[] = {
	record_text(1, authority_state, name),
	record_time(2, authority_state, disabled),
	record_text(3, authority_state, disabled_by),
};
static const struct record_schema authority_schema = {
	"authority", sizeof(struct authority_state), authority_fields, array_length(authority_fields),
};
static const struct table authorities = {
	.class = KEY_AUTHORITY, .schema = &authority_schema, .by_text = true,
};

void authority_state_free(struct authority_state *state)
{
	record_free(state);
}

bool store_authority_get(struct store_txn *txn, const char *name, struct authority_state *ret, struct problem *p)
{
	if (table_get(txn, &authorities, name, ret, p))
		return true;
	if (!problem_forgive(p, PROBLEM_NOT_FOUND))
		return false;
	*ret = (struct authority_state){ .name = name };
	return true;
}

bool store_authority_put(struct store_txn *txn, const struct authority_state *state, struct problem *p)
{
	return table_put(txn, &authorities, state->name, state, p);
}
