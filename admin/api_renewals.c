/* GET renewals: the certificates that the server renews by itself, soonest first, with what has failed. */
#include "admin/api_query.h"
#include "admin/certificate.h"

enum { LOOK_MAX = 2000 };

struct renewals {
	const struct api_call *call;
	struct json_writer *out;
	size_t limit, found, looked;
	bool failing;                  /* those alone */
	char next[STORE_CURSOR_SIZE];
};

static bool show(const struct renewals *r, const struct certificate *row)
{
	return api_sees(r->call, certificate_scope(row)) && (!r->failing || row->renew_failures > 0);
}

static bool list_some(struct store_txn *txn, struct renewals *r, struct problem *p)
{
	auto_value(store_page) page = {0};

	if (!store_certificate_list(txn, CERTIFICATE_RENEWALS, NULL, r->next, r->limit - r->found, &page, p))
		return false;
	for (size_t i = 0; i < page.ids.n; i++) {
		auto_value(certificate) row = {0};
		auto_value(buf) json = {0};
		r->looked++;
		if (!store_certificate_get(txn, page.ids.v[i], &row, p))
			return false;
		if (!show(r, &row))
			continue;
		certificate_json(&row, false, &json);
		json_put_raw(r->out, NULL, buf_bytes(&json));
		r->found++;
	}
	memcpy(r->next, page.next, sizeof(r->next));
	return true;
}

static bool list_page(struct store_txn *txn, void *arg, struct problem *p)
{
	struct renewals *r = arg;

	do
		if (!list_some(txn, r, p))
			return false;
	while (r->next[0] && r->found < r->limit && r->looked < LOOK_MAX);
	return true;
}

static bool take_query(struct renewals *r, struct problem *p)
{
	auto_value(buf) state = {0};
	auto_value(problem) parts = {0};

	r->limit = api_query_limit(r->call, &parts);
	r->failing = api_query(r->call, "state", &state, &parts);
	api_query_after(r->call, r->next, &parts);
	return api_settle(&parts, p);
}

bool api_renewal_list(struct api_call *call, struct problem *p)
{
	struct json_writer w = api_reply(call, 200);
	struct renewals r = { .call = call, .out = &w };

	if (!take_query(&r, p))
		return false;
	json_open(&w, NULL);
	json_open_array(&w, "certificates");
	if (!store_view(call->api->store, list_page, &r, p))
		return false;
	json_close(&w);
	json_put(&w, "next", r.next[0] ? r.next : NULL);
	json_close(&w);
	return buf_check(&call->response->body, p);
}
