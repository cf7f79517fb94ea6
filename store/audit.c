#include "store/audit.h"

#include <assert.h>
#include <inttypes.h>

#include "base/clock.h"
#include "base/json.h"
#include "store/audit_inside.h"
#include "store/packed.h"

static const char *const kind_names[] = {
#define X(name, text, meaning) [AUDIT_##name] = text,
	AUDIT_KINDS(X)
#undef X
};

const char *audit_kind_name(enum audit_kind kind)
{
	assert((size_t)kind < array_length(kind_names));
	return kind_names[kind];
}

/* --- the line --- */

/* Ends before a character that would be cut in two. */
static size_t cut_length(const char *text)
{
	size_t len = AUDIT_TEXT_MAX;

	while (len > 0 && ((uint8_t)text[len] & 0xc0) == 0x80)
		len--;
	return len;
}

static void put_text(struct json_writer *w, const char *name, const char *text)
{
	char cut[AUDIT_TEXT_MAX + sizeof("…")];

	if (strnlen(text, AUDIT_TEXT_MAX + 1) <= AUDIT_TEXT_MAX) {
		json_put(w, name, text);
		return;
	}
	size_t len = cut_length(text);
	memcpy(cut, text, len);
	strcpy(cut + len, "…");
	json_put(w, name, cut);
}

static void put_hex(struct json_writer *w, const char *name, struct bytes value)
{
	auto_value(buf) hex = {0};

	buf_add_hex(&hex, value);
	if (hex.failed)
		w->out->failed = true;
	put_text(w, name, buf_text(&hex));
}

static void put_texts(struct json_writer *w, const char *name, struct record_texts texts)
{
	json_open_array(w, name);
	for (size_t i = 0; i < texts.n; i++) {
		if (w->out->len + strlen(texts.v[i]) > AUDIT_ABOUT_MAX) {
			auto_free char *more = mem_printf("and %zu more", texts.n - i);
			json_put(w, NULL, more);
			break;
		}
		put_text(w, NULL, texts.v[i]);
	}
	json_close(w);
}

static bool is_empty(const struct audit_fact *fact)
{
	switch (fact->type) {
	case AUDIT_TEXT:
		return !fact->text || !fact->text[0];
	case AUDIT_INTEGER:
	case AUDIT_TIME:
		return fact->integer == 0;
	case AUDIT_HEX:
		return fact->bytes.len == 0;
	case AUDIT_TEXTS:
		return fact->texts.n == 0;
	}
	return true;
}

static void put_fact(struct json_writer *w, const struct audit_fact *fact)
{
	switch (fact->type) {
	case AUDIT_TEXT:
		put_text(w, fact->name, fact->text);
		break;
	case AUDIT_INTEGER:
		json_put_integer(w, fact->name, fact->integer);
		break;
	case AUDIT_TIME:
		json_put_time(w, fact->name, fact->integer);
		break;
	case AUDIT_HEX:
		put_hex(w, fact->name, fact->bytes);
		break;
	case AUDIT_TEXTS:
		put_texts(w, fact->name, fact->texts);
		break;
	}
}

void audit_about_write(const struct audit_fact *facts, struct buf *ret)
{
	struct json_writer w = json_writer(ret);

	json_open(&w, NULL);
	for (const struct audit_fact *fact = facts; fact && fact->name; fact++)
		if (!is_empty(fact))
			put_fact(&w, fact);
	json_close(&w);
}

/* audit_start_read and audit_follows know this form. */
static void line_write(const struct audit_draft *draft, uint64_t seq, const uint8_t previous[SHA256_SIZE],
                       struct buf *ret)
{
	struct json_writer w = json_writer(ret);

	json_open(&w, NULL);
	json_put_integer(&w, "seq", (int64_t)seq);
	json_put_time(&w, "time", draft->time);
	json_put(&w, "kind", audit_kind_name(draft->kind));
	put_text(&w, "actor", draft->actor);
	json_put(&w, "from", draft->from);
	json_put_raw(&w, "about", draft->about);
	if (draft->times > 1)
		json_put_integer(&w, "times", draft->times);
	put_hex(&w, "previous", BYTES(previous, SHA256_SIZE));
	json_close(&w);
}

/* --- adding --- */

static void head_key(struct key *key)
{
	key_begin(key, KEY_META);
	key_add_text(key, "audit");
}

void audit_key(struct key *key, uint64_t seq)
{
	uint8_t raw[AUDIT_SEQ_SIZE];

	key_put_number(seq, raw, AUDIT_SEQ_SIZE);
	key_begin(key, KEY_AUDIT);
	key_add(key, BYTES(raw, sizeof(raw)));
}

uint64_t audit_seq_of(struct bytes key)
{
	return key.len == 1 + AUDIT_SEQ_SIZE ? key_number(key.data + 1, AUDIT_SEQ_SIZE) : 0;
}

void audit_keeper_init(struct audit_keeper *keeper, const struct seal *seal)
{
	seal_derive(seal, "audit", keeper->key);
}

