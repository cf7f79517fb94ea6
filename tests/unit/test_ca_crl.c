/* CRLs: the rules of RFC 5280, section 5, and when a list is made. With ENROLLD_LINT_FOLDER set the
 * lists are left there for tests/lint/pkilint.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/work.h"
#include "ca/crl.h"
#include "ca/crls.h"
#include "ca/issue.h"
#include "tests/unit/test_ca_status.h"

declare_auto(X509_CRL, X509_CRL_free);

static const struct crls_options options = { .lifetime = 2 * TEST_DAY, .interval = TEST_DAY / 2, .pause_ms = 0 };

static X509_CRL *parse(struct bytes der)
{
	const unsigned char *at = der.data;
	X509_CRL *crl = d2i_X509_CRL(NULL, &at, (long)der.len);

	assert_true(crl && at == der.data + der.len);
	return crl;
}

static struct crls *open_crls(void)
{
	struct crls *crls = NULL;
	auto_value(problem) p = { 0 };

	status_check(crls_open(&options, status.store, status.ca, &crls, &p), &p);
	return crls;
}

static struct crl *refreshed(struct crls *crls)
{
	struct crl *crl = NULL;
	auto_value(problem) p = { 0 };

	status_check(crls_refresh(crls, &p) && crls_get(crls, "issuing", (struct crl_name){ 0 }, &crl, &p), &p);
	return crl;
}

/* --- the rules */

struct lint {
	X509_CRL *crl;
	X509 *issuer;
	struct bytes der;
};

static bool version_2(const struct lint *l) { return X509_CRL_get_version(l->crl) == X509_CRL_VERSION_2; }

static bool issuer_name_is_the_subject(const struct lint *l)
{
	auto_value(buf) issuer = { 0 };
	auto_value(buf) subject = { 0 };

	return ossl_der(i2d_X509_NAME, X509_CRL_get_issuer(l->crl), &issuer) &&
	       ossl_der(i2d_X509_NAME, X509_get_subject_name(l->issuer), &subject) &&
	       bytes_equal(buf_bytes(&issuer), buf_bytes(&subject));
}

static bool signed_by_the_issuer(const struct lint *l) { return X509_CRL_verify(l->crl, X509_get0_pubkey(l->issuer)) == 1; }

/* The AlgorithmIdentifier stands in both places with the same bytes. */
static bool one_algorithm(const struct lint *l)
{
	struct bytes algorithm = issue_crl_algorithm(status_issuer());
	const uint8_t *first = memmem(l->der.data, l->der.len, algorithm.data, algorithm.len);

	return first && memmem(first + 1, l->der.len - (size_t)(first + 1 - l->der.data), algorithm.data, algorithm.len);
}

static bool next_update_after_this(const struct lint *l)
{
	const ASN1_TIME *this = X509_CRL_get0_lastUpdate(l->crl), *next = X509_CRL_get0_nextUpdate(l->crl);

	return next && ASN1_TIME_compare(this, next) < 0 && ASN1_STRING_type(this) == V_ASN1_UTCTIME &&
	       ASN1_STRING_type(next) == V_ASN1_UTCTIME;
}

/* AKI and number, once each, neither critical, and no other: no issuingDistributionPoint without shards. */
static bool two_extensions(const struct lint *l)
{
	static const int wanted[] = { NID_authority_key_identifier, NID_crl_number };

	for (size_t i = 0; i < array_length(wanted); i++) {
		int at = X509_CRL_get_ext_by_NID(l->crl, wanted[i], -1);
		if (at < 0 || X509_EXTENSION_get_critical(X509_CRL_get_ext(l->crl, at)))
			return false;
	}
	return X509_CRL_get_ext_count(l->crl) == array_length(wanted);
}

static bool authority_key_id(const struct lint *l)
{
	AUTHORITY_KEYID *id = X509_CRL_get_ext_d2i(l->crl, NID_authority_key_identifier, NULL, NULL);
	bool good = id && id->keyid && !id->issuer && !id->serial &&
	            ASN1_OCTET_STRING_cmp(id->keyid, X509_get0_subject_key_id(l->issuer)) == 0;

	AUTHORITY_KEYID_free(id);
	return good;
}

static bool number_fits(const struct lint *l)
{
	auto(ASN1_INTEGER) *number = X509_CRL_get_ext_d2i(l->crl, NID_crl_number, NULL, NULL);

	return number && ASN1_STRING_type(number) == V_ASN1_INTEGER && ASN1_STRING_length(number) <= 20;
}

static bool no_empty_list(const struct lint *l)
{
	STACK_OF(X509_REVOKED) *revoked = X509_CRL_get_REVOKED(l->crl);

	return !revoked || sk_X509_REVOKED_num(revoked) > 0;
}

