/* admin/audit.c, admin/audit_export.c, and the events of the other commands. */
#include "base/file.h"
#include "tests/unit/test_admin.h"

#include <fcntl.h>
#include <stdio.h>

#include "admin/actor.h"
#include "admin/audit_export.h"
#include "base/base64.h"
#include "base/clock.h"
#include "store/account.h"
#include "store/key.h"
#include "store/packed.h"

enum { NOW = 1800000000 };
static int64_t added;

static int begin(void **state)
{
	struct admin_init_result made;
	auto_value(problem) p = {0};
	if (admin_setup(state) != 0 || !admin_init(&admin, &made, &p))
		return -1;
	added = 0;
	return 0;
}
#define AUDIT_TEST(name) cmocka_unit_test_setup_teardown(name, begin, admin_teardown)

/* Some events after the five of init: log-begun, store-created, ca-created, and one for each CA certificate. */
static bool add_some(struct store_txn *txn, void *arg, struct problem *p)
{
	const int *n = arg;
	for (int i = 0; i < *n; i++, added++) {
		const struct audit_fact facts[] = { audit_integer("n", added), audit_text("text", "a\x1b[2Jb\xc2\x9b\x7f\n\xc3\xa4"), { 0 } };
		const struct audit_event event = {
			.kind = added % 3 ? AUDIT_ACCOUNT_CHANGED : AUDIT_ACCOUNT_CREATED, .time = NOW + added * 60, .actor = "account X\xc2\x9b" "2J",
			.from = "192.0.2.7", .facts = facts,
		};
		if (!store_audit_add(txn, &event, p))
			return false;
	}
	return true;
}

static void add(int n)
{
	auto_struct(store) *store = NULL;
	auto_value(problem) p = {0};
	if (!admin_open_store(&admin, &store, &p) || !store_update(store, add_some, &n, &p))
		fail_msg("%s %s", p.detail, p.cause);
}

/* The numbers that a listing has, as "4 5 6". */
static void wants(const char *line, const char *want)
{
	auto_value(buf) have = {0}, with_json = {0};
	buf_printf(&with_json, "%s --json", line);
	auto_struct(json) *list = admin_json(&admin_audit_list, buf_text(&with_json));
	for (size_t i = 0; i < json_length(list); i++) {
		int64_t seq = 0;
		assert_true(json_integer(json_member(json_at(list, i), "seq"), &seq));
		buf_printf(&have, "%s%lld", i ? " " : "", (long long)seq);
	}
	assert_string_equal(buf_text(&have), want);
}

static void lists(void **state)
{
	static const struct { const char *line, *want; } rows[] = {
		{ "", "1 2 3 4 5 6 7 8 9 10 11" },
		{ "--limit 2", "1 2" },
		{ "--after 9", "10 11" },
		{ "--after 11", "" },
		{ "--after 2 --limit 3", "3 4 5" },
		{ "--last 2", "10 11" },
		{ "--last 100", "1 2 3 4 5 6 7 8 9 10 11" },
		{ "--last 4 --limit 1", "8" },
		{ "--last 4 --after 9", "10 11" },
		{ "--kind account-created", "6 9" },
		{ "--kind account-created --limit 1", "6" },
		{ "--kind log-begun", "1" },
		{ "--since 2027-01-15T08:02:00Z", "8 9 10 11" },
		{ "--since 2027-01-15T08:01:01Z --kind account-changed", "8 10 11" },
		{ "--since 2040-01-01T00:00:00Z", "" },
	};
	(void)state;
	add(6);
	for (size_t i = 0; i < array_length(rows); i++)
		wants(rows[i].line, rows[i].want);
}

static void since_takes_durations(void **state)
{
	(void)state;
	wants("--since 1h", "1 2 3 4 5");
	wants("--since 1h --kind ca-created", "3");
}

static void the_table_is_plain_text(void **state)
{
	(void)state;
	add(1);
	auto_free char *text = admin_run(&admin_audit_list, "--last 1");
	assert_non_null(strstr(text, "account-created"));
	assert_non_null(strstr(text, "  from=192.0.2.7  text=a?[2Jb???\xc3\xa4\n"));
	assert_null(strchr(text, '\x1b'));
	assert_non_null(strstr(text, "  account X?2J  "));
}

