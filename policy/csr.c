#include "policy/csr.h"

#include "base/digest.h"
#include "policy/csr_part.h"

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

/* v1 is 0 and the only one. Ruby's acme-client writes 2, as a certificate's; nothing hangs on it. */
static bool is_version(struct bytes version)
{
	return version.len == 1 && version.data[0] <= 2;
}

/* Attributes are mandatory, if only to be empty; some clients leave out the empty ones. */
static bool info_split(struct bytes info, struct parts *ret, struct problem *p)
{
	struct bytes version;
	struct tlv spki;

	if (!tlv_take(&info, TLV_INTEGER, &version) || !is_version(version))
		return refuse("the CSR is of no known version", p);
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
	return true;
}

/* Of two CSRs that differ in nothing but signature and the proofs of their connections it is the same. */
static bool asked_read(const struct parts *parts, struct csr *csr, struct problem *p)
{
	auto_value(buf) asked = {0};

	buf_add(&asked, parts->subject.data, parts->subject.len);
	buf_add_char(&asked, '\0');
	buf_add(&asked, parts->spki.data, parts->spki.len);
	if (!csr_attributes_asked(parts->attributes, &asked, p) || !buf_check(&asked, p))
		return false;
	digest_sha256(buf_bytes(&asked), csr->asked);
	digest_sha256(parts->spki, csr->key_hash);
	buf_add(&csr->spki, parts->spki.data, parts->spki.len);
	return buf_check(&csr->spki, p);
}

/* All but key and signature. */
static bool parse(struct bytes der, struct parts *parts, struct csr **ret, struct problem *p)
{
	auto_struct(csr) *csr = calloc(1, sizeof(*csr));

	if (!csr)
		return problem_memory(p);
	csr->path_length = -1;
	if (!split(der, parts, p) || !csr_subject_read(parts->subject, csr, p) ||
	    !csr_attributes_read(parts->attributes, csr, p) || !asked_read(parts, csr, p))
		return false;
	digest_sha256(der, csr->digest);
	*ret = steal(csr);
	return true;
}

/* The signature, which costs most, comes last. */
bool csr_parse(struct bytes der, struct csr **ret, struct problem *p)
{
	auto_struct(csr) *csr = NULL;
	struct parts parts;

	if (!parse(der, &parts, &csr, p) || !key_read(parts.spki, csr, p) ||
	    !csr_signature_check(csr->key, parts.algorithm, parts.tbs, parts.signature, &csr->signature, p))
		return false;
	*ret = steal(csr);
	return true;
}

bool csr_peek(struct bytes der, struct csr **ret, struct problem *p)
{
	struct parts parts;

	return parse(der, &parts, ret, p);
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
	csr_free(csr->change);
	buf_free(&csr->delivery.symmetric);
	buf_free(&csr->delivery.asymmetric);
	strings_free(&csr->delivery.capabilities);
	mem_wipe(csr->challenge_password, sizeof(csr->challenge_password));
	mem_wipe(csr->identity_linking, sizeof(csr->identity_linking));
	free(csr);
}
