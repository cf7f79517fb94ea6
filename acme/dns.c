#include "acme/dns.h"

#include <pthread.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unbound.h>
#include <unbound-event.h>
#include <unistd.h>

#include "acme/dns_loop.h"
#include "acme/dns_setup.h"
#include "acme/dns_stub.h"
#include "acme/hosts.h"
#include "base/clock.h"

enum { LOOK_MS = 1000 }; /* between two looks at the files */

/* One libunbound, which one caller at a time asks. */
struct resolver {
	struct dns_loop *loop;
	struct ub_ctx *ctx;
	unsigned generation;
	struct resolver *next;
};

struct dns {
	struct buf text;           /* the configuration of each libunbound */
	bool system;               /* resolv.conf besides, and hosts */
	struct dns_stub *stub;     /* for plain look-ups of addresses; NULL: there are none */
	char servers[128];
	char *hosts_file;
	struct strings files;      /* whose change makes new ones */
	pthread_mutex_t mutex;     /* guards all below */
	struct resolver *idle;     /* the last one used comes first */
	struct buf hosts;          /* the text of the file */
	struct buf mark;           /* of the files, when they were looked at */
	unsigned generation;
	int64_t looked;
};

/* --- one libunbound */

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

static bool setup_failed(const char *what, int error, struct problem *p)
{
	return problem_internal(p, "resolver: %s: %s", what, ub_strerror(error));
}

/* A file that is not there is an empty one. */
static bool use_system(struct ub_ctx *ctx, struct problem *p)
{
	int error = ub_ctx_resolvconf(ctx, NULL);

	return !error || error == UB_READFILE || setup_failed("resolv.conf", error, p);
}

/* libunbound takes zones from a file alone, so there is one, in memory. Its parser is one for the
 * whole process. */
static bool use_text(const struct dns *dns, struct ub_ctx *ctx, struct problem *p)
{
	static pthread_mutex_t parser = PTHREAD_MUTEX_INITIALIZER;
	auto_fd int fd = memfd_create("enrolld-dns", MFD_CLOEXEC);
	char path[32];

	if (fd < 0 || write(fd, dns->text.data, dns->text.len) != (ssize_t)dns->text.len)
		return problem_internal(p, "resolver: no file in memory for its configuration: %m");
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	pthread_mutex_lock(&parser);
	int error = ub_ctx_config(ctx, path);
	pthread_mutex_unlock(&parser);
	return !error || setup_failed("configuration", error, p);
}

static bool resolver_new(const struct dns *dns, struct resolver **ret, struct problem *p)
{
	auto_struct(resolver) *r = calloc(1, sizeof(*r));

	if (!r || !dns_loop_new(&r->loop) || !(r->ctx = ub_ctx_create_ub_event(dns_loop_base(r->loop))))
		return problem_memory(p);
	ub_ctx_debugout(r->ctx, NULL);
	if (!use_text(dns, r->ctx, p) || (dns->system && !use_system(r->ctx, p)))
		return false;
	*ret = steal(r);
	return true;
}

/* --- all of them */

static void drop_idle(struct dns *dns)
{
	while (dns->idle) {
		struct resolver *next = dns->idle->next;

		resolver_free(dns->idle);
		dns->idle = next;
	}
}

/* libunbound does not read it: a name below a zone that it has itself, such as demo.localhost, would
 * keep it from starting. A file that cannot be read is an empty one. */
static void read_hosts(struct dns *dns)
{
	auto_value(problem) why = {0};

	buf_clear(&dns->hosts);
	if (!file_read(dns->hosts_file, HOSTS_FILE_MAX, &dns->hosts, &why))
		buf_clear(&dns->hosts);
}

/* With the mutex held. Those at work are freed when they come back. */
static void look_at_files(struct dns *dns)
{
	int64_t now = clock_monotonic_ms();
	auto_value(buf) mark = {0};

	if (dns->looked && now - dns->looked < LOOK_MS)
		return;
	dns->looked = now;
	for (size_t i = 0; i < dns->files.n; i++)
		dns_setup_mark(dns->files.v[i], &mark);
	if (bytes_equal(buf_bytes(&mark), buf_bytes(&dns->mark)))
		return;
	drop_idle(dns);
	if (dns->system)
		read_hosts(dns);
	dns->generation++;
	buf_clear(&dns->mark);
	buf_add(&dns->mark, mark.data, mark.len);
}

