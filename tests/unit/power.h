/* Power: a disk with a volatile cache, to see what is kept of a folder when the power goes, or when a process dies.
 *
 * In a program that is linked with power*.o the calls of libc by which files are written are our own
 * (power_calls.c), for LMDB as well. Those on files of a watched folder are carried out, without the flushes, and
 * written down in one log, in the order in which they take effect, for all threads and for processes that are forked
 * after the watch began. A flush and a synchronous write are two entries each, begin and end, and others come between.
 *
 * From the log a cut is made at any point, as often as one likes, without running the workload again. What
 * the disk may hold then: all that a flush or a synchronous write has ended for, and of the rest any part, down
 * to sectors of 512 bytes. A flush (fsync, fdatasync) is for what its file was given before the flush began; a synchronous write
 * (O_DSYNC, O_SYNC, RWF_DSYNC) for itself alone; sizes wait for a flush as bytes do, and names for that of the folder.
 * What a failed flush was for may be lost whatever flush comes after.
 *
 * Not seen: files written through a map (name them as scratch), renames from or to other folders, folders in the
 * folder. power_check finds what went past the log. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct power;

/* What the folder holds now is on the disk. scratch names a file that is written through a map and may hold anything after a
 * cut; NULL: none. The log is in memory that forked processes share. */
struct power *power_watch(const char *folder, const char *scratch);
void power_end(struct power *disk);
/* So long each flush and synchronous write takes, that others may come between its begin and its end. */
void power_slow(struct power *disk, unsigned microseconds);
/* From here on flushes and synchronous writes say that they are done and do nothing: a drive that lies. */
void power_lie(struct power *disk);
/* true when the folder holds what the log says, so that nothing went past it. */
bool power_check(struct power *disk, char why[256]);

/* A point is how many entries of the log came before. */
size_t power_begin(const struct power *disk); /* the watch began */
size_t power_now(struct power *disk);
/* Where one of the flushes begins; without any, the beginning. Any number will do for `which`. */
size_t power_flush(struct power *disk, uint64_t which);

/* Words of the workload's own in the log. */
enum power_mark { POWER_BEGUN, POWER_DONE, POWER_REFUSED };
void power_mark(struct power *disk, enum power_mark mark, uint64_t value);
/* The largest value of such marks before the point; 0: none. What was refused last was not begun. */
uint64_t power_marked(struct power *disk, size_t point, enum power_mark mark);

/* Writes into the folder, which is empty, what the disk may hold when the power goes at the point; the seed says which part of
 * the pending writes. POWER_SEEDS_EACH seeds from any multiple of it on cover each way to choose once. The
 * machine has another boot id from here on. */
enum { POWER_SEEDS_EACH = 9 };
void power_cut(struct power *disk, size_t point, uint64_t seed, const char *folder);
/* The same for processes that die: all is there that was written, of the last write with an odd seed a part. The
 * boot id is that of the watch. */
void power_kill(struct power *disk, size_t point, uint64_t seed, const char *folder);

/* --- faults --- */

enum power_verdict {
	POWER_PASS,
	POWER_FAIL,       /* with the event's error; but for ENOSPC a synchronous write or a flush may have done a part of it */
	POWER_SHORT,      /* half of it is written */
	POWER_DIE_BEFORE, /* the process is killed */
	POWER_DIE_HALF,
	POWER_DIE_AFTER,
};
enum power_act { POWER_ACT_WRITE, POWER_ACT_SIZE, POWER_ACT_FLUSH, POWER_ACT_NAME };
struct power_event {
	const char *name;     /* of the file; "" is the folder */
	enum power_act act;
	uint64_t at, len;
	uint64_t size;        /* of the file that is written to */
	bool synchronous;
	int error;            /* for POWER_FAIL */
};
typedef enum power_verdict power_hook(void *arg, struct power_event *event);
/* Asked before each call on a watched file, in this process, under the disk's lock; NULL: nobody. */
void power_hook_set(power_hook *hook, void *arg);
