#include "base/certificate_key.h"

#include "base/tlv.h"


#define OID(text) { (const uint8_t *)(text), sizeof(text) - 1 }

/* Those whose square roots are cheap (RFC 5480, 2.1.1.1; RFC 5639, 4.1). */
static const struct bytes curves[] = {
	OID("\x2a\x86\x48\xce\x3d\x03\x01\x07"),
	OID("\x2b\x81\x04\x00\x22"),
	OID("\x2b\x81\x04\x00\x23"),
	OID("\x2b\x24\x03\x03\x02\x08\x01\x01\x07"),
	OID("\x2b\x24\x03\x03\x02\x08\x01\x01\x0b"),
	OID("\x2b\x24\x03\x03\x02\x08\x01\x01\x0d"),
};

static const struct bytes rsassa_pss = OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a"); /* RFC 4055, 3.1 */

/* What stands before the key (RFC 5280, 4.1): serialNumber, signature, issuer, validity, subject. */
static bool skip_to_key(struct bytes *tbs)
{
	static const uint8_t tags[] = { TLV_INTEGER, TLV_SEQUENCE, TLV_SEQUENCE, TLV_SEQUENCE, TLV_SEQUENCE };
	struct bytes skipped;

	bool versioned = tlv_take(tbs, TLV_CONTEXT_CONSTRUCTED(0), &skipped);
	(void)versioned; /* v1 says none */
	for (size_t i = 0; i < array_length(tags); i++)
		if (!tlv_take(tbs, tags[i], &skipped))
			return false;
	return true;
}

static bool is_curve(struct bytes oid)
{
	for (size_t i = 0; i < array_length(curves); i++)
		if (bytes_equal(curves[i], oid))
			return true;
	return false;
}

/* SEC 1, 2.3.3: of a compressed point one coordinate is to be computed. */
static bool is_compressed(struct bytes bits)
{
	return bits.len > 1 && (bits.data[1] == 2 || bits.data[1] == 3);
}

static bool names_what_it_is(struct bytes algorithm, struct bytes bits)
{
	struct bytes oid;
	struct tlv parameters;

	if (!tlv_take(&algorithm, TLV_OID, &oid))
		return false;
	if (algorithm.len == 0 || bytes_equal(oid, rsassa_pss))
		return true;
	if (!tlv_next(&algorithm, &parameters) || algorithm.len > 0)
		return false;
	if (parameters.tag == TLV_OID)
		return is_curve(parameters.value) || !is_compressed(bits);
	return parameters.tag == TLV_NULL;
}

bool certificate_key_is_plain(struct bytes der)
{
	struct bytes certificate, tbs, key, algorithm, bits;

	return tlv_take(&der, TLV_SEQUENCE, &certificate) && tlv_take(&certificate, TLV_SEQUENCE, &tbs) &&
	       skip_to_key(&tbs) && tlv_take(&tbs, TLV_SEQUENCE, &key) && tlv_take(&key, TLV_SEQUENCE, &algorithm) &&
	       tlv_take(&key, TLV_BIT_STRING, &bits) && names_what_it_is(algorithm, bits);
}
