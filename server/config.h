/* Config: one YAML file, and what it means. Every key has a default; no file at all is fine.
 *
 * The rows of server/config_schema.h say which keys there are; docs/configuration.md and
 * deploy/enrolld.yaml are printed from them. A `struct config` owns all it points to and is
 * not changed after loading. One thread at a time loads. */
#pragma once

#include "acme/acme.h"
#include "admin/api.h"
#include "admin/webhook_declared.h"
#include "base/log.h"
#include "ca/ca.h"
#include "est/authentication.h"
#include "est/label.h"
#include "est/wrapping_keys.h"
#include "policy/profile.h"
#include "server/revocation.h"

#define CONFIG_PATH "/etc/enrolld/enrolld.yaml"
/* The profile of the server's own certificate; always there, and not for the file to define. */
#define CONFIG_OWN_PROFILE "enrolld-server"

enum config_service { CONFIG_ACME = 1, CONFIG_CA = 2, CONFIG_STATUS = 4, CONFIG_EST = 8, CONFIG_API = 16 };
enum config_client_certificate { CONFIG_CLIENT_NONE, CONFIG_CLIENT_ASK };
enum config_tls_minimum { CONFIG_TLS12, CONFIG_TLS13 };

struct config_listener {
	char *address;
	unsigned port;
	bool tls;
	unsigned services;              /* enum config_service bits */
	enum config_client_certificate client_certificate;
	char *external_url;             /* NULL: as the request's Host says */
};
struct config_profile {
	struct profile profile;
	int hash;                       /* 0: by issuer key; 256, 384, 512 */
	char *policy;                   /* its name; NULL: the short form */
	struct strings csr_names;       /* of profile.est.csr_oids, by name as well */
	struct strings subject[SUBJECT_TYPE_MAX];
	struct strings expiry_alerts;
	bool preauthorization;          /* acme.pre_authorization */
};
struct config_policy {
	struct policy policy;           /* usages by name as well */
	int unlisted;
	unsigned path_length;
};
struct config {
	char *path;                     /* NULL: no file was read */
	uint8_t digest[32];             /* SHA-256 of the file */
	struct {
		char *folder;
	} data;
	struct {
		enum log_level level;
		enum log_format format;
		bool requests;          /* one line for each request */
	} log;
	struct {
		char *folder;
		struct strings issuers, retiring;
		char *organization, *root_name, *issuing_name;
		enum keyfile_kind root_key, issuing_key;
		int64_t root_lifetime, issuing_lifetime;
		unsigned path_length;
		struct strings permitted, excluded;
		struct {
			char *file, *environment, *credential;
		} passphrase;
		char *urls;
		unsigned crl_shards;
		char *root_uri, *issuing_uri;
		struct {
			char *module, *file, *environment, *credential;
		} pkcs11;
	} ca;
	struct config_listener *listeners;
	size_t listener_count;
	struct {
		struct strings names;
		char *certificate, *key; /* both or neither */
		int64_t lifetime;
		enum config_tls_minimum minimum;
	} tls;
	struct {
		unsigned threads, connections_per_address;
		unsigned keep_alive, header_timeout, body_timeout, reply_timeout, drain_timeout; /* ms */
		unsigned body_max;
	} http;
	struct addr_list metrics_from;        /* `status.metrics_from` */
	struct revocation_options revocation; /* `crl` and `ocsp` */
	struct {
		struct acme_options options; /* complete: its pointers lead into this config */
		struct strings caa_identities, resolvers, trust_anchors, insecure_zones, root_hints;
		struct addr_list probe_allow, probe_deny;
		struct vantage_point *vantage;
		struct attestation_source *attestation; /* `device_attest_01.formats` */
		size_t attestation_count;
	} acme;
	struct {
		struct labels_options labels;
		struct wrapping_options wrapping;
		struct authentication *authentication;
		size_t authentication_count;
		struct addr_list proxies;
	} est;
	struct {
		struct api_options options;
	} api;
	struct {
		struct webhook_options options; /* complete, as acme's */
		struct addr_list allow, deny;
		char *trust;
	} webhook;
	struct webhook_declared *webhooks;
	size_t webhook_count;
	struct config_policy *policies;
	size_t policy_count;
	char *default_profile;
	struct config_profile *profiles;
	size_t profile_count;
	struct strings key_blocklists;
};

/* Reads path; NULL: CONFIG_PATH when there is such a file, the defaults otherwise. A refusal's text
 * names file, line, column, key, what was expected and what was found. */
bool config_load(const char *path, struct config **ret, struct problem *p) must_use;
/* The same from text, called `name` in refusals. */
bool config_parse(const char *name, struct bytes text, struct config **ret, struct problem *p) must_use;
void config_free(struct config *config);
declare_auto_struct(config, config_free);

/* The profiles of the file, the server's own among them, and the block lists they use. */
bool config_profiles(const struct config *config, struct profiles **ret, struct problem *p) must_use;

/* How EST's clients prove who they are; reads the manufacturers' files. */
bool config_authentications(const struct config *config, struct authentications **ret, struct problem *p) must_use;

/* Whom device-attest-01 believes; reads the files of roots. MALFORMED or NOT_FOUND names key and file. */
bool config_attestation(const struct config *config, struct attestation_roots **ret, struct problem *p) must_use;

/* The names of `ca.issuers` with NULL at the end, for ca_options; the list is the caller's to free. NULL: out of
 * memory. */
const char **config_issuers(const struct config *config);

/* Tells ca/pkcs11.h of the module that the file names. */
bool config_pkcs11(const struct config *config, struct problem *p) must_use;

/* docs/configuration.md and the commented example, from the rows. */
void config_print_reference(struct buf *ret);
void config_print_example(struct buf *ret);
