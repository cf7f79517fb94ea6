#include "store/account.h"

#include <assert.h>

#include "store/table.h"

static const struct record_field account_fields[] = {
	record_id(1, account, id),
	record_text(2, account, directory),
	record_enum(3, account, status, account_status, ACCOUNT_REVOKED),
	record_bytes(4, account, key),
	record_bytes(5, account, thumbprint),
	record_text(6, account, jwk),
	record_texts(7, account, contacts),
	record_bool(8, account, terms_agreed),
	record_time(9, account, terms_agreed_at),
	record_text(10, account, terms),
	record_time(11, account, created),
	record_text(12, account, created_from),
	record_text(13, account, eab_kid),
	record_text(14, account, eab_json),
	record_texts(15, account, scope.profiles),
	SCOPE_FIELDS(16, account),
	record_bool(25, account, quota_shared),
	record_bytes(26, account, former_thumbprints),
	record_bool(27, account, ending),
	record_text(28, account, ended_after),
};
static const struct record_schema account_schema = {
	"account", sizeof(struct account), account_fields, array_length(account_fields),
};

static void key_key(struct key *key, const char *directory, struct bytes thumbprint)
{
	key_begin(key, KEY_ACCOUNT_KEY);
	key_add_text(key, directory);
	key_add(key, thumbprint);
}

static void account_index(const void *record, struct index *ix)
{
	const struct account *account = record;
	struct key key;

	key_key(&key, account->directory, account->thumbprint);
	index_add_unique(ix, &key);
	key_begin(&key, KEY_ACCOUNT_ENDING);
	if (account->ending)
		index_add(ix, &key);
}

static bool account_is_whole(const void *record)
{
	return ((const struct account *)record)->thumbprint.len == SHA256_SIZE;
}

static const struct table accounts = {
	.class = KEY_ACCOUNT, .schema = &account_schema, .index = account_index, .is_whole = account_is_whole,
};

const char *account_status_name(enum account_status s)
{
	static const char *const names[] = {
		[ACCOUNT_VALID] = "valid", [ACCOUNT_DEACTIVATED] = "deactivated", [ACCOUNT_REVOKED] = "revoked",
	};

	assert((size_t)s < array_length(names));
	return names[s];
}

void account_free(struct account *account)
{
	record_free(account);
}

bool store_account_get(struct store_txn *txn, const char *id, struct account *ret, struct problem *p)
{
	return table_get(txn, &accounts, id, ret, p);
}

bool store_account_by_key(struct store_txn *txn, const char *directory, struct bytes thumbprint,
                          struct account *ret, struct problem *p)
{
	struct key key;

	key_key(&key, directory, thumbprint);
	return table_find(txn, &accounts, &key, ret, p);
}

bool store_account_put(struct store_txn *txn, const struct account *account, struct problem *p)
{
	return table_put(txn, &accounts, account->id, account, p);
}

bool store_account_ending(struct store_txn *txn, size_t limit, struct strings *ret, struct problem *p)
{
	struct key prefix;

	key_begin(&prefix, KEY_ACCOUNT_ENDING);
	return page_read_ids(txn, &prefix, limit, ret, p);
}

bool store_account_list(struct store_txn *txn, const char *after, size_t limit, struct store_page *ret,
                        struct problem *p)
{
	struct key prefix;

	key_begin(&prefix, KEY_ACCOUNT);
	return page_read(txn, &prefix, false, after, limit, ret, p);
}
