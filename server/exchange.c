#include "server/exchange.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "server/chunked.h"
#include "server/civetweb_seam.h"
#include "server/connection_wait.h"
#include "server/reply.h"
#include "server/tls.h"

enum {
	ONE_RECORD = 16384,        /* of TLS; what is read at once by simple clients */
	DISCARD_MAX = 64 * 1024,   /* unwanted content that is read so that the connection can be kept */
	LINGER_MAX = 1024 * 1024,
	LINGER_MS = 1000,
	LOGGED_PATH_MAX = 256,
};

struct exchange {
	struct exchange_site *site;
	struct connection *connection;
	struct mg_connection *carrier;
	struct request request;
	struct router_match match;
	struct http_response response;
	char cause[PROBLEM_DETAIL_MAX];
	void *body;                /* wiped at the end: passwords and keys come in it */
	size_t body_size;
	int64_t begun_ms;
	size_t sent;
	bool close;
};

/* Unique in a log for as long as anyone looks: a part of this start's own, and a count. */
static void name_request(char ret[REQUEST_ID_SIZE])
{
	static _Atomic uint64_t start, count;
	uint64_t prefix = atomic_load(&start);
	struct problem p = {0};

	if (prefix == 0) {
		uint32_t fresh;
		uint64_t none = 0;
		if (!random_bytes(&fresh, sizeof(fresh), &p))
			fresh = (uint32_t)clock_now();
		prefix = 1ull << 32 | fresh;
		if (!atomic_compare_exchange_strong(&start, &none, prefix))
			prefix = none;
	}
	snprintf(ret, REQUEST_ID_SIZE, "%08" PRIx32 "-%" PRIx64, (uint32_t)prefix, atomic_fetch_add(&count, 1) + 1);
}

