/* How events lie in the store. Internal to store/.
 *
 * An event's value is its hash, its MAC and its line, packed (store/packed.h) as those of its kind; the head's the
 * last number, that event's hash and a MAC. */
#pragma once

#include "store/audit.h"
#include "store/table.h"

enum { AUDIT_KEY_SIZE = 32, AUDIT_MAC_SIZE = 16, AUDIT_SEQ_SIZE = 8 };
enum { AUDIT_HEAD_SIZE = AUDIT_SEQ_SIZE + SHA256_SIZE + AUDIT_MAC_SIZE };

/* One a store. The head is the last one that this process has written, so that most events need not judge
 * it; it is touched in write transactions alone, of which there is one at a time. */
struct audit_keeper {
	uint8_t key[AUDIT_KEY_SIZE];
	uint8_t head[AUDIT_HEAD_SIZE];
};
void audit_keeper_init(struct audit_keeper *keeper, const struct seal *seal);

struct audit_stored {
	const uint8_t *hash, *mac;
	struct bytes line;
};
/* The line may lie in room, which is used anew by each call. false: it is no event. */
bool audit_split(struct kv_txn *kv, struct bytes value, struct buf *room, struct audit_stored *ret) must_use;
void audit_key(struct key *key, uint64_t seq);
uint64_t audit_seq_of(struct bytes key); /* 0: no event's */

/* The two MACs differ in their first byte, so that none can stand for the other. */
enum audit_mac_use { AUDIT_MAC_EVENT = 'e', AUDIT_MAC_HEAD = 'h' };
void audit_mac(const struct audit_keeper *keeper, enum audit_mac_use use, uint64_t seq, const uint8_t hash[SHA256_SIZE],
               uint8_t ret[AUDIT_MAC_SIZE]);

struct audit_head {
	uint64_t seq;              /* 0: there is none yet */
	uint8_t hash[SHA256_SIZE]; /* zeros then */
	bool ours;                 /* its MAC fits */
};
bool audit_head_get(struct store_txn *txn, struct audit_head *ret, struct problem *p) must_use;

/* What every line begins with. false: a line that we have not written. */
struct audit_start {
	uint64_t seq;
	int64_t time;
	struct bytes kind;         /* borrowed from the line */
};
bool audit_start_read(struct bytes line, struct audit_start *ret) must_use;
/* Whether its last member is that hash. */
bool audit_follows(struct bytes line, const uint8_t previous[SHA256_SIZE]) must_use;

/* The "about" of the facts, with its braces. Appended. */
void audit_about_write(const struct audit_fact *facts, struct buf *ret);
/* An event whose "about" is written already, and that stands for so many of its kind (0, 1: itself). */
struct audit_draft {
	enum audit_kind kind;
	int64_t time;
	const char *actor, *from;
	struct bytes about;
	int64_t times;
};
bool audit_draft_add(struct store_txn *txn, const struct audit_draft *draft, struct problem *p) must_use;
