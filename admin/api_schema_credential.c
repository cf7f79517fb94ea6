/* The shapes of what is said of EST's credentials. */
#include "admin/api_schema.h"

#define TEXT(n, m) { .name = (n), .type = API_TEXT, .meaning = (m) }
#define GIVEN(n, m) { .name = (n), .type = API_TEXT, .required = true, .meaning = (m) }
#define TIME(n, m) { .name = (n), .type = API_TIME, .meaning = (m) }
#define COUNT(n, m) { .name = (n), .type = API_INTEGER, .required = true, .meaning = (m) }
#define LIST(n, o, m) { .name = (n), .type = API_OBJECTS, .required = true, .object = &(o), .meaning = (m) }
#define NAMES                                                                                                   \
	{ "names", API_TEXTS, .max = 100,                                                                       \
	  .meaning = "names that may be asked for, as dns:device-17.example.com; without: what the profile allows" }

static const char *const kinds[] = { "code", "password", "secret", "device", "wrapping-key", NULL };
static const char *const statuses[] = { "valid", "expired", "used up", "revoked", NULL };
static const char *const digests[] = { "sha-256", "md5", NULL };

static const struct api_field create_fields[] = {
	{ "kind", API_TEXT, .choices = kinds, .meaning = "code without" },
	{ "profileId", API_TEXT, .required = true, .max = 32,
	  .meaning = "the profile it counts in; empty: a device's, any" },
	NAMES,
	{ "user", API_TEXT, .max = 128, .meaning = "the user name of a password or secret" },
	{ "password", API_SECRET, .max = 256, .meaning = "of kind password" },
	{ "digest", API_TEXTS, .max = 2, .choices = digests, .meaning = "HTTP Digest may be used too" },
	{ "device", API_TEXT, .max = 127, .meaning = "serial number of the device that it is for" },
	{ "certificate", API_TEXT, .max = 64, .meaning = "serial number of a device's certificate, hexadecimal" },
	{ "usesMax", API_INTEGER, .min = 0, .max = 1000000000,
	  .meaning = "how many certificates it gives, 0 any; without: a code 1, others any" },
	TIME("expires", "until when it counts; without: a code a week, others for ever"),
	TEXT("note", "for whom it is"),
};
API_OBJECT_OF(api_credential_body, "CredentialRequest", create_fields);

static const struct api_field credential_fields[] = {
	GIVEN("id", "its id"),
	{ "kind", API_TEXT, .required = true, .choices = kinds, .meaning = "what it is" },
	TEXT("code", "the code itself: shown once, when it is made"),
	TEXT("secret", "the secret itself: shown once, when it is made"),
	TEXT("key", "the wrapping key itself, in hexadecimal: shown once, when it is made"),
	{ "status", API_TEXT, .required = true, .choices = statuses, .meaning = "whether it counts" },
	TEXT("user", "the user name"),
	{ "digest", API_TEXTS, .meaning = "what HTTP Digest it may be used with" },
	TEXT("device", "serial number of the device that it is for"),
	TEXT("certificate", "serial number of the device's certificate"),
	TEXT("profile", "the profile it counts in"),
	{ "names", API_TEXTS, .required = true,
	  .meaning = "names that may be asked for; none: what the profile allows" },
	TEXT("note", "for whom it is"),
	TIME("created", "when it was made"),
	TIME("expires", "until when it counts"),
	COUNT("uses", "certificates it gave"),
	{ "usesMax", API_INTEGER, .meaning = "how many it gives" },
	TIME("used", "when it last gave one"),
	TIME("revoked", "when it was revoked"),
};
API_OBJECT_OF(api_credential_reply, "Credential", credential_fields);

static const struct api_field list_fields[] = {
	LIST("credentials", api_credential_reply, "one page of them"),
	TEXT("next", "there is more: `after` of the next page"),
};
API_OBJECT_OF(api_credentials_reply, "Credentials", list_fields);

static const struct api_field device_fields[] = {
	{ "device", API_TEXT, .max = 127, .meaning = "its serial number; this, or `certificate`, or both" },
	{ "certificate", API_TEXT, .max = 64, .meaning = "serial number of its certificate, hexadecimal" },
	{ "profile", API_TEXT, .max = 32, .meaning = "the profile it is for; any without" },
	NAMES,
	TEXT("note", "any text"),
	TIME("expires", "until when it counts"),
};
static API_OBJECT_OF(device, "Device", device_fields);
static const struct api_field devices_fields[] = {
	{ "devices", API_OBJECTS, .required = true, .min = 1, .max = 1000, .object = &device,
	  .meaning = "those for the list; one that is known gets what its row says" },
};
API_OBJECT_OF(api_devices_body, "DevicesRequest", devices_fields);
static const struct api_field devices_reply_fields[] = {
	COUNT("added", "not known before"),
	COUNT("changed", "known, with another row"),
	COUNT("unchanged", "known with this row"),
	COUNT("revoked", "known, revoked, and left so"),
};
API_OBJECT_OF(api_devices_reply, "Devices", devices_reply_fields);