static bool entry_good(const X509_CRL *crl, X509_REVOKED *entry)
{
	int at = X509_REVOKED_get_ext_by_NID(entry, NID_crl_reason, -1);
	struct bytes value = at < 0 ? BYTES(NULL, 0) : status_extension(X509_REVOKED_get_ext(entry, at));

	if (X509_REVOKED_get_ext_count(entry) != (at < 0 ? 0 : 1) || ASN1_TIME_compare(X509_REVOKED_get0_revocationDate(entry), X509_CRL_get0_lastUpdate(crl)) > 0)
		return false;
	return at < 0 || (!X509_EXTENSION_get_critical(X509_REVOKED_get_ext(entry, at)) && value.len == 3 &&
	                  value.data[0] == V_ASN1_ENUMERATED && value.data[2] >= 1 && value.data[2] <= 10 && value.data[2] != 8);
}

static bool entries(const struct lint *l)
{
	STACK_OF(X509_REVOKED) *revoked = X509_CRL_get_REVOKED(l->crl);

	for (int i = 0; i < sk_X509_REVOKED_num(revoked); i++) {
		X509_REVOKED *entry = sk_X509_REVOKED_value(revoked, i);
		if (!entry_good(l->crl, entry))
			return false;
		for (int k = 0; k < i; k++)
			if (ASN1_INTEGER_cmp(X509_REVOKED_get0_serialNumber(entry),
			                     X509_REVOKED_get0_serialNumber(sk_X509_REVOKED_value(revoked, k))) == 0)
				return false;
	}
	return true;
}

/* What a parser writes again is what it read: DER. */
static bool der(const struct lint *l)
{
	auto_value(buf) again = { 0 };
	auto(X509_CRL) *copy = X509_CRL_dup(l->crl);

	return ossl_der(i2d_X509_CRL, copy, &again) && bytes_equal(buf_bytes(&again), l->der);
}

static const struct rule {
	const char *text;
	bool (*holds)(const struct lint *l);
} rules[] = {
	{ "5.1.2.1: version 2", version_2 },
	{ "5.1.2.3: the issuer's name, byte for byte", issuer_name_is_the_subject },
	{ "5.1.1.3: the signature", signed_by_the_issuer },
	{ "5.1.1.2: signatureAlgorithm and signature are one", one_algorithm },
	{ "5.1.2.5: nextUpdate, later than thisUpdate; UTCTime to 2049", next_update_after_this },
	{ "5.2: authorityKeyIdentifier and cRLNumber, neither critical", two_extensions },
	{ "5.2.1: the issuer's key identifier", authority_key_id },
	{ "5.2.3: cRLNumber of at most 20 octets", number_fits },
	{ "5.1.2.6: revokedCertificates is absent when empty", no_empty_list },
	{ "5.3.1: entries", entries },
	{ "X.690, 10: DER", der },
};

static void keep(const char *name, struct bytes crl)
{
	const char *where = getenv("ENROLLD_LINT_FOLDER");
	auto_value(problem) p = { 0 };
	auto_value(buf) pem = { 0 };

	if (!where)
		return;
	auto_free char *path = mem_printf("%s/%s.crl", where, name);
	ossl_pem("X509 CRL", crl, &pem);
	assert_true(file_write(path, buf_bytes(&pem), 0644, &p));
}

static void lint(const char *name, const struct buf *list)
{
	auto(X509) *issuer = test_parse(issuer_certificate(status_issuer()));
	auto(X509_CRL) *crl = parse(buf_bytes(list));
	const struct lint l = { crl, issuer, buf_bytes(list) };

	keep(name, buf_bytes(list));
	for (size_t i = 0; i < array_length(rules); i++)
		if (!rules[i].holds(&l))
			fail_msg("%s breaks RFC 5280, %s", name, rules[i].text);
}

static void every_rule_holds(void **state)
{
	static const struct {
		const char *name;
		enum keyfile_kind kind;
	} kinds[] = { { "p256", KEYFILE_EC_P256 }, { "p384", KEYFILE_EC_P384 }, { "rsa3072", KEYFILE_RSA_3072 } };
	static const int64_t reasons[] = { 0, 1, 2, 3, 4, 5, 6, 9, 10 };

	(void)state;
	for (size_t i = 0; i < array_length(kinds); i++) {
		auto_free char *empty = mem_printf("%s-empty", kinds[i].name), *full = mem_printf("%s-full", kinds[i].name);
		status_open(kinds[i].kind);
		struct crls *crls = open_crls();
		struct crl *crl = refreshed(crls);
		lint(empty, &crl->der);
		crl_unref(crl);
		for (size_t k = 0; k < array_length(reasons); k++) {
			auto_value(certificate) certificate = { 0 };
			status_issue(TEST_DAY, &certificate);
			status_revoke(&certificate, reasons[k]);
		}
		crl = refreshed(crls);
		assert_int_equal(crl->count, array_length(reasons));
		lint(full, &crl->der);
		crl_unref(crl);
		crls_close(crls);
		status_close();
	}
}

