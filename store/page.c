#include "store/table.h"

#include <assert.h>

#include "base/base64.h"

/* What of a key follows the prefix, at most: its base64url fits the page's next. */
enum { REST_MAX = 90 };

struct reading {
	struct store_page page;
	size_t prefix_len, limit;
	bool by_text;
	bool no_memory, damaged;
	bool more;            /* there is an entry after the last of the page */
	uint8_t rest[REST_MAX];
	size_t rest_len;
};

/* Whether what follows the prefix is what this table puts there: a text with its zero byte, or an id at the end. */
static bool is_whole(const struct reading *r, struct bytes rest)
{
	if (rest.len > REST_MAX)
		return false;
	return r->by_text ? rest.len > 0 && memchr(rest.data, '\0', rest.len) == rest.data + rest.len - 1
	                  : rest.len >= KEY_ID_SIZE;
}

static bool add_id(struct reading *r, struct bytes rest)
{
	char id[RANDOM_ID_SIZE];

	if (r->by_text)
		return strings_add(&r->page.ids, (const char *)rest.data);
	key_id_text(rest.data + rest.len - KEY_ID_SIZE, id);
	return strings_add(&r->page.ids, id);
}

static bool visit(void *arg, struct bytes key, struct bytes value)
{
	struct reading *r = arg;
	struct bytes rest = BYTES(key.data + r->prefix_len, key.len - r->prefix_len);

	(void)value;
	if (r->page.ids.n == r->limit) {
		r->more = true;
		return false;
	}
	r->damaged = !is_whole(r, rest);
	r->no_memory = !r->damaged && !add_id(r, rest);
	if (r->damaged || r->no_memory)
		return false;
	memcpy(r->rest, rest.data, rest.len);
	r->rest_len = rest.len;
	return true;
}

static bool set_next(struct reading *r)
{
	auto_value(buf) text = {0};

	if (r->by_text)
		buf_add_str(&text, (const char *)r->rest);
	else
		buf_add_base64url(&text, BYTES(r->rest, r->rest_len));
	if (text.failed)
		return false;
	assert(text.len < sizeof(r->page.next));
	memcpy(r->page.next, buf_text(&text), text.len + 1);
	return true;
}

static bool damaged_key(struct problem *p)
{
	return problem_internal(p, "the store holds a key that cannot be read");
}

/* What was read, or why it was not. */
static bool reading_end(struct store_txn *txn, struct reading *r, struct store_page *ret, struct problem *p)
{
	bool ok = kv_check(txn->kv, p) && (!r->damaged || damaged_key(p)) &&
	          ((!r->no_memory && (!r->more || set_next(r))) || problem_memory(p));

	if (!ok) {
		store_page_free(&r->page);
		return false;
	}
	*ret = r->page;
	return true;
}

bool page_read_from(struct store_txn *txn, const struct key *prefix, const struct key *from, bool by_text,
                    size_t limit, struct store_page *ret, struct problem *p)
{
	struct reading r = { .prefix_len = prefix->len, .limit = limit, .by_text = by_text };

	assert(limit > 0);
	kv_scan(txn->kv, key_bytes(prefix), key_bytes(from), visit, &r);
	return reading_end(txn, &r, ret, p);
}

/* The key of the entry that the cursor stands for; without one the prefix. */
static bool cursor_key(const struct key *prefix, bool by_text, const char *after, struct key *ret)
{
	uint8_t raw[REST_MAX];
	size_t len = strlen(after), size = by_text ? len + 1 : len * 3 / 4;

	*ret = *prefix;
	if (len == 0)
		return true;
	if (size > REST_MAX || (!by_text && !base64url_decode_to(after, len, raw)))
		return false;
	key_add(ret, BYTES(by_text ? (const void *)after : raw, size));
	return true;
}

static bool not_ours(struct problem *p)
{
	static const char text[] = "expected the `next` of a page of the same list";

	problem_add_field(p, PROBLEM_MALFORMED, "after", NULL, "%s", text);
	return problem_settle(p, "after: %s", text);
}

bool page_read(struct store_txn *txn, const struct key *prefix, bool by_text, const char *after, size_t limit,
               struct store_page *ret, struct problem *p)
{
	struct key from;

	if (!cursor_key(prefix, by_text, after, &from))
		return not_ours(p);
	if (after[0] != '\0')
		key_add(&from, BYTES("", 1)); /* the first key after that one */
	return page_read_from(txn, prefix, &from, by_text, limit, ret, p);
}

bool page_read_back(struct store_txn *txn, const struct key *prefix, const char *after, size_t limit,
                    struct store_page *ret, struct problem *p)
{
	struct reading r = { .prefix_len = prefix->len, .limit = limit };
	struct key before;

	assert(limit > 0);
	if (!cursor_key(prefix, false, after, &before))
		return not_ours(p);
	kv_scan_back(txn->kv, key_bytes(prefix), after[0] != '\0' ? key_bytes(&before) : BYTES(NULL, 0), visit, &r);
	return reading_end(txn, &r, ret, p);
}

bool page_read_ids(struct store_txn *txn, const struct key *prefix, size_t limit, struct strings *ret,
                   struct problem *p)
{
	struct store_page page = {0};

	if (!page_read(txn, prefix, false, "", limit, &page, p))
		return false;
	*ret = page.ids;
	return true;
}

struct due {
	int64_t now;
	size_t limit;
	struct strings *ids;
	bool no_memory, damaged;
};

static bool visit_due(void *arg, struct bytes key, struct bytes value)
{
	struct due *due = arg;
	char id[RANDOM_ID_SIZE];

	(void)value;
	due->damaged = key.len != 1 + KEY_TIME_SIZE + KEY_ID_SIZE;
	if (due->damaged)
		return false;
	if (key_time(key.data + 1) > due->now || due->ids->n == due->limit)
		return false;
	key_id_text(key.data + 1 + KEY_TIME_SIZE, id);
	due->no_memory = !strings_add(due->ids, id);
	return !due->no_memory;
}

bool page_read_due(struct store_txn *txn, const struct key *prefix, int64_t now, size_t limit, struct strings *ret,
                   struct problem *p)
{
	struct due due = { .now = now, .limit = limit, .ids = ret };

	kv_scan(txn->kv, key_bytes(prefix), key_bytes(prefix), visit_due, &due);
	return kv_check(txn->kv, p) && (!due.damaged || damaged_key(p)) && (!due.no_memory || problem_memory(p));
}

struct counting {
	size_t n, max;
};

static bool count_one(void *arg, struct bytes key, struct bytes value)
{
	struct counting *c = arg;

	(void)key;
	(void)value;
	return ++c->n < c->max;
}

bool page_count(struct store_txn *txn, const struct key *prefix, size_t max, size_t *ret, struct problem *p)
{
	struct counting c = { .max = max };

	if (max > 0)
		kv_scan(txn->kv, key_bytes(prefix), key_bytes(prefix), count_one, &c);
	if (!kv_check(txn->kv, p))
		return false;
	*ret = c.n;
	return true;
}

void store_page_free(struct store_page *page)
{
	strings_free(&page->ids);
	page->next[0] = '\0';
}
