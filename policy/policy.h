/* Policy: what may stand in a certificate, field by field.
 *
 * A field is a subject attribute or a type of subjectAltName. Of each the policy has three lists of
 * patterns: what is required (for each pattern there must be a value that it matches), what is allowed,
 * and what is denied, which wins. A value must match one of the required or allowed ones; where there
 * are only denied ones, all others are allowed. A field that the policy does not mention at all is
 * refused, or, with `unlisted`, allowed. Keys, signatures and usages are judged alike.
 *
 * Patterns of names are those of policy/pattern.h; of all other fields, texts in which "*" stands for
 * any characters, and letters of ASCII are equal in either case. A required or allowed pattern may
 * be bound to who asks: "{identity}", "{account}" and "{eab}" stand for the requester's, and match
 * nothing where he has none; "{name}", alone and of a common name, is any name of the certificate.
 *
 * Immutable once checked; any thread. */
#pragma once

#include "policy/csr.h"
#include "policy/subject.h"

enum policy_field {
	POLICY_SUBJECT,                   /* POLICY_SUBJECT + enum subject_type */
	POLICY_SAN = SUBJECT_TYPE_MAX,    /* POLICY_SAN + enum identifier_type */
	POLICY_OTHER = POLICY_SAN + IDENTIFIER_PERMANENT, /* POLICY_OTHER + enum csr_other_type: both begin with those of devices */
	POLICY_FIELD_MAX = POLICY_OTHER + CSR_OTHER_UNREADABLE,
};
const char *policy_field_key(enum policy_field field);   /* "subject.cn", "san.dns" */
const char *policy_field_label(enum policy_field field); /* "common_name", "DNS" */

struct policy_values {
	struct strings required, allow, deny;
};
struct policy_bits {
	unsigned required, allow, deny;
};
enum policy_ca { POLICY_CA_FORBIDDEN, POLICY_CA_ALLOWED, POLICY_CA_REQUIRED };

struct policy {
	char *name;
	bool unlisted;                      /* what is not mentioned is allowed */
	struct policy_values fields[POLICY_FIELD_MAX];
	bool wildcards;                     /* whether wildcard names are */
	unsigned names_max;                 /* names in one certificate */
	unsigned keys;                      /* 1u << enum key_algorithm; 0: not mentioned */
	unsigned signatures;                /* 1u << enum csr_signature; 0: not mentioned */
	struct policy_bits key_usage;       /* KU_ bits of x509v3.h */
	struct policy_values extended_key_usage; /* dotted OIDs */
	enum policy_ca ca;
	int path_length;                    /* of a CA, at most; -1: no limit */
	int64_t validity_max;               /* seconds; 0: not mentioned */
	bool own_key;                       /* no key that a certificate of another has */
	bool new_key;                       /* no key that an earlier certificate of his has */
};
/* An empty policy: nothing is mentioned. */
bool policy_new(const char *name, struct policy **ret, struct problem *p) must_use;
bool policy_copy(const struct policy *from, struct policy **ret, struct problem *p) must_use;
void policy_free(struct policy *policy);
declare_auto_struct(policy, policy_free);

/* policy/policy_check.c: whether it makes sense in itself. MALFORMED says which rule is wrong and how. */
bool policy_check(const struct policy *policy, struct problem *p) must_use;

/* policy/policy_preset.c: the built-in ones, and what a profile of one gives when it says nothing itself. */
struct policy_preset {
	const char *name, *description;
	unsigned key_usage;
	const char *extended_key_usage[4];  /* dotted OIDs */
};
const struct policy_preset *policy_preset_at(size_t i);               /* NULL past the end */
const struct policy_preset *policy_preset_find(const char *name);    /* NULL: none */
bool policy_preset_make(const struct policy_preset *preset, struct policy **ret, struct problem *p) must_use;

/* --- judging */

/* Who asks. Any may be NULL. */
struct policy_who {
	const char *identity, *account, *eab;
};
/* What would stand in the certificate. All is borrowed. */
struct policy_request {
	struct policy_who who;
	const struct subject *subject;
	const struct identifiers *names;
	const struct identifiers *devices;   /* those of devices among these are proven, and may be common names; NULL: none */
	const struct csr_other_name *others;
	size_t other_count;
	enum key_algorithm key;
	enum csr_signature signature;
	unsigned key_usage_asked, key_usage; /* asked for; given */
	const struct strings *extended_key_usage;
	bool ca;
	int path_length;                     /* -1: none */
	int64_t validity;                    /* 0: not to be judged */
	bool partial;                        /* defaults alone: what is required may come with the request */
};
enum policy_part {
	POLICY_COMMON_NAME, POLICY_ATTRIBUTES, POLICY_NAMES, POLICY_OTHERS, POLICY_KEY, POLICY_SIGNATURE,
	POLICY_KEY_USAGE, POLICY_EXTENDED_KEY_USAGE, POLICY_BASIC_CONSTRAINTS, POLICY_VALIDITY,
	POLICY_PART_MAX,
};
/* One rule held against one value. */
struct policy_verdict {
	bool held;
	const char *field;  /* "subject.cn", "key_usage" */
	const char *rule;   /* "allow", "required", "deny", "unlisted" */
	const char *value;  /* NULL: there is none */
	const char *text;   /* of a violation; NULL where it held */
	const struct identifier *name; /* where the value is one */
};
typedef void policy_visit(void *arg, const struct policy_verdict *verdict);
/* Every verdict of the part, those that held too. false: some did not. */
bool policy_judge(const struct policy *policy, enum policy_part part, const struct policy_request *request,
                  policy_visit *visit, void *arg) must_use;
/* A name alone, as newOrder shows it early. REJECTED_IDENTIFIER. */
bool policy_allows(const struct policy *policy, const struct policy_who *who, const struct identifier *name,
                   struct problem *p) must_use;
/* Whether it is as one of the certificate's names that this common name may stand. */
bool policy_names_cn(const struct policy *policy, const struct policy_who *who, const char *value) must_use;
/* RFC 5280, 4.2.1.3: "digitalSignature"; NULL: no such bit. */
const char *policy_key_usage_name(unsigned bit);
