#include "admin/api_schema.h"

#define TEXT(n, m) { .name = (n), .type = API_TEXT, .meaning = (m) }
#define GIVEN(n, m) { .name = (n), .type = API_TEXT, .required = true, .meaning = (m) }
#define PEM(n, m) { .name = (n), .type = API_LINES, .required = true, .meaning = (m) }
#define TIME(n, m) { .name = (n), .type = API_TIME, .meaning = (m) }
#define LIST(n, o, m) { .name = (n), .type = API_OBJECTS, .required = true, .object = &(o), .meaning = (m) }

/* --- bodies */

static const struct api_field metadata_fields[] = {
	{ "key", API_TEXT, .required = true, .min = 1, .max = 64, .meaning = "its name, each once" },
	{ "value", API_TEXT, .required = true, .max = 512, .meaning = "any text" },
};
static API_OBJECT_OF(metadata_entry, "Metadata", metadata_fields);
#define METADATA                                                                                                    \
	{ "metadata", API_OBJECTS, .max = 32, .object = &metadata_entry, .meaning = "the operators' own words, kept beside it" }

static const struct api_field period_fields[] = {
	{ "ttl", API_TEXT, .max = 16, .meaning = "the certificate's life, as 90d, 12h, 3m (of 30 days), 1y (of 365); the profile's without" },
	TIME("notBefore", "when its life begins; not together with ttl"),
	TIME("notAfter", "when it ends; not together with ttl"),
};
static API_OBJECT_OF(period, "Attributes", period_fields);

static const struct api_field issue_fields[] = {
	{ "profileId", API_TEXT, .required = true, .min = 1, .max = 32, .meaning = "name of the profile" },
	{ "csr", API_LINES, .meaning = "PKCS #10 request, PEM" },
	{ "attributes", API_OBJECT, .object = &period, .meaning = "what is not in the CSR" },
	{ "removeRootsFromChain", API_BOOL, .meaning = "certificateChain without the root" },
	METADATA,
};
API_OBJECT_OF(api_issue_body, "IssueRequest", issue_fields);

static const struct api_field renew_fields[] = {
	{ "csr", API_LINES, .meaning = "PKCS #10 request of the same names, PEM" },
	{ "attributes", API_OBJECT, .object = &period, .meaning = "what is not in the CSR" },
	{ "removeRootsFromChain", API_BOOL, .meaning = "certificateChain without the root" },
	METADATA,
};
API_OBJECT_OF(api_renew_body, "RenewRequest", renew_fields);

static const struct api_field revoke_fields[] = {
	{ "revocationReason", API_TEXT, .max = 32,
	  .meaning = "of RFC 5280, 5.3.1: keyCompromise or KEY_COMPROMISE; without: unspecified" },
};
API_OBJECT_OF(api_revoke_body, "RevokeRequest", revoke_fields);

static const struct api_field change_fields[] = { METADATA };
API_OBJECT_OF(api_change_body, "ChangeRequest", change_fields);

static const struct api_field import_fields[] = {
	PEM("certificate", "of another CA, PEM"),
	{ "profileId", API_TEXT, .max = 32, .meaning = "a profile that it is counted among" },
	METADATA,
};
API_OBJECT_OF(api_import_body, "ImportRequest", import_fields);

static const struct api_field filter_fields[] = {
	TEXT("name", "a name in it, as www.example.com or dns:www.example.com"),
	TEXT("serial", "serial number, hexadecimal"),
	TEXT("fingerprint", "SHA-256 of its DER, hexadecimal"),
	TEXT("key", "SHA-256 of its SubjectPublicKeyInfo, hexadecimal"),
	TEXT("account", "id of an ACME account"),
	TEXT("profile", "name of a profile"),
	TEXT("issuer", "id of the issuing CA"),
	TEXT("method", "acme, est, api or internal"),
	TEXT("identity", "who asked, as `token ID`"),
	TEXT("metadata", "KEY=VALUE of its metadata"),
	TEXT("status", "valid, expired, revoked or renewed"),
	TEXT("issuedAfter", "not before this time (RFC 3339), or within the last 30d"),
	TEXT("issuedBefore", "by this time, or longer than 30d ago"),
	TEXT("expiresAfter", "not before this time, or not within 30d"),
	TEXT("expiresBefore", "by this time, or within 30d"),
};
static API_OBJECT_OF(filter, "CertificateFilter", filter_fields);
static const struct api_field renew_now_fields[] = {
	{ "filter", API_OBJECT, .object = &filter, .meaning = "what matches: at least one member, and all must hold" },
	{ "over", API_TEXT, .max = 16, .meaning = "the time that the renewals are spread over, as 6h; at once without" },
	{ "explanationUrl", API_TEXT, .meaning = "a page that says why, for clients to show" },
	{ "undo", API_BOOL, .meaning = "the times of the profiles again" },
	{ "after", API_TEXT, .meaning = "the `next` of an earlier reply to the same filter" },
};
API_OBJECT_OF(api_renew_now_body, "RenewNowRequest", renew_now_fields);
static const struct api_field renew_now_reply_fields[] = {
	{ "count", API_INTEGER, .required = true, .meaning = "certificates whose clients are asked" },
	TEXT("next", "there is more: where the next request goes on"),
};
API_OBJECT_OF(api_renew_now_reply, "RenewNow", renew_now_reply_fields);

