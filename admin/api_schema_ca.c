/* The shapes of what is said of CAs. */
#include "admin/api_schema.h"

#define TEXT(n, m) { .name = (n), .type = API_TEXT, .meaning = (m) }
#define GIVEN(n, m) { .name = (n), .type = API_TEXT, .required = true, .meaning = (m) }
#define PEM(n, m) { .name = (n), .type = API_LINES, .required = true, .meaning = (m) }
#define TIME(n, m) { .name = (n), .type = API_TIME, .meaning = (m) }
#define WHEN(n, m) { .name = (n), .type = API_TIME, .required = true, .meaning = (m) }
#define YES(n, m) { .name = (n), .type = API_BOOL, .required = true, .meaning = (m) }
#define COUNT(n, m) { .name = (n), .type = API_INTEGER, .meaning = (m) }
#define LIST(n, o, m) { .name = (n), .type = API_OBJECTS, .required = true, .object = &(o), .meaning = (m) }

static const char *const statuses[] = { "active", "succeeded", "disabled", "expired", NULL };

static const struct api_field crl_fields[] = {
	TEXT("url", "of the first list"),
	{ "shards", API_INTEGER, .required = true, .meaning = "lists side by side" },
	COUNT("number", "of the newest list; without: there is none yet"),
	TIME("thisUpdate", "when it was made"),
	TIME("nextUpdate", "until when it is good"),
	COUNT("entries", "certificates on it, or on all of those side by side"),
	YES("waiting", "true: something was revoked that no list knows of yet"),
};
static API_OBJECT_OF(crl, "IssuerCrl", crl_fields);

static const struct api_field ocsp_fields[] = {
	TEXT("url", "of its responder"),
	GIVEN("responderCertificateId", "id of the responder's newest certificate"),
	WHEN("responderNotAfter", "when that expires"),
};
static API_OBJECT_OF(ocsp, "IssuerOcsp", ocsp_fields);

static const struct api_field issuer_fields[] = {
	GIVEN("id", "its id"),
	{ "status", API_TEXT, .required = true, .choices = statuses,
	  .meaning = "succeeded: another CA took its place" },
	TEXT("successor", "the one that did"),
	YES("root", "whether it is one"),
	YES("key", "whether its key is a file in the CA's folder"),
	GIVEN("subject", "RFC 4514"),
	GIVEN("issuer", "RFC 4514"),
	GIVEN("serial", "hexadecimal"),
	GIVEN("fingerprint", "SHA-256 of its DER, hexadecimal"),
	WHEN("notBefore", "when its life begins"),
	WHEN("notAfter", "when its certificate expires"),
	YES("disabled", "true: it issues nothing until it is enabled"),
	TIME("disabledSince", "since when"),
	TEXT("disabledBy", "by whom"),
	COUNT("pathLength", "of CAs below it; without: any number"),
	{ "permitted", API_TEXTS, .meaning = "the only names below it" },
	{ "excluded", API_TEXTS, .meaning = "names that are not allowed below it" },
	{ "crl", API_OBJECT, .required = true, .object = &crl, .meaning = "its revocation list" },
	{ "ocsp", API_OBJECT, .object = &ocsp, .meaning = "its OCSP responder; without: it has none" },
	PEM("certificate", "PEM"),
	PEM("certificateChain", "it and those above it, PEM, the root last"),
};
API_OBJECT_OF(api_issuer_reply, "Issuer", issuer_fields);

static const struct api_field issuers_fields[] = {
	LIST("issuers", api_issuer_reply, "those that issue here, the default one first"),
	LIST("others", api_issuer_reply,
	     "the other ones of the CAs' folder: roots, and those that no profile issues from"),
};
API_OBJECT_OF(api_issuers_reply, "Issuers", issuers_fields);
