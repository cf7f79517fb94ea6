/* Reading `attributes` of a request without a CSR. */
#include <stdio.h>

#include "admin/managed.h"
#include "admin/managed_word.h"

enum { DAY = 86400 };

#define wrong(field, value, ...) problem_add_field(parts, PROBLEM_MALFORMED, field, value, __VA_ARGS__)

static const struct {
	const char *name;
	enum subject_type type;
} subject_names[] = {
	{ "commonName", SUBJECT_CN },
	{ "organization", SUBJECT_O },
	{ "organizationalUnit", SUBJECT_OU },
	{ "country", SUBJECT_C },
	{ "state", SUBJECT_ST },
	{ "locality", SUBJECT_L },
	{ "domainComponents", SUBJECT_DC },
	{ "emailAddress", SUBJECT_EMAIL },
	{ "serialNumber", SUBJECT_SERIAL_NUMBER },
};
static const char *const other_names[] = {
	"altNames", "keyAlgorithm", "signatureAlgorithm", "keyUsages", "extendedKeyUsages", "basicConstraints",
};

static const char *name_at(size_t i)
{
	size_t n = array_length(subject_names);

	return i < n ? subject_names[i].name : i - n < array_length(other_names) ? other_names[i - n] : NULL;
}

/* An empty list says nothing: generated clients in Java write one for each list that was not set. */
static bool says(const struct json *attributes, const char *name)
{
	const struct json *j = json_member(attributes, name);

	return j && !(json_is_array(j) && json_length(j) == 0);
}

bool managed_is_asked(const struct json *attributes)
{
	for (size_t i = 0; name_at(i); i++)
		if (says(attributes, name_at(i)))
			return true;
	return false;
}

void managed_refuse(const struct json *attributes, struct problem *parts)
{
	for (size_t i = 0; name_at(i); i++) {
		char field[64];
		snprintf(field, sizeof(field), "attributes.%s", name_at(i));
		if (says(attributes, name_at(i)))
			wrong(field, NULL,
			      "is the CSR's to say: beside one, attributes say how long the certificate lives");
	}
}

void managed_free(struct managed *managed)
{
	subject_free(&managed->subject);
	identifiers_free(&managed->names);
	strings_free(&managed->upns);
	strings_free(&managed->extended_key_usage);
}

/* --- the subject */

static bool read_attribute(const char *field, enum subject_type type, const char *value, struct managed *ret,
                           struct problem *parts)
{
	auto_value(problem) why = {0};

	if (!value)
		return true; /* of another type: the schema has said so */
	return (subject_check(type, value, &why) && subject_insert(&ret->subject, type, value, &why)) ||
	       api_gather(parts, &why, field);
}

static void read_subject(const struct json *attributes, struct managed *ret, struct problem *parts)
{
	for (size_t i = 0; i < array_length(subject_names); i++) {
		const struct json *j = json_member(attributes, subject_names[i].name);
		char field[64];
		snprintf(field, sizeof(field), "attributes.%s", subject_names[i].name);
		if (json_string(j))
			(void)read_attribute(field, subject_names[i].type, json_string(j), ret, parts);
		for (size_t k = 0; json_is_array(j) && k < json_length(j); k++)
			(void)read_attribute(field, subject_names[i].type, json_string(json_at(j, k)), ret, parts);
	}
}

/* --- names */

/* What a name is that comes without its type. */
static enum identifier_type guess(const char *value)
{
	struct addr addr;

	if (addr_parse(value, &addr))
		return IDENTIFIER_IP;
	return strstr(value, "://") ? IDENTIFIER_URI : strchr(value, '@') ? IDENTIFIER_EMAIL : IDENTIFIER_DNS;
}

static bool is_upn(const char *value)
{
	const char *at = strchr(value, '@');

	return at && at > value && at[1];
}

