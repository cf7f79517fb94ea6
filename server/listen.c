#include "server/listen.h"

#include <assert.h>
#include <netinet/in.h>
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
#include "server/open_files.h"
#include "server/parking.h"
#include "server/port.h"

enum { AUTHORITY_SIZE = 64, PORTS_SIZE = LISTENERS_MAX * 64, QUEUE_MAX = 8192 };

struct listener {
	struct exchange_site site;
	struct tls *tls;
	struct addr address;
	bool any;                       /* whatever address the client has connected to */
	unsigned port;
	char authority[AUTHORITY_SIZE];
};

struct listen {
	bool access_log;
	struct pool *pool;
	struct mg_context *carrier;
	size_t listener_count;
	struct listener listeners[];
};

/* The first that civetweb complains of while it starts on this thread. */
static _Thread_local char start_cause[PROBLEM_DETAIL_MAX];

static unsigned port_of(const struct sockaddr *sa)
{
	struct sockaddr_in in;
	struct sockaddr_in6 in6;

	if (sa->sa_family == AF_INET6) {
		memcpy(&in6, sa, sizeof(in6));
		return ntohs(in6.sin6_port);
	}
	memcpy(&in, sa, sizeof(in));
	return ntohs(in.sin_port);
}

/* NULL: the system does not say where the client has connected to. */
static struct listener *listener_of(struct listen *listen, const struct mg_connection *conn)
{
	const struct sockaddr *local = seam_local(conn);
	unsigned port = port_of(local);
	struct addr address;

	for (size_t i = 0; i < listen->listener_count; i++) {
		struct listener *l = &listen->listeners[i];
		if (l->port != port)
			continue;
		if (l->any || (addr_from_sockaddr(local, &address) && addr_equal(&l->address, &address)))
			return l;
	}
	return NULL;
}

/* Of a connection that is open. */
static struct exchange_site *site_of(const struct mg_connection *conn)
{
	struct listener *l = listener_of(mg_get_user_context_data(conn), conn);

	assert(l);
	return &l->site;
}

static void *context_of(void *user, const struct mg_connection *conn)
{
	struct listener *l = listener_of(user, conn);

	return l ? tls_context(l->tls) : NULL;
}

/* For HTTP/1.0, which need not say who it talks to. */
static void set_port(struct listener *l, unsigned port)
{
	bool literal = !l->any && l->address.family == AF_INET6;
	char address[ADDR_TEXT_SIZE];

	addr_format(&l->address, address);
	l->port = port;
	snprintf(l->authority, sizeof(l->authority), "%s%s%s:%u", literal ? "[" : "", l->any ? "localhost" : address,
	         literal ? "]" : "", port);
	l->site.place.authority = l->authority;
}

/* The sockets listen, and no thread runs yet. */
static void on_ready(const struct mg_context *carrier)
{
	struct listen *listen = mg_get_user_data(carrier);
	struct mg_server_port ports[LISTENERS_MAX];
	int n = mg_get_server_ports(carrier, LISTENERS_MAX, ports);

	assert(n >= 0 && (size_t)n == listen->listener_count);
	for (size_t i = 0; i < listen->listener_count; i++)
		set_port(&listen->listeners[i], (unsigned)ports[i].port);
}

static void *on_thread(const struct mg_context *carrier, int type)
{
	struct listen *listen = mg_get_user_data(carrier);

	(void)type;
	connection_join(listen->pool);
	return NULL;
}

static void on_thread_end(const struct mg_context *carrier, int type, void *user)
{
	(void)carrier, (void)type, (void)user;
	connection_leave();
}

/* civetweb wants one SSL_CTX to know that there is TLS; connections get theirs from context_of. */
static int on_tls(void **ret_context, void *user)
{
	struct listen *listen = user;

	for (size_t i = 0; i < listen->listener_count; i++)
		if (listen->listeners[i].tls)
			*ret_context = tls_context(listen->listeners[i].tls);
	return 1;
}

