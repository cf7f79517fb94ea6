#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "acme/http_reply.h"

#define OK "HTTP/1.1 200 OK\r\n"

/* Feeds at most `step` bytes at a time, then ends the connection. */
static void read_all(const char *text, size_t len, size_t step, struct http_reply *reply, struct fetch *get)
{
	bool more = true;

	*get = (struct fetch){0};
	http_reply_begin(reply, get);
	for (size_t i = 0; i < len && more; i += step)
		more = http_reply_feed(reply, BYTES(text + i, len - i < step ? len - i : step));
	http_reply_end(reply);
}

static void replies(void **state)
{
	static const struct {
		const char *text;
		long want_status;
		const char *want_body, *want_location, *want_fault;
	} rows[] = {
		{ OK "Content-Length: 3\r\n\r\nabcd", 200, "abc", "", NULL },
		{ OK "\r\nto the end", 200, "to the end", "", NULL },
		{ OK "CONTENT-LENGTH:3 \r\n\r\nabc", 200, "abc", "", NULL },
		{ OK "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", 200, "abc", "", NULL },
		{ OK "Content-Length: 0\r\n\r\n", 200, "", "", NULL },
		{ OK "Content-Length: 000000000000003\r\n\r\nabc", 200, "abc", "", NULL },
		{ OK "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n00000001\r\na\r\n0\r\n\r\n", 200, "a", "", NULL },
		{ "HTTP/1.0 200\n\nbare line feeds", 200, "bare line feeds", "", NULL },
		{ OK "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1;x=y\r\nc\r\n0\r\nTrailer: x\r\n\r\n", 200, "abc", "", NULL },
		{ OK "Transfer-Encoding: Chunked\r\nContent-Length: 1\r\n\r\n0003\r\nabc\r\n0\r\n\r\n", 200, "abc", "", NULL },
		{ "HTTP/1.1 100 Continue\r\nContent-Length: 9\r\n\r\n" OK "Content-Length: 1\r\n\r\na", 200, "a", "", NULL },
		{ "HTTP/1.1 103 Early\r\nLocation: /no\r\n\r\n" OK "\r\na", 200, "a", "", NULL },
		{ "HTTP/1.1 302 Found\r\nLocation:  /there \r\nContent-Length: 5\r\n\r\n", 302, "", "/there", NULL },
		{ "HTTP/1.1 302 Found\r\nX-Location: /no\r\nLocation : /no\r\n\r\n", 302, "", "", NULL },
		{ "HTTP/1.1 302 Found\r\nAllotion: /no\r\n\r\n", 302, "", "", NULL },
		{ "HTTP/1.1 404 Not Found\r\n\r\nsecret", 404, "", "", NULL },
		{ "HTTP/1.1 101 Switching\r\n\r\nsecret", 101, "", "", NULL },
		/* what is wrong */
		{ "", 0, "", "", "closed the connection early" },
		{ "SSH-2.0-OpenSSH_9.2\r\n", 0, "", "", "no HTTP" },
		{ "HTTP/2 200\r\n\r\n", 0, "", "", "no HTTP" },
		{ "HTTP/1.1 20 OK\r\n\r\n", 0, "", "", "no HTTP" },
		{ "HTTP/1.1 2000 OK\r\n\r\n", 0, "", "", "no HTTP" },
		{ "HTTP/1.1  200 OK\r\n\r\n", 0, "", "", "no HTTP" },
		{ "HTTP/1.1 -20 OK\r\n\r\n", 0, "", "", "no HTTP" },
		{ "XTTP/1.1 200 OK\r\n\r\n", 0, "", "", "no HTTP" },
		{ "HTTP/1.x 200 OK\r\n\r\n", 0, "", "", "no HTTP" },
		{ "HTTP/1.1\t200 OK\r\n\r\n", 0, "", "", "no HTTP" },
		{ "HTTP/1.1 200-OK\r\n\r\n", 0, "", "", "no HTTP" },
		{ OK "Content-Length: 4\r\n\r\nabc", 200, "abc", "", "closed the connection early" },
		{ OK "Content-Length: 4\r\nContent-Length: 3\r\n\r\nabc", 200, "", "", "Content-Length" },
		{ OK "Content-Length: -1\r\n\r\n", 200, "", "", "Content-Length" },
		{ OK "Content-Length: 1,1\r\n\r\na", 200, "", "", "Content-Length" },
		{ OK "Content-Length:\r\n\r\n", 200, "", "", "Content-Length" },
		{ OK "Content-Length: 0000000000000003\r\n\r\nabc", 200, "", "", "Content-Length" },
		{ OK "Content-Length: 18446744073709551617\r\n\r\n", 200, "", "", "Content-Length" },
		{ OK "Transfer-Encoding: gzip, chunked\r\n\r\n", 200, "", "", "transfer coding" },
		{ OK "Transfer-Encoding: chunked\r\n\r\nx\r\n", 200, "", "", "chunks" },
		{ OK "Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n", 200, "a", "", "chunks" },
		{ OK "Transfer-Encoding: chunked\r\n\r\n100000000\r\n", 200, "", "", "chunks" },
		{ OK "Transfer-Encoding: chunked\r\n\r\n;x=y\r\n\r\n", 200, "", "", "chunks" },
		{ OK "Transfer-Encoding: chunked\r\n\r\n1g\r\na\r\n0\r\n\r\n", 200, "", "", "chunks" },
		{ OK "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n", 200, "a", "", "closed the connection early" },
		{ OK "Content-Length: 1", 200, "", "", "closed the connection early" },
	};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		for (size_t step = 1; step < 200; step += 40) {
			struct http_reply reply;
			struct fetch get;

			read_all(rows[i].text, strlen(rows[i].text), step, &reply, &get);
			assert_int_equal(reply.state, rows[i].want_fault ? HTTP_REPLY_BROKEN : HTTP_REPLY_DONE);
			if (rows[i].want_fault && !strstr(reply.fault, rows[i].want_fault))
				fail_msg("%s: %s", rows[i].text, reply.fault);
			assert_int_equal(get.status, rows[i].want_status);
			assert_string_equal(get.location, rows[i].want_location);
			assert_int_equal(get.body_len, strlen(rows[i].want_body));
			assert_memory_equal(get.body, rows[i].want_body, get.body_len);
			assert_false(get.too_long);
		}
	}
}

