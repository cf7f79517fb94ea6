#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/ssl.h>
#include <poll.h>

#include "acme/http01.h"
#include "base/clock.h"
#include "base/ossl.h"
#include "tests/unit/fake_dns.h"
#include "tests/unit/fake_http.h"

static struct fake_dns names;
static struct fake_http web;      /* 127.0.0.1 */
static struct fake_http web6;     /* ::1, the same port */
static struct fake_http tls;      /* 127.0.0.1 */
static bool has_web6;
static struct dns *dns;
static SSL_CTX *tls_context;

static const struct fake_record records[] = {
	{ .name = "web.example", .type = FAKE_A, .value = "127.0.0.1" },
	{ .name = "both.example", .type = FAKE_A, .value = "127.0.0.1" },
	{ .name = "both.example", .type = FAKE_AAAA, .value = "::1" },
	{ .name = "dead6.example", .type = FAKE_A, .value = "127.0.0.1" },
	{ .name = "dead6.example", .type = FAKE_AAAA, .value = "100::1:1" },
	          /* allowed below; leads nowhere */
	{ .name = "closed.example", .type = FAKE_A, .value = "127.0.0.77" },
	{ .name = "metadata.example", .type = FAKE_A, .value = "169.254.169.254" },
	{ .name = "denied.example", .type = FAKE_A, .value = "127.0.0.66" },
	{ .name = "mixed.example", .type = FAKE_A, .value = "127.0.0.66" },
	{ .name = "mixed.example", .type = FAKE_A, .value = "127.0.0.1" },
	{ 0 },
};

/* --- what the server answers, by the last segment of the path */

static void interim(int fd)
{
	fake_http_send(fd,
	               "HTTP/1.1 103 Early\r\nLocation: /nowhere\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 51\r\n\r\n"
	                   "INTERIM.0123456789012345678901234567890123456789012");
}

static void garbage(int fd)
{
	fake_http_send(fd, "SSH-2.0-OpenSSH_9.2\r\n");
}

static void long_body(int fd)
{
	char body[4097];

	memset(body, 'x', sizeof(body) - 1);
	body[sizeof(body) - 1] = '\0';
	fake_http_send(fd, "HTTP/1.1 200 OK\r\n\r\n");
	for (int i = 0; i < 1000; i++)
		fake_http_send(fd, body);
}

static void many_headers(int fd)
{
	fake_http_send(fd, "HTTP/1.1 200 OK\r\n");
	for (int i = 0; i < 1000; i++)
		fake_http_send(fd, "X-Padding: 0123456789012345678901234567890123456789\r\n");
	fake_http_send(fd, "\r\n");
}

/* A byte now and then, for longer than anybody should wait; ends when the other side has gone. */
static void drip(int fd)
{
	fake_http_send(fd, "HTTP/1.1 200 OK\r\nContent-Length: 400\r\n\r\n");
	for (int i = 0; i < 60; i++) {
		struct pollfd gone = { .fd = fd, .events = POLLIN };

		fake_http_send(fd, "T");
		if (poll(&gone, 1, 50) > 0)
			return;
	}
}

static void stall(int fd)
{
	struct pollfd gone = { .fd = fd, .events = POLLIN };

	poll(&gone, 1, 5000);
}

#define THUMBPRINT "0123456789012345678901234567890123456789012"

