/* Private: files that hold secrets. Used by ca/ alone; any thread. */
#pragma once

#include "base/bytes.h"

/* Reads a whole regular file, at most max bytes. One with any of the mode bits `forbidden` (0077,
 * 0007) is refused with UNAUTHORIZED, before a byte of it is read. NOT_FOUND; MALFORMED when it is larger. */
bool private_read(const char *path, size_t max, unsigned forbidden, struct buf *ret, struct problem *p) must_use;
/* Keeps the buffer out of swap where the system allows it. */
void private_lock(const struct buf *b);
