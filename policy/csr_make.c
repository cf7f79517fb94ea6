#include "policy/csr_make.h"

#include "policy/csr_part.h"

#define OID_UPN "1.3.6.1.4.1.311.20.2.3"

/* --- signing */

static bool sign(X509_REQ *request, EVP_PKEY *key, const struct csr_algorithm *a)
{
	auto(EVP_MD_CTX) *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *how = NULL; /* ctx's own */

	return ctx && EVP_DigestSignInit_ex(ctx, &how, a->digest, NULL, NULL, key, NULL) == 1 &&
	       (a->parameters != CSR_PSS || ossl_use_pss(how)) && X509_REQ_sign_ctx(request, ctx) > 0;
}

static bool request_make(const X509_NAME *subject, ossl_extensions *extensions, EVP_PKEY *key, unsigned signatures,
                         struct buf *ret, struct problem *p)
{
	auto(X509_REQ) *request = X509_REQ_new();
	enum key_algorithm algorithm;

	if (!key_algorithm_of(key, &algorithm, p))
		return false;
	if (request && X509_REQ_set_version(request, X509_REQ_VERSION_1) == 1 &&
	    X509_REQ_set_subject_name(request, subject) == 1 && X509_REQ_set_pubkey(request, key) == 1 &&
	    (sk_X509_EXTENSION_num(extensions) <= 0 || X509_REQ_add_extensions(request, extensions) == 1) &&
	    sign(request, key, csr_algorithm(csr_signature_for(algorithm, signatures))) &&
	    ossl_der(i2d_X509_REQ, request, ret))
		return true;
	return problem_openssl(p, "the CSR of a key of ours");
}

/* --- names */

static bool set_string(GENERAL_NAME *name, int type, const char *value)
{
	ASN1_IA5STRING *text = ASN1_IA5STRING_new();

	if (!text || ASN1_STRING_set(text, value, -1) != 1) {
		ASN1_IA5STRING_free(text);
		return false;
	}
	GENERAL_NAME_set0_value(name, type, text);
	return true;
}

static bool set_address(GENERAL_NAME *name, const struct identifier *i)
{
	struct addr address;
	ASN1_OCTET_STRING *octets = ASN1_OCTET_STRING_new();

	identifier_addr(i, &address);
	if (!octets || ASN1_OCTET_STRING_set(octets, address.byte, (int)addr_length(&address)) != 1) {
		ASN1_OCTET_STRING_free(octets);
		return false;
	}
	GENERAL_NAME_set0_value(name, GEN_IPADD, octets);
	return true;
}

static bool set_upn(GENERAL_NAME *name, const char *value)
{
	ASN1_TYPE *text = ASN1_TYPE_new();
	ASN1_UTF8STRING *string = ASN1_UTF8STRING_new();
	ASN1_OBJECT *type = OBJ_txt2obj(OID_UPN, 1);

	if (text && string && type && ASN1_STRING_set(string, value, -1) == 1) {
		ASN1_TYPE_set(text, V_ASN1_UTF8STRING, string);
		string = NULL;
		if (GENERAL_NAME_set0_othername(name, type, text) == 1)
			return true;
	}
	ASN1_TYPE_free(text);
	ASN1_UTF8STRING_free(string);
	ASN1_OBJECT_free(type);
	return false;
}

static bool set_name(GENERAL_NAME *name, const struct identifier *i)
{
	static const int types[IDENTIFIER_TYPE_MAX] = {
		[IDENTIFIER_DNS] = GEN_DNS, [IDENTIFIER_EMAIL] = GEN_EMAIL, [IDENTIFIER_URI] = GEN_URI,
	};

	return i->type == IDENTIFIER_IP ? set_address(name, i) : set_string(name, types[i->type], i->value);
}

