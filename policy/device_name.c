#include "policy/device_name.h"

#include <assert.h>
#include <stdio.h>

#include "policy/csr_part.h"
#include "policy/plain_text.h"

#define OID_PERMANENT "1.3.6.1.5.5.7.8.3"
#define OID_HARDWARE "1.3.6.1.5.5.7.8.4"

enum { COMPONENT_DIGITS_MAX = 18 };

/* --- the production rules */

static bool refuse(enum identifier_type type, const char *what, struct problem *p)
{
	return problem_set(p, PROBLEM_MALFORMED, "the device attestation draft, %s: a %s %s",
	                   type == IDENTIFIER_PERMANENT ? "3.1" : "4.1", identifier_type_name(type), what);
}

/* component = "0" / (%x31-39 *%x30-39). The length of the one that text begins with; 0: none. */
static size_t component(const char *text)
{
	size_t len = strspn(text, "0123456789");

	return len > 1 && text[0] == '0' ? 0 : len;
}

/* The two first components have one number between them in DER, so the second is below 40 unless the first is 2. */
static bool is_oid(const char *text)
{
	size_t len = text[0] && strchr("012", text[0]) && text[1] == '.' ? component(text + 2) : 0;

	if (len == 0 || (text[0] != '2' && (len > 2 || (len == 2 && text[2] > '3'))))
		return false;
	for (text += 2 + len; *text == '.'; text += 1 + len) {
		len = component(text + 1);
		if (len == 0)
			return false;
	}
	return *text == '\0';
}

static bool text_check(enum identifier_type type, const char *value, struct problem *p)
{
	size_t left = strlen(value), len;

	for (const char *at = value; left > 0; at += len, left -= len) {
		len = str_utf8(at, left);
		if (len == 0)
			return refuse(type, "is UTF-8", p);
		if ((uint8_t)*at < 0x20 || *at == 0x7f)
			return problem_set(p, PROBLEM_REJECTED_IDENTIFIER,
			                   "a %s with a control character is not certified",
			                   identifier_type_name(type));
	}
	/* As an otherName of a CSR it would not be read (policy/csr_other.c); a module's serial number is octets
	 * there. */
	if (type == IDENTIFIER_PERMANENT && plain_text_hides(value))
		return problem_set(p, PROBLEM_REJECTED_IDENTIFIER,
		                   "a %s with a character that nobody sees, or a space at an end, is not certified",
		                   identifier_type_name(type));
	return true;
}

/* Components as large as DER is read here (base/tlv.h). */
static bool components_fit(const char *oid)
{
	for (size_t len; (len = strspn(oid, "0123456789")) <= COMPONENT_DIGITS_MAX; oid += len + 1)
		if (oid[len] == '\0')
			return true;
	return false;
}

/* What the longest of its forms takes: as an identifier, and as policies write it. */
static bool length_check(enum identifier_type type, const char *value, const char *oid, struct problem *p)
{
	size_t oid_len = oid ? strlen(oid) : 0, len = strlen(value);

	if (type == IDENTIFIER_HARDWARE)
		len = 2 * (len - oid_len - 1) + oid_len + 1;
	return (len < IDENTIFIER_VALUE_SIZE && oid_len < TLV_OID_SIZE && (!oid || components_fit(oid))) ||
	       problem_set(p, PROBLEM_REJECTED_IDENTIFIER, "the %s is too long to be certified",
	                   identifier_type_name(type));
}

bool device_name_check(enum identifier_type type, const char *value, struct problem *p)
{
	const char *slash = strchr(value, '/');

	assert(identifier_is_device(type));
	if (value[0] == '\0' || slash == value)
		return refuse(type, "has at least one character before its \"/\"", p);
	if (!slash && type == IDENTIFIER_HARDWARE)
		return refuse(type, "ends with \"/\" and the OID of the hardware's type", p);
	if (slash && !is_oid(slash + 1))
		return refuse(type, "has a dotted object identifier after its \"/\", and no other \"/\"", p);
	return text_check(type, value, p) && length_check(type, value, slash ? slash + 1 : NULL, p);
}

size_t device_name_length(const struct identifier *name)
{
	return strcspn(name->value, "/");
}

bool device_name_is(const struct identifier *name, const char *text)
{
	size_t len = device_name_length(name);

	return strncmp(name->value, text, len) == 0 && text[len] == '\0';
}

void device_name_policy(const struct identifier *name, char ret[IDENTIFIER_VALUE_SIZE])
{
	auto_value(buf) hex = {0};
	size_t len = device_name_length(name);

	buf_add_hex(&hex, BYTES(name->value, len));
	if (name->type == IDENTIFIER_HARDWARE)
		snprintf(ret, IDENTIFIER_VALUE_SIZE, "%s/%s", name->value + len + 1, buf_text(&hex));
	else
		memcpy(ret, name->value, IDENTIFIER_VALUE_SIZE);
}

/* --- as an otherName */

