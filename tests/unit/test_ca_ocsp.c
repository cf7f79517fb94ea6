/* OCSP: requests that are read or refused, and answers judged by libcrypto's own OCSP client. With
 * ENROLLD_LINT_FOLDER set the answers are left there for tests/lint/pkilint.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/ocsp.h>

#include "base/file.h"
#include "ca/ocsp.h"
#include "ca/ocsp_request.h"
#include "tests/unit/test_ca_status.h"

declare_auto(OCSP_REQUEST, OCSP_REQUEST_free);
declare_auto(OCSP_RESPONSE, OCSP_RESPONSE_free);
declare_auto(OCSP_BASICRESP, OCSP_BASICRESP_free);
declare_auto(OCSP_CERTID, OCSP_CERTID_free);

enum { HOUR = 3600 };
static const struct ocsp_options usual = {
	.lifetime = HOUR, .responder_lifetime = 7 * TEST_DAY, .nonce = true, .cache_places = 64,
};
static struct ocsp *ocsp;

static void open_ocsp(const struct ocsp_options *options)
{
	auto_value(problem) p = { 0 };

	status_check(ocsp_open(options, status.store, status.ca, &ocsp, &p) && ocsp_refresh(ocsp, &p), &p);
}

static X509 *parsed_issuer(void)
{
	return test_parse(issuer_certificate(status_issuer()));
}

/* --- asking */

static OCSP_CERTID *id_of_row(const struct certificate *row, const EVP_MD *hash)
{
	auto(X509) *certificate = test_parse(row->der), *issuer = parsed_issuer();
	OCSP_CERTID *id = OCSP_cert_to_id(hash, certificate, issuer);

	assert_non_null(id);
	return id;
}

static void ask_for(OCSP_REQUEST *request, OCSP_CERTID *id)
{
	assert_non_null(OCSP_request_add0_id(request, id));
}

static void to_der(OCSP_REQUEST *request, struct buf *ret)
{
	assert_true(ossl_der(i2d_OCSP_REQUEST, request, ret));
}

/* The request that most clients send: one certificate, no nonce. */
static void simple_request(const struct certificate *row, const EVP_MD *hash, struct buf *ret)
{
	auto(OCSP_REQUEST) *request = OCSP_REQUEST_new();

	ask_for(request, id_of_row(row, hash));
	to_der(request, ret);
}

static struct ocsp_reply answer(struct bytes request)
{
	struct ocsp_reply reply = { 0 };
	auto_value(problem) p = { 0 };

	status_check(ocsp_answer(ocsp, "issuing", request, &reply, &p), &p);
	return reply;
}

static enum problem_kind refusal(struct bytes request)
{
	auto_value(ocsp_reply) reply = { 0 };
	auto_value(problem) p = { 0 };

	assert_false(ocsp_answer(ocsp, "issuing", request, &reply, &p));
	assert_int_equal(reply.der.len, 0);
	return p.kind;
}

/* --- judging */

static OCSP_BASICRESP *parse(const struct buf *der)
{
	const unsigned char *at = der->data;
	auto(OCSP_RESPONSE) *response = d2i_OCSP_RESPONSE(NULL, &at, (long)der->len);

	assert_true(response && at == der->data + der->len);
	assert_int_equal(OCSP_response_status(response), OCSP_RESPONSE_STATUS_SUCCESSFUL);
	OCSP_BASICRESP *basic = OCSP_response_get1_basic(response);
	assert_non_null(basic);
	return basic;
}

/* As a client does: the root is trusted, the issuer is at hand, the rest is in the answer. */
static void verify(OCSP_BASICRESP *basic)
{
	auto(X509_STORE) *store = X509_STORE_new();
	auto(ossl_x509_stack) *others = sk_X509_new_null();
	auto_value(buf) root = { 0 };
	auto_value(problem) p = { 0 };

	status_check(ossl_from_pem("CERTIFICATE", ca_root_pem(status.ca), &root, &p), &p);
	auto(X509) *anchor = test_parse(buf_bytes(&root));
	assert_int_equal(X509_STORE_add_cert(store, anchor), 1);
	assert_true(sk_X509_push(others, parsed_issuer()) > 0);
	assert_int_equal(OCSP_basic_verify(basic, others, store, 0), 1);
}

/* Status of a row in the answer; -1: the answer does not tell. */
static int told(OCSP_BASICRESP *basic, const struct certificate *row, const EVP_MD *hash, int *ret_reason)
{
	auto(OCSP_CERTID) *id = id_of_row(row, hash);
	ASN1_GENERALIZEDTIME *this = NULL, *next = NULL;
	int result = -1;

	if (OCSP_resp_find_status(basic, id, &result, ret_reason, NULL, &this, &next) != 1)
		return -1;
	assert_int_equal(OCSP_check_validity(this, next, 2, -1), 1);
	return result;
}

static int status_of(const struct certificate *row, const EVP_MD *hash, int *ret_reason)
{
	auto_value(buf) request = { 0 };

	simple_request(row, hash, &request);
	auto_value(ocsp_reply) reply = answer(buf_bytes(&request));
	auto(OCSP_BASICRESP) *basic = parse(&reply.der);
	verify(basic);
	return told(basic, row, hash, ret_reason);
}

