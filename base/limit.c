#include "base/limit.h"

#include <assert.h>
#include <limits.h>
#include <pthread.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/random.h"

/* A bucket is one number, `full_at`: when it will be full again (the generic cell rate algorithm).
 * A token taken moves it one interval into the future; it may not lie more than burst intervals
 * ahead. Buckets hang in chains from a hash table, for finding, and are ordered in a heap by
 * full_at, so that the fullest one is at hand when room is needed. */

static const int64_t SECOND = 1000000000;
enum { ID_SIZE = 16, NONE = 0 }; /* the bucket 0 is not used, so that fresh memory has empty chains */

struct bucket {
	uint8_t id[ID_SIZE]; /* salted hash of the key: of one size, and not to be steered by clients */
	int64_t full_at;     /* monotonic, nanoseconds */
	int32_t next;        /* in its chain; NONE ends it */
	int32_t place;       /* in the heap */
};

struct limit {
	int64_t interval, window; /* of one token, of all; nanoseconds. interval 0: no limit */
	uint8_t salt[ID_SIZE];
	pthread_mutex_t mutex; /* guards all below */
	struct bucket *buckets;   /* one table, most of it empty most of the time, with what follows */
	int32_t *heap, *chains;
	int32_t count, count_max;
};

static int32_t *chain_of(struct limit *l, const uint8_t id[ID_SIZE])
{
	uint32_t hash;

	memcpy(&hash, id, sizeof(hash));
	return &l->chains[hash % (uint32_t)l->count_max];
}

static struct bucket *bucket_find(struct limit *l, const uint8_t id[ID_SIZE])
{
	for (int32_t i = *chain_of(l, id); i != NONE; i = l->buckets[i].next)
		if (memcmp(l->buckets[i].id, id, ID_SIZE) == 0)
			return &l->buckets[i];
	return NULL;
}

static void chain_add(struct limit *l, int32_t index)
{
	int32_t *head = chain_of(l, l->buckets[index].id);

	l->buckets[index].next = *head;
	*head = index;
}

static void chain_remove(struct limit *l, int32_t index)
{
	int32_t *link = chain_of(l, l->buckets[index].id);

	while (*link != index)
		link = &l->buckets[*link].next;
	*link = l->buckets[index].next;
}

static void heap_set(struct limit *l, int32_t place, int32_t index)
{
	l->heap[place] = index;
	l->buckets[index].place = place;
}

/* full_at only ever grows, so a bucket only ever moves away from the root. */
static void heap_sink(struct limit *l, int32_t place)
{
	int32_t index = l->heap[place], child;

	while ((child = 2 * place + 1) < l->count) {
		if (child + 1 < l->count &&
		    l->buckets[l->heap[child + 1]].full_at < l->buckets[l->heap[child]].full_at)
			child++;
		if (l->buckets[l->heap[child]].full_at >= l->buckets[index].full_at)
			break;
		heap_set(l, place, l->heap[child]);
		place = child;
	}
	heap_set(l, place, index);
}

/* A new bucket is full, so it enters at the root, and the path to the free place moves down by one. */
static void heap_push_root(struct limit *l, int32_t index)
{
	int32_t place = l->count++;

	for (; place > 0; place = (place - 1) / 2)
		heap_set(l, place, l->heap[(place - 1) / 2]);
	heap_set(l, 0, index);
}

/* A full bucket for the key, in place of the fullest one when the table is full. */
static struct bucket *bucket_new(struct limit *l, const uint8_t id[ID_SIZE])
{
	bool full = l->count == l->count_max;
	int32_t index = full ? l->heap[0] : l->count + 1;
	struct bucket *b = &l->buckets[index];

	if (full)
		chain_remove(l, index);
	memcpy(b->id, id, ID_SIZE);
	b->full_at = INT64_MIN;
	if (!full)
		heap_push_root(l, index);
	chain_add(l, index);
	return b;
}

static size_t buckets_size(size_t keys_max)
{
	return (keys_max + 1) * sizeof(struct bucket);
}

