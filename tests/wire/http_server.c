/* A server of two small wings over listen.c, for test_http_*.py.
 *
 *     http_server NAME=VALUE...
 *
 * `plain=ADDRESS` and `tls=ADDRESS` open listeners on ports that the kernel picks; the rest are the
 * fields of listen_options. Ports are printed, one a line. Standard input takes commands, one a
 * line: "certificate CHAIN KEY", "counters", "drain MS", and its end stops the server. */
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "server/listen.h"

enum { LISTENERS_MAX = 4, BIG_MAX = 16 * 1024 * 1024, ECHO_MAX = 1024 * 1024 };

static atomic_uint slow_now; /* requests in serve_slow */

static void sleep_ms(long ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&t, NULL);
}

static bool serve_text(const struct http_request *request, struct http_response *response)
{
	response->status = 200;
	response->content_type = "text/plain";
	buf_printf(&response->body, "%s %s %s", request->method_name, request->path, request->captures[0]);
	return true;
}

static bool serve_echo(const struct http_request *request, struct http_response *response)
{
	response->status = 201;
	response->content_type = "application/octet-stream";
	buf_add(&response->body, request->body.data, request->body.len);
	return true;
}

static long number_of(const struct http_request *request, const char *name, long max)
{
	auto_value(buf) text = {0};
	long value = http_query(request, name, &text) ? atol(buf_text(&text)) : 0;

	return value < max ? value : max;
}

static bool serve_big(const struct http_request *request, struct http_response *response)
{
	long size = number_of(request, "size", BIG_MAX);

	response->status = 200;
	response->content_type = "text/plain";
	for (long i = 0; i < size; i++)
		buf_add_char(&response->body, (char)('a' + i % 26));
	return true;
}

static bool serve_slow(const struct http_request *request, struct http_response *response)
{
	slow_now++;
	sleep_ms(number_of(request, "ms", 5000));
	slow_now--;
	return serve_text(request, response);
}

static void print_tls(const struct http_tls *tls, struct buf *out)
{
	auto_value(buf) unique = {0};
	uint8_t exported[32];

	buf_printf(out, "version=%s\nchain=%zu\n", tls->version, tls->chain_length);
	if (tls->chain_length > 0) {
		buf_add_str(out, "certificate=");
		buf_add_hex(out, tls->chain[0]);
		buf_add_char(out, '\n');
	}
	if (tls->unique(tls, &unique)) {
		buf_add_str(out, "unique=");
		buf_add_hex(out, buf_bytes(&unique));
		buf_add_char(out, '\n');
	}
	if (tls->exporter(tls, exported)) {
		buf_add_str(out, "exporter=");
		buf_add_hex(out, BYTES(exported, sizeof(exported)));
		buf_add_char(out, '\n');
	}
}

static bool serve_facts(const struct http_request *request, struct http_response *response)
{
	char peer[ADDR_TEXT_SIZE];

	addr_format(&request->peer, peer);
	response->status = 200;
	response->content_type = "text/plain";
	buf_printf(&response->body, "id=%s\npeer=%s\nbase_url=%s\npath=%s\nquery=%s\nheaders=%zu\n", request->id, peer,
	           request->base_url, request->path, request->query, request->header_count);
	if (http_header(request, "X-Probe"))
		buf_printf(&response->body, "probe=[%s]\n", http_header(request, "X-Probe"));
	if (request->tls)
		print_tls(request->tls, &response->body);
	return true;
}

static bool serve_nothing(const struct http_request *request, struct http_response *response)
{
	response->status = request->method == HTTP_HEAD ? 200 : 204;
	return true;
}

struct test_route {
	struct http_route row;
	bool (*serve)(const struct http_request *request, struct http_response *response);
};

static struct test_route echo_routes[] = {
	{ { .method = HTTP_GET, .path = "/hello" }, serve_text },
	{ { .method = HTTP_GET, .path = "/item/{name}" }, serve_text },
	{ { .method = HTTP_GET, .path = "/big" }, serve_big },
	{ { .method = HTTP_GET, .path = "/slow" }, serve_slow },
	{ { .method = HTTP_GET, .path = "/facts" }, serve_facts },
	{ { .method = HTTP_POST, .path = "/facts", .body_max = 100 }, serve_facts },
	{ { .method = HTTP_GET, .path = "/nothing" }, serve_nothing },
	{ { .method = HTTP_POST, .path = "/echo", .body_max = ECHO_MAX }, serve_echo },
	{ { .method = HTTP_POST, .path = "/json", .content_type = "application/json", .body_max = 1000 }, serve_echo },
};
static struct test_route worded_routes[] = {
	{ { .method = HTTP_POST, .path = "/worded/{name}", .body_max = 1000 }, serve_echo },
	{ { .method = HTTP_GET, .path = "/worded/broken" }, NULL },
};

static const struct http_route *route(void *state, size_t i)
{
	return &((const struct test_route *)state)[i].row;
}

static bool serve(void *state, size_t i, const struct http_request *request, struct http_response *response,
                  struct problem *p)
{
	const struct test_route *r = &((const struct test_route *)state)[i];

	return r->serve ? r->serve(request, response) : problem_internal(p, "the disk is on fire");
}

static void refuse(void *state, size_t i, const struct http_request *request, const struct problem *p,
                   struct http_response *response)
{
	(void)state;
	response->status = problem_status(p);
	response->content_type = "text/x-worded";
	buf_printf(&response->body, "route %zu, %s, %s, %s", i, request->id, problem_kind_name(p->kind), problem_text(p));
}