static void read_name(const struct json *j, const char *field, struct managed *ret, struct problem *parts)
{
	const char *type = json_member_string(j, "type"), *value = json_member_string(j, "value");
	enum identifier_type kind = IDENTIFIER_DNS;
	struct identifier name;
	bool upn = false;
	auto_value(problem) why = {0};

	if (!value)
		return; /* the schema has said so */
	if (type ? !word_name_type(type, &kind, &upn) : (kind = guess(value), false))
		wrong(field, type, "expected type dns, ip, email, uri or upn");
	else if (upn && !is_upn(value))
		wrong(field, value, "expected a UPN, as user@example.com");
	else if (upn && !strings_add(&ret->upns, value))
		problem_memory(parts);
	else if (!upn && (!identifier_parse(identifier_type_name(kind), value, &name, &why) ||
	                  !identifiers_add(&ret->names, &name, &why)))
		api_gather(parts, &why, field);
}

static void read_names(const struct json *attributes, struct managed *ret, struct problem *parts)
{
	const struct json *list = json_member(attributes, "altNames");

	for (size_t i = 0; json_is_array(list) && i < json_length(list); i++) {
		char field[64];
		snprintf(field, sizeof(field), "attributes.altNames[%zu]", i);
		read_name(json_at(list, i), field, ret, parts);
	}
}

/* --- usages */

static void read_key_usages(const struct json *attributes, struct managed *ret, struct problem *parts)
{
	const struct json *list = json_member(attributes, "keyUsages");
	unsigned usage;

	for (size_t i = 0; json_is_array(list) && i < json_length(list); i++) {
		const char *text = json_string(json_at(list, i)) ?: "";
		if (word_key_usage(text, &usage))
			ret->key_usage |= usage;
		else
			wrong("attributes.keyUsages", text,
			      "RFC 5280, 4.2.1.3 has no such usage: digitalSignature, keyEncipherment, ...");
	}
}

static void read_extended(const struct json *attributes, struct managed *ret, struct problem *parts)
{
	const struct json *list = json_member(attributes, "extendedKeyUsages");
	char oid[64];

	for (size_t i = 0; json_is_array(list) && i < json_length(list); i++) {
		const char *text = json_string(json_at(list, i)) ?: "";
		if (!word_extended_key_usage(text, oid, sizeof(oid)))
			wrong("attributes.extendedKeyUsages", text,
			      "expected serverAuth, clientAuth, codeSigning, emailProtection, ... or an OID");
		else if (!strings_has(&ret->extended_key_usage, oid) && !strings_add(&ret->extended_key_usage, oid))
			problem_memory(parts);
	}
}

static void read_constraints(const struct json *attributes, struct managed *ret, struct problem *parts)
{
	const struct json *constraints = json_member(attributes, "basicConstraints");
	int64_t length;

	ret->path_length = -1;
	if (json_bool(json_member(constraints, "isCA"), &ret->ca) && !ret->ca && json_member(constraints, "pathLength"))
		wrong("attributes.basicConstraints.pathLength", NULL, "RFC 5280, 4.2.1.9: only a CA has one");
	if (json_integer(json_member(constraints, "pathLength"), &length))
		ret->path_length = (int)length;
}

/* --- all of it */

static void read_algorithms(const struct json *attributes, struct managed *ret, struct problem *parts)
{
	const char *key = json_member_string(attributes, "keyAlgorithm"),
		   *signature = json_member_string(attributes, "signatureAlgorithm");

	ret->has_key = key && word_key_algorithm(key, &ret->key);
	if (key && !ret->has_key)
		wrong("attributes.keyAlgorithm", key,
		      "expected rsa-2048, rsa-3072, rsa-4096, ec-p256, ec-p384, ec-p521 or ed25519");
	ret->has_signature = signature && word_signature(signature, &ret->signature);
	if (signature && !ret->has_signature)
		wrong("attributes.signatureAlgorithm", signature,
		      "expected rsa-sha256, ecdsa-sha256 or another pair of key and SHA-2");
}

void managed_read(const struct json *attributes, struct managed *ret, struct problem *parts)
{
	read_subject(attributes, ret, parts);
	read_names(attributes, ret, parts);
	read_key_usages(attributes, ret, parts);
	read_extended(attributes, ret, parts);
	read_constraints(attributes, ret, parts);
	read_algorithms(attributes, ret, parts);
}

bool managed_ask_renewal(const struct json *body, int64_t *ret)
{
	int64_t days;

	if (!json_integer(json_member(body, "renewBeforeDays"), &days))
		return false;
	*ret = days * DAY;
	return true;
}
