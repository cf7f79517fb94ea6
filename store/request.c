#include "store/request.h"

#include <assert.h>

#include "base/digest.h"
#include "store/certificate.h"
#include "store/private_key.h"
#include "store/table.h"

static const char *const names[] = {
#define X(name, text) [REQUEST_##name] = text,
	REQUEST_STATES(X)
#undef X
};

static const struct record_field decision_fields[] = {
	record_text_always(1, request_decision, by),
	record_bool(2, request_decision, approved),
	record_text(3, request_decision, reason),
	record_time(4, request_decision, at),
};
static const struct record_schema decision_schema = {
	"decision", sizeof(struct request_decision), decision_fields, array_length(decision_fields),
};

static const struct record_field metadata_fields[] = {
	record_text_always(1, certificate_metadata, key),
	record_text_always(2, certificate_metadata, value),
};
static const struct record_schema metadata_schema = {
	"request metadata", sizeof(struct certificate_metadata), metadata_fields, array_length(metadata_fields),
};

static const struct record_field request_fields[] = {
	record_id(1, request, id),
	record_enum(2, request, state, request_state, REQUEST_STATE_MAX - 1),
	record_text(3, request, profile),
	record_text(4, request, method),
	record_text(5, request, identity),
	record_text(6, request, from),
	record_bytes(7, request, csr_digest),
	record_time(8, request, created),
	record_time(9, request, ended),
	record_texts(10, request, reasons),
	record_id(11, request, certificate),
	record_id(12, request, replaces),
	record_id(13, request, account),
	record_id(14, request, order),
	record_text(15, request, names),
	record_bytes(16, request, csr),
	record_bytes(17, request, key_hash),
	record_integer(18, request, needed),
	record_list(19, request, decisions, &decision_schema),
	record_time(20, request, expires),
	record_bool(21, request, due),
	record_bool(22, request, managed),
	record_bool(23, request, by_server),
	record_integer(24, request, validity),
	record_time(25, request, not_before),
	record_time(26, request, not_after),
	record_text(27, request, hash),
	record_list(28, request, metadata, &metadata_schema),
	record_integer(29, request, renew_before),
	record_bool(30, request, key_waits),
	record_text(31, request, label),
	record_bytes(32, request, waiter),
	record_bytes(33, request, asked),
};
static const struct record_schema request_schema = {
	"request", sizeof(struct request), request_fields, array_length(request_fields),
};

/* Of one that waits for people, or did. */
static void index_waiting(const struct request *request, struct index *ix)
{
	struct key key;

	key_begin(&key, KEY_REQUEST_ORDER);
	if (key_add_id(&key, request->order))
		index_add_unique(ix, &key);
	key_begin(&key, KEY_REQUEST_DUE);
	if (request->due && request->state != REQUEST_PENDING)
		index_add(ix, &key);
	key_begin(&key, KEY_REQUEST_WAITER);
	key_add(&key, request->waiter);
	if (request->waiter.len > 0)
		index_add_unique(ix, &key);
	expiry_index(ix, EXPIRY_REQUEST, request->expires);
}

static void request_index(const void *record, struct index *ix)
{
	const struct request *request = record;
	uint8_t state = (uint8_t)request->state;
	struct key key;

	key_begin(&key, KEY_REQUEST_NEWEST);
	key_add_newest(&key, request->created);
	index_add(ix, &key);
	index_waiting(request, ix);
	if (request->state == REQUEST_ISSUED) /* nearly all of them: those are found by what was issued */
		return;
	key_begin(&key, KEY_REQUEST_STATE);
	key_add(&key, BYTES(&state, 1));
	key_add_newest(&key, request->created);
	index_add(ix, &key);
}

static bool request_is_whole(const void *record)
{
	const struct request *request = record;

	return request->waiter.len == 0 || request->waiter.len == SHA256_SIZE;
}

static const struct table requests = {
	.class = KEY_REQUEST, .schema = &request_schema, .index = request_index, .is_whole = request_is_whole,
};

const char *request_state_name(enum request_state state)
{
	assert(state < REQUEST_STATE_MAX);
	return names[state];
}

bool request_state_from(const char *name, enum request_state *ret)
{
	for (enum request_state s = 0; s < REQUEST_STATE_MAX; s++) {
		if (!str_equal(names[s], name))
			continue;
		*ret = s;
		return true;
	}
	return false;
}

void request_free(struct request *request)
{
	record_free(request);
}

bool store_request_get(struct store_txn *txn, const char *id, struct request *ret, struct problem *p)
{
	return table_get(txn, &requests, id, ret, p);
}

bool store_request_put(struct store_txn *txn, const struct request *request, struct problem *p)
{
	return table_put(txn, &requests, request->id, request, p);
}

