/* PATCH and DELETE certificates/{id}: what the operators keep beside it. */
#include "admin/api_ask.h"
#include "admin/certificate.h"
#include "admin/managed.h"
#include "store/audit.h"

struct changing {
	const struct api_call *call;
	struct certificate_settings settings;
	int64_t renew_before;
	struct certificate row;         /* as it is afterwards */
};

static bool tell(struct store_txn *txn, const struct api_call *call, enum audit_kind kind, struct problem *p)
{
	const struct audit_fact facts[] = {
		audit_text("certificate", call->certificate.id),
		audit_hex("fingerprint", call->certificate.fingerprint),
		{ 0 },
	};

	return store_audit_add(
		txn, &(struct audit_event){ kind, call->now, identity_text(call->identity), call->from, facts }, p);
}

static bool set(struct store_txn *txn, void *arg, struct problem *p)
{
	struct changing *c = arg;

	certificate_free(&c->row);
	c->row = (struct certificate){0};
	return store_certificate_set(txn, c->call->certificate.id, &c->settings, &c->row, p) &&
	       tell(txn, c->call, AUDIT_CERTIFICATE_CHANGED, p);
}

/* null: as the profile says. */
static void ask_renewal(struct changing *c, struct problem *parts)
{
	const struct certificate *row = &c->call->certificate;
	const struct json *j = json_member(c->call->body, "renewBeforeDays");
	const struct profile *profile = profiles_find(c->call->profiles, row->profile ?: "");
	int64_t life = row->not_after - row->not_before;

	if (!j)
		return;
	if (json_is_null(j) && profile)
		c->renew_before = profile->renew_before < life ? profile->renew_before : life / 3;
	else if (!managed_ask_renewal(c->call->body, &c->renew_before))
		c->renew_before = 0;
	c->settings.renew_before = &c->renew_before;
	if (c->renew_before > 0 && (!row->key_kept || certificate_is_imported(row)))
		problem_add_field(parts, PROBLEM_CONFLICT, "renewBeforeDays", NULL,
		                  "the server renews what it has issued and has the key of: this certificate is none");
	else if (c->renew_before >= life)
		problem_add_field(parts, PROBLEM_MALFORMED, "renewBeforeDays", NULL,
		                  "is as long as the certificate's life, %lld seconds, or longer", (long long)life);
}

bool api_certificate_change(struct api_call *call, struct problem *p)
{
	struct changing changing = { .call = call };
	struct record_list metadata = {0};
	auto_value(problem) parts = {0};

	if (json_member(call->body, "metadata") && api_ask_metadata(call->body, &metadata, &parts))
		changing.settings.metadata = &metadata;
	ask_renewal(&changing, &parts);
	bool done = api_settle(&parts, p) && store_update(call->api->store, set, &changing, p);
	if (done) {
		api_reply(call, 200);
		certificate_json(&changing.row, true, &call->response->body);
	}
	certificate_free(&changing.row);
	free(metadata.v);
	return done && buf_check(&call->response->body, p);
}

static bool delete(struct store_txn *txn, void *arg, struct problem *p)
{
	const struct api_call *call = arg;

	return store_certificate_delete(txn, call->certificate.id, p) && tell(txn, call, AUDIT_CERTIFICATE_DELETED, p);
}

bool api_certificate_delete(struct api_call *call, struct problem *p)
{
	if (!store_update(call->api->store, delete, call, p))
		return false;
	call->response->status = 204;
	return true;
}