/* --- the writer alone */

static X509_CRL *written(const struct crl_facts *facts, const struct crl_entry *list, size_t count)
{
	auto_value(buf) der = { 0 };
	auto_value(problem) p = { 0 };
	struct crl_writer w;

	crl_begin(&w, status_issuer(), facts, &der);
	for (size_t i = 0; i < count; i++)
		crl_add(&w, &list[i]);
	status_check(crl_end(&w, &p), &p);
	return parse(buf_bytes(&der));
}

static int64_t time_of(const ASN1_TIME *t)
{
	struct tm tm;

	assert_int_equal(ASN1_TIME_to_tm(t, &tm), 1);
	return timegm(&tm);
}

static int64_t number_of(const X509_CRL *crl)
{
	auto(ASN1_INTEGER) *number = X509_CRL_get_ext_d2i(crl, NID_crl_number, NULL, NULL);
	int64_t n;

	assert_int_equal(ASN1_INTEGER_get_int64(&n, number), 1);
	return n;
}

static void the_writer_writes_what_it_is_told(void **state)
{
	enum { NOW = 1800000000 };
	static const struct {
		struct crl_entry entry;
		int64_t want_date;
		int want_reason; /* -1: none */
	} rows[] = {
		{ { BYTES("\x01", 1), NOW - 5, 1 }, NOW - 5, 1 },
		{ { BYTES("\x80", 1), NOW - 4, 0 }, NOW - 4, -1 },
		{ { BYTES("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 16), NOW, 10 }, NOW, 10 },
		{ { BYTES("\x02", 1), NOW + 50, 4 }, NOW, 4 },  /* 5.1.2.6: nothing was revoked after thisUpdate */
		{ { BYTES("\x03", 1), NOW, 8 }, NOW, -1 },      /* 5.3.1: removeFromCRL in delta CRLs alone */
		{ { BYTES("\x04", 1), NOW, 7 }, NOW, -1 },      /* 5.3.1: value 7 is not used */
		{ { BYTES("\x05", 1), NOW, 11 }, NOW, -1 },
	};
	const struct crl_facts facts = { .number = 128, .this_update = NOW, .next_update = NOW + 600 };
	struct crl_entry list[array_length(rows)];

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++)
		list[i] = rows[i].entry;
	auto(X509_CRL) *crl = written(&facts, list, array_length(rows));
	assert_int_equal(number_of(crl), 128);
	assert_int_equal(time_of(X509_CRL_get0_lastUpdate(crl)), NOW);
	assert_int_equal(time_of(X509_CRL_get0_nextUpdate(crl)), NOW + 600);
	STACK_OF(X509_REVOKED) *revoked = X509_CRL_get_REVOKED(crl);
	assert_int_equal(sk_X509_REVOKED_num(revoked), array_length(rows));
	for (size_t i = 0; i < array_length(rows); i++) {
		X509_REVOKED *have = sk_X509_REVOKED_value(revoked, (int)i);
		auto(BIGNUM) *serial = ASN1_INTEGER_to_BN(X509_REVOKED_get0_serialNumber(have), NULL);
		auto(BIGNUM) *want = BN_bin2bn(rows[i].entry.serial.data, (int)rows[i].entry.serial.len, NULL);
		ASN1_ENUMERATED *reason = X509_REVOKED_get_ext_d2i(have, NID_crl_reason, NULL, NULL);
		assert_int_equal(BN_cmp(serial, want), 0);
		assert_int_equal(time_of(X509_REVOKED_get0_revocationDate(have)), rows[i].want_date);
		assert_int_equal(reason ? ASN1_ENUMERATED_get(reason) : -1, rows[i].want_reason);
		ASN1_ENUMERATED_free(reason);
	}
}

static bool extension_is(const X509_CRL *crl, int nid, bool critical)
{
	int at = X509_CRL_get_ext_by_NID(crl, nid, -1);

	return at >= 0 && X509_EXTENSION_get_critical(X509_CRL_get_ext(crl, at)) == critical &&
	       X509_CRL_get_ext_by_NID(crl, nid, at) < 0;
}

static bool url_is(const DIST_POINT_NAME *point, const char *url)
{
	const GENERAL_NAME *name = point && point->type == 0 ? sk_GENERAL_NAME_value(point->name.fullname, 0) : NULL;

	return name && name->type == GEN_URI && sk_GENERAL_NAME_num(point->name.fullname) == 1 &&
	       str_equal((const char *)ASN1_STRING_get0_data(name->d.uniformResourceIdentifier), url);
}

static void keep_parsed(const char *name, X509_CRL *crl)
{
	auto_value(buf) der = { 0 };

	assert_true(ossl_der(i2d_X509_CRL, crl, &der));
	keep(name, buf_bytes(&der));
}

/* RFC 5280, 5.2.4, 5.2.5 and 5.2.6: what is critical, and what stands in which list. */
static void scopes_and_deltas(void **state)
{
	static const char scope[] = "http://ca.example/crl/issuing/3.crl", delta_url[] = "http://ca.example/crl/issuing/3.delta.crl";
	const int64_t now = 1800000000;
	const struct crl_entry entries[] = { { BYTES("\x01", 1), now, 1 }, { BYTES("\x02", 1), now, CRL_REMOVE_FROM_CRL } };
	struct crl_facts facts = {
		.number = 70, .this_update = now, .next_update = now + 600, .scope_url = scope, .delta_url = delta_url,
	};

	(void)state;
	auto(X509_CRL) *complete = written(&facts, entries, array_length(entries));
	facts.base = 50;
	auto(X509_CRL) *delta = written(&facts, entries, array_length(entries));
	keep_parsed("shard", complete);
	keep_parsed("delta", delta);
	assert_true(extension_is(complete, NID_issuing_distribution_point, true) && extension_is(delta, NID_issuing_distribution_point, true));
	assert_true(extension_is(complete, NID_freshest_crl, false) && !extension_is(delta, NID_freshest_crl, false));
	assert_true(extension_is(delta, NID_delta_crl, true) && !extension_is(complete, NID_delta_crl, true));
	ISSUING_DIST_POINT *point = X509_CRL_get_ext_d2i(complete, NID_issuing_distribution_point, NULL, NULL);
	assert_true(point && url_is(point->distpoint, scope) && point->onlyuser <= 0 && point->onlyCA <= 0 && point->indirectCRL <= 0);
	ISSUING_DIST_POINT_free(point);
	CRL_DIST_POINTS *freshest = X509_CRL_get_ext_d2i(complete, NID_freshest_crl, NULL, NULL);
	assert_true(sk_DIST_POINT_num(freshest) == 1 && url_is(sk_DIST_POINT_value(freshest, 0)->distpoint, delta_url));
	CRL_DIST_POINTS_free(freshest);
	auto(ASN1_INTEGER) *base = X509_CRL_get_ext_d2i(delta, NID_delta_crl, NULL, NULL);
	assert_int_equal(ASN1_INTEGER_get(base), 50);
	assert_int_equal(number_of(delta), number_of(complete));
	X509_REVOKED *of_complete = sk_X509_REVOKED_value(X509_CRL_get_REVOKED(complete), 1);
	X509_REVOKED *of_delta = sk_X509_REVOKED_value(X509_CRL_get_REVOKED(delta), 1);
	assert_true(X509_REVOKED_get_ext_by_NID(of_complete, NID_crl_reason, -1) < 0);
	ASN1_ENUMERATED *reason = X509_REVOKED_get_ext_d2i(of_delta, NID_crl_reason, NULL, NULL);
	assert_int_equal(ASN1_ENUMERATED_get(reason), CRL_REMOVE_FROM_CRL);
	ASN1_ENUMERATED_free(reason);
}

static void names_of_lists(void **state)
{
	static const struct {
		const char *text;
		bool want, want_delta;
		size_t want_shard;
	} rows[] = {
		{ "0.crl", true, false, 0 }, { "17.crl", true, false, 17 }, { "3.delta.crl", true, true, 3 }, { "00.crl", false, false, 0 },
		{ ".crl", false, false, 0 }, { "1", false, false, 0 }, { "1.crlx", false, false, 0 }, { "-1.crl", false, false, 0 },
		{ "12345.crl", false, false, 0 }, { "1.delta", false, false, 0 }, { "", false, false, 0 },
	};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		struct crl_name name = { 0 };
		assert_int_equal(crl_name_from(rows[i].text, &name), rows[i].want);
		if (rows[i].want)
			assert_true(name.shard == rows[i].want_shard && name.delta == rows[i].want_delta);
	}
}

/* RFC 5280, 5.1.2.4: GeneralizedTime from 2050 on. */
static void times_after_2049(void **state)
{
	enum { SECOND = 1 };
	const int64_t year_2050 = 2524608000;
	const struct crl_facts facts = { .number = 1, .this_update = year_2050 - SECOND, .next_update = year_2050 };

	(void)state;
	auto(X509_CRL) *crl = written(&facts, NULL, 0);
	assert_int_equal(ASN1_STRING_type(X509_CRL_get0_lastUpdate(crl)), V_ASN1_UTCTIME);
	assert_int_equal(ASN1_STRING_type(X509_CRL_get0_nextUpdate(crl)), V_ASN1_GENERALIZEDTIME);
}

/* --- when a list is made, and what stands on it */

static int expect_listed(const struct crl *crl, const struct certificate *certificate)
{
	auto(X509_CRL) *parsed = parse(buf_bytes(&crl->der));
	auto(X509) *x = test_parse(certificate->der);
	X509_REVOKED *entry = NULL;

	return X509_CRL_get0_by_cert(parsed, &entry, x);
}

static void a_list_is_made_when_something_was_revoked(void **state)
{
	struct crls *crls = open_crls();
	auto_value(certificate) one = { 0 };
	auto_value(certificate) other = { 0 };
	struct crl *none = NULL;
	auto_value(problem) p = { 0 };

	(void)state;
	assert_false(crls_get(crls, "issuing", (struct crl_name){ 0 }, &none, &p));
	assert_int_equal(p.kind, PROBLEM_UNAVAILABLE);
	assert_false(crls_get(crls, "other", (struct crl_name){ 0 }, &none, &p));
	assert_int_equal(p.kind, PROBLEM_NOT_FOUND);
	status_issue(TEST_DAY, &one);
	status_issue(TEST_DAY, &other);
	struct crl *first = refreshed(crls), *same = refreshed(crls);
	assert_ptr_equal(first, same);
	assert_int_equal(first->count, 0);
	status_revoke(&one, 4);
	struct crl *second = refreshed(crls);
	assert_int_equal(second->count, 1);
	assert_true(second->number > first->number);
	assert_string_not_equal(second->etag, first->etag);
	assert_int_equal(expect_listed(second, &one), 1);
	assert_int_equal(expect_listed(second, &other), 0);
	assert_int_equal(first->count, 0); /* who still sends it has it whole */
	crl_unref(first);
	crl_unref(same);
	crl_unref(second);
	crls_close(crls);
}

/* A row of another number of shards is on the first list; one that has no revocation (RFC 9608, 2) on none. */
static void odd_rows_have_their_place(void **state)
{
	struct crls *crls = open_crls();
	auto_value(certificate) next = { 0 }, far = { 0 }, below = { 0 }, none = { 0 };
	struct certificate *rows[] = { &next, &far, &below, &none };
	auto_value(problem) p = { 0 };

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++)
		status_issue(TEST_DAY, rows[i]);
	next.shard = 1;
	far.shard = 1000;
	below.shard = -1;
	none.no_revocation = true;
	for (size_t i = 0; i < array_length(rows); i++) {
		status_check(store_update(status.store, status_put, rows[i], &p), &p);
		status_revoke(rows[i], 4);
	}
	struct crl *crl = refreshed(crls);
	assert_int_equal(crl->count, 3);
	for (size_t i = 0; i < array_length(rows); i++)
		assert_int_equal(expect_listed(crl, rows[i]), rows[i] != &none);
	crl_unref(crl);
	crls_close(crls);
}

