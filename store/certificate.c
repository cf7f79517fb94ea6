#include "store/certificate.h"

#include <assert.h>

#include "base/base64.h"
#include "base/clock.h"
#include "base/digest.h"
#include "store/table.h"

/* RFC 5280, 4.1.2.2: up to 20 octets. */
enum { SERIAL_MAX = 20 };
/* Issuers' names are those of their files (ca/issuer.h). With this the key of a revocation fits a cursor. */
enum { ISSUER_MAX = 64 };

static const struct record_field name_fields[] = {
	record_text(1, certificate_name, type),
	record_text(2, certificate_name, value),
};
static const struct record_schema name_schema = {
	"certificate name", sizeof(struct certificate_name), name_fields, array_length(name_fields),
};

static const struct record_field metadata_fields[] = {
	record_text(1, certificate_metadata, key),
	record_text(2, certificate_metadata, value),
};
static const struct record_schema metadata_schema = {
	"certificate metadata", sizeof(struct certificate_metadata), metadata_fields, array_length(metadata_fields),
};

static const struct record_field certificate_fields[] = {
	record_id(1, certificate, id),
	record_enum(2, certificate, status, certificate_status),
	record_bytes(3, certificate, der),
	record_text(4, certificate, issuer),
	record_bytes(5, certificate, serial),
	record_bytes(6, certificate, fingerprint),
	record_bytes(7, certificate, key_hash),
	record_list(8, certificate, names, &name_schema),
	record_text(9, certificate, subject),
	record_text(10, certificate, profile),
	record_integer(11, certificate, not_before),
	record_integer(12, certificate, not_after),
	record_integer(13, certificate, issued),
	record_text(14, certificate, method),
	record_id(15, certificate, account),
	record_id(16, certificate, order),
	record_text(17, certificate, identity),
	record_integer(18, certificate, revoked),
	record_integer(19, certificate, reason),
	record_text(20, certificate, revoked_by),
	record_text(21, certificate, replaces),
	record_text(22, certificate, replaced_by),
	record_list(23, certificate, metadata, &metadata_schema),
	record_text(24, certificate, issuer_subject),
	record_bool(25, certificate, key_kept),
	record_integer(26, certificate, renew_before),
	record_integer(27, certificate, renew_at),
	record_integer(28, certificate, renew_failures),
	record_text(29, certificate, renew_error),
	record_integer(30, certificate, advised_from),
	record_integer(31, certificate, advised_until),
	record_text(32, certificate, advised_why),
	record_text(33, certificate, label),
	record_bool(40, certificate, no_revocation),
	record_integer(41, certificate, shard),
	record_integer(42, certificate, released),
	record_id(43, certificate, replacing),
};
static const struct record_schema certificate_schema = {
	"certificate", sizeof(struct certificate), certificate_fields, array_length(certificate_fields),
};

enum { REASON_KEY_COMPROMISE = 1 }; /* RFC 5280, 5.3.1 */

/* --- index entries --- */

static void index_unique(struct index *ix, enum key_class class, struct bytes value)
{
	struct key key;

	key_begin(&key, class);
	key_add(&key, value);
	index_add_unique(ix, &key);
}

/* Of those with the same value, the newest comes first. */
static void index_newest(struct index *ix, struct key *key, const struct certificate *certificate)
{
	key_add_newest(key, certificate->issued);
	index_add(ix, key);
}

static void index_names(const struct certificate *certificate, struct index *ix)
{
	const struct certificate_name *names = certificate->names.v;

	for (size_t i = 0; i < certificate->names.n; i++) {
		const char *type = names[i].type ? names[i].type : "", *value = names[i].value ? names[i].value : "";
		auto_free char *text = mem_printf("%s:%s", type, value);
		struct key key;

		if (!text) {
			ix->entries.failed = true;
			return;
		}
		key_begin(&key, KEY_CERTIFICATE_NAME);
		key_add_text(&key, text);
		index_newest(ix, &key, certificate);
	}
}

