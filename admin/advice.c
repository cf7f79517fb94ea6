#include "admin/advice.h"

#include "store/audit.h"

enum { PAGE = 200, HOUR = 3600, URL_MAX = 512, OVER_MAX = 90 * 24 * HOUR };

struct giving {
	const struct advice *advice;
	struct search *search;
	struct strings ids;
};

bool advice_check(const struct advice *advice, struct problem *p)
{
	const char *why = advice->why;

	if (advice->over < 0 || advice->over > OVER_MAX)
		return problem_set(p, PROBLEM_MALFORMED, "over: expected at most 90d");
	if (why && ((!str_starts(why, "https://") && !str_starts(why, "http://")) || strlen(why) > URL_MAX ||
	            strpbrk(why, " \"<>")))
		return problem_set(p, PROBLEM_MALFORMED, "explanation: expected a URL of http or https, got `%s`", why);
	return true;
}

/* What is over, or renewed, or not ours has no client to tell. */
static bool collect(void *arg, const struct certificate *row, struct problem *p)
{
	struct giving *g = arg;
	bool live = row->status == CERTIFICATE_VALID && row->not_after > g->advice->now && !row->replaced_by;

	return !live || certificate_is_imported(row) || strings_add(&g->ids, row->id) || problem_memory(p);
}

static bool find(struct store_txn *txn, void *arg, struct problem *p)
{
	struct giving *g = arg;

	return search_page(txn, g->search, PAGE, collect, g, p);
}

/* Long past, so that clients whose clocks are slow see it as past as well; or a quarter of the time, at a place of
 * its own in it. An id is random. */
static struct certificate_advice window_of(const struct advice *advice, const char *id)
{
	int64_t length = advice->over / 4 > 0 ? advice->over / 4 : 1;
	uint64_t place = 0;

	if (advice->undo)
		return (struct certificate_advice){ 0 };
	if (advice->over == 0)
		return (struct certificate_advice){ advice->now - 2 * HOUR, advice->now - HOUR, advice->why };
	for (const char *c = id; *c; c++)
		place = place * 31 + (unsigned char)*c;
	int64_t from = advice->now + (int64_t)(place % (uint64_t)(advice->over - length + 1));
	return (struct certificate_advice){ from, from + length, advice->why };
}

static bool tell(struct store_txn *txn, const struct giving *g, struct problem *p)
{
	const struct advice *advice = g->advice;
	const struct audit_fact facts[] = {
		audit_text("filter", advice->filter),
		audit_integer("count", (int64_t)g->ids.n),
		audit_integer("over", advice->over),
		audit_text("explanation", advice->why),
		audit_text("undone", advice->undo ? "yes" : NULL),
		audit_texts("certificates", record_texts_of(&g->ids)),
		{ 0 },
	};

	return store_audit_add(
		txn,
		&(struct audit_event){ AUDIT_RENEWAL_ADVISED, advice->now, advice->actor, advice->from, facts }, p);
}

static bool give(struct store_txn *txn, void *arg, struct problem *p)
{
	const struct giving *g = arg;

	for (size_t i = 0; i < g->ids.n; i++) {
		const struct certificate_advice window = window_of(g->advice, g->ids.v[i]);
		if (!store_certificate_advise(txn, g->ids.v[i], &window, p))
			return false;
	}
	return tell(txn, g, p);
}

bool advice_give(struct store *store, struct search *search, const struct advice *advice, size_t *ret_count,
                 struct problem *p)
{
	struct giving g = { .advice = advice, .search = search };
	bool given = store_view(store, find, &g, p) && (g.ids.n == 0 || store_update(store, give, &g, p));

	if (given)
		*ret_count += g.ids.n;
	strings_free(&g.ids);
	return given;
}
