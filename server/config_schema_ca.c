/* The section `ca`. */
#include "server/config_schema.h"

#include "server/config_rule.h"

#define AT(member) .offset = offsetof(struct config, member)
#define CHOICES(...) (const struct config_choice[]){ __VA_ARGS__, { NULL, 0 } }
#define SECTION(rows) (const struct config_section){ .keys = rows, .key_count = array_length(rows) }

enum { DAY = 86400, YEAR = 365 * DAY };

static const struct config_key passphrase_keys[] = {
	{ "file", "A file that holds it; group and others must not be able to read it.", CONFIG_TEXT,
	  AT(ca.passphrase.file), .shown = "`passphrase` in `ca.folder`", .check = config_rule_not_empty },
	{ "environment", "A variable of the environment; removed from it when read.", CONFIG_TEXT,
	  AT(ca.passphrase.environment), .check = config_rule_not_empty },
	{ "credential", "A name in `$CREDENTIALS_DIRECTORY` (systemd's LoadCredential).", CONFIG_TEXT,
	  AT(ca.passphrase.credential), .check = config_rule_not_empty },
};

static const struct config_key pin_keys[] = {
	{ "file", "A file that holds it; group and others must not be able to read it.", CONFIG_TEXT,
	  AT(ca.pkcs11.file), .shown = "`pin` in `ca.folder`", .check = config_rule_not_empty },
	{ "environment", "A variable of the environment; removed from it when read.", CONFIG_TEXT,
	  AT(ca.pkcs11.environment), .check = config_rule_not_empty },
	{ "credential", "A name in `$CREDENTIALS_DIRECTORY` (systemd's LoadCredential).", CONFIG_TEXT,
	  AT(ca.pkcs11.credential), .check = config_rule_not_empty },
};

static const struct config_key pkcs11_keys[] = {
	{ "module", "The PKCS#11 module of the token's maker, such as `/usr/lib/softhsm/libsofthsm2.so`.", CONFIG_TEXT,
	  AT(ca.pkcs11.module), .check = config_rule_not_empty },
	{ "pin", "Where the PIN of the token's user comes from: at most one of these.", CONFIG_SECTION,
	  .section = &SECTION(pin_keys) },
};

#define KEYFILE_KINDS CHOICES({ "ec-p256", KEYFILE_EC_P256 }, { "ec-p384", KEYFILE_EC_P384 }, \
                              { "rsa-3072", KEYFILE_RSA_3072 }, { "rsa-4096", KEYFILE_RSA_4096 })
static const struct config_key ca_keys[] = {
	{ "folder", "Where the CA's certificates and encrypted keys live.", CONFIG_TEXT, AT(ca.folder),
	  .shown = "`ca` in `data.folder`", .check = config_rule_not_empty },
	{ "issuers", "The issuing CAs that are loaded; the first is the default one.", CONFIG_TEXTS, AT(ca.issuers),
	  .fallback = "issuing", .check = config_rule_id, .reload = true },
	{ "retiring",
	  "Those of them that are being replaced: renewal information (RFC 9773) asks to renew their certificates "
	  "at once. No profile may be signed by one.",
	  CONFIG_TEXTS, AT(ca.retiring), .check = config_rule_id },
	{ "organization", "O of the names of root and issuing CA, for `enrolld init`.", CONFIG_TEXT,
	  AT(ca.organization), .max = 64 },
	{ "root_name", "CN of the root, for `enrolld init`.", CONFIG_TEXT, AT(ca.root_name),
	  .fallback = "enrolld Root CA", .max = 64 },
	{ "issuing_name", "CN of the issuing CA, for `enrolld init`.", CONFIG_TEXT, AT(ca.issuing_name),
	  .fallback = "enrolld Issuing CA", .max = 64 },
	{ "root_key", "Key of the root, for `enrolld init`.", CONFIG_CHOICE, AT(ca.root_key), .fallback = "ec-p384",
	  .choices = KEYFILE_KINDS },
	{ "issuing_key", "Key of the issuing CA, for `enrolld init`.", CONFIG_CHOICE, AT(ca.issuing_key),
	  .fallback = "ec-p256", .choices = KEYFILE_KINDS },
	{ "root_key_uri",
	  "The root's key is this one, in a PKCS#11 token (RFC 7512: `pkcs11:token=...;object=...`), for `enrolld "
	  "init`, which makes it there if need be.",
	  CONFIG_TEXT, AT(ca.root_uri), .check = config_rule_pkcs11 },
	{ "issuing_key_uri",
	  "The issuing CA's key is this one, in a token, for `enrolld init`, which makes it there if need be.",
	  CONFIG_TEXT, AT(ca.issuing_uri), .check = config_rule_pkcs11 },
	{ "pkcs11", "The tokens that hold keys of CAs (docs/ca.md). Loaded only when a key is in one.",
	  CONFIG_SECTION, .section = &SECTION(pkcs11_keys) },
	{ "root_lifetime", "Life of the root's certificate, for `enrolld init`.", CONFIG_DURATION,
	  AT(ca.root_lifetime), .fallback = "20y", .min = DAY, .max = 60LL * YEAR },
	{ "issuing_lifetime", "Life of the issuing CA's certificate, for `enrolld init`.", CONFIG_DURATION,
	  AT(ca.issuing_lifetime), .fallback = "10y", .min = DAY, .max = 60LL * YEAR },
	{ "issuing_path_length",
	  "How many CAs may stand below the issuing CA, one under the other (RFC 5280, 4.2.1.9), for `enrolld "
	  "init`. A profile of intermediate CAs needs 1 or more.",
	  CONFIG_NUMBER, AT(ca.path_length), .fallback = "0", .max = 16 },
	{ "permitted",
	  "The only names that certificates of the issuing CA can have (RFC 5280, 4.2.1.10), for `enrolld init`: "
	  "`dns:example.com`, `ip:10.0.0.0/8`, `email:example.com`. A type of which there is none is free.",
	  CONFIG_TEXTS, AT(ca.permitted) },
	{ "excluded", "Names that they cannot have, for `enrolld init`.", CONFIG_TEXTS, AT(ca.excluded) },
	{ "passphrase", "Where the passphrase of the CA's keys comes from: at most one of these.", CONFIG_SECTION,
	  .section = &SECTION(passphrase_keys) },
	{ "urls",
	  "Base of the URLs of CA certificates, CRLs and OCSP that certificates carry, such as "
	  "`http://ca.example:8080`. Without it they carry none.",
	  CONFIG_TEXT, AT(ca.urls), .check = config_rule_http_url },
};

const struct config_section config_ca_section = { .keys = ca_keys, .key_count = array_length(ca_keys) };
