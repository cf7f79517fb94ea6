/* A list of devices, as CSV or as JSON by the line: each row that is read names a device. */
#include <stdlib.h>

#include "admin/device_list.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_value(device_list) list = {0};
	auto_value(problem) p = {0};

	if (!device_list_read(BYTES(data, size), &list, &p)) {
		must(problem_is_set(&p) && list.n == 0);
		return 0;
	}
	for (size_t i = 0; i < list.n; i++) {
		struct problem ignored = {0};
		must(list.v[i].device || list.v[i].certificate);
		must(!list.v[i].device || credential_device_check(list.v[i].device, &ignored));
	}
	return 0;
}
