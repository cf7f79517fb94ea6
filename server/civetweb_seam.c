/* civetweb itself, with six of its calls to the system and to libssl led through connection.c,
 * where deadlines, drain and the check of what arrives live: civetweb waits nowhere else, but for
 * threads that wait for a connection as base/idle.h has it. */
#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>

#include <openssl/ssl.h>

#include "base/idle.h"
#include "base/mem.h"
#include "server/civetweb_seam.h"
#include "server/connection.h"

static int seam_cond_init(struct idle *idle)
{
	LIST_INIT(idle);
	return 0;
}

/* Where the process has no descriptor left the connection stays in the queue and poll(2) returns at
 * once, again and again. */
static int seam_accept(int fd, struct sockaddr *sa, socklen_t *len)
{
	int accepted = accept4(fd, sa, len, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (accepted >= 0)
		connection_accepted();
	else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
		poll(NULL, 0, 50);
	return accepted;
}

static ssize_t seam_recv(int fd, void *buf, size_t len, int flags)
{
	ssize_t n = recv(fd, buf, len, flags);

	if (n > 0)
		connection_received((size_t)n);
	return n;
}

static int seam_ssl_read(SSL *ssl, void *buf, int len)
{
	int n = SSL_read(ssl, buf, len);

	if (n > 0)
		connection_received((size_t)n);
	return n;
}

static SSL *seam_ssl_new(struct mg_connection *conn);

/* Called again and again until the handshake is over. */
static int seam_ssl_accept(SSL *ssl)
{
	if (!connection_begin(SSL_get_app_data(ssl)))
		return -1;
	int done = SSL_accept(ssl);
	if (SSL_get_state(ssl) != TLS_ST_BEFORE)
		connection_shakes_hands();
	return done;
}

/* Of a handshake that is not over and goes on on another thread. */
static _Thread_local SSL *unfinished;

static void seam_ssl_free(SSL *ssl)
{
	if (ssl && connection_parks())
		unfinished = ssl;
	else
		SSL_free(ssl);
}

#define pthread_cond_t struct idle
#define pthread_cond_init(idle, attributes) seam_cond_init(idle)
#define pthread_cond_wait(idle, mutex) idle_wait(idle, mutex, NULL)
#define pthread_cond_signal(idle) idle_call(idle_take(idle))
#define pthread_cond_broadcast(idle) idle_call_all(idle)
#define pthread_cond_destroy(idle) assert(LIST_EMPTY(idle))
#define accept(fd, sa, len) seam_accept(fd, sa, len)
#define poll(fds, n, ms) connection_poll(fds, n, ms)
#define recv(fd, buf, len, flags) seam_recv(fd, buf, len, flags)
#define SSL_read(ssl, buf, len) seam_ssl_read(ssl, buf, len)
#define SSL_accept seam_ssl_accept
#define SSL_free(ssl) seam_ssl_free(ssl)
#define SSL_new(ours) seam_ssl_new(conn) /* conn: of sslize(), the only caller */
/* It would take the client's certificate apart, and hash it with SHA-1, for nobody. */
#undef SSL_get_peer_certificate
#define SSL_get_peer_certificate(ssl) ((X509 *)NULL)
#include "civetweb.c"
#undef SSL_free
#undef SSL_new

/* One that was parked goes on with what it had. civetweb holds a lock that every request needs; the client's first word
 * is waited for without it. */
static SSL *seam_ssl_new(struct mg_connection *conn)
{
	SSL *kept = connection_resume(conn);

	if (kept)
		return kept;
	mg_unlock_context(conn->phys_ctx);
	bool spoke = connection_has_spoken(conn);
	mg_lock_context(conn->phys_ctx);
	return spoke ? SSL_new(connection_context(conn)) : NULL;
}

/* What a connection takes with it when it leaves its thread. `in_use`, which civetweb has for another queue,
 * says of a socket in the queue that it had a thread before. */
struct seam_seat {
	struct socket client;
	SSL *ssl;
	struct mg_context *context;
};

struct seam_seat *seam_leave(struct mg_connection *conn)
{
	struct seam_seat *seat = mg_calloc(1, sizeof(*seat));

	if (!seat) {
		SSL_free(steal(unfinished));
		return NULL;
	}
	*seat = (struct seam_seat){ conn->client, conn->ssl ? steal(conn->ssl) : steal(unfinished), conn->phys_ctx };
	seat->client.in_use = 1;
	conn->client.sock = INVALID_SOCKET;
	if (seat->ssl) {
		SSL_set_app_data(seat->ssl, NULL);
		SSL_free_buffers(seat->ssl); /* unless part of a record is in them */
	}
	return seat;
}

int seam_seat_fd(const struct seam_seat *seat)
{
	return seat->client.sock;
}

/* What produce_socket() does, at the other end of the queue. */
static bool produce_first(struct mg_context *context, const struct socket *client)
{
	pthread_mutex_lock(&context->thread_mutex);
	bool has_room = context->sq_head - context->sq_tail < context->sq_size;
	if (has_room) {
		if (context->sq_tail == 0) {
			context->sq_tail += context->sq_size;
			context->sq_head += context->sq_size;
		}
		context->squeue[--context->sq_tail % context->sq_size] = *client;
		pthread_cond_signal(&context->sq_full);
	}
	pthread_mutex_unlock(&context->thread_mutex);
	return has_room;
}

void seam_seat_offer(const struct seam_seat *seat, bool first)
{
	if (!first || !produce_first(seat->context, &seat->client))
		produce_socket(seat->context, &seat->client);
}

bool seam_had_seat(const struct mg_connection *conn)
{
	return conn->client.in_use == 1;
}

void *seam_seat_return(struct seam_seat *seat)
{
	SSL *ssl = seat->ssl;

	mg_free(seat);
	return ssl;
}

void seam_seat_end(struct seam_seat *seat)
{
	if (seat->ssl && SSL_is_init_finished(seat->ssl))
		SSL_shutdown(seat->ssl);
	SSL_free(seat->ssl);
	close(seat->client.sock);
	mg_free(seat);
}

int seam_fd(const struct mg_connection *conn)
{
	return conn->client.sock;
}

const struct sockaddr *seam_local(const struct mg_connection *conn)
{
	return &conn->client.lsa.sa;
}

void *seam_ssl(const struct mg_connection *conn)
{
	return conn->ssl;
}

struct bytes seam_received(const struct mg_connection *conn)
{
	return BYTES(conn->buf, (size_t)conn->data_len);
}

void seam_forget(struct mg_connection *conn)
{
	if (conn->buf && conn->buf_size > 0)
		explicit_bzero(conn->buf, (size_t)conn->buf_size);
}

size_t seam_head_length(const struct mg_connection *conn)
{
	return conn->request_len > 0 ? (size_t)conn->request_len : 0;
}

static void copy_head(const struct mg_request_info *info, struct http_header *headers, struct request_head *ret)
{
	int count = info->num_headers > 0 ? info->num_headers : 0;

	for (int i = 0; i < count; i++)
		headers[i] = (struct http_header){ info->http_headers[i].name, info->http_headers[i].value };
	*ret = (struct request_head){
		.method = info->request_method,
		.target = info->request_uri,
		.version = info->http_version,
		.header_count = (size_t)count,
		.headers = headers,
	};
}

/* civetweb has cut the target at its '?', unless it is an orphan's: query_string is an older one's then. */
void seam_head(struct mg_connection *conn, struct http_header *headers, struct request_head *ret)
{
	const struct mg_request_info *info = &conn->request_info;

	if (info->local_uri && info->query_string)
		((char *)info->query_string)[-1] = '?';
	copy_head(info, headers, ret);
}

size_t seam_parse(char *text, size_t len, struct http_header *headers, struct request_head *ret)
{
	struct mg_request_info info = {0};
	int used = get_http_header_len(text, (int)len) > 0 ? parse_http_request(text, (int)len, &info) : 0;

	copy_head(&info, headers, ret);
	return used > 0 ? (size_t)used : 0;
}

bool seam_is_orphan(const struct mg_connection *conn)
{
	return conn->request_len > 0 && conn->request_info.request_uri && !conn->request_info.local_uri;
}

void seam_chunked_begin(struct mg_connection *conn)
{
	conn->is_chunked = 0;
	conn->content_len = INT64_MAX;
}

size_t seam_chunked_end(struct mg_connection *conn)
{
	conn->content_len = conn->consumed_content;
	return (size_t)conn->content_len;
}

size_t seam_content_outstanding(const struct mg_connection *conn)
{
	if (conn->is_chunked || conn->content_len == INT64_MAX)
		return SIZE_MAX;
	int64_t here = conn->data_len - conn->request_len;
	int64_t had = here > conn->consumed_content ? here : conn->consumed_content;

	return conn->content_len > had ? (size_t)(conn->content_len - had) : 0;
}

bool seam_read(struct mg_connection *conn, void *ret, size_t n)
{
	return mg_read(conn, ret, n) == (int)n;
}

bool seam_write(struct mg_connection *conn, struct bytes data)
{
	return mg_write(conn, data.data, data.len) == (int)data.len;
}

bool seam_keeps_alive(const struct mg_connection *conn)
{
	return conn->protocol_type == PROTOCOL_TYPE_HTTP1 && should_keep_alive(conn);
}

void seam_close_after(struct mg_connection *conn)
{
	mg_disable_connection_keep_alive(conn);
}

#ifdef __has_feature
#if __has_feature(thread_sanitizer)
/* An atomic flag, but for one look of the thread that alone sets it. */
__attribute__((visibility("default"))) const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void)
{
	return "race:STOP_FLAG_ASSIGN\n";
}
#endif
#endif
