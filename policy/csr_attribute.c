#include "policy/csr_part.h"

enum { ATTRIBUTES_MAX = 32, CAPABILITIES_MAX = 32, KEY_ID_MAX = 256 };

#define OID_CHALLENGE_PASSWORD "1.2.840.113549.1.9.7"
#define OID_SMIME_AA "1.2.840.113549.1.9.16.2."

static bool refuse(const char *what, struct problem *p)
{
	return problem_set(p, PROBLEM_BAD_CSR, "RFC 2986, 4: %s", what);
}

/* RFC 2985, 5.4.2 */
static bool extension_request_read(const struct tlv *value, struct csr *csr, struct problem *p)
{
	if (value->tag != TLV_SEQUENCE)
		return refuse("the CSR's extensionRequest is malformed", p);
	return csr_extensions_read(value->value, csr, p);
}

/* RFC 2985, 5.4.1 */
static bool challenge_password_read(const struct tlv *value, struct csr *csr, struct problem *p)
{
	const char *fault = csr_text_read(value, csr->challenge_password, sizeof(csr->challenge_password));

	csr->has_challenge_password = true;
	return !fault || problem_set(p, PROBLEM_BAD_CSR, "RFC 2985, 5.4.1: the challengePassword %s", fault);
}

/* RFC 7894, 3.3 */
static bool identity_linking_read(const struct tlv *value, struct csr *csr, struct problem *p)
{
	const char *fault = csr_text_read(value, csr->identity_linking, sizeof(csr->identity_linking));

	csr->has_identity_linking = true;
	return !fault || problem_set(p, PROBLEM_BAD_CSR, "RFC 7894, 3.3: the estIdentityLinking %s", fault);
}

/* RFC 7894, 4: each challenge in a CSR must hold, and these two we never ask for. */
static bool challenge_refuse(const struct tlv *value, struct csr *csr, struct problem *p)
{
	(void)value;
	(void)csr;
	return problem_set(p, PROBLEM_BAD_CSR,
	                   "RFC 7894, 4: there is no otpChallenge or revocationChallenge to answer here; leave it "
	                   "out of the CSR");
}

static bool refuse_change(struct problem *p)
{
	return refuse("the CSR's ChangeSubjectName is malformed (RFC 6402, 2.8)", p);
}

static bool is_rdn_sequence(struct bytes content)
{
	struct tlv first;

	return content.len == 0 || (tlv_next(&content, &first) && first.tag == TLV_SET);
}

/* RFC 6402, 2.8: a Name and GeneralNames; one of them may be missing, and neither has a tag of its own, but the
 * first is a SEQUENCE of SETs and the second is not. */
static bool change_read(const struct tlv *value, struct csr *csr, struct problem *p)
{
	struct bytes in = value->value;
	struct tlv part;
	enum { NOTHING, NAME, NAMES } last = NOTHING;

	csr->change = calloc(1, sizeof(*csr->change));
	if (!csr->change)
		return problem_memory(p);
	while (value->tag == TLV_SEQUENCE && in.len > 0) {
		if (last == NAMES || !tlv_next(&in, &part) || part.tag != TLV_SEQUENCE)
			return refuse_change(p);
		last = last == NOTHING && is_rdn_sequence(part.value) ? NAME : NAMES;
		if (last == NAME ? !csr_subject_read(part.value, csr->change, p)
		                 : !csr_names_read(part.whole, csr->change, p))
			return false;
	}
	return last != NOTHING || refuse_change(p);
}

static bool key_id_read(const struct tlv *value, struct buf *ret, struct problem *p)
{
	if (value->tag != TLV_OCTET_STRING || value->value.len == 0 || value->value.len > KEY_ID_MAX)
		return refuse("the CSR's identifier of a decryption key is no OCTET STRING of 1 to 256 bytes (RFC "
		              "7030, 4.4.1)",
		              p);
	buf_add(ret, value->value.data, value->value.len);
	return buf_check(ret, p);
}

/* RFC 4108, 2.2.5; RFC 7030, 4.4.1.1 */
static bool symmetric_read(const struct tlv *value, struct csr *csr, struct problem *p)
{
	return key_id_read(value, &csr->delivery.symmetric, p);
}

/* RFC 7030, 4.4.1.2 */
static bool asymmetric_read(const struct tlv *value, struct csr *csr, struct problem *p)
{
	return key_id_read(value, &csr->delivery.asymmetric, p);
}

