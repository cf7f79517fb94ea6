#include "store/enrollment.h"

#include <assert.h>

#include "base/digest.h"
#include "store/table.h"

static const struct record_field enrollment_fields[] = {
	record_id(1, enrollment, id),
	record_bytes(2, enrollment, hash),
	record_text(3, enrollment, profile),
	record_texts(4, enrollment, names),
	record_text(5, enrollment, note),
	record_integer(6, enrollment, created),
	record_integer(7, enrollment, expires),
	record_integer(8, enrollment, uses),
	record_integer(9, enrollment, uses_max),
	record_integer(10, enrollment, revoked),
	record_integer(11, enrollment, used),
};
static const struct record_schema enrollment_schema = {
	"enrollment code", sizeof(struct enrollment), enrollment_fields, array_length(enrollment_fields),
};
static const struct table enrollments = { .class = KEY_ENROLLMENT, .schema = &enrollment_schema };

void enrollment_free(struct enrollment *enrollment)
{
	record_free(enrollment);
}

bool store_enrollment_get(struct store_txn *txn, const char *id, struct enrollment *ret, struct problem *p)
{
	return table_get(txn, &enrollments, id, ret, p);
}

bool store_enrollment_put(struct store_txn *txn, const struct enrollment *enrollment, struct problem *p)
{
	assert(enrollment->hash.len == SHA256_SIZE && enrollment->profile);
	return table_put(txn, &enrollments, enrollment->id, enrollment, p);
}

bool store_enrollment_list(struct store_txn *txn, const char *after, size_t limit, struct store_page *ret,
                           struct problem *p)
{
	struct key prefix;

	key_begin(&prefix, KEY_ENROLLMENT);
	return page_read(txn, &prefix, false, after, limit, ret, p);
}
