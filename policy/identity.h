/* Identity: who asks, outside ACME. Opaque; made here only, from facts that were proven.
 *
 * The operator's identity is for certificates that the server makes for itself (its TLS
 * certificate). A bearer's is for the API. Owned by its maker's caller.
 *
 * What a bearer has proven. ACME and EST learn from strangers which names are theirs, by a challenge
 * or a certificate. A token proves no name by itself: it is the operator's own word, given by hand to
 * somebody he knows, that its bearer may have names of this kind from these profiles. So every name is
 * a proven one that the token's patterns match, and any name when it has none. That is safe because
 *  - the gate holds each name to the profile's rules as well, so no token reaches beyond what the
 *    configuration says may be certified at all, and it holds the token to its role and its profiles
 *    itself, whatever the handler has checked;
 *  - a profile is open to the API only where its `methods` say so, and to whom a token was given, which
 *    nobody is by default;
 *  - where a token has patterns, names that no pattern can be said for (otherName, a common name in free text) are
 *    refused, whatever the policy says of them;
 *  - tokens are made by who can write the store, who could sign anything anyhow; they end, they can be
 *    revoked, and every certificate's row says which token asked for it. */
#pragma once

#include "policy/identifier.h"
#include "policy/password.h"
#include "policy/trust.h"
#include "store/enrollment.h"
#include "store/certificate.h"
#include "store/token.h"

struct identity;
struct client_certificate;
struct client_certificate_shown;
/* The process's own operator, who may have the names that the configuration lists. */
bool identity_operator(const struct identifiers *names, struct identity **ret, struct problem *p) must_use;
/* Who shows this token, or this client certificate (policy/bearer.h): method "api". UNAUTHENTICATED. */
bool identity_bearer(struct store *store, const char *text, int64_t now, struct identity **ret,
                     struct problem *p) must_use;
bool identity_client(struct store *store, struct bytes certificate, int64_t now, struct identity **ret,
                     struct problem *p) must_use;
/* Who runs a command where the CA's passphrase is read and the store is written, "operator NAME": method "api". He
 * could sign anything anyhow; the gate holds him to the profile, as it does a token without patterns. */
bool identity_person(const char *text, struct identity **ret, struct problem *p) must_use;
/* Who shows this enrollment code (policy/enrollment_code.h): method "est". It is the operator's word, as
 * a token is, for one profile. UNAUTHENTICATED. */
bool identity_enrollment(struct store *store, const char *code, int64_t now, struct identity **ret,
                         struct problem *p) must_use;
/* The same, of a code that may be used up: for asking again after what it gave. identity_spend refuses it. */
bool identity_enrolled(struct store *store, const char *code, int64_t now, struct identity **ret,
                       struct problem *p) must_use;
/* Who knows the password, or the secret, of this user (policy/password.h): method "est". UNAUTHENTICATED. */
bool identity_user(struct store *store, const char *user, const char *password, int64_t now, struct identity **ret,
                   struct problem *p) must_use;
/* The same of secrets alone, which nobody can guess: false without a problem where it is not one's. */
bool identity_secret(struct store *store, const char *user, const char *secret, int64_t now, struct identity **ret,
                     struct problem *p) must_use;
/* Who has proven by Digest (RFC 7616) that he knows it. The claim's nonce is the caller's to judge. UNAUTHENTICATED. */
bool identity_digest(struct store *store, const struct password_claim *claim, int64_t now, struct identity **ret,
                     struct problem *p) must_use;
/* The device that holds this certificate of our own (policy/client_certificate.h): method "est". It has
 * proven the certificate's subject and names, in the certificate's profile. With renewal it asks for
 * all of its names (RFC 7030, 4.2.2). grace: how many seconds ago it may have expired. UNAUTHENTICATED. */
bool identity_device(struct store *store, X509 *const *issuers, size_t issuer_count,
                     const struct client_certificate_shown *shown, bool renewal, int64_t now, int64_t grace,
                     struct identity **ret, struct problem *p) must_use;
/* Turns the identity of a device whose certificate has id-kp-cmcRA into that of a registration authority (RFC 7030,
 * 3.7), which vouches for the devices that it asks for, in this profile. UNAUTHORIZED: it is none, and unchanged. */
