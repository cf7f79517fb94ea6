/* An installation in a folder of its own, and what a command prints and says. Included by one test
 * program each. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin/admin.h"
#include "base/json.h"

static char admin_folder[64];
static char admin_ca_folder[80];
static struct strings admin_profiles;
static struct admin admin;
static unsigned admin_cancelled;     /* how often cancel_work was called */
static unsigned admin_pages;     /* how often it is to be */

static inline bool count_cancelled(struct store_txn *txn, const char *account_id, bool *ret_more, struct problem *p)
{
	(void)txn, (void)account_id, (void)p;
	*ret_more = ++admin_cancelled < admin_pages;
	return true;
}

static inline int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st, (void)flag, (void)ftw;
	return remove(path);
}

static inline int admin_teardown(void **state)
{
	(void)state;
	strings_free(&admin_profiles);
	return nftw(admin_folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* An empty folder; admin_init makes the rest. */
static inline int admin_setup(void **state)
{
	(void)state;
	strcpy(admin_folder, "/tmp/enrolld-admin-XXXXXX");
	if (!mkdtemp(admin_folder) || !strings_add(&admin_profiles, "one") ||
	    !strings_add(&admin_profiles, "two"))
		return -1;
	snprintf(admin_ca_folder, sizeof admin_ca_folder, "%s/ca", admin_folder);
	admin_cancelled = 0;
	admin_pages = 1;
	admin = (struct admin){
		.data_folder = admin_folder,
		.ca = {
			.folder = admin_ca_folder, .root_name = "Root", .issuing_name = "Issuing",
			        .root_key = KEYFILE_EC_P256,
			.issuing_key = KEYFILE_EC_P256, .root_lifetime = 86400 * 365,
			        .issuing_lifetime = 86400 * 365,
		},
		.profiles = &admin_profiles,
		.cancel_work = count_cancelled,
	};
	return 0;
}

/* Runs `enrolld LINE`: true and what it printed, or false and what it said. The caller frees ret. */
static inline bool admin_try(const struct command *command, const char *line, char **ret, struct problem *p)
{
	static const struct command *one[2];
	char text[512], *argv[16];
	struct command_call call;
	int argc = 1;
	size_t len;
	one[0] = command;
	snprintf(text, sizeof text, "%s %s", command->name, line);
	argv[0] = (char[]){ "enrolld" };
	for (char *word = strtok(text, " "); word; word = strtok(NULL, " "))
		argv[argc++] = word;
	if (!command_parse(one, argc, argv, &call, p))
		return false;
	call.admin = &admin;
	call.out = open_memstream(ret, &len);
	bool ok = command->run(&call, p);
	fclose(call.out);
	return ok;
}

static inline char *admin_run(const struct command *command, const char *line)
{
	char *text = NULL;
	auto_value(problem) p = {0};
	if (!admin_try(command, line, &text, &p))
		fail_msg("%s %s: %s %s", command->name, line, p.detail, p.cause);
	return text;
}

static inline struct json *admin_json(const struct command *command, const char *line)
{
	auto_free char *text = admin_run(command, line);
	struct json *root = NULL;
	auto_value(problem) p = {0};
	if (!json_parse(BYTES_STR(text), &root, &p))
		fail_msg("%s %s: %s", command->name, text, p.detail);
	return root;
}

static inline void admin_refused(const struct command *command, const char *line, enum problem_kind kind,
                          const char *want)
{
	auto_free char *text = NULL;
	auto_value(problem) p = {0};
	if (admin_try(command, line, &text, &p))
		fail_msg("taken: %s %s", command->name, line);
	assert_string_equal(problem_kind_name(p.kind), problem_kind_name(kind));
	if (!strstr(p.detail, want))
		fail_msg("%s", p.detail);
}
