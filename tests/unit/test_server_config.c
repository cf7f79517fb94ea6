/* Configuration: every kind of fault is named with its line, its key and what was expected; the
 * defaults are those of the page; the page and the example are those of the table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>

#include "base/file.h"
#include "server/config.h"
#include "server/config_change.h"
#include "server/config_schema.h"
#include "server/pool.h"

static bool parse(const char *text, struct config **ret, struct problem *p)
{
	return config_parse("f", BYTES_STR(text), ret, p);
}

struct refusal {
	const char *text;
	const char *want; /* the whole message */
};
static const struct refusal refusals[] = {
	/* not YAML, or YAML of the wrong form */
	{ "a: b: c\n", "f:1:5: not YAML: mapping values are not allowed in this context" },
	{ "\tlog: {}\n", "f:1:1: not YAML: found character that cannot start any token: a tab, where YAML takes spaces alone" },
	{ "- 1\n", "f:1:1: expected a mapping of keys, got a list" },
	{ "log\n", "f:1:1: expected a mapping of keys, got `log`" },
	{ "log: {}\n---\nlog: {}\n", "f:3:1: a second document; one is expected" },
	{ "log: {}\nlog: {}\n", "f:2:1: key `log` stands here twice" },
	{ "{[1]: 2}\n", "f:1:2: expected the name of a key" },
	{ "data: &a {folder: x}\ntls: *a\n", "f:1:7: aliases are not used here; write the value again" },
	{ "data:\n  folder: \"a\\0b\"\n", "f:2:11: a NUL stands in the text" },
	/* a key that does not exist, at each depth */
	{ "log:\n  levle: info\n",
	  "f:2:3: key `log.levle`: unknown key, expected one of `level`, `format`, `requests`" },
	{ "acme:\n  http_01:\n    prot: 80\n",
	  "f:3:5: key `acme.http_01.prot`: unknown key, expected one of `port`, `https_port`, "
	  "`allow`, `deny`, `timeout`, `attempts`" },
	{ "listeners:\n- port: 1\n- port: 2\n  tsl: true\n",
	  "f:4:3: key `listeners[1].tsl`: unknown key, expected one of `address`, "
	  "`port`, `tls`, `services`, `client_certificate`, `external_url`" },
	/* the wrong type */
	{ "log: 3\n", "f:1:1: key `log`: expected a mapping, got `3`" },
	{ "log: []\n", "f:1:1: key `log`: expected a mapping, got a list" },
	{ "data: {folder: [x]}\n", "f:1:8: key `data.folder`: expected a text, got a list" },
	{ "data:\n  folder:\n    a: b\n", "f:2:3: key `data.folder`: expected a text, got a mapping" },
	{ "acme:\n  http_01:\n    allow: 10.0.0.0/8\n",
	  "f:3:5: key `acme.http_01.allow`: expected a list, each entry an address or a "
	  "network such as 10.0.0.0/8, got `10.0.0.0/8`" },
	{ "tls: {names: [a, [b]]}\n", "f:1:18: key `tls.names[1]`: expected a text, got a list" },
	{ "listeners: 8443\n", "f:1:1: key `listeners`: expected a list of 1 to 32 mappings, got `8443`" },
	{ "listeners: [8443]\n", "f:1:13: key `listeners[0]`: expected a mapping, got `8443`" },
	{ "log: {requests: maybe}\n", "f:1:7: key `log.requests`: expected `true` or `false`, got `maybe`" },
	{ "http: {threads: many}\n",
	  "f:1:8: key `http.threads`: expected a number from 1 to 4096, got `many`" },
	{ "http: {threads: 8.5}\n",
	  "f:1:8: key `http.threads`: expected a number from 1 to 4096, got `8.5`" },
	{ "http: {keep_alive: soon}\n",
	  "f:1:8: key `http.keep_alive`: expected a duration from 100ms to 1h, got `soon`" },
	{ "log: {level: loud}\n",
	  "f:1:7: key `log.level`: expected one of `error`, `warn`, `info`, `debug`, got `loud`" },
	/* out of range */
	{ "acme:\n  http_01:\n    port: 65536\n",
	  "f:3:5: key `acme.http_01.port`: expected a number from 1 to 65535, got `65536`" },
	{ "acme:\n  http_01:\n    port: 0\n",
	  "f:3:5: key `acme.http_01.port`: expected a number from 1 to 65535, got `0`" },
	{ "http: {threads: -1}\n", "f:1:8: key `http.threads`: expected a number from 1 to 4096, got `-1`" },
	{ "http: {threads: 99999999999999999999}\n",
	  "f:1:8: key `http.threads`: expected a number from 1 to 4096, got "
	  "`99999999999999999999`" },
	{ "http: {header_timeout: 99ms}\n",
	  "f:1:8: key `http.header_timeout`: expected a duration from 100ms to 1h, got `99ms`" },
	{ "tls: {lifetime: 30s}\n",
	  "f:1:7: key `tls.lifetime`: expected a duration from 1m to 365d, got `30s`" },
	{ "tls: {lifetime: 2y}\n",
	  "f:1:7: key `tls.lifetime`: expected a duration from 1m to 365d, got `2y`" },
	{ "ca: {root_name: 0123456789012345678901234567890123456789012345678901234567890123456789}\n",
	  "f:1:6: key `ca.root_name`: expected a text of at most 64 bytes, got "
	  "`012345678901234567890123456789012345678901234567`..." },
	{ "listeners: []\n", "f:1:1: key `listeners`: expected a list of 1 to 32 mappings, got a list" },
	/* rules of one text */
	{ "listeners: [{port: 1, address: localhost}]\n",
	  "f:1:23: key `listeners[0].address`: expected an IP address such as "
	  "127.0.0.1 or ::, got `localhost`" },
	{ "listeners: [{address: 127.0.0.1}]\n",
	  "f:1:13: key `listeners[0].port`: expected a number from 0 to 65535, got nothing" },
	{ "listeners: [{port: 1, external_url: ca.example}]\n",
	  "f:1:23: key `listeners[0].external_url`: expected a URL of scheme and "
	  "host alone, such as https://ca.example:8443, got `ca.example`" },
	{ "listeners: [{port: 1, external_url: \"https://ca.example:0\"}]\n",
	  "f:1:23: key `listeners[0].external_url`: expected a URL of scheme and "
	  "host alone, such as https://ca.example:8443, got `https://ca.example:0`" },
	{ "listeners: [{port: 1, external_url: \"https://\"}]\n",
	  "f:1:23: key `listeners[0].external_url`: expected a URL of scheme and "
	  "host alone, such as https://ca.example:8443, got `https://`" },
	{ "listeners: [{port: 1, external_url: \"https://:8443\"}]\n",
	  "f:1:23: key `listeners[0].external_url`: expected a URL of scheme and "
	  "host alone, such as https://ca.example:8443, got `https://:8443`" },
	{ "listeners: [{port: 1, external_url: \"https://ca.example:84430\"}]\n",
	  "f:1:23: key `listeners[0].external_url`: expected a URL of scheme and "
	  "host alone, such as https://ca.example:8443, got `https://ca.example:84430`" },
	{ "listeners: [{port: 1, external_url: \"https://ca.example:\"}]\n",
	  "f:1:23: key `listeners[0].external_url`: expected a URL of scheme and "
	  "host alone, such as https://ca.example:8443, got `https://ca.example:`" },
	{ "listeners: [{port: 1, external_url: \"https://[::1\"}]\n",
	  "f:1:23: key `listeners[0].external_url`: expected a URL of scheme and "
	  "host alone, such as https://ca.example:8443, got `https://[::1`" },
	{ "listeners: [{port: 1, external_url: \"https://[ca.example]\"}]\n",
	  "f:1:23: key `listeners[0].external_url`: expected a URL of scheme and "
	  "host alone, such as https://ca.example:8443, got `https://[ca.example]`" },
	{ "listeners: [{port: 1, external_url: \"https://[192.0.2.1]:1\"}]\n",
	  "f:1:23: key `listeners[0].external_url`: expected a URL of scheme and "
	  "host alone, such as https://ca.example:8443, got `https://[192.0.2.1]:1`" },
	{ "listeners: [{port: 1, external_url: \"https://ca.example/\"}]\n",
	  "f:1:23: key `listeners[0].external_url`: expected a URL of scheme and "
	  "host alone, such as https://ca.example:8443, got `https://ca.example/`" },
	{ "listeners: [{port: 1, external_url: \"https://u@ca.example\"}]\n",
	  "f:1:23: key `listeners[0].external_url`: expected a URL of scheme and "
	  "host alone, such as https://ca.example:8443, got `https://u@ca.example`" },
	{ "listeners: [{port: 1, external_url: \"https://a:1:2\"}]\n",
	  "f:1:23: key `listeners[0].external_url`: expected a URL of scheme and "
	  "host alone, such as https://ca.example:8443, got `https://a:1:2`" },
	{ "listeners: [{port: 1, services: [acme, console]}]\n",
	  "f:1:40: key `listeners[0].services[1]`: expected one of `acme`, `est`, "
	  "`ca`, `status`, `api` (`console` is not in this version), got `console`" },
	{ "listeners: [{port: 1, services: [ftp]}]\n",
	  "f:1:34: key `listeners[0].services[0]`: expected one of `acme`, `est`, `ca`, `status`, "
	  "`api`, got `ftp`" },
	{ "ca: {urls: \"https://ca.example\"}\n",
	  "f:1:6: key `ca.urls`: expected a URL of scheme and host alone, such as "
	  "http://ca.example:8080, got `https://ca.example`" },
	{ "acme: {challenges: []}\n", "f:1:8: key `acme.challenges`: expected at least one challenge" },
	{ "acme: {challenges: [dns-persist-01]}\n",
	  "f:1:8: key `acme.challenges`: expected 1 to 10 `acme.caa_identities` with `dns-persist-01`" },
	{ "acme: {resolvers: [192.0.2.1], dns: {root_hints: [builtin]}}\n",
	  "f:1:38: key `acme.dns.root_hints`: expected `resolvers` or `root_hints`, not both" },
	{ "acme: {vantage: {quorum: 2}}\n",
	  "f:1:18: key `acme.vantage.quorum`: expected no more than there are points, and one for this server" },
	{ "profiles: [{name: a, caa: true}]\n", "f:1:22: key `profiles[0].caa`: expected `acme.caa_identities` to be there for it" },
	{ "profiles: [{name: a, require_dnssec: true}]\n",
	  "f:1:22: key `profiles[0].require_dnssec`: expected `acme.dns.trust_anchors` to be there for it" },
	{ "acme: {vantage: {points: [{name: a, proxy: \"http://proxy.example:3128\"}]}}\n",
	  "f:1:37: key `acme.vantage.points[0].proxy`: expected a proxy by address and port such as http://192.0.2.1:3128 or "
	  "socks5://192.0.2.1:1080, got `http://proxy.example:3128`" },
	{ "acme: {vantage: {points: [{name: a, proxy: \"http://192.0.2.1:4294967297\"}]}}\n", /* 1 in 32 bits */
	  "f:1:37: key `acme.vantage.points[0].proxy`: expected a proxy by address and port such as http://192.0.2.1:3128 or "
	  "socks5://192.0.2.1:1080, got `http://192.0.2.1:4294967297`" },
	{ "acme: {resolvers: [\"127.0.0.1@65536\"]}\n",
	  "f:1:20: key `acme.resolvers[0]`: expected the address of a resolver such as "
	  "192.0.2.53 or 127.0.0.1@5353, got `127.0.0.1@65536`" },
	{ "acme: {resolvers: [dns.example]}\n",
	  "f:1:20: key `acme.resolvers[0]`: expected the address of a resolver such as "
	  "192.0.2.53 or 127.0.0.1@5353, got `dns.example`" },
	{ "tls: {names: [\"*.example\"]}\n",
	  "f:1:15: key `tls.names[0]`: expected a host name or an IP address, got `*.example`" },
	{ "acme: {http_01: {deny: [10.0.0.1/8]}}\n",
	  "f:1:25: key `acme.http_01.deny[0]`: expected an address or a network such as "
	  "10.0.0.0/8, got `10.0.0.1/8`" },
	{ "profiles: [{name: Web}]\n",
	  "f:1:13: key `profiles[0].name`: expected a name of 1 to 32 letters a-z, digits and hyphens, "
	  "got `Web`" },
	{ "profiles: [{name: enrolld-server}]\n",
	  "f:1:13: key `profiles[0].name`: expected another name, as enrolld-server is the "
	  "profile of the server's own certificate, got `enrolld-server`" },
	{ "profiles: [{name: a, dns: {allow: [\"**\"]}}]\n",
	  "f:1:36: key `profiles[0].dns.allow[0]`: expected a pattern of names such "
	  "as \"*\", host.example, *.example or **.example, got `**`" },
	{ "profiles: [{name: a, extended_key_usage: [webAuth]}]\n",
	  "f:1:43: key `profiles[0].extended_key_usage[0]`: expected an "
	  "extended key usage such as serverAuth, clientAuth or 1.3.6.1.5.5.7.3.1, got `webAuth`" },
	/* what must fit together */
	{ "ca:\n  passphrase: {file: a, environment: B}\n",
	  "f:2:3: key `ca.passphrase`: expected at most one of `file`, `environment` "
	  "and `credential`" },
	{ "ca: {issuing_lifetime: 30y}\n",
	  "f:1:6: key `ca.issuing_lifetime`: expected no more than `ca.root_lifetime`" },
	{ "ca: {issuers: []}\n", "f:1:6: key `ca.issuers`: expected at least one issuer" },
	{ "tls: {key: a.key}\n",
	  "f:1:7: key `tls.key`: expected `certificate` and `key` together, got one of them" },
	{ "listeners:\n- port: 8443\n- port: 8443\n",
	  "f:3:3: key `listeners[1]`: listeners[0] has this address and port already" },
	{ "est: {authentication: [{name: a, methods: [manufacturer]}]}\n",
	  "f:1:24: key `est.authentication[0]`: authentication a: manufacturers: files are wanted with the method manufacturer, and with it alone" },
	{ "est: {authentication: [{name: a, listed: true}]}\n",
	  "f:1:24: key `est.authentication[0]`: authentication a: listed: means the method manufacturer, which is not there" },
	{ "est: {authentication: [{name: a}, {name: b}]}\n",
	  "f:1:35: key `est.authentication[1]`: authentication b: labels: one row alone may be for all other labels" },
	{ "est: {authentication: [{name: a, labels: [tls-server]}, {name: b, labels: [\"\", tls-server]}]}\n",
	  "f:1:57: key `est.authentication[1]`: authentication b: labels: a label of another row" },
	{ "est: {authentication: [{name: a, labels: [tls-server]}, {name: a}]}\n",
	  "f:1:57: key `est.authentication[1]`: authentication a: name: the name of another row" },
	{ "est: {authentication: [{name: a, labels: [tls-sever]}]}\n",
	  "f:1:24: key `est.authentication[0]`: labels: there is no label `tls-sever` in `est.labels`, nor a profile of that name that "
	  "is open to EST" },
	{ "listeners: [{port: 1, tls: false, services: [est]}]\n", 
	  "f:1:13: key `listeners[0]`: `est` needs `tls: true`, or an `external_url` of https "
	  "behind which this listener stands (RFC 7030, 3.3)" },
	{ "listeners: [{port: 1, services: []}]\n",
	  "f:1:13: key `listeners[0]`: expected at least one service" },
	{ "listeners: [{port: 1, tls: false}]\n",
	  "f:1:13: key `listeners[0]`: `acme` needs `tls: true`, or an `external_url` of https "
	  "behind which this listener stands (RFC 8555, 6.1)" },
	{ "profiles: [{name: a}, {name: a}]\n",
	  "f:1:24: key `profiles[1].name`: expected a name of its own, got `a` again" },
	{ "profiles: [{name: a, issuer: other}]\n",
	  "f:1:22: key `profiles[0].issuer`: expected the name of an issuer in `ca.issuers`, "
	  "got `other`" },
	{ "default_profile: b\n",
	  "f:1:1: key `default_profile`: expected the name of one of `profiles`, got `b`" },
};