/* RFC 2985, 5.6.2: what is preferred stands first. Parameters are none of ours. */
static bool capabilities_read(const struct tlv *value, struct csr *csr, struct problem *p)
{
	struct bytes in = value->value, capability, type;
	char oid[TLV_OID_SIZE];

	while (value->tag == TLV_SEQUENCE && in.len > 0 && csr->delivery.capabilities.n < CAPABILITIES_MAX) {
		if (!tlv_take(&in, TLV_SEQUENCE, &capability) || !tlv_take(&capability, TLV_OID, &type) ||
		    !tlv_oid_text(type, oid))
			break;
		if (!strings_add(&csr->delivery.capabilities, oid))
			return problem_memory(p);
	}
	return (value->tag == TLV_SEQUENCE && in.len == 0) ||
	       refuse("the CSR's SMIMECapabilities are malformed (RFC 2985, 5.6.2)", p);
}

enum { EXTENSIONS = 1, PASSWORD = 2, LINKING = 4, CHANGE = 8, SYMMETRIC = 16, ASYMMETRIC = 32, CAPABILITIES = 64 };
static const struct reader {
	const char *oid;
	bool (*read)(const struct tlv *value, struct csr *csr, struct problem *p);
	unsigned once; /* of all rows with this bit, one may be there */
	bool proof;    /* it tells of the connection, and asks for nothing */
} readers[] = {
	{ "1.2.840.113549.1.9.14", extension_request_read, EXTENSIONS, false },
	{ "1.3.6.1.4.1.311.2.1.14", extension_request_read, EXTENSIONS, false }, /* Microsoft's name for it */
	{ OID_CHALLENGE_PASSWORD, challenge_password_read, PASSWORD, true },
	{ OID_SMIME_AA "56", challenge_refuse, 0, true },
	{ OID_SMIME_AA "57", challenge_refuse, 0, true },
	{ OID_SMIME_AA "58", identity_linking_read, LINKING, true },
	{ "1.3.6.1.5.5.7.7.36", change_read, CHANGE, false },
	{ OID_SMIME_AA "37", symmetric_read, SYMMETRIC, false },
	{ OID_SMIME_AA "54", asymmetric_read, ASYMMETRIC, false },
	{ "1.2.840.113549.1.9.15", capabilities_read, CAPABILITIES, false },
};

static const struct reader *reader_find(const char *oid)
{
	for (size_t i = 0; i < array_length(readers); i++)
		if (str_equal(readers[i].oid, oid))
			return &readers[i];
	return NULL;
}

/* Other attributes ask nothing of the certificate: Windows tells its version in one. */
static bool attribute_read(struct bytes attribute, unsigned *seen, struct csr *csr, struct problem *p)
{
	struct bytes type, values;
	struct tlv value;
	char oid[TLV_OID_SIZE];

	if (!tlv_take(&attribute, TLV_OID, &type) || !tlv_oid_text(type, oid) ||
	    !tlv_take(&attribute, TLV_SET, &values) || attribute.len > 0)
		return refuse("an attribute of the CSR is not DER", p);
	const struct reader *reader = reader_find(oid);
	if (!reader)
		return true;
	if ((*seen & reader->once) != 0)
		return problem_set(p, PROBLEM_BAD_CSR,
		                   "RFC 2985, 5.4: the CSR has attribute %s twice, or in two forms", reader->oid);
	*seen |= reader->once;
	if (!tlv_next(&values, &value) || values.len > 0)
		return problem_set(p, PROBLEM_BAD_CSR,
		                   "RFC 2985, 5.4: attribute %s of the CSR has not one value", reader->oid);
	return reader->read(&value, csr, p);
}

bool csr_attributes_read(struct bytes attributes, struct csr *csr, struct problem *p)
{
	struct bytes attribute;
	unsigned seen = 0;

	for (unsigned count = 0; attributes.len > 0; count++) {
		if (count == ATTRIBUTES_MAX || !tlv_take(&attributes, TLV_SEQUENCE, &attribute))
			return refuse("the CSR's attributes are too many, or not DER", p);
		if (!attribute_read(attribute, &seen, csr, p))
			return false;
	}
	return true;
}

bool csr_attributes_asked(struct bytes attributes, struct buf *ret, struct problem *p)
{
	struct bytes attribute, inner, type;
	char oid[TLV_OID_SIZE];

	while (attributes.len > 0) {
		if (!tlv_take(&attributes, TLV_SEQUENCE, &attribute))
			return refuse("an attribute of the CSR is not DER", p);
		inner = attribute;
		if (!tlv_take(&inner, TLV_OID, &type) || !tlv_oid_text(type, oid))
			return refuse("an attribute of the CSR is not DER", p);
		const struct reader *reader = reader_find(oid);
		if (reader && reader->proof)
			continue;
		buf_add_char(ret, '\0');
		buf_add(ret, attribute.data, attribute.len);
	}
	return buf_check(ret, p);
}
