/* File: whole files, read within a bound and written so that a crash leaves the old one or the new one. Any thread. */
#pragma once

#include "base/bytes.h"

/* Reads a whole file, at most max bytes. NOT_FOUND / INTERNAL name the path and the reason. */
bool file_read(const char *path, size_t max, struct buf *ret, struct problem *p) must_use;
/* Why path could not be opened, of errno, with whose it is. */
bool file_denied(const char *path, enum problem_kind kind, struct problem *p);
/* Writes a new file beside and renames it, mode e.g. 0600, fsyncs file and folder. As root in somebody
 * else's folder, the file is that one's, where the kernel lets us: a service of another user reads what an
 * operator's command writes. */
bool file_write(const char *path, struct bytes data, unsigned mode, struct problem *p) must_use;
/* The same, but never in place of a file that is there: CONFLICT. Of several makers one wins. */
bool file_write_new(const char *path, struct bytes data, unsigned mode, struct problem *p) must_use;
/* Like file_write, and stays the writer's: what is secret and leaves our own folders. */
bool file_export(const char *path, struct bytes data, unsigned mode, struct problem *p) must_use;
/* Gives a file or folder that is there already, and is root's, to the owner of its folder. */
void file_give(const char *path);
/* What was made, renamed or removed in the folder, or in the one that path is in, is not lost with the power. */
bool file_sync_folder(const char *folder, struct problem *p) must_use;
bool file_sync_above(const char *path, struct problem *p) must_use;
