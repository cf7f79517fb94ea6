/* store/audit*.c: one chain, whoever writes; and what tampering shows. */
#include "base/file.h"
#include "tests/unit/test_store.h"

#include <pthread.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/json.h"
#include "store/audit.h"
#include "store/audit_inside.h"

static const uint8_t seal_key[32] = { 7 };
static struct kv *kv;         /* the store's: for tampering */
static struct store *store;

static int memory_begin(void **state)
{
	(void)state;
	must(kv_memory_open(&kv, p));
	must(store_open_kv(kv, seal_key, &store, p));
	return 0;
}

static int memory_end(void **state)
{
	(void)state;
	store_close(steal(store));
	return 0;
}
#define MEMORY_TEST(name) cmocka_unit_test_setup_teardown(name, memory_begin, memory_end)

/* --- adding and reading --- */

static bool add_event(struct store_txn *txn, void *arg, struct problem *p)
{
	return store_audit_add(txn, arg, p);
}

static void add(struct audit_event event)
{
	must(store_update(store, add_event, &event, p));
}

/* Event n + 1, for the first is log-begun: account-created at the even ones, at second 1000 + n. */
static struct audit_event event_of(unsigned n)
{
	return (struct audit_event){
		.kind = n % 2 ? AUDIT_ACCOUNT_CHANGED : AUDIT_ACCOUNT_CREATED, .time = 1000 + n, .actor = "account X", .from = "192.0.2.7",
	};
}

static void add_events(unsigned n)
{
	for (unsigned i = 1; i <= n; i++)
		add(event_of(i));
}

struct reading {
	struct audit_query query;
	uint64_t after;
	size_t limit;
	struct audit_page page;
};

static bool read_page(struct store_txn *txn, void *arg, struct problem *p)
{
	struct reading *r = arg;

	return store_audit_read(txn, &r->query, r->after, r->limit, &r->page, p);
}

static struct audit_page read_all(void)
{
	struct reading r = { .limit = 1000 };

	must(store_view(store, read_page, &r, p));
	assert_true(r.page.end);
	return r.page;
}

static bool last(struct store_txn *txn, void *arg, struct problem *p)
{
	return store_audit_last(txn, arg, p);
}

static uint64_t last_event(void)
{
	uint64_t seq = 99;

	must(store_view(store, last, &seq, p));
	return seq;
}

struct checking {
	struct audit_check check;
	size_t limit;
};

static bool check_part(struct store_txn *txn, void *arg, struct problem *p)
{
	struct checking *c = arg;

	return store_audit_check(txn, &c->check, c->limit, p);
}

static struct audit_check check_by(size_t limit)
{
	struct checking c = { .limit = limit };

	while (!c.check.done)
		must(store_view(store, check_part, &c, p));
	return c.check;
}

static void want_fault(enum audit_fault fault, uint64_t seq)
{
	static const size_t limits[] = { 1, 3, 1000 };

	for (size_t i = 0; i < array_length(limits); i++) {
		struct audit_check check = check_by(limits[i]);

		assert_string_equal(audit_fault_name(check.fault), audit_fault_name(fault));
		assert_int_equal(check.seq, seq);
	}
}

/* --- the chain as somebody without any key sees it --- */

static void want_chain(uint64_t events)
{
	auto_value(audit_page) page = read_all();
	auto_value(buf) previous = {0};

	buf_add_hex(&previous, BYTES((uint8_t[32]){0}, 32));
	assert_int_equal(page.n, events);
	for (size_t i = 0; i < page.n; i++) {
		auto_struct(json) *json = NULL;
		uint8_t hash[SHA256_SIZE];
		int64_t seq = 0;

		must(json_parse(BYTES_STR(page.v[i].line), &json, p));
		assert_true(json_integer(json_member(json, "seq"), &seq));
		assert_int_equal(seq, i + 1);
		assert_int_equal(page.v[i].seq, i + 1);
		assert_string_equal(json_member_string(json, "previous"), buf_text(&previous));
		digest_sha256(BYTES_STR(page.v[i].line), hash);
		assert_memory_equal(page.v[i].hash, hash, sizeof(hash));
		buf_clear(&previous);
		buf_add_hex(&previous, BYTES(hash, sizeof(hash)));
	}
	want_fault(AUDIT_FAULT_NONE, events);
}

