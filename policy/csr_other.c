#include "policy/csr_part.h"

#include <stdio.h>

#include "policy/plain_text.h"

/* Each reads what stands in an OtherName's value as text. false: it is not of that form, or too long. */
typedef bool value_reader(struct bytes value, char *ret, size_t size);

/* RFC 5280, 4.2.1.6 leaves the value to the type; of texts, one without control characters is a name. */
static bool text_read(struct bytes value, char *ret, size_t size)
{
	struct tlv text;

	return tlv_next(&value, &text) && value.len == 0 && !csr_text_read(&text, ret, size) && ret[0] != '\0';
}

static bool upn_read(struct bytes value, char *ret, size_t size)
{
	return value.len > 0 && value.data[0] == V_ASN1_UTF8STRING && text_read(value, ret, size);
}

/* RFC 4043, 2: SEQUENCE { identifierValue UTF8String OPTIONAL, assigner OBJECT IDENTIFIER OPTIONAL }.
 * Without its value it says to look at the subject, which is no name to hold a rule against. A "/" in the value would
 * be taken for the one that stands before an assigner. */
static bool permanent_read(struct bytes value, char *ret, size_t size)
{
	struct bytes sequence, oid;
	struct tlv text;
	char assigner[TLV_OID_SIZE];

	if (!tlv_only(value, TLV_SEQUENCE, &sequence) || !tlv_next(&sequence, &text) || text.tag != V_ASN1_UTF8STRING ||
	    csr_text_read(&text, ret, size) || ret[0] == '\0' || strchr(ret, '/'))
		return false;
	if (sequence.len == 0)
		return true;
	size_t len = strlen(ret);
	return tlv_take(&sequence, TLV_OID, &oid) && sequence.len == 0 && tlv_oid_text(oid, assigner) &&
	       (size_t)snprintf(ret + len, size - len, "/%s", assigner) < size - len;
}

/* RFC 4108, 5: SEQUENCE { hwType OBJECT IDENTIFIER, hwSerialNum OCTET STRING } */
static bool hardware_read(struct bytes value, char *ret, size_t size)
{
	struct bytes sequence, oid, serial;
	char type[TLV_OID_SIZE];
	auto_value(buf) hex = {0};

	if (!tlv_only(value, TLV_SEQUENCE, &sequence) || !tlv_take(&sequence, TLV_OID, &oid) ||
	    !tlv_oid_text(oid, type) || !tlv_take(&sequence, TLV_OCTET_STRING, &serial) || sequence.len > 0 ||
	    serial.len == 0)
		return false;
	buf_add_hex(&hex, serial);
	return !hex.failed && (size_t)snprintf(ret, size, "%s/%s", type, buf_text(&hex)) < size;
}

static const struct row {
	const char *oid;
	enum csr_other_type type;
	value_reader *read;
	const char *fault;
} rows[] = {
	{ "1.3.6.1.4.1.311.20.2.3", CSR_OTHER_UPN, upn_read, "a UPN that is no UTF8String" },
	{ "1.3.6.1.5.5.7.8.3", CSR_OTHER_PERMANENT, permanent_read, "a permanentIdentifier without a value, or with a / in it" },
	{ "1.3.6.1.5.5.7.8.4", CSR_OTHER_HARDWARE, hardware_read, "a hardwareModuleName without a type or a serial number" },
};

static const char *fault_of(const char *oid)
{
	for (size_t i = 0; i < array_length(rows); i++)
		if (str_equal(rows[i].oid, oid))
			return rows[i].fault;
	return "a value that is no text";
}

static bool known_read(const char *oid, struct bytes value, struct csr_other_name *ret)
{
	char text[sizeof(ret->value) - TLV_OID_SIZE];

	for (size_t i = 0; i < array_length(rows); i++)
		if (str_equal(rows[i].oid, oid)) {
			ret->type = rows[i].type;
			return rows[i].read(value, ret->value, sizeof(ret->value));
		}
	if (!text_read(value, text, sizeof(text)))
		return false;
	ret->type = CSR_OTHER_TEXT;
	snprintf(ret->value, sizeof(ret->value), "%s:%s", oid, text);
	return true;
}

/* Readers could take it for another one. */
static bool hides(const char *oid, const struct csr_other_name *other)
{
	return plain_text_hides(other->type == CSR_OTHER_TEXT ? other->value + strlen(oid) + 1 : other->value);
}

static bool refuse(const char *fault, struct csr_other_name *ret)
{
	ret->type = CSR_OTHER_UNREADABLE;
	ret->fault = fault;
	ret->value[0] = '\0';
	return true;
}

/* OtherName: its type-id says what it is (RFC 5280, 4.2.1.6). One that is not of its type's form is told
 * of by its kind alone, and no rule lets it pass. */
bool csr_other_read(struct bytes content, struct bytes whole, struct csr_other_name *ret, struct problem *p)
{
	struct bytes type, value;
	char oid[TLV_OID_SIZE];

	if (!tlv_take(&content, TLV_OID, &type) || !tlv_oid_text(type, oid))
		return problem_set(p, PROBLEM_BAD_CSR,
		                   "RFC 5280, 4.2.1.6: subjectAltName in the CSR: a malformed otherName");
	snprintf(ret->kind, sizeof(ret->kind), "otherName %s", oid);
	if (!tlv_take(&content, TLV_CONTEXT_CONSTRUCTED(0), &value) || content.len > 0 || !known_read(oid, value, ret))
		return refuse(fault_of(oid), ret);
	if (hides(oid, ret))
		return refuse("a text with a character that cannot be seen, or with a space at an end", ret);
	buf_add(&ret->der, whole.data, whole.len);
	return buf_check(&ret->der, p);
}
