/* However a web server's reply is cut on its way, it is read as if it had come at once. */
#include <stdlib.h>

#include "acme/http_reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void read_cut(struct bytes data, size_t step, struct http_reply *reply, struct fetch *get)
{
	bool more = true;

	http_reply_begin(reply, get);
	for (size_t i = 0; i < data.len && more; i += step)
		more = http_reply_feed(reply, BYTES(data.data + i, data.len - i < step ? data.len - i : step));
	http_reply_end(reply);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fetch a = {0}, b = {0};
	struct http_reply whole, parts;

	if (size == 0)
		return 0;
	struct bytes text = BYTES(data + 1, size - 1);
	read_cut(text, text.len + 1, &whole, &a);
	read_cut(text, 1 + data[0] % 16, &parts, &b);
	must(whole.state == HTTP_REPLY_DONE || whole.state == HTTP_REPLY_BROKEN);
	must((whole.state == HTTP_REPLY_BROKEN) == (whole.fault != NULL));
	must(whole.state == parts.state && whole.fault == parts.fault && a.status == b.status && str_equal(a.location, b.location));
	must(a.too_long == b.too_long && (a.too_long || bytes_equal(BYTES(a.body, a.body_len), BYTES(b.body, b.body_len))));
	return 0;
}
