/* POST certificates/{id}/revoke and /release: by id, serial number or fingerprint, with a reason of RFC 5280, 5.3.1. */
#include <strings.h>

#include "admin/api_call.h"
#include "ca/crl.h"
#include "ca/revocation.h"

/* "keyCompromise", "KEY_COMPROMISE" and "1" are the same. */
static bool reason_from(const char *text, int64_t *ret)
{
	auto_value(buf) plain = {0};

	for (const char *c = text; *c; c++)
		if (*c != '_')
			buf_add_char(&plain, *c);
	for (int64_t reason = 0; reason <= 10; reason++) {
		const char *name = revocation_reason_name(reason);
		if (!name || strcasecmp(name, buf_text(&plain)) != 0)
			continue;
		*ret = reason;
		return true;
	}
	return revocation_reason_from(text, ret);
}

static bool take_reason(const struct api_call *call, int64_t *ret, struct problem *p)
{
	const char *text = json_member_string(call->body, "revocationReason");
	auto_value(problem) parts = {0}, why = {0};
	auto_value(buf) known = {0};

	revocation_reasons_add(&known, REVOCATION_BY_OPERATOR);
	*ret = 0;
	if (text && !reason_from(text, ret))
		problem_add_field(&parts, PROBLEM_BAD_REVOCATION_REASON, "revocationReason", text,
		                  "RFC 5280, 5.3.1 has no such reason: expected %s", buf_text(&known));
	else if (*ret == CRL_REMOVE_FROM_CRL)
		problem_add_field(&parts, PROBLEM_BAD_REVOCATION_REASON, "revocationReason", text,
		                  "a hold is ended by POST .../certificates/{id}/release");
	else if (!revocation_reason_check(*ret, REVOCATION_BY_OPERATOR, &why))
		api_gather(&parts, &why, "revocationReason");
	return api_settle(&parts, p);
}

struct revoking {
	const struct api_call *call;
	int64_t reason;
	int64_t revoked; /* since when it is; before now where the reason alone is new */
};

static bool revoke(struct store_txn *txn, void *arg, struct problem *p)
{
	struct revoking *r = arg;
	const struct api_call *call = r->call;
	auto_value(certificate) row = {0};

	if (!revocation_record(txn, call->certificate.id, r->reason, call->now, identity_text(call->identity),
	                       call->from, REVOCATION_BY_OPERATOR, p) ||
	    !store_certificate_get(txn, call->certificate.id, &row, p))
		return false;
	r->revoked = row.revoked;
	return true;
}

bool api_certificate_revoke(struct api_call *call, struct problem *p)
{
	struct revoking revoking = { .call = call };
	auto_value(buf) hex = {0};

	if (!take_reason(call, &revoking.reason, p) || !store_update(call->api->store, revoke, &revoking, p))
		return false;
	struct json_writer w = api_reply(call, 200);
	buf_add_hex(&hex, call->certificate.serial);
	json_open(&w, NULL);
	json_put(&w, "message", "Successfully revoked certificate");
	json_put(&w, "certificateId", call->certificate.id);
	json_put_buf(&w, "serialNumber", &hex);
	json_put(&w, "revocationReason", revocation_reason_name(revoking.reason));
	json_put_time(&w, "revokedAt", revoking.revoked);
	json_close(&w);
	return buf_check(&call->response->body, p);
}

static bool release(struct store_txn *txn, void *arg, struct problem *p)
{
	const struct api_call *call = arg;

	return revocation_release(txn, call->certificate.id, call->now, identity_text(call->identity), call->from, p);
}

bool api_certificate_release(struct api_call *call, struct problem *p)
{
	auto_value(buf) hex = {0};

	if (!store_update(call->api->store, release, call, p))
		return false;
	struct json_writer w = api_reply(call, 200);
	buf_add_hex(&hex, call->certificate.serial);
	json_open(&w, NULL);
	json_put(&w, "message", "Successfully released certificate from hold");
	json_put(&w, "certificateId", call->certificate.id);
	json_put_buf(&w, "serialNumber", &hex);
	json_put_time(&w, "releasedAt", call->now);
	json_close(&w);
	return buf_check(&call->response->body, p);
}
