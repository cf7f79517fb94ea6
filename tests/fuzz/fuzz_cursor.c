/* Cursors of listings, as clients send them back, and what stands before them: the first line is a name, an id, a profile
 * or the like, the second a cursor. No text is an assertion's fault, and a page ends where its listing does. */
#include <stdio.h>
#include <stdlib.h>

#include "admin/search.h"
#include "base/clock.h"
#include "base/digest.h"
#include "store/enrollment.h"
#include "store/kv.h"
#include "store/order.h"
#include "store/request.h"
#include "store/token.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ROWS = 5, LIMIT = 2 };

static void must(bool holds)
{
	if (!holds)
		abort();
}

static bool put_rows(struct store_txn *txn, void *arg, struct problem *p)
{
	static const uint8_t hash[SHA256_SIZE] = { 1 };

	(void)arg;
	for (unsigned i = 0; i < ROWS; i++) {
		struct token token = { .hash = BYTES(hash, sizeof(hash)), .created = i };
		struct request request = { .profile = "a", .method = "api", .created = i };
		snprintf(token.id, sizeof(token.id), "%021uA", i);
		memcpy(request.id, token.id, sizeof(request.id));
		if (!store_token_put(txn, &token, p) || !store_request_put(txn, &request, p))
			return false;
	}
	return true;
}

static struct store *store_of_rows(void)
{
	static const uint8_t seal_key[32];
	struct store *store = NULL;
	struct kv *kv = NULL;
	struct problem p = {0};

	must(kv_memory_open(&kv, &p) && store_open_kv(kv, seal_key, &store, &p) && store_update(store, put_rows, NULL, &p));
	return store;
}

struct tried {
	const char *value, *after;
};

static void check_page(bool ok, struct store_page *page, struct problem *p)
{
	must(ok ? page->ids.n <= LIMIT : p->kind == PROBLEM_MALFORMED || p->kind == PROBLEM_NOT_FOUND);
	must(memchr(page->next, 0, sizeof(page->next)));
	store_page_free(page);
	*page = (struct store_page){0};
	problem_done(p);
}

static void try_lists(struct store_txn *txn, const struct tried *t)
{
	struct store_page page = {0};
	auto_value(problem) p = {0};

	check_page(store_token_list(txn, t->after, LIMIT, &page, &p), &page, &p);
	check_page(store_enrollment_list(txn, t->after, LIMIT, &page, &p), &page, &p);
	check_page(store_request_list(txn, NULL, t->after, LIMIT, &page, &p), &page, &p);
	check_page(store_order_list(txn, t->value, t->after, LIMIT, &page, &p), &page, &p);
	for (enum certificate_index i = CERTIFICATE_ALL; i <= CERTIFICATE_ALL_REVOKED; i++)
		check_page(store_certificate_list(txn, i, t->value, t->after, LIMIT, &page, &p), &page, &p);
}

static bool drop(void *arg, const struct certificate *row, struct problem *p)
{
	(void)arg, (void)row, (void)p;
	return true;
}

static void try_search(struct store_txn *txn, const struct tried *t)
{
	const struct search_query queries[] = {
		{ .now = 1 }, { .name = t->value, .now = 1 }, { .metadata = t->value, .now = 1 }, { .profile = t->value, .now = 1 },
		{ .account = t->value, .now = 1 }, { .expires_from = 1, .now = 1 },
	};

	for (size_t i = 0; i < array_length(queries); i++) {
		auto_struct(search) *search = NULL;
		auto_value(problem) p = {0};
		char next[SEARCH_CURSOR_SIZE];

		must(search_new(&queries[i], &search, &p));
		if (!search_resume(search, t->after))
			continue;
		if (search_page(txn, search, LIMIT, drop, NULL, &p) && search_next(search, next))
			must(search_resume(search, next));
	}
}

static bool try_all(struct store_txn *txn, void *arg, struct problem *p)
{
	(void)p;
	try_lists(txn, arg);
	try_search(txn, arg);
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct store *store;
	auto_free char *text = strndup((const char *)data, size);
	auto_value(problem) p = {0};

	must(text);
	store = store ?: store_of_rows();
	char *after = strchr(text, '\n');
	if (!after)
		return 0;
	*after++ = '\0';
	struct tried tried = { text, after };
	must(store_view(store, try_all, &tried, &p));
	return 0;
}
