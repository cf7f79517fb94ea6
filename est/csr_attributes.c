#include "est/csr_attributes.h"

#include "ca/extension.h"
#include "est/text.h"

#define OID_CHALLENGE_PASSWORD "1.2.840.113549.1.9.7"
#define OID_EXTENSION_REQUEST "1.2.840.113549.1.9.14"
#define OID_TEMPLATE "1.2.840.113549.1.9.16.2.61"           /* id-aa-certificationRequestInfoTemplate */
#define OID_EXTENSION_TEMPLATE "1.2.840.113549.1.9.16.2.62" /* id-aa-extensionReqTemplate */
#define OID_RSA "1.2.840.113549.1.1.1"
#define OID_RSA_PSS "1.2.840.113549.1.1.10"
#define OID_EC "1.2.840.10045.2.1"
#define OID_ED25519 "1.3.101.112"

struct key_kind {
	const char *oid, *curve;
	unsigned bits; /* of RSA */
};
static const struct key_kind key_kinds[KEY_ALGORITHM_MAX] = {
	[KEY_RSA_2048] = { OID_RSA, NULL, 2048 }, [KEY_RSA_3072] = { OID_RSA, NULL, 3072 },
	[KEY_RSA_4096] = { OID_RSA, NULL, 4096 },
	[KEY_EC_P256] = { OID_EC, "1.2.840.10045.3.1.7", 0 }, [KEY_EC_P384] = { OID_EC, "1.3.132.0.34", 0 },
	[KEY_EC_P521] = { OID_EC, "1.3.132.0.35", 0 }, [KEY_ED25519] = { OID_ED25519, NULL, 0 },
};

/* What stands in a CSR's signatureAlgorithm, of which RSA-PSS has its hash in parameters. */
static const struct signature_kind {
	const char *oid, *key;
} signature_kinds[CSR_SIGNATURE_MAX] = {
	[CSR_RSA_SHA256] = { "1.2.840.113549.1.1.11", OID_RSA },
	[CSR_RSA_SHA384] = { "1.2.840.113549.1.1.12", OID_RSA },
	[CSR_RSA_SHA512] = { "1.2.840.113549.1.1.13", OID_RSA }, [CSR_RSA_PSS_SHA256] = { OID_RSA_PSS, OID_RSA },
	[CSR_RSA_PSS_SHA384] = { OID_RSA_PSS, OID_RSA }, [CSR_RSA_PSS_SHA512] = { OID_RSA_PSS, OID_RSA },
	[CSR_ECDSA_SHA256] = { "1.2.840.10045.4.3.2", OID_EC }, [CSR_ECDSA_SHA384] = { "1.2.840.10045.4.3.3", OID_EC },
	[CSR_ECDSA_SHA512] = { "1.2.840.10045.4.3.4", OID_EC }, [CSR_ED25519] = { OID_ED25519, OID_ED25519 },
};

/* The kind that all keys are of which the policy takes, with its parameters where it takes one alone; false:
 * there are several. */
static bool key_of(const struct profile *profile, struct key_kind *ret)
{
	struct key_kind found = {0};

	for (size_t i = 0; i < KEY_ALGORITHM_MAX; i++) {
		if (!(profile->policy->keys & 1u << i))
			continue;
		if (found.oid && !str_equal(found.oid, key_kinds[i].oid))
			return false;
		found = found.oid ? (struct key_kind){ .oid = found.oid } : key_kinds[i];
	}
	*ret = found;
	return found.oid;
}

static bool takes_keys_of(const struct policy *policy, const char *oid)
{
	for (size_t i = 0; i < KEY_ALGORITHM_MAX; i++)
		if (policy->keys & 1u << i && str_equal(key_kinds[i].oid, oid))
			return true;
	return false;
}

/* The scheme that all signatures are of which the policy takes of its keys; NULL: there are several, or it
 * takes any. */
static const char *signature_of(const struct policy *policy)
{
	const char *found = NULL;

	for (size_t i = 0; i < CSR_SIGNATURE_MAX; i++) {
		const struct signature_kind *kind = &signature_kinds[i];
		if (!(policy->signatures & 1u << i) || !takes_keys_of(policy, kind->key))
			continue;
		if (found && !str_equal(found, kind->oid))
			return NULL;
		found = kind->oid;
	}
	return found;
}

