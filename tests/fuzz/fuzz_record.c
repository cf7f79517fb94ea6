/* Records as the store might hold them after anything: the first byte says of which kind, the rest
 * is put under an id and read through the typed calls; what can be read is written back, must come
 * out the same, and must leave nothing behind when it is deleted. The last kind is a cursor. */
#include <assert.h>

#include "store/account.h"
#include "store/authorization.h"
#include "store/certificate.h"
#include "store/eab.h"
#include "store/order.h"
#include "store/table.h"

#define ID "AAAAAAAAAAAAAAAAAAAAAA"

static struct problem problem;

static bool order_again(struct store_txn *txn)
{
	auto_value(order) order = {0};

	if (!store_order_get(txn, ID, &order, &problem))
		return false;
	strcpy(order.id, ID);
	return store_order_put(txn, &order, &problem) && store_order_delete(txn, ID, &problem) &&
	       store_order_put(txn, &order, &problem);
}

static bool authorization_again(struct store_txn *txn)
{
	auto_value(authorization) authorization = {0};

	if (!store_authorization_get(txn, ID, &authorization, &problem))
		return false;
	strcpy(authorization.id, ID);
	return store_authorization_put(txn, &authorization, &problem) &&
	       store_authorization_delete(txn, ID, &problem) &&
	       store_authorization_put(txn, &authorization, &problem);
}

static bool account_again(struct store_txn *txn)
{
	auto_value(account) account = {0};

	if (!store_account_get(txn, ID, &account, &problem))
		return false;
	return store_account_put(txn, &account, &problem);
}

static bool certificate_again(struct store_txn *txn)
{
	auto_value(certificate) certificate = {0};

	if (!store_certificate_get(txn, ID, &certificate, &problem))
		return false;
	return store_certificate_put(txn, &certificate, &problem);
}

static bool eab_again(struct store_txn *txn)
{
	auto_value(eab) eab = {0};

	if (!store_eab_get(txn, ID, &eab, &problem))
		return false;
	eab.kid = ID;
	return store_eab_put(txn, &eab, &problem);
}

static bool read_page(struct store_txn *txn, struct bytes in)
{
	auto_value(buf) after = {0};
	auto_value(store_page) page = {0};

	buf_add(&after, in.data, in.len);
	return store_order_list(txn, ID, buf_text(&after), 3, &page, &problem);
}

static const struct kind {
	enum key_class class;
	bool (*again)(struct store_txn *txn);
} kinds[] = {
	{ KEY_ORDER, order_again },
	{ KEY_AUTHORIZATION, authorization_again },
	{ KEY_ACCOUNT, account_again },
	{ KEY_CERTIFICATE, certificate_again },
	{ KEY_EAB, eab_again },
	{ 0, NULL },
};

static void key_of(const struct kind *kind, struct key *key)
{
	key_begin(key, kind->class);
	if (kind->class == KEY_EAB)
		key_add_text(key, ID);
	else if (!key_add_id(key, ID))
		assert(false);
}

static struct buf stored(struct store_txn *txn, const struct key *key)
{
	struct bytes value = {0};
	struct buf copy = {0};

	assert(kv_get(txn->kv, key_bytes(key), &value));
	buf_add(&copy, value.data, value.len);
	return copy;
}

static void run(struct store_txn *txn, const struct kind *kind, struct bytes in)
{
	struct key key;

	if (!kind->again) {
		(void)read_page(txn, in);
		return;
	}
	key_of(kind, &key);
	kv_put(txn->kv, key_bytes(&key), in);
	if (!kind->again(txn))
		return;
	auto_value(buf) once = stored(txn, &key);
	if (!kind->again(txn))
		abort();
	auto_value(buf) twice = stored(txn, &key);
	if (!bytes_equal(buf_bytes(&once), buf_bytes(&twice)))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct kv *kv;
	struct store_txn txn = {0};

	if (!kv && !kv_memory_open(&kv, &problem))
		abort();
	if (size == 0 || !kv_begin(kv, KV_WRITE, &txn.kv, &problem))
		return 0;
	run(&txn, &kinds[data[0] % array_length(kinds)], BYTES(data + 1, size - 1));
	kv_abort(&txn.kv);
	problem_done(&problem);
	return 0;
}
