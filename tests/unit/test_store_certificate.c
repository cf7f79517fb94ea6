#include "tests/unit/test_store_rows.h"

#include "base/digest.h"
#include "store/certificate.h"
#include "store/certificate_inside.h"

static uint8_t hashes[32][SHA256_SIZE];

static struct bytes hash(unsigned n)
{
	hashes[n][0] = 0xa0;
	hashes[n][31] = (uint8_t)n;
	return BYTES(hashes[n], SHA256_SIZE);
}

static uint8_t serials[32][16];

static struct certificate make(unsigned n)
{
	struct certificate certificate = {
		.issuer = "issuing", .profile = "server", .method = "acme", .issued = 1000 + n, .not_after = 5000 + n,
	};

	serials[n][0] = 0x7f;
	serials[n][15] = (uint8_t)n;
	certificate.serial = BYTES(serials[n], sizeof(serials[n]));
	certificate.fingerprint = hash(n);
	certificate.key_hash = hash(n);
	id_of(n, certificate.id);
	return certificate;
}

static void put(const struct certificate *certificate)
{
	must(store_certificate_put(txn, certificate, p));
}

static void test_all_fields(void **state)
{
	static struct certificate_name names[] = { { "dns", "*.example.com" }, { "cn", "x" } };
	static struct certificate_metadata metadata[] = { { "owner", "Ada" }, { "env", "" } };
	struct certificate in = make(1);
	struct certificate out;

	(void)state;
	in.status = CERTIFICATE_REVOKED;
	in.der = BYTES("der", 3);
	in.names = (struct record_list){ names, 2 };
	in.subject = "CN=x";
	in.not_before = 900;
	id_of(50, in.account);
	id_of(60, in.order);
	in.identity = "device 7";
	in.revoked = 2000;
	in.reason = 4;
	in.revoked_by = "certificate key";
	in.replaces = "before";
	in.replaced_by = "after";
	in.metadata = (struct record_list){ metadata, 2 };
	in.issuer_subject = "CN=Other CA";
	in.key_kept = true;
	in.renew_before = 11;
	in.renew_at = 12;
	in.renew_failures = 13;
	in.renew_error = "the CA was away";
	put(&in);
	must(store_certificate_get(txn, in.id, &out, p));
	assert_string_equal(out.id, in.id);
	assert_int_equal(out.status, CERTIFICATE_REVOKED);
	want_bytes(out.der, in.der);
	want_text(out.issuer, "issuing");
	want_bytes(out.serial, in.serial);
	want_bytes(out.fingerprint, in.fingerprint);
	want_bytes(out.key_hash, in.key_hash);
	const struct certificate_name *got = out.names.v;
	assert_int_equal(out.names.n, 2);
	want_text(got[0].type, "dns");
	want_text(got[0].value, "*.example.com");
	want_text(got[1].type, "cn");
	want_text(out.subject, "CN=x");
	want_text(out.profile, "server");
	assert_int_equal(out.not_before, 900);
	assert_int_equal(out.not_after, in.not_after);
	assert_int_equal(out.issued, in.issued);
	want_text(out.method, "acme");
	assert_string_equal(out.account, in.account);
	assert_string_equal(out.order, in.order);
	want_text(out.identity, "device 7");
	assert_int_equal(out.revoked, 2000);
	assert_int_equal(out.reason, 4);
	want_text(out.revoked_by, "certificate key");
	want_text(out.replaces, "before");
	want_text(out.replaced_by, "after");
	assert_int_equal(out.metadata.n, 2);
	want_text(((const struct certificate_metadata *)out.metadata.v)[0].key, "owner");
	want_text(((const struct certificate_metadata *)out.metadata.v)[1].value, "");
	want_text(out.issuer_subject, "CN=Other CA");
	assert_true(out.key_kept);
	assert_int_equal(out.renew_before, 11);
	assert_int_equal(out.renew_at, 12);
	assert_int_equal(out.renew_failures, 13);
	want_text(out.renew_error, "the CA was away");
	certificate_free(&out);
}

