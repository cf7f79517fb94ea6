#include "admin/api_issuance.h"

#include <assert.h>
#include <stdio.h>

#include "base/digest.h"
#include "base/random.h"
#include "ca/inventory.h"

void issuance_done(struct issuance *e)
{
	certificate_free(&e->certificate);
	request_free(&e->record);
	e->record = (struct request){0};
}

/* --- what becomes of a request is kept */

static bool record_begin(struct issuance *e, uint8_t digest[SHA256_SIZE], struct problem *p)
{
	digest_sha256(e->csr, digest);
	e->record = (struct request){
		.profile = e->profile, .method = identity_method(e->identity), .identity = identity_text(e->identity), .from = e->from,
		.csr_digest = BYTES(digest, e->csr.len > 0 ? SHA256_SIZE : 0), .created = e->now, .ended = e->now,
	};
	if (e->replaces)
		memcpy(e->record.replaces, e->replaces->id, sizeof(e->record.replaces));
	return random_id_timed(e->record.id, p);
}

static bool put_record(struct store_txn *txn, void *arg, struct problem *p)
{
	return store_request_put(txn, arg, p);
}

static bool is_of_policy(enum problem_kind kind)
{
	return kind != PROBLEM_INTERNAL && kind != PROBLEM_UNAVAILABLE && kind != PROBLEM_ALREADY_REPLACED;
}

static void tell_refused(const struct issuance *e, const struct problem *why)
{
	const struct audit_fact facts[] = {
		audit_text("request", e->record.id), audit_text("profile", e->profile), audit_text("replaces", e->record.replaces),
		{ 0 },
	};
	const struct audit_event event = { AUDIT_CERTIFICATE_REFUSED, e->now, e->record.identity, e->from, facts };

	audit_queue_refuse(e->api->audit, &event, why);
}

/* The refusal is the answer whether it can be kept or not. So many are kept an hour: whoever is refused
 * shall not fill the disk. */
static void keep_refusal(struct issuance *e, struct problem *why)
{
	auto_value(strings) reasons = {0};
	auto_value(problem) ignored = {0};
	int wait;

	if (!is_of_policy(why->kind))
		return;
	for (size_t i = 0; i < why->sub_count; i++)
		if (!strings_add(&reasons, why->subs[i].detail))
			return;
	e->record.state = REQUEST_FAILED;
	e->record.reasons = (struct record_texts){ (const char *const *)reasons.v, reasons.n };
	tell_refused(e, why);
	if (limit_take(e->api->failures, e->record.identity, &wait) && store_update(e->api->store, put_record, &e->record, &ignored))
		snprintf(why->location, sizeof(why->location), API_PREFIX "cert-manager/certificate-requests/%s", e->record.id);
	e->record.reasons = (struct record_texts){0};
}

/* --- the judgment */

static bool is_common_name(const struct certificate_name *name)
{
	return str_equal(name->type, "cn");
}

static bool has_name(const struct identifiers *names, const struct certificate_name *old)
{
	for (size_t i = 0; i < names->n; i++)
		if (str_equal(identifier_type_name(names->v[i].type), old->type) && str_equal(names->v[i].value, old->value))
			return true;
	return false;
}

/* A renewal is of the same names: with others it would be another certificate, and the link a lie. */
static bool check_same(const struct issuance *e, const struct approval_facts *facts, struct problem *parts)
{
	const struct certificate_name *old = e->replaces->names.v;
	const char *common_name = "";
	size_t same = 0, count = 0;

	for (size_t i = 0; i < e->replaces->names.n; i++) {
		if (is_common_name(&old[i])) {
			common_name = old[i].value;
			continue;
		}
		count++;
		same += has_name(facts->names, &old[i]);
	}
	if (same != count || count != facts->names->n)
		problem_add_field(parts, PROBLEM_BAD_CSR, e->csr_field, NULL,
		                  "Subject alternative names mismatch: a renewal has the names of the certificate it renews");
	if (!str_equal(common_name, facts->common_name ?: ""))
		problem_add_field(parts, PROBLEM_BAD_CSR, e->csr_field, facts->common_name,
		                  "Subject mismatch: a renewal has the common name of the certificate it renews");
	return parts->sub_count == 0;
}

static bool judge(struct issuance *e, struct problem *parts, struct approval **ret, struct problem *p)
{
	auto_struct(approval) *approval = NULL;
	auto_value(problem) why = {0};

	if (e->csr.len > 0 && !gate_identity_wish(e->api->store, e->profiles, e->profile, e->identity, &e->wish, e->csr, &approval, &why))
		api_gather(parts, &why, e->csr_field);
	else if (e->csr.len > 0 && e->replaces)
		(void)check_same(e, approval_facts(approval), parts);
	if (!api_settle(parts, p))
		return false;
	assert(approval);
	*ret = steal(approval);
	return true;
}

/* --- the change */

static bool put_issued(struct store_txn *txn, void *arg, struct problem *p)
{
	struct issuance *e = arg;

	/* Of two renewals at once one wins, and nothing of the other is kept. */
	return identity_spend(txn, e->identity, e->now, p) &&
	       (!e->replaces || store_certificate_replace(txn, e->replaces->id, e->certificate.id, p)) &&
	       inventory_add(txn, &e->certificate, identity_text(e->identity), e->from, p) && store_request_put(txn, &e->record, p);
}

static bool issue(struct issuance *e, struct approval **approval, struct problem *p)
{
	if (!ca_issue(e->api->ca, approval, &e->certificate, p))
		return false;
	e->certificate.metadata = e->metadata;
	if (e->replaces)
		e->certificate.replaces = e->replaces->id;
	e->record.state = REQUEST_ISSUED;
	memcpy(e->record.certificate, e->certificate.id, sizeof(e->record.certificate));
	return store_update(e->api->store, put_issued, e, p);
}

bool issuance_run(struct issuance *e, struct problem *parts, struct problem *p)
{
	auto_struct(approval) *approval = NULL;
	uint8_t digest[SHA256_SIZE];

	if (!record_begin(e, digest, p))
		return false;
	bool done = judge(e, parts, &approval, p);
	if (!done)
		keep_refusal(e, p);
	done = done && issue(e, &approval, p);
	e->record.csr_digest = (struct bytes){0}; /* it was borrowed from here */
	return done;
}
