/* Words: one thing shown to people, a line for each of its facts. Internal to admin/. */
#pragma once

#include "base/bytes.h"

/* Nothing for a text that is NULL or empty, and for the time 0. */
void words_text(const char *label, const char *text, struct buf *ret);
void words_time(const char *label, int64_t t, struct buf *ret);
