/* Config schema: the rows that say which keys the configuration has, what each may be, and what it
 * means. Internal to server/config*.c. Constants. */
#pragma once

#include "server/config.h"

enum config_type {
	CONFIG_TEXT,         /* char *; NULL without a default */
	CONFIG_NUMBER,       /* unsigned */
	CONFIG_BOOL,         /* bool */
	CONFIG_DURATION,     /* int64_t, seconds */
	CONFIG_SECONDS,      /* unsigned, of a duration */
	CONFIG_MILLISECONDS, /* unsigned; a duration, or "250ms" */
	CONFIG_CHOICE,       /* an enum, or int: the value of one choice */
	CONFIG_FLAGS,        /* unsigned: a list of choices, their values or-ed */
	CONFIG_TEXTS,        /* struct strings */
	CONFIG_NETWORKS,     /* struct addr_list */
	CONFIG_SECTION,      /* a mapping, its keys' offsets counted from the same struct */
	CONFIG_SECTIONS,     /* a list of mappings: pointer to structs of section->size, and size_t count */
	CONFIG_TYPE_MAX,
};
struct config_choice {
	const char *name;    /* NULL ends the list */
	int value;           /* CONFIG_NOT_BUILT: known, but not in this version */
};
enum { CONFIG_NOT_BUILT = -1 };

struct config_section;
struct config_key {
	const char *name;
	const char *meaning;
	enum config_type type;
	size_t offset, count_offset;
	const char *fallback;        /* as it would stand in the file, lists with commas; NULL: none */
	const char *shown;           /* said in place of a default that is worked out */
	int64_t min, max;            /* of numbers and durations, in the file's unit */
	const struct config_choice *choices;
	const struct config_section *section;
	bool (*check)(const char *text, struct problem *p); /* server/config_rule.h */
	bool required;               /* in a list's mapping: no default makes sense */
	bool reload;                 /* taken up on SIGHUP; a section: with all below */
};
struct config_section {
	const struct config_key *keys;
	size_t key_count;
	size_t size;                 /* of the struct, where the section is a list's mapping */
};
extern const struct config_section config_schema;
/* server/config_schema_ca.c: `ca`; _est.c: `est`, and that of a profile; _acme.c: of a profile. */
extern const struct config_section config_ca_section, config_est_section, config_profile_est_section,
	config_profile_acme_section;
/* server/config_schema_profile.c: an entry of `profiles`. */
extern const struct config_section config_profile_section;
/* server/config_schema_policy.c: an entry of `policies`; _webhook.c: of `webhooks`. */
extern const struct config_section config_policy_section, config_webhook_section;
/* server/config_schema_validation.c: below `acme`. */
extern const struct config_section config_tls_alpn_section, config_vantage_section, config_persist_section,
	config_attest_section, config_dns_section;
#define CONFIG_KEY_CHOICES                                                                                \
	(const struct config_choice[]){                                                                  \
		{ "rsa-2048", 1 << KEY_RSA_2048 }, { "rsa-3072", 1 << KEY_RSA_3072 },                    \
		{ "rsa-4096", 1 << KEY_RSA_4096 }, { "ec-p256", 1 << KEY_EC_P256 },                      \
		{ "ec-p384", 1 << KEY_EC_P384 }, { "ec-p521", 1 << KEY_EC_P521 },                        \
		{ "ed25519", 1 << KEY_ED25519 }, { NULL, 0 } }

/* "a number from 1 to 65535": what a key takes, appended. */
void config_key_expects(const struct config_key *key, struct buf *ret);
/* server/config_value.c: puts one text (of a list, one entry) where the row says, below base. The
 * problem says what was expected when it does not fit. */
bool config_value_set(const struct config_key *key, void *base, const char *text, struct problem *p) must_use;
/* The row's default, or zero. */
bool config_value_default(const struct config_key *key, void *base, struct problem *p) must_use;
bool config_type_is_list(enum config_type type);
/* Frees what the section's rows own below base, and zeroes it. */
void config_section_clear(const struct config_section *section, void *base);