static void test_few_fields(void **state)
{
	struct certificate in = make(1);
	struct certificate out;

	(void)state;
	in.issuer = in.profile = in.method = NULL;
	put(&in);
	must(store_certificate_get(txn, in.id, &out, p));
	assert_null(out.issuer);
	assert_null(out.identity);
	assert_string_equal(out.account, "");
	assert_int_equal(out.revoked, 0);
	certificate_free(&out);
	assert_int_equal(rows_count(KEY_CERTIFICATE_ACCOUNT), 0);
}

static void test_by_serial_and_fingerprint(void **state)
{
	static const uint8_t zeros[64];
	struct certificate out = {0};

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		struct certificate in = make(i);
		put(&in);
	}
	struct certificate in = make(1);
	must(store_certificate_by_serial(txn, in.serial, &out, p));
	assert_string_equal(out.id, in.id);
	certificate_free(&out);
	must(store_certificate_by_fingerprint(txn, in.fingerprint, &out, p));
	assert_string_equal(out.id, in.id);
	certificate_free(&out);
	must_refuse(PROBLEM_NOT_FOUND, store_certificate_by_serial(txn, BYTES("\1", 1), &out, p));
	must_refuse(PROBLEM_NOT_FOUND, store_certificate_by_serial(txn, BYTES(NULL, 0), &out, p));
	must_refuse(PROBLEM_NOT_FOUND, store_certificate_by_serial(txn, BYTES(zeros, 64), &out, p));
	must_refuse(PROBLEM_NOT_FOUND, store_certificate_by_fingerprint(txn, BYTES(zeros, 32), &out, p));
	must_refuse(PROBLEM_NOT_FOUND, store_certificate_by_fingerprint(txn, BYTES("", 0), &out, p));
	must_refuse(PROBLEM_NOT_FOUND, store_certificate_get(txn, "nothing", &out, p));
}

/* What we issue has the begin of its serial number for an id, and no entry for it. */
static void test_serial_leads_to_id(void **state)
{
	uint8_t serial[CERTIFICATE_SERIAL_SIZE];
	struct certificate in = make(0), out = {0};

	(void)state;
	must(certificate_serial_make(1767225600, serial, p));
	in.serial = BYTES(serial, sizeof(serial));
	assert_true(certificate_serial_id(in.serial, in.id));
	must(store_certificate_add(txn, &in, p));
	must_refuse(PROBLEM_CONFLICT, store_certificate_add(txn, &in, p));
	assert_int_equal(rows_count(KEY_CERTIFICATE_SERIAL), 0);
	must(store_certificate_by_serial(txn, in.serial, &out, p));
	assert_string_equal(out.id, in.id);
	certificate_free(&out);
	assert_false(certificate_serial_id(BYTES(serial, sizeof(serial) - 1), in.id));
	assert_false(certificate_serial_id(BYTES("", 0), in.id));
}

/* RFC 5280, 4.1.2.2: positive, without leading zeros, whatever the clock says; and as random as can be. */
static void test_serial_is_random(void **state)
{
	static const struct {
		int64_t now;
		uint8_t want[4];
	} rows[] = {
		{ 1767225600, { 0x0b, 0x49, 0xd8, 0x00 } },       /* 2026 */
		{ 3725310847, { 0x7f, 0xff, 0xda, 0x7f } },       /* in 2088 */
		{ 0, { 0x21, 0xf4, 0x1f, 0x00 } },                /* a clock that was never set: modulo 2^31 */
		{ 1577836800, { 0x01, 0x00, 0x00, 0x00 } },       /* no zero first */
	};
	uint8_t ones[CERTIFICATE_SERIAL_SIZE] = {0}, zeros[CERTIFICATE_SERIAL_SIZE] = {0};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++)
		for (size_t n = 0; n < 64; n++) {
			uint8_t serial[CERTIFICATE_SERIAL_SIZE];
			must(certificate_serial_make(rows[i].now, serial, p));
			assert_memory_equal(serial, rows[i].want, 4);
			for (size_t b = 4; b < sizeof(serial); b++) {
				ones[b] |= serial[b];
				zeros[b] |= (uint8_t)~serial[b];
			}
		}
	for (size_t b = 4; b < CERTIFICATE_SERIAL_SIZE; b++) {
		assert_int_equal(ones[b], 0xff);
		assert_int_equal(zeros[b], 0xff);
	}
}

