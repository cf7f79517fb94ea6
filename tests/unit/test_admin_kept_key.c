/* Private keys that the server keeps, and what is known of a CA's lists: what holds for all of them holds for more than
 * a page, and what cannot be read is not what is not there. */
#include "tests/unit/test_store.h"

#include "admin/api.h"
#include "admin/api_routes.h"
#include "admin/ca_facts.h"
#include "admin/kept_key.h"
#include "store/key.h"
#include "store/private_key.h"
#include "store/revocation.h"
#include "store/table.h"
#include "tests/unit/test_ca_status.h"

enum { ROWS = 1203 }; /* a page has 1000 */

static const uint8_t key_hash[32] = { 7 };

static void id_of_row(unsigned n, char ret[RANDOM_ID_SIZE])
{
	snprintf(ret, RANDOM_ID_SIZE, "row0000000000%08uA", n % 100000000);
}

static struct certificate row_of(unsigned n, uint8_t unique[32])
{
	struct certificate row = {
		.der = BYTES("x", 1), .issuer = "issuing", .serial = BYTES(unique, 16), .fingerprint = BYTES(unique, 32), .subject = "",
		.profile = "default", .key_hash = BYTES(key_hash, sizeof(key_hash)), .not_after = clock_now() + 1000, .key_kept = true,
		.method = "api", .identity = "operator x",
	};

	memset(unique, 0, 32);
	memcpy(unique, &(uint32_t){ n + 1 }, 4);
	unique[31] = 1;
	id_of_row(n, row.id);
	return row;
}

static bool put_rows(struct store_txn *txn, void *arg, struct problem *p)
{
	const struct private_key kept = { .seal = "seal", .sealed = BYTES("sealed", 6) };
	unsigned count = *(const unsigned *)arg;

	for (unsigned i = 0; i < count; i++) {
		uint8_t unique[32];
		const struct certificate row = row_of(i, unique);
		if (!store_certificate_put(txn, &row, p))
			return false;
	}
	return store_private_key_put(txn, BYTES(key_hash, sizeof(key_hash)), &kept, p);
}

static bool count_kept(struct store_txn *txn, void *arg, struct problem *p)
{
	unsigned *count = arg;

	*count = 0;
	for (unsigned i = 0; i < ROWS; i++) {
		auto_value(certificate) row = { 0 };
		char id[RANDOM_ID_SIZE];
		id_of_row(i, id);
		if (!store_certificate_get(txn, id, &row, p))
			return false;
		*count += row.key_kept;
	}
	return true;
}

static bool look_for_key(struct store_txn *txn, void *arg, struct problem *p)
{
	auto_value(private_key) key = { 0 };

	(void)arg;
	return store_private_key_get(txn, BYTES(key_hash, sizeof(key_hash)), &key, p);
}

/* A certificate that still says the server keeps its key would offer what is not there any more. */
static void a_key_that_is_deleted_is_forgotten_by_all_its_certificates(void **state)
{
	auto_struct(store) *store = status_store();
	auto_struct(profiles) *profiles = NULL;
	auto_struct(identity) *identity = NULL;
	const struct api_options options = { 0 };
	struct profile *profile = NULL;
	struct api *api = NULL;
	char id[RANDOM_ID_SIZE];
	unsigned count = ROWS;

	(void)state;
	id_of_row(3, id);
	must(profile_new("default", &profile, p) && profiles_new(&profile, 1, "default", NULL, &profiles, p));
	must(api_prepare(&options, store, NULL, profiles, &api, p) && identity_person("operator x", &identity, p));
	must(store_update(store, put_rows, &count, p) && store_view(store, count_kept, &count, p));
	assert_int_equal(count, ROWS);
	const struct api_asking asking = { "deletePrivateKey", id, BYTES(NULL, 0) };
	struct http_response response = { 0 };
	must(api_ask_as(api, identity, &asking, &response, p));
	assert_int_equal(response.status, 204);
	must(store_view(store, count_kept, &count, p));
	assert_int_equal(count, 0);
	must_refuse(PROBLEM_NOT_FOUND, store_view(store, look_for_key, NULL, p));
	http_response_free(&response);
	api_close(api);
}

