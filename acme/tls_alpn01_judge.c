#include <strings.h>

#include "acme/tls_alpn01.h"
#include "base/digest.h"

#define ACME_IDENTIFIER_OID "1.3.6.1.5.5.7.1.31"
#define LEGACY_OID "1.3.6.1.5.5.7.1.30.1" /* of drafts before the RFC */

static bool refuse(const char *why, struct problem *p)
{
	return problem_set(p, PROBLEM_INCORRECT_RESPONSE, "RFC 8737, 3: %s", why);
}

/* How many extensions have the OID, and which is the last. */
static int find(X509 *certificate, const ASN1_OBJECT *oid, X509_EXTENSION **ret)
{
	int count = 0;

	for (int i = X509_get_ext_by_OBJ(certificate, oid, -1); i >= 0; i = X509_get_ext_by_OBJ(certificate, oid, i)) {
		*ret = X509_get_ext(certificate, i);
		count++;
	}
	return count;
}

static bool is_name(const GENERAL_NAME *name, const struct probe_task *task)
{
	struct addr a;

	if (name->type == GEN_DNS && str_equal(task->type, "dns")) {
		const ASN1_STRING *s = name->d.dNSName;

		return (size_t)ASN1_STRING_length(s) == strlen(task->value) &&
		       strncasecmp((const char *)ASN1_STRING_get0_data(s), task->value, strlen(task->value)) == 0;
	}
	if (name->type != GEN_IPADD || !str_equal(task->type, "ip") || !addr_parse(task->value, &a))
		return false;
	return (size_t)ASN1_STRING_length(name->d.iPAddress) == addr_length(&a) &&
	       memcmp(ASN1_STRING_get0_data(name->d.iPAddress), a.byte, addr_length(&a)) == 0;
}

static bool judge_names(X509 *certificate, const struct probe_task *task, struct problem *p)
{
	X509_EXTENSION *extension = NULL;
	int count = find(certificate, OBJ_nid2obj(NID_subject_alt_name), &extension);

	if (count != 1)
		return refuse(count ? "the certificate has two subjectAltName extensions, one is wanted"
		                    : "the certificate has no subjectAltName", p);
	auto(GENERAL_NAMES) *names = X509V3_EXT_d2i(extension);
	if (!names)
		return refuse("the certificate's subjectAltName cannot be read", p);
	if (sk_GENERAL_NAME_num(names) != 1)
		return problem_set(p, PROBLEM_INCORRECT_RESPONSE,
		                   "RFC 8737, 3: the certificate has %d names, \"%s\" alone is wanted",
		                   sk_GENERAL_NAME_num(names), task->value);
	return is_name(sk_GENERAL_NAME_value(names, 0), task) ||
	       problem_set(p, PROBLEM_INCORRECT_RESPONSE,
	                   "RFC 8737, 3: the certificate is for another name than \"%s\"",
	                   task->value);
}

/* The extension's value is an OCTET STRING with the digest in it: of one length, so of one encoding. */
static bool is_digest(X509_EXTENSION *extension, const struct probe_task *task)
{
	const ASN1_OCTET_STRING *value = X509_EXTENSION_get_data(extension);
	uint8_t want[2 + SHA256_SIZE] = { V_ASN1_OCTET_STRING, SHA256_SIZE };

	digest_sha256(BYTES_STR(task->key_authorization), want + 2);
	return bytes_equal(BYTES(ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value)),
	                   BYTES(want, sizeof(want)));
}

static bool judge_identifier(X509 *certificate, const struct probe_task *task, struct problem *p)
{
	auto(ASN1_OBJECT) *legacy = OBJ_txt2obj(LEGACY_OID, 1), *wanted = OBJ_txt2obj(ACME_IDENTIFIER_OID, 1);
	X509_EXTENSION *extension = NULL;

	if (!legacy || !wanted)
		return problem_openssl(p, "an object identifier");
	if (find(certificate, legacy, &extension) > 0)
		return refuse("the certificate has the acmeIdentifier of a draft (" LEGACY_OID ")", p);
	int count = find(certificate, wanted, &extension);
	if (count != 1)
		return refuse(count ? "the certificate has several acmeIdentifier extensions, one is wanted"
		                    : "the certificate has no acmeIdentifier extension", p);
	if (X509_EXTENSION_get_critical(extension) != 1)
		return refuse("the acmeIdentifier extension is not critical", p);
	return is_digest(extension, task) ||
	       refuse("the acmeIdentifier is not the SHA-256 of this challenge's key authorization", p);
}

/* Its dates say nothing: the text asks for none, and clients write none that mean anything (challtestsrv the
 * year 1). */
bool tls_alpn01_judge(X509 *certificate, const struct probe_task *task, struct problem *p)
{
	if (!judge_names(certificate, task, p) || !judge_identifier(certificate, task, p))
		return false;
	return X509_self_signed(certificate, 1) == 1 || refuse("the certificate is not signed by its own key", p);
}
