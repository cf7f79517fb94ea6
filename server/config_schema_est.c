#include "server/config_rule.h"
#include "server/config_schema.h"

#define AT(member) .offset = offsetof(struct config, est.member)
#define LABEL(member) .offset = offsetof(struct label, member)
#define AUTHENTICATION(member) .offset = offsetof(struct authentication, member)
#define CHOICES(...) (const struct config_choice[]){ __VA_ARGS__, { NULL, 0 } }
#define ELEMENT(rows, type) \
	(const struct config_section){ .keys = rows, .key_count = array_length(rows), .size = sizeof(type) }

static const struct config_key label_keys[] = {
	{ "label",
	  "`factory/line-1` is `/.well-known/est/factory/line-1/`: one to three segments. Without this key it is "
	  "the path without a label.",
	  CONFIG_TEXT, LABEL(name), .fallback = "", .shown = "none", .check = config_rule_label },
	{ "profile", "The profile it leads to; several labels may lead to one.", CONFIG_TEXT, LABEL(profile),
	  .required = true, .check = config_rule_id },
	{ "wrap",
	  "Lines of base64: `auto` breaks long texts, but not for clients that send no User-Agent; `lines` and "
	  "`never` do one of the two for everybody.",
	  CONFIG_CHOICE, LABEL(wrap), .fallback = "auto",
	  .choices = CHOICES({ "auto", LABEL_WRAP_AUTO }, { "lines", LABEL_WRAP_LINES },
	                     { "never", LABEL_WRAP_NEVER }) },
	{ "cacerts_smime_type",
	  "Whether cacerts says `smime-type=certs-only` too; old clients compare the whole Content-Type.",
	  CONFIG_BOOL, LABEL(cacerts_smime_type), .fallback = "false" },
	{ "any_content_type",
	  "Whether requests are taken whatever their Content-Type says, for clients that send none.", CONFIG_BOOL,
	  LABEL(any_content_type), .fallback = "false" },
	{ "retry_after", "How long a client waits before it asks again whether its request was approved.",
	  CONFIG_SECONDS, LABEL(retry_after), .fallback = "1m", .min = 1, .max = 48 * 3600 },
};

static const struct config_choice methods[] = {
#define X(name, bit, text, meaning) { text, AUTHENTICATION_##name },
	AUTHENTICATION_METHODS(X)
#undef X
	{ NULL, 0 },
};

static const struct config_key authentication_keys[] = {
	{ "name", "Its name, in refusals and in the audit log.", CONFIG_TEXT, AUTHENTICATION(name),
	  .required = true, .check = config_rule_id },
	{ "labels",
	  "The labels that it is for, `\"\"` the service without one; without this key, those that no other row "
	  "names.",
	  CONFIG_TEXTS, AUTHENTICATION(labels), .check = config_rule_label },
	{ "methods",
	  "Any of: `certificate`, one that EST or the API issued; `manufacturer`, a manufacturer's (IDevID); "
	  "`registrar`, one of ours with id-kp-cmcRA, for other devices; `code` and `password` by HTTP Basic; "
	  "`digest-sha256` and `digest-md5`, passwords by HTTP Digest; `anonymous`, where people approve each "
	  "request.",
	  CONFIG_FLAGS, AUTHENTICATION(methods), .fallback = "certificate, code, password", .choices = methods },
	{ "manufacturers",
	  "PEM files of the CAs that the certificates of devices are trusted of, with `manufacturer`.",
	  CONFIG_TEXTS, AUTHENTICATION(manufacturers), .check = config_rule_not_empty },
	{ "listed",
	  "Whether a manufacturer's device must be on the list of devices (`enrolld est-credential import`).",
	  CONFIG_BOOL, AUTHENTICATION(listed), .fallback = "false" },
	{ "channel_binding",
	  "Whether the CSR must be linked to the connection by its challengePassword (RFC 7030, 3.5). One that is "
	  "there and wrong is refused in any case.",
	  CONFIG_CHOICE, AUTHENTICATION(binding), .fallback = "optional",
	  .choices = CHOICES({ "optional", AUTHENTICATION_BINDING_OPTIONAL },
	                     { "require", AUTHENTICATION_BINDING_REQUIRED }) },
	{ "tls_exporter", "Whether tls-exporter (RFC 9266) is taken for that in TLS 1.3, which has no tls-unique.",
	  CONFIG_BOOL, AUTHENTICATION(exporter), .fallback = "false" },
};

