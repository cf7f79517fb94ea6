#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "base/base64.h"
#include "base/random.h"

static void bytes_fill_the_whole_run(void **state)
{
	auto_value(problem) p = {0};
	uint8_t seen[64] = {0}, once[64];

	(void)state;
	for (int i = 0; i < 16; i++) { /* a byte that stays 0 sixteen times: 2^-128 */
		assert_true(random_bytes(once, sizeof(once), &p));
		for (size_t j = 0; j < sizeof(once); j++)
			seen[j] |= once[j];
	}
	for (size_t j = 0; j < sizeof(seen); j++)
		assert_int_not_equal(seen[j], 0);
	assert_true(random_bytes(once, 0, &p));
}

/* base64url of 16 bytes, each of whose 128 bits is seen as 0 and as 1. */
static void ids_carry_128_bits(void **state)
{
	auto_value(problem) p = {0};
	uint8_t ones[16] = {0}, zeros[16] = {0};

	(void)state;
	for (int i = 0; i < 100; i++) {
		auto_value(buf) raw = {0};
		char id[RANDOM_ID_SIZE];
		assert_true(random_id(id, &p));
		assert_true(random_id_valid(id));
		assert_true(base64url_decode(id, strlen(id), &raw));
		assert_int_equal(raw.len, 16);
		for (size_t j = 0; j < 16; j++) {
			ones[j] |= raw.data[j];
			zeros[j] |= (uint8_t)~raw.data[j];
		}
	}
	for (size_t j = 0; j < 16; j++) {
		assert_int_equal(ones[j], 0xff);
		assert_int_equal(zeros[j], 0xff);
	}
}

/* The first 40 bits count the time in 1/64 seconds, the others are random. */
static void timed_ids_stand_in_the_order_of_time(void **state)
{
	auto_value(problem) p = {0};
	uint8_t ones[16] = {0}, zeros[16] = {0};
	uint64_t last = (uint64_t)time(NULL) * 64u;

	(void)state;
	for (int i = 0; i < 200; i++) {
		auto_value(buf) raw = {0};
		char id[RANDOM_ID_SIZE];
		assert_true(random_id_timed(id, &p));
		assert_true(random_id_valid(id));
		assert_true(base64url_decode(id, strlen(id), &raw));
		assert_int_equal(raw.len, 16);
		uint64_t at = 0;
		for (size_t j = 0; j < 5; j++)
			at = at << 8 | raw.data[j];
		assert_in_range(at - last, 0, 10 * 64);
		last = at;
		for (size_t j = 5; j < 16; j++) {
			ones[j] |= raw.data[j];
			zeros[j] |= (uint8_t)~raw.data[j];
		}
	}
	for (size_t j = 5; j < 16; j++) {
		assert_int_equal(ones[j], 0xff);
		assert_int_equal(zeros[j], 0xff);
	}
}

static void form_of_an_id(void **state)
{
	static const struct {
		const char *text;
		bool want;
	} rows[] = {
		{ "AAAAAAAAAAAAAAAAAAAAAA", true },
		{ "az09-_AZAAAAAAAAAAAAAQ", true },
		{ "AAAAAAAAAAAAAAAAAAAAA", false },
		{ "AAAAAAAAAAAAAAAAAAAAAAA", false },
		{ "", false },
		{ "AAAAAAAAAAAAAAAAAAAAA/", false },
		{ "AAAAAAAAAAAAAAAAAAAAA=", false },
		{ "AAAAAAAAAAAAAAAAAAAAA.", false },
		{ "../AAAAAAAAAAAAAAAAAAA", false },
		{ "AAAAAAAAAAAAAAAAAAAAA\n", false },
		{ "AAAAAAAAAAAAAAAAAAAA\xc3\xbc", false },
	};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++)
		assert_int_equal(random_id_valid(rows[i].text), rows[i].want);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_fill_the_whole_run),
		cmocka_unit_test(ids_carry_128_bits),
		cmocka_unit_test(timed_ids_stand_in_the_order_of_time),
		cmocka_unit_test(form_of_an_id),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
