/* The server's own certificate: through the gate into the store, kept while it is good, renewed by
 * itself when it is not, or the operator's from files. */
#include "base/file.h"
#include "tests/unit/test_admin.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "base/clock.h"
#include "ca/revocation.h"
#include "server/own_certificate.h"

static struct store *store;
static struct ca *ca;
static struct tls *tls;

static int64_t shifted;

static void later(int64_t seconds)
{
	clock_shift(seconds);
	shifted += seconds;
}

static int setup(void **state)
{
	struct admin_init_result made;
	auto_value(buf) passphrase = {0};
	auto_value(problem) p = {0};
	const struct ca_options ca_options = { .folder = admin_ca_folder };
	const struct tls_options tls_options = {0};
	return admin_setup(state) == 0 && admin_init(&admin, &made, &p) &&
	       store_open(admin_folder, false, NULL, &store, &p) &&
	       secret_read(&admin.passphrase, admin_ca_folder, &passphrase, &p) &&
	       ca_open(&ca_options, buf_bytes(&passphrase), &ca, &p) && tls_new(&tls_options, &tls, &p) ? 0
	       : -1;
}

static int teardown(void **state)
{
	later(-shifted);
	tls_free(tls);
	ca_free(ca);
	store_close(store);
	return admin_teardown(state);
}

static bool open_with(const char *yaml, struct own_certificate **ret, struct config **ret_config,
                      struct problem *p)
{
	const struct own_certificate_options options = { admin_folder, store, ca, &tls, 1 };
	auto_struct(profiles) *profiles = NULL;
	auto_struct(config) *config = NULL;
	bool ok = config_parse("f", BYTES_STR(yaml), &config, p) && config_profiles(config, &profiles, p) &&
	          own_certificate_open(&options, config, profiles, ret, p);
	if (ok && ret_config)
		*ret_config = steal(config);
	return ok;
}

static struct own_certificate *opened(const char *yaml)
{
	struct own_certificate *own = NULL;
	auto_value(problem) p = {0};
	if (!open_with(yaml, &own, NULL, &p))
		fail_msg("%s %s", p.detail, p.cause);
	return own;
}

/* The serial of what is kept. */
static void serial_kept(char ret[64])
{
	auto_free char *path = mem_printf("%s/server.pem", admin_folder);
	auto_value(buf) pem = {0}, der = {0};
	auto_value(problem) p = {0};
	assert_true(file_read(path, 100000, &pem, &p));
	assert_true(ossl_from_pem("CERTIFICATE", buf_bytes(&pem), &der, &p));
	const unsigned char *at = der.data;
	auto(X509) *certificate = d2i_X509(NULL, &at, (long)der.len);
	auto_value(buf) hex = {0};
	const ASN1_INTEGER *serial = X509_get0_serialNumber(certificate);
	buf_add_hex(&hex, BYTES(ASN1_STRING_get0_data(serial), (size_t)ASN1_STRING_length(serial)));
	snprintf(ret, 64, "%s", buf_text(&hex));
}

static void serial_after(const char *yaml, char ret[64])
{
	own_certificate_close(opened(yaml));
	serial_kept(ret);
}

static const char usual[] = "tls: {names: [ca.example, 127.0.0.1, '::1']}\n";

static void it_is_recorded_like_every_other(void **state)
{
	(void)state;
	char serial[64];
	serial_after(usual, serial);
	auto_struct(json) *list = admin_json(&admin_cert_list, "--json --profile enrolld-server");
	assert_int_equal(json_length(list), 1);
	const struct json *row = json_at(list, 0);
	assert_string_equal(json_member_string(row, "serial"), serial);
	assert_string_equal(json_member_string(row, "method"), "internal");
	assert_string_equal(json_member_string(row, "identity"), "operator");
	assert_string_equal(json_member_string(row, "profile"), CONFIG_OWN_PROFILE);
	assert_int_equal(json_length(json_member(row, "names")), 3);
}

static void key_is_for_nobody_else(void **state)
{
	(void)state;
	struct stat st;
	own_certificate_close(opened(usual));
	auto_free char *path = mem_printf("%s/server.pem", admin_folder);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

static void kept_while_it_is_good(void **state)
{
	(void)state;
	char first[64], second[64];
	serial_after(usual, first);
	serial_after(usual, second);
	assert_string_equal(first, second);
	later(59 * 86400);
	serial_after(usual, second);
	assert_string_equal(first, second);
	/* The order of the names is nothing. */
	serial_after("tls: {names: ['::1', CA.example, 127.0.0.1]}\n", second);
	assert_string_equal(first, second);
}

static void spoil(const char *name)
{
	auto_free char *path = mem_printf("%s/%s", admin_folder, name);
	auto_value(problem) p = {0};
	assert_true(file_write(path, BYTES_STR("spoilt\n"), 0600, &p));
}

static void replaced_when_it_is_not(void **state)
{
	(void)state;
	char before[64], after[64], line[80];
	serial_after(usual, before);
	serial_after("tls: {names: [ca.example, 127.0.0.1]}\n", after); /* a name less */
	assert_string_not_equal(before, after);
	serial_after("tls: {names: [ca.example, 127.0.0.1], lifetime: 30d}\n", before); /* too long a life */
	assert_string_not_equal(before, after);
	snprintf(line, sizeof line, "%s", before);
	free(admin_run(&admin_cert_revoke, line));
	serial_after("tls: {names: [ca.example, 127.0.0.1], lifetime: 30d}\n", after);
	assert_string_not_equal(before, after);
	spoil("server.pem");
	serial_after("tls: {names: [ca.example, 127.0.0.1], lifetime: 30d}\n", before);
	assert_string_not_equal(before, after);
	later(21 * 86400); /* two thirds are over */
	serial_after("tls: {names: [ca.example, 127.0.0.1], lifetime: 30d}\n", after);
	assert_string_not_equal(before, after);
}

static void moment(long ms)
{
	const struct timespec t = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };
	nanosleep(&t, NULL);
}

