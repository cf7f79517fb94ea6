/* POST certificates: a CSR and a profile become a certificate. */
#include "admin/api_issued.h"

#include "admin/api_ask.h"
#include "admin/api_bundle.h"

static bool removes_root(const struct json *body)
{
	bool value = false;

	return json_bool(json_member(body, "removeRootsFromChain"), &value) && value;
}

void api_issued_write(struct api_call *call, const struct issuance *e)
{
	struct json_writer w = api_reply(call, 200);

	json_open(&w, NULL);
	json_open(&w, "certificate");
	api_bundle_put(call, &e->certificate, !removes_root(call->body), &w);
	json_close(&w);
	json_put(&w, "certificateRequestId", e->record.id);
	json_close(&w);
}

bool api_certificate_issue(struct api_call *call, struct problem *p)
{
	auto_value(buf) csr = {0};
	auto_value(problem) parts = {0};
	auto_value(issuance) e = {
		.api = call->api, .profiles = call->profiles, .profile = call->profile->name, .identity = call->identity,
		.from = call->from, .now = call->now, .csr_field = "csr",
	};

	api_ask_csr(call->body, &csr, &parts);
	api_ask_period(call->body, &e, &parts);
	api_ask_metadata(call->body, &e.metadata, &parts);
	e.csr = buf_bytes(&csr);
	bool done = issuance_run(&e, &parts, p);
	if (done)
		api_issued_write(call, &e);
	free(e.metadata.v);
	return done;
}
