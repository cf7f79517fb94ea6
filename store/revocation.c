#include "store/revocation.h"

#include "store/table.h"

static const struct record_field revocation_fields[] = {
	record_text(1, revocation, issuer),
	record_integer(2, revocation, changes),
	record_integer(3, revocation, crl_number),
	record_time(4, revocation, crl_time),
	record_time(5, revocation, crl_scheduled),
	record_integer(6, revocation, shards),
	record_integer(7, revocation, delta_base),
	record_time(8, revocation, delta_base_time),
	record_integer(9, revocation, next_base),
	record_time(10, revocation, next_base_time),
	record_integer(11, revocation, crl_changes),
};
static const struct record_schema revocation_schema = {
	"revocation", sizeof(struct revocation), revocation_fields, array_length(revocation_fields),
};
static const struct table revocations = {
	.class = KEY_REVOCATION, .schema = &revocation_schema, .by_text = true,
};

void revocation_free(struct revocation *revocation)
{
	record_free(revocation);
}

bool store_revocation_get(struct store_txn *txn, const char *issuer, struct revocation *ret, struct problem *p)
{
	if (table_get(txn, &revocations, issuer, ret, p))
		return true;
	if (!problem_forgive(p, PROBLEM_NOT_FOUND))
		return false;
	*ret = (struct revocation){ .issuer = issuer };
	return true;
}

bool store_revocation_put(struct store_txn *txn, const struct revocation *revocation, struct problem *p)
{
	return table_put(txn, &revocations, revocation->issuer, revocation, p);
}

bool store_revocation_change(struct store_txn *txn, const char *issuer, struct problem *p)
{
	auto_value(revocation) revocation = {0};

	if (!store_revocation_get(txn, issuer, &revocation, p))
		return false;
	revocation.changes++;
	return store_revocation_put(txn, &revocation, p);
}
