/* An entry of `profiles`. */
#include "server/config_rule.h"
#include "server/config_schema.h"

#define PROFILE(member) .offset = offsetof(struct config_profile, profile.member)
#define CHOICES(...) (const struct config_choice[]){ __VA_ARGS__, { NULL, 0 } }
#define SECTION(rows) (const struct config_section){ .keys = rows, .key_count = array_length(rows) }

enum { DAY = 86400, YEAR = 365 * DAY };

#define NAME_KEYS(type, allow_, rule)                                                                    \
	{ "allow", "Patterns of what may be certified; none: nothing of this type.", CONFIG_TEXTS,       \
	  PROFILE(names[type].allow), .fallback = allow_, .check = rule },                               \
	{ "deny", "Patterns of what may not; this wins.", CONFIG_TEXTS,                                  \
	  PROFILE(names[type].deny), .check = rule }
static const struct config_key dns_keys[] = { NAME_KEYS(IDENTIFIER_DNS, "*", config_rule_dns) };
static const struct config_key ip_keys[] = { NAME_KEYS(IDENTIFIER_IP, "*", config_rule_ip) };
static const struct config_key email_keys[] = { NAME_KEYS(IDENTIFIER_EMAIL, NULL, config_rule_email) };
static const struct config_key uri_keys[] = { NAME_KEYS(IDENTIFIER_URI, NULL, config_rule_uri) };
static const struct config_key permanent_keys[] = { NAME_KEYS(IDENTIFIER_PERMANENT, NULL, config_rule_not_empty) };
static const struct config_key hardware_keys[] = { NAME_KEYS(IDENTIFIER_HARDWARE, NULL, config_rule_not_empty) };

