#include "server/config_rule.h"
#include "server/config_schema.h"

#define POLICY(member) .offset = offsetof(struct config_policy, policy.member)
#define CHOICES(...) (const struct config_choice[]){ __VA_ARGS__, { NULL, 0 } }
#define SECTION(rows) (const struct config_section){ .keys = rows, .key_count = array_length(rows) }

#define VALUES_KEYS(member, check_)                                                                             \
	{ "required", "Of each of these there must be a value that it means.", CONFIG_TEXTS,                    \
	  POLICY(member.required), .check = check_ },                                                           \
	{ "allow", "What may be there, beside what is required.", CONFIG_TEXTS, POLICY(member.allow),           \
	  .check = check_ },                                                                                    \
	{ "deny", "What may not; this wins. Alone it allows all else.", CONFIG_TEXTS, POLICY(member.deny),      \
	  .check = check_ }

#define ATTRIBUTE(name, type)                                                                             \
	static const struct config_key name##_keys[] = {                                                  \
		VALUES_KEYS(fields[POLICY_SUBJECT + SUBJECT_##type], config_rule_not_empty)               \
	}
ATTRIBUTE(cn, CN);
ATTRIBUTE(o, O);
ATTRIBUTE(ou, OU);
ATTRIBUTE(c, C);
ATTRIBUTE(st, ST);
ATTRIBUTE(l, L);
ATTRIBUTE(dc, DC);
ATTRIBUTE(email_address, EMAIL);
ATTRIBUTE(serial_number, SERIAL_NUMBER);

static const struct config_key subject_keys[] = {
	{ "cn", "Common name; `{name}` is any name of the certificate.", CONFIG_SECTION, .section = &SECTION(cn_keys) },
	{ "o", "Organization.", CONFIG_SECTION, .section = &SECTION(o_keys) },
	{ "ou", "Organizational unit.", CONFIG_SECTION, .section = &SECTION(ou_keys) },
	{ "c", "Country, two letters.", CONFIG_SECTION, .section = &SECTION(c_keys) },
	{ "st", "State or province.", CONFIG_SECTION, .section = &SECTION(st_keys) },
	{ "l", "Locality.", CONFIG_SECTION, .section = &SECTION(l_keys) },
	{ "dc", "Domain component.", CONFIG_SECTION, .section = &SECTION(dc_keys) },
	{ "email", "E-mail address in the subject.", CONFIG_SECTION, .section = &SECTION(email_address_keys) },
	{ "serial_number", "Serial number of the device.", CONFIG_SECTION, .section = &SECTION(serial_number_keys) },
};

#define NAMES(name, field)                                                                                \
	static const struct config_key name##_keys[] = { VALUES_KEYS(fields[field], config_rule_not_empty) }
NAMES(dns, POLICY_SAN + IDENTIFIER_DNS);
NAMES(ip, POLICY_SAN + IDENTIFIER_IP);
NAMES(email, POLICY_SAN + IDENTIFIER_EMAIL);
NAMES(uri, POLICY_SAN + IDENTIFIER_URI);
NAMES(upn, POLICY_OTHER + CSR_OTHER_UPN);
NAMES(permanent, POLICY_OTHER + CSR_OTHER_PERMANENT);
NAMES(hardware, POLICY_OTHER + CSR_OTHER_HARDWARE);
NAMES(other, POLICY_OTHER + CSR_OTHER_TEXT);

static const struct config_key san_keys[] = {
	{ "dns", "DNS names, with patterns as in a profile.", CONFIG_SECTION, .section = &SECTION(dns_keys) },
	{ "ip", "IP addresses: an address, a network, or `*`.", CONFIG_SECTION, .section = &SECTION(ip_keys) },
	{ "email", "E-mail addresses: `user@example.com`, `@example.com`, or `*`.", CONFIG_SECTION,
	  .section = &SECTION(email_keys) },
	{ "uri", "URIs: the whole, or a prefix ending in `*`.", CONFIG_SECTION, .section = &SECTION(uri_keys) },
	{ "upn", "User principal names of Windows.", CONFIG_SECTION, .section = &SECTION(upn_keys) },
	{ "permanent_identifier", "RFC 4043: `value`, or `value/OID of its assigner`.", CONFIG_SECTION,
	  .section = &SECTION(permanent_keys) },
	{ "hardware_module_name", "RFC 4108: `OID of the type/serial number in hexadecimal`.", CONFIG_SECTION,
	  .section = &SECTION(hardware_keys) },
	{ "other_name", "Any other otherName that is a text: `OID:text`.", CONFIG_SECTION,
	  .section = &SECTION(other_keys) },
};

#define KEY_USAGES CHOICES({ "digitalSignature", KU_DIGITAL_SIGNATURE }, { "nonRepudiation", KU_NON_REPUDIATION }, \
                           { "keyEncipherment", KU_KEY_ENCIPHERMENT }, { "dataEncipherment", KU_DATA_ENCIPHERMENT }, \
                           { "keyAgreement", KU_KEY_AGREEMENT }, { "keyCertSign", KU_KEY_CERT_SIGN }, \
                           { "cRLSign", KU_CRL_SIGN }, { "encipherOnly", KU_ENCIPHER_ONLY }, \
                           { "decipherOnly", KU_DECIPHER_ONLY })
