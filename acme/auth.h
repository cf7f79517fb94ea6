/* Auth: who sent a POST, by its JWS (RFC 8555, 6.2 to 6.5).
 *
 * `struct auth` owns what the call borrows: the JWS, its key and its payload. One thread. */
#pragma once

#include "acme/call.h"
#include "acme/jwk.h"
#include "acme/jws.h"

struct auth {
	struct jws jws;
	struct jwk jwk;        /* signed by a key of its own header */
	struct jws_key *key;   /* signed by an account */
	struct json *payload;
};
/* Checks, in this order: form and header, url, key or account, that the key fits the algorithm, the
 * signature, the nonce (which a wrong signature must not consume), the account's status, the
 * payload. Fills the call's payload, account, key, jwk, thumbprint and public_key. */
bool auth_verify(struct acme_call *call, enum acme_auth want, enum acme_payload payload, struct auth *auth,
                 struct problem *p) must_use;
void auth_free(struct auth *auth);
declare_auto_value(auth, auth_free);