static void test_lines(void **state)
{
	static const char want_first[] =
		"{\"seq\":1,\"time\":\"1970-01-01T00:16:41Z\",\"kind\":\"log-begun\",\"actor\":\"store\",\"about\":{},\"previous\":"
		"\"0000000000000000000000000000000000000000000000000000000000000000\"}";
	static const char want_second[] =
		"{\"seq\":2,\"time\":\"1970-01-01T00:16:41Z\",\"kind\":\"certificate-issued\",\"actor\":\"account \\\"\\u0001\",\"from\":"
		"\"192.0.2.7\",\"about\":{\"certificate\":\"ID\",\"bytes\":\"00ff\",\"n\":-7,\"at\":\"1970-01-01T00:00:05Z\",\"names\":"
		"[\"a\",\"b\"]},\"previous\":\"";
	static const char *const names[] = { "a", "b" };
	const struct audit_fact facts[] = {
		audit_text("certificate", "ID"), audit_text("none", NULL), audit_text("empty", ""), audit_hex("bytes", BYTES("\0\xff", 2)),
		audit_hex("no bytes", BYTES(NULL, 0)), audit_integer("n", -7), audit_integer("zero", 0), audit_time("at", 5),
		audit_texts("names", ((struct record_texts){ names, 2 })), audit_texts("no names", ((struct record_texts){ NULL, 0 })), {0},
	};

	(void)state;
	add((struct audit_event){ .kind = AUDIT_CERTIFICATE_ISSUED, .time = 1001, .actor = "account \"\1", .from = "192.0.2.7", .facts = facts });
	auto_value(audit_page) page = read_all();
	assert_int_equal(page.n, 2);
	assert_string_equal(page.v[0].line, want_first);
	assert_memory_equal(page.v[1].line, want_second, strlen(want_second));
	assert_int_equal(page.v[1].time, 1001);
	want_chain(2);
}

/* Whatever a client writes somewhere, an event stays small and readable. */
static void test_bounds(void **state)
{
	static char long_text[3 * AUDIT_TEXT_MAX];
	static const char *list[1000];
	struct audit_fact facts[] = { audit_text("text", long_text), audit_texts("list", ((struct record_texts){ list, 1000 })), {0} };

	(void)state;
	for (size_t i = 0; i + 1 < sizeof(long_text); i++)
		long_text[i] = "\xc3\xa4"[i % 2]; /* U+00E4 */
	for (size_t i = 0; i < array_length(list); i++)
		list[i] = "www.example.com";
	for (int shift = 0; shift < 2; shift++) { /* with an x before them the cut falls in the middle of one */
		facts[0].text = long_text + shift;
		long_text[1] = shift ? 'x' : '\xa4';
		add((struct audit_event){ .kind = AUDIT_ACCOUNT_CHANGED, .time = 1, .actor = long_text, .facts = facts });
	}
	auto_value(audit_page) page = read_all();
	for (size_t i = 1; i < page.n; i++) {
		auto_struct(json) *json = NULL;

		must(json_parse(BYTES_STR(page.v[i].line), &json, p));
		const struct json *about = json_member(json, "about"), *names = json_member(about, "list");
		const char *text = json_member_string(about, "text");
		assert_true(strlen(text) <= AUDIT_TEXT_MAX + 3 && strlen(text) >= AUDIT_TEXT_MAX - 3);
		assert_true(str_ends(text, "…"));
		assert_true(strlen(page.v[i].line) < AUDIT_ABOUT_MAX + 2 * AUDIT_TEXT_MAX);
		assert_true(json_length(names) > 100 && json_length(names) < 400);
		char more[32];
		snprintf(more, sizeof(more), "and %zu more", 1001 - json_length(names));
		assert_string_equal(json_string(json_at(names, json_length(names) - 1)), more);
	}
	want_chain(3);
}

static void test_kinds_have_names(void **state)
{
	(void)state;
	for (int a = 0; a < AUDIT_KIND_MAX; a++)
		for (int b = 0; b < a; b++)
			assert_string_not_equal(audit_kind_name((enum audit_kind)a), audit_kind_name((enum audit_kind)b));
}

/* --- what is refused leaves no event, what is kept has its own --- */

