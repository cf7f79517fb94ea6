#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"

/* Standard error goes to a file while a test runs; cmocka's own words go to standard output. */
static int real_stderr;
static char path[] = "/tmp/test_base_log.XXXXXX";

static int capture(void **state)
{
	(void)state;
	auto_fd int fd = open(path, O_WRONLY | O_TRUNC | O_APPEND | O_CLOEXEC);
	real_stderr = dup(STDERR_FILENO);
	return dup2(fd, STDERR_FILENO) < 0 ? -1 : 0;
}

static int restore(void **state)
{
	(void)state;
	int done = dup2(real_stderr, STDERR_FILENO);
	close(real_stderr);
	return done < 0 ? -1 : 0;
}

/* What was written since the last call. */
static void written(struct buf *ret)
{
	auto_value(problem) p = {0};

	buf_clear(ret);
	assert_true(file_read(path, 8 << 20, ret, &p));
	assert_int_equal(truncate(path, 0), 0);
}

enum { TIME_LENGTH = 25 }; /* "time=2026-11-21T11:36:00Z" */

static void logfmt_quotes_where_it_must(void **state)
{
	static const struct {
		const char *value, *want;
	} rows[] = {
		{ "plain", "plain" },
		{ "a/b?c:d;e,f", "a/b?c:d;e,f" },
		{ "", "\"\"" },
		{ "two words", "\"two words\"" },
		{ "a=b", "\"a=b\"" },
		{ "say \"x\"", "\"say \\\"x\\\"\"" },
		{ "back\\slash", "\"back\\\\slash\"" },
		{ "line\nlevel=error", "\"line\\nlevel=error\"" },
		{ "\x1b[2J", "\"\\u001b[2J\"" },
		{ "\x7f", "\"\x7f\"" },
		{ "gr\xc3\xbc\xc3\x9f", "\"gr\xc3\xbc\xc3\x9f\"" },
		{ "\xff", "\"\xef\xbf\xbd\"" },
	};
	auto_value(buf) got = {0}, want = {0};

	(void)state;
	log_setup(LOG_LEVEL_INFO, LOG_FORMAT_LOGFMT);
	for (size_t i = 0; i < array_length(rows); i++) {
		log_event(LOG_LEVEL_WARN, "request", "a", "1", "none", NULL, "b", rows[i].value, NULL);
		written(&got);
		buf_clear(&want);
		buf_printf(&want, " level=warn event=request a=1 b=%s\n", rows[i].want);
		assert_true(str_starts(buf_text(&got), "time=20"));
		assert_string_equal(buf_text(&got) + TIME_LENGTH, buf_text(&want));
	}
}

static void json_is_json(void **state)
{
	auto_value(buf) got = {0};
	auto_value(problem) p = {0};
	auto_struct(json) *line = NULL;

	(void)state;
	log_setup(LOG_LEVEL_INFO, LOG_FORMAT_JSON);
	log_event(LOG_LEVEL_ERROR, "two words", "a", "x\n\"y\"", "none", NULL, "b", "", NULL);
	written(&got);
	assert_int_equal(strcspn(buf_text(&got), "\n"), got.len - 1);
	assert_true(json_parse(buf_bytes(&got), &line, &p));
	assert_int_equal(json_length(line), 5);
	assert_true(str_starts(json_member_string(line, "time"), "20"));
	assert_string_equal(json_member_string(line, "level"), "error");
	assert_string_equal(json_member_string(line, "event"), "two words");
	assert_string_equal(json_member_string(line, "a"), "x\n\"y\"");
	assert_string_equal(json_member_string(line, "b"), "");
}

static void levels_are_filtered(void **state)
{
	auto_value(buf) got = {0};

	(void)state;
	for (int wanted = LOG_LEVEL_ERROR; wanted <= LOG_LEVEL_DEBUG; wanted++) {
		log_setup((enum log_level)wanted, LOG_FORMAT_LOGFMT);
		for (int level = LOG_LEVEL_ERROR; level <= LOG_LEVEL_DEBUG; level++) {
			assert_int_equal(log_enabled((enum log_level)level), level <= wanted);
			log_event((enum log_level)level, "e", NULL);
			written(&got);
			assert_int_equal(got.len > 0, level <= wanted);
		}
	}
}

enum { THREADS = 4, LINES = 200 };

static void *write_lines(void *letter)
{
	char value[2000];

	memset(value, *(const char *)letter, sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	for (int i = 0; i < LINES; i++) {
		log_event(LOG_LEVEL_INFO, "e", "v", value, NULL);
		log_setup(LOG_LEVEL_INFO, LOG_FORMAT_LOGFMT); /* as a reload does */
	}
	return NULL;
}

static void lines_of_threads_stay_whole(void **state)
{
	static const char letters[THREADS] = "abcd";
	auto_value(buf) got = {0};
	pthread_t threads[THREADS];
	int lines = 0;

	(void)state;
	log_setup(LOG_LEVEL_INFO, LOG_FORMAT_LOGFMT);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, write_lines, (void *)(uintptr_t)&letters[i]), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	written(&got);
	for (const char *at = buf_text(&got); *at; lines++) {
		const char *value = strstr(at, " v=") + 3;
		char letter[2] = { *value };
		assert_true(str_starts(at, "time="));
		assert_int_equal(strspn(value, letter), 1999);
		assert_int_equal(value[1999], '\n');
		at = value + 2000;
	}
	assert_int_equal(lines, THREADS * LINES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(logfmt_quotes_where_it_must, capture, restore),
		cmocka_unit_test_setup_teardown(json_is_json, capture, restore),
		cmocka_unit_test_setup_teardown(levels_are_filtered, capture, restore),
		cmocka_unit_test_setup_teardown(lines_of_threads_stay_whole, capture, restore),
	};
	auto_fd int fd = mkstemp(path);
	int failed = fd >= 0 ? cmocka_run_group_tests(tests, NULL, NULL) : 1;

	unlink(path);
	return failed;
}
