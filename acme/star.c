#include "acme/star.h"

#include "acme/order_state.h"
#include "base/clock.h"

static bool wrong(const char *name, const char *what, struct problem *p)
{
	return problem_set(p, PROBLEM_MALFORMED, "RFC 8739, 3.1.1: \"%s\" of \"auto-renewal\" is no %s", name, what);
}

static bool take_date(const struct json *object, const char *name, int64_t *ret, struct problem *p)
{
	const struct json *member = json_given(object, name);
	const char *text = json_string(member);

	return !member || (text && clock_parse(text, ret)) || wrong(name, "time of RFC 3339", p);
}

static bool take_seconds(const struct json *object, const char *name, int64_t *ret, struct problem *p)
{
	const struct json *member = json_given(object, name);

	return !member || (json_integer(member, ret) && *ret >= 0 && *ret <= INT32_MAX) ||
	       wrong(name, "number of seconds", p);
}

static bool take_get(const struct json *object, const struct profile *profile, bool *ret, struct problem *p)
{
	static const char name[] = "allow-certificate-get";
	const struct json *member = json_given(object, name);

	if (member && !json_bool(member, ret))
		return wrong(name, "boolean", p);
	*ret = *ret && profile->star.get; /* 3.4: what is not granted is not reflected */
	return true;
}

static bool take_object(const struct json *object, const struct profile *profile, struct order_star *ret,
                        struct problem *p)
{
	if (!json_is_object(object))
		return problem_set(p, PROBLEM_MALFORMED, "RFC 8739, 3.1.1: \"auto-renewal\" is an object");
	if (!take_date(object, "start-date", &ret->start, p) || !take_date(object, "end-date", &ret->end, p) ||
	    !take_seconds(object, "lifetime", &ret->lifetime, p) ||
	    !take_seconds(object, "lifetime-adjust", &ret->adjust, p) ||
	    !take_get(object, profile, &ret->get, p))
		return false;
	return (ret->end && ret->lifetime) ||
	       problem_set(p, PROBLEM_MALFORMED, "RFC 8739, 3.1.1: \"auto-renewal\" has an \"end-date\" and a "
	                   "\"lifetime\"");
}

bool star_take(const struct acme_call *call, const struct profile *profile, struct order_star *ret, struct problem *p)
{
	const struct json *object = json_given(call->payload, "auto-renewal");
	struct order_star star = { 0 };

	if (!object)
		return true;
	if (json_given(call->payload, "notBefore") || json_given(call->payload, "notAfter"))
		return problem_set(p, PROBLEM_MALFORMED,
		                   "RFC 8739, 3.1.1: \"notBefore\" and \"notAfter\" are not together with "
		                   "\"auto-renewal\"");
	if (!take_object(object, profile, &star, p) || !star_check(profile, &star, call->now, p))
		return false;
	*ret = star;
	return true;
}

void star_write(struct json_writer *w, const struct order_star *star)
{
	if (!star->lifetime)
		return;
	json_open(w, "auto-renewal");
	json_put_time(w, "start-date", star->start);
	json_put_time(w, "end-date", star->end);
	json_put_integer(w, "lifetime", star->lifetime);
	if (star->adjust)
		json_put_integer(w, "lifetime-adjust", star->adjust);
	if (star->get)
		json_put_bool(w, "allow-certificate-get", true);
	json_close(w);
}

void star_write_meta(struct json_writer *w, const struct profile *profile)
{
	if (!profile->star.on)
		return;
	json_open(w, "auto-renewal");
	json_put_integer(w, "min-lifetime", profile->star.lifetime_min);
	json_put_integer(w, "max-duration", profile->star.duration_max);
	if (profile->star.get)
		json_put_bool(w, "allow-certificate-get", true);
	json_close(w);
}

/* --- the first certificate */

bool star_begin(struct store_txn *txn, struct order *order, struct bytes csr, const struct certificate *first,
                int64_t retention, int64_t *ret_keep, struct problem *p)
{
	struct order_star *star = &order->star;

	star->first = first->not_after - star->lifetime; /* where the end cut it short, none follows */
	star->count = 1;
	star->csr = csr;
	star->due = star_due(star);
	*ret_keep = star->end + retention;
	return authorizations_outlast(txn, order, star->end + 1, p); /* whoever takes one back ends the renewals */
}
