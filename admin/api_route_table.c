/* The table of the API's requests. */
#include "admin/account_life.h"
#include "admin/api_routes.h"
#include "admin/order_life.h"

#include <assert.h>

#define JSON "application/json"
#define CERTIFICATES API_PREFIX "cert-manager/certificates"
#define CERTIFICATE CERTIFICATES "/{id}"
#define PROFILES API_PREFIX "cert-manager/certificate-profiles"
#define PROFILE PROFILES "/{profile}"
#define CREDENTIALS API_PREFIX "est/credentials"
#define WEBHOOKS API_PREFIX "webhooks"
#define WEBHOOK WEBHOOKS "/{id}"
#define EXTERNAL_KEYS API_PREFIX "acme/external-account-keys"
#define ACCOUNTS API_PREFIX "acme/accounts"
#define ORDERS API_PREFIX "acme/orders"
#define REQUESTS API_PREFIX "cert-manager/certificate-requests"

enum {
	BODY = 64 * 1024,
	BODY_CSR = 192 * 1024,
};

#define GET(p) .http = { HTTP_GET, p, NULL, 0, "REST API v1" }
#define POST(p, max) .http = { HTTP_POST, p, JSON, max, "REST API v1" }
#define PATCH(p) .http = { HTTP_PATCH, p, JSON, BODY, "REST API v1" }
#define DELETE(p) .http = { HTTP_DELETE, p, NULL, 0, "REST API v1" }

static const char *const statuses[] = { "valid", "expiring", "expired", "revoked", "renewed", NULL };
static const char *const methods[] = { "acme", "est", "api", "internal", "import", NULL };
static const char *const states[] = {
#define X(name, text) text,
	REQUEST_STATES(X)
#undef X
	NULL,
};

#define END { .name = NULL }
#define PAGED                                                                                                      \
	{ "limit", "rows of a page, 100 without", .type = API_INTEGER, .min = 1, .max = API_PAGE_MAX },            \
	{ "after", "the `next` of the page before" }, END
#define SEARCH                                                                                                     \
	{ "name", "a name in it, as www.example.com or dns:www.example.com" },                                     \
	{ "serial", "serial number, hexadecimal", .pattern = "^[0-9A-Fa-f:]+$" },                                  \
	{ "fingerprint", "SHA-256 of its DER, hexadecimal", .pattern = API_HASH_PATTERN },                         \
	{ "key", "SHA-256 of its SubjectPublicKeyInfo, hexadecimal", .pattern = API_HASH_PATTERN },                \
	{ "status", "valid, expiring (within 30 days, and not renewed), expired, revoked or renewed", statuses },  \
	{ "expiresAfter", "not before this time", .type = API_TIME },                                              \
	{ "expiresBefore", "not after this time", .type = API_TIME },                                              \
	{ "issuedAfter", "issued not before this time", .type = API_TIME },                                        \
	{ "issuedBefore", "issued not after this time", .type = API_TIME },                                        \
	{ "issuer", "name of the issuing CA that signed it" },                                                     \
	{ "method", "how it was issued", methods },                                                                \
	{ "account", "id of an ACME account" },                                                                    \
	{ "identity", "who asked, as `token ID`" },                                                                \
	{ "metadata", "KEY=VALUE of its metadata, or KEY" }
static const struct api_parameter search_query[] = { { "profile", "name of a profile" }, SEARCH, PAGED };
static const struct api_parameter profile_query[] = { SEARCH, PAGED };
static const struct api_parameter credential_query[] = {
	{ "find", "one of them: its id, or device:SERIAL, certificate:HEX, user:NAME" }, PAGED,
};
static const struct api_parameter paged_query[] = { PAGED };
static const struct api_parameter account_query[] = {
	{ "status", "what has become of it", account_statuses }, { "directory", "name of an ACME directory" },
	{ "eab", "id of the external account key that bound it" }, PAGED,
};
static const char *const yes[] = { "true", NULL };
static const struct api_parameter order_query[] = {
	{ "account", "id of its account; those that are invalid are found by `status` alone" },
	{ "status", "what has become of it", order_statuses }, { "profile", "name of a profile" },
	{ "autoRenewal", "true: those that renew themselves alone (RFC 8739)", yes }, PAGED,
};
static const struct api_parameter latest_query[] = {
	{ "identifier", "a name in the certificate, or the id of one that had it", .required = true }, END,
};
static const struct api_parameter request_query[] = {
	{ "status", "what has become of it", states }, { "profile", "name of a profile" }, PAGED,
};

