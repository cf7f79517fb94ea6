#include "est/certs_only.h"

#include "ca/der.h"

enum { INTEGER = 0x02, SEQUENCE = 0x30, SET = 0x31, EXPLICIT_0 = 0xa0, CERTIFICATES = 0xa0 };

void certs_only_write(struct bytes certificates, struct buf *ret)
{
	static const uint8_t version = 1; /* RFC 5652, 5.1: certificates of the usual kind, content of type data */
	struct der d = der_writer(ret);

	der_open(&d, SEQUENCE);
	der_put_oid(&d, "1.2.840.113549.1.7.2"); /* id-signedData */
	der_open(&d, EXPLICIT_0);
	der_open(&d, SEQUENCE);
	der_put(&d, INTEGER, BYTES(&version, 1));
	der_put(&d, SET, BYTES("", 0));
	der_open(&d, SEQUENCE);
	der_put_oid(&d, "1.2.840.113549.1.7.1"); /* id-data */
	der_close(&d);
	der_put(&d, CERTIFICATES, certificates);
	der_put(&d, SET, BYTES("", 0));
	der_close(&d);
	der_close(&d);
	der_close(&d);
}

/* A short text stands on one line. A longer one is broken as PEM is, for libest reads no line of more than
 * 1024; but strongSwan before 5.9.11, which sends neither of these headers, reads no text of several. */
enum { LINE_MAX = 1000, COLUMNS = 64 };

static bool wants_lines(const struct http_request *request)
{
	return http_header(request, "User-Agent") || http_header(request, "Accept");
}

void certs_only_wrap(const struct http_request *request, struct bytes der, struct buf *ret)
{
	auto_value(buf) text = {0};

	buf_add_base64(&text, der);
	if (text.failed)
		ret->failed = true;
	size_t columns = text.len >= LINE_MAX && wants_lines(request) ? COLUMNS : text.len;
	for (size_t at = 0; at < text.len; at += columns) {
		buf_add(ret, text.data + at, text.len - at < columns ? text.len - at : columns);
		buf_add_char(ret, '\n');
	}
}

bool certs_only_reply(const struct http_request *request, const char *content_type, struct bytes certificates,
                      struct http_response *response, struct problem *p)
{
	auto_value(buf) der = {0};

	certs_only_write(certificates, &der);
	if (!buf_check(&der, p))
		return false;
	certs_only_wrap(request, buf_bytes(&der), &response->body);
	response->status = 200;
	response->content_type = content_type;
	http_response_header(response, "Content-Transfer-Encoding", "base64"); /* RFC 8951, 2.1: means nothing; some clients want it */
	return buf_check(&response->body, p);
}
