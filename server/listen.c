#include "server/listen.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>

#include <civetweb.h>

#include "base/clock.h"
#include "base/log.h"
#include "server/civetweb_seam.h"
#include "server/connection.h"
#include "server/exchange.h"

enum { AUTHORITY_SIZE = 64 };

struct listener {
	struct exchange_site site;
	struct tls *tls;
	struct pool *pool;
	struct mg_context *carrier;
	unsigned port;
	char authority[AUTHORITY_SIZE];
};

struct listen {
	size_t listener_count;
	struct listener listeners[];
};

/* What civetweb complains of while it starts on this thread. */
static _Thread_local char start_cause[PROBLEM_DETAIL_MAX];

static struct listener *listener_of(const struct mg_connection *conn)
{
	return mg_get_user_context_data(conn);
}

static void *on_thread(const struct mg_context *carrier, int type)
{
	struct listener *l = mg_get_user_data(carrier);

	(void)type;
	pool_join(l->pool);
	return NULL;
}

static int on_tls(void **ret_context, void *user)
{
	struct listener *l = user;

	*ret_context = tls_context(l->tls);
	return 1;
}

static void log_handshake(const struct connection *c, const char *cause)
{
	char peer[ADDR_TEXT_SIZE];

	addr_format(&c->peer, peer);
	log_event(LOG_LEVEL_INFO, "handshake", "peer", peer, "cause", cause, NULL);
}

/* civetweb speaks up when it cannot start and when a handshake fails. */
static int on_message(const struct mg_connection *conn, const char *message)
{
	const struct connection *c = connection_current();

	if (!c)
		snprintf(start_cause, sizeof(start_cause), "%s", message);
	else if (!c->turned_away && listener_of(conn)->site.access_log)
		log_handshake(c, message);
	return 1;
}

static int on_open(const struct mg_connection *conn, void **ret_data)
{
	struct connection *c;

	(void)ret_data;
	if (!connection_begin((struct mg_connection *)(uintptr_t)conn))
		return 0;
	c = connection_current();
	if (seam_ssl(conn) && !(c->tls = tls_peer_new(seam_ssl(conn))))
		c->turned_away = true; /* no memory to know who it is */
	connection_enter(c, CONNECTION_IDLE);
	return 0;
}

static int on_request(struct mg_connection *conn)
{
	return exchange_serve(&listener_of(conn)->site, connection_current());
}

static int on_error(struct mg_connection *conn, int status, const char *message)
{
	(void)message;
	exchange_refuse(&listener_of(conn)->site, connection_current(), status);
	return 0;
}

static void on_close(const struct mg_connection *conn)
{
	struct connection *c = connection_current();

	if (c && !c->answered && seam_is_orphan(conn))
		exchange_serve(&listener_of(conn)->site, c);
	connection_end();
}

static const struct mg_callbacks callbacks = {
	.init_thread = on_thread,
	.external_ssl_ctx = on_tls,
	.log_message = on_message,
	.init_connection = on_open,
	.begin_request = on_request,
	.http_error = on_error,
	.connection_close = on_close,
};

/* "::" takes IPv4 as well; any other address itself alone. */
static void format_port(const struct listener_options *o, char *ret, size_t size)
{
	const char *tls = o->tls ? "s" : "";

	if (str_equal(o->address, "::"))
		snprintf(ret, size, "+%u%s", o->port, tls);
	else if (strchr(o->address, ':'))
		snprintf(ret, size, "[%s]:%u%s", o->address, o->port, tls);
	else
		snprintf(ret, size, "%s:%u%s", o->address, o->port, tls);
}

static void format_authority(struct listener *l, const struct listener_options *o)
{
	bool any = str_equal(o->address, "::") || str_equal(o->address, "0.0.0.0");
	bool literal = !any && strchr(o->address, ':');

	snprintf(l->authority, sizeof(l->authority), "%s%s%s:%u", literal ? "[" : "", any ? "localhost" : o->address,
	         literal ? "]" : "", l->port);
	l->site.place.authority = l->authority;
}

/* civetweb's threads must not take the process's signals. */
static struct mg_context *start_quietly(struct mg_init_data *init)
{
	struct mg_error_data error = { .text = NULL };
	sigset_t all, before;

	start_cause[0] = '\0';
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	struct mg_context *carrier = mg_start2(init, &error);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return carrier;
}

