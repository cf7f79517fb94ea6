#include "ca/inventory.h"

#include <assert.h>

#include "base/clock.h"
#include "base/digest.h"
#include "policy/device_name.h"
#include "store/authority.h"

/* A block that is filled from its begin; its size is counted beforehand. */
struct block {
	uint8_t *at, *end;
};

static void *block_copy(struct block *block, const void *data, size_t len)
{
	assert(len <= (size_t)(block->end - block->at));
	void *copy = memcpy(block->at, data, len);
	block->at += len;
	return copy;
}

static const char *block_text(struct block *block, const char *text)
{
	return text ? block_copy(block, text, strlen(text) + 1) : NULL;
}

static struct bytes block_bytes(struct block *block, struct bytes data)
{
	return BYTES(block_copy(block, data.data, data.len), data.len);
}

static size_t text_size(const char *text)
{
	return text ? strlen(text) + 1 : 0;
}

static bool subject_write(const struct approval_facts *facts, struct buf *ret, struct problem *p)
{
	auto_value(subject) alone = { 0 };

	if (!facts->subject && facts->common_name && !subject_add(&alone, SUBJECT_CN, facts->common_name, p))
		return false;
	subject_text(facts->subject ?: &alone, ret);
	return buf_check(ret, p);
}

const char *inventory_other_type(enum csr_other_type type)
{
	static const char *const names[] = {
		[CSR_OTHER_UPN] = "upn", [CSR_OTHER_PERMANENT] = "permanent-identifier",
		[CSR_OTHER_HARDWARE] = "hardware-module-name", [CSR_OTHER_TEXT] = "other-name",
	};

	assert((size_t)type < array_length(names));
	return names[type];
}

const char *inventory_name(const struct identifier *name, char ret_value[IDENTIFIER_VALUE_SIZE])
{
	device_name_policy(name, ret_value);
	return name->type == IDENTIFIER_HARDWARE ? inventory_other_type(CSR_OTHER_HARDWARE)
	       : identifier_type_name(name->type);
}

static size_t names_size(const struct approval_facts *facts)
{
	size_t count = facts->names->n + facts->other_count + 1;
	size_t size = count * sizeof(struct certificate_name) + text_size(facts->common_name);

	for (size_t i = 0; i < facts->names->n; i++)
		size += text_size(facts->names->v[i].value);
	for (size_t i = 0; i < facts->other_count; i++)
		size += text_size(facts->others[i].value);
	return size;
}

/* Stands first in the block, where the pointers are aligned. */
static void names_write(struct block *block, const struct approval_facts *facts, struct record_list *ret)
{
	struct certificate_name *list = (struct certificate_name *)(void *)block->at;
	size_t n = facts->names->n;

	block->at += (n + facts->other_count + 1) * sizeof(*list);
	for (size_t i = 0; i < n; i++)
		list[i] = (struct certificate_name){ identifier_type_name(facts->names->v[i].type),
			                             block_text(block, facts->names->v[i].value) };
	for (size_t i = 0; i < facts->other_count; i++)
		list[n++] = (struct certificate_name){ inventory_other_type(facts->others[i].type),
			                               block_text(block, facts->others[i].value) };
	if (facts->common_name)
		list[n++] = (struct certificate_name){ "cn", block_text(block, facts->common_name) };
	*ret = (struct record_list){ list, n };
}

static void row_fill(struct block *block, const struct approval_facts *facts, const char *issuer,
                     struct certificate *row)
{
	uint8_t fingerprint[SHA256_SIZE];

	names_write(block, facts, &row->names);
	row->der = block_bytes(block, row->der);
	row->serial = block_bytes(block, row->serial);
	digest_sha256(row->der, fingerprint);
	row->fingerprint = block_bytes(block, BYTES(fingerprint, sizeof(fingerprint)));
	row->key_hash = block_bytes(block, BYTES(facts->key_hash, sizeof(facts->key_hash)));
	row->subject = block_text(block, row->subject);
	row->issuer = block_text(block, issuer);
	row->profile = block_text(block, facts->profile);
	row->method = block_text(block, facts->method);
	row->identity = block_text(block, facts->identity);
}

static void id_copy(char ret[RANDOM_ID_SIZE], const char *id)
{
	assert(strlen(id) < RANDOM_ID_SIZE);
	strcpy(ret, id);
}

bool inventory_row(const struct approval_facts *facts, const char *issuer, struct bytes serial, struct bytes der,
                   struct certificate *ret, struct problem *p)
{
	auto_value(buf) subject = { 0 };

