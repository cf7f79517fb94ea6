#include "server/own_request.h"

#include <openssl/err.h>

static bool set_address(GENERAL_NAME *name, const struct identifier *i)
{
	struct addr address;
	identifier_addr(i, &address);
	ASN1_OCTET_STRING *octets = ASN1_OCTET_STRING_new();
	if (!octets || ASN1_OCTET_STRING_set(octets, address.byte, (int)addr_length(&address)) != 1) {
		ASN1_OCTET_STRING_free(octets);
		return false;
	}
	GENERAL_NAME_set0_value(name, GEN_IPADD, octets);
	return true;
}

static bool set_dns(GENERAL_NAME *name, const struct identifier *i)
{
	ASN1_IA5STRING *text = ASN1_IA5STRING_new();
	if (!text || ASN1_STRING_set(text, i->value, -1) != 1) {
		ASN1_IA5STRING_free(text);
		return false;
	}
	GENERAL_NAME_set0_value(name, GEN_DNS, text);
	return true;
}

static bool add_name(GENERAL_NAMES *list, const struct identifier *i)
{
	GENERAL_NAME *name = GENERAL_NAME_new();
	bool ok = name && (i->type == IDENTIFIER_IP ? set_address(name, i) : set_dns(name, i));
	if (ok && sk_GENERAL_NAME_push(list, name) > 0)
		return true;
	GENERAL_NAME_free(name);
	return false;
}

static bool add_names(X509_REQ *request, const struct identifiers *names)
{
	auto(GENERAL_NAMES) *list = GENERAL_NAMES_new();
	auto(ossl_extensions) *extensions = NULL;
	if (!list)
		return false;
	for (size_t i = 0; i < names->n; i++)
		if (!add_name(list, &names->v[i]))
			return false;
	return X509V3_add1_i2d(&extensions, NID_subject_alt_name, list, 0, X509V3_ADD_DEFAULT) == 1 &&
	       X509_REQ_add_extensions(request, extensions) == 1;
}

bool own_request_make(const struct identifiers *names, EVP_PKEY **ret_key, struct buf *ret_der,
                      struct problem *p)
{
	auto(EVP_PKEY) *key = EVP_EC_gen("P-256");
	auto(X509_REQ) *request = X509_REQ_new();
	if (!key || !request || X509_REQ_set_version(request, X509_REQ_VERSION_1) != 1 ||
	    X509_REQ_set_pubkey(request, key) != 1 || !add_names(request, names) ||
	    X509_REQ_sign(request, key, EVP_sha256()) <= 0 || !ossl_der(i2d_X509_REQ, request, ret_der))
		return problem_openssl(p, "the request for the server's own certificate");
	*ret_key = steal(key);
	return true;
}

static bool take_name(const GENERAL_NAME *name, struct identifiers *ret, struct problem *p)
{
	struct identifier i;
	struct addr address = {0};
	char text[ADDR_TEXT_SIZE];
	int type;
	const ASN1_STRING *value = GENERAL_NAME_get0_value(name, &type);
	size_t len = type == GEN_IPADD || type == GEN_DNS ? (size_t)ASN1_STRING_length(value) : 0;
	if (type == GEN_DNS && len < IDENTIFIER_VALUE_SIZE) {
		char host[IDENTIFIER_VALUE_SIZE] = "";
		memcpy(host, ASN1_STRING_get0_data(value), len);
		return identifier_parse("dns", host, &i, p) && identifiers_add(ret, &i, p);
	}
	if (type != GEN_IPADD || (len != 4 && len != 16))
		return problem_set(p, PROBLEM_MALFORMED, "a name that the server does not have");
	address.family = len == 4 ? AF_INET : AF_INET6;
	memcpy(address.byte, ASN1_STRING_get0_data(value), len);
	addr_format(&address, text);
	return identifier_parse("ip", text, &i, p) && identifiers_add(ret, &i, p);
}

bool own_request_names(X509 *certificate, struct identifiers *ret, struct problem *p)
{
	auto(GENERAL_NAMES) *list = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
	ERR_clear_error();
	for (int i = 0; i < sk_GENERAL_NAME_num(list); i++)
		if (!take_name(sk_GENERAL_NAME_value(list, i), ret, p))
			return false;
	return true;
}
