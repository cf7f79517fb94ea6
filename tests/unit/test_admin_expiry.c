/* admin/expiry.c: which certificates are told of, when, and that each time is told once. */
#include "tests/unit/test_store.h"

#include "admin/expiry.h"
#include "ca/inventory.h"
#include "tests/unit/audit_reader.h"

enum { HOUR = 3600, DAY = 86400, START = 1800000000 };

static struct store *store;
static struct profiles *profiles;
static struct expiry_watch watch;

static void add_profile(struct profile **list, size_t *n, const char *name, const char *const *alerts)
{
	auto_value(strings) texts = {0};
	struct profile *profile;

	for (; *alerts; alerts++)
		assert_true(strings_add(&texts, *alerts));
	must(profile_new(name, &profile, p));
	must(profile_alerts_parse(&texts, &profile->alerts, p));
	must(profile_settle(profile, p));
	list[(*n)++] = profile;
}

static int begin(void **state)
{
	static const uint8_t seal_key[32] = { 7 };
	struct profile *list[4];
	struct kv *kv;
	size_t n = 0;

	(void)state;
	must(kv_memory_open(&kv, p));
	must(store_open_kv(kv, seal_key, &store, p));
	add_profile(list, &n, "plain", (const char *[]){ NULL });
	add_profile(list, &n, "own", (const char *[]){ "0s", "2h", "10d", NULL });
	add_profile(list, &n, "silent", (const char *[]){ "none", NULL });
	must(profiles_new(list, n, "plain", NULL, &profiles, p));
	watch = (struct expiry_watch){0};
	return 0;
}

static int end(void **state)
{
	(void)state;
	profiles_unref(steal(profiles));
	store_close(steal(store));
	return 0;
}
#define EXPIRY_TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

struct making {
	const char *profile, *name, *method;
	int64_t from, to;
	char id[RANDOM_ID_SIZE];
	const char *replaces;
};

static bool make_row(struct store_txn *txn, void *arg, struct problem *p)
{
	const struct making *m = arg;
	uint8_t serial[8], digest[SHA256_SIZE];
	const char *second = strchr(m->name, ' ');
	auto_free char *first = strndup(m->name, strcspn(m->name, " "));
	struct certificate_name names[] = { { "dns", first }, { "dns", second ? second + 1 : NULL } };
	struct certificate row = {
		.der = BYTES("der", 3), .issuer = "issuing", .serial = BYTES(serial, sizeof(serial)), .names = { names, second ? 2 : 1 }, .subject = "",
		.profile = m->profile, .not_before = m->from, .not_after = m->to, .issued = m->from, .method = m->method,
		.fingerprint = BYTES(digest, sizeof(digest)), .key_hash = BYTES(digest, sizeof(digest)), .replaces = m->replaces,
	};

	digest_sha256(BYTES_STR(m->id), digest);
	memcpy(serial, digest, sizeof(serial));
	serial[0] |= 1;
	strcpy(row.id, m->id);
	return inventory_add(txn, &row, "tests", NULL, p);
}

/* name: one, or two with a space between. The id, for the caller to keep no longer than four others are made. */
static const char *issue(const char *profile, const char *name, int64_t from, int64_t life, const char *replaces)
{
	static struct making kept[16];
	static size_t turn;
	struct making *m = &kept[turn++ % array_length(kept)];

	*m = (struct making){ .profile = profile, .name = name, .method = "api", .from = from, .to = from + life, .replaces = replaces };
	must(random_id(m->id, p));
	must(store_update(store, make_row, m, p));
	return m->id;
}

static void run_until(int64_t now)
{
	for (bool more = true; more;)
		must(expiry_watch_run(&watch, store, profiles, now, &more, p));
}

static void want(size_t expiring, size_t expired)
{
	assert_int_equal(audit_count(store, AUDIT_CERTIFICATE_EXPIRING), expiring);
	assert_int_equal(audit_count(store, AUDIT_CERTIFICATE_EXPIRED), expired);
}

