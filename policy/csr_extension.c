#include "policy/csr_part.h"

enum { EXTENSIONS_MAX = 32, PURPOSES_MAX = 32 };

static bool refuse(const char *what, struct problem *p)
{
	return problem_set(p, PROBLEM_BAD_CSR, "RFC 5280, 4.2.1: %s in the CSR is malformed", what);
}

/* Named bits: bit 0 is the highest of the first byte (X.690, 8.6); KU_ counts the bytes from below. */
static bool key_usage_read(struct bytes value, struct csr *csr, struct problem *p)
{
	struct bytes bits;

	if (!tlv_only(value, TLV_BIT_STRING, &bits) || bits.len < 2 || bits.len > 3 || bits.data[0] > 7)
		return refuse("keyUsage", p);
	unsigned unused = (1u << bits.data[0]) - 1;
	if ((bits.data[bits.len - 1] & unused) != 0)
		return refuse("keyUsage", p);
	csr->has_key_usage = true;
	csr->key_usage = bits.data[1] | (bits.len > 2 ? (unsigned)bits.data[2] << 8 : 0);
	return csr->key_usage != 0 || refuse("keyUsage", p);
}

static bool extended_key_usage_read(struct bytes value, struct csr *csr, struct problem *p)
{
	struct bytes purposes, purpose;
	char oid[TLV_OID_SIZE];

	if (!tlv_only(value, TLV_SEQUENCE, &purposes) || purposes.len == 0)
		return refuse("extKeyUsage", p);
	while (purposes.len > 0) {
		if (!tlv_take(&purposes, TLV_OID, &purpose) || !tlv_oid_text(purpose, oid) ||
		    csr->extended_key_usage.n == PURPOSES_MAX)
			return refuse("extKeyUsage", p);
		if (!strings_has(&csr->extended_key_usage, oid) &&
		    !strings_add(&csr->extended_key_usage, oid))
			return problem_memory(p);
	}
	return true;
}

/* RFC 5280, 4.2.1.9: a pathLenConstraint goes with cA alone, and asks for a CA even without it. */
static bool basic_constraints_read(struct bytes value, struct csr *csr, struct problem *p)
{
	struct bytes sequence, ca, length;

	if (!tlv_only(value, TLV_SEQUENCE, &sequence))
		return refuse("basicConstraints", p);
	if (tlv_take(&sequence, TLV_BOOLEAN, &ca)) {
		if (ca.len != 1)
			return refuse("basicConstraints", p);
		csr->ca = ca.data[0] != 0;
	}
	if (tlv_take(&sequence, TLV_INTEGER, &length)) {
		if (length.len != 1 || length.data[0] > 127)
			return refuse("basicConstraints", p);
		csr->ca = true;
		csr->path_length = length.data[0];
	}
	return sequence.len == 0 || refuse("basicConstraints", p);
}

/* RFC 7633: INTEGERs of TLS extensions. status_request is what servers and their clients know; whoever
 * sent another would find that his server cannot be reached. */
static bool tls_feature_read(struct bytes value, struct csr *csr, struct problem *p)
{
	struct bytes features, feature;

	if (!tlv_only(value, TLV_SEQUENCE, &features) || features.len == 0)
		return refuse("TLS feature", p);
	while (features.len > 0) {
		if (!tlv_take(&features, TLV_INTEGER, &feature) || feature.len == 0)
			return refuse("TLS feature", p);
		if (!bytes_equal(feature, BYTES("\x05", 1)))
			return problem_set(p, PROBLEM_BAD_CSR,
			                   "RFC 7633: the CSR asks for a TLS feature other than status_request (5)");
	}
	csr->must_staple = true;
	return true;
}

static const struct {
	const char *oid;
	bool (*read)(struct bytes value, struct csr *csr, struct problem *p);
} readers[] = {
	{ "2.5.29.17", csr_names_read },
	{ "2.5.29.15", key_usage_read },
	{ "2.5.29.37", extended_key_usage_read },
	{ "2.5.29.19", basic_constraints_read },
	{ "1.3.6.1.5.5.7.1.24", tls_feature_read },
};

/* All extensions are listed, for the gate to refuse what it does not know; these are read as well. */
static bool value_read(const char *oid, struct bytes value, struct csr *csr, struct problem *p)
{
	for (size_t i = 0; i < array_length(readers); i++)
		if (str_equal(readers[i].oid, oid))
			return readers[i].read(value, csr, p);
	return true;
}

static bool extension_read(struct bytes extension, struct csr *csr, struct problem *p)
{
	struct bytes type, critical, value;
	char oid[TLV_OID_SIZE];

	if (!tlv_take(&extension, TLV_OID, &type) || !tlv_oid_text(type, oid))
		return refuse("an extension", p);
	if (tlv_take(&extension, TLV_BOOLEAN, &critical) && critical.len != 1)
		return refuse("an extension", p);
	if (!tlv_take(&extension, TLV_OCTET_STRING, &value) || extension.len != 0)
		return refuse("an extension", p);
	if (strings_has(&csr->extensions, oid))
		return problem_set(p, PROBLEM_BAD_CSR, "RFC 5280, 4.2: the CSR asks for extension %s twice",
		                   oid);
	if (!strings_add(&csr->extensions, oid))
		return problem_memory(p);
	return value_read(oid, value, csr, p);
}

bool csr_extensions_read(struct bytes extensions, struct csr *csr, struct problem *p)
{
	struct bytes extension;

	while (extensions.len > 0) {
		if (csr->extensions.n == EXTENSIONS_MAX)
			return problem_set(p, PROBLEM_BAD_CSR, "the CSR asks for over %d extensions",
			                   EXTENSIONS_MAX);
		if (!tlv_take(&extensions, TLV_SEQUENCE, &extension))
			return refuse("an extension", p);
		if (!extension_read(extension, csr, p))
			return false;
	}
	return true;
}