bool identity_registrar(struct identity *device, const char *profile, struct problem *p) must_use;
/* The device that holds its manufacturer's certificate (policy/trust.h), where there is a list of devices one that it
 * has: it has proven its serial number. UNAUTHENTICATED; UNAUTHORIZED: it was put out, and is to be heard in no other
 * way. */
struct identity_maker {
	const struct trust *trust;
	const char *profile;          /* the one it is to be made for */
	bool listed;                  /* whether it must be on the list */
};
bool identity_manufactured(struct store *store, const struct identity_maker *maker, const struct bytes *chain,
                           size_t count, int64_t now, struct identity **ret, struct problem *p) must_use;
/* Somebody who has proven nothing. Only where people approve each request does the gate hear him. */
bool identity_anonymous(const char *profile, struct identity **ret, struct problem *p) must_use;
/* Who asked over the API or by a command earlier, `text` being what identity_text said then: as the token is now.
 * UNAUTHENTICATED. */
bool identity_recall(struct store *store, const char *text, int64_t now, struct identity **ret,
                     struct problem *p) must_use;
/* The server itself, for a certificate that it issued over the API: it has the text and the name of who asked for that
 * one, and has proven exactly its names, in its profile. What has become of the token since does not matter: the
 * certificate is its profile's operator's by then, who can revoke it. CONFLICT: it is no such certificate. */
bool identity_renewal(struct store *store, const struct certificate *certificate, struct identity **ret,
                      struct problem *p) must_use;
/* In the update that records what the identity was given: counts a use of the enrollment code, and finds
 * that neither code, certificate nor token was revoked meanwhile. UNAUTHENTICATED. */
bool identity_spend(struct store_txn *txn, const struct identity *identity, int64_t now, struct problem *p) must_use;
/* The certificate that a device has shown (policy/client_certificate.h), and whether it is to be renewed
 * (ret_renewal may be NULL); NULL: none. */
const struct client_certificate *identity_certificate(const struct identity *identity, bool *ret_renewal);

const char *identity_text(const struct identity *identity);      /* "operator", "token ID", "device SERIAL", ... */
const char *identity_method(const struct identity *identity);    /* "internal", "api", "est" */
/* Whether it has proven this name. */
bool identity_proves(const struct identity *identity, const struct identifier *name) must_use;
/* The serial number of the device that asks, which its names, its subject's serialNumber and its common name are then
 * bound to; NULL: none. */
const char *identity_serial(const struct identity *identity);
/* Whether its manufacturer's certificate has this name, the GeneralName's DER in hexadecimal. */
bool identity_holds_other(const struct identity *identity, const char *der) must_use;
/* Whether it has proven nothing at all, and whether it speaks for others. */
bool identity_unproven(const struct identity *identity) must_use;
bool identity_vouches(const struct identity *identity) must_use;
/* Whether what it was proven by is a person's password. */
bool identity_guessable(const struct identity *identity) must_use;
/* Whether its names are bound to patterns: then it has proven no name of another type, and no common name that is
 * none of its names. */
bool identity_bound(const struct identity *identity) must_use;
/* Whether it may act on a certificate, its key among it, by the names that it is bound to: all of the certificate's
 * are of them, or it is what it has asked for itself. */
bool identity_reaches(const struct identity *identity, const struct certificate *certificate) must_use;
/* What policies call `{identity}`: the name that a token was given, the serial number of a device, the name of a
 * user, and of others identity_text; NULL: none. */
const char *identity_name(const struct identity *identity);
/* Whether it may do this there; profile NULL: somewhere. The operator may all: UNAUTHORIZED. */
bool identity_may(const struct identity *identity, enum token_role role, const char *profile,
                  struct problem *p) must_use;
/* Whether it may in every profile there is. */
bool identity_everywhere(const struct identity *identity) must_use;
/* The bearer's token, borrowed; NULL: no bearer. */
const struct token *identity_token(const struct identity *identity);
void identity_free(struct identity *identity);
declare_auto_struct(identity, identity_free);