/* --- statuses */

static void good_and_revoked(void **state)
{
	static const int reasons[] = { 0, 1, 2, 3, 4, 5, 6, 9, 10 };

	(void)state;
	for (size_t i = 0; i < array_length(reasons); i++) {
		auto_value(certificate) row = { 0 };
		int reason = -7;
		status_issue(TEST_DAY, &row);
		assert_int_equal(status_of(&row, EVP_sha1(), &reason), V_OCSP_CERTSTATUS_GOOD);
		assert_int_equal(status_of(&row, EVP_sha256(), &reason), V_OCSP_CERTSTATUS_GOOD);
		status_revoke(&row, reasons[i]);
		assert_int_equal(status_of(&row, EVP_sha1(), &reason), V_OCSP_CERTSTATUS_REVOKED);
		assert_int_equal(reason, reasons[i] ? reasons[i] : -1); /* unspecified is not said */
		assert_int_equal(status_of(&row, EVP_sha256(), &reason), V_OCSP_CERTSTATUS_REVOKED);
	}
}

/* RFC 6960, 4.1.1 leaves the hash of CertID to the client. */
static void every_hash_of_sha2(void **state)
{
	const EVP_MD *const hashes[] = { EVP_sha256(), EVP_sha384(), EVP_sha512() };
	auto_value(certificate) row = { 0 };

	(void)state;
	status_issue(TEST_DAY, &row);
	for (size_t i = 0; i < array_length(hashes); i++)
		assert_int_equal(status_of(&row, hashes[i], NULL), V_OCSP_CERTSTATUS_GOOD);
}

/* A certificate of the same issuer's name and key that is not in the inventory. */
static void unknown(void **state)
{
	auto_value(certificate) row = { 0 };
	struct approval_facts facts = test_facts(KEY_EC_P256, &status.names, &status.usages);
	struct ocsp_options strict = usual;
	auto_value(buf) request = { 0 };
	auto_value(problem) p = { 0 };

	(void)state;
	status_check(test_issue(status.ca, &facts, &row, &p), &p);
	assert_int_equal(status_of(&row, EVP_sha1(), NULL), V_OCSP_CERTSTATUS_UNKNOWN);
	simple_request(&row, EVP_sha1(), &request);
	auto_value(ocsp_reply) reply = answer(buf_bytes(&request));
	assert_true(reply.next_update - reply.this_update <= 300);
	ocsp_close(ocsp);
	strict.unknown = OCSP_SAY_UNAUTHORIZED;
	open_ocsp(&strict);
	assert_int_equal(refusal(buf_bytes(&request)), PROBLEM_UNAUTHORIZED);
}

/* The responder's own certificate is in the inventory like any other. */
static void the_responder_is_recorded(void **state)
{
	auto_value(certificate) row = { 0 };
	auto_value(buf) request = { 0 };

	(void)state;
	status_issue(TEST_DAY, &row);
	simple_request(&row, EVP_sha1(), &request);
	auto_value(ocsp_reply) reply = answer(buf_bytes(&request));
	auto(OCSP_BASICRESP) *basic = parse(&reply.der);
	auto_value(buf) der = { 0 };
	assert_int_equal(sk_X509_num(OCSP_resp_get0_certs(basic)), 1);
	assert_true(ossl_der(i2d_X509, sk_X509_value(OCSP_resp_get0_certs(basic), 0), &der));
	const struct certificate own = { .der = buf_bytes(&der) };
	assert_int_equal(status_of(&own, EVP_sha256(), NULL), V_OCSP_CERTSTATUS_GOOD);
}

/* --- the responder's certificate */

static X509 *responder_x509(void)
{
	auto_value(certificate) row = { 0 };
	auto_value(buf) request = { 0 };

	status_issue(TEST_DAY, &row);
	simple_request(&row, EVP_sha1(), &request);
	auto_value(ocsp_reply) reply = answer(buf_bytes(&request));
	auto(OCSP_BASICRESP) *basic = parse(&reply.der);
	return X509_dup(sk_X509_value(OCSP_resp_get0_certs(basic), 0));
}

static void expect_extension(X509 *certificate, int nid, const char *want_der, size_t want_len, int want_critical)
{
	int at = X509_get_ext_by_NID(certificate, nid, -1);

	assert_true(at >= 0);
	X509_EXTENSION *e = X509_get_ext(certificate, at);
	assert_int_equal(X509_EXTENSION_get_critical(e), want_critical);
	assert_true(bytes_equal(status_extension(e), BYTES(want_der, want_len)));
}

/* RFC 6960, 4.2.2.2; RFC 9919, 3.2.2: this usage and no other, no check of itself, and no pointers. */
static void the_responder_can_do_nothing_else(void **state)
{
	static const int absent[] = { NID_info_access, NID_crl_distribution_points, NID_subject_alt_name };
	auto(X509) *certificate = responder_x509();
	auto(X509) *issuer = parsed_issuer();

	(void)state;
	assert_int_equal(X509_verify(certificate, X509_get0_pubkey(issuer)), 1);
	expect_extension(certificate, NID_ext_key_usage, "\x30\x0a\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x09", 12, 0);
	expect_extension(certificate, NID_key_usage, "\x03\x02\x07\x80", 4, 1);
	expect_extension(certificate, NID_basic_constraints, "\x30\x00", 2, 1);
	expect_extension(certificate, NID_id_pkix_OCSP_noCheck, "\x05\x00", 2, 0);
	for (size_t i = 0; i < array_length(absent); i++)
		assert_true(X509_get_ext_by_NID(certificate, absent[i], -1) < 0);
	assert_int_equal(X509_get_ext_count(certificate), 6);
}

