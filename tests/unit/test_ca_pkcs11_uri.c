/* PKCS#11 URIs (RFC 7512): what of them is understood, and that the rest is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ca/pkcs11_uri.h"

static void uris_are_read(void **state)
{
	static const struct {
		const char *text, *want_token, *want_object, *want_serial;
		struct bytes want_id;
		long want_slot; /* -1: none */
	} rows[] = {
		{ "pkcs11:token=CA;object=issuing", "CA", "issuing", NULL, BYTES("", 0), -1 },
		{ "pkcs11:object=issuing;token=our%20CA;type=private", "our CA", "issuing", NULL, BYTES("", 0), -1 },
		{ "pkcs11:serial=0a1b;id=%00%ff%3B", NULL, NULL, "0a1b", BYTES("\x00\xff;", 3), -1 },
		{ "pkcs11:slot-id=42;id=abc", NULL, NULL, NULL, BYTES("abc", 3), 42 },
		{ "pkcs11:token=%C3%A9;object=a/b&c", "\xc3\xa9", "a/b&c", NULL, BYTES("", 0), -1 },
	};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		auto_value(pkcs11_uri) uri = { 0 };
		auto_value(problem) p = { 0 };
		assert_true(pkcs11_uri_parse(rows[i].text, &uri, &p));
		assert_string_equal(uri.token ?: "", rows[i].want_token ?: "");
		assert_string_equal(uri.object ?: "", rows[i].want_object ?: "");
		assert_string_equal(uri.serial ?: "", rows[i].want_serial ?: "");
		assert_true(bytes_equal(buf_bytes(&uri.id), rows[i].want_id));
		assert_int_equal(uri.has_slot ? (long)uri.slot : -1, rows[i].want_slot);
	}
}

static void other_uris_are_refused(void **state)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{ "", "does not begin" }, { "http://x", "does not begin" }, { "pkcs11:", "names no key" },
		{ "pkcs11:token=CA", "names no key" }, { "pkcs11:object=a", "names no token" },
		{ "pkcs11:token=CA;object=a;object=b", "twice" }, { "pkcs11:token=CA;id=a;id=b", "twice" },
		{ "pkcs11:token=CA;object=%2", "percent" }, { "pkcs11:token=CA;object=%g0", "percent" },
		{ "pkcs11:token=CA;object=a b", "percent" }, { "pkcs11:token=CA;object=a%00b", "cannot have" },
		{ "pkcs11:token=CA;object", "without a value" }, { "pkcs11:token=CA;colour=red;object=a", "not known" },
		{ "pkcs11:token=CA;object=a;type=public", "cannot have" }, { "pkcs11:slot-id=x;object=a", "cannot have" },
		{ "pkcs11:slot-id=;object=a", "cannot have" }, { "pkcs11:slot-id=-1;object=a", "cannot have" },
		{ "pkcs11:slot-id=%201;object=a", "cannot have" }, { "pkcs11:slot-id=1%00;object=a", "cannot have" },
		{ "pkcs11:token=CA;id=", "cannot have" },
		{ "pkcs11:token=CA;object=a?pin-value=1234", "query" },
	};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		auto_value(pkcs11_uri) uri = { 0 };
		auto_value(problem) p = { 0 };
		assert_false(pkcs11_uri_parse(rows[i].text, &uri, &p));
		assert_non_null(strstr(p.detail, rows[i].want));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(uris_are_read),
		cmocka_unit_test(other_uris_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
