/* GET renewals: the certificates that the server renews by itself, soonest first, with what has failed. */
#include "admin/api_page.h"
#include "admin/api_query.h"
#include "admin/certificate.h"

struct renewals {
	const struct api_call *call;
	bool failing;                  /* those alone */
};

static bool page(struct store_txn *txn, void *arg, const char *after, size_t limit, struct store_page *ret,
                 struct problem *p)
{
	(void)arg;
	return store_certificate_list(txn, CERTIFICATE_RENEWALS, NULL, after, limit, ret, p);
}

static bool row(struct store_txn *txn, void *arg, const char *id, struct buf *ret, struct problem *p)
{
	const struct renewals *r = arg;
	auto_value(certificate) row = {0};

	if (!store_certificate_get(txn, id, &row, p))
		return false;
	if (api_sees(r->call, certificate_scope(&row)) && (!r->failing || row.renew_failures > 0))
		certificate_json(&row, false, ret);
	return true;
}

bool api_renewal_list(struct api_call *call, struct problem *p)
{
	auto_value(buf) state = {0};
	auto_value(problem) parts = {0};
	struct renewals r = { .call = call, .failing = api_query(call, "state", &state, &parts) };

	return api_settle(&parts, p) && api_page(call, &(struct api_page){ "certificates", &r, page, row }, p);
}
