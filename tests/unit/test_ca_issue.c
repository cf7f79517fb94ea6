#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <pthread.h>

#include <cmocka.h>

#include "base/file.h"
#include "policy/gate.h"
#include "tests/unit/test_ca_issue.h"

static struct ca *ca;
static struct identifiers names;
static struct strings usages;

static int group_setup(void **state)
{
	static const char *const list[] = { "dns:www.example.com", "dns:example.com", "ip:192.0.2.7", NULL };

	if (folder_setup(state) != 0)
		return -1;
	test_keys_make();
	test_create(folder, KEYFILE_EC_P256, KEYFILE_EC_P256);
	ca = test_open(folder, TEST_BASE);
	names = test_names(list);
	return strings_add(&usages, "1.3.6.1.5.5.7.3.1") ? 0 : -1;
}

static int group_teardown(void **state)
{
	ca_free(ca);
	identifiers_free(&names);
	strings_free(&usages);
	test_keys_free();
	return folder_teardown(state);
}

static void the_row_tells_what_was_issued(void **state)
{
	struct approval_facts facts = test_facts(KEY_EC_P256, &names, &usages);
	auto_value(certificate) row = { 0 };
	auto_value(problem) p = { 0 };
	uint8_t digest[SHA256_SIZE];

	(void)state;
	facts.common_name = "www.example.com";
	int64_t before = clock_now();
	assert_true(test_issue(ca, &facts, &row, &p));
	assert_false(problem_is_set(&p));
	assert_true(random_id_valid(row.id));
	assert_int_equal(row.status, CERTIFICATE_VALID);
	assert_string_equal(row.issuer, "issuing");
	assert_string_equal(row.subject, "CN=www.example.com");
	assert_string_equal(row.profile, "tls-server");
	assert_string_equal(row.method, "acme");
	assert_string_equal(row.account, facts.account);
	assert_string_equal(row.order, facts.order);
	assert_null(row.identity);
	assert_int_equal(row.not_before, facts.not_before);
	assert_int_equal(row.not_after, facts.not_after);
	assert_in_range(row.issued, before, before + 5);
	assert_int_equal(row.revoked, 0);
	digest_sha256(row.der, digest);
	assert_true(bytes_equal(row.fingerprint, BYTES(digest, sizeof(digest))));
	assert_true(bytes_equal(row.key_hash, BYTES(facts.key_hash, sizeof(facts.key_hash))));
	auto(X509) *parsed = test_parse(row.der);
	auto(BIGNUM) *serial = ASN1_INTEGER_to_BN(X509_get0_serialNumber(parsed), NULL);
	auto(BIGNUM) *recorded = BN_bin2bn(row.serial.data, (int)row.serial.len, NULL);
	assert_int_equal(BN_cmp(serial, recorded), 0);
	assert_int_equal(row.names.n, 4);
	const struct certificate_name *list = row.names.v;
	assert_string_equal(list[0].type, "dns");
	assert_string_equal(list[0].value, "example.com");
	assert_string_equal(list[1].value, "www.example.com");
	assert_string_equal(list[2].type, "ip");
	assert_string_equal(list[2].value, "192.0.2.7");
	assert_string_equal(list[3].type, "cn");
	assert_string_equal(list[3].value, "www.example.com");
}

static void another_origin_is_told_too(void **state)
{
	struct approval_facts facts = test_facts(KEY_ED25519, &names, &usages);
	auto_value(certificate) row = { 0 };
	auto_value(problem) p = { 0 };

	(void)state;
	facts.method = "internal";
	facts.identity = "operator";
	facts.account = facts.order = "";
	assert_true(test_issue(ca, &facts, &row, &p));
	assert_string_equal(row.method, "internal");
	assert_string_equal(row.identity, "operator");
	assert_string_equal(row.account, "");
	assert_string_equal(row.order, "");
	assert_string_equal(row.subject, "");
	assert_int_equal(row.names.n, 3);
}

