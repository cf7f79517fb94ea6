#include "est/guard.h"

#include <stdio.h>

#include "base/limit.h"

enum {
	ADDRESS_BURST = 20, ADDRESS_PERIOD = 60, /* more than a person mistypes, and few for a search */
	PAIR_BURST = 20, PAIR_PERIOD = 300,
	USER_BURST = 100, USER_PERIOD = 600,
	KNOWN_PERIOD = 86400,
	STRANGER_BURST = 100, STRANGER_PERIOD = 3600, /* the devices of a hall that are switched on, and no flood */
	KEYS_MAX = 20000, KEY_SIZE = 512,
};

struct guard {
	struct limit *address, *pair, *user;
	struct limit *stranger;
	struct limit *known; /* a bucket of one that is empty: this user was right from there, not long ago */
};

bool guard_open(struct guard **ret, struct problem *p)
{
	auto_struct(guard) *guard = calloc(1, sizeof(*guard));

	if (!guard)
		return problem_memory(p);
	if (!limit_new(ADDRESS_BURST, ADDRESS_PERIOD, KEYS_MAX, &guard->address, p) ||
	    !limit_new(PAIR_BURST, PAIR_PERIOD, KEYS_MAX, &guard->pair, p) ||
	    !limit_new(USER_BURST, USER_PERIOD, KEYS_MAX, &guard->user, p) ||
	    !limit_new(STRANGER_BURST, STRANGER_PERIOD, KEYS_MAX, &guard->stranger, p) ||
	    !limit_new(1, KNOWN_PERIOD, KEYS_MAX, &guard->known, p))
		return false;
	*ret = steal(guard);
	return true;
}

void guard_close(struct guard *guard)
{
	if (!guard)
		return;
	limit_free(guard->address);
	limit_free(guard->pair);
	limit_free(guard->user);
	limit_free(guard->stranger);
	limit_free(guard->known);
	free(guard);
}

static void pair_key(const char *address, const char *user, char ret[KEY_SIZE])
{
	snprintf(ret, KEY_SIZE, "%s %s", address, user);
}

static bool slow_down(struct problem *p, const char *what, int wait)
{
	problem_done(p);
	return problem_limited(p, wait, "too many %s", what);
}

bool guard_keeps(struct guard *guard, const struct addr *from, struct problem *p)
{
	char address[ADDR_TEXT_SIZE];
	int wait;

	addr_format_host(from, address);
	return limit_take(guard->stranger, address, &wait) ||
	       slow_down(p, "requests for approval from this address", wait);
}

bool guard_allows(struct guard *guard, const struct addr *from, const char *user, struct problem *p)
{
	char address[ADDR_TEXT_SIZE], pair[KEY_SIZE];
	int wait;

	addr_format_host(from, address);
	pair_key(address, user, pair);
	if (!limit_has(guard->address, address, &wait) || !limit_has(guard->pair, pair, &wait))
		return slow_down(p, "wrong credentials from this address", wait);
	return limit_has(guard->user, user, &wait) || !limit_has(guard->known, pair, &(int){0}) ||
	       slow_down(p, "wrong credentials for this user", wait);
}

void guard_passed(struct guard *guard, const struct addr *from, const char *user)
{
	char address[ADDR_TEXT_SIZE], pair[KEY_SIZE];
	int wait;

	addr_format_host(from, address);
	pair_key(address, user, pair);
	(void)!limit_take(guard->known, pair, &wait);
}

bool guard_failed(struct guard *guard, const struct addr *from, const char *user, struct problem *p)
{
	char address[ADDR_TEXT_SIZE], pair[KEY_SIZE];
	int wait = 0, longest = 0;

	addr_format_host(from, address);
	if (!limit_take(guard->address, address, &wait))
		longest = wait;
	if (user) {
		pair_key(address, user, pair);
		if (!limit_take(guard->pair, pair, &wait) && wait > longest)
			longest = wait;
		if (!limit_take(guard->user, user, &wait) && limit_has(guard->known, pair, &(int){0}) && wait > longest)
			longest = wait;
	}
	return longest > 0 ? slow_down(p, "wrong credentials from this address, or for this user", longest) : false;
}
