/* Schema: the shapes of the API's JSON, as tables. What clients send is checked against them, and the
 * OpenAPI description is printed from them, so that the two cannot differ. Internal to admin/. */
#pragma once

#include "base/mem.h"

enum api_type {
	API_TEXT,     /* one line: UTF-8 without control characters */
	API_LINES,    /* PEM: the same, with line ends and tabs */
	API_SECRET,   /* one line, never echoed */
	API_SECRET_LINES, /* PEM of a private key, never echoed */
	API_INTEGER,
	API_BOOL,
	API_TIME,     /* RFC 3339 */
	API_OBJECT,
	API_TEXTS,    /* a list of lines */
	API_OBJECTS,  /* a list of objects */
	API_ANY,      /* in replies alone */
};
struct api_field {
	const char *name;
	enum api_type type;
	bool required;               /* in replies: always there */
	int64_t min, max;            /* characters of a text, entries of a list, an integer itself; max 0: a default */
	const char *const *choices;  /* of a text or the texts of a list; NULL-ended; NULL: any */
	const struct api_object *object;
	const char *meaning;
	bool nullable;               /* null is a value of its own, in bodies */
	const char *pattern; /* a regular expression that the action holds the text to; told, not checked, by the
	                        table */
};
struct api_object {
	const char *name;            /* "IssueRequest": unique */
	const struct api_field *fields;
	size_t field_count;
};
#define API_OBJECT_OF(variable, schema_name, field_table) \
	const struct api_object variable = { schema_name, field_table, array_length(field_table) }

enum { API_TEXT_MAX = 255, API_LINES_MAX = 64 * 1024, API_LIST_MAX = 100 };

/* SHA-256 in hexadecimal, also with colons. */
#define API_HASH_PATTERN "^[0-9A-Fa-f]{2}(:?[0-9A-Fa-f]{2}){31}$"

/* Bodies of requests. */
extern const struct api_object api_issue_body, api_renew_body, api_revoke_body, api_change_body, api_import_body,
	api_test_body, api_renew_now_body;
extern const struct api_object api_webhook_body, api_webhook_change_body, api_resume_body, api_empty_body;
extern const struct api_object api_pkcs12_body, api_export_body, api_decide_body, api_collect_body;
extern const struct api_object api_credential_body, api_devices_body, api_external_key_body, api_account_body;
/* Replies. */
extern const struct api_object api_events_reply;
extern const char *const api_audit_kinds[];
extern const struct api_object api_credential_reply, api_credentials_reply, api_devices_reply;
extern const struct api_object api_external_key_reply, api_external_keys_reply, api_account_reply, api_accounts_reply;
extern const struct api_object api_order_reply, api_orders_reply;
extern const struct api_object api_webhook_reply, api_webhooks_reply, api_webhook_test_reply;
extern const struct api_object api_problem_reply, api_issued_reply, api_certificate_reply, api_certificates_reply,
	api_body_reply, api_bundle_reply, api_revoked_reply, api_released_reply, api_profile_reply,
	api_profiles_reply, api_request_reply, api_requests_reply, api_policy_reply, api_policies_reply,
	api_issuer_reply, api_issuers_reply, api_token_reply, api_openapi_reply, api_test_reply,
	api_renew_now_reply, api_key_reply;
