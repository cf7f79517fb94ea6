/* POST certificates/{id}/renew: a certificate of the same names, profile and metadata, linked to the old one, which
 * stays valid until it expires or is revoked. With a CSR of the client, a new key of ours, or the key we keep. */
#include "admin/api_ask.h"
#include "admin/api_issued.h"
#include "admin/managed.h"
#include "admin/managed_word.h"

enum source { CSR, NEW_KEY, SAME_KEY };

static bool can_renew(const struct certificate *old, struct problem *p)
{
	if (certificate_is_imported(old))
		return problem_set(p, PROBLEM_CONFLICT,
		                   "the certificate was issued by another CA: it can be renewed there");
	if (old->status == CERTIFICATE_REVOKED)
		return problem_set(p, PROBLEM_CONFLICT, "the certificate is revoked");
	if (old->replaced_by && *old->replaced_by)
		return problem_set(p, PROBLEM_ALREADY_REPLACED, "the certificate was renewed already, as %s",
		                   old->replaced_by);
	return true;
}

/* Where it is not said, a CSR that is there is meant; without one, a new key where the old is ours. */
static enum source read_source(const struct api_call *call, struct problem *parts)
{
	const char *text = json_member_string(call->body, "renewalKeySource");
	bool has_csr = json_member(call->body, "csr");
	enum source source = has_csr || (!text && !call->certificate.key_kept) ? CSR : NEW_KEY;

	if (!text)
		return source;
	if (word_is(text, "csr") || word_is(text, "newCsr"))
		return CSR;
	if (word_is(text, "sameKey") || word_is(text, "reuseKey") || word_is(text, "reuse"))
		source = SAME_KEY;
	else if (word_is(text, "newKey") || word_is(text, "new"))
		source = NEW_KEY;
	else
		problem_add_field(parts, PROBLEM_MALFORMED, "renewalKeySource", text,
		                  "expected newKey, sameKey or csr");
	if (has_csr)
		problem_add_field(parts, PROBLEM_MALFORMED, "csr", NULL,
		                  "cannot be given where renewalKeySource is %s", text);
	return source;
}

static bool make_key(const struct api_call *call, enum source source, struct issuance *e, struct problem *parts,
                     struct problem *p)
{
	const struct profile *profile = issuance_profile(e);
	auto_value(managed) managed = {0};

	e->managed = true;
	e->csr_field = "renewalKeySource";
	managed_read(json_member(call->body, "attributes"), &managed, parts);
	if (!profile)
		problem_add_field(parts, PROBLEM_INVALID_PROFILE, "profileId", e->profile,
		                  "there is no such profile any more");
	if (source == SAME_KEY && managed.has_key)
		problem_add_field(parts, PROBLEM_MALFORMED, "attributes.keyAlgorithm", NULL,
		                  "is the kept key's to say");
	return problem_is_set(parts) || parts->sub_count > 0 ||
	       managed_renew(source == SAME_KEY, &managed, profile, e, p);
}

bool api_certificate_renew(struct api_call *call, struct problem *p)
{
	const struct certificate *old = &call->certificate;
	auto_value(buf) csr = {0};
	auto_value(problem) parts = {0};
	auto_value(issuance) e = {
		.api = call->api, .profiles = call->profiles, .profile = old->profile, .identity = call->identity,
		.from = call->from, .now = call->now, .csr_field = "csr", .replaces = old, .metadata = old->metadata,
		.renew_before = old->renew_before ?: old->key_kept ? 0 : RENEW_AS_PROFILE,
	};
	struct record_list metadata = {0};

	if (!can_renew(old, p))
		return false;
	enum source source = read_source(call, &parts);
	api_ask_period(call->body, &e, &parts);
	if (json_member(call->body, "metadata") && api_ask_metadata(call->body, &metadata, &parts))
		e.metadata = metadata;
	bool done = true;
	if (source == CSR) {
		managed_refuse(json_member(call->body, "attributes"), &parts);
		api_ask_csr(call->body, &csr, &parts);
		e.csr = buf_bytes(&csr);
		e.renew_before = 0;
	} else {
		done = make_key(call, source, &e, &parts, p);
	}
	done = done && issuance_run(&e, &parts, p) && api_issued_write(call, &e, p);
	free(metadata.v);
	return done;
}