static size_t table_size(size_t keys_max)
{
	return buckets_size(keys_max) + 2 * keys_max * sizeof(int32_t);
}

static bool table_new(struct limit *l, size_t keys_max, struct problem *p)
{
	uint8_t *table = mem_table(table_size(keys_max));

	if (!table)
		return problem_memory(p);
	l->buckets = (struct bucket *)table;
	l->heap = (int32_t *)(table + buckets_size(keys_max));
	l->chains = l->heap + keys_max;
	l->count_max = (int32_t)keys_max;
	return true;
}

bool limit_new(unsigned burst, unsigned period, size_t keys_max, struct limit **ret, struct problem *p)
{
	auto_struct(limit) *l = calloc(1, sizeof(*l));

	assert(keys_max > 0 && keys_max <= INT32_MAX / 2);
	if (!l)
		return problem_memory(p);
	pthread_mutex_init(&l->mutex, NULL);
	if (burst > 0) {
		if (period == 0)
			return problem_set(p, PROBLEM_MALFORMED, "a rate limit needs a period of a second or more");
		int64_t interval = period * SECOND / burst;
		l->interval = interval > 0 ? interval : 1;
		l->window = l->interval * burst;
		if (!random_bytes(l->salt, sizeof(l->salt), p) || !table_new(l, keys_max, p))
			return false;
	}
	*ret = steal(l);
	return true;
}

/* SHA-256 of salt and key; a long key is hashed by itself first. */
static void key_id(const struct limit *l, const char *key, uint8_t ret[ID_SIZE])
{
	uint8_t text[ID_SIZE + 256], hash[SHA256_SIZE];
	struct bytes in = BYTES_STR(key);

	if (in.len > sizeof(text) - ID_SIZE) {
		digest_sha256(in, hash);
		in = BYTES(hash, sizeof(hash));
	}
	memcpy(text, l->salt, ID_SIZE);
	memcpy(text + ID_SIZE, in.data, in.len);
	digest_sha256(BYTES(text, ID_SIZE + in.len), hash);
	memcpy(ret, hash, ID_SIZE);
}

/* Nanoseconds until there is a token; 0 or less: it has been taken. */
static int64_t take_locked(struct limit *l, const uint8_t id[ID_SIZE], int64_t now)
{
	struct bucket *b = bucket_find(l, id) ?: bucket_new(l, id);
	int64_t full_at = (b->full_at > now ? b->full_at : now) + l->interval;
	int64_t wait = full_at - now - l->window;

	if (wait <= 0) {
		b->full_at = full_at;
		heap_sink(l, b->place);
	}
	return wait;
}

static int64_t look_locked(struct limit *l, const uint8_t id[ID_SIZE], int64_t now)
{
	const struct bucket *b = bucket_find(l, id);

	return b && b->full_at > now ? b->full_at + l->interval - now - l->window : 0;
}

typedef int64_t ask_locked(struct limit *l, const uint8_t id[ID_SIZE], int64_t now);

static bool ask(struct limit *limit, const char *key, ask_locked *how, int *ret_wait)
{
	uint8_t id[ID_SIZE];

	if (limit->interval == 0)
		return true;
	key_id(limit, key, id);
	pthread_mutex_lock(&limit->mutex);
	int64_t wait = how(limit, id, clock_monotonic_ms() * (SECOND / 1000));
	pthread_mutex_unlock(&limit->mutex);
	if (wait <= 0)
		return true;
	int64_t seconds = (wait + SECOND - 1) / SECOND;
	*ret_wait = seconds < INT_MAX ? (int)seconds : INT_MAX;
	return false;
}

bool limit_take(struct limit *limit, const char *key, int *ret_wait)
{
	return ask(limit, key, take_locked, ret_wait);
}

bool limit_has(struct limit *limit, const char *key, int *ret_wait)
{
	return ask(limit, key, look_locked, ret_wait);
}

void limit_free(struct limit *limit)
{
	if (!limit)
		return;
	pthread_mutex_destroy(&limit->mutex);
	mem_table_free(limit->buckets, table_size((size_t)limit->count_max));
	free(limit);
}
