#include "est/certs_only.h"

#include "ca/der.h"
#include "est/text.h"

void certs_only_write(struct bytes certificates, struct buf *ret)
{
	static const uint8_t version = 1; /* RFC 5652, 5.1: certificates of the usual kind, content of type data */
	struct der d = der_writer(ret);

	der_open(&d, TLV_SEQUENCE);
	der_put_oid(&d, "1.2.840.113549.1.7.2"); /* id-signedData */
	der_open(&d, TLV_CONTEXT_CONSTRUCTED(0));
	der_open(&d, TLV_SEQUENCE);
	der_put(&d, TLV_INTEGER, BYTES(&version, 1));
	der_put(&d, TLV_SET, BYTES("", 0));
	der_open(&d, TLV_SEQUENCE);
	der_put_oid(&d, "1.2.840.113549.1.7.1"); /* id-data */
	der_close(&d);
	der_put(&d, TLV_CONTEXT_CONSTRUCTED(0), certificates);
	der_put(&d, TLV_SET, BYTES("", 0));
	der_close(&d);
	der_close(&d);
	der_close(&d);
}

bool certs_only_reply(struct est_call *call, const char *content_type, struct bytes certificates, struct problem *p)
{
	auto_value(buf) der = {0};

	certs_only_write(certificates, &der);
	return buf_check(&der, p) && text_reply(call, content_type, buf_bytes(&der), p);
}
