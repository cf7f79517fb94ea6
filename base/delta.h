/* Delta: bytes told as pieces of a reference that looks much like them, and what is new between.
 *
 * A delta is a run of steps: the number of new bytes, these, the length of a copy less DELTA_COPY_MIN, and how
 * far back in reference-and-output it begins, 0 for as far as the last one. The last step may end after its new
 * bytes. Numbers are 7 bits a byte, lowest first, the high bit on all but the last. Any thread. */
#pragma once

#include "base/bytes.h"

enum { DELTA_COPY_MIN = 4 };
/* Appends the delta of in to ret; memory that is out makes ret fail. */
void delta_encode(struct bytes reference, struct bytes in, struct buf *ret);
/* Appends what was encoded. false: it is no delta to this reference, has more than max bytes, or memory is out. */
bool delta_decode(struct bytes reference, struct bytes delta, size_t max, struct buf *ret) must_use;
