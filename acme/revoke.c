#include "acme/actions.h"
#include "acme/event.h"

#include "base/base64.h"
#include "ca/revocation.h"
#include "policy/identifier.h"
#include "policy/star.h"
#include "store/authorization.h"

/* Authorizations of one identifier that are looked at for a valid one, newest first. */
enum { AUTHORIZATIONS_MAX = 100 };

struct revocation {
	const struct acme_call *call;
	struct certificate certificate;   /* as the ledger has it */
	int64_t reason;
	struct buf by;
};

static void revocation_free(struct revocation *r)
{
	certificate_free(&r->certificate);
	buf_free(&r->by);
}
declare_auto_value(revocation, revocation_free);

static bool unauthorized(struct problem *p, const char *why)
{
	return problem_set(p, PROBLEM_UNAUTHORIZED, "RFC 8555, 7.6: %s", why);
}

/* --- what is asked */

struct certificate_view {
	struct bytes der;
	struct certificate *ret;
};

static bool view_certificate(struct store_txn *txn, void *arg, struct problem *p)
{
	struct certificate_view *view = arg;
	uint8_t fingerprint[SHA256_SIZE];
	digest_sha256(view->der, fingerprint);
	return store_certificate_by_fingerprint(txn, BYTES(fingerprint, sizeof fingerprint), view->ret, p);
}

/* Byte for byte a certificate of the ledger: nothing is parsed that we have not made. */
static bool find_certificate(struct revocation *r, struct problem *p)
{
	auto_value(buf) der = { 0 };
	const char *text = json_member_string(r->call->payload, "certificate");
	if (!text || !base64url_decode(text, strlen(text), &der))
		return buf_check(&der, p) && problem_set(p, PROBLEM_MALFORMED,
		                                         "RFC 8555, 7.6: \"certificate\" must be DER in base64url");
	struct certificate_view view = { buf_bytes(&der), &r->certificate };
	bool known = store_view(r->call->acme->store, view_certificate, &view, p);
	if (known && !certificate_is_imported(&r->certificate))
		return true;
	if (known || p->kind == PROBLEM_NOT_FOUND)
		problem_set(p, PROBLEM_NOT_FOUND, "RFC 8555, 7.6: this CA has not issued that certificate");
	return false;
}

/* An absent reason is recorded as unspecified, which CRLs and OCSP leave out. */
static bool read_reason(struct revocation *r, struct problem *p)
{
	const struct json *reason = json_given(r->call->payload, "reason");
	if (!reason)
		return true;
	if (!json_integer(reason, &r->reason))
		return problem_set(p, PROBLEM_MALFORMED, "RFC 8555, 7.6: \"reason\" must be an integer");
	return revocation_reason_check(r->reason, REVOCATION_BY_SUBSCRIBER, p);
}

/* --- who may */

/* The signature shows that the client holds the key of its own jwk; this, that it is the
 * certificate's. */
static bool check_own_key(const struct revocation *r, struct problem *p)
{
	const unsigned char *der = r->certificate.der.data;
	auto(X509) *x = d2i_X509(NULL, &der, (long)r->certificate.der.len);
	if (!x || der != r->certificate.der.data + r->certificate.der.len)
		return problem_openssl(p, "a certificate of the ledger");
	EVP_PKEY *key = X509_get0_pubkey(x);
	if (!key || EVP_PKEY_eq(key, r->call->public_key) != 1)
		return unauthorized(p, "the jwk that signed the request is not the key of the certificate");
	return true;
}

static bool is_held(const struct revocation *r, const struct authorization *a)
{
	return a->status == AUTHORIZATION_VALID && !a->granted && a->expires > r->call->now &&
	       str_equal(a->account, r->call->account.id);
}

static bool lacks(const struct certificate_name *name, struct problem *p)
{
	return problem_set(p, PROBLEM_UNAUTHORIZED, "RFC 8555, 7.6: the account holds no authorization for %s",
	                   name->value);
}

