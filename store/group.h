/* Group: the line in which updates wait for a durable commit that they share. Internal to store/.
 *
 * The first of those that wait leads: it runs the functions of all, commits once, wakes them, and
 * hands the lead to the first of those that came meanwhile. No thread of its own. */
#pragma once

#include "store/store.h"

struct group;
struct audit_keeper;

/* Borrows the keeper, which every transaction is given. */
bool group_new(struct kv *kv, struct audit_keeper *audit, struct group **ret, struct problem *p) must_use;
bool group_update(struct group *group, store_fn *fn, void *arg, struct problem *p) must_use;
void group_counters(struct group *group, uint64_t *ret_commits, uint64_t *ret_updates);
void group_free(struct group *group); /* nobody waits in it */
declare_auto_struct(group, group_free);
