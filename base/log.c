#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"

static _Atomic enum log_level level_wanted = LOG_LEVEL_INFO;
static _Atomic enum log_format format_wanted = LOG_FORMAT_LOGFMT;

static const char *const level_names[] = {
	[LOG_LEVEL_ERROR] = "error",
	[LOG_LEVEL_WARN] = "warn",
	[LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_DEBUG] = "debug",
};

void log_setup(enum log_level level, enum log_format format)
{
	atomic_store(&level_wanted, level);
	atomic_store(&format_wanted, format);
}

bool log_enabled(enum log_level level)
{
	return level <= atomic_load_explicit(&level_wanted, memory_order_relaxed);
}

/* The journal says in JOURNAL_STREAM which file it reads (systemd.exec(5)). */
static bool is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char mine[64];
	struct stat st;
	if (!stream || fstat(STDERR_FILENO, &st) != 0)
		return false;
	snprintf(mine, sizeof mine, "%llu:%llu", (unsigned long long)st.st_dev, (unsigned long long)st.st_ino);
	return str_equal(stream, mine);
}

const char *log_priority(enum log_level level)
{
	static const char *const priorities[] = {
		[LOG_LEVEL_ERROR] = "<3>",
		[LOG_LEVEL_WARN] = "<4>",
		[LOG_LEVEL_INFO] = "<6>",
		[LOG_LEVEL_DEBUG] = "<7>",
	};
	enum { UNKNOWN, NO, YES };
	static atomic_int journal = UNKNOWN;
	if (atomic_load_explicit(&journal, memory_order_relaxed) == UNKNOWN)
		atomic_store(&journal, is_journal() ? YES : NO);
	return atomic_load_explicit(&journal, memory_order_relaxed) == YES ? priorities[level] : "";
}

/* Both formats put pairs into a line; they differ in this function and the braces only. */
typedef void put_pair(struct json_writer *w, const char *key, const char *value);

/* A value that needs no quotes: visible ASCII, none of it '"', '=' or '\'. */
static bool is_bare(const char *value)
{
	const char *at = value;

	while (*at > ' ' && *at < 0x7f && *at != '"' && *at != '=' && *at != '\\')
		at++;
	return at > value && *at == '\0';
}

static void put_logfmt(struct json_writer *w, const char *key, const char *value)
{
	if (w->out->len > 0)
		buf_add_char(w->out, ' ');
	buf_add_str(w->out, key);
	buf_add_char(w->out, '=');
	if (is_bare(value)) {
		buf_add_str(w->out, value);
		return;
	}
	struct json_writer quoted = json_writer(w->out);
	json_put(&quoted, NULL, value);
}

static void put_pairs(put_pair *put, struct json_writer *w, va_list args)
{
	const char *key;

	while ((key = va_arg(args, const char *))) {
		const char *value = va_arg(args, const char *);
		if (value)
			put(w, key, value);
	}
}

static void put_head(put_pair *put, struct json_writer *w, enum log_level level, const char *event)
{
	char now[CLOCK_RFC3339_SIZE];

	clock_format(clock_now(), now);
	put(w, "time", now);
	put(w, "level", level_names[level]);
	put(w, "event", event);
}

/* A line that cannot be written is lost: there is nowhere to say so. */
static void write_line(enum log_level level, const struct buf *line)
{
	const char *priority = log_priority(level);
	const struct iovec parts[] = {
		{ (void *)(uintptr_t)priority, strlen(priority) },
		{ line->data, line->len },
	};
	ssize_t n;

	if (line->failed)
		return;
	do
		n = writev(STDERR_FILENO, parts, array_length(parts));
	while (n < 0 && errno == EINTR);
}

void log_event(enum log_level level, const char *event, ...)
{
	bool json = atomic_load_explicit(&format_wanted, memory_order_relaxed) == LOG_FORMAT_JSON;
	put_pair *put = json ? json_put : put_logfmt;
	auto_value(buf) line = {0};
	struct json_writer w = json_writer(&line);
	va_list args;

	if (!log_enabled(level))
		return;
	if (json)
		json_open(&w, NULL);
	put_head(put, &w, level, event);
	va_start(args, event);
	put_pairs(put, &w, args);
	va_end(args);
	if (json)
		json_close(&w);
	buf_add_char(&line, '\n');
	write_line(level, &line);
}
