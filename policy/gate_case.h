/* Case: all that one judgment of the gate looks at, and the rules that look. Internal to policy/.
 *
 * A case owns what it read and borrows the rest for the time of the call. A rule (gate_order.c,
 * gate_csr.c) returns true where it holds; where not, it adds the parts that say why. */
#pragma once

#include "policy/gate.h"
#include "store/account.h"
#include "store/authorization.h"
#include "store/order.h"
#include "store/request.h"

struct gate_case {
	int64_t now;
	const struct profiles *profiles;
	const struct profile *profile;        /* NULL: there is none of the name */
	const char *profile_name;
	enum profile_method method;

	/* an order */
	const char *order_id, *account_id;    /* account_id: the caller's */
	struct order order;
	struct request request_record;        /* of an order in processing, or of the wish; id "" where there is none */
	struct account account;
	struct problem no_room;               /* why its quotas let it have no certificate more; not set: they do */
	struct authorization *authorizations; /* one an identifier; id "" where there is none any more */
	size_t authorization_count;
	struct identifier *identifiers;       /* the order's, canonical, in its order */
	size_t identifier_count;

	/* or an identity */
	const struct identity *identity;
	const struct gate_wish *wish;         /* NULL: nothing but the CSR */

	bool changed;                         /* ChangeSubjectName is granted: the CSR's own subject and names are */
	struct subject held_subject;          /* these, and csr->change has the rest of them (policy/gate_change.c) */
	struct identifiers held_names;

	const struct policy_who *trial;       /* gate_test: in place of who asks */
	const struct identity *tester;        /* gate_test: whose certificates are his own; */
	const char *asker;                    /* or by what its rows tell of him; NULL too: nobody's are */
	bool unmade;                          /* gate_identity_unmade: there is no key yet */

	struct identifiers proven;            /* the order's names */
	struct csr *csr;                      /* NULL until the rules of the origin hold */
	struct identifiers names;             /* what the CSR asks for: its SANs and its CN */
	unsigned common_name_count;
	const char *common_name_text;         /* the last one, as written */
	struct identifier common_name;        /* the last one that is a name; value "" without */
	struct subject subject;               /* what would stand in the certificate */
	struct policy_request request;        /* the same and all else, for the policy */
	bool key_is_account;                  /* an account of some directory has the CSR's key */
	bool key_compromised;                 /* a certificate of it was revoked for keyCompromise */
	bool key_of_other;                    /* a certificate of another has it */
	bool key_again;                       /* an earlier certificate of the same requester, or for the same names, has it */
};
void gate_case_free(struct gate_case *c);
declare_auto_value(gate_case, gate_case_free);

/* Reads the order, its account and its authorizations in one read transaction. */
bool gate_case_read_order(struct store *store, struct gate_case *c, struct problem *p) must_use;
/* Takes the CSR, which is the case's from then on in any case, and the names out of it. */
bool gate_case_take_csr(struct csr *csr, struct gate_case *c, struct problem *p) must_use;
/* Looks the CSR's key up among the accounts of all directories and the certificates. */
bool gate_case_find_key(struct store *store, struct gate_case *c, struct problem *p) must_use;
/* gate_change.c: whether the profile lets devices change names, and this is one that asks. */
bool gate_case_may_change(const struct gate_case *c) must_use;
/* What the CSR asks for by ChangeSubjectName takes the place of its subject and names. */
void gate_case_change(struct gate_case *c);
/* gate_subject.c: reads the CSR's common names, and makes the subject once the names are known. */
void gate_case_read_common_names(struct gate_case *c);
bool gate_case_make_subject(struct gate_case *c, struct problem *p) must_use;
/* The subject's mail addresses join the names, where who asks may have them as such. */
bool gate_case_add_mails(struct gate_case *c, struct problem *p) must_use;

/* A part about the CSR that concerns no one name. Returns false. */
#define gate_bad_csr(p, ...) problem_add((p), PROBLEM_BAD_CSR, NULL, NULL, __VA_ARGS__)