static bool same_responder(X509 *one)
{
	auto(X509) *now = responder_x509();

	return X509_cmp(one, now) == 0;
}

static void responders_are_renewed(void **state)
{
	auto_value(problem) p = { 0 };
	auto(X509) *first = responder_x509();

	(void)state;
	status_clock(usual.responder_lifetime / 2 - 5);
	assert_true(ocsp_refresh(ocsp, &p) && same_responder(first));
	status_clock(usual.responder_lifetime / 2 + 5);
	assert_true(ocsp_refresh(ocsp, &p) && !same_responder(first));
}

static bool find_responder(struct store_txn *txn, void *arg, struct problem *p)
{
	auto_value(store_page) page = { 0 };

	return store_certificate_list(txn, CERTIFICATE_BY_PROFILE, "ocsp-responder", "", 1, &page, p) && page.ids.n == 1 &&
	       store_certificate_get(txn, page.ids.v[0], arg, p);
}

/* However long it may live: a certificate that outlives its issuer's is none (RFC 5280, 6.1). */
static void a_responder_ends_with_its_issuer(void **state)
{
	const struct ocsp_options long_lived = { .lifetime = HOUR, .responder_lifetime = 100L * 365 * TEST_DAY, .cache_places = 4 };
	auto(X509) *issuer = parsed_issuer();

	(void)state;
	ocsp_close(ocsp);
	open_ocsp(&long_lived);
	auto(X509) *own = responder_x509();
	assert_int_equal(ASN1_TIME_compare(X509_get0_notAfter(own), X509_get0_notAfter(issuer)), 0);
}

/* Its certificate can be revoked like any other; what it signed is not sent again. */
static void a_revoked_responder_is_replaced(void **state)
{
	auto_value(certificate) row = { 0 };
	auto_value(certificate) own = { 0 };
	auto_value(buf) request = { 0 };
	auto_value(problem) p = { 0 };

	(void)state;
	status_issue(TEST_DAY, &row);
	simple_request(&row, EVP_sha1(), &request);
	auto_value(ocsp_reply) before = answer(buf_bytes(&request));
	status_check(store_view(status.store, find_responder, &own, &p), &p);
	assert_string_equal(own.method, "internal");
	assert_string_equal(own.subject, "CN=OCSP responder of issuing");
	status_revoke(&own, 1);
	assert_true(ocsp_refresh(ocsp, &p));
	auto_value(ocsp_reply) after = answer(buf_bytes(&request));
	assert_string_not_equal(before.etag, after.etag);
	auto(OCSP_BASICRESP) *basic = parse(&after.der);
	verify(basic);
}

/* Until there is a key the client is told to come back. */
static void no_responder_yet(void **state)
{
	auto_value(certificate) row = { 0 };
	auto_value(buf) request = { 0 };
	auto_value(problem) p = { 0 };

	(void)state;
	ocsp_close(ocsp);
	status_check(ocsp_open(&usual, status.store, status.ca, &ocsp, &p), &p);
	status_issue(TEST_DAY, &row);
	simple_request(&row, EVP_sha1(), &request);
	assert_int_equal(refusal(buf_bytes(&request)), PROBLEM_UNAVAILABLE);
}

/* An answer ends before the certificate of who signed it does. */
static void answers_end_with_their_responder(void **state)
{
	const struct ocsp_options short_lived = { .lifetime = HOUR, .responder_lifetime = 100, .cache_places = 4 };
	auto_value(certificate) row = { 0 };
	auto_value(buf) request = { 0 };

	(void)state;
	ocsp_close(ocsp);
	open_ocsp(&short_lived);
	status_issue(TEST_DAY, &row);
	simple_request(&row, EVP_sha1(), &request);
	auto_value(ocsp_reply) reply = answer(buf_bytes(&request));
	assert_true(reply.next_update <= clock_now() + 100);
	status_clock(101);
	assert_int_equal(refusal(buf_bytes(&request)), PROBLEM_UNAVAILABLE);
}

/* --- nonces */

static void with_nonce(const struct certificate *row, struct bytes extension, struct buf *ret)
{
	auto(OCSP_REQUEST) *request = OCSP_REQUEST_new();
	auto(ASN1_OCTET_STRING) *value = ASN1_OCTET_STRING_new();

	ask_for(request, id_of_row(row, EVP_sha1()));
	assert_int_equal(ASN1_OCTET_STRING_set(value, extension.data, (int)extension.len), 1);
	X509_EXTENSION *e = X509_EXTENSION_create_by_NID(NULL, NID_id_pkix_OCSP_Nonce, 0, value);
	assert_int_equal(OCSP_REQUEST_add_ext(request, e, -1), 1);
	X509_EXTENSION_free(e);
	to_der(request, ret);
}

