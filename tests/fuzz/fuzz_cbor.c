/* CBOR from outside: what was read stays within the run and within the input. */
#include "base/cbor.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t walk(const struct cbor *item, const uint8_t *data, size_t size, unsigned depth)
{
	bool container = item->kind == CBOR_ARRAY || item->kind == CBOR_MAP;
	size_t children = container ? item->count * (item->kind == CBOR_MAP ? 2 : 1) : 0, used = 1;
	const struct cbor *at = item + 1;

	if (depth > CBOR_DEPTH_MAX)
		abort();
	if (item->bytes.len > 0 && (item->bytes.data < data || item->bytes.data + item->bytes.len > data + size))
		abort();
	for (size_t i = 0; i < children; i++, at = cbor_after(at))
		used += walk(at, data, size, depth + 1);
	if (used != item->span)
		abort();
	return used;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct cbor_run run;
	auto_value(problem) p = {0};

	if (!cbor_read(BYTES(data, size), &run, &p)) {
		if (!problem_is_set(&p))
			abort();
		return 0;
	}
	if (walk(&run.item[0], data, size, 0) > CBOR_ITEMS_MAX)
		abort();
	if (run.item[0].kind == CBOR_MAP && cbor_of(&run.item[0], "fmt", CBOR_TEXT) && size < 4)
		abort();
	return 0;
}