typedef bool gate_check(const struct gate_case *c, struct problem *p);

/* gate_order.c: rules of the origin */
gate_check gate_order_owner, gate_account_valid, gate_order_ready, gate_order_unexpired;
gate_check gate_profile_known, gate_profile_open, gate_directory_offers, gate_identity_may, gate_account_bound;
gate_check gate_authorizations_valid, gate_authorizations_unexpired, gate_authorizations_owner;
gate_check gate_rolling_same;
gate_check gate_scope_profile, gate_scope_quota, gate_scope_names, gate_scope_granted; /* gate_scope.c */
gate_check gate_authorizations_cover, gate_authorizations_method, gate_period;
/* gate_attested.c: orders for devices */
gate_check gate_key_attested, gate_attestation_format, gate_devices_allowed;
bool gate_case_has_devices(const struct gate_case *c) must_use;
/* Whether the text is what a device of the order is called, and may be said in the certificate. */
bool gate_case_is_device(const struct gate_case *c, const char *text) must_use;
/* Holds the CSR's names of other types against the order. */
bool gate_case_device_names(const struct gate_case *c, struct problem *p) must_use;
/* The order's devices join the CSR's names, where the profile names them always. */
bool gate_case_add_devices(struct gate_case *c, struct problem *p) must_use;
/* gate_approval.c */
gate_check gate_approved;
/* Whether people have approved the request of the case: of an order any, of an identity its own. */
bool gate_case_approved(const struct gate_case *c) must_use;
/* Reads the request of the wish, where it names one. NOT_FOUND. */
bool gate_case_read_request(struct store *store, struct gate_case *c, struct problem *p) must_use;
/* gate_csr.c: rules of the CSR */
gate_check gate_names_present, gate_names_count, gate_names_equal, gate_names_proven;
gate_check gate_extensions_known, gate_must_staple;
/* gate_change.c */
gate_check gate_change_allowed;
/* gate_device.c: what a device by its serial number may ask for, and who has proven nothing */
gate_check gate_device_bound, gate_identity_known;
/* Whether the policy ties this name to the device that asks. */
bool gate_device_proves(const struct gate_case *c, const struct identifier *name) must_use;
/* gate_renewal.c */
gate_check gate_subject_held, gate_renewal_whole;
/* gate_subject.c */
gate_check gate_common_name_single, gate_common_name_named, gate_subject_plain;
/* gate_issuer.c: what the issuing CA would say */
gate_check gate_issuer_allows, gate_issuer_ready;
/* All of the certificate but who asks, and its life, which is the caller's to know first. */
void gate_case_facts(const struct gate_case *c, struct approval_facts *ret);
/* gate_policy.c: what the policy judges */
gate_check gate_names_allowed, gate_names_typed, gate_no_ca, gate_key_usage, gate_extended_key_usage;
gate_check gate_key_allowed, gate_signature_allowed;
/* gate_key.c */
gate_check gate_key_strong, gate_key_unlisted, gate_key_uncompromised, gate_key_own, gate_key_new, gate_key_not_account;
/* Holds a part of the policy against the case; what is refused becomes parts of p. */
bool gate_case_judge(const struct gate_case *c, enum policy_part part, struct problem *p) must_use;

/* The KU_ bits for the certificate: the profile's that fit the key, and of these the CSR's when it
 * asks for some. */
unsigned gate_case_key_usage_asked(const struct gate_case *c);
unsigned gate_case_key_usage(const struct gate_case *c); /* needs the former in the request */
/* The life of the certificate. MALFORMED. */
bool gate_case_period(const struct gate_case *c, int64_t *ret_from, int64_t *ret_to, struct problem *p) must_use;
/* Whether a certificate of this life leads to no revocation information (RFC 9608). */
bool gate_case_is_unrevocable(const struct gate_case *c, int64_t from, int64_t to) must_use;
/* The refusal of a function that judges one thing becomes a part of p. Returns false. */
bool gate_case_part(struct problem *p, const struct problem *why, const struct identifier *i);