static void refuses_with_place_and_reason(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_length(refusals); i++) {
		auto_struct(config) *config = NULL;
		auto_value(problem) p = {0};
		if (parse(refusals[i].text, &config, &p))
			fail_msg("taken: %s", refusals[i].text);
		assert_int_equal(p.kind, PROBLEM_MALFORMED);
		assert_string_equal(p.detail, refusals[i].want);
		assert_null(config);
	}
}

/* policy/ words these; we add the place. */
static void refuses_profiles_that_policy_refuses(void **state)
{
	(void)state;
	static const struct refusal rows[] = {
		{ "profiles:\n- name: a\n- name: b\n  validity: 400d\n",
		  "f:3:3: key `profiles[1]`: profile b: validity: " },
		{ "profiles: [{name: a, backdate: 7d, validity: 1d}]\n",
		  "f:1:12: key `profiles[0]`: profile a: backdate: " },
		{ "profiles: [{name: a, keys: []}]\n", "f:1:12: key `profiles[0]`: profile a: keys: " },
		{ "profiles: [{name: a, methods: []}]\n", "f:1:12: key `profiles[0]`: profile a: methods: " },
		{ "profiles: [{name: a, extended_key_usage: []}]\n",
		  "f:1:12: key `profiles[0]`: profile a: extended_key_usage: " },
		{ "profiles: [{name: a, dns: {allow: []}, ip: {allow: []}}]\n",
		  "f:1:12: key `profiles[0]`: profile a: names: " },
	};
	for (size_t i = 0; i < array_length(rows); i++) {
		auto_struct(config) *config = NULL;
		auto_value(problem) p = {0};
		assert_false(parse(rows[i].text, &config, &p));
		if (!str_starts(p.detail, rows[i].want))
			fail_msg("%s", p.detail);
	}
}

