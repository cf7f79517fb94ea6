#include "base/clock.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdio.h>

enum { DAY = 86400 };

static _Atomic int64_t shift;

int64_t clock_now_us(int64_t *ret_us)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	*ret_us = ts.tv_nsec / 1000;
	return ts.tv_sec + atomic_load_explicit(&shift, memory_order_relaxed);
}

int64_t clock_now(void)
{
	int64_t ignored;

	return clock_now_us(&ignored);
}

int64_t clock_monotonic_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

struct timespec clock_until(int64_t wait_ms)
{
	int64_t end = clock_monotonic_ms() + wait_ms;

	return (struct timespec){ .tv_sec = end / 1000, .tv_nsec = end % 1000 * 1000000 };
}

#if defined(__has_feature)
#if __has_feature(thread_sanitizer) /* it does not know pthread_rwlock_clockwrlock, and would see no lock */
#define pthread_rwlock_clockwrlock(lock, clock, until) rwlock_try_until(lock, until)
static int rwlock_try_until(pthread_rwlock_t *lock, const struct timespec *until)
{
	int error;

	while ((error = pthread_rwlock_trywrlock(lock)) != 0 &&
	       clock_monotonic_ms() < (int64_t)until->tv_sec * 1000 + until->tv_nsec / 1000000)
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	return error;
}
#endif
#endif

bool clock_wrlock(pthread_rwlock_t *lock, int64_t wait_ms)
{
	struct timespec until = clock_until(wait_ms);

	return pthread_rwlock_clockwrlock(lock, CLOCK_MONOTONIC, &until) == 0;
}

int64_t clock_cpu_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

int64_t clock_thread_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

void clock_shift(int64_t seconds)
{
	atomic_fetch_add_explicit(&shift, seconds, memory_order_relaxed);
}

/* The C library's gmtime_r takes a process-wide lock, so the calendar is ours. A year begins in
 * March here, which puts the leap day at its end; an era is 400 years, 146097 days. */
struct date {
	int year, month, day;
};

static int64_t days_from_date(struct date d)
{
	int64_t year = d.month <= 2 ? d.year - 1 : d.year; /* 0 or more for the years we know */
	int64_t era = year / 400, of_era = year % 400;
	int64_t day_of_year = (153 * ((d.month + 9) % 12) + 2) / 5 + d.day - 1;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + day_of_year - 719468;
}

static struct date date_from_days(int64_t days)
{
	int64_t z = days + 719468, era = z / 146097, day = z % 146097;
	int64_t of_era = (day - day / 1460 + day / 36524 - day / 146096) / 365;
	int64_t day_of_year = day - (365 * of_era + of_era / 4 - of_era / 100);
	int64_t month = (5 * day_of_year + 2) / 153; /* 0: March */

	return (struct date){
		.year = (int)(era * 400 + of_era + (month >= 10)),
		.month = (int)(month < 10 ? month + 3 : month - 9),
		.day = (int)(day_of_year - (153 * month + 2) / 5 + 1),
	};
}

static const int64_t first_second = -62135596800; /* 0001-01-01T00:00:00Z */
static const int64_t last_second = 253402300799;  /* 9999-12-31T23:59:59Z */

bool clock_has(int64_t t)
{
	return t >= first_second && t <= last_second;
}

struct moment {
	struct date date;
	int weekday; /* 0: Sunday */
	int hour, minute, second;
};

static struct moment moment_of(int64_t t)
{
	assert(clock_has(t));
	int64_t days = (t - first_second) / DAY + first_second / DAY;
	int rest = (int)(t - days * DAY);

	return (struct moment){
		.date = date_from_days(days),
		.weekday = (int)((days + 719162 + 1) % 7), /* 0001-01-01 was a Monday */
		.hour = rest / 3600, .minute = rest / 60 % 60, .second = rest % 60,
	};
}

static char *put_number(char *at, int value, int digits)
{
	for (int i = digits - 1; i >= 0; i--, value /= 10)
		at[i] = (char)('0' + value % 10);
	return at + digits;
}

static char *put_char(char *at, char c)
{
	*at = c;
	return at + 1;
}

static char *put_time(char *at, struct moment m)
{
	at = put_char(put_number(at, m.hour, 2), ':');
	at = put_char(put_number(at, m.minute, 2), ':');
	return put_number(at, m.second, 2);
}

void clock_format(int64_t t, char ret[CLOCK_RFC3339_SIZE])
{
	struct moment m = moment_of(t);

	ret = put_char(put_number(ret, m.date.year, 4), '-');
	ret = put_char(put_number(ret, m.date.month, 2), '-');
	ret = put_char(put_number(ret, m.date.day, 2), 'T');
	memcpy(put_time(ret, m), "Z", 2);
}

