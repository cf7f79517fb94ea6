#include "acme/http01.h"

#include <stdio.h>

#include "acme/http_get.h"
#include "base/clock.h"

enum { REDIRECTS_MAX = 10 };

struct http01 {
	struct http01_options options;
	char *proxy;
	struct addr proxy_addr;
	struct fetcher *http;
};

/* One request and what came of it, at a place that its URL says. */
struct hop {
	const struct http01 *http01;
	struct buf first;          /* the URL of the first hop, which needs no libcurl */
	const char *path;          /* in it */
	struct fetch_url *url;     /* of a later one */
	struct fetch_url_parts at;
	struct fetch get;
	int64_t deadline;
	bool secure;               /* addresses count only when they are signed */
};

/* By its address: nothing is resolved for it. */
static bool take_proxy(struct http01 *http01, const char *proxy, struct problem *p)
{
	const char *at = strstr(proxy, "://");
	bool literal = at && at[3] == '[';
	auto_free char *host = at ? strndup(at + 3 + literal, strcspn(at + 3 + literal, literal ? "]" : ":/")) : NULL;

	if (!host || !addr_parse(host, &http01->proxy_addr))
		return problem_set(p, PROBLEM_MALFORMED, "the proxy %s is not named by its address", proxy);
	http01->proxy = strdup(proxy);
	return http01->proxy || problem_memory(p);
}

bool http01_open(const struct http01_options *options, struct http01 **ret, struct problem *p)
{
	auto_struct(http01) *http01 = calloc(1, sizeof(*http01));

	if (!http01)
		return problem_memory(p);
	http01->options = *options;
	if (options->proxy && !take_proxy(http01, options->proxy, p))
		return false;
	if (!fetcher_open(&http01->http, p))
		return false;
	*ret = steal(http01);
	return true;
}

void http01_close(struct http01 *http01)
{
	if (!http01)
		return;
	fetcher_close(http01->http);
	free(http01->proxy);
	free(http01);
}

/* --- where a hop goes */

static bool take_parts(struct hop *hop, struct problem *p)
{
	const struct http01_options *o = &hop->http01->options;
	unsigned port;

	if (!fetch_url_parts(hop->url, &hop->at))
		return problem_set(p, PROBLEM_CONNECTION, "%s: only http and https URLs of a host are followed",
		                   hop->at.text);
	port = hop->at.https ? o->https_port : o->http_port;
	return hop->at.port == port ||
	       problem_set(p, PROBLEM_CONNECTION, "%s: only port %u is allowed for %s", hop->at.text, port,
	                   hop->at.https ? "https" : "http");
}

static bool begin(struct hop *hop, const struct probe_task *task, struct problem *p)
{
	bool brackets = str_equal(task->type, "ip") && strchr(task->value, ':');
	struct buf *url = &hop->first;

	hop->at.port = hop->http01->options.http_port;
	snprintf(hop->at.host, sizeof(hop->at.host), "%s", task->value);
	buf_printf(url, brackets ? "http://[%s]" : "http://%s", task->value);
	if (hop->at.port != 80)
		buf_printf(url, ":%u", hop->at.port);
	size_t authority_end = url->len;
	buf_printf(url, "/.well-known/acme-challenge/%s", task->token);
	if (!buf_check(url, p))
		return false;
	snprintf(hop->at.text, sizeof(hop->at.text), "%s", buf_text(url));
	hop->path = buf_text(url) + authority_end;
	return true;
}

