#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"

static void now_is_now_and_can_be_shifted(void **state)
{
	int64_t now = time(NULL);

	(void)state;
	assert_in_range(clock_now(), now, now + 60);
	clock_shift(86400);
	clock_shift(3600);
	assert_in_range(clock_now(), now + 90000, now + 90060);
	clock_shift(-90000);
	assert_in_range(clock_now(), now, now + 60);
}

/* The clock of the date, moved as its operator might. All that asks for it in this program is led here. */
static int64_t jump;
int clock_gettime(clockid_t id, struct timespec *ret)
{
	if (syscall(SYS_clock_gettime, id, ret) != 0)
		return -1;
	if (id == CLOCK_REALTIME)
		ret->tv_sec += jump;
	return 0;
}

struct attempt {
	pthread_rwlock_t *lock;
	int64_t lasted;
	bool locked;
};

static void *try_to_write(void *arg)
{
	struct attempt *a = arg;
	int64_t begun = clock_monotonic_ms();

	a->locked = clock_wrlock(a->lock, 100);
	a->lasted = clock_monotonic_ms() - begun;
	if (a->locked)
		pthread_rwlock_unlock(a->lock);
	return NULL;
}

static struct attempt attempt(pthread_rwlock_t *lock)
{
	struct attempt a = { .lock = lock };
	pthread_t writer;

	assert_int_equal(pthread_create(&writer, NULL, try_to_write, &a), 0);
	assert_int_equal(pthread_join(writer, NULL), 0);
	return a;
}

/* Neither hurries a clock that is set the wait for a lock, nor does it stop it. */
static void wait_for_a_lock_by_no_date(void **state)
{
	static const int64_t jumps[] = { 0, -86400, 86400 };

	(void)state;
	for (size_t i = 0; i < array_length(jumps); i++) {
		pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
		assert_int_equal(pthread_rwlock_rdlock(&lock), 0);
		jump = jumps[i];
		struct attempt late = attempt(&lock);
		jump = 0;
		assert_false(late.locked);
		assert_in_range(late.lasted, 99, 20000);
		assert_int_equal(pthread_rwlock_unlock(&lock), 0);
		assert_true(attempt(&lock).locked);
	}
}

static void other_clocks_move(void **state)
{
	int64_t ms = clock_monotonic_ms(), us = clock_cpu_us();

	(void)state;
	nanosleep(&(struct timespec){ .tv_nsec = 5000000 }, NULL);
	assert_in_range(clock_monotonic_ms() - ms, 5, 60000);
	while (clock_cpu_us() - us < 100)
		;
	assert_true(clock_cpu_us() > us);
}

