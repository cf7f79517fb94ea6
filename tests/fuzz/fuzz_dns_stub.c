/* A datagram that comes back for one of two questions: what is taken is an answer to it, whole and to the point, and what
 * is read of it are addresses. The statics of the stub are tried as they are. */
#include <stdlib.h>

#include "acme/dns_answer.h"
#include "acme/dns_stub.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void try_addresses(const struct dns_question *q)
{
	struct addr v[8];
	size_t n = 0;
	int rcode;

	must(dns_answer_read(buf_bytes(&q->message), q->type, v, array_length(v), &n, &rcode));
	for (size_t i = 0; i < n; i++)
		must(v[i].family == AF_INET || v[i].family == AF_INET6);
	must(rcode == q->rcode && n <= array_length(v));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dns_question v[] = {
		{ .name = "host.example.com", .type = DNS_TYPE_A }, { .name = "host.example.com", .type = DNS_TYPE_AAAA },
	};
	struct asked asked[array_length(v)] = {0};
	const struct bytes message = BYTES(data, size < MESSAGE_MAX ? size : MESSAGE_MAX);

	for (size_t i = 0; i < array_length(v); i++)
		must(write_question(&v[i], 0x1234, &asked[i]));
	size_t i = find(asked, array_length(v), message);
	if (i < array_length(v) && take_answer(&asked[i], &v[i], message)) {
		must(asked[i].done && v[i].message.len == message.len && find(asked, array_length(v), message) != i);
		try_addresses(&v[i]);
	}
	for (i = 0; i < array_length(v); i++)
		dns_question_clear(&v[i]);
	return 0;
}