static const struct http_wing echo_wing = {
	.name = "echo", .state = echo_routes, .route_count = array_length(echo_routes),
	.route = route, .serve = serve, .refuse = refuse, .prefix = NULL,
};
static const struct http_wing worded_wing = {
	.name = "worded", .state = worded_routes, .route_count = array_length(worded_routes),
	.route = route, .serve = serve, .refuse = refuse, .prefix = "/worded/",
};

static void die(const char *what, const struct problem *p)
{
	fprintf(stderr, "http_server: %s: %s\n", what, p && p->cause[0] ? p->cause : p ? p->detail : "");
	exit(1);
}

static void set_certificate(struct tls *tls, const char *chain_path, const char *key_path)
{
	auto_value(problem) p = {0};
	auto_value(buf) chain = {0};
	auto_struct(tls_certificate) *certificate = NULL;
	FILE *file = fopen(key_path, "r");
	auto(EVP_PKEY) *key = file ? PEM_read_PrivateKey(file, NULL, NULL, NULL) : NULL;

	if (file)
		fclose(file);
	if (!key || !file_read(chain_path, 100000, &chain, &p) || !tls_certificate_parse(buf_bytes(&chain), &certificate, &p) ||
	    !tls_certificate_set_key(certificate, key, &p))
		die("certificate", &p);
	tls_show(tls, certificate);
}

struct setup {
	struct listener_options listeners[LISTENERS_MAX];
	struct listen_options options;
	struct strings names;
	bool only_tls13, ask_client;
	const char *external_url, *chain, *key;
};

static void take_number(struct setup *s, const char *name, unsigned value)
{
	struct listen_options *o = &s->options;
	const struct {
		const char *name;
		unsigned *at;
	} numbers[] = {
		{ "threads", &o->threads }, { "per_address", &o->per_address }, { "keep_alive_ms", &o->keep_alive_ms },
		{ "header_ms", &o->header_ms }, { "body_ms", &o->body_ms }, { "reply_ms", &o->reply_ms },
		{ "body_max", &o->body_max },
	};

	for (size_t i = 0; i < array_length(numbers); i++)
		if (str_equal(numbers[i].name, name)) {
			*numbers[i].at = value;
			return;
		}
	die(name, NULL);
}

static void take_argument(struct setup *s, char *text, struct tls *tls)
{
	char *value = strchr(text, '=');

	if (!value)
		die(text, NULL);
	*value++ = '\0';
	if (str_equal(text, "plain") || str_equal(text, "tls"))
		s->listeners[s->options.listener_count++] =
			(struct listener_options){ .address = value, .tls = *text == 't' ? tls : NULL };
	else if (str_equal(text, "external_url"))
		s->external_url = value;
	else if (str_equal(text, "name"))
		(void)!strings_add(&s->names, value);
	else if (str_equal(text, "chain"))
		s->chain = value;
	else if (str_equal(text, "key"))
		s->key = value;
	else if (str_equal(text, "access_log"))
		s->options.access_log = true;
	else
		take_number(s, text, (unsigned)atoi(value));
}

static void print_counters(const struct listen *listen)
{
	struct listen_counters c;

	listen_counters(listen, &c);
	printf("requests=%lu refused=%lu timeouts=%lu connections=%lu active=%lu parked=%lu gave_way=%lu waiting=%lu slow=%u cpu_us=%ld\n",
	       c.requests, c.refused, c.timeouts, c.connections, c.active, c.parked, c.gave_way, c.waiting, slow_now,
	       (long)clock_cpu_us());
	fflush(stdout);
}

static void obey(struct listen *listen, struct tls *tls)
{
	char line[1024], a[500], b[500];
	unsigned ms;

	while (fgets(line, sizeof(line), stdin)) {
		if (sscanf(line, "certificate %499s %499s", a, b) == 2)
			set_certificate(tls, a, b);
		else if (sscanf(line, "drain %u", &ms) == 1)
			listen_drain(listen, ms);
		else if (str_starts(line, "counters")) {
			print_counters(listen);
			continue;
		}
		puts("done");
		fflush(stdout);
	}
}

int main(int argc, char **argv)
{
	static const struct http_wing *const wings[] = { &echo_wing, &worded_wing };
	struct setup s = { .options = { .threads = 8, .keep_alive_ms = 1000, .header_ms = 1000, .body_ms = 1000,
		.reply_ms = 1000, .body_max = ECHO_MAX } };
	auto_value(problem) p = {0};
	auto_struct(router) *router = NULL;
	auto_struct(tls) *tls = NULL;
	auto_struct(listen) *listen = NULL;

	log_setup(LOG_LEVEL_INFO, LOG_FORMAT_LOGFMT);
	if (!router_new(wings, array_length(wings), &router, &p) || !tls_new(&(struct tls_options){ .ask_client = true }, &tls, &p))
		die("start", &p);
	for (int i = 1; i < argc; i++)
		take_argument(&s, argv[i], tls);
	if (s.chain)
		set_certificate(tls, s.chain, s.key);
	for (size_t i = 0; i < s.options.listener_count; i++) {
		s.listeners[i].router = router;
		s.listeners[i].external_url = s.external_url;
		s.listeners[i].names = &s.names;
	}
	s.options.listeners = s.listeners;
	if (!listen_open(&s.options, &listen, &p))
		die("listen", &p);
	for (size_t i = 0; i < s.options.listener_count; i++)
		printf("%u\n", listen_port(listen, i));
	fflush(stdout);
	obey(listen, tls);
	listen_close(steal(listen));
	strings_free(&s.names);
	return 0;
}
