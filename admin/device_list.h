/* Device list: many devices at once for the list of those whose manufacturers' certificates EST takes, from CSV
 * (RFC 4180, with a head line) or from one JSON object a line. Internal to admin/. Any thread.
 *
 * Columns, or members: `device`, the serial number; `certificate`, that of its certificate, hexadecimal; at least
 * one of the two; `profile`, `names` (in CSV with spaces between), `note`, `expires` (RFC 3339). */
#pragma once

#include "admin/credential.h"

enum { DEVICE_LIST_MAX = 1000000, DEVICE_LIST_BYTES = 48 * 1024 * 1024 };

struct device_row {
	char *device, *certificate, *profile, *note; /* NULL without */
	struct strings names;
	int64_t expires;
};
struct device_list {
	struct device_row *v;
	size_t n, room;
};
void device_list_free(struct device_list *list);
declare_auto_value(device_list, device_list_free);

/* The whole text, or nothing: MALFORMED names the first line that is wrong. */
bool device_list_read(struct bytes text, struct device_list *ret, struct problem *p) must_use;

struct device_list_result {
	int64_t added, changed, unchanged, revoked; /* revoked: known, put out, and left so */
};
/* In updates of some rows each, so that a server goes on meanwhile. A device that is known gets what the row says. Done
 * again it changes nothing. */
bool device_list_store(struct store *store, const struct device_list *list, const struct actor *actor,
                       struct device_list_result *ret, struct problem *p) must_use;
void device_list_result_json(const struct device_list_result *counts, struct buf *ret);
