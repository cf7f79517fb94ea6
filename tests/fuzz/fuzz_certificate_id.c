/* Names of certificates in renewal information (RFC 9773, 4.1): what parses is written again as the same
 * text, so that no two texts name one certificate. */
#include <stdlib.h>

#include "acme/certificate_id.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_value(buf) text = { 0 }, again = { 0 };
	auto_value(problem) p = { 0 };
	struct certificate_id id;

	buf_add(&text, data, size);
	if (!text.data)
		return 0;
	if (!certificate_id_parse(buf_text(&text), "the path", &id, &p)) {
		must(p.kind == PROBLEM_MALFORMED);
		return 0;
	}
	must(id.key_id_len > 0 && id.serial_len > 0 && id.serial[0] != 0);
	certificate_id_write(BYTES(id.key_id, id.key_id_len), BYTES(id.serial, id.serial_len), &again);
	must(strcmp(buf_text(&again), buf_text(&text)) == 0);
	return 0;
}
