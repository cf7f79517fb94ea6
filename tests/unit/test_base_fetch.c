#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <poll.h>

#include "base/clock.h"
#include "base/fetch.h"
#include "tests/unit/fake_http.h"

static struct fake_http web;
static struct fetcher *fetcher;

/* "/far-2000": a Location, or with "/fat-" another header, so long; "/early": one of an interim reply alone. */
static bool answer_at_length(int fd, const char *request)
{
	bool location = strstr(request, "/far-"), early = strstr(request, "/early ");
	const char *at = location ? strstr(request, "/far-") : strstr(request, "/fat-");
	size_t len = at ? strtoul(at + 5, NULL, 10) : 0;
	auto_value(buf) text = {0};

	buf_add_str(&text, early ? "HTTP/1.1 103 Early\r\nLocation: /no\r\n\r\nHTTP/1.1 200 OK\r\n" : "HTTP/1.1 302 Found\r\n");
	if (at)
		buf_add_str(&text, location ? "Location: " : "X: ");
	for (size_t i = 0; i < len; i++)
		buf_add_char(&text, i ? 'x' : '/');
	buf_add_str(&text, at ? "\r\nContent-Length: 0\r\n\r\n" : "Content-Length: 0\r\n\r\n");
	if (at || early)
		fake_http_send(fd, buf_text(&text));
	return at || early;
}

/* The path says what is answered. */
static void answer(struct fake_http *server, int fd, const char *request)
{
	struct pollfd gone = { .fd = fd, .events = POLLIN };
	bool redirects = strstr(request, "/moved "), long_one = strstr(request, "/long "), stalls = strstr(request, "/stall ");

	(void)server;
	if (answer_at_length(fd, request))
		return;
	if (stalls)
		poll(&gone, 1, 10000);
	else if (redirects)
		fake_http_send(fd, "HTTP/1.1 302 Found\r\nLocation: \t/there\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n");
	else
		fake_http_send(fd, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
	for (int i = 0; i < (long_one ? 200 : 1) && !redirects && !stalls; i++)
		fake_http_send(fd, "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
		                   "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
		                   "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
		                   "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef");
}

static int setup(void **state)
{
	auto_value(problem) p = {0};

	(void)state;
	web.handler = answer;
	fake_http_start(&web);
	return fetcher_open(&fetcher, &p) ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	fetcher_close(fetcher);
	fake_http_stop(&web);
	return 0;
}

/* One request to the server here, for a name that is not resolved. */
struct asking {
	struct fetch_url *url;
	struct fetch get;
	struct problem p;
};

static void asking_free(struct asking *a)
{
	fetch_url_free(a->url);
	problem_done(&a->p);
}
declare_auto_value(asking, asking_free);

static void point(struct asking *a, const char *path)
{
	auto_free char *text = mem_printf("http://a.example:%u%s", web.port, path);

	assert_true(fetch_url_parse(text, &a->url, &a->p));
	a->get = (struct fetch){ .url = a->url, .port = web.port, .timeout_ms = 10000, .connect_ms = 10000 };
	assert_true(addr_parse("127.0.0.1", &a->get.addr));
}

static void asks(void **state)
{
	static const char *const lines[] = { "X-One: 1", "X-Two: 2", NULL };
	auto_value(asking) a = {0};

	(void)state;
	point(&a, "/there?q=1");
	a.get.headers = lines;
	assert_true(fetch_run(fetcher, &a.get, &a.p));
	assert_true(a.get.answered && a.get.connected);
	assert_int_equal(a.get.status, 200);
	assert_int_equal(a.get.body_len, 384);
	assert_false(a.get.too_long);
	assert_true(str_starts(web.last, "GET /there?q=1 HTTP/1.1\r\n"));
	assert_non_null(strstr(web.last, "\r\nX-One: 1\r\n"));
	assert_non_null(strstr(web.last, "\r\nX-Two: 2\r\n"));
}

static void nothing_is_followed(void **state)
{
	auto_value(asking) a = {0};

	(void)state;
	point(&a, "/moved");
	assert_true(fetch_run(fetcher, &a.get, &a.p));
	assert_int_equal(a.get.status, 302);
	assert_string_equal(a.get.location, "/there");
	assert_int_equal(a.get.retry_after, 7);
}

static void heads_have_bounds(void **state)
{
	static const struct {
		const char *path;
		bool want;
		size_t want_location;
	} rows[] = {
		{ "/far-2000", true, FETCH_LOCATION_MAX }, { "/far-2001", true, 0 }, { "/far-9000", true, 0 },
		{ "/early", true, 0 }, { "/fat-16000", true, 0 }, { "/fat-17000", false, 0 },
	};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		auto_value(asking) a = {0};

		point(&a, rows[i].path);
		if (fetch_run(fetcher, &a.get, &a.p) != rows[i].want || strlen(a.get.location) != rows[i].want_location)
			fail_msg("%s: %zu, %s", rows[i].path, strlen(a.get.location), a.p.detail);
		assert_true(rows[i].want || strstr(a.p.detail, "too many header lines"));
	}
}

