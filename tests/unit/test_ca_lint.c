/* Every rule for certificates, held against every kind of certificate that this CA issues; and
 * against one that breaks the rule, so that a rule which finds nothing is found. With
 * ENROLLD_LINT_FOLDER set the certificates are left there for tests/lint/pkilint.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/file.h"
#include "tests/lint/rules.h"

/* Each kind of issuer, each kind of key, each shape. */

#define TEN_NAMES(x) "dns:" x "0.example", "dns:" x "1.example", "dns:" x "2.example", "dns:" x "3.example", \
	"dns:" x "4.example", "dns:" x "5.example", "dns:" x "6.example", "dns:" x "7.example", "dns:" x "8.example", \
	"dns:" x "9.example"
#define LABEL_63 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define TEN_LETTERS "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4"
static const struct subject device = {
	(struct subject_attribute[]){
		{ SUBJECT_DC, "example" }, { SUBJECT_C, "DE" }, { SUBJECT_ST, "Bayern" }, { SUBJECT_L, "M\xc3\xbcnchen" },
		{ SUBJECT_O, TEN_LETTERS TEN_LETTERS TEN_LETTERS TEN_LETTERS TEN_LETTERS TEN_LETTERS "1234" }, /* 64 characters */
		{ SUBJECT_OU, "a" }, { SUBJECT_OU, "b" }, { SUBJECT_CN, "device 7, left" }, { SUBJECT_SERIAL_NUMBER, "0007/A (x)" },
		{ SUBJECT_EMAIL, "device@example.com" },
	}, 10,
};
static const struct subject one = { (struct subject_attribute[]){ { SUBJECT_SERIAL_NUMBER, "1" } }, 1 };
static const struct shape {
	const char *name;
	const char *names[32];
	const char *common_name;
	int64_t not_before, not_after; /* 0: the usual */
	unsigned key_usage_dropped;
	const struct subject *subject;
	bool upn;
} shapes[] = {
	{ "plain", { "dns:www.example.com" }, NULL, 0, 0, 0, NULL, false },
	{ "cn", { "dns:www.example.com", "dns:example.com", "ip:192.0.2.7", "ip:2001:db8::7" }, "www.example.com", 0, 0, 0, NULL, false },
	{ "wildcard", { "dns:*.example.com" }, "*.example.com", 0, 2524607999, 0, NULL, false },
	{ "longest", { "dns:" LABEL_63 "." LABEL_63 "." LABEL_63 ".example" }, NULL, 0, 2524608000, 0, NULL, false },
	{ "cn64", { "dns:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.bbbbb.example" },
	  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.bbbbb.example", 2524607999, 2524608001, 0, NULL, false },
	{ "mixed", { "dns:a.example", "email:user@example.com", "uri:https://device.example/7" }, NULL, 2524608000, 2600000000, 0, NULL, false },
	{ "address", { "ip:10.0.0.1" }, "10.0.0.1", 0, 0, KU_KEY_ENCIPHERMENT, NULL, false },
	{ "many", { TEN_NAMES("a"), TEN_NAMES("b"), TEN_NAMES("c") }, NULL, 0, 0, KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT, NULL, false },
	{ .name = "device", .names = { "dns:device-7.example.com" }, .common_name = "device 7, left", .subject = &device, .upn = true },
	{ .name = "serial", .names = { "dns:device-7.example.com" }, .subject = &one },
};
static const struct maker {
	const char *name;
	enum keyfile_kind root, issuing;
	const char *hash;
} makers[] = {
	{ "p256", KEYFILE_EC_P256, KEYFILE_EC_P256, NULL },  { "p256-sha512", KEYFILE_EC_P256, KEYFILE_EC_P256, "SHA512" },
	{ "p384", KEYFILE_EC_P384, KEYFILE_EC_P384, NULL },  { "p384-sha256", KEYFILE_EC_P256, KEYFILE_EC_P384, "SHA256" },
	{ "rsa3072", KEYFILE_EC_P256, KEYFILE_RSA_3072, NULL }, { "rsa4096", KEYFILE_RSA_3072, KEYFILE_RSA_4096, "SHA384" },
};

struct bench {
	const struct maker *maker;
	struct ca *ca;
	X509 *issuer, *root;
};
static struct bench benches[array_length(makers)];
static struct strings usages;

static X509 *parse_pem(struct bytes pem)
{
	auto_value(buf) der = { 0 };
	auto_value(problem) p = { 0 };

	assert_true(ossl_from_pem("CERTIFICATE", pem, &der, &p));
	return test_parse(buf_bytes(&der));
}

static int group_setup(void **state)
{
	if (folder_setup(state) != 0)
		return -1;
	test_keys_make();
	spoiler_key = EVP_EC_gen("P-256");
	for (size_t i = 0; i < array_length(makers); i++) {
		struct bench *b = &benches[i];
		test_create(in_folder(makers[i].name), makers[i].root, makers[i].issuing);
		b->maker = &makers[i];
		b->ca = test_open(in_folder(makers[i].name), TEST_BASE);
		b->issuer = test_parse(issuer_certificate(ca_issuer(b->ca, "")));
		b->root = parse_pem(ca_root_pem(b->ca));
	}
	return strings_add(&usages, "1.3.6.1.5.5.7.3.1") && strings_add(&usages, "1.3.6.1.5.5.7.3.2") ? 0 : -1;
}

static int group_teardown(void **state)
{
	for (size_t i = 0; i < array_length(benches); i++) {
		ca_free(benches[i].ca);
		X509_free(benches[i].issuer);
		X509_free(benches[i].root);
	}
	strings_free(&usages);
	EVP_PKEY_free(spoiler_key);
	test_keys_free();
	return folder_teardown(state);
}

typedef void lint_visit(const struct bench *bench, const char *name, const struct lint *lint, const struct certificate *row);

static void issue_one(const struct bench *bench, enum key_algorithm algorithm, const struct shape *shape, lint_visit *visit)
{
	auto_value(identifiers) names = test_names(shape->names);
	struct approval_facts facts = test_facts(algorithm, &names, &usages);
	auto_value(certificate) row = { 0 };
	auto_value(problem) p = { 0 };
	auto_free char *name = mem_printf("%s-%s-%s", bench->maker->name, key_algorithm_name(algorithm), shape->name);

	auto_value(buf) upn = { 0 };
	struct csr_other_name other = { .type = CSR_OTHER_UPN, .value = "a@" };

	buf_add(&upn, "\xa0\x12\x06\x0a\x2b\x06\x01\x04\x01\x82\x37\x14\x02\x03\xa0\x04\x0c\x02" "a@", 20);
	other.der = upn;
	facts.others = &other;
	facts.other_count = shape->upn ? 1 : 0;
	facts.path_length = -1;
	facts.method = shape->subject ? "est" : "acme";
	facts.subject = shape->subject;
	facts.common_name = shape->common_name;
	facts.hash = bench->maker->hash;
	facts.key_usage &= ~shape->key_usage_dropped;
	facts.not_before = shape->not_before ? shape->not_before : facts.not_before;
	facts.not_after = shape->not_after ? shape->not_after : facts.not_after;
	bool issued = test_issue(bench->ca, &facts, &row, &p);
	if (!issued)
		print_error("%s: %s %s\n", name, p.detail, p.cause);
	assert_true(issued);
	auto(X509) *certificate = test_parse(row.der);
	const struct lint lint = { certificate, bench->issuer, bench->root, &facts, row.der };
	visit(bench, name, &lint, &row);
}

static void issue_all(lint_visit *visit)
{
	for (size_t m = 0; m < array_length(makers); m++)
		for (enum key_algorithm a = 0; a < KEY_ALGORITHM_MAX; a++)
			for (size_t s = 0; s < array_length(shapes); s++)
				issue_one(&benches[m], a, &shapes[s], visit);
}

static unsigned visited, wrong;

static void hold_rules(const struct bench *bench, const char *name, const struct lint *lint, const struct certificate *row)
{
	(void)bench;
	(void)row;
	visited++;
	for (size_t i = 0; i < array_length(rules); i++)
		if (!rules[i].holds(lint)) {
			print_error("%s breaks RFC 5280, %s\n", name, rules[i].text);
			wrong++;
		}
}

static void every_rule_holds_for_every_kind_of_certificate(void **state)
{
	(void)state;
	issue_all(hold_rules);
	assert_int_equal(visited, array_length(makers) * KEY_ALGORITHM_MAX * array_length(shapes));
	assert_int_equal(wrong, 0);
}

static void break_rules(const struct bench *bench, const char *name, const struct lint *lint, const struct certificate *row)
{
	(void)bench;
	(void)row;
	for (size_t i = 0; i < array_length(rules); i++) {
		auto_value(buf) der = { 0 };
		auto(X509) *spoiled = rules[i].spoil_bytes ? rules[i].spoil_bytes(lint->certificate) : X509_dup(lint->certificate);
		if (rules[i].spoil) {
			rules[i].spoil(spoiled);
			spoiled = spoil_finish(spoiled);
		}
		assert_true(ossl_der(i2d_X509, spoiled, &der));
		const struct lint broken = { spoiled, lint->issuer, lint->root, lint->facts, buf_bytes(&der) };
		if (rules[i].holds(&broken)) {
			print_error("%s: a certificate that breaks RFC 5280, %s is not found\n", name, rules[i].text);
			wrong++;
		}
	}
}

static void every_rule_finds_what_breaks_it(void **state)
{
	(void)state;
	wrong = 0;
	issue_one(&benches[0], KEY_EC_P256, &shapes[1], break_rules);
	issue_one(&benches[4], KEY_RSA_2048, &shapes[0], break_rules);
	assert_int_equal(wrong, 0);
}

/* GnuTLS as a second reader of chains. */
static void judge_with_certtool(const struct bench *bench, const char *name, const struct lint *lint, const struct certificate *row)
{
	auto_value(buf) chain = { 0 };
	auto_free char *command = NULL;
	struct bytes above = issuer_chain_pem(ca_issuer(bench->ca, ""), 0);

	(void)lint;
	ossl_pem("CERTIFICATE", row->der, &chain);
	buf_add(&chain, above.data, above.len);
	put_file("chain.pem", buf_bytes(&chain), 0600);
	command = mem_printf("certtool --verify --verify-purpose=1.3.6.1.5.5.7.3.1 --load-ca-certificate=%s/%s/root.pem --infile=%s "
	                     ">%s 2>&1", folder, bench->maker->name, in_folder("chain.pem"), in_folder("out"));
	visited++;
	assert_non_null(command);
	if (system(command) != 0) {
		auto_value(buf) out = { 0 };
		get_file("out", &out);
		print_error("%s: %s\n", name, buf_text(&out));
		wrong++;
	}
}

static void gnutls_finds_the_chains_good(void **state)
{
	(void)state;
	assert_int_equal(system("command -v certtool >/dev/null || { echo 'install gnutls-bin'; exit 1; }"), 0);
	visited = wrong = 0;
	for (size_t m = 0; m < array_length(makers); m++)
		for (enum key_algorithm a = 0; a < KEY_ALGORITHM_MAX; a++)
			issue_one(&benches[m], a, &shapes[a % 3], judge_with_certtool);
	assert_int_equal(visited, array_length(makers) * KEY_ALGORITHM_MAX);
	assert_int_equal(wrong, 0);
}

static void write_pem(const char *where, const char *name, struct bytes der)
{
	auto_free char *path = mem_printf("%s/%s.pem", where, name);
	auto_value(buf) pem = { 0 };
	auto_value(problem) p = { 0 };

	ossl_pem("CERTIFICATE", der, &pem);
	assert_true(file_write(path, buf_bytes(&pem), 0644, &p));
}

static void export_one(const struct bench *bench, const char *name, const struct lint *lint, const struct certificate *row)
{
	(void)bench;
	(void)lint;
	write_pem(getenv("ENROLLD_LINT_FOLDER"), name, row->der);
}

static void write_ca(const struct bench *bench, X509 *certificate, const char *kind)
{
	auto_free char *name = mem_printf("ca-%s-%s", bench->maker->name, kind);
	auto_value(buf) der = { 0 };

	assert_true(ossl_der(i2d_X509, certificate, &der));
	write_pem(getenv("ENROLLD_LINT_FOLDER"), name, buf_bytes(&der));
}

static int export(void)
{
	void *state = NULL;

	assert_int_equal(group_setup(&state), 0);
	issue_all(export_one);
	for (size_t i = 0; i < array_length(benches); i++) {
		write_ca(&benches[i], benches[i].root, "root");
		write_ca(&benches[i], benches[i].issuer, "issuing");
	}
	return group_teardown(&state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_rule_holds_for_every_kind_of_certificate),
		cmocka_unit_test(every_rule_finds_what_breaks_it),
		cmocka_unit_test(gnutls_finds_the_chains_good),
	};

	if (getenv("ENROLLD_LINT_FOLDER"))
		return export();
	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
