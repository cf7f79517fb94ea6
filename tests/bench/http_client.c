#include "tests/bench/http_client.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdarg.h>
#include <stdio.h>
#include <strings.h>
#include <unistd.h>

enum { READ_SIZE = 8 * 1024 };

struct http_client {
	char host[256];
	unsigned port;
	SSL_CTX *context;
	SSL *ssl;
	int fd;
	struct buf in;   /* read and not yet used */
	size_t used;
};

void bench_fail(const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	fputs("bench: ", stderr);
	vfprintf(stderr, fmt, args);
	fputc('\n', stderr);
	va_end(args);
	exit(1);
}

static const char *url_path(const char *url)
{
	const char *authority = strstr(url, "://");
	const char *path = authority ? strchr(authority + 3, '/') : NULL;
	return path ? path : "/";
}

struct http_client *http_client_new(const char *url, const char *ca)
{
	struct http_client *c = calloc(1, sizeof *c);
	if (!c || sscanf(url, "https://%255[^:/]:%u", c->host, &c->port) != 2)
		bench_fail("want https://host:port/..., got %s", url);
	c->fd = -1;
	c->context = SSL_CTX_new(TLS_client_method());
	SSL_CTX_set_verify(c->context, SSL_VERIFY_PEER, NULL);
	if (SSL_CTX_load_verify_locations(c->context, ca, NULL) != 1)
		bench_fail("cannot read %s", ca);
	return c;
}

static void disconnect(struct http_client *c)
{
	SSL_free(c->ssl);
	c->ssl = NULL;
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
	buf_clear(&c->in);
	c->used = 0;
}

static void connect_tls(struct http_client *c)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)c->port) };
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	int on = 1;
	c->fd = socket(AF_INET, SOCK_STREAM, 0);
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	if (connect(c->fd, (const struct sockaddr *)&to, sizeof to))
		bench_fail("cannot connect to port %u", c->port);
	c->ssl = SSL_new(c->context);
	SSL_set_fd(c->ssl, c->fd);
	SSL_set_tlsext_host_name(c->ssl, c->host);
	SSL_set1_host(c->ssl, c->host);
	if (SSL_connect(c->ssl) != 1)
		bench_fail("TLS: %s", ERR_error_string(ERR_get_error(), NULL));
}

void http_client_free(struct http_client *c)
{
	disconnect(c);
	SSL_CTX_free(c->context);
	buf_free(&c->in);
	free(c);
}

/* false at the end of the connection. */
static bool read_more(struct http_client *c)
{
	uint8_t chunk[READ_SIZE];
	int n = SSL_read(c->ssl, chunk, sizeof chunk);
	if (n <= 0)
		return false;
	buf_add(&c->in, chunk, (size_t)n);
	return true;
}

/* The next line without its end, borrowed until the next read. */
static const char *read_line(struct http_client *c)
{
	for (;;) {
		char *start = (char *)c->in.data + c->used;
		char *end = c->in.len > c->used ? strstr(start, "\r\n") : NULL;
		if (end) {
			*end = '\0';
			c->used = (size_t)((uint8_t *)end - c->in.data) + 2;
			return start;
		}
		if (!read_more(c))
			return NULL;
	}
}

static void read_exactly(struct http_client *c, size_t n, struct buf *ret)
{
	while (c->in.len - c->used < n)
		if (!read_more(c))
			bench_fail("the reply ended early");
	buf_add(ret, c->in.data + c->used, n);
	c->used += n;
}

static void read_chunks(struct http_client *c, struct buf *ret)
{
	for (;;) {
		const char *line = read_line(c);
		size_t n = line ? strtoul(line, NULL, 16) : 0;
		if (n > 0)
			read_exactly(c, n, ret);
		if (!read_line(c))
			bench_fail("a chunk ended early");
		if (n == 0)
			return;
	}
}

static void take_header(const char *line, struct http_reply *reply, size_t *length, bool *chunked)
{
	const char *value = strchr(line, ':');
	if (!value)
		return;
	size_t name = (size_t)(value - line);
	value += 1 + strspn(value + 1, " ");
	if (name == 12 && !strncasecmp(line, "Replay-Nonce", name))
		snprintf(reply->nonce, sizeof reply->nonce, "%s", value);
	else if (name == 8 && !strncasecmp(line, "Location", name))
		snprintf(reply->location, sizeof reply->location, "%s", value);
	else if (name == 14 && !strncasecmp(line, "Content-Length", name))
		*length = strtoul(value, NULL, 10);
	else if (name == 17 && !strncasecmp(line, "Transfer-Encoding", name))
		*chunked = true;
	else if (name == 10 && !strncasecmp(line, "Connection", name))
		reply->close = !strcasecmp(value, "close");
}

static bool read_reply(struct http_client *c, bool head, struct http_reply *reply)
{
	size_t length = 0;
	bool chunked = false;
	const char *line = read_line(c);
	if (!line || sscanf(line, "HTTP/1.1 %d", &reply->status) != 1)
		return false;
	while ((line = read_line(c)) && *line)
		take_header(line, reply, &length, &chunked);
	if (!head && chunked)
		read_chunks(c, &reply->body);
	else if (!head)
		read_exactly(c, length, &reply->body);
	return true;
}

static void write_request(struct http_client *c, const char *method, const char *url, const struct buf *body)
{
	auto_value(buf) out = {0};
	buf_printf(&out, "%s %s HTTP/1.1\r\nHost: %s:%u\r\nUser-Agent: bench\r\n", method, url_path(url), c->host, c->port);
	if (body)
		buf_printf(&out, "Content-Type: application/jose+json\r\nContent-Length: %zu\r\n", body->len);
	buf_add_str(&out, "\r\n");
	if (body)
		buf_add(&out, body->data, body->len);
	if (SSL_write(c->ssl, out.data, (int)out.len) <= 0)
		disconnect(c);
}

void http_client_send(struct http_client *c, const char *method, const char *url, const struct buf *body,
                      struct http_reply *reply)
{
	for (int tries = 0; tries < 3; tries++) {
		buf_clear(&reply->body);
		*reply = (struct http_reply){ .body = reply->body };
		buf_clear(&c->in);
		c->used = 0;
		if (!c->ssl)
			connect_tls(c);
		write_request(c, method, url, body);
		if (c->ssl && read_reply(c, str_equal(method, "HEAD"), reply)) {
			if (reply->close)
				disconnect(c);
			return;
		}
		disconnect(c);
	}
	bench_fail("no reply to %s %s", method, url);
}

void http_reply_free(struct http_reply *reply)
{
	buf_free(&reply->body);
}
