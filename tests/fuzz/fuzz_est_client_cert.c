/* The headers Client-Cert and Client-Cert-Chain, one a line: what is read is no longer than what was sent, and lies in
 * the buffer; then the chain as a manufacturer's. */
#include <stdlib.h>

#include "est/client_cert.h"
#include "policy/client_certificate.h"
#include "policy/trust.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static size_t split(char *text, struct http_header headers[8])
{
	size_t n = 0;
	char *save = NULL;

	for (char *line = strtok_r(text, "\n", &save); line && n < 8; line = strtok_r(NULL, "\n", &save))
		headers[n] = (struct http_header){ n == 0 ? "Client-Cert" : "Client-Cert-Chain", line }, n++;
	return n;
}

static void try_chain(const struct client_cert *shown)
{
	static const struct strings no_files;
	static struct trust *trust;
	auto_value(trust_device) device = {0};
	auto_value(problem) p = {0};

	if (!trust)
		must(trust_load(&no_files, &trust, &p));
	must(!trust_check(trust, shown->chain, shown->n, 1800000000, &device, &p) && problem_is_set(&p));
	must(!client_certificate_claims(NULL, 0, shown->chain[0]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct http_header headers[8];
	auto_free char *text = strndup((const char *)data, size);
	auto_value(addr_list) proxies = {0};
	auto_value(client_cert) shown = {0};
	auto_value(problem) p = {0};

	must(text);
	struct http_request request = { .headers = headers, .header_count = split(text, headers) };
	must(addr_parse("192.0.2.7", &request.peer) && addr_list_add(&proxies, "192.0.2.7", &p));
	if (!client_cert_read(&request, &proxies, &shown, &p)) {
		must(problem_is_set(&p));
		return 0;
	}
	must(shown.n <= CLIENT_CERT_MAX && shown.der.len <= size);
	for (size_t i = 0; i < shown.n; i++)
		must(shown.chain[i].data >= shown.der.data && shown.chain[i].data + shown.chain[i].len <= shown.der.data + shown.der.len);
	if (shown.n > 0)
		try_chain(&shown);
	return 0;
}