static void long_listings_have_pages(void **state)
{
	(void)state;
	add(700); /* a page has 500 */
	auto_struct(json) *all = admin_json(&admin_audit_list, "--json");
	assert_int_equal(json_length(all), 705);
	auto_struct(json) *some = admin_json(&admin_audit_list, "--json --limit 600 --after 50");
	assert_int_equal(json_length(some), 600);
}

static void bad_options_are_refused(void **state)
{
	static const struct { const struct command *command; const char *line, *want; } rows[] = {
		{ &admin_audit_list, "--after x", "--after" },
		{ &admin_audit_list, "--after -1", "--after" },
		{ &admin_audit_list, "--after 99999999999999999999", "--after" },
		{ &admin_audit_list, "--limit 0", "--limit" },
		{ &admin_audit_list, "--last 0", "--last" },
		{ &admin_audit_list, "--kind account", "account-created" },
		{ &admin_audit_list, "--since yesterday", "--since" },
		{ &admin_audit_export, "--after 1x", "--after" },
		{ &admin_audit_verify, "--known 3", "--known" },
		{ &admin_audit_verify, "--known 3:abcd", "--known" },
		{ &admin_audit_verify, "--known 0:0000000000000000000000000000000000000000000000000000000000000000", "--known" },
	};
	(void)state;
	for (size_t i = 0; i < array_length(rows); i++)
		admin_refused(rows[i].command, rows[i].line, PROBLEM_MALFORMED, rows[i].want);
}

/* --- verify */

static void head_of(char ret[128])
{
	auto_struct(json) *whole = admin_json(&admin_audit_verify, "--json");
	bool is_whole = false;
	int64_t event = 0;
	assert_true(json_bool(json_member(whole, "whole"), &is_whole) && is_whole);
	assert_true(json_integer(json_member(whole, "event"), &event));
	snprintf(ret, 128, "%lld:%s", (long long)event, json_member_string(whole, "hash"));
}

static void a_whole_log_is_found_whole(void **state)
{
	char head[128], line[160];
	(void)state;
	add(12000); /* more than the check takes at once */
	auto_free char *text = admin_run(&admin_audit_verify, "");
	assert_non_null(strstr(text, "the log is whole: 12005 events\nlast 12005:"));
	head_of(head);
	assert_non_null(strstr(text, head));
	snprintf(line, sizeof line, "--known %s", head);
	add(3);
	auto_free char *again = admin_run(&admin_audit_verify, line);
	assert_non_null(strstr(again, "12008 events"));
}

static void what_is_known_is_compared(void **state)
{
	char head[128], line[160];
	(void)state;
	head_of(head);
	snprintf(line, sizeof line, "--known 2:%s", strchr(head, ':') + 1);
	admin_refused(&admin_audit_verify, line, PROBLEM_CONFLICT, "event 2 is another one");
	snprintf(line, sizeof line, "--known 11:%s", strchr(head, ':') + 1);
	admin_refused(&admin_audit_verify, line, PROBLEM_CONFLICT, "event 11 is missing");
}

/* By the engine's own hands, as a program of somebody's would. */
static void tamper(uint64_t seq, bool delete)
{
	struct problem problem = {0}, *p = &problem;
	auto_struct(kv) *kv = NULL;
	struct kv_txn *txn = NULL;
	uint8_t key[9] = { KEY_AUDIT, 0, 0, 0, 0, 0, 0, (uint8_t)(seq >> 8), (uint8_t)seq };
	struct bytes value;
	auto_value(buf) copy = {0}, room = {0};
	struct bytes line;
	assert_true(kv_lmdb_open(admin_folder, NULL, &kv, p) && kv_begin(kv, KV_WRITE, &txn, p));
	assert_true(kv_get(txn, BYTES(key, sizeof key), &value));
	assert_true(packed_read(txn, BYTES(value.data + 48, value.len - 48), &room, &line));
	buf_add(&copy, value.data, 48);
	buf_add(&copy, line.data, line.len);
	*(char *)strstr((char *)copy.data + 48, "account X") = 'A';
	if (delete)
		kv_delete(txn, BYTES(key, sizeof key));
	else
		kv_put(txn, BYTES(key, sizeof key), buf_bytes(&copy));
	assert_true(kv_commit(&txn, p));
}