/* The text and the OID of the type's value, each where it stands. */
static bool parts_read(enum identifier_type type, struct bytes value, struct bytes *ret_text,
                       char ret_oid[TLV_OID_SIZE])
{
	struct bytes sequence, oid = {0};
	bool permanent = type == IDENTIFIER_PERMANENT;

	if (!tlv_only(value, TLV_SEQUENCE, &sequence))
		return false;
	bool read = permanent ? tlv_take(&sequence, V_ASN1_UTF8STRING, ret_text) &&
	                                (sequence.len == 0 || tlv_take(&sequence, TLV_OID, &oid))
	                      : tlv_take(&sequence, TLV_OID, &oid) && tlv_take(&sequence, TLV_OCTET_STRING, ret_text);
	ret_oid[0] = '\0';
	return read && sequence.len == 0 && (oid.len == 0 || tlv_oid_text(oid, ret_oid));
}

static bool type_of(const struct csr_other_name *other, enum identifier_type *ret)
{
	*ret = other->type == CSR_OTHER_PERMANENT ? IDENTIFIER_PERMANENT : IDENTIFIER_HARDWARE;
	return other->type == CSR_OTHER_PERMANENT || other->type == CSR_OTHER_HARDWARE;
}

/* A "/" or a NUL in the text would make two names of one. */
bool device_name_read(const struct csr_other_name *other, struct identifier *ret)
{
	struct bytes name = buf_bytes(&other->der), content, ignored, value, text;
	char oid[TLV_OID_SIZE];
	auto_value(problem) why = {0};
	struct identifier i = {0};

	if (!type_of(other, &i.type) || !tlv_only(name, TLV_CONTEXT_CONSTRUCTED(0), &content) ||
	    !tlv_take(&content, TLV_OID, &ignored) || !tlv_only(content, TLV_CONTEXT_CONSTRUCTED(0), &value) ||
	    !parts_read(i.type, value, &text, oid) || text.len == 0 || memchr(text.data, '/', text.len) ||
	    memchr(text.data, '\0', text.len))
		return false;
	int len = snprintf(i.value, sizeof(i.value), "%.*s%s%s", (int)text.len, (const char *)text.data,
	                   oid[0] ? "/" : "", oid);
	if (len >= (int)sizeof(i.value) || !device_name_check(i.type, i.value, &why))
		return false;
	*ret = i;
	return true;
}

static void put(struct buf *ret, uint8_t tag, struct bytes content)
{
	assert(content.len <= 0xffff);
	buf_add_char(ret, (char)tag);
	if (content.len > 0xff)
		buf_add(ret, (const uint8_t[]){ 0x82, (uint8_t)(content.len >> 8) }, 2);
	else if (content.len >= 0x80)
		buf_add_char(ret, (char)0x81);
	buf_add_char(ret, (char)(content.len & 0xff));
	buf_add(ret, content.data, content.len);
}

/* Puts all that is in ret within one element. */
static void wrap(struct buf *ret, uint8_t tag)
{
	struct buf inner = *ret;

	*ret = (struct buf){0};
	put(ret, tag, buf_bytes(&inner));
	ret->failed = ret->failed || inner.failed;
	buf_free(&inner);
}

static bool put_oid(struct buf *ret, const char *dotted, struct problem *p)
{
	auto(ASN1_OBJECT) *oid = OBJ_txt2obj(dotted, 1);

	if (!oid)
		return problem_openssl(p, "an object identifier");
	put(ret, TLV_OID, BYTES(OBJ_get0_data(oid), OBJ_length(oid)));
	return true;
}

static bool put_value(const struct identifier *name, struct buf *ret, struct problem *p)
{
	size_t len = device_name_length(name);
	const char *oid = name->value[len] ? name->value + len + 1 : NULL;

	if (name->type == IDENTIFIER_PERMANENT) {
		put(ret, V_ASN1_UTF8STRING, BYTES(name->value, len));
		return !oid || put_oid(ret, oid, p);
	}
	if (!put_oid(ret, oid, p))
		return false;
	put(ret, TLV_OCTET_STRING, BYTES(name->value, len));
	return true;
}

bool device_name_make(const struct identifier *name, struct csr_other_name *ret, struct problem *p)
{
	auto_value(buf) value = {0}, der = {0};
	struct bytes content;

	assert(identifier_is_device(name->type));
	if (!put_value(name, &value, p))
		return false;
	wrap(&value, TLV_SEQUENCE);
	wrap(&value, TLV_CONTEXT_CONSTRUCTED(0));
	if (!put_oid(&der, name->type == IDENTIFIER_PERMANENT ? OID_PERMANENT : OID_HARDWARE, p))
		return false;
	buf_add(&der, value.data, value.len);
	wrap(&der, TLV_CONTEXT_CONSTRUCTED(0));
	der.failed = der.failed || value.failed;
	if (!buf_check(&der, p))
		return false;
	bool framed = tlv_only(buf_bytes(&der), TLV_CONTEXT_CONSTRUCTED(0), &content);
	assert(framed);
	return csr_other_read(content, buf_bytes(&der), ret, p) &&
	       (ret->type != CSR_OTHER_UNREADABLE || problem_internal(p, "the name of a device cannot be read again"));
}