/* Leaves the issued ones on the page. */
static bool keep_issued(struct store_txn *txn, struct strings *ids, struct problem *p)
{
	size_t kept = 0;

	for (size_t i = 0; i < ids->n; i++) {
		auto_value(request) request = {0};
		if (!store_request_get(txn, ids->v[i], &request, p))
			return false;
		if (request.state != REQUEST_ISSUED)
			continue;
		char *id = ids->v[kept];
		ids->v[kept++] = ids->v[i];
		ids->v[i] = id;
	}
	while (ids->n > kept)
		free(ids->v[--ids->n]);
	return true;
}

bool store_request_list(struct store_txn *txn, const enum request_state *state, const char *after, size_t limit,
                        struct store_page *ret, struct problem *p)
{
	bool issued = state && *state == REQUEST_ISSUED;
	uint8_t byte = state ? (uint8_t)*state : 0;
	struct key prefix;

	key_begin(&prefix, state && !issued ? KEY_REQUEST_STATE : KEY_REQUEST_NEWEST);
	if (state && !issued)
		key_add(&prefix, BYTES(&byte, 1));
	return page_read(txn, &prefix, false, after, limit, ret, p) && (!issued || keep_issued(txn, &ret->ids, p));
}

/* Nobody has collected it, and nobody can any more. One that is kept for its certificate stays. */
static bool forget_key(struct store_txn *txn, const struct request *request, struct problem *p)
{
	auto_value(certificate) row = {0};

	if (!request->key_waits)
		return true;
	if (!store_certificate_get(txn, request->certificate, &row, p) && !problem_forgive(p, PROBLEM_NOT_FOUND))
		return false;
	return row.key_kept || store_private_key_delete(txn, request->key_hash, p);
}

static bool sweep_one(struct store_txn *txn, const char *id, size_t *count, struct problem *p)
{
	auto_value(request) request = {0};

	if (!store_request_get(txn, id, &request, p))
		return false;
	if (request.ended == 0)
		return true;
	++*count;
	return forget_key(txn, &request, p) && table_delete(txn, &requests, id, p);
}

bool store_request_sweep(struct store_txn *txn, int64_t before, size_t limit, char at[STORE_CURSOR_SIZE],
                         size_t *ret_count, struct problem *p)
{
	auto_value(store_page) page = {0};
	struct key prefix, from;

	key_begin(&prefix, KEY_REQUEST_NEWEST);
	from = prefix;
	key_add_newest(&from, before - 1);
	*ret_count = 0;
	if (!(*at ? page_read(txn, &prefix, false, at, limit, &page, p)
	          : page_read_from(txn, &prefix, &from, false, limit, &page, p)))
		return false;
	for (size_t i = 0; i < page.ids.n; i++)
		if (!sweep_one(txn, page.ids.v[i], ret_count, p))
			return false;
	memcpy(at, page.next, sizeof(page.next));
	return true;
}

bool store_request_by_order(struct store_txn *txn, const char *order, struct request *ret, struct problem *p)
{
	struct key key;

	key_begin(&key, KEY_REQUEST_ORDER);
	if (!key_add_id(&key, order))
		return problem_set(p, PROBLEM_NOT_FOUND, "there is no such request");
	return table_find(txn, &requests, &key, ret, p);
}

bool store_request_pending(struct store_txn *txn, size_t max, size_t *ret, struct problem *p)
{
	const uint8_t pending = REQUEST_PENDING;
	struct key prefix;

	key_begin(&prefix, KEY_REQUEST_STATE);
	key_add(&prefix, BYTES(&pending, 1));
	return page_count(txn, &prefix, max, ret, p);
}

bool store_request_by_waiter(struct store_txn *txn, struct bytes waiter, struct request *ret, struct problem *p)
{
	struct key key;

	key_begin(&key, KEY_REQUEST_WAITER);
	key_add(&key, waiter);
	return table_find(txn, &requests, &key, ret, p);
}

enum { DUE_MAX = 10000 }; /* there are few, of all methods together */

bool store_request_due(struct store_txn *txn, const char *method, size_t limit, struct strings *ret, struct problem *p)
{
	auto_value(strings) ids = {0};
	struct key prefix;

	key_begin(&prefix, KEY_REQUEST_DUE);
	if (!page_read_ids(txn, &prefix, DUE_MAX, &ids, p))
		return false;
	for (size_t i = 0; i < ids.n && ret->n < limit; i++) {
		auto_value(request) request = {0};
		if (!store_request_get(txn, ids.v[i], &request, p))
			return false;
		if (str_equal(request.method ?: "", method) && !strings_add(ret, ids.v[i]))
			return problem_memory(p);
	}
	return true;
}

bool store_request_delete(struct store_txn *txn, const char *id, struct problem *p)
{
	return table_delete(txn, &requests, id, p);
}