/* The row lives on its own: the store takes it, and it reads back the same. */
static bool put(struct store_txn *txn, void *arg, struct problem *p)
{
	return store_certificate_put(txn, arg, p);
}

struct search {
	struct certificate *row, found;
};

static bool get(struct store_txn *txn, void *arg, struct problem *p)
{
	struct search *search = arg;

	return store_certificate_by_serial(txn, search->row->serial, &search->found, p);
}

static void the_store_takes_the_row(void **state)
{
	const struct approval_facts facts = test_facts(KEY_EC_P384, &names, &usages);
	const uint8_t seal_key[32] = { 1 };
	auto_value(problem) p = { 0 };
	struct kv *kv = NULL;
	auto_struct(store) *store = NULL;
	auto_value(certificate) row = { 0 };

	(void)state;
	assert_true(kv_memory_open(&kv, &p) && store_open_kv(kv, seal_key, &store, &p));
	assert_true(test_issue(ca, &facts, &row, &p));
	assert_true(store_update(store, put, &row, &p));
	struct search search = { .row = &row };
	assert_true(store_view(store, get, &search, &p));
	assert_string_equal(search.found.id, row.id);
	assert_true(bytes_equal(search.found.der, row.der));
	assert_int_equal(search.found.names.n, 3);
	certificate_free(&search.found);
}

static void serials_are_random_positive_and_short(void **state)
{
	enum { COUNT = 64 };
	const struct approval_facts facts = test_facts(KEY_EC_P256, &names, &usages);
	uint8_t any[CERTIFICATE_SERIAL_SIZE] = { 0 }, all[CERTIFICATE_SERIAL_SIZE];
	static struct certificate rows[COUNT];

	(void)state;
	memset(all, 0xff, sizeof(all));
	for (size_t i = 0; i < COUNT; i++) {
		auto_value(problem) p = { 0 };
		assert_true(test_issue(ca, &facts, &rows[i], &p));
		auto(X509) *parsed = test_parse(rows[i].der);
		const ASN1_INTEGER *serial = X509_get0_serialNumber(parsed);
		assert_int_equal(ASN1_STRING_type(serial), V_ASN1_INTEGER); /* not V_ASN1_NEG_INTEGER */
		assert_int_equal(rows[i].serial.len, CERTIFICATE_SERIAL_SIZE);
		assert_int_not_equal(rows[i].serial.data[0], 0);
		char id[RANDOM_ID_SIZE];
		assert_true(certificate_serial_id(rows[i].serial, id));
		assert_string_equal(rows[i].id, id);
		for (size_t b = 0; b < rows[i].serial.len; b++) {
			any[b] |= rows[i].serial.data[b];
			all[b] &= rows[i].serial.data[b];
		}
		for (size_t j = 0; j < i; j++)
			assert_false(bytes_equal(rows[i].serial, rows[j].serial));
	}
	for (size_t b = 4; b < CERTIFICATE_SERIAL_SIZE; b++) { /* after the time each of the 128 bits was 1 once, and 0 once */
		assert_int_equal(any[b], 0xff);
		assert_int_equal(all[b], 0);
	}
	for (size_t i = 0; i < COUNT; i++)
		certificate_free(&rows[i]);
}

static void the_hash_is_the_profiles_or_the_keys(void **state)
{
	static const struct {
		const char *hash;
		int want;
	} rows[] = {
		{ NULL, NID_ecdsa_with_SHA256 }, { "SHA256", NID_ecdsa_with_SHA256 }, { "SHA384", NID_ecdsa_with_SHA384 },
		{ "SHA512", NID_ecdsa_with_SHA512 },
	};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		struct approval_facts facts = test_facts(KEY_EC_P256, &names, &usages);
		auto_value(certificate) row = { 0 };
		auto_value(problem) p = { 0 };
		facts.hash = rows[i].hash;
		assert_true(test_issue(ca, &facts, &row, &p));
		auto(X509) *parsed = test_parse(row.der);
		auto(X509) *issuer = test_parse(issuer_certificate(ca_issuer(ca, "")));
		assert_int_equal(X509_get_signature_nid(parsed), rows[i].want);
		assert_int_equal(X509_verify(parsed, X509_get0_pubkey(issuer)), 1);
	}
}