static void bodies_have_bounds(void **state)
{
	auto_value(asking) get = {0};
	auto_value(asking) post = {0};
	unsigned before = atomic_load(&web.requests);

	(void)state;
	point(&get, "/long");
	assert_true(fetch_run(fetcher, &get.get, &get.p));
	assert_true(get.get.too_long && get.get.body_len <= FETCH_BODY_MAX);
	point(&post, "/long");
	post.get.post = BYTES_STR("{}");
	assert_true(fetch_run(fetcher, &post.get, &post.p));
	assert_true(post.get.too_long && post.get.body_len <= FETCH_DROPPED_MAX);
	assert_int_equal(atomic_load(&web.requests), before + 2);
	assert_true(str_starts(web.last, "POST /long HTTP/1.1\r\n"));
	assert_null(strcasestr(web.last, "\r\nExpect:"));
}

/* With a certificate store or a proxy less than was said, what follows would be another request than was judged. */
static void an_option_that_is_not_taken_ends_the_request(void **state)
{
	enum { TOO_LONG = 8 * 1000 * 1000 + 1 }; /* libcurl takes no longer text */
	auto_free char *text = calloc(1, TOO_LONG + 1);
	unsigned before = atomic_load(&web.requests);

	(void)state;
	memset(text, 'x', TOO_LONG);
	for (int i = 0; i < 2; i++) {
		auto_value(asking) a = {0};

		point(&a, "/there");
		if (i)
			a.get.proxy = text;
		else
			a.get.trust = text;
		a.get.proxy_addr = a.get.addr;
		assert_false(fetch_run(fetcher, &a.get, &a.p));
		assert_int_equal(a.p.kind, PROBLEM_INTERNAL);
	}
	assert_int_equal(atomic_load(&web.requests), before);
	auto_value(asking) next = {0};
	point(&next, "/there");
	assert_true(fetch_run(fetcher, &next.get, &next.p));
}

/* What the system resolves is judged in the moment of connecting to it. */
static void each_address_is_judged(void **state)
{
	auto_value(addr_list) allow = {0};
	struct outbound_rules rules = {0};
	unsigned before = atomic_load(&web.requests);

	(void)state;
	for (int i = 0; i < 2; i++) {
		auto_value(asking) a = {0};
		auto_free char *text = mem_printf("http://localhost:%u/", web.port);

		point(&a, "/");
		fetch_url_free(steal(a.url));
		assert_true(fetch_url_parse(text, &a.url, &a.p));
		a.get.url = a.url;
		a.get.addr = (struct addr){0};
		a.get.rules = &rules;
		if (i == 0) {
			assert_false(fetch_run(fetcher, &a.get, &a.p));
			assert_non_null(strstr(a.p.detail, "(loopback)"));
			assert_int_equal(a.p.kind, PROBLEM_CONNECTION);
			assert_int_equal(atomic_load(&web.requests), before);
			assert_true(addr_list_add(&allow, "127.0.0.0/8", &a.p));
			rules.allow = &allow;
		} else {
			assert_true(fetch_run(fetcher, &a.get, &a.p));
		}
	}
}