static struct config *must_parse(const char *text)
{
	struct config *config = NULL;
	auto_value(problem) p = {0};
	if (!parse(text, &config, &p))
		fail_msg("%s", p.detail);
	return config;
}

#define POLICY_FILE \
	"policies:\n- name: corp\n  subject: {cn: {required: [\"device-*\"]}, o: {allow: [Example]}, ou: {deny: [Admin]}}\n" \
	"  san: {dns: {allow: [\"*.{account}.example.com\"]}, upn: {allow: [\"*@example.com\"]}}\n" \
	"  keys: [ec-p256]\n  signatures: [ecdsa-sha256]\n  key_usage: {required: [digitalSignature]}\n" \
	"  extended_key_usage: {required: [clientAuth], allow: [serverAuth]}\n  validity_max: 30d\n  own_key: true\n"
#define CA_FILE \
	"- name: sub\n  unlisted: allow\n  basic_constraints: {ca: required, path_length: 1}\n"

/* What a policy in the file becomes, and what a profile takes from it. */
static void policies_reach_profiles(void **state)
{
	static const char text[] = POLICY_FILE CA_FILE
		"profiles:\n- {name: web}\n- {name: dev, policy: corp, subject: {o: [Example]}}\n- {name: phone, policy: device}\n"
		"- {name: ca, policy: sub, key_usage: [digitalSignature]}\n";
	auto_struct(config) *config = NULL;
	auto_struct(profiles) *profiles = NULL;
	auto_value(problem) p = {0};

	(void)state;
	if (!parse(text, &config, &p) || !config_profiles(config, &profiles, &p))
		fail_msg("%s", p.detail);
	const struct profile *dev = profiles_find(profiles, "dev");
	assert_string_equal(dev->policy->name, "corp");
	assert_string_equal(dev->policy->fields[POLICY_SUBJECT + SUBJECT_CN].required.v[0], "device-*");
	assert_string_equal(dev->policy->fields[POLICY_OTHER + CSR_OTHER_UPN].allow.v[0], "*@example.com");
	assert_string_equal(dev->policy->extended_key_usage.required.v[0], "1.3.6.1.5.5.7.3.2");
	assert_true(dev->policy->own_key && !dev->policy->new_key && !dev->policy->unlisted);
	assert_int_equal(dev->policy->keys, 1 << KEY_EC_P256);
	assert_true(dev->validity == 30 * 86400 && dev->validity_max == 30 * 86400);
	assert_int_equal(dev->key_usage, KU_DIGITAL_SIGNATURE);
	assert_int_equal(dev->extended_key_usage.n, 1);
	assert_true(subject_has(&dev->subject, SUBJECT_O, "Example"));
	const struct profile *phone = profiles_find(profiles, "phone");
	assert_true(phone->policy->own_key && phone->policy->new_key);
	const struct profile *web = profiles_find(profiles, "web");
	assert_string_equal(web->policy->name, "web"); /* the short form is one as well */
	assert_string_equal(web->policy->fields[POLICY_SAN + IDENTIFIER_DNS].allow.v[0], "*");
	const struct profile *ca = profiles_find(profiles, "ca");
	assert_true(ca->policy->ca == POLICY_CA_REQUIRED && ca->policy->path_length == 1 && ca->policy->unlisted);
}