/* The deadlines are the pool's; civetweb's own must only not come before them. */
static struct mg_context *start(struct listener *l, const struct listener_options *o, unsigned threads)
{
	char ports[80], count[16];
	const char *options[] = {
		"listening_ports", ports,
		"num_threads", count,
		"connection_queue", "16",
		"listen_backlog", "1024",
		"max_request_size", "16384",
		"request_timeout_ms", "3600000",
		"keep_alive_timeout_ms", "3600000",
		"enable_keep_alive", "yes",
		"tcp_nodelay", "1",
		"decode_url", "no",
		"decode_query_string", "no",
		"enable_auth_domain_check", "no",
		"access_control_allow_origin", "",
		"access_control_allow_methods", "",
		"access_control_allow_headers", "",
		NULL,
	};
	struct mg_init_data init = { .callbacks = &callbacks, .user_data = l, .configuration_options = options };

	format_port(o, ports, sizeof(ports));
	snprintf(count, sizeof(count), "%u", threads);
	return start_quietly(&init);
}

static bool listener_open(struct listener *l, const struct listener_options *o, const struct listen_options *all,
                          struct problem *p)
{
	struct pool_options pool = {
		.threads = all->threads,
		.per_address = all->per_address,
		.keep_alive_ms = all->keep_alive_ms,
		.header_ms = all->header_ms,
		.body_ms = all->body_ms,
		.reply_ms = all->reply_ms,
	};
	struct mg_server_port port;

	l->tls = o->tls;
	l->site.router = o->router;
	l->site.body_max = all->body_max;
	l->site.access_log = all->access_log;
	l->site.place = (struct request_place){ o->tls ? "https" : "http", o->external_url, o->names, "" };
	if (!pool_new(&pool, &l->pool, p))
		return false;
	if (!(l->carrier = start(l, o, all->threads)))
		return problem_internal(p, "cannot listen on %s port %u: %s", o->address, o->port, start_cause);
	if (mg_get_server_ports(l->carrier, 1, &port) != 1)
		return problem_internal(p, "cannot learn the port of %s", o->address);
	l->port = (unsigned)port.port;
	format_authority(l, o);
	return true;
}

static void init_civetweb(void)
{
	mg_init_library(MG_FEATURES_TLS);
}

bool listen_open(const struct listen_options *options, struct listen **ret, struct problem *p)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	auto_struct(listen) *listen = calloc(1, sizeof(*listen) + options->listener_count * sizeof(listen->listeners[0]));

	if (!listen)
		return problem_memory(p);
	pthread_once(&once, init_civetweb);
	for (size_t i = 0; i < options->listener_count; i++) {
		listen->listener_count++;
		if (!listener_open(&listen->listeners[i], &options->listeners[i], options, p))
			return false;
	}
	*ret = steal(listen);
	return true;
}

unsigned listen_port(const struct listen *listen, size_t i)
{
	assert(i < listen->listener_count);
	return listen->listeners[i].port;
}

static bool is_busy(const struct listen *listen)
{
	for (size_t i = 0; i < listen->listener_count; i++)
		if (pool_busy(listen->listeners[i].pool) > 0)
			return true;
	return false;
}

static void stop(struct listener *l)
{
	if (!l->carrier)
		return;
	pool_stop(l->pool);
	mg_stop(l->carrier);
	l->carrier = NULL;
}

void listen_drain(struct listen *listen, unsigned timeout_ms)
{
	const struct timespec moment = { .tv_nsec = 5000000 };
	int64_t until = clock_monotonic_ms() + timeout_ms;

	for (size_t i = 0; i < listen->listener_count; i++)
		pool_drain(listen->listeners[i].pool);
	while (is_busy(listen) && clock_monotonic_ms() < until)
		nanosleep(&moment, NULL);
	for (size_t i = 0; i < listen->listener_count; i++)
		stop(&listen->listeners[i]);
}

void listen_close(struct listen *listen)
{
	if (!listen)
		return;
	for (size_t i = 0; i < listen->listener_count; i++) {
		stop(&listen->listeners[i]);
		pool_free(listen->listeners[i].pool);
	}
	free(listen);
}

void listen_counters(const struct listen *listen, struct listen_counters *ret)
{
	*ret = (struct listen_counters){0};
	for (size_t i = 0; i < listen->listener_count; i++) {
		const struct listener *l = &listen->listeners[i];
		const struct pool_counters *c = pool_counters(l->pool);
		ret->requests += l->site.requests;
		ret->refused += l->site.refused + c->refused;
		ret->timeouts += c->timeouts;
		ret->connections += c->connections;
		ret->active += c->open;
	}
}
