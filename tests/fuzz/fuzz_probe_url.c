/* What a web server may send as Location: wherever it leads, a request goes to a plain host. */
#include <assert.h>
#include <stdint.h>

#include "acme/probe_http.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
	auto_struct(probe_url) *url = NULL;
	auto_value(problem) p = {0};
	auto_free char *location = strndup((const char *)data, size < PROBE_LOCATION_MAX ? size : PROBE_LOCATION_MAX);
	struct probe_url_parts parts;
	struct addr addr;
	bool parsed = probe_url_parse("http://www.example.com/.well-known/acme-challenge/token", &url, &p);

	assert(parsed);
	if (!probe_url_follow(url, location) || !probe_url_parts(url, &parts))
		return 0;
	assert(parts.host[0] && (addr_parse(parts.host, &addr) || strspn(parts.host, allowed) == strlen(parts.host)));
	assert(parts.port <= 65535);
	return 0;
}