/* The account holds a valid authorization for a name of the certificate. */
static bool check_name(struct store_txn *txn, const struct revocation *r, const struct certificate_name *name,
                       struct problem *p)
{
	auto_value(strings) ids = { 0 };
	bool wildcard = str_starts(name->value, "*.");
	const char *value = name->value + (wildcard ? 2 : 0);
	if (!store_authorization_find(txn, r->call->account.id, name->type, value, wildcard, AUTHORIZATIONS_MAX,
	                              &ids, p))
		return false;
	for (size_t i = 0; i < ids.n; i++) {
		auto_value(authorization) a = { 0 };
		if (!store_authorization_get(txn, ids.v[i], &a, p))
			return false;
		if (is_held(r, &a))
			return true;
	}
	return lacks(name, p);
}

/* A common name counts as one of the other names, or else as a name that no authorization proves. */
static bool is_repeated(const struct certificate *c, const struct certificate_name *cn)
{
	const struct certificate_name *names = c->names.v;
	for (size_t i = 0; i < c->names.n; i++)
		if (!str_equal(names[i].type, "cn") && str_equal(names[i].value, cn->value))
			return true;
	return false;
}

static bool check_names(struct store_txn *txn, const struct revocation *r, struct problem *p)
{
	const struct certificate_name *names = r->certificate.names.v;
	for (size_t i = 0; i < r->certificate.names.n; i++) {
		bool common = str_equal(names[i].type, "cn");
		if (common ? !is_repeated(&r->certificate, &names[i]) && !lacks(&names[i], p)
		    : !check_name(txn, r, &names[i], p))
			return false;
	}
	return r->certificate.names.n > 0 || unauthorized(p, "the account did not order this certificate");
}

/* The account that ordered it, or one with authorizations for all its names. What EST or an operator issued
 * was never proven by authorizations, so they do not revoke it. */
static bool check_account(struct store_txn *txn, const struct revocation *r, struct problem *p)
{
	if (!str_equal(r->certificate.method, "acme"))
		return unauthorized(p, "this certificate was not issued over ACME: only its own key revokes it here");
	return str_equal(r->certificate.account, r->call->account.id) || check_names(txn, r, p);
}

/* RFC 8739, 3.1.2: such an order is canceled, and its certificates end soon. */
static bool check_star(struct store_txn *txn, const struct revocation *r, struct problem *p)
{
	auto_value(order) order = { 0 };
	if (!r->certificate.order[0])
		return true;
	if (!store_order_get(txn, r->certificate.order, &order, p))
		return problem_forgive(p, PROBLEM_NOT_FOUND);
	return !star_is(&order) || problem_set(p, PROBLEM_AUTO_RENEWAL_REVOCATION_NOT_SUPPORTED,
	                   "RFC 8739, 3.1.2: a certificate that renews itself is not revoked: cancel its order");
}

static bool record(struct store_txn *txn, void *arg, struct problem *p)
{
	const struct revocation *r = arg;
	bool by_account = r->call->account.id[0] != '\0';
	char from[ADDR_TEXT_SIZE];
	event_from(r->call, from);
	return (!by_account || check_account(txn, r, p)) && check_star(txn, r, p) &&
	       revocation_record(txn, r->certificate.id, r->reason, r->call->now, buf_text(&r->by), from,
	                         REVOCATION_BY_SUBSCRIBER, p);
}

bool acme_certificate_revoke(struct acme_call *call, struct problem *p)
{
	auto_value(revocation) r = { .call = call };
	bool by_account = call->account.id[0] != '\0';
	if (!find_certificate(&r, p) || (!by_account && !check_own_key(&r, p)) || !read_reason(&r, p))
		return false;
	if (by_account)
		buf_printf(&r.by, "account %s", call->account.id);
	else
		buf_add_str(&r.by, "certificate key");
	if (!buf_check(&r.by, p))
		return false;
	if (!store_update(call->acme->store, record, &r, p)) {
		event_refused(call, AUDIT_REVOCATION_REFUSED, "certificate", r.certificate.id, p);
		return false;
	}
	call->response->status = 200;
	return true;
}
