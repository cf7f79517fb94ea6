/* Folder: a place on disk of our own, as the store's: its permissions, and the lock that a server holds. */
#pragma once

#include "base/problem.h"

/* Makes the folder (0700) when create, with those above it; narrows the permissions of one that
 * others may enter. What root makes in somebody else's folder is that one's. NOT_FOUND when there is none. */
bool folder_prepare(const char *folder, bool create, struct problem *p) must_use;
/* Makes the folder, or takes an empty one. CONFLICT when something is in it. */
bool folder_prepare_empty(const char *folder, struct problem *p) must_use;
bool folder_has(const char *folder, const char *name) must_use;
/* Takes the lock; it lasts until ret_fd is closed or the process ends. CONFLICT: another has it. */
bool folder_lock(const char *folder, int *ret_fd, struct problem *p) must_use;