/* RFC 9654, 2.1: 1 to 128 octets come back, others are malformed. */
static void nonces_of_every_length(void **state)
{
	auto_value(certificate) row = { 0 };

	(void)state;
	status_issue(TEST_DAY, &row);
	for (size_t len = 0; len <= 130; len++) {
		auto_value(buf) extension = { 0 };
		auto_value(buf) request = { 0 };
		uint8_t nonce[130];
		struct der d = der_writer(&extension);
		memset(nonce, 0x40 + (int)len, sizeof(nonce));
		der_put(&d, 0x04, BYTES(nonce, len));
		with_nonce(&row, buf_bytes(&extension), &request);
		if (len < 1 || len > 128) {
			assert_int_equal(refusal(buf_bytes(&request)), PROBLEM_MALFORMED);
			continue;
		}
		auto_value(ocsp_reply) reply = answer(buf_bytes(&request));
		auto(OCSP_BASICRESP) *basic = parse(&reply.der);
		const unsigned char *at = request.data;
		auto(OCSP_REQUEST) *parsed = d2i_OCSP_REQUEST(NULL, &at, (long)request.len);
		assert_int_equal(OCSP_check_nonce(parsed, basic), 1);
		verify(basic);
	}
}

static void nonces_that_are_no_octet_strings(void **state)
{
	static const struct bytes extensions[] = {
		{ (const uint8_t *)"", 0 }, { (const uint8_t *)"raw nonce", 9 }, { (const uint8_t *)"\x04\x02\x01", 3 },
		{ (const uint8_t *)"\x04\x01\x01\x01", 4 },
	};
	auto_value(certificate) row = { 0 };

	(void)state;
	status_issue(TEST_DAY, &row);
	for (size_t i = 0; i < array_length(extensions); i++) {
		auto_value(buf) request = { 0 };
		with_nonce(&row, extensions[i], &request);
		assert_int_equal(refusal(buf_bytes(&request)), PROBLEM_MALFORMED);
	}
}

static void nonces_can_be_off(void **state)
{
	struct ocsp_options plain = usual;
	auto_value(certificate) row = { 0 };
	auto_value(buf) request = { 0 };

	(void)state;
	ocsp_close(ocsp);
	plain.nonce = false;
	open_ocsp(&plain);
	status_issue(TEST_DAY, &row);
	with_nonce(&row, BYTES("\x04\x10" "0123456789abcdef", 18), &request);
	auto_value(ocsp_reply) one = answer(buf_bytes(&request));
	auto_value(ocsp_reply) other = answer(buf_bytes(&request));
	auto(OCSP_BASICRESP) *basic = parse(&one.der);
	assert_true(OCSP_BASICRESP_get_ext_by_NID(basic, NID_id_pkix_OCSP_Nonce, -1) < 0);
	assert_string_equal(one.etag, other.etag);
}

/* --- several certificates */

static void several_certificates(void **state)
{
	auto(OCSP_REQUEST) *request = OCSP_REQUEST_new();
	struct certificate rows[OCSP_CERTIFICATES_MAX] = { 0 };
	auto_value(buf) der = { 0 };
	auto_value(buf) too_many = { 0 };
	int reason;

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		status_issue(TEST_DAY, &rows[i]);
		if (i % 3 == 1)
			status_revoke(&rows[i], 4);
		ask_for(request, id_of_row(&rows[i], i % 2 ? EVP_sha1() : EVP_sha256()));
	}
	to_der(request, &der);
	auto_value(ocsp_reply) reply = answer(buf_bytes(&der));
	auto(OCSP_BASICRESP) *basic = parse(&reply.der);
	verify(basic);
	assert_int_equal(OCSP_resp_count(basic), array_length(rows));
	for (size_t i = 0; i < array_length(rows); i++)
		assert_int_equal(told(basic, &rows[i], i % 2 ? EVP_sha1() : EVP_sha256(), &reason),
		                 i % 3 == 1 ? V_OCSP_CERTSTATUS_REVOKED : V_OCSP_CERTSTATUS_GOOD);
	ask_for(request, id_of_row(&rows[0], EVP_sha1()));
	to_der(request, &too_many);
	assert_int_equal(refusal(buf_bytes(&too_many)), PROBLEM_UNAUTHORIZED);
	for (size_t i = 0; i < array_length(rows); i++)
		certificate_free(&rows[i]);
}