static void the_clock_and_who_asked_can_end_it(void **state)
{
	static const atomic_bool gone = true;
	auto_value(asking) slow = {0};
	auto_value(asking) given_up = {0};
	int64_t began = clock_monotonic_ms();

	(void)state;
	point(&slow, "/stall");
	slow.get.timeout_ms = 300;
	assert_false(fetch_run(fetcher, &slow.get, &slow.p));
	assert_non_null(strstr(slow.p.detail, "no whole answer in time"));
	point(&given_up, "/stall");
	given_up.get.cancel = &gone;
	assert_false(fetch_run(fetcher, &given_up.get, &given_up.p));
	assert_in_range(clock_monotonic_ms() - began, 290, 5000);
}

static void urls_are_told_apart(void **state)
{
	static const struct {
		const char *text, *host;  /* NULL: of no use */
		unsigned port;
		bool https;
	} rows[] = {
		{ "http://a.example/x", "a.example", 80, false }, { "https://a.example:8443", "a.example", 8443, true },
		{ "HTTPS://A.example/", "A.example", 443, true }, { "http://[2001:db8::1]:81/", "2001:db8::1", 81, false },
		{ "http://0x7f.1/", "127.0.0.1", 80, false }, { "http://a%2eexample/", "a.example", 80, false },
		{ "http://user@a.example/", NULL, 0, false }, { "http://user:pass@a.example/", NULL, 0, false },
		{ "http://[fe80::1%25lo]/", NULL, 0, false }, { "http://[fe80::1%25]/", NULL, 0, false },
		{ "ftp://a.example/", NULL, 0, false }, { "file:///etc/passwd", NULL, 0, false },
		{ "gopher://a.example/", NULL, 0, false }, { "http://a b/", NULL, 0, false },
		{ "http://a.example/\r\nX: y", NULL, 0, false }, { "http://b\xc3\xbc.example/", NULL, 0, false },
		{ "http://a.example:99999/", NULL, 0, false }, { "http://a%00.example/", NULL, 0, false },
		{ "http://a!example/", NULL, 0, false }, { "", NULL, 0, false },
	};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		auto_value(problem) p = {0};
		auto_struct(fetch_url) *url = NULL;
		struct fetch_url_parts parts;
		bool good = fetch_url_parse(rows[i].text, &url, &p) && fetch_url_parts(url, &parts);

		if (good != (rows[i].host != NULL) ||
		    (good && (!str_equal(parts.host, rows[i].host) || parts.port != rows[i].port || parts.https != rows[i].https)))
			fail_msg("%s: %s", rows[i].text, good ? parts.host : "of no use");
	}
}

/* The longest name that DNS has is the longest host. */
static void hosts_have_a_bound(void **state)
{
	(void)state;
	for (size_t len = 253; len <= 254; len++) {
		auto_value(buf) text = {0};
		auto_value(problem) p = {0};
		auto_struct(fetch_url) *url = NULL;
		struct fetch_url_parts parts;

		buf_add_str(&text, "http://");
		for (size_t i = 0; i < len; i++)
			buf_add_char(&text, i % 50 == 49 ? '.' : 'a');
		assert_true(fetch_url_parse(buf_text(&text), &url, &p));
		assert_int_equal(fetch_url_parts(url, &parts), len == 253);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(asks),
		cmocka_unit_test(nothing_is_followed),
		cmocka_unit_test(heads_have_bounds),
		cmocka_unit_test(bodies_have_bounds),
		cmocka_unit_test(an_option_that_is_not_taken_ends_the_request),
		cmocka_unit_test(each_address_is_judged),
		cmocka_unit_test(the_clock_and_who_asked_can_end_it),
		cmocka_unit_test(urls_are_told_apart),
		cmocka_unit_test(hosts_have_a_bound),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