/* PORT and TLSPORT in a location are the servers' own. */
static const struct page {
	const char *name; /* last segment of the path */
	const char *body, *location;
	int status;       /* 200 when 0 */
	void (*write)(int fd);
} pages[] = {
	{ .name = "TOKEN", .body = "TOKEN." THUMBPRINT },
	{ .name = "SPACE", .body = "SPACE." THUMBPRINT " \t\r\n\n" },
	{ .name = "BEFORE", .body = " BEFORE." THUMBPRINT },
	{ .name = "OTHERKEY", .body = "OTHERKEY.9999999999999999999999999999999999999999999" },
	{ .name = "SECRET", .body = "the-neighbour-password" },
	{ .name = "EMPTY", .body = "" },
	{ .name = "MISSING", .body = "", .status = 404 },
	{ .name = "PARTIAL", .body = "PARTIAL." THUMBPRINT, .status = 206 },
	{ .name = "INTERIM", .write = interim },
	{ .name = "LONG", .write = long_body },
	{ .name = "HEADERS", .write = many_headers },
	{ .name = "DRIP", .write = drip },
	{ .name = "STALL", .write = stall },
	{ .name = "GARBAGE", .write = garbage },
	{ .name = "RELATIVE", .body = "moved", .location = "/elsewhere/RELATIVE-DONE?q=1#part",
	  .status = 301 },
	{ .name = "RELATIVE-DONE?q=1", .body = "RELATIVE." THUMBPRINT },
	{ .name = "ABSOLUTE", .body = "moved", .location = "http://both.example:PORT/ABSOLUTE-DONE",
	  .status = 308 },
	{ .name = "ABSOLUTE-DONE", .body = "ABSOLUTE." THUMBPRINT },
	{ .name = "ENDLESS", .body = "moved", .location = "/.well-known/acme-challenge/ENDLESS",
	  .status = 302 },
	{ .name = "HOPS-10", .body = "moved", .location = "HOPS-9", .status = 307 },
	{ .name = "HOPS-9", .body = "moved", .location = "HOPS-8", .status = 302 },
	{ .name = "HOPS-8", .body = "moved", .location = "HOPS-7", .status = 303 },
	{ .name = "HOPS-7", .body = "moved", .location = "HOPS-6", .status = 301 },
	{ .name = "HOPS-6", .body = "moved", .location = "HOPS-5", .status = 302 },
	{ .name = "HOPS-5", .body = "moved", .location = "HOPS-4", .status = 302 },
	{ .name = "HOPS-4", .body = "moved", .location = "HOPS-3", .status = 302 },
	{ .name = "HOPS-3", .body = "moved", .location = "HOPS-2", .status = 302 },
	{ .name = "HOPS-2", .body = "moved", .location = "HOPS-1", .status = 302 },
	{ .name = "HOPS-1", .body = "moved", .location = "HOPS-0", .status = 302 },
	{ .name = "HOPS-0", .body = "HOPS-10." THUMBPRINT },
	{ .name = "TO-METADATA", .body = "", .location = "http://169.254.169.254:PORT/latest/meta-data/",
	  .status = 302 },
	{ .name = "TO-METADATA-NAME", .body = "", .location = "http://metadata.example:PORT/latest/",
	  .status = 302 },
	{ .name = "TO-DENIED-SECOND", .body = "", .location = "/TO-DENIED-SECOND-NEXT", .status = 302 },
	{ .name = "TO-DENIED-SECOND-NEXT", .body = "", .location = "http://denied.example:PORT/x",
	  .status = 302 },
	{ .name = "TO-DECIMAL", .body = "", .location = "http://2852039166:PORT/", .status = 302 },
	          /* 169.254.169.254 */
	{ .name = "TO-OCTAL", .body = "", .location = "http://0251.0376.0251.0376:PORT/", .status = 302 },
	{ .name = "TO-MAPPED", .body = "", .location = "http://[::ffff:169.254.169.254]:PORT/",
	  .status = 302 },
	{ .name = "TO-ZONE", .body = "", .location = "http://[fe80::1%25lo]:PORT/", .status = 302 },
	{ .name = "TO-PORT", .body = "", .location = "http://web.example:22/", .status = 302 },
	{ .name = "TO-USER", .body = "", .location = "http://user:pass@web.example:PORT/TOKEN",
	  .status = 302 },
	{ .name = "TO-FILE", .body = "", .location = "file:///etc/passwd", .status = 302 },
	{ .name = "TO-GOPHER", .body = "", .location = "gopher://web.example:PORT/x", .status = 302 },
	{ .name = "TO-NOWHERE", .body = "", .status = 302 },
	{ .name = "TO-TLS", .body = "", .location = "https://web.example:TLSPORT/TO-TLS-DONE",
	  .status = 302 },
	{ .name = "TO-NO-TLS", .body = "", .location = "https://web.example:PORT/x", .status = 302 },
};

static void write_location(const char *location, char ret[512])
{
	const char *port = strstr(location, "PORT");
	bool to_tls = port && port - location >= 3 && strncmp(port - 3, "TLS", 3) == 0;

	if (port)
		snprintf(ret, 512, "Location: %.*s%u%s\r\n", (int)(port - location) - (to_tls ? 3 : 0),
		         location,
		         to_tls ? tls.port : web.port, port + 4);
	else
		snprintf(ret, 512, "Location: %s\r\n", location);
}

