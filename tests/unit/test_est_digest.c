#include "est/digest.h"
#include "est/digest_nonce.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define PATH "/.well-known/est/a/simpleenroll"
#define ALL "username=\"u\", realm=\"enrolld\", nonce=\"n\", uri=\"" PATH "\", cnonce=\"c\", nc=00000001, qop=auth, "
#define MD5 "response=\"00112233445566778899aabbccddeeff\""
#define SHA "algorithm=SHA-256, response=\"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\""

static const struct row {
	const char *header;
	bool want, sha256;
} rows[] = {
	{ "Digest " ALL MD5, true, false },
	{ "digest " ALL SHA, true, true },
	{ "Digest " ALL MD5 ", algorithm=\"md5\", opaque=\"x\", other=token", true, false },
	{ "Digest   username = \"u\\\"\" ,realm=\"enrolld\",nonce=n,uri=\"/.well-known/est/simpleenroll\",cnonce=c,nc=FFFFFFFF,qop=\"auth\"," MD5, true, false },
	{ "Digest " ALL "response=\"00112233445566778899AABBCCDDEEFF\"", true, false },
	{ "Digest " ALL SHA ", algorithm=SHA-256", false, false },
	{ "Digest " ALL MD5 ",", true, false }, { "Digest , ," ALL ", ," MD5 " ,\t, ", true, false }, { "Digest " ALL MD5 " x", false, false },
	{ "Digest ,", false, false },
	{ "Digest " ALL MD5 ", x", false, false }, { "Digest " ALL MD5 ", x=\"", false, false }, { "Digest " ALL MD5 ", x=\"\\", false, false },
	{ "Digest " ALL "response=\"00\"", false, false }, { "Digest " ALL "algorithm=MD5-sess, " MD5, false, false },
	{ "Digest " ALL "algorithm=SHA-256, " MD5, false, false }, { "Digest ", false, false }, { "Digest username=\"u\"", false, false },
	{ "Basic " ALL MD5, false, false }, { "Digest username*=UTF-8''u, " MD5, false, false },
};

static void test_rows(void **state)
{
	const struct http_request request = { .path = PATH, .method_name = "POST" };

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		struct digest digest;
		auto_value(problem) p = {0};
		if (digest_read(rows[i].header, &request, &digest, &p) != rows[i].want)
			fail_msg("row %zu: %s", i, p.detail);
		if (rows[i].want)
			assert_int_equal(digest.sha256, rows[i].sha256);
		else
			assert_int_equal(p.kind, PROBLEM_MALFORMED);
	}
}

/* RFC 7616, 3.4 and 4: a name that is not of ASCII, in either form, and never in both. */
static void test_names_in_extended_notation(void **state)
{
	static const struct {
		const char *names, *want; /* NULL: refused */
	} cases[] = {
		{ "username*=UTF-8''J%C3%A4s%C3%B8n%20Doe", "J\xc3\xa4s\xc3\xb8n Doe" }, { "username*=utf-8'da'u", "u" },
		{ "username*=UTF-8''a, username=\"a\"", NULL }, { "username=\"a\", username*=UTF-8''a", NULL },
		{ "username*=UTF-8''a, username*=UTF-8''a", NULL }, { "username*=ISO-8859-1''%E4", NULL }, { "username*=UTF-8''%E4", NULL },
		{ "username*=UTF-8''a%0Ab", NULL }, { "username*=UTF-8''a%00", NULL }, { "username*=UTF-8''%4", NULL }, { "username*=UTF-8''%zz", NULL },
		{ "username*=UTF-8", NULL }, { "username*=UTF-8''", NULL }, { "username*=a", NULL },
	};
	const struct http_request request = { .path = PATH, .method_name = "POST" };

	(void)state;
	for (size_t i = 0; i < array_length(cases); i++) {
		auto_value(buf) header = {0};
		auto_value(problem) p = {0};
		struct digest digest;
		buf_printf(&header, "Digest %s, %s", cases[i].names, strchr(ALL MD5, ',') + 2);
		if (digest_read(buf_text(&header), &request, &digest, &p) != (cases[i].want != NULL))
			fail_msg("%s: %s", cases[i].names, p.detail);
		if (cases[i].want)
			assert_string_equal(digest.username, cases[i].want);
	}
}

/* All is right but for one parameter. */
static const struct part_row {
	const char *name, *value; /* in place of what is right */
	bool want;
} parts[] = {
	{ "username", "u", true }, { "username", "", false }, { "nonce", "", false }, { "cnonce", "", false }, { "realm", "other", false },
	{ "realm", "", false }, { "qop", "auth-int", false }, { "qop", "", false }, { "nc", "", false }, { "nc", "1", false },
	{ "nc", "0000000g", false }, { "nc", "00000000", false }, { "nc", "000000001", false }, { "nc", "00000002", true },
	{ "uri", "/.well-known/est/simpleenroll2", false }, { "uri", "/.well-known/est/simpleenrol", false },
	{ "uri", "/.well-known/tse/a/simpleenroll", false },
};

static void test_each_part_alone(void **state)
{
	static const char *const right[][2] = {
		{ "username", "u" }, { "realm", "enrolld" }, { "nonce", "n" }, { "uri", PATH }, { "cnonce", "c" }, { "nc", "00000001" }, { "qop", "auth" },
	};
	const struct http_request request = { .path = PATH, .method_name = "POST" };

	(void)state;
	for (size_t i = 0; i < array_length(parts); i++) {
		auto_value(buf) header = {0};
		auto_value(problem) p = {0};
		struct digest digest;
		buf_add_str(&header, "Digest ");
		for (size_t k = 0; k < array_length(right); k++)
			buf_printf(&header, "%s=\"%s\", ", right[k][0], str_equal(right[k][0], parts[i].name) ? parts[i].value : right[k][1]);
		buf_add_str(&header, MD5);
		if (digest_read(buf_text(&header), &request, &digest, &p) != parts[i].want)
			fail_msg("%s=%s: %s", parts[i].name, parts[i].value, p.detail);
	}
}

