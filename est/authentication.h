/* Authentication: in which ways the clients of a label may prove who they are (RFC 7030, 3.2.3, 3.3.2 and 3.7), and
 * whether the proof must be linked to the key that is to be certified (3.5).
 *
 * `struct authentications` is an immutable set, counted by reference: a reload makes a new one. Any thread. */
#pragma once

#include "base/addr.h"
#include "base/bytes.h"
#include "policy/trust.h"

/* name, bit, as it is written, what it is */
#define AUTHENTICATION_METHODS(X)                                                                                  \
	X(CERTIFICATE, 0, "certificate", "a certificate that EST or the API of this server issued")                \
	X(MANUFACTURER, 1, "manufacturer", "a certificate of a manufacturer, as IDevID")                           \
	X(REGISTRAR, 2, "registrar", "a certificate of ours with id-kp-cmcRA, for others")                         \
	X(CODE, 3, "code", "an enrollment code, by HTTP Basic")                                                    \
	X(PASSWORD, 4, "password", "a user name with a password or secret, by HTTP Basic")                         \
	X(DIGEST_SHA256, 5, "digest-sha256", "the same by HTTP Digest with SHA-256")                               \
	X(DIGEST_MD5, 6, "digest-md5", "the same by HTTP Digest with MD5, as libest has it")                       \
	X(ANONYMOUS, 7, "anonymous", "nothing, where people approve each request")

enum authentication_method {
#define X(name, bit, text, meaning) AUTHENTICATION_##name = 1 << (bit),
	AUTHENTICATION_METHODS(X)
#undef X
	AUTHENTICATION_BASIC = AUTHENTICATION_CODE | AUTHENTICATION_PASSWORD,
	AUTHENTICATION_DIGEST = AUTHENTICATION_DIGEST_SHA256 | AUTHENTICATION_DIGEST_MD5,
	AUTHENTICATION_HTTP = AUTHENTICATION_BASIC | AUTHENTICATION_DIGEST,
	AUTHENTICATION_DEFAULT = AUTHENTICATION_CERTIFICATE | AUTHENTICATION_BASIC,
};

/* RFC 7030, 3.5: whether a CSR without the channel's binding is refused. */
enum authentication_binding { AUTHENTICATION_BINDING_OPTIONAL, AUTHENTICATION_BINDING_REQUIRED };

struct authentication {
	char *name;
	/* those that it is for, "" the service without one; none: those that no other names */
	struct strings labels;
	unsigned methods;         /* enum authentication_method bits */
	struct strings manufacturers; /* PEM files */
	struct trust *trust;      /* of these files; NULL without the method */
	bool listed;              /* a manufacturer's device must be on the list of devices */
	enum authentication_binding binding;
	bool exporter;            /* tls-exporter (RFC 9266) counts as one in TLS 1.3 */
};

/* Whether each row makes sense in itself, and all of them together. MALFORMED says which row and key does not. */
bool authentications_check(const struct authentication *rows, size_t count, struct problem *p) must_use;

struct authentications;
/* Copies the rows, loads the files, copies the addresses of the proxies whose Client-Cert header is believed. MALFORMED
 * where a row makes no sense. References: 1. */
bool authentications_new(const struct authentication *rows, size_t count, const struct addr_list *proxies,
                         struct authentications **ret, struct problem *p) must_use;
struct authentications *authentications_ref(struct authentications *set);
void authentications_unref(struct authentications *set);
declare_auto_struct(authentications, authentications_unref);
/* The one for a label ("" for the service without). Where no row is for it, and none for all others: the
 * default methods. */
const struct authentication *authentications_find(const struct authentications *set, const char *label);
const struct addr_list *authentications_proxies(const struct authentications *set);
