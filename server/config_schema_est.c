#include "server/config_rule.h"
#include "server/config_schema.h"

#define AT(member) .offset = offsetof(struct config, est.member)
#define LABEL(member) .offset = offsetof(struct label, member)
#define CHOICES(...) (const struct config_choice[]){ __VA_ARGS__, { NULL, 0 } }
#define ELEMENT(rows, type) \
	(const struct config_section){ .keys = rows, .key_count = array_length(rows), .size = sizeof(type) }

static const struct config_key label_keys[] = {
	{ "label", "`factory/line-1` is `/.well-known/est/factory/line-1/`: one to three segments. Without this key it is the "
	  "path without a label.", CONFIG_TEXT, LABEL(name), .fallback = "", .shown = "none", .check = config_rule_label },
	{ "profile", "The profile it leads to; several labels may lead to one.", CONFIG_TEXT, LABEL(profile), .required = true,
	  .check = config_rule_id },
	{ "wrap",
	  "Lines of base64: `auto` breaks long texts, but not for clients that send neither User-Agent nor Accept; `lines` "
	  "and `never` do one of the two for everybody.", CONFIG_CHOICE, LABEL(wrap), .fallback = "auto",
	  .choices = CHOICES({ "auto", LABEL_WRAP_AUTO }, { "lines", LABEL_WRAP_LINES }, { "never", LABEL_WRAP_NEVER }) },
	{ "cacerts_smime_type", "Whether cacerts says `smime-type=certs-only` too; old clients compare the whole Content-Type.",
	  CONFIG_BOOL, LABEL(cacerts_smime_type), .fallback = "false" },
	{ "any_content_type", "Whether requests are taken whatever their Content-Type says, for clients that send none.",
	  CONFIG_BOOL, LABEL(any_content_type), .fallback = "false" },
};

static const struct config_key est_keys[] = {
	{ "labels", "What its paths lead to, besides the names of profiles.", CONFIG_SECTIONS, AT(labels.list),
	  offsetof(struct config, est.labels.count), .fallback = "", .section = &ELEMENT(label_keys, struct label), .max = 256 },
	{ "profile_labels", "Whether the name of each profile that is open to EST is a label.", CONFIG_BOOL, AT(labels.profiles),
	  .fallback = "true" },
};
const struct config_section config_est_section = { .keys = est_keys, .key_count = array_length(est_keys) };