/* A parameter, or a header, of the size that there is room for, and one byte more. */
static void test_sizes(void **state)
{
	const struct http_request request = { .path = PATH, .method_name = "POST" };

	(void)state;
	for (int quoted = 0; quoted < 2; quoted++)
		for (size_t len = DIGEST_FIELD_SIZE - 2; len <= DIGEST_FIELD_SIZE + 1; len++) {
			auto_value(buf) header = {0};
			auto_value(problem) p = {0};
			struct digest digest;
			buf_printf(&header, "Digest " ALL MD5 ", opaque=%s", quoted ? "\"" : "");
			memset(buf_extend(&header, len), 'x', len);
			buf_add_str(&header, quoted ? "\"" : "");
			assert_int_equal(digest_read(buf_text(&header), &request, &digest, &p), len < DIGEST_FIELD_SIZE);
		}
	for (size_t more = DIGEST_HEADER_MAX - 500; more < DIGEST_HEADER_MAX + 500; more += 100) {
		auto_value(buf) header = {0};
		auto_value(problem) p = {0};
		struct digest digest;
		buf_add_str(&header, "Digest " ALL MD5);
		memset(buf_extend(&header, more), ' ', more);
		assert_int_equal(digest_read(buf_text(&header), &request, &digest, &p), header.len <= DIGEST_HEADER_MAX);
	}
}

static const struct uri_row {
	const char *uri, *path;
	bool want;
} uris[] = {
	{ PATH, PATH, true }, { PATH "/", PATH, true }, { PATH "?x", PATH, true }, { "https://ca.example:8443" PATH, PATH, true },
	{ "/.well-known/est/simpleenroll", PATH, true }, { "/.well-known/est/simpleenroll", "/.well-known/est/a/b/c/simpleenroll/", true },
	{ "/.well-known/est/simplereenroll", PATH, false }, { "/.well-known/est/b/simpleenroll", PATH, false }, { "/simpleenroll", PATH, false },
	{ "", PATH, false }, { "*", PATH, false }, { "https://x", PATH, false },
};

static void test_uris(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_length(uris); i++) {
		const struct http_request request = { .path = uris[i].path, .method_name = "POST" };
		struct digest digest;
		char header[600];
		auto_value(problem) p = {0};
		snprintf(header, sizeof(header), "Digest username=\"u\", realm=\"enrolld\", nonce=\"n\", uri=\"%s\", cnonce=\"c\", nc=00000001, "
		         "qop=auth, " MD5, uris[i].uri);
		if (digest_read(header, &request, &digest, &p) != uris[i].want)
			fail_msg("%s: %s", uris[i].uri, p.detail);
	}
}

enum { NOW = 1800000000 };

static void test_nonces(void **state)
{
	auto_struct(digest_nonces) *nonces = NULL, *others = NULL;
	char one[DIGEST_NONCE_SIZE], two[DIGEST_NONCE_SIZE], bent[DIGEST_NONCE_SIZE];
	auto_value(problem) p = {0};

	(void)state;
	assert_true(digest_nonces_open(&nonces, &p) && digest_nonces_open(&others, &p));
	assert_true(digest_nonce_make(nonces, NOW, one, &p) && digest_nonce_make(nonces, NOW, two, &p));
	assert_string_not_equal(one, two);
	assert_true(digest_nonce_use(nonces, one, 1, NOW));
	assert_false(digest_nonce_use(nonces, one, 1, NOW));   /* played again */
	assert_true(digest_nonce_use(nonces, one, 5, NOW + 300));
	assert_false(digest_nonce_use(nonces, one, 4, NOW));
	assert_false(digest_nonce_use(nonces, one, 6, NOW + 301)); /* old */
	assert_false(digest_nonce_use(others, two, 1, NOW));   /* of another start */
	for (size_t i = 0; i < sizeof(one) - 1; i++) {
		memcpy(bent, two, sizeof(two));
		bent[i] = bent[i] == 'A' ? 'B' : 'A';
		assert_false(digest_nonce_use(nonces, bent, 1, NOW));
	}
	assert_false(digest_nonce_use(nonces, "", 1, NOW));
	assert_false(digest_nonce_use(nonces, two, 1, NOW - 301)); /* not yet made: the clock was set back */
	assert_true(digest_nonce_use(nonces, two, 1, NOW));
}

/* However many are used, none that the table has forgotten counts again. */
static void test_forgotten_nonces(void **state)
{
	enum { MANY = 20000 };
	auto_struct(digest_nonces) *nonces = NULL;
	auto_free char(*made)[DIGEST_NONCE_SIZE] = calloc(MANY, DIGEST_NONCE_SIZE);
	auto_value(problem) p = {0};

	(void)state;
	assert_true(made && digest_nonces_open(&nonces, &p));
	for (size_t i = 0; i < MANY; i++) {
		assert_true(digest_nonce_make(nonces, NOW + (int64_t)i / 100, made[i], &p));
		(void)!digest_nonce_use(nonces, made[i], 1, NOW + (int64_t)i / 100);
	}
	for (size_t i = 0; i < MANY; i++)
		assert_false(digest_nonce_use(nonces, made[i], 1, NOW + 200));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows), cmocka_unit_test(test_each_part_alone), cmocka_unit_test(test_names_in_extended_notation), cmocka_unit_test(test_sizes), cmocka_unit_test(test_uris), cmocka_unit_test(test_nonces), cmocka_unit_test(test_forgotten_nonces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
