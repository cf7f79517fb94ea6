/* What the files about the life of CAs share. Internal to ca/life.c, ca/outside.c and ca/rollover.c. */
#pragma once

#include "ca/life.h"

bool life_key(const struct life *life, const char *name, EVP_PKEY **ret, struct problem *p) must_use;
/* A new key of the terms, and its file. */
bool life_key_make(const struct life *life, const char *name, const struct life_terms *terms, EVP_PKEY **ret,
                   struct change *change, struct problem *p) must_use;
/* The file that says in which token the key is. */
bool life_put_uri(const char *name, const char *uri, struct change *change, struct problem *p) must_use;
/* The name constraints that are wanted, or those of the certificate before, which may be NULL. */
bool life_set_names(const struct life_terms *terms, X509 *before, NAME_CONSTRAINTS **ret, struct problem *p) must_use;
int life_path_length(const struct life_terms *terms, X509 *before);
bool life_put_successor(const char *name, const char *successor, struct change *change, struct problem *p) must_use;
