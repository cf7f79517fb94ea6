#include "acme/attestation.h"

#include <stdio.h>
#include <time.h>

#include "acme/attestation_statement.h"

static const struct format {
	const char *name;
	bool (*judge)(const struct attestation_statement *s, struct attestation *ret, struct problem *p);
} formats[] = {
#define X(upper, name, lower) { name, attestation_##lower },
	ATTESTATION_FORMATS(X)
#undef X
};

const char *attestation_format_name(enum attestation_format format)
{
	return formats[format].name;
}

bool attestation_format_from(const char *name, enum attestation_format *ret)
{
	for (size_t i = 0; i < array_length(formats); i++)
		if (str_equal(formats[i].name, name)) {
			*ret = (enum attestation_format)i;
			return true;
		}
	return false;
}

void attestation_free(struct attestation *attestation)
{
	buf_free(&attestation->key);
}

/* --- the object */

static bool refuse(struct problem *p, const char *why)
{
	return problem_set(p, PROBLEM_BAD_ATTESTATION, "the attestation object %s", why);
}

static bool refuse_format(const struct attestation_rules *rules, struct bytes name, struct problem *p)
{
	auto_value(buf) known = {0};

	for (size_t i = 0; i < array_length(formats); i++)
		if (rules->roots[i])
			buf_printf(&known, "%s\"%s\"", known.len ? ", " : "", formats[i].name);
	return problem_set(p, PROBLEM_BAD_ATTESTATION,
	                   "attestation format \"%.*s\" is not accepted here; accepted are %s",
	                   (int)(name.len < 32 ? name.len : 32), (const char *)name.data,
	                   known.len ? buf_text(&known) : "none");
}

static bool find_format(const struct attestation_rules *rules, struct bytes name, enum attestation_format *ret,
                        struct problem *p)
{
	for (size_t i = 0; i < array_length(formats); i++)
		if (rules->roots[i] && bytes_equal(name, BYTES_STR(formats[i].name))) {
			*ret = (enum attestation_format)i;
			return true;
		}
	return refuse_format(rules, name, p);
}

/* WebAuthn Level 3, 6.5.4. authData should be left out (the draft, 5), and counts where the statement signs it
 * alone; fields that are not known do not count. */
static bool read_object(const struct attestation_rules *rules, struct bytes object, struct cbor_run *run,
                        struct attestation_statement *ret, struct problem *p)
{
	auto_value(problem) why = {0};

	if (object.len > ATTESTATION_OBJECT_MAX)
		return problem_set(p, PROBLEM_BAD_ATTESTATION, "the attestation object is longer than %d bytes",
		                   ATTESTATION_OBJECT_MAX);
	if (!cbor_read(object, run, &why))
		return problem_set(p, PROBLEM_BAD_ATTESTATION, "the attestation object cannot be read: %s", why.detail);
	if (run->item[0].kind != CBOR_MAP)
		return refuse(p, "is not a CBOR map (WebAuthn, 6.5.4)");
	const struct cbor *format = cbor_of(&run->item[0], "fmt", CBOR_TEXT);
	if (!format)
		return refuse(p, "has no \"fmt\", a text (WebAuthn, 6.5.4)");
	if (!find_format(rules, format->bytes, &ret->format, p))
		return false;
	const struct cbor *auth_data = cbor_of(&run->item[0], "authData", CBOR_BYTES);
	ret->auth_data = auth_data ? auth_data->bytes : BYTES(NULL, 0);
	ret->fields = cbor_of(&run->item[0], "attStmt", CBOR_MAP);
	return ret->fields || refuse(p, "has no \"attStmt\", a map (WebAuthn, 6.5.4)");
}

/* --- its chain: in every format "x5c", an array of certificates, the device's own first */

static bool read_chain(const struct attestation_statement *s, struct bytes chain[TRUST_CHAIN_MAX], size_t *ret_count,
                       struct problem *p)
{
	const struct cbor *x5c = cbor_of(s->fields, "x5c", CBOR_ARRAY);

	if (!x5c || x5c->count == 0)
		return attestation_refuse(s, p, "there is no \"x5c\", an array of one certificate at least");
	if (x5c->count > TRUST_CHAIN_MAX)
		return attestation_refuse(s, p, "x5c has %zu certificates, at most %d are read", x5c->count,
		                          TRUST_CHAIN_MAX);
	const struct cbor *item = cbor_first(x5c);
	for (size_t i = 0; i < x5c->count; i++, item = cbor_after(item)) {
		if (item->kind != CBOR_BYTES || item->bytes.len == 0)
			return attestation_refuse(s, p, "certificate %zu of x5c is not a byte string that is "
			                          "not empty", i + 1);
		chain[i] = item->bytes;
	}
	*ret_count = x5c->count;
	return true;
}

