/* What a credential of EST can be asked to be (admin/credential.h). */
#include "admin/credential.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { NOW = 1800000000 };

#define SIXTEEN "0123456789abcdef"
#define SIXTY SIXTEEN SIXTEEN SIXTEEN "0123456789ab"
#define HALF SIXTEEN SIXTEEN SIXTEEN SIXTEEN SIXTEEN SIXTEEN SIXTEEN SIXTEEN /* 128 */

static struct store *store;

static int setup(void **state)
{
	static const uint8_t seal_key[32];
	struct kv *kv = NULL;
	struct problem p = {0};

	(void)state;
	return kv_memory_open(&kv, &p) && store_open_kv(kv, seal_key, &store, &p) ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	store_close(store);
	return 0;
}

static char name[] = "dns:a.example";
static char *one_name[] = { name };
static const struct strings names = { one_name, 1 };

/* text NULL: it is made; else what the refusal says. */
static const struct {
	struct credential_wish wish;
	const char *text;
} rows[] = {
	{ { .kind = ENROLLMENT_CODE, .profile = "device" }, NULL },
	{ { .kind = ENROLLMENT_CODE }, "profile" },
	{ { .kind = ENROLLMENT_CODE, .profile = "device", .user = "a" }, "user: a code has none" },
	{ { .kind = ENROLLMENT_CODE, .profile = "device", .password = "long enough, it is" }, "is for the kind password" },
	{ { .kind = ENROLLMENT_CODE, .profile = "device", .digest_md5 = true }, "digest" },
	{ { .kind = ENROLLMENT_CODE, .profile = "device", .digest_sha256 = true }, "digest" },
	{ { .kind = ENROLLMENT_CODE, .profile = "device", .certificate = "01" }, "certificate: is for the kind device" },
	{ { .kind = ENROLLMENT_CODE, .profile = "device", .device = "SN-1" }, NULL },
	{ { .kind = ENROLLMENT_CODE, .profile = "device", .device = "SN*1" }, "device" },
	/* bytes, and not characters */
	{ { .kind = ENROLLMENT_PASSWORD, .profile = "device", .user = "least", .password = "0123456789ab" }, NULL },
	{ { .kind = ENROLLMENT_PASSWORD, .profile = "device", .user = "less", .password = "0123456789a" }, "12 to 256 bytes" },
	{ { .kind = ENROLLMENT_PASSWORD, .profile = "device", .user = "most", .password = HALF HALF }, NULL },
	{ { .kind = ENROLLMENT_PASSWORD, .profile = "device", .user = "more", .password = HALF HALF "0" }, "12 to 256 bytes" },
	{ { .kind = ENROLLMENT_PASSWORD, .profile = "device", .user = "none" }, "12 to 256 bytes" },
	{ { .kind = ENROLLMENT_PASSWORD, .profile = "device", .password = "0123456789ab" }, "user: a password has one" },
	{ { .kind = ENROLLMENT_SECRET, .profile = "device", .user = "pump", .digest_md5 = true }, NULL },
	{ { .kind = ENROLLMENT_SECRET, .profile = "device", .user = "pamp", .password = "0123456789ab" }, "is for the kind password" },
	{ { .kind = ENROLLMENT_SECRET, .profile = "device", .user = "" }, "user: expected 1 to 128 bytes" },
	{ { .kind = ENROLLMENT_SECRET, .profile = "device", .user = HALF }, NULL },
	{ { .kind = ENROLLMENT_SECRET, .profile = "device", .user = HALF "0" }, "user: expected 1 to 128 bytes" },
	{ { .kind = ENROLLMENT_SECRET, .profile = "device", .user = "a b" }, "user" },
	{ { .kind = ENROLLMENT_SECRET, .profile = "device", .user = "a:b" }, "user" },
	{ { .kind = ENROLLMENT_SECRET, .profile = "device", .user = "a\"b" }, "user" },
	{ { .kind = ENROLLMENT_SECRET, .profile = "device", .user = "a\\b" }, "user" },
	{ { .kind = ENROLLMENT_SECRET, .profile = "device", .user = "a\x7f" "b" }, "user" },
	{ { .kind = ENROLLMENT_SECRET, .profile = "device", .user = "a\xff" "b" }, "user" },
	{ { .kind = ENROLLMENT_SECRET, .profile = "device", .user = "J\xc3\xbcrgen" }, NULL },
	{ { .kind = ENROLLMENT_DEVICE }, "device: its serial number is wanted" },
	{ { .kind = ENROLLMENT_DEVICE, .device = "SN-2", .names = &names }, NULL },
	{ { .kind = ENROLLMENT_DEVICE, .certificate = "0A:1b" }, NULL },
	{ { .kind = ENROLLMENT_DEVICE, .certificate = "no number" }, "certificate: expected a serial number" },
	{ { .kind = ENROLLMENT_DEVICE, .certificate = SIXTY "cd" }, NULL }, /* 31 bytes */
	{ { .kind = ENROLLMENT_DEVICE, .certificate = SIXTY "cdef" }, "certificate: expected a serial number" },
	{ { .kind = ENROLLMENT_WRAPPING, .profile = "device" }, NULL },
	{ { .kind = ENROLLMENT_WRAPPING, .profile = "device", .uses_max = 1 }, "wrapping-key has no" },
	{ { .kind = ENROLLMENT_WRAPPING, .profile = "device", .device = "SN-3" }, "wrapping-key has no" },
	{ { .kind = ENROLLMENT_WRAPPING, .profile = "device", .names = &names }, "wrapping-key has no" },
	/* once for each user and device */
	{ { .kind = ENROLLMENT_SECRET, .profile = "device", .user = "pump" }, "there is a credential of the user pump" },
	{ { .kind = ENROLLMENT_DEVICE, .device = "SN-2" }, "the device SN-2 is on the list" },
};

static void a_credential_is_what_its_kind_can_be(void **state)
{
	const struct actor actor = { "tester", NULL, NOW };

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		char secret[CREDENTIAL_SECRET_SIZE];
		auto_value(enrollment) made = {0};
		auto_value(problem) p = {0};
		if (credential_make(store, &rows[i].wish, &actor, &made, secret, &p) != !rows[i].text)
			fail_msg("%zu: %s", i, problem_text(&p));
		if (rows[i].text && !strstr(p.detail, rows[i].text))
			fail_msg("%zu: %s", i, p.detail);
	}
}

/* An id is typed behind a command, where "-x" would be an option. */
static void an_id_begins_with_no_hyphen(void **state)
{
	char id[RANDOM_ID_SIZE];
	auto_value(problem) p = {0};

	(void)state;
	for (int i = 0; i < 2000; i++) {
		assert_true(credential_id(id, &p));
		assert_int_not_equal(id[0], '-');
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_credential_is_what_its_kind_can_be, setup, teardown),
		cmocka_unit_test(an_id_begins_with_no_hyphen),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
