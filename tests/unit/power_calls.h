/* What power_calls.c and power_writes.c share: descriptors of watched files, and the names of libc's calls. Internal to power*.c. */
#pragma once

#include "tests/unit/power_log.h"

/* Under names of our own here, for the headers have inline forms of some. */
#define CALL(type, name, args) \
	type power_##name args __asm__(#name) __attribute__((visibility("default"))); \
	type power_##name args
#define SAME(type, name, args, call) CALL(type, name, args) { return call; }

struct power_handle {
	struct power *disk;  /* NULL: no file of ours */
	unsigned file;
	bool synchronous, append;
	char name[POWER_NAME_MAX];
};
struct power_handle power_handle_of(int fd);
void power_die(void);
/* What is asked of a hook, and what it answers; the process may end here. */
enum power_verdict power_ask(struct power_event *event);
