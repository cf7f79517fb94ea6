/* The engine in memory: a sorted array that a write transaction copies. Each state of the array is
 * immutable once committed, so a reader keeps the one it began with. Not durable. */
#include "store/kv.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>

struct item {
	atomic_size_t refs;
	size_t key_len, value_len;
	uint8_t data[]; /* key, value */
};
struct state {
	atomic_size_t refs;
	size_t n, cap;
	struct item **v;
};
struct memory {
	struct kv kv;
	pthread_mutex_t lock;   /* current */
	pthread_mutex_t writer; /* held by the write transaction */
	struct state *current;
};
struct memory_txn {
	struct kv_txn txn;
	struct state *state;
};

static struct memory *memory_of(struct kv_txn *txn)
{
	return (struct memory *)txn->kv;
}

static struct bytes item_key(const struct item *item)
{
	return BYTES(item->data, item->key_len);
}

static struct bytes item_value(const struct item *item)
{
	return BYTES(item->data + item->key_len, item->value_len);
}

static struct item *item_new(struct bytes key, struct bytes value)
{
	struct item *item = malloc(sizeof(*item) + key.len + value.len);

	if (!item)
		return NULL;
	atomic_init(&item->refs, 1);
	item->key_len = key.len;
	item->value_len = value.len;
	memcpy(item->data, key.data, key.len);
	if (value.len > 0)
		memcpy(item->data + key.len, value.data, value.len);
	return item;
}

static void item_drop(struct item *item)
{
	if (atomic_fetch_sub(&item->refs, 1) == 1)
		free(item);
}

static void state_drop(struct state *state)
{
	if (!state || atomic_fetch_sub(&state->refs, 1) != 1)
		return;
	for (size_t i = 0; i < state->n; i++)
		item_drop(state->v[i]);
	free(state->v);
	free(state);
}

static struct state *state_copy(const struct state *from)
{
	struct state *state = calloc(1, sizeof(*state));
	size_t cap = from->n + 16;

	if (!state)
		return NULL;
	state->v = malloc(cap * sizeof(struct item *));
	if (!state->v) {
		free(state);
		return NULL;
	}
	atomic_init(&state->refs, 1);
	state->cap = cap;
	state->n = from->n;
	for (size_t i = 0; i < from->n; i++) {
		state->v[i] = from->v[i];
		atomic_fetch_add(&state->v[i]->refs, 1);
	}
	return state;
}

static bool state_reserve(struct state *state)
{
	if (state->n < state->cap)
		return true;
	struct item **v = realloc(state->v, state->cap * 2 * sizeof(struct item *));
	if (!v)
		return false;
	state->v = v;
	state->cap *= 2;
	return true;
}

