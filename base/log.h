/* Log: one line an event on standard error, logfmt or JSON. Only the edge calls it (server/,
 * admin/, and job runners); library code returns problems instead. Values are escaped; secrets are
 * never passed. Thread-safe: a line is one write(2). */
#pragma once

#include "base/problem.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };
enum log_format { LOG_FORMAT_LOGFMT, LOG_FORMAT_JSON };

/* "<3>" where standard error is systemd's journal, which makes a priority of it (sd-daemon(3)); else "".
 * Stands at the beginning of every line. */
const char *log_priority(enum log_level level);
void log_setup(enum log_level level, enum log_format format);
bool log_enabled(enum log_level level);

/* log_event(LOG_LEVEL_INFO, "request", "method", "POST", "path", path, NULL): pairs of strings,
 * ended by NULL; a NULL value drops its pair. Time and level are added. */
void log_event(enum log_level level, const char *event, ...) __attribute__((sentinel));
