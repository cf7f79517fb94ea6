/* A scratch folder for tests of ca/: made fresh for each test, removed with all that is in it. */
#pragma once

#include <dirent.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/file.h"

static char folder[64];

static inline const char *in_folder(const char *name)
{
	static char path[4][256];
	static unsigned next;
	char *ret = path[next++ % 4];

	snprintf(ret, sizeof(path[0]), "%s/%s", folder, name);
	return ret;
}

static inline int folder_setup(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/enrolld-ca-XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static inline void folder_empty(const char *path)
{
	DIR *dir = opendir(path);

	for (struct dirent *entry; dir && (entry = readdir(dir)) != NULL;) {
		auto_free char *below = mem_printf("%s/%s", path, entry->d_name);
		if (str_equal(entry->d_name, ".") || str_equal(entry->d_name, "..") || unlink(below) == 0)
			continue;
		folder_empty(below);
		rmdir(below);
	}
	if (dir)
		closedir(dir);
}

static inline int folder_teardown(void **state)
{
	(void)state;
	folder_empty(folder);
	return rmdir(folder);
}

static inline void put_file(const char *name, struct bytes data, unsigned mode)
{
	auto_value(problem) p = { 0 };

	assert_true(file_write(in_folder(name), data, mode, &p));
}

static inline void get_file(const char *name, struct buf *ret)
{
	auto_value(problem) p = { 0 };

	assert_true(file_read(in_folder(name), 1 << 20, ret, &p));
}
