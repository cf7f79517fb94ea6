#include "est/binding.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/base64.h"

/* Base64 of what the connection below is. */
#define UNIQUE "dW5pcXVl"
#define EXPORTED "ZWVlZWVlZWVlZWVlZWVlZWVlZWVlZWVlZWVlZWVlZWU="

static bool unique(const struct http_tls *tls, struct buf *ret)
{
	buf_add_str(ret, "unique");
	return str_equal(tls->version, "TLSv1.2");
}

static bool exporter(const struct http_tls *tls, uint8_t ret[32])
{
	memset(ret, 'e', 32);
	return str_equal(tls->version, "TLSv1.3");
}

static const struct row {
	const char *version, *challenge, *linking; /* version NULL: no TLS; of the others: it is not there */
	bool exporter, required, proxied;
	const char *want;                          /* in the refusal; NULL: right */
	bool want_close;
} rows[] = {
	{ "TLSv1.2", NULL, NULL, false, false, false, NULL },
	{ "TLSv1.2", NULL, NULL, false, true, false, "is required" },
	{ "TLSv1.2", UNIQUE, NULL, false, true, false, NULL },
	{ "TLSv1.2", NULL, UNIQUE, false, true, false, NULL },
	{ "TLSv1.2", UNIQUE, UNIQUE, false, true, false, NULL },
	{ "TLSv1.2", "", NULL, false, false, false, "challengePassword" },
	{ "TLSv1.2", NULL, "", false, true, false, "estIdentityLinking" },
	{ "TLSv1.2", UNIQUE, "", false, false, false, "estIdentityLinking" },
	{ "TLSv1.2", "wrong", NULL, false, false, false, "challengePassword" },
	{ "TLSv1.2", NULL, "wrong", false, false, false, "estIdentityLinking" },
	{ "TLSv1.2", "wrong", UNIQUE, false, false, false, "challengePassword" },
	{ "TLSv1.2", UNIQUE, "wrong", false, false, false, "estIdentityLinking" },
	{ "TLSv1.2", EXPORTED, NULL, true, false, false, "tls-unique" },
	{ "TLSv1.3", UNIQUE, NULL, false, false, false, "TLS 1.3 has no tls-unique" },
	{ "TLSv1.3", EXPORTED, NULL, false, false, false, "TLS 1.3 has no tls-unique" },
	{ "TLSv1.3", EXPORTED, NULL, true, true, false, NULL, true },
	{ "TLSv1.3", NULL, EXPORTED, true, true, false, NULL, true },
	{ "TLSv1.3", UNIQUE, NULL, true, true, false, "tls-exporter", true },
	/* What a proxy has ended is the proxy's connection, and not the client's. */
	{ "TLSv1.2", UNIQUE, NULL, false, false, true, "a proxy has ended" },
	{ "TLSv1.3", EXPORTED, NULL, true, false, true, "a proxy has ended" },
	{ NULL, UNIQUE, NULL, true, false, false, "a proxy has ended" },
	{ "TLSv1.2", NULL, NULL, false, false, true, NULL },
	{ "TLSv1.2", NULL, NULL, false, true, true, "is required" },
};

static void check(const struct row *row, size_t at, const struct identity *identity)
{
	struct http_tls tls = { .version = row->version, .unique = unique, .exporter = exporter };
	const struct http_request request = { .tls = row->version ? &tls : NULL };
	const struct authentication authentication = {
		.exporter = row->exporter, .binding = row->required ? AUTHENTICATION_BINDING_REQUIRED : 0,
	};
	struct http_response response = {0};
	const struct est_call call = {
		.request = &request, .response = &response, .authentication = &authentication, .proxied = row->proxied,
	};
	auto_value(problem) p = {0};
	struct csr csr = {0};

	csr.has_challenge_password = row->challenge;
	csr.has_identity_linking = row->linking;
	snprintf(csr.challenge_password, sizeof(csr.challenge_password), "%s", row->challenge ?: "");
	snprintf(csr.identity_linking, sizeof(csr.identity_linking), "%s", row->linking ?: "");
	bool right = binding_check(&call, identity, &csr, &p);
	if (right != !row->want || (row->want && !strstr(p.detail, row->want)))
		fail_msg("row %zu: %s", at, right ? "right" : p.detail);
	if (!right)
		assert_int_equal(p.kind, PROBLEM_UNAUTHORIZED);
	assert_int_equal(response.close, row->want_close);
}

static void test_rows(void **state)
{
	auto_struct(identity) *identity = NULL;
	auto_value(problem) p = {0};

	(void)state;
	assert_true(identity_anonymous("device", &identity, &p));
	for (size_t i = 0; i < array_length(rows); i++)
		check(&rows[i], i, identity);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_rows) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