static void index_owner(const struct certificate *certificate, struct index *ix)
{
	struct key key;

	key_begin(&key, KEY_CERTIFICATE_KEY);
	key_add(&key, certificate->key_hash);
	index_newest(ix, &key, certificate);
	key_begin(&key, KEY_CERTIFICATE_PROFILE);
	key_add_text(&key, certificate->profile);
	index_newest(ix, &key, certificate);
	key_begin(&key, KEY_CERTIFICATE_ACCOUNT);
	if (key_add_id(&key, certificate->account))
		index_newest(ix, &key, certificate);
}

/* A revocation stops to matter when the certificate has expired; one of an expired certificate
 * when it was made (RFC 5280, 3.3: every entry stands on a list that is made after that). */
static int64_t revocation_end(const struct certificate *certificate)
{
	return certificate->not_after > certificate->revoked ? certificate->not_after : certificate->revoked;
}

/* With its length before it: no serial number is the begin of another. */
static void add_serial(struct key *key, struct bytes serial)
{
	uint8_t len = (uint8_t)serial.len;

	key_add(key, BYTES(&len, 1));
	key_add(key, serial);
}

/* Serial numbers are unique for each CA alone (RFC 5280, 4.1.2.2): those of others can be anything, ours
 * as well, and must never be taken for ours. */
static void index_serial(const struct certificate *certificate, struct index *ix)
{
	struct key key;

	if (!certificate_is_imported(certificate)) {
		index_unique(ix, KEY_CERTIFICATE_SERIAL, certificate->serial);
		return;
	}
	key_begin(&key, KEY_CERTIFICATE_IMPORT);
	add_serial(&key, certificate->serial);
	index_newest(ix, &key, certificate);
}

static void certificate_index(const void *record, struct index *ix)
{
	const struct certificate *certificate = record;
	struct key key;

	index_serial(certificate, ix);
	index_unique(ix, KEY_CERTIFICATE_FINGERPRINT, certificate->fingerprint);
	index_names(certificate, ix);
	index_owner(certificate, ix);
	key_begin(&key, KEY_CERTIFICATE_EXPIRY);
	key_add_time(&key, certificate->not_after);
	index_add(ix, &key);
	if (certificate->renew_at != 0 && certificate->status == CERTIFICATE_VALID) {
		key_begin(&key, KEY_CERTIFICATE_RENEWAL);
		key_add_time(&key, certificate->renew_at);
		index_add(ix, &key);
	}
	if (certificate->status == CERTIFICATE_REVOKED) {
		key_begin(&key, KEY_CERTIFICATE_REVOKED);
		key_add_text(&key, certificate->issuer);
		key_add_time(&key, revocation_end(certificate));
		index_add(ix, &key);
	}
	if (certificate->released != 0 && certificate->status == CERTIFICATE_VALID) {
		key_begin(&key, KEY_CERTIFICATE_RELEASED);
		key_add_text(&key, certificate->issuer);
		key_add_time(&key, certificate->released);
		index_add(ix, &key);
	}
	if (certificate->status == CERTIFICATE_REVOKED && certificate->reason == REASON_KEY_COMPROMISE) {
		key_begin(&key, KEY_CERTIFICATE_COMPROMISED);
		key_add(&key, certificate->key_hash);
		index_add(ix, &key);
	}
}

static const struct table certificates = {
	.class = KEY_CERTIFICATE, .schema = &certificate_schema, .index = certificate_index,
};

/* --- records --- */

bool certificate_is_imported(const struct certificate *certificate)
{
	return certificate->method && str_equal(certificate->method, CERTIFICATE_IMPORT);
}

bool certificate_copy(const struct certificate *from, struct certificate *ret, struct problem *p)
{
	auto_value(buf) bytes = {0};

	return record_encode(&certificate_schema, from, &bytes, p) && record_decode(&certificate_schema, buf_bytes(&bytes), ret, p);
}

const char *certificate_status_name(const struct certificate *certificate, int64_t now)
{
	if (certificate->status == CERTIFICATE_REVOKED)
		return "revoked";
	return now > certificate->not_after ? "expired" : "valid";
}

void certificate_free(struct certificate *certificate)
{
	record_free(certificate);
}

bool store_certificate_get(struct store_txn *txn, const char *id, struct certificate *ret, struct problem *p)
{
	return table_get(txn, &certificates, id, ret, p);
}

