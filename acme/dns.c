#include "acme/dns.h"

#include <pthread.h>
#include <unbound.h>
#include <unbound-event.h>

#include "acme/dns_answer.h"
#include "acme/dns_loop.h"

enum { RCODE_NAMES = 6 };

/* One libunbound, which one lookup at a time asks. */
struct resolver {
	struct dns_loop *loop;
	struct ub_ctx *ctx;
	struct resolver *next;
};

struct dns {
	struct strings resolvers;
	pthread_mutex_t mutex;
	struct resolver *idle; /* guarded by mutex; the last one used comes first */
};

struct question {
	int type;
	bool done, late;
	int error, rcode;
	struct addr v[DNS_FAMILY_MAX];
	size_t n;
};

static const struct {
	const char *name, *value;
} settings[] = {
	{ "module-config:", "iterator" },       /* the resolver that is asked validates, or nobody */
	{ "do-not-query-localhost:", "no" },    /* resolvers on 127.0.0.53 and the like */
	{ "cache-max-ttl:", "0" },
	{ "cache-max-negative-ttl:", "0" },
	{ "infra-host-ttl:", "5" },             /* a resolver that was down is asked again soon */
	{ "msg-cache-size:", "65536" },
	{ "rrset-cache-size:", "65536" },
	{ "key-cache-size:", "65536" },
	{ "neg-cache-size:", "65536" },
	{ "msg-cache-slabs:", "1" },
	{ "rrset-cache-slabs:", "1" },
	{ "infra-cache-slabs:", "1" },
	{ "key-cache-slabs:", "1" },
	{ "infra-cache-numhosts:", "100" },
	{ "logfile:", "" },
};

/* Zones that libunbound answers itself unless told otherwise, and that private networks use. */
static const char *const private_zones[] = { "test.", "home.arpa.", "invalid." };

bool dns_open(const struct strings *resolvers, struct dns **ret, struct problem *p)
{
	auto_struct(dns) *dns = calloc(1, sizeof(*dns));

	if (!dns)
		return problem_memory(p);
	pthread_mutex_init(&dns->mutex, NULL);
	if (resolvers && !strings_copy(resolvers, &dns->resolvers))
		return problem_memory(p);
	*ret = steal(dns);
	return true;
}

static void resolver_free(struct resolver *r)
{
	if (!r)
		return;
	if (r->ctx)
		ub_ctx_delete(r->ctx);
	dns_loop_free(r->loop);
	free(r);
}
declare_auto_struct(resolver, resolver_free);

void dns_close(struct dns *dns)
{
	if (!dns)
		return;
	while (dns->idle) {
		struct resolver *next = dns->idle->next;

		resolver_free(dns->idle);
		dns->idle = next;
	}
	strings_free(&dns->resolvers);
	pthread_mutex_destroy(&dns->mutex);
	free(dns);
}

static bool setup_failed(const char *what, int error, struct problem *p)
{
	return problem_internal(p, "resolver: %s: %s", what, ub_strerror(error));
}

/* A file that is not there is an empty one. */
static bool use_system(struct ub_ctx *ctx, struct problem *p)
{
	int error = ub_ctx_resolvconf(ctx, NULL);

	if (error && error != UB_READFILE)
		return setup_failed("resolv.conf", error, p);
	error = ub_ctx_hosts(ctx, NULL);
	return !error || error == UB_READFILE || setup_failed("hosts", error, p);
}

static bool use_resolvers(struct ub_ctx *ctx, const struct strings *resolvers, struct problem *p)
{
	for (size_t i = 0; i < resolvers->n; i++) {
		int error = ub_ctx_set_fwd(ctx, resolvers->v[i]);

		if (error)
			return setup_failed(resolvers->v[i], error, p);
	}
	return true;
}

static bool configure(const struct dns *dns, struct ub_ctx *ctx, struct problem *p)
{
	ub_ctx_debugout(ctx, NULL);
	for (size_t i = 0; i < array_length(settings); i++) {
		int error = ub_ctx_set_option(ctx, settings[i].name, settings[i].value);

		if (error)
			return setup_failed(settings[i].name, error, p);
	}
	if (!(dns->resolvers.n ? use_resolvers(ctx, &dns->resolvers, p) : use_system(ctx, p)))
		return false;
	for (size_t i = 0; i < array_length(private_zones); i++) {
		int error = ub_ctx_zone_remove(ctx, private_zones[i]);

		if (error)
			return setup_failed(private_zones[i], error, p);
	}
	return true;
}

