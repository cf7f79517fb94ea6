/* Requests of the API that wait for people: how they come to wait, and how what was decided is carried out. */
#include "admin/api_issuance.h"
#include "admin/managed.h"
#include "base/clock.h"
#include "base/work.h"
#include "policy/decided.h"

enum { BATCH = 50, EVERY_MS = 1000, DAY = 86400 };

/* --- asking */

struct asking {
	struct issuance *e;
	struct buf names, waits;
};

static void asking_free(struct asking *a)
{
	buf_free(&a->names);
	buf_free(&a->waits);
}
declare_auto_value(asking, asking_free);

static bool tell_made(struct store_txn *txn, const struct asking *a, struct problem *p)
{
	const struct request *record = &a->e->record;
	const struct audit_fact facts[] = {
		audit_text("request", record->id),
		audit_text("profile", record->profile),
		audit_text("names", record->names),
		audit_text("replaces", record->replaces),
		{ 0 },
	};

	return store_audit_add(txn,
	                       &(struct audit_event){ AUDIT_REQUEST_MADE, a->e->now,
	                                              a->e->by_server ? "server" : record->identity, a->e->from,
	                                              facts },
	                       p);
}

/* The server asks once for each renewal, and again when that has expired. */
static bool put_asked(struct store_txn *txn, void *arg, struct problem *p)
{
	struct asking *a = arg;
	struct issuance *e = a->e;

	return identity_spend(txn, e->identity, e->now, p) && store_request_put(txn, &e->record, p) &&
	       tell_made(txn, a, p) &&
	       (!e->by_server || store_certificate_renewal_waits(txn, e->replaces->id, e->record.expires + 60,
	                                                         buf_text(&a->waits), p));
}

static void names_join(const struct csr *csr, struct buf *ret)
{
	enum subject_type type;

	for (size_t i = 0; i < csr->subject_count; i++)
		if (subject_type_from_oid(csr->subject[i].oid, &type) && type == SUBJECT_CN)
			buf_printf(ret, "%scn:%s", ret->len > 0 ? ", " : "", csr->subject[i].value);
	for (size_t i = 0; i < csr->names.n; i++)
		buf_printf(ret, "%s%s:%s", ret->len > 0 ? ", " : "", identifier_type_name(csr->names.v[i].type),
		           csr->names.v[i].value);
	for (size_t i = 0; i < csr->other_count; i++)
		buf_printf(ret, "%s%s:%s", ret->len > 0 ? ", " : "", csr->others[i].kind, csr->others[i].value);
}

/* Of a key that the server is yet to make nothing is kept: the one that the CSR was signed with is forgotten. */
bool issuance_ask(struct issuance *e, struct problem *p)
{
	const struct profile *profile = issuance_profile(e);
	auto_value(asking) a = { .e = e };
	auto_struct(csr) *csr = NULL;
	struct request *record = &e->record;

	if (!csr_parse(e->csr, &csr, p))
		return false;
	names_join(csr, &a.names);
	buf_printf(&a.waits, "waits for approval: request %s", record->id);
	record->state = REQUEST_PENDING;
	record->ended = 0;
	record->expires = e->now + profile->approval_lifetime;
	record->needed = profile->approvals;
	record->due = true;
	record->csr = e->csr;
	record->names = buf_text(&a.names);
	record->managed = e->managed;
	if (!e->managed || e->key_known) {
		memcpy(e->key_hash, csr->key_hash, sizeof(e->key_hash));
		record->key_hash = BYTES(e->key_hash, sizeof(e->key_hash));
	}
	record->validity = e->wish.validity;
	record->not_before = e->wish.not_before;
	record->not_after = e->wish.not_after;
	record->hash = e->wish.hash;
	record->metadata = e->metadata;
	record->renew_before = e->renew_before;
	bool asked = buf_check(&a.names, p) && buf_check(&a.waits, p) && store_update(e->api->store, put_asked, &a, p);
	record->names = NULL; /* it was borrowed */
	return asked;
}

/* --- carrying out */

struct deciding {
	struct api *api;
	const char *id;
	int64_t now;
	struct request request;        /* as it was when the work began */
	struct certificate old;        /* what it renews; id "" none */
	const char *reason;            /* of what fails now; NULL: as it was decided */
};

static void deciding_free(struct deciding *d)
{
	request_free(&d->request);
	certificate_free(&d->old);
}
declare_auto_value(deciding, deciding_free);

static bool read_request(struct store_txn *txn, void *arg, struct problem *p)
{
	struct deciding *d = arg;

	return store_request_get(txn, d->id, &d->request, p) &&
	       (!d->request.replaces[0] || store_certificate_get(txn, d->request.replaces, &d->old, p));
}

