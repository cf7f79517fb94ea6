/* Configuration text: whatever it is, it is taken whole or refused in words, and leaks nothing. */
#include <assert.h>

#include "server/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_struct(config) *config = NULL;
	auto_struct(profiles) *profiles = NULL;
	auto_value(problem) p = {0};
	if (size > 16384)
		return 0;
	if (!config_parse("f", BYTES(data, size), &config, &p)) {
		assert(!config && p.kind == PROBLEM_MALFORMED && str_starts(p.detail, "f:"));
		return 0;
	}
	assert(config->listener_count > 0 && config->profile_count > 0);
	if (config->key_blocklists.n > 0)
		return 0; /* names of files */
	bool ok = config_profiles(config, &profiles, &p);
	assert(ok);
	return 0;
}