static bool by_unique(struct store_txn *txn, enum key_class class, struct bytes value, size_t max,
                      struct certificate *ret, struct problem *p)
{
	struct key key;

	if (value.len == 0 || value.len > max)
		return problem_set(p, PROBLEM_NOT_FOUND, "there is no such certificate");
	key_begin(&key, class);
	key_add(&key, value);
	return table_find(txn, &certificates, &key, ret, p);
}

bool store_certificate_by_serial(struct store_txn *txn, struct bytes serial, struct certificate *ret, struct problem *p)
{
	return by_unique(txn, KEY_CERTIFICATE_SERIAL, serial, SERIAL_MAX, ret, p);
}

bool store_certificate_by_fingerprint(struct store_txn *txn, struct bytes fingerprint, struct certificate *ret, struct problem *p)
{
	return by_unique(txn, KEY_CERTIFICATE_FINGERPRINT, fingerprint, SHA256_SIZE, ret, p);
}

bool store_certificate_put(struct store_txn *txn, const struct certificate *certificate, struct problem *p)
{
	assert(certificate->serial.len > 0 && certificate->serial.len <= SERIAL_MAX);
	assert(certificate->fingerprint.len == SHA256_SIZE);
	assert(certificate->key_hash.len == SHA256_SIZE);
	assert(!certificate->issuer || strlen(certificate->issuer) <= ISSUER_MAX);
	return table_put(txn, &certificates, certificate->id, certificate, p);
}

bool store_certificate_delete(struct store_txn *txn, const char *id, struct problem *p)
{
	auto_value(certificate) row = {0};

	if (!store_certificate_get(txn, id, &row, p))
		return false;
	if (!certificate_is_imported(&row))
		return problem_set(p, PROBLEM_CONFLICT, "the certificate %s was issued here and stays in the inventory: revoke it", id);
	return table_delete(txn, &certificates, id, p);
}

/* --- listings --- */

static bool add_id_value(struct key *key, const char *value)
{
	return key_add_id(key, value);
}

static bool add_text_value(struct key *key, const char *value)
{
	key_add_text(key, value);
	return true;
}

static bool add_hash_value(struct key *key, const char *value)
{
	auto_value(buf) hash = {0};

	if (!hex_decode(value, strlen(value), &hash) || hash.len != SHA256_SIZE)
		return false;
	key_add(key, buf_bytes(&hash));
	return true;
}

static bool add_serial_value(struct key *key, const char *value)
{
	auto_value(buf) serial = {0};

	if (!hex_decode(value, strlen(value), &serial) || serial.len > SERIAL_MAX)
		return false;
	add_serial(key, buf_bytes(&serial));
	return true;
}

static bool add_time_value(struct key *key, const char *value)
{
	int64_t t;

	if (!clock_parse(value, &t))
		return false;
	key_add_time(key, t);
	return true;
}

/* How the value of each listing stands in the key. */
static const struct listing {
	enum key_class class;
	bool (*add)(struct key *key, const char *value);
	bool start;         /* the value says where to begin, not what to match; it may be NULL */
	const char *wanted; /* of the value */
} listings[] = {
	[CERTIFICATE_ALL] = { .class = KEY_CERTIFICATE },
	[CERTIFICATE_BY_NAME] = { KEY_CERTIFICATE_NAME, add_text_value, false, "a name" },
	[CERTIFICATE_BY_KEY] = { KEY_CERTIFICATE_KEY, add_hash_value, false, "the SHA-256 of a key in hexadecimal" },
	[CERTIFICATE_BY_ACCOUNT] = { KEY_CERTIFICATE_ACCOUNT, add_id_value, false, "an account's id" },
	[CERTIFICATE_BY_PROFILE] = { KEY_CERTIFICATE_PROFILE, add_text_value, false, "a profile's name" },
	[CERTIFICATE_BY_EXPIRY] = { KEY_CERTIFICATE_EXPIRY, add_time_value, true, "a time as in RFC 3339" },
	[CERTIFICATE_RENEWALS] = { .class = KEY_CERTIFICATE_RENEWAL },
	[CERTIFICATE_IMPORTED] = { KEY_CERTIFICATE_IMPORT, add_serial_value, false, "a serial number in hexadecimal" },
	[CERTIFICATE_REVOKED_OF] = { KEY_CERTIFICATE_REVOKED, add_text_value, false, "an issuer's id" },
	[CERTIFICATE_ALL_REVOKED] = { .class = KEY_CERTIFICATE_REVOKED },
};