static const struct config_key key_usage_keys[] = {
	{ "required", "Those that a certificate must have.", CONFIG_FLAGS, POLICY(key_usage.required),
	  .choices = KEY_USAGES },
	{ "allow", "Those that may be there, beside what is required.", CONFIG_FLAGS, POLICY(key_usage.allow),
	  .choices = KEY_USAGES },
	{ "deny", "Those that may not; this wins. Alone it allows all else.", CONFIG_FLAGS, POLICY(key_usage.deny),
	  .choices = KEY_USAGES },
};
static const struct config_key extended_key_usage_keys[] = { VALUES_KEYS(extended_key_usage, config_rule_usage) };

static const struct config_key basic_constraints_keys[] = {
	{ "ca", "Whether a certificate may, or must, be a CA's. Never over ACME.", CONFIG_CHOICE, POLICY(ca),
	  .fallback = "forbidden",
	  .choices = CHOICES({ "forbidden", POLICY_CA_FORBIDDEN }, { "allowed", POLICY_CA_ALLOWED },
	                     { "required", POLICY_CA_REQUIRED }) },
	{ "path_length", "How many CAs may stand below it, at most.", CONFIG_NUMBER,
	  .offset = offsetof(struct config_policy, path_length), .fallback = "0", .max = 127 },
};

static const struct config_key policy_keys[] = {
	{ "name", "Its name, which is none of the built-in policies'.", CONFIG_TEXT, POLICY(name), .required = true,
	  .check = config_rule_policy },
	{ "unlisted", "What comes of a field, key, signature or usage that the policy does not mention.",
	  CONFIG_CHOICE, .offset = offsetof(struct config_policy, unlisted), .fallback = "refuse",
	  .choices = CHOICES({ "refuse", 0 }, { "allow", 1 }) },
	{ "subject", "Attributes of the subject: texts in which `*` stands for any characters.", CONFIG_SECTION,
	  .section = &SECTION(subject_keys) },
	{ "san", "Names of the subjectAltName.", CONFIG_SECTION, .section = &SECTION(san_keys) },
	{ "wildcards", "Whether wildcard names are certified.", CONFIG_BOOL, POLICY(wildcards),
	  .fallback = "true" },
	{ "names_max", "Names in one certificate.", CONFIG_NUMBER, POLICY(names_max), .fallback = "100", .min = 1,
	  .max = 1000 },
	{ "keys", "Keys that are certified.", CONFIG_FLAGS, POLICY(keys), .choices = CONFIG_KEY_CHOICES },
	{ "signatures", "What a CSR may be signed with.", CONFIG_FLAGS, POLICY(signatures),
	  .choices = CHOICES({ "rsa-sha256", 1 << CSR_RSA_SHA256 }, { "rsa-sha384", 1 << CSR_RSA_SHA384 },
	                     { "rsa-sha512", 1 << CSR_RSA_SHA512 }, { "rsa-pss-sha256", 1 << CSR_RSA_PSS_SHA256 },
	                     { "rsa-pss-sha384", 1 << CSR_RSA_PSS_SHA384 },
	                     { "rsa-pss-sha512", 1 << CSR_RSA_PSS_SHA512 },
	                     { "ecdsa-sha256", 1 << CSR_ECDSA_SHA256 }, { "ecdsa-sha384", 1 << CSR_ECDSA_SHA384 },
	                     { "ecdsa-sha512", 1 << CSR_ECDSA_SHA512 }, { "ed25519", 1 << CSR_ED25519 }) },
	{ "key_usage", "Key usages.", CONFIG_SECTION, .section = &SECTION(key_usage_keys) },
	{ "extended_key_usage", "Extended key usages, by name or as OIDs.", CONFIG_SECTION,
	  .section = &SECTION(extended_key_usage_keys) },
	{ "basic_constraints", "Certificates of CAs.", CONFIG_SECTION,
	  .section = &SECTION(basic_constraints_keys) },
	{ "validity_max", "The longest life of a certificate.", CONFIG_DURATION, POLICY(validity_max), .min = 60,
	  .max = 60LL * 365 * 86400 },
	{ "own_key", "Refuse a key that a certificate of another requester has.", CONFIG_BOOL, POLICY(own_key),
	  .fallback = "false" },
	{ "new_key",
	  "Refuse a key that an earlier certificate has of the same requester, or of one of the same names.",
	  CONFIG_BOOL, POLICY(new_key), .fallback = "false" },
};
const struct config_section config_policy_section = {
	.keys = policy_keys, .key_count = array_length(policy_keys), .size = sizeof(struct config_policy),
};
