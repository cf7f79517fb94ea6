#include "acme/attestation_statement.h"

#include "base/ossl.h"

#include <stdarg.h>
#include <stdio.h>


bool attestation_refuse(const struct attestation_statement *s, struct problem *p, const char *fmt, ...)
{
	char text[PROBLEM_DETAIL_MAX];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	return !ossl_no_memory(p) && problem_set(p, PROBLEM_BAD_ATTESTATION, "attestation of format \"%s\": %s",
	                   attestation_format_name(s->format), text);
}

bool attestation_bytes(const struct attestation_statement *s, const char *name, struct bytes *ret, struct problem *p)
{
	const struct cbor *field = cbor_of(s->fields, name, CBOR_BYTES);

	if (!field || field->bytes.len == 0)
		return attestation_refuse(s, p, "there is no \"%s\", a byte string that is not empty", name);
	*ret = field->bytes;
	return true;
}

/* --- certificate and key */

X509 *attestation_leaf(const struct attestation_statement *s)
{
	return sk_X509_value(s->path, 0);
}

bool attestation_leaf_key(const struct attestation_statement *s, EVP_PKEY **ret, struct problem *p)
{
	*ret = X509_get0_pubkey(attestation_leaf(s));
	return *ret || attestation_refuse(s, p, "the key of the first certificate of x5c cannot be read");
}

bool attestation_set_key(EVP_PKEY *key, struct attestation *ret, struct problem *p)
{
	return ossl_public_der(key, &ret->key, p);
}

size_t attestation_extensions(X509 *certificate, const char *oid, struct bytes *ret)
{
	auto(ASN1_OBJECT) *object = OBJ_txt2obj(oid, 1);
	size_t count = 0;

	for (int i = -1; (i = X509_get_ext_by_OBJ(certificate, object, i)) >= 0;) {
		const ASN1_OCTET_STRING *value = X509_EXTENSION_get_data(X509_get_ext(certificate, i));
		*ret = BYTES(ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value));
		count++;
	}
	return count;
}

bool attestation_extension(const struct attestation_statement *s, const char *oid, bool *ret_found, struct bytes *ret,
                           struct problem *p)
{
	size_t count = attestation_extensions(attestation_leaf(s), oid, ret);

	*ret_found = count == 1;
	return count < 2 || attestation_refuse(s, p, "the first certificate of x5c has the extension %s %zu "
	                                       "times", oid, count);
}

/* --- names */

static bool can_be_ordered(struct bytes value)
{
	if (value.len == 0 || value.len >= sizeof(((struct attestation_name *)0)->value))
		return false;
	for (size_t i = 0, n; i < value.len; i += n) {
		n = str_utf8(value.data + i, value.len - i);
		if (n == 0 || value.data[i] < ' ' || value.data[i] == '/' || value.data[i] == 0x7f)
			return false;
	}
	return true;
}

static bool has_name(const struct attestation *a, const struct attestation_name *name)
{
	for (size_t i = 0; i < a->name_count; i++)
		if (a->names[i].hardware == name->hardware && str_equal(a->names[i].value, name->value) &&
		    str_equal(a->names[i].oid, name->oid))
			return true;
	return false;
}

void attestation_add_name(struct attestation *ret, bool hardware, struct bytes value, struct bytes oid)
{
	struct attestation_name name = { .hardware = hardware };

	if (!can_be_ordered(value) || (oid.len > 0 && !tlv_oid_text(oid, name.oid)))
		return;
	memcpy(name.value, value.data, value.len);
	if (ret->name_count < ATTESTATION_NAMES_MAX && !has_name(ret, &name))
		ret->names[ret->name_count++] = name;
}

/* RFC 4043, 2: SEQUENCE { identifierValue UTF8String OPTIONAL, assigner OBJECT IDENTIFIER OPTIONAL }. The
 * draft, 3.2, wants the value. */
static bool take_permanent(struct bytes value, struct attestation *ret)
{
	struct bytes sequence, text, oid = {0};

	if (!tlv_only(value, TLV_SEQUENCE, &sequence) || !tlv_take(&sequence, V_ASN1_UTF8STRING, &text) ||
	    (sequence.len > 0 && (!tlv_take(&sequence, TLV_OID, &oid) || sequence.len > 0)))
		return false;
	attestation_add_name(ret, false, text, oid);
	return true;
}

/* RFC 4108, 5: SEQUENCE { hwType OBJECT IDENTIFIER, hwSerialNum OCTET STRING } */
static bool take_hardware(struct bytes value, struct attestation *ret)
{
	struct bytes sequence, oid, serial;

	if (!tlv_only(value, TLV_SEQUENCE, &sequence) || !tlv_take(&sequence, TLV_OID, &oid) || oid.len == 0 ||
	    !tlv_take(&sequence, TLV_OCTET_STRING, &serial) || sequence.len > 0)
		return false;
	attestation_add_name(ret, true, serial, oid);
	return true;
}

static const struct other {
	struct bytes oid;
	const char *name;
	bool (*take)(struct bytes value, struct attestation *ret);
} others[] = {
	{ BYTES("\x2b\x06\x01\x05\x05\x07\x08\x03", 8), "permanentIdentifier", take_permanent },
	{ BYTES("\x2b\x06\x01\x05\x05\x07\x08\x04", 8), "hardwareModuleName", take_hardware },
};

/* RFC 5280, 4.2.1.6: OtherName ::= SEQUENCE { type-id, value [0] EXPLICIT }; of others than those two nothing
 * is taken. */
static bool take_other(const struct attestation_statement *s, struct bytes content, struct attestation *ret,
                       struct problem *p)
{
	struct bytes oid, value;

	if (!tlv_take(&content, TLV_OID, &oid))
		return attestation_refuse(s, p, "the subjectAltName of the first certificate of x5c has a "
		                          "malformed otherName");
	for (size_t i = 0; i < array_length(others); i++) {
		if (!bytes_equal(others[i].oid, oid))
			continue;
		return (tlv_only(content, TLV_CONTEXT_CONSTRUCTED(0), &value) && others[i].take(value, ret)) ||
		       attestation_refuse(s, p, "the subjectAltName of the first certificate of x5c has a malformed %s",
		                          others[i].name);
	}
	return true;
}

bool attestation_add_alt_names(const struct attestation_statement *s, struct attestation *ret, struct problem *p)
{
	struct bytes value, names;
	struct tlv name;
	bool found;

	if (!attestation_extension(s, "2.5.29.17", &found, &value, p))
		return false;
	if (!found)
		return true;
	if (!tlv_only(value, TLV_SEQUENCE, &names))
		return attestation_refuse(s, p, "the subjectAltName of the first certificate of x5c cannot be read");
	while (names.len > 0) {
		if (!tlv_next(&names, &name))
			return attestation_refuse(s, p,
			                          "the subjectAltName of the first certificate of x5c cannot be read");
		if (name.tag == TLV_CONTEXT_CONSTRUCTED(0) && !take_other(s, name.value, ret, p))
			return false;
	}
	return true;
}
