#include "admin/device_list.h"

#include "store/audit.h"

enum { BATCH = 1000 };

struct batch {
	const struct device_row *rows;
	size_t n;
	const struct actor *actor;
	struct device_list_result counts;
};

static bool same_text(const char *a, const char *b)
{
	return str_equal(a ?: "", b ?: "");
}

static bool is_same(const struct enrollment *e, const struct device_row *row)
{
	if (e->names.n != row->names.n || e->expires != row->expires || !same_text(e->device, row->device) ||
	    !same_text(e->certificate, row->certificate) || !same_text(e->profile, row->profile) ||
	    !same_text(e->note, row->note))
		return false;
	for (size_t i = 0; i < row->names.n; i++)
		if (!str_equal(e->names.v[i], row->names.v[i]))
			return false;
	return true;
}

/* ret->id is "" where it is not known. */
static bool find(struct store_txn *txn, const struct device_row *row, struct enrollment *ret, struct problem *p)
{
	return (row->device ? store_enrollment_by_device(txn, row->device, ret, p)
	                    : store_enrollment_by_certificate(txn, row->certificate, ret, p)) ||
	       problem_forgive(p, PROBLEM_NOT_FOUND);
}

static bool put(struct store_txn *txn, const struct device_row *row, const struct enrollment *known, int64_t now,
                struct problem *p)
{
	struct enrollment e = {
		.kind = ENROLLMENT_DEVICE,
		.device = row->device,
		.certificate = row->certificate,
		.profile = row->profile,
		.note = row->note,
		.expires = row->expires,
		.names = { (const char *const *)row->names.v, row->names.n },
		.created = known->created ?: now,
		.uses = known->uses,
		.uses_max = known->uses_max,
		.used = known->used,
	};

	if (known->id[0])
		memcpy(e.id, known->id, sizeof(e.id));
	else if (!credential_id(e.id, p))
		return false;
	if (store_enrollment_put(txn, &e, p))
		return true;
	if (p->kind == PROBLEM_CONFLICT)
		problem_set(p, PROBLEM_CONFLICT, "device %s: its certificate %s is on the list as another's",
		            row->device ?: "", row->certificate ?: "");
	return false;
}

static bool store_row(struct store_txn *txn, const struct device_row *row, struct batch *b, struct problem *p)
{
	auto_value(enrollment) known = {0};

	if (!find(txn, row, &known, p))
		return false;
	if (known.revoked || is_same(&known, row)) {
		*(known.revoked ? &b->counts.revoked : &b->counts.unchanged) += 1;
		return true;
	}
	*(known.id[0] ? &b->counts.changed : &b->counts.added) += 1;
	return put(txn, row, &known, b->actor->now, p);
}

static bool tell(struct store_txn *txn, const struct batch *b, struct problem *p)
{
	const struct device_row *first = &b->rows[0], *last = &b->rows[b->n - 1];
	const struct audit_fact facts[] = {
		audit_text("first", first->device ?: first->certificate),
		audit_text("last", last->device ?: last->certificate),
		audit_integer("added", b->counts.added),
		audit_integer("changed", b->counts.changed),
		{ 0 },
	};
	const struct audit_event event = { AUDIT_ENROLLMENT_IMPORTED, b->actor->now, b->actor->name, b->actor->from,
		                           facts };

	return b->counts.added + b->counts.changed == 0 || store_audit_add(txn, &event, p);
}

static bool store_batch(struct store_txn *txn, void *arg, struct problem *p)
{
	struct batch *b = arg;

	b->counts = (struct device_list_result){0};
	for (size_t i = 0; i < b->n; i++)
		if (!store_row(txn, &b->rows[i], b, p))
			return false;
	return tell(txn, b, p);
}

bool device_list_store(struct store *store, const struct device_list *list, const struct actor *actor,
                       struct device_list_result *ret, struct problem *p)
{
	struct device_list_result all = {0};

	for (size_t at = 0; at < list->n; at += BATCH) {
		struct batch b = { .rows = list->v + at,
			           .n = list->n - at < BATCH ? list->n - at : BATCH,
			           .actor = actor };
		if (!store_update(store, store_batch, &b, p))
			return false;
		all.added += b.counts.added;
		all.changed += b.counts.changed;
		all.unchanged += b.counts.unchanged;
		all.revoked += b.counts.revoked;
	}
	*ret = all;
	return true;
}

void device_list_result_json(const struct device_list_result *counts, struct buf *ret)
{
	struct json_writer w = json_writer(ret);

	json_open(&w, NULL);
	json_put_integer(&w, "added", counts->added);
	json_put_integer(&w, "changed", counts->changed);
	json_put_integer(&w, "unchanged", counts->unchanged);
	json_put_integer(&w, "revoked", counts->revoked);
	json_close(&w);
}
