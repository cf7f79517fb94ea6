/* GET certificate-profiles/{profile}/certificates/latest-active-bundle: for those who pull. What the identifier names
 * is the newest certificate of that profile that is valid now, whatever number of renewals has passed. */
#include <assert.h>

#include "admin/api_bundle.h"
#include "admin/certificate.h"
#include "admin/search.h"
#include "policy/identifier.h"

enum { LOOK_MAX = 5000, PAGE = 100 };

struct looking {
	const struct api_call *call;
	const char *identifier;
	size_t looked;
	bool found;                    /* no row to come is newer than what was found, which nothing has replaced */
	struct certificate row;        /* the newest active one so far; the caller's to free */
};

/* In its life, not revoked, of the profile. What was imported is not ours to hand out as current. */
static bool is_active(const struct looking *l, const struct certificate *row)
{
	return row->status == CERTIFICATE_VALID && row->not_before <= l->call->now && l->call->now <= row->not_after &&
	       str_equal(certificate_scope(row), l->call->profile->name) && !certificate_is_imported(row);
}

static bool is_renewed(const struct certificate *row)
{
	return row->replaced_by && *row->replaced_by;
}

/* What nothing has replaced goes before what something has; then the newest, to the microsecond. */
static bool is_better(const struct certificate *row, const struct certificate *best)
{
	if (!best->id[0] || is_renewed(row) != is_renewed(best))
		return !best->id[0] || is_renewed(best);
	return row->issued != best->issued ? row->issued > best->issued : row->issued_us > best->issued_us;
}

/* Rows come by the second, and those of one second in any order: the search ends with the second that has the
 * newest. */
static bool look_page(struct store_txn *txn, struct looking *l, const struct store_page *page, struct problem *p)
{
	for (size_t i = 0; i < page->ids.n && !l->found; i++) {
		auto_value(certificate) row = {0};
		l->looked++;
		if (!store_certificate_get(txn, page->ids.v[i], &row, p))
			return false;
		l->found = l->row.id[0] && !is_renewed(&l->row) && row.issued < l->row.issued;
		if (l->found || !is_active(l, &row) || !is_better(&row, &l->row))
			continue;
		certificate_free(&l->row);
		l->row = row;
		row = (struct certificate){0};
	}
	return true;
}

/* The newest come first. */
static bool look_name(struct store_txn *txn, struct looking *l, const char *type, const char *value, struct problem *p)
{
	struct identifier canonical;
	auto_value(problem) why = {0};
	bool is_name = identifier_parse(type, value, &canonical, &why) && !identifier_is_device(canonical.type);
	auto_free char *name = mem_printf("%s:%s", type, is_name ? canonical.value : value);
	char after[STORE_CURSOR_SIZE] = "";

	if (!name)
		return problem_memory(p);
	while (!l->found && l->looked < LOOK_MAX) {
		auto_value(store_page) page = {0};
		if (!store_certificate_list(txn, CERTIFICATE_BY_NAME, name, after, PAGE, &page, p) ||
		    !look_page(txn, l, &page, p))
			return false;
		if (page.next[0] == '\0')
			break;
		memcpy(after, page.next, sizeof(after));
	}
	return true;
}

/* A certificate's id stands for its first name, so that the id of any of the chain of renewals leads to the last. */
static bool look_id(struct store_txn *txn, struct looking *l, struct problem *p)
{
	auto_value(certificate) row = {0};
	auto_value(problem) why = {0};

	if (!store_certificate_get(txn, l->identifier, &row, &why) || row.names.n == 0 || !row.profile ||
	    !str_equal(row.profile, l->call->profile->name))
		return true;
	const struct certificate_name *first = row.names.v;
	return look_name(txn, l, first->type, first->value, p);
}

static bool look(struct store_txn *txn, void *arg, struct problem *p)
{
	struct looking *l = arg;
	size_t typed = search_name_type(l->identifier);
	const char *value = l->identifier + (typed ? typed + 1 : 0);

	for (size_t i = 0; search_name_types[i] && !l->row.id[0]; i++) {
		const char *type = search_name_types[i];
		bool fits = !typed || (strlen(type) == typed && strncmp(l->identifier, type, typed) == 0);
		if (fits && !look_name(txn, l, type, value, p))
			return false;
	}
	return l->row.id[0] || !random_id_valid(l->identifier) || look_id(txn, l, p);
}

static bool reply(struct api_call *call, const struct certificate *row, struct problem *p)
{
	struct json_writer w = api_reply(call, 200);

	json_open(&w, NULL);
	api_bundle_put(call, row, false, &w);
	json_put_time(&w, "notAfter", row->not_after);
	json_close(&w);
	return buf_check(&call->response->body, p);
}

bool api_profile_latest(struct api_call *call, struct problem *p)
{
	auto_value(buf) identifier = {0};
	auto_value(problem) parts = {0};

	bool there = api_query(call, "identifier", &identifier, &parts);
	if (!api_settle(&parts, p))
		return false;
	assert(there); /* the row demands it */
	struct looking looking = { .call = call, .identifier = buf_text(&identifier) };
	bool done = store_view(call->api->store, look, &looking, p);
	if (done && !looking.row.id[0])
		done = problem_set(p, PROBLEM_NOT_FOUND, "no certificate of profile %s for %s is valid now",
		                   call->profile->name, looking.identifier);
	done = done && reply(call, &looking.row, p);
	certificate_free(&looking.row);
	return done;
}
