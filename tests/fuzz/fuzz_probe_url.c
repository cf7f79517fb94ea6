/* What a web server may send as Location: wherever it leads, a request goes to a plain host. */
#include <assert.h>
#include <stdint.h>

#include "base/fetch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
	auto_struct(fetch_url) *url = NULL;
	auto_value(problem) p = {0};
	auto_free char *location = strndup((const char *)data, size < FETCH_LOCATION_MAX ? size : FETCH_LOCATION_MAX);
	struct fetch_url_parts parts;
	struct addr addr;
	bool parsed = fetch_url_parse("http://www.example.com/.well-known/acme-challenge/token", &url, &p);

	assert(parsed);
	if (!fetch_url_follow(url, location) || !fetch_url_parts(url, &parts))
		return 0;
	assert(parts.host[0] && (addr_parse(parts.host, &addr) || strspn(parts.host, allowed) == strlen(parts.host)));
	assert(parts.port <= 65535);
	return 0;
}
