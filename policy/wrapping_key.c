#include "policy/wrapping_key.h"

#include "policy/enrollment_code.h"

static const char context[] = "enrollment wrapping key";

bool wrapping_key_make(const struct store *store, char ret_hex[WRAPPING_KEY_TEXT_SIZE], struct buf *ret_sealed,
                       struct problem *p)
{
	uint8_t key[WRAPPING_KEY_SIZE];
	auto_value(buf) hex = {0};

	if (!random_bytes(key, sizeof(key), p))
		return false;
	buf_add_hex(&hex, BYTES(key, sizeof(key)));
	bool sealed = seal_close(store_seal(store), context, BYTES(key, sizeof(key)), ret_sealed, p);
	mem_wipe(key, sizeof(key));
	if (!sealed || !buf_check(&hex, p))
		return false;
	memcpy(ret_hex, buf_text(&hex), WRAPPING_KEY_TEXT_SIZE);
	return true;
}

struct looking {
	char id[RANDOM_ID_SIZE];
	struct enrollment record;
};

static void looking_done(struct looking *l)
{
	enrollment_free(&l->record);
}
declare_auto_value(looking, looking_done);

static bool look(struct store_txn *txn, void *arg, struct problem *p)
{
	struct looking *l = arg;

	return store_enrollment_get(txn, l->id, &l->record, p);
}

static bool is_good(const struct enrollment *e, const char *profile, int64_t now)
{
	auto_value(problem) why = {0};

	return e->kind == ENROLLMENT_WRAPPING && str_equal(e->profile, profile) && enrollment_code_good(e, now, &why);
}

bool wrapping_key_find(struct store *store, struct bytes id, const char *profile, int64_t now, struct buf *ret,
                       struct problem *p)
{
	auto_value(looking) l = {0};

	if (id.len != RANDOM_ID_SIZE - 1)
		return false;
	memcpy(l.id, id.data, id.len);
	if (!random_id_valid(l.id))
		return false;
	if (!store_view(store, look, &l, p)) {
		(void)!problem_forgive(p, PROBLEM_NOT_FOUND);
		return false;
	}
	return is_good(&l.record, profile, now) && seal_reveal(store_seal(store), context, l.record.hash, ret);
}
