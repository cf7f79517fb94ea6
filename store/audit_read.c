#include <assert.h>

#include "base/clock.h"
#include "store/audit_inside.h"
#include "store/packed.h"

enum { TIME_LEN = CLOCK_RFC3339_SIZE - 1, HEX_LEN = 2 * SHA256_SIZE };

bool audit_split(struct kv_txn *kv, struct bytes value, struct buf *room, struct audit_stored *ret)
{
	enum { BEFORE_LINE = SHA256_SIZE + AUDIT_MAC_SIZE };

	if (value.len <= BEFORE_LINE)
		return false;
	ret->hash = value.data;
	ret->mac = value.data + SHA256_SIZE;
	return packed_read(kv, BYTES(value.data + BEFORE_LINE, value.len - BEFORE_LINE), room, &ret->line);
}

/* --- the two ends of a line, which all lines have in one form --- */

static bool take_time(struct bytes *rest, int64_t *ret)
{
	char text[CLOCK_RFC3339_SIZE];

	if (rest->len < TIME_LEN)
		return false;
	memcpy(text, rest->data, TIME_LEN);
	text[TIME_LEN] = '\0';
	*rest = BYTES(rest->data + TIME_LEN, rest->len - TIME_LEN);
	return clock_parse(text, ret);
}

bool audit_start_read(struct bytes line, struct audit_start *ret)
{
	if (!bytes_take_text(&line, "{\"seq\":") || !bytes_take_decimal(&line, &ret->seq) || !bytes_take_text(&line, ",\"time\":\"") ||
	    !take_time(&line, &ret->time) || !bytes_take_text(&line, "\",\"kind\":\""))
		return false;
	const uint8_t *end = memchr(line.data, '"', line.len);
	if (!end)
		return false;
	ret->kind = BYTES(line.data, (size_t)(end - line.data));
	return true;
}

bool audit_follows(struct bytes line, const uint8_t previous[SHA256_SIZE])
{
	static const char before[] = ",\"previous\":\"", after[] = "\"}";
	enum { LEN = sizeof(before) - 1 + HEX_LEN + sizeof(after) - 1 };
	auto_value(buf) want = {0};

	buf_add_str(&want, before);
	buf_add_hex(&want, BYTES(previous, SHA256_SIZE));
	buf_add_str(&want, after);
	return !want.failed && want.len == LEN && line.len > LEN &&
	       memcmp(line.data + line.len - LEN, want.data, LEN) == 0;
}

/* --- pages --- */

void audit_page_free(struct audit_page *page)
{
	for (size_t i = 0; i < page->n; i++)
		free(page->v[i].line);
	free(page->v);
	*page = (struct audit_page){0};
}

struct reading {
	struct kv_txn *kv;
	struct buf room;
	const struct audit_query *query;
	size_t limit, looked;
	struct audit_page page;
	bool no_memory, more;
};

static bool wanted(const struct audit_query *query, const struct audit_start *start)
{
	return (!query->kind || bytes_equal(start->kind, BYTES_STR(query->kind))) && start->time >= query->since;
}

static bool copy(struct reading *r, uint64_t seq, const struct audit_stored *stored, int64_t time)
{
	struct audit_entry *entry = &r->page.v[r->page.n];
	char *line = strndup((const char *)stored->line.data, stored->line.len);

	if (!line)
		return false;
	*entry = (struct audit_entry){ .seq = seq, .time = time, .line = line };
	memcpy(entry->hash, stored->hash, SHA256_SIZE);
	r->page.n++;
	return true;
}

/* What cannot be read is shown where everything is. */
static bool visit(void *arg, struct bytes key, struct bytes value)
{
	struct reading *r = arg;
	struct audit_start start = {0};
	struct audit_stored stored;
	uint64_t seq = audit_seq_of(key);

	r->more = r->page.n == r->limit || r->looked++ == AUDIT_LOOK_MAX;
	if (r->more)
		return false;
	r->page.after = seq > r->page.after ? seq : r->page.after;
	if (!audit_split(r->kv, value, &r->room, &stored)) {
		r->no_memory = r->room.failed;
		return !r->no_memory;
	}
	if (!audit_start_read(stored.line, &start))
		start = (struct audit_start){ .kind = BYTES("", 0) };
	r->no_memory = wanted(r->query, &start) && !copy(r, seq, &stored, start.time);
	return !r->no_memory;
}

static void scan(struct store_txn *txn, uint64_t after, kv_visit *each, void *arg)
{
	struct key prefix, from;

	key_begin(&prefix, KEY_AUDIT);
	audit_key(&from, after == UINT64_MAX ? after : after + 1);
	kv_scan(txn->kv, key_bytes(&prefix), key_bytes(&from), each, arg);
}

bool store_audit_read(struct store_txn *txn, const struct audit_query *query, uint64_t after, size_t limit,
                      struct audit_page *ret, struct problem *p)
{
	struct reading r = { .kv = txn->kv, .query = query, .limit = limit, .page.after = after };

	assert(limit > 0 && limit <= AUDIT_LOOK_MAX);
	r.page.v = calloc(limit, sizeof(*r.page.v));
	if (!r.page.v)
		return problem_memory(p);
	scan(txn, after, visit, &r);
	buf_free(&r.room);
	bool ok = kv_check(txn->kv, p) && (!r.no_memory || problem_memory(p));
	if (!ok) {
		audit_page_free(&r.page);
		return false;
	}
	r.page.end = !r.more;
	*ret = r.page;
	return true;
}

bool store_audit_last(struct store_txn *txn, uint64_t *ret, struct problem *p)
{
	struct audit_head head;

	if (!audit_head_get(txn, &head, p))
		return false;
	*ret = head.seq;
	return true;
}

/* --- by time --- */

/* The time of an event; 0 where there is none that can be read. */
static int64_t time_of(struct store_txn *txn, uint64_t seq)
{
	auto_value(buf) room = {0};
	struct audit_stored stored;
	struct audit_start start;
	struct bytes value;
	struct key key;

	audit_key(&key, seq);
	return kv_get(txn->kv, key_bytes(&key), &value) && audit_split(txn->kv, value, &room, &stored) &&
	       audit_start_read(stored.line, &start) ? start.time : 0;
}

bool store_audit_seek(struct store_txn *txn, int64_t since, uint64_t *ret_after, struct problem *p)
{
	uint64_t before = 0, from;

	if (!store_audit_last(txn, &from, p))
		return false;
	for (from++; from - before > 1;) {
		uint64_t middle = before + (from - before) / 2;

		if (time_of(txn, middle) < since)
			before = middle;
		else
			from = middle;
	}
	*ret_after = before;
	return kv_check(txn->kv, p);
}
