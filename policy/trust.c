#include "policy/trust.h"

#include <stdio.h>

#include <openssl/err.h>

#include "base/certificate_key.h"
#include "base/file.h"
#include "base/ossl.h"
#include "policy/trust_device.h"

struct trust {
	X509_STORE *store;
	size_t count;
};

/* --- the files */

static bool add_anchor(struct trust *trust, X509 *certificate, struct problem *p)
{
	if (trust->count >= TRUST_ANCHORS_MAX)
		return problem_set(p, PROBLEM_TOO_LARGE, "more than %d certificates of manufacturers",
		                   TRUST_ANCHORS_MAX);
	trust->count++;
	return X509_STORE_add_cert(trust->store, certificate) == 1 ||
	       problem_openssl(p, "a manufacturer's certificate");
}

static bool read_text(struct trust *trust, const char *name, struct bytes text, struct problem *p)
{
	auto(ossl_x509_stack) *certificates = NULL;
	auto_value(problem) why = {0};

	if (!ossl_certificates_from_pem(text, &certificates, &why))
		return problem_set(p, why.kind, "%s: %s", name, problem_cause(&why));
	for (int i = 0; i < sk_X509_num(certificates); i++)
		if (!add_anchor(trust, sk_X509_value(certificates, i), p))
			return false;
	return true;
}

static bool read_file(struct trust *trust, const char *path, struct problem *p)
{
	auto_value(buf) text = {0};

	return file_read(path, TRUST_FILE_MAX, &text, p) && read_text(trust, path, buf_bytes(&text), p);
}

/* Dates of anchors are not judged: a device outlives the certificate of the CA that made it. */
static int judge(int ok, X509_STORE_CTX *context)
{
	int error = X509_STORE_CTX_get_error(context);
	bool anchor = X509_STORE_CTX_get_error_depth(context) == X509_STORE_CTX_get_num_untrusted(context);

	if (ok || !anchor || (error != X509_V_ERR_CERT_HAS_EXPIRED && error != X509_V_ERR_CERT_NOT_YET_VALID))
		return ok;
	X509_STORE_CTX_set_error(context, X509_V_OK);
	return 1;
}

static struct trust *trust_new(void)
{
	auto_struct(trust) *trust = calloc(1, sizeof(*trust));

	if (!trust)
		return NULL;
	trust->store = X509_STORE_new();
	if (!trust->store)
		return NULL;
	X509_STORE_set_verify_cb(trust->store, judge);
	return steal(trust);
}

bool trust_load(const struct strings *files, struct trust **ret, struct problem *p)
{
	auto_struct(trust) *trust = trust_new();

	if (!trust)
		return problem_memory(p);
	for (size_t i = 0; i < files->n; i++)
		if (!read_file(trust, files->v[i], p))
			return false;
	*ret = steal(trust);
	return true;
}

bool trust_from_pem(const char *name, struct bytes pem, struct trust **ret, struct problem *p)
{
	auto_struct(trust) *trust = trust_new();

	if (!trust)
		return problem_memory(p);
	if (!read_text(trust, name, pem, p))
		return false;
	*ret = steal(trust);
	return true;
}

void trust_free(struct trust *trust)
{
	if (!trust)
		return;
	X509_STORE_free(trust->store);
	free(trust);
}

/* --- a chain */

static bool refuse(struct problem *p, const char *why)
{
	return !ossl_no_memory(p) &&
	       problem_set(p, PROBLEM_UNAUTHENTICATED, "the manufacturer's certificate of the device %s", why);
}

static const struct fault {
	int error;
	const char *text;
} faults[] = {
	{ X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, "is of no manufacturer that is known here" },
	{ X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, "is of no manufacturer that is known here" },
	{ X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, "is of no manufacturer that is known here" },
	{ X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, "is signed by itself" },
	{ X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, "leads to a root that is not known here" },
	{ X509_V_ERR_CERT_SIGNATURE_FAILURE, "names a known manufacturer that has not signed it" },
	{ X509_V_ERR_CERT_HAS_EXPIRED, "has expired, or one above it has" },
	{ X509_V_ERR_CERT_NOT_YET_VALID, "is not valid yet, or one above it is not" },
	{ X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION, "has a critical extension that is not known here (RFC 5280, 4.2)" },
	{ X509_V_ERR_CERT_CHAIN_TOO_LONG, "has too many CAs above it" },
	{ X509_V_ERR_EE_KEY_TOO_SMALL, "has a weak key" },
	{ X509_V_ERR_CA_KEY_TOO_SMALL, "is of a CA with a weak key" },
	{ X509_V_ERR_CA_MD_TOO_WEAK, "is signed with a weak hash, as MD5 or SHA-1" },
	{ X509_V_ERR_INVALID_CA, "is signed by what is no CA (RFC 5280, 4.2.1.9)" },
	{ X509_V_ERR_PATH_LENGTH_EXCEEDED, "has more CAs above it than one of them allows (RFC 5280, 4.2.1.9)" },
	{ X509_V_ERR_KEYUSAGE_NO_CERTSIGN, "is signed by what may not sign certificates (RFC 5280, 4.2.1.3)" },
	{ X509_V_ERR_PERMITTED_VIOLATION, "has a name that a CA above it may not give (RFC 5280, 4.2.1.10)" },
	{ X509_V_ERR_EXCLUDED_VIOLATION, "has a name that a CA above it may not give (RFC 5280, 4.2.1.10)" },
};

