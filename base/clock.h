/* Clock: the only place that asks what time it is.
 *
 * Wall time is seconds since 1970 UTC; durations are measured with the monotonic clock. Tests and
 * `ENROLLD_TEST_CLOCK` style hooks move the wall clock with clock_shift. Any thread. */
#pragma once

#include <pthread.h>
#include <time.h>

#include "base/mem.h"

int64_t clock_now(void);         /* wall, seconds, shifted */
int64_t clock_now_us(int64_t *ret_us); /* the same, and the microseconds since */
int64_t clock_monotonic_ms(void);
/* CLOCK_MONOTONIC in so many ms (0 or more), for pthread_cond_clockwait: waits that no change of the date moves.
 * libfaketime moves this clock and not these waits, unless FAKETIME_DONT_FAKE_MONOTONIC=1. */
struct timespec clock_until(int64_t wait_ms);
/* The lock to write with, in so many ms; false: somebody holds it. */
bool clock_wrlock(pthread_rwlock_t *lock, int64_t wait_ms) must_use;
int64_t clock_cpu_us(void);      /* CPU time of the process */
int64_t clock_thread_us(void);   /* CPU time of the calling thread */
void clock_shift(int64_t seconds);

/* Whether it is within the years 0001 to 9999, which all that follows can write. */
bool clock_has(int64_t t) must_use;
enum { CLOCK_RFC3339_SIZE = 21 }; /* "2026-11-21T11:36:00Z" and NUL */
/* RFC 3339 in UTC with 'Z'. Asserts clock_has(t). */
void clock_format(int64_t t, char ret[CLOCK_RFC3339_SIZE]);
/* RFC 3339 with any offset and fraction (dropped). false: not that. */
bool clock_parse(const char *text, int64_t *ret) must_use;
/* RFC 9110 IMF-fixdate, for Date and Last-Modified. ret holds 30 bytes. */
void clock_format_http(int64_t t, char ret[30]);
/* "90s" "15m" "12h" "30d" "2w" "1y" (365 days), or a bare number of seconds. false: not that, or
 * not in 0..INT32_MAX. */
bool clock_parse_duration(const char *text, int64_t *ret_seconds) must_use;
/* The same the other way, in the largest unit that fits: "90d", "36h", "61s", "0s". */
enum { CLOCK_DURATION_SIZE = 24 };
void clock_format_duration(int64_t seconds, char ret[CLOCK_DURATION_SIZE]);
