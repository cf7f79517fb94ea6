/* CSR: a PKCS#10 request (RFC 2986), parsed and its self-signature checked, judged by nobody yet.
 *
 * A `struct csr` owns copies of all it shows. Used by one thread at a time. */
#pragma once

#include "base/ossl.h"
#include "policy/identifier.h"
#include "policy/key.h"

enum { CSR_DER_MAX = 96 * 1024, CSR_NAMES_MAX = 1000 };

struct csr_attribute {           /* one attribute of one RDN of the subject */
	char oid[64];            /* dotted */
	char short_name[64];     /* "CN"; the OID when there is none */
	char value[256];         /* UTF-8 */
};
enum csr_other_type {
	CSR_OTHER_PERMANENT,       /* permanentIdentifier (RFC 4043): "value" or "value/assigner's OID" */
	CSR_OTHER_HARDWARE,        /* hardwareModuleName (RFC 4108, 5): "type's OID/serial number in hexadecimal" */
	CSR_OTHER_UPN,             /* a Windows user's name: 1.3.6.1.4.1.311.20.2.3, "user@example.com" */
	CSR_OTHER_TEXT,            /* any other otherName that is a text: "OID:text" */
	CSR_OTHER_UNREADABLE,      /* all else; never certified */
};
struct csr_other_name {          /* a SAN that struct identifier cannot hold */
	enum csr_other_type type;
	char kind[80];           /* "otherName 1.3.6.1.4.1.311.20.2.3", "directoryName", ... */
	char value[256];         /* "" where unreadable */
	const char *fault;       /* what is wrong with the value of an unreadable otherName; NULL: the kind itself */
	struct buf der;          /* the GeneralName; empty where unreadable */
};
/* What the CSR is signed with; the bits of a policy's list. */
enum csr_signature {
	CSR_RSA_SHA256, CSR_RSA_SHA384, CSR_RSA_SHA512, CSR_RSA_PSS_SHA256, CSR_RSA_PSS_SHA384, CSR_RSA_PSS_SHA512,
	CSR_ECDSA_SHA256, CSR_ECDSA_SHA384, CSR_ECDSA_SHA512, CSR_ED25519,
	CSR_SIGNATURE_MAX,
};
const char *csr_signature_name(enum csr_signature s); /* "rsa-sha256" */
/* What keys of this algorithm are asked for with here: one of allowed (1u << enum csr_signature; 0: any), or, where
 * none of these is such a key's, its usual one. */
enum csr_signature csr_signature_for(enum key_algorithm a, unsigned allowed);
/* How the key that a server makes is to be delivered (RFC 7030, 4.4.1). */
struct csr_delivery {
	struct buf symmetric;            /* DecryptKeyIdentifier; empty: none */
	struct buf asymmetric;           /* AsymmetricDecryptKeyIdentifier; empty: none */
	struct strings capabilities;     /* dotted OIDs of SMIMECapabilities, the preferred first */
};
struct csr {
	EVP_PKEY *key;
	struct buf spki;                 /* SubjectPublicKeyInfo DER, as in the CSR */
	uint8_t digest[32];              /* SHA-256 of the DER */
	uint8_t key_hash[32];            /* SHA-256 of its SubjectPublicKeyInfo */
	uint8_t asked[32];               /* SHA-256 of all but the signature and the proofs of a connection */
	enum key_algorithm algorithm;
	struct csr_attribute *subject;
	size_t subject_count;
	struct identifiers names;        /* SANs, canonical, without doubles */
	struct csr_other_name *others;   /* SANs of any other type */
	size_t other_count;
	struct strings extensions;       /* dotted OIDs of all requested extensions */
	bool has_key_usage;
	unsigned key_usage;              /* KU_ bits of x509v3.h */
	struct strings extended_key_usage; /* dotted OIDs */
	bool ca;                         /* basicConstraints cA asked for */
	int path_length;                 /* asked for with it; -1: none */
	bool must_staple;                /* the TLS feature status_request asked for (RFC 7633) */
	enum csr_signature signature;
	bool has_challenge_password, has_identity_linking;
	char challenge_password[256];    /* RFC 2985, 5.4.1; wiped when freed */
	char identity_linking[256];      /* estIdentityLinking (RFC 7894, 3.3); wiped when freed */
	struct csr_delivery delivery;
	/* ChangeSubjectName (RFC 6402, 2.8): of it subject, names and others alone; NULL: none. */
	struct csr *change;
};

/* Parses one CSR in strict DER. BAD_CSR with the reason: no CSR, bytes after it, too large, bad signature,
 * a weak signature digest (MD5, SHA-1), a name that is malformed or has a NUL byte, the same extension
 * twice, extensions both in the PKCS #9 and in the Microsoft attribute, a key of a kind or in a form that
 * we never certify (RFC 8555, 6.7: badPublicKey is for JWS). Weak-key checks are the gate's. */
bool csr_parse(struct bytes der, struct csr **ret, struct problem *p) must_use;
/* The same but for key and signature, which are not looked at (RFC 7030, 4.4.1): what it asks for, and nothing is
 * proven. */
bool csr_peek(struct bytes der, struct csr **ret, struct problem *p) must_use;
void csr_free(struct csr *csr);
declare_auto_struct(csr, csr_free);
