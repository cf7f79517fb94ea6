#include <assert.h>

#include "store/audit_inside.h"

static const char *const fault_names[] = {
#define X(name, text, meaning) [AUDIT_FAULT_##name] = text,
	AUDIT_FAULTS(X)
#undef X
};

const char *audit_fault_name(enum audit_fault fault)
{
	assert((size_t)fault < array_length(fault_names));
	return fault_names[fault];
}

void audit_check_tell(const struct audit_check *check, struct buf *ret)
{
	switch (check->fault) {
#define X(name, text, meaning)                                                       \
	case AUDIT_FAULT_##name:                                                     \
		buf_printf(ret, meaning, (unsigned long long)check->seq);            \
		break;
		AUDIT_FAULTS(X)
#undef X
	}
}

/* --- one event --- */

/* Whether the value is the event of that number, as this store wrote it. */
static bool is_event(const struct audit_keeper *keeper, uint64_t seq, const struct audit_stored *stored)
{
	uint8_t hash[SHA256_SIZE], mac[AUDIT_MAC_SIZE];
	struct audit_start start;

	digest_sha256(stored->line, hash);
	audit_mac(keeper, AUDIT_MAC_EVENT, seq, hash, mac);
	return memcmp(hash, stored->hash, sizeof(hash)) == 0 && mem_equal_secret(mac, stored->mac, sizeof(mac)) &&
	       audit_start_read(stored->line, &start) && start.seq == seq;
}

/* Whether event seq stands at that place. */
static bool stands_at(struct store_txn *txn, uint64_t seq, uint64_t place)
{
	auto_value(buf) room = {0};
	struct audit_stored stored;
	struct bytes value;
	struct key key;

	audit_key(&key, place);
	return kv_get(txn->kv, key_bytes(&key), &value) && audit_split(txn->kv, value, &room, &stored) &&
	       is_event(txn->audit, seq, &stored);
}

/* What is wrong at a place that has something else than its event. */
static enum audit_fault name_fault(struct store_txn *txn, uint64_t seq)
{
	auto_value(buf) room = {0};
	struct audit_stored stored;
	struct audit_start start;
	struct bytes value;
	struct key key;

	audit_key(&key, seq);
	if (!kv_get(txn->kv, key_bytes(&key), &value))
		return AUDIT_FAULT_MISSING;
	bool other = audit_split(txn->kv, value, &room, &stored) && audit_start_read(stored.line, &start) &&
	             is_event(txn->audit, start.seq, &stored);
	if (other && start.seq > seq) /* its event is where that one should be, or nowhere */
		return stands_at(txn, seq, start.seq) ? AUDIT_FAULT_OUT_OF_ORDER : AUDIT_FAULT_MISSING;
	if (other || stands_at(txn, seq, seq + 1))
		return AUDIT_FAULT_INSERTED;
	return AUDIT_FAULT_CHANGED;
}

/* --- the walk --- */

struct walk {
	struct store_txn *txn;
	struct audit_check *check;
	struct buf room;
	size_t limit;
	bool more, wrong;    /* there is more than the limit; the next place is not as it should be */
};

static void found(struct audit_check *check, uint64_t seq, enum audit_fault fault)
{
	check->seq = seq;
	check->fault = fault;
	check->done = true;
}

static bool visit(void *arg, struct bytes key, struct bytes value)
{
	struct walk *w = arg;
	struct audit_check *check = w->check;
	uint64_t seq = check->seq + 1;
	struct audit_stored stored;

	w->more = w->limit-- == 0;
	if (w->more)
		return false;
	w->wrong = audit_seq_of(key) != seq || !audit_split(w->txn->kv, value, &w->room, &stored) ||
	           !is_event(w->txn->audit, seq, &stored);
	if (w->wrong)
		return false;
	if (!audit_follows(stored.line, check->hash)) {
		found(check, seq, AUDIT_FAULT_STRAY);
		return false;
	}
	check->seq = seq;
	memcpy(check->hash, stored.hash, SHA256_SIZE);
	return true;
}

/* At the end of the events the head must tell of the last one, and of that one. */
static bool judge_end(struct store_txn *txn, struct audit_check *check, struct problem *p)
{
	struct audit_head head;

	if (!audit_head_get(txn, &head, p))
		return false;
	if (!head.ours)
		found(check, check->seq, AUDIT_FAULT_HEAD);
	else if (head.seq > check->seq)
		found(check, check->seq + 1, AUDIT_FAULT_MISSING);
	else if (head.seq < check->seq)
		found(check, head.seq + 1, AUDIT_FAULT_INSERTED);
	else if (memcmp(head.hash, check->hash, SHA256_SIZE) != 0)
		found(check, check->seq, AUDIT_FAULT_STRAY);
	check->done = true;
	return true;
}

bool store_audit_check(struct store_txn *txn, struct audit_check *check, size_t limit, struct problem *p)
{
	struct walk w = { .txn = txn, .check = check, .limit = limit };
	struct key prefix, from;

	assert(!check->done && limit > 0);
	key_begin(&prefix, KEY_AUDIT);
	audit_key(&from, check->seq);
	if (check->seq > 0) /* whatever comes after it, also what is no key of ours */
		key_add(&from, BYTES("", 1));
	kv_scan(txn->kv, key_bytes(&prefix), key_bytes(&from), visit, &w);
	bool read = buf_check(&w.room, p);
	buf_free(&w.room);
	if (!read)
		return false;
	if (w.wrong)
		found(check, check->seq + 1, name_fault(txn, check->seq + 1));
	return kv_check(txn->kv, p) && (check->done || w.more || judge_end(txn, check, p));
}