void clock_format_http(int64_t t, char ret[30])
{
	struct moment m = moment_of(t);

	memcpy(ret, &"SunMonTueWedThuFriSat"[3 * m.weekday], 3);
	memcpy(ret + 3, ", ", 2);
	ret = put_char(put_number(ret + 5, m.date.day, 2), ' ');
	memcpy(ret, &"JanFebMarAprMayJunJulAugSepOctNovDec"[3 * (m.date.month - 1)], 3);
	ret = put_number(put_char(ret + 3, ' '), m.date.year, 4);
	memcpy(put_time(put_char(ret, ' '), m), " GMT", 5);
}

/* Exactly that many digits, within low..high. */
static bool take_number(const char **at, int digits, int low, int high, int *ret)
{
	int value = 0;

	for (int i = 0; i < digits; i++, (*at)++) {
		if (**at < '0' || **at > '9')
			return false;
		value = value * 10 + (**at - '0');
	}
	*ret = value;
	return value >= low && value <= high;
}

static bool take_char(const char **at, const char *any_of)
{
	if (**at == '\0' || !strchr(any_of, **at))
		return false;
	(*at)++;
	return true;
}

static int days_of_month(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (month == 2 && leap);
}

static bool take_date(const char **at, struct date *ret)
{
	return take_number(at, 4, 1, 9999, &ret->year) && take_char(at, "-") &&
	       take_number(at, 2, 1, 12, &ret->month) && take_char(at, "-") &&
	       take_number(at, 2, 1, days_of_month(ret->year, ret->month), &ret->day);
}

static bool take_time(const char **at, struct moment *ret)
{
	if (!take_number(at, 2, 0, 23, &ret->hour) || !take_char(at, ":") ||
	    !take_number(at, 2, 0, 59, &ret->minute) || !take_char(at, ":") ||
	    !take_number(at, 2, 0, 60, &ret->second))
		return false;
	if (!take_char(at, "."))
		return true;
	size_t digits = strspn(*at, "0123456789");
	*at += digits;
	return digits > 0;
}

/* Seconds east of UTC. */
static bool take_offset(const char **at, int *ret)
{
	int hours, minutes, sign = **at == '-' ? -1 : 1;

	*ret = 0;
	if (take_char(at, "Zz"))
		return true;
	if (!take_char(at, "+-") || !take_number(at, 2, 0, 23, &hours) || !take_char(at, ":") ||
	    !take_number(at, 2, 0, 59, &minutes))
		return false;
	*ret = sign * (hours * 3600 + minutes * 60);
	return true;
}

bool clock_parse(const char *text, int64_t *ret)
{
	struct moment m;
	int offset;

	if (!take_date(&text, &m.date) || !take_char(&text, "Tt") || !take_time(&text, &m) ||
	    !take_offset(&text, &offset) || *text != '\0')
		return false;
	int64_t t = days_from_date(m.date) * DAY + m.hour * 3600 + m.minute * 60 + m.second - offset;
	if (m.second == 60 && t % DAY != 0) /* RFC 3339, 5.7: a leap second ends a day of UTC */
		return false;
	if (!clock_has(t))
		return false;
	*ret = t;
	return true;
}

static const struct unit {
	char text[2];
	int64_t seconds;
} units[] = {
	{ "y", 365 * DAY }, { "w", 7 * DAY }, { "d", DAY }, { "h", 3600 }, { "m", 60 }, { "s", 1 }, { "", 1 },
};
enum { LARGEST_SHOWN = 2 }; /* days: years and weeks are for who writes */

static int64_t unit_seconds(const char *unit)
{
	for (size_t i = 0; i < array_length(units); i++)
		if (str_equal(units[i].text, unit))
			return units[i].seconds;
	return 0;
}

bool clock_parse_duration(const char *text, int64_t *ret_seconds)
{
	size_t digits = strspn(text, "0123456789");
	int64_t unit = unit_seconds(text + digits), value = 0;

	if (digits == 0 || digits > 10 || unit == 0)
		return false;
	for (size_t i = 0; i < digits; i++)
		value = value * 10 + (text[i] - '0');
	if (value > INT32_MAX / unit)
		return false;
	*ret_seconds = value * unit;
	return true;
}

void clock_format_duration(int64_t seconds, char ret[CLOCK_DURATION_SIZE])
{
	const struct unit *unit = &units[LARGEST_SHOWN];

	while (seconds % unit->seconds != 0 || (seconds == 0 && unit->seconds > 1))
		unit++;
	snprintf(ret, CLOCK_DURATION_SIZE, "%lld%s", (long long)(seconds / unit->seconds), unit->text);
}