static const char *fault_text(int error)
{
	for (size_t i = 0; i < array_length(faults); i++)
		if (faults[i].error == error)
			return faults[i].text;
	return X509_verify_cert_error_string(error);
}

static bool read_one(struct bytes der, X509 **ret, struct problem *p)
{
	const uint8_t *at = der.data;
	auto(X509) *certificate = certificate_key_is_plain(der) ? d2i_X509(NULL, &at, (long)der.len) : NULL;

	if (!certificate || at != der.data + der.len)
		return refuse(p, "cannot be read, or one above it cannot");
	*ret = steal(certificate);
	return true;
}

static bool read_chain(const struct bytes *chain, size_t count, X509 **ret, ossl_x509_stack **ret_rest,
                       struct problem *p)
{
	auto(ossl_x509_stack) *rest = sk_X509_new_null();
	auto(X509) *own = NULL;
	size_t size = 0;

	for (size_t i = 0; i < count; i++)
		size += chain[i].len;
	if (count == 0 || count > TRUST_CHAIN_MAX || size > TRUST_CHAIN_BYTES)
		return refuse(p, "came with too long a chain");
	if (!rest)
		return problem_memory(p);
	if (!read_one(chain[0], &own, p))
		return false;
	for (size_t i = 1; i < count; i++) {
		auto(X509) *above = NULL;
		if (!read_one(chain[i], &above, p))
			return false;
		if (!sk_X509_push(rest, above))
			return problem_memory(p);
		above = NULL;
	}
	*ret = steal(own);
	*ret_rest = steal(rest);
	return true;
}

/* Where the client's own certificate is an anchor itself, those above it are still in OpenSSL's chain. */
static ossl_x509_stack *as_far_as_the_anchor(X509_STORE_CTX *context)
{
	ossl_x509_stack *chain = X509_STORE_CTX_get1_chain(context);

	while (chain && sk_X509_num(chain) > X509_STORE_CTX_get_num_untrusted(context) + 1)
		X509_free(sk_X509_pop(chain));
	return chain;
}

static bool verify(const struct trust *trust, X509 *own, ossl_x509_stack *rest, int64_t now, ossl_x509_stack **ret,
                   struct problem *p)
{
	auto(X509_STORE_CTX) *context = X509_STORE_CTX_new();

	if (!context || X509_STORE_CTX_init(context, trust->store, own, rest) != 1)
		return problem_memory(p);
	X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(context);
	X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN);
	X509_VERIFY_PARAM_set_auth_level(param, 2);
	X509_VERIFY_PARAM_set_depth(param, TRUST_DEPTH_MAX);
	X509_VERIFY_PARAM_set_time(param, now);
	if (X509_verify_cert(context) == 1) {
		ERR_clear_error();
		*ret = as_far_as_the_anchor(context);
		return *ret || problem_memory(p);
	}
	int error = X509_STORE_CTX_get_error(context);
	return error == X509_V_ERR_OUT_OF_MEM ? problem_memory(p) : refuse(p, fault_text(error));
}

bool trust_path(const struct trust *trust, const struct bytes *chain, size_t count, int64_t now, ossl_x509_stack **ret,
                struct problem *p)
{
	auto(ossl_x509_stack) *rest = NULL;
	auto(X509) *own = NULL;

	return read_chain(chain, count, &own, &rest, p) && verify(trust, own, rest, now, ret, p);
}

/* IEEE 802.1AR, 8.10: an IDevID need not say what it is for; one that does is for clients, or for all. */
static bool check_usage(X509 *own, struct problem *p)
{
	uint32_t extended = X509_get_extended_key_usage(own), usage = X509_get_key_usage(own);

	if (X509_get_extension_flags(own) & EXFLAG_CA)
		return refuse(p, "is a CA's");
	if (extended != UINT32_MAX && !(extended & (XKU_SSL_CLIENT | XKU_ANYEKU)))
		return refuse(p, "is not for clients: it has no clientAuth");
	return usage == UINT32_MAX || usage & KU_DIGITAL_SIGNATURE ? true : refuse(p, "is not for signatures");
}

bool trust_check(const struct trust *trust, const struct bytes *chain, size_t count, int64_t now,
                 struct trust_device *ret, struct problem *p)
{
	auto(ossl_x509_stack) *path = NULL;
	auto_value(trust_device) device = {0};

	if (!trust_path(trust, chain, count, now, &path, p))
		return false;
	X509 *own = sk_X509_value(path, 0);
	if (!check_usage(own, p) || !trust_device_read(own, &device, p))
		return false;
	*ret = device;
	device = (struct trust_device){0};
	return true;
}