/* Who only looks whether the port is open is not worth a line. */
static void log_handshake(const struct connection *c, const char *cause)
{
	char peer[ADDR_TEXT_SIZE];

	addr_format(&c->member.peer, peer);
	log_event(strstr(cause, "syscall") ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO, "handshake", "peer", peer,
	          "cause", cause, NULL);
}

/* civetweb speaks up when it cannot start and when a handshake fails, or did not even begin. */
static int on_message(const struct mg_connection *conn, const char *message)
{
	const struct connection *c = connection_current();
	const struct listen *listen = mg_get_user_context_data(conn);

	if (!c && start_cause[0] == '\0')
		snprintf(start_cause, sizeof(start_cause), "%s", message);
	else if (c && seam_ssl(conn) && !c->turned_away && !c->parks && listen->access_log)
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
	if (c->phase == CONNECTION_IDLE) /* it was parked, and goes on */
		return 0;
	if (seam_ssl(conn))
		c->tls = tls_peer_new(seam_ssl(conn));
	c->turned_away = !listener_of(mg_get_user_context_data(conn), conn) || (seam_ssl(conn) && !c->tls);
	connection_enter(c, CONNECTION_IDLE);
	return 0;
}

static int on_request(struct mg_connection *conn)
{
	return exchange_serve(site_of(conn), connection_current());
}

static int on_error(struct mg_connection *conn, int status, const char *message)
{
	(void)message;
	exchange_refuse(site_of(conn), connection_current(), status);
	return 0;
}

static void on_close(const struct mg_connection *conn)
{
	struct connection *c = connection_current();

	if (c && !c->answered && seam_is_orphan(conn))
		exchange_serve(site_of(conn), c);
	seam_forget((struct mg_connection *)(uintptr_t)conn);
	connection_end();
}

static const struct mg_callbacks callbacks = {
	.init_context = on_ready,
	.init_thread = on_thread,
	.exit_thread = on_thread_end,
	.external_ssl_ctx = on_tls,
	.log_message = on_message,
	.init_connection = on_open,
	.begin_request = on_request,
	.http_error = on_error,
	.connection_close = on_close,
};

