#include <stdio.h>

#include "acme/actions.h"
#include "acme/owner.h"
#include "store/certificate.h"

struct download {
	const struct acme_call *call;
	struct certificate certificate; /* the caller's to free */
};

/* In a view, and run once. */
static bool load(struct store_txn *txn, void *arg, struct problem *p)
{
	struct download *d = arg;

	return store_certificate_get(txn, d->call->capture[0], &d->certificate, p) &&
	       acme_owned(d->call, d->certificate.account, NULL, "certificate", p);
}

/* The chain that the URL names: none is the first; "1" and on are the alternates. */
static bool chain_number(const char *text, size_t count, size_t *ret, struct problem *p)
{
	size_t n = 0;

	if (text && text[0]) {
		if (strlen(text) > 3 || strspn(text, "0123456789") != strlen(text) || text[0] == '0')
			return problem_set(p, PROBLEM_NOT_FOUND, "there is no such chain");
		n = strtoul(text, NULL, 10);
	}
	if (n >= count)
		return problem_set(p, PROBLEM_NOT_FOUND, "there is no such chain");
	*ret = n;
	return true;
}

static void link_alternates(struct acme_call *call, const char *id, size_t shown, size_t count)
{
	char number[24];

	for (size_t i = 0; i < count; i++) {
		snprintf(number, sizeof(number), "%zu", i);
		if (i != shown)
			acme_link(call, "alternate", "certificate", id, i ? number : NULL);
	}
}

/* PEM in the order of TLS, without the root, whatever Accept says: it is the default format and
 * the only one that shows the chain. A revoked certificate is still its owner's to fetch. */
static bool reply(struct acme_call *call, const struct certificate *certificate, struct problem *p)
{
	const struct issuer *issuer = ca_issuer(call->acme->ca, certificate->issuer ?: "");
	size_t n = 0, count;

	if (!issuer)
		return problem_internal(p, "certificate %s is of issuer %s, which is not loaded",
		                        certificate->id, certificate->issuer);
	count = issuer_chain_count(issuer);
	if (!chain_number(call->capture[1], count, &n, p))
		return false;
	struct bytes chain = issuer_chain_pem(issuer, n);
	call->response->status = 200;
	call->response->content_type = "application/pem-certificate-chain";
	ossl_pem("CERTIFICATE", certificate->der, &call->response->body);
	buf_add(&call->response->body, chain.data, chain.len);
	link_alternates(call, certificate->id, n, count);
	return buf_check(&call->response->body, p);
}

bool acme_certificate_get(struct acme_call *call, struct problem *p)
{
	struct download d = { .call = call };
	bool done = store_view(call->acme->store, load, &d, p) && reply(call, &d.certificate, p);

	certificate_free(&d.certificate);
	return done;
}
