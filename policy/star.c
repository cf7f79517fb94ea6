#include "policy/star.h"

bool star_is(const struct order *order)
{
	return order->star.lifetime > 0;
}

static int64_t greater(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static int64_t lesser(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* RFC 8739, 3.5: by how much each is predated. The server's part of the lifetime, f, is three fifths: the next
 * one is there before half of the current one's life is over (3.3), with time for another try. */
static int64_t pad(const struct order_star *star)
{
	return greater(lesser(star->lifetime, star->adjust), star->lifetime - star->lifetime * 2 / 5);
}

static int64_t nominal(const struct order_star *star, int64_t number)
{
	return star->first + number * star->lifetime;
}

/* 3.3: none ends after the end, so none begins there. */
int64_t star_due(const struct order_star *star)
{
	return nominal(star, star->count) < star->end ? nominal(star, star->count) - pad(star) : 0;
}

/* 3.5: the first does not begin before the start that was asked for. */
void star_first(const struct profile *profile, const struct order_star *star, int64_t now, struct star_dates *ret)
{
	int64_t early = now - lesser(profile->backdate, star->lifetime / 2);

	*ret = (struct star_dates){
		.not_before = greater(star->start, early), .not_after = lesser(greater(star->start, now) + star->lifetime, star->end),
	};
}

bool star_next(const struct order_star *star, int64_t now, struct star_dates *ret)
{
	int64_t number = (now - star->first + pad(star)) / star->lifetime;

	if (number < star->count || number < 1 || nominal(star, number) >= star->end)
		return false;
	*ret = (struct star_dates){
		.number = number, .not_before = nominal(star, number) - pad(star),
		.not_after = lesser(nominal(star, number) + star->lifetime, star->end),
	};
	return true;
}

bool star_check(const struct profile *profile, const struct order_star *star, int64_t now, struct problem *p)
{
	int64_t begin = greater(star->start, now);

	if (!profile->star.on)
		return problem_set(p, PROBLEM_MALFORMED,
		                   "RFC 8739, 3.2: profile %s has no orders that renew themselves", profile->name);
	if (star->lifetime < profile->star.lifetime_min || star->lifetime > profile->validity_max ||
	    pad(star) > profile->validity_max - star->lifetime)
		return problem_set(p, PROBLEM_MALFORMED,
		                   "RFC 8739, 3.1.1: \"lifetime\" is from %lld to %lld seconds, with what is "
		                   "predated, in profile %s",
		                   (long long)profile->star.lifetime_min, (long long)profile->validity_max,
		                   profile->name);
	if (star->end <= begin || star->end - begin > profile->star.duration_max)
		return problem_set(p, PROBLEM_MALFORMED,
		                   "RFC 8739, 3.1.1: \"end-date\" is to come, and at most %lld seconds after the start",
		                   (long long)profile->star.duration_max);
	return true;
}