bool store_certificate_list(struct store_txn *txn, enum certificate_index index, const char *value, const char *after,
                            size_t limit, struct store_page *ret, struct problem *p)
{
	struct key prefix, from;

	assert((size_t)index < array_length(listings));
	const struct listing *listing = &listings[index];
	assert(!listing->add || listing->start || value);
	key_begin(&prefix, listing->class);
	from = prefix;
	if (listing->add && value && !listing->add(listing->start ? &from : &prefix, value))
		return problem_set(p, PROBLEM_MALFORMED, "the listing wants %s", listing->wanted);
	if (listing->start && after[0] == '\0')
		return page_read_from(txn, &prefix, &from, false, limit, ret, p);
	return page_read(txn, &prefix, false, after, limit, ret, p);
}

/* What stands behind the value in the key of each listing, and is what a cursor is made of. */
void store_certificate_cursor(enum certificate_index index, const struct certificate *certificate,
                              char ret[STORE_CURSOR_SIZE])
{
	auto_value(buf) text = {0};
	struct key key = {0};

	if (index == CERTIFICATE_ALL_REVOKED)
		key_add_text(&key, certificate->issuer);
	if (index == CERTIFICATE_BY_EXPIRY)
		key_add_time(&key, certificate->not_after);
	else if (index == CERTIFICATE_RENEWALS)
		key_add_time(&key, certificate->renew_at);
	else if (index == CERTIFICATE_REVOKED_OF || index == CERTIFICATE_ALL_REVOKED)
		key_add_time(&key, revocation_end(certificate));
	else if (index != CERTIFICATE_ALL)
		key_add_newest(&key, certificate->issued);
	bool is_id = key_add_id(&key, certificate->id);
	assert(is_id);
	buf_add_base64url(&text, key_bytes(&key));
	assert(text.len < STORE_CURSOR_SIZE);
	memcpy(ret, buf_text(&text), text.len + 1);
}

bool store_certificate_compromised(struct store_txn *txn, struct bytes key_hash, bool *ret, struct problem *p)
{
	struct key prefix;
	size_t n;

	key_begin(&prefix, KEY_CERTIFICATE_COMPROMISED);
	key_add(&prefix, key_hash);
	if (!page_count(txn, &prefix, 1, &n, p))
		return false;
	*ret = n > 0;
	return true;
}

static bool of_issuer_since(struct store_txn *txn, enum key_class class, const char *issuer, int64_t since, const char *after,
                            size_t limit, struct store_page *ret, struct problem *p)
{
	struct key prefix, from;

	key_begin(&prefix, class);
	key_add_text(&prefix, issuer);
	if (after[0] != '\0')
		return page_read(txn, &prefix, false, after, limit, ret, p);
	from = prefix;
	key_add_time(&from, since);
	return page_read_from(txn, &prefix, &from, false, limit, ret, p);
}

bool store_certificate_revoked(struct store_txn *txn, const char *issuer, int64_t since, const char *after,
                               size_t limit, struct store_page *ret, struct problem *p)
{
	return of_issuer_since(txn, KEY_CERTIFICATE_REVOKED, issuer, since, after, limit, ret, p);
}

bool store_certificate_released(struct store_txn *txn, const char *issuer, int64_t since, const char *after,
                                size_t limit, struct store_page *ret, struct problem *p)
{
	return of_issuer_since(txn, KEY_CERTIFICATE_RELEASED, issuer, since, after, limit, ret, p);
}

bool store_certificate_renewals(struct store_txn *txn, int64_t now, size_t limit, struct strings *ret, struct problem *p)
{
	struct key prefix;

	key_begin(&prefix, KEY_CERTIFICATE_RENEWAL);
	return page_read_due(txn, &prefix, now, limit, ret, p);
}
