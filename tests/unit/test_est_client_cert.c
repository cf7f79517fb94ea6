#include "est/client_cert.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define PROXY "192.0.2.7"

static const struct row {
	const char *own, *chain, *more;  /* values of the headers; NULL: none */
	const char *from;
	int want;                        /* certificates; -1: refused */
	enum problem_kind want_kind;
} rows[] = {
	{ ":AQID:", NULL, NULL, PROXY, 1, 0 },
	{ ":AQI=:", ":AQID:, :BAUG:", NULL, PROXY, 3, 0 },
	{ ":AQID:", ":AQID:,:BAUG:", ":BwgJ:", PROXY, 4, 0 },
	{ ":AQID:", ":AQID: ,\t:BAUG:", NULL, PROXY, 3, 0 },
	{ NULL, NULL, NULL, PROXY, 0, 0 },
	/* from elsewhere */
	{ ":AQID:", NULL, NULL, "192.0.2.8", -1, PROBLEM_MALFORMED },
	{ NULL, ":AQID:", NULL, "192.0.2.8", -1, PROBLEM_MALFORMED },
	{ ":AQID:", NULL, NULL, "2001:db8::7", -1, PROBLEM_MALFORMED },
	{ NULL, NULL, NULL, "192.0.2.8", 0, 0 },
	/* RFC 9440, 2.3: no chain without its end */
	{ NULL, ":AQID:", NULL, PROXY, -1, PROBLEM_MALFORMED },
	/* not one byte sequence of RFC 8941 */
	{ "", NULL, NULL, PROXY, -1, PROBLEM_MALFORMED }, { "::", NULL, NULL, PROXY, -1, PROBLEM_MALFORMED },
	{ "AQID", NULL, NULL, PROXY, -1, PROBLEM_MALFORMED }, { ":AQID", NULL, NULL, PROXY, -1, PROBLEM_MALFORMED },
	{ "AQID:", NULL, NULL, PROXY, -1, PROBLEM_MALFORMED }, { ":AQI:", NULL, NULL, PROXY, -1, PROBLEM_MALFORMED },
	{ ":A QID:", NULL, NULL, PROXY, -1, PROBLEM_MALFORMED }, { ":AQ==AQ==:", NULL, NULL, PROXY, -1, PROBLEM_MALFORMED },
	{ ":AQI_:", NULL, NULL, PROXY, -1, PROBLEM_MALFORMED }, { ":AQID: ", NULL, NULL, PROXY, -1, PROBLEM_MALFORMED },
	{ ":AQID:;a=1", NULL, NULL, PROXY, -1, PROBLEM_MALFORMED }, { ":AQID:, :AQID:", NULL, NULL, PROXY, -1, PROBLEM_MALFORMED },
	{ "\"AQID\"", NULL, NULL, PROXY, -1, PROBLEM_MALFORMED }, { " :AQID:", NULL, NULL, PROXY, -1, PROBLEM_MALFORMED },
	{ ":AQID:", ":AQID:,", NULL, PROXY, -1, PROBLEM_MALFORMED }, { ":AQID:", ",:AQID:", NULL, PROXY, -1, PROBLEM_MALFORMED },
	{ ":AQID:", ":AQID:;:AQID:", NULL, PROXY, -1, PROBLEM_MALFORMED },
	{ ":AQID:", ":AQID: :AQID:", NULL, PROXY, -1, PROBLEM_MALFORMED }, { ":AQID:", "", NULL, PROXY, -1, PROBLEM_MALFORMED },
	/* too many */
	{ ":AQ==:", ":AQ==:,:AQ==:,:AQ==:,:AQ==:,:AQ==:,:AQ==:,:AQ==:,:AQ==:,:AQ==:,:AQ==:", NULL, PROXY, -1, PROBLEM_TOO_LARGE },
};

static bool read_row(const struct row *row, struct client_cert *ret, struct problem *p)
{
	struct http_header headers[3];
	struct http_request request = { .headers = headers };
	auto_value(addr_list) proxies = {0};

	if (row->chain)
		headers[request.header_count++] = (struct http_header){ "Client-Cert-Chain", row->chain };
	if (row->own)
		headers[request.header_count++] = (struct http_header){ "CLIENT-CERT", row->own };
	if (row->more)
		headers[request.header_count++] = (struct http_header){ "client-cert-chain", row->more };
	assert_true(addr_parse(row->from, &request.peer) && addr_list_add(&proxies, "192.0.2.0/29", p));
	return client_cert_read(&request, &proxies, ret, p);
}

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		auto_value(client_cert) shown = {0};
		auto_value(problem) p = {0};
		if (read_row(&rows[i], &shown, &p) != (rows[i].want >= 0))
			fail_msg("row %zu: %s", i, p.detail);
		assert_int_equal(p.kind, rows[i].want_kind);
		if (rows[i].want < 0)
			continue;
		assert_int_equal(shown.n, rows[i].want);
		if (shown.n > 0)
			assert_int_equal(shown.chain[0].data[0], 1);
		if (shown.n > 2)
			assert_memory_equal(shown.chain[2].data, "\x04\x05\x06", 3);
	}
}

