/* Packed: values of one kind look much alike (certificates of one profile and issuer, events of one kind), so each
 * is stored as a delta (base/delta.h) to a reference: the first of its kind, kept whole. When what comes has changed
 * so much that little is saved, it becomes the next reference. References are numbered and stay. Internal to store/.
 *
 * A packed value is a zero byte, the reference's number in 4 bytes, and the delta. What begins otherwise is plain, as
 * everything is that is too short, too long or too different. */
#pragma once

#include "store/key.h"

/* What a plain value may be at most, to be packed. */
enum { PACKED_PLAIN_MAX = 16384 };

/* Appends what is to be stored for plain, which does not begin with a zero byte. kind: any text; class keeps kinds of
 * different tables apart. */
bool packed_write(struct kv_txn *kv, enum key_class class, const char *kind, struct bytes plain, struct buf *ret,
                  struct problem *p) must_use;
/* The plain value: a part of value, or of room, whose former content is lost. false: it cannot be
 * read, or room has failed. */
bool packed_read(struct kv_txn *kv, struct bytes value, struct buf *room, struct bytes *ret) must_use;
