#include "server/config_rule.h"
#include "server/config_schema.h"

#define AT(member) .offset = offsetof(struct config, member)
#define ZONE(member) .offset = offsetof(struct dns_zone, member)
#define SECTION(rows) (const struct config_section){ .keys = rows, .key_count = array_length(rows) }
#define ELEMENT(rows, type) \
	(const struct config_section){ .keys = rows, .key_count = array_length(rows), .size = sizeof(type) }

static const struct config_key zone_keys[] = {
	{ "zone", "Its name.", CONFIG_TEXT, ZONE(name), .required = true, .check = config_rule_zone },
	{ "resolvers", "Who is asked, `192.0.2.53` or `127.0.0.1@5353`.", CONFIG_TEXTS, ZONE(resolvers),
	  .required = true, .check = config_rule_resolver },
	{ "authoritative", "Whether they serve the zone themselves, and do not resolve for others.", CONFIG_BOOL,
	  ZONE(authoritative), .fallback = "false" },
	{ "insecure",
	  "Whether it goes unvalidated although a trust anchor speaks for it: a private zone below a signed one.",
	  CONFIG_BOOL, ZONE(insecure), .fallback = "false" },
};

static const struct config_key dns_keys[] = {
	{ "trust_anchors",
	  "DNSSEC: files of DS or DNSKEY records such as `/usr/share/dns/root.key`, or such a record itself. What they "
	  "speak for is validated, and what is bogus is refused; without them nothing is.", CONFIG_TEXTS,
	  AT(acme.trust_anchors), .check = config_rule_trust_anchor },
	{ "insecure_zones", "Zones that are not validated all the same.", CONFIG_TEXTS, AT(acme.insecure_zones),
	  .check = config_rule_zone },
	{ "root_hints",
	  "Asks nobody to resolve and goes down from the root itself: `builtin` for the root servers of the Internet, "
	  "or files of root hints. Name servers on addresses that `http_01` denies are not "
	  "asked. Not together with `resolvers`.", CONFIG_TEXTS, AT(acme.root_hints), .check = config_rule_root_hint },
	{ "zones", "Zones that are asked for elsewhere.", CONFIG_SECTIONS, AT(acme.options.dns.zones),
	  offsetof(struct config, acme.options.dns.zone_count), .fallback = "", .max = 1000,
	  .section = &ELEMENT(zone_keys, struct dns_zone) },
	{ "tcp", "Whether DNS is asked over TCP alone; otherwise TCP follows where UDP was too short.", CONFIG_BOOL,
	  AT(acme.options.dns.tcp), .fallback = "false" },
};
const struct config_section config_dns_section = SECTION(dns_keys);

static const struct config_key tls_alpn_keys[] = {
	{ "port", "The port that is asked.", CONFIG_NUMBER, AT(acme.options.tls_alpn_port), .fallback = "443", .min = 1,
	  .max = 65535 },
};
const struct config_section config_tls_alpn_section = SECTION(tls_alpn_keys);

static const struct config_key persist_keys[] = {
	{ "forms",
	  "Drafts whose records are believed, and whose members the challenge has: `draft-02` with hashed account "
	  "URIs, `draft-00` with account URLs.",
	  CONFIG_FLAGS, AT(acme.options.persist_forms), .fallback = "draft-02",
	  .choices = (const struct config_choice[]){ { "draft-02", ACME_PERSIST_02 },
	                                             { "draft-00", ACME_PERSIST_00 },
	                                             { NULL, 0 } } },
};
const struct config_section config_persist_section = SECTION(persist_keys);

#define SOURCE(member) .offset = offsetof(struct attestation_source, member)
static const struct config_key source_keys[] = {
	{ "format", "Its name: " ATTESTATION_FORMAT_NAMES ".", CONFIG_TEXT, SOURCE(format), .required = true,
	  .check = config_rule_attestation_format },
	{ "roots",
	  "PEM files of the CAs of manufacturers or of your own that vouch for devices in this format, and for no "
	  "other.",
	  CONFIG_TEXTS, SOURCE(roots), .required = true, .check = config_rule_not_empty },
};
static const struct config_key attest_keys[] = {
	{ "formats", "Formats of attestation that are accepted.", CONFIG_SECTIONS, AT(acme.attestation),
	  offsetof(struct config, acme.attestation_count), .fallback = "", .max = 16,
	  .section = &ELEMENT(source_keys, struct attestation_source) },
};
const struct config_section config_attest_section = SECTION(attest_keys);

bool config_attestation(const struct config *config, struct attestation_roots **ret, struct problem *p)
{
	auto_value(problem) why = {0};

	return attestation_roots_new(config->acme.attestation, config->acme.attestation_count, ret, &why) ||
	       problem_set(p, why.kind, "acme.device_attest_01.formats: %s", why.detail);
}

#define POINT(member) .offset = offsetof(struct vantage_point, member)
static const struct config_key point_keys[] = {
	{ "name", "Its name, for messages.", CONFIG_TEXT, POINT(name), .required = true, .check = config_rule_id },
	{ "resolvers", "Whom it asks for DNS, `192.0.2.53` or `127.0.0.1@5353`.", CONFIG_TEXTS, POINT(resolvers),
	  .shown = "those of this server", .check = config_rule_resolver },
	{ "proxy",
	  "Through which it asks web servers for http-01, by address: `http://192.0.2.1:3128` or "
	  "`socks5://192.0.2.1:1080`.",
	  CONFIG_TEXT, POINT(proxy), .check = config_rule_proxy },
};
static const struct config_key vantage_keys[] = {
	{ "points",
	  "Each sees http-01, the challenges of DNS, and CAA with its own eyes. tls-alpn-01 is seen from here "
	  "alone.",
	  CONFIG_SECTIONS, AT(acme.vantage), offsetof(struct config, acme.options.vantage_count), .fallback = "",
	  .max = 16, .section = &ELEMENT(point_keys, struct vantage_point) },
	{ "quorum",
	  "How many must agree before a proof is believed; this server counts as one, and must always agree.",
	  CONFIG_NUMBER, AT(acme.options.quorum), .fallback = "1", .min = 1, .max = 17 },
};
const struct config_section config_vantage_section = SECTION(vantage_keys);
