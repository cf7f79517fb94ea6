/* Admin: the operator's side. What its commands are told of the configuration, and their rows. */
#pragma once

#include "admin/account_life.h"
#include "admin/command.h"
#include "admin/order_life.h"
#include "admin/webhook.h"
#include "ca/ca.h"
#include "policy/profile.h"
#include "store/store.h"

/* Borrowed from the configuration by the command's caller. */
struct admin {
	const char *data_folder;
	struct ca_create_options ca;           /* its folder is the CA's */
	struct secret_source passphrase;
	const struct strings *profiles;        /* names that a credential can be bound to */
	/* Who may approve requests of a profile; empty: anybody who can run the commands. NULL: no such profile. */
	const struct strings *(*approvers)(const void *config, const char *profile);
	const void *config;                    /* approvers', and of these two */
	bool (*open_profiles)(const void *config, struct profiles **ret, struct problem *p);
	bool (*open_ca)(const void *config, struct ca **ret, struct problem *p); /* with its keys, to issue */
	const struct webhook_options *webhook;
	const char *key_file;                  /* as struct api_options */
	/* What an account has begun, and what an order is, is the protocol's to know, and admin/ does not see the
	 * protocols: the server hands it in. */
	account_cancel_work *cancel_work;
	order_cancel_one *cancel_order;
};

extern const struct command admin_init_command, admin_backup_command, admin_version_command;
extern const struct command admin_ca_list, admin_ca_show, admin_ca_import, admin_ca_csr, admin_ca_install;
extern const struct command admin_ca_renew, admin_ca_rekey, admin_ca_rollover, admin_ca_disable, admin_ca_enable,
	admin_ca_crl, admin_ca_revoke;
extern const struct command admin_cert_list, admin_cert_show, admin_cert_revoke, admin_cert_release;
extern const struct command admin_account_list, admin_account_show, admin_account_limit, admin_account_deactivate;
extern const struct command admin_order_list, admin_order_show, admin_order_cancel;
extern const struct command admin_cert_issue, admin_cert_renew, admin_cert_import, admin_cert_export,
	admin_cert_metadata, admin_cert_delete;
extern const struct command admin_key_forget;
extern const struct command admin_cert_renewal, admin_cert_renewals, admin_cert_key, admin_key_reseal;
extern const struct command admin_eab_create, admin_eab_list, admin_eab_show, admin_eab_revoke;
extern const struct command admin_audit_list, admin_audit_verify, admin_audit_export;
extern const struct command admin_est_credential_create, admin_est_credential_list, admin_est_credential_revoke;
extern const struct command admin_est_credential_import;
extern const struct command admin_renew_now;
extern const struct command admin_request_list, admin_request_show, admin_request_collect;
extern const struct command admin_request_approve, admin_request_reject, admin_request_cancel;
extern const struct command admin_webhook_create, admin_webhook_change, admin_webhook_list, admin_webhook_test;
extern const struct command admin_webhook_resume, admin_webhook_revoke;
extern const struct command admin_token_create, admin_token_list, admin_token_revoke;

/* Makes what is missing of passphrase file, CA and store. CONFLICT when all is there already. */
struct admin_init_result {
	bool passphrase, ca, store, list;      /* what was made; list: the root's CRL */
};
bool admin_init(const struct admin *admin, struct admin_init_result *ret, struct problem *p) must_use;

/* The file `passphrase` in the CA's folder, where the configuration names no other source and it is missing. */
bool admin_passphrase_complete(const struct admin *admin, bool *ret_made, struct problem *p) must_use;

/* The store of the configuration; NOT_FOUND tells of `enrolld init`. */
bool admin_open_store(const struct admin *admin, struct store **ret, struct problem *p) must_use;
