/* The shapes of what is said of ACME: external account keys, accounts, orders. */
#include "admin/account_life.h"
#include "admin/api_scope.h"
#include "admin/order_life.h"

#define TEXT(n, m) { .name = (n), .type = API_TEXT, .meaning = (m) }
#define GIVEN(n, m) { .name = (n), .type = API_TEXT, .required = true, .meaning = (m) }
#define TIME(n, m) { .name = (n), .type = API_TIME, .meaning = (m) }
#define WHEN(n, m) { .name = (n), .type = API_TIME, .required = true, .meaning = (m) }
#define COUNT(n, m) { .name = (n), .type = API_INTEGER, .meaning = (m) }
#define LIST(n, o, m) { .name = (n), .type = API_OBJECTS, .required = true, .object = &(o), .meaning = (m) }
#define NEXT TEXT("next", "there is more: `after` of the next page")

/* --- what may be ordered, in replies */

#define SCOPE_TOLD                                                                                                   \
	{ "profiles", API_TEXTS, .required = true, .meaning = "the profiles that can be ordered; none: all" },       \
	{ "names", API_TEXTS, .meaning = "patterns of what can be ordered; without: what the profile allows" },      \
	{ "authorized", API_TEXTS, .meaning = "patterns of what is authorized without a challenge" },                \
	{ "networks", API_TEXTS, .meaning = "where requests may come from; without: anywhere" },                     \
	COUNT("quota", "certificates in quotaPeriod; without: any number"),                                          \
	COUNT("quotaPeriod", "seconds that quota is for"), COUNT("spent", "certificates in the present period"),     \
	TIME("spentSince", "when that began"), COUNT("quotaTotal", "certificates in all; without: any number"),      \
	COUNT("spentTotal", "certificates in all so far, where there is a quota")

/* --- external account keys */

static const char *const key_statuses[] = { "valid", "expired", "used up", "revoked", NULL };

static const struct api_field key_body_fields[] = {
	API_SCOPE_FIELDS,
	{ "usesMax", API_INTEGER, .min = 0, .max = 1000000000,
	  .meaning = "how many accounts it can bind; 0, or without: any number" },
	TIME("expires", "until when it can be used; without: for ever"),
	TEXT("note", "for whom it is"),
};
API_OBJECT_OF(api_external_key_body, "ExternalKeyRequest", key_body_fields);

static const struct api_field key_fields[] = {
	GIVEN("kid", "its id, `--eab-kid` of clients"),
	TEXT("key", "the key itself, base64url, `--eab-hmac-key` of clients: shown once, when it is made"),
	{ "status", API_TEXT, .required = true, .choices = key_statuses, .meaning = "whether it binds accounts" },
	TEXT("note", "for whom it is"),
	SCOPE_TOLD,
	WHEN("created", "when it was made"),
	TIME("expires", "until when it can be used"),
	{ "uses", API_INTEGER, .required = true, .meaning = "accounts that it has bound" },
	COUNT("usesMax", "how many it can bind"),
};
API_OBJECT_OF(api_external_key_reply, "ExternalKey", key_fields);

static const struct api_field keys_fields[] = { LIST("keys", api_external_key_reply, "one page of them"), NEXT };
API_OBJECT_OF(api_external_keys_reply, "ExternalKeys", keys_fields);

/* --- accounts */

static const struct api_field limit_fields[] = { API_SCOPE_FIELDS };
API_OBJECT_OF(api_account_body, "AccountChange", limit_fields);

static const struct api_field account_fields[] = {
	GIVEN("id", "the last part of its URL"),
	GIVEN("directory", "the ACME directory that it belongs to"),
	{ "status", API_TEXT, .required = true, .choices = account_statuses, .meaning = "RFC 8555, 7.1.6" },
	{ "contact", API_TEXTS, .required = true, .meaning = "as it said" },
	{ "termsOfServiceAgreed", API_BOOL, .required = true, .meaning = "whether it has" },
	WHEN("created", "when it was made"),
	TEXT("createdFrom", "address that it was made from"),
	TEXT("eab", "the external account key that bound it"),
	SCOPE_TOLD,
	GIVEN("thumbprint", "of its key (RFC 7638), base64url"),
};
API_OBJECT_OF(api_account_reply, "Account", account_fields);

static const struct api_field accounts_fields[] = {
	LIST("accounts", api_account_reply, "one page; it may be short, and not the last"), NEXT
};
API_OBJECT_OF(api_accounts_reply, "Accounts", accounts_fields);

/* --- orders */

static const struct api_field identifier_fields[] = {
	GIVEN("type", "dns, ip, ..."),
	GIVEN("value", "as the client wrote it"),
};
static API_OBJECT_OF(identifier, "Identifier", identifier_fields);

static const struct api_field star_fields[] = {
	TIME("start", "from when on; without: from when it is valid"),
	WHEN("end", "until when"),
	{ "lifetime", API_INTEGER, .required = true, .meaning = "seconds of each certificate" },
	{ "certificates", API_INTEGER, .required = true, .meaning = "how many there were so far" },
	TIME("next", "when the next one is made"),
	{ "public", API_BOOL, .required = true, .meaning = "whether anybody may fetch them" },
};
static API_OBJECT_OF(star, "AutoRenewal", star_fields);

static const struct api_field order_fields[] = {
	GIVEN("id", "the last part of its URL"),
	GIVEN("account", "who asked"),
	GIVEN("directory", "the ACME directory that it was asked in"),
	GIVEN("profile", "name of the profile"),
	{ "status", API_TEXT, .required = true, .choices = order_statuses, .meaning = "RFC 8555, 7.1.6; RFC 8739" },
	LIST("identifiers", identifier, "what for"),
	WHEN("created", "when it was made"),
	TIME("expires", "when it ends if nothing comes of it"),
	TIME("notBefore", "as asked"),
	TIME("notAfter", "as asked"),
	TEXT("replaces", "the certificate that it replaces (RFC 9773)"),
	TEXT("certificate", "id of what was issued"),
	{ "autoRenewal", API_OBJECT, .object = &star, .meaning = "of one that renews itself (RFC 8739)" },
	{ "error", API_ANY, .meaning = "why it is invalid, a problem document" },
};
API_OBJECT_OF(api_order_reply, "Order", order_fields);

static const struct api_field orders_fields[] = {
	LIST("orders", api_order_reply, "one page; it may be short, and not the last"), NEXT
};
API_OBJECT_OF(api_orders_reply, "Orders", orders_fields);
