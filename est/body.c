#include "est/body.h"

#include "base/base64.h"
#include "base/ossl.h"
#include "base/tlv.h"

static struct bytes trim(struct bytes body)
{
	while (body.len > 0 && strchr(" \t\r\n", body.data[0]) && body.data[0])
		body = BYTES(body.data + 1, body.len - 1);
	return body;
}

/* Boundaries of both labels. */
static size_t boundaries(struct bytes text)
{
	static const char word[] = "CERTIFICATE REQUEST-----";
	size_t n = 0, len = sizeof(word) - 1;

	for (const uint8_t *at; (at = memmem(text.data, text.len, word, len)); n++)
		text = BYTES(at + len, text.len - (size_t)(at + len - text.data));
	return n;
}

/* Both labels of RFC 7468, 7. */
static bool read_pem(struct bytes body, struct buf *ret, struct problem *p)
{
	auto_value(problem) other = {0};

	if (boundaries(body) > 2) /* BEGIN and END */
		return problem_set(p, PROBLEM_MALFORMED,
		                   "RFC 7030, 4.2.1: the body has more than one certification request");
	return ossl_from_pem("NEW CERTIFICATE REQUEST", body, ret, &other) ||
	       ossl_from_pem("CERTIFICATE REQUEST", body, ret, p);
}

bool body_read(struct bytes body, struct buf *ret, struct problem *p)
{
	struct bytes in = trim(body);

	if (in.len == 0)
		return problem_set(p, PROBLEM_MALFORMED,
		                   "RFC 7030, 4.2.1: the body is empty; a certification request is wanted");
	if (in.data[0] == TLV_SEQUENCE) { /* no base64 of DER begins with this, "0", but with "M" */
		buf_add(ret, in.data, in.len);
		return buf_check(ret, p);
	}
	if (memmem(in.data, in.len, "-----BEGIN ", 11))
		return read_pem(in, ret, p);
	return base64_decode((const char *)in.data, in.len, ret) ||
	       (buf_check(ret, p) &&
	        problem_set(p, PROBLEM_MALFORMED, "RFC 8951, 3.1: the body is neither base64 nor DER nor PEM"));
}
