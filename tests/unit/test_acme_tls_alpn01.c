#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "acme/tls_alpn01.h"
#include "base/clock.h"
#include "base/digest.h"
#include "tests/unit/fake_dns.h"
#include "tests/unit/fake_http.h"

#define KEY_AUTHORIZATION "token.thumbprint"
#define IDENTIFIER "1.3.6.1.5.5.7.1.31"
#define LEGACY "1.3.6.1.5.5.7.1.30.1"

enum { CRITICAL = 1, WRONG = 2, LONG = 4, RAW = 8 };

/* How a certificate is made, and what becomes of it. */
struct row {
	const char *type, *value;     /* identifier */
	const char *names[2];         /* subjectAltName extensions */
	struct {
		const char *oid;
		int how;
	} proofs[2];
	long days;                    /* until it ends */
	bool foreign;                 /* signed by another key */
	const char *want;             /* NULL: it is the proof */
};

static void add_names(X509 *certificate, const char *text)
{
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, text);

	assert_non_null(e);
	assert_int_equal(X509_add_ext(certificate, e, -1), 1);
	X509_EXTENSION_free(e);
}

static void add_proof(X509 *certificate, const char *oid, int how)
{
	uint8_t value[36] = { 4, 32 };
	auto(ASN1_OBJECT) *object = OBJ_txt2obj(oid, 1);
	auto(ASN1_OCTET_STRING) *data = ASN1_OCTET_STRING_new();
	X509_EXTENSION *e;

	digest_sha256(BYTES_STR(KEY_AUTHORIZATION), value + 2);
	if (how & WRONG)
		value[33] ^= 1;
	if (how & RAW) /* the digest itself instead of an OCTET STRING of it */
		ASN1_OCTET_STRING_set(data, value + 2, 32);
	else
		ASN1_OCTET_STRING_set(data, value, how & LONG ? 35 : 34);
	e = X509_EXTENSION_create_by_OBJ(NULL, object, how & CRITICAL, data);
	assert_int_equal(X509_add_ext(certificate, e, -1), 1);
	X509_EXTENSION_free(e);
}

static X509 *make(const struct row *row)
{
	X509 *certificate = X509_new();
	auto(EVP_PKEY) *key = EVP_EC_gen("P-256"), *other = EVP_EC_gen("P-256");

	X509_set_version(certificate, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
	X509_gmtime_adj(X509_getm_notBefore(certificate), -3 * 86400);
	X509_gmtime_adj(X509_getm_notAfter(certificate), (row->days ? row->days : 1) * 86400);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8, (const uint8_t *)"acme", -1, -1, 0);
	X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
	X509_set_pubkey(certificate, key);
	for (size_t i = 0; i < 2 && row->names[i]; i++)
		add_names(certificate, row->names[i]);
	for (size_t i = 0; i < 2 && row->proofs[i].oid; i++)
		add_proof(certificate, row->proofs[i].oid, row->proofs[i].how);
	assert_true(X509_sign(certificate, row->foreign ? other : key, EVP_sha256()) > 0);
	return certificate;
}

#define GOOD .proofs = { { IDENTIFIER, CRITICAL } }

