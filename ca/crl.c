#include "ca/crl.h"

#include "ca/extension.h"
#include "ca/issue.h"
#include "ca/issuer_inside.h"
#include "ca/revocation.h"

enum { REASON_UNSPECIFIED = 0 };

void crl_begin(struct crl_writer *w, const struct issuer *issuer, const struct crl_facts *facts,
               struct buf *out)
{
	*w = (struct crl_writer){ .issuer = issuer, .facts = *facts, .der = der_writer(out) };
	der_open(&w->der, TLV_SEQUENCE);
	w->begin = out->len;
	der_open(&w->der, TLV_SEQUENCE);
	der_put_integer(&w->der, BYTES("\x01", 1)); /* v2 */
	der_put_raw(&w->der, issue_crl_algorithm(issuer));
	der_put_raw(&w->der, buf_bytes(&issuer_template(issuer)->issuer));
	der_put_time(&w->der, facts->this_update);
	der_put_time(&w->der, facts->next_update);
}

/* RFC 5280, 5.3.1: reasonCode is not critical, says nothing rather than unspecified, and
 * removeFromCRL in delta CRLs alone. Written whole: there may be a million of them. */
static void put_reason(struct der *d, int64_t reason, bool delta)
{
	uint8_t extensions[] = {
		0x30, 0x0c, 0x30, 0x0a, 0x06, 0x03, 0x55, 0x1d, 0x15, 0x04, 0x03, 0x0a, 0x01, (uint8_t)reason,
	};

	if (reason != REASON_UNSPECIFIED && (delta || reason != CRL_REMOVE_FROM_CRL) && revocation_reason_name(reason))
		der_put_raw(d, BYTES(extensions, sizeof(extensions)));
}

/* A clock that was put back must not make a list that tells the future. */
static int64_t revocation_date(const struct crl_writer *w, int64_t revoked)
{
	return revoked < w->facts.this_update ? revoked : w->facts.this_update;
}

/* RFC 5280, 5.1.2.6: revokedCertificates is absent where there are none. */
void crl_add(struct crl_writer *w, const struct crl_entry *entry)
{
	if (w->count++ == 0)
		der_open(&w->der, TLV_SEQUENCE);
	der_open(&w->der, TLV_SEQUENCE);
	der_put_integer(&w->der, entry->serial);
	der_put_time(&w->der, revocation_date(w, entry->revoked));
	put_reason(&w->der, entry->reason, w->facts.base != 0);
	der_close(&w->der);
}

static void put_integer(struct der *d, int64_t number)
{
	uint8_t magnitude[8];

	for (size_t i = 0; i < sizeof(magnitude); i++)
		magnitude[i] = (uint8_t)((uint64_t)number >> (8 * (sizeof(magnitude) - 1 - i)));
	der_put_integer(d, BYTES(magnitude, sizeof(magnitude)));
}

static void put_number(struct der *d, const char *oid, bool critical, int64_t number)
{
	extension_open(d, oid, critical);
	put_integer(d, number);
	extension_close(d);
}

/* The URL is the certificates' own, byte for byte (RFC 5280, 6.3.3 (b)(2)). */
static void put_scope(struct der *d, const char *url)
{
	extension_open(d, "2.5.29.28", true);
	extension_put_point(d, url);
	extension_close(d);
}

static void put_freshest(struct der *d, const char *url)
{
	extension_open(d, "2.5.29.46", false);
	der_open(d, TLV_SEQUENCE);
	extension_put_point(d, url);
	der_close(d);
	extension_close(d);
}

static void put_extensions(struct crl_writer *w)
{
	const struct crl_facts *facts = &w->facts;
	struct der *d = &w->der;

	der_open(d, TLV_CONTEXT_CONSTRUCTED(0));
	der_open(d, TLV_SEQUENCE);
	der_put_raw(d, buf_bytes(&issuer_template(w->issuer)->authority));
	put_number(d, "2.5.29.20", false, facts->number);
	if (facts->base)
		put_number(d, "2.5.29.27", true, facts->base);
	if (facts->scope_url)
		put_scope(d, facts->scope_url);
	if (facts->delta_url && !facts->base)
		put_freshest(d, facts->delta_url);
	der_close(d);
	der_close(d);
}

bool crl_end(struct crl_writer *w, struct problem *p)
{
	const struct buf *out = w->der.out;
	struct signature signature;

	if (w->count > 0)
		der_close(&w->der);
	put_extensions(w);
	der_close(&w->der);
	if (!buf_check(out, p))
		return false;
	struct bytes list = BYTES(out->data + w->begin, out->len - w->begin);
	if (!issue_crl(w->issuer, list, &signature, p))
		return false;
	der_put_raw(&w->der, issue_crl_algorithm(w->issuer));
	signature_put(&w->der, &signature);
	der_close(&w->der);
	return buf_check(out, p);
}