/* Each rule of the CA's floor alone refuses, whatever the gate let through. */
#define LABEL_50 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
static const char name64[] = LABEL_50 ".bbbbb.example";
static const char name65[] = LABEL_50 ".bbbbbb.example";

static struct strings no_usages;
static struct identifiers no_names, odd_names;
/* As no set can be made, and as no gate makes one. */
static struct identifier spaced_name = { IDENTIFIER_DNS, "a b.example" }, deleted_name = { IDENTIFIER_DNS, "a\x7f.example" },
	device_name = { IDENTIFIER_PERMANENT, "device-1" };
static const struct identifiers spaced_names = { &spaced_name, 1 }, deleted_names = { &deleted_name, 1 },
	device_names = { &device_name, 1 };

static void break_nothing(struct approval_facts *f) { f->common_name = name64; }
static void break_names(struct approval_facts *f) { f->names = &no_names; }
static void break_ascii(struct approval_facts *f) { f->names = &odd_names; }
static void break_space(struct approval_facts *f) { f->names = &spaced_names; }
static void break_delete(struct approval_facts *f) { f->names = &deleted_names; }
static void break_device(struct approval_facts *f) { f->names = &device_names; }
static void break_cn_length(struct approval_facts *f) { f->common_name = name65; }
static void break_cn_proof(struct approval_facts *f) { f->common_name = "other.example"; }
static void break_order(struct approval_facts *f) { f->not_before = f->not_after + 1; }
static void break_begin(struct approval_facts *f) { f->not_before = 0; }
static void break_cert_sign(struct approval_facts *f) { f->key_usage |= KU_KEY_CERT_SIGN; }
static void break_crl_sign(struct approval_facts *f) { f->key_usage |= KU_CRL_SIGN; }
static void break_encipherment(struct approval_facts *f) { f->key_usage |= KU_KEY_ENCIPHERMENT; }
static void break_responder(struct approval_facts *facts)
{
	static char server[] = "1.3.6.1.5.5.7.3.1", ocsp[] = "1.3.6.1.5.5.7.3.9";
	static char *both[] = { server, ocsp };
	static const struct strings list = { both, 2 };

	facts->extended_key_usage = &list;
}