/* The certificate that the server wanted to renew shows what has come of it. */
static bool tell_renewal(struct store_txn *txn, const struct deciding *d, const struct request *request,
                         struct problem *p)
{
	auto_value(buf) why = {0};

	if (!request->by_server)
		return true;
	buf_printf(&why, "request %s %s%s%s", request->id, request_state_name(request->state),
	           request->reasons.n ? ": " : "", request->reasons.n ? request->reasons.v[0] : "");
	return buf_check(&why, p) &&
	       store_certificate_renewal_failed(txn, request->replaces, d->now + DAY, buf_text(&why), p);
}

static bool put_ended(struct store_txn *txn, void *arg, struct problem *p)
{
	struct deciding *d = arg;
	auto_value(request) request = {0};

	return decided_fail(txn, d->id, &d->reason, &request, p) && decided_put(txn, &request, d->now, 0, p) &&
	       tell_renewal(txn, d, &request, p);
}

static bool end(struct deciding *d, const char *reason, struct problem *p)
{
	d->reason = reason;
	return store_update(d->api->store, put_ended, d, p);
}

static bool recall(const struct deciding *d, struct identity **ret, struct problem *p)
{
	return d->request.by_server ? identity_renewal(d->api->store, &d->old, ret, p)
	                            : identity_recall(d->api->store, d->request.identity, d->now, ret, p);
}

static bool can_replace(const struct certificate *old, struct problem *p)
{
	if (old->id[0] && old->status == CERTIFICATE_REVOKED)
		return problem_set(p, PROBLEM_UNAUTHORIZED, "the certificate %s is revoked", old->id);
	return !old->replaced_by || !*old->replaced_by ||
	       problem_set(p, PROBLEM_ALREADY_REPLACED, "the certificate was renewed already, as %s", old->replaced_by);
}

static bool issue(struct deciding *d, struct problem *p)
{
	struct request *request = &d->request;
	auto_struct(profiles) *profiles = api_profiles(d->api);
	auto_struct(identity) *identity = NULL;
	auto_value(problem) parts = {0};
	auto_value(issuance) e = {
		.api = d->api,
		.profiles = profiles,
		.profile = request->profile,
		.from = request->from,
		.now = d->now,
		.csr_field = request->managed ? "attributes" : "csr",
		.csr = request->csr,
		.metadata = request->metadata,
		.wish = { .validity = request->validity,
		          .not_before = request->not_before,
		          .not_after = request->not_after,
		          .hash = request->hash,
		          .request = request->id },
		.replaces = d->old.id[0] ? &d->old : NULL,
		.renew_before = request->renew_before,
		.approved = request,
	};

	if (!issuance_profile(&e))
		return problem_set(p, PROBLEM_INVALID_PROFILE, "there is no profile \"%s\" any more", request->profile);
	if (!recall(d, &identity, p) || !can_replace(&d->old, p))
		return false;
	e.identity = identity;
	return (!request->managed || managed_make_approved(request, issuance_profile(&e), &e, p)) &&
	       issuance_run(&e, &parts, p);
}

static bool carry_out(void *arg, const char *id, struct problem *p)
{
	struct api *api = arg;
	auto_value(problem) why = {0};
	auto_value(deciding) d = { .api = api, .id = id, .now = clock_now() };

	if (!store_view(api->store, read_request, &d, p))
		return false;
	if (d.request.state != REQUEST_APPROVED)
		return end(&d, NULL, p);
	if (issue(&d, &why))
		return true;
	if (decided_is_final(&why))
		return end(&d, why.detail, p);
	*p = why; /* and so once more, in a second */
	why = (struct problem){0};
	return false;
}

static void once(struct api *api)
{
	const struct decided decided = { api->store, "api", BATCH, carry_out, api };

	decided_run(&decided);
}

static void run(void *arg)
{
	auto_value(problem) closing = {0};
	struct api *api = arg;

	once(api);
	(void)!work_add(api->work, EVERY_MS, run, api, &closing);
}

bool api_pending_begin(struct api *api, struct problem *p)
{
	return work_add(api->work, EVERY_MS, run, api, p);
}

static void run_kicked(void *arg)
{
	struct api *api = arg;

	atomic_store(&api->kicked, false);
	once(api);
}

/* One at a time: the queue has room for what comes round, which must find its place again. */
void api_pending_kick(struct api *api)
{
	auto_value(problem) busy = {0};

	if (!atomic_exchange(&api->kicked, true) && !work_add(api->work, 0, run_kicked, api, &busy))
		atomic_store(&api->kicked, false);
}