/* RFC 6960, 2.2: in a request that is ours in part, the rest is unknown; one that is not ours at all is refused. */
static void certificates_of_others(void **state)
{
	auto_value(certificate) row = { 0 };
	auto(X509) *issuer = parsed_issuer();
	auto_value(buf) foreign = { 0 };
	auto_value(buf) mixed = { 0 };
	auto_value(buf) other_hash = { 0 };

	(void)state;
	status_issue(TEST_DAY, &row);
	OCSP_CERTID *id = OCSP_cert_to_id(EVP_sha1(), issuer, issuer), *same = OCSP_CERTID_dup(id);
	auto(OCSP_REQUEST) *request = OCSP_REQUEST_new();
	assert_true(OCSP_id_issuer_cmp(id, same) == 0);
	ASN1_OCTET_STRING *name_hash = NULL;
	OCSP_id_get0_info(&name_hash, NULL, NULL, NULL, id);
	assert_int_equal(ASN1_OCTET_STRING_set(name_hash, (const uint8_t *)"another issuer.....!", 20), 1);
	ask_for(request, id);
	to_der(request, &foreign);
	assert_int_equal(refusal(buf_bytes(&foreign)), PROBLEM_UNAUTHORIZED);
	ask_for(request, id_of_row(&row, EVP_sha1()));
	to_der(request, &mixed);
	auto_value(ocsp_reply) reply = answer(buf_bytes(&mixed));
	auto(OCSP_BASICRESP) *basic = parse(&reply.der);
	assert_int_equal(OCSP_single_get0_status(OCSP_resp_get0(basic, 0), NULL, NULL, NULL, NULL), V_OCSP_CERTSTATUS_UNKNOWN);
	assert_int_equal(told(basic, &row, EVP_sha1(), NULL), V_OCSP_CERTSTATUS_GOOD);
	simple_request(&row, EVP_sha3_256(), &other_hash);
	assert_int_equal(refusal(buf_bytes(&other_hash)), PROBLEM_UNAUTHORIZED);
	OCSP_CERTID_free(same);
}

static void an_issuer_that_is_not_there(void **state)
{
	auto_value(ocsp_reply) reply = { 0 };
	auto_value(problem) p = { 0 };

	(void)state;
	assert_false(ocsp_answer(ocsp, "other", BYTES("", 0), &reply, &p));
	assert_int_equal(p.kind, PROBLEM_NOT_FOUND);
}

/* --- the cache */

static void answers_are_kept_while_they_are_fresh(void **state)
{
	static const struct {
		int64_t after;
		bool want_same;
	} rows[] = { { 0, true }, { HOUR / 2 - 10, true }, { HOUR / 2 + 10, false }, { HOUR, false } };
	auto_value(certificate) row = { 0 };
	auto_value(buf) request = { 0 };

	(void)state;
	status_issue(TEST_DAY, &row);
	simple_request(&row, EVP_sha1(), &request);
	for (size_t i = 0; i < array_length(rows); i++) {
		status_clock(0);
		ocsp_close(ocsp);
		open_ocsp(&usual);
		auto_value(ocsp_reply) first = answer(buf_bytes(&request));
		assert_int_equal(first.next_update - first.this_update, HOUR);
		assert_int_equal(first.refresh - first.this_update, HOUR / 2);
		status_clock(rows[i].after);
		auto_value(ocsp_reply) second = answer(buf_bytes(&request));
		assert_int_equal(str_equal(first.etag, second.etag), rows[i].want_same);
		assert_int_equal(bytes_equal(buf_bytes(&first.der), buf_bytes(&second.der)), rows[i].want_same);
		assert_true(second.refresh > clock_now());
	}
}

/* The two ways to write the parameters of a hash come back as they were written, also from the cache. */
static void the_certificate_id_comes_back_as_it_was_sent(void **state)
{
	static const char with_null[] = "\x06\x05\x2b\x0e\x03\x02\x1a\x05\x00", without[] = "\x06\x05\x2b\x0e\x03\x02\x1a";
	auto_value(certificate) row = { 0 };
	auto_value(buf) request = { 0 };
	auto_value(buf) absent = { 0 };

	(void)state;
	status_issue(TEST_DAY, &row);
	simple_request(&row, EVP_sha1(), &request);
	uint8_t *at = memmem(request.data, request.len, with_null, sizeof(with_null) - 1);
	assert_non_null(at);
	size_t head = (size_t)(at - request.data);
	buf_add(&absent, request.data, head);
	buf_add(&absent, without, sizeof(without) - 1);
	buf_add(&absent, at + sizeof(with_null) - 1, request.len - head - (sizeof(with_null) - 1));
	for (size_t i = 1; i < head; i++) /* every enclosing length is shorter by the NULL */
		if (absent.data[i - 1] == 0x30 && (i & 1) == 1)
			absent.data[i] = (uint8_t)(absent.data[i] - 2);
	for (int round = 0; round < 2; round++) {
		auto_value(ocsp_reply) one = answer(buf_bytes(&request));
		auto_value(ocsp_reply) other = answer(buf_bytes(&absent));
		assert_non_null(memmem(one.der.data, one.der.len, with_null, sizeof(with_null) - 1));
		assert_null(memmem(other.der.data, other.der.len, with_null, sizeof(with_null) - 1));
		assert_non_null(memmem(other.der.data, other.der.len, without, sizeof(without) - 1));
	}
}

static void a_cache_of_one_place(void **state)
{
	struct ocsp_options tiny = usual;

	(void)state;
	for (tiny.cache_places = 0; tiny.cache_places <= 1; tiny.cache_places++) {
		ocsp_close(ocsp);
		open_ocsp(&tiny);
		for (int round = 0; round < 3; round++) {
			auto_value(certificate) one = { 0 };
			status_issue(TEST_DAY, &one);
			assert_int_equal(status_of(&one, EVP_sha1(), NULL), V_OCSP_CERTSTATUS_GOOD);
			assert_int_equal(status_of(&one, EVP_sha256(), NULL), V_OCSP_CERTSTATUS_GOOD);
			status_revoke(&one, 1);
			assert_int_equal(status_of(&one, EVP_sha1(), NULL), V_OCSP_CERTSTATUS_REVOKED);
		}
	}
}

