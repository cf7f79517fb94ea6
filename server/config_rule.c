#include "server/config_rule.h"

#include "acme/challenge.h"
#include "admin/webhook_event.h"
#include "base/addr.h"
#include "base/clock.h"
#include "base/ossl.h"
#include "ca/pkcs11_uri.h"
#include "est/label.h"
#include "policy/pattern.h"
#include "policy/policy.h"
#include "server/config.h"

#define NAME_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-."

static bool expected(struct problem *p, const char *what)
{
	return problem_set(p, PROBLEM_MALFORMED, "%s", what);
}

bool config_rule_not_empty(const char *text, struct problem *p)
{
	return *text ? true : expected(p, "some text");
}

bool config_rule_pkcs11(const char *text, struct problem *p)
{
	auto_value(pkcs11_uri) uri = {0};
	return pkcs11_uri_parse(text, &uri, p);
}

bool config_rule_address(const char *text, struct problem *p)
{
	struct addr address;
	return addr_parse(text, &address) ? true : expected(p, "an IP address such as 127.0.0.1 or ::");
}

/* 1 to 65535, in digits alone. */
static bool is_port(const char *text)
{
	size_t digits = strspn(text, "0123456789");
	long port = digits >= 1 && digits <= 5 && text[digits] == '\0' ? strtol(text, NULL, 10) : 0;

	return port >= 1 && port <= 65535;
}

/* Scheme and authority alone, so that paths can be put after it. */
static bool is_base(const char *text, const char *scheme)
{
	struct addr address;
	if (!str_starts(text, scheme))
		return false;
	const char *host = text + strlen(scheme);
	bool literal = *host == '[';
	size_t len = literal ? strcspn(host + 1, "]") : strcspn(host, ":");
	auto_free char *name = strndup(host + literal, len);
	const char *rest = host + len + 2 * literal;
	bool good = name && len > 0 &&
	            (literal ? host[1 + len] == ']' && addr_parse(name, &address) && address.family == AF_INET6
	                     : name[strspn(name, NAME_CHARACTERS)] == '\0');
	return good && (*rest == '\0' || (*rest == ':' && is_port(rest + 1)));
}

bool config_rule_url(const char *text, struct problem *p)
{
	return is_base(text, "https://") || is_base(text, "http://") ? true
	       : expected(p, "a URL of scheme and host alone, such as https://ca.example:8443");
}

/* CRLs and CA certificates are fetched over plain HTTP: RFC 5280, 8, warns of loops otherwise. */
bool config_rule_http_url(const char *text, struct problem *p)
{
	return is_base(text, "http://") ? true
	       : expected(p, "a URL of scheme and host alone, such as http://ca.example:8080");
}

static bool is_id(const char *text)
{
	size_t len = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-");
	return len >= 1 && len <= 32 && !text[len];
}

bool config_rule_typed_pattern(const char *text, struct problem *p)
{
	return pattern_typed_check(text, p);
}

bool config_rule_label(const char *text, struct problem *p)
{
	return label_check(text, p);
}

bool config_rule_id(const char *text, struct problem *p)
{
	return is_id(text) ? true : expected(p, "a name of 1 to 32 letters a-z, digits and hyphens");
}

bool config_rule_issuer(const char *text, struct problem *p)
{
	return is_id(text) ? true : expected(p, "the name of an issuer in ca.issuers");
}

bool config_rule_own_profile(const char *text, struct problem *p)
{
	if (str_equal(text, CONFIG_OWN_PROFILE))
		return expected(p, "another name, as " CONFIG_OWN_PROFILE " is the profile of the server's "
		                "own certificate");
	return config_rule_id(text, p);
}

bool config_rule_policy(const char *text, struct problem *p)
{
	if (policy_preset_find(text))
		return expected(p, "another name, as a built-in policy has this one");
	return config_rule_id(text, p);
}

bool config_rule_host(const char *text, struct problem *p)
{
	struct identifier ignored;
	auto_value(problem) why = {0};
	if (*text != '*' && (identifier_parse("dns", text, &ignored, &why) ||
	                     identifier_parse("ip", text, &ignored, &why)))
		return true;
	return expected(p, "a host name or an IP address");
}

bool config_rule_domain(const char *text, struct problem *p)
{
	struct identifier ignored;
	auto_value(problem) why = {0};
	if (*text != '*' && identifier_parse("dns", text, &ignored, &why))
		return true;
	return expected(p, "a domain name");
}

