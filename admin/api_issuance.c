#include "admin/api_issuance.h"

#include <assert.h>
#include <stdio.h>

#include "base/digest.h"
#include "base/random.h"
#include "ca/ca.h"
#include "ca/inventory.h"

void issuance_done(struct issuance *e)
{
	certificate_free(&e->certificate);
	request_free(&e->record);
	e->record = (struct request){0};
	EVP_PKEY_free(e->key);
	e->key = NULL;
	buf_free(&e->made_csr);
	buf_free(&e->sealed);
}

const struct profile *issuance_profile(const struct issuance *e)
{
	return profiles_find(e->profiles, e->profile);
}

/* --- what becomes of a request is kept */

/* All but the ids of one that people have approved is what they saw. */
static bool record_begin(struct issuance *e, struct problem *p)
{
	digest_sha256(e->csr, e->digest);
	if (e->approved) {
		e->record = *e->approved;
		e->record.memory = NULL; /* the other's */
		return true;
	}
	e->record = (struct request){
		.profile = e->profile,
		.method = identity_method(e->identity),
		.identity = identity_text(e->identity),
		.from = e->from,
		.csr_digest = BYTES(e->digest, e->csr.len > 0 && !e->managed ? SHA256_SIZE : 0),
		.created = e->now,
		.ended = e->now,
		.by_server = e->by_server,
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
		audit_text("request", e->record.id),
		audit_text("profile", e->profile),
		audit_text("replaces", e->record.replaces),
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

	if (!is_of_policy(why->kind) || e->approved)
		return;
	for (size_t i = 0; i < why->sub_count; i++)
		if (!strings_add(&reasons, why->subs[i].detail))
			return;
	e->record.state = REQUEST_FAILED;
	e->record.reasons = record_texts_of(&reasons);
	tell_refused(e, why);
	if (!e->by_server && limit_take(e->api->failures, e->record.identity, &wait) &&
	    store_update(e->api->store, put_record, &e->record, &ignored))
		snprintf(why->location, sizeof(why->location), API_PREFIX "cert-manager/certificate-requests/%s",
		         e->record.id);
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
		if (str_equal(identifier_type_name(names->v[i].type), old->type) &&
		    str_equal(names->v[i].value, old->value))
			return true;
	return false;
}

static bool has_other(const struct approval_facts *facts, const struct certificate_name *old)
{
	for (size_t i = 0; i < facts->other_count; i++)
		if (str_equal(inventory_other_type(facts->others[i].type), old->type) &&
		    str_equal(facts->others[i].value, old->value))
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
		same += has_name(facts->names, &old[i]) || has_other(facts, &old[i]);
	}
	if (same != count || count != facts->names->n + facts->other_count)
		problem_add_field(parts, PROBLEM_BAD_CSR, e->csr_field, NULL,
		                  "Subject alternative names mismatch: a renewal has the names of the certificate "
		                  "it renews");
	if (!str_equal(common_name, facts->common_name ?: ""))
		problem_add_field(parts, PROBLEM_BAD_CSR, e->csr_field, facts->common_name,
		                  "Subject mismatch: a renewal has the common name of the certificate it renews");
	return parts->sub_count == 0;
}

/* A certificate is renewed within its life, and by whom has its key. */
static bool check_renewal(const struct issuance *e, const struct approval_facts *facts, struct problem *parts)
{
	int64_t life = facts->not_after - facts->not_before;

	return !e->renew_field || e->renew_before < life ||
	       problem_add_field(parts, PROBLEM_MALFORMED, e->renew_field, NULL,
	                         "is as long as the certificate's life, %lld seconds, or longer", (long long)life);
}

/* Where people must approve what else is good, there is no approval yet. */
static bool judge(struct issuance *e, struct problem *parts, struct approval **ret, struct problem *p)
{
	auto_struct(approval) *approval = NULL;
	auto_value(problem) why = {0};
	const struct profile *profile = issuance_profile(e);
	const struct issuer *issuer = profile ? ca_issuer_current(e->api->ca, profile->issuer) : NULL;

	e->wish.latest = issuer ? issuer_not_after(issuer) : 0;
	e->wish.replaces = e->replaces ? e->replaces->id : NULL;
	if (e->csr.len > 0 && !gate_identity_wish(e->api->store, e->profiles, e->profile, e->identity, &e->wish,
	                                          e->csr, &approval, &why)) {
		e->pending = why.kind == PROBLEM_USER_ACTION_REQUIRED && !e->approved;
		if (!e->pending)
			api_gather(parts, &why, e->csr_field);
	} else if (e->csr.len > 0) {
		check_renewal(e, approval_facts(approval), parts);
		if (e->replaces)
			check_same(e, approval_facts(approval), parts);
	}
	if (!api_settle(parts, p))
		return false;
	assert(approval || e->pending);
	*ret = steal(approval);
	return true;
}