static void a_header_with_a_nul_is_none(void **state)
{
	static const char text[] = "HTTP/1.1 302 Found\r\nLocation: /here\0/there\r\n\r\n";
	static const char length[] = OK "Content-Length: 1\0" "0\r\n\r\na";
	static const char coding[] = OK "Transfer-Encoding: chunked\0" "x\r\n\r\n0\r\n\r\n";
	struct http_reply reply;
	struct fetch get;

	(void)state;
	read_all(text, sizeof(text) - 1, 7, &reply, &get);
	assert_int_equal(reply.state, HTTP_REPLY_DONE);
	assert_string_equal(get.location, "");
	read_all(length, sizeof(length) - 1, 7, &reply, &get);
	assert_int_equal(reply.state, HTTP_REPLY_BROKEN);
	read_all(coding, sizeof(coding) - 1, 7, &reply, &get);
	assert_int_equal(reply.state, HTTP_REPLY_BROKEN);
}

static void location_of(size_t len, struct fetch *ret)
{
	auto_value(buf) text = {0};
	struct http_reply reply;

	buf_add_str(&text, "HTTP/1.1 302 Found\r\nLocation: /");
	for (size_t i = 1; i < len; i++)
		buf_add_char(&text, 'x');
	buf_add_str(&text, "\r\n\r\n");
	read_all(buf_text(&text), text.len, 1000, &reply, ret);
	assert_int_equal(reply.state, HTTP_REPLY_DONE);
}

static void a_long_location_is_none(void **state)
{
	struct fetch get;

	(void)state;
	location_of(FETCH_LOCATION_MAX, &get);
	assert_int_equal(strlen(get.location), FETCH_LOCATION_MAX);
	location_of(FETCH_LOCATION_MAX + 1, &get);
	assert_string_equal(get.location, "");
	location_of(9000, &get);
	assert_string_equal(get.location, "");
}

static void content_has_a_bound(void **state)
{
	static const char *const heads[] = {
		OK "\r\n", OK "Content-Length: 100000\r\n\r\n", OK "Transfer-Encoding: chunked\r\n\r\nfff\r\n",
	};

	(void)state;
	for (size_t i = 0; i < array_length(heads); i++) {
		auto_value(buf) text = {0};
		struct http_reply reply;
		struct fetch get;

		buf_add_str(&text, heads[i]);
		for (size_t n = 0; n < FETCH_BODY_MAX; n++)
			buf_add_char(&text, 'x');
		read_all(buf_text(&text), text.len, 100, &reply, &get);
		assert_false(get.too_long);
		buf_add_char(&text, 'x');
		read_all(buf_text(&text), text.len, 100, &reply, &get);
		assert_int_equal(reply.state, HTTP_REPLY_DONE);
		assert_true(get.too_long);
	}
}

/* Lines of the head, of chunks and of trailers together. */
static void lines_have_a_bound(void **state)
{
	static const char *const begins[] = {
		OK, OK "Transfer-Encoding: chunked\r\n\r\n0\r\n", "HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 200 ",
	};

	(void)state;
	for (size_t i = 0; i < array_length(begins); i++) {
		auto_value(buf) text = {0};
		struct http_reply reply;
		struct fetch get;

		buf_add_str(&text, begins[i]);
		for (int n = 0; n < 2000; n++)
			buf_add_str(&text, i == 2 ? "HTTP/1.1 100 Continue\r\n\r\n" : i == 3 ? "xxxxxxxxxx" : "X-Y: 0123456789\r\n");
		read_all(buf_text(&text), text.len, 1000, &reply, &get);
		assert_int_equal(reply.state, HTTP_REPLY_BROKEN);
		assert_string_equal(reply.fault, "too many header lines");
	}
	for (size_t over = 0; over < 2; over++) { /* 16 KiB, and a byte more */
		auto_value(buf) text = {0};
		struct http_reply reply;
		struct fetch get;

		buf_add_str(&text, OK "X: ");
		while (text.len < 16384 + over - 4)
			buf_add_char(&text, 'x');
		buf_add_str(&text, "\r\n\r\n");
		read_all(buf_text(&text), text.len, 1000, &reply, &get);
		assert_int_equal(reply.state, over ? HTTP_REPLY_BROKEN : HTTP_REPLY_DONE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(replies),
		cmocka_unit_test(a_header_with_a_nul_is_none),
		cmocka_unit_test(a_long_location_is_none),
		cmocka_unit_test(content_has_a_bound),
		cmocka_unit_test(lines_have_a_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
