#include "acme/dns_resolver.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unbound.h>
#include <unbound-event.h>
#include <unistd.h>

#include "acme/dns_loop.h"
#include "base/library.h"

struct dns_resolver {
	struct dns_loop *loop;
	struct ub_ctx *ctx;
};

/* --- the library */

#define UNBOUND_CALLS(X)                                                                           \
	X(create, ub_ctx_create_ub_event) X(delete, ub_ctx_delete) X(debugout, ub_ctx_debugout)    \
	X(config, ub_ctx_config) X(resolvconf, ub_ctx_resolvconf) X(resolve, ub_resolve_event)     \
	X(strerror, ub_strerror)

static struct { UNBOUND_CALLS(LIBRARY_FIELD) } lib;
static const struct library_call calls[] = { UNBOUND_CALLS(LIBRARY_ROW) };
static struct library unbound = LIBRARY("libunbound.so.8", calls, NULL);

bool dns_resolver_check(struct problem *p)
{
	return library_check(&unbound, p);
}

/* --- one of them */

void dns_resolver_free(struct dns_resolver *r)
{
	if (!r)
		return;
	if (r->ctx)
		lib.delete(r->ctx);
	dns_loop_free(r->loop);
	free(r);
}

static bool setup_failed(const char *what, int error, struct problem *p)
{
	return problem_internal(p, "resolver: %s: %s", what, lib.strerror(error));
}

/* A file that is not there is an empty one. */
static bool use_system(struct ub_ctx *ctx, struct problem *p)
{
	int error = lib.resolvconf(ctx, NULL);

	return !error || error == UB_READFILE || setup_failed("resolv.conf", error, p);
}

/* libunbound takes zones from a file alone, so there is one, in memory. Its parser is one for the
 * whole process. */
static bool use_text(const struct buf *text, struct ub_ctx *ctx, struct problem *p)
{
	static pthread_mutex_t parser = PTHREAD_MUTEX_INITIALIZER;
	auto_fd int fd = memfd_create("enrolld-dns", MFD_CLOEXEC);
	char path[32];

	if (fd < 0 || write(fd, text->data, text->len) != (ssize_t)text->len)
		return problem_internal(p, "resolver: no file in memory for its configuration: %m");
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	pthread_mutex_lock(&parser);
	int error = lib.config(ctx, path);
	pthread_mutex_unlock(&parser);
	return !error || setup_failed("configuration", error, p);
}

bool dns_resolver_new(const struct buf *text, bool system, struct dns_resolver **ret, struct problem *p)
{
	auto_struct(dns_resolver) *r = calloc(1, sizeof(*r));

	if (!r)
		return problem_memory(p);
	if (!library_load(&unbound, p))
		return false;
	if (!dns_loop_new(&r->loop) || !(r->ctx = lib.create(dns_loop_base(r->loop))))
		return problem_memory(p);
	lib.debugout(r->ctx, NULL);
	if (!use_text(text, r->ctx, p) || (system && !use_system(r->ctx, p)))
		return false;
	*ret = steal(r);
	return true;
}

/* --- asking */

struct asked {
	struct dns_question *question;
	bool done, late;
	bool bare;                 /* a denial without anything that says how long it holds */
};

static enum dns_fate fate_of(int rcode)
{
	return rcode == 0 ? DNS_ANSWERED : rcode == DNS_NXDOMAIN ? DNS_NO_NAME : DNS_FAILED;
}

/* rcode is set where there is no message; otherwise the message has it. */
static void on_answer(void *arg, int rcode, void *message, int len, int security, char *why, int limited)
{
	struct asked *a = arg;
	struct dns_question *q = a->question;
	struct dns_answer answer = { .rcode = rcode ? rcode : DNS_SERVFAIL };
	const uint8_t *header = message;

	(void)limited;
	a->bare = rcode || len < 12 || (header[6] == 0 && header[7] == 0 && header[8] == 0 && header[9] == 0);
	a->done = true;
	if (!rcode && dns_answer_open(BYTES(message, (size_t)len), q->type, &answer))
		buf_add(&q->message, message, (size_t)len);
	q->rcode = answer.rcode;
	q->secure = security == 2;
	q->fate = q->message.failed ? DNS_UNASKED : security == 1 ? DNS_BOGUS : fate_of(answer.rcode);
	snprintf(q->why, sizeof(q->why), "%s", why ? why : "");
}

static bool begin(const struct dns_resolver *r, struct asked *a, struct problem *p)
{
	struct dns_question *q = a->question;
	int error;

	dns_question_clear(q);
	q->fate = DNS_UNASKED;
	q->secure = false;
	error = lib.resolve(r->ctx, q->name, q->type, DNS_CLASS_IN, a, on_answer, NULL);
	if (error == UB_SYNTAX) { /* a name that DNS cannot have */
		q->fate = DNS_NO_NAME;
		a->done = true;
		return true;
	}
	return !error || setup_failed(q->name, error, p);
}

static size_t count_open(const struct asked *v, size_t n)
{
	size_t open = 0;

	for (size_t i = 0; i < n; i++)
		open += !v[i].done;
	return open;
}

static bool ask_all(struct dns_resolver *r, struct asked *v, size_t n, int64_t deadline, struct problem *p)
{
	for (size_t i = 0; i < n; i++)
		if (!begin(r, &v[i], p))
			return false;
	while (count_open(v, n) > 0 && dns_loop_turn(r->loop, deadline))
		;
	return true;
}

/* libunbound keeps failures, and denials without a SOA record, for five seconds whatever it is told;
 * the next try is to see the world as it is then. That a name has one family of addresses alone may be
 * kept. */
static bool remembers_failure(const struct asked *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct dns_question *q = v[i].question;
		bool address = q->type == DNS_TYPE_A || q->type == DNS_TYPE_AAAA;

		if (q->fate == DNS_ANSWERED ? v[i].bare && !address : q->fate != DNS_NO_NAME || v[i].bare)
			return true;
	}
	return false;
}

/* Freeing one answers what it has not answered yet: nobody is to be called when this has returned. */
static void give_up(struct dns_resolver **resolver, struct asked *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		v[i].late = !v[i].done;
	dns_resolver_free(steal(*resolver));
	for (size_t i = 0; i < n; i++)
		if (v[i].late)
			v[i].question->fate = DNS_UNASKED;
}

bool dns_resolver_ask(struct dns_resolver **resolver, struct dns_question *v, size_t n, int64_t deadline,
                      struct problem *p)
{
	auto_free struct asked *asked = calloc(n, sizeof(*asked));

	if (!asked)
		return problem_memory(p);
	for (size_t i = 0; i < n; i++)
		asked[i].question = &v[i];
	bool done = ask_all(*resolver, asked, n, deadline, p);
	if (count_open(asked, n) > 0 || remembers_failure(asked, n))
		give_up(resolver, asked, n);
	return done;
}