static bool resolver_take(struct dns *dns, struct resolver **ret, struct problem *p)
{
	pthread_mutex_lock(&dns->mutex);
	look_at_files(dns);
	unsigned generation = dns->generation;
	struct resolver *r = dns->idle;
	if (r)
		dns->idle = r->next;
	pthread_mutex_unlock(&dns->mutex);
	if (!r && !resolver_new(dns, &r, p))
		return false;
	r->generation = generation;
	*ret = r;
	return true;
}

static void resolver_give(struct dns *dns, struct resolver *r)
{
	pthread_mutex_lock(&dns->mutex);
	bool old = r->generation != dns->generation;
	if (!old) {
		r->next = dns->idle;
		dns->idle = r;
	}
	pthread_mutex_unlock(&dns->mutex);
	if (old)
		resolver_free(r);
}

static bool add_files(const struct strings *list, struct strings *files)
{
	for (size_t i = 0; list && i < list->n; i++)
		if (list->v[i][0] == '/' && !strings_add(files, list->v[i]))
			return false;
	return true;
}

static bool find_files(const struct dns_options *o, struct dns *dns)
{
	dns->hosts_file = strdup(o->hosts ? o->hosts : "/etc/hosts");
	return dns->hosts_file &&
	       (!dns->system || (strings_add(&dns->files, "/etc/resolv.conf") && strings_add(&dns->files, dns->hosts_file))) &&
	       add_files(o->trust_anchors, &dns->files) && add_files(o->root_hints, &dns->files);
}

static void name_servers(const struct dns_options *o, struct dns *dns)
{
	auto_value(buf) text = {0};

	if (dns->system)
		buf_add_str(&text, "the system's resolvers");
	else if (o->root_hints && o->root_hints->n > 0)
		buf_add_str(&text, "the name servers of its zone");
	else
		for (size_t i = 0; i < o->resolvers->n; i++)
			buf_printf(&text, "%s%s", i > 0 ? ", " : "", o->resolvers->v[i]);
	snprintf(dns->servers, sizeof(dns->servers), "%s", buf_text(&text));
}

/* The first question makes libunbound read what it was told. This one it answers itself. */
static bool try_setup(struct dns *dns, struct problem *p)
{
	struct dns_question q = { .name = "localhost", .type = DNS_TYPE_A };
	bool asked = dns_ask(dns, &q, 1, clock_monotonic_ms() + LOOK_MS, p);

	dns_question_clear(&q);
	if (asked && q.fate != DNS_UNASKED)
		return true;
	return problem_set(p, PROBLEM_MALFORMED, "acme.dns: trust anchors, root hints or zones cannot be used%s%s",
	                   p->cause[0] ? ": " : "", p->cause);
}

bool dns_open(const struct dns_options *options, struct dns **ret, struct problem *p)
{
	auto_struct(dns) *dns = calloc(1, sizeof(*dns));

	if (!dns)
		return problem_memory(p);
	pthread_mutex_init(&dns->mutex, NULL);
	dns->system = dns_setup_is_system(options);
	if (!find_files(options, dns))
		return problem_memory(p);
	if (!dns_setup_text(options, &dns->text, p))
		return false;
	name_servers(options, dns);
	dns->stub = dns_stub_new(options);
	bool special = (options->trust_anchors && options->trust_anchors->n > 0) || options->zone_count > 0 ||
	               (options->root_hints && options->root_hints->n > 0);
	if (special && !try_setup(dns, p))
		return false;
	*ret = steal(dns);
	return true;
}

void dns_close(struct dns *dns)
{
	if (!dns)
		return;
	drop_idle(dns);
	dns_stub_free(dns->stub);
	buf_free(&dns->text);
	buf_free(&dns->mark);
	buf_free(&dns->hosts);
	free(dns->hosts_file);
	strings_free(&dns->files);
	pthread_mutex_destroy(&dns->mutex);
	free(dns);
}