static bool resolver_new(const struct dns *dns, struct resolver **ret, struct problem *p)
{
	auto_struct(resolver) *r = calloc(1, sizeof(*r));

	if (!r || !dns_loop_new(&r->loop) || !(r->ctx = ub_ctx_create_ub_event(dns_loop_base(r->loop))))
		return problem_memory(p);
	if (!configure(dns, r->ctx, p))
		return false;
	*ret = steal(r);
	return true;
}

static bool resolver_take(struct dns *dns, struct resolver **ret, struct problem *p)
{
	pthread_mutex_lock(&dns->mutex);
	struct resolver *r = dns->idle;
	if (r)
		dns->idle = r->next;
	pthread_mutex_unlock(&dns->mutex);
	if (!r)
		return resolver_new(dns, ret, p);
	*ret = r;
	return true;
}

static void resolver_give(struct dns *dns, struct resolver *r)
{
	pthread_mutex_lock(&dns->mutex);
	r->next = dns->idle;
	dns->idle = r;
	pthread_mutex_unlock(&dns->mutex);
}

/* --- asking */

/* rcode is set where there is no message. */
static void on_answer(void *arg, int rcode, void *message, int len, int security, char *why, int limited)
{
	struct question *q = arg;

	(void)security;
	(void)why;
	(void)limited;
	q->done = true;
	q->rcode = rcode;
	if (!rcode &&
	    !dns_answer_read(BYTES(message, (size_t)len), q->type, q->v, DNS_FAMILY_MAX, &q->n, &q->rcode))
		q->rcode = DNS_SERVFAIL;
}

static void ask(struct resolver *r, struct question *q, const char *name)
{
	q->error = ub_resolve_event(r->ctx, name, q->type, DNS_CLASS_IN, q, on_answer, NULL);
	q->done = q->done || q->error;
}

static const char *rcode_text(int rcode)
{
	static const char *const names[RCODE_NAMES] = { "NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN",
	                                                "NOTIMP", "REFUSED" };

	return rcode >= 0 && rcode < RCODE_NAMES ? names[rcode] : "an error";
}

static bool refuse(const struct question *aaaa, const struct question *a, const char *name, struct problem *p)
{
	const struct question *worse = a->late || a->error || a->rcode ? a : aaaa;

	if (worse->late)
		return problem_set(p, PROBLEM_DNS, "no answer from DNS in time for %.200s", name);
	if (worse->error)
		return problem_set(p, PROBLEM_DNS, "DNS could not be asked for %.200s: %s", name,
		                   ub_strerror(worse->error));
	if (worse->rcode == DNS_NXDOMAIN)
		return problem_set(p, PROBLEM_DNS, "DNS knows no %.200s (NXDOMAIN)", name);
	if (worse->rcode)
		return problem_set(p, PROBLEM_DNS, "DNS said %s for %.200s", rcode_text(worse->rcode), name);
	return problem_set(p, PROBLEM_DNS, "DNS has neither an A nor an AAAA record for %.200s", name);
}

/* A resolver with a question that was not answered in time is given up, which answers it: nobody is
 * to be called when this has returned. */
static void resolver_done(struct dns *dns, struct resolver *r, struct question *aaaa, struct question *a)
{
	aaaa->late = !aaaa->done;
	a->late = !a->done;
	if (aaaa->late || a->late)
		resolver_free(r);
	else
		resolver_give(dns, r);
}

bool dns_lookup(struct dns *dns, const char *name, int64_t deadline, struct dns_addresses *ret,
                struct problem *p)
{
	struct question aaaa = { .type = DNS_TYPE_AAAA }, a = { .type = DNS_TYPE_A };
	struct resolver *r = NULL;

	if (!resolver_take(dns, &r, p))
		return false;
	ask(r, &aaaa, name);
	ask(r, &a, name);
	while (!(aaaa.done && a.done) && dns_loop_turn(r->loop, deadline))
		;
	resolver_done(dns, r, &aaaa, &a);
	if (aaaa.n + a.n == 0)
		return refuse(&aaaa, &a, name, p);
	memcpy(ret->v, aaaa.v, aaaa.n * sizeof(*aaaa.v));
	memcpy(ret->v + aaaa.n, a.v, a.n * sizeof(*a.v));
	ret->n = aaaa.n + a.n;
	return true;
}