static void write_page(int fd, const struct page *page)
{
	char location[512] = "", text[2048];

	if (page->location)
		write_location(page->location, location);
	snprintf(text, sizeof(text), "HTTP/1.1 %d Status\r\n%sContent-Length: %zu\r\n\r\n%s", page->status
	         ? page->status : 200,
	         location, strlen(page->body), page->body);
	fake_http_send(fd, text);
}

static void answer(struct fake_http *server, int fd, const char *request)
{
	char path[256] = "";

	(void)server;
	sscanf(request, "GET %255s HTTP/1.1", path);
	const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
	for (size_t i = 0; i < array_length(pages); i++) {
		if (!str_equal(pages[i].name, name))
			continue;
		if (pages[i].write)
			pages[i].write(fd);
		else
			write_page(fd, &pages[i]);
		return;
	}
}

/* A certificate that nobody trusts, for another name: the probe must not mind (8.3). */
static void answer_tls(struct fake_http *server, int fd)
{
	static const char reply[] = "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nTO-TLS.0123456789012345678901234567890123456789012";
	SSL *ssl = SSL_new(tls_context);
	char request[1024];

	(void)server;
	SSL_set_fd(ssl, fd);
	if (SSL_accept(ssl) == 1 && SSL_read(ssl, request, sizeof(request)) > 0) {
		SSL_write(ssl, reply, sizeof(reply) - 1);
		SSL_shutdown(ssl);
	}
	SSL_free(ssl);
}

static void *run_tls(void *arg)
{
	struct fake_http *server = arg;
	int fd;

	while ((fd = accept(server->fd, NULL, NULL)) >= 0) {
		answer_tls(server, fd);
		close(fd);
	}
	return NULL;
}

static void start_tls(void)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(in);
	auto(EVP_PKEY) *key = EVP_EC_gen("P-256");
	auto(X509) *x = X509_new();

	ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
	X509_gmtime_adj(X509_getm_notBefore(x), -86400);
	X509_gmtime_adj(X509_getm_notAfter(x), -3600);
	X509_set_pubkey(x, key);
	assert_true(X509_sign(x, key, EVP_sha256()) > 0);
	tls_context = SSL_CTX_new(TLS_server_method());
	assert_int_equal(SSL_CTX_use_certificate(tls_context, x), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(tls_context, key), 1);
	tls.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(tls.fd, (struct sockaddr *)&in, len), 0);
	assert_int_equal(listen(tls.fd, 8), 0);
	assert_int_equal(getsockname(tls.fd, (struct sockaddr *)&in, &len), 0);
	tls.port = ntohs(in.sin_port);
	assert_int_equal(pthread_create(&tls.thread, NULL, run_tls, &tls), 0);
}

static int setup(void **state)
{
	auto_value(problem) p = {0};
	auto_value(strings) resolvers = {0};

	(void)state;
	web.handler = web6.handler = answer;
	fake_http_start(&web);
	has_web6 = fake_http_start_at(&web6, AF_INET6, web.port);
	start_tls();
	fake_dns_start(&names, records);
	/* What a proxy of the environment would change must change nothing. */
	setenv("http_proxy", "http://127.0.0.66:9", 1);
	setenv("https_proxy", "http://127.0.0.66:9", 1);
	setenv("all_proxy", "http://127.0.0.66:9", 1);
	return strings_add(&resolvers, names.resolver) && dns_open(&(struct dns_options){ .resolvers = &resolvers }, &dns, &p) ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	dns_close(dns);
	fake_dns_stop(&names);
	fake_http_stop(&web);
	if (has_web6)
		fake_http_stop(&web6);
	fake_http_stop(&tls);
	SSL_CTX_free(tls_context);
	return 0;
}

/* --- the probes */

static bool probe(const char *type, const char *value, const char *token, unsigned timeout_ms,
                  struct problem *p)
{
	auto_value(addr_list) allow = {0};
	auto_value(addr_list) deny = {0};
	auto_struct(http01) *http = NULL;
	auto_free char *key_authorization = mem_printf("%s.0123456789012345678901234567890123456789012",
	                                               token);
	const struct http01_options options = {
		.http_port = web.port, .https_port = tls.port, .rules = { .allow = &allow, .deny = &deny },
		             .timeout_ms = timeout_ms, .dns = dns,
	};
	const struct probe_task task = { .type = type, .value = value, .token = token,
	                                 .key_authorization = key_authorization };

