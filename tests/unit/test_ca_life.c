#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "ca/ca.h"
#include "ca/constraint.h"
#include "ca/rollover.h"
#include "tests/unit/test_ca_folder.h"

static const struct bytes passphrase = { (const uint8_t *)"a passphrase of tests", 21 };

/* A root as another CA's software makes them: with name constraints of its own. */
static void put_root(const char *permitted)
{
	auto_value(authority) root = { 0 };
	auto_value(strings) texts = { 0 };
	auto_value(buf) pem = { 0 };
	auto(NAME_CONSTRAINTS) *names = NULL;
	auto(X509_NAME) *subject = NULL;
	auto_value(problem) p = { 0 };

	assert_true(strings_add(&texts, permitted) && constraint_make(&texts, NULL, &names, &p));
	assert_true(keyfile_generate(KEYFILE_EC_P256, &root.key, &p) && authority_name(NULL, "Root", &subject, &p));
	const struct authority_wish wish = {
		.subject = subject, .key = root.key, .not_before = clock_now() - AUTHORITY_BACKDATE,
		.not_after = clock_now() + 86400, .path_length = -1, .names = names,
	};
	assert_true(authority_certify(&wish, NULL, &root.certificate, &p));
	assert_true(ossl_certificate_pem(root.certificate, &pem, &p));
	put_file("root.pem", buf_bytes(&pem), 0644);
	assert_true(keyfile_write(in_folder("root.key"), root.key, KEYFILE_RANDOM, passphrase, &p));
}

/* Each certificate of the change's file permits this and nothing else. */
static void assert_permitted(const struct change *change, const char *file, size_t want_count, const char *want)
{
	size_t count = 0;

	for (size_t i = 0; i < change->file_count; i++) {
		if (!str_equal(change->files[i].name, file))
			continue;
		auto(BIO) *in = BIO_new_mem_buf(change->files[i].content.data, (int)change->files[i].content.len);
		for (X509 *x; (x = PEM_read_bio_X509(in, NULL, NULL, NULL)); X509_free(x), count++) {
			auto_value(strings) texts = { 0 };
			auto(NAME_CONSTRAINTS) *names = X509_get_ext_d2i(x, NID_name_constraints, NULL, NULL);
			assert_true(constraint_texts(names, false, &texts));
			assert_int_equal(texts.n, 1);
			assert_string_equal(texts.v[0], want);
		}
	}
	assert_int_equal(count, want_count);
}

static void a_renewed_root_keeps_its_name_constraints(void **state)
{
	auto_value(strings) other = { 0 };
	struct life_terms terms = { .path_length = LIFE_PATH_LENGTH_SAME };
	const struct life life = { .folder = folder, .passphrase = passphrase };
	auto_value(change) same = { 0 }, changed = { 0 };
	auto_value(problem) p = { 0 };

	(void)state;
	put_root("dns:example.com");
	assert_true(life_renew(&life, "root", &terms, &same, &p));
	assert_permitted(&same, "root.pem", 1, "dns:example.com");
	assert_true(strings_add(&other, "dns:example.net"));
	terms.permitted = &other;
	assert_true(life_renew(&life, "root", &terms, &changed, &p));
	assert_permitted(&changed, "root.pem", 1, "dns:example.net");
}

static void a_root_that_takes_the_place_of_one_has_its_name_constraints(void **state)
{
	const struct life_terms terms = { .path_length = LIFE_PATH_LENGTH_SAME, .kind = KEYFILE_EC_P256 };
	const struct life life = { .folder = folder, .passphrase = passphrase };
	auto_value(change) change = { 0 };
	auto_value(problem) p = { 0 };

	(void)state;
	put_root("dns:example.com");
	assert_true(rollover_begin(&life, &terms, &change, &p));
	assert_permitted(&change, "root-2.pem", 1, "dns:example.com");
	assert_permitted(&change, "root.rollover.pem", 4, "dns:example.com");
}

#define with_folder(test) cmocka_unit_test_setup_teardown(test, folder_setup, folder_teardown)

/* One place checks the names of CAs that are made here, whatever makes them. */
static void a_name_with_what_nobody_sees_is_refused(void **state)
{
	static const struct {
		const char *name, *want; /* NULL: good */
	} rows[] = {
		{ "Issuing\nCN=Root", "control" }, { "Issuing\x7f", "control" }, { "\x1b[2J", "control" }, { "", "1 to 64" }, { "\xff", "1 to 64" },
		{ "Issuing\xe2\x80\x8b", "cannot be seen" }, { " Issuing", "space at an end" }, { "Issuing \xe2\x82\xac", NULL },
	};
	const struct life life = { .folder = folder, .passphrase = passphrase };
	const struct ca_create_options options = {
		.folder = folder, .root_name = "Root", .issuing_name = "Issuing", .root_key = KEYFILE_EC_P256, .issuing_key = KEYFILE_EC_P256,
		.root_lifetime = 864000, .issuing_lifetime = 86400,
	};
	auto_value(problem) made = { 0 };

	(void)state;
	assert_true(ca_create(&options, passphrase, &made));
	for (size_t i = 0; i < array_length(rows); i++) {
		const struct life_terms terms = { .path_length = LIFE_PATH_LENGTH_SAME, .common_name = rows[i].name, .kind = KEYFILE_EC_P256 };
		auto_value(change) rekeyed = { 0 }, asked = { 0 };
		auto_value(problem) p = { 0 }, again = { 0 };
		auto_value(buf) csr = { 0 };
		assert_int_equal(life_rekey(&life, "issuing", &terms, &rekeyed, &p), !rows[i].want);
		assert_int_equal(life_request(&life, "other", &terms, &csr, &asked, &again), !rows[i].want);
		if (rows[i].want && (!strstr(p.detail, rows[i].want) || !strstr(again.detail, rows[i].want)))
			fail_msg("row %zu: %s; %s", i, p.detail, again.detail);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_folder(a_renewed_root_keeps_its_name_constraints),
		with_folder(a_name_with_what_nobody_sees_is_refused),
		with_folder(a_root_that_takes_the_place_of_one_has_its_name_constraints),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
