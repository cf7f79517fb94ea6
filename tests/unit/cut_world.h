/* A workload of which one knows what it leaves: update n is a function of n, and the store itself says which was the last. So
 * the updates of any number of threads and processes are in one order, and all that a store holds follows from how
 * many of them it has. */
#pragma once

#include "tests/unit/test_store.h"

#include <assert.h>

#include "tests/unit/power.h"

enum {
	WORLD_KEYS = 48,
	WORLD_CHANGES_MAX = 24,
	WORLD_VALUE_MAX = 40000,
	WORLD_HUGE = 4400000,    /* more than other updates take together in a long while */
	WORLD_HUGE_EACH = 300,
	WORLD_UPDATES_MAX = 8192,
};

struct world_change {
	unsigned key;
	bool delete;
};

/* Pseudo-random, the same for the same two numbers. */
static inline uint64_t world_roll(uint64_t a, uint64_t b)
{
	uint64_t z = a * UINT64_C(0x9e3779b97f4a7c15) + b * UINT64_C(0xd1342543de82ef95) + 1;

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static inline bool world_is_huge(unsigned n)
{
	return n % WORLD_HUGE_EACH == WORLD_HUGE_EACH / 2;
}

/* Few changes each, but now and then many. What is huge goes with the next update. */
static inline size_t world_changes(unsigned n, struct world_change ret[WORLD_CHANGES_MAX])
{
	size_t many = n % 23 == 0 ? WORLD_CHANGES_MAX : 1 + world_roll(n, 1) % 5;

	for (size_t i = 0; i < many; i++) {
		ret[i].key = (unsigned)(world_roll(n, 100 + i) % WORLD_KEYS);
		ret[i].delete = world_roll(n, 200 + i) % 5 == 0;
	}
	if (world_is_huge(n) || world_is_huge(n - 1))
		ret[many - 1] = (struct world_change){ .key = 0, .delete = !world_is_huge(n) };
	return many;
}

/* Most are small; some have pages of their own in LMDB. */
static inline struct bytes world_value(unsigned n, unsigned key, uint8_t room[WORLD_HUGE])
{
	uint64_t kind = world_roll(n, 300 + key) % 20, size = world_roll(n, 400 + key);
	size_t len = kind < 12 ? 8 + size % 200 : kind < 18 ? 600 + size % 2400 : 5000 + size % (WORLD_VALUE_MAX - 5000);

	if (world_is_huge(n) && key == 0)
		len = WORLD_HUGE;
	for (size_t i = 0; i < len; i += 8) {
		uint64_t z = world_roll((uint64_t)n << 32 | key, 500 + i);
		memcpy(room + i, &z, len - i < 8 ? len - i : 8);
	}
	return BYTES(room, len);
}

static inline struct bytes world_key(unsigned key, char room[16])
{
	snprintf(room, 16, "wk%02u", key);
	return BYTES_STR(room);
}

static inline unsigned world_last(struct kv_txn *txn)
{
	struct bytes value;
	unsigned n = 0;

	if (kv_get(txn, BYTES_STR("wn"), &value) && value.len == sizeof(n))
		memcpy(&n, value.data, sizeof(n));
	return n;
}

/* The next update, in a transaction. Says in the log of the disk that it was begun. */
static inline unsigned world_update(struct kv_txn *txn, struct power *disk)
{
	auto_free uint8_t *room = malloc(WORLD_HUGE);
	struct world_change v[WORLD_CHANGES_MAX];
	unsigned n = world_last(txn) + 1;
	char key[16];

	assert(room && n < WORLD_UPDATES_MAX);
	if (disk)
		power_mark(disk, POWER_BEGUN, n);
	size_t many = world_changes(n, v);
	for (size_t i = 0; i < many; i++) {
		if (v[i].delete)
			kv_delete(txn, world_key(v[i].key, key));
		else
			kv_put(txn, world_key(v[i].key, key), world_value(n, v[i].key, room));
	}
	kv_put(txn, BYTES_STR("wn"), BYTES(&n, sizeof(n)));
	return n;
}

/* What is not to stay. */
static inline void world_rubbish(struct kv_txn *txn, unsigned seed)
{
	char key[16];

	for (unsigned i = 0; i < 5; i++) {
		kv_put(txn, world_key((unsigned)(world_roll(seed, i) % WORLD_KEYS), key), BYTES_STR("never to be seen"));
		kv_delete(txn, world_key((unsigned)(world_roll(seed, 10 + i) % WORLD_KEYS), key));
	}
	kv_put(txn, BYTES_STR("wx"), BYTES_STR("never to be seen"));
}

/* By which update each key was written last, of the first n; 0: it is not there. */
static inline void world_state(unsigned n, unsigned ret[WORLD_KEYS])
{
	struct world_change v[WORLD_CHANGES_MAX];

	memset(ret, 0, WORLD_KEYS * sizeof(*ret));
	for (unsigned u = 1; u <= n; u++) {
		size_t many = world_changes(u, v);
		for (size_t i = 0; i < many; i++)
			ret[v[i].key] = v[i].delete ? 0 : u;
	}
}

struct world_walk {
	unsigned state[WORLD_KEYS];
	unsigned next;  /* key that has not been met */
	uint8_t *room;
	char *why;
};

static inline bool world_visit(void *arg, struct bytes key, struct bytes value)
{
	struct world_walk *w = arg;
	char name[16];

	if (bytes_equal(key, BYTES_STR("wn")))
		return true;
	while (w->next < WORLD_KEYS && w->state[w->next] == 0)
		w->next++;
	unsigned k = w->next++;
	if (k >= WORLD_KEYS || !bytes_equal(key, world_key(k, name)))
		snprintf(w->why, 256, "key %.*s is there, awaited was %u", (int)key.len, (const char *)key.data, k);
	else if (!bytes_equal(value, world_value(w->state[k], k, w->room)))
		snprintf(w->why, 256, "key %u has not the value of update %u", k, w->state[k]);
	return w->why[0] == '\0';
}

/* Whether it holds what some number of updates from least to most leave, and nothing else. */
static inline bool world_check(struct kv *kv, unsigned least, unsigned most, unsigned *ret_last, char why[256])
{
	struct world_walk w = { .room = malloc(WORLD_HUGE), .why = why };
	struct kv_txn *txn = NULL;
	struct problem p = {0};

	why[0] = '\0';
	if (!kv_begin(kv, KV_READ, &txn, &p)) {
		snprintf(why, 256, "begin: %.200s", problem_cause(&p));
	} else {
		unsigned n = *ret_last = world_last(txn);
		world_state(n, w.state);
		kv_scan(txn, BYTES_STR("w"), BYTES(NULL, 0), world_visit, &w);
		if (!kv_check(txn, &p))
			snprintf(why, 256, "walk: %.200s", problem_cause(&p));
		else if (n < least || n > most)
			snprintf(why, 256, "update %u is the last, not one of %u to %u", n, least, most);
		while (why[0] == '\0' && w.next < WORLD_KEYS)
			if (w.state[w.next++] != 0)
				snprintf(why, 256, "key %u is not there", w.next - 1);
		kv_abort(&txn);
	}
	free(w.room);
	return why[0] == '\0';
}
