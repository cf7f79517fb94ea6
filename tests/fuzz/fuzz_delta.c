/* Deltas: the first byte says how much of the rest is a reference, and whether the remainder is a delta to it or what
 * one is to be made of. What is decoded keeps its bound; what is encoded comes back. */
#include <stdlib.h>

#include "base/delta.h"

enum { MAX = 4096 };

static void decode(struct bytes reference, struct bytes delta)
{
	auto_value(buf) out = {0};

	if (delta_decode(reference, delta, MAX, &out) && out.len > MAX)
		abort();
}

static void encode(struct bytes reference, struct bytes in)
{
	auto_value(buf) delta = {0};
	auto_value(buf) out = {0};

	delta_encode(reference, in, &delta);
	if (delta.failed || !delta_decode(reference, buf_bytes(&delta), in.len, &out) || !bytes_equal(buf_bytes(&out), in))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	size_t len = (size - 1) * (data[0] >> 1) / 128;
	struct bytes reference = BYTES(data + 1, len), rest = BYTES(data + 1 + len, size - 1 - len);

	if (data[0] & 1)
		decode(reference, rest);
	else
		encode(reference, rest);
	return 0;
}
