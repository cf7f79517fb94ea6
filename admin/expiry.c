#include "admin/expiry.h"

#include <stdio.h>

#include "base/clock.h"
#include "store/audit.h"
#include "store/certificate.h"

enum {
	PAGE = 500,
	EVENTS_MAX = 5000,           /* of the log, in one round */
	STEP = 3600,                 /* seconds that the mark moves in one round, at most */
	DUE_MAX = 2000,              /* alerts in one update, unless more fall due within one second */
	SIBLINGS_MAX = 50,           /* certificates of the same name that are looked at */
	SAVE_AFTER = 600, SAVE_EVENTS = 1000,
};

struct due {
	char id[RANDOM_ID_SIZE];
	int64_t before;
};
struct round {
	const struct profiles *profiles;
	struct alert_state from, to;
	int64_t now, step, longest;  /* longest: of all times before */
	struct due *v;
	size_t n, room;
	bool more;
};

/* --- which of a profile's times is due --- */

static const struct profile_alerts *alerts_of(const struct round *r, const struct certificate *row)
{
	static const struct profile_alerts none = { .given = true };
	const struct profile *profile = row->profile ? profiles_find(r->profiles, row->profile) : NULL;

	if (profile)
		return &profile->alerts;
	/* Of no profile: the CA's own, which are renewed long before, and what was imported. */
	return str_equal(row->method, "internal") ? &none : &profile_default_alerts;
}

/* Of those that nobody has asked for, the ones that would come with the certificate itself are left out. */
static bool applies(const struct profile_alerts *alerts, size_t i, const struct certificate *row)
{
	return alerts->given || alerts->before[i] < row->not_after - row->not_before;
}

static bool smallest_due(const struct round *r, const struct certificate *row, int64_t at, int64_t *ret)
{
	const struct profile_alerts *alerts = alerts_of(r, row);

	for (size_t i = 0; i < alerts->n; i++) {
		if (!applies(alerts, i, row) || row->not_after > at + alerts->before[i])
			continue;
		*ret = alerts->before[i];
		return true;
	}
	return false;
}

/* Of several that passed since the last look the smallest is told, when its turn comes, and the others with it. */
static bool is_turn(const struct round *r, const struct certificate *row, int64_t before)
{
	int64_t smallest;

	return smallest_due(r, row, r->now, &smallest) && smallest == before;
}

static int64_t longest_of(const struct profiles *profiles)
{
	int64_t longest = profile_default_alerts.before[profile_default_alerts.n - 1];
	const struct profile *profile;

	for (size_t k = 0; (profile = profiles_at(profiles, k)); k++) {
		const struct profile_alerts *alerts = &profile->alerts;
		if (alerts->n > 0 && alerts->before[alerts->n - 1] > longest)
			longest = alerts->before[alerts->n - 1];
	}
	return longest;
}

/* --- what needs no alert --- */

static bool has_name(const struct certificate *row, const struct certificate_name *name)
{
	const struct certificate_name *names = row->names.v;

	for (size_t i = 0; i < row->names.n; i++)
		if (str_equal(names[i].type, name->type) && str_equal(names[i].value, name->value))
			return true;
	return false;
}

static bool same_names(const struct certificate *a, const struct certificate *b)
{
	const struct certificate_name *names = a->names.v;

	for (size_t i = 0; i < a->names.n; i++)
		if (!has_name(b, &names[i]))
			return false;
	return a->names.n == b->names.n;
}

static bool replaces(const struct certificate *newer, const struct certificate *row)
{
	return newer->status == CERTIFICATE_VALID && newer->not_after > row->not_after &&
	       str_equal(newer->profile ?: "", row->profile ?: "") && same_names(newer, row);
}

/* ACME and EST clients renew without saying so: a certificate of the same names that lives longer is enough. */
static bool has_sibling(struct store_txn *txn, const struct certificate *row, bool *ret, struct problem *p)
{
	const struct certificate_name *first = row->names.v;
	auto_free char *name = row->names.n > 0 ? mem_printf("%s:%s", first->type, first->value) : NULL;
	auto_value(store_page) page = {0};

	if (row->names.n == 0)
		return true;
	if (!name)
		return problem_memory(p);
	if (!store_certificate_list(txn, CERTIFICATE_BY_NAME, name, "", SIBLINGS_MAX, &page, p))
		return false;
	for (size_t i = 0; i < page.ids.n && !*ret; i++) {
		auto_value(certificate) other = {0};
		if (!store_certificate_get(txn, page.ids.v[i], &other, p))
			return false;
		*ret = replaces(&other, row);
	}
	return true;
}

static bool is_settled(const struct certificate *row)
{
	return row->status == CERTIFICATE_REVOKED || (row->replaced_by && *row->replaced_by);
}

