#include "admin/api_schema.h"

#include "admin/search.h"
#include "store/request.h"

#define CSR_PATTERN "-----BEGIN (NEW )?CERTIFICATE REQUEST-----"

#define TEXT(n, m) { .name = (n), .type = API_TEXT, .meaning = (m) }
#define GIVEN(n, m) { .name = (n), .type = API_TEXT, .required = true, .meaning = (m) }
#define PEM(n, m) { .name = (n), .type = API_LINES, .required = true, .meaning = (m) }
#define TIME(n, m) { .name = (n), .type = API_TIME, .meaning = (m) }
#define WORD(n, c, m) { .name = (n), .type = API_TEXT, .required = true, .choices = (c), .meaning = (m) }
#define LIST(n, o, m) { .name = (n), .type = API_OBJECTS, .required = true, .object = &(o), .meaning = (m) }

/* --- bodies */

static const struct api_field metadata_fields[] = {
	{ "key", API_TEXT, .required = true, .min = 1, .max = 64, .pattern = "^[^=\\u0000-\\u001f\\u007f-\\u009f]*$",
	  .meaning = "its name, each once, and without `=`, which ends it in a search" },
	{ "value", API_TEXT, .required = true, .max = 512, .meaning = "any text" },
};
static API_OBJECT_OF(metadata_entry, "Metadata", metadata_fields);
#define METADATA                                                                                                \
	{ "metadata", API_OBJECTS, .max = 32, .object = &metadata_entry,                                        \
	  .meaning = "the operators' own words, kept beside it" }

#define PERIOD                                                                                                  \
	{ "ttl", API_TEXT, .max = 16, .pattern = "^[0-9]+[hdmy]$",                                              \
	  .meaning = "the certificate's life, as 90d, 12h, 3m (of 30 days), 1y (of 365); the profile's without" }, \
	TIME("notBefore", "when its life begins; not together with ttl"),                                       \
	TIME("notAfter", "when it ends; not together with ttl")
#define KEY_ALGORITHM                                                                                           \
	{ "keyAlgorithm", API_TEXT, .max = 32,                                                                  \
	  .meaning = "of the key that the server makes: ec-p256 (EC_prime256v1), ec-p384, ec-p521, "            \
	             "rsa-2048 (RSA_2048), rsa-3072, rsa-4096, ed25519" }

static const struct api_field name_asked_fields[] = {
	{ "type", API_TEXT, .max = 32,
	  .meaning = "dns (dns_name), ip (ip_address), email, uri or upn; without: by its look" },
	{ "value", API_TEXT, .required = true, .min = 1, .meaning = "the name" },
};
static API_OBJECT_OF(name_asked, "AltName", name_asked_fields);

static const struct api_field constraints_fields[] = {
	{ "isCA", API_BOOL, .required = true, .meaning = "whether it is to be a CA's" },
	{ "pathLength", API_INTEGER, .min = 0, .max = 127, .meaning = "of CAs below it" },
};
static API_OBJECT_OF(constraints, "BasicConstraints", constraints_fields);

static const struct api_field attributes_fields[] = {
	PERIOD,
	TEXT("commonName", "CN of the subject"),
	TEXT("organization", "O"),
	TEXT("organizationalUnit", "OU"),
	TEXT("country", "C, two letters"),
	TEXT("state", "ST"),
	TEXT("locality", "L"),
	{ "domainComponents", API_TEXTS, .max = 16, .meaning = "DC, in the order of the subject" },
	TEXT("emailAddress", "e-mail address in the subject"),
	TEXT("serialNumber", "serialNumber of the subject, as of a device"),
	{ "altNames", API_OBJECTS, .max = 1000, .object = &name_asked,
	  .meaning = "subjectAltName; the profile says how many" },
	KEY_ALGORITHM,
	{ "signatureAlgorithm", API_TEXT, .max = 32,
	  .meaning = "what the certificate is signed with, as the issuing CA's key can: ecdsa-sha256 "
	             "(ECDSA-SHA256), rsa-sha256, ..." },
	{ "keyUsages", API_TEXTS, .max = 9,
	  .meaning = "digitalSignature (digital_signature), keyEncipherment, ...; the profile's without" },
	{ "extendedKeyUsages", API_TEXTS, .max = 32,
	  .meaning = "serverAuth (server_auth), clientAuth, ..., or OIDs; the profile's without" },
	{ "basicConstraints", API_OBJECT, .object = &constraints, .meaning = "of a CA" },
};
static API_OBJECT_OF(attributes, "Attributes", attributes_fields);

static const struct api_field renew_attributes_fields[] = { PERIOD, KEY_ALGORITHM };
static API_OBJECT_OF(renew_attributes, "RenewAttributes", renew_attributes_fields);