	assert_true(addr_list_add(&allow, "127.0.0.0/8", p) && addr_list_add(&allow, "::1", p) &&
	            addr_list_add(&allow, "100::/64", p));
	assert_true(addr_list_add(&deny, "127.0.0.66", p));
	assert_true(http01_open(&options, &http, p));
	return http01_prove(http, &task, p);
}

static void proves(void **state)
{
	static const struct {
		const char *type, *value, *token;
	} rows[] = {
		{ "dns", "web.example", "TOKEN" },
		{ "ip", "127.0.0.1", "TOKEN" },
		{ "dns", "web.example", "SPACE" },
		{ "dns", "web.example", "RELATIVE" },
		{ "ip", "127.0.0.1", "RELATIVE" },
		{ "dns", "web.example", "ABSOLUTE" },
		{ "dns", "web.example", "HOPS-10" },
		{ "dns", "web.example", "INTERIM" },
		{ "dns", "web.example", "TO-TLS" },
		{ "dns", "mixed.example", "TOKEN" }, /* the address that may be reached is taken */
		{ "dns", "dead6.example", "TOKEN" }, /* IPv4 after IPv6 */
	};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		auto_value(problem) p = {0};

		if (!probe(rows[i].type, rows[i].value, rows[i].token, 10000, &p))
			fail_msg("%s %s: %s%s", rows[i].value, rows[i].token, p.detail, p.cause);
		assert_false(problem_is_set(&p));
	}
}

static void refuses(void **state)
{
	static const struct {
		const char *type, *value, *token;
		enum problem_kind want;
		const char *want_text;
	} rows[] = {
		{ "dns", "web.example", "BEFORE", PROBLEM_INCORRECT_RESPONSE, "something else" },
		{ "dns", "web.example", "OTHERKEY", PROBLEM_INCORRECT_RESPONSE, "another account key" },
		{ "dns", "web.example", "SECRET", PROBLEM_INCORRECT_RESPONSE, "22 bytes" },
		{ "dns", "web.example", "EMPTY", PROBLEM_INCORRECT_RESPONSE, "0 bytes" },
		{ "dns", "web.example", "MISSING", PROBLEM_INCORRECT_RESPONSE, "404" },
		{ "dns", "web.example", "PARTIAL", PROBLEM_INCORRECT_RESPONSE, "206" },
		{ "dns", "web.example", "LONG", PROBLEM_INCORRECT_RESPONSE, "more than" },
		{ "dns", "web.example", "HEADERS", PROBLEM_CONNECTION, "header" },
		{ "dns", "web.example", "GARBAGE", PROBLEM_CONNECTION, "web.example" },
		{ "dns", "web.example", "ENDLESS", PROBLEM_CONNECTION, "more than 10 redirects" },
		{ "dns", "web.example", "TO-METADATA", PROBLEM_CONNECTION, "169.254.169.254 (link-local)" },
		{ "dns", "web.example", "TO-METADATA-NAME", PROBLEM_CONNECTION,
		  "169.254.169.254 (link-local)" },
		{ "dns", "web.example", "TO-DENIED-SECOND", PROBLEM_CONNECTION, "127.0.0.66 (denied" },
		{ "dns", "web.example", "TO-DECIMAL", PROBLEM_CONNECTION, "169.254.169.254" },
		{ "dns", "web.example", "TO-OCTAL", PROBLEM_CONNECTION, "169.254.169.254" },
		{ "dns", "web.example", "TO-MAPPED", PROBLEM_CONNECTION, "169.254.169.254" },
		{ "dns", "web.example", "TO-ZONE", PROBLEM_CONNECTION, "" },
		{ "dns", "web.example", "TO-PORT", PROBLEM_CONNECTION, "only port" },
		{ "dns", "web.example", "TO-USER", PROBLEM_CONNECTION, "of no use" },
		{ "dns", "web.example", "TO-FILE", PROBLEM_CONNECTION, "" },
		{ "dns", "web.example", "TO-GOPHER", PROBLEM_CONNECTION, "" },
		{ "dns", "web.example", "TO-NOWHERE", PROBLEM_INCORRECT_RESPONSE, "302 without" },
		{ "dns", "metadata.example", "TOKEN", PROBLEM_CONNECTION, "169.254.169.254 (link-local)" },
		{ "dns", "denied.example", "TOKEN", PROBLEM_CONNECTION, "127.0.0.66 (denied" },
		{ "ip", "169.254.169.254", "TOKEN", PROBLEM_CONNECTION, "link-local" },
		{ "dns", "closed.example", "TOKEN", PROBLEM_CONNECTION, "Connection refused" },
		{ "dns", "missing.example", "TOKEN", PROBLEM_DNS, "NXDOMAIN" },
	};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		auto_value(problem) p = {0};

		if (probe(rows[i].type, rows[i].value, rows[i].token, 10000, &p))
			fail_msg("%s %s was proven", rows[i].value, rows[i].token);
		if (p.kind != rows[i].want || !strstr(p.detail, rows[i].want_text))
			fail_msg("%s %s: %s: %s%s", rows[i].value, rows[i].token, problem_kind_name(p.kind),
			         p.detail, p.cause);
		assert_null(strstr(p.detail, "password")); /* never what the other side sent */
	}
}

