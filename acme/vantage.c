#include "acme/vantage.h"

#include <pthread.h>

#include "acme/tls_alpn01.h"
#include "base/clock.h"

/* One place. Tools that do not differ are the first one's. */
struct place {
	const char *name;
	struct challenge_tools tools;
	bool own_dns, own_http;
};
struct vantage {
	struct place *places;
	size_t n;
	unsigned quorum;
	struct strings identities;   /* for CAA */
	unsigned timeout_ms;
};

static struct http01_options http_options(const struct acme_options *o, const struct place *place)
{
	return (struct http01_options){
		.http_port = o->http_port, .https_port = o->https_port,
		.rules = { .allow = o->probe_allow, .deny = o->probe_deny, .own = o->probe_own },
		.timeout_ms = o->probe_timeout_ms, .dns = place->tools.dns,
	};
}

/* --- opening */

static bool open_first(const struct acme_options *o, struct place *place, struct problem *p)
{
	struct challenge_tools *tools = &place->tools;

	place->name = "this server";
	place->own_dns = place->own_http = true;
	tools->timeout_ms = o->probe_timeout_ms;
	tools->persist.forms = o->persist_forms;
	if (!dns_open(&o->dns, &tools->dns, p))
		return false;
	const struct http01_options http = http_options(o, place);
	const struct tls_alpn01_options tls = {
		.port = o->tls_alpn_port, .rules = http.rules, .timeout_ms = o->probe_timeout_ms, .dns = tools->dns,
	};
	return http01_open(&http, &tools->http01, p) && tls_alpn01_open(&tls, &tools->tls_alpn01, p);
}

static bool open_further(const struct acme_options *o, const struct vantage_point *point, const struct place *first,
                         struct place *place, struct problem *p)
{
	struct dns_options dns = o->dns;

	place->name = point->name;
	place->tools = first->tools;
	place->own_dns = point->resolvers.n > 0;
	if (place->own_dns) {
		dns.resolvers = &point->resolvers;
		dns.root_hints = NULL;
		place->tools.dns = NULL;
		if (!dns_open(&dns, &place->tools.dns, p))
			return false;
	}
	struct http01_options http = http_options(o, place);
	http.proxy = point->proxy;
	place->own_http = true;
	place->tools.http01 = NULL;
	return http01_open(&http, &place->tools.http01, p);
}

bool vantage_open(const struct acme_options *options, struct vantage **ret, struct problem *p)
{
	auto_struct(vantage) *vantage = calloc(1, sizeof(*vantage));

	if (!vantage)
		return problem_memory(p);
	vantage->quorum = options->quorum;
	vantage->timeout_ms = options->probe_timeout_ms;
	vantage->places = calloc(1 + options->vantage_count, sizeof(*vantage->places));
	if (!vantage->places || (options->caa_identities &&
	                         !strings_copy(options->caa_identities, &vantage->identities)))
		return problem_memory(p);
	vantage->n = 1;
	vantage->places[0].tools.persist.issuers = &vantage->identities;
	if (!open_first(options, &vantage->places[0], p))
		return false;
	for (size_t i = 0; i < options->vantage_count; i++) {
		vantage->n++;
		if (!open_further(options, &options->vantage[i], &vantage->places[0], &vantage->places[i + 1], p))
			return false;
	}
	*ret = steal(vantage);
	return true;
}

void vantage_close(struct vantage *vantage)
{
	if (!vantage)
		return;
	for (size_t i = vantage->n; i-- > 0;) {
		struct place *place = &vantage->places[i];

		if (place->own_http)
			http01_close(place->tools.http01);
		if (i == 0)
			tls_alpn01_close(place->tools.tls_alpn01);
		if (place->own_dns)
			dns_close(place->tools.dns);
	}
	free(vantage->places);
	strings_free(&vantage->identities);
	free(vantage);
}

/* --- agreeing */

typedef bool look_from(const struct challenge_tools *tools, const void *arg, struct problem *p);
struct look {
	look_from *from;
	const void *arg;
	const struct place *place;
	pthread_t thread;
	bool threaded, agrees;
	struct problem why;
};

static void *look_once(void *arg)
{
	struct look *look = arg;

	look->agrees = look->from(&look->place->tools, look->arg, &look->why);
	return NULL;
}

static void look_from_all(struct look *looks, size_t n)
{
	for (size_t i = 0; i < n; i++)
		looks[i].threaded = pthread_create(&looks[i].thread, NULL, look_once, &looks[i]) == 0;
	for (size_t i = 0; i < n; i++) {
		if (looks[i].threaded)
			pthread_join(looks[i].thread, NULL);
		else
			look_once(&looks[i]);
	}
}

static bool count(const struct vantage *v, struct look *looks, size_t n, struct problem *p)
{
	const struct look *against = NULL;
	size_t agreed = 1;

	for (size_t i = 0; i < n; i++) {
		agreed += looks[i].agrees;
		against = !against && !looks[i].agrees ? &looks[i] : against;
	}
	if (agreed >= v->quorum || !against)
		return true;
	if (problem_is_ours(&against->why))
		return problem_internal(p, "%s: %s", against->place->name, against->why.cause);
	return problem_set(p, against->why.kind, "%zu of %zu vantage points agree, %u are wanted; %s: %s", agreed, v->n,
	                   v->quorum, against->place->name,
	                   against->why.sub_count > 0 ? against->why.subs[0].detail : against->why.detail);
}

/* The others look for arg, which they share. */
static bool agree(const struct vantage *v, look_from *from, const void *first, const void *arg, struct problem *p)
{
	size_t n = v->n - 1;

	if (!from(&v->places[0].tools, first, p))
		return false;
	if (n == 0 || v->quorum <= 1)
		return true;
	auto_free struct look *looks = calloc(n, sizeof(*looks));
	if (!looks)
		return problem_memory(p);
	for (size_t i = 0; i < n; i++)
		looks[i] = (struct look){ .from = from, .arg = arg, .place = &v->places[i + 1] };
	look_from_all(looks, n);
	bool enough = count(v, looks, n, p);
	for (size_t i = 0; i < n; i++)
		problem_done(&looks[i].why);
	return enough;
}

/* --- what is looked for */

struct proof {
	const struct challenge_type *type;
	const struct probe_task *task;
};

static bool prove_from(const struct challenge_tools *tools, const void *arg, struct problem *p)
{
	const struct proof *proof = arg;

	return proof->type->prove(tools, proof->task, p);
}

bool vantage_prove(struct vantage *vantage, const struct challenge_type *type, const struct probe_task *task,
                   struct problem *p)
{
	struct probe_task shared = *task;
	const struct proof first = { type, task }, proof = { type, &shared };

	shared.ret_until = NULL;
	return type->alone ? prove_from(&vantage->places[0].tools, &first, p)
	                   : agree(vantage, prove_from, &first, &proof, p);
}

struct caa_question {
	const struct vantage *vantage;
	const struct caa_subject *v;
	size_t n;
};

static bool caa_from(const struct challenge_tools *tools, const void *arg, struct problem *p)
{
	const struct caa_question *q = arg;

	return caa_check(tools->dns, &q->vantage->identities, q->v, q->n, clock_monotonic_ms() + tools->timeout_ms, p);
}

bool vantage_caa(struct vantage *vantage, const struct caa_subject *v, size_t n, struct problem *p)
{
	const struct caa_question question = { vantage, v, n };

	return n == 0 || agree(vantage, caa_from, &question, &question, p);
}