static void a_changed_event_is_named(void **state)
{
	auto_free char *text = NULL;
	auto_value(problem) p = {0};
	(void)state;
	add(10);
	tamper(7, false);
	admin_refused(&admin_audit_verify, "", PROBLEM_CONFLICT, "event 7 was changed");
	assert_false(admin_try(&admin_audit_verify, "--json", &text, &p));
	assert_string_equal(text, "{\"whole\":false,\"finding\":\"changed\",\"event\":7}\n");
}

static void a_missing_event_is_named(void **state)
{
	(void)state;
	add(10);
	tamper(12, true);
	admin_refused(&admin_audit_verify, "", PROBLEM_CONFLICT, "event 12 is missing");
}

static void a_cut_off_end_is_named(void **state)
{
	(void)state;
	add(10);
	for (uint64_t i = 10; i <= 15; i++)
		tamper(i, true);
	admin_refused(&admin_audit_verify, "", PROBLEM_CONFLICT, "event 10 is missing");
}

/* --- export */

static char *export_to(const char *name, const char *line)
{
	auto_free char *text = admin_run(&admin_audit_export, line);
	char *path = mem_printf("%s/%s", admin_folder, name);
	auto_value(problem) p = {0};
	assert_true(file_write(path, BYTES_STR(text), 0600, &p));
	return path;
}

static void an_export_is_a_chain(void **state)
{
	auto_value(problem) p = {0};
	struct audit_export export;
	(void)state;
	add(700);
	auto_free char *path = export_to("all", "");
	assert_true(audit_export_read(path, &export, &p));
	assert_int_equal(export.first, 1);
	assert_int_equal(export.last, 705);
	auto_free char *tail = export_to("tail", "--after 600");
	assert_true(audit_export_read(tail, &export, &p));
	assert_int_equal(export.first, 601);
	assert_int_equal(export.last, 705);
	add(5);
	auto_free char *whole = admin_run(&admin_audit_verify, path);
	assert_non_null(strstr(whole, "710 events"));
	auto_free char *tail_whole = admin_run(&admin_audit_verify, tail);
	assert_non_null(strstr(tail_whole, "710 events"));
}

