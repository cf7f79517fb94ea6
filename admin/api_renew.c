/* POST certificates/{id}/renew: a certificate of the same names, profile and metadata, linked to the old one, which
 * stays valid until it expires or is revoked. */
#include "admin/api_ask.h"
#include "admin/api_issued.h"

static bool can_renew(const struct certificate *old, struct problem *p)
{
	if (certificate_is_imported(old))
		return problem_set(p, PROBLEM_CONFLICT, "the certificate was issued by another CA: it can be renewed there");
	if (old->status == CERTIFICATE_REVOKED)
		return problem_set(p, PROBLEM_CONFLICT, "the certificate is revoked");
	if (old->replaced_by && *old->replaced_by)
		return problem_set(p, PROBLEM_ALREADY_REPLACED, "the certificate was renewed already, as %s", old->replaced_by);
	return true;
}

bool api_certificate_renew(struct api_call *call, struct problem *p)
{
	const struct certificate *old = &call->certificate;
	auto_value(buf) csr = {0};
	auto_value(problem) parts = {0};
	auto_value(issuance) e = {
		.api = call->api, .profiles = call->profiles, .profile = old->profile, .identity = call->identity,
		.from = call->from, .now = call->now, .csr_field = "csr", .replaces = old, .metadata = old->metadata,
	};
	struct record_list metadata = {0};

	if (!can_renew(old, p))
		return false;
	api_ask_csr(call->body, &csr, &parts);
	api_ask_period(call->body, &e, &parts);
	if (json_member(call->body, "metadata") && api_ask_metadata(call->body, &metadata, &parts))
		e.metadata = metadata;
	e.csr = buf_bytes(&csr);
	bool done = issuance_run(&e, &parts, p);
	if (done)
		api_issued_write(call, &e);
	free(metadata.v);
	return done;
}