void audit_mac(const struct audit_keeper *keeper, enum audit_mac_use use, uint64_t seq, const uint8_t hash[SHA256_SIZE],
               uint8_t ret[AUDIT_MAC_SIZE])
{
	uint8_t text[1 + AUDIT_SEQ_SIZE + SHA256_SIZE], whole[SHA256_SIZE];

	text[0] = (uint8_t)use;
	key_put_number(seq, text + 1, AUDIT_SEQ_SIZE);
	memcpy(text + 1 + AUDIT_SEQ_SIZE, hash, SHA256_SIZE);
	digest_hmac(256, BYTES(keeper->key, sizeof(keeper->key)), BYTES(text, sizeof(text)), whole);
	memcpy(ret, whole, AUDIT_MAC_SIZE);
}

static bool head_is_ours(const struct store_txn *txn, const uint8_t *head)
{
	uint8_t mac[AUDIT_MAC_SIZE];

	if (txn->kv->write && memcmp(head, txn->audit->head, AUDIT_HEAD_SIZE) == 0)
		return true;
	audit_mac(txn->audit, AUDIT_MAC_HEAD, key_number(head, AUDIT_SEQ_SIZE), head + AUDIT_SEQ_SIZE, mac);
	return mem_equal_secret(mac, head + AUDIT_SEQ_SIZE + SHA256_SIZE, sizeof(mac));
}

bool audit_head_get(struct store_txn *txn, struct audit_head *ret, struct problem *p)
{
	struct bytes value;
	struct key key;

	assert(txn->audit);
	*ret = (struct audit_head){0};
	head_key(&key);
	if (!kv_get(txn->kv, key_bytes(&key), &value))
		return kv_check(txn->kv, p);
	if (value.len != AUDIT_HEAD_SIZE)
		return true;
	ret->seq = key_number(value.data, AUDIT_SEQ_SIZE);
	memcpy(ret->hash, value.data + AUDIT_SEQ_SIZE, SHA256_SIZE);
	ret->ours = head_is_ours(txn, value.data);
	return true;
}

static void head_put(struct store_txn *txn, const struct audit_head *head)
{
	uint8_t *to = txn->audit->head;
	struct key key;

	key_put_number(head->seq, to, AUDIT_SEQ_SIZE);
	memcpy(to + AUDIT_SEQ_SIZE, head->hash, SHA256_SIZE);
	audit_mac(txn->audit, AUDIT_MAC_HEAD, head->seq, head->hash, to + AUDIT_SEQ_SIZE + SHA256_SIZE);
	head_key(&key);
	kv_put(txn->kv, key_bytes(&key), BYTES(to, AUDIT_HEAD_SIZE));
}

static bool not_as_left(uint64_t seq, struct problem *p)
{
	return problem_internal(p,
	                        "the audit log is not as it was left after event %" PRIu64
	                        ": run `enrolld audit verify`",
	                        seq);
}

/* Brings head to the new event. */
static bool append(struct store_txn *txn, struct audit_head *head, const struct audit_draft *draft, struct problem *p)
{
	auto_value(buf) line = {0};
	auto_value(buf) value = {0};
	struct audit_head next = { .seq = head->seq + 1 };
	uint8_t mac[AUDIT_MAC_SIZE];
	struct key key;

	line_write(draft, next.seq, head->hash, &line);
	if (!buf_check(&line, p))
		return false;
	digest_sha256(buf_bytes(&line), next.hash);
	audit_mac(txn->audit, AUDIT_MAC_EVENT, next.seq, next.hash, mac);
	buf_add(&value, next.hash, sizeof(next.hash));
	buf_add(&value, mac, sizeof(mac));
	if (!packed_write(txn->kv, KEY_AUDIT, audit_kind_name(draft->kind), buf_bytes(&line), &value, p))
		return false;
	audit_key(&key, next.seq);
	if (!kv_put_new(txn->kv, key_bytes(&key), buf_bytes(&value)))
		return kv_check(txn->kv, p) && not_as_left(head->seq, p);
	*head = next;
	return true;
}

bool audit_draft_add(struct store_txn *txn, const struct audit_draft *draft, struct problem *p)
{
	const struct audit_draft begun = {
		.kind = AUDIT_LOG_BEGUN, .time = draft->time, .actor = "store", .about = BYTES_STR("{}"),
	};
	struct audit_head head;

	assert(draft->time > 0 && draft->actor);
	if (!audit_head_get(txn, &head, p))
		return false;
	if (head.seq > 0 && !head.ours)
		return not_as_left(head.seq, p);
	if ((head.seq == 0 && !append(txn, &head, &begun, p)) || !append(txn, &head, draft, p))
		return false;
	head_put(txn, &head);
	return kv_check(txn->kv, p);
}

bool store_audit_add(struct store_txn *txn, const struct audit_event *event, struct problem *p)
{
	auto_value(buf) about = {0};

	audit_about_write(event->facts, &about);
	const struct audit_draft draft = {
		.kind = event->kind, .time = event->time, .actor = event->actor, .from = event->from, .about = buf_bytes(&about),
	};
	return buf_check(&about, p) && audit_draft_add(txn, &draft, p);
}
