/* The server renews certificates whose key it keeps, before they end: a new key each time, sealed with the new
 * certificate in the same update. What fails is tried again, later each time, and is seen at the certificate. */
#include "admin/managed.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/work.h"

enum {
	BATCH = 20, EVERY_MS = 5000, SOON_MS = 100,
	MINUTE = 60, DAY = 86400,
	RETRY_FIRST = 5 * MINUTE, RETRY_MAX = DAY,
	GIVE_UP = 30 * DAY, /* after the end of a certificate nobody waits for its renewal */
};

struct renewing {
	struct api *api;
	const char *id;
	int64_t now;
	struct certificate row;
	const struct problem *why;    /* of a try that failed */
};

static bool read_row(struct store_txn *txn, void *arg, struct problem *p)
{
	struct renewing *r = arg;

	return store_certificate_get(txn, r->id, &r->row, p);
}

static int64_t next_try(const struct renewing *r)
{
	int64_t wait = r->row.renew_failures > 10 ? RETRY_MAX : (int64_t)RETRY_FIRST << r->row.renew_failures;

	return r->now > r->row.not_after + GIVE_UP ? 0 : r->now + (wait < RETRY_MAX ? wait : RETRY_MAX);
}

/* For the operator, who may read what clients may not. */
static const char *text_of(const struct problem *why)
{
	return why->cause[0] && (why->kind == PROBLEM_INTERNAL || why->kind == PROBLEM_UNAVAILABLE) ? why->cause
	                                                                                            : why->detail;
}

static bool put_failed(struct store_txn *txn, void *arg, struct problem *p)
{
	const struct renewing *r = arg;
	const struct audit_fact facts[] = {
		audit_text("certificate", r->id),
		audit_text("profile", r->row.profile),
		audit_text("reason", text_of(r->why)),
		audit_integer("failures", r->row.renew_failures + 1),
		audit_time("nextTry", next_try(r)),
		audit_time("notAfter", r->row.not_after),
		{ 0 },
	};

	return store_certificate_renewal_failed(txn, r->id, next_try(r), text_of(r->why), p) &&
	       store_audit_add(txn, &(struct audit_event){ AUDIT_RENEWAL_FAILED, r->now, "server", NULL, facts }, p);
}

static bool issue(struct renewing *r, const struct profiles *profiles, struct problem *p)
{
	const struct profile *profile = profiles_find(profiles, r->row.profile ?: "");
	auto_struct(identity) *identity = NULL;
	auto_value(problem) parts = {0};
	auto_value(issuance) e = {
		.api = r->api,
		.profiles = profiles,
		.profile = r->row.profile,
		.now = r->now,
		.csr_field = "certificate",
		.replaces = &r->row,
		.renew_before = r->row.renew_before,
		.metadata = r->row.metadata,
		.by_server = true,
	};

	if (!profile)
		return problem_set(p, PROBLEM_INVALID_PROFILE, "there is no profile \"%s\" any more", r->row.profile);
	if (!profile->keep_keys)
		return problem_set(p, PROBLEM_INVALID_PROFILE,
		                   "profile %s keeps no keys any more: a new one would be lost", profile->name);
	if (!identity_renewal(r->api->store, &r->row, &identity, p))
		return false;
	e.identity = identity;
	return managed_renew(false, NULL, profile, &e, p) && issuance_run(&e, &parts, p);
}

static bool renew(struct api *api, const char *id, struct problem *p)
{
	auto_struct(profiles) *profiles = api_profiles(api);
	auto_value(problem) why = {0};
	struct renewing r = { .api = api, .id = id, .now = clock_now(), .why = &why };
	bool done = store_view(api->store, read_row, &r, p);

	/* Somebody else may have renewed it, or taken the server off it, since it was found due. */
	bool due = done && r.row.renew_at != 0 && r.row.renew_at <= r.now && !(r.row.replaced_by && *r.row.replaced_by);
	if (due && !issue(&r, profiles, &why)) {
		log_event(LOG_LEVEL_WARN, "renewal", "certificate", id, "cause", text_of(&why), NULL);
		done = why.kind == PROBLEM_ALREADY_REPLACED || store_update(api->store, put_failed, &r, p);
	}
	certificate_free(&r.row);
	return done;
}

struct finding {
	int64_t now;
	struct strings ids;
};

static bool find_due(struct store_txn *txn, void *arg, struct problem *p)
{
	struct finding *f = arg;

	return store_certificate_renewals(txn, f->now, BATCH, &f->ids, p);
}

static bool once(struct api *api, bool *ret_more, struct problem *p)
{
	struct finding finding = { .now = clock_now() };
	bool done = store_view(api->store, find_due, &finding, p);

	for (size_t i = 0; done && i < finding.ids.n; i++)
		done = renew(api, finding.ids.v[i], p);
	*ret_more = finding.ids.n == BATCH;
	strings_free(&finding.ids);
	return done;
}

static void run(void *arg)
{
	auto_value(problem) p = {0}, closing = {0};
	struct api *api = arg;
	bool more = false;

	if (!once(api, &more, &p))
		log_event(LOG_LEVEL_ERROR, "renewals", "cause", problem_cause(&p), NULL);
	(void)!work_add(api->work, more ? SOON_MS : EVERY_MS, run, api, &closing);
}

bool api_renewals_begin(struct api *api, struct problem *p)
{
	return work_add(api->work, SOON_MS, run, api, p);
}
