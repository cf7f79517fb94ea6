#include "policy/policy.h"

#define SERVER_AUTH "1.3.6.1.5.5.7.3.1"
#define CLIENT_AUTH "1.3.6.1.5.5.7.3.2"
#define CODE_SIGNING "1.3.6.1.5.5.7.3.3"
#define EMAIL_PROTECTION "1.3.6.1.5.5.7.3.4"
#define SMARTCARD_LOGON "1.3.6.1.4.1.311.20.2.2"

enum { DAY = 86400, ALL_KEYS = (1 << KEY_ALGORITHM_MAX) - 1, ALL_SIGNATURES = (1 << CSR_SIGNATURE_MAX) - 1 };
enum { STRONG_KEYS = ALL_KEYS & ~(1 << KEY_RSA_2048) };

#define CN (POLICY_SUBJECT + SUBJECT_CN)
#define DNS (POLICY_SAN + IDENTIFIER_DNS)
#define IP (POLICY_SAN + IDENTIFIER_IP)
#define EMAIL (POLICY_SAN + IDENTIFIER_EMAIL)
#define URI (POLICY_SAN + IDENTIFIER_URI)
#define UPN (POLICY_OTHER + CSR_OTHER_UPN)
#define PERMANENT (POLICY_OTHER + CSR_OTHER_PERMANENT)
#define HARDWARE (POLICY_OTHER + CSR_OTHER_HARDWARE)
#define ORGANIZATION                                                                       \
	{ SUBJECT_O, "*", false }, { SUBJECT_OU, "*", false }, { SUBJECT_C, "*", false },  \
	{ SUBJECT_ST, "*", false }, { SUBJECT_L, "*", false }

struct rule {
	int field;
	const char *pattern; /* NULL ends the list */
	bool required;
};
static const struct row {
	struct policy_preset shown;
	struct rule rules[16];
	struct policy_bits key_usage;
	const char *required[3], *allow[3]; /* extended key usages */
	unsigned keys;
	enum policy_ca ca;
	int path_length;
	int validity_days;
	bool device_keys; /* own_key and new_key */
} rows[] = {
	{ { "tls-server", "TLS servers: the common name is one of the names", KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT, { SERVER_AUTH } },
	  { { CN, "{name}", false }, { DNS, "*", false }, { IP, "*", false } },
	  { KU_DIGITAL_SIGNATURE, KU_KEY_ENCIPHERMENT | KU_KEY_AGREEMENT, 0 }, { SERVER_AUTH }, { CLIENT_AUTH }, ALL_KEYS,
	  POLICY_CA_FORBIDDEN, -1, 397, false },
	{ { "tls-client", "TLS clients", KU_DIGITAL_SIGNATURE, { CLIENT_AUTH } },
	  { { CN, "*", false }, ORGANIZATION, { DNS, "*", false }, { EMAIL, "*", false }, { URI, "*", false } },
	  { KU_DIGITAL_SIGNATURE, KU_KEY_ENCIPHERMENT | KU_KEY_AGREEMENT, 0 }, { CLIENT_AUTH }, { NULL }, ALL_KEYS,
	  POLICY_CA_FORBIDDEN, -1, 397, false },
	{ { "dual-purpose", "TLS servers that are clients of others", KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT, { SERVER_AUTH, CLIENT_AUTH } },
	  { { CN, "{name}", false }, ORGANIZATION, { DNS, "*", false }, { IP, "*", false }, { URI, "*", false } },
	  { KU_DIGITAL_SIGNATURE, KU_KEY_ENCIPHERMENT | KU_KEY_AGREEMENT, 0 }, { SERVER_AUTH, CLIENT_AUTH }, { NULL }, ALL_KEYS,
	  POLICY_CA_FORBIDDEN, -1, 397, false },
	{ { "device", "devices: a key for each, a new one at each renewal", KU_DIGITAL_SIGNATURE, { CLIENT_AUTH } },
	  { { CN, "*", true }, ORGANIZATION, { SUBJECT_SERIAL_NUMBER, "*", false }, { DNS, "*", false }, { IP, "*", false },
	    { URI, "*", false }, { PERMANENT, "*", false }, { HARDWARE, "*", false } },
	  { KU_DIGITAL_SIGNATURE, KU_KEY_ENCIPHERMENT | KU_KEY_AGREEMENT, 0 }, { CLIENT_AUTH }, { SERVER_AUTH }, ALL_KEYS,
	  POLICY_CA_FORBIDDEN, -1, 397, true },
	{ { "user", "people, for logging in", KU_DIGITAL_SIGNATURE, { CLIENT_AUTH } },
	  { { CN, "*", true }, ORGANIZATION, { SUBJECT_EMAIL, "*", false }, { SUBJECT_DC, "*", false }, { EMAIL, "*", false },
	    { UPN, "*", false } },
	  { KU_DIGITAL_SIGNATURE, KU_KEY_ENCIPHERMENT | KU_KEY_AGREEMENT | KU_NON_REPUDIATION, 0 }, { CLIENT_AUTH },
	  { EMAIL_PROTECTION, SMARTCARD_LOGON }, ALL_KEYS, POLICY_CA_FORBIDDEN, -1, 397, false },
	{ { "email-protection", "S/MIME", KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT | KU_KEY_AGREEMENT, { EMAIL_PROTECTION } },
	  { { CN, "*", false }, ORGANIZATION, { SUBJECT_EMAIL, "*", false }, { EMAIL, "*", true } },
	  { 0, KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT | KU_KEY_AGREEMENT | KU_NON_REPUDIATION, 0 }, { EMAIL_PROTECTION },
	  { NULL }, ALL_KEYS, POLICY_CA_FORBIDDEN, -1, 825, false },
	{ { "code-signing", "signers of programs", KU_DIGITAL_SIGNATURE, { CODE_SIGNING } },
	  { { CN, "*", true }, ORGANIZATION }, { KU_DIGITAL_SIGNATURE, 0, 0 }, { CODE_SIGNING }, { NULL }, STRONG_KEYS,
	  POLICY_CA_FORBIDDEN, -1, 1095, false },
	{ { "intermediate-ca", "CAs below this one, with none below them", KU_DIGITAL_SIGNATURE | KU_KEY_CERT_SIGN | KU_CRL_SIGN, { NULL } },
	  { { CN, "*", true }, ORGANIZATION, { SUBJECT_DC, "*", false } },
	  { KU_KEY_CERT_SIGN | KU_CRL_SIGN, KU_DIGITAL_SIGNATURE, 0 }, { NULL }, { NULL }, STRONG_KEYS,
	  POLICY_CA_REQUIRED, 0, 3650, false },
};