/* An imported certificate, or one of our own with another id, is not found by what its id alone would be. */
static void test_id_is_not_the_serial(void **state)
{
	uint8_t serial[CERTIFICATE_SERIAL_SIZE];
	struct certificate in = make(1), out = {0};

	(void)state;
	must(certificate_serial_make(1767225600, serial, p));
	assert_true(certificate_serial_id(BYTES(serial, sizeof(serial)), in.id));
	put(&in);
	must_refuse(PROBLEM_NOT_FOUND, store_certificate_by_serial(txn, BYTES(serial, sizeof(serial)), &out, p));
	in.method = CERTIFICATE_IMPORT;
	in.serial = BYTES(serial, sizeof(serial));
	put(&in);
	must_refuse(PROBLEM_NOT_FOUND, store_certificate_by_serial(txn, in.serial, &out, p));
}

/* The index has eight bytes of a digest: rows that share them and no more are told apart. */
static void test_neighbours_of_a_digest(void **state)
{
	struct certificate out = {0};

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		struct certificate in = make(i);
		put(&in);
	}
	for (unsigned i = 0; i < 3; i++) {
		auto_value(store_page) page = {0};
		auto_value(buf) hex = {0};

		must(store_certificate_by_fingerprint(txn, hash(i), &out, p));
		assert_int_equal(out.serial.data[15], i);
		certificate_free(&out);
		buf_add_hex(&hex, hash(i));
		must(store_certificate_list(txn, CERTIFICATE_BY_KEY, buf_text(&hex), "", 9, &page, p));
		WANT_IDS(page.ids, (int)i);
	}
	must_refuse(PROBLEM_NOT_FOUND, store_certificate_by_fingerprint(txn, hash(9), &out, p));
}

static void test_serial_of_another(void **state)
{
	struct certificate a = make(1), b = make(2);

	(void)state;
	put(&a);
	b.serial = a.serial;
	must_refuse(PROBLEM_CONFLICT, store_certificate_put(txn, &b, p));
	put(&a);
}