/* The place of the first key that is not before key. */
static size_t state_find(const struct state *state, struct bytes key, bool *ret_found)
{
	size_t low = 0, high = state->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (bytes_compare(item_key(state->v[mid]), key) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	*ret_found = low < state->n && bytes_compare(item_key(state->v[low]), key) == 0;
	return low;
}

static bool memory_begin(struct kv *kv, enum kv_mode mode, struct kv_txn **ret, struct problem *p)
{
	struct memory *memory = (struct memory *)kv;
	struct memory_txn *txn = calloc(1, sizeof(*txn));

	if (!txn)
		return problem_memory(p);
	if (mode == KV_WRITE)
		pthread_mutex_lock(&memory->writer);
	pthread_mutex_lock(&memory->lock);
	txn->state = memory->current;
	atomic_fetch_add(&txn->state->refs, 1);
	pthread_mutex_unlock(&memory->lock);
	txn->txn.kv = kv;
	txn->txn.write = mode == KV_WRITE;
	*ret = &txn->txn;
	return true;
}

static void memory_abort(struct kv_txn *txn)
{
	struct memory *memory = memory_of(txn);

	if (txn->write)
		pthread_mutex_unlock(&memory->writer);
	state_drop(((struct memory_txn *)txn)->state);
	free(txn);
}

static bool memory_commit(struct kv_txn *txn, struct problem *p)
{
	struct memory *memory = memory_of(txn);
	struct memory_txn *t = (struct memory_txn *)txn;

	(void)p;
	pthread_mutex_lock(&memory->lock);
	struct state *old = memory->current;
	memory->current = t->state;
	t->state = old;
	pthread_mutex_unlock(&memory->lock);
	memory_abort(txn);
	return true;
}

/* The transaction's own copy, made at its first write. */
static struct state *writable(struct kv_txn *txn)
{
	struct memory_txn *t = (struct memory_txn *)txn;
	struct problem p = {0};

	if (t->state == memory_of(txn)->current) {
		struct state *copy = state_copy(t->state);
		if (copy) {
			state_drop(t->state);
			t->state = copy;
		}
	}
	if (t->state != memory_of(txn)->current && state_reserve(t->state))
		return t->state;
	problem_memory(&p);
	kv_fail(txn, &p);
	return NULL;
}

static bool memory_get(struct kv_txn *txn, struct bytes key, struct bytes *ret)
{
	const struct state *state = ((struct memory_txn *)txn)->state;
	bool found;
	size_t at = state_find(state, key, &found);

	if (found)
		*ret = item_value(state->v[at]);
	return found;
}

static void memory_put(struct kv_txn *txn, struct bytes key, struct bytes value)
{
	struct state *state = writable(txn);
	struct item *item = item_new(key, value);
	struct problem p = {0};
	bool found;

	if (!state || !item) {
		free(item);
		problem_memory(&p);
		kv_fail(txn, &p);
		return;
	}
	size_t at = state_find(state, key, &found);
	if (found) {
		item_drop(state->v[at]);
	} else {
		memmove(state->v + at + 1, state->v + at, (state->n - at) * sizeof(struct item *));
		state->n++;
	}
	state->v[at] = item;
}

static bool memory_put_new(struct kv_txn *txn, struct bytes key, struct bytes value)
{
	bool found;

	state_find(((struct memory_txn *)txn)->state, key, &found);
	if (found)
		return false;
	memory_put(txn, key, value);
	return !txn->failed;
}

static void memory_delete(struct kv_txn *txn, struct bytes key)
{
	struct state *state = writable(txn);
	bool found;

	if (!state)
		return;
	size_t at = state_find(state, key, &found);
	if (!found)
		return;
	item_drop(state->v[at]);
	state->n--;
	memmove(state->v + at, state->v + at + 1, (state->n - at) * sizeof(struct item *));
}

/* Shows one to visit. false: the scan ends there. */
static bool show(const struct item *item, struct bytes prefix, kv_visit *visit, void *arg)
{
	return bytes_start(item_key(item), prefix) && visit(arg, item_key(item), item_value(item));
}

static void memory_scan(struct kv_txn *txn, struct bytes prefix, struct bytes from, kv_visit *visit, void *arg)
{
	const struct state *state = ((struct memory_txn *)txn)->state;
	bool found;
	size_t i = state_find(state, from, &found);

	while (i < state->n && show(state->v[i], prefix, visit, arg))
		i++;
}

static void memory_scan_back(struct kv_txn *txn, struct bytes prefix, struct bytes before, kv_visit *visit, void *arg)
{
	const struct state *state = ((struct memory_txn *)txn)->state;
	bool found;
	size_t i = before.len > 0 ? state_find(state, before, &found) : state->n;

	while (i > 0 && show(state->v[i - 1], prefix, visit, arg))
		i--;
}

static bool memory_backup(struct kv *kv, const char *folder, struct problem *p)
{
	(void)kv;
	return problem_set(p, PROBLEM_NOT_IMPLEMENTED, "a store in memory cannot be copied to %s", folder);
}

static bool memory_grow(struct kv *kv, struct problem *p)
{
	(void)kv;
	(void)p;
	return false;
}

static void memory_close(struct kv *kv)
{
	struct memory *memory = (struct memory *)kv;

	state_drop(memory->current);
	pthread_mutex_destroy(&memory->lock);
	pthread_mutex_destroy(&memory->writer);
	free(memory);
}

static const struct kv_engine memory_engine = {
	.begin = memory_begin,
	.commit = memory_commit,
	.abort = memory_abort,
	.get = memory_get,
	.put = memory_put,
	.put_new = memory_put_new,
	.delete = memory_delete,
	.scan = memory_scan,
	.scan_back = memory_scan_back,
	.backup = memory_backup,
	.grow = memory_grow,
	.close = memory_close,
};

bool kv_memory_open(struct kv **ret, struct problem *p)
{
	static const struct state nothing;
	struct memory *memory = calloc(1, sizeof(*memory));

	if (!memory || !(memory->current = state_copy(&nothing))) {
		free(memory);
		return problem_memory(p);
	}
	memory->kv.engine = &memory_engine;
	pthread_mutex_init(&memory->lock, NULL);
	pthread_mutex_init(&memory->writer, NULL);
	*ret = &memory->kv;
	return true;
}