size_t dns_hosts(struct dns *dns, const char *name, int family, struct addr *ret, size_t max)
{
	pthread_mutex_lock(&dns->mutex);
	look_at_files(dns);
	size_t n = hosts_find(buf_bytes(&dns->hosts), name, family, ret, max);
	pthread_mutex_unlock(&dns->mutex);
	return n;
}

const char *dns_servers(const struct dns *dns)
{
	return dns->servers;
}

/* --- asking */

struct asked {
	struct dns_question *question;
	bool done, late;
	bool bare;                 /* a denial without anything that says how long it holds */
};

void dns_question_clear(struct dns_question *q)
{
	buf_free(&q->message);
	q->message = (struct buf){0};
}

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

static bool begin(const struct resolver *r, struct asked *a, struct problem *p)
{
	struct dns_question *q = a->question;
	int error;

	dns_question_clear(q);
	q->fate = DNS_UNASKED;
	q->secure = false;
	error = ub_resolve_event(r->ctx, q->name, q->type, DNS_CLASS_IN, a, on_answer, NULL);
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

static bool ask_all(struct resolver *r, struct asked *v, size_t n, int64_t deadline, struct problem *p)
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

/* A libunbound with a question that was not answered in time is given up, which answers it: nobody
 * is to be called when this has returned. */
bool dns_ask(struct dns *dns, struct dns_question *v, size_t n, int64_t deadline, struct problem *p)
{
	if (dns->stub && dns_stub_ask(dns->stub, v, n, deadline))
		return true;

	auto_free struct asked *asked = calloc(n, sizeof(*asked));
	struct resolver *r = NULL;
	if (!asked)
		return problem_memory(p);
	for (size_t i = 0; i < n; i++)
		asked[i].question = &v[i];
	if (!resolver_take(dns, &r, p))
		return false;
	bool done = ask_all(r, asked, n, deadline, p);
	if (count_open(asked, n) == 0 && !remembers_failure(asked, n)) {
		resolver_give(dns, r);
		return done;
	}
	for (size_t i = 0; i < n; i++)
		asked[i].late = !asked[i].done;
	resolver_free(r);
	for (size_t i = 0; i < n; i++)
		if (asked[i].late)
			v[i].fate = DNS_UNASKED;
	return done;
}

/* --- what went wrong */

static const char *rcode_text(int rcode)
{
	static const char *const names[] = { "NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED" };

	return rcode >= 0 && (size_t)rcode < array_length(names) ? names[rcode] : "an error";
}

static const char *type_text(int type)
{
	switch (type) {
	case DNS_TYPE_A:
		return "A";
	case DNS_TYPE_AAAA:
		return "AAAA";
	case DNS_TYPE_TXT:
		return "TXT";
	default:
		return type == DNS_TYPE_CAA ? "CAA" : "records";
	}
}

bool dns_refuse(const struct dns *dns, const struct dns_question *q, struct problem *p)
{
	const char *type = type_text(q->type);

	switch (q->fate) {
	case DNS_UNASKED:
		return problem_set(p, PROBLEM_DNS, "no answer from DNS in time for %s of %.200s (asked: %s)", type,
		                   q->name, dns->servers);
	case DNS_BOGUS:
		return problem_set(p, PROBLEM_DNS, "RFC 4035, 5.5: DNSSEC calls %s of %.200s bogus: %s", type, q->name,
		                   q->why[0] ? q->why : "validation failure");
	case DNS_NO_NAME:
		return problem_set(p, PROBLEM_DNS, "DNS knows no %.200s (NXDOMAIN; asked: %s)", q->name, dns->servers);
	default:
		return problem_set(p, PROBLEM_DNS, "DNS said %s for %s of %.200s (asked: %s)", rcode_text(q->rcode),
		                   type, q->name, dns->servers);
	}
}

bool dns_check_secure(const struct dns_question *q, struct problem *p)
{
	return q->secure || problem_set(p, PROBLEM_DNS, "%s of %.200s is not signed with DNSSEC, which this profile demands",
	                                type_text(q->type), q->name);
}
