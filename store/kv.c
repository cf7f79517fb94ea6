#include "store/kv.h"

#include <assert.h>

static struct kv_txn *top(struct kv_txn *txn)
{
	while (txn->parent)
		txn = txn->parent;
	return txn;
}

static const struct kv_txn *top_const(const struct kv_txn *txn)
{
	while (txn->parent)
		txn = txn->parent;
	return txn;
}

bool kv_failed(const struct kv_txn *txn)
{
	return top_const(txn)->failed;
}

bool kv_dirty(const struct kv_txn *txn)
{
	return top_const(txn)->dirty;
}

bool kv_check(const struct kv_txn *txn, struct problem *p)
{
	const struct kv_txn *t = top_const(txn);

	if (t->failed)
		*p = t->problem;
	return !t->failed;
}

void kv_fail(struct kv_txn *txn, const struct problem *cause)
{
	struct kv_txn *t = top(txn);

	assert(cause->sub_count == 0);
	if (t->failed)
		return;
	t->failed = true;
	t->problem = *cause;
}

bool kv_begin(struct kv *kv, enum kv_mode mode, struct kv_txn **ret, struct problem *p)
{
	return kv->engine->begin(kv, mode, ret, p);
}

bool kv_commit(struct kv_txn **txn, struct problem *p)
{
	struct kv_txn *t = steal(*txn);

	assert(!t->parent && t->write);
	if (!t->failed)
		return t->kv->engine->commit(t, p);
	*p = t->problem;
	t->kv->engine->abort(t);
	return false;
}

/* --- nested parts: a log of what each write replaced, played backwards to drop the part --- */

/* An entry is key, old value, then this: the log is read from its end. */
struct undo {
	uint32_t key, value;
	bool had;
};

static void undo_add(struct kv_txn *txn, struct bytes key, const struct bytes *old)
{
	struct undo u = { .key = (uint32_t)key.len, .value = old ? (uint32_t)old->len : 0, .had = old };
	struct problem p = {0};

	buf_add(&txn->undo, key.data, key.len);
	if (old)
		buf_add(&txn->undo, old->data, old->len);
	buf_add(&txn->undo, &u, sizeof(u));
	if (!buf_check(&txn->undo, &p))
		kv_fail(txn, &p);
}

static void undo_before(struct kv_txn *txn, struct bytes key)
{
	struct kv_txn *t = top(txn);
	struct bytes old;

	if (!txn->parent)
		return;
	bool had = t->kv->engine->get(t, key, &old);
	if (!t->failed)
		undo_add(txn, key, had ? &old : NULL);
}

static void undo_all(struct kv_txn *txn)
{
	struct kv_txn *t = top(txn);
	const struct kv_engine *engine = t->kv->engine;
	size_t end = txn->undo.len;

	while (end > 0 && !t->failed) {
		struct undo u;

		memcpy(&u, txn->undo.data + end - sizeof(u), sizeof(u));
		end -= sizeof(u) + u.key + u.value;
		struct bytes key = BYTES(txn->undo.data + end, u.key);
		if (u.had)
			engine->put(t, key, BYTES(txn->undo.data + end + u.key, u.value));
		else
			engine->delete(t, key);
	}
}

static void nested_free(struct kv_txn *txn)
{
	buf_free(&txn->undo);
	free(txn);
}

bool kv_nest(struct kv_txn *parent, struct kv_txn **ret, struct problem *p)
{
	assert(parent->write);
	if (!kv_check(parent, p))
		return false;
	struct kv_txn *txn = calloc(1, sizeof(*txn));
	if (!txn)
		return problem_memory(p);
	txn->kv = parent->kv;
	txn->parent = parent;
	txn->write = true;
	*ret = txn;
	return true;
}