/* --- the change */

/* Nobody has cancelled it meanwhile. */
static bool is_still_approved(struct store_txn *txn, const struct issuance *e, struct problem *p)
{
	auto_value(request) now = {0};

	if (!e->approved)
		return true;
	if (!store_request_get(txn, e->approved->id, &now, p))
		return false;
	return now.state == REQUEST_APPROVED ||
	       problem_set(p, PROBLEM_CONFLICT, "the request %s is %s", now.id, request_state_name(now.state));
}

static bool put_key(struct store_txn *txn, const struct issuance *e, struct problem *p)
{
	return e->sealed.len == 0 || store_private_key_put(txn, BYTES(e->key_hash, SHA256_SIZE), &e->private_key, p);
}

static bool put_issued(struct store_txn *txn, void *arg, struct problem *p)
{
	struct issuance *e = arg;
	const char *actor = e->by_server || e->approved ? "server" : identity_text(e->identity);

	/* Of two renewals at once one wins, and nothing of the other is kept. */
	return is_still_approved(txn, e, p) && identity_spend(txn, e->identity, e->now, p) &&
	       (!e->replaces || store_certificate_replace(txn, e->replaces->id, e->certificate.id, p)) &&
	       inventory_add(txn, &e->certificate, actor, e->from, p) && put_key(txn, e, p) &&
	       store_request_put(txn, &e->record, p);
}

/* The key is kept as the profile says, and where nobody is there to be given it, until he comes. */
static bool seal_key(struct issuance *e, bool keep, struct problem *p)
{
	e->record.key_waits = e->managed && e->approved && !e->key_known && !e->record.by_server;
	if (!e->managed || e->key_known || (!keep && !e->record.key_waits))
		return true;
	if (!vault_close(e->api->vault, e->key, e->now, &e->sealed, e->key_hash, &e->private_key, p))
		return false;
	if (e->record.key_waits)
		e->record.key_hash = BYTES(e->key_hash, SHA256_SIZE);
	return true;
}

/* What was not asked for this certificate, and does not fit its short life, is cut to a third of that. */
static void set_renewal(const struct issuance *e, const struct profile *profile, struct certificate *row)
{
	int64_t life = row->not_after - row->not_before, before = e->renew_before;

	if (before == RENEW_AS_PROFILE)
		before = profile->renew_before;
	if (before >= life)
		before = life / 3;
	if (!row->key_kept)
		before = 0;
	row->renew_before = before;
	row->renew_at = before ? row->not_after - before : 0;
}

static void fill_row(struct issuance *e, const struct profile *profile)
{
	e->certificate.metadata = e->metadata;
	if (e->replaces)
		e->certificate.replaces = e->replaces->id;
	e->certificate.key_kept = e->managed && (e->key_known || profile->keep_keys);
	set_renewal(e, profile, &e->certificate);
	e->record.state = REQUEST_ISSUED;
	e->record.ended = e->now;
	e->record.due = false;
	e->record.expires = 0;
	memcpy(e->record.certificate, e->certificate.id, sizeof(e->record.certificate));
}

static bool issue(struct issuance *e, struct approval **approval, struct problem *p)
{
	const struct profile *profile = issuance_profile(e);

	if (!ca_issue(e->api->ca, approval, &e->certificate, p) || !seal_key(e, profile->keep_keys, p))
		return false;
	fill_row(e, profile);
	return store_update(e->api->store, put_issued, e, p);
}

bool issuance_run(struct issuance *e, struct problem *parts, struct problem *p)
{
	auto_struct(approval) *approval = NULL;

	if (!record_begin(e, p))
		return false;
	bool done = judge(e, parts, &approval, p);
	if (!done)
		keep_refusal(e, p);
	return done && (e->pending ? issuance_ask(e, p) : issue(e, &approval, p));
}
