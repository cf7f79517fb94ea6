/* Secret: where the passphrase of the CA's keys comes from. The passphrase is locked in memory
 * where the system allows it and wiped when freed. */
#pragma once

#include "base/bytes.h"

/* At most one of the three is set; none: the file `passphrase` beside the keys. */
struct secret_source {
	const char *file;        /* a path; others must not be able to read it */
	const char *environment; /* name of a variable; removed from the environment when read */
	const char *credential;  /* name in $CREDENTIALS_DIRECTORY (systemd) */
};
/* Reads the passphrase; one final newline is dropped. Never empty. NOT_FOUND names the place. */
bool secret_read(const struct secret_source *source, const char *folder, struct buf *ret, struct problem *p) must_use;
