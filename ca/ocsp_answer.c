#include "ca/ocsp_answer.h"

#include "ca/extension.h"
#include "ca/revocation.h"

void ocsp_answer_error(enum ocsp_error error, struct buf *ret)
{
	const uint8_t answer[] = { TLV_SEQUENCE, 3, TLV_ENUMERATED, 1, (uint8_t)error };

	buf_add(ret, answer, sizeof(answer));
}

static void put_enumerated(struct der *d, int64_t value)
{
	const uint8_t content = (uint8_t)value;

	der_put(d, TLV_ENUMERATED, BYTES(&content, 1));
}

/* RevokedInfo. RFC 5280, 5.3.1: no reason rather than unspecified. */
static void put_revoked(struct der *d, const struct ocsp_single *single)
{
	der_open(d, TLV_CONTEXT_CONSTRUCTED(1));
	der_put_generalized_time(d, single->revoked);
	if (single->reason > 0 && revocation_reason_name(single->reason)) {
		der_open(d, TLV_CONTEXT_CONSTRUCTED(0));
		put_enumerated(d, single->reason);
		der_close(d);
	}
	der_close(d);
}

static void put_status(struct der *d, const struct ocsp_single *single)
{
	if (single->status == OCSP_REVOKED)
		put_revoked(d, single);
	else
		der_put(d, single->status == OCSP_GOOD ? TLV_CONTEXT(0) : TLV_CONTEXT(2), BYTES("", 0));
}

/* RFC 6960, 4.4.4 */
static void put_archive_cutoff(struct der *d, int64_t cutoff)
{
	der_open(d, TLV_CONTEXT_CONSTRUCTED(1));
	der_open(d, TLV_SEQUENCE);
	extension_open(d, "1.3.6.1.5.5.7.48.1.6", false);
	der_put_generalized_time(d, cutoff);
	extension_close(d);
	der_close(d);
	der_close(d);
}

static void put_single(struct der *d, const struct ocsp_single *single, const struct ocsp_facts *facts)
{
	der_open(d, TLV_SEQUENCE);
	der_put_raw(d, single->certificate);
	put_status(d, single);
	der_put_generalized_time(d, facts->this_update);
	der_open(d, TLV_CONTEXT_CONSTRUCTED(0));
	der_put_generalized_time(d, facts->next_update);
	der_close(d);
	if (single->archive_cutoff)
		put_archive_cutoff(d, single->archive_cutoff);
	der_close(d);
}

/* RFC 9654, 2.1 */
static void put_nonce(struct der *d, struct bytes nonce)
{
	if (nonce.len == 0)
		return;
	der_open(d, TLV_CONTEXT_CONSTRUCTED(1));
	der_open(d, TLV_SEQUENCE);
	extension_open(d, "1.3.6.1.5.5.7.48.1.2", false);
	der_put(d, TLV_OCTET_STRING, nonce);
	extension_close(d);
	der_close(d);
	der_close(d);
}

static void put_response_data(struct der *d, const struct responder *responder, const struct ocsp_facts *facts)
{
	der_open(d, TLV_SEQUENCE);
	der_open(d, TLV_CONTEXT_CONSTRUCTED(2)); /* byKey */
	der_put(d, TLV_OCTET_STRING, BYTES(responder->key_hash, sizeof(responder->key_hash)));
	der_close(d);
	der_put_generalized_time(d, facts->this_update);
	der_open(d, TLV_SEQUENCE);
	for (size_t i = 0; i < facts->count; i++)
		put_single(d, &facts->singles[i], facts);
	der_close(d);
	put_nonce(d, facts->nonce);
	der_close(d);
}

static bool put_basic_response(struct der *d, const struct responder *responder, const struct ocsp_facts *facts,
                               struct problem *p)
{
	const struct signer_scheme *scheme = signer_scheme(responder->signer, NULL);
	struct signature signature;

	der_open(d, TLV_SEQUENCE);
	size_t begin = d->out->len;
	put_response_data(d, responder, facts);
	if (!buf_check(d->out, p))
		return false;
	struct bytes data = BYTES(d->out->data + begin, d->out->len - begin);
	if (!signer_sign(scheme, data, &signature, p))
		return false;
	der_put_raw(d, scheme->algorithm);
	signature_put(d, &signature);
	der_open(d, TLV_CONTEXT_CONSTRUCTED(0));
	der_open(d, TLV_SEQUENCE);
	der_put_raw(d, buf_bytes(&responder->certificate));
	der_close(d);
	der_close(d);
	der_close(d);
	return true;
}

bool ocsp_answer_write(const struct responder *responder, const struct ocsp_facts *facts, struct buf *ret,
                       struct problem *p)
{
	struct der d = der_writer(ret);

	der_open(&d, TLV_SEQUENCE);
	put_enumerated(&d, 0); /* successful */
	der_open(&d, TLV_CONTEXT_CONSTRUCTED(0));
	der_open(&d, TLV_SEQUENCE);
	der_put_oid(&d, "1.3.6.1.5.5.7.48.1.1"); /* id-pkix-ocsp-basic */
	der_open(&d, TLV_OCTET_STRING);
	if (!put_basic_response(&d, responder, facts, p))
		return false;
	der_close(&d);
	der_close(&d);
	der_close(&d);
	der_close(&d);
	return buf_check(ret, p);
}