static const struct api_parameter audit_query[] = {
	{ "kind", "events of that kind alone", api_audit_kinds },
	{ "since", "not before this time", .type = API_TIME },
	PAGED,
};

static const char *const failing[] = { "failing", NULL };
static const struct api_parameter renewals_query[] = {
	{ "state", "failing: those alone whose last try failed", failing }, PAGED
};

static const struct api_route routes[] = {
	{ POST(CERTIFICATES, BODY_CSR), TOKEN_ISSUE, API_BY_BODY,
	  &api_issue_body, NULL, &api_issued_reply, api_certificate_issue,
	  "issueCertificate", "Issue a certificate, for a CSR or a key that the server makes", .may_wait = true },
	{ GET(CERTIFICATES), TOKEN_READ, API_OPEN,
	  NULL, search_query, &api_certificates_reply, api_certificate_list,
	  "listCertificates", "Search the inventory" },
	{ POST(CERTIFICATES "/import", BODY_CSR), TOKEN_ADMIN, API_OPEN,
	  &api_import_body, NULL, &api_certificate_reply, api_certificate_import,
	  "importCertificate", "Make a certificate of another CA known" },
	{ POST(CERTIFICATES "/renew-now", BODY), TOKEN_ADMIN, API_OPEN,
	  &api_renew_now_body, NULL, &api_renew_now_reply, api_certificate_renew_now,
	  "renewCertificatesNow", "Ask the clients of certificates to renew them now (RFC 9773), without revoking" },
	{ GET(CERTIFICATE), TOKEN_READ, API_BY_CERTIFICATE,
	  NULL, NULL, &api_certificate_reply, api_certificate_get,
	  "getCertificate", "Read a certificate's row, by id, serial number or fingerprint" },
	{ PATCH(CERTIFICATE), TOKEN_ISSUE, API_BY_CERTIFICATE,
	  &api_change_body, NULL, &api_certificate_reply, api_certificate_change,
	  "updateCertificate", "Set what is kept beside a certificate" },
	{ DELETE(CERTIFICATE), TOKEN_ADMIN, API_BY_CERTIFICATE,
	  NULL, NULL, NULL, api_certificate_delete,
	  "deleteCertificate", "Delete an imported certificate" },
	{ GET(CERTIFICATE "/certificate"), TOKEN_READ, API_BY_CERTIFICATE,
	  NULL, NULL, &api_body_reply, api_certificate_body,
	  "getCertificateBody", "Read a certificate and its chain" },
	{ GET(CERTIFICATE "/bundle"), TOKEN_READ, API_BY_CERTIFICATE,
	  NULL, NULL, &api_bundle_reply, api_certificate_bundle,
	  "getCertificateBundle", "Read what a server is given: certificate and chain without the root" },
	{ GET(CERTIFICATE "/pem"), TOKEN_READ, API_BY_CERTIFICATE,
	  NULL, NULL, NULL, api_certificate_pem,
	  "getCertificatePem",
	  "Read certificate and chain as one PEM file", .content = "application/pem-certificate-chain" },
	{ POST(CERTIFICATE "/pem", BODY), TOKEN_KEY, API_BY_CERTIFICATE,
	  &api_export_body, NULL, NULL, api_key_pem,
	  "exportPem",
	  "Export private key, certificate and chain as one PEM file", .content = "application/x-pem-file" },
	{ POST(CERTIFICATE "/pkcs12", BODY), TOKEN_KEY, API_BY_CERTIFICATE,
	  &api_pkcs12_body, NULL, NULL, api_key_pkcs12,
	  "exportPkcs12",
	  "Export private key, certificate and chain as PKCS #12", .content = "application/x-pkcs12" },
	{ GET(CERTIFICATE "/private-key"), TOKEN_KEY, API_BY_CERTIFICATE,
	  NULL, NULL, &api_key_reply, api_key_get,
	  "getPrivateKey", "Read the private key that the server keeps" },
	{ DELETE(CERTIFICATE "/private-key"), TOKEN_KEY, API_BY_CERTIFICATE,
	  NULL, NULL, NULL, api_key_delete,
	  "deletePrivateKey", "Forget the private key that the server keeps" },
	{ POST(CERTIFICATE "/renew", BODY_CSR), TOKEN_ISSUE, API_BY_CERTIFICATE,
	  &api_renew_body, NULL, &api_issued_reply, api_certificate_renew,
	  "renewCertificate", "Renew a certificate, with a new key, the kept one or a CSR", .may_wait = true },
	{ POST(CERTIFICATE "/revoke", BODY), TOKEN_REVOKE, API_BY_CERTIFICATE,
	  &api_revoke_body, NULL, &api_revoked_reply, api_certificate_revoke,
	  "revokeCertificate", "Revoke a certificate, by id, serial number or fingerprint" },
	{ POST(CERTIFICATE "/release", BODY), TOKEN_REVOKE, API_BY_CERTIFICATE,
	  &api_empty_body, NULL, &api_released_reply, api_certificate_release,
	  "releaseCertificate", "End the hold of a certificate that was revoked with certificateHold" },
	{ GET(PROFILES), TOKEN_READ, API_OPEN,
	  NULL, NULL, &api_profiles_reply, api_profile_list,
	  "listProfiles", "List the profiles" },
	{ GET(PROFILE), TOKEN_READ, API_BY_PATH,
	  NULL, NULL, &api_profile_reply, api_profile_get,
	  "getProfile", "Read a profile" },
	{ GET(PROFILE "/certificates"), TOKEN_READ, API_BY_PATH,
	  NULL, profile_query, &api_certificates_reply, api_profile_certificates,
	  "listProfileCertificates", "Search the certificates of a profile" },
	{ GET(PROFILE "/certificates/latest-active-bundle"), TOKEN_READ, API_BY_PATH,
	  NULL, latest_query, &api_bundle_reply, api_profile_latest,
	  "getLatestActiveBundle", "Read the newest certificate of an identifier that is valid now" },
	{ POST(PROFILE "/test", BODY_CSR), TOKEN_ISSUE, API_BY_PATH,
	  &api_test_body, NULL, &api_test_reply, api_profile_test,
	  "testCsr", "Judge a CSR without issuing" },
	{ GET(API_PREFIX "cert-manager/policies"), TOKEN_READ, API_OPEN,
	  NULL, NULL, &api_policies_reply, api_policy_list,
	  "listPolicies", "List the policies: the built-in ones, and those that the token's profiles name" },
	{ GET(API_PREFIX "cert-manager/policies/{id}"), TOKEN_READ, API_BY_NAME,
	  NULL, NULL, &api_policy_reply, api_policy_get,
	  "getPolicy", "Read all rules of a policy" },
	{ GET(REQUESTS), TOKEN_READ, API_OPEN,
	  NULL, request_query, &api_requests_reply, api_request_list,
	  "listRequests", "List what was asked for, newest first" },
	{ GET(REQUESTS "/{id}"), API_ANY_ROLE, API_BY_REQUEST,
	  NULL, NULL, &api_request_reply, api_request_get,
	  "getRequest", "Read what became of a request: one's own, or with the role read or approve any" },
	{ POST(REQUESTS "/{id}/approve", BODY), TOKEN_APPROVE, API_BY_REQUEST,
	  &api_decide_body, NULL, &api_request_reply, api_request_approve,
	  "approveRequest", "Approve a request that waits; with the last approval that is needed it is issued" },
	{ POST(REQUESTS "/{id}/reject", BODY), TOKEN_APPROVE, API_BY_REQUEST,
	  &api_decide_body, NULL, &api_request_reply, api_request_reject,
	  "rejectRequest", "Reject a request that waits" },
	{ POST(REQUESTS "/{id}/cancel", BODY), API_ANY_ROLE, API_BY_REQUEST,
	  &api_decide_body, NULL, &api_request_reply, api_request_cancel,
	  "cancelRequest", "Take a request back: who made it, or who may decide" },
	{ POST(REQUESTS "/{id}/collect", BODY), TOKEN_ISSUE, API_BY_REQUEST,
	  &api_collect_body, NULL, &api_issued_reply, api_request_collect,
	  "collectRequest",
	  "Fetch what was issued for one's own request; a private key that the server made this once" },
	{ GET(API_PREFIX "cert-manager/renewals"), TOKEN_READ, API_OPEN,
	  NULL, renewals_query, &api_certificates_reply, api_renewal_list,
	  "listRenewals", "List what the server renews by itself, soonest first" },
	{ GET(API_PREFIX "cert-manager/ca"), TOKEN_READ, API_OPEN,
	  NULL, NULL, &api_issuers_reply, api_issuer_list,
	  "listIssuers", "List the CAs: those that issue, and the others" },
	{ GET(API_PREFIX "cert-manager/ca/{id}"), TOKEN_READ, API_BY_NAME,
	  NULL, NULL, &api_issuer_reply, api_issuer_get,
	  "getIssuer", "Read a CA: its certificate and chain, and how its CRL and its OCSP responder are" },
	{ POST(API_PREFIX "cert-manager/ca/{id}/disable", BODY), TOKEN_ADMIN, API_EVERYWHERE,
	  &api_empty_body, NULL, &api_issuer_reply, api_issuer_disable,
	  "disableIssuer", "Let a CA issue nothing more; CRL and OCSP go on" },
	{ POST(API_PREFIX "cert-manager/ca/{id}/enable", BODY), TOKEN_ADMIN, API_EVERYWHERE,
	  &api_empty_body, NULL, &api_issuer_reply, api_issuer_enable,
	  "enableIssuer", "Let a CA that was disabled issue again" },
	{ POST(CREDENTIALS, BODY), TOKEN_ADMIN, API_EVERYWHERE,
	  &api_credential_body, NULL, &api_credential_reply, api_credential_create,
	  "createEstCredential", "Make a credential with which devices enroll over EST" },
	{ GET(CREDENTIALS), TOKEN_ADMIN, API_EVERYWHERE,
	  NULL, credential_query, &api_credentials_reply, api_credential_list,
	  "listEstCredentials", "List the credentials of EST" },
	{ POST(CREDENTIALS "/import", BODY_CSR), TOKEN_ADMIN, API_EVERYWHERE,
	  &api_devices_body, NULL, &api_devices_reply, api_credential_import,
	  "importEstDevices", "Put devices on the list of those whose manufacturers' certificates EST takes" },
	{ GET(CREDENTIALS "/{id}"), TOKEN_ADMIN, API_EVERYWHERE,
	  NULL, NULL, &api_credential_reply, api_credential_get,
	  "getEstCredential", "Read a credential, without its secret" },
	{ POST(CREDENTIALS "/{id}/revoke", BODY), TOKEN_ADMIN, API_EVERYWHERE,
	  &api_empty_body, NULL, &api_credential_reply, api_credential_revoke,
	  "revokeEstCredential", "Revoke a credential, or put a device out" },
	{ POST(EXTERNAL_KEYS, BODY), TOKEN_ADMIN, API_EVERYWHERE,
	  &api_external_key_body, NULL, &api_external_key_reply, api_external_key_create,
	  "createExternalAccountKey", "Make a key for external account binding (RFC 8555, 7.3.4)" },
	{ GET(EXTERNAL_KEYS), TOKEN_ADMIN, API_EVERYWHERE,
	  NULL, paged_query, &api_external_keys_reply, api_external_key_list,
	  "listExternalAccountKeys", "List the keys for external account binding" },
	{ GET(EXTERNAL_KEYS "/{id}"), TOKEN_ADMIN, API_EVERYWHERE,
	  NULL, NULL, &api_external_key_reply, api_external_key_get,
	  "getExternalAccountKey", "Read one of them, without the key itself" },
	{ POST(EXTERNAL_KEYS "/{id}/revoke", BODY), TOKEN_ADMIN, API_EVERYWHERE,
	  &api_empty_body, NULL, &api_external_key_reply, api_external_key_revoke,
	  "revokeExternalAccountKey", "Let a key bind no more accounts; those that it bound stay" },
	{ GET(ACCOUNTS), TOKEN_READ, API_EVERYWHERE,
	  NULL, account_query, &api_accounts_reply, api_account_list,
	  "listAccounts", "List the ACME accounts" },
	{ GET(ACCOUNTS "/{id}"), TOKEN_READ, API_EVERYWHERE,
	  NULL, NULL, &api_account_reply, api_account_get,
	  "getAccount", "Read an ACME account" },
	{ PATCH(ACCOUNTS "/{id}"), TOKEN_ADMIN, API_EVERYWHERE,
	  &api_account_body, NULL, &api_account_reply, api_account_limit,
	  "updateAccount", "Say what an ACME account may order, from now on" },
	{ POST(ACCOUNTS "/{id}/deactivate", BODY), TOKEN_ADMIN, API_EVERYWHERE,
	  &api_empty_body, NULL, &api_account_reply, api_account_deactivate,
	  "deactivateAccount", "End an ACME account, and cancel what it has begun; there is no way back" },
	{ GET(ORDERS), TOKEN_READ, API_OPEN,
	  NULL, order_query, &api_orders_reply, api_order_list,
	  "listOrders", "List the ACME orders, the oldest first; those of one account, the newest first" },
	{ GET(ORDERS "/{id}"), TOKEN_READ, API_BY_ORDER,
	  NULL, NULL, &api_order_reply, api_order_get,
	  "getOrder", "Read an ACME order" },
	{ POST(ORDERS "/{id}/cancel", BODY), TOKEN_ADMIN, API_BY_ORDER,
	  &api_empty_body, NULL, &api_order_reply, api_order_cancel,
	  "cancelOrder",
	  "End an ACME order: one that renews itself is canceled, one that is pending or ready becomes invalid" },
	{ POST(WEBHOOKS, BODY), TOKEN_ADMIN, API_EVERYWHERE,
	  &api_webhook_body, NULL, &api_webhook_reply, api_webhook_create,
	  "createWebhook", "Send events to a URL from now on" },
	{ GET(WEBHOOKS), TOKEN_ADMIN, API_EVERYWHERE,
	  NULL, NULL, &api_webhooks_reply, api_webhook_list,
	  "listWebhooks", "List the webhooks" },
	{ GET(WEBHOOK), TOKEN_ADMIN, API_EVERYWHERE,
	  NULL, NULL, &api_webhook_reply, api_webhook_get,
	  "getWebhook", "Read a webhook, how far it is and what its last tries came to" },
	{ PATCH(WEBHOOK), TOKEN_ADMIN, API_EVERYWHERE,
	  &api_webhook_change_body, NULL, &api_webhook_reply, api_webhook_change,
	  "updateWebhook", "Send events elsewhere, or others, or with another secret" },
	{ DELETE(WEBHOOK), TOKEN_ADMIN, API_EVERYWHERE,
	  NULL, NULL, NULL, api_webhook_revoke,
	  "deleteWebhook", "End a webhook" },
	{ POST(WEBHOOK "/test", BODY), TOKEN_ADMIN, API_EVERYWHERE,
	  &api_empty_body, NULL, &api_webhook_test_reply, api_webhook_test,
	  "testWebhook", "Send an event of the type webhook-test now" },
	{ POST(WEBHOOK "/resume", BODY), TOKEN_ADMIN, API_EVERYWHERE,
	  &api_resume_body, NULL, &api_webhook_reply, api_webhook_resume,
	  "resumeWebhook", "Let a webhook go on that was given up, or that waits" },
	{ GET(API_PREFIX "audit/events"), TOKEN_ADMIN, API_EVERYWHERE,
	  NULL, audit_query, &api_events_reply, api_audit_list,
	  "listAuditEvents", "Read the audit log, oldest first" },
	{ GET(API_PREFIX "token"), API_ANY_ROLE, API_OPEN,
	  NULL, NULL, &api_token_reply, api_token_get,
	  "getToken", "Read what the token lets its bearer do" },
	{ GET(API_PREFIX "openapi.json"), API_PUBLIC, API_OPEN,
	  NULL, NULL, &api_openapi_reply, api_openapi_get,
	  "getDescription", "Read this description" },
};

size_t api_route_count(void)
{
	return array_length(routes);
}

const struct api_route *api_route_at(size_t i)
{
	assert(i < array_length(routes));
	return &routes[i];
}
