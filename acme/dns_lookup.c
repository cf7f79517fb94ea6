#include "acme/dns.h"

/* The questions of one look-up. */
enum { AAAA, A, BOTH };

static bool refuse(const struct dns *dns, const struct dns_question q[BOTH], struct problem *p)
{
	if (q[A].fate != DNS_ANSWERED)
		return dns_refuse(dns, &q[A], p);
	if (q[AAAA].fate != DNS_ANSWERED)
		return dns_refuse(dns, &q[AAAA], p);
	return problem_set(p, PROBLEM_DNS, "DNS has neither an A nor an AAAA record for %.200s (asked: %s)", q[A].name,
	                   dns_servers(dns));
}

/* A bogus answer of one type spoils the other: somebody is lying. */
static bool collect(const struct dns *dns, const struct dns_question q[BOTH], bool secure,
                    struct dns_addresses *ret, struct problem *p)
{
	size_t n;
	int rcode;

	ret->n = 0;
	for (int i = 0; i < BOTH; i++) {
		if (q[i].fate == DNS_BOGUS)
			return dns_refuse(dns, &q[i], p);
		if (q[i].fate != DNS_ANSWERED ||
		    !dns_answer_read(buf_bytes(&q[i].message), q[i].type, ret->v + ret->n, DNS_FAMILY_MAX, &n, &rcode))
			continue;
		if (n > 0 && secure && !dns_check_secure(&q[i], p))
			return false;
		ret->n += n;
	}
	return ret->n > 0 || refuse(dns, q, p);
}

static bool in_hosts(struct dns *dns, const char *name, struct dns_addresses *ret)
{
	ret->n = dns_hosts(dns, name, AF_INET6, ret->v, DNS_FAMILY_MAX);
	ret->n += dns_hosts(dns, name, AF_INET, ret->v + ret->n, DNS_FAMILY_MAX);
	return ret->n > 0;
}

/* RFC 6761, 6.3: a name in localhost is this machine, whatever DNS says. */
static bool in_localhost(const char *name, struct dns_addresses *ret)
{
	const char *dot = strrchr(name, '.');

	if (strcasecmp(dot ? dot + 1 : name, "localhost") != 0)
		return false;
	ret->n = 2;
	return addr_parse("::1", &ret->v[0]) && addr_parse("127.0.0.1", &ret->v[1]);
}

bool dns_lookup(struct dns *dns, const char *name, bool secure, int64_t deadline, struct dns_addresses *ret,
                struct problem *p)
{
	struct dns_question q[BOTH] = { { .name = name, .type = DNS_TYPE_AAAA }, { .name = name, .type = DNS_TYPE_A } };
	struct dns_addresses found;

	if (!secure && (in_hosts(dns, name, ret) || in_localhost(name, ret)))
		return true;
	bool done = dns_ask(dns, q, BOTH, deadline, p) && collect(dns, q, secure, &found, p);

	if (done)
		*ret = found;
	dns_question_clear(&q[A]);
	dns_question_clear(&q[AAAA]);
	return done;
}
