/* POST certificate-requests/{id}/approve, reject, cancel: people decide; collect: who asked fetches what came of it. */
#include "admin/api_issued.h"
#include "admin/managed.h"
#include "admin/request_json.h"
#include "policy/consent.h"

struct deciding {
	struct api_call *call;
	const char *what;
	struct consent consent;
	struct consent_room room;
	struct request request;       /* as it is afterwards; its memory is freed at the end */
};

/* A person is known by the name of the token, or else by the token. */
static const char *name_of(const struct api_call *call)
{
	return identity_name(call->identity) ?: identity_text(call->identity);
}

static bool tell(struct store_txn *txn, const struct deciding *d, struct problem *p)
{
	const struct audit_fact facts[] = {
		audit_text("request", d->request.id),    audit_text("decision", d->what),
		audit_text("by", d->consent.by),         audit_text("status", request_state_name(d->request.state)),
		audit_text("reason", d->consent.reason), { 0 },
	};

	return store_audit_add(txn,
	                       &(struct audit_event){ AUDIT_REQUEST_DECIDED, d->call->now,
	                                              identity_text(d->call->identity), d->call->from, facts },
	                       p);
}

/* What one has asked for another decides about; taking it back is one's own. */
static bool apply(struct store_txn *txn, struct deciding *d, struct problem *p)
{
	if (str_equal(d->what, "cancel"))
		return consent_cancel(&d->request, &d->consent, p);
	if (!consent_check_other(txn, &d->request, d->consent.by, p))
		return false;
	return str_equal(d->what, "approve") ? consent_approve(&d->request, &d->consent, &d->room, p)
	                                     : consent_reject(&d->request, &d->consent, &d->room, p);
}

static bool decide(struct store_txn *txn, void *arg, struct problem *p)
{
	struct deciding *d = arg;

	request_free(&d->request);
	d->request = (struct request){0};
	return identity_spend(txn, d->call->identity, d->call->now, p) &&
	       store_request_get(txn, d->call->record.id, &d->request, p) && apply(txn, d, p) &&
	       store_request_put(txn, &d->request, p) && tell(txn, d, p);
}

static bool run(struct api_call *call, const char *what, struct problem *p)
{
	static const struct strings nobody_else;
	const struct profile *profile = profiles_find(call->profiles, call->record.profile ?: "");
	struct deciding d = {
		.call = call,
		.what = what,
		.consent = { name_of(call), json_member_string(call->body, "reason"),
		             profile ? &profile->approvers : &nobody_else, call->now },
	};
	bool done = store_update(call->api->store, decide, &d, p);

	if (done) {
		struct json_writer w = api_reply(call, 200);
		request_json(&d.request, &w);
		api_pending_kick(call->api);
	}
	request_free(&d.request);
	consent_room_free(&d.room);
	return done && buf_check(&call->response->body, p);
}

bool api_request_approve(struct api_call *call, struct problem *p)
{
	return run(call, "approve", p);
}

bool api_request_reject(struct api_call *call, struct problem *p)
{
	return run(call, "reject", p);
}

/* By who asked, or who decides. */
bool api_request_cancel(struct api_call *call, struct problem *p)
{
	auto_value(problem) why = {0};

	if (!api_owns_record(call) && !identity_may(call->identity, TOKEN_APPROVE, call->record.profile, &why))
		return problem_set(p, PROBLEM_UNAUTHORIZED, "the request %s is another's to cancel", call->record.id);
	return run(call, "cancel", p);
}

/* --- collecting */

struct collecting {
	struct api_call *call;
	struct certificate certificate;
	EVP_PKEY *key;                /* NULL: there is none to give */
};

static bool read_issued(struct store_txn *txn, void *arg, struct problem *p)
{
	struct collecting *c = arg;

	return store_certificate_get(txn, c->call->record.certificate, &c->certificate, p);
}

static bool tell_collected(struct store_txn *txn, const struct collecting *c, struct problem *p)
{
	const struct audit_fact facts[] = {
		audit_text("request", c->call->record.id), audit_text("certificate", c->certificate.id),
		audit_hex("keyHash", c->certificate.key_hash), audit_text("as", "collected"), { 0 },
	};

	return store_audit_add(txn,
	                       &(struct audit_event){ AUDIT_PRIVATE_KEY_READ, c->call->now,
	                                              identity_text(c->call->identity), c->call->from, facts },
	                       p);
}

/* Of two who collect at once one gets the key. */
static bool put_collected(struct store_txn *txn, void *arg, struct problem *p)
{
	const struct collecting *c = arg;
	auto_value(request) now = {0};

	if (!identity_spend(txn, c->call->identity, c->call->now, p) ||
	    !store_request_get(txn, c->call->record.id, &now, p))
		return false;
	if (!now.key_waits)
		return problem_set(p, PROBLEM_CONFLICT, "the private key was collected already");
	now.key_waits = false;
	return (c->certificate.key_kept || store_private_key_delete(txn, c->certificate.key_hash, p)) &&
	       store_request_put(txn, &now, p) && tell_collected(txn, c, p);
}

static bool collect(struct collecting *c, struct problem *p)
{
	struct api_call *call = c->call;

	if (!store_view(call->api->store, read_issued, c, p))
		return false;
	if (call->record.key_waits && (!managed_key(call->api, c->certificate.key_hash, &c->key, p) ||
	                               !store_update(call->api->store, put_collected, c, p)))
		return false;
	return api_issued_put(call, &c->certificate, call->record.id, c->key, p);
}

bool api_request_collect(struct api_call *call, struct problem *p)
{
	struct collecting c = { .call = call };
	const struct record_texts *reasons = &call->record.reasons;

	if (!api_owns_record(call))
		return problem_set(p, PROBLEM_UNAUTHORIZED, "the request %s is another's to collect", call->record.id);
	if (call->record.state != REQUEST_ISSUED)
		return problem_set(p, PROBLEM_CONFLICT, "the request %s is %s%s%s", call->record.id,
		                   request_state_name(call->record.state), reasons->n > 0 ? ": " : "",
		                   reasons->n > 0 ? reasons->v[0] : "");
	bool done = collect(&c, p);
	certificate_free(&c.certificate);
	EVP_PKEY_free(c.key);
	return done;
}
