/* What tests of other parts ask of the audit log. */
#pragma once

#include "base/json.h"
#include "store/audit.h"

struct audit_seen {
	const char *kind;
	size_t n;
	struct json *newest; /* the caller's */
};

static inline bool audit_see(struct store_txn *txn, void *arg, struct problem *p)
{
	struct audit_seen *seen = arg;
	const struct audit_query query = { .kind = seen->kind };
	auto_value(audit_page) page = {0};

	seen->n = 0;
	if (!store_audit_read(txn, &query, 0, AUDIT_LOOK_MAX, &page, p))
		return false;
	seen->n = page.n;
	return page.n == 0 || json_parse(BYTES_STR(page.v[page.n - 1].line), &seen->newest, p);
}

static inline struct audit_seen audit_look(struct store *store, enum audit_kind kind)
{
	struct audit_seen seen = { .kind = audit_kind_name(kind) };
	auto_value(problem) p = {0};

	if (!store_view(store, audit_see, &seen, &p))
		fail_msg("%s%s", p.detail, p.cause);
	return seen;
}

static inline size_t audit_count(struct store *store, enum audit_kind kind)
{
	struct audit_seen seen = audit_look(store, kind);

	json_free(seen.newest);
	return seen.n;
}

/* The newest event of that kind; the caller's. */
static inline struct json *audit_newest(struct store *store, enum audit_kind kind)
{
	struct audit_seen seen = audit_look(store, kind);

	if (!seen.newest)
		fail_msg("there is no event %s", seen.kind);
	return seen.newest;
}

/* Its member, or the member of its "about", or what is missing. */
static inline const char *audit_says(const struct json *event, const char *name)
{
	return json_member_string(event, name) ?: json_member_string(json_member(event, "about"), name) ?: "(missing)";
}
