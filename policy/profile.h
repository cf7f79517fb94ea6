/* Profile: what a kind of certificate may be and who may ask for it.
 *
 * `struct profiles` is an immutable, reference-counted set: a reload makes a new one and the old
 * lives until the last request that began with it has ended. Any thread. */
#pragma once

#include "policy/key.h"
#include "policy/pattern.h"
#include "policy/policy.h"

enum profile_common_name {
	PROFILE_CN_NONE,      /* no subject at all: SAN is critical */
	PROFILE_CN_IF_ASKED,  /* the CSR's CN, when it is one of the proven names and fits 64 bytes */
	PROFILE_CN_FIRST,     /* the CSR's CN, or else the first proven DNS name that fits */
};
enum profile_method { PROFILE_ACME = 1, PROFILE_EST = 2, PROFILE_API = 4, PROFILE_INTERNAL = 8 };

enum profile_csr_attributes {
	PROFILE_CSR_PLAIN,       /* what must be in a CSR, and no more (RFC 8951, 4) */
	PROFILE_CSR_EXTENSIONS,  /* and the extensions that will be given, with their values (RFC 9908, 3.2) */
	PROFILE_CSR_TEMPLATE,    /* all of it as a template (RFC 9908, 3.4) */
	PROFILE_CSR_NONE,
};
/* What is of EST alone. */
struct profile_est {
	int64_t renewal_grace;               /* seconds after its end in which a certificate still renews */
	struct strings change_names;         /* "dns:*.example.com": names that ChangeSubjectName may ask for (RFC 6402, 2.8) */
	unsigned server_keys;                /* 1u << enum key_algorithm: keys that serverkeygen makes; 0: none */
	bool server_key_encrypted;           /* none without an encryption of its own */
	enum profile_csr_attributes csr_attributes;
	struct strings csr_oids;             /* dotted OIDs of attributes that csrattrs names besides */
};

/* RFC 9444: whether a proof for a domain stands for the names below it. */
enum profile_subdomains {
	PROFILE_SUBDOMAINS_NONE,
	PROFILE_SUBDOMAINS_DNS,  /* one that was given in its zone */
	PROFILE_SUBDOMAINS_ANY,
};

/* Whether a certificate names the device that was attested for it (the device attestation draft, 3.2 and 7.4). */
enum profile_device_names {
	PROFILE_DEVICE_NAMES_ASKED,   /* where the CSR does */
	PROFILE_DEVICE_NAMES_ALWAYS,
	PROFILE_DEVICE_NAMES_NEVER,   /* and a CSR that does is refused */
};

/* What is of ACME alone. */
struct profile_acme {
	struct strings challenges;   /* types by which names are proven, "dns-01"; empty: all that are offered */
	struct strings attestation_formats; /* of device-attest-01, "tpm"; empty: all that are accepted */
	enum profile_device_names device_names;
	bool no_preauthorization;    /* its directory has no newAuthz (RFC 8555, 7.4.1) */
};

/* Orders whose certificates the server renews by itself (RFC 8739). */
struct profile_star {
	bool on;
	int64_t lifetime_min;    /* of each certificate */
	int64_t duration_max;    /* from the start to the end of one order */
	bool get;                /* they may be fetched by anybody, where the order says so */
};

/* The fields marked "short" are the short form of a policy: they are what it is made from where the
 * profile names none, and mean nothing where it does. */
struct profile_names {           /* rule of one identifier type */
	struct strings allow;    /* empty: none of this type */
	struct strings deny;     /* wins */
};
/* When it is told that a certificate expires and nothing has replaced it. */
enum { PROFILE_ALERTS_MAX = 8, PROFILE_ALERT_MAX = 5 * 365 * 86400 };
struct profile_alerts {
	int64_t before[PROFILE_ALERTS_MAX]; /* seconds before its end, rising; 0: then */
	size_t n;
	bool given;              /* somebody asked for them: they count for short lives too */
};
extern const struct profile_alerts profile_default_alerts; /* a day, a week and 30 days */
/* "30d" and the like, or "none" alone; no text at all: the default ones. MALFORMED. */
bool profile_alerts_parse(const struct strings *texts, struct profile_alerts *ret, struct problem *p) must_use;

