/* The log of a watched disk, and its names as they are now. Internal to power*.c. */
#pragma once

#include <pthread.h>
#include <sys/types.h>

#include "tests/unit/power.h"

enum {
	POWER_NAME_MAX = 48,
	POWER_FILES_MAX = 256,
	POWER_OPS_MAX = 1 << 18,
};
#define POWER_DATA_MAX (UINT64_C(1) << 32)

enum power_op_kind {
	POWER_OP_MARK,
	POWER_OP_WRITE,
	POWER_OP_SIZE,      /* the file has so many bytes */
	POWER_OP_EXTEND,    /* at least so many */
	POWER_OP_WRITTEN,   /* the synchronous write `of` has ended */
	POWER_OP_FLUSH,
	POWER_OP_FLUSHED,   /* the flush `of` has ended */
	POWER_OP_NAME,
	POWER_OP_UNNAME,
	POWER_OP_RENAME,
};
struct power_op {
	enum power_op_kind kind;
	enum power_mark mark;
	bool failed;                /* of WRITTEN and FLUSHED */
	unsigned file;              /* 0: the folder */
	uint64_t at, len;           /* a mark's value is at */
	uint64_t data;              /* where a write's bytes are */
	size_t of;
	char name[POWER_NAME_MAX], to[POWER_NAME_MAX];
};
struct power_names {
	struct {
		char name[POWER_NAME_MAX]; /* "": free */
		unsigned file;
	} v[POWER_FILES_MAX];
};

/* In shared memory, but for `replay`. */
struct power {
	pthread_mutex_t lock;       /* all below */
	char folder[256], scratch[POWER_NAME_MAX];
	char boot_id[37];
	unsigned slow;
	bool lies;
	unsigned files;             /* so many were ever there; the folder is one */
	struct power_names names;
	size_t begin, n;
	uint64_t data_len;
	struct power_replay *replay; /* of the process that made the watch */
	struct power_op op[POWER_OPS_MAX];
	uint8_t data[];
};

void power_lock(struct power *disk);
void power_unlock(struct power *disk);
/* With the lock held. Returns the index of the entry. */
size_t power_add(struct power *disk, const struct power_op *op);
/* A name's file; 0: there is none. */
unsigned power_names_find(const struct power_names *names, const char *name);
void power_names_set(struct power_names *names, const char *name, unsigned file);
/* What an entry of the log does to the names. */
void power_names_apply(struct power_names *names, const struct power_op *op);
/* The disk of a path and its name there, "" for the folder itself. NULL: none. */
struct power *power_find(const char *path, const char **ret_name);
enum power_verdict power_judge(struct power_event *event);
/* Its descriptors that are open are any file's from here on. */
void power_forget(const struct power *disk);

/* As the machine would say it now, with its newline. */
const char *power_boot_id(void);
void power_boot_new(void);
void power_boot_of(const struct power *disk);
void power_replay_free(struct power_replay *replay);
