/* The wing of CRLs and OCSP with its thread: how refusals are worded, and many readers while
 * certificates are revoked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <pthread.h>

#include <cmocka.h>

#include <openssl/ocsp.h>

#include "server/revocation.h"
#include "tests/unit/test_ca_status.h"

declare_auto(OCSP_REQUEST, OCSP_REQUEST_free);

enum { CRL, OCSP_POST, OCSP_GET, OCSP_EMPTY };
static const struct revocation_options options = {
	.crl = { .lifetime = TEST_DAY, .interval = 3600, .pause_ms = 100 }, .crl_max_age = 600,
	.ocsp = { .lifetime = 3600, .responder_lifetime = TEST_DAY, .nonce = true, .cache_places = 16 },
};

static struct http_request request_of(enum http_method method, const char *path, const char *first, const char *second)
{
	struct http_request request = { .method = method, .method_name = http_method_name(method), .path = path, .query = "" };

	strcpy(request.captures[0], first);
	strcpy(request.captures[1], second);
	return request;
}

/* --- refusals */

static void refusals_are_worded_for_who_asks(void **state)
{
	static const struct {
		enum problem_kind kind;
		size_t route;
		int want_status;
		const char *want_type, *want_body; /* body NULL: problem+json */
	} rows[] = {
		{ PROBLEM_MALFORMED, OCSP_POST, 200, "application/ocsp-response", "\x30\x03\x0a\x01\x01" },
		{ PROBLEM_MALFORMED, OCSP_GET, 200, "application/ocsp-response", "\x30\x03\x0a\x01\x01" },
		{ PROBLEM_MALFORMED, OCSP_EMPTY, 200, "application/ocsp-response", "\x30\x03\x0a\x01\x01" },
		{ PROBLEM_UNAUTHORIZED, OCSP_POST, 200, "application/ocsp-response", "\x30\x03\x0a\x01\x06" },
		{ PROBLEM_UNAVAILABLE, OCSP_POST, 503, "application/ocsp-response", "\x30\x03\x0a\x01\x03" },
		{ PROBLEM_INTERNAL, OCSP_GET, 500, "application/ocsp-response", "\x30\x03\x0a\x01\x02" },
		{ PROBLEM_NOT_FOUND, OCSP_POST, 404, "application/problem+json", NULL },
		{ PROBLEM_TOO_LARGE, OCSP_POST, 413, "application/problem+json", NULL },
		{ PROBLEM_UNSUPPORTED_MEDIA_TYPE, OCSP_POST, 415, "application/problem+json", NULL },
		{ PROBLEM_UNAVAILABLE, CRL, 503, "application/problem+json", NULL },
		{ PROBLEM_METHOD_NOT_ALLOWED, 4, 405, "application/problem+json", NULL },
		{ PROBLEM_MALFORMED, 4, 400, "application/problem+json", NULL },
	};
	const struct http_wing wing = revocation_wing(NULL);
	const struct http_request request = request_of(HTTP_POST, "/ocsp/issuing", "issuing", "");

	(void)state;
	assert_int_equal(wing.route_count, 4);
	for (size_t i = 0; i < array_length(rows); i++) {
		const struct problem p = { .kind = rows[i].kind, .retry_after = rows[i].want_status == 503 ? 9 : 0, .cause = "secret" };
		auto_value(http_response) response = { 0 };
		wing.refuse(wing.state, rows[i].route, &request, &p, &response);
		assert_int_equal(response.status, rows[i].want_status);
		assert_string_equal(response.content_type, rows[i].want_type);
		if (rows[i].want_body)
			assert_true(bytes_equal(buf_bytes(&response.body), BYTES(rows[i].want_body, 5)));
		else
			assert_null(strstr(buf_text(&response.body), "secret"));
		assert_int_equal(strstr(buf_text(&response.headers), "Retry-After: 9\r\n") != NULL, rows[i].want_status == 503);
	}
}

/* --- with the thread */

static struct revocation_service *service;

static void open_service(void)
{
	auto_value(problem) p = { 0 };

	status_check(revocation_open(&options, status.store, status.ca, &service, &p), &p);
}

static bool get_crl(struct http_response *response)
{
	const struct http_wing wing = revocation_wing(service);
	const struct http_request request = request_of(HTTP_GET, "/crl/issuing/0.crl", "issuing", "0.crl");
	auto_value(problem) p = { 0 };

	return wing.serve(wing.state, CRL, &request, response, &p);
}

static bool post_ocsp(struct bytes der, struct http_response *response)
{
	const struct http_wing wing = revocation_wing(service);
	struct http_request request = request_of(HTTP_POST, "/ocsp/issuing", "issuing", "");
	auto_value(problem) p = { 0 };

	request.body = der;
	return wing.serve(wing.state, OCSP_POST, &request, response, &p);
}

static void request_make(const struct certificate *row, struct buf *ret)
{
	auto(X509) *certificate = test_parse(row->der), *issuer = test_parse(issuer_certificate(status_issuer()));
	auto(OCSP_REQUEST) *request = OCSP_REQUEST_new();

	assert_non_null(OCSP_request_add0_id(request, OCSP_cert_to_id(EVP_sha256(), certificate, issuer)));
	assert_true(ossl_der(i2d_OCSP_REQUEST, request, ret));
}

