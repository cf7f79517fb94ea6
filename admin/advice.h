/* Advice: an operator's word to the clients of certificates that they are to be renewed now (RFC 9773), without
 * revoking them. Internal to admin/. */
#pragma once

#include "admin/search.h"

struct advice {
	const char *filter;        /* what was asked for, in words, for the audit log */
	const char *why;           /* URL of a page that explains it; NULL */
	int64_t now;
	int64_t over;              /* seconds over which the renewals are spread; 0: all at once */
	bool undo;                 /* the profile's window again */
	const char *actor, *from;  /* of the audit events; from NULL: none */
};
/* MALFORMED: what clients could not use. */
bool advice_check(const struct advice *advice, struct problem *p) must_use;
/* One page of what the search finds: those that are valid, of our own, and not renewed yet. One update, and with it the
 * event that tells of it. ret_count: how many, added to what it was. */
bool advice_give(struct store *store, struct search *search, const struct advice *advice, size_t *ret_count,
                 struct problem *p) must_use;
