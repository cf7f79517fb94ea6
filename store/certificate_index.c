#include "store/certificate_inside.h"

#include <assert.h>

#include "base/base64.h"
#include "base/clock.h"
#include "base/digest.h"

enum { REASON_KEY_COMPROMISE = 1 }; /* RFC 5280, 5.3.1 */

/* --- index entries --- */

/* Of a digest, so that an entry is short: what it leads to is compared with what was looked for. */
enum { DIGEST_SIZE = 8 };

void certificate_key_digest(struct key *key, enum key_class class, struct bytes digest)
{
	assert(digest.len == SHA256_SIZE);
	key_begin(key, class);
	key_add(key, BYTES(digest.data, DIGEST_SIZE));
}

static void key_name(struct key *key, const char *value)
{
	uint8_t digest[SHA256_SIZE];

	digest_sha256(BYTES_STR(value), digest);
	certificate_key_digest(key, KEY_CERTIFICATE_NAME, BYTES(digest, sizeof(digest)));
}

/* Listings go backwards over these: of those with the same value, the newest comes first. What is added
 * comes last, so that the pages of a value fill up one after the other. */
static void index_issued(struct index *ix, struct key *key, const struct certificate *certificate)
{
	key_add_time(key, certificate->issued);
	index_add(ix, key);
}

/* A common name is one of the other names as a rule. */
static bool is_repeated(const struct certificate *certificate, size_t at)
{
	const struct certificate_name *names = certificate->names.v;

	if (!names[at].type || !str_equal(names[at].type, "cn") || !names[at].value)
		return false;
	for (size_t i = 0; i < certificate->names.n; i++)
		if (i != at && names[i].value && str_equal(names[i].value, names[at].value))
			return true;
	return false;
}

/* By its value alone: a name is looked for under several types more often than not. */
static void index_names(const struct certificate *certificate, struct index *ix)
{
	const struct certificate_name *names = certificate->names.v;

	for (size_t i = 0; i < certificate->names.n; i++) {
		struct key key;

		if (is_repeated(certificate, i))
			continue;
		key_name(&key, names[i].value ?: "");
		index_issued(ix, &key, certificate);
	}
}

/* A device, a user or whoever asked for it: in the place of an account's id, and of its length. */
static bool add_identity_value(struct key *key, const char *identity)
{
	uint8_t digest[SHA256_SIZE];

	if (!identity)
		return false;
	digest_sha256(BYTES_STR(identity), digest);
	key_add(key, BYTES(digest, KEY_ID_SIZE));
	return true;
}

static bool has_identity(const struct certificate *row, const char *wanted)
{
	return row->identity && str_equal(row->identity, wanted);
}

static void index_owner(const struct certificate *certificate, struct index *ix)
{
	struct key key;

	certificate_key_digest(&key, KEY_CERTIFICATE_KEY, certificate->key_hash);
	index_issued(ix, &key, certificate);
	key_begin(&key, KEY_CERTIFICATE_PROFILE);
	key_add_text(&key, certificate->profile);
	index_issued(ix, &key, certificate);
	key_begin(&key, KEY_CERTIFICATE_ACCOUNT);
	if (key_add_id(&key, certificate->account) || add_identity_value(&key, certificate->identity))
		index_issued(ix, &key, certificate);
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

	char id[RANDOM_ID_SIZE];

	if (!certificate_is_imported(certificate)) {
		if (certificate_serial_id(certificate->serial, id) && str_equal(id, certificate->id))
			return; /* the record's own key leads to it */
		key_begin(&key, KEY_CERTIFICATE_SERIAL);
		key_add(&key, certificate->serial);
		index_add_unique(ix, &key);
		return;
	}
	key_begin(&key, KEY_CERTIFICATE_IMPORT);
	add_serial(&key, certificate->serial);
	key_add_newest(&key, certificate->issued);
	index_add(ix, &key);
}

