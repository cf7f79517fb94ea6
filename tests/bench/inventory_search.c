#include "tests/bench/inventory_search.h"

#include <stdio.h>

#include "base/clock.h"

enum { PAGE = 50 };

static bool read_rows(struct store_txn *txn, const struct store_page *page, struct problem *p)
{
	for (size_t i = 0; i < page->ids.n; i++) {
		auto_value(certificate) row = {0};
		if (!store_certificate_get(txn, page->ids.v[i], &row, p))
			return false;
	}
	return true;
}

static size_t list(struct store_txn *txn, enum certificate_index index, const char *value, const char *after,
                   struct problem *p)
{
	auto_value(store_page) page = {0};

	if (!store_certificate_list(txn, index, value, after, PAGE, &page, p) || !read_rows(txn, &page, p))
		return 0;
	return page.ids.n;
}

static size_t by_id(struct store_txn *txn, const struct made *m, struct problem *p)
{
	auto_value(certificate) row = {0};

	return store_certificate_get(txn, m->row.id, &row, p);
}

static size_t by_serial(struct store_txn *txn, const struct made *m, struct problem *p)
{
	auto_value(certificate) row = {0};

	return store_certificate_by_serial(txn, m->row.serial, &row, p);
}

static size_t by_fingerprint(struct store_txn *txn, const struct made *m, struct problem *p)
{
	auto_value(certificate) row = {0};

	return store_certificate_by_fingerprint(txn, m->row.fingerprint, &row, p);
}

static size_t by_name(struct store_txn *txn, const struct made *m, struct problem *p)
{
	char value[80];

	snprintf(value, sizeof(value), "dns:%s", m->host);
	return list(txn, CERTIFICATE_BY_NAME, value, "", p);
}

static size_t by_key(struct store_txn *txn, const struct made *m, struct problem *p)
{
	auto_value(buf) hex = {0};

	buf_add_hex(&hex, m->row.key_hash);
	return list(txn, CERTIFICATE_BY_KEY, buf_text(&hex), "", p);
}

static size_t by_account(struct store_txn *txn, const struct made *m, struct problem *p)
{
	return list(txn, CERTIFICATE_BY_ACCOUNT, m->row.account, "", p);
}

static size_t by_profile(struct store_txn *txn, const struct made *m, struct problem *p)
{
	return list(txn, CERTIFICATE_BY_PROFILE, m->row.profile, "", p);
}

static size_t by_expiry(struct store_txn *txn, const struct made *m, struct problem *p)
{
	char from[CLOCK_RFC3339_SIZE];

	clock_format(m->row.not_after, from);
	return list(txn, CERTIFICATE_BY_EXPIRY, from, "", p);
}

static size_t revoked(struct store_txn *txn, const struct made *m, struct problem *p)
{
	(void)m;
	return list(txn, CERTIFICATE_REVOKED_OF, "issuing", "", p);
}

static size_t not_there(struct store_txn *txn, const struct made *m, struct problem *p)
{
	(void)m;
	return list(txn, CERTIFICATE_BY_NAME, "dns:nobody.example.com", "", p) == 0;
}

const struct search searches[SEARCH_COUNT] = {
	{ "row by id", by_id },
	{ "row by serial number", by_serial },
	{ "row by fingerprint", by_fingerprint },
	{ "rows of a name (4)", by_name },
	{ "rows of a name that is not there", not_there },
	{ "rows of a key (1)", by_key },
	{ "page of an account", by_account },
	{ "page of a profile", by_profile },
	{ "page by expiry, from a time", by_expiry },
	{ "page of the revoked", revoked },
};
