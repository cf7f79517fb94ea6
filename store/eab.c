#include "store/eab.h"

#include "store/table.h"

enum { KID_MAX = 80 }; /* as long as the cursor of a listing may be, and longer than any we make */

static const struct record_field eab_fields[] = {
	record_text(1, eab, kid),
	record_bytes(2, eab, sealed_key),
	record_text(3, eab, note),
	record_texts(4, eab, scope.profiles),
	record_time(5, eab, created),
	record_time(6, eab, expires),
	record_integer(7, eab, uses),
	record_integer(8, eab, uses_max),
	record_bool(9, eab, revoked),
	SCOPE_FIELDS(10, eab),
};
static const struct record_schema eab_schema = {
	"external account binding key", sizeof(struct eab), eab_fields, array_length(eab_fields),
};
static const struct table eabs = { .class = KEY_EAB, .schema = &eab_schema, .by_text = true };

void eab_free(struct eab *eab)
{
	record_free(eab);
}

bool store_eab_get(struct store_txn *txn, const char *kid, struct eab *ret, struct problem *p)
{
	return table_get(txn, &eabs, kid, ret, p);
}

bool store_eab_put(struct store_txn *txn, const struct eab *eab, struct problem *p)
{
	size_t len = eab->kid ? strlen(eab->kid) : 0;

	if (len == 0 || len > KID_MAX)
		return problem_set(p, PROBLEM_MALFORMED, "an external account's key id has 1 to %d bytes", KID_MAX);
	return table_put(txn, &eabs, eab->kid, eab, p);
}

bool store_eab_list(struct store_txn *txn, const char *after, size_t limit, struct store_page *ret, struct problem *p)
{
	struct key prefix;

	key_begin(&prefix, KEY_EAB);
	return page_read(txn, &prefix, true, after, limit, ret, p);
}