/* After its interval; and when the last one is of a future that no clock which was put right explains. */
static void a_list_is_scheduled(void **state)
{
	static const struct crls_options often = { .lifetime = 1000, .interval = 100 };
	static const struct {
		int64_t last, now;
		bool want;
	} rows[] = {
		{ 5000, 5000, false }, { 5000, 5099, false }, { 5000, 5100, true }, { 5000, 4999, false },
		{ 50000, 50000 - CRL_CLOCK_BACK, false }, { 50000, 50000 - CRL_CLOCK_BACK - 1, true },
	};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++)
		assert_int_equal(crl_is_scheduled(&often, rows[i].last, rows[i].now), rows[i].want);
}

static void revocations_that_come_together_share_a_list(void **state)
{
	const struct crls_options slow = { .lifetime = TEST_DAY, .interval = 3600, .pause_ms = 3000 };
	struct crls *crls = NULL;
	auto_value(problem) p = { 0 };
	int64_t first_number = 0;

	(void)state;
	status_check(crls_open(&slow, status.store, status.ca, &crls, &p), &p);
	for (int i = 0; i < 4; i++) {
		auto_value(certificate) certificate = { 0 };
		status_issue(TEST_DAY, &certificate);
		status_revoke(&certificate, 0);
		struct crl *crl = refreshed(crls);
		assert_int_equal(crl->count, 1);
		first_number = first_number ?: crl->number;
		assert_int_equal(crl->number, first_number);
		crl_unref(crl);
	}
	size_t listed = 1;
	for (int tries = 0; listed == 1 && tries < 300; tries++) {
		usleep(100000);
		struct crl *crl = refreshed(crls);
		listed = crl->count;
		crl_unref(crl);
	}
	assert_int_equal(listed, 4);
	crls_close(crls);
}

