/* Audit export: the audit log outside the store, one event a line:
 *     {"hash":"HEX","event":{...}}
 * The event is the text that was hashed, so a line can be checked by what reads it as it stands, and
 * the text begins at the same place in each. Internal to admin/. */
#pragma once

#include <stdio.h>

#include "store/audit.h"

void audit_export_line(const struct audit_entry *entry, struct buf *ret);

/* What a file of such lines holds: a chain without a gap from some event on. */
struct audit_export {
	uint64_t first, last;              /* numbers; 0: no line */
	uint8_t hash[SHA256_SIZE];         /* of the last */
};
/* Takes the next line, with its line end; {0} begins. false: it is none, or does not follow, which ret_event tells
 * apart: whether it is an event. */
bool audit_export_take(struct audit_export *export, struct bytes line, bool *ret_event) must_use;
/* MALFORMED names the line that is none, or that does not follow the one before it. */
bool audit_export_read(const char *path, struct audit_export *ret, struct problem *p) must_use;