static void want_newest(enum audit_kind kind, const char *id, const char *alert)
{
	auto_struct(json) *event = audit_newest(store, kind);

	assert_string_equal(audit_says(event, "certificate"), id);
	assert_string_equal(audit_says(event, "alert"), alert);
}

static void each_time_is_told_once(void **state)
{
	(void)state;
	run_until(START);
	const char *id = issue("plain", "a.example", START, 90 * DAY, NULL);
	const int64_t end = START + 90 * DAY;
	static const struct {
		int64_t before;
		size_t want;
		const char *alert;
	} rows[] = {
		{ 30 * DAY + 1, 0, NULL }, { 30 * DAY, 1, "30d" }, { 30 * DAY - 1, 1, "30d" }, { 7 * DAY + 1, 1, "30d" }, { 7 * DAY, 2, "7d" },
		{ DAY + 1, 2, "7d" }, { DAY - 5, 3, "1d" }, { 0, 3, "1d" }, { -DAY, 3, "1d" },
	};
	for (size_t i = 0; i < array_length(rows); i++) {
		run_until(end - rows[i].before);
		run_until(end - rows[i].before);
		want(rows[i].want, 0);
		if (rows[i].alert)
			want_newest(AUDIT_CERTIFICATE_EXPIRING, id, rows[i].alert);
		if (i % 2) /* as a server that begins again: what it had found may not be written */
			watch = (struct expiry_watch){0};
	}
}

/* A server that was down over several of the times tells the nearest one. */
static void what_passed_meanwhile_is_told_as_one(void **state)
{
	(void)state;
	run_until(START);
	const char *id = issue("own", "a.example", START, 90 * DAY, NULL);
	run_until(START + DAY);
	watch = (struct expiry_watch){0};
	run_until(START + 90 * DAY - HOUR);
	want(1, 0);
	want_newest(AUDIT_CERTIFICATE_EXPIRING, id, "2h");
	run_until(START + 90 * DAY);
	want(1, 1);
	want_newest(AUDIT_CERTIFICATE_EXPIRED, id, "0s");
}

static void short_lives_count_where_a_profile_says_so(void **state)
{
	(void)state;
	run_until(START);
	issue("plain", "a.example", START, DAY, NULL);
	issue("silent", "b.example", START, DAY, NULL);
	run_until(START + 1);
	want(0, 0);
	const char *id = issue("own", "c.example", START, DAY, NULL);
	run_until(START + 2);
	want(1, 0);
	want_newest(AUDIT_CERTIFICATE_EXPIRING, id, "10d");
	run_until(START + DAY - HOUR);
	want(2, 0);
	run_until(START + 2 * DAY);
	want(2, 1);
}

static void one_that_comes_late_is_told_at_once(void **state)
{
	(void)state;
	run_until(START);
	const char *id = issue("plain", "a.example", START - 85 * DAY, 90 * DAY, NULL);
	run_until(START + 1);
	want(1, 0);
	want_newest(AUDIT_CERTIFICATE_EXPIRING, id, "7d");
	issue("plain", "b.example", START - 95 * DAY, 90 * DAY, NULL);
	run_until(START + 2);
	want(1, 0);
}

static bool revoke_row(struct store_txn *txn, void *arg, struct problem *p)
{
	auto_value(certificate) row = {0};

	if (!store_certificate_get(txn, arg, &row, p))
		return false;
	row.status = CERTIFICATE_REVOKED;
	row.revoked = START;
	return store_certificate_put(txn, &row, p);
}