struct profile {
	char *name;                               /* [a-z0-9-]{1,32} */
	char *description;
	char *issuer;                             /* id of the issuing CA; "" the default one */
	unsigned methods;                         /* enum profile_method bits */
	bool directory_alone;                     /* ordered in the ACME directory of its own alone */
	struct policy *policy;                    /* what may be certified; NULL: short, until profile_settle */
	bool short_form;                          /* profile_settle made the policy */
	unsigned keys;                            /* short: 1u << enum key_algorithm */
	struct profile_names names[IDENTIFIER_TYPE_MAX]; /* short */
	bool wildcards;                           /* short */
	unsigned names_max;                       /* short: identifiers in one certificate */
	int64_t validity, validity_max, backdate; /* seconds; validity_max short */
	unsigned key_usage;                       /* KU_ bits given; what does not fit the key is left out */
	struct strings extended_key_usage;        /* dotted OIDs given, at least one but for a CA */
	struct subject subject;                   /* attributes given where the CSR has none of the type */
	enum profile_common_name common_name;
	const char *hash;                         /* "SHA256" "SHA384" "SHA512" or NULL: by issuer key */
	bool reuse_account_key;                   /* false: the certificate's key may not be the account's */
	int64_t authorization_lifetime;           /* seconds a valid authorization can be reused */
	int64_t no_revocation_within;             /* seconds: no revocation information for a life so short or shorter (RFC 9608); 0 */
	struct profile_star star;
	unsigned renewal_from, renewal_until;     /* percent of its life in which a certificate is to be renewed */
	enum profile_subdomains subdomains;       /* ACME: what a proof for a domain is worth below it */
	bool eab_required;                        /* ACME external account binding */
	bool require_dnssec;                      /* ACME: proofs and addresses from signed DNS answers alone */
	bool caa;                                 /* ACME: CAA records are asked for and held (RFC 8659) */
	unsigned approvals;                       /* how many people must approve each request; 0: none */
	struct strings approvers;                 /* who may; empty: anybody who may decide at all */
	int64_t approval_lifetime;                /* seconds that a request waits */
	struct profile_est est;
	struct profile_acme acme;
	struct profile_alerts alerts;
	bool keep_keys;                           /* private keys that the server makes are kept, sealed */
	int64_t renew_before;                     /* seconds before its end that the server renews one whose key it keeps; 0: not */
};
/* A complete profile of the given name with the shipped defaults ("tls-server"); the caller changes it.
 * They are: the default issuer; methods acme and internal; all key algorithms; every DNS name and IP
 * address, wildcards too, no mail address and no URI; 100 names; 90 days, 397 at most, begun 60
 * seconds early; digitalSignature and keyEncipherment; serverAuth alone; CN if asked; the hash of the
 * issuer's key; the account's key is no certificate's; authorizations are good for a day; no
 * external account. */
bool profile_new(const char *name, struct profile **ret, struct problem *p) must_use;
void profile_free(struct profile *profile);
declare_auto_struct(profile, profile_free);

/* Makes the policy of the short form, or, where there is a policy, what the short form would say of it.
 * profiles_new does it for each. */
bool profile_settle(struct profile *profile, struct problem *p) must_use;

struct profiles;
/* Takes the profiles (each checked as a whole: MALFORMED names profile and field) and the block list
 * (may be NULL); on a refusal they stay the caller's, and the array `list` itself always does. The
 * default is found by its name. References: 1. */
bool profiles_new(struct profile **list, size_t count, const char *default_name,
                  struct key_blocklist *blocklist, struct profiles **ret, struct problem *p) must_use;
struct profiles *profiles_ref(struct profiles *profiles);
void profiles_unref(struct profiles *profiles);
declare_auto_struct(profiles, profiles_unref);
const struct profile *profiles_find(const struct profiles *profiles, const char *name); /* NULL: none */
const struct profile *profiles_default(const struct profiles *profiles);
const struct profile *profiles_at(const struct profiles *profiles, size_t i);           /* NULL past the end */
const struct key_blocklist *profiles_blocklist(const struct profiles *profiles);

/* What the CAs that sign say of a certificate before they do, by the issuer that the facts name (policy/approval.h);
 * ca/verdict.c knows. */
struct approval_facts;
struct profile_signers {
	const void *ca;      /* NULL: nothing is known of them, and the two are not called */
	/* whether it may ever sign this: REJECTED_IDENTIFIER, BAD_CSR */
	bool (*allows)(const void *ca, const struct approval_facts *facts, struct problem *p);
	/* whether it can at this time: UNAVAILABLE */
	bool (*ready)(const void *ca, const struct approval_facts *facts, struct problem *p);
};
/* Before the profiles are shared. */
void profiles_set_signers(struct profiles *profiles, const struct profile_signers *signers);
const struct profile_signers *profiles_signers(const struct profiles *profiles);
bool profile_takes_challenge(const struct profile *profile, const char *type) must_use;
/* Whether an order in that ACME directory can be for this profile: a directory is for the profile that it is
 * named after, and the default one for all others too that do not say `directory_alone`. */
bool profiles_offer(const struct profiles *profiles, const char *directory, const struct profile *profile) must_use;

/* Whether the policy of the profile, settled, lets this identifier be certified for him who asks (NULL:
 * anybody): the rule that newOrder shows early and the gate holds. REJECTED_IDENTIFIER. */
bool profile_allows(const struct profile *profile, const struct policy_who *who, const struct identifier *i,
                    struct problem *p) must_use;

/* Whether its policy lets any identifier of that type be certified. */
bool profile_has_type(const struct profile *profile, enum identifier_type type) must_use;

/* The validity, both ends inclusive, of a certificate of this profile that is made at `now` for a
 * request made at `requested`; not_before and not_after as the client asked, 0: not asked. What was
 * asked is given or refused, never cut: MALFORMED for a notBefore earlier than the backdating, a
 * notAfter that is past or before it, and a life longer or ending later than validity_max. newOrder
 * shows it early and the gate holds it. */
bool profile_period(const struct profile *profile, int64_t now, int64_t requested, int64_t not_before,
                    int64_t not_after, int64_t *ret_from, int64_t *ret_to, struct problem *p) must_use;
/* Of these refusals, that of notBefore. */
bool profile_begins_early(const struct profile *profile, int64_t requested, int64_t not_before);