#define RENEWAL_DAYS(m) { "renewBeforeDays", API_INTEGER, .min = 0, .max = 3650, .nullable = true, .meaning = (m) }

static const struct api_field issue_fields[] = {
	{ "profileId", API_TEXT, .required = true, .min = 1, .max = 32, .meaning = "name of the profile" },
	{ "csr", API_LINES, .pattern = CSR_PATTERN,
	  .meaning = "PKCS #10 request, PEM; without one the server makes a key for what attributes say" },
	{ "attributes", API_OBJECT, .object = &attributes,
	  .meaning = "beside a CSR the certificate's life; without one all that is asked for" },
	{ "removeRootsFromChain", API_BOOL, .meaning = "certificateChain without the root" },
	RENEWAL_DAYS("days before its end that the server renews it, where it keeps the key; 0: not; the profile's "
	             "without"),
	METADATA,
};
API_OBJECT_OF(api_issue_body, "IssueRequest", issue_fields);

static const struct api_field renew_fields[] = {
	{ "csr", API_LINES, .pattern = CSR_PATTERN, .meaning = "PKCS #10 request of the same names, PEM" },
	{ "renewalKeySource", API_TEXT, .max = 16,
	  .meaning = "newKey: one that the server makes, and returns; sameKey: the kept one; csr. Without: csr "
	             "where there is one, else newKey" },
	{ "attributes", API_OBJECT, .object = &renew_attributes,
	  .meaning = "the certificate's life; without one of the server's keys lives as long as before" },
	{ "removeRootsFromChain", API_BOOL, .meaning = "certificateChain without the root" },
	METADATA,
};
API_OBJECT_OF(api_renew_body, "RenewRequest", renew_fields);

static const struct api_field pkcs12_fields[] = {
	{ "password", API_SECRET, .required = true, .min = 1, .max = 128, .meaning = "that opens the file" },
	{ "alias", API_TEXT, .max = 128,
	  .meaning = "friendlyName of the key and its certificate; without: the common name, or the first name" },
	{ "legacy", API_BOOL, .meaning = "for old importers: Triple DES and SHA-1, which are weak" },
};
API_OBJECT_OF(api_pkcs12_body, "Pkcs12Request", pkcs12_fields);

static const struct api_field export_fields[] = {
	{ "password", API_SECRET, .min = 1, .max = 128,
	  .meaning = "that the private key is encrypted with (PKCS #8, PBES2); without: it is not" },
};
API_OBJECT_OF(api_export_body, "PemRequest", export_fields);

static const struct api_field decide_fields[] = {
	{ "reason", API_TEXT, .meaning = "why; who asked sees it" },
};
API_OBJECT_OF(api_decide_body, "Decision", decide_fields);

static const struct api_field collect_fields[] = {
	{ "removeRootsFromChain", API_BOOL, .meaning = "certificateChain without the root" },
};
API_OBJECT_OF(api_collect_body, "CollectRequest", collect_fields);

static const struct api_field revoke_fields[] = {
	{ "revocationReason", API_TEXT, .max = 32,
	  .meaning = "of RFC 5280, 5.3.1: keyCompromise or KEY_COMPROMISE; without: unspecified" },
};
API_OBJECT_OF(api_revoke_body, "RevokeRequest", revoke_fields);

static const struct api_field change_fields[] = {
	RENEWAL_DAYS("days before its end that the server renews it, where it keeps the key; 0: not; null: as the "
	             "profile says"),
	METADATA,
};
API_OBJECT_OF(api_change_body, "ChangeRequest", change_fields);

static const struct api_field import_fields[] = {
	{ "certificate", API_LINES, .required = true, .pattern = "-----BEGIN CERTIFICATE-----",
	  .meaning = "of another CA, PEM" },
	{ "privateKey", API_SECRET_LINES, .max = 16384, .pattern = "-----BEGIN .*PRIVATE KEY-----",
	  .meaning = "its key, PEM, not encrypted; the server keeps it sealed" },
	{ "profileId", API_TEXT, .max = 32, .meaning = "a profile that it is counted among" },
	METADATA,
};
API_OBJECT_OF(api_import_body, "ImportRequest", import_fields);

