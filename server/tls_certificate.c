#include "server/tls_certificate.h"

#include <stdatomic.h>

#include <openssl/err.h>

#include "base/clock.h"

bool tls_certificate_parse(struct bytes pem, struct tls_certificate **ret, struct problem *p)
{
	auto_struct(tls_certificate) *certificate = calloc(1, sizeof(*certificate));

	if (!certificate)
		return problem_memory(p);
	certificate->references = 1;
	if (!ossl_certificates_from_pem(pem, &certificate->above, p))
		return false;
	certificate->own = sk_X509_shift(certificate->above);
	if (sk_X509_num(certificate->above) > TLS_CERTIFICATE_ABOVE_MAX)
		return problem_set(p, PROBLEM_MALFORMED, "expected no more than %d certificates",
		                   1 + TLS_CERTIFICATE_ABOVE_MAX);
	*ret = steal(certificate);
	return true;
}

bool tls_certificate_set_key(struct tls_certificate *certificate, EVP_PKEY *key, struct problem *p)
{
	if (X509_check_private_key(certificate->own, key) != 1) {
		ERR_clear_error();
		return problem_set(p, PROBLEM_MALFORMED, "it is not the key of the certificate");
	}
	if (EVP_PKEY_up_ref(key) != 1)
		return problem_memory(p);
	EVP_PKEY_free(certificate->key);
	certificate->key = key;
	return true;
}

static X509 *at(const struct tls_certificate *certificate, int i)
{
	return i == 0 ? certificate->own : sk_X509_value(certificate->above, i - 1);
}

static bool judge_time(X509 *one, int n, int64_t now, struct problem *p)
{
	char text[CLOCK_RFC3339_SIZE];
	int64_t begin, end;

	if (!ossl_time(X509_get0_notBefore(one), &begin) || !ossl_time(X509_get0_notAfter(one), &end))
		return problem_set(p, PROBLEM_MALFORMED, "certificate %d has no readable dates", n);
	clock_format(now < begin ? begin : end, text);
	if (now < begin)
		return problem_set(p, PROBLEM_MALFORMED, "certificate %d begins at %s", n, text);
	return now <= end || problem_set(p, PROBLEM_MALFORMED, "certificate %d ended at %s", n, text);
}

static bool judge_signature(X509 *one, X509 *above, int n, struct problem *p)
{
	bool signed_by = X509_check_issued(above, one) == X509_V_OK && X509_verify(one, X509_get0_pubkey(above)) == 1;

	ERR_clear_error();
	return signed_by || problem_set(p, PROBLEM_MALFORMED,
	                                "RFC 8446, 4.4.2: certificate %d did not sign the one before it", n);
}

bool tls_certificate_judge(const struct tls_certificate *certificate, int64_t now, struct problem *p)
{
	int n = 1 + sk_X509_num(certificate->above);

	for (int i = 0; i < n; i++)
		if (!judge_time(at(certificate, i), i + 1, now, p) ||
		    (i > 0 && !judge_signature(at(certificate, i - 1), at(certificate, i), i + 1, p)))
			return false;
	return true;
}

struct tls_certificate *tls_certificate_ref(struct tls_certificate *certificate)
{
	atomic_fetch_add(&certificate->references, 1);
	return certificate;
}

void tls_certificate_unref(struct tls_certificate *certificate)
{
	if (!certificate || atomic_fetch_sub(&certificate->references, 1) > 1)
		return;
	X509_free(certificate->own);
	ossl_free_stack_x509(certificate->above);
	EVP_PKEY_free(certificate->key);
	free(certificate);
}
