/* Delta: bytes told as pieces of a reference that looks much like them, and what is new between (an LZ4 block whose
 * dictionary is the reference; of a longer one the first DELTA_REFERENCE_MAX bytes count). Any thread. */
#pragma once

#include "base/bytes.h"

enum { DELTA_REFERENCE_MAX = 32 * 1024 };
/* Appends the delta of in to ret; memory that is out makes ret fail. */
void delta_encode(struct bytes reference, struct bytes in, struct buf *ret);
/* Appends what was encoded. false: it is no delta to this reference, has more than max bytes, or memory is out. */
bool delta_decode(struct bytes reference, struct bytes delta, size_t max, struct buf *ret) must_use;