static void put_number(struct der *d, unsigned n)
{
	const uint8_t bytes[] = { (uint8_t)(n >> 8), (uint8_t)n };

	der_put_integer(d, BYTES(bytes, sizeof(bytes)));
}

/* --- extensions */

/* What fits none of the keys is in no certificate of them. */
static unsigned usage_of(const struct profile *profile)
{
	unsigned fits = 0;

	for (size_t i = 0; i < KEY_ALGORITHM_MAX; i++)
		if (profile->policy->keys & 1u << i)
			fits |= key_algorithm_usage((enum key_algorithm)i);
	return profile->key_usage & fits;
}

static void put_key_usage(struct der *d, const struct profile *profile)
{
	unsigned usage = usage_of(profile);

	if (usage == 0)
		return;
	extension_open(d, OID_KEY_USAGE, true);
	extension_put_key_usage(d, usage);
	extension_close(d);
}

static void put_extended_key_usage(struct der *d, const struct profile *profile)
{
	if (profile->extended_key_usage.n == 0)
		return;
	extension_open(d, OID_EXTENDED_KEY_USAGE, false);
	extension_put_purposes(d, &profile->extended_key_usage);
	extension_close(d);
}

/* Names are wanted where the policy requires some, or takes nothing else. */
static bool wants_names(const struct profile *profile)
{
	for (unsigned field = POLICY_SAN; field < POLICY_FIELD_MAX; field++)
		if (profile->policy->fields[field].required.n > 0)
			return true;
	return profile->short_form;
}

/* One attribute, one value, which is Extensions, or, where the names are for the client to fill in, a template of them
 * (RFC 9908, 3.2 and 3.4). */
static void put_extensions(struct der *d, const struct profile *profile, bool names)
{
	auto_value(buf) extensions = {0};
	struct der inner = der_writer(&extensions);

	if (names) {
		der_open(&inner, TLV_SEQUENCE);
		der_put_oid(&inner, OID_SUBJECT_ALT_NAME);
		der_close(&inner);
	}
	put_key_usage(&inner, profile);
	put_extended_key_usage(&inner, profile);
	if (extensions.len == 0 && !extensions.failed)
		return;
	der_open(d, TLV_SEQUENCE);
	der_put_oid(d, names ? OID_EXTENSION_TEMPLATE : OID_EXTENSION_REQUEST);
	der_open(d, TLV_SET);
	der_put_buf(d, TLV_SEQUENCE, &extensions);
	der_close(d);
	der_close(d);
}

/* --- the plain form */

static void put_key(struct der *d, const struct key_kind *kind)
{
	der_open(d, TLV_SEQUENCE);
	der_put_oid(d, kind->oid);
	der_open(d, TLV_SET);
	if (kind->curve)
		der_put_oid(d, kind->curve);
	if (kind->bits)
		put_number(d, kind->bits);
	der_close(d);
	der_close(d);
}

/* What has no place of its own in a template either. */
static void put_others(struct der *d, const struct profile *profile)
{
	const struct strings *oids = &profile->est.csr_oids;
	const char *signature = signature_of(profile->policy);

	for (size_t i = 0; i < oids->n; i++)
		der_put_oid(d, oids->v[i]);
	if (signature)
		der_put_oid(d, signature);
}

static void put_plain(struct der *d, const struct profile *profile, bool linked)
{
	struct key_kind kind;

	if (linked)
		der_put_oid(d, OID_CHALLENGE_PASSWORD);
	if (key_of(profile, &kind))
		put_key(d, &kind);
	if (profile->est.csr_attributes == PROFILE_CSR_EXTENSIONS)
		put_extensions(d, profile, false);
	put_others(d, profile);
}

/* --- the template */

static void put_rdn(struct der *d, enum subject_type type, const char *value)
{
	der_open(d, TLV_SET);
	der_open(d, TLV_SEQUENCE);
	der_put_oid(d, subject_type_oid(type));
	if (value)
		der_put(d, subject_type_tag(type), BYTES_STR(value));
	der_close(d);
	der_close(d);
}

/* What is to have this text, and no other. */
static bool is_literal(const char *pattern)
{
	return !strpbrk(pattern, "*{");
}

