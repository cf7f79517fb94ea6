#include "acme/dns.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unbound.h>
#include <unistd.h>

#include "base/clock.h"

enum { TYPE_A = 1, TYPE_AAAA = 28, CLASS_IN = 1 };
enum { RCODE_NAMES = 6 };

/* libunbound resolves on a thread of its own; ours waits at its pipe and hands the answers out. */
struct dns {
	struct strings resolvers;
	pthread_mutex_t mutex; /* guards all below and every question that is asked */
	struct ub_ctx *ctx;
	pthread_t thread;
	int end; /* eventfd: tells the thread to end */
};

struct question {
	struct dns *dns;
	int type, id;
	bool done;
	pthread_cond_t answered; /* with the monotonic clock */
	int error, rcode;
	bool nxdomain;
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
	dns->end = -1;
	pthread_mutex_init(&dns->mutex, NULL);
	if (resolvers && !strings_copy(resolvers, &dns->resolvers))
		return problem_memory(p);
	*ret = steal(dns);
	return true;
}

void dns_close(struct dns *dns)
{
	if (!dns)
		return;
	if (dns->ctx) {
		eventfd_write(dns->end, 1);
		pthread_join(dns->thread, NULL);
		ub_ctx_delete(dns->ctx);
	}
	if (dns->end >= 0)
		close(dns->end);
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

static bool configure(struct dns *dns, struct ub_ctx *ctx, struct problem *p)
{
	ub_ctx_debugout(ctx, NULL);
	for (size_t i = 0; i < array_length(settings); i++) {
		int error = ub_ctx_set_option(ctx, settings[i].name, settings[i].value);

		if (error)
			return setup_failed(settings[i].name, error, p);
	}
	if (!(dns->resolvers.n ? use_resolvers(ctx, &dns->resolvers, p) : use_system(ctx, p)))
		return false;
	ub_ctx_async(ctx, 1);
	for (size_t i = 0; i < array_length(private_zones); i++) {
		int error = ub_ctx_zone_remove(ctx, private_zones[i]);

		if (error)
			return setup_failed(private_zones[i], error, p);
	}
	return true;
}

static void *run(void *arg)
{
	struct dns *dns = arg;
	struct pollfd fds[] = { { .fd = ub_fd(dns->ctx), .events = POLLIN },
	                        { .fd = dns->end, .events = POLLIN } };

	while (poll(fds, array_length(fds), -1) >= 0 || errno == EINTR) {
		if (fds[1].revents)
			break;
		if (fds[0].revents)
			ub_process(dns->ctx);
	}
	return NULL;
}

static bool start_thread(struct dns *dns, struct problem *p)
{
	dns->end = eventfd(0, EFD_CLOEXEC);
	if (dns->end < 0)
		return problem_internal(p, "resolver: eventfd: %m");
	errno = pthread_create(&dns->thread, NULL, run, dns);
	if (!errno)
		return true;
	problem_internal(p, "resolver: thread: %m");
	close(dns->end);
	dns->end = -1;
	return false;
}

/* With the mutex held. */
static bool start(struct dns *dns, struct problem *p)
{
	if (dns->ctx)
		return true;
	struct ub_ctx *ctx = ub_ctx_create();
	if (!ctx)
		return problem_memory(p);
	dns->ctx = ctx; /* the thread reads it */
	if (configure(dns, ctx, p) && start_thread(dns, p))
		return true;
	dns->ctx = NULL;
	ub_ctx_delete(ctx);
	return false;
}

/* By way of sockaddr, which turns an IPv4-mapped AAAA record into the IPv4 address that it is. */
static bool address(const struct question *q, const char *data, int len, struct addr *ret)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
	struct sockaddr_in in = { .sin_family = AF_INET };

	if (q->type == TYPE_A && len == sizeof(in.sin_addr)) {
		memcpy(&in.sin_addr, data, sizeof(in.sin_addr));
		return addr_from_sockaddr((struct sockaddr *)&in, ret);
	}
	if (q->type == TYPE_AAAA && len == sizeof(in6.sin6_addr)) {
		memcpy(&in6.sin6_addr, data, sizeof(in6.sin6_addr));
		return addr_from_sockaddr((struct sockaddr *)&in6, ret);
	}
	return false;
}

