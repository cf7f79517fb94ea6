/* CSRs: any bytes; and, since no mutation keeps a signature, any bytes as the subject and the
 * attributes of a CSR that is then signed for real. What is accepted, and is a CSR for OpenSSL too, must
 * name the same for both: a name that only one of two readers sees is how a CSR smuggles. */
#include "policy/csr.h"
#include "policy/device_name.h"

#include <openssl/err.h>

#include "tests/unit/policy_make.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void name_compare(const struct csr *csr, const char *type, struct bytes value)
{
	struct identifier name;
	auto_value(problem) p = {0};
	char text[IDENTIFIER_VALUE_SIZE] = "";

	if (value.len >= sizeof(text))
		abort();
	memcpy(text, value.data, value.len);
	if (strlen(text) != value.len || !identifier_parse(type, text, &name, &p) || !identifiers_has(&csr->names, &name))
		abort();
}

static void address_compare(const struct csr *csr, struct bytes value)
{
	struct addr addr = { .family = value.len == 4 ? AF_INET : AF_INET6 };
	char text[ADDR_TEXT_SIZE];

	if (value.len != 4 && value.len != 16)
		abort();
	memcpy(addr.byte, value.data, value.len);
	addr_format(&addr, text);
	name_compare(csr, "ip", BYTES_STR(text));
}

static size_t general_name_compare(const struct csr *csr, const GENERAL_NAME *name)
{
	int type;
	const ASN1_STRING *value = GENERAL_NAME_get0_value(name, &type);

	switch (type) {
	case GEN_DNS: name_compare(csr, "dns", BYTES(ASN1_STRING_get0_data(value), ASN1_STRING_length(value))); return 0;
	case GEN_EMAIL: name_compare(csr, "email", BYTES(ASN1_STRING_get0_data(value), ASN1_STRING_length(value))); return 0;
	case GEN_URI: name_compare(csr, "uri", BYTES(ASN1_STRING_get0_data(value), ASN1_STRING_length(value))); return 0;
	case GEN_IPADD: address_compare(csr, BYTES(ASN1_STRING_get0_data(value), ASN1_STRING_length(value))); return 0;
	default: return 1;
	}
}

/* What is read as a device's name has one encoding, this one. */
static void devices_check(const struct csr *csr)
{
	for (size_t i = 0; i < csr->other_count; i++) {
		struct csr_other_name again = {0};
		struct identifier name;
		auto_value(problem) p = {0};

		if (!device_name_read(&csr->others[i], &name))
			continue;
		if (!device_name_make(&name, &again, &p) || !bytes_equal(buf_bytes(&again.der), buf_bytes(&csr->others[i].der)))
			abort();
		buf_free(&again.der);
	}
}

/* An otherName or the like that OpenSSL takes apart further than we do may be wrong in there. */
static void names_compare(const struct csr *csr, const ossl_extensions *extensions)
{
	int critical;
	auto(GENERAL_NAMES) *names = X509V3_get_d2i(extensions, NID_subject_alt_name, &critical, NULL);
	size_t others = 0, count = names ? (size_t)sk_GENERAL_NAME_num(names) : 0;

	if (!names && csr->other_count > 0)
		return;
	for (size_t i = 0; i < count; i++)
		others += general_name_compare(csr, sk_GENERAL_NAME_value(names, (int)i));
	if (others != csr->other_count || csr->names.n > count - others)
		abort();
}

static void compare(const struct csr *csr, struct bytes der)
{
	const unsigned char *at = der.data;
	auto(X509_REQ) *request = d2i_X509_REQ(NULL, &at, (long)der.len);

	if (!request) /* it looks into the values of attributes that we pass over */
		return;
	if (at != der.data + der.len || X509_REQ_verify(request, csr->key) != 1)
		abort();
	if ((size_t)X509_NAME_entry_count(X509_REQ_get_subject_name(request)) != csr->subject_count)
		abort();
	auto(ossl_extensions) *extensions = X509_REQ_get_extensions(request);
	if ((extensions ? (size_t)sk_X509_EXTENSION_num(extensions) : 0) != csr->extensions.n)
		abort();
	names_compare(csr, extensions);
}

static void parse(struct bytes der)
{
	auto_struct(csr) *csr = NULL;
	auto_value(problem) p = {0};

	if (csr_parse(der, &csr, &p)) {
		compare(csr, der);
		devices_check(csr);
	} else if (p.kind != PROBLEM_BAD_CSR || csr)
		abort();
	ERR_clear_error();
}

/* The content of the subject, and that of the attributes after the length that the first byte tells. */
static void sign_and_parse(struct bytes in)
{
	size_t subject = in.data[0] < in.len ? in.data[0] : in.len - 1;
	struct make_csr m = { .key = "P-256" };
	auto_value(buf) info = {0}, request = {0}, algorithm = {0}, der = {0};
	EVP_PKEY *key = make_key(m.key);
	auto_value(problem) p = {0};

	make_hex(&info, "020100");
	make_tlv(&info, 0x30, BYTES(in.data + 1, subject));
	if (!ossl_public_der(key, &info, &p))
		abort();
	make_tlv(&info, 0xa0, BYTES(in.data + 1 + subject, in.len - 1 - subject));
	make_tlv(&request, 0x30, buf_bytes(&info));
	auto_value(buf) tbs = {0};
	buf_add(&tbs, request.data, request.len);
	make_hex(&algorithm, make_algorithm(key));
	make_tlv(&request, 0x30, buf_bytes(&algorithm));
	make_sign(&m, key, buf_bytes(&tbs), &request);
	make_tlv(&der, 0x30, buf_bytes(&request));
	parse(buf_bytes(&der));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	parse(BYTES(data, size));
	if (size > 0)
		sign_and_parse(BYTES(data, size));
	return 0;
}