static void slow_servers_end_at_the_deadline(void **state)
{
	static const char *const tokens[] = { "DRIP", "STALL" };

	(void)state;
	for (size_t i = 0; i < array_length(tokens); i++) {
		auto_value(problem) p = {0};
		int64_t began = clock_monotonic_ms();

		assert_false(probe("dns", "web.example", tokens[i], 400, &p));
		assert_int_equal(p.kind, PROBLEM_CONNECTION);
		assert_non_null(strstr(p.detail, "no whole answer in time"));
		assert_in_range(clock_monotonic_ms() - began, 390, 2500);
	}
}

static void the_request_is_plain(void **state)
{
	auto_value(problem) p = {0};
	char want[128];

	(void)state;
	assert_true(probe("dns", "web.example", "TOKEN", 5000, &p));
	assert_true(str_starts(web.last, "GET /.well-known/acme-challenge/TOKEN HTTP/1.1\r\n"));
	snprintf(want, sizeof(want), "\r\nHost: web.example:%u\r\n", web.port);
	assert_non_null(strstr(web.last, want));
	assert_non_null(strstr(web.last, "\r\nUser-Agent: enrolld/"));
	assert_null(strcasestr(web.last, "Accept-Encoding"));
	assert_null(strcasestr(web.last, "Cookie"));
	assert_null(strcasestr(web.last, "Authorization:"));
}

/* A name server that answers anew each time gains nothing: one question of each type a hop. */
static void names_are_resolved_once(void **state)
{
	auto_value(problem) p = {0};
	unsigned before = atomic_load(&names.queries);

	(void)state;
	assert_true(probe("dns", "both.example", "TOKEN", 5000, &p));
	assert_in_range(atomic_load(&names.queries), before + 2, before + 3); /* twice would be 4 */
}

static void ipv6_comes_first(void **state)
{
	auto_value(problem) p = {0};
	char want[64];

	(void)state;
	if (!has_web6) /* a machine without IPv6 shows the fallback, in proves() */
		return;
	unsigned before = atomic_load(&web6.requests);
	assert_true(probe("dns", "both.example", "TOKEN", 5000, &p));
	assert_int_equal(atomic_load(&web6.requests), before + 1);
	assert_true(probe("ip", "::1", "TOKEN", 5000, &p)); /* RFC 8738, 5: the literal, in brackets */
	snprintf(want, sizeof(want), "\r\nHost: [::1]:%u\r\n", web.port);
	assert_non_null(strstr(web6.last, want));
}

/* What answers wrongly is not asked again by the other family. */
static void ipv4_is_no_second_chance(void **state)
{
	auto_value(problem) p = {0};

	(void)state;
	if (!has_web6)
		return;
	unsigned before = atomic_load(&web.requests);
	assert_false(probe("dns", "both.example", "MISSING", 5000, &p));
	assert_int_equal(atomic_load(&web.requests), before);
	assert_non_null(strstr(p.detail, "::1"));
	assert_false(probe("dns", "both.example", "GARBAGE", 5000, &p));
	assert_int_equal(atomic_load(&web.requests), before);
	assert_non_null(strstr(p.detail, "no HTTP"));
}

