/* A head that head.c lets through must be to civetweb, whose reading counts, the very same head: as
 * long, with the same lines. Two readings of one request are how requests are smuggled. */
#include <stdlib.h>

#include "server/civetweb_seam.h"
#include "server/head.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

/* Feeding in two parts must end as feeding at once. */
static struct head scan(const uint8_t *data, size_t size)
{
	struct head whole = {0}, parts = {0};
	size_t cut = size > 0 ? data[0] % (size + 1) : 0;

	head_feed(&whole, data, size);
	head_feed(&parts, data, cut);
	head_feed(&parts, data + cut, size - cut);
	must(whole.state == parts.state && whole.length == parts.length && whole.fault == parts.fault);
	must(whole.length <= size && whole.length <= HEAD_SIZE_MAX && !(whole.fault && head_is_whole(&whole)));
	return whole;
}

/* Line i of the head, without its CRLF. */
static struct bytes line_of(struct bytes head, size_t i)
{
	while (i-- > 0) {
		const uint8_t *end = memmem(head.data, head.len, "\r\n", 2);
		must(end);
		head.len -= (size_t)(end + 2 - head.data);
		head.data = end + 2;
	}
	const uint8_t *end = memmem(head.data, head.len, "\r\n", 2);
	must(end);
	return BYTES(head.data, (size_t)(end - head.data));
}

static void check_line(struct bytes line, const struct http_header *header)
{
	size_t name = strlen(header->name);
	size_t gap = name + 1;

	must(line.len > name && line.data[name] == ':');
	while (gap < line.len && line.data[gap] == ' ')
		gap++;
	must(memcmp(line.data, header->name, name) == 0);
	must(bytes_equal(BYTES(line.data + gap, line.len - gap), BYTES_STR(header->value)));
}

static bool is_civetwebs_method(const char *method)
{
	static const char *const known[] = { "GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH" };

	for (size_t i = 0; i < array_length(known); i++)
		if (str_equal(known[i], method))
			return true;
	return false;
}

/* What is read must stand on its own: a path, a base without user information or a second host. */
static void check_request(const struct request_head *head)
{
	struct strings names = { .v = (char *[]){ (char[]){ "a" }, (char[]){ "::1" } }, .n = 2 };
	struct request_place place = { .scheme = "https", .names = &names, .authority = "127.0.0.1:1" };
	struct request r = {0};
	auto_value(problem) p = {0};

	if (!request_read(&place, head, &r, &p)) {
		must(problem_is_set(&p) && problem_status(&p) >= 400);
		return;
	}
	must(*r.http.path == '/' || str_equal(r.http.path, "*"));
	must(!strchr(r.http.path, '?') && !strchr(r.http.path, ' '));
	must(str_starts(r.http.base_url, "https://") && !strpbrk(r.http.base_url + 8, "/@?# \""));
	must(r.content_length < 1000000000000000000);
	must(r.chunked == (http_header(&r.http, "Transfer-Encoding") != NULL));
	must(!r.chunked || (!r.has_length && r.content_length == 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct head head = scan(data, size);
	struct http_header headers[HTTP_HEADERS_MAX];
	struct request_head parsed;

	if (!head_is_whole(&head))
		return 0;
	auto_free char *text = malloc(size);
	must(text);
	memcpy(text, data, size);
	size_t used = seam_parse(text, size, headers, &parsed);
	if (used == 0) { /* civetweb knows few methods */
		must(parsed.method && !is_civetwebs_method(parsed.method));
		return 0;
	}
	must(used == head.length && parsed.header_count == head.lines);
	struct bytes whole = BYTES(data, head.length);
	size_t first = data[0] == '\r' ? 2 : 1;
	for (size_t i = 0; i < parsed.header_count; i++)
		check_line(line_of(whole, first + i), &headers[i]);
	check_request(&parsed);
	return 0;
}