#define SUBJECT(name, type, meaning_)                                                                    \
	{ name, meaning_, CONFIG_TEXTS, .offset = offsetof(struct config_profile, subject[SUBJECT_##type]), \
	  .check = config_rule_not_empty }
static const struct config_key subject_keys[] = {
	SUBJECT("o", O, "Organization."),
	SUBJECT("ou", OU, "Organizational units."),
	SUBJECT("c", C, "Country, two letters."),
	SUBJECT("st", ST, "State or province."),
	SUBJECT("l", L, "Locality."),
	SUBJECT("dc", DC, "Domain components."),
	SUBJECT("email", EMAIL, "E-mail address."),
	SUBJECT("serial_number", SERIAL_NUMBER, "Serial number."),
};

static const struct config_key renewal_keys[] = {
	{ "from", "Percent of its life after which a certificate may be renewed.", CONFIG_NUMBER, PROFILE(renewal_from),
	  .fallback = "66", .min = 1, .max = 99 },
	{ "until", "Percent of its life by which it should have been.", CONFIG_NUMBER, PROFILE(renewal_until),
	  .fallback = "80", .min = 1, .max = 99 },
};

static const struct config_key star_keys[] = {
	{ "enabled", "Whether such orders are taken.", CONFIG_BOOL, PROFILE(star.on), .fallback = "false" },
	{ "min_lifetime", "The shortest life of one certificate of such an order.", CONFIG_DURATION,
	  PROFILE(star.lifetime_min), .fallback = "1d", .min = 1, .max = YEAR },
	{ "max_duration", "How long an order may go on.", CONFIG_DURATION, PROFILE(star.duration_max),
	  .fallback = "365d", .min = 1, .max = 60LL * YEAR },
	{ "certificate_get", "Whether an order may let anybody fetch its certificate who knows the URL.",
	  CONFIG_BOOL, PROFILE(star.get), .fallback = "false" },
};

static const struct config_key profile_keys[] = {
	{ "name", "Its name; `/acme/NAME/directory` is its ACME directory, and `NAME` its label in EST.",
	  CONFIG_TEXT, PROFILE(name), .required = true, .check = config_rule_own_profile },
	{ "description",
	  "What it is for, in words, or the `https:` URL of a page that says so; the ACME directory shows it.",
	  CONFIG_TEXT, PROFILE(description), .max = 200 },
	{ "issuer", "The issuing CA that signs, of `ca.issuers`.", CONFIG_TEXT, PROFILE(issuer),
	  .shown = "the first of `ca.issuers`", .check = config_rule_issuer },
	{ "methods", "By which ways certificates of this profile are issued.", CONFIG_FLAGS, PROFILE(methods),
	  .fallback = "acme, est, api",
	  .choices = CHOICES({ "acme", PROFILE_ACME }, { "est", PROFILE_EST }, { "api", PROFILE_API }) },
	{ "directory_alone",
	  "Whether it can be ordered in its own ACME directory alone. Otherwise the directory of `default_profile` "
	  "offers it too, for `profile` of an order to name.",
	  CONFIG_BOOL, PROFILE(directory_alone), .fallback = "false" },
	{ "policy",
	  "What may be certified: the name of one of `policies`, or `tls-server`, `tls-client`, `dual-purpose`, "
	  "`device`, `user`, `email-protection`, `code-signing`, `intermediate-ca`. Then `keys`, `dns`, `ip`, "
	  "`email`, `uri`, `permanent_identifier`, `hardware_module_name`, `wildcards`, `names_max` and "
	  "`validity_max`, which are a policy in short form, are not to be here, and the defaults of usages and "
	  "validity are the policy's.",
	  CONFIG_TEXT, .offset = offsetof(struct config_profile, policy), .shown = "the short form",
	  .check = config_rule_id },
	{ "subject",
	  "Attributes that are given where a CSR has none of the kind, and the only ones besides CN that a "
	  "certificate over ACME has.",
	  CONFIG_SECTION, .section = &SECTION(subject_keys) },
	{ "keys", "Keys that are certified.", CONFIG_FLAGS, PROFILE(keys),
	  .fallback = "rsa-2048, rsa-3072, rsa-4096, ec-p256, ec-p384, ec-p521, ed25519",
	  .choices = CONFIG_KEY_CHOICES },
	{ "dns",
	  "DNS names: `host.example` that name alone, `*.example` one label more, `**.example` any number more, `*` "
	  "every name.",
	  CONFIG_SECTION, .section = &SECTION(dns_keys) },
	{ "ip", "IP addresses: an address, a network, or `*`.", CONFIG_SECTION, .section = &SECTION(ip_keys) },
	{ "email", "E-mail addresses: `user@example.com`, `@example.com`, or `*`.", CONFIG_SECTION,
	  .section = &SECTION(email_keys) },
	{ "uri", "URIs: the whole, or a prefix ending in `*`.", CONFIG_SECTION, .section = &SECTION(uri_keys) },
	{ "permanent_identifier",
	  "Devices by RFC 4043: `value` or `value/OID of its assigner`, `*` for any characters.", CONFIG_SECTION,
	  .section = &SECTION(permanent_keys) },
	{ "hardware_module_name", "Devices by RFC 4108: `OID of the type/serial number in hexadecimal`, likewise.",
	  CONFIG_SECTION, .section = &SECTION(hardware_keys) },
	{ "wildcards", "Whether wildcard names are certified.", CONFIG_BOOL, PROFILE(wildcards),
	  .fallback = "true" },
	{ "names_max", "Names in one certificate.", CONFIG_NUMBER, PROFILE(names_max), .fallback = "100", .min = 1,
	  .max = 1000 },
	{ "validity", "Life of a certificate when nothing else was asked for.", CONFIG_DURATION, PROFILE(validity),
	  .fallback = "90d", .min = 60, .max = 60LL * YEAR },
	{ "validity_max", "The longest life that may be asked for.", CONFIG_DURATION, PROFILE(validity_max),
	  .fallback = "397d", .min = 60, .max = 60LL * YEAR },
	{ "backdate", "How far before its issue a certificate's life begins, for clocks that are slow.",
	  CONFIG_DURATION, PROFILE(backdate), .fallback = "1m", .max = 7 * DAY },
	{ "key_usage", "Key usages; those that do not fit the key's algorithm are left out.", CONFIG_FLAGS,
	  PROFILE(key_usage), .fallback = "digitalSignature, keyEncipherment",
	  .choices = CHOICES({ "digitalSignature", KU_DIGITAL_SIGNATURE }, { "nonRepudiation", KU_NON_REPUDIATION },
	                     { "keyEncipherment", KU_KEY_ENCIPHERMENT },
	                     { "dataEncipherment", KU_DATA_ENCIPHERMENT }, { "keyAgreement", KU_KEY_AGREEMENT },
	                     { "encipherOnly", KU_ENCIPHER_ONLY }, { "decipherOnly", KU_DECIPHER_ONLY }) },
	{ "extended_key_usage",
	  "Extended key usages, by name or as OIDs; at least one. A CSR that asks for some of them gets those.",
	  CONFIG_TEXTS, PROFILE(extended_key_usage), .fallback = "serverAuth, clientAuth",
	  .check = config_rule_usage },
	{ "common_name",
	  "CN of the subject: `none`; `if-asked`, the CSR's when it is a proven name; `first`, that or else the "
	  "first proven name.",
	  CONFIG_CHOICE, PROFILE(common_name), .fallback = "if-asked",
	  .choices = CHOICES({ "none", PROFILE_CN_NONE }, { "if-asked", PROFILE_CN_IF_ASKED },
	                     { "first", PROFILE_CN_FIRST }) },
	{ "hash", "Hash of the signature; `by-key` takes the one that fits the issuer's key.", CONFIG_CHOICE,
	  .offset = offsetof(struct config_profile, hash), .fallback = "by-key",
	  .choices = CHOICES({ "by-key", 0 }, { "sha256", 256 }, { "sha384", 384 }, { "sha512", 512 }) },
	{ "reuse_account_key", "Whether a certificate may have the key of the ACME account.", CONFIG_BOOL,
	  PROFILE(reuse_account_key), .fallback = "false" },
	{ "authorization_lifetime", "How long a proof of control can be used again.", CONFIG_DURATION,
	  PROFILE(authorization_lifetime), .fallback = "1d", .min = 60, .max = YEAR },
	{ "subdomains",
	  "Whether a proof for a domain stands for the names below it too, but for wildcard names (RFC 9444): "
	  "`none`, `dns` where it was given in the domain's zone, or `any`.",
	  CONFIG_CHOICE, PROFILE(subdomains), .fallback = "none",
	  .choices = CHOICES({ "none", PROFILE_SUBDOMAINS_NONE }, { "dns", PROFILE_SUBDOMAINS_DNS },
	                     { "any", PROFILE_SUBDOMAINS_ANY }) },
	{ "no_revocation_within",
	  "Certificates of a life so long or shorter say that there is no revocation information of them "
	  "(noRevAvail, RFC 9608), and lead to no CRL and no responder; 0: none do. Days at most: until they end, "
	  "nobody learns that one was revoked.",
	  CONFIG_DURATION, PROFILE(no_revocation_within), .fallback = "0s", .max = 30 * DAY },
	{ "auto_renewal", "Orders whose certificates the server renews by itself (RFC 8739).", CONFIG_SECTION,
	  .section = &SECTION(star_keys) },
	{ "renewal",
	  "When clients are asked to renew (RFC 9773). Each certificate is given a window, a quarter as long, at "
	  "its own place between these, so that a fleet does not renew at once.",
	  CONFIG_SECTION, .section = &SECTION(renewal_keys) },
	{ "approvals", "How many people must approve a request before its certificate is issued; 0: none.",
	  CONFIG_NUMBER, PROFILE(approvals), .fallback = "0", .max = 10 },
	{ "approvers", "Who may approve; without it, whoever may decide at all.", CONFIG_TEXTS, PROFILE(approvers),
	  .check = config_rule_not_empty },
	{ "expiry_alerts",
	  "How long before its end it is told that a certificate expires and nothing has replaced it, each once: an "
	  "event of the audit log, for webhooks; `0s` is the end itself; `none` is never.",
	  CONFIG_TEXTS, .offset = offsetof(struct config_profile, expiry_alerts),
	  .shown = "`30d`, `7d` and `1d`, those of them that are shorter than the certificate's life",
	  .check = config_rule_alert },
	{ "approval_lifetime", "How long a request waits for approval.", CONFIG_DURATION,
	  PROFILE(approval_lifetime), .fallback = "7d", .min = 60, .max = YEAR },
	{ "acme", "What is of ACME alone.", CONFIG_SECTION, .section = &config_profile_acme_section },
	{ "est", "What is of EST alone.", CONFIG_SECTION, .section = &config_profile_est_section },
	{ "caa",
	  "Whether CAA records (RFC 8659, RFC 8657) are asked for and held, when a name is proven over ACME and "
	  "again before each issuance; needs `acme.caa_identities`.",
	  CONFIG_BOOL, PROFILE(caa), .fallback = "false" },
	{ "require_dnssec",
	  "Whether ACME challenges for DNS names count only when the DNS answers that they rest on are signed with "
	  "DNSSEC; needs `acme.dns.trust_anchors`.",
	  CONFIG_BOOL, PROFILE(require_dnssec), .fallback = "false" },
	{ "keep_keys",
	  "Whether private keys that the server makes over the API are kept, sealed, so that they can be read again "
	  "and their certificates renewed by the server.",
	  CONFIG_BOOL, PROFILE(keep_keys), .fallback = "false" },
	{ "renew_before",
	  "How long before its end the server renews a certificate whose key it keeps, unless the request says "
	  "otherwise; 0: it does not.",
	  CONFIG_DURATION, PROFILE(renew_before), .fallback = "0", .max = 60LL * YEAR },
	{ "eab_required", "Whether new ACME accounts need an external account binding.", CONFIG_BOOL,
	  PROFILE(eab_required), .fallback = "false" },
};

const struct config_section config_profile_section = {
	.keys = profile_keys, .key_count = array_length(profile_keys), .size = sizeof(struct config_profile),
};