static const char *const methods[] = { "acme", "est", "api", NULL };
static const struct api_field test_fields[] = {
	{ "csr", API_LINES, .meaning = "PKCS #10 request, PEM" },
	{ "method", API_TEXT, .choices = methods, .meaning = "as if it came this way; api without" },
	TEXT("identity", "what `{identity}` stands for; the token's own without"),
	TEXT("account", "what `{account}` stands for"),
	TEXT("eab", "what `{eab}` stands for"),
};
API_OBJECT_OF(api_test_body, "TestRequest", test_fields);

/* --- replies */

static const struct api_field error_fields[] = {
	TEXT("field", "what of the request is wrong"),
	TEXT("value", "what was found there"),
	GIVEN("detail", "what is wrong with it"),
};
static API_OBJECT_OF(error, "Error", error_fields);

static const struct api_field problem_fields[] = {
	GIVEN("type", "urn:enrolld:problem:KIND"),
	{ "status", API_INTEGER, .required = true, .meaning = "the reply's status" },
	GIVEN("detail", "all that is wrong, in one line"),
	TEXT("instance", "urn:enrolld:request:ID, as in the server's log"),
	{ "errors", API_OBJECTS, .object = &error, .meaning = "all that is wrong, one by one" },
};
API_OBJECT_OF(api_problem_reply, "Problem", problem_fields);

#define BUNDLE                                                                       \
	PEM("certificate", "PEM"),                                                   \
	PEM("certificateChain", "the certificates above it, PEM, its issuer first"), \
	PEM("issuingCaCertificate", "the first of these"),                           \
	GIVEN("serialNumber", "hexadecimal"),                                        \
	GIVEN("certificateId", "its id in the inventory")

static const struct api_field body_fields[] = { BUNDLE };
API_OBJECT_OF(api_body_reply, "CertificateBody", body_fields);

static const struct api_field bundle_fields[] = { BUNDLE, TIME("notAfter", "when it expires") };
API_OBJECT_OF(api_bundle_reply, "Bundle", bundle_fields);

static const struct api_field issued_fields[] = {
	{ "certificate", API_OBJECT, .required = true, .object = &api_body_reply, .meaning = "what was issued" },
	GIVEN("certificateRequestId", "the request, which keeps what became of it"),
};
API_OBJECT_OF(api_issued_reply, "Issued", issued_fields);

static const struct api_field name_fields[] = {
	GIVEN("type", "dns, ip, email, uri or cn"),
	GIVEN("value", "the name"),
};
static API_OBJECT_OF(name, "Name", name_fields);

static const struct api_field certificate_fields[] = {
	GIVEN("id", "its id in the inventory"),
	GIVEN("serial", "hexadecimal"),
	GIVEN("fingerprint", "SHA-256 of its DER, hexadecimal"),
	GIVEN("keyHash", "SHA-256 of its SubjectPublicKeyInfo, hexadecimal"),
	GIVEN("status", "valid, expired or revoked"),
	GIVEN("subject", "RFC 4514"),
	LIST("names", name, "what it certifies"),
	TEXT("issuer", "id of the issuing CA; not of an imported one"),
	TEXT("issuerSubject", "RFC 4514; of an imported one"),
	TEXT("profile", "name of the profile"),
	{ "notBefore", API_TIME, .required = true, .meaning = "when its life begins" },
	{ "notAfter", API_TIME, .required = true, .meaning = "when it ends" },
	{ "issued", API_TIME, .required = true, .meaning = "when it entered the inventory" },
	GIVEN("method", "acme, est, api, internal or import"),
	TEXT("account", "ACME account"),
	TEXT("order", "ACME order"),
	TEXT("identity", "who asked"),
	TIME("revoked", "when it was revoked"),
	TEXT("reason", "why, of RFC 5280, 5.3.1"),
	TEXT("revokedBy", "who revoked it"),
	TEXT("replaces", "id of the certificate that it renews"),
	TEXT("replacedBy", "id of the one that renews it"),
	TIME("renewFrom", "from when its client was asked to renew it, out of turn (RFC 9773)"),
	TIME("renewUntil", "by when"),
	METADATA,
	{ "pem", API_LINES, .meaning = "of one that was asked for alone" },
};
API_OBJECT_OF(api_certificate_reply, "Certificate", certificate_fields);

static const struct api_field certificates_fields[] = {
	LIST("certificates", api_certificate_reply, "a page; it may be short, and not the last"),
	TEXT("next", "the `after` of the next page; none: this is the last"),
};
API_OBJECT_OF(api_certificates_reply, "Certificates", certificates_fields);

