/* Gate: the one judge. A CSR and an origin go in; an approval comes out, or the reasons why not.
 *
 * For an order the gate reads order, account and authorizations from the store itself, in one read
 * transaction: it trusts no handler. For other methods it takes an opaque identity. Nothing but the
 * gate makes a `struct approval`, and ca_issue consumes it (make arch shows both with nm). Any
 * thread. All rules that fail are told together: one part a rule (problem_sub). */
#pragma once

#include "policy/approval.h"
#include "policy/csr.h"
#include "policy/identity.h"
#include "policy/profile.h"
#include "store/store.h"

/* ACME (RFC 8555, 7.4): the order must be ready and not expired, its account valid and the caller,
 * each of its authorizations valid, unexpired and of that account, and the CSR's names exactly the
 * order's. The profile is the order's. Refusals: NOT_FOUND, UNAUTHORIZED, ORDER_NOT_READY and
 * INVALID_PROFILE come alone; UNAUTHORIZED, EXTERNAL_ACCOUNT_REQUIRED, BAD_CSR (keys too: RFC 8555, 6.7),
 * REJECTED_IDENTIFIER and MALFORMED (the order's notBefore and notAfter) come together, as COMPOUND where
 * they differ. USER_ACTION_REQUIRED: all holds, and people must approve it first (policy/consent.h); an
 * order in processing whose request they have approved is judged as a ready one. The names of the rules that
 * failed are in the problem's cause. */
bool gate_order(struct store *store, const struct profiles *profiles, const char *order_id,
                const char *account_id, struct bytes csr_der, struct approval **ret, struct problem *p) must_use;

/* What the gate will say of a name of an order by itself: the policy and the issuing CA. newOrder shows it early.
 * REJECTED_IDENTIFIER. */
bool gate_order_name(const struct profiles *profiles, const struct profile *profile, const struct policy_who *who,
                     const struct identifier *name, struct problem *p) must_use;

/* Any other method: every name of the CSR must be one that the identity proved, the subject and names of
 * other types must be such as the profile's policy allows, and the profile
 * must be open to the identity's method: UNAUTHORIZED, INVALID_PROFILE, and of the above what
 * concerns a CSR. */
bool gate_identity(struct store *store, const struct profiles *profiles, const char *profile_name,
                   const struct identity *identity, struct bytes csr_der, struct approval **ret,
                   struct problem *p) must_use;

/* What an identity asks for that is in no CSR; 0: not asked. Of validity (in seconds, the backdating
 * within it) and the two others one or the other: MALFORMED. What was asked is given or refused. */
struct gate_wish {
	int64_t validity;
	int64_t not_before, not_after;
	const char *hash;              /* of the certificate's signature, "SHA384"; NULL: as the profile says */
	const enum csr_signature *signature; /* the whole algorithm asked for, for the policy; NULL: that of the CSR is judged */
	const char *replaces;          /* id of the certificate that this one renews; NULL: none */
	const char *request;           /* id of the request (store/request.h) that people have decided about; NULL: none */
	int64_t latest;                /* the last second that can be asked for: who signs ends then; 0: not known */
	const char *validity_field;    /* what refusals call them: "attributes.ttl"; NULL: nothing */
	const char *not_before_field, *not_after_field;
};
/* USER_ACTION_REQUIRED: all holds, and people must approve it first. With wish->request they have: the gate reads the
 * request itself, which must be approved, and of the same identity, profile and CSR; where the server makes the key,
 * of a CSR that asks for the same. */
bool gate_identity_wish(struct store *store, const struct profiles *profiles, const char *profile_name,
                        const struct identity *identity, const struct gate_wish *wish, struct bytes csr_der,
                        struct approval **ret, struct problem *p) must_use;

/* All that can be judged before the server makes the key, of that algorithm, to which what the CSR asks for is to be
 * certified: the same rules but for those that look at the key itself, and whether people have approved. Key and
 * signature of the CSR count for nothing (RFC 7030, 4.4.1). Approves nothing; the CSR that is made with the key then
 * goes through gate_identity_wish. */
bool gate_identity_unmade(struct store *store, const struct profiles *profiles, const char *profile_name,
                          const struct identity *identity, struct bytes csr_der, enum key_algorithm key,
                          struct problem *p) must_use;

/* Judges what a CSR asks for, as if who asks had proven every name in it, and approves nothing: each rule
 * that concerns a CSR, and each verdict of the policy. store NULL: nothing is known of the key. BAD_CSR: it
 * cannot be read; NOT_FOUND: there is no such profile. */
struct gate_test {
	const char *profile;
	enum profile_method method;    /* PROFILE_ACME: as of an order */
	struct policy_who who;
	const struct identity *tester; /* who would ask, as far as his own certificates matter (own_key); NULL: see below */
	const char *asker;             /* what identity_text says of him, or the id of an ACME account; NULL: he is not known */
	const char *replaces;          /* id of the certificate that would be renewed; NULL: none */
	/* rule by rule; p has the parts that say why not. Those of the issuing CA only where it is known (profiles_set_signers) */
	void (*rule)(void *arg, const char *name, bool held, const struct problem *p);
	policy_visit *verdict;
	void *arg;
};
bool gate_test(struct store *store, const struct profiles *profiles, const struct gate_test *test, struct bytes csr_der,
               bool *ret_held, struct problem *p) must_use;

/* The rules, in the order they are judged, for tests and documentation. */
struct gate_rule {
	const char *name;      /* "names-equal" */
	const char *text;      /* what it demands */
};
size_t gate_rule_count(void);
const struct gate_rule *gate_rule_at(size_t i);
