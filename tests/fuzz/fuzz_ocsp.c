/* OCSP requests: what is read lies within the message, and libcrypto reads the same. */
#include <stdlib.h>

#include <openssl/ocsp.h>

#include "base/ossl.h"
#include "ca/ocsp_request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

declare_auto(OCSP_REQUEST, OCSP_REQUEST_free);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void check_within(struct bytes part, struct bytes whole)
{
	must(part.len == 0 || (part.data >= whole.data && part.data + part.len <= whole.data + whole.len));
}

static void check_octets(const ASN1_OCTET_STRING *want, struct bytes have)
{
	must(bytes_equal(have, BYTES(ASN1_STRING_get0_data(want), (size_t)ASN1_STRING_length(want))));
}

static void check_serial(const ASN1_INTEGER *want, struct bytes have)
{
	auto(BIGNUM) *number = ASN1_INTEGER_to_BN(want, NULL), *mine = BN_bin2bn(have.data, (int)have.len, NULL);

	must(number && mine);
	must(have.len == 0 ? BN_is_zero(number) || BN_is_negative(number) : BN_cmp(number, mine) == 0);
}

static void check_certificate(const struct ocsp_certificate *have, OCSP_ONEREQ *want, struct bytes whole)
{
	ASN1_OCTET_STRING *name, *key;
	ASN1_INTEGER *serial;

	check_within(have->whole, whole);
	must(OCSP_id_get0_info(&name, NULL, &key, &serial, OCSP_onereq_get0_id(want)) == 1);
	check_octets(name, have->name_hash);
	check_octets(key, have->key_hash);
	check_serial(serial, have->serial);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct ocsp_request request;
	auto_value(problem) p = {0};
	const unsigned char *at = data;
	struct bytes whole = BYTES(data, size);

	if (!ocsp_request_parse(whole, &request, &p)) {
		must(p.kind == PROBLEM_MALFORMED || p.kind == PROBLEM_UNAUTHORIZED);
		return 0;
	}
	must(request.count >= 1 && request.count <= OCSP_CERTIFICATES_MAX && request.nonce.len <= OCSP_NONCE_MAX);
	check_within(request.nonce, whole);
	auto(OCSP_REQUEST) *other = d2i_OCSP_REQUEST(NULL, &at, (long)size);
	if (!other) /* it decodes names, times and signatures that we skip */
		return 0;
	must(at == data + size && OCSP_request_onereq_count(other) == (int)request.count);
	for (size_t i = 0; i < request.count; i++)
		check_certificate(&request.certificates[i], OCSP_request_onereq_get0(other, (int)i), whole);
	must((OCSP_REQUEST_get_ext_by_NID(other, NID_id_pkix_OCSP_Nonce, -1) >= 0) == (request.nonce.len > 0));
	return 0;
}