static const struct refusal policy_refusals[] = {
	{ POLICY_FILE "profiles: [{name: a, policy: corp, subject: {o: [Other]}}]\n",
	  "f:11:12: key `profiles[0]`: profile a: subject.o: the default \"Other\" is refused by its own policy corp: "
	  "organization value does not match allowed patterns" },
	{ POLICY_FILE "profiles: [{name: a, policy: corp, subject: {ou: [Admin]}}]\n",
	  "f:11:12: key `profiles[0]`: profile a: subject.ou: the default \"Admin\" is refused by its own policy corp: "
	  "organizational_unit value is denied by template policy" },
	{ POLICY_FILE "profiles: [{name: a, policy: corp, subject: {c: [DE]}}]\n",
	  "f:11:12: key `profiles[0]`: profile a: subject.c: the default \"DE\" is refused by its own policy corp: "
	  "country attribute is not allowed by template policy" },
	{ POLICY_FILE "profiles: [{name: a, policy: corp, key_usage: [keyAgreement, digitalSignature]}]\n",
	  "f:11:12: key `profiles[0]`: profile a: key_usage: the default \"keyAgreement\" is refused by its own policy corp: "
	  "Key usage keyAgreement is not allowed by template policy" },
	{ POLICY_FILE "profiles: [{name: a, policy: corp, extended_key_usage: [codeSigning]}]\n",
	  "f:11:12: key `profiles[0]`: profile a: extended_key_usage: the default \"1.3.6.1.5.5.7.3.3\" is refused by its own "
	  "policy corp: Extended key usage codeSigning (1.3.6.1.5.5.7.3.3) is not allowed by template policy" },
	{ "policies: [{name: a, unlisted: allow, extended_key_usage: {required: [clientAuth], allow: [serverAuth]}}]\n"
	  "profiles: [{name: b, policy: a, extended_key_usage: [serverAuth]}]\n",
	  "f:2:12: key `profiles[0]`: profile b: extended_key_usage: the defaults are refused by its own policy a: "
	  "Missing required extended key usage clientAuth (1.3.6.1.5.5.7.3.2)" },
	{ "policies: [{name: a, unlisted: allow, key_usage: {required: [keyAgreement], allow: [digitalSignature]}, "
	  "extended_key_usage: {allow: [serverAuth]}}]\nprofiles: [{name: b, policy: a, key_usage: [digitalSignature]}]\n",
	  "f:2:12: key `profiles[0]`: profile b: key_usage: the defaults are refused by its own policy a: "
	  "Missing required key usage keyAgreement" },
	{ "policies: [{name: a, unlisted: allow, san: {uri: {deny: [\"http://*\"]}}}]\n",
	  "f:1:12: key `policies[0]`: policy a: san.uri: \"http://*\": a host and a \"/\" stand before the \"*\"; \"*\" alone is every URI" },
	{ POLICY_FILE "profiles: [{name: a, policy: corp, validity: 31d}]\n",
	  "f:11:12: key `profiles[0]`: profile a: validity: from a minute to validity_max" },
	{ POLICY_FILE "profiles: [{name: a, subject: {c: [DEU]}}]\n",
	  "f:11:12: key `profiles[0]`: profile a: subject: RFC 5280, A.1: country \"DEU\" is not of 2 to 2 characters" },
	{ POLICY_FILE "profiles:\n- name: a\n  policy: corp\n  keys: [ed25519]\n",
	  "f:14:3: key `profiles[0].keys`: expected nothing here, as policy `corp` says it" },
	{ POLICY_FILE "profiles: [{name: a, policy: none}]\n",
	  "f:11:22: key `profiles[0].policy`: expected the name of one of `policies` or of a built-in one: `tls-server`, "
	  "`tls-client`, `dual-purpose`, `device`, `user`, `email-protection`, `code-signing`, `intermediate-ca`, got `none`" },
	{ POLICY_FILE "profiles: [{name: a, approvals: 2, approvers: [ada]}]\n",
	  "f:11:12: key `profiles[0]`: profile a: approvals: no more than there are approvers" },
	{ "policies: [{name: device}]\n",
	  "f:1:13: key `policies[0].name`: expected another name, as a built-in policy has this one, got `device`" },
	{ "policies: [{name: a, unlisted: allow}, {name: a, unlisted: allow}]\n",
	  "f:1:40: key `policies[1]`: expected a name of its own, got `a` again" },
	{ "policies: [{name: a}]\n",
	  "f:1:12: key `policies[0]`: policy a: keys: not mentioned, so every key would be refused" },
	{ "policies: [{name: a, unlisted: allow, san: {dns: {allow: [\"{nobody}.example\"]}}}]\n",
	  "f:1:12: key `policies[0]`: policy a: san.dns: \"{nobody}.example\": of words in braces there are {identity}, "
	  "{account} and {eab}, and {name} alone for a common name" },
};