static void renews_by_itself(void **state)
{
	(void)state;
	auto_struct(own_certificate) *own = opened("tls: {names: [ca.example], lifetime: 1h}\n");
	int64_t before = own_certificate_expires(own);
	later(41 * 60);
	for (int i = 0; i < 1200 && own_certificate_expires(own) == before; i++)
		moment(50);
	assert_in_range(own_certificate_expires(own), before + 40 * 60, before + 42 * 60);
}

static void revoked_one_is_replaced_while_it_serves(void **state)
{
	(void)state;
	char serial[64];
	auto_struct(own_certificate) *own = opened(usual);
	(void)own; /* it looks by itself */
	auto_free char *path = mem_printf("%s/server.pem", admin_folder);
	struct stat before, now;
	assert_int_equal(stat(path, &before), 0);
	serial_kept(serial);
	free(admin_run(&admin_cert_revoke, serial));
	now = before;
	for (int i = 0; i < 1200 && now.st_ino == before.st_ino; i++) {
		moment(50);
		assert_int_equal(stat(path, &now), 0);
	}
	assert_int_not_equal(now.st_ino, before.st_ino);
}

/* --- the operator's files */

static void write_pair_for(const char *name, const char *common_name, EVP_PKEY *other_key, long seconds)
{
	auto(EVP_PKEY) *key = EVP_EC_gen("P-256");
	auto(X509) *certificate = X509_new();
	auto_value(buf) der = {0}, pem = {0};
	auto_value(problem) p = {0};
	auto_free char *path = mem_printf("%s/%s.pem", admin_folder, name);
	auto_free char *key_path = mem_printf("%s/%s.key", admin_folder, name);
	X509_set_version(certificate, X509_VERSION_3);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8,
	                           (const unsigned char *)common_name, -1, -1, 0);
	X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
	X509_gmtime_adj(X509_getm_notAfter(certificate), seconds);
	X509_set_pubkey(certificate, key);
	assert_true(X509_sign(certificate, key, EVP_sha256()) > 0);
	assert_true(ossl_der(i2d_X509, certificate, &der));
	ossl_pem("CERTIFICATE", buf_bytes(&der), &pem);
	assert_true(file_write(path, buf_bytes(&pem), 0600, &p));
	FILE *out = fopen(key_path, "w");
	assert_int_equal(PEM_write_PrivateKey(out, other_key ?: key, NULL, NULL, 0, NULL, NULL), 1);
	fclose(out);
}

static void write_pair(const char *name, const char *common_name, EVP_PKEY *other_key)
{
	write_pair_for(name, common_name, other_key, 1000);
}

static char *files_yaml(const char *name)
{
	return mem_printf("tls: {certificate: %s/%s.pem, key: %s/%s.key}\n", admin_folder, name, admin_folder,
	                  name);
}

static void operators_files_are_shown(void **state)
{
	(void)state;
	write_pair("mine", "mine", NULL);
	auto_free char *yaml = files_yaml("mine");
	auto_struct(own_certificate) *own = opened(yaml);
	assert_in_range(own_certificate_expires(own), clock_now() + 900, clock_now() + 1000);
	auto_free char *list = admin_run(&admin_cert_list, "--profile enrolld-server");
	assert_string_equal(list, ""); /* nothing was issued */
}

static void wrong_files_are_refused(void **state)
{
	(void)state;
	auto(EVP_PKEY) *other = EVP_EC_gen("P-256");
	static const char *const names[] = { "none", "mixed", "spoilt" };
	static const char *const want[] = { "No such file", "is not the key of",
	                                    "expected a private key as PEM, not encrypted" };
	write_pair("mixed", "mixed", other);
	write_pair("spoilt", "spoilt", NULL);
	spoil("spoilt.key");
	for (size_t i = 0; i < array_length(names); i++) {
		auto_free char *yaml = files_yaml(names[i]);
		auto_struct(own_certificate) *own = NULL;
		auto_value(problem) p = {0};
		assert_false(open_with(yaml, &own, NULL, &p));
		assert_non_null(strstr(p.detail, want[i]));
	}
}