static bool push_name(GENERAL_NAMES *list, const struct identifier *i, const char *upn)
{
	GENERAL_NAME *name = GENERAL_NAME_new();

	if (name && (i ? set_name(name, i) : set_upn(name, upn)) && sk_GENERAL_NAME_push(list, name) > 0)
		return true;
	GENERAL_NAME_free(name);
	return false;
}

static bool add_names(const struct csr_wish *wish, ossl_extensions **extensions)
{
	auto(GENERAL_NAMES) *list = GENERAL_NAMES_new();
	size_t upns = wish->upns ? wish->upns->n : 0;

	for (size_t i = 0; list && i < wish->names->n; i++)
		if (!push_name(list, &wish->names->v[i], NULL))
			return false;
	for (size_t i = 0; list && i < upns; i++)
		if (!push_name(list, NULL, wish->upns->v[i]))
			return false;
	return list && (wish->names->n + upns == 0 ||
	                X509V3_add1_i2d(extensions, NID_subject_alt_name, list, 0, X509V3_ADD_DEFAULT) == 1);
}

/* --- usages and constraints */

static bool add_key_usage(unsigned usage, ossl_extensions **extensions)
{
	auto(ASN1_BIT_STRING) *bits = ASN1_BIT_STRING_new();
	/* KU_ counts the bits of each byte from above, and the bytes from below. */
	for (int i = 0; bits && i < 9; i++)
		if (usage & (i < 8 ? 0x80u >> i : 0x8000u) && ASN1_BIT_STRING_set_bit(bits, i, 1) != 1)
			return false;
	return usage == 0 || (bits && X509V3_add1_i2d(extensions, NID_key_usage, bits, 1, X509V3_ADD_DEFAULT) == 1);
}

static bool add_extended_key_usage(const struct strings *oids, ossl_extensions **extensions)
{
	auto(EXTENDED_KEY_USAGE) *usages = EXTENDED_KEY_USAGE_new();

	for (size_t i = 0; usages && i < oids->n; i++) {
		auto(ASN1_OBJECT) *oid = OBJ_txt2obj(oids->v[i], 1);
		if (!oid || sk_ASN1_OBJECT_push(usages, oid) <= 0)
			return false;
		oid = NULL;
	}
	return usages && X509V3_add1_i2d(extensions, NID_ext_key_usage, usages, 0, X509V3_ADD_DEFAULT) == 1;
}

static bool add_constraints(int path_length, ossl_extensions **extensions)
{
	auto(BASIC_CONSTRAINTS) *constraints = BASIC_CONSTRAINTS_new();

	if (!constraints)
		return false;
	constraints->ca = 0xff;
	if (path_length >= 0 && (!(constraints->pathlen = ASN1_INTEGER_new()) ||
	                         ASN1_INTEGER_set_int64(constraints->pathlen, path_length) != 1))
		return false;
	return X509V3_add1_i2d(extensions, NID_basic_constraints, constraints, 1, X509V3_ADD_DEFAULT) == 1;
}

static bool add_subject(const struct subject *subject, X509_NAME *name)
{
	for (size_t i = 0; i < subject->n; i++) {
		const struct subject_attribute *a = &subject->v[i];
		auto(ASN1_OBJECT) *oid = OBJ_txt2obj(subject_type_oid(a->type), 1);
		if (!oid || X509_NAME_add_entry_by_OBJ(name, oid, subject_type_tag(a->type),
		                                       (const uint8_t *)a->value, -1, -1, 0) != 1)
			return false;
	}
	return true;
}

bool csr_make(const struct csr_wish *wish, EVP_PKEY *key, unsigned signatures, struct buf *ret, struct problem *p)
{
	auto(X509_NAME) *subject = X509_NAME_new();
	auto(ossl_extensions) *extensions = NULL;
	size_t usages = wish->extended_key_usage ? wish->extended_key_usage->n : 0;

	if (!subject || !add_subject(wish->subject, subject) || !add_names(wish, &extensions) ||
	    !add_key_usage(wish->key_usage, &extensions) ||
	    (usages > 0 && !add_extended_key_usage(wish->extended_key_usage, &extensions)) ||
	    (wish->ca && !add_constraints(wish->path_length, &extensions)))
		return problem_openssl(p, "the CSR of a key of ours");
	return request_make(subject, extensions, key, signatures, ret, p);
}

