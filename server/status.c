#include "server/status.h"

#include <stdio.h>
#include <unistd.h>

#include "admin/webhook.h"
#include "base/clock.h"
#include "server/reply.h"

enum { HEALTHZ, READYZ, METRICS };
static const struct http_route routes[] = {
	[HEALTHZ] = { HTTP_GET, "/healthz", NULL, 0, "liveness" },
	[READYZ] = { HTTP_GET, "/readyz", NULL, 0, "readiness" },
	[METRICS] = { HTTP_GET, "/metrics", NULL, 0, "metrics" },
};

static void text(struct http_response *response, int status, const char *content_type)
{
	response->status = status;
	response->content_type = content_type;
	http_response_header(response, "Cache-Control", "no-store");
}

/* --- readiness: the store answers, and the server is not about to end */

static bool touch(struct store_txn *txn, void *arg, struct problem *p)
{
	(void)txn, (void)arg, (void)p;
	return true;
}

static bool serve_ready(const struct status *status, struct http_response *response, struct problem *p)
{
	if (status->draining)
		return problem_unavailable(p, 5, "the server is about to end");
	if (!store_view(status->store, touch, NULL, p))
		return false;
	text(response, 200, "text/plain");
	buf_add_str(&response->body, "ready\n");
	return true;
}

/* --- metrics */

struct metric {
	const char *name, *type, *help;
};

static void put(struct buf *out, struct metric metric, const char *labels, double value)
{
	buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n%s%s %.15g\n", metric.name, metric.help, metric.name,
	           metric.type,
	           metric.name, labels, value);
}

static void put_listen(struct buf *out, const struct listen *listen)
{
	struct listen_counters c;
	if (!listen)
		return;
	listen_counters(listen, &c);
	put(out, (struct metric){ "enrolld_requests_total", "counter", "Requests served." }, "",
	    (double)c.requests);
	put(out, (struct metric){ "enrolld_requests_refused_total", "counter",
	                          "Requests refused before any service saw them." },
	    "", (double)c.refused);
	put(out, (struct metric){ "enrolld_timeouts_total", "counter", "Connections ended at a deadline." },
	    "", (double)c.timeouts);
	put(out, (struct metric){ "enrolld_connections_total", "counter", "Connections accepted." }, "",
	    (double)c.connections);
	put(out, (struct metric){ "enrolld_connections", "gauge", "Connections now." }, "", (double)c.active);
	put(out,
	    (struct metric){ "enrolld_connections_parked", "gauge",
	                     "Connections that have no thread until they speak." },
	    "", (double)c.parked);
	put(out, (struct metric){ "enrolld_connections_waiting", "gauge", "Connections that wait for a thread." },
	    "", (double)c.waiting);
	put(out,
	    (struct metric){ "enrolld_connections_gave_way_total", "counter",
	                     "Connections ended because others needed what they held." },
	    "", (double)c.gave_way);
}

static void put_store(struct buf *out, const struct store *store)
{
	uint64_t commits, updates;
	store_counters(store, &commits, &updates);
	put(out, (struct metric){ "enrolld_store_commits_total", "counter", "Durable commits." }, "",
	    (double)commits);
	put(out, (struct metric){ "enrolld_store_updates_total", "counter", "Updates that shared them." }, "",
	    (double)updates);
}

static void put_issuers(struct buf *out, const struct ca *ca)
{
	const struct issuer *issuer;
	buf_add_str(out, "# HELP enrolld_issuer_expires_seconds When an issuing CA's certificate ends, as "
	            "Unix time.\n"
	                 "# TYPE enrolld_issuer_expires_seconds gauge\n");
	for (size_t i = 0; (issuer = ca_issuer_at(ca, i)); i++)
		buf_printf(out, "enrolld_issuer_expires_seconds{issuer=\"%s\"} %lld\n", issuer_name(issuer),
		           (long long)issuer_not_after(issuer));
}

static int64_t crl_next_update(const struct crl *crl)
{
	return crl->next_update;
}

static int64_t crl_entries(const struct crl *crl)
{
	return (int64_t)crl->count;
}