/* What each listing holds, in its order. Certificate n is issued at 1000 + n and ends at 5000 + n. */
static void test_listings(void **state)
{
	static struct certificate_name wild[] = { { "dns", "*.example.com" }, { "dns", "example.com" } };
	static struct certificate_name plain[] = { { "dns", "example.com" }, { "ip", "example.com" } };
	static const char long_name[] =
		"uri:spiffe://example.org/0123456789abcdef/0123456789abcdef/0123456789abcdef/0123456789abcdef/"
		"0123456789abcdef/0123456789abcdef/0123456789abcdef/0123456789abcdef/0123456789abcdef/0123456789abcdef/"
		"0123456789abcdef/0123456789abcdef/0123456789abcdef/0123456789abcdef/0123456789abcdef/0123456789abcdef";
	static struct certificate_name uri[] = { { "uri", long_name + 4 } };
	static const struct {
		enum certificate_index index;
		const char *value;
		int want[8];
	} rows[] = {
		{ CERTIFICATE_ALL, NULL, { 0, 1, 2, 3, 4, -1 } },
		{ CERTIFICATE_BY_NAME, "dns:*.example.com", { 1, 0, -1 } },
		{ CERTIFICATE_BY_NAME, "dns:example.com", { 3, 2, 1, 0, -1 } },
		{ CERTIFICATE_BY_NAME, "ip:example.com", { 3, 2, -1 } },
		{ CERTIFICATE_BY_NAME, "dns:example.co", { -1 } },
		{ CERTIFICATE_BY_NAME, "dns:", { -1 } },
		{ CERTIFICATE_BY_NAME, long_name, { 4, -1 } },
		{ CERTIFICATE_BY_KEY, "a000000000000000000000000000000000000000000000000000000000000001", { 2, 1, -1 } },
		{ CERTIFICATE_BY_KEY, "A000000000000000000000000000000000000000000000000000000000000003", { 3, -1 } },
		{ CERTIFICATE_BY_KEY, "0000000000000000000000000000000000000000000000000000000000000003", { -1 } },
		{ CERTIFICATE_BY_ACCOUNT, "the account's id", { 2, 0, -1 } },
		{ CERTIFICATE_BY_IDENTITY, "device 7", { 3, 1, -1 } },
		{ CERTIFICATE_BY_IDENTITY, "device", { -1 } },
		{ CERTIFICATE_BY_PROFILE, "server", { 3, 2, 1, -1 } },
		{ CERTIFICATE_BY_PROFILE, "serve", { -1 } },
		{ CERTIFICATE_BY_PROFILE, "device", { 4, 0, -1 } },
		{ CERTIFICATE_BY_EXPIRY, NULL, { 4, 0, 1, 2, 3, -1 } },
		{ CERTIFICATE_BY_EXPIRY, "1970-01-01T01:23:22Z", { 2, 3, -1 } }, /* 5002 */
		{ CERTIFICATE_BY_EXPIRY, "2030-01-01T00:00:00Z", { -1 } },
		{ CERTIFICATE_REVOKED_OF, "issuing", { 1, 3, -1 } },
		{ CERTIFICATE_REVOKED_OF, "issuing-2", { 4, -1 } },
		{ CERTIFICATE_REVOKED_OF, "root", { -1 } },
	};

	(void)state;
	for (unsigned i = 0; i < 5; i++) {
		struct certificate certificate = make(i);

		certificate.names = (struct record_list){ i < 2 ? wild : i < 4 ? plain : uri, i < 4 ? 2 : 1 };
		if (i == 2)
			certificate.key_hash = hash(1);
		if (i % 2 == 0 && i < 4)
			id_of(50, certificate.account);
		if (i % 2 == 1)
			certificate.identity = "device 7";
		if (i == 0 || i == 4)
			certificate.profile = "device";
		if (i == 4) {
			certificate.issuer = "issuing-2";
			certificate.not_after = 4000;
		}
		certificate.status = i == 1 || i > 2 ? CERTIFICATE_REVOKED : CERTIFICATE_VALID;
		put(&certificate);
	}
	char account[RANDOM_ID_SIZE];
	id_of(50, account);
	for (size_t i = 0; i < array_length(rows); i++) {
		auto_value(store_page) page = {0};
		const char *value = rows[i].index == CERTIFICATE_BY_ACCOUNT ? account : rows[i].value;

		must(store_certificate_list(txn, rows[i].index, value, "", 50, &page, p));
		want_ids(&page.ids, rows[i].want);
		assert_string_equal(page.next, "");
	}
}

static void test_listing_by_pages(void **state)
{
	static struct certificate_name names[] = { { "dns", "example.com" } };
	static const struct {
		enum certificate_index index;
		const char *value;
		unsigned want_first;
		int want_step;
	} rows[] = {
		{ CERTIFICATE_ALL, NULL, 0, 1 },
		{ CERTIFICATE_BY_NAME, "dns:example.com", 19, -1 },
		{ CERTIFICATE_BY_PROFILE, "server", 19, -1 },
		{ CERTIFICATE_BY_EXPIRY, "1970-01-01T00:00:00Z", 0, 1 },
		{ CERTIFICATE_REVOKED_OF, "issuing", 0, 1 },
		{ CERTIFICATE_ALL_REVOKED, NULL, 0, 1 },
	};

	(void)state;
	for (unsigned i = 0; i < 20; i++) {
		struct certificate certificate = make(i);
		certificate.names = (struct record_list){ names, 1 };
		certificate.status = CERTIFICATE_REVOKED;
		put(&certificate);
	}
	for (size_t i = 0; i < array_length(rows); i++) {
		char next[128] = "", id[RANDOM_ID_SIZE];
		unsigned n = rows[i].want_first, seen = 0;

		do {
			auto_value(store_page) page = {0};

			must(store_certificate_list(txn, rows[i].index, rows[i].value, next, 7, &page, p));
			for (size_t k = 0; k < page.ids.n; k++, seen++, n += (unsigned)rows[i].want_step)
				assert_string_equal(page.ids.v[k], id_of(n, id));
			strcpy(next, page.next);
			if (next[0] != '\0') { /* a row tells its own cursor */
				auto_value(certificate) last = {0};
				char cursor[STORE_CURSOR_SIZE];

				must(store_certificate_get(txn, page.ids.v[page.ids.n - 1], &last, p));
				store_certificate_cursor(rows[i].index, &last, cursor);
				assert_string_equal(cursor, next);
			}
		} while (next[0] != '\0');
		assert_int_equal(seen, 20);
	}
}

