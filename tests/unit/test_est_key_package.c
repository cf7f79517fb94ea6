/* When a key that was made here may go, and how (RFC 7030, 4.4). */
#include "est/key_package.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void server(const struct http_tls *tls, struct http_server *ret)
{
	(void)tls;
	*ret = (struct http_server){0};
}

static const struct row {
	const char *what;
	bool tls, own, confidential, encrypted;
	const char *symmetric, *asymmetric;
	enum problem_kind want_kind;
	const char *want; /* NULL: it may */
} rows[] = {
	{ "plain", true, true, true, false, "", "", 0, NULL },
	{ "a cipher that hides nothing", true, true, false, false, "", "", PROBLEM_UNAUTHORIZED, "does not hide" },
	{ "no TLS", false, false, false, false, "", "", PROBLEM_UNAUTHORIZED, "TLS connection to this server" },
	{ "a proxy's TLS", true, false, true, false, "", "", PROBLEM_UNAUTHORIZED, "no proxy" },
	{ "an encryption is wanted", true, true, true, true, "", "", PROBLEM_UNAUTHORIZED, "DecryptKeyIdentifier" },
	{ "two encryptions", true, true, true, false, "a", "b", PROBLEM_BAD_CSR, "both" },
	{ "no such key", true, true, true, false, "a", "", PROBLEM_UNAUTHORIZED, "DecryptKeyIdentifier" },
	{ "no such certificate", true, true, true, false, "", "b", PROBLEM_UNAUTHORIZED, "AsymmetricDecryptKeyIdentifier" },
};

static void plans(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		const struct row *row = &rows[i];
		const struct http_tls tls = { .confidential = row->confidential, .server = row->own ? server : NULL };
		const struct http_request request = { .tls = row->tls ? &tls : NULL };
		const struct profile profile = { .name = (char[]){ "made" }, .est = { .server_key_encrypted = row->encrypted } };
		const struct est_call call = { .request = &request, .profile = &profile };
		struct csr_delivery delivery = {0};
		auto_value(key_package) package = {0};
		auto_value(problem) p = {0};
		buf_add_str(&delivery.symmetric, row->symmetric);
		buf_add_str(&delivery.asymmetric, row->asymmetric);
		bool may = key_package_plan(&call, &delivery, &package, &p);
		if (may != !row->want || (row->want && (p.kind != row->want_kind || !strstr(p.detail, row->want))))
			fail_msg("%s: %s", row->what, p.detail);
		assert_true(!may || key_package_is_plain(&package));
		buf_free(&delivery.symmetric);
		buf_free(&delivery.asymmetric);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(plans) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
