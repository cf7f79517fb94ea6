#include "policy/csr_part.h"

#include <stdio.h>

#include <openssl/err.h>

enum { SUBJECT_ATTRIBUTES_MAX = 64 };

/* Text in UTF-8 without a NUL, or a control character that no log should get. */
static const char *text_copy(struct bytes text, char *ret, size_t size)
{
	if (text.len >= size)
		return "is too long";
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] == '\0')
			return "has a NUL byte in it";
		if (text.data[i] < 0x20 || text.data[i] == 0x7f)
			return "has a control character in it";
	}
	if (text.len > 0)
		memcpy(ret, text.data, text.len);
	ret[text.len] = '\0';
	return NULL;
}

static bool is_ascii(struct bytes text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] >= 0x80)
			return false;
	return true;
}

/* Strings of wide characters, and UTF-8 beyond ASCII: OpenSSL checks and converts them. */
static const char *text_convert(const struct tlv *string, char *ret, size_t size)
{
	auto(ASN1_OCTET_STRING) *s = ASN1_STRING_type_new(string->tag);
	unsigned char *utf8 = NULL;

	if (!s || ASN1_STRING_set(s, string->value.data, (int)string->value.len) != 1)
		return "cannot be read for want of memory";
	int len = ASN1_STRING_to_UTF8(&utf8, s);
	OPENSSL_cleanse(s->data, (size_t)s->length);
	if (len < 0) {
		ERR_clear_error();
		return "is no text in its encoding";
	}
	const char *fault = text_copy(BYTES(utf8, len), ret, size);
	OPENSSL_clear_free(utf8, (size_t)len);
	return fault;
}

const char *csr_text_read(const struct tlv *string, char *ret, size_t size)
{
	ret[0] = '\0';
	switch (string->tag) {
	case V_ASN1_UTF8STRING:
		if (!is_ascii(string->value))
			return text_convert(string, ret, size);
		return text_copy(string->value, ret, size);
	case V_ASN1_PRINTABLESTRING:
	case V_ASN1_IA5STRING:
	case V_ASN1_NUMERICSTRING:
	case V_ASN1_T61STRING: /* the part of it that all read alike */
		if (!is_ascii(string->value))
			return "is no text in its encoding";
		return text_copy(string->value, ret, size);
	case V_ASN1_BMPSTRING:
	case V_ASN1_UNIVERSALSTRING:
		return text_convert(string, ret, size);
	default:
		return "is no text";
	}
}

/* The usual short name, or the OID itself. */
static void short_name(const char *oid, char *ret, size_t size)
{
	int nid = OBJ_txt2nid(oid);
	const char *name = nid != NID_undef ? OBJ_nid2sn(nid) : NULL;

	snprintf(ret, size, "%s", name && strlen(name) < size ? name : oid);
}

static bool attribute_add(struct csr *csr, const struct csr_attribute *attribute, struct problem *p)
{
	if (csr->subject_count >= SUBJECT_ATTRIBUTES_MAX)
		return problem_set(p, PROBLEM_BAD_CSR, "the CSR's subject has over %d attributes",
		                   SUBJECT_ATTRIBUTES_MAX);
	struct csr_attribute *subject = reallocarray(csr->subject, csr->subject_count + 1, sizeof(*subject));
	if (!subject)
		return problem_memory(p);
	subject[csr->subject_count++] = *attribute;
	csr->subject = subject;
	return true;
}

static bool attribute_read(struct bytes pair, struct csr *csr, struct problem *p)
{
	struct csr_attribute attribute = {0};
	struct bytes oid;
	struct tlv value;

	if (!tlv_take(&pair, TLV_OID, &oid) || !tlv_oid_text(oid, attribute.oid) ||
	    !tlv_next(&pair, &value) || pair.len != 0)
		return problem_set(p, PROBLEM_BAD_CSR,
		                   "RFC 5280, 4.1.2.4: an attribute of the CSR's subject is malformed");
	short_name(attribute.oid, attribute.short_name, sizeof(attribute.short_name));
	const char *fault = csr_text_read(&value, attribute.value, sizeof(attribute.value));
	if (fault)
		return problem_set(p, PROBLEM_BAD_CSR, "RFC 5280, 4.1.2.4: %s in the CSR's subject %s",
		                   attribute.short_name, fault);
	return attribute_add(csr, &attribute, p);
}

static bool rdn_read(struct bytes rdn, struct csr *csr, struct problem *p)
{
	struct bytes pair;

	do {
		if (!tlv_take(&rdn, TLV_SEQUENCE, &pair))
			return problem_set(p, PROBLEM_BAD_CSR,
			                   "RFC 5280, 4.1.2.4: an RDN of the CSR's subject is malformed");
		if (!attribute_read(pair, csr, p))
			return false;
	} while (rdn.len > 0);
	return true;
}

bool csr_subject_read(struct bytes name, struct csr *csr, struct problem *p)
{
	struct bytes rdn;

	while (name.len > 0) {
		if (!tlv_take(&name, TLV_SET, &rdn))
			return problem_set(p, PROBLEM_BAD_CSR,
			                   "RFC 5280, 4.1.2.4: the CSR's subject is malformed");
		if (!rdn_read(rdn, csr, p))
			return false;
	}
	return true;
}
