#include "admin/request_json.h"

#include "base/ossl.h"
#include "policy/consent.h"

void request_put_decisions(const struct request *record, struct json_writer *w)
{
	const struct request_decision *v = record->decisions.v;

	json_open_array(w, "decisions");
	for (size_t i = 0; i < record->decisions.n; i++) {
		json_open(w, NULL);
		json_put(w, "by", v[i].by);
		json_put_bool(w, "approved", v[i].approved);
		json_put(w, "reason", v[i].reason);
		json_put_time(w, "at", v[i].at);
		json_close(w);
	}
	json_close(w);
}

static void put_approval(const struct request *record, struct json_writer *w)
{
	auto_value(buf) pem = {0};

	if (record->needed == 0)
		return;
	json_put(w, "names", record->names);
	if (record->managed)
		json_put_bool(w, "managed", true);
	if (record->csr.len > 0) {
		ossl_pem("CERTIFICATE REQUEST", record->csr, &pem);
		json_put_buf(w, "csr", &pem);
	}
	json_put_integer(w, "approvalsNeeded", record->needed);
	json_put_integer(w, "approvals", (int64_t)consent_count(record));
	request_put_decisions(record, w);
}

void request_json(const struct request *record, struct json_writer *w)
{
	json_open(w, NULL);
	json_put(w, "id", record->id);
	json_put(w, "status", request_state_name(record->state));
	json_put(w, "profileId", record->profile ?: "");
	json_put(w, "method", record->method ?: "");
	json_put_some(w, "identity", record->identity);
	json_put_some(w, "account", record->account);
	json_put_some(w, "order", record->order);
	json_put_some(w, "from", record->from);
	put_approval(record, w);
	json_put_time(w, "created", record->created);
	if (record->ended == 0)
		json_put_time(w, "expires", record->expires);
	json_put_time(w, "ended", record->ended);
	if (record->reasons.n > 0)
		json_put_texts(w, "reasons", record->reasons.v, record->reasons.n);
	json_put_some(w, "certificateId", record->certificate);
	if (record->key_waits)
		json_put_bool(w, "keyWaits", true);
	json_put_some(w, "replaces", record->replaces);
	json_close(w);
}
