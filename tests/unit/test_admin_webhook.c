#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "admin/webhook_event.h"
#include "admin/webhook_outcome.h"

/* Python: hmac.new(b"whs_test", b"1700000000.{}", hashlib.sha256).hexdigest() */
static void signs_time_and_body(void **state)
{
	auto_value(buf) out = {0};

	(void)state;
	webhook_sign("whs_test", 1700000000, BYTES_STR("{}"), &out);
	assert_string_equal(buf_text(&out), "t=1700000000,v1=048174e9aecf1432be2ee152542bca032a1c03acbf12d737f11cb17705604333");
}

static void waits_longer_each_time(void **state)
{
	static const struct webhook_options options = { .retry_first = 8, .retry_max = 100 };
	static const struct {
		int64_t attempts, retry_after;
		uint16_t chance;
		int64_t want;
	} rows[] = {
		{ 1, 0, 32768, 8 }, { 2, 0, 32768, 16 }, { 3, 0, 32768, 32 }, { 5, 0, 32768, 100 }, { 1000000, 0, 32768, 100 },
		{ 1, 0, 0, 6 }, { 1, 0, 65535, 9 }, { 5, 0, 0, 75 }, { 5, 0, 65535, 124 },
		{ 1, 60, 32768, 60 }, { 5, 60, 32768, 100 }, { 1, WEBHOOK_WAIT_MAX * 10LL, 0, WEBHOOK_WAIT_MAX },
	};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++)
		assert_int_equal(webhook_wait(&options, rows[i].attempts, rows[i].retry_after, rows[i].chance), rows[i].want);
	assert_int_equal(webhook_wait(&(struct webhook_options){ .retry_first = 1, .retry_max = 1 }, 1, 0, 0), 1);
}

static void patterns_mean_kinds(void **state)
{
	static const struct {
		const char *pattern, *kind;
		bool want;
	} rows[] = {
		{ "certificate-issued", "certificate-issued", true }, { "certificate-issued", "certificate-issue", false },
		{ "certificate-*", "certificate-issued", true }, { "certificate-*", "order-refused", false }, { "*", "order-refused", true },
		{ "certificate", "certificate-issued", false }, { "", "certificate-issued", false },
	};
	auto_value(problem) p = {0};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++)
		assert_int_equal(webhook_pattern_matches(rows[i].pattern, rows[i].kind), rows[i].want);
	assert_true(webhook_pattern_check("token-*", &p));
	assert_false(webhook_pattern_check("tokens-*", &p));
	assert_int_equal(p.kind, PROBLEM_MALFORMED);
	for (size_t i = 0; webhook_default_events[i]; i++)
		assert_true(webhook_pattern_check(webhook_default_events[i], &p));
}

static void judges_urls(void **state)
{
	static const struct {
		const char *url;
		bool want;
	} rows[] = {
		{ "https://receiver.example/hook", true }, { "http://receiver.example:8080/", true }, { "https://192.0.2.7/", true },
		{ "https://10.1.2.3/", true }, { "https://10.2.2.3/", false }, { "http://127.0.0.1/", false }, { "http://[::1]/", false },
		{ "http://[::ffff:127.0.0.1]/", false }, { "http://2130706433/", false }, { "http://127.1/", false },
		{ "ftp://receiver.example/", false }, { "file:///etc/passwd", false }, { "https://u:p@receiver.example/", false }, { "", false },
	};
	auto_value(addr_list) allow = {0};
	auto_value(problem) p = {0};
	struct webhook_options options = { .allow = &allow };

	(void)state;
	assert_true(addr_list_add(&allow, "10.1.0.0/16", &p));
	for (size_t i = 0; i < array_length(rows); i++) {
		auto_value(problem) why = {0};
		if (webhook_url_check(&options, rows[i].url, &why) != rows[i].want)
			fail_msg("%s: wanted %d (%s)", rows[i].url, rows[i].want, why.detail);
	}
}

static void shows_of_a_url_its_host_alone(void **state)
{
	static const char *const rows[][2] = {
		{ "https://a.example/services/SECRET", "https://a.example" }, { "http://a.example:8080?key=SECRET", "http://a.example:8080" },
		{ "https://a.example", "https://a.example" },
	};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		auto_value(buf) out = {0};
		webhook_url_place(rows[i][0], &out);
		assert_string_equal(buf_text(&out), rows[i][1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signs_time_and_body),
		cmocka_unit_test(waits_longer_each_time),
		cmocka_unit_test(patterns_mean_kinds),
		cmocka_unit_test(judges_urls),
		cmocka_unit_test(shows_of_a_url_its_host_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