void certificate_index(const void *record, struct index *ix)
{
	const struct certificate *certificate = record;
	struct key key;

	index_serial(certificate, ix);
	certificate_key_digest(&key, KEY_CERTIFICATE_FINGERPRINT, certificate->fingerprint);
	index_add(ix, &key);
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

/* Its type is compared with the row's. */
static bool add_name_value(struct key *key, const char *value)
{
	const char *colon = strchr(value, ':');

	if (colon)
		key_name(key, colon + 1);
	return colon != NULL;
}

static bool has_name(const struct certificate *row, const char *wanted)
{
	const struct certificate_name *names = row->names.v;
	size_t type_len = (size_t)(strchr(wanted, ':') - wanted);

	for (size_t i = 0; i < row->names.n; i++) {
		const char *type = names[i].type ?: "";
		if (strlen(type) == type_len && memcmp(type, wanted, type_len) == 0 &&
		    str_equal(names[i].value ?: "", wanted + type_len + 1))
			return true;
	}
	return false;
}

static bool add_hash_value(struct key *key, const char *value)
{
	auto_value(buf) hash = {0};

	if (!hex_decode(value, strlen(value), &hash) || hash.len != SHA256_SIZE)
		return false;
	key_add(key, BYTES(hash.data, DIGEST_SIZE));
	return true;
}

static bool has_key(const struct certificate *row, const char *wanted)
{
	auto_value(buf) hash = {0};

	return hex_decode(wanted, strlen(wanted), &hash) && bytes_equal(row->key_hash, buf_bytes(&hash));
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
	const char *wanted; /* of the value */
	bool (*fits)(const struct certificate *row, const char *value); /* where the key has a part of the value's digest */
	bool start;         /* the value says where to begin, not what to match; it may be NULL */
	bool back;          /* from the last entry to the first */
} listings[] = {
	[CERTIFICATE_ALL] = { .class = KEY_CERTIFICATE },
	[CERTIFICATE_BY_NAME] = { KEY_CERTIFICATE_NAME, add_name_value, "a type, a colon and a name", has_name, .back = true },
	[CERTIFICATE_BY_KEY] = { KEY_CERTIFICATE_KEY, add_hash_value, "the SHA-256 of a key in hexadecimal", has_key, .back = true },
	[CERTIFICATE_BY_ACCOUNT] = { KEY_CERTIFICATE_ACCOUNT, add_id_value, "an account's id", .back = true },
	[CERTIFICATE_BY_IDENTITY] = { KEY_CERTIFICATE_ACCOUNT, add_identity_value, "who asked", has_identity, .back = true },
	[CERTIFICATE_BY_PROFILE] = { KEY_CERTIFICATE_PROFILE, add_text_value, "a profile's name", .back = true },
	[CERTIFICATE_BY_EXPIRY] = { KEY_CERTIFICATE_EXPIRY, add_time_value, "a time as in RFC 3339", .start = true },
	[CERTIFICATE_RENEWALS] = { .class = KEY_CERTIFICATE_RENEWAL },
	[CERTIFICATE_IMPORTED] = { KEY_CERTIFICATE_IMPORT, add_serial_value, "a serial number in hexadecimal" },
	[CERTIFICATE_REVOKED_OF] = { KEY_CERTIFICATE_REVOKED, add_text_value, "an issuer's id" },
	[CERTIFICATE_ALL_REVOKED] = { .class = KEY_CERTIFICATE_REVOKED },
};

/* Keeps those whose row is what was looked for, and not its neighbour under the same part of a digest. */
static bool keep_fitting(struct store_txn *txn, const struct listing *listing, const char *value, struct strings *ids,
                         struct problem *p)
{
	size_t kept = 0;
	bool ok = true;

	for (size_t i = 0; i < ids->n; i++) {
		auto_value(certificate) row = {0};

		ok = ok && store_certificate_get(txn, ids->v[i], &row, p);
		if (ok && listing->fits(&row, value))
			ids->v[kept++] = ids->v[i];
		else
			free(ids->v[i]);
	}
	ids->n = kept;
	return ok;
}

static bool read_listing(struct store_txn *txn, const struct listing *listing, const struct key *prefix,
                         const struct key *from, const char *after, size_t limit, struct store_page *ret,
                         struct problem *p)
{
	if (listing->back)
		return page_read_back(txn, prefix, after, limit, ret, p);
	if (listing->start && after[0] == '\0')
		return page_read_from(txn, prefix, from, false, limit, ret, p);
	return page_read(txn, prefix, false, after, limit, ret, p);
}

bool store_certificate_list(struct store_txn *txn, enum certificate_index index, const char *value, const char *after,
                            size_t limit, struct store_page *ret, struct problem *p)
{
	auto_value(store_page) page = {0};
	struct key prefix, from;

	assert((size_t)index < array_length(listings));
	const struct listing *listing = &listings[index];
	assert(!listing->add || listing->start || value);
	key_begin(&prefix, listing->class);
	from = prefix;
	if (listing->add && value && !listing->add(listing->start ? &from : &prefix, value))
		return problem_set(p, PROBLEM_MALFORMED, "the listing wants %s", listing->wanted);
	if (!read_listing(txn, listing, &prefix, &from, after, limit, &page, p) ||
	    (listing->fits && !keep_fitting(txn, listing, value, &page.ids, p)))
		return false;
	*ret = page;
	page = (struct store_page){0};
	return true;
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
	else if (listings[index].back)
		key_add_time(&key, certificate->issued);
	else if (index == CERTIFICATE_IMPORTED)
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

static bool of_issuer_since(struct store_txn *txn, enum key_class class, const char *issuer, int64_t since,
                            const char *after, size_t limit, struct store_page *ret, struct problem *p)
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

bool store_certificate_renewals(struct store_txn *txn, int64_t now, size_t limit, struct strings *ret,
                                struct problem *p)
{
	struct key prefix;

	key_begin(&prefix, KEY_CERTIFICATE_RENEWAL);
	return page_read_due(txn, &prefix, now, limit, ret, p);
}