static void put_required(struct der *d, const struct profile *profile)
{
	for (enum subject_type type = 0; type < SUBJECT_TYPE_MAX; type++) {
		const struct strings *required = &profile->policy->fields[POLICY_SUBJECT + type].required;
		bool open = false; /* one that the client fills in can match all patterns that are no texts */
		for (size_t i = 0; i < required->n && !subject_find(&profile->subject, type); i++) {
			if (is_literal(required->v[i]) || !open)
				put_rdn(d, type, is_literal(required->v[i]) ? required->v[i] : NULL);
			open = open || !is_literal(required->v[i]);
		}
	}
}

/* RFC 9908, 3.4: absent where nothing is required of it. */
static void put_subject(struct der *d, const struct profile *profile)
{
	auto_value(buf) names = {0};
	struct der inner = der_writer(&names);

	put_required(&inner, profile);
	for (size_t i = 0; i < profile->subject.n; i++)
		put_rdn(&inner, profile->subject.v[i].type, profile->subject.v[i].value);
	if (names.len > 0 || names.failed)
		der_put_buf(d, TLV_SEQUENCE, &names);
}

/* A modulus of the wanted length, which is no key. */
static void put_placeholder(struct der *d, unsigned bits)
{
	uint8_t modulus[4096 / 8] = { 0x80 };
	static const uint8_t exponent[] = { 1, 0, 1 };
	auto_value(buf) key = {0};
	struct der inner = der_writer(&key);

	modulus[bits / 8 - 1] = 1;
	buf_add_char(&key, 0); /* no unused bits */
	der_open(&inner, TLV_SEQUENCE);
	der_put_integer(&inner, BYTES(modulus, bits / 8));
	der_put_integer(&inner, BYTES(exponent, sizeof(exponent)));
	der_close(&inner);
	der_put_buf(d, TLV_BIT_STRING, &key);
}

static void put_key_info(struct der *d, const struct key_kind *kind)
{
	der_open(d, TLV_CONTEXT_CONSTRUCTED(0));
	der_open(d, TLV_SEQUENCE);
	der_put_oid(d, kind->oid);
	if (kind->curve)
		der_put_oid(d, kind->curve);
	if (kind->bits)
		der_put(d, TLV_NULL, BYTES("", 0)); /* RFC 3279, 2.3.1 */
	der_close(d);
	if (kind->bits)
		put_placeholder(d, kind->bits);
	der_close(d);
}

/* The template has no place for the linking and for the signature, which RFC 8951, 4, wants said: they stand
 * beside it. */
static void put_template(struct der *d, const struct profile *profile, bool linked)
{
	static const uint8_t version = 0;
	struct key_kind kind;

	if (linked)
		der_put_oid(d, OID_CHALLENGE_PASSWORD);
	der_open(d, TLV_SEQUENCE);
	der_put_oid(d, OID_TEMPLATE);
	der_open(d, TLV_SET);
	der_open(d, TLV_SEQUENCE);
	der_put(d, TLV_INTEGER, BYTES(&version, 1));
	put_subject(d, profile);
	if (key_of(profile, &kind))
		put_key_info(d, &kind);
	der_open(d, TLV_CONTEXT_CONSTRUCTED(1));
	put_extensions(d, profile, wants_names(profile));
	der_close(d);
	der_close(d);
	der_close(d);
	der_close(d);
	put_others(d, profile);
}

void csr_attributes_write(const struct profile *profile, bool linked, struct buf *ret)
{
	auto_value(buf) content = {0};
	struct der inner = der_writer(&content), outer = der_writer(ret);

	if (profile->est.csr_attributes == PROFILE_CSR_TEMPLATE)
		put_template(&inner, profile, linked);
	else if (profile->est.csr_attributes != PROFILE_CSR_NONE)
		put_plain(&inner, profile, linked);
	else if (linked)
		der_put_oid(&inner, OID_CHALLENGE_PASSWORD);
	if (content.len > 0 || content.failed)
		der_put_buf(&outer, TLV_SEQUENCE, &content);
}

/* RFC 7030, 4.5.2. 204 has no body: some clients fail on one. */
bool est_csrattrs(struct est_call *call, struct problem *p)
{
	auto_value(buf) der = {0};

	csr_attributes_write(call->profile, call->authentication->binding == AUTHENTICATION_BINDING_REQUIRED, &der);
	if (!buf_check(&der, p))
		return false;
	if (der.len > 0)
		return text_reply(call, "application/csrattrs", buf_bytes(&der), p);
	call->response->status = 204;
	return true;
}
