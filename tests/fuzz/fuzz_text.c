/* Short texts of requests that are no protocol's own: times, networks, lives, queries, media types, credentials. */
#include <stdlib.h>

#include "admin/api_ask.h"
#include "base/addr.h"
#include "base/clock.h"
#include "base/http.h"
#include "policy/bearer.h"
#include "policy/enrollment_code.h"
#include "policy/pattern.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

/* What is read is what would be written. */
static void try_time(const char *text)
{
	char again[CLOCK_RFC3339_SIZE];
	int64_t t, same;

	if (!clock_parse(text, &t))
		return;
	clock_format(t, again);
	must(clock_parse(again, &same) && same == t);
}

static void try_network(const char *text)
{
	struct addr_net net;
	struct addr a;

	if (addr_net_parse(text, &net))
		must(addr_net_has(&net, &net.net) && net.prefix <= 8 * addr_length(&net.net));
	if (addr_parse(text, &a)) {
		char again[ADDR_TEXT_SIZE];
		struct addr same, host = addr_host(&a);
		addr_format(&a, again);
		must(addr_parse(again, &same) && addr_equal(&a, &same) && host.family == a.family);
	}
}

static void try_query(const char *text)
{
	const struct http_header headers[] = { { "Content-Type", text } };
	const struct http_request request = { .query = text, .headers = headers, .header_count = 1 };
	auto_value(buf) value = {0};

	if (http_query(&request, "a", &value))
		must(strlen(buf_text(&value)) == value.len && value.len <= strlen(text));
	if (http_is_type(&request, "application/json"))
		must(strlen(text) >= 16);
}

static void try_pattern(const char *text)
{
	const struct identifier names[] = {
		{ IDENTIFIER_DNS, "a.example.com" }, { IDENTIFIER_IP, "192.0.2.7" }, { IDENTIFIER_EMAIL, "a@example.com" },
		{ IDENTIFIER_URI, "https://example.com/a" },
	};
	auto_value(problem) p = {0};

	if (!pattern_typed_check(text, &p))
		return;
	for (size_t i = 0; i < array_length(names); i++)
		(void)!pattern_typed_any(&text, 1, &names[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_free char *text = strndup((const char *)data, size);
	int64_t seconds;

	must(text);
	try_time(text);
	try_network(text);
	try_query(text);
	try_pattern(text);
	if (api_ask_ttl(text, &seconds))
		must(seconds > 0);
	if (enrollment_code_is(text))
		must(strlen(text) == ENROLLMENT_CODE_SIZE - 1);
	return 0;
}
