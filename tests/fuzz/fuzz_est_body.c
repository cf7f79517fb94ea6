/* The body of an EST request: what is read is no longer than what was sent, and what is read once is read
 * the same from plain base64. */
#include <stdlib.h>

#include "est/body.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_value(buf) der = {0}, text = {0}, again = {0};
	auto_value(problem) p = {0};

	if (!body_read(BYTES(data, size), &der, &p)) {
		must(problem_is_set(&p) && der.len == 0);
		return 0;
	}
	must(der.len <= size);
	buf_add_base64(&text, buf_bytes(&der));
	if (der.len == 0 || der.data[0] != 0x30) /* a request is a SEQUENCE; other text may look like DER itself */
		return 0;
	must(body_read(buf_bytes(&text), &again, &p) && bytes_equal(buf_bytes(&der), buf_bytes(&again)));
	return 0;
}
