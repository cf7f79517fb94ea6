/* How certificates lie in the store. Internal to store/. */
#pragma once

#include "store/certificate.h"
#include "store/table.h"

/* RFC 5280, 4.1.2.2: up to 20 octets. */
enum { SERIAL_MAX = 20 };

extern const struct table certificate_table;
/* All entries of a row (struct table). */
void certificate_index(const void *record, struct index *ix);
/* What the entries of a class begin with that has a part of a SHA-256. */
void certificate_key_digest(struct key *key, enum key_class class, struct bytes digest);