#define WRAPPING(member) .offset = offsetof(struct wrapping_key, member)
static const struct config_key wrapping_key_rows[] = {
	{ "id", "What a CSR calls it in its DecryptKeyIdentifier.", CONFIG_TEXT, WRAPPING(id), .required = true,
	  .check = config_rule_not_empty, .max = 256 },
	{ "file",
	  "A file with its 16, 24 or 32 bytes in hexadecimal; group and others must not be able to read it.",
	  CONFIG_TEXT, WRAPPING(file), .required = true, .check = config_rule_not_empty },
};

static const struct config_key est_keys[] = {
	{ "labels", "What its paths lead to, besides the names of profiles.", CONFIG_SECTIONS, AT(labels.list),
	  offsetof(struct config, est.labels.count), .fallback = "", .section = &ELEMENT(label_keys, struct label),
	  .max = 256 },
	{ "profile_labels", "Whether the name of each profile that is open to EST is a label.", CONFIG_BOOL,
	  AT(labels.profiles), .fallback = "true" },
	{ "wrapping_keys",
	  "Symmetric keys that devices have, to encrypt with them the keys that serverkeygen makes.",
	  CONFIG_SECTIONS, AT(wrapping.keys), offsetof(struct config, est.wrapping.key_count), .fallback = "",
	  .section = &ELEMENT(wrapping_key_rows, struct wrapping_key), .max = 10000 },
	{ "wrapping_certificates",
	  "PEM files of certificates of devices, RSA or of elliptic curves, for the same; a device's own client "
	  "certificate needs not be there.",
	  CONFIG_TEXTS, AT(wrapping.certificates), .check = config_rule_not_empty },
	{ "authentication",
	  "How clients prove who they are: a row for each group of labels. A label that no row is for has the "
	  "default methods.",
	  CONFIG_SECTIONS, AT(authentication), offsetof(struct config, est.authentication_count), .fallback = "",
	  .section = &ELEMENT(authentication_keys, struct authentication), .max = 256 },
	{ "proxies",
	  "Addresses of reverse proxies that end TLS and say a client's certificate in the header Client-Cert (RFC "
	  "9440).",
	  CONFIG_NETWORKS, AT(proxies) },
};
const struct config_section config_est_section = { .keys = est_keys, .key_count = array_length(est_keys) };

#define PROFILE(member) .offset = offsetof(struct config_profile, profile.est.member)
static const struct config_key profile_est_keys[] = {
	{ "renewal_grace", "How long after its end a certificate still renews.", CONFIG_DURATION,
	  PROFILE(renewal_grace), .fallback = "0s", .max = 10LL * 365 * 86400 },
	{ "change_names",
	  "Names that a device which renews may ask for in place of its own (ChangeSubjectName, RFC 6402), such as "
	  "`dns:*.example.com`; none: it keeps what it has.",
	  CONFIG_TEXTS, PROFILE(change_names), .check = config_rule_typed_pattern },
	{ "server_keys",
	  "Keys that serverkeygen makes: of the kind that the CSR has if that is among them, else of the first of "
	  "`ec-p256`, `ec-p384`, `ec-p521`, `rsa-3072`, `rsa-4096`, `rsa-2048`, `ed25519` that is; none: "
	  "serverkeygen is not served.",
	  CONFIG_FLAGS, PROFILE(server_keys), .choices = CONFIG_KEY_CHOICES },
	{ "server_key_encrypted",
	  "Whether such a key is given only to who asks for an encryption of its own, besides TLS.", CONFIG_BOOL,
	  PROFILE(server_key_encrypted), .fallback = "false" },
	{ "csr_attributes",
	  "What csrattrs says: `plain`, what a CSR must have; `extensions`, the extensions too, with the values "
	  "that they will have (RFC 9908); `template`, all of it as a template (RFC 9908); `none`, nothing.",
	  CONFIG_CHOICE, PROFILE(csr_attributes), .fallback = "plain",
	  .choices = CHOICES({ "plain", PROFILE_CSR_PLAIN }, { "extensions", PROFILE_CSR_EXTENSIONS },
	                     { "template", PROFILE_CSR_TEMPLATE }, { "none", PROFILE_CSR_NONE }) },
	{ "csr_oids", "Attributes that csrattrs names besides, by name or as OIDs, such as `serialNumber`.",
	  CONFIG_TEXTS, .offset = offsetof(struct config_profile, csr_names), .check = config_rule_usage },
};
const struct config_section config_profile_est_section = { .keys = profile_est_keys,
	                                                   .key_count = array_length(profile_est_keys) };

bool config_authentications(const struct config *config, struct authentications **ret, struct problem *p)
{
	return authentications_new(config->est.authentication, config->est.authentication_count,
	                           &config->est.proxies, ret, p);
}
