#include "policy/csr_pem.h"

#include "base/ossl.h"

/* RFC 7468, 7 and its appendix: the second is what older programs write. */
static const char *const labels[] = { "CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST" };

static bool is_blank(struct bytes text)
{
	for (size_t i = 0; i < text.len; i++)
		if (!memchr(" \t\r\n", text.data[i], 4))
			return false;
	return true;
}

static bool has(struct bytes text, const char *what)
{
	return memmem(text.data, text.len, what, strlen(what)) != NULL;
}

bool csr_from_text(struct bytes text, struct buf *ret, struct problem *p)
{
	auto_value(problem) why = {0};

	if (is_blank(text))
		return problem_set(p, PROBLEM_BAD_CSR, "CSR cannot be empty");
	for (size_t i = 0; i < array_length(labels); i++)
		if (ossl_from_pem(labels[i], text, ret, &why))
			return true;
	if (!buf_check(ret, p))
		return false;
	if (has(text, "-----BEGIN CERTIFICATE-----"))
		return problem_set(p, PROBLEM_BAD_CSR, "Self-signed certificates are not supported for CSR signing");
	if (text.data[0] != 0x30)
		return problem_set(p, PROBLEM_BAD_CSR,
		                   "RFC 7468, 7: the CSR is neither DER nor between -----BEGIN CERTIFICATE REQUEST----- and its END");
	buf_add(ret, text.data, text.len);
	return buf_check(ret, p);
}