/* Nobody takes the connections of that server, and it has no room for more: what comes is not answered. */
static void ipv4_has_its_turn_when_time_is_short(void **state)
{
	struct fake_http here = { .handler = answer };
	auto_value(problem) p = {0};
	auto_value(addr_list) allow = {0};
	auto_struct(http01) *http = NULL;
	int filler;
	int64_t began = clock_monotonic_ms();

	(void)state;
	fake_http_start(&here);
	int full = fake_http_full(here.port, &filler);
	const struct http01_options options = {
		.http_port = here.port, .rules.allow = &allow, .timeout_ms = 1200, .dns = dns,
	};
	const struct probe_task task = {
		.type = "dns", .value = "both.example", .token = "TOKEN", .key_authorization = "TOKEN." THUMBPRINT,
	};
	assert_true(addr_list_add(&allow, "127.0.0.0/8", &p) && addr_list_add(&allow, "::1", &p));
	assert_true(http01_open(&options, &http, &p));
	if (!http01_prove(http, &task, &p))
		fail_msg("%s%s", p.detail, p.cause);
	assert_int_equal(atomic_load(&here.requests), 1);
	assert_in_range(clock_monotonic_ms() - began, full < 0 ? 0 : 550, 1100);
	const struct probe_task alone = {
		.type = "ip", .value = "::1", .token = "TOKEN", .key_authorization = "TOKEN." THUMBPRINT,
	};
	began = clock_monotonic_ms();
	assert_false(http01_prove(http, &alone, &p)); /* and one that is alone has all of it */
	assert_non_null(strstr(p.detail, full < 0 ? "" : "no connection in time"));
	assert_in_range(clock_monotonic_ms() - began, full < 0 ? 0 : 1150, 5000);
	close(filler);
	close(full);
	fake_http_stop(&here);
}

/* By its address: whom its name leads to would be for nobody to judge. */
static void a_proxy_is_named_by_its_address(void **state)
{
	static const struct {
		const char *proxy;
		bool want;
	} rows[] = {
		{ "http://192.0.2.1:3128", true }, { "socks5://192.0.2.1", true }, { "http://[2001:db8::1]:3128/", true },
		{ "http://proxy.example:3128", false }, { "192.0.2.1:3128", false }, { "http://user@192.0.2.1:3128", false },
		{ "http://", false }, { "", false },
	};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		auto_value(problem) p = {0};
		auto_struct(http01) *http = NULL;
		const struct http01_options options = { .http_port = 80, .https_port = 443, .dns = dns, .proxy = rows[i].proxy };

		if (http01_open(&options, &http, &p) != rows[i].want || p.kind != (rows[i].want ? PROBLEM_NONE : PROBLEM_MALFORMED))
			fail_msg("%s: %s", rows[i].proxy, p.detail);
	}
}

static void a_tls_hop_that_is_none_is_a_tls_problem(void **state)
{
	auto_value(problem) p = {0};
	auto_value(addr_list) allow = {0};
	auto_struct(http01) *http = NULL;
	const struct http01_options options = {
		.http_port = web.port, .https_port = web.port, .rules.allow = &allow, .timeout_ms = 3000,
		             .dns = dns,
	};
	const struct probe_task task = { .type = "dns", .value = "web.example", .token = "TO-NO-TLS",
	                                 .key_authorization = "TO-NO-TLS.x" };

	(void)state;
	assert_true(addr_list_add(&allow, "127.0.0.0/8", &p));
	assert_true(http01_open(&options, &http, &p));
	assert_false(http01_prove(http, &task, &p));
	assert_int_equal(p.kind, PROBLEM_TLS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(proves),
		cmocka_unit_test(refuses),
		cmocka_unit_test(slow_servers_end_at_the_deadline),
		cmocka_unit_test(the_request_is_plain),
		cmocka_unit_test(names_are_resolved_once),
		cmocka_unit_test(ipv6_comes_first),
		cmocka_unit_test(ipv4_is_no_second_chance),
		cmocka_unit_test(ipv4_has_its_turn_when_time_is_short),
		cmocka_unit_test(a_proxy_is_named_by_its_address),
		cmocka_unit_test(a_tls_hop_that_is_none_is_a_tls_problem),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