static bool add_and_refuse(struct store_txn *txn, void *arg, struct problem *p)
{
	return store_audit_add(txn, arg, p) && problem_set(p, PROBLEM_CONFLICT, "refused after all");
}

static void test_refused_update(void **state)
{
	struct audit_event event = event_of(1);

	(void)state;
	must_refuse(PROBLEM_CONFLICT, store_update(store, add_and_refuse, &event, p));
	assert_int_equal(last_event(), 0);
	add(event);
	must_refuse(PROBLEM_CONFLICT, store_update(store, add_and_refuse, &event, p));
	add(event);
	want_chain(3);
}

enum { THREADS = 8, ROUNDS = 40 };

static void *add_many(void *arg)
{
	struct audit_event event = event_of(1);
	bool *ok = arg;

	for (int i = 0; i < ROUNDS; i++) {
		auto_value(problem) p = {0};
		bool kept = store_update(store, i % 4 == 3 ? add_and_refuse : add_event, &event, &p);
		*ok = *ok && kept == (i % 4 != 3);
	}
	return NULL;
}

static void test_parallel(void **state)
{
	pthread_t threads[THREADS];
	bool ok[THREADS];

	(void)state;
	for (int i = 0; i < THREADS; i++) {
		ok[i] = true;
		assert_int_equal(pthread_create(&threads[i], NULL, add_many, &ok[i]), 0);
	}
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		assert_true(ok[i]);
	}
	want_chain(1 + THREADS * ROUNDS * 3 / 4);
}