static bool damage_key(struct store_txn *txn, void *arg, struct problem *p)
{
	auto_value(buf) hex = { 0 };
	struct key key;

	(void)arg, (void)p;
	buf_add_hex(&hex, BYTES(key_hash, sizeof(key_hash)));
	key_begin(&key, KEY_PRIVATE_KEY);
	key_add_text(&key, buf_text(&hex));
	kv_put(txn->kv, key_bytes(&key), BYTES("\xff\xff", 2));
	return true;
}

static bool drop_key(struct store_txn *txn, void *arg, struct problem *p)
{
	(void)arg;
	return store_private_key_delete(txn, BYTES(key_hash, sizeof(key_hash)), p);
}

static enum problem_kind reading(struct store *store)
{
	const struct admin admin = { 0 };
	auto_value(certificate) row = { 0 };
	auto_value(problem) p = { 0 };
	EVP_PKEY *key = NULL;
	char id[RANDOM_ID_SIZE];

	id_of_row(0, id);
	assert_false(kept_key_read(&admin, store, id, "pem", &row, &key, &p));
	return p.kind;
}

/* Who hears that a key is not kept may make another and give up what the old one decrypts. */
static void a_key_that_cannot_be_read_is_not_one_that_is_not_kept(void **state)
{
	auto_struct(store) *store = status_store();
	unsigned count = 1;

	(void)state;
	must(store_update(store, put_rows, &count, p) && store_update(store, damage_key, NULL, p));
	assert_string_equal(problem_kind_name(reading(store)), "INTERNAL");
	must(store_update(store, put_rows, &count, p) && store_update(store, drop_key, NULL, p));
	assert_string_equal(problem_kind_name(reading(store)), "NOT_FOUND");
}

/* --- lists */

static bool say_two_shards(struct store_txn *txn, void *arg, struct problem *p)
{
	auto_value(revocation) revocation = { 0 };

	(void)arg;
	if (!store_revocation_get(txn, "issuing", &revocation, p))
		return false;
	revocation.shards = 2;
	return store_revocation_put(txn, &revocation, p);
}

static struct ca_list list_of(struct crls *crls)
{
	const struct ca_place place = { .folder = folder, .crls = crls };
	auto_value(ca_facts) facts = { 0 };
	auto_value(problem) p = { 0 };

	status_check(ca_facts_read(&place, status.store, "issuing", &facts, &p), &p);
	return facts.crl;
}

/* Of lists side by side, all are counted or none: a part of the entries would pass for all. */
static void entries_are_of_all_shards_or_of_none(void **state)
{
	const struct crls_options options = { .lifetime = 86400, .interval = 3600 };
	auto_struct(crls) *crls = NULL;
	auto_value(certificate) revoked = { 0 };

	(void)state;
	status_open(KEYFILE_EC_P256);
	status_issue(TEST_DAY, &revoked);
	status_revoke(&revoked, 0);
	must(crls_open(&options, status.store, status.ca, &crls, p) && crls_refresh(crls, p));
	struct ca_list whole = list_of(crls);
	assert_true(whole.entries == 1 && whole.next_update > 0 && whole.number > 0);
	must(store_update(status.store, say_two_shards, NULL, p));
	struct ca_list part = list_of(crls);
	assert_true(part.entries == 0 && part.next_update == 0 && part.number == whole.number && part.shards == 2);
	crls_close(crls);
	crls = NULL;
	status_close();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_key_that_is_deleted_is_forgotten_by_all_its_certificates),
		cmocka_unit_test(a_key_that_cannot_be_read_is_not_one_that_is_not_kept),
		cmocka_unit_test(entries_are_of_all_shards_or_of_none),
	};
	test_keys_make();
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	test_keys_free();
	return failed;
}