static const struct api_field revoked_fields[] = {
	GIVEN("message", "in words"),
	GIVEN("certificateId", "its id in the inventory"),
	GIVEN("serialNumber", "hexadecimal"),
	GIVEN("revocationReason", "of RFC 5280, 5.3.1"),
	{ "revokedAt", API_TIME, .required = true, .meaning = "when" },
};
API_OBJECT_OF(api_revoked_reply, "Revoked", revoked_fields);

static const struct api_field profile_fields[] = {
	GIVEN("id", "its name"),
	TEXT("description", "what it is for"),
	TEXT("issuer", "id of the issuing CA; without: the default one"),
	{ "methods", API_TEXTS, .required = true, .meaning = "by which its certificates are issued" },
	{ "keys", API_TEXTS, .required = true, .meaning = "keys that it certifies" },
	{ "validitySeconds", API_INTEGER, .required = true, .meaning = "life when nothing is asked for" },
	{ "validityMaxSeconds", API_INTEGER, .required = true, .meaning = "the longest that can be asked for" },
};
API_OBJECT_OF(api_profile_reply, "Profile", profile_fields);

static const struct api_field profiles_fields[] = { LIST("profiles", api_profile_reply, "those that the token counts in") };
API_OBJECT_OF(api_profiles_reply, "Profiles", profiles_fields);

static const struct api_field request_fields[] = {
	GIVEN("id", "its id"),
	GIVEN("status", "pending, approved, rejected, cancelled, issued, failed or expired"),
	GIVEN("profileId", "name of the profile"),
	GIVEN("method", "api"),
	GIVEN("identity", "who asked"),
	TEXT("from", "address that it came from"),
	{ "created", API_TIME, .required = true, .meaning = "when it was made" },
	TIME("ended", "when it was decided"),
	{ "reasons", API_TEXTS, .meaning = "why it was refused" },
	TEXT("certificateId", "what was issued"),
	TEXT("replaces", "the certificate that it renews"),
};
API_OBJECT_OF(api_request_reply, "CertificateRequest", request_fields);

static const struct api_field requests_fields[] = {
	LIST("requests", api_request_reply, "a page, newest first; it may be short, and not the last"),
	TEXT("next", "the `after` of the next page; none: this is the last"),
};
API_OBJECT_OF(api_requests_reply, "CertificateRequests", requests_fields);

static const struct api_field issuer_fields[] = {
	GIVEN("id", "its id"),
	{ "notAfter", API_TIME, .required = true, .meaning = "when its certificate expires" },
	PEM("certificate", "PEM"),
	PEM("certificateChain", "it and those above it, PEM"),
};
static API_OBJECT_OF(issuer, "Issuer", issuer_fields);

static const struct api_field issuers_fields[] = { LIST("issuers", issuer, "the default one first") };
API_OBJECT_OF(api_issuers_reply, "Issuers", issuers_fields);

static const struct api_field token_fields[] = {
	GIVEN("id", "its id"),
	TEXT("note", "whose it is"),
	TEXT("identity", "what policies mean by `{identity}`"),
	{ "roles", API_TEXTS, .required = true, .meaning = "what it lets its bearer do" },
	{ "profiles", API_TEXTS, .required = true, .meaning = "where; none: in all" },
	{ "names", API_TEXTS, .required = true, .meaning = "patterns of names it may ask for; none: what the profile allows" },
	{ "created", API_TIME, .required = true, .meaning = "when it was made" },
	TIME("expires", "when it ends; without: never"),
};
API_OBJECT_OF(api_token_reply, "Token", token_fields);

static const struct api_field rule_fields[] = {
	GIVEN("rule", "of the gate"),
	{ "held", API_BOOL, .required = true, .meaning = "whether the CSR keeps it" },
	{ "reasons", API_TEXTS, .required = true, .meaning = "why not" },
};
static API_OBJECT_OF(rule, "Rule", rule_fields);

static const struct api_field verdict_fields[] = {
	GIVEN("field", "what was judged"),
	GIVEN("rule", "by what of the policy"),
	TEXT("value", "what was found"),
	{ "held", API_BOOL, .required = true, .meaning = "whether that is as the policy says" },
	TEXT("text", "why not"),
};
static API_OBJECT_OF(verdict, "Verdict", verdict_fields);

static const struct api_field tested_fields[] = {
	GIVEN("profile", "name of the profile"),
	GIVEN("policy", "name of its policy"),
	{ "approved", API_BOOL, .required = true, .meaning = "whether it would be issued" },
	LIST("rules", rule, "those of the gate"),
	LIST("verdicts", verdict, "of the policy, one for each value"),
};
API_OBJECT_OF(api_test_reply, "Tested", tested_fields);

static const struct api_field openapi_fields[] = {
	GIVEN("openapi", "3.1.0"),
	{ "info", API_ANY, .required = true, .meaning = "what this is" },
	{ "security", API_ANY, .required = true, .meaning = "how clients say who they are" },
	{ "paths", API_ANY, .required = true, .meaning = "the routes" },
	{ "components", API_ANY, .required = true, .meaning = "the schemas" },
};
API_OBJECT_OF(api_openapi_reply, "OpenApi", openapi_fields);
