#include "server/own_request.h"

#include <openssl/err.h>

#include "policy/csr_make.h"

bool own_request_make(const struct identifiers *names, EVP_PKEY **ret_key, struct buf *ret_der,
                      struct problem *p)
{
	static const struct subject nobody;
	const struct csr_wish wish = { .subject = &nobody, .names = names };
	auto(EVP_PKEY) *key = NULL;
	if (!key_make(KEY_EC_P256, &key, p) || !csr_make(&wish, key, 0, ret_der, p))
		return false;
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
