/* Audit queue: events that belong to no change, refusals above all.
 *
 * A refusal changes nothing, so there is no update that it could be written in, and an update for each would
 * let everybody who can be refused load the disk at will. So such events wait here for a moment and are then
 * written together, in one update. One that says the same as one that waits is counted with it ("times").
 * Each actor can leave so many an hour, and all together so many; those beyond are counted, and their number is
 * written as refusals-dropped. What still waits when the process is killed is lost: nothing that was
 * granted is among it.
 *
 * A `struct audit_queue` owns its thread and copies of what waits; it borrows the store. Any thread. */
#pragma once

#include "store/audit.h"

struct audit_queue;

enum {
	AUDIT_QUEUE_PER_ACTOR = 60,   /* at once, and again evenly in an hour */
	AUDIT_QUEUE_PER_HOUR = 1200,  /* of all actors */
	AUDIT_QUEUE_WAITING_MAX = 64,
};
bool audit_queue_open(struct store *store, struct audit_queue **ret, struct problem *p) must_use;
/* Copies the event and returns at once. */
void audit_queue_add(struct audit_queue *queue, const struct audit_event *event);
/* A refusal: behind the event's own facts stand the problem's type, the rules that it names (its cause) and all its
 * reasons. */
void audit_queue_refuse(struct audit_queue *queue, const struct audit_event *event, const struct problem *why);
/* Writes what waits, the number of those dropped too, before it returns. */
bool audit_queue_flush(struct audit_queue *queue, struct problem *p) must_use;
void audit_queue_close(struct audit_queue *queue); /* flushes */
declare_auto_struct(audit_queue, audit_queue_close);