static void what_is_settled_is_not_told_of(void **state)
{
	(void)state;
	run_until(START);
	const char *old = issue("plain", "a.example", START, 40 * DAY, NULL);
	issue("plain", "other.example", START, 90 * DAY, old);    /* renewed, under another name even */
	issue("plain", "b.example", START, 40 * DAY, NULL);
	issue("plain", "b.example", START + 5, 90 * DAY, NULL);   /* replaced without a word */
	char revoked[RANDOM_ID_SIZE];
	strcpy(revoked, issue("plain", "c.example", START, 40 * DAY, NULL));
	must(store_update(store, revoke_row, revoked, p));
	run_until(START + 39 * DAY);
	want(0, 0);
	/* Neither another profile's nor one that ends no later replaces, nor one of fewer or more names, nor one that was
	 * revoked. */
	issue("plain", "d.example", START + 39 * DAY, 40 * DAY, NULL);
	issue("own", "d.example", START + 39 * DAY, 90 * DAY, NULL);
	issue("plain", "d.example", START + 39 * DAY - 3, 40 * DAY, NULL);
	issue("plain", "e.example f.example", START + 39 * DAY, 40 * DAY, NULL);
	issue("plain", "e.example", START + 39 * DAY, 90 * DAY, NULL);
	issue("plain", "g.example", START + 39 * DAY, 40 * DAY, NULL);
	issue("plain", "g.example h.example", START + 39 * DAY, 90 * DAY, NULL);
	issue("plain", "i.example", START + 39 * DAY, 40 * DAY, NULL);
	strcpy(revoked, issue("plain", "i.example", START + 39 * DAY, 90 * DAY, NULL));
	must(store_update(store, revoke_row, revoked, p));
	run_until(START + 50 * DAY);
	want(4, 0);
}

static bool last_event(struct store_txn *txn, void *arg, struct problem *p)
{
	return store_audit_last(txn, arg, p);
}

/* More than are told in one update, in the same hour and in the same second. */
static void many_at_once(void **state)
{
	(void)state;
	run_until(START);
	for (int i = 0; i < 6000; i++) {
		char name[40];

		snprintf(name, sizeof(name), "n%d.example", i);
		issue("plain", name, START + (i < 3000 ? i : 0), 8 * DAY, NULL);
	}
	run_until(START + 8 * DAY - HOUR);
	uint64_t last;
	must(store_view(store, last_event, &last, p));
	assert_int_equal(last, 1 + 6000 + 6000); /* the log's beginning, the issued, and the nearest time of each */
}

static void times_are_parsed(void **state)
{
	static const struct {
		const char *texts[10];
		bool want;
		int64_t before[8];
		size_t n;
	} rows[] = {
		{ { "1d", "30d", "7d", "30d" }, true, { DAY, 7 * DAY, 30 * DAY }, 3 },
		{ { "0s" }, true, { 0 }, 1 },
		{ { "none" }, true, { 0 }, 0 },
		{ { "none", "1d" }, false, { 0 }, 0 },
		{ { "soon" }, false, { 0 }, 0 },
		{ { "6y" }, false, { 0 }, 0 },
		{ { "1d", "2d", "3d", "4d", "5d", "6d", "7d", "8d", "9d" }, false, { 0 }, 0 },
	};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		auto_value(strings) texts = {0};
		auto_value(problem) p = {0};
		struct profile_alerts alerts = { .n = 99 };

		for (size_t k = 0; k < array_length(rows[i].texts) && rows[i].texts[k]; k++)
			assert_true(strings_add(&texts, rows[i].texts[k]));
		assert_int_equal(profile_alerts_parse(&texts, &alerts, &p), rows[i].want);
		assert_int_equal(alerts.n, rows[i].want ? rows[i].n : 99);
		for (size_t k = 0; rows[i].want && k < rows[i].n; k++)
			assert_int_equal(alerts.before[k], rows[i].before[k]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		EXPIRY_TEST(each_time_is_told_once),
		EXPIRY_TEST(what_passed_meanwhile_is_told_as_one),
		EXPIRY_TEST(short_lives_count_where_a_profile_says_so),
		EXPIRY_TEST(one_that_comes_late_is_told_at_once),
		EXPIRY_TEST(what_is_settled_is_not_told_of),
		EXPIRY_TEST(many_at_once),
		cmocka_unit_test(times_are_parsed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