static bool prepare(struct own_certificate *own, const char *yaml, struct own_change **ret, struct problem *p)
{
	auto_struct(config) *config = NULL;
	auto_struct(profiles) *profiles = NULL;
	return config_parse("f", BYTES_STR(yaml), &config, p) && config_profiles(config, &profiles, p) &&
	       own_certificate_prepare(own, config, profiles, ret, p);
}

static bool reload(struct own_certificate *own, const char *yaml, struct problem *p)
{
	auto_struct(own_change) *change = NULL;
	if (!prepare(own, yaml, &change, p))
		return false;
	own_certificate_take(own, change);
	return true;
}

static void reload_takes_new_files_or_stays(void **state)
{
	(void)state;
	auto_value(problem) p = {0};
	auto_free char *none = files_yaml("none");
	auto_free char *mine = files_yaml("mine");
	auto_struct(own_certificate) *own = opened(usual);
	int64_t before = own_certificate_expires(own);
	assert_false(reload(own, none, &p));
	assert_int_equal(own_certificate_expires(own), before);
	problem_done(&p);
	write_pair("mine", "mine", NULL);
	assert_true(reload(own, mine, &p));
	assert_true(own_certificate_expires(own) < before);
	assert_true(reload(own, usual, &p));
	assert_int_equal(own_certificate_expires(own), before);
}

static const char shorter[] = "tls: {names: [ca.example, 127.0.0.1, '::1'], lifetime: 30d}\n";

/* The rest of the reload was refused: it is as if it had never begun. */
static void what_is_not_taken_changes_nothing(void **state)
{
	(void)state;
	char before[64], after[64];
	auto_value(problem) p = {0};
	auto_struct(own_certificate) *own = opened(usual);
	int64_t expires = own_certificate_expires(own);
	struct own_change *change = NULL;
	serial_kept(before);
	assert_true(prepare(own, shorter, &change, &p)); /* issues one */
	own_change_free(change);
	assert_int_equal(own_certificate_expires(own), expires);
	serial_kept(after);
	assert_string_equal(before, after);
	assert_true(reload(own, shorter, &p));
	assert_true(own_certificate_expires(own) < expires);
	serial_kept(after);
	assert_string_not_equal(before, after);
}

static void ended_one_takes_no_good_ones_place(void **state)
{
	(void)state;
	auto_value(problem) p = {0};
	auto_free char *mine = files_yaml("mine"), *ended = files_yaml("ended");
	auto_struct(own_certificate) *own = opened(usual);
	write_pair_for("ended", "ended", NULL, -1);
	assert_false(reload(own, ended, &p));
	assert_non_null(strstr(p.detail, "tls.certificate: "));
	assert_non_null(strstr(p.detail, "ended.pem: certificate 1 ended at 20"));
	problem_done(&p);
	write_pair("mine", "mine", NULL);
	assert_true(reload(own, mine, &p));
	later(2000); /* what is shown has ended as well */
	assert_true(reload(own, ended, &p));
	assert_true(reload(own, mine, &p));
	own_certificate_close(opened(ended)); /* a start serves more than that */
}

struct blocked {
	struct own_certificate *own;
	atomic_bool entered, enough, renewed;
};

static bool hold(struct store_txn *txn, void *arg, struct problem *p)
{
	struct blocked *b = arg;
	(void)txn, (void)p;
	b->entered = true;
	for (int i = 0; i < 400 && !b->enough; i++)
		moment(25);
	return true;
}

static void *hold_store(void *arg)
{
	auto_value(problem) p = {0};
	assert_true(store_update(store, hold, arg, &p));
	return NULL;
}

static void *renew(void *arg)
{
	struct blocked *b = arg;
	auto_value(problem) p = {0};
	assert_true(reload(b->own, shorter, &p));
	b->renewed = true;
	return NULL;
}

/* What /metrics asks. */
static void its_end_is_known_while_it_is_renewed(void **state)
{
	(void)state;
	auto_struct(own_certificate) *own = opened(usual);
	struct blocked b = { .own = own };
	int64_t before = own_certificate_expires(own);
	pthread_t holder, renewer;
	assert_int_equal(pthread_create(&holder, NULL, hold_store, &b), 0);
	while (!b.entered)
		moment(5);
	assert_int_equal(pthread_create(&renewer, NULL, renew, &b), 0);
	moment(300);
	assert_int_equal(own_certificate_expires(own), before);
	assert_false(b.renewed);
	b.enough = true;
	pthread_join(holder, NULL);
	pthread_join(renewer, NULL);
	assert_true(own_certificate_expires(own) < before);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_is_recorded_like_every_other),
		TEST(key_is_for_nobody_else),
		TEST(kept_while_it_is_good),
		TEST(replaced_when_it_is_not),
		TEST(renews_by_itself),
		TEST(revoked_one_is_replaced_while_it_serves),
		TEST(operators_files_are_shown),
		TEST(wrong_files_are_refused),
		TEST(reload_takes_new_files_or_stays),
		TEST(what_is_not_taken_changes_nothing),
		TEST(ended_one_takes_no_good_ones_place),
		TEST(its_end_is_known_while_it_is_renewed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
