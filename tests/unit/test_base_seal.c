#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/seal.h"

static struct seal *seal_of(uint8_t first)
{
	auto_value(problem) p = {0};
	uint8_t key[32] = { first };
	struct seal *s = NULL;

	assert_true(seal_new(key, &s, &p));
	return s;
}

static void sealed_bytes_come_back(void **state)
{
	auto_struct(seal) *s = seal_of(1);
	auto_value(problem) p = {0};
	char text[1000];

	(void)state;
	memset(text, 'x', sizeof(text));
	for (size_t len = 0; len < sizeof(text); len += 37) {
		auto_value(buf) sealed = {0}, plain = {0};
		assert_true(seal_close(s, "context", BYTES(text, len), &sealed, &p));
		assert_int_equal(sealed.len, 12 + len + 16);
		assert_true(seal_reveal(s, "context", buf_bytes(&sealed), &plain));
		assert_true(bytes_equal(buf_bytes(&plain), BYTES(text, len)));
	}
}

/* AES-256-GCM as others do it: test case 14 of the GCM specification, an all-zero key and IV. */
static void form_is_iv_text_tag(void **state)
{
	static const uint8_t sealed[44] = {
		0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
		0xce, 0xa7, 0x40, 0x3d, 0x4d, 0x60, 0x6b, 0x6e, 0x07, 0x4e, 0xc5, 0xd3, 0xba, 0xf3, 0x9d, 0x18,
		0xd0, 0xd1, 0xc8, 0xa7, 0x99, 0x99, 0x6b, 0xf0, 0x26, 0x5b, 0x98, 0xb5, 0xd4, 0x8a, 0xb9, 0x19,
	};
	static const uint8_t zeros[16];
	auto_struct(seal) *s = seal_of(0);
	auto_value(buf) plain = {0};

	(void)state;
	assert_true(seal_reveal(s, "", BYTES(sealed, sizeof(sealed)), &plain));
	assert_true(bytes_equal(buf_bytes(&plain), BYTES(zeros, sizeof(zeros))));
}

static void two_seals_of_one_text_differ(void **state)
{
	auto_struct(seal) *s = seal_of(1);
	auto_value(buf) a = {0}, b = {0};
	auto_value(problem) p = {0};

	(void)state;
	assert_true(seal_close(s, "c", BYTES_STR("text"), &a, &p) && seal_close(s, "c", BYTES_STR("text"), &b, &p));
	assert_memory_not_equal(a.data, b.data, 12);
	assert_memory_not_equal(a.data + 12, b.data + 12, 4);
}

static void assert_not_ours(const struct seal *s, const char *context, struct bytes sealed)
{
	auto_value(buf) ret = {0};

	buf_add_str(&ret, "kept");
	assert_false(seal_reveal(s, context, sealed, &ret));
	assert_string_equal(buf_text(&ret), "kept");
	assert_null(memmem(ret.data, ret.cap, "secret", 6));
}

static void what_was_changed_is_not_ours(void **state)
{
	auto_struct(seal) *s = seal_of(1), *other = seal_of(2);
	auto_value(buf) sealed = {0};
	auto_value(problem) p = {0};

	(void)state;
	assert_true(seal_close(s, "context", BYTES_STR("my secret"), &sealed, &p));
	assert_not_ours(other, "context", buf_bytes(&sealed));
	assert_not_ours(s, "Context", buf_bytes(&sealed));
	assert_not_ours(s, "", buf_bytes(&sealed));
	assert_not_ours(s, "contex", buf_bytes(&sealed));
	for (size_t len = 0; len < sealed.len; len++)
		assert_not_ours(s, "context", BYTES(sealed.data, len));
	for (size_t bit = 0; bit < sealed.len * 8; bit++) {
		sealed.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_not_ours(s, "context", buf_bytes(&sealed));
		sealed.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	buf_add_char(&sealed, '\0');
	assert_not_ours(s, "context", buf_bytes(&sealed));
}

static char folder[] = "/tmp/test_base_seal.XXXXXX", path[64];

static int folder_make(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/key", folder);
	return 0;
}

static int folder_remove(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(folder); /* fails when something was left beside */
}

/* The last line is what `printf audit | openssl mac -digest SHA256 -macopt hexkey:01 and 31 zeros HMAC` says. */
static void derived_keys_differ(void **state)
{
	static const struct {
		uint8_t first;
		const char *context;
	} rows[] = { { 1, "audit" }, { 1, "audit " }, { 1, "" }, { 2, "audit" } };
	uint8_t keys[array_length(rows)][32], again[32];

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		auto_struct(seal) *s = seal_of(rows[i].first);
		seal_derive(s, rows[i].context, keys[i]);
		seal_derive(s, rows[i].context, again);
		assert_memory_equal(keys[i], again, sizeof(again));
		for (size_t k = 0; k < i; k++)
			assert_memory_not_equal(keys[i], keys[k], sizeof(again));
	}
	assert_memory_equal(keys[0], "\x2c\xc6\xa8\x8a\xf2\xe0\x41\xa3\xc5\x03\x9f\x9e\x25\x14\xb8\x89\x4b\x44\xd3\x33\xdf\x8f\x66\x07\x0a\x0a\x14\x85\xf4\x39\xe5\xd0", sizeof(again));
}