static void refuses_policies(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_length(policy_refusals); i++) {
		auto_struct(config) *config = NULL;
		auto_value(problem) p = {0};
		if (parse(policy_refusals[i].text, &config, &p) || !str_equal(p.detail, policy_refusals[i].want))
			fail_msg("row %zu: %s", i, p.detail);
	}
}

static void empty_file_is_all_defaults(void **state)
{
	(void)state;
	static const char *const empty[] = { "", "# nothing\n", "{}\n", "~\n",
	                                     "log:\nacme:\nlisteners:\nprofiles: null\n",
	                                     "log: {level: ~, format: null}\nacme: {http_01: {allow: }}\n" };
	for (size_t i = 0; i < array_length(empty); i++) {
		auto_struct(config) *config = must_parse(empty[i]);
		assert_string_equal(config->data.folder, "/var/lib/enrolld");
		assert_string_equal(config->ca.folder, "/var/lib/enrolld/ca");
		assert_string_equal(config->ca.issuers.v[0], "issuing");
		assert_null(config->ca.urls);
		assert_int_equal(config->log.level, LOG_LEVEL_INFO);
		assert_int_equal(config->listener_count, 2);
		assert_int_equal(config->listeners[0].port, 8443);
		assert_true(config->listeners[0].tls);
		assert_int_equal(config->listeners[0].services, CONFIG_ACME | CONFIG_EST | CONFIG_API | CONFIG_CA | CONFIG_STATUS);
		assert_int_equal(config->listeners[0].client_certificate, CONFIG_CLIENT_ASK);
		assert_int_equal(config->listeners[1].port, 8080);
		assert_false(config->listeners[1].tls);
		assert_int_equal(config->listeners[1].services, CONFIG_CA);
		assert_true(strings_has(&config->tls.names, "localhost"));
		assert_int_equal(config->acme.options.http_port, 80);
		assert_int_equal(config->acme.options.challenge_wait_ms, 250);
		assert_int_equal(config->acme.options.orders_per_account.period, 3600);
		assert_ptr_equal(config->acme.options.probe_allow, &config->acme.probe_allow);
		assert_int_equal(config->acme.probe_allow.n, 0);
		assert_string_equal(config->default_profile, "tls-server");
		assert_int_equal(config->profile_count, 1);
	}
}