/* --- requests that are refused */

/* A request by its parts: TBSRequest's content is written by the row. */
#define CERT_ID                                                                                                            \
	"\x30\x3a\x30\x09\x06\x05\x2b\x0e\x03\x02\x1a\x05\x00\x04\x14" "aaaaaaaaaaaaaaaaaaaa" "\x04\x14" "bbbbbbbbbbbbbbbbbbbb" \
	"\x02\x01\x05"
#define SINGLE "\x30\x3c" CERT_ID
#define LIST "\x30\x3e" SINGLE
#define NONCE "\x30\x0f\x06\x09\x2b\x06\x01\x05\x05\x07\x30\x01\x02\x04\x02\x04\x00"
#define ONE_NONCE "\x30\x10\x06\x09\x2b\x06\x01\x05\x05\x07\x30\x01\x02\x04\x03\x04\x01n"
#define ROW(text, want) { (const uint8_t *)(text), sizeof(text) - 1, want }

static void forms(void **state)
{
	static const struct {
		const uint8_t *tbs;
		size_t len;
		enum problem_kind want;
	} rows[] = {
		ROW(LIST, PROBLEM_NONE),
		ROW("\xa0\x03\x02\x01\x00" LIST, PROBLEM_NONE),
		ROW("\xa0\x03\x02\x01\x01" LIST, PROBLEM_MALFORMED),             /* v2 */
		ROW("\xa1\x04\x82\x02hi" LIST, PROBLEM_NONE),                    /* a name, without a signature (RFC 9919, 3.1.2) */
		ROW(LIST LIST, PROBLEM_MALFORMED),
		ROW("", PROBLEM_MALFORMED),
		ROW("\x30\x00", PROBLEM_MALFORMED),                              /* a list of none */
		ROW("\x30\x02\x30\x00", PROBLEM_MALFORMED),
		ROW("\x30\x44\x30\x42" CERT_ID "\xa0\x06\x30\x04\x30\x02\x05\x00", PROBLEM_MALFORMED),
		ROW("\x30\x42\x30\x40" CERT_ID "\xa0\x02\x30\x00", PROBLEM_NONE), /* extensions of none */
		ROW("\x30\x4a\x30\x48" CERT_ID "\xa0\x0a\x30\x08\x30\x06\x06\x01\x2a\x04\x01z", PROBLEM_NONE),
		ROW("\x30\x4d\x30\x4b" CERT_ID "\xa0\x0d\x30\x0b\x30\x09\x06\x01\x2a\x01\x01\xff\x04\x01z", PROBLEM_UNAUTHORIZED),
		ROW(LIST "\xa2\x0a\x30\x08\x30\x06\x06\x01\x2a\x04\x01z", PROBLEM_NONE),          /* an extension that is not known */
		ROW(LIST "\xa2\x0d\x30\x0b\x30\x09\x06\x01\x2a\x01\x01\x00\x04\x01z", PROBLEM_NONE),
		ROW(LIST "\xa2\x0d\x30\x0b\x30\x09\x06\x01\x2a\x01\x01\xff\x04\x01z", PROBLEM_UNAUTHORIZED),
		ROW(LIST "\xa2\x0d\x30\x0b\x30\x09\x06\x01\x2a\x01\x01\x01\x04\x01z", PROBLEM_UNAUTHORIZED), /* true in BER */
		ROW(LIST "\xa2\x0c\x30\x0a\x30\x08\x06\x01\x2a\x01\x00\x04\x01z", PROBLEM_MALFORMED),
		ROW(LIST "\xa2\x02\x30\x00", PROBLEM_NONE),                   /* the same; Bouncy Castle's revocation checker */
		ROW(LIST "\xa2\x00", PROBLEM_MALFORMED),
		ROW(LIST "\xa2\x13\x30\x11" NONCE, PROBLEM_MALFORMED),           /* of no octets */
		ROW(LIST "\xa2\x14\x30\x12" ONE_NONCE, PROBLEM_NONE),
		ROW(LIST "\xa2\x26\x30\x24" ONE_NONCE ONE_NONCE, PROBLEM_MALFORMED),
		ROW(LIST "\xa3\x00", PROBLEM_MALFORMED),
		ROW(LIST "\xa2\x23\x30\x21\x30\x1f\x06\x09\x2b\x06\x01\x05\x05\x07\x30\x01\x04\x01\x01\xff\x04\x0f\x30\x0d\x06\x0b\x2b"
		    "\x06\x01\x05\x05\x07\x30\x01\x01\x01\x01", PROBLEM_NONE),   /* acceptable response types, critical */
	};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		auto_value(buf) der = { 0 };
		auto_value(problem) p = { 0 };
		struct der d = der_writer(&der);
		struct ocsp_request request;
		der_open(&d, 0x30);
		der_put(&d, 0x30, BYTES(rows[i].tbs, rows[i].len));
		der_close(&d);
		bool good = ocsp_request_parse(buf_bytes(&der), &request, &p);
		if (good != (rows[i].want == PROBLEM_NONE) || p.kind != rows[i].want)
			fail_msg("row %zu: %s %s", i, problem_kind_name(p.kind), p.detail);
		if (!good)
			continue;
		assert_int_equal(request.count, 1);
		assert_true(bytes_equal(request.certificates[0].whole, BYTES(CERT_ID, sizeof(CERT_ID) - 1)));
		assert_true(bytes_equal(request.certificates[0].serial, BYTES("\x05", 1)));
	}
}