static void write_bent(const char *path, const char *text, const char *from, const char *to)
{
	auto_value(buf) bent = {0};
	auto_value(problem) p = {0};
	const char *at = strstr(text, from);
	assert_non_null(at);
	buf_printf(&bent, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
	assert_true(file_write(path, buf_bytes(&bent), 0600, &p));
}

/* Lines of a good export, bent. */
static void bent_exports_are_refused(void **state)
{
	static const struct { const char *name, *from, *to, *want; } rows[] = {
		{ "a letter", "account X", "account Y", "line 6 was changed" },
		{ "a number", "\"seq\":5", "\"seq\":6", "line 5 was changed" },
		{ "a hash", "{\"hash\":\"", "{\"hash\":\"00", "line 1 was changed" },
		{ "the form", "\",\"event\":{\"seq\":3", "\",\"event\": {\"seq\":3", "line 3 was changed" },
		{ "no line end", "}}\n", "}} \n", "line 1 was changed" },
	};
	(void)state;
	add(6);
	auto_free char *text = admin_run(&admin_audit_export, "");
	auto_free char *path = mem_printf("%s/bent", admin_folder);
	for (size_t i = 0; i < array_length(rows); i++) {
		write_bent(path, text, rows[i].from, rows[i].to);
		admin_refused(&admin_audit_verify, path, PROBLEM_MALFORMED, rows[i].want);
	}
}

static const char *line_of(const char *text, int n)
{
	for (int i = 1; i < n; i++)
		text = strchr(text, '\n') + 1;
	return text;
}

static void write_lines(const char *path, const char *text, const int *lines)
{
	auto_value(buf) out = {0};
	auto_value(problem) p = {0};
	for (size_t i = 0; lines[i]; i++)
		buf_printf(&out, "%.*s\n", (int)strcspn(line_of(text, lines[i]), "\n"), line_of(text, lines[i]));
	assert_true(file_write(path, buf_bytes(&out), 0600, &p));
}

static void lines_moved_are_refused(void **state)
{
	static const struct { int lines[10]; const char *want; } rows[] = {
		{ { 1, 3 }, "line 2 does not follow" },
		{ { 1, 2, 2 }, "line 3 does not follow" },
		{ { 2, 1 }, "line 2 does not follow" },
		{ { 0 }, "no line" },
	};
	(void)state;
	add(6);
	auto_free char *text = admin_run(&admin_audit_export, "");
	auto_free char *path = mem_printf("%s/moved", admin_folder);
	for (size_t i = 0; i < array_length(rows); i++) {
		write_lines(path, text, rows[i].lines);
		admin_refused(&admin_audit_verify, path, PROBLEM_MALFORMED, rows[i].want);
	}
	write_lines(path, text, (const int[]){ 3, 4, 5, 0 });
	auto_free char *part = admin_run(&admin_audit_verify, path);
	assert_non_null(strstr(part, "whole"));
	admin_refused(&admin_audit_verify, "/nonexistent", PROBLEM_NOT_FOUND, "/nonexistent");
}

/* The store put back as it was: whole in itself, but not what the export is of. */
static void a_store_put_back_is_found_by_an_export(void **state)
{
	auto_value(problem) p = {0};
	auto_value(buf) old = {0};
	auto_free char *data = mem_printf("%s/data.mdb", admin_folder);
	(void)state;
	add(3);
	assert_true(file_read(data, BUF_MAX - 1, &old, &p));
	add(3);
	auto_free char *path = export_to("export", "");
	free(admin_run(&admin_audit_verify, path));
	assert_true(file_write(data, buf_bytes(&old), 0600, &p));
	auto_free char *alone = admin_run(&admin_audit_verify, "");
	assert_non_null(strstr(alone, "the log is whole: 8 events"));
	admin_refused(&admin_audit_verify, path, PROBLEM_CONFLICT, "event 11 is missing");
	add(5);
	admin_refused(&admin_audit_verify, path, PROBLEM_CONFLICT, "event 11 is another one");
}

/* --- what the commands tell */

static struct json *newest(const char *kind)
{
	auto_free char *line = mem_printf("--json --kind %s", kind);
	struct json *list = admin_json(&admin_audit_list, line);
	if (json_length(list) == 0)
		fail_msg("no %s", kind);
	return list;
}

static const char *says(const struct json *list, const char *name)
{
	const struct json *event = json_at(list, json_length(list) - 1);
	return json_member_string(event, name) ?: json_member_string(json_member(event, "about"), name) ?: "(missing)";
}

static void want_operator(const struct json *list)
{
	char actor[ADMIN_ACTOR_SIZE];
	admin_actor(actor);
	assert_true(str_starts(actor, "operator ") && strlen(actor) > strlen("operator "));
	assert_string_equal(says(list, "actor"), actor);
}

static void init_is_told(void **state)
{
	(void)state;
	wants("", "1 2 3 4 5");
	auto_struct(json) *store = newest("store-created"), *ca = newest("ca-created");
	want_operator(store);
	want_operator(ca);
	assert_string_equal(says(store, "folder"), admin_folder);
	assert_int_equal(strlen(says(ca, "rootFingerprint")), 64);
	auto_value(problem) p = {0};
	struct admin_init_result made;
	assert_false(admin_init(&admin, &made, &p));
	wants("", "1 2 3 4 5");
}

static void external_keys_are_told(void **state)
{
	(void)state;
	auto_struct(json) *made = admin_json(&admin_eab_create, "--json --note me --profile one,two --uses 3 --expires 1d");
	const char *kid = json_member_string(made, "kid");
	auto_struct(json) *created = newest("eab-created");
	want_operator(created);
	assert_string_equal(says(created, "eab"), kid);
	assert_string_equal(says(created, "note"), "me");
	auto_free char *all = admin_run(&admin_audit_export, "");
	assert_null(strstr(all, json_member_string(made, "key"))); /* the log is no place for secrets */
	free(admin_run(&admin_eab_revoke, kid));
	auto_struct(json) *revoked = newest("eab-revoked");
	want_operator(revoked);
	assert_string_equal(says(revoked, "eab"), kid);
	admin_refused(&admin_eab_revoke, kid, PROBLEM_ALREADY_REVOKED, "already");
	wants("", "1 2 3 4 5 6 7");
}

static void tokens_are_told(void **state)
{
	(void)state;
	auto_struct(json) *made = admin_json(&admin_token_create, "--json --role issue,read --name dns:**.example.com");
	const char *id = json_member_string(made, "id"), *secret = json_member_string(made, "token");
	auto_struct(json) *created = newest("token-created");
	want_operator(created);
	assert_string_equal(says(created, "token"), id);
	const struct json *roles = json_member(json_member(json_at(created, 0), "about"), "roles");
	assert_int_equal(json_length(roles), 2);
	assert_string_equal(json_string(json_at(roles, 0)), "issue");
	auto_free char *all = admin_run(&admin_audit_export, "");
	assert_null(strstr(all, secret));
	free(admin_run(&admin_token_revoke, id));
	auto_struct(json) *revoked = newest("token-revoked");
	assert_string_equal(says(revoked, "token"), id);
}

static bool put_account(struct store_txn *txn, void *arg, struct problem *p)
{
	uint8_t thumbprint[SHA256_SIZE] = { 1 };
	struct account account = { .id = "AAAAAAAAAAAAAAAAAAAAAA", .directory = "one", .thumbprint = BYTES(thumbprint, sizeof thumbprint) };
	(void)arg;
	return store_account_put(txn, &account, p);
}

static void deactivating_is_told(void **state)
{
	auto_value(problem) p = {0};
	struct store *store = NULL;
	(void)state;
	assert_true(admin_open_store(&admin, &store, &p) && store_update(store, put_account, NULL, &p));
	store_close(store);
	free(admin_run(&admin_account_deactivate, "AAAAAAAAAAAAAAAAAAAAAA"));
	auto_struct(json) *told = newest("account-deactivated");
	want_operator(told);
	assert_string_equal(says(told, "account"), "AAAAAAAAAAAAAAAAAAAAAA");
	admin_refused(&admin_account_deactivate, "AAAAAAAAAAAAAAAAAAAAAA", PROBLEM_CONFLICT, "already");
	wants("", "1 2 3 4 5 6");
}

static void a_copy_is_told_and_whole(void **state)
{
	auto_free char *folder = mem_printf("%s/copy", admin_folder);
	(void)state;
	add(3);
	free(admin_run(&admin_backup_command, folder));
	auto_struct(json) *told = newest("store-copied");
	want_operator(told);
	assert_string_equal(says(told, "folder"), folder);
	admin.data_folder = folder;
	auto_free char *text = admin_run(&admin_audit_verify, "");
	assert_non_null(strstr(text, "the log is whole: 9 events"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		AUDIT_TEST(lists),
		AUDIT_TEST(since_takes_durations),
		AUDIT_TEST(the_table_is_plain_text),
		AUDIT_TEST(long_listings_have_pages),
		AUDIT_TEST(bad_options_are_refused),
		AUDIT_TEST(a_whole_log_is_found_whole),
		AUDIT_TEST(what_is_known_is_compared),
		AUDIT_TEST(a_changed_event_is_named),
		AUDIT_TEST(a_missing_event_is_named),
		AUDIT_TEST(a_cut_off_end_is_named),
		AUDIT_TEST(an_export_is_a_chain),
		AUDIT_TEST(bent_exports_are_refused),
		AUDIT_TEST(lines_moved_are_refused),
		AUDIT_TEST(a_store_put_back_is_found_by_an_export),
		AUDIT_TEST(init_is_told),
		AUDIT_TEST(external_keys_are_told),
		AUDIT_TEST(tokens_are_told),
		AUDIT_TEST(deactivating_is_told),
		AUDIT_TEST(a_copy_is_told_and_whole),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