static void put_crls(struct buf *out, const struct status *status, const char *name, const char *help,
                     int64_t (*value)(const struct crl *crl))
{
	const struct issuer *issuer;
	buf_printf(out, "# HELP %s %s\n# TYPE %s gauge\n", name, help, name);
	for (size_t i = 0; (issuer = ca_issuer_at(status->ca, i)); i++) {
		auto_struct(crl) *crl = NULL;
		auto_value(problem) none_yet = {0};
		if (crls_get(status->crls, issuer_name(issuer), (struct crl_name){0}, &crl, &none_yet))
			buf_printf(out, "%s{issuer=\"%s\"} %lld\n", name, issuer_name(issuer), (long long)value(crl));
	}
}

struct root_metrics {
	struct buf ends, made, failures;
};

static void add_root(void *arg, const struct root_gauge *gauge)
{
	struct root_metrics *m = arg;

	if (gauge->next_update) {
		buf_printf(&m->ends, "enrolld_root_crl_next_update_seconds{ca=\"%s\"} %lld\n", gauge->name,
		           (long long)gauge->next_update);
		buf_printf(&m->made, "enrolld_root_crl_this_update_seconds{ca=\"%s\"} %lld\n", gauge->name,
		           (long long)gauge->this_update);
	}
	buf_printf(&m->failures, "enrolld_root_crl_failures_total{ca=\"%s\"} %llu\n", gauge->name,
	           (unsigned long long)gauge->failures);
}

static void put_roots(struct buf *out, struct root_watch *roots)
{
	auto_value(problem) why = {0};
	struct root_metrics m = {0};

	(void)!root_watch_gauge(roots, add_root, &m, &why);
	buf_printf(out,
	           "# HELP enrolld_root_crl_next_update_seconds Until when the CRL of a root can be used, as Unix "
	           "time.\n"
	           "# TYPE enrolld_root_crl_next_update_seconds gauge\n"
	           "%s# HELP enrolld_root_crl_this_update_seconds When the CRL of a root was made, as Unix time.\n"
	           "# TYPE enrolld_root_crl_this_update_seconds gauge\n"
	           "%s# HELP enrolld_root_crl_failures_total Looks at the CRL of a root that was due, where no new "
	           "one could be made.\n"
	           "# TYPE enrolld_root_crl_failures_total counter\n"
	           "%s",
	           buf_text(&m.ends), buf_text(&m.made), buf_text(&m.failures));
	buf_free(&m.ends);
	buf_free(&m.made);
	buf_free(&m.failures);
}

struct webhook_metrics {
	struct buf failed, behind;
};

static void add_webhook(void *arg, const struct webhook_gauge *gauge)
{
	struct webhook_metrics *m = arg;

	buf_printf(&m->failed, "enrolld_webhook_failed_tries{webhook=\"%s\",status=\"%s\"} %lld\n", gauge->id,
	           gauge->status, (long long)gauge->attempts);
	buf_printf(&m->behind, "enrolld_webhook_behind_events{webhook=\"%s\"} %lld\n", gauge->id,
	           (long long)gauge->behind);
}

/* Those that were read before something failed are shown. */
static void put_webhooks(struct buf *out, struct store *store)
{
	auto_value(problem) why = {0};
	struct webhook_metrics m = {0};

	(void)!webhooks_gauge(store, add_webhook, &m, &why);
	buf_printf(out,
	           "# HELP enrolld_webhook_failed_tries Tries to deliver the next event of a webhook that failed.\n"
	           "# TYPE enrolld_webhook_failed_tries gauge\n"
	           "%s# HELP enrolld_webhook_behind_events Events that a webhook has not come to.\n"
	           "# TYPE enrolld_webhook_behind_events gauge\n"
	           "%s",
	           buf_text(&m.failed), buf_text(&m.behind));
	buf_free(&m.failed);
	buf_free(&m.behind);
}