/* CertID in which the hashes of name and key are of these lengths. */
static bool reads_hashes(const char *oid, size_t name, size_t key)
{
	static const uint8_t octets[64];
	auto_value(buf) der = { 0 };
	auto_value(problem) p = { 0 };
	struct der d = der_writer(&der);
	struct ocsp_request request;

	for (int depth = 0; depth < 6; depth++)
		der_open(&d, 0x30);
	der_put(&d, 0x06, BYTES_STR(oid));
	der_close(&d);
	der_put(&d, 0x04, BYTES(octets, name));
	der_put(&d, 0x04, BYTES(octets, key));
	der_put(&d, 0x02, BYTES("\x05", 1));
	for (int depth = 0; depth < 5; depth++)
		der_close(&d);
	return ocsp_request_parse(buf_bytes(&der), &request, &p);
}

static void hashes_are_as_long_as_their_kind(void **state)
{
	static const char sha1[] = "\x2b\x0e\x03\x02\x1a", sha256[] = "\x60\x86\x48\x01\x65\x03\x04\x02\x01", other[] = "\x2a\x03";

	(void)state;
	assert_true(reads_hashes(sha1, 20, 20) && reads_hashes(sha256, 32, 32));
	assert_false(reads_hashes(sha1, 20, 19) || reads_hashes(sha1, 19, 20) || reads_hashes(sha1, 32, 32) || reads_hashes(sha1, 20, 0));
	assert_false(reads_hashes(sha256, 32, 20) || reads_hashes(sha256, 20, 20) || reads_hashes(sha256, 33, 33));
	assert_true(reads_hashes(other, 7, 9)); /* nobody's: it is answered as unknown */
}

static void serials(void **state)
{
	static const struct {
		struct bytes content;
		size_t want_len;
	} rows[] = {
		{ BYTES("\x01", 1), 1 }, { BYTES("\x00\x80", 2), 1 }, { BYTES("\x00", 1), 0 }, { BYTES("\xff", 1), 0 },
		{ BYTES("\x80\x00\x00", 3), 0 }, { BYTES("\x00\x00\x01", 3), 1 },
		{ BYTES("0123456789012345678901234567890123456789", 40), 40 },
	};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		auto_value(buf) der = { 0 };
		auto_value(problem) p = { 0 };
		struct der d = der_writer(&der);
		struct ocsp_request request;
		for (int depth = 0; depth < 5; depth++)
			der_open(&d, 0x30);
		der_put_raw(&d, BYTES("\x06\x05\x2b\x0e\x03\x02\x1a", 7));
		der_close(&d);
		der_put(&d, 0x04, BYTES("aaaaaaaaaaaaaaaaaaaa", 20));
		der_put(&d, 0x04, BYTES("bbbbbbbbbbbbbbbbbbbb", 20));
		der_put(&d, 0x02, rows[i].content);
		for (int depth = 0; depth < 4; depth++)
			der_close(&d);
		auto_value(buf) whole = { 0 };
		struct der outer = der_writer(&whole);
		der_put(&outer, 0x30, buf_bytes(&der));
		assert_true(ocsp_request_parse(buf_bytes(&whole), &request, &p));
		assert_int_equal(request.certificates[0].serial.len, rows[i].want_len);
	}
}

/* No part of a request, and no request with a byte too many, is one. */
static void cut_short(void **state)
{
	auto_value(certificate) row = { 0 };
	auto_value(buf) request = { 0 };

	(void)state;
	status_issue(TEST_DAY, &row);
	with_nonce(&row, BYTES("\x04\x10" "0123456789abcdef", 18), &request);
	for (size_t len = 0; len < request.len; len++)
		assert_int_equal(refusal(BYTES(request.data, len)), PROBLEM_MALFORMED);
	buf_add_char(&request, 0);
	assert_int_equal(refusal(buf_bytes(&request)), PROBLEM_MALFORMED);
}

static void errors(void **state)
{
	static const enum ocsp_error all[] = { OCSP_MALFORMED_REQUEST, OCSP_INTERNAL_ERROR, OCSP_TRY_LATER, OCSP_UNAUTHORIZED };

	(void)state;
	for (size_t i = 0; i < array_length(all); i++) {
		auto_value(buf) der = { 0 };
		ocsp_answer_error(all[i], &der);
		const unsigned char *at = der.data;
		auto(OCSP_RESPONSE) *response = d2i_OCSP_RESPONSE(NULL, &at, (long)der.len);
		assert_true(response && at == der.data + der.len);
		assert_int_equal(OCSP_response_status(response), all[i]);
		assert_null(OCSP_response_get1_basic(response));
	}
}

/* --- every kind of issuer, for the linter too */

