#include "admin/api_ask.h"

#include <openssl/err.h>
#include <stdio.h>

#include "base/clock.h"

/* --- the CSR */

static const char csr_label[] = "CERTIFICATE REQUEST", new_csr_label[] = "NEW CERTIFICATE REQUEST";

static bool has_label(const char *text, const char *label)
{
	auto_free char *line = mem_printf("-----BEGIN %s-----", label);

	return line && strstr(text, line);
}

static bool is_self_signed(const char *text)
{
	auto_value(buf) der = {0};
	auto_value(problem) ignored = {0};

	if (!ossl_from_pem("CERTIFICATE", BYTES_STR(text), &der, &ignored))
		return false;
	const uint8_t *at = der.data;
	auto(X509) *certificate = d2i_X509(NULL, &at, (long)der.len);
	bool is = certificate &&
	          X509_NAME_cmp(X509_get_subject_name(certificate), X509_get_issuer_name(certificate)) == 0;
	ERR_clear_error();
	return is;
}

/* What people paste in its place. */
static const char *mistaken(const char *text)
{
	if (strstr(text, "PRIVATE KEY-----"))
		return "expected a CSR, got a private key: what was sent to a server is not private any more";
	if (!has_label(text, "CERTIFICATE"))
		return "expected a CSR as PEM, from BEGIN CERTIFICATE REQUEST to END CERTIFICATE REQUEST";
	return is_self_signed(text) ? "Self-signed certificates are not supported for CSR signing"
	                            : "expected a CSR, got a certificate";
}

bool api_ask_csr(const struct json *body, struct buf *ret, struct problem *parts)
{
	const char *text = json_member_string(body, "csr") ?: "";
	const char *label = has_label(text, new_csr_label) ? new_csr_label : csr_label;
	auto_value(problem) why = {0};

	if (text[strspn(text, " \t\r\n")] == '\0')
		return problem_add_field(parts, PROBLEM_BAD_CSR, "csr", NULL, "CSR cannot be empty");
	if (strstr(text, "PRIVATE KEY-----") || !has_label(text, label))
		return problem_add_field(parts, PROBLEM_BAD_CSR, "csr", NULL, "%s", mistaken(text));
	if (ossl_from_pem(label, BYTES_STR(text), ret, &why))
		return ret->len > 0 || problem_add_field(parts, PROBLEM_BAD_CSR, "csr", NULL, "CSR cannot be empty");
	if (why.kind == PROBLEM_MALFORMED)
		return problem_add_field(parts, PROBLEM_BAD_CSR, "csr", NULL, "%s", why.detail);
	return api_gather(parts, &why, "csr");
}

/* --- the life */

bool api_ask_ttl(const char *text, int64_t *ret)
{
	static const struct {
		char unit;
		int64_t seconds;
	} units[] = { { 'h', 3600 }, { 'd', 86400 }, { 'm', 30 * 86400 }, { 'y', 365 * 86400 } };
	int64_t n = 0;
	size_t digits = strspn(text, "0123456789");

	if (digits == 0 || digits > 6 || strlen(text) != digits + 1)
		return false;
	for (size_t i = 0; i < digits; i++)
		n = n * 10 + (text[i] - '0');
	for (size_t i = 0; i < array_length(units); i++) {
		if (units[i].unit != text[digits])
			continue;
		*ret = n * units[i].seconds;
		return n > 0;
	}
	return false;
}

static int64_t time_of(const struct json *attributes, const char *name)
{
	const char *text = json_member_string(attributes, name);
	int64_t t = 0;

	return text && clock_parse(text, &t) ? (t ?: 1)
	                                     : 0; /* 0 is not asked; the schema has refused what is no time */
}

void api_ask_period(const struct json *body, struct issuance *e, struct problem *parts)
{
	const struct json *attributes = json_member(body, "attributes");
	const char *ttl = json_member_string(attributes, "ttl");

	e->wish.validity_field = "attributes.ttl";
	e->wish.not_before_field = "attributes.notBefore";
	e->wish.not_after_field = "attributes.notAfter";
	e->wish.not_before = time_of(attributes, "notBefore");
	e->wish.not_after = time_of(attributes, "notAfter");
	if (ttl && !api_ask_ttl(ttl, &e->wish.validity))
		problem_add_field(parts, PROBLEM_MALFORMED, "attributes.ttl", ttl,
		                  "expected a number and one of h, d, m (30 days), y (365 days), as `90d`");
	if (ttl && (json_member(attributes, "notBefore") || json_member(attributes, "notAfter"))) {
		problem_add_field(parts, PROBLEM_MALFORMED, "attributes.ttl", ttl,
		                  "cannot be given together with notBefore or notAfter");
		e->wish.validity = 0; /* it is said */
	}
}

/* --- metadata */

/* A search for KEY=VALUE could mean another key (admin/search.c). */
static void check_key(const char *key, size_t i, struct problem *parts)
{
	char field[40];

	snprintf(field, sizeof(field), "metadata[%zu].key", i);
	if (strchr(key, '='))
		problem_add_field(parts, PROBLEM_MALFORMED, field, key, "has a `=`, which ends a key where it is searched for");
}

bool api_ask_metadata(const struct json *body, struct record_list *ret, struct problem *parts)
{
	const struct json *list = json_member(body, "metadata");
	size_t n = json_length(list);
	struct certificate_metadata *v = calloc(n + 1, sizeof(*v));

	if (!v)
		return problem_memory(parts);
	for (size_t i = 0; i < n; i++) {
		v[i].key = json_member_string(json_at(list, i), "key");
		v[i].value = json_member_string(json_at(list, i), "value");
		check_key(v[i].key, i, parts);
		for (size_t k = 0; k < i; k++)
			if (str_equal(v[k].key, v[i].key))
				problem_add_field(parts, PROBLEM_MALFORMED, "metadata", v[i].key,
				                  "`%s` stands twice", v[i].key);
	}
	*ret = (struct record_list){ v, n };
	return true;
}
