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
	record_time(6, enrollment, created),
	record_time(7, enrollment, expires),
	record_integer(8, enrollment, uses),
	record_integer(9, enrollment, uses_max),
	record_time(10, enrollment, revoked),
	record_time(11, enrollment, used),
	record_enum(12, enrollment, kind, enrollment_kind, ENROLLMENT_KIND_MAX - 1),
	record_bytes(13, enrollment, salt),
	record_text(14, enrollment, user),
	record_text(15, enrollment, device),
	record_text(16, enrollment, certificate),
	record_bytes(17, enrollment, digest_md5),
	record_bytes(18, enrollment, digest_sha256),
};
static const struct record_schema enrollment_schema = {
	"enrollment code", sizeof(struct enrollment), enrollment_fields, array_length(enrollment_fields),
};

enum name_of { OF_USER = 'u', OF_DEVICE = 'd', OF_CERTIFICATE = 'c' };

static void name_key(enum name_of of, const char *name, struct key *ret)
{
	const uint8_t byte = (uint8_t)of;

	key_begin(ret, KEY_ENROLLMENT_NAME);
	key_add(ret, BYTES(&byte, 1));
	key_add_text(ret, name);
}

static void name_add(struct index *ix, enum name_of of, const char *name)
{
	struct key key;

	if (!name)
		return;
	name_key(of, name, &key);
	index_add_unique(ix, &key);
}

/* Who is revoked gives the user name free; a device that is revoked stays one that must not come back. */
static void enrollment_index(const void *record, struct index *ix)
{
	const struct enrollment *e = record;

	if (e->revoked == 0)
		name_add(ix, OF_USER, e->user);
	if (e->kind != ENROLLMENT_DEVICE)
		return;
	name_add(ix, OF_DEVICE, e->device);
	name_add(ix, OF_CERTIFICATE, e->certificate);
}

static bool enrollment_is_whole(const void *record)
{
	const struct enrollment *e = record;

	switch (e->kind) {
	case ENROLLMENT_DEVICE: return e->hash.len == 0 && (e->device || e->certificate);
	case ENROLLMENT_WRAPPING: return e->hash.len > 0 && e->profile;
	default: return e->hash.len == SHA256_SIZE && e->profile;
	}
}

static const struct table enrollments = {
	.class = KEY_ENROLLMENT, .schema = &enrollment_schema, .index = enrollment_index, .is_whole = enrollment_is_whole,
};

const char *enrollment_kind_name(enum enrollment_kind kind)
{
	static const char *const names[] = {
#define X(name, text, meaning) [ENROLLMENT_##name] = text,
		ENROLLMENT_KINDS(X)
#undef X
	};

	assert((unsigned)kind < ENROLLMENT_KIND_MAX);
	return names[kind];
}

void enrollment_free(struct enrollment *enrollment)
{
	record_free(enrollment);
}

bool store_enrollment_get(struct store_txn *txn, const char *id, struct enrollment *ret, struct problem *p)
{
	return table_get(txn, &enrollments, id, ret, p);
}

static bool by_name(struct store_txn *txn, enum name_of of, const char *name, struct enrollment *ret, struct problem *p)
{
	struct key key;

	name_key(of, name, &key);
	return table_find(txn, &enrollments, &key, ret, p);
}

bool store_enrollment_by_user(struct store_txn *txn, const char *user, struct enrollment *ret, struct problem *p)
{
	return by_name(txn, OF_USER, user, ret, p);
}

bool store_enrollment_by_device(struct store_txn *txn, const char *device, struct enrollment *ret, struct problem *p)
{
	return by_name(txn, OF_DEVICE, device, ret, p);
}

bool store_enrollment_by_certificate(struct store_txn *txn, const char *serial, struct enrollment *ret,
                                     struct problem *p)
{
	return by_name(txn, OF_CERTIFICATE, serial, ret, p);
}

bool store_enrollment_put(struct store_txn *txn, const struct enrollment *enrollment, struct problem *p)
{
	return table_put(txn, &enrollments, enrollment->id, enrollment, p);
}

bool store_enrollment_list(struct store_txn *txn, const char *after, size_t limit, struct store_page *ret,
                           struct problem *p)
{
	struct key prefix;

	key_begin(&prefix, KEY_ENROLLMENT);
	return page_read(txn, &prefix, false, after, limit, ret, p);
}
