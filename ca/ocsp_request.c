#include "ca/ocsp_request.h"

#include "base/tlv.h"


#define OID(text) { (const uint8_t *)(text), sizeof(text) - 1 }
#define ID_PKIX_OCSP "\x2b\x06\x01\x05\x05\x07\x30\x01"

static bool malformed(struct problem *p, const char *what)
{
	return problem_set(p, PROBLEM_MALFORMED,
	                   "RFC 6960, 4.1.1: the %s of the request is not what it should be", what);
}

/* --- CertID */

const struct ocsp_hash_kind ocsp_hashes[OCSP_HASH_MAX] = {
	[OCSP_SHA1] = { "SHA1", 20, OID("\x2b\x0e\x03\x02\x1a") },
	[OCSP_SHA256] = { "SHA256", 32, OID("\x60\x86\x48\x01\x65\x03\x04\x02\x01") },
	[OCSP_SHA384] = { "SHA384", 48, OID("\x60\x86\x48\x01\x65\x03\x04\x02\x02") },
	[OCSP_SHA512] = { "SHA512", 64, OID("\x60\x86\x48\x01\x65\x03\x04\x02\x03") },
};

/* Parameters are NULL or absent, and both are written (RFC 5754, 2). */
static bool read_hash(struct bytes algorithm, struct ocsp_certificate *ret)
{
	struct bytes oid, null;

	if (!tlv_take(&algorithm, TLV_OID, &oid))
		return false;
	bool known = algorithm.len == 0 || (tlv_only(algorithm, TLV_NULL, &null) && null.len == 0);
	ret->hash = 0;
	while (ret->hash < OCSP_HASH_MAX && !(known && bytes_equal(oid, ocsp_hashes[ret->hash].oid)))
		ret->hash++;
	return true;
}

static bool sizes_fit(const struct ocsp_certificate *c)
{
	size_t name = c->name_hash.len, key = c->key_hash.len;

	return c->hash == OCSP_HASH_MAX || (name == ocsp_hashes[c->hash].size && key == name);
}

static bool read_serial(struct bytes content, struct ocsp_certificate *ret)
{
	if (content.len == 0)
		return false;
	bool negative = content.data[0] >= 0x80;
	while (content.len > 0 && content.data[0] == 0)
		content = BYTES(content.data + 1, content.len - 1);
	ret->serial = negative ? BYTES(content.data, 0) : content;
	return true;
}

static bool read_certificate(struct bytes *in, struct ocsp_certificate *ret)
{
	struct bytes rest, algorithm, serial;
	struct tlv element;

	if (!tlv_next(in, &element) || element.tag != TLV_SEQUENCE)
		return false;
	rest = element.value;
	ret->whole = element.whole;
	return tlv_take(&rest, TLV_SEQUENCE, &algorithm) &&
	       tlv_take(&rest, TLV_OCTET_STRING, &ret->name_hash) &&
	       tlv_take(&rest, TLV_OCTET_STRING, &ret->key_hash) &&
	       tlv_take(&rest, TLV_INTEGER, &serial) && rest.len == 0 &&
	       read_hash(algorithm, ret) && sizes_fit(ret) && read_serial(serial, ret);
}

/* --- extensions */

static bool read_nonce(struct bytes value, struct ocsp_request *request, struct problem *p)
{
	struct bytes nonce;

	if (!request || request->nonce.len > 0 || !tlv_only(value, TLV_OCTET_STRING, &nonce))
		return malformed(p, "nonce");
	if (nonce.len < 1 || nonce.len > OCSP_NONCE_MAX)
		return problem_set(p, PROBLEM_MALFORMED, "RFC 9654, 2.1: a nonce has 1 to %d octets", OCSP_NONCE_MAX);
	request->nonce = nonce;
	return true;
}

/* What may be critical: what does not change an answer of ours. All that we send is a basic response,
 * signed by the one key there is, about certificates of this server. */
static bool is_known(struct bytes oid)
{
	static const struct bytes known[] = {
		OID(ID_PKIX_OCSP "\x04"), /* acceptable response types */
		OID(ID_PKIX_OCSP "\x07"), /* service locator */
		OID(ID_PKIX_OCSP "\x08"), /* preferred signature algorithms */
	};

	for (size_t i = 0; i < array_length(known); i++)
		if (bytes_equal(oid, known[i]))
			return true;
	return false;
}

