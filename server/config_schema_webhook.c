/* The keys of a webhook of the configuration. */
#include "server/config_rule.h"
#include "server/config_schema.h"

#define WEBHOOK(member) .offset = offsetof(struct webhook_declared, member)
#define SECTION(rows) (const struct config_section){ .keys = rows, .key_count = array_length(rows) }

static const struct config_key secret_keys[] = {
	{ "file", "A file that holds it; group and others must not be able to read it.", CONFIG_TEXT,
	  WEBHOOK(secret.file), .check = config_rule_not_empty },
	{ "environment", "A variable of the environment; removed from it when read, at the start.", CONFIG_TEXT,
	  WEBHOOK(secret.environment), .check = config_rule_not_empty },
	{ "credential", "A name in `$CREDENTIALS_DIRECTORY` (systemd's LoadCredential).", CONFIG_TEXT,
	  WEBHOOK(secret.credential), .check = config_rule_not_empty },
};

static const struct config_key keys[] = {
	{ "name", "What it is known by: under the same name it goes on where it was.", CONFIG_TEXT, WEBHOOK(name),
	  .required = true, .check = config_rule_id },
	{ "url", "Where events are sent, http or https.", CONFIG_TEXT, WEBHOOK(url), .required = true,
	  .check = config_rule_not_empty },
	{ "secret", "Where the secret that they are signed with comes from: one of these.", CONFIG_SECTION,
	  .section = &SECTION(secret_keys) },
	{ "events", "What is sent: kinds of events, or the beginning of some and `*`.", CONFIG_TEXTS,
	  WEBHOOK(events), .shown = "`certificate-*`, `request-*`, `renewal-failed`", .check = config_rule_event },
	{ "profiles", "Events about certificates and requests of these profiles alone; none: all events.",
	  CONFIG_TEXTS, WEBHOOK(profiles), .check = config_rule_id },
	{ "note", "What it is for.", CONFIG_TEXT, WEBHOOK(note), .max = 200 },
};
const struct config_section config_webhook_section = {
	.keys = keys, .key_count = array_length(keys), .size = sizeof(struct webhook_declared),
};
