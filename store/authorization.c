#include "store/authorization.h"

#include <assert.h>

#include "base/digest.h"
#include "store/table.h"

static const struct record_field challenge_fields[] = {
	record_text_always(1, challenge, type),
	record_text(2, challenge, token),
	record_enum(3, challenge, status, challenge_status, CHALLENGE_INVALID),
	record_time(4, challenge, validated),
	record_integer(5, challenge, attempts),
	record_text(6, challenge, error),
	record_text_always(7, challenge, url_key),
};
static const struct record_schema challenge_schema = {
	"challenge", sizeof(struct challenge), challenge_fields, array_length(challenge_fields),
};

static const struct record_field authorization_fields[] = {
	record_id(1, authorization, id),
	record_id(2, authorization, account),
	record_text(3, authorization, directory),
	record_enum(4, authorization, status, authorization_status, AUTHORIZATION_REVOKED),
	record_text_always(5, authorization, type),
	record_text_always(6, authorization, value),
	record_bool(7, authorization, wildcard),
	record_bool(8, authorization, preauthorized),
	record_time(9, authorization, created),
	record_time(10, authorization, expires),
	record_list(11, authorization, challenges, &challenge_schema),
	record_bool(12, authorization, require_dnssec),
	record_text(13, authorization, account_url),
	record_bool(20, authorization, granted),
	record_bool(21, authorization, subdomains),
	record_bytes(22, authorization, attested_key),
	record_text(23, authorization, attestation),
	record_time(24, authorization, ends),
};
static const struct record_schema authorization_schema = {
	"authorization", sizeof(struct authorization), authorization_fields, array_length(authorization_fields),
};

/* A digest keeps the key short whatever the name, so that a cursor into the listing is short. */
static void add_identifier(struct key *key, const char *type, const char *value, bool wildcard)
{
	auto_value(buf) text = {0};
	uint8_t digest[SHA256_SIZE];

	if (wildcard)
		buf_add_char(&text, '*');
	buf_add_char(&text, '\0');
	buf_add_strs(&text, type ?: "", ":", value ?: "", NULL);
	digest_sha256(buf_bytes(&text), digest);
	key_add(key, BYTES(digest, sizeof(digest)));
}

static void index_name(const struct authorization *authorization, struct index *ix)
{
	struct key key;

	key_begin(&key, KEY_AUTHORIZATION_NAME);
	if (!key_add_id(&key, authorization->account))
		return;
	add_identifier(&key, authorization->type, authorization->value, authorization->wildcard);
	key_add_newest(&key, authorization->created);
	index_add(ix, &key);
}

static bool is_busy(const struct authorization *authorization)
{
	const struct challenge *challenges = authorization->challenges.v;

	for (size_t i = 0; i < authorization->challenges.n; i++)
		if (challenges[i].status == CHALLENGE_PROCESSING)
			return true;
	return false;
}

static void index_pending(const struct authorization *authorization, struct index *ix)
{
	struct key key;

	key_begin(&key, KEY_AUTHORIZATION_PENDING);
	if (authorization->status == AUTHORIZATION_PENDING && key_add_id(&key, authorization->account))
		index_add(ix, &key);
}

static void authorization_index(const void *record, struct index *ix)
{
	const struct authorization *authorization = record;
	struct key key;

	index_name(authorization, ix);
	index_pending(authorization, ix);
	expiry_index(ix, EXPIRY_AUTHORIZATION, authorization->expires);
	if (is_busy(authorization)) {
		key_begin(&key, KEY_AUTHORIZATION_BUSY);
		index_add(ix, &key);
	}
}

static const struct table authorizations = {
	.class = KEY_AUTHORIZATION, .schema = &authorization_schema, .index = authorization_index,
};

const char *authorization_status_name(enum authorization_status s)
{
	static const char *const names[] = {
		[AUTHORIZATION_PENDING] = "pending", [AUTHORIZATION_VALID] = "valid",
		[AUTHORIZATION_INVALID] = "invalid", [AUTHORIZATION_DEACTIVATED] = "deactivated",
		[AUTHORIZATION_EXPIRED] = "expired", [AUTHORIZATION_REVOKED] = "revoked",
	};

	assert((size_t)s < array_length(names));
	return names[s];
}

const char *challenge_status_name(enum challenge_status s)
{
	static const char *const names[] = {
		[CHALLENGE_PENDING] = "pending", [CHALLENGE_PROCESSING] = "processing",
		[CHALLENGE_VALID] = "valid", [CHALLENGE_INVALID] = "invalid",
	};

	assert((size_t)s < array_length(names));
	return names[s];
}

const struct challenge *authorization_proof(const struct authorization *authorization)
{
	const struct challenge *v = authorization->challenges.v;

	for (size_t i = 0; i < authorization->challenges.n; i++)
		if (v[i].status == CHALLENGE_VALID)
			return &v[i];
	return NULL;
}

void authorization_free(struct authorization *authorization)
{
	record_free(authorization);
}

bool store_authorization_get(struct store_txn *txn, const char *id, struct authorization *ret, struct problem *p)
{
	return table_get(txn, &authorizations, id, ret, p);
}

bool store_authorization_put(struct store_txn *txn, const struct authorization *authorization, struct problem *p)
{
	return table_put(txn, &authorizations, authorization->id, authorization, p);
}

static bool of_account(struct key *prefix, const char *account, struct problem *p)
{
	key_begin(prefix, KEY_AUTHORIZATION_NAME);
	return key_add_id(prefix, account) || problem_set(p, PROBLEM_NOT_FOUND, "there is no such account");
}

bool store_authorization_find(struct store_txn *txn, const char *account, const char *type, const char *value,
                              bool wildcard, size_t limit, struct strings *ret, struct problem *p)
{
	struct key prefix;

	if (!of_account(&prefix, account, p))
		return false;
	add_identifier(&prefix, type, value, wildcard);
	return page_read_ids(txn, &prefix, limit, ret, p);
}

bool store_authorization_by_account(struct store_txn *txn, const char *account, const char *after, size_t limit,
                                    struct store_page *ret, struct problem *p)
{
	struct key prefix;

	return of_account(&prefix, account, p) && page_read(txn, &prefix, false, after, limit, ret, p);
}

bool store_authorization_count_pending(struct store_txn *txn, const char *account, size_t max, size_t *ret,
                                       struct problem *p)
{
	struct key prefix;

	key_begin(&prefix, KEY_AUTHORIZATION_PENDING);
	if (!key_add_id(&prefix, account))
		return problem_set(p, PROBLEM_NOT_FOUND, "there is no such account");
	return page_count(txn, &prefix, max, ret, p);
}

bool store_authorization_processing(struct store_txn *txn, const char *after, size_t limit,
                                    struct store_page *ret, struct problem *p)
{
	struct key prefix;

	key_begin(&prefix, KEY_AUTHORIZATION_BUSY);
	return page_read(txn, &prefix, false, after, limit, ret, p);
}

bool store_authorization_delete(struct store_txn *txn, const char *id, struct problem *p)
{
	return table_delete(txn, &authorizations, id, p);
}