static void say_problem(struct exchange *x, const struct problem *p)
{
	atomic_fetch_add(&x->site->refused, 1);
	snprintf(x->cause, sizeof(x->cause), "%s", problem_cause(p));
	router_refuse(x->site->router, &x->match, &x->request.http, p, &x->response);
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

static bool write_continue(struct exchange *x)
{
	static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n";

	return seam_write(x->carrier, BYTES(text, sizeof(text) - 1));
}

/* civetweb ends a read early, without a word, when time or the connection ends. */
static bool read_content(struct exchange *x, void *ret, size_t n, struct problem *p)
{
	if (seam_read(x->carrier, ret, n))
		return true;
	if (x->connection->overdue)
		return problem_set(p, PROBLEM_REQUEST_TIMEOUT, "RFC 9110, 15.5.9: the content did not arrive in time");
	return problem_set(p, PROBLEM_MALFORMED, "RFC 9112, 6.3: the connection ended before the content did");
}

static bool read_chunks(struct exchange *x, size_t max, struct problem *p)
{
	struct chunked chunked = {0};
	auto_value(buf) content = {0};
	uint8_t data[4096];
	bool good = true;
	size_t n;

	seam_chunked_begin(x->carrier);
	while (good && (n = least(chunked_wants(&chunked), sizeof(data))) > 0)
		good = read_content(x, data, n, p) && chunked_feed(&chunked, BYTES(data, n), max, &content, p);
	mem_wipe(data, sizeof(data));
	if (!good)
		return false;
	x->request.content_length = seam_chunked_end(x->carrier);
	size_t len = content.len;
	x->body = buf_take(&content, NULL);
	x->body_size = len;
	x->request.http.body = BYTES(x->body, len);
	return true;
}

static bool read_sized(struct exchange *x, struct problem *p)
{
	struct request *r = &x->request;

	if (!(x->body = malloc(r->content_length)))
		return problem_memory(p);
	x->body_size = r->content_length;
	r->http.body = BYTES(x->body, r->content_length);
	return read_content(x, x->body, r->content_length, p);
}

/* Whether nothing of the content has come yet. */
static bool waits_for_continue(const struct exchange *x)
{
	return x->request.expects_continue && seam_received(x->carrier).len <= seam_head_length(x->carrier);
}

static bool read_body(struct exchange *x, size_t max, struct problem *p)
{
	struct request *r = &x->request;

	if (r->content_length == 0 && !r->chunked)
		return true;
	connection_enter(x->connection, CONNECTION_BODY);
	if (waits_for_continue(x) && !write_continue(x))
		return problem_set(p, PROBLEM_MALFORMED, "the connection ended");
	return r->chunked ? read_chunks(x, max, p) : read_sized(x, p);
}

/* Whether the head is the one that was checked as it arrived, to the byte. */
static bool check_head(struct exchange *x, struct problem *p)
{
	const struct head *head = &x->connection->head;

	if (head->fault)
		return problem_set(p, head->kind, "%s", head->fault);
	if (!head_is_whole(head) || head->length != seam_head_length(x->carrier))
		return problem_set(p, PROBLEM_MALFORMED, "RFC 9112, 2.2: the request is malformed");
	return true;
}

static bool read_head(struct exchange *x, struct problem *p)
{
	struct http_header headers[HTTP_HEADERS_MAX];
	struct request_head head;
	struct http_request *http = &x->request.http;

	http->id = x->request.id;
	http->peer = x->connection->member.peer;
	http->tls = x->connection->tls ? tls_peer_facts(x->connection->tls) : NULL;
	seam_head(x->carrier, headers, &head);
	http->method_name = head.method;
	http->path = http->query = http->base_url = "";
	return check_head(x, p) && request_read(&x->site->place, &head, &x->request, p);
}

/* false: x->response says why not, or has the whole answer. */
static bool take_request(struct exchange *x, struct problem *p)
{
	struct request *r = &x->request;
	size_t body_max;

	if (!read_head(x, p)) {
		x->close = true;
		return false;
	}
	if (pool_is_draining(x->connection->pool))
		return problem_unavailable(p, 5, "the server is stopping");
	if (!router_find(x->site->router, &r->http, &x->match, &x->response))
		return false;
	body_max = least(x->match.body_max, x->site->body_max);
	if (!request_check_body(r, body_max, p))
		return false;
	if (read_body(x, body_max, p))
		return true;
	x->close = true;
	return false;
}

/* Content that nobody wants is read where it is little, so that the connection can go on. Without
 * 100 (Continue) a client may send it or not: then only the end of the connection is clear. */
static void discard_content(struct exchange *x)
{
	size_t outstanding = seam_content_outstanding(x->carrier);
	uint8_t unwanted[4096];

	if (x->close || outstanding == 0)
		return;
	x->close = true;
	if (x->request.expects_continue || x->request.chunked || x->request.content_length > DISCARD_MAX)
		return;
	connection_enter(x->connection, CONNECTION_BODY);
	for (size_t left = x->request.content_length; left > 0; left -= least(left, sizeof(unwanted)))
		if (!seam_read(x->carrier, unwanted, least(left, sizeof(unwanted))))
			return;
	x->close = false;
}

static bool send_parts(struct exchange *x, struct buf *out, bool has_content)
{
	struct bytes content = http_response_content(&x->response);
	bool apart = has_content && out->len + content.len > ONE_RECORD;

	if (has_content && !apart)
		buf_add(out, content.data, content.len);
	x->sent = has_content ? content.len : 0;
	return !out->failed && seam_write(x->carrier, buf_bytes(out)) && (!apart || seam_write(x->carrier, content));
}

static void say_out_of_memory(struct exchange *x)
{
	http_response_clear(&x->response);
	buf_free(&x->response.headers);
	buf_free(&x->response.body);
	x->response.status = 503;
	x->close = true;
	snprintf(x->cause, sizeof(x->cause), "out of memory");
}

static bool must_end(const struct exchange *x)
{
	return pool_is_draining(x->connection->pool) || !seam_keeps_alive(x->carrier);
}

static void send_reply(struct exchange *x)
{
	auto_value(buf) out = {0};
	struct reply_options options = { .head = x->request.http.method == HTTP_HEAD };

	if (x->response.headers.failed || x->response.body.failed)
		say_out_of_memory(x);
	if (x->response.close || x->request.ends || must_end(x))
		x->close = true;
	options.keep_alive = !x->close;
	options.http10 = !x->request.is_11;
	connection_enter_reply(x->connection, http_response_content(&x->response).len);
	if (!reply_head(&x->response, &options, &out) ||
	    !send_parts(x, &out, reply_has_content(&x->response, &options)))
		x->close = true;
}

static const char *cut(const char *path, char ret[LOGGED_PATH_MAX])
{
	str_join(ret, LOGGED_PATH_MAX, path, NULL);
	return ret;
}

static void log_exchange(const struct exchange *x)
{
	const struct http_request *http = &x->request.http;
	int status = x->response.status;
	enum log_level level = status == 500 ? LOG_LEVEL_ERROR : status > 500 ? LOG_LEVEL_WARN : LOG_LEVEL_INFO;
	char peer[ADDR_TEXT_SIZE], path[LOGGED_PATH_MAX];
	char code[STR_DECIMAL_SIZE], bytes[STR_DECIMAL_SIZE], ms[STR_DECIMAL_SIZE];

	if (!(x->site->access_log || level < LOG_LEVEL_INFO) || !log_enabled(level))
		return;
	addr_format(&x->connection->member.peer, peer);
	log_event(level, "request", "id", x->request.id, "peer", peer, "method", http->method_name, "path",
	          cut(http->path, path), "status", str_decimal((uint64_t)status, code), "bytes",
	          str_decimal(x->sent, bytes), "ms",
	          str_decimal((uint64_t)(clock_monotonic_ms() - x->begun_ms), ms), "cause",
	          x->cause[0] ? x->cause : NULL, NULL);
}

/* A reply is lost when its connection is closed while the client's bytes still come in: the system
 * then resets the connection (RFC 9112, 9.6). */
static void end_connection(struct exchange *x, bool unread)
{
	void *ssl = seam_ssl(x->carrier);

	seam_close_after(x->carrier);
	if (!unread)
		return;
	if (ssl)
		tls_say_goodbye(ssl);
	connection_linger(x->connection, LINGER_MAX, LINGER_MS);
}

static void finish(struct exchange *x)
{
	bool unread = seam_content_outstanding(x->carrier) > 0 || x->connection->head.fault;
	struct bytes received = seam_received(x->carrier);
	size_t used = least(seam_head_length(x->carrier) + x->request.content_length, received.len);

	log_exchange(x);
	if (x->close)
		end_connection(x, unread);
	else
		connection_next(x->connection, BYTES(received.data + used, received.len - used));
	http_response_free(&x->response);
	if (x->body)
		mem_wipe(x->body, x->body_size);
	free(x->body);
}

static void exchange_begin(struct exchange_site *site, struct connection *connection, struct exchange *ret)
{
	ret->site = site;
	ret->connection = connection;
	ret->carrier = connection->carrier;
	ret->begun_ms = clock_monotonic_ms();
	connection->answered = true;
	atomic_fetch_add(&site->requests, 1);
	name_request(ret->request.id);
}

int exchange_serve(struct exchange_site *site, struct connection *connection)
{
	struct exchange x = {0};
	auto_value(problem) p = {0};

	exchange_begin(site, connection, &x);
	if (take_request(&x, &p))
		router_serve(&x.match, &x.request.http, &x.response, x.cause, sizeof(x.cause));
	else if (problem_is_set(&p))
		say_problem(&x, &p);
	else
		atomic_fetch_add(&site->refused, 1);
	discard_content(&x);
	send_reply(&x);
	int status = x.response.status;
	finish(&x);
	return status;
}

/* civetweb has one word for many faults. */
static void judge(const struct exchange *x, int status, struct problem *p)
{
	const struct head *head = &x->connection->head;
	struct http_header headers[HTTP_HEADERS_MAX];
	struct request_head parsed;

	seam_head(x->carrier, headers, &parsed);
	if (head->fault)
		problem_set(p, head->kind, "%s", head->fault);
	else if (x->connection->overdue)
		problem_set(p, PROBLEM_REQUEST_TIMEOUT, "RFC 9110, 15.5.9: the request did not arrive in time");
	else if (status == 505)
		problem_set(p, PROBLEM_NOT_IMPLEMENTED, "RFC 9112, 2.3: HTTP/1.1 and HTTP/1.0 are served");
	else if (status == 400 && head_is_whole(head) && parsed.version && parsed.header_count == 0 &&
	         http_method_from(parsed.method) == HTTP_METHOD_OTHER)
		problem_set(p, PROBLEM_NOT_IMPLEMENTED, "RFC 9110, 9.1: the method is not known here");
	else
		problem_set(p, PROBLEM_MALFORMED, "RFC 9112, 2.2: the request is malformed");
	if (status == 505)
		p->status = 505;
}

/* RFC 9110, 15.5.6: of a method that is known and that civetweb does not read, each resource says what it takes
 * instead. */
static bool read_unserved(struct exchange *x, char path[LOGGED_PATH_MAX])
{
	static const char *const methods[] = { "TRACE", "QUERY" };
	struct http_header headers[HTTP_HEADERS_MAX];
	struct request_head parsed;

	seam_head(x->carrier, headers, &parsed);
	if (!head_is_whole(&x->connection->head) || !parsed.method || !parsed.target)
		return false;
	for (size_t i = 0; i < array_length(methods); i++)
		if (str_equal(parsed.method, methods[i]))
			x->request.http.method_name = methods[i];
	snprintf(path, LOGGED_PATH_MAX, "%.*s", (int)strcspn(parsed.target, "?"), parsed.target);
	return x->request.http.method_name != NULL;
}

void exchange_refuse(struct exchange_site *site, struct connection *connection, int status)
{
	struct exchange x = { .close = true };
	char path[LOGGED_PATH_MAX];
	auto_value(problem) p = {0};

	exchange_begin(site, connection, &x);
	x.request.http.path = x.request.http.query = x.request.http.base_url = "";
	if (status == 400 && !connection->head.fault && read_unserved(&x, path)) {
		x.request.http.path = path;
		x.request.http.method = HTTP_METHOD_OTHER;
		(void)!router_find(site->router, &x.request.http, &x.match, &x.response); /* no route has it */
		atomic_fetch_add(&site->refused, 1);
	} else {
		judge(&x, status, &p);
		say_problem(&x, &p);
	}
	send_reply(&x);
	log_exchange(&x);
	end_connection(&x, true);
	http_response_free(&x.response);
}
