#include "policy/gate_case.h"

#include "base/clock.h"

void gate_case_facts(const struct gate_case *c, struct approval_facts *ret)
{
	const struct csr *csr = c->csr;

	ret->spki = buf_bytes(&csr->spki);
	ret->key = csr->key;
	ret->algorithm = csr->algorithm;
	ret->names = &c->names;
	ret->devices = &c->proven;
	ret->others = csr->others;
	ret->other_count = csr->other_count;
	ret->common_name = subject_find(&c->subject, SUBJECT_CN);
	ret->subject = &c->subject;
	ret->ca = c->request.ca;
	ret->path_length = c->request.path_length;
	ret->profile = c->profile->name;
	ret->issuer = c->profile->issuer;
	ret->hash = c->wish && c->wish->hash ? c->wish->hash : c->profile->hash;
	ret->key_usage = c->request.key_usage;
	ret->extended_key_usage = c->request.extended_key_usage;
	memcpy(ret->csr_digest, csr->digest, sizeof(ret->csr_digest));
	memcpy(ret->key_hash, csr->key_hash, sizeof(ret->key_hash));
	ret->no_revocation = gate_case_is_unrevocable(c, ret->not_before, ret->not_after);
	ret->must_staple = csr->must_staple;
}

/* Refused here, and not first when it is to be signed: a request that no approval can help asks for none. */
bool gate_issuer_allows(const struct gate_case *c, struct problem *p)
{
	const struct profile_signers *signers = profiles_signers(c->profiles);
	struct approval_facts facts = { .not_before = c->now, .not_after = c->now };
	auto_value(problem) why = {0};

	if (!signers->ca)
		return true;
	gate_case_facts(c, &facts);
	return signers->allows(signers->ca, &facts, &why) || gate_case_part(p, &why, NULL);
}

/* That it cannot now is not the CSR's fault: the CA says it itself when it signs, and clients ask again later. */
bool gate_issuer_ready(const struct gate_case *c, struct problem *p)
{
	const struct profile_signers *signers = profiles_signers(c->profiles);
	struct approval_facts facts = {0};
	auto_value(problem) why = {0};

	if (!gate_case_period(c, &facts.not_before, &facts.not_after, &why))
		return gate_case_part(p, &why, NULL);
	gate_case_facts(c, &facts);
	if (signers->ready(signers->ca, &facts, &why))
		return true;
	return why.kind == PROBLEM_UNAVAILABLE ? gate_bad_csr(p, "%s", why.detail) : gate_case_part(p, &why, NULL);
}

bool gate_order_name(const struct profiles *profiles, const struct profile *profile, const struct policy_who *who,
                     const struct identifier *name, struct problem *p)
{
	const struct profile_signers *signers = profiles_signers(profiles);
	const struct identifiers names = { (struct identifier *)(uintptr_t)name, 1 };
	const struct subject nobody = {0};
	const int64_t now = clock_now();
	const struct approval_facts facts = {
		.names = &names, .subject = &nobody, .profile = profile->name, .issuer = profile->issuer, .path_length = -1,
		.key_usage = profile->key_usage, .extended_key_usage = &profile->extended_key_usage, .method = "acme",
		.not_before = now, .not_after = now,
	};
	auto_value(problem) why = {0};

	if (!profile_allows(profile, who, name, p))
		return false;
	if (!signers->ca || identifier_is_device(name->type) || signers->allows(signers->ca, &facts, &why) ||
	    why.kind != PROBLEM_REJECTED_IDENTIFIER)
		return true;
	return problem_pass(&why, p);
}