/* An operator's command adds its event beside a server that has the head in memory. */
static void test_two_processes(void **state)
{
	char *folder = folder_make();
	int status;

	(void)state;
	must(store_open(folder, true, NULL, &store, p));
	add_events(3);
	store_close(steal(store));
	pid_t child = child_start();
	must(store_open(folder, false, NULL, &store, p));
	add_events(30);
	if (child == 0)
		_exit(0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	add_events(1);
	want_chain(1 + 3 + 30 + 30 + 1);
	store_close(steal(store));
	folder_remove(folder);
}

/* --- queries --- */

static void test_queries(void **state)
{
	static const struct {
		struct audit_query query;
		uint64_t after;
		size_t limit;
		int want[12];
		bool want_end;
	} rows[] = {
		{ { 0 }, 0, 4, { 1, 2, 3, 4, -1 }, false },
		{ { 0 }, 4, 4, { 5, 6, 7, 8, -1 }, false },
		{ { 0 }, 7, 4, { 8, 9, 10, 11, -1 }, true },
		{ { 0 }, 11, 4, { -1 }, true },
		{ { 0 }, UINT64_MAX, 4, { -1 }, true },
		{ { .kind = "account-changed" }, 0, 10, { 2, 4, 6, 8, 10, -1 }, true },
		{ { .kind = "account-changed" }, 4, 2, { 6, 8, -1 }, false },
		{ { .kind = "account-change" }, 0, 10, { -1 }, true },
		{ { .kind = "log-begun" }, 0, 10, { 1, -1 }, true },
		{ { .since = 1009 }, 0, 10, { 10, 11, -1 }, true },
		{ { .kind = "account-created", .since = 1007 }, 0, 10, { 9, 11, -1 }, true },
		{ { .since = 1011 }, 0, 10, { -1 }, true },
	};

	(void)state;
	add_events(10);
	for (size_t i = 0; i < array_length(rows); i++) {
		struct reading r = { .query = rows[i].query, .after = rows[i].after, .limit = rows[i].limit };
		size_t n = 0;

		must(store_view(store, read_page, &r, p));
		for (; rows[i].want[n] >= 0; n++) {
			assert_true(n < r.page.n);
			assert_int_equal(r.page.v[n].seq, rows[i].want[n]);
		}
		assert_int_equal(r.page.n, n);
		assert_int_equal(r.page.end, rows[i].want_end);
		audit_page_free(&r.page);
	}
}

struct seeking {
	int64_t since;
	uint64_t after;
};

static bool seek(struct store_txn *txn, void *arg, struct problem *p)
{
	struct seeking *s = arg;

	return store_audit_seek(txn, s->since, &s->after, p);
}

static void test_seek(void **state)
{
	static const struct {
		int64_t since;
		uint64_t want;
	} rows[] = { { 0, 0 }, { 1001, 0 }, { 1002, 2 }, { 1003, 3 }, { 1049, 49 }, { 1050, 50 }, { 1051, 51 }, { 9999, 51 } };

	(void)state;
	struct seeking none = { .since = 5, .after = 77 };
	must(store_view(store, seek, &none, p));
	assert_int_equal(none.after, 0);
	add_events(50);
	for (size_t i = 0; i < array_length(rows); i++) {
		struct seeking s = { .since = rows[i].since };

		must(store_view(store, seek, &s, p));
		assert_int_equal(s.after, rows[i].want);
	}
}

/* --- tampering: by somebody who writes what he likes into the store, and knows all but its key --- */

static struct kv_txn *raw;

static struct bytes raw_key(uint64_t seq, struct key *key)
{
	audit_key(key, seq);
	return key_bytes(key);
}

/* A copy of an event's value, its line not packed, for the caller to free; data NULL when there is none. */
static struct buf raw_get(uint64_t seq)
{
	auto_value(buf) room = {0};
	struct audit_stored stored;
	struct bytes value;
	struct buf copy = {0};
	struct key key;

	if (!kv_get(raw, raw_key(seq, &key), &value))
		return copy;
	assert_true(audit_split(raw, value, &room, &stored));
	buf_add(&copy, value.data, SHA256_SIZE + AUDIT_MAC_SIZE);
	buf_add(&copy, stored.line.data, stored.line.len);
	return copy;
}

static void raw_put(uint64_t seq, const struct buf *value)
{
	struct key key;

	kv_put(raw, raw_key(seq, &key), buf_bytes(value));
}

static void raw_delete(uint64_t seq)
{
	struct key key;

	kv_delete(raw, raw_key(seq, &key));
}

static void move(uint64_t from, uint64_t to)
{
	auto_value(buf) value = raw_get(from);

	raw_put(to, &value);
	raw_delete(from);
}

static struct bytes head_key(struct key *key)
{
	key_begin(key, KEY_META);
	key_add_text(key, "audit");
	return key_bytes(key);
}

static char *text_at(struct buf *value, const char *text)
{
	char *at = strstr((char *)value->data + SHA256_SIZE + AUDIT_MAC_SIZE, text);

	assert_non_null(at);
	return at;
}

static void rehash(struct buf *value)
{
	size_t skip = SHA256_SIZE + AUDIT_MAC_SIZE;

	digest_sha256(BYTES(value->data + skip, value->len - skip), value->data);
}

static void change(uint64_t seq, const char *from, const char *to)
{
	auto_value(buf) value = raw_get(seq);

	memcpy(text_at(&value, from), to, strlen(to));
	raw_put(seq, &value);
}

/* As change, and every hash after it made to fit, the head's too. */
static void change_with_hashes(uint64_t seq, const char *from, const char *to)
{
	uint8_t last_hash[SHA256_SIZE];
	struct bytes value;
	struct key key;

	change(seq, from, to);
	for (uint64_t i = seq; i <= 11; i++) {
		auto_value(buf) event = raw_get(i), hex = {0};

		buf_add_hex(&hex, BYTES(last_hash, sizeof(last_hash)));
		if (i > seq)
			memcpy(text_at(&event, "\"previous\":\"") + 12, hex.data, hex.len);
		rehash(&event);
		raw_put(i, &event);
		memcpy(last_hash, event.data, sizeof(last_hash));
	}
	assert_true(kv_get(raw, head_key(&key), &value));
	auto_value(buf) head = {0};
	buf_add(&head, value.data, value.len);
	memcpy(head.data + AUDIT_SEQ_SIZE, last_hash, sizeof(last_hash));
	kv_put(raw, key_bytes(&key), buf_bytes(&head));
}

static void change_a_letter(void) { change(5, "account X", "account Y"); }
static void change_the_time(void) { change(5, "1970", "1971"); }
static void change_the_kind(void) { change(5, "account-created", "account-changed"); }
static void change_the_number(void) { change(5, "\"seq\":5", "\"seq\":6"); }
static void change_the_first(void) { change(1, "store", "stork"); }
static void change_the_last(void) { change(11, "account X", "account Y"); }
static void change_and_rehash(void) { change_with_hashes(5, "account X", "account Y"); }
static void change_the_last_and_rehash(void) { change_with_hashes(11, "account X", "account Y"); }
static void change_previous(void) { change(5, "\"previous\":\"", "\"previous\":\"00000000"); }

static void change_the_hash(void)
{
	auto_value(buf) value = raw_get(5);

	value.data[0] ^= 1;
	raw_put(5, &value);
}

static void change_the_mac(void)
{
	auto_value(buf) value = raw_get(5);

	value.data[SHA256_SIZE] ^= 1;
	raw_put(5, &value);
}

static void shorten(void)
{
	auto_value(buf) value = raw_get(5);

	buf_shorten(&value, 20);
	raw_put(5, &value);
}

static void lengthen(void)
{
	auto_value(buf) value = raw_get(5);

	buf_add_char(&value, ' ');
	raw_put(5, &value);
}

static void remove_the_first(void) { raw_delete(1); }
static void remove_one(void) { raw_delete(5); }
static void remove_some(void) { raw_delete(5); raw_delete(6); raw_delete(8); }
static void remove_the_last(void) { raw_delete(11); }
static void cut_the_tail(void) { for (uint64_t i = 7; i <= 11; i++) raw_delete(i); }
static void remove_and_close_up(void) { for (uint64_t i = 5; i < 11; i++) move(i + 1, i); }

/* The tail cut off and the head made to fit, but for its MAC. */
static void set_head(uint64_t seq)
{
	uint8_t head[AUDIT_HEAD_SIZE] = {0};
	auto_value(buf) event = raw_get(seq);
	struct key key;

	key_put_number(seq, head, AUDIT_SEQ_SIZE);
	memcpy(head + AUDIT_SEQ_SIZE, event.data, SHA256_SIZE);
	memcpy(head + AUDIT_SEQ_SIZE + SHA256_SIZE, event.data + SHA256_SIZE, AUDIT_MAC_SIZE); /* the nearest one at hand */
	kv_put(raw, head_key(&key), BYTES(head, sizeof(head)));
}
static void cut_the_tail_with_head(void) { cut_the_tail(); set_head(6); }

static void swap(uint64_t a, uint64_t b)
{
	auto_value(buf) first = raw_get(a), second = raw_get(b);

	raw_put(a, &second);
	raw_put(b, &first);
}
static void swap_neighbours(void) { swap(5, 6); }
static void swap_far(void) { swap(4, 9); }

static void insert_copy(void)
{
	auto_value(buf) value = raw_get(3);

	for (uint64_t i = 11; i >= 6; i--)
		move(i, i + 1);
	raw_put(6, &value);
}

static void insert_new(void)
{
	auto_value(buf) value = raw_get(6);

	for (uint64_t i = 11; i >= 6; i--)
		move(i, i + 1);
	memcpy(text_at(&value, "account X"), "account Z", 9);
	rehash(&value);
	raw_put(6, &value);
}

static void insert_after_the_end(void)
{
	auto_value(buf) value = raw_get(11);

	raw_put(12, &value);
}

static void replace_by_older(void)
{
	auto_value(buf) value = raw_get(3);

	raw_put(6, &value);
}

static void insert_odd_key(void)
{
	kv_put(raw, BYTES("U\0\0\0\0\0\0\0\5x", 10), BYTES("x", 1));
}

/* What lines are told by, and what they are told against. */
static void change_stored(struct bytes key)
{
	auto_value(buf) copy = {0};
	struct bytes value;

	assert_true(kv_get(raw, key, &value));
	buf_add(&copy, value.data, value.len);
	copy.data[copy.len - 9] ^= 1;
	kv_put(raw, key, buf_bytes(&copy));
}

static void change_packed(void)
{
	struct key key;

	change_stored(raw_key(5, &key));
}

#define REFERENCE_OF_THE_SECOND BYTES("X\0\0\0\2", 5)
static void change_reference(void) { change_stored(REFERENCE_OF_THE_SECOND); }
static void remove_reference(void) { kv_delete(raw, REFERENCE_OF_THE_SECOND); }

static void remove_head(void)
{
	struct key key;

	kv_delete(raw, head_key(&key));
}
static void change_head(void) { set_head(11); }
static void shorten_head(void)
{
	struct key key;

	kv_put(raw, head_key(&key), BYTES("\0\0\0\0\0\0\0\1", 8));
}
static void remove_all(void)
{
	for (uint64_t i = 1; i <= 11; i++)
		raw_delete(i);
	remove_head();
}

/* Events 1 to 11: log-begun and ten more. want_add: whether the log goes on after it. */
static const struct {
	const char *name;
	void (*tamper)(void);
	enum audit_fault want;
	uint64_t want_seq;
	bool want_add;
} tampering[] = {
	{ "a letter changed", change_a_letter, AUDIT_FAULT_CHANGED, 5, true },
	{ "the time changed", change_the_time, AUDIT_FAULT_CHANGED, 5, true },
	{ "the kind changed", change_the_kind, AUDIT_FAULT_CHANGED, 5, true },
	{ "the number changed", change_the_number, AUDIT_FAULT_CHANGED, 5, true },
	{ "the first changed", change_the_first, AUDIT_FAULT_CHANGED, 1, true },
	{ "the last changed", change_the_last, AUDIT_FAULT_CHANGED, 11, true },
	{ "changed, all hashes made anew", change_and_rehash, AUDIT_FAULT_CHANGED, 5, false },
	{ "the last changed, all hashes made anew", change_the_last_and_rehash, AUDIT_FAULT_CHANGED, 11, false },
	{ "the link changed", change_previous, AUDIT_FAULT_CHANGED, 5, true },
	{ "the hash changed", change_the_hash, AUDIT_FAULT_CHANGED, 5, true },
	{ "the MAC changed", change_the_mac, AUDIT_FAULT_CHANGED, 5, true },
	{ "shortened", shorten, AUDIT_FAULT_CHANGED, 5, true },
	{ "lengthened", lengthen, AUDIT_FAULT_CHANGED, 5, true },
	{ "a packed line changed", change_packed, AUDIT_FAULT_CHANGED, 5, true },
	{ "what lines refer to changed", change_reference, AUDIT_FAULT_CHANGED, 2, true },
	{ "what lines refer to removed", remove_reference, AUDIT_FAULT_CHANGED, 2, true },
	{ "the first removed", remove_the_first, AUDIT_FAULT_MISSING, 1, true },
	{ "one removed", remove_one, AUDIT_FAULT_MISSING, 5, true },
	{ "some removed", remove_some, AUDIT_FAULT_MISSING, 5, true },
	{ "the last removed", remove_the_last, AUDIT_FAULT_MISSING, 11, true },
	{ "the tail cut off", cut_the_tail, AUDIT_FAULT_MISSING, 7, true },
	{ "one removed, the others closed up", remove_and_close_up, AUDIT_FAULT_MISSING, 5, true },
	{ "the tail cut off, the head made to fit", cut_the_tail_with_head, AUDIT_FAULT_HEAD, 6, false },
	{ "neighbours swapped", swap_neighbours, AUDIT_FAULT_OUT_OF_ORDER, 5, true },
	{ "two swapped", swap_far, AUDIT_FAULT_OUT_OF_ORDER, 4, true },
	{ "an old one inserted", insert_copy, AUDIT_FAULT_INSERTED, 6, false },
	{ "a new one inserted", insert_new, AUDIT_FAULT_INSERTED, 6, false },
	{ "one put after the end", insert_after_the_end, AUDIT_FAULT_INSERTED, 12, false },
	{ "one replaced by an older one", replace_by_older, AUDIT_FAULT_INSERTED, 6, true },
	{ "a key of another form", insert_odd_key, AUDIT_FAULT_INSERTED, 6, true },
	{ "the head removed", remove_head, AUDIT_FAULT_HEAD, 11, false },
	{ "the head changed", change_head, AUDIT_FAULT_HEAD, 11, false },
	{ "the head shortened", shorten_head, AUDIT_FAULT_HEAD, 11, false },
	{ "all removed", remove_all, AUDIT_FAULT_HEAD, 0, true },
};

static void tamper(void (*how)(void))
{
	must(kv_begin(kv, KV_WRITE, &raw, p));
	how();
	must(kv_commit(&raw, p));
}

static void test_tampering(void **state)
{
	for (size_t i = 0; i < array_length(tampering); i++) {
		struct audit_event event = event_of(11);
		auto_value(problem) why = {0};

		print_message("         %s\n", tampering[i].name);
		memory_begin(state);
		add_events(10);
		want_fault(AUDIT_FAULT_NONE, 11);
		tamper(tampering[i].tamper);
		want_fault(tampering[i].want, tampering[i].want_seq);
		assert_int_equal(store_update(store, add_event, &event, &why), tampering[i].want_add);
		if (tampering[i].want_add && tampering[i].tamper != remove_all)
			want_fault(tampering[i].want, tampering[i].want_seq);
		memory_end(state);
	}
}

/* Out of a store where an event cannot be added no change comes. */
struct change {
	struct audit_event event;
	bool with_key;
};

static bool change_with_event(struct store_txn *txn, void *arg, struct problem *p)
{
	struct change *c = arg;

	kv_put(txn->kv, BYTES("Tchange", 7), BYTES("x", 1));
	return store_audit_add(txn, &c->event, p);
}

static bool has_change(struct store_txn *txn, void *arg, struct problem *p)
{
	struct bytes value;

	(void)p;
	*(bool *)arg = kv_get(txn->kv, BYTES("Tchange", 7), &value);
	return true;
}

static void test_no_change_without_its_event(void **state)
{
	struct change c = { .event = event_of(11) };
	bool has = true;

	(void)state;
	add_events(10);
	tamper(change_head);
	must_refuse(PROBLEM_INTERNAL, store_update(store, change_with_event, &c, p));
	must(store_view(store, has_change, &has, p));
	assert_false(has);
}

/* A log that was removed whole begins again, and says when. */
static void test_removed_log_begins_again(void **state)
{
	(void)state;
	add_events(10);
	tamper(remove_all);
	add(event_of(50));
	auto_value(audit_page) page = read_all();
	assert_int_equal(page.n, 2);
	assert_non_null(strstr(page.v[0].line, "\"kind\":\"log-begun\""));
	assert_int_equal(page.v[0].time, 1050);
	want_chain(2);
}

/* What a writer without the key cannot do and one with it can: the limit that the header names. */
static void test_history_of_another_store(void **state)
{
	struct kv *own = kv;
	struct store *first = store;
	struct buf stolen = {0};

	(void)state;
	add_events(10);
	must(kv_memory_open(&kv, p));
	must(store_open_kv(kv, seal_key, &store, p)); /* the same key: a copy that went another way */
	for (unsigned i = 1; i <= 10; i++)
		add(i < 5 ? event_of(i) : event_of(i + 20));
	must(kv_begin(kv, KV_READ, &raw, p));
	stolen = raw_get(7);
	kv_abort(&raw);
	store_close(store);
	kv = own;
	store = first;
	must(kv_begin(kv, KV_WRITE, &raw, p));
	raw_put(7, &stolen);
	must(kv_commit(&raw, p));
	buf_free(&stolen);
	want_fault(AUDIT_FAULT_STRAY, 7);
}

/* Another key: nothing in the log is ours. */
static void test_key_of_another(void **state)
{
	static const uint8_t other[32] = { 8 };
	char *folder = folder_make();
	auto_free char *path = mem_printf("%s/seal.key", folder);

	(void)state;
	must(store_open(folder, true, NULL, &store, p));
	add_events(3);
	store_close(store);
	must(file_write(path, BYTES(other, sizeof(other)), 0600, p));
	must(store_open(folder, false, NULL, &store, p));
	want_fault(AUDIT_FAULT_CHANGED, 1);
	store_close(steal(store));
	folder_remove(folder);
}

static void test_telling(void **state)
{
	struct audit_check check = { .seq = 12, .fault = AUDIT_FAULT_MISSING };
	auto_value(buf) text = {0};

	(void)state;
	audit_check_tell(&check, &text);
	assert_string_equal(buf_text(&text), "event 12 is missing");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		MEMORY_TEST(test_lines),
		MEMORY_TEST(test_bounds),
		cmocka_unit_test(test_kinds_have_names),
		MEMORY_TEST(test_refused_update),
		MEMORY_TEST(test_parallel),
		cmocka_unit_test(test_two_processes),
		MEMORY_TEST(test_queries),
		MEMORY_TEST(test_seek),
		cmocka_unit_test(test_tampering),
		MEMORY_TEST(test_no_change_without_its_event),
		MEMORY_TEST(test_removed_log_begins_again),
		MEMORY_TEST(test_history_of_another_store),
		cmocka_unit_test(test_key_of_another),
		cmocka_unit_test(test_telling),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
