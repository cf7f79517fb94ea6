/* Label: what a path of EST leads to (RFC 7030, 3.2.2): a profile, and how its clients are served there.
 *
 * `struct labels` is an immutable, reference-counted set together with the profiles that it leads to: a reload
 * makes a new one and the old lives until the last request that began with it has ended. Any thread. */
#pragma once

#include "policy/profile.h"

enum { LABEL_SEGMENTS_MAX = 3 };

enum label_wrap {
	LABEL_WRAP_AUTO,     /* by what is known of clients: est/text.c */
	LABEL_WRAP_LINES,    /* always in lines of 64 */
	LABEL_WRAP_NEVER,    /* always on one line */
};
struct label {
	char *name;                /* "factory/line-1"; "": the path without a label */
	char *profile;             /* its name */
	enum label_wrap wrap;
	bool cacerts_smime_type;   /* cacerts says smime-type=certs-only too */
	bool any_content_type;     /* requests are taken whatever their Content-Type says */
	unsigned retry_after;      /* seconds until who waits for people is to ask again */
};
struct labels_options {
	struct label *list;
	size_t count;
	bool profiles;             /* the name of each profile that is open to EST is a label too */
};

/* One to three segments, of the characters of RFC 3986's unreserved, none of them an operation; or "". MALFORMED. */
bool label_check(const char *name, struct problem *p) must_use;

struct labels;
/* Copies the options, takes a reference to the profiles. The path without a label is that of the default profile
 * unless the options have one of that name. MALFORMED: a name twice, or no such profile. References: 1. */
bool labels_new(const struct labels_options *options, struct profiles *profiles, struct labels **ret,
                struct problem *p) must_use;
struct labels *labels_ref(struct labels *labels);
void labels_unref(struct labels *labels);
declare_auto_struct(labels, labels_unref);
/* NULL: there is none, or its profile is not open to EST. */
const struct label *labels_find(const struct labels *labels, const char *name);
const struct profiles *labels_profiles(const struct labels *labels);