/* Compared with the C library over all years, at a time of day that moves along. */
static void formats_are_the_library_s(void **state)
{
	const int64_t first = -62135596800, last = 253402300799;

	(void)state;
	for (int64_t t = first; t <= last; t += 9 * 86400 + 12347) {
		time_t library_t = t;
		char want[64], got[30];
		struct tm tm;
		int64_t back;
		gmtime_r(&library_t, &tm);
		snprintf(want, sizeof(want), "%04d-%02d-%02dT%02d:%02d:%02dZ", tm.tm_year + 1900, tm.tm_mon + 1,
		         tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
		clock_format(t, got);
		assert_string_equal(got, want);
		assert_true(clock_parse(got, &back));
		assert_int_equal(back, t);
		strftime(want, sizeof(want), "%a, %d %b ", &tm);
		clock_format_http(t, got);
		assert_memory_equal(got, want, 12);
		snprintf(want, sizeof(want), "%04d %02d:%02d:%02d GMT", tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
		assert_string_equal(got + 12, want);
	}
}

static void known_times(void **state)
{
	static const struct {
		const char *text;
		int64_t want;
		const char *want_back;
	} rows[] = {
		{ "1970-01-01T00:00:00Z", 0, "1970-01-01T00:00:00Z" },
		{ "1985-04-12T23:20:50.52Z", 482196050, "1985-04-12T23:20:50Z" },      /* RFC 3339, 5.8 */
		{ "1996-12-19T16:39:57-08:00", 851042397, "1996-12-20T00:39:57Z" },
		{ "1990-12-31T23:59:60Z", 662688000, "1991-01-01T00:00:00Z" },
		{ "1990-12-31T15:59:60-08:00", 662688000, "1991-01-01T00:00:00Z" },
		{ "1937-01-01T12:00:27.87+00:20", -1041337173, "1937-01-01T11:40:27Z" },
		{ "2000-02-29t12:00:00z", 951825600, "2000-02-29T12:00:00Z" },
		{ "1970-01-01T00:00:00-00:00", 0, "1970-01-01T00:00:00Z" },
		{ "1970-01-01T23:59:00+23:59", 0, "1970-01-01T00:00:00Z" },
		{ "0001-01-01T00:00:00Z", -62135596800, "0001-01-01T00:00:00Z" },
		{ "9999-12-31T23:59:59Z", 253402300799, "9999-12-31T23:59:59Z" },
		{ "2038-01-19T03:14:08Z", 2147483648, "2038-01-19T03:14:08Z" },
	};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		char back[CLOCK_RFC3339_SIZE];
		int64_t t;
		assert_true(clock_parse(rows[i].text, &t));
		assert_int_equal(t, rows[i].want);
		clock_format(t, back);
		assert_string_equal(back, rows[i].want_back);
	}
}

static void what_is_no_time(void **state)
{
	static const char *const rows[] = {
		"", "2026", "2026-11-21", "2026-11-21T11:36:00", "2026-11-21 11:36:00Z", "2026-11-21T11:36Z",
		"2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-01-00T00:00:00Z", "2026-01-32T00:00:00Z",
		"2026-04-31T00:00:00Z", "2025-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "2026-01-01T24:00:00Z",
		"2026-01-01T00:60:00Z", "2026-01-01T00:00:61Z", "2026-01-01T00:00:60Z", "2026-06-30T23:59:60+01:00",
		"2026-01-01T00:00:00.Z", "2026-01-01T00:00:00,5Z", "2026-01-01T00:00:00ZZ", "2026-01-01T00:00:00Z ",
		" 2026-01-01T00:00:00Z", "2026-1-1T00:00:00Z", "2026-01-01T0:00:00Z", "+2026-01-01T00:00:00Z",
		"2026-01-01T00:00:00+1", "2026-01-01T00:00:00+01", "2026-01-01T00:00:00+0100",
		"2026-01-01T00:00:00+24:00", "2026-01-01T00:00:00+01:60", "2026-01-01T00:00:00+01:00Z",
		"0000-01-01T00:00:00Z", "10000-01-01T00:00:00Z", "0001-01-01T00:00:00+00:01",
		"9999-12-31T23:59:59-00:01", "9999-12-31T23:59:60Z", "-001-01-01T00:00:00Z", "2026-01-01T00:00:0\xb9Z",
	};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		int64_t t = 42;
		assert_false(clock_parse(rows[i], &t));
		assert_int_equal(t, 42);
	}
}

static void durations(void **state)
{
	static const struct {
		const char *text;
		int64_t want; /* -1: none */
	} rows[] = {
		{ "0", 0 }, { "90", 90 }, { "90s", 90 }, { "15m", 900 }, { "12h", 43200 }, { "30d", 2592000 },
		{ "2w", 1209600 }, { "1y", 31536000 }, { "2147483647", INT32_MAX }, { "007", 7 }, { "68y", 2144448000 },
		{ "", -1 }, { "s", -1 }, { "-1", -1 }, { "+1", -1 }, { "1.5h", -1 }, { "1h30m", -1 }, { "1 h", -1 },
		{ "1H", -1 }, { "1ms", -1 }, { " 1", -1 }, { "1 ", -1 }, { "2147483648", -1 }, { "69y", -1 },
		{ "99999999999", -1 }, { "18446744073709551617", -1 }, { "0x10", -1 },
	};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		int64_t seconds = -1;
		assert_int_equal(clock_parse_duration(rows[i].text, &seconds), rows[i].want >= 0);
		assert_int_equal(seconds, rows[i].want);
	}
}

static void durations_in_words(void **state)
{
	static const struct {
		int64_t seconds;
		const char *want;
	} rows[] = {
		{ 0, "0s" }, { 1, "1s" }, { 61, "61s" }, { 90 * 60, "90m" }, { 36 * 3600, "36h" }, { 90 * 86400, "90d" },
		{ 397 * 86400 + 1, "34300801s" },
	};
	char text[CLOCK_DURATION_SIZE];
	int64_t back;

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		clock_format_duration(rows[i].seconds, text);
		assert_string_equal(text, rows[i].want);
		assert_true(clock_parse_duration(text, &back) && back == rows[i].seconds);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(now_is_now_and_can_be_shifted),
		cmocka_unit_test(other_clocks_move),
		cmocka_unit_test(wait_for_a_lock_by_no_date),
		cmocka_unit_test(formats_are_the_library_s),
		cmocka_unit_test(known_times),
		cmocka_unit_test(what_is_no_time),
		cmocka_unit_test(durations),
		cmocka_unit_test(durations_in_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