/* The table's defaults and policy's own are the same thing. */
static void default_profile_is_policys(void **state)
{
	(void)state;
	auto_struct(config) *config = must_parse("");
	auto_struct(profiles) *profiles = NULL;
	auto_struct(profile) *want = NULL;
	auto_value(problem) p = {0};
	assert_true(config_profiles(config, &profiles, &p));
	assert_true(profile_new("tls-server", &want, &p));
	const struct profile *got = profiles_default(profiles);
	assert_string_equal(got->name, want->name);
	assert_int_equal(got->methods, PROFILE_ACME | PROFILE_EST | PROFILE_API);
	assert_int_equal(got->keys, want->keys);
	assert_int_equal(got->wildcards, want->wildcards);
	assert_int_equal(got->names_max, want->names_max);
	assert_int_equal(got->validity, want->validity);
	assert_int_equal(got->validity_max, want->validity_max);
	assert_int_equal(got->backdate, want->backdate);
	assert_int_equal(got->key_usage, want->key_usage);
	assert_int_equal(got->common_name, want->common_name);
	assert_int_equal(got->reuse_account_key, want->reuse_account_key);
	assert_int_equal(got->authorization_lifetime, want->authorization_lifetime);
	assert_int_equal(got->eab_required, want->eab_required);
	assert_null(got->hash);
	assert_int_equal(got->extended_key_usage.n, want->extended_key_usage.n);
	for (size_t i = 0; i < want->extended_key_usage.n; i++)
		assert_string_equal(got->extended_key_usage.v[i], want->extended_key_usage.v[i]);
	for (enum identifier_type type = 0; type < IDENTIFIER_TYPE_MAX; type++) {
		assert_int_equal(got->names[type].allow.n, want->names[type].allow.n);
		assert_int_equal(got->names[type].deny.n, want->names[type].deny.n);
	}
}

static void own_profile_is_internal_alone(void **state)
{
	(void)state;
	auto_struct(config) *config = must_parse("tls: {lifetime: 2m, names: [a.example, b.example]}\n");
	auto_struct(profiles) *profiles = NULL;
	auto_value(problem) p = {0};
	if (!config_profiles(config, &profiles, &p))
		fail_msg("%s", p.detail);
	const struct profile *own = profiles_find(profiles, CONFIG_OWN_PROFILE);
	assert_non_null(own);
	assert_int_equal(own->methods, PROFILE_INTERNAL);
	assert_int_equal(own->validity, 120);
	assert_int_equal(own->validity_max, 120);
	assert_int_equal(own->names_max, 2);
}

static void values_reach_their_places(void **state)
{
	(void)state;
	auto_struct(config) *config = must_parse(
		"data: {folder: /srv/x}\n"
		"log: {level: debug, format: json, requests: no}\n"
		"ca: {organization: Example, issuers: [one, two], root_key: rsa-4096, passphrase: "
		"{environment: PASS}}\n"
		"listeners:\n- {address: 127.0.0.1, port: 0, client_certificate: none, external_url: "
		"'https://ca.example'}\n"
		"tls: {minimum: 1.3, lifetime: 1d}\n"
		"http: {threads: 7, keep_alive: 1500ms, drain_timeout: 0}\n"
		"acme:\n  caa_identities: [ca.example]\n  limits: {orders_per_name: {burst: 3, period: 2h}}\n"
		"  http_01: {port: 5002, allow: [127.0.0.0/8, '::1'], attempts: 1}\n  resolvers: "
		"['127.0.0.1@5353', '::1']\n"
		"default_profile: b\n"
		"profiles:\n- {name: a}\n"
		"- {name: b, keys: [ec-p384], hash: sha384, common_name: first, issuer: two, eab_required: "
		"true,\n"
		"   extended_key_usage: [clientAuth, 1.2.3.4], dns: {allow: ['**.example'], deny: "
		"[x.example]}, methods: [acme, est]}\n");
	assert_string_equal(config->data.folder, "/srv/x");
	assert_string_equal(config->ca.folder, "/srv/x/ca");
	assert_int_equal(config->log.level, LOG_LEVEL_DEBUG);
	assert_int_equal(config->log.format, LOG_FORMAT_JSON);
	assert_false(config->log.requests);
	assert_string_equal(config->ca.organization, "Example");
	assert_string_equal(config->ca.issuers.v[1], "two");
	assert_int_equal(config->ca.root_key, KEYFILE_RSA_4096);
	assert_string_equal(config->ca.passphrase.environment, "PASS");
	assert_int_equal(config->listener_count, 1);
	assert_int_equal(config->listeners[0].client_certificate, CONFIG_CLIENT_NONE);
	assert_string_equal(config->listeners[0].external_url, "https://ca.example");
	assert_int_equal(config->tls.minimum, CONFIG_TLS13);
	assert_int_equal(config->http.threads, 7);
	assert_int_equal(config->http.keep_alive, 1500);
	assert_int_equal(config->http.drain_timeout, 0);
	assert_string_equal(config->acme.options.caa_identities->v[0], "ca.example");
	assert_int_equal(config->acme.options.orders_per_name.burst, 3);
	assert_int_equal(config->acme.options.orders_per_name.period, 7200);
	assert_int_equal(config->acme.options.http_port, 5002);
	assert_int_equal(config->acme.options.probe_allow->n, 2);
	assert_int_equal(config->acme.options.dns.resolvers->n, 2);
	auto_struct(profiles) *profiles = NULL;
	auto_value(problem) p = {0};
	assert_true(config_profiles(config, &profiles, &p));
	const struct profile *b = profiles_default(profiles);
	assert_string_equal(b->name, "b");
	assert_int_equal(b->keys, 1u << KEY_EC_P384);
	assert_string_equal(b->hash, "SHA384");
	assert_int_equal(b->common_name, PROFILE_CN_FIRST);
	assert_string_equal(b->issuer, "two");
	assert_true(b->eab_required);
	assert_string_equal(b->extended_key_usage.v[0], "1.3.6.1.5.5.7.3.2");
	assert_string_equal(b->extended_key_usage.v[1], "1.2.3.4");
	assert_string_equal(b->names[IDENTIFIER_DNS].allow.v[0], "**.example");
	assert_string_equal(b->names[IDENTIFIER_DNS].deny.v[0], "x.example");
	assert_int_equal(b->methods, PROFILE_ACME | PROFILE_EST);
}

