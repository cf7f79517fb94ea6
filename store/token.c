#include "store/token.h"

#include <assert.h>

#include "base/digest.h"
#include "store/table.h"

static const struct {
	enum token_role role;
	const char *name;
} roles[] = {
#define X(name, bit, text, meaning) { TOKEN_##name, text },
	TOKEN_ROLES(X)
#undef X
};

static const struct record_field token_fields[] = {
	record_id(1, token, id),
	record_bytes(2, token, hash),
	record_bytes(3, token, key_hash),
	record_text(4, token, note),
	record_integer(5, token, roles),
	record_texts(6, token, profiles),
	record_texts(7, token, names),
	record_time(8, token, created),
	record_time(9, token, expires),
	record_time(10, token, revoked),
	record_time(11, token, used),
	record_text(12, token, name),
};
static const struct record_schema token_schema = {
	"token", sizeof(struct token), token_fields, array_length(token_fields),
};

/* A revoked one gives its key free. */
static void token_index(const void *record, struct index *ix)
{
	const struct token *token = record;
	struct key key;

	if (token->key_hash.len == 0 || token->revoked != 0)
		return;
	key_begin(&key, KEY_TOKEN_KEY);
	key_add(&key, token->key_hash);
	index_add_unique(ix, &key);
}

/* One credential. */
static bool token_is_whole(const void *record)
{
	const struct token *token = record;

	return (token->hash.len == SHA256_SIZE && token->key_hash.len == 0) ||
	       (token->hash.len == 0 && token->key_hash.len == SHA256_SIZE);
}

static const struct table tokens = {
	.class = KEY_TOKEN, .schema = &token_schema, .index = token_index, .is_whole = token_is_whole,
};

const char *token_role_name(enum token_role role)
{
	for (size_t i = 0; i < array_length(roles); i++)
		if (roles[i].role == role)
			return roles[i].name;
	assert(!"a role of the table");
	return NULL;
}

bool token_role_from(const char *name, enum token_role *ret)
{
	for (size_t i = 0; i < array_length(roles); i++) {
		if (!str_equal(roles[i].name, name))
			continue;
		*ret = roles[i].role;
		return true;
	}
	return false;
}

void token_free(struct token *token)
{
	record_free(token);
}

bool store_token_get(struct store_txn *txn, const char *id, struct token *ret, struct problem *p)
{
	return table_get(txn, &tokens, id, ret, p);
}

bool store_token_by_key(struct store_txn *txn, struct bytes key_hash, struct token *ret, struct problem *p)
{
	struct key key;

	assert(key_hash.len == SHA256_SIZE);
	key_begin(&key, KEY_TOKEN_KEY);
	key_add(&key, key_hash);
	return table_find(txn, &tokens, &key, ret, p);
}

bool store_token_put(struct store_txn *txn, const struct token *token, struct problem *p)
{
	return table_put(txn, &tokens, token->id, token, p);
}

bool store_token_list(struct store_txn *txn, const char *after, size_t limit, struct store_page *ret, struct problem *p)
{
	struct key prefix;

	key_begin(&prefix, KEY_TOKEN);
	return page_read(txn, &prefix, false, after, limit, ret, p);
}