	if (!subject_write(facts, &subject, p))
		return false;
	struct certificate row = {
		.status = CERTIFICATE_VALID, .der = der, .serial = serial, .subject = buf_text(&subject),
		.no_revocation = facts->no_revocation, .not_before = facts->not_before, .not_after = facts->not_after,
	};
	row.issued = clock_now_us(&row.issued_us);
	size_t size = names_size(facts) + der.len + serial.len + SHA256_SIZE + sizeof(facts->key_hash) +
	              text_size(row.subject) + text_size(issuer) + text_size(facts->profile) +
	              text_size(facts->method) +
	              text_size(facts->identity);
	bool is_id = certificate_serial_id(serial, row.id);
	assert(is_id);
	row.memory = malloc(size);
	if (!row.memory)
		return problem_memory(p);
	struct block block = { row.memory, (uint8_t *)row.memory + size };
	row_fill(&block, facts, issuer, &row);
	assert(block.at == block.end);
	id_copy(row.account, facts->account);
	id_copy(row.order, facts->order);
	*ret = row;
	return true;
}

/* --- into the inventory --- */

static bool names_tell(const struct certificate *row, struct strings *ret)
{
	const struct certificate_name *names = row->names.v;

	for (size_t i = 0; i < row->names.n; i++) {
		auto_free char *text = mem_printf("%s:%s", names[i].type, names[i].value);
		if (!text || !strings_add(ret, text))
			return false;
	}
	return true;
}

enum { FACTS = 10, FACTS_MAX = 20 };

/* The fingerprint ties the event to these very bytes, whatever becomes of the row. */
static bool tell_issued(struct store_txn *txn, const struct certificate *row, const char *actor, const char *from,
                        const struct audit_fact *more, struct problem *p)
{
	auto_value(strings) names = { 0 };

	if (!names_tell(row, &names))
		return problem_memory(p);
	struct audit_fact facts[FACTS_MAX] = {
		audit_text("certificate", row->id), audit_text("order", row->order),
		audit_text("account", row->account),
		audit_hex("serial", row->serial), audit_hex("fingerprint", row->fingerprint),
		audit_text("issuer", row->issuer), audit_text("profile", row->profile),
		audit_text("method", row->method),
		audit_time("notAfter", row->not_after),
		audit_texts("names", record_texts_of(&names)),
	};
	for (size_t i = 0; more && more[i].name; i++) {
		assert(FACTS + i + 1 < FACTS_MAX);
		facts[FACTS + i] = more[i];
	}
	const struct audit_event event = {
		.kind = AUDIT_CERTIFICATE_ISSUED, .time = row->issued, .actor = actor, .from = from, .facts = facts,
	};
	return store_audit_add(txn, &event, p);
}

static bool link_replaced(struct store_txn *txn, const struct certificate *row, struct problem *p)
{
	auto_value(certificate) old = { 0 };

	if (!row->replaces)
		return true;
	if (!store_certificate_get(txn, row->replaces, &old, p))
		return false;
	old.replaced_by = row->id;
	return store_certificate_put(txn, &old, p);
}

/* The decision counts from the update in which it was made: what was signed meanwhile is not given out. */
static bool check_enabled(struct store_txn *txn, const char *issuer, struct problem *p)
{
	auto_value(authority_state) state = { 0 };

	if (!store_authority_get(txn, issuer, &state, p))
		return false;
	return state.disabled == 0 ||
	       problem_closed(p, 3600, "the issuing CA %s is disabled and issues nothing", issuer);
}

/* The same of its key: who revokes a certificate while another of its key is signed has revoked that key. */
static bool check_key(struct store_txn *txn, struct bytes key_hash, struct problem *p)
{
	bool compromised;

	return store_certificate_compromised(txn, key_hash, &compromised, p) &&
	       (!compromised ||
	        problem_set(p, PROBLEM_BAD_CSR, "a certificate of the CSR's key was revoked for keyCompromise"));
}

static bool add(struct store_txn *txn, const struct certificate *row, const char *actor, const char *from,
                const struct audit_fact *more, struct problem *p)
{
	return link_replaced(txn, row, p) && store_certificate_add(txn, row, p) &&
	       tell_issued(txn, row, actor, from, more, p);
}

bool inventory_add(struct store_txn *txn, const struct certificate *row, const char *actor, const char *from,
                   struct problem *p)
{
	return inventory_add_telling(txn, row, actor, from, NULL, p);
}

bool inventory_add_telling(struct store_txn *txn, const struct certificate *row, const char *actor, const char *from,
                           const struct audit_fact *more, struct problem *p)
{
	return check_enabled(txn, row->issuer, p) && check_key(txn, row->key_hash, p) &&
	       add(txn, row, actor, from, more, p);
}

bool inventory_add_own(struct store_txn *txn, const struct certificate *row, struct problem *p)
{
	return add(txn, row, "server", NULL, NULL, p);
}
