/* Root watch: the lists of the roots, which end although nothing changes. Where the root's key is in the CA's folder
 * and its passphrase opens it, or it is in a token, the server makes the list anew when three quarters of its time
 * are over; where not, it says so in log and audit log, once for each list. One thread. */
#pragma once

#include "ca/crls.h"

struct root_watch_options {
	const char *base;                                              /* issuer_urls.base */
	bool (*passphrase)(void *arg, struct buf *ret, struct problem *p); /* of the CA's folder */
	void *arg;
};
struct root_watch;
/* Borrows all. */
bool root_watch_new(const struct root_watch_options *options, struct store *store, const struct ca *ca, struct crls *crls,
                    struct root_watch **ret, struct problem *p) must_use;
/* Cheap: looks every few hours, and at the first call. */
void root_watch_look(struct root_watch *watch);
void root_watch_free(struct root_watch *watch);
declare_auto_struct(root_watch, root_watch_free);