static bool take_long(struct store_txn *txn, void *arg, struct problem *p)
{
	(void)txn, (void)p;
	*(atomic_bool *)arg = true;
	usleep(500000);
	return true;
}

static void *hold_the_store(void *arg)
{
	auto_value(problem) p = { 0 };

	status_check(store_update(status.store, take_long, arg, &p), &p);
	return NULL;
}

/* As by a disk that has to find what is not in memory yet: what that took says nothing of the work. */
static void a_list_that_had_to_wait_does_not_delay_the_next(void **state)
{
	const struct crls_options brisk = { .lifetime = TEST_DAY, .interval = 3600, .pause_ms = 50 };
	auto_value(certificate) certificate = { 0 };
	auto_value(problem) p = { 0 };
	struct crls *crls = NULL;
	atomic_bool held = false;
	pthread_t thread;
	size_t count = 0;

	(void)state;
	status_check(crls_open(&brisk, status.store, status.ca, &crls, &p), &p);
	assert_int_equal(pthread_create(&thread, NULL, hold_the_store, &held), 0);
	while (!held)
		usleep(1000);
	crl_unref(refreshed(crls));
	pthread_join(thread, NULL);
	status_issue(TEST_DAY, &certificate);
	status_revoke(&certificate, 4);
	for (int tries = 0; count == 0 && tries < 300; tries++) {
		usleep(100000);
		struct crl *crl = refreshed(crls);
		count = crl->count;
		crl_unref(crl);
	}
	assert_int_equal(count, 1);
	crls_close(crls);
}

