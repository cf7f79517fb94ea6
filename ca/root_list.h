/* Root list: the CRL of a root, which is a file, NAME.crl in the CA's folder. It is made where the root's key is:
 * by a command, or by the server in time, where the folder's passphrase opens it. One thread for each root; two
 * processes at once: CONFLICT for one. */
#pragma once

#include "ca/crl_make.h"
#include "ca/life.h"

enum { ROOT_LIST_LIFETIME = 365 * 86400 };

/* The roots whose key is here. */
bool root_list_names(const struct life *life, struct strings *ret, struct problem *p) must_use;
/* Makes it, tells the audit log that the actor did, and writes the file; actor NULL: it is told otherwise. */
bool root_list_make(const struct life *life, struct store *store, const char *name, int64_t lifetime, const char *actor,
                    struct crl **ret, struct problem *p) must_use;
/* Whether there is a root whose key is here, and which has no list yet. */
bool root_list_missing(const struct life *life, bool *ret, struct problem *p) must_use;
/* Makes NAME.crl of each root whose key is here and which has none yet. */
bool root_list_complete(const struct life *life, struct store *store, struct problem *p) must_use;
