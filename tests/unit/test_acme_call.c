#include "tests/unit/acme_fixture.h"

static void text_of(const struct problem *p, const char *request_id, struct buf *ret)
{
	acme_problem_write(p, request_id, ret);
}

static void a_problem_is_plain(void **state)
{
	auto_value(problem) p = { 0 };
	auto_value(buf) text = { 0 };

	(void)state;
	problem_set(&p, PROBLEM_BAD_CSR, "RFC 8555, 7.4: \"%s\" is wrong", "it");
	text_of(&p, "req-1", &text);
	assert_string_equal(buf_text(&text), "{\"type\":\"urn:ietf:params:acme:error:badCSR\","
	                                     "\"detail\":\"RFC 8555, 7.4: \\\"it\\\" is wrong\",\"status\":400}");
}

/* RFC 8555, 6.7.1 */
static void parts_name_their_identifiers(void **state)
{
	auto_value(problem) p = { 0 };
	auto_value(buf) text = { 0 };

	(void)state;
	problem_add(&p, PROBLEM_MALFORMED, "dns", "_example.org", "an underscore");
	problem_add(&p, PROBLEM_REJECTED_IDENTIFIER, "dns", "example.net", "not ours");
	problem_add(&p, PROBLEM_CAA, NULL, NULL, "at large");
	assert_false(problem_settle(&p, "some names were refused"));
	text_of(&p, "req-1", &text);
	assert_string_equal(buf_text(&text),
	                    "{\"type\":\"urn:ietf:params:acme:error:compound\",\"detail\":\"some names were refused\",\"status\":400,"
	                    "\"subproblems\":["
	                    "{\"type\":\"urn:ietf:params:acme:error:malformed\",\"detail\":\"an underscore\","
	                    "\"identifier\":{\"type\":\"dns\",\"value\":\"_example.org\"}},"
	                    "{\"type\":\"urn:ietf:params:acme:error:rejectedIdentifier\",\"detail\":\"not ours\","
	                    "\"identifier\":{\"type\":\"dns\",\"value\":\"example.net\"}},"
	                    "{\"type\":\"urn:ietf:params:acme:error:caa\",\"detail\":\"at large\"}]}");
}

/* The cause stays here; the request's id is what client and operator have in common. */
static void causes_are_not_told(void **state)
{
	auto_value(problem) p = { 0 };
	auto_value(buf) text = { 0 }, bare = { 0 };

	(void)state;
	problem_internal(&p, "secret cause %d", 7);
	text_of(&p, "req-1", &text);
	assert_null(strstr(buf_text(&text), "secret"));
	assert_non_null(strstr(buf_text(&text), "\"type\":\"urn:ietf:params:acme:error:serverInternal\""));
	assert_non_null(strstr(buf_text(&text), "\"instance\":\"urn:enrolld:request:req-1\""));
	text_of(&p, NULL, &bare);
	assert_null(strstr(buf_text(&bare), "instance"));
	buf_clear(&text);
	problem_unavailable(&p, 5, "disk %s", "full");
	text_of(&p, "req-1", &text);
	assert_null(strstr(buf_text(&text), "full"));
	assert_non_null(strstr(buf_text(&text), "\"status\":503"));
}

static void algorithms_are_listed(void **state)
{
	static const char *const names[] = { "ES256", "EdDSA", NULL };
	auto_value(problem) p = { 0 };
	auto_value(buf) text = { 0 };

	(void)state;
	problem_set(&p, PROBLEM_BAD_SIGNATURE_ALGORITHM, "no");
	p.algorithms = names;
	text_of(&p, NULL, &text);
	assert_non_null(strstr(buf_text(&text), "\"algorithms\":[\"ES256\",\"EdDSA\"]}"));
}

static void urls_are_whole(void **state)
{
	static const struct {
		const char *kind, *id, *more, *want;
	} rows[] = {
		{ "new-order", NULL, NULL, FIXTURE_BASE "/acme/default/new-order" },
		{ "order", "ID", NULL, FIXTURE_BASE "/acme/default/order/ID" },
		{ "order", "ID", "finalize", FIXTURE_BASE "/acme/default/order/ID/finalize" },
	};
	struct http_request request = { .base_url = FIXTURE_BASE };
	auto_value(http_response) response = { 0 };
	struct acme_call call = { .request = &request, .response = &response, .directory = "default" };

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		auto_value(buf) url = { 0 }, want = { 0 };
		acme_url(&call, &url, rows[i].kind, rows[i].id, rows[i].more);
		assert_string_equal(buf_text(&url), rows[i].want);
		buf_clear(&response.headers);
		acme_location(&call, rows[i].kind, rows[i].id, rows[i].more);
		acme_link(&call, "up", rows[i].kind, rows[i].id, rows[i].more);
		buf_printf(&want, "Location: %s\r\nLink: <%s>;rel=\"up\"\r\n", rows[i].want, rows[i].want);
		assert_string_equal(buf_text(&response.headers), buf_text(&want));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_problem_is_plain),
		cmocka_unit_test(parts_name_their_identifiers),
		cmocka_unit_test(causes_are_not_told),
		cmocka_unit_test(algorithms_are_listed),
		cmocka_unit_test(urls_are_whole),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
