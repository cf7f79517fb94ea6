/* Content in chunks: however it arrives, it is the same, within its bounds. */
#include <stdlib.h>

#include "server/chunked.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX = 1000 };

static void must(bool holds)
{
	if (!holds)
		abort();
}

/* 0: it is not whole, or refused. */
static size_t read_all(struct bytes in, size_t step, struct buf *ret)
{
	struct chunked chunked = {0};
	auto_value(problem) p = {0};
	size_t at = 0, n;

	while ((n = chunked_wants(&chunked)) > 0) {
		n = n < step ? n : step;
		if (n > in.len - at || !chunked_feed(&chunked, BYTES(in.data + at, n), MAX, ret, &p))
			return 0;
		at += n;
		must(ret->len <= MAX);
	}
	return at;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_value(buf) whole = {0}, parts = {0};
	size_t a = read_all(BYTES(data, size), SIZE_MAX, &whole), b = read_all(BYTES(data, size), 1, &parts);

	must(a == b && a <= size && (a == 0 || bytes_equal(buf_bytes(&whole), buf_bytes(&parts))));
	return 0;
}
