#include "policy/csr_part.h"

#include <stdio.h>

static bool refuse(const char *what, struct problem *p)
{
	return problem_set(p, PROBLEM_BAD_CSR, "RFC 5280, 4.2.1.6: subjectAltName in the CSR: %s", what);
}

static bool name_add(const char *type, const char *value, struct csr *csr, struct problem *p)
{
	struct identifier name;
	auto_value(problem) why = {0};

	if (!identifier_parse(type, value, &name, &why))
		return refuse(why.detail, p);
	return identifiers_add(&csr->names, &name, p);
}

static bool text_add(const char *type, struct bytes value, struct csr *csr, struct problem *p)
{
	char text[IDENTIFIER_VALUE_SIZE];

	if (value.len >= sizeof(text))
		return refuse("a name of over 255 bytes", p);
	for (size_t i = 0; i < value.len; i++)
		if (value.data[i] == '\0' || value.data[i] >= 0x80)
			return refuse(value.data[i] ? "a name that is not ASCII" : "a NUL byte in a name", p);
	if (value.len > 0)
		memcpy(text, value.data, value.len);
	text[value.len] = '\0';
	return name_add(type, text, csr, p);
}

/* An IPv4-mapped address of 16 bytes would be certified as one of 4: it is no other spelling. */
static bool address_add(struct bytes value, struct csr *csr, struct problem *p)
{
	struct addr addr = { .family = value.len == 4 ? AF_INET : AF_INET6 };
	char text[ADDR_TEXT_SIZE];

	if (value.len != 4 && value.len != 16)
		return refuse("an IP address of neither 4 nor 16 bytes", p);
	memcpy(addr.byte, value.data, value.len);
	addr_format(&addr, text);
	return name_add("ip", text, csr, p);
}

struct csr_other_name *csr_other_add(struct csr *csr, struct problem *p)
{
	struct csr_other_name *others = reallocarray(csr->others, csr->other_count + 1, sizeof(*others));

	if (!others) {
		problem_memory(p);
		return NULL;
	}
	csr->others = others;
	others[csr->other_count] = (struct csr_other_name){ .type = CSR_OTHER_UNREADABLE };
	return &others[csr->other_count++];
}

static bool kind_add(const char *kind, struct csr *csr, struct problem *p)
{
	struct csr_other_name *other = csr_other_add(csr, p);

	if (!other)
		return false;
	snprintf(other->kind, sizeof(other->kind), "%s", kind);
	return true;
}

/* As of other names, what is there twice is one. */
static bool other_name_add(const struct tlv *name, struct csr *csr, struct problem *p)
{
	struct csr_other_name *other = csr_other_add(csr, p);

	if (!other || !csr_other_read(name->value, name->whole, other, p))
		return false;
	for (size_t i = 0; i + 1 < csr->other_count; i++)
		if (other->der.len > 0 && bytes_equal(buf_bytes(&csr->others[i].der), buf_bytes(&other->der))) {
			buf_free(&other->der);
			csr->other_count--;
			break;
		}
	return true;
}

static bool name_read(const struct tlv *name, struct csr *csr, struct problem *p)
{
	switch (name->tag) {
	case TLV_CONTEXT_CONSTRUCTED(0): return other_name_add(name, csr, p);
	case TLV_CONTEXT(1): return text_add("email", name->value, csr, p);
	case TLV_CONTEXT(2): return text_add("dns", name->value, csr, p);
	case TLV_CONTEXT_CONSTRUCTED(3): return kind_add("x400Address", csr, p);
	case TLV_CONTEXT_CONSTRUCTED(4): return kind_add("directoryName", csr, p);
	case TLV_CONTEXT_CONSTRUCTED(5): return kind_add("ediPartyName", csr, p);
	case TLV_CONTEXT(6): return text_add("uri", name->value, csr, p);
	case TLV_CONTEXT(7): return address_add(name->value, csr, p);
	case TLV_CONTEXT(8): return kind_add("registeredID", csr, p);
	default: return refuse("a name of no known type", p);
	}
}

bool csr_names_read(struct bytes value, struct csr *csr, struct problem *p)
{
	struct bytes names;
	struct tlv name;
	size_t count = 0;

	if (!tlv_only(value, TLV_SEQUENCE, &names) || names.len == 0)
		return refuse("not a sequence of at least one name", p);
	for (; names.len > 0; count++) {
		if (count == CSR_NAMES_MAX)
			return problem_set(p, PROBLEM_BAD_CSR, "the CSR has over %d names", CSR_NAMES_MAX);
		if (!tlv_next(&names, &name))
			return refuse("not DER", p);
		if (!name_read(&name, csr, p))
			return false;
	}
	return true;
}