static void break_usages(struct approval_facts *f) { f->extended_key_usage = &no_usages; }
static void break_issuer(struct approval_facts *f) { f->issuer = "another"; }
static void break_hash(struct approval_facts *f) { f->hash = "MD5"; }
static void break_spki(struct approval_facts *f) { f->spki.len--; }
static void break_algorithm(struct approval_facts *f) { f->algorithm = KEY_EC_P384; }
static const struct subject long_country = { (struct subject_attribute[]){ { SUBJECT_C, "DEU" } }, 1 };
static const struct subject sub_ca = { (struct subject_attribute[]){ { SUBJECT_O, "Example" }, { SUBJECT_CN, "Sub CA" } }, 2 };
static uint8_t text_der[] = { 0x0c, 1, 'x' };
#define DER { .data = text_der, .len = sizeof(text_der) }
static const struct csr_other_name unreadable = { .type = CSR_OTHER_UNREADABLE, .der = DER };
static const struct csr_other_name empty = { .type = CSR_OTHER_TEXT }, unproven = { .type = CSR_OTHER_TEXT, .der = DER };
static void break_subject(struct approval_facts *f) { f->subject = &long_country; }
static void break_acme_cn(struct approval_facts *f) { f->subject = &sub_ca, f->common_name = "Sub CA"; }
static void break_other(struct approval_facts *f) { f->others = &unreadable, f->other_count = 1; }
static void break_other_der(struct approval_facts *f) { f->others = &empty, f->other_count = 1; }
static void break_acme_other(struct approval_facts *f) { f->others = &unproven, f->other_count = 1; }
static void make_ca(struct approval_facts *f)
{
	static const struct identifiers none;

	f->names = &none;
	f->method = "api";
	f->account = f->order = "";
	f->identity = "operator";
	f->ca = true;
	f->path_length = 0;
	f->subject = &sub_ca;
	f->common_name = "Sub CA";
	f->key_usage = KU_KEY_CERT_SIGN | KU_CRL_SIGN;
	f->extended_key_usage = &no_usages;
}
static void break_acme_ca(struct approval_facts *f) { make_ca(f), f->method = "acme", f->names = &no_names; }
static void break_acme_ca_named(struct approval_facts *f)
{
	const struct identifiers *proven = f->names;

	make_ca(f);
	f->method = "acme";
	f->names = proven;
	f->common_name = NULL;
}
static void break_ca_depth(struct approval_facts *f) { make_ca(f), f->path_length = 128; }
static void break_ca_depth_sign(struct approval_facts *f) { make_ca(f), f->path_length = -2; }
static void break_ca_revocation(struct approval_facts *f) { make_ca(f), f->no_revocation = true; }
static void break_ca_staple(struct approval_facts *f) { make_ca(f), f->must_staple = true; }
static void break_staple_revocation(struct approval_facts *f) { f->must_staple = f->no_revocation = true; }
static void break_ca_unnamed(struct approval_facts *f) { make_ca(f), f->subject = NULL, f->common_name = NULL; }
static void break_ca_usage(struct approval_facts *f) { make_ca(f), f->key_usage = KU_DIGITAL_SIGNATURE; }