static void keep(const char *name, const struct buf *der)
{
	const char *where = getenv("ENROLLD_LINT_FOLDER");
	auto_value(problem) p = { 0 };

	if (!where)
		return;
	auto_free char *path = mem_printf("%s/%s.ocsp", where, name);
	assert_true(file_write(path, buf_bytes(der), 0644, &p));
}

static void every_kind_of_issuer(void **state)
{
	static const struct {
		const char *name;
		enum keyfile_kind kind;
	} kinds[] = { { "p256", KEYFILE_EC_P256 }, { "p384", KEYFILE_EC_P384 }, { "rsa3072", KEYFILE_RSA_3072 } };

	(void)state;
	for (size_t i = 0; i < array_length(kinds); i++) {
		auto_free char *good = mem_printf("%s-good", kinds[i].name), *revoked = mem_printf("%s-revoked", kinds[i].name);
		auto_value(certificate) row = { 0 };
		auto_value(buf) request = { 0 };
		status_open(kinds[i].kind);
		open_ocsp(&usual);
		status_issue(TEST_DAY, &row);
		with_nonce(&row, BYTES("\x04\x20" "0123456789abcdef0123456789abcdef", 34), &request);
		auto_value(ocsp_reply) first = answer(buf_bytes(&request));
		keep(good, &first.der);
		status_revoke(&row, 4);
		auto_value(ocsp_reply) second = answer(buf_bytes(&request));
		keep(revoked, &second.der);
		auto(OCSP_BASICRESP) *basic = parse(&second.der);
		verify(basic);
		assert_int_equal(told(basic, &row, EVP_sha1(), NULL), V_OCSP_CERTSTATUS_REVOKED);
		ocsp_close(steal(ocsp));
		status_close();
	}
}

static ASN1_GENERALIZEDTIME *cutoff_of(OCSP_BASICRESP *basic)
{
	OCSP_SINGLERESP *single = OCSP_resp_get0(basic, 0);
	int critical = -1;

	return OCSP_SINGLERESP_get1_ext_d2i(single, NID_id_pkix_OCSP_archiveCutoff, &critical, NULL);
}

/* RFC 6960, 4.4.4: an answer about a certificate that has expired says how far back it can be believed; no other. */
static void archive_cutoff(void **state)
{
	static const struct {
		int64_t archive, life;
		bool revoked, want;
	} rows[] = {
		{ 30 * TEST_DAY, TEST_DAY, false, false }, { 30 * TEST_DAY, 60, false, true }, { 30 * TEST_DAY, 60, true, true },
		{ 0, 60, true, false },
	};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		auto_value(certificate) row = { 0 };
		auto_value(buf) request = { 0 };
		struct ocsp_options options = usual;
		options.archive = rows[i].archive;
		ocsp_close(steal(ocsp));
		open_ocsp(&options);
		status_issue(rows[i].life, &row);
		if (rows[i].revoked)
			status_revoke(&row, 4);
		status_clock(HOUR / 2);
		simple_request(&row, EVP_sha256(), &request);
		auto_value(ocsp_reply) reply = answer(buf_bytes(&request));
		auto(OCSP_BASICRESP) *basic = parse(&reply.der);
		verify(basic);
		ASN1_GENERALIZEDTIME *cutoff = cutoff_of(basic);
		int days = 0, seconds = 0;
		assert_int_equal(cutoff != NULL, rows[i].want);
		if (cutoff) {
			assert_int_equal(ASN1_TIME_diff(&days, &seconds, cutoff, OCSP_resp_get0_produced_at(basic)), 1);
			assert_int_equal((int64_t)days * TEST_DAY + seconds, rows[i].archive);
			keep(rows[i].revoked ? "p256-archive-revoked" : "p256-archive", &reply.der);
		}
		ASN1_GENERALIZEDTIME_free(cutoff);
		status_clock(0);
	}
}

static int each_setup(void **state)
{
	(void)state;
	status_open(KEYFILE_EC_P256);
	open_ocsp(&usual);
	return 0;
}

static int each_teardown(void **state)
{
	(void)state;
	status_clock(0);
	ocsp_close(steal(ocsp));
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
		EACH(good_and_revoked),
		EACH(every_hash_of_sha2),
		EACH(unknown),
		EACH(the_responder_is_recorded),
		EACH(the_responder_can_do_nothing_else),
		EACH(responders_are_renewed),
		EACH(a_responder_ends_with_its_issuer),
		EACH(a_revoked_responder_is_replaced),
		EACH(no_responder_yet),
		EACH(answers_end_with_their_responder),
		EACH(nonces_of_every_length),
		EACH(nonces_that_are_no_octet_strings),
		EACH(nonces_can_be_off),
		EACH(several_certificates),
		EACH(certificates_of_others),
		EACH(an_issuer_that_is_not_there),
		EACH(answers_are_kept_while_they_are_fresh),
		EACH(the_certificate_id_comes_back_as_it_was_sent),
		EACH(a_cache_of_one_place),
		cmocka_unit_test(forms),
		cmocka_unit_test(hashes_are_as_long_as_their_kind),
		cmocka_unit_test(serials),
		EACH(cut_short),
		cmocka_unit_test(errors),
		cmocka_unit_test(every_kind_of_issuer),
		EACH(archive_cutoff),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