static void a_list_is_made_when_its_time_has_come(void **state)
{
	struct crls *crls = open_crls();
	struct crl *first = refreshed(crls);

	(void)state;
	status_clock(options.interval - 5);
	struct crl *same = refreshed(crls);
	assert_ptr_equal(first, same);
	status_clock(options.interval + 5);
	struct crl *second = refreshed(crls);
	assert_true(second->number > first->number && second->next_update > first->next_update);
	status_clock(0);
	crl_unref(first);
	crl_unref(same);
	crl_unref(second);
	crls_close(crls);
}

/* Restarts within one second, and a clock that was put back: the number still rises. */
struct ending {
	struct crls *crls;
	enum problem_kind refused;
};

static void make_at_the_end(void *arg)
{
	struct ending *ending = arg;
	auto_value(problem) p = { 0 };

	while (!work_ends())
		usleep(1000);
	if (!crls_refresh(ending->crls, &p))
		ending->refused = p.kind;
}

/* A server that ends does not wait for a list of a million, which takes a minute and more. */
static void a_list_breaks_off_where_its_work_ends(void **state)
{
	struct ending ending = { .crls = open_crls() };
	struct work *work = NULL;
	struct crl *crl = NULL;
	auto_value(problem) p = { 0 };

	(void)state;
	status_check(work_open("lists", 1, 1, &work, &p) && work_add(work, 0, make_at_the_end, &ending, &p), &p);
	while (work_waiting(work) > 0) /* what has not begun is dropped */
		usleep(1000);
	work_close(work, NULL);
	assert_int_equal(ending.refused, PROBLEM_UNAVAILABLE);
	assert_false(crls_get(ending.crls, "issuing", (struct crl_name){ 0 }, &crl, &p));
	crls_close(ending.crls);
}

static void numbers_rise_across_restarts(void **state)
{
	static const int64_t shifts[] = { 0, 0, 0, -3600, 0, -TEST_YEAR, 7 };
	int64_t last = 0;

	(void)state;
	for (size_t i = 0; i < array_length(shifts); i++) {
		status_clock(shifts[i]);
		struct crls *crls = open_crls();
		struct crl *crl = refreshed(crls);
		auto(X509_CRL) *parsed = parse(buf_bytes(&crl->der));
		assert_true(crl->number > last);
		assert_int_equal(number_of(parsed), crl->number);
		last = crl->number;
		crl_unref(crl);
		crls_close(crls);
	}
	status_clock(0);
}

/* A store put back from a backup knows an old number; the time goes on. */
static void numbers_rise_after_a_backup_is_put_back(void **state)
{
	struct crls *crls = open_crls();
	struct crl *before = refreshed(crls);

	(void)state;
	crls_close(crls);
	store_close(status.store);
	status.store = status_store();
	status_clock(60);
	crls = open_crls();
	struct crl *after = refreshed(crls);
	assert_true(after->number > before->number);
	status_clock(0);
	crl_unref(before);
	crl_unref(after);
	crls_close(crls);
}