/* request is NULL for the extensions of a single certificate. */
static bool read_extension(struct bytes *in, struct ocsp_request *request, struct problem *p)
{
	static const struct bytes nonce = OID(ID_PKIX_OCSP "\x02");
	struct bytes extension, oid, value, critical = BYTES("", 1);
	struct tlv next;

	if (!tlv_take(in, TLV_SEQUENCE, &extension) || !tlv_take(&extension, TLV_OID, &oid))
		return malformed(p, "extension");
	struct bytes peek = extension;
	bool has_flag = tlv_next(&peek, &next) && next.tag == TLV_BOOLEAN;
	if (has_flag && (!tlv_take(&extension, TLV_BOOLEAN, &critical) || critical.len != 1))
		return malformed(p, "extension");
	if (!tlv_only(extension, TLV_OCTET_STRING, &value))
		return malformed(p, "extension");
	if (bytes_equal(oid, nonce))
		return read_nonce(value, request, p);
	if (critical.data[0] != 0 && !is_known(oid))
		return problem_set(p, PROBLEM_UNAUTHORIZED,
		                   "RFC 6960, 4.1.2: a critical extension is not known here");
	return true;
}

/* The content of an explicit tag: SEQUENCE SIZE (1..MAX) OF Extension. Bouncy Castle's revocation checker sends one
 * of none, which asks for nothing. */
static bool read_extensions(struct bytes explicit, struct ocsp_request *request, struct problem *p)
{
	struct bytes list;

	if (!tlv_only(explicit, TLV_SEQUENCE, &list))
		return malformed(p, "extensions");
	while (list.len > 0)
		if (!read_extension(&list, request, p))
			return false;
	return true;
}

/* --- the request */

static bool read_single(struct bytes *in, struct ocsp_request *request, struct problem *p)
{
	struct bytes single, explicit;

	if (request->count == OCSP_CERTIFICATES_MAX)
		return problem_set(p, PROBLEM_UNAUTHORIZED, "more than %d certificates are asked for",
		                   OCSP_CERTIFICATES_MAX);
	if (!tlv_take(in, TLV_SEQUENCE, &single) ||
	    !read_certificate(&single, &request->certificates[request->count++]))
		return malformed(p, "CertID");
	if (single.len == 0)
		return true;
	if (!tlv_only(single, TLV_CONTEXT_CONSTRUCTED(0), &explicit))
		return malformed(p, "request for a certificate");
	return read_extensions(explicit, NULL, p);
}

static bool read_list(struct bytes list, struct ocsp_request *request, struct problem *p)
{
	if (list.len == 0)
		return malformed(p, "list of certificates");
	while (list.len > 0)
		if (!read_single(&list, request, p))
			return false;
	return true;
}

/* [0] EXPLICIT Version DEFAULT v1, where v1 is 0. */
static bool skip_version(struct bytes *in)
{
	struct bytes explicit, version;

	if (in->len == 0 || in->data[0] != TLV_CONTEXT_CONSTRUCTED(0))
		return true;
	return tlv_take(in, TLV_CONTEXT_CONSTRUCTED(0), &explicit) &&
	       tlv_only(explicit, TLV_INTEGER, &version) && bytes_equal(version, BYTES("", 1));
}

static bool skip_name(struct bytes *in)
{
	struct bytes name;

	return in->len == 0 || in->data[0] != TLV_CONTEXT_CONSTRUCTED(1) ||
	       tlv_take(in, TLV_CONTEXT_CONSTRUCTED(1), &name);
}

static bool read_tbs(struct bytes tbs, struct ocsp_request *request, struct problem *p)
{
	struct bytes list, explicit;

	if (!skip_version(&tbs))
		return malformed(p, "version");
	if (!skip_name(&tbs) || !tlv_take(&tbs, TLV_SEQUENCE, &list))
		return malformed(p, "form");
	if (!read_list(list, request, p))
		return false;
	if (tbs.len == 0)
		return true;
	if (!tlv_only(tbs, TLV_CONTEXT_CONSTRUCTED(2), &explicit))
		return malformed(p, "form");
	return read_extensions(explicit, request, p);
}

bool ocsp_request_parse(struct bytes der, struct ocsp_request *ret, struct problem *p)
{
	struct bytes content, tbs, signature;

	ret->count = 0;
	ret->nonce = BYTES("", 0);
	if (!tlv_only(der, TLV_SEQUENCE, &content) || !tlv_take(&content, TLV_SEQUENCE, &tbs))
		return malformed(p, "form");
	if (content.len > 0 && !tlv_only(content, TLV_CONTEXT_CONSTRUCTED(0), &signature))
		return malformed(p, "signature");
	return read_tbs(tbs, ret, p);
}
