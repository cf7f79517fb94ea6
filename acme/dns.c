#include "acme/dns.h"

#include <pthread.h>
#include <stdio.h>

#include "acme/dns_resolver.h"
#include "acme/dns_setup.h"
#include "acme/dns_stub.h"
#include "acme/hosts.h"
#include "base/clock.h"
#include "base/file.h"

enum { LOOK_MS = 1000 }; /* between two looks at the files */

/* One that nobody asks at the moment. */
struct idle {
	struct dns_resolver *resolver;
	struct idle *next;
};

struct dns {
	struct buf text;           /* the configuration of each libunbound */
	bool system;               /* resolv.conf besides, and hosts */
	struct dns_stub *stub;     /* for plain look-ups of addresses; NULL: there are none */
	char servers[128];
	char *hosts_file;
	struct strings files;      /* whose change makes new ones */
	pthread_mutex_t mutex;     /* guards all below */
	struct idle *idle;         /* the last one used comes first */
	struct buf hosts;          /* the text of the file */
	struct buf mark;           /* of the files, when they were looked at */
	unsigned generation;       /* of the files: counts their changes */
	int64_t looked;
};

/* --- those that wait */

static struct dns_resolver *pop_idle(struct dns *dns)
{
	auto_free struct idle *first = dns->idle;

	if (!first)
		return NULL;
	dns->idle = first->next;
	return first->resolver;
}

static void drop_idle(struct dns *dns)
{
	struct dns_resolver *resolver;

	while ((resolver = pop_idle(dns)))
		dns_resolver_free(resolver);
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

static bool resolver_take(struct dns *dns, struct dns_resolver **ret, unsigned *ret_generation, struct problem *p)
{
	pthread_mutex_lock(&dns->mutex);
	look_at_files(dns);
	*ret_generation = dns->generation;
	*ret = pop_idle(dns);
	pthread_mutex_unlock(&dns->mutex);
	return *ret || dns_resolver_new(&dns->text, dns->system, ret, p);
}

/* One that has read files as they were is of no more use. */
static void resolver_give(struct dns *dns, struct dns_resolver *resolver, unsigned generation)
{
	auto_free struct idle *idle = malloc(sizeof(*idle));

	pthread_mutex_lock(&dns->mutex);
	if (resolver && idle && generation == dns->generation) {
		*idle = (struct idle){ steal(resolver), dns->idle };
		dns->idle = steal(idle);
	}
	pthread_mutex_unlock(&dns->mutex);
	dns_resolver_free(resolver);
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
	       (!dns->system || (strings_add(&dns->files, "/etc/resolv.conf") &&
	                         strings_add(&dns->files, dns->hosts_file))) &&
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
	struct dns_question q = { .name = "onion", .type = DNS_TYPE_A };
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
	if (!dns_resolver_check(p))
		return false;
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

void dns_question_clear(struct dns_question *q)
{
	buf_free(&q->message);
	q->message = (struct buf){0};
}

bool dns_ask(struct dns *dns, struct dns_question *v, size_t n, int64_t deadline, struct problem *p)
{
	struct dns_resolver *resolver = NULL;
	unsigned generation;

	if (dns->stub && dns_stub_ask(dns->stub, v, n, deadline))
		return true;
	if (!resolver_take(dns, &resolver, &generation, p))
		return false;
	bool done = dns_resolver_ask(&resolver, v, n, deadline, p);
	resolver_give(dns, resolver, generation);
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
	return q->secure ||
	       problem_set(p, PROBLEM_DNS, "%s of %.200s is not signed with DNSSEC, which this profile demands",
	                                type_text(q->type), q->name);
}