static void keep(struct question *q, const struct ub_result *result)
{
	q->rcode = result->rcode;
	q->nxdomain = result->nxdomain;
	for (size_t i = 0; result->havedata && result->data[i] && q->n < DNS_FAMILY_MAX; i++)
		if (address(q, result->data[i], result->len[i], &q->v[q->n]))
			q->n++;
}

static void on_answer(void *arg, int error, struct ub_result *result)
{
	struct question *q = arg;
	struct dns *dns = q->dns;

	pthread_mutex_lock(&dns->mutex);
	q->error = error;
	if (!error)
		keep(q, result);
	q->done = true;
	pthread_cond_signal(&q->answered);
	pthread_mutex_unlock(&dns->mutex);
	ub_resolve_free(result);
}

static void ask(struct question *q, const char *name)
{
	pthread_condattr_t attr;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&q->answered, &attr);
	pthread_condattr_destroy(&attr);
	int error = ub_resolve_async(q->dns->ctx, name, q->type, CLASS_IN, q, on_answer, &q->id);

	if (error) {
		q->error = error;
		q->done = true;
	}
}

/* With the mutex held. After it, nobody else knows the question. */
static void wait_for(struct question *q, int64_t deadline)
{
	struct timespec ts = { .tv_sec = deadline / 1000, .tv_nsec = deadline % 1000 * 1000000 };
	int error = 0;

	while (!q->done && error != ETIMEDOUT)
		error = pthread_cond_timedwait(&q->answered, &q->dns->mutex, &ts);
	if (q->done)
		return;
	pthread_mutex_unlock(&q->dns->mutex);
	bool cancelled = ub_cancel(q->dns->ctx, q->id) == 0;
	pthread_mutex_lock(&q->dns->mutex);
	while (!cancelled && !q->done) /* it is being delivered */
		pthread_cond_wait(&q->answered, &q->dns->mutex);
	q->error = q->done ? q->error : UB_NOID;
}

static const char *rcode_text(int rcode)
{
	static const char *const names[RCODE_NAMES] = { "NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN",
	                                                "NOTIMP", "REFUSED" };

	return rcode >= 0 && rcode < RCODE_NAMES ? names[rcode] : "an error";
}

static bool refuse(const struct question *aaaa, const struct question *a, const char *name, struct problem *p)
{
	const struct question *worse = a->error || a->rcode ? a : aaaa;

	if (worse->error == UB_NOID)
		return problem_set(p, PROBLEM_DNS, "no answer from DNS in time for %.200s", name);
	if (worse->error)
		return problem_set(p, PROBLEM_DNS, "DNS could not be asked for %.200s: %s", name,
		                   ub_strerror(worse->error));
	if (worse->nxdomain)
		return problem_set(p, PROBLEM_DNS, "DNS knows no %.200s (NXDOMAIN)", name);
	if (worse->rcode)
		return problem_set(p, PROBLEM_DNS, "DNS said %s for %.200s", rcode_text(worse->rcode), name);
	return problem_set(p, PROBLEM_DNS, "DNS has neither an A nor an AAAA record for %.200s", name);
}

bool dns_lookup(struct dns *dns, const char *name, int64_t deadline, struct dns_addresses *ret,
                struct problem *p)
{
	struct question aaaa = { .dns = dns, .type = TYPE_AAAA }, a = { .dns = dns, .type = TYPE_A };
	bool started;

	pthread_mutex_lock(&dns->mutex);
	started = start(dns, p);
	pthread_mutex_unlock(&dns->mutex);
	if (!started)
		return false;
	ask(&aaaa, name);
	ask(&a, name);
	pthread_mutex_lock(&dns->mutex);
	wait_for(&aaaa, deadline);
	wait_for(&a, deadline);
	pthread_mutex_unlock(&dns->mutex);
	pthread_cond_destroy(&aaaa.answered);
	pthread_cond_destroy(&a.answered);
	if (aaaa.n + a.n == 0)
		return refuse(&aaaa, &a, name, p);
	memcpy(ret->v, aaaa.v, aaaa.n * sizeof(*aaaa.v));
	memcpy(ret->v + aaaa.n, a.v, a.n * sizeof(*a.v));
	ret->n = aaaa.n + a.n;
	return true;
}
