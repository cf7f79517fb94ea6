/* EST (RFC 7030, 8951): the wing as the server sees it.
 *
 * `struct est` owns its rate limits, the nonces of Digest, and the refusals that are on their way to the audit log; it
 * borrows store and CA, which live longer. Its http_wing serves from any number of threads. */
#pragma once

#include "base/http.h"
#include "ca/ca.h"
#include "est/authentication.h"
#include "est/label.h"
#include "est/wrapping_keys.h"
#include "store/store.h"

struct est;
/* What a reload (SIGHUP) can change. */
struct est_settings {
	struct labels *labels;                   /* and their profiles */
	struct authentications *authentications; /* the ways to prove who one is */
	struct wrapping_keys *wrapping_keys;     /* what keys made here can be encrypted with */
};
void est_settings_done(struct est_settings *settings);
declare_auto_value(est_settings, est_settings_done);
/* Takes references. */
bool est_open(struct store *store, struct ca *ca, const struct est_settings *settings, struct est **ret,
              struct problem *p) must_use;
/* From the next request on: none is served by a label of the one and the authentication of the other. Takes
 * references. */
void est_set(struct est *est, const struct est_settings *settings);
const struct http_wing *est_wing(struct est *est);
void est_close(struct est *est);
declare_auto_struct(est, est_close);
