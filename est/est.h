/* EST (RFC 7030, 8951): the wing as the server sees it.
 *
 * `struct est` owns its rate limit; it borrows store and CA, which live longer. Its http_wing serves
 * from any number of threads. */
#pragma once

#include "base/http.h"
#include "ca/ca.h"
#include "est/authentication.h"
#include "est/label.h"
#include "est/wrapping_keys.h"
#include "store/store.h"

struct est;
/* Takes a reference to the labels. */
bool est_open(struct store *store, struct ca *ca, struct labels *labels, struct est **ret, struct problem *p) must_use;
/* From the next request on, these labels and their profiles (SIGHUP). */
void est_set_labels(struct est *est, struct labels *labels);
/* The ways to prove who one is, from the next request on; until then the default methods for all labels. */
void est_set_authentications(struct est *est, struct authentications *authentications);
/* The keys that keys made here can be encrypted with, from the next request on; until then none. */
void est_set_wrapping_keys(struct est *est, struct wrapping_keys *keys);
const struct http_wing *est_wing(struct est *est);
void est_close(struct est *est);
declare_auto_struct(est, est_close);
