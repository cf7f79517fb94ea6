#include "acme/actions.h"
#include "acme/owner.h"
#include "acme/star.h"
#include "base/clock.h"
#include "store/certificate.h"

enum { RETRY = 10 }; /* s */

struct fetching {
	const struct acme_call *call;
	struct order order;              /* the caller's to free, as the certificate */
	struct certificate certificate;
};

static void fetching_free(struct fetching *f)
{
	order_free(&f->order);
	certificate_free(&f->certificate);
}
declare_auto_value(fetching, fetching_free);

/* RFC 8555, 6.3: what is not for everybody is not fetched by GET. */
static bool may_fetch(const struct fetching *f, struct problem *p)
{
	const struct acme_call *call = f->call;

	if (call->request->method == HTTP_POST)
		return acme_owned(call, f->order.account, f->order.directory, "certificate", p);
	if (!str_equal(f->order.directory, call->directory) || !star_is(&f->order))
		return problem_set(p, PROBLEM_NOT_FOUND, "there is no such certificate");
	return f->order.star.get ||
	       problem_set(p, PROBLEM_METHOD_NOT_ALLOWED,
	                   "RFC 8739, 3.4: the order does not let its certificate be fetched by GET");
}

/* RFC 8739, 3.1.2 and 3.3 */
static bool is_current(const struct fetching *f, struct problem *p)
{
	if (f->order.status == ORDER_CANCELED)
		return problem_set(p, PROBLEM_AUTO_RENEWAL_CANCELED, "RFC 8739, 3.1.2: the order was canceled");
	if (f->order.status != ORDER_VALID || !star_is(&f->order))
		return problem_set(p, PROBLEM_NOT_FOUND, "there is no such certificate");
	return f->call->now <= f->order.star.end ||
	       problem_set(p, PROBLEM_AUTO_RENEWAL_EXPIRED, "RFC 8739, 3.3: the order's end-date is past");
}

/* Its orders are canceled with an account (RFC 8555, 7.3.6), though not all in one moment. */
static bool is_wanted(struct store_txn *txn, const struct fetching *f, struct problem *p)
{
	auto_value(account) account = {0};

	if (!store_account_get(txn, f->order.account, &account, p))
		return false;
	return account.status == ACCOUNT_VALID ||
	       problem_set(p, PROBLEM_AUTO_RENEWAL_CANCELED,
	                   "RFC 8739, 3.1.2: the order was canceled with its account");
}

/* In a view, and run once. */
static bool load(struct store_txn *txn, void *arg, struct problem *p)
{
	struct fetching *f = arg;

	if (!store_order_get(txn, f->call->capture[0], &f->order, p) || !may_fetch(f, p) || !is_current(f, p) ||
	    !is_wanted(txn, f, p) ||
	    !store_certificate_get(txn, f->order.certificate, &f->certificate, p))
		return false;
	return f->call->now <= f->certificate.not_after ||
	       problem_unavailable(p, RETRY, "order %s: no certificate was made since the last one ended", f->order.id);
}

static void add_date(struct http_response *response, const char *name, int64_t t)
{
	char text[30];

	clock_format_http(t, text);
	http_response_header(response, name, text);
}

/* 4.3: what a cache keeps is stale when the next one is there, or this one ends. */
static void add_freshness(struct acme_call *call, const struct fetching *f)
{
	int64_t end = f->certificate.not_after, due = f->order.star.due;
	int64_t left = (due && due < end ? due : end) - call->now;

	call->cacheable = true;
	http_response_header_printf(call->response, "Cache-Control", "public, max-age=%lld",
	                            (long long)(left > 0 ? left : 0));
}

static bool reply(struct acme_call *call, const struct fetching *f, struct problem *p)
{
	const struct certificate *row = &f->certificate;
	const struct issuer *issuer = ca_issuer(call->acme->ca, row->issuer ?: "");

	if (!issuer)
		return problem_internal(p, "certificate %s is of issuer %s, which is not loaded", row->id, row->issuer);
	struct bytes chain = issuer_chain_pem(issuer, 0);
	call->response->status = 200;
	call->response->content_type = "application/pem-certificate-chain";
	add_date(call->response, "Cert-Not-Before", row->not_before);
	add_date(call->response, "Cert-Not-After", row->not_after);
	if (call->request->method != HTTP_POST)
		add_freshness(call, f);
	ossl_pem("CERTIFICATE", row->der, &call->response->body);
	buf_add(&call->response->body, chain.data, chain.len);
	return buf_check(&call->response->body, p);
}

bool acme_star_certificate_get(struct acme_call *call, struct problem *p)
{
	auto_value(fetching) f = { .call = call };

	return store_view(call->acme->store, load, &f, p) && reply(call, &f, p);
}
