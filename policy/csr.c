#include "policy/csr.h"

#include "base/digest.h"
#include "policy/csr_part.h"

enum { ATTRIBUTES_MAX = 32 };

/* The fields of a CertificationRequest (RFC 2986, 4), borrowed from its DER. */
struct parts {
	struct bytes tbs; /* certificationRequestInfo, whole */
	struct bytes subject, spki, attributes;
	struct bytes algorithm, signature;
};

static bool refuse(const char *what, struct problem *p)
{
	return problem_set(p, PROBLEM_BAD_CSR, "RFC 2986, 4: %s", what);
}

/* Attributes are mandatory, if only to be empty; some clients leave out the empty ones. */
static bool info_split(struct bytes info, struct parts *ret, struct problem *p)
{
	struct bytes version;
	struct tlv spki;

	if (!tlv_take(&info, TLV_INTEGER, &version) || !bytes_equal(version, BYTES("", 1)))
		return refuse("the CSR is not of version 1", p);
	if (!tlv_take(&info, TLV_SEQUENCE, &ret->subject))
		return refuse("the CSR's subject is no Name in DER", p);
	if (!tlv_next(&info, &spki) || spki.tag != TLV_SEQUENCE)
		return refuse("the CSR's key is no SubjectPublicKeyInfo in DER", p);
	ret->spki = spki.whole;
	ret->attributes = BYTES("", 0);
	if (info.len > 0 && (!tlv_take(&info, TLV_CONTEXT_CONSTRUCTED(0), &ret->attributes) || info.len > 0))
		return refuse("the CSR's attributes are not DER", p);
	return true;
}

/* Of version 3: its version is tagged, where a CSR's is an INTEGER (RFC 5280, 4.1). */
static bool is_certificate(struct bytes der)
{
	struct bytes outer, info, version;

	return tlv_take(&der, TLV_SEQUENCE, &outer) && tlv_take(&outer, TLV_SEQUENCE, &info) &&
	       tlv_take(&info, TLV_CONTEXT_CONSTRUCTED(0), &version);
}

static bool split(struct bytes der, struct parts *ret, struct problem *p)
{
	struct bytes request;
	struct tlv info;

	if (der.len == 0)
		return problem_set(p, PROBLEM_BAD_CSR, "CSR cannot be empty");
	if (is_certificate(der))
		return problem_set(p, PROBLEM_BAD_CSR, "Self-signed certificates are not supported for CSR signing");
	if (der.len > CSR_DER_MAX)
		return problem_set(p, PROBLEM_BAD_CSR, "the CSR is over %d bytes", CSR_DER_MAX);
	if (!tlv_take(&der, TLV_SEQUENCE, &request))
		return refuse("this is no CSR in DER", p);
	if (der.len > 0)
		return refuse("bytes follow the CSR", p);
	if (!tlv_next(&request, &info) || info.tag != TLV_SEQUENCE ||
	    !tlv_take(&request, TLV_SEQUENCE, &ret->algorithm) ||
	    !tlv_take(&request, TLV_BIT_STRING, &ret->signature) || request.len > 0)
		return refuse("this is no CSR in DER", p);
	ret->tbs = info.whole;
	return info_split(info.value, ret, p);
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

	return !fault || problem_set(p, PROBLEM_BAD_CSR, "RFC 2985, 5.4.1: the challengePassword %s", fault);
}

enum { EXTENSIONS = 1, PASSWORD = 2 };
static const struct reader {
	const char *oid;
	bool (*read)(const struct tlv *value, struct csr *csr, struct problem *p);
	unsigned once; /* of all rows with this bit, one may be there */
} readers[] = {
	{ "1.2.840.113549.1.9.14", extension_request_read, EXTENSIONS },
	{ "1.3.6.1.4.1.311.2.1.14", extension_request_read, EXTENSIONS }, /* Microsoft's name for it */
	{ "1.2.840.113549.1.9.7", challenge_password_read, PASSWORD },
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

static bool attributes_read(struct bytes attributes, struct csr *csr, struct problem *p)
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

/* RFC 8555, 6.7: badPublicKey is for the key of a JWS; badCSR for a CSR with, say, a short key. */
static bool key_refused(struct problem *p)
{
	if (p->kind == PROBLEM_BAD_PUBLIC_KEY)
		p->kind = PROBLEM_BAD_CSR;
	return false;
}

static bool key_read(struct bytes spki, struct csr *csr, struct problem *p)
{
	if (!ossl_public_key(spki, &csr->key, p) || !key_algorithm_of(csr->key, &csr->algorithm, p) ||
	    !key_form_check(spki, csr->algorithm, p))
		return key_refused(p);
	buf_add(&csr->spki, spki.data, spki.len);
	digest_sha256(spki, csr->key_hash);
	return buf_check(&csr->spki, p);
}

/* The signature, which costs most, comes last. */
bool csr_parse(struct bytes der, struct csr **ret, struct problem *p)
{
	struct parts parts;
	auto_struct(csr) *csr = calloc(1, sizeof(*csr));

	if (!csr)
		return problem_memory(p);
	csr->path_length = -1;
	if (!split(der, &parts, p) || !csr_subject_read(parts.subject, csr, p) ||
	    !attributes_read(parts.attributes, csr, p) || !key_read(parts.spki, csr, p) ||
	    !csr_signature_check(csr->key, parts.algorithm, parts.tbs, parts.signature, &csr->signature, p))
		return false;
	digest_sha256(der, csr->digest);
	*ret = steal(csr);
	return true;
}

void csr_free(struct csr *csr)
{
	if (!csr)
		return;
	EVP_PKEY_free(csr->key);
	buf_free(&csr->spki);
	free(csr->subject);
	identifiers_free(&csr->names);
	for (size_t i = 0; i < csr->other_count; i++)
		buf_free(&csr->others[i].der);
	free(csr->others);
	strings_free(&csr->extensions);
	strings_free(&csr->extended_key_usage);
	mem_wipe(csr->challenge_password, sizeof(csr->challenge_password));
	free(csr);
}