static void each_rule_of_the_floor_refuses(void **state)
{
	static const struct {
		void (*spoil)(struct approval_facts *facts);
		enum problem_kind want; /* NONE: issued */
		const char *want_text;
	} rows[] = {
		{ break_nothing, PROBLEM_NONE, "" },
		{ break_names, PROBLEM_INTERNAL, "at least one name" },
		{ break_ca_revocation, PROBLEM_INTERNAL, "noRevAvail" },
		{ break_ca_staple, PROBLEM_INTERNAL, "RFC 7633" },
		{ break_staple_revocation, PROBLEM_INTERNAL, "RFC 7633" },
		{ break_ascii, PROBLEM_INTERNAL, "visible ASCII" },
		{ break_space, PROBLEM_INTERNAL, "visible ASCII" },
		{ break_delete, PROBLEM_INTERNAL, "visible ASCII" },
		{ break_device, PROBLEM_INTERNAL, "visible ASCII" },
		{ break_cn_length, PROBLEM_INTERNAL, "common name" },
		{ break_cn_proof, PROBLEM_INTERNAL, "common name" },
		{ break_order, PROBLEM_INTERNAL, "notBefore" },
		{ break_begin, PROBLEM_INTERNAL, "notBefore" },
		{ break_cert_sign, PROBLEM_INTERNAL, "keyCertSign" },
		{ break_crl_sign, PROBLEM_INTERNAL, "cRLSign" },
		{ break_encipherment, PROBLEM_INTERNAL, "fits the key" },
		{ break_usages, PROBLEM_INTERNAL, "extKeyUsage" },
		{ break_responder, PROBLEM_INTERNAL, "delegates the signing of OCSP answers" },
		{ break_issuer, PROBLEM_INTERNAL, "no issuer" },
		{ break_hash, PROBLEM_INTERNAL, "MD5" },
		{ break_subject, PROBLEM_INTERNAL, "alphabet and size" },
		{ break_acme_cn, PROBLEM_INTERNAL, "common name" },
		{ break_other, PROBLEM_INTERNAL, "visible ASCII" },
		{ break_other_der, PROBLEM_INTERNAL, "visible ASCII" },
		{ break_acme_other, PROBLEM_INTERNAL, "ACME proves" },
		{ break_acme_ca_named, PROBLEM_INTERNAL, "makes no CA" },
		{ break_ca_depth, PROBLEM_INTERNAL, "a CA has keyCertSign" },
		{ break_ca_depth_sign, PROBLEM_INTERNAL, "a CA has keyCertSign" },
		{ break_acme_ca, PROBLEM_INTERNAL, "common name" },
		{ break_ca_unnamed, PROBLEM_INTERNAL, "at least one name" },
		{ break_ca_usage, PROBLEM_INTERNAL, "a CA has keyCertSign" },
		{ make_ca, PROBLEM_BAD_CSR, "no such CA below it" }, /* the issuing CA's own path length is 0 */
		{ break_spki, PROBLEM_BAD_PUBLIC_KEY, "not DER" },
		{ break_algorithm, PROBLEM_BAD_PUBLIC_KEY, "ec-p384" },
	};
	auto_value(identifiers) long_names = { 0 };
	struct identifier odd = { IDENTIFIER_DNS, "b\xc3\xbc" "cher.example" };
	auto_value(problem) unused = { 0 };

	(void)state;
	static const char *const list[] = { "dns:" LABEL_50 ".bbbbb.example", "dns:" LABEL_50 ".bbbbbb.example", NULL };
	assert_true(strlen(name64) == 64 && strlen(name65) == 65);
	long_names = test_names(list);
	assert_true(identifiers_add(&odd_names, &odd, &unused));
	for (size_t i = 0; i < array_length(rows); i++) {
		struct approval_facts facts = test_facts(KEY_EC_P256, &long_names, &usages);
		auto_value(certificate) row = { 0 };
		auto_value(problem) p = { 0 };
		rows[i].spoil(&facts);
		assert_int_equal(test_issue(ca, &facts, &row, &p), rows[i].want == PROBLEM_NONE);
		assert_string_equal(problem_kind_name(p.kind), problem_kind_name(rows[i].want));
		assert_non_null(strstr(p.kind == PROBLEM_INTERNAL ? p.cause : p.detail, rows[i].want_text));
		assert_true((row.memory != NULL) == (rows[i].want == PROBLEM_NONE));
	}
	identifiers_free(&odd_names);
}

/* RFC 5480, 3 and RFC 8410, 5: what a key of each algorithm can be used for. */
static void key_usage_fits_the_algorithm(void **state)
{
	static const struct {
		unsigned usage;
		bool want_rsa, want_ec, want_ed25519;
	} rows[] = {
		{ 0, true, true, true },
		{ KU_DIGITAL_SIGNATURE, true, true, true },
		{ KU_NON_REPUDIATION, true, true, true },
		{ KU_KEY_ENCIPHERMENT, true, false, false },
		{ KU_DATA_ENCIPHERMENT, true, false, false },
		{ KU_KEY_AGREEMENT, false, true, false },
		{ KU_KEY_AGREEMENT | KU_ENCIPHER_ONLY, false, true, false },
		{ KU_KEY_AGREEMENT | KU_DECIPHER_ONLY, false, true, false },
		{ KU_KEY_CERT_SIGN, false, false, false },
		{ KU_CRL_SIGN, false, false, false },
	};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++)
		for (enum key_algorithm a = 0; a < KEY_ALGORITHM_MAX; a++) {
			struct approval_facts facts = test_facts(a, &names, &usages);
			auto_value(certificate) row = { 0 };
			auto_value(problem) p = { 0 };
			bool want = a <= KEY_RSA_4096 ? rows[i].want_rsa : a == KEY_ED25519 ? rows[i].want_ed25519 : rows[i].want_ec;
			facts.key_usage = rows[i].usage;
			assert_int_equal(test_issue(ca, &facts, &row, &p), want);
			if (!want)
				continue;
			auto(X509) *parsed = test_parse(row.der);
			assert_int_equal(X509_get_key_usage(parsed), rows[i].usage ? rows[i].usage : UINT32_MAX);
		}
}

