/* Own certificate: the certificate that the server's TLS listeners show, from its own CA through
 * the same gate as every other, recorded in the store, and renewed by itself after two thirds of its
 * life; or the operator's, from files.
 *
 * Kept with its key in `server.pem` in the data folder (0600). Renewal runs on a thread of its own
 * and goes to the listeners without a pause. Functions may be called from any thread. */
#pragma once

#include "ca/ca.h"
#include "policy/profile.h"
#include "server/config.h"
#include "server/tls.h"
#include "store/store.h"

struct own_certificate;
struct own_certificate_options {
	const char *folder;            /* the data folder */
	struct store *store;
	struct ca *ca;
	struct tls *const *listeners;  /* those that show it */
	size_t listener_count;
};
/* Has a certificate in all listeners when it returns. The options' pointers are borrowed until
 * closing, config and profiles for the call. */
bool own_certificate_open(const struct own_certificate_options *options, const struct config *config,
                          struct profiles *profiles, struct own_certificate **ret,
                          struct problem *p) must_use;
/* Before a reload: reads the operator's files, or gets a certificate from the CA if the present one would not fit
 * any more. The names stay those of the start. Nothing else changes: the new one is shown, and kept, once it is
 * taken. */
struct own_change;
bool own_certificate_prepare(struct own_certificate *own, const struct config *config, struct profiles *profiles,
                             struct own_change **ret, struct problem *p) must_use;
void own_certificate_take(struct own_certificate *own, struct own_change *change);
void own_change_free(struct own_change *change);
declare_auto_struct(own_change, own_change_free);
/* Waits for nobody. */
int64_t own_certificate_expires(const struct own_certificate *own);
void own_certificate_close(struct own_certificate *own);
declare_auto_struct(own_certificate, own_certificate_close);