static void judges_certificates(void **state)
{
	static const struct row rows[] = {
		{ "dns", "a.example", { "DNS:a.example" }, GOOD },
		{ "dns", "a.example", { "DNS:A.EXAMPLE" }, GOOD },
		{ "ip", "192.0.2.1", { "IP:192.0.2.1" }, GOOD },
		{ "ip", "2001:db8::1", { "IP:2001:db8::1" }, GOOD },
		{ "dns", "a.example", { "DNS:b.example" }, GOOD, .want = "another name" },
		{ "dns", "a.example", { "DNS:a.example,DNS:a.example" }, GOOD, .want = "2 names" },
		{ "dns", "a.example", { "DNS:a.example,IP:192.0.2.1" }, GOOD, .want = "2 names" },
		{ "dns", "a.example", { "DNS:a.example", "DNS:a.example" }, GOOD, .want = "two subjectAltName" },
		{ "dns", "a.example", { NULL }, GOOD, .want = "no subjectAltName" },
		{ "dns", "a.example", { "DNS:*.example" }, GOOD, .want = "another name" },
		{ "dns", "a.example", { "URI:https://a.example/" }, GOOD, .want = "another name" },
		{ "dns", "a.example", { "URI:a.example" }, GOOD, .want = "another name" },
		{ "dns", "a.example", { "DNS:a.example.b.example" }, GOOD, .want = "another name" },
		{ "ip", "192.0.2.1", { "DNS:192.0.2.1" }, GOOD, .want = "another name" },
		{ "ip", "65.66.67.68", { "DNS:ABCD" }, GOOD, .want = "another name" }, /* the address's octets */
		{ "ip", "192.0.2.1", { "IP:c000:201::" }, GOOD, .want = "another name" },
		{ "ip", "192.0.2.1", { "IP:192.0.2.2" }, GOOD, .want = "another name" },
		{ "dns", "192.0.2.1", { "IP:192.0.2.1" }, GOOD, .want = "another name" },
		{ "dns", "a.example", { "DNS:a.example" }, .want = "no acmeIdentifier" },
		{ "dns", "a.example", { "DNS:a.example" }, .proofs = { { IDENTIFIER, 0 } }, .want = "not critical" },
		{ "dns", "a.example", { "DNS:a.example" }, .proofs = { { IDENTIFIER, CRITICAL | WRONG } }, .want = "not the SHA-256" },
		{ "dns", "a.example", { "DNS:a.example" }, .proofs = { { IDENTIFIER, CRITICAL | LONG } }, .want = "not the SHA-256" },
		{ "dns", "a.example", { "DNS:a.example" }, .proofs = { { IDENTIFIER, CRITICAL | RAW } }, .want = "not the SHA-256" },
		{ "dns", "a.example", { "DNS:a.example" }, .proofs = { { IDENTIFIER, CRITICAL }, { IDENTIFIER, CRITICAL } }, .want = "several" },
		{ "dns", "a.example", { "DNS:a.example" }, .proofs = { { LEGACY, CRITICAL } }, .want = "of a draft" },
		{ "dns", "a.example", { "DNS:a.example" }, .proofs = { { IDENTIFIER, CRITICAL }, { LEGACY, CRITICAL } }, .want = "of a draft" },
		{ "dns", "a.example", { "DNS:a.example" }, GOOD, .days = -1 }, /* it has ended: no rule of the text */
		{ "dns", "a.example", { "DNS:a.example" }, GOOD, .foreign = true, .want = "its own key" },
	};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		auto(X509) *certificate = make(&rows[i]);
		auto_value(problem) p = {0};
		const struct probe_task task = {
			.type = rows[i].type, .value = rows[i].value, .key_authorization = KEY_AUTHORIZATION,
		};
		bool good = tls_alpn01_judge(certificate, &task, &p);

		if (good != !rows[i].want || (!good && !strstr(p.detail, rows[i].want)))
			fail_msg("row %zu: %s", i, good ? "good" : p.detail);
		assert_true(good || p.kind == PROBLEM_INCORRECT_RESPONSE);
	}
}

static void names_servers(void **state)
{
	static const struct {
		const char *type, *value, *want;
	} rows[] = {
		{ "dns", "a.example", "a.example" },
		{ "dns", "192.0.2.16", "192.0.2.16" },
		{ "ip", "192.0.2.16", "16.2.0.192.in-addr.arpa" },
		/* RFC 8738, 6 */
		{ "ip", "2001:db8::1", "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa" },
	};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		const struct probe_task task = { .type = rows[i].type, .value = rows[i].value };
		auto_value(buf) name = {0};

		tls_alpn01_server_name(&task, &name);
		assert_string_equal(buf_text(&name), rows[i].want);
	}
}

static void hang_up(struct fake_http *server, int fd, const char *request)
{
	(void)server, (void)fd, (void)request;
}

/* At the name's IPv6 address nobody answers; who listens at the other hangs up, which shows that he was asked. */
static void ipv4_has_its_turn_when_time_is_short(void **state)
{
	static const struct fake_record records[] = {
		{ .name = "both.example", .type = FAKE_A, .value = "127.0.0.1" },
		{ .name = "both.example", .type = FAKE_AAAA, .value = "::1" },
		{ 0 },
	};
	static const struct probe_task task = {
		.type = "dns", .value = "both.example", .key_authorization = KEY_AUTHORIZATION,
	};
	struct fake_http here = { .handler = hang_up };
	struct fake_dns names;
	auto_value(problem) p = {0};
	auto_value(strings) resolvers = {0};
	auto_value(addr_list) allow = {0};
	auto_struct(dns) *dns = NULL;
	auto_struct(tls_alpn01) *alpn = NULL;
	int filler;

	(void)state;
	fake_http_start(&here);
	fake_dns_start(&names, records);
	int full = fake_http_full(here.port, &filler);
	assert_true(strings_add(&resolvers, names.resolver) && addr_list_add(&allow, "127.0.0.0/8", &p) &&
	            addr_list_add(&allow, "::1", &p));
	assert_true(dns_open(&(struct dns_options){ .resolvers = &resolvers }, &dns, &p));
	const struct tls_alpn01_options options = {
		.port = here.port, .rules.allow = &allow, .timeout_ms = 1500, .dns = dns,
	};
	assert_true(tls_alpn01_open(&options, &alpn, &p));
	assert_false(tls_alpn01_prove(alpn, &task, &p));
	assert_int_equal(p.kind, PROBLEM_TLS);
	assert_non_null(strstr(p.detail, "both.example: 127.0.0.1 port "));
	close(filler);
	close(full);
	fake_dns_stop(&names);
	fake_http_stop(&here);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(judges_certificates),
		cmocka_unit_test(names_servers),
		cmocka_unit_test(ipv4_has_its_turn_when_time_is_short),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