static bool says(struct bytes answer, enum ocsp_status want)
{
	const unsigned char *at = answer.data;
	OCSP_RESPONSE *response = d2i_OCSP_RESPONSE(NULL, &at, (long)answer.len);
	OCSP_BASICRESP *basic = response ? OCSP_response_get1_basic(response) : NULL;
	bool same = basic && OCSP_single_get0_status(OCSP_resp_get0(basic, 0), NULL, NULL, NULL, NULL) == (int)want;

	OCSP_BASICRESP_free(basic);
	OCSP_RESPONSE_free(response);
	return same;
}

static void wait_until_it_serves(const struct buf *request)
{
	for (int i = 0; i < 500; i++) {
		auto_value(http_response) crl = { 0 };
		auto_value(http_response) ocsp = { 0 };
		if (get_crl(&crl) && post_ocsp(buf_bytes(request), &ocsp))
			return;
		usleep(10000);
	}
	fail_msg("nothing is served");
}

enum { READERS = 3, CERTIFICATES = 20 };
struct reader {
	pthread_t thread;
	const struct buf *requests;
	atomic_bool *stop;
	size_t read;
	bool good;
};

static void *read_along(void *arg)
{
	struct reader *r = arg;

	for (r->good = true; r->good && !atomic_load(r->stop); r->read++) {
		auto_value(http_response) crl = { 0 };
		auto_value(http_response) ocsp = { 0 };
		r->good = get_crl(&crl) && crl.status == 200 && http_response_content(&crl).len > 100 &&
		          post_ocsp(buf_bytes(&r->requests[r->read % CERTIFICATES]), &ocsp) && ocsp.status == 200;
	}
	return NULL;
}

/* An OCSP answer tells of a revocation as soon as it is recorded; a CRL soon after. */
static void readers_while_certificates_are_revoked(void **state)
{
	struct certificate rows[CERTIFICATES] = { 0 };
	struct buf requests[CERTIFICATES] = { 0 };
	struct reader readers[READERS];
	atomic_bool stop = false;

	(void)state;
	for (size_t i = 0; i < CERTIFICATES; i++) {
		status_issue(TEST_DAY, &rows[i]);
		request_make(&rows[i], &requests[i]);
	}
	open_service();
	wait_until_it_serves(&requests[0]);
	for (size_t i = 0; i < READERS; i++) {
		readers[i] = (struct reader){ .requests = requests, .stop = &stop };
		assert_int_equal(pthread_create(&readers[i].thread, NULL, read_along, &readers[i]), 0);
	}
	for (size_t i = 0; i < CERTIFICATES; i++) {
		auto_value(http_response) before = { 0 };
		auto_value(http_response) after = { 0 };
		assert_true(post_ocsp(buf_bytes(&requests[i]), &before) && says(buf_bytes(&before.body), OCSP_GOOD));
		status_revoke(&rows[i], 1);
		assert_true(post_ocsp(buf_bytes(&requests[i]), &after) && says(buf_bytes(&after.body), OCSP_REVOKED));
	}
	size_t listed = 0;
	for (int i = 0; i < 6000 && listed < CERTIFICATES; i++, usleep(10000)) {
		auto_value(http_response) crl = { 0 };
		assert_true(get_crl(&crl));
		const unsigned char *at = http_response_content(&crl).data;
		X509_CRL *parsed = d2i_X509_CRL(NULL, &at, (long)http_response_content(&crl).len);
		assert_non_null(parsed);
		listed = (size_t)(sk_X509_REVOKED_num(X509_CRL_get_REVOKED(parsed)) > 0 ? sk_X509_REVOKED_num(X509_CRL_get_REVOKED(parsed)) : 0);
		X509_CRL_free(parsed);
	}
	assert_int_equal(listed, CERTIFICATES);
	atomic_store(&stop, true);
	for (size_t i = 0; i < READERS; i++) {
		pthread_join(readers[i].thread, NULL);
		assert_true(readers[i].good && readers[i].read > 0);
	}
	revocation_close(steal(service));
	for (size_t i = 0; i < CERTIFICATES; i++) {
		certificate_free(&rows[i]);
		buf_free(&requests[i]);
	}
}

/* A reply that is still being sent when the service closes keeps its list. */
static void a_reply_outlives_the_service(void **state)
{
	auto_value(certificate) row = { 0 };
	auto_value(buf) request = { 0 };
	struct http_response crl = { 0 };

	(void)state;
	status_issue(TEST_DAY, &row);
	request_make(&row, &request);
	open_service();
	wait_until_it_serves(&request);
	assert_true(get_crl(&crl));
	revocation_close(steal(service));
	const unsigned char *at = http_response_content(&crl).data;
	X509_CRL *parsed = d2i_X509_CRL(NULL, &at, (long)http_response_content(&crl).len);
	assert_non_null(parsed);
	X509_CRL_free(parsed);
	http_response_free(&crl);
}

static int each_setup(void **state)
{
	(void)state;
	status_open(KEYFILE_EC_P256);
	return 0;
}

static int each_teardown(void **state)
{
	(void)state;
	revocation_close(steal(service));
	status_close();
	return 0;
}

static int group_setup(void **state)
{
	(void)state;
	test_keys_make();
	return 0;
}

static int group_teardown(void **state)
{
	(void)state;
	test_keys_free();
	return 0;
}
#define EACH(name) cmocka_unit_test_setup_teardown(name, each_setup, each_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(refusals_are_worded_for_who_asks),
		EACH(readers_while_certificates_are_revoked),
		EACH(a_reply_outlives_the_service),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
