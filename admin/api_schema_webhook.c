/* The shapes of what is said of webhooks. */
#include "admin/api_schema.h"
#include "admin/webhook.h"

#define TEXT(n, m) { .name = (n), .type = API_TEXT, .meaning = (m) }
#define GIVEN(n, m) { .name = (n), .type = API_TEXT, .required = true, .meaning = (m) }
#define TIME(n, m) { .name = (n), .type = API_TIME, .meaning = (m) }
#define COUNT(n, m) { .name = (n), .type = API_INTEGER, .required = true, .meaning = (m) }
#define LIST(n, o, m) { .name = (n), .type = API_OBJECTS, .required = true, .object = &(o), .meaning = (m) }

#define URL_MEANING "http or https; an address that is denied must be allowed by `webhook.allow` of the configuration"
#define FILTERS                                                                                                 \
	{ "events", API_TEXTS, .max = 32,                                                                       \
	  .meaning = "kinds of events, or the beginning of some and `*`; certificate-*, request-* and "         \
	             "renewal-failed without" },                                                                \
	{ "profiles", API_TEXTS, .max = 100,                                                                    \
	  .meaning = "events about certificates and requests of these alone; none: all" },                      \
	{ "note", API_TEXT, .max = 200, .meaning = "what it is for" },                                          \
	{ "secret", API_SECRET, .min = WEBHOOK_SECRET_MIN, .max = WEBHOOK_SECRET_MAX,                           \
	  .meaning = "one of your own; without, one is made" }

static const struct api_field webhook_fields[] = {
	{ "url", API_TEXT, .required = true, .min = 1, .max = WEBHOOK_URL_MAX,
	  .pattern = "^[Hh][Tt][Tt][Pp][Ss]?://[^/]", .meaning = URL_MEANING },
	FILTERS,
};
API_OBJECT_OF(api_webhook_body, "WebhookRequest", webhook_fields);

static const struct api_field change_fields[] = {
	{ "url", API_TEXT, .min = 1, .max = WEBHOOK_URL_MAX, .pattern = "^[Hh][Tt][Tt][Pp][Ss]?://[^/]",
	  .meaning = URL_MEANING },
	FILTERS,
	{ "newSecret", API_BOOL, .meaning = "make another secret" },
};
API_OBJECT_OF(api_webhook_change_body, "WebhookChange", change_fields);

static const struct api_field resume_fields[] = { { "skip", API_BOOL,
	                                            .meaning = "leave out the event that it stands at" } };
API_OBJECT_OF(api_resume_body, "WebhookResume", resume_fields);

const struct api_object api_empty_body = { "Nothing", NULL, 0 };

static const char *const statuses[] = { "active", "failing", "stopped", NULL };
static const struct api_field try_fields[] = {
	TIME("time", "when"),
	{ "event", API_INTEGER, .meaning = "number of the event in the audit log" },
	{ "status", API_INTEGER, .meaning = "of the answer; none came without" },
	TEXT("error", "why it was not delivered"),
};
static API_OBJECT_OF(try, "WebhookTry", try_fields);

static const struct api_field reply_fields[] = {
	GIVEN("id", "its id"),
	{ "url", API_TEXT, .required = true, .max = WEBHOOK_URL_MAX, .meaning = "where events are sent" },
	TEXT("name", "of one of the configuration, which alone changes it"),
	TEXT("note", "what it is for"),
	TEXT("secret", "what they are signed with; shown once, when it is made"),
	{ "events", API_TEXTS, .required = true, .meaning = "what it wants" },
	{ "profiles", API_TEXTS, .required = true,
	  .meaning = "about certificates and requests of which profiles; none: all" },
	{ "status", API_TEXT, .required = true, .choices = statuses, .meaning = "stopped: it was given up" },
	TIME("created", "when it was made"),
	COUNT("cursor", "number of the last event of the audit log that is delivered or not wanted"),
	COUNT("behind", "events that came after it"),
	COUNT("delivered", "how many were delivered"),
	COUNT("attempts", "tries of the next one that failed"),
	TIME("failing", "when the first of them was"),
	TIME("nextTry", "when the next one is"),
	TIME("stopped", "when it was given up"),
	{ "lastError", API_TEXT, .max = 512, .meaning = "why the last one failed" },
	LIST("tries", try, "the last ones, newest first"),
};
API_OBJECT_OF(api_webhook_reply, "Webhook", reply_fields);

static const struct api_field webhooks_fields[] = { LIST("webhooks", api_webhook_reply, "all of them") };
API_OBJECT_OF(api_webhooks_reply, "Webhooks", webhooks_fields);

static const struct api_field tested_fields[] = {
	{ "taken", API_BOOL, .required = true, .meaning = "whether the answer was a status of 2xx" },
	{ "status", API_INTEGER, .meaning = "of the answer; none came without" },
	TEXT("error", "why it was not taken"),
};
API_OBJECT_OF(api_webhook_test_reply, "WebhookTested", tested_fields);