/* RFC 5280, 3.3: an entry stands on one scheduled list after its certificate has expired. */
static void an_expired_certificate_stands_on_one_more_list(void **state)
{
	static const struct {
		const char *when;
		int64_t hours;
		bool restart;
		size_t want_count;
	} rows[] = {
		{ "before it expires", 0, false, 2 },
		{ "expired since an hour, no list is due", 2, false, 2 },
		{ "a restart makes a list that was not scheduled", 3, true, 2 },
		{ "the first scheduled list since", 12, false, 2 },
		{ "the second", 24, false, 1 },
	};
	auto_value(certificate) brief = { 0 };
	auto_value(certificate) lasting = { 0 };
	struct crls *crls = open_crls();

	(void)state;
	status_issue(3600, &brief);
	status_issue(TEST_YEAR, &lasting);
	status_revoke(&brief, 1);
	status_revoke(&lasting, 1);
	for (size_t i = 0; i < array_length(rows); i++) {
		status_clock(rows[i].hours * 3600 + 1);
		if (rows[i].restart) {
			crls_close(crls);
			crls = open_crls();
		}
		struct crl *crl = refreshed(crls);
		if (crl->count != rows[i].want_count)
			fail_msg("%s: %zu entries", rows[i].when, crl->count);
		crl_unref(crl);
	}
	status_clock(0);
	crls_close(crls);
}

/* RFC 5280, 5.2.4. By the last row no list can be in use that has it with the reason of before. */
static void a_delta_has_what_has_another_reason(void **state)
{
	static const struct crls_options with_deltas = { .lifetime = TEST_DAY, .interval = TEST_DAY / 2, .delta_lifetime = 3600 };
	static const struct {
		int64_t days, reason;          /* 0: no revocation then */
		size_t want_count;             /* on the delta, with the other one that is revoked */
	} rows[] = { { 0, 4, 2 }, { 1, 0, 2 }, { 2, 0, 2 }, { 3, 1, 1 }, { 4, 0, 1 }, { 5, 0, 1 }, { 6, 0, 0 } };
	auto_value(certificate) learned = { 0 };
	auto_value(certificate) plain = { 0 };
	struct crls *crls = NULL;
	auto_value(problem) p = { 0 };

	(void)state;
	status_check(crls_open(&with_deltas, status.store, status.ca, &crls, &p), &p);
	status_issue(TEST_YEAR, &learned);
	status_issue(TEST_YEAR, &plain);
	crl_unref(refreshed(crls));
	status_revoke(&plain, 4);
	for (size_t i = 0; i < array_length(rows); i++) {
		struct crl *delta = NULL;
		status_clock(rows[i].days * (TEST_DAY + 2));
		if (rows[i].reason)
			status_revoke(&learned, rows[i].reason);
		crl_unref(refreshed(crls));
		status_check(crls_get(crls, "issuing", (struct crl_name){ .delta = true }, &delta, &p), &p);
		if (delta->count != rows[i].want_count)
			fail_msg("day %lld: %zu entries", (long long)rows[i].days, delta->count);
		crl_unref(delta);
	}
	status_clock(0);
	crls_close(crls);
}

/* No list of the future is a delta's base: what is revoked now would be older than it, and so on no delta. */
static void a_clock_that_ran_ahead_hides_nothing_from_deltas(void **state)
{
	static const struct crls_options with_deltas = { .lifetime = TEST_DAY, .interval = TEST_DAY / 2, .delta_lifetime = 3600 };
	struct crls *crls = NULL;
	auto_value(problem) p = { 0 };

	(void)state;
	status_check(crls_open(&with_deltas, status.store, status.ca, &crls, &p), &p);
	status_clock(TEST_DAY);
	crl_unref(refreshed(crls));
	status_clock(0);
	for (size_t i = 1; i <= 2; i++) {
		auto_value(certificate) certificate = { 0 };
		struct crl *delta = NULL;
		status_issue(TEST_YEAR, &certificate);
		status_revoke(&certificate, 4);
		struct crl *complete = refreshed(crls);
		status_check(crls_get(crls, "issuing", (struct crl_name){ .delta = true }, &delta, &p), &p);
		assert_int_equal(complete->count, i);
		assert_int_equal(delta->count, i);
		assert_int_equal(expect_listed(delta, &certificate), 1);
		crl_unref(complete);
		crl_unref(delta);
	}
	crls_close(crls);
}