/* No device is a CA, nor an anchor itself, and no root that has ended vouches for anything. */
static bool check_path(const struct attestation_statement *s, int64_t now, struct problem *p)
{
	int last = sk_X509_num(s->path) - 1;
	time_t at = (time_t)now;

	if (last < 1)
		return attestation_refuse(s, p, "the first certificate of x5c is a root of this server, not a "
		                          "device's");
	if (X509_check_ca(attestation_leaf(s)) == 1)
		return attestation_refuse(s, p, "the first certificate of x5c is a CA's, not a device's");
	if (X509_get_version(attestation_leaf(s)) != X509_VERSION_3)
		return attestation_refuse(s, p, "the first certificate of x5c is not of version 3");
	X509 *root = sk_X509_value(s->path, last);
	return (X509_cmp_time(X509_get0_notAfter(root), &at) > 0 &&
	        X509_cmp_time(X509_get0_notBefore(root), &at) < 0) ||
	       attestation_refuse(s, p, "the root that the chain leads to has expired or is not valid yet");
}

static bool verify_chain(const struct attestation_rules *rules, struct attestation_statement *s, int64_t now,
                         struct problem *p)
{
	struct bytes chain[TRUST_CHAIN_MAX];
	auto_value(problem) why = {0};
	size_t count = 0;

	if (!read_chain(s, chain, &count, p))
		return false;
	if (trust_path(rules->roots[s->format], chain, count, now, &s->path, &why))
		return check_path(s, now, p);
	return why.kind == PROBLEM_UNAUTHENTICATED ? attestation_refuse(s, p, "x5c: %s", why.detail)
	       : problem_memory(p);
}

bool attestation_read(const struct attestation_rules *rules, struct bytes object,
                      const struct attestation_challenge *challenge, int64_t now, struct attestation *ret,
                      struct problem *p)
{
	struct attestation_statement s = { .challenge = *challenge };
	auto_value(attestation) found = {0};
	struct cbor_run run;

	if (!read_object(rules, object, &run, &s, p))
		return false;
	bool good = verify_chain(rules, &s, now, p) && formats[s.format].judge(&s, &found, p);
	ossl_free_stack_x509(s.path);
	if (!good)
		return false;
	*ret = found;
	ret->format = s.format;
	found = (struct attestation){0};
	return true;
}

bool attestation_judge(const struct attestation_rules *rules, struct bytes object, struct bytes key_authorization,
                       int64_t now, struct attestation *ret, struct problem *p)
{
	const uint8_t *dot = memchr(key_authorization.data, '.', key_authorization.len);
	size_t token = dot ? (size_t)(dot - key_authorization.data) : key_authorization.len;
	const struct attestation_challenge challenge = {
		.to_be_signed = key_authorization,
		.key = key_authorization,
		.token = BYTES(key_authorization.data, token),
	};
	auto_value(attestation) found = {0};

	if (!attestation_read(rules, object, &challenge, now, &found, p))
		return false;
	if (found.name_count == 0)
		return problem_set(p, PROBLEM_BAD_ATTESTATION,
		                   "attestation of format \"%s\": it names no device (the draft, 5)",
		                   attestation_format_name(found.format));
	*ret = found;
	found = (struct attestation){0};
	return true;
}

/* --- whose it is */

/* "value", or "value/oid" (the draft, 3.1 and 4.1); a hardware module's always has its type. */
static bool name_matches(const struct attestation_name *name, bool hardware, const char *value)
{
	size_t len = strlen(name->value);

	if (name->hardware != hardware || strncmp(name->value, value, len) != 0)
		return false;
	if (value[len] == '\0')
		return !hardware;
	return value[len] == '/' && name->oid[0] != '\0' && str_equal(name->oid, value + len + 1);
}

static void list_names(const struct attestation *a, struct buf *ret)
{
	for (size_t i = 0; i < a->name_count; i++) {
		const struct attestation_name *n = &a->names[i];
		buf_printf(ret, "%s%s \"%s%s%s\"", i ? ", " : "",
		           n->hardware ? "hardware-module" : "permanent-identifier",
		           n->value, n->oid[0] ? "/" : "", n->oid);
	}
}

bool attestation_check_name(const struct attestation *attestation, const char *type, const char *value,
                            struct problem *p)
{
	bool hardware = str_equal(type, "hardware-module");
	auto_value(buf) names = {0};

	for (size_t i = 0; i < attestation->name_count; i++)
		if (name_matches(&attestation->names[i], hardware, value))
			return true;
	list_names(attestation, &names);
	return problem_set(p, PROBLEM_BAD_ATTESTATION, "the attestation (format \"%s\") is not of %s \"%s\" but of %s",
	                   attestation_format_name(attestation->format), type, value, buf_text(&names));
}