static bool takes(const struct config_key *key, int64_t value)
{
	static long room[8192];
	char text[32];
	auto_value(problem) p = {0};
	const char *unit = key->type == CONFIG_NUMBER ? "" : key->type == CONFIG_MILLISECONDS ? "ms" : "s";
	snprintf(text, sizeof text, "%lld%s", (long long)value, unit);
	assert_true(key->offset < sizeof room - sizeof(int64_t));
	return config_value_set(key, room, text, &p);
}

static bool has_bounds(const struct config_key *key)
{
	return key->type == CONFIG_NUMBER || key->type == CONFIG_DURATION || key->type == CONFIG_SECONDS ||
	       key->type == CONFIG_MILLISECONDS;
}

static size_t check_bounds(const struct config_section *section)
{
	size_t checked = 0;
	for (size_t i = 0; i < section->key_count; i++) {
		const struct config_key *key = &section->keys[i];
		if (key->section)
			checked += check_bounds(key->section);
		if (!has_bounds(key))
			continue;
		if (!takes(key, key->min) || !takes(key, key->max) || takes(key, key->max + 1) || (key->min > 0 && takes(key, key->min - 1)))
			fail_msg("%s: %lld to %lld is not what it takes", key->name, (long long)key->min, (long long)key->max);
		checked++;
	}
	return checked;
}

static void takes_urls_of_any_host(void **state)
{
	(void)state;
	static const char *const urls[] = {
		"https://ca.example", "http://ca", "https://ca.example:8443", "https://192.0.2.1:1", "https://[2001:db8::1]", "http://[::1]:65535",
	};
	for (size_t i = 0; i < array_length(urls); i++) {
		auto_free char *text = mem_printf("listeners: [{port: 1, services: [ca], external_url: \"%s\"}]\n", urls[i]);
		auto_struct(config) *config = must_parse(text);
		assert_string_equal(config->listeners[0].external_url, urls[i]);
	}
}

/* Of places to read a secret from one is enough, and two are refused. */
static void a_pin_is_in_one_place(void **state)
{
	static const struct {
		const char *pin;
		bool taken;
	} rows[] = {
		{ "file: /etc/pin", true },
		{ "environment: PIN", true },
		{ "credential: pin", true },
		{ "file: /etc/pin, environment: PIN", false },
		{ "environment: PIN, credential: pin", false },
	};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		auto_free char *text = mem_printf("ca: {pkcs11: {module: /lib/p11.so, pin: {%s}}}\n", rows[i].pin);
		auto_struct(config) *config = NULL;
		auto_value(problem) p = {0};
		assert_int_equal(config_parse("f", BYTES_STR(text), &config, &p), rows[i].taken);
		assert_true(rows[i].taken || strstr(p.detail, "ca.pkcs11.pin"));
	}
}

static void deltas_live_as_long_as_lists_at_most(void **state)
{
	static const struct {
		const char *lifetime;
		bool taken;
	} rows[] = { { "0s", true }, { "9s", false }, { "10s", true }, { "2d", true }, { "172801s", false } };

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		auto_free char *text = mem_printf("crl: {lifetime: 2d, interval: 1d, delta_lifetime: %s}\n", rows[i].lifetime);
		auto_struct(config) *config = NULL;
		auto_value(problem) p = {0};
		assert_int_equal(config_parse("f", BYTES_STR(text), &config, &p), rows[i].taken);
		assert_true(rows[i].taken || strstr(p.detail, "crl.delta_lifetime"));
	}
}

/* What the page says that a key takes, it takes, and nothing beyond. */
static void bounds_are_as_told(void **state)
{
	(void)state;
	assert_true(check_bounds(&config_schema) > 60);
}

/* One more than can be opened would be found out by the start alone. */
static void takes_as_many_listeners_as_can_be_opened(void **state)
{
	(void)state;
	for (size_t n = LISTENERS_MAX; n <= LISTENERS_MAX + 1; n++) {
		auto_struct(config) *config = NULL;
		auto_value(problem) p = {0};
		auto_value(buf) text = {0};
		buf_add_str(&text, "listeners:\n");
		for (size_t i = 0; i < n; i++)
			buf_printf(&text, "- {port: %zu}\n", 10000 + i);
		assert_int_equal(parse(buf_text(&text), &config, &p), n == LISTENERS_MAX);
	}
}

static void empty_list_is_not_the_default(void **state)
{
	(void)state;
	auto_struct(config) *config = must_parse("profiles: [{name: a, ip: {allow: []}}, {name: b, ip: "
	                                         "{allow: ~}}]\n");
	assert_int_equal(config->profiles[0].profile.names[IDENTIFIER_IP].allow.n, 0);
	assert_int_equal(config->profiles[1].profile.names[IDENTIFIER_IP].allow.n, 1);
}

static void names_of_key_kinds_are_the_cas(void **state)
{
	(void)state;
	static const char *const names[] = { "ec-p256", "ec-p384", "rsa-3072", "rsa-4096" };
	for (size_t i = 0; i < array_length(names); i++) {
		char text[64];
		enum keyfile_kind want;
		snprintf(text, sizeof text, "ca: {issuing_key: %s}\n", names[i]);
		auto_struct(config) *config = must_parse(text);
		assert_true(keyfile_kind_from(names[i], &want));
		assert_int_equal(config->ca.issuing_key, want);
	}
	for (enum key_algorithm a = 0; a < KEY_ALGORITHM_MAX; a++) {
		char text[64];
		snprintf(text, sizeof text, "profiles: [{name: a, keys: [%s]}]\n", key_algorithm_name(a));
		auto_struct(config) *config = must_parse(text);
		assert_int_equal(config->profiles[0].profile.keys, 1u << a);
	}
}

