/* The shapes of what is told of the audit log. */
#include "admin/api_schema.h"
#include "store/audit.h"

#define TEXT(n, m) { .name = (n), .type = API_TEXT, .meaning = (m) }

const char *const api_audit_kinds[] = {
#define X(name, text, meaning) text,
	AUDIT_KINDS(X)
#undef X
	NULL,
};

static const struct api_field event_fields[] = {
	{ "seq", API_INTEGER, .required = true, .meaning = "its number; none is missing" },
	{ "time", API_TIME, .meaning = "when" },
	{ "kind", API_TEXT, .choices = api_audit_kinds, .meaning = "what was decided" },
	TEXT("actor", "by whom"),
	TEXT("from", "the address that the request came from"),
	{ "about", API_ANY, .meaning = "an object: what it is about, by the kind" },
	{ "times", API_INTEGER, .meaning = "of refusals that were alike and are told once: how many" },
	{ "previous", API_TEXT, .min = 64, .max = 64, .meaning = "the hash of the event before it" },
	{ "hash", API_TEXT, .required = true, .min = 64, .max = 64,
	  .meaning = "SHA-256 of the event as it is written, `previous` included" },
};
static API_OBJECT_OF(event, "AuditEvent", event_fields);

static const struct api_field events_fields[] = {
	{ "events", API_OBJECTS, .required = true, .object = &event,
	  .meaning = "a page, oldest first; it may be short, and not the last" },
	TEXT("next", "the `after` of the next page; none: this is the last for now"),
};
API_OBJECT_OF(api_events_reply, "AuditEvents", events_fields);