/* "127.0.0.1", "127.0.0.1@5353" */
bool config_rule_resolver(const char *text, struct problem *p)
{
	struct addr address;
	char host[ADDR_TEXT_SIZE] = "";
	const char *at = strchrnul(text, '@');
	size_t len = (size_t)(at - text);
	if (len < sizeof host)
		memcpy(host, text, len);
	if (len < sizeof host && addr_parse(host, &address) && (!*at || is_port(at + 1)))
		return true;
	return expected(p, "the address of a resolver such as 192.0.2.53 or 127.0.0.1@5353");
}

bool config_rule_zone(const char *text, struct problem *p)
{
	static const char allowed[] = NAME_CHARACTERS "_";
	size_t len = strlen(text);

	return (len > 0 && len <= 253 && strspn(text, allowed) == len && !strstr(text, "..")) ||
	       expected(p, "the name of a zone such as corp.example");
}

bool config_rule_trust_anchor(const char *text, struct problem *p)
{
	return (!strpbrk(text, "\"\n\r") && (*text == '/' || strstr(text, " DS ") || strstr(text, " DNSKEY "))) ||
	       expected(p, "the absolute path of a file, or a DS or DNSKEY record");
}

bool config_rule_root_hint(const char *text, struct problem *p)
{
	return str_equal(text, "builtin") || (*text == '/' && !strpbrk(text, "\"\n\r")) ||
	       expected(p, "`builtin`, or the absolute path of a file");
}

bool config_rule_proxy(const char *text, struct problem *p)
{
	const char *at = strstr(text, "://"), *host = at ? at + 3 : "";
	bool scheme = str_starts(text, "http://") || str_starts(text, "socks5://"), literal = *host == '[';
	size_t len = strcspn(host + literal, literal ? "]" : ":");
	auto_free char *address = strndup(host + literal, len);
	const char *port = host + literal + len + (literal && host[literal + len] == ']');
	struct addr a;

	if (!address)
		return problem_memory(p);
	return (scheme && addr_parse(address, &a) && *port == ':' && is_port(port + 1)) ||
	       expected(p, "a proxy by address and port such as http://192.0.2.1:3128 or socks5://192.0.2.1:1080");
}

bool config_rule_usage(const char *text, struct problem *p)
{
	auto(ASN1_OBJECT) *object = OBJ_txt2obj(text, 0);
	return object ? true
	       : expected(p, "an extended key usage such as serverAuth, clientAuth or 1.3.6.1.5.5.7.3.1");
}

bool config_rule_challenge(const char *text, struct problem *p)
{
	return challenge_type_find(text) ? true
	                                 : expected(p, "a type of challenge such as http-01, dns-01 or tls-alpn-01");
}

bool config_rule_attestation_format(const char *text, struct problem *p)
{
	return attestation_format_known(text) ? true : expected(p, "one of the formats " ATTESTATION_FORMAT_NAMES);
}

bool config_rule_event(const char *text, struct problem *p)
{
	auto_value(problem) why = {0};
	return webhook_pattern_check(text, &why) ? true
	       : expected(p, "a kind of event that `enrolld audit list --help` names, or the beginning of one and *");
}

bool config_rule_alert(const char *text, struct problem *p)
{
	int64_t seconds;
	if (str_equal(text, "none") || (clock_parse_duration(text, &seconds) && seconds <= PROFILE_ALERT_MAX))
		return true;
	return expected(p, "a duration of up to 5y such as 30d, or none");
}

static bool is_pattern(enum identifier_type type, const char *text, const char *what, struct problem *p)
{
	auto_value(problem) why = {0};
	return pattern_check(type, text, &why) ? true : expected(p, what);
}

bool config_rule_dns(const char *text, struct problem *p)
{
	return is_pattern(IDENTIFIER_DNS, text,
	                  "a pattern of names such as \"*\", host.example, *.example or **.example", p);
}

bool config_rule_ip(const char *text, struct problem *p)
{
	return is_pattern(IDENTIFIER_IP, text, "an address, a network such as 10.0.0.0/8, or \"*\"", p);
}

bool config_rule_email(const char *text, struct problem *p)
{
	return is_pattern(IDENTIFIER_EMAIL, text, "a pattern such as user@example.com, @example.com or \"*\"",
	                  p);
}

bool config_rule_uri(const char *text, struct problem *p)
{
	return is_pattern(IDENTIFIER_URI, text, "a URI, or a prefix ending in *", p);
}
