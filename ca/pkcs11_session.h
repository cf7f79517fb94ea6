/* PKCS#11 sessions: with the one module of the process and its tokens. Internal to ca/pkcs11*.c. */
#pragma once

#include <p11-kit-1/p11-kit/pkcs11.h>

#include "ca/pkcs11_uri.h"
#include "ca/secret.h"

struct pkcs11_session {
	CK_SESSION_HANDLE handle;
	CK_OBJECT_HANDLE object;  /* the private key in it */
	unsigned generation;      /* of the module's initializations */
};

/* Between the two the module stays initialized, and its functions may be called. */
bool pkcs11_enter(CK_FUNCTION_LIST **ret, struct problem *p) must_use;
void pkcs11_leave(void);

/* Within them: logs in where that is needed. flags: CKF_RW_SESSION, or 0. */
bool pkcs11_session_begin(const struct pkcs11_uri *uri, CK_FLAGS flags, struct pkcs11_session *ret,
                          struct problem *p) must_use;
/* The same, and finds the private key. */
bool pkcs11_session_open(const struct pkcs11_uri *uri, struct pkcs11_session *ret, struct problem *p) must_use;
void pkcs11_session_close(const struct pkcs11_session *session);
bool pkcs11_session_is_old(const struct pkcs11_session *session) must_use;
/* The one object of this class that the URI means. NOT_FOUND; CONFLICT: there are more. */
bool pkcs11_find(CK_SESSION_HANDLE session, CK_OBJECT_CLASS class, const struct pkcs11_uri *uri, CK_OBJECT_HANDLE *ret,
                 struct problem *p) must_use;

/* Outside of them: begins anew with the module, which some need to see a token that came back. Not more often than
 * every few seconds. */
void pkcs11_restart(void);
/* Whether a result says that session or token are gone, and another try may help. */
bool pkcs11_is_lost(CK_RV result) must_use;
const char *pkcs11_result_name(CK_RV result);