/* Bytes are bounded, of one as of all. */
static void test_large(void **state)
{
	(void)state;
	for (size_t len = CLIENT_CERT_BYTES - 6; len <= CLIENT_CERT_BYTES + 6; len += 3) {
		auto_value(client_cert) shown = {0};
		auto_value(buf) raw = {0}, text = {0};
		auto_value(problem) p = {0};
		memset(buf_extend(&raw, len / 3 * 3), 1, len / 3 * 3);
		buf_add_str(&text, ":");
		buf_add_base64(&text, buf_bytes(&raw));
		buf_add_str(&text, ":");
		const struct row row = { ":AQID:", buf_text(&text), NULL, PROXY, 0, 0 };
		bool fits = 3 + raw.len <= CLIENT_CERT_BYTES;
		assert_int_equal(read_row(&row, &shown, &p), fits);
		if (!fits)
			assert_int_equal(p.kind, PROBLEM_TOO_LARGE);
	}
}

/* RFC 9440, 2.2: of two nobody knows which is the proxy's. */
static void test_twice(void **state)
{
	const struct http_header headers[] = { { "Client-Cert", ":AQID:" }, { "client-cert", ":AQID:" } };
	struct http_request request = { .headers = headers, .header_count = 2 };
	auto_value(addr_list) proxies = {0};
	auto_value(client_cert) shown = {0};
	auto_value(problem) p = {0};

	(void)state;
	assert_true(addr_parse(PROXY, &request.peer) && addr_list_add(&proxies, PROXY, &p));
	assert_false(client_cert_read(&request, &proxies, &shown, &p));
	assert_int_equal(p.kind, PROBLEM_MALFORMED);
}

/* What the connection shows is the client's, or the proxy's own. */
static void test_connection(void **state)
{
	const struct bytes chain[] = { BYTES("\x30\x00", 2) };
	const struct http_tls tls = { .chain = chain, .chain_length = 1 };
	struct http_request request = { .tls = &tls };
	auto_value(addr_list) proxies = {0};
	auto_value(client_cert) direct = {0}, proxied = {0};
	auto_value(problem) p = {0};

	(void)state;
	assert_true(addr_parse(PROXY, &request.peer));
	assert_true(client_cert_read(&request, &proxies, &direct, &p));
	assert_true(direct.n == 1 && !direct.proxied);
	assert_true(addr_list_add(&proxies, PROXY, &p) && client_cert_read(&request, &proxies, &proxied, &p));
	assert_true(proxied.n == 0 && proxied.proxied);
}

static void test_from(void **state)
{
	static const struct { const char *peer, *first, *last, *want; } froms[] = {
		{ PROXY, NULL, NULL, PROXY }, { PROXY, "198.51.100.1", NULL, "198.51.100.1" }, { PROXY, "203.0.113.9, 198.51.100.1", NULL, "198.51.100.1" },
		{ PROXY, "203.0.113.9, 10.0.0.1, 198.51.100.1", NULL, "198.51.100.1" }, { PROXY, "203.0.113.9", "198.51.100.1,2001:db8::1", "2001:db8::1" }, { PROXY, "unknown", NULL, PROXY }, { PROXY, "", NULL, PROXY },
		{ "192.0.2.8", "198.51.100.1", NULL, "192.0.2.8" }, /* nobody listed it */
	};

	(void)state;
	for (size_t i = 0; i < array_length(froms); i++) {
		const struct http_header headers[] = { { "x-forwarded-for", froms[i].first }, { "X-Forwarded-For", froms[i].last } };
		struct http_request request = { .headers = headers, .header_count = !!froms[i].first + (size_t)!!froms[i].last };
		auto_value(addr_list) proxies = {0};
		auto_value(problem) p = {0};
		char text[ADDR_TEXT_SIZE];
		assert_true(addr_parse(froms[i].peer, &request.peer) && addr_list_add(&proxies, PROXY, &p));
		const struct addr from = client_cert_from(&request, &proxies);
		addr_format(&from, text);
		assert_string_equal(text, froms[i].want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_rows), cmocka_unit_test(test_large), cmocka_unit_test(test_twice), cmocka_unit_test(test_connection), cmocka_unit_test(test_from) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
