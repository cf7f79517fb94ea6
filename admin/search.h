/* Search: certificates of the inventory by what is known of them, page by page. Internal to admin/.
 *
 * A search reads one index, the narrowest that its query names, or a few one after the other, and drops the rows
 * that do not fit the rest. It looks at so many rows at most for a page; a page can be short, even empty, and not
 * be the last. So what a page costs does not grow with the inventory. It borrows the texts of its query. One thread. */
#pragma once

#include "base/bytes.h"
#include "store/certificate.h"

struct search_query {
	/* what every row must be; NULL, empty, 0: any */
	const char *name_type, *name;      /* type NULL: any type */
	const char *profile, *issuer, *method, *account, *identity;
	const char *metadata;              /* "key=value" */
	const char *status;                /* of search_statuses */
	struct bytes serial, fingerprint, key_hash;
	int64_t expires_from, expires_to;
	int64_t issued_from, issued_to;
	int64_t now;
	/* who asks: what profiles may be seen (NULL: all), and those worth looking in when nothing is narrower
	 * (none: all) */
	bool (*sees)(const void *arg, const char *profile);
	const void *sees_arg;
	struct record_texts scope;
};
/* "valid", "expiring" (valid, within 30 days, and not renewed), "expired", "revoked", "renewed"; ended by NULL. */
extern const char *const search_statuses[];
/* "dns", "upn", ...: how the inventory's names are called; ended by NULL. */
extern const char *const search_name_types[];
/* Of "dns:www.example.com" the type's length, without its colon; 0: a bare name. */
size_t search_name_type(const char *text);

struct search;
bool search_new(const struct search_query *query, struct search **ret, struct problem *p) must_use;
void search_free(struct search *search);
declare_auto_struct(search, search_free);

enum { SEARCH_CURSOR_SIZE = STORE_CURSOR_SIZE + 24 };
/* Goes on where a page ended. false: no cursor of this search. */
bool search_resume(struct search *search, const char *cursor) must_use;
/* Goes on after that row of an earlier page. NOT_FOUND; MALFORMED: the search does not find it. */
bool search_resume_after(struct store_txn *txn, struct search *search, const char *id, struct problem *p) must_use;

/* Shows up to limit rows to visit, which refuses as this does. */
typedef bool search_visit(void *arg, const struct certificate *row, struct problem *p);
bool search_page(struct store_txn *txn, struct search *search, size_t limit, search_visit *visit, void *arg,
                 struct problem *p) must_use;
/* Where the next page begins; false: there is none. */
bool search_next(const struct search *search, char ret[SEARCH_CURSOR_SIZE]) must_use;
