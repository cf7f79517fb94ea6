/* Root watch: the lists of the roots, which end although nothing changes. Where the root's key is in the CA's
 * folder and its passphrase opens it, or it is in a token, the server makes the list anew when three quarters of
 * its time are over, and within seconds when a certificate of it was revoked or released otherwise than by a
 * command that makes the list itself; where not, it says so in log and audit log, once for each list. One thread
 * looks; any may ask how it is. */
#pragma once

#include "ca/crls.h"

struct root_watch_options {
	const char *base;                                              /* issuer_urls.base */
	bool (*passphrase)(void *arg, struct buf *ret, struct problem *p); /* of the CA's folder */
	void *arg;
};
struct root_watch;
/* Borrows all. */
bool root_watch_new(const struct root_watch_options *options, struct store *store, const struct ca *ca,
                    struct crls *crls, struct root_watch **ret, struct problem *p) must_use;
/* Cheap: looks every few hours, and at the first call; every few seconds at what was revoked. */
void root_watch_look(struct root_watch *watch);

/* For monitoring: the list of one root. */
struct root_gauge {
	const char *name;
	int64_t this_update, next_update; /* 0: the list cannot be read */
	uint64_t failures; /* looks, since the start, at which it was due or broken and no new one could be made */
};
typedef void root_visit(void *arg, const struct root_gauge *gauge);
/* As the lists are now, whoever made them. Those of which something is known are visited, also if false. */
bool root_watch_gauge(struct root_watch *watch, root_visit *visit, void *arg, struct problem *p) must_use;
void root_watch_free(struct root_watch *watch);
declare_auto_struct(root_watch, root_watch_free);