/* --- from what there is */

bool csr_make_again(struct bytes csr_der, EVP_PKEY *key, unsigned signatures, struct buf *ret, struct problem *p)
{
	const uint8_t *at = csr_der.data;
	auto(X509_REQ) *other = d2i_X509_REQ(NULL, &at, (long)csr_der.len);

	if (!other || at != csr_der.data + csr_der.len)
		return problem_openssl(p, "a CSR of ours");
	auto(ossl_extensions) *extensions = X509_REQ_get_extensions(other);
	return request_make(X509_REQ_get_subject_name(other), extensions, key, signatures, ret, p);
}

static bool copy_extension(X509 *certificate, int nid, ossl_extensions **extensions)
{
	int at = X509_get_ext_by_NID(certificate, nid, -1);

	return at < 0 || X509v3_add_ext(extensions, X509_get_ext(certificate, at), -1);
}

bool csr_make_renewal(struct bytes certificate_der, EVP_PKEY *key, unsigned signatures, struct buf *ret,
                      struct problem *p)
{
	const uint8_t *at = certificate_der.data;
	auto(X509) *old = d2i_X509(NULL, &at, (long)certificate_der.len);
	auto(ossl_extensions) *extensions = NULL;
	enum key_algorithm algorithm;

	if (!old || at != certificate_der.data + certificate_der.len)
		return problem_openssl(p, "a certificate of ours");
	if (!key_algorithm_of(key, &algorithm, p))
		return false;
	bool ca = X509_check_ca(old) == 1;
	uint32_t usage = X509_get_key_usage(old);
	unsigned fits = key_algorithm_usage(algorithm) | (ca ? KU_KEY_CERT_SIGN | KU_CRL_SIGN : 0);
	if (!copy_extension(old, NID_subject_alt_name, &extensions) ||
	    !add_key_usage(usage == UINT32_MAX ? 0 : usage & fits, &extensions) ||
	    !copy_extension(old, NID_ext_key_usage, &extensions) ||
	    (ca && !copy_extension(old, NID_basic_constraints, &extensions)))
		return problem_openssl(p, "the CSR of a renewal");
	return request_make(X509_get_subject_name(old), extensions, key, signatures, ret, p);
}

/* --- comparing */

static bool same_texts(const struct strings *a, const struct strings *b)
{
	for (size_t i = 0; i < a->n; i++)
		if (!strings_has(b, a->v[i]))
			return false;
	return a->n == b->n;
}

static bool same_subject(const struct csr *a, const struct csr *b)
{
	for (size_t i = 0; i < a->subject_count && i < b->subject_count; i++)
		if (!str_equal(a->subject[i].oid, b->subject[i].oid) ||
		    !str_equal(a->subject[i].value, b->subject[i].value))
			return false;
	return a->subject_count == b->subject_count;
}

static bool same_others(const struct csr *a, const struct csr *b)
{
	for (size_t i = 0; i < a->other_count && i < b->other_count; i++)
		if (a->others[i].type == CSR_OTHER_UNREADABLE ||
		    !bytes_equal(buf_bytes(&a->others[i].der), buf_bytes(&b->others[i].der)))
			return false;
	return a->other_count == b->other_count;
}

bool csr_asks_same(const struct csr *a, const struct csr *b)
{
	return a->algorithm == b->algorithm && same_subject(a, b) && identifiers_equal(&a->names, &b->names) &&
	       same_others(a, b) && same_texts(&a->extensions, &b->extensions) &&
	       same_texts(&a->extended_key_usage, &b->extended_key_usage) && a->has_key_usage == b->has_key_usage &&
	       a->key_usage == b->key_usage && a->ca == b->ca && a->path_length == b->path_length;
}