/* "::" takes IPv4 as well; any other address itself alone. */
static void format_port(const struct listener_options *o, struct buf *ret)
{
	if (ret->len > 0)
		buf_add_char(ret, ',');
	if (str_equal(o->address, "::"))
		buf_printf(ret, "+%u", o->port);
	else
		buf_printf(ret, strchr(o->address, ':') ? "[%s]:%u" : "%s:%u", o->address, o->port);
	if (o->tls)
		buf_add_char(ret, 's');
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

/* Who comes while all threads are at work waits in civetweb's queue, first come, first served. What the kernel's has no
 * room for comes again when TCP does, later each time, and is cut off where its SYN cookie has grown old. */
static unsigned queue_length(void)
{
	return open_files_part(2, QUEUE_MAX);
}

/* The deadlines are the pool's; civetweb's own must only not come before them. */
static struct mg_context *start(struct listen *listen, const char *ports, unsigned threads)
{
	char count[16], queue[16], head_max[16];
	const char *options[] = {
		"listening_ports", ports,
		"num_threads", count,
		"connection_queue", queue,
		"listen_backlog", "65535", /* as long as net.core.somaxconn lets it be */
		"max_request_size", head_max,
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
	struct mg_init_data init = { .callbacks = &callbacks, .user_data = listen, .configuration_options = options };

	snprintf(count, sizeof(count), "%u", threads);
	snprintf(queue, sizeof(queue), "%u", queue_length());
	snprintf(head_max, sizeof(head_max), "%d", HEAD_SIZE_MAX);
	return start_quietly(&init);
}

static bool listener_init(struct listener *l, const struct listener_options *o, const struct listen_options *all,
                          struct problem *p)
{
	l->tls = o->tls;
	l->site.router = o->router;
	l->site.body_max = all->body_max;
	l->site.access_log = all->access_log;
	l->site.place = (struct request_place){ o->tls ? "https" : "http", o->external_url, o->names, "" };
	l->any = str_equal(o->address, "::") || str_equal(o->address, "0.0.0.0");
	if (!addr_parse(o->address, &l->address))
		return problem_internal(p, "cannot listen on %s: it is no IP address", o->address);
	return true;
}

static bool open_pool(struct listen *listen, const struct listen_options *o, struct problem *p)
{
	struct pool_options pool = {
		.threads = o->threads,
		.parked = open_files_part(4, PARKED_MAX),
		.queue = queue_length() / 8 * 7, /* the rest is for those that were parked and have spoken */
		.per_address = o->per_address,
		.keep_alive_ms = o->keep_alive_ms,
		.header_ms = o->header_ms,
		.body_ms = o->body_ms,
		.reply_ms = o->reply_ms,
		.context = context_of,
		.user = listen,
	};

	return pool_new(&pool, &listen->pool, p);
}

static void init_civetweb(void)
{
	mg_init_library(MG_FEATURES_TLS);
}

bool listen_open(const struct listen_options *options, struct listen **ret, struct problem *p)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	size_t count = options->listener_count;
	auto_value(buf) ports = {0};

	if (count == 0 || count > LISTENERS_MAX)
		return problem_internal(p, "there can be 1 to %d listeners, not %zu", LISTENERS_MAX, count);
	auto_struct(listen) *listen = calloc(1, sizeof(*listen) + count * sizeof(listen->listeners[0]));
	if (!listen)
		return problem_memory(p);
	listen->access_log = options->access_log;
	listen->listener_count = count;
	for (size_t i = 0; i < count; i++) {
		if (!listener_init(&listen->listeners[i], &options->listeners[i], options, p))
			return false;
		format_port(&options->listeners[i], &ports);
	}
	if (!buf_check(&ports, p) || !open_files_check(options->threads, p) || !open_pool(listen, options, p))
		return false;
	pthread_once(&once, init_civetweb);
	listen->carrier = start(listen, buf_text(&ports), options->threads);
	for (size_t i = 0; i < count && !listen->carrier; i++)
		if (!port_check(&listen->listeners[i].address, options->listeners[i].port, p))
			return false;
	if (!listen->carrier)
		return problem_internal(p, "cannot listen on %s: %s", buf_text(&ports), start_cause);
	*ret = steal(listen);
	return true;
}

unsigned listen_port(const struct listen *listen, size_t i)
{
	assert(i < listen->listener_count);
	return listen->listeners[i].port;
}

static void stop(struct listen *listen)
{
	if (!listen->carrier)
		return;
	pool_stop(listen->pool);
	mg_stop(listen->carrier);
	parking_close(listen->pool);
	listen->carrier = NULL;
}

void listen_drain(struct listen *listen, unsigned timeout_ms)
{
	const struct timespec moment = { .tv_nsec = 5000000 };
	int64_t until = clock_monotonic_ms() + timeout_ms;

	pool_drain(listen->pool);
	while (pool_busy(listen->pool) > 0 && clock_monotonic_ms() < until)
		nanosleep(&moment, NULL);
	stop(listen);
}

void listen_close(struct listen *listen)
{
	if (!listen)
		return;
	stop(listen);
	pool_free(listen->pool);
	free(listen);
}

void listen_counters(const struct listen *listen, struct listen_counters *ret)
{
	const struct pool_counters *c = pool_counters(listen->pool);

	*ret = (struct listen_counters){ .refused = c->refused,
		                         .timeouts = c->timeouts,
		                         .connections = c->connections,
		                         .active = c->open,
		                         .parked = c->parked,
		                         .gave_way = c->gave_way,
		                         .waiting = pool_waiting(listen->pool) };
	for (size_t i = 0; i < listen->listener_count; i++) {
		ret->requests += listen->listeners[i].site.requests;
		ret->refused += listen->listeners[i].site.refused;
	}
}