static const struct api_field filter_fields[] = {
	TEXT("name", "a name in it, as www.example.com or dns:www.example.com"),
	TEXT("serial", "serial number, hexadecimal"),
	{ "fingerprint", API_TEXT, .pattern = API_HASH_PATTERN, .meaning = "SHA-256 of its DER, hexadecimal" },
	{ "key", API_TEXT, .pattern = API_HASH_PATTERN, .meaning = "SHA-256 of its SubjectPublicKeyInfo, hexadecimal" },
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
	{ "filter", API_OBJECT, .object = &filter,
	  .meaning = "what matches: at least one member, and all must hold" },
	{ "over", API_TEXT, .max = 16,
	  .meaning = "the time that the renewals are spread over, as 6h; at once without" },
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
	{ "csr", API_LINES, .pattern = CSR_PATTERN, .meaning = "PKCS #10 request, PEM" },
	{ "method", API_TEXT, .choices = methods, .meaning = "as if it came this way; api without" },
	TEXT("identity", "what `{identity}` stands for; the token's own without"),
	TEXT("account", "what `{account}` stands for"),
	TEXT("eab", "what `{eab}` stands for"),
};
API_OBJECT_OF(api_test_body, "TestRequest", test_fields);

/* --- replies */

static const struct api_field error_fields[] = {
	TEXT("field", "what of the request is wrong, or of the policy's fields is broken, as `subject.cn`"),
	TEXT("value", "what was found there; the pattern, where a required value is missing"),
	TEXT("rule", "the policy's (`required`, `allow`, `deny`, `unlisted`, ...) or the gate's own that is broken"),
	GIVEN("message", "what is wrong with it"),
	GIVEN("detail", "the same with value, policy, field and rule in one line"),
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

static const struct api_field body_fields[] = {
	BUNDLE,
	{ "privateKey", API_LINES, .meaning = "of one whose key the server made, PKCS #8, PEM; it is shown this once" },
};
API_OBJECT_OF(api_body_reply, "CertificateBody", body_fields);

static const struct api_field bundle_fields[] = { BUNDLE, TIME("notAfter", "when it expires") };
API_OBJECT_OF(api_bundle_reply, "Bundle", bundle_fields);

static const struct api_field issued_fields[] = {
	{ "certificate", API_OBJECT, .object = &api_body_reply,
	  .meaning = "what was issued; of 202 there is none yet" },
	GIVEN("certificateRequestId", "the request, which keeps what became of it"),
	TEXT("status", "of 202: pending, people must approve it first"),
};
API_OBJECT_OF(api_issued_reply, "Issued", issued_fields);

static const char *const renewal_states[] = { "off", "scheduled", "waiting", "failing", "done", NULL };
static const char *const statuses[] = { "valid", "expired", "revoked", NULL };
static const char *const ways[] = { "acme", "est", "api", "internal", "import", NULL };
static const char *const request_states[] = {
#define X(name, text) text,
	REQUEST_STATES(X)
#undef X
	NULL,
};

static const struct api_field name_fields[] = {
	WORD("type", search_name_types, "what kind of name"),
	GIVEN("value", "the name"),
};
static API_OBJECT_OF(name, "Name", name_fields);

static const struct api_field renewal_fields[] = {
	WORD("state", renewal_states,
	     "waiting: for approval; failing: the last try failed; done: another one replaces it"),
	{ "renewBeforeDays", API_INTEGER, .meaning = "days before its end; whole ones" },
	{ "renewBeforeSeconds", API_INTEGER, .meaning = "the same in seconds" },
	TIME("nextTry", "when the server tries it next"),
	{ "failures", API_INTEGER, .meaning = "tries that failed, one after the other" },
	TEXT("lastError", "why the last one did, or what it waits for"),
};
static API_OBJECT_OF(renewal, "Renewal", renewal_fields);

static const struct api_field certificate_fields[] = {
	GIVEN("id", "its id in the inventory"),
	GIVEN("serial", "hexadecimal"),
	GIVEN("fingerprint", "SHA-256 of its DER, hexadecimal"),
	GIVEN("keyHash", "SHA-256 of its SubjectPublicKeyInfo, hexadecimal"),
	WORD("status", statuses, "what it is now"),
	GIVEN("subject", "RFC 4514"),
	LIST("names", name, "what it certifies"),
	TEXT("issuer", "id of the issuing CA; not of an imported one"),
	TEXT("issuerSubject", "RFC 4514; of an imported one"),
	TEXT("profile", "name of the profile"),
	{ "notBefore", API_TIME, .required = true, .meaning = "when its life begins" },
	{ "notAfter", API_TIME, .required = true, .meaning = "when it ends" },
	{ "issued", API_TIME, .required = true, .meaning = "when it entered the inventory" },
	WORD("method", ways, "how it was issued; internal: for the server itself"),
	TEXT("account", "ACME account"),
	TEXT("order", "ACME order"),
	TEXT("identity", "who asked"),
	TIME("released", "when it was released from hold"),
	TIME("revoked", "when it was revoked"),
	TEXT("reason", "why, of RFC 5280, 5.3.1"),
	TEXT("revokedBy", "who revoked it"),
	TEXT("label", "EST label by which it was asked for"),
	TEXT("replaces", "id of the certificate that it renews"),
	TEXT("replacedBy", "id of the one that renews it"),
	{ "noRevocation", API_BOOL,
	  .meaning = "it says that there is no revocation information (RFC 9608): none is published" },
	TIME("renewFrom", "from when its client was asked to renew it, out of turn (RFC 9773)"),
	TIME("renewUntil", "by when"),
	{ "keyKept", API_BOOL, .meaning = "true: the server keeps its private key" },
	{ "renewal", API_OBJECT, .object = &renewal, .meaning = "of one whose key the server keeps" },
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

static const struct api_field released_fields[] = {
	GIVEN("message", "in words"),
	GIVEN("certificateId", "its id in the inventory"),
	GIVEN("serialNumber", "hexadecimal"),
	{ "releasedAt", API_TIME, .required = true, .meaning = "when" },
};
API_OBJECT_OF(api_released_reply, "Released", released_fields);

static const struct api_field decision_fields[] = {
	GIVEN("by", "who decided"),
	{ "approved", API_BOOL, .required = true, .meaning = "false: rejected" },
	TEXT("reason", "why"),
	{ "at", API_TIME, .required = true, .meaning = "when" },
};
static API_OBJECT_OF(decision, "RequestDecision", decision_fields);

static const struct api_field request_fields[] = {
	GIVEN("id", "its id"),
	WORD("status", request_states, "what has become of it"),
	GIVEN("profileId", "name of the profile"),
	WORD("method", methods, "how it was asked for"),
	TEXT("identity", "who asked"),
	TEXT("account", "ACME account that asked"),
	TEXT("order", "ACME order"),
	TEXT("from", "address that it came from"),
	TEXT("names", "of one that waits or has waited for people: what for"),
	{ "managed", API_BOOL, .meaning = "true: the server makes the key when it issues" },
	{ "csr", API_LINES,
	  .meaning = "of one that waits or has waited; where the server makes the key, of another key" },
	{ "approvalsNeeded", API_INTEGER, .meaning = "how many people must approve" },
	{ "approvals", API_INTEGER, .meaning = "how many have" },
	{ "decisions", API_OBJECTS, .object = &decision, .meaning = "who decided, and how" },
	{ "created", API_TIME, .required = true, .meaning = "when it was made" },
	TIME("expires", "when it ends undecided"),
	TIME("ended", "when it was carried out, or ended otherwise"),
	{ "reasons", API_TEXTS, .meaning = "why it was refused" },
	TEXT("certificateId", "what was issued"),
	{ "keyWaits", API_BOOL, .meaning = "true: the private key waits to be collected by who asked" },
	TEXT("replaces", "the certificate that it renews"),
};
API_OBJECT_OF(api_request_reply, "CertificateRequest", request_fields);

static const struct api_field requests_fields[] = {
	LIST("requests", api_request_reply, "a page, newest first; it may be short, and not the last"),
	TEXT("next", "the `after` of the next page; none: this is the last"),
};
API_OBJECT_OF(api_requests_reply, "CertificateRequests", requests_fields);

static const struct api_field token_fields[] = {
	GIVEN("id", "its id"),
	TEXT("note", "whose it is"),
	TEXT("identity", "what policies mean by `{identity}`"),
	{ "roles", API_TEXTS, .required = true, .meaning = "what it lets its bearer do" },
	{ "profiles", API_TEXTS, .required = true, .meaning = "where; none: in all" },
	{ "names", API_TEXTS, .required = true,
	  .meaning = "patterns of names it may ask for; none: what the profile allows" },
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
	LIST("errors", error, "all that is broken, as a refusal tells it"),
	LIST("rules", rule, "those of the gate"),
	LIST("verdicts", verdict, "of the policy, one for each value"),
};
API_OBJECT_OF(api_test_reply, "Tested", tested_fields);

static const struct api_field openapi_fields[] = {
	GIVEN("openapi", "3.1.0"),
	{ "info", API_ANY, .required = true, .meaning = "what this is" },
	{ "servers", API_ANY, .required = true, .meaning = "where it is" },
	{ "tags", API_ANY, .required = true, .meaning = "what the routes are about" },
	{ "security", API_ANY, .required = true, .meaning = "how clients say who they are" },
	{ "paths", API_ANY, .required = true, .meaning = "the routes" },
	{ "components", API_ANY, .required = true, .meaning = "the schemas" },
};
API_OBJECT_OF(api_openapi_reply, "OpenApi", openapi_fields);

static const struct api_field key_fields[] = {
	PEM("privateKey", "PKCS #8, PEM"),
	GIVEN("certificateId", "the certificate it is read for"),
	GIVEN("keyHash", "SHA-256 of its SubjectPublicKeyInfo, hexadecimal"),
};
API_OBJECT_OF(api_key_reply, "PrivateKey", key_fields);