/* A clock that ran ahead for a while made the list of a day when all had expired. */
static void a_clock_that_ran_ahead_hides_nothing(void **state)
{
	auto_value(certificate) certificate = { 0 };
	struct crls *crls = open_crls();

	(void)state;
	status_issue(TEST_DAY, &certificate);
	status_revoke(&certificate, 1);
	status_clock(TEST_YEAR);
	struct crl *ahead = refreshed(crls);
	status_clock(0);
	struct crl *right = refreshed(crls);
	assert_int_equal(expect_listed(right, &certificate), 1);
	assert_true(right->this_update < ahead->this_update && right->number > ahead->number);
	crl_unref(ahead);
	crl_unref(right);
	crls_close(crls);
}

static void more_entries_than_a_page(void **state)
{
	enum { COUNT = 1203 };
	auto_value(certificate) certificate = { 0 };
	struct crls *crls = open_crls();
	auto_value(problem) p = { 0 };

	(void)state;
	status_issue(TEST_DAY, &certificate);
	for (unsigned i = 0; i < COUNT; i++) {
		struct certificate row = certificate;
		uint8_t serial[16] = { 0x40, [14] = (uint8_t)(i >> 8), [15] = (uint8_t)i };
		uint8_t fingerprint[SHA256_SIZE];
		digest_sha256(BYTES(serial, sizeof(serial)), fingerprint);
		row.serial = BYTES(serial, sizeof(serial));
		row.fingerprint = BYTES(fingerprint, sizeof(fingerprint));
		status_check(random_id(row.id, &p) && store_update(status.store, status_put, &row, &p), &p);
		status_revoke(&row, 0);
	}
	struct crl *crl = refreshed(crls);
	assert_int_equal(crl->count, COUNT);
	lint("many", &crl->der);
	crl_unref(crl);
	crls_close(crls);
}

/* Whether the door for lists takes it. Those who do not get in end the process: it is a bug of ours. */
static bool is_signed(struct bytes message)
{
	pid_t child = fork();
	int ended;

	assert_true(child >= 0);
	if (child == 0) {
		struct signature signature;
		struct problem p = { 0 };
		signal(SIGABRT, SIG_DFL);
		dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDERR_FILENO);
		_exit(issue_crl(status_issuer(), message, &signature, &p) ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &ended, 0), child);
	return WIFEXITED(ended) && WEXITSTATUS(ended) == 0;
}

/* A TBSCertificate begins like a TBSCertList, most of all in version 1 with the serial number 1. */
static void nothing_but_lists_is_signed(void **state)
{
	struct crls *crls = open_crls();
	struct crl *crl = refreshed(crls);
	auto(X509_CRL) *list = parse(buf_bytes(&crl->der));

	(void)state;
	auto_value(buf) tbs = { 0 };
	assert_true(ossl_der(i2d_re_X509_CRL_tbs, list, &tbs));
	assert_true(is_signed(buf_bytes(&tbs)));
	for (int version = X509_VERSION_1; version <= X509_VERSION_3; version++) {
		auto_value(certificate) row = { 0 };
		auto_value(buf) certificate = { 0 };
		status_issue(TEST_DAY, &row);
		auto(X509) *x = test_parse(row.der);
		assert_int_equal(X509_set_version(x, version), 1);
		assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(x), 1), 1);
		assert_true(ossl_der(i2d_re_X509_tbs, x, &certificate));
		assert_false(is_signed(buf_bytes(&certificate)));
	}
	assert_false(is_signed(BYTES("", 0)));
	assert_false(is_signed(BYTES(tbs.data, 20)));
	crl_unref(crl);
	crls_close(crls);
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
	status_clock(0);
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
		cmocka_unit_test(every_rule_holds),
		EACH(the_writer_writes_what_it_is_told),
		EACH(times_after_2049),
		EACH(scopes_and_deltas),
		EACH(names_of_lists),
		EACH(a_list_is_made_when_something_was_revoked),
		EACH(odd_rows_have_their_place),
		cmocka_unit_test(a_list_is_scheduled),
		EACH(revocations_that_come_together_share_a_list),
		EACH(a_list_that_had_to_wait_does_not_delay_the_next),
		EACH(a_list_is_made_when_its_time_has_come),
		EACH(a_list_breaks_off_where_its_work_ends),
		EACH(numbers_rise_across_restarts),
		EACH(numbers_rise_after_a_backup_is_put_back),
		EACH(a_delta_has_what_has_another_reason), EACH(an_expired_certificate_stands_on_one_more_list),
		EACH(a_clock_that_ran_ahead_hides_nothing),
		EACH(a_clock_that_ran_ahead_hides_nothing_from_deltas),
		EACH(more_entries_than_a_page),
		EACH(nothing_but_lists_is_signed),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