bool kv_keep(struct kv_txn **nested)
{
	struct kv_txn *txn = steal(*nested);
	struct kv_txn *parent = txn->parent;
	struct problem p = {0};

	assert(parent);
	if (parent->parent) {
		buf_add(&parent->undo, txn->undo.data, txn->undo.len);
		if (!buf_check(&parent->undo, &p))
			kv_fail(parent, &p);
	}
	nested_free(txn);
	return !kv_failed(parent);
}

void kv_abort(struct kv_txn **txn)
{
	struct kv_txn *t = steal(*txn);

	if (!t)
		return;
	if (!t->parent) {
		t->kv->engine->abort(t);
		return;
	}
	undo_all(t);
	nested_free(t);
}

/* --- reading and writing --- */

static void check_key(struct bytes key)
{
	assert(key.len > 0 && key.len <= KV_KEY_MAX);
}

static void check_write(const struct kv_txn *txn, struct bytes key, struct bytes value)
{
	assert(txn->write);
	assert(value.len <= BUF_MAX);
	check_key(key);
}

bool kv_get(struct kv_txn *txn, struct bytes key, struct bytes *ret)
{
	struct kv_txn *t = top(txn);

	check_key(key);
	return !t->failed && t->kv->engine->get(t, key, ret);
}

void kv_put(struct kv_txn *txn, struct bytes key, struct bytes value)
{
	struct kv_txn *t = top(txn);

	check_write(txn, key, value);
	if (!t->failed)
		undo_before(txn, key);
	if (t->failed)
		return;
	t->dirty = true;
	t->kv->engine->put(t, key, value);
}

bool kv_put_new(struct kv_txn *txn, struct bytes key, struct bytes value)
{
	struct kv_txn *t = top(txn);

	check_write(txn, key, value);
	if (t->failed || !t->kv->engine->put_new(t, key, value))
		return false;
	t->dirty = true;
	if (txn->parent)
		undo_add(txn, key, NULL);
	return !t->failed;
}

void kv_delete(struct kv_txn *txn, struct bytes key)
{
	struct kv_txn *t = top(txn);

	check_write(txn, key, BYTES(NULL, 0));
	if (!t->failed)
		undo_before(txn, key);
	if (t->failed)
		return;
	t->dirty = true;
	t->kv->engine->delete(t, key);
}

void kv_scan(struct kv_txn *txn, struct bytes prefix, struct bytes from, kv_visit *visit, void *arg)
{
	struct kv_txn *t = top(txn);

	if (!t->failed)
		t->kv->engine->scan(t, prefix, bytes_compare(from, prefix) < 0 ? prefix : from, visit, arg);
}

/* The first key after all that begin with prefix; empty: nothing can come after them. */
static struct bytes prefix_end(struct bytes prefix, uint8_t room[KV_KEY_MAX])
{
	size_t n = prefix.len;

	while (n > 0 && prefix.data[n - 1] == 0xff)
		n--;
	if (n == 0)
		return BYTES(NULL, 0);
	memcpy(room, prefix.data, n);
	room[n - 1]++;
	return BYTES(room, n);
}

void kv_scan_back(struct kv_txn *txn, struct bytes prefix, struct bytes before, kv_visit *visit, void *arg)
{
	struct kv_txn *t = top(txn);
	uint8_t room[KV_KEY_MAX];
	struct bytes end = prefix_end(prefix, room);

	if (end.len > 0 && (before.len == 0 || bytes_compare(end, before) < 0))
		before = end;
	if (!t->failed)
		t->kv->engine->scan_back(t, prefix, before, visit, arg);
}

/* --- the whole store --- */

bool kv_grow(struct kv *kv, struct problem *p)
{
	return kv->engine->grow(kv, p);
}

bool kv_own(struct kv *kv, struct problem *p)
{
	return !kv->engine->own || kv->engine->own(kv, p);
}

bool kv_backup(struct kv *kv, const char *folder, struct problem *p)
{
	return kv->engine->backup(kv, folder, p);
}

void kv_close(struct kv *kv)
{
	if (kv)
		kv->engine->close(kv);
}