const struct policy_preset *policy_preset_at(size_t i)
{
	return i < array_length(rows) ? &rows[i].shown : NULL;
}

const struct policy_preset *policy_preset_find(const char *name)
{
	for (size_t i = 0; i < array_length(rows); i++)
		if (str_equal(rows[i].shown.name, name))
			return &rows[i].shown;
	return NULL;
}

static bool add_all(struct strings *list, const char *const *texts, size_t count)
{
	for (size_t i = 0; i < count && texts[i]; i++)
		if (!strings_add(list, texts[i]))
			return false;
	return true;
}

static bool rules_add(struct policy *policy, const struct rule *rule)
{
	for (; rule->pattern; rule++) {
		struct policy_values *values = &policy->fields[rule->field];
		if (!strings_add(rule->required ? &values->required : &values->allow, rule->pattern))
			return false;
	}
	return true;
}

bool policy_preset_make(const struct policy_preset *preset, struct policy **ret, struct problem *p)
{
	const struct row *row = rows;
	auto_struct(policy) *policy = NULL;

	while (&row->shown != preset)
		row++;
	if (!policy_new(preset->name, &policy, p))
		return false;
	policy->keys = row->keys;
	policy->signatures = ALL_SIGNATURES;
	policy->key_usage = row->key_usage;
	policy->ca = row->ca;
	policy->path_length = row->path_length;
	policy->validity_max = (int64_t)row->validity_days * DAY;
	policy->own_key = policy->new_key = row->device_keys;
	if (!rules_add(policy, row->rules) ||
	    !add_all(&policy->extended_key_usage.required, row->required, array_length(row->required)) ||
	    !add_all(&policy->extended_key_usage.allow, row->allow, array_length(row->allow)))
		return problem_memory(p);
	*ret = steal(policy);
	return true;
}