static bool add_due(struct store_txn *txn, struct round *r, const struct certificate *row, int64_t before,
                    struct problem *p)
{
	bool settled = is_settled(row);

	if (!settled && !has_sibling(txn, row, &settled, p))
		return false;
	if (settled)
		return true;
	if (r->n == r->room) {
		size_t room = 2 * r->room + 64;
		struct due *v = reallocarray(r->v, room, sizeof(*v));
		if (!v)
			return problem_memory(p);
		r->v = v;
		r->room = room;
	}
	snprintf(r->v[r->n].id, RANDOM_ID_SIZE, "%s", row->id);
	r->v[r->n++].before = before;
	return true;
}

/* --- what was due when it came --- */

/* The text of a member: no text within another has a quote that is not escaped. */
static bool line_member(const char *line, const char *name, char *ret, size_t size)
{
	const char *at = strstr(line, name);
	size_t len = at ? strcspn(at + strlen(name), "\"") : size;

	if (len >= size)
		return false;
	memcpy(ret, at + strlen(name), len);
	ret[len] = '\0';
	return true;
}

static bool tells_of_new(const char *line)
{
	return strstr(line, "\"kind\":\"certificate-issued\"") || strstr(line, "\"kind\":\"certificate-imported\"");
}

/* One that the inventory has no more leaves ret empty. */
static bool find_row(struct store_txn *txn, const char *id, struct certificate *ret, struct problem *p)
{
	return store_certificate_get(txn, id, ret, p) || problem_forgive(p, PROBLEM_NOT_FOUND);
}

static bool look_at_event(struct store_txn *txn, struct round *r, const char *line, struct problem *p)
{
	char id[RANDOM_ID_SIZE], text[CLOCK_RFC3339_SIZE + 8];
	int64_t not_after, before;
	auto_value(certificate) row = {0};

	if (!tells_of_new(line) || !line_member(line, "\"notAfter\":\"", text, sizeof(text)) ||
	    !clock_parse(text, &not_after) || not_after <= r->from.reached ||
	    not_after > r->from.reached + r->longest || !line_member(line, "\"certificate\":\"", id, sizeof(id)))
		return true;
	if (!find_row(txn, id, &row, p))
		return false;
	return !row.id[0] || !smallest_due(r, &row, r->from.reached, &before) || !is_turn(r, &row, before) ||
	       add_due(txn, r, &row, before, p);
}

static bool look_at_log(struct store_txn *txn, struct round *r, struct problem *p)
{
	static const struct audit_query all = {0};
	bool end = false;

	for (size_t seen = 0; !end && seen < EVENTS_MAX && r->n + PAGE < DUE_MAX;) {
		auto_value(audit_page) page = {0};
		if (!store_audit_read(txn, &all, (uint64_t)r->to.cursor, PAGE, &page, p))
			return false;
		for (size_t i = 0; i < page.n; i++)
			if (!look_at_event(txn, r, page.v[i].line, p))
				return false;
		seen += page.n;
		r->to.cursor = (int64_t)page.after;
		end = page.end;
	}
	r->more = !end;
	return true;
}

/* --- what falls due by time --- */

static bool is_full(const struct round *r)
{
	return r->n > DUE_MAX && r->step > 1;
}

/* Those that expire behind the old mark, up to the new one: both moved by the time before. */
static bool look_at_time(struct store_txn *txn, struct round *r, int64_t before, struct problem *p)
{
	char from[CLOCK_RFC3339_SIZE], after[STORE_CURSOR_SIZE] = "";
	bool past = false;

	clock_format(r->from.reached + before + 1, from);
	while (!past && !is_full(r)) {
		auto_value(store_page) page = {0};
		if (!store_certificate_list(txn, CERTIFICATE_BY_EXPIRY, from, after, PAGE, &page, p))
			return false;
		for (size_t i = 0; i < page.ids.n && !past; i++) {
			auto_value(certificate) row = {0};
			if (!store_certificate_get(txn, page.ids.v[i], &row, p))
				return false;
			past = row.not_after > r->to.reached + before;
			if (past || !is_turn(r, &row, before))
				continue;
			if (!add_due(txn, r, &row, before, p))
				return false;
		}
		past = past || page.next[0] == '\0';
		memcpy(after, page.next, sizeof(after));
	}
	return true;
}

static bool is_first(const struct profiles *profiles, size_t profile, int64_t before)
{
	const struct profile *p;

	for (size_t i = 0; i < profile_default_alerts.n; i++)
		if (profile_default_alerts.before[i] == before)
			return false;
	for (size_t k = 0; k < profile && (p = profiles_at(profiles, k)); k++)
		for (size_t i = 0; i < p->alerts.n; i++)
			if (p->alerts.before[i] == before)
				return false;
	return true;
}

