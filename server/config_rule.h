/* Config rules: what one text of the configuration must be beyond its type. The problem's text says
 * what was expected. Internal to server/config*.c. Any thread. */
#pragma once

#include "base/problem.h"

typedef bool config_rule(const char *text, struct problem *p);
config_rule config_rule_not_empty, config_rule_address, config_rule_url, config_rule_http_url, config_rule_host,
	config_rule_domain;
config_rule config_rule_id, config_rule_issuer, config_rule_own_profile, config_rule_policy, config_rule_label;
config_rule config_rule_dns, config_rule_ip, config_rule_email, config_rule_uri, config_rule_typed_pattern;
config_rule config_rule_usage, config_rule_alert, config_rule_event, config_rule_challenge,
	config_rule_attestation_format;
config_rule config_rule_pkcs11;
config_rule config_rule_resolver, config_rule_zone, config_rule_trust_anchor, config_rule_root_hint,
	config_rule_proxy; /* of acme.dns */