static void test_bad_values(void **state)
{
	static const struct {
		enum certificate_index index;
		const char *value, *after;
	} rows[] = {
		{ CERTIFICATE_BY_NAME, "no type", "" },
		{ CERTIFICATE_BY_KEY, "abcd", "" },
		{ CERTIFICATE_BY_KEY, "not hexadecimal", "" },
		{ CERTIFICATE_BY_ACCOUNT, "not an id", "" },
		{ CERTIFICATE_BY_EXPIRY, "yesterday", "" },
		{ CERTIFICATE_ALL, NULL, "?" },
		{ CERTIFICATE_BY_EXPIRY, NULL, "?" },
	};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		struct store_page page = {0};
		must_refuse(PROBLEM_MALFORMED, store_certificate_list(txn, rows[i].index, rows[i].value,
		                                                      rows[i].after, 5, &page, p));
	}
}

/* Entries follow the record: revoked, it is in one listing more; otherwise nothing moves. */
static void test_revocation_moves_one_entry(void **state)
{
	static struct certificate_name names[] = { { "dns", "a.example" }, { "dns", "b.example" }, { "cn", "a" } };
	struct certificate certificate = make(1);
	size_t before;

	(void)state;
	certificate.names = (struct record_list){ names, 3 };
	id_of(50, certificate.account);
	put(&certificate);
	before = rows_count_all();
	assert_int_equal(before, 12); /* with the reference, and its kind */
	certificate.status = CERTIFICATE_REVOKED;
	put(&certificate);
	assert_int_equal(rows_count_all(), before + 1);
	certificate.status = CERTIFICATE_VALID; /* as removeFromCRL would */
	put(&certificate);
	assert_int_equal(rows_count_all(), before);
}

/* RFC 5280, 3.3: what has expired leaves the lists, but not before it stood on one. */
static void test_revoked_since(void **state)
{
	static const struct {
		int64_t not_after, revoked;
		const char *issuer;
	} certificates[] = {
		{ 7000, 2000, "issuing" }, { 5000, 2000, "issuing" }, { 5000, 6000, "issuing" }, { 9000, 2000, "issuing-2" },
	};
	static const struct {
		const char *issuer;
		int64_t since;
		int want[5];
	} rows[] = {
		{ "issuing", 0, { 1, 2, 0, -1 } },    { "issuing", 5000, { 1, 2, 0, -1 } }, { "issuing", 5001, { 2, 0, -1 } },
		{ "issuing", 6000, { 2, 0, -1 } },    { "issuing", 6001, { 0, -1 } },       { "issuing", 7001, { -1 } },
		{ "issuing-2", 7001, { 3, -1 } },     { "issuin", 0, { -1 } },
	};

	(void)state;
	for (unsigned i = 0; i < array_length(certificates); i++) {
		struct certificate certificate = make(i);
		certificate.status = CERTIFICATE_REVOKED;
		certificate.not_after = certificates[i].not_after;
		certificate.revoked = certificates[i].revoked;
		certificate.issuer = certificates[i].issuer;
		put(&certificate);
	}
	for (size_t i = 0; i < array_length(rows); i++) {
		auto_value(store_page) page = {0};

		must(store_certificate_revoked(txn, rows[i].issuer, rows[i].since, "", 50, &page, p));
		want_ids(&page.ids, rows[i].want);
		assert_string_equal(page.next, "");
	}
}