static void no_certificate_outlives_its_issuer(void **state)
{
	const int64_t end = issuer_not_after(ca_issuer(ca, ""));
	struct approval_facts facts = test_facts(KEY_EC_P256, &names, &usages);
	auto_value(certificate) row = { 0 };
	auto_value(certificate) none = { 0 };
	auto_value(problem) p = { 0 };

	(void)state;
	facts.not_after = end;
	assert_true(test_issue(ca, &facts, &row, &p));
	facts.not_after = end + 1;
	assert_false(test_issue(ca, &facts, &none, &p));
	assert_int_equal(p.kind, PROBLEM_UNAVAILABLE);
	assert_true(p.retry_after > 0);
	assert_null(none.memory);
}

/* The whole way once: a CSR and an identity through the gate. */
static void make_csr(EVP_PKEY *key, struct buf *ret)
{
	auto(X509_REQ) *csr = X509_REQ_new();
	X509_EXTENSION *san = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "DNS:*.example.com,DNS:example.com,IP:2001:db8::1");
	auto(ossl_extensions) *extensions = sk_X509_EXTENSION_new_null();

	assert_true(san && sk_X509_EXTENSION_push(extensions, san) == 1);
	assert_int_equal(X509_REQ_set_pubkey(csr, key), 1);
	assert_int_equal(X509_REQ_add_extensions(csr, extensions), 1);
	assert_true(X509_REQ_sign(csr, key, EVP_sha256()) > 0);
	assert_true(ossl_der(i2d_X509_REQ, csr, ret));
}

/* The root, which may have CAs below it, as an issuer. */
static void a_ca_below_a_ca(void **state)
{
	static const char *const issuers[] = { "root", NULL };
	auto_free char *root = mem_printf("%s/root.pem", folder), *chain = mem_printf("%s/root.chain.pem", folder);
	const struct ca_options options = { .folder = folder, .issuers = issuers };
	struct approval_facts facts = test_facts(KEY_EC_P256, &no_names, &no_usages);
	auto_value(certificate) row = { 0 };
	auto_value(problem) p = { 0 };
	auto_value(buf) pem = { 0 };
	auto_struct(ca) *above = NULL;

	(void)state;
	assert_true(file_read(root, 100000, &pem, &p) && file_write(chain, buf_bytes(&pem), 0600, &p));
	assert_true(ca_open(&options, test_passphrase, &above, &p));
	make_ca(&facts);
	assert_true(test_issue(above, &facts, &row, &p));
	assert_string_equal(row.subject, "CN=Sub CA,O=Example");
	auto(X509) *parsed = test_parse(row.der);
	assert_int_equal(X509_check_ca(parsed), 1);
	assert_int_equal(X509_get_pathlen(parsed), 0);
	assert_int_equal(X509_get_key_usage(parsed), KU_KEY_CERT_SIGN | KU_CRL_SIGN);
	assert_int_equal(X509_get_ext_by_NID(parsed, NID_ext_key_usage, -1), -1);
	assert_int_equal(X509_get_ext_by_NID(parsed, NID_subject_alt_name, -1), -1);
	auto(X509) *issuer = test_parse(issuer_certificate(ca_issuer(above, "")));
	assert_int_equal(X509_verify(parsed, X509_get0_pubkey(issuer)), 1);
}

static struct store *memory_store(void)
{
	static const uint8_t seal_key[32];
	auto_value(problem) p = { 0 };
	struct store *store = NULL;
	struct kv *kv = NULL;

	assert_true(kv_memory_open(&kv, &p) && store_open_kv(kv, seal_key, &store, &p));
	return store;
}

