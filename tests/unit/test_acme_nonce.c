#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>

#include "acme/nonce.h"

static struct nonces *open_nonces(void)
{
	auto_value(problem) p = { 0 };
	struct nonces *nonces = NULL;
	assert_true(nonces_open(&nonces, &p));
	return nonces;
}

static void a_nonce_is_good_once(void **state)
{
	auto_struct(nonces) *nonces = open_nonces();
	char text[NONCE_SIZE];

	(void)state;
	for (int i = 0; i < 100; i++) {
		nonce_make(nonces, text);
		assert_int_equal(strlen(text), NONCE_SIZE - 1);
		assert_int_equal(strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"), NONCE_SIZE - 1);
		assert_true(nonce_use(nonces, text));
		assert_false(nonce_use(nonces, text));
	}
}

static void order_of_use_does_not_matter(void **state)
{
	enum { N = 1000 };
	static char texts[N][NONCE_SIZE];
	auto_struct(nonces) *nonces = open_nonces();

	(void)state;
	for (int i = 0; i < N; i++)
		nonce_make(nonces, texts[i]);
	for (int i = 0; i < N; i++)
		assert_true(nonce_use(nonces, texts[i * 7 % N]));
	for (int i = 0; i < N; i++)
		assert_false(nonce_use(nonces, texts[i]));
}

static void what_was_not_made_is_refused(void **state)
{
	static const char *const rows[] = { "", "x", "AAAAAAAA", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "not base64url at all!!",
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" };
	auto_struct(nonces) *nonces = open_nonces();
	auto_struct(nonces) *others = open_nonces();
	char text[NONCE_SIZE], spoiled[NONCE_SIZE + 1];

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++)
		assert_false(nonce_use(nonces, rows[i]));
	nonce_make(others, text);
	assert_false(nonce_use(nonces, text));
	nonce_make(nonces, text);
	/* The prefix alone, another nonce's block behind our prefix, one character changed, added or dropped. */
	snprintf(spoiled, sizeof spoiled, "%.8s", text);
	assert_false(nonce_use(nonces, spoiled));
	nonce_make(others, spoiled);
	memcpy(spoiled, text, 8);
	assert_false(nonce_use(nonces, spoiled));
	for (size_t i = 0; i < NONCE_SIZE - 1; i++) {
		memcpy(spoiled, text, NONCE_SIZE);
		spoiled[i] = spoiled[i] == 'A' ? 'Q' : 'A';
		assert_false(nonce_use(nonces, spoiled));
	}
	snprintf(spoiled, sizeof spoiled, "%sA", text);
	assert_false(nonce_use(nonces, spoiled));
	snprintf(spoiled, sizeof spoiled, "%.*s", NONCE_SIZE - 2, text);
	assert_false(nonce_use(nonces, spoiled));
	assert_true(nonce_use(nonces, text));
}

/* A flood of new nonces leaves those of the last window alone, used or not, and ends older ones. */
static void the_window_moves(void **state)
{
	auto_struct(nonces) *nonces = open_nonces();
	char old_used[NONCE_SIZE], old[NONCE_SIZE], held[NONCE_SIZE], used[NONCE_SIZE], heir[NONCE_SIZE], text[NONCE_SIZE];

	(void)state;
	nonce_make(nonces, old_used);
	nonce_make(nonces, old);
	nonce_make(nonces, held);
	nonce_make(nonces, used);
	assert_true(nonce_use(nonces, old_used));
	assert_true(nonce_use(nonces, used));
	for (int i = 0; i < NONCE_WINDOW - 3; i++)
		nonce_make(nonces, heir); /* the last of them has the place of old_used */
	nonce_make(nonces, text);
	assert_false(nonce_use(nonces, old_used));
	assert_false(nonce_use(nonces, old));
	assert_false(nonce_use(nonces, used));
	assert_true(nonce_use(nonces, held));
	assert_false(nonce_use(nonces, held));
	assert_true(nonce_use(nonces, heir));
	assert_false(nonce_use(nonces, heir));
	assert_true(nonce_use(nonces, text));
}

struct racer {
	struct nonces *nonces;
	char (*texts)[NONCE_SIZE];
	int count, taken;
};

static void *race(void *arg)
{
	struct racer *racer = arg;
	for (int i = 0; i < racer->count; i++)
		racer->taken += nonce_use(racer->nonces, racer->texts[i]);
	return NULL;
}

/* Threads that use the same nonces: each goes to one of them. */
static void a_race_has_one_winner(void **state)
{
	enum { N = 500, THREADS = 4 };
	static char texts[N][NONCE_SIZE];
	auto_struct(nonces) *nonces = open_nonces();
	struct racer racers[THREADS];
	pthread_t threads[THREADS];
	int taken = 0;

	(void)state;
	for (int i = 0; i < N; i++)
		nonce_make(nonces, texts[i]);
	for (int i = 0; i < THREADS; i++) {
		racers[i] = (struct racer){ nonces, texts, N, 0 };
		assert_int_equal(pthread_create(&threads[i], NULL, race, &racers[i]), 0);
	}
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		taken += racers[i].taken;
	}
	assert_int_equal(taken, N);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_nonce_is_good_once),
		cmocka_unit_test(order_of_use_does_not_matter),
		cmocka_unit_test(what_was_not_made_is_refused),
		cmocka_unit_test(the_window_moves),
		cmocka_unit_test(a_race_has_one_winner),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