static bool is_redirect(long status)
{
	return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

static bool follow(struct hop *hop, struct problem *p)
{
	if (!hop->get.location[0])
		return problem_set(p, PROBLEM_INCORRECT_RESPONSE, "%s answered %ld without a usable Location",
		                   hop->at.text, hop->get.status);
	if (!hop->url && !fetch_url_parse(buf_text(&hop->first), &hop->url, p))
		return false;
	if (!fetch_url_follow(hop->url, hop->get.location))
		return problem_set(p, PROBLEM_CONNECTION, "%s: redirected to a URL of no use", hop->at.text);
	return take_parts(hop, p);
}

/* --- going there */

/* Puts the URL before what went wrong at it. */
static bool refuse_at(const struct hop *hop, const struct problem *why, struct problem *p)
{
	if (problem_is_ours(why))
		return problem_internal(p, "%s", why->cause);
	return problem_set(p, why->kind, "%s: %s", hop->at.text, why->detail);
}

/* first_of_two: another address can be tried after this one. */
static bool get_from(struct hop *hop, const struct addr *addr, bool first_of_two, struct problem *p)
{
	int64_t left = hop->deadline - clock_monotonic_ms();

	left = left > 1 ? left : 1;
	hop->get.addr = *addr;
	hop->get.port = hop->at.port;
	hop->get.proxy = hop->http01->proxy;
	hop->get.proxy_addr = hop->http01->proxy_addr;
	hop->get.timeout_ms = left;
	hop->get.connect_ms = first_of_two ? outbound_first_ms(left) : left;
	if (hop->http01->proxy && !hop->url && !fetch_url_parse(buf_text(&hop->first), &hop->url, p))
		return false;
	if (!hop->url)
		return http_get(&hop->get, hop->at.host, hop->path, p);
	hop->get.url = hop->url;
	return fetch_run(hop->http01->http, &hop->get, p);
}

/* IPv6 first, and IPv4 once when IPv6 could not be connected to. */
static bool get_from_any(struct hop *hop, const struct dns_addresses *all, struct problem *p)
{
	const struct outbound_rules *rules = &hop->http01->options.rules;
	auto_value(problem) why = {0};
	struct addr v6, v4;
	bool has_v6 = outbound_pick(rules, all->v, all->n, AF_INET6, &v6, &why);
	bool has_v4 = outbound_pick(rules, all->v, all->n, AF_INET, &v4, &why);

	if (!has_v6 && !has_v4)
		return refuse_at(hop, &why, p);
	if (get_from(hop, has_v6 ? &v6 : &v4, has_v6 && has_v4, &why))
		return true;
	if (has_v6 && has_v4 && !hop->get.connected && get_from(hop, &v4, false, &why))
		return true;
	return refuse_at(hop, &why, p);
}

static bool visit(struct hop *hop, struct problem *p)
{
	struct dns_addresses all = { .n = 1 };

	if (!addr_parse(hop->at.host, &all.v[0]) &&
	    !dns_lookup(hop->http01->options.dns, hop->at.host, hop->secure, hop->deadline, &all, p))
		return false;
	return get_from_any(hop, &all, p);
}

static bool judge(const struct hop *hop, const struct probe_task *task, struct problem *p)
{
	const struct probe_reply reply = {
		.url = hop->at.text, .addr = hop->get.addr, .status = hop->get.status,
		.body = BYTES(hop->get.body, hop->get.body_len), .too_long = hop->get.too_long,
	};

	return probe_reply_check(&reply, task, p);
}

static bool prove(struct hop *hop, const struct probe_task *task, struct problem *p)
{
	if (!begin(hop, task, p) || !visit(hop, p))
		return false;
	for (int i = 0; is_redirect(hop->get.status); i++) {
		if (i == REDIRECTS_MAX)
			return problem_set(p, PROBLEM_CONNECTION, "%s: more than %d redirects",
			                   hop->at.text, REDIRECTS_MAX);
		if (!follow(hop, p) || !visit(hop, p))
			return false;
	}
	return judge(hop, task, p);
}

bool http01_prove(struct http01 *http01, const struct probe_task *task, struct problem *p)
{
	auto_free struct hop *hop = calloc(1, sizeof(*hop));

	if (!hop)
		return problem_memory(p);
	hop->http01 = http01;
	hop->secure = task->require_dnssec;
	hop->deadline = clock_monotonic_ms() + http01->options.timeout_ms;
	bool proven = prove(hop, task, p);
	fetch_url_free(hop->url);
	buf_free(&hop->first);
	return proven;
}