/* Each time that any profile has, once. */
static bool look_at_times(struct store_txn *txn, struct round *r, struct problem *p)
{
	const struct profile *profile;

	for (size_t i = 0; i < profile_default_alerts.n; i++)
		if (!look_at_time(txn, r, profile_default_alerts.before[i], p))
			return false;
	for (size_t k = 0; (profile = profiles_at(r->profiles, k)); k++)
		for (size_t i = 0; i < profile->alerts.n; i++)
			if (is_first(r->profiles, k, profile->alerts.before[i]) &&
			    !look_at_time(txn, r, profile->alerts.before[i], p))
				return false;
	return true;
}

/* The log up to its end first, in the same snapshot: what comes later is behind its cursor, and so is seen once. */
static bool look(struct store_txn *txn, void *arg, struct problem *p)
{
	struct round *r = arg;

	r->n = 0;
	r->to = r->from;
	if (!look_at_log(txn, r, p))
		return false;
	if (r->more || r->now <= r->from.reached)
		return true;
	r->to.reached = r->now < r->from.reached + r->step ? r->now : r->from.reached + r->step;
	r->more = r->to.reached < r->now;
	return look_at_times(txn, r, p);
}

/* Where many expire together, the mark moves by less. */
static bool look_fitting(struct store *store, struct round *r, struct problem *p)
{
	for (r->step = STEP; store_view(store, look, r, p); r->step = r->step / 4 > 0 ? r->step / 4 : 1)
		if (!is_full(r))
			return true;
	return false;
}

/* --- telling --- */

static bool tell(struct store_txn *txn, const struct certificate *row, int64_t before, int64_t now, struct problem *p)
{
	char text[CLOCK_DURATION_SIZE];
	bool over = row->not_after <= now;

	clock_format_duration(before, text);
	const struct audit_fact facts[] = {
		audit_text("certificate", row->id),
		audit_hex("serial", row->serial),
		audit_hex("fingerprint", row->fingerprint),
		audit_text("profile", row->profile),
		audit_text("method", row->method),
		audit_text("subject", row->subject),
		audit_time("notAfter", row->not_after),
		audit_text("alert", text),
		audit_integer("daysLeft", over ? 0 : (row->not_after - now) / 86400),
		{ 0 },
	};
	const struct audit_event event = {
		.kind = over ? AUDIT_CERTIFICATE_EXPIRED : AUDIT_CERTIFICATE_EXPIRING,
		.time = now,
		.actor = "server",
		.facts = facts,
	};
	return store_audit_add(txn, &event, p);
}

static bool commit(struct store_txn *txn, void *arg, struct problem *p)
{
	struct round *r = arg;

	for (size_t i = 0; i < r->n; i++) {
		auto_value(certificate) row = {0};
		if (!find_row(txn, r->v[i].id, &row, p))
			return false;
		if (row.id[0] && !is_settled(&row) && !tell(txn, &row, r->v[i].before, r->now, p))
			return false;
	}
	return store_alert_state_put(txn, &r->to, p);
}

static bool load(struct store_txn *txn, void *arg, struct problem *p)
{
	struct expiry_watch *watch = arg;

	return store_alert_state_get(txn, &watch->saved, p);
}

static bool begin(struct expiry_watch *watch, struct store *store, int64_t now, struct problem *p)
{
	if (watch->loaded)
		return true;
	if (!store_view(store, load, watch, p))
		return false;
	alert_state_free(&watch->saved); /* it has nothing but numbers */
	watch->now = watch->saved;
	if (watch->now.reached == 0)
		watch->now.reached = now;
	watch->loaded = true;
	return true;
}

/* A round that found nothing is not written at once: after a crash it finds nothing again. */
static bool is_worth_saving(const struct expiry_watch *watch, const struct round *r)
{
	return r->n > 0 || r->to.reached - watch->saved.reached >= SAVE_AFTER ||
	       r->to.cursor - watch->saved.cursor >= SAVE_EVENTS;
}

bool expiry_watch_run(struct expiry_watch *watch, struct store *store, const struct profiles *profiles, int64_t now,
                      bool *ret_more, struct problem *p)
{
	if (!begin(watch, store, now, p))
		return false;
	struct round round = { .profiles = profiles, .from = watch->now, .now = now, .longest = longest_of(profiles) };
	bool done = look_fitting(store, &round, p), save = done && is_worth_saving(watch, &round);
	done = done && (!save || store_update(store, commit, &round, p));
	free(round.v);
	if (!done)
		return false;
	watch->now = round.to;
	if (save)
		watch->saved = round.to;
	*ret_more = round.more;
	return true;
}