static void an_approval_of_the_gate_becomes_a_certificate(void **state)
{
	static const char *const list[] = { "dns:*.example.com", "dns:example.com", "ip:2001:db8::1", NULL };
	auto_value(identifiers) proven = test_names(list);
	auto_value(problem) p = { 0 };
	auto_value(buf) csr = { 0 };
	auto_value(certificate) row = { 0 };
	auto_struct(profiles) *profiles = NULL;
	auto_struct(identity) *identity = NULL;
	auto_struct(approval) *approval = NULL;
	struct profile *profile = NULL;

	(void)state;
	make_csr(test_keys[KEY_EC_P256].key, &csr);
	assert_true(profile_new("tls-server", &profile, &p));
	profile->common_name = PROFILE_CN_FIRST;
	assert_true(profiles_new(&profile, 1, "tls-server", NULL, &profiles, &p));
	assert_true(identity_operator(&proven, &identity, &p));
	auto_struct(store) *store = memory_store();
	assert_true(gate_identity(store, profiles, "tls-server", identity, buf_bytes(&csr), &approval, &p));
	assert_true(ca_issue(ca, &approval, &row, &p));
	assert_null(approval);
	auto(X509) *parsed = test_parse(row.der);
	assert_int_equal(X509_check_host(parsed, "a.example.com", 0, 0, NULL), 1);
	assert_int_equal(X509_check_host(parsed, "example.com", 0, 0, NULL), 1);
	assert_int_equal(X509_check_host(parsed, "example.org", 0, 0, NULL), 0);
	assert_int_equal(X509_check_ip_asc(parsed, "2001:db8::1", 0), 1);
	assert_string_equal(row.identity, "operator");
	assert_int_equal(row.not_after - row.not_before, 90 * TEST_DAY - 1);
}

/* Threads share the CA: all issue, all verify, no serial twice. */
enum { THREADS = 4, EACH = 25 };
struct worker {
	pthread_t thread;
	struct certificate rows[EACH];
	unsigned issued;
};

static void *work(void *arg)
{
	struct worker *worker = arg;
	const struct approval_facts facts = test_facts(KEY_EC_P256, &names, &usages);

	for (size_t i = 0; i < EACH; i++) {
		auto_value(problem) p = { 0 };
		worker->issued += test_issue(ca, &facts, &worker->rows[i], &p);
	}
	return NULL;
}

static void threads_share_the_ca(void **state)
{
	static struct worker workers[THREADS];
	auto(X509) *issuer = test_parse(issuer_certificate(ca_issuer(ca, "")));

	(void)state;
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(workers[i].thread, NULL), 0);
	for (size_t i = 0; i < THREADS * EACH; i++) {
		const struct certificate *row = &workers[i / EACH].rows[i % EACH];
		assert_int_equal(workers[i / EACH].issued, EACH);
		auto(X509) *parsed = test_parse(row->der);
		assert_int_equal(X509_verify(parsed, X509_get0_pubkey(issuer)), 1);
		for (size_t j = 0; j < i; j++)
			assert_false(bytes_equal(row->serial, workers[j / EACH].rows[j % EACH].serial));
	}
	for (size_t i = 0; i < THREADS * EACH; i++)
		certificate_free(&workers[i / EACH].rows[i % EACH]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_row_tells_what_was_issued),
		cmocka_unit_test(another_origin_is_told_too),
		cmocka_unit_test(the_store_takes_the_row),
		cmocka_unit_test(serials_are_random_positive_and_short),
		cmocka_unit_test(the_hash_is_the_profiles_or_the_keys),
		cmocka_unit_test(each_rule_of_the_floor_refuses),
		cmocka_unit_test(a_ca_below_a_ca),
		cmocka_unit_test(key_usage_fits_the_algorithm),
		cmocka_unit_test(no_certificate_outlives_its_issuer),
		cmocka_unit_test(an_approval_of_the_gate_becomes_a_certificate),
		cmocka_unit_test(threads_share_the_ca),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