static void assert_same_key(const struct seal *a, const struct seal *b)
{
	auto_value(buf) sealed = {0}, plain = {0};
	auto_value(problem) p = {0};

	assert_true(seal_close(a, "c", BYTES_STR("text"), &sealed, &p));
	assert_true(seal_reveal(b, "c", buf_bytes(&sealed), &plain));
}

static void file_is_made_once(void **state)
{
	auto_struct(seal) *made = NULL, *found = NULL;
	auto_value(problem) p = {0};
	struct stat st;

	(void)state;
	unlink(path);
	umask(0);
	assert_true(seal_open_file(path, &made, &p));
	assert_false(problem_is_set(&p));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(st.st_size, 32);
	assert_true(seal_open_file(path, &found, &p));
	assert_same_key(made, found);
}

static void open_refused(const char *name, const char *want)
{
	auto_struct(seal) *s = NULL;
	auto_value(problem) p = {0};

	assert_false(seal_open_file(name, &s, &p));
	assert_null(s);
	assert_int_equal(p.kind, PROBLEM_INTERNAL);
	assert_true(str_starts(p.cause, name));
	assert_non_null(strstr(p.cause, want));
}

static void bad_key_files_are_refused(void **state)
{
	static const unsigned open_modes[] = { 0604, 0644, 0602, 0601, 0666, 0777 };
	auto_value(problem) p = {0};
	uint8_t key[33] = {0};

	(void)state;
	for (size_t i = 0; i < array_length(open_modes); i++) {
		assert_true(file_write(path, BYTES(key, 32), open_modes[i], &p));
		open_refused(path, "everybody");
	}
	for (size_t len = 0; len <= 33; len += len == 0 ? 31 : 2) {
		assert_true(file_write(path, BYTES(key, len), 0600, &p));
		open_refused(path, "32 bytes");
	}
	open_refused("/dev/null", "regular");
	open_refused(folder, "regular");
	open_refused("/nonexistent/key", "No such file");
	auto_struct(seal) *s = NULL;
	assert_true(file_write(path, BYTES(key, 32), 0660, &p)); /* Kubernetes with an fsGroup */
	assert_true(seal_open_file(path, &s, &p));
}

static void *open_it(void *ret)
{
	auto_value(problem) p = {0};

	if (!seal_open_file(path, ret, &p))
		fprintf(stderr, "%s\n", p.cause);
	return NULL;
}

static void racing_makers_agree(void **state)
{
	enum { THREADS = 8, ROUNDS = 5 };

	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		struct seal *seals[THREADS] = {0};
		pthread_t threads[THREADS];
		unlink(path);
		for (int i = 0; i < THREADS; i++)
			assert_int_equal(pthread_create(&threads[i], NULL, open_it, &seals[i]), 0);
		for (int i = 0; i < THREADS; i++)
			pthread_join(threads[i], NULL);
		for (int i = 0; i < THREADS; i++) {
			assert_non_null(seals[i]);
			assert_same_key(seals[0], seals[i]);
		}
		for (int i = 0; i < THREADS; i++)
			seal_free(seals[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sealed_bytes_come_back),
		cmocka_unit_test(form_is_iv_text_tag),
		cmocka_unit_test(two_seals_of_one_text_differ),
		cmocka_unit_test(what_was_changed_is_not_ours),
		cmocka_unit_test(derived_keys_differ),
		cmocka_unit_test(file_is_made_once),
		cmocka_unit_test(bad_key_files_are_refused),
		cmocka_unit_test(racing_makers_agree),
	};

	return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