static void test_revoked_by_pages(void **state)
{
	char next[128] = "", id[RANDOM_ID_SIZE];
	unsigned n = 3;

	(void)state;
	for (unsigned i = 0; i < 20; i++) {
		struct certificate certificate = make(i);
		certificate.status = CERTIFICATE_REVOKED;
		put(&certificate);
	}
	do {
		auto_value(store_page) page = {0};

		must(store_certificate_revoked(txn, "issuing", 5003, next, 7, &page, p));
		for (size_t k = 0; k < page.ids.n; k++)
			assert_string_equal(page.ids.v[k], id_of(n++, id));
		strcpy(next, page.next);
	} while (next[0] != '\0');
	assert_int_equal(n, 20);
}

static void test_status_name(void **state)
{
	static const struct {
		enum certificate_status status;
		int64_t now;
		const char *want;
	} rows[] = {
		{ CERTIFICATE_VALID, 5001, "valid" },  /* RFC 5280, 4.1.2.5: the last second counts */
		{ CERTIFICATE_VALID, 5002, "expired" },
		{ CERTIFICATE_REVOKED, 1, "revoked" },
		{ CERTIFICATE_REVOKED, 9999, "revoked" },
	};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		struct certificate certificate = make(1);
		certificate.status = rows[i].status;
		assert_string_equal(certificate_status_name(&certificate, rows[i].now), rows[i].want);
	}
}

/* What stands under the key of a row and is none: as a disk that lies leaves it. */
static void spoil(enum key_class class, const char *id)
{
	struct key key;

	key_begin(&key, class);
	assert_true(key_add_id(&key, id));
	kv_put(txn->kv, key_bytes(&key), BYTES("\xff\xff", 2));
}

/* A row that cannot be read is not one that is not there: OCSP would say that it knows no such certificate. */
static void test_unreadable_row_is_not_unknown(void **state)
{
	uint8_t serial[CERTIFICATE_SERIAL_SIZE] = { 1, 2, 3 };
	struct certificate certificate = make(1);
	auto_value(certificate) found = {0};

	(void)state;
	certificate.serial = BYTES(serial, sizeof(serial));
	assert_true(certificate_serial_id(certificate.serial, certificate.id));
	put(&certificate);
	spoil(KEY_CERTIFICATE, certificate.id);
	must_refuse(PROBLEM_INTERNAL, store_certificate_by_serial(txn, certificate.serial, &found, p));
	must_refuse(PROBLEM_INTERNAL, store_certificate_add(txn, &certificate, p));
}

/* What no put would take cannot have been put: to change or to delete it ends in a refusal, not in an assert. */
static void test_rows_that_are_not_whole(void **state)
{
	static const char long_issuer[] = "0123456789012345678901234567890123456789012345678901234567890123456789";
	struct table loose = certificate_table;
	struct certificate whole = make(1), rows[4] = { whole, whole, whole, whole };

	(void)state;
	loose.index = NULL;
	loose.is_whole = NULL;
	rows[0].issuer = long_issuer;
	rows[1].serial.len = 0;
	rows[2].fingerprint.len--;
	rows[3].key_hash.len--;
	for (size_t i = 0; i < array_length(rows); i++) {
		auto_value(certificate) found = {0};
		must(table_put(txn, &loose, whole.id, &rows[i], p));
		must_refuse(PROBLEM_INTERNAL, store_certificate_get(txn, whole.id, &found, p));
		must_refuse(PROBLEM_INTERNAL, store_certificate_put(txn, &whole, p));
		assert_null(found.memory);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		ROWS_TEST(test_all_fields),
		ROWS_TEST(test_few_fields),
		ROWS_TEST(test_by_serial_and_fingerprint),
		ROWS_TEST(test_serial_leads_to_id),
		ROWS_TEST(test_serial_is_random),
		ROWS_TEST(test_id_is_not_the_serial),
		ROWS_TEST(test_neighbours_of_a_digest),
		ROWS_TEST(test_serial_of_another),
		ROWS_TEST(test_listings),
		ROWS_TEST(test_listing_by_pages),
		ROWS_TEST(test_bad_values),
		ROWS_TEST(test_revocation_moves_one_entry),
		ROWS_TEST(test_revoked_since),
		ROWS_TEST(test_revoked_by_pages),
		cmocka_unit_test(test_status_name),
		ROWS_TEST(test_unreadable_row_is_not_unknown),
		ROWS_TEST(test_rows_that_are_not_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