static double resident_bytes(void)
{
	long pages = 0;
	FILE *file = fopen("/proc/self/statm", "re");
	if (!file)
		return 0;
	if (fscanf(file, "%*s %ld", &pages) != 1)
		pages = 0;
	fclose(file);
	return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

static void put_process(struct buf *out, const struct status *status)
{
	put(out, (struct metric){ "enrolld_build_info", "gauge", "The version." },
	    "{version=\"" ENROLLD_VERSION "\"}", 1);
	put(out, (struct metric){ "process_start_time_seconds", "gauge",
	                          "When the process began, as Unix time." }, "",
	    (double)status->started);
	put(out, (struct metric){ "process_cpu_seconds_total", "counter", "CPU time." }, "",
	    (double)clock_cpu_us() / 1e6);
	put(out, (struct metric){ "process_resident_memory_bytes", "gauge", "Memory in use." }, "",
	    resident_bytes());
}

static void serve_metrics(const struct status *status, struct http_response *response)
{
	struct buf *out = &response->body;
	text(response, 200, "text/plain; version=0.0.4");
	put_process(out, status);
	put_listen(out, status->listen);
	put_store(out, status->store);
	put_webhooks(out, status->store);
	put_issuers(out, status->ca);
	put_crls(out, status, "enrolld_crl_next_update_seconds",
	         "Until when the CRL of an issuing CA can be used, as Unix time.", crl_next_update);
	put_crls(out, status, "enrolld_crl_entries", "Certificates on the CRL of an issuing CA.", crl_entries);
	put_roots(out, status->roots);
	put(out, (struct metric){ "enrolld_own_certificate_expires_seconds", "gauge",
	                          "When the server's own certificate ends, as Unix time." }, "",
	    (double)own_certificate_expires(status->own));
}

/* --- who may read them */

static bool is_loopback(const struct addr *a)
{
	static const uint8_t one[16] = { [15] = 1 };

	return a->family == AF_INET ? a->byte[0] == 127 : memcmp(a->byte, one, sizeof(one)) == 0;
}

/* By the headers that proxies add: RFC 7239, and what was there before it. */
static bool is_passed_on(const struct http_request *request)
{
	return http_header(request, "Forwarded") || http_header(request, "X-Forwarded-For") ||
	       http_header(request, "Via");
}

static bool check_reader(struct status *status, const struct http_request *request, struct problem *p)
{
	pthread_rwlock_rdlock(&status->lock);
	bool good = addr_list_has(&status->metrics_from, &request->peer);
	pthread_rwlock_unlock(&status->lock);
	if (good && !(is_loopback(&request->peer) && is_passed_on(request)))
		return true;
	return problem_set(p, PROBLEM_UNAUTHORIZED, "metrics are for the networks of status.metrics_from");
}

void status_take_metrics_from(struct status *status, struct addr_list *networks)
{
	pthread_rwlock_wrlock(&status->lock);
	struct addr_list old = status->metrics_from;
	status->metrics_from = *networks;
	pthread_rwlock_unlock(&status->lock);
	addr_list_free(&old);
	*networks = (struct addr_list){0};
}

/* --- the wing */

static const struct http_route *route(void *state, size_t i)
{
	(void)state;
	return &routes[i];
}

static bool serve(void *state, size_t i, const struct http_request *request, struct http_response *response,
                  struct problem *p)
{
	struct status *status = state;

	if (i == READYZ)
		return serve_ready(status, response, p);
	if (i == METRICS) {
		if (!check_reader(status, request, p))
			return false;
		serve_metrics(status, response);
		return true;
	}
	text(response, 200, "text/plain");
	buf_add_str(&response->body, "alive\n");
	return true;
}

static void refuse(void *state, size_t i, const struct http_request *request, const struct problem *p,
                   struct http_response *response)
{
	(void)state, (void)i, (void)request;
	reply_problem(p, response);
}

void status_init(struct status *status)
{
	pthread_rwlock_init(&status->lock, NULL);
	status->wing = (struct http_wing){
		.name = "status", .state = status, .route_count = array_length(routes), .route = route,
		.serve = serve, .refuse = refuse,
	};
}

void status_done(struct status *status)
{
	addr_list_free(&status->metrics_from);
	pthread_rwlock_destroy(&status->lock);
}