static void missing_file_is_named(void **state)
{
	(void)state;
	auto_struct(config) *config = NULL;
	auto_value(problem) p = {0};
	assert_false(config_load("/nonexistent/enrolld.yaml", &config, &p));
	assert_non_null(strstr(p.detail, "/nonexistent/enrolld.yaml"));
	assert_non_null(strstr(p.detail, "No such file"));
	problem_done(&p);
	assert_false(config_load("/", &config, &p));
	assert_non_null(strstr(p.detail, "Is a directory"));
}

/* The shipped example with all its defaults made live is the default configuration. */
static void example_is_the_default(void **state)
{
	(void)state;
	auto_value(buf) example = {0}, live = {0};
	config_print_example(&example);
	for (const char *line = buf_text(&example); *line; line = strchr(line, '\n') + 1) {
		size_t indent = strspn(line, " ");
		bool key = line[indent] == '#' && line[indent + 1] != ' ';
		buf_add(&live, line, indent);
		line += indent + (key ? 1 : 0);
		buf_add(&live, line, strcspn(line, "\n") + 1);
	}
	auto_struct(config) *plain = must_parse(buf_text(&example));
	auto_struct(config) *config = must_parse(buf_text(&live));
	assert_string_equal(plain->data.folder, "/var/lib/enrolld");
	assert_int_equal(config->listener_count, 2);
	assert_int_equal(config->listeners[1].port, 8080);
	assert_int_equal(config->profile_count, 1);
	assert_int_equal(config->http.threads, plain->http.threads);
	assert_int_equal(config->acme.options.probe_timeout_ms, plain->acme.options.probe_timeout_ms);
	/* Each key that has a default was live. */
	assert_non_null(strstr(buf_text(&live), "\n  challenge_wait: 250ms\n"));
	assert_non_null(strstr(buf_text(&live), "\n    attempts: 3\n"));
}

static void assert_committed(const char *path, const struct buf *want)
{
	auto_value(buf) have = {0};
	auto_value(problem) p = {0};
	if (!file_read(path, 1 << 20, &have, &p))
		fail_msg("%s", p.detail);
	if (!bytes_equal(buf_bytes(&have), buf_bytes(want)))
		fail_msg("%s is not what the table prints; `enrolld check-config --help` says how to print "
		         "it", path);
}

static void committed_pages_are_printed_from_the_table(void **state)
{
	(void)state;
	auto_value(buf) reference = {0}, example = {0};
	config_print_reference(&reference);
	config_print_example(&example);
	assert_committed("docs/configuration.md", &reference);
	assert_committed("deploy/enrolld.yaml", &example);
}

/* Each row of the table is in the page, and has a default that its own rules take. */
static void assert_rows(const struct config_section *section, const char *page)
{
	for (size_t i = 0; i < section->key_count; i++) {
		char cell[80];
		snprintf(cell, sizeof cell, "| `%s` | ", section->keys[i].name);
		assert_non_null(strstr(page, cell));
		assert_true(str_ends(section->keys[i].meaning, "."));
		if (section->keys[i].section)
			assert_rows(section->keys[i].section, page);
	}
}

static void every_row_is_told(void **state)
{
	(void)state;
	auto_value(buf) page = {0};
	config_print_reference(&page);
	assert_rows(&config_schema, buf_text(&page));
}

/* Against the defaults. */
static void what_waits_for_a_restart_is_named(void **state)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{ "{}\n", "" },
		{ "log: {level: debug, format: json}\nprofiles: [{name: other}]\nkey_blocklists: [/x]\n", "" },
		{ "webhook: {timeout: 3s}\nstatus: {metrics_from: [10.0.0.0/8]}\nhttp: {drain_timeout: 3s}\n", "" },
		{ "log: {requests: false}\n", "log.requests" },
		{ "acme: {http_01: {allow: [10.0.0.0/8]}}\n", "acme.http_01.allow" },
		{ "acme: {resolvers: [192.0.2.1]}\n", "acme.resolvers" },
		{ "listeners: [{port: 8443, tls: true}]\n", "listeners" },
		{ "tls: {names: [a.example], lifetime: 30d}\nhttp: {threads: 9, keep_alive: 2s}\n",
		  "tls.names, http.threads, http.keep_alive" },
	};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		auto_struct(config) *running = NULL, *next = NULL;
		auto_value(problem) p = { 0 };
		auto_value(buf) keys = { 0 };
		assert_true(parse("{}\n", &running, &p));
		if (!parse(rows[i].text, &next, &p))
			fail_msg("%s: %s", rows[i].text, p.detail);
		config_restart_keys(running, next, &keys);
		assert_string_equal(buf_text(&keys), rows[i].want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_with_place_and_reason),
		cmocka_unit_test(refuses_profiles_that_policy_refuses),
		cmocka_unit_test(policies_reach_profiles),
		cmocka_unit_test(refuses_policies),
		cmocka_unit_test(empty_file_is_all_defaults),
		cmocka_unit_test(default_profile_is_policys),
		cmocka_unit_test(own_profile_is_internal_alone),
		cmocka_unit_test(values_reach_their_places),
		cmocka_unit_test(takes_urls_of_any_host),
		cmocka_unit_test(a_pin_is_in_one_place),
		cmocka_unit_test(deltas_live_as_long_as_lists_at_most),
		cmocka_unit_test(bounds_are_as_told),
		cmocka_unit_test(takes_as_many_listeners_as_can_be_opened),
		cmocka_unit_test(empty_list_is_not_the_default),
		cmocka_unit_test(names_of_key_kinds_are_the_cas),
		cmocka_unit_test(missing_file_is_named),
		cmocka_unit_test(example_is_the_default),
		cmocka_unit_test(committed_pages_are_printed_from_the_table),
		cmocka_unit_test(every_row_is_told),
		cmocka_unit_test(what_waits_for_a_restart_is_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
