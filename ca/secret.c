#include "ca/secret.h"

#include <stdlib.h>

#include "ca/private.h"

enum { SECRET_MAX = 4096 };

static bool from_file(const char *path, unsigned forbidden, struct buf *ret, struct problem *p)
{
	if (!private_read(path, SECRET_MAX, forbidden, ret, p))
		return false;
	if (ret->len > 0 && ret->data[ret->len - 1] == '\n')
		buf_shorten(ret, ret->len - 1);
	return ret->len > 0 ? true : problem_set(p, PROBLEM_MALFORMED, "%s: the passphrase is empty", path);
}

static bool from_folder(const char *folder, const char *name, unsigned forbidden, struct buf *ret, struct problem *p)
{
	auto_free char *path = mem_printf("%s/%s", folder, name);

	return path ? from_file(path, forbidden, ret, p) : problem_memory(p);
}

/* /proc/PID/environ shows the block that the process was started with, so the value is overwritten
 * there too. Called before there are threads. */
static bool from_environment(const char *name, struct buf *ret, struct problem *p)
{
	char *value = getenv(name);

	if (!value)
		return problem_set(p, PROBLEM_NOT_FOUND, "environment variable %s is not set", name);
	buf_add_str(ret, value);
	mem_wipe(value, strlen(value));
	unsetenv(name);
	if (ret->failed)
		return problem_memory(p);
	if (ret->len == 0)
		return problem_set(p, PROBLEM_MALFORMED, "environment variable %s: the passphrase is empty", name);
	return true;
}

/* systemd hands the file to the service's user by an ACL, whose mask shows as the group's bits; the
 * folder keeps everybody else out (systemd.exec(5)). */
static bool from_credential(const char *name, struct buf *ret, struct problem *p)
{
	const char *folder = getenv("CREDENTIALS_DIRECTORY");

	if (!folder)
		return problem_set(p, PROBLEM_NOT_FOUND, "credential %s: $CREDENTIALS_DIRECTORY is not set: systemd "
		                   "sets it for the service; for a command, set it to the folder of the file", name);
	if (strchr(name, '/') || str_equal(name, "..") || str_equal(name, "."))
		return problem_set(p, PROBLEM_MALFORMED, "credential %s: not the name of a credential", name);
	return from_folder(folder, name, 0007, ret, p);
}

static bool read_source(const struct secret_source *source, const char *folder, struct buf *ret, struct problem *p)
{
	if (source->environment)
		return from_environment(source->environment, ret, p);
	if (source->credential)
		return from_credential(source->credential, ret, p);
	if (source->file)
		return from_file(source->file, 0077, ret, p);
	return from_folder(folder, "passphrase", 0077, ret, p);
}

bool secret_read(const struct secret_source *source, const char *folder, struct buf *ret, struct problem *p)
{
	auto_value(buf) secret = { 0 };

	if (!!source->file + !!source->environment + !!source->credential > 1)
		return problem_set(p, PROBLEM_MALFORMED,
		                   "passphrase: only one of file, environment and credential can be its source");
	if (!read_source(source, folder, &secret, p))
		return false;
	private_lock(&secret);
	buf_free(ret);
	*ret = secret;
	secret = (struct buf){ 0 };
	return true;
}
