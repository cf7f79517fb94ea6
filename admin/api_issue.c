/* POST certificates: a profile, and a CSR or what the server shall make a key for, become a certificate. */
#include "admin/api_ask.h"
#include "admin/api_bundle.h"
#include "admin/api_issued.h"
#include "admin/managed.h"

static bool removes_root(const struct json *body)
{
	bool value = false;

	return json_bool(json_member(body, "removeRootsFromChain"), &value) && value;
}

static bool put_key(struct json_writer *w, EVP_PKEY *key, struct problem *p)
{
	auto_value(buf) pem = {0};

	if (!vault_pem(key, NULL, &pem, p))
		return false;
	json_put_buf(w, "privateKey", &pem);
	return true;
}

bool api_issued_put(struct api_call *call, const struct certificate *certificate, const char *request,
                    EVP_PKEY *key, struct problem *p)
{
	struct json_writer w = api_reply(call, 200);

	json_open(&w, NULL);
	json_open(&w, "certificate");
	api_bundle_put(call, certificate, !removes_root(call->body), &w);
	if (key && !put_key(&w, key, p))
		return false;
	json_close(&w);
	json_put(&w, "certificateRequestId", request);
	json_close(&w);
	return buf_check(&call->response->body, p);
}

/* The client polls the request, and collects what came of it. */
static bool put_pending(struct api_call *call, const struct request *record, struct problem *p)
{
	struct json_writer w = api_reply(call, 202);

	http_response_header_printf(call->response, "Location", API_PREFIX "cert-manager/certificate-requests/%s",
	                            record->id);
	http_response_header(call->response, "Retry-After", "30");
	json_open(&w, NULL);
	json_put(&w, "certificateRequestId", record->id);
	json_put(&w, "status", request_state_name(record->state));
	json_close(&w);
	return buf_check(&call->response->body, p);
}

bool api_issued_write(struct api_call *call, const struct issuance *e, struct problem *p)
{
	if (e->pending)
		return put_pending(call, &e->record, p);
	return api_issued_put(call, &e->certificate, e->record.id, e->managed && !e->key_known ? e->key : NULL, p);
}

/* What the server is to renew, it must have the key of. */
static void ask_renewal(const struct api_call *call, struct issuance *e, struct problem *parts)
{
	if (!managed_ask_renewal(call->body, &e->renew_before) || e->renew_before == 0)
		return;
	e->renew_field = "renewBeforeDays";
	if (!e->managed || !call->profile->keep_keys)
		problem_add_field(parts, PROBLEM_MALFORMED, "renewBeforeDays", NULL, "%s",
		                  e->managed ? "the server renews what it has the key of, and the profile does not "
		                               "keep keys"
		                             : "the server renews what it has the key of, which is not in a CSR");
}

/* A key is not made for what is refused anyway. */
static void make_key(const struct api_call *call, const struct managed *managed, struct issuance *e,
                     struct problem *parts)
{
	e->managed = true;
	e->csr_field = "attributes";
	if (!problem_is_set(parts) && parts->sub_count == 0)
		(void)!managed_make(managed, call->profile, e, parts);
}

bool api_certificate_issue(struct api_call *call, struct problem *p)
{
	const struct json *attributes = json_member(call->body, "attributes");
	auto_value(managed) managed = {0};
	auto_value(buf) csr = {0};
	auto_value(problem) parts = {0};
	auto_value(issuance) e = {
		.api = call->api,
		.profiles = call->profiles,
		.profile = call->profile->name,
		.identity = call->identity,
		.from = call->from,
		.now = call->now,
		.csr_field = "csr",
		.renew_before = RENEW_AS_PROFILE,
	};

	e.managed = !json_member(call->body, "csr") && managed_is_asked(attributes);
	api_ask_period(call->body, &e, &parts);
	api_ask_metadata(call->body, &e.metadata, &parts);
	ask_renewal(call, &e, &parts);
	if (e.managed) {
		managed_read(attributes, &managed, &parts);
		make_key(call, &managed, &e, &parts);
	} else {
		managed_refuse(attributes, &parts);
		api_ask_csr(call->body, &csr, &parts);
		e.csr = buf_bytes(&csr);
	}
	bool done = issuance_run(&e, &parts, p) && api_issued_write(call, &e, p);
	free(e.metadata.v);
	return done;
}
