#include "acme/tls_alpn01.h"

#include "acme/probe_alpn.h"
#include "base/clock.h"

struct tls_alpn01 {
	struct tls_alpn01_options options;
	struct probe_alpn *alpn;
};

bool tls_alpn01_open(const struct tls_alpn01_options *options, struct tls_alpn01 **ret, struct problem *p)
{
	auto_struct(tls_alpn01) *alpn = calloc(1, sizeof(*alpn));

	if (!alpn)
		return problem_memory(p);
	alpn->options = *options;
	if (!probe_alpn_open(&alpn->alpn, p))
		return false;
	*ret = steal(alpn);
	return true;
}

void tls_alpn01_close(struct tls_alpn01 *alpn)
{
	if (!alpn)
		return;
	probe_alpn_close(alpn->alpn);
	free(alpn);
}

/* RFC 8738, 6; RFC 1035, 3.5; RFC 3596, 2.5. */
void tls_alpn01_server_name(const struct probe_task *task, struct buf *ret)
{
	struct addr a;

	if (!str_equal(task->type, "ip") || !addr_parse(task->value, &a)) {
		buf_add_str(ret, task->value);
		return;
	}
	for (size_t i = addr_length(&a); i-- > 0;)
		if (a.family == AF_INET)
			buf_printf(ret, "%u.", a.byte[i]);
		else
			buf_printf(ret, "%x.%x.", a.byte[i] & 15, a.byte[i] >> 4);
	buf_add_str(ret, a.family == AF_INET ? "in-addr.arpa" : "ip6.arpa");
}

/* One host that is asked, and what came of it. */
struct visit {
	const struct tls_alpn01 *alpn;
	const struct probe_task *task;
	struct buf server_name;
	struct probe_handshake shake;
	int64_t deadline;
};

static void visit_done(struct visit *v)
{
	buf_free(&v->server_name);
	X509_free(v->shake.certificate);
}
declare_auto_value(visit, visit_done);

/* first_of_two: another address can be tried after this one. */
static bool shake_with(struct visit *v, const struct addr *addr, bool first_of_two, struct problem *p)
{
	int64_t left = v->deadline - clock_monotonic_ms();

	v->shake = (struct probe_handshake){
		.addr = *addr, .port = v->alpn->options.port, .server_name = (char *)v->server_name.data,
		.deadline = v->deadline, .connect_ms = first_of_two ? outbound_first_ms(left) : left,
	};
	return probe_alpn_shake(v->alpn->alpn, &v->shake, p);
}

static bool refuse_for(const struct visit *v, const struct problem *why, struct problem *p)
{
	if (problem_is_ours(why))
		return problem_internal(p, "%s", why->cause);
	return problem_set(p, why->kind, "%s: %s", v->task->value, why->detail);
}

/* IPv6 first, and IPv4 once when IPv6 could not be connected to. */
static bool shake_with_any(struct visit *v, const struct dns_addresses *all, struct problem *p)
{
	const struct tls_alpn01_options *o = &v->alpn->options;
	auto_value(problem) why = {0};
	struct addr v6, v4;
	bool has_v6 = outbound_pick(&o->rules, all->v, all->n, AF_INET6, &v6, &why);
	bool has_v4 = outbound_pick(&o->rules, all->v, all->n, AF_INET, &v4, &why);

	if (!has_v6 && !has_v4)
		return refuse_for(v, &why, p);
	if (shake_with(v, has_v6 ? &v6 : &v4, has_v6 && has_v4, &why))
		return true;
	if (has_v6 && has_v4 && !v->shake.connected && shake_with(v, &v4, false, &why))
		return true;
	return refuse_for(v, &why, p);
}

static bool find_host(const struct visit *v, struct dns_addresses *ret, struct problem *p)
{
	const struct probe_task *task = v->task;

	ret->n = 1;
	if (str_equal(task->type, "ip"))
		return addr_parse(task->value, &ret->v[0]) || problem_internal(p, "%s is no address", task->value);
	return dns_lookup(v->alpn->options.dns, task->value, task->require_dnssec, v->deadline, ret, p);
}

static bool judge(const struct visit *v, struct problem *p)
{
	auto_value(problem) why = {0};
	char addr[ADDR_TEXT_SIZE];

	if (tls_alpn01_judge(v->shake.certificate, v->task, &why))
		return true;
	addr_format(&v->shake.addr, addr);
	return problem_set(p, why.kind, "%s: %s port %u: %s", v->task->value, addr, v->shake.port, why.detail);
}

bool tls_alpn01_prove(struct tls_alpn01 *alpn, const struct probe_task *task, struct problem *p)
{
	auto_value(visit) v = {
		.alpn = alpn, .task = task, .deadline = clock_monotonic_ms() + alpn->options.timeout_ms,
	};
	struct dns_addresses all;

	tls_alpn01_server_name(task, &v.server_name);
	return buf_check(&v.server_name, p) && find_host(&v, &all, p) && shake_with_any(&v, &all, p) && judge(&v, p);
}
