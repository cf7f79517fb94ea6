#include "acme/dns_setup.h"

#include <ctype.h>
#include <sys/stat.h>

#include "base/outbound.h"

static const struct {
	const char *name, *value;
} settings[] = {
	{ "do-daemonize", "no" },
	{ "use-syslog", "no" },
	{ "logfile", "\"\"" },
	{ "cache-max-ttl", "0" },               /* what counts is what the name is now */
	{ "cache-max-negative-ttl", "0" },
	{ "aggressive-nsec", "no" },            /* nor is a denial of one name one of its neighbours' (RFC 8198) */
	{ "infra-host-ttl", "5" },              /* a server that was down is asked again soon */
	{ "msg-cache-size", "65536" },
	{ "rrset-cache-size", "65536" },
	{ "key-cache-size", "65536" },
	{ "neg-cache-size", "65536" },
	{ "msg-cache-slabs", "1" },
	{ "rrset-cache-slabs", "1" },
	{ "infra-cache-slabs", "1" },
	{ "key-cache-slabs", "1" },
	{ "infra-cache-numhosts", "100" },
	{ "val-clean-additional", "yes" },
	{ "val-permissive-mode", "no" },        /* bogus is refused */
	{ "ignore-cd-flag", "yes" },
	{ "trust-anchor-signaling", "no" },
};

/* Zones that libunbound answers itself unless told otherwise, and that private networks use. Of localhost the addresses
 * are never asked for (dns_lookup.c); a resolver that is named may have the rest, as those of test suites do. */
static const char *const private_zones[] = { "test.", "home.arpa.", "invalid.", "localhost." };

static bool has_some(const struct strings *list)
{
	return list && list->n > 0;
}

bool dns_setup_is_system(const struct dns_options *options)
{
	return !has_some(options->resolvers) && !has_some(options->root_hints);
}

/* The file's quotes know no escape. */
static bool is_quotable(const char *text)
{
	for (; *text; text++)
		if (*text == '"' || iscntrl((unsigned char)*text))
			return false;
	return true;
}

static bool put(struct buf *ret, const char *name, const char *value, struct problem *p)
{
	if (!is_quotable(value))
		return problem_set(p, PROBLEM_MALFORMED, "%s: a text without quotes is wanted", name);
	buf_printf(ret, "\t%s: \"%s\"\n", name, value);
	return true;
}

static bool put_each(struct buf *ret, const char *name, const struct strings *values, struct problem *p)
{
	for (size_t i = 0; values && i < values->n; i++)
		if (!put(ret, name, values->v[i], p))
			return false;
	return true;
}

/* A record stands in the configuration itself, all else is a file. */
static bool put_anchors(struct buf *ret, const struct strings *anchors, struct problem *p)
{
	for (size_t i = 0; anchors && i < anchors->n; i++) {
		const char *anchor = anchors->v[i];
		bool record = strstr(anchor, " DS ") || strstr(anchor, " DNSKEY ");

		if (!put(ret, record ? "trust-anchor" : "trust-anchor-file", anchor, p))
			return false;
	}
	return true;
}

static bool put_insecure_zones(struct buf *ret, const struct dns_options *o, struct problem *p)
{
	for (size_t i = 0; i < o->zone_count; i++)
		if (o->zones[i].insecure && !put(ret, "domain-insecure", o->zones[i].name, p))
			return false;
	return put_each(ret, "domain-insecure", o->insecure_zones, p);
}

/* Some of it at least: libunbound knows no exceptions. */
static bool is_allowed(const struct addr_list *allow, const char *text)
{
	struct addr_net net;

	if (!allow || !addr_net_parse(text, &net))
		return false;
	for (size_t i = 0; i < allow->n; i++)
		if (addr_net_has(&net, &allow->v[i].net) || addr_net_has(&allow->v[i], &net.net))
			return true;
	return false;
}

static void put_denied_net(struct buf *ret, const struct addr_net *net)
{
	char text[ADDR_TEXT_SIZE];

	addr_format(&net->net, text);
	buf_printf(ret, "\tdo-not-query-address: %s/%u\n", text, net->prefix);
}

/* Resolvers that are named may be anywhere; name servers that a zone names may not: who publishes it is as much a
 * stranger as whom a name leads to. */
static void put_denied(struct buf *ret, const struct dns_options *o)
{
	const char *net;

	buf_add_str(ret, "\tdo-not-query-localhost: no\n"); /* it is one of those below */
	if (!has_some(o->root_hints))
		return;
	buf_add_str(ret, "\tdo-not-query-address: ::ffff:0:0/96\n"); /* IPv4-mapped */
	for (size_t i = 0; (net = outbound_denied_net(i)); i++)
		if (!is_allowed(o->allow, net))
			buf_printf(ret, "\tdo-not-query-address: %s\n", net);
	for (size_t i = 0; o->deny && i < o->deny->n; i++)
		put_denied_net(ret, &o->deny->v[i]);
}

/* Beside those that libunbound knows there may be files. */
static bool put_roots(struct buf *ret, const struct strings *hints, struct problem *p)
{
	for (size_t i = 0; hints && i < hints->n; i++)
		if (hints->v[i][0] == '/' && !put(ret, "root-hints", hints->v[i], p))
			return false;
	return true;
}

static bool put_server(struct buf *ret, const struct dns_options *o, struct problem *p)
{
	buf_add_str(ret, "server:\n");
	for (size_t i = 0; i < array_length(settings); i++)
		buf_printf(ret, "\t%s: %s\n", settings[i].name, settings[i].value);
	for (size_t i = 0; i < array_length(private_zones); i++)
		buf_printf(ret, "\tlocal-zone: \"%s\" nodefault\n", private_zones[i]);
	buf_printf(ret, "\tmodule-config: \"%s\"\n", has_some(o->trust_anchors) ? "validator iterator" : "iterator");
	buf_printf(ret, "\ttcp-upstream: %s\n", o->tcp ? "yes" : "no");
	put_denied(ret, o);
	return put_roots(ret, o->root_hints, p) && put_anchors(ret, o->trust_anchors, p) &&
	       put_insecure_zones(ret, o, p);
}

static bool put_zone(struct buf *ret, const char *name, const struct strings *servers, bool authoritative,
                     struct problem *p)
{
	buf_add_str(ret, authoritative ? "stub-zone:\n" : "forward-zone:\n");
	return put(ret, "name", name, p) &&
	       put_each(ret, authoritative ? "stub-addr" : "forward-addr", servers, p);
}

static bool put_zones(struct buf *ret, const struct dns_options *o, struct problem *p)
{
	if (!has_some(o->root_hints) && has_some(o->resolvers) && !put_zone(ret, ".", o->resolvers, false, p))
		return false;
	for (size_t i = 0; i < o->zone_count; i++)
		if (!put_zone(ret, o->zones[i].name, &o->zones[i].resolvers, o->zones[i].authoritative, p))
			return false;
	return true;
}

bool dns_setup_text(const struct dns_options *options, struct buf *ret, struct problem *p)
{
	return put_server(ret, options, p) && put_zones(ret, options, p) && buf_check(ret, p);
}

void dns_setup_mark(const char *path, struct buf *ret)
{
	struct stat st = {0};
	bool there = stat(path, &st) == 0;

	buf_printf(ret, "%d %llu %lld %lld.%09ld;", there, (unsigned long long)st.st_ino, (long long)st.st_size,
	           (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
}
