/* DNS messages: the first byte chooses the type, the rest is a message that libunbound might hand over. What is
 * read stays within it, and a text is as long as its strings together. */
#include "acme/dns_answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool held)
{
	if (!held)
		abort();
}

static void text_try(struct bytes data)
{
	static char all[65536];
	char text[64];
	size_t len, again;

	if (!dns_answer_text(data, text, sizeof(text), &len))
		return;
	check(len <= data.len && strlen(text) <= len && strlen(text) < sizeof(text));
	check(dns_answer_text(data, all, sizeof(all), &again) && again == len && memcmp(all, text, strlen(text)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const int types[] = { DNS_TYPE_A, DNS_TYPE_AAAA, DNS_TYPE_TXT, DNS_TYPE_CAA, DNS_TYPE_CNAME };
	struct dns_answer answer;
	struct bytes record, message;
	struct addr v[4];
	size_t n;
	int rcode, type;

	if (size == 0)
		return 0;
	type = types[data[0] % array_length(types)];
	message = BYTES(data + 1, size - 1);
	if (!dns_answer_open(message, type, &answer)) {
		check(!dns_answer_read(message, type, v, array_length(v), &n, &rcode));
		return 0;
	}
	while (dns_answer_next(&answer, &record)) {
		check(record.data >= message.data && record.data + record.len <= message.data + message.len);
		text_try(record);
	}
	check(dns_answer_read(message, type, v, array_length(v), &n, &rcode) && n <= array_length(v));
	return 0;
}
