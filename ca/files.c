#include "ca/files.h"

#include <dirent.h>
#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "ca/chain.h"

enum { SUCCESSORS_MAX = 1000 };

bool files_has(const char *folder, const char *name, const char *ending)
{
	auto_free char *path = mem_printf("%s/%s%s", folder, name, ending);

	return path && access(path, F_OK) == 0;
}

/* "issuing.pem", and neither "issuing.chain.pem" nor "root.rollover.pem". */
static bool add_name(const char *file, struct strings *ret)
{
	size_t len = strcspn(file, ".");
	char name[ISSUER_NAME_SIZE];
	auto_value(problem) why = { 0 };

	if (!str_equal(file + len, ".pem") || len >= sizeof(name))
		return true;
	snprintf(name, sizeof(name), "%.*s", (int)len, file);
	return !issuer_name_check(name, &why) || strings_add(ret, name);
}

bool files_names(const char *folder, struct strings *ret, struct problem *p)
{
	DIR *dir = opendir(folder);
	bool added = true;

	if (!dir)
		return problem_set(p, PROBLEM_NOT_FOUND, "%s: %m", folder);
	for (struct dirent *entry; added && (entry = readdir(dir)) != NULL;)
		added = add_name(entry->d_name, ret);
	closedir(dir);
	strings_sort(ret);
	return added ? true : problem_memory(p);
}

bool files_certificate(const char *folder, const char *name, X509 **ret, struct problem *p)
{
	auto_free char *path = mem_printf("%s/%s.pem", folder, name);
	auto(ossl_x509_stack) *file = NULL;

	if (!path)
		return problem_memory(p);
	if (!issuer_name_check(name, p))
		return false;
	if (access(path, F_OK) != 0)
		return problem_set(p, PROBLEM_NOT_FOUND, "%s: there is no CA of this name", path);
	if (!chain_read(path, &file, p))
		return false;
	if (sk_X509_num(file) != 1)
		return problem_set(p, PROBLEM_MALFORMED, "%s: more than one certificate", path);
	*ret = sk_X509_shift(file);
	return true;
}

bool files_chain(const char *folder, const char *name, ossl_x509_stack **ret, struct problem *p)
{
	auto_free char *path = mem_printf("%s/%s.chain.pem", folder, name);
	auto(ossl_x509_stack) *alone = NULL;
	X509 *root = NULL;

	if (!path)
		return problem_memory(p);
	if (access(path, F_OK) == 0)
		return chain_read(path, ret, p);
	if (!files_certificate(folder, name, &root, p))
		return false;
	alone = sk_X509_new_null();
	if (!alone || sk_X509_push(alone, root) <= 0) {
		X509_free(root);
		return problem_memory(p);
	}
	*ret = steal(alone);
	return true;
}

bool files_successor(const char *folder, const char *name, char ret[ISSUER_NAME_SIZE], struct problem *p)
{
	auto_free char *path = mem_printf("%s/%s.successor", folder, name);
	auto_value(buf) text = { 0 };

	*ret = '\0';
	if (!path)
		return problem_memory(p);
	if (access(path, F_OK) != 0)
		return true;
	if (!file_read(path, ISSUER_NAME_SIZE, &text, p))
		return false;
	snprintf(ret, ISSUER_NAME_SIZE, "%.*s", (int)strcspn(buf_text(&text), "\n"), buf_text(&text));
	return issuer_name_check(ret, p) ? true : problem_set(p, PROBLEM_MALFORMED, "%s: not the name of a CA", path);
}

bool files_current(const char *folder, const char *name, char ret[ISSUER_NAME_SIZE], struct problem *p)
{
	char at[ISSUER_NAME_SIZE], next[ISSUER_NAME_SIZE];

	if (!issuer_name_check(name, p))
		return false;
	strcpy(at, name);
	for (int i = 0; i < SUCCESSORS_MAX; i++) {
		if (!files_successor(folder, at, next, p))
			return false;
		if (*next == '\0') {
			strcpy(ret, at);
			return true;
		}
		strcpy(at, next);
	}
	return problem_set(p, PROBLEM_MALFORMED, "%s: the successors of %s go round in a circle", folder, name);
}

bool files_next(const char *folder, const char *name, char ret[ISSUER_NAME_SIZE], struct problem *p)
{
	size_t len = strlen(name), digits = 0;
	unsigned number = 1;

	while (digits < len && name[len - 1 - digits] >= '0' && name[len - 1 - digits] <= '9')
		digits++;
	if (digits > 0 && digits < 4 && len > digits + 1 && name[len - 1 - digits] == '-') {
		number = (unsigned)strtoul(name + len - digits, NULL, 10);
		len -= digits + 1;
	}
	do
		if ((size_t)snprintf(ret, ISSUER_NAME_SIZE, "%.*s-%u", (int)len, name, ++number) >= ISSUER_NAME_SIZE)
			return problem_set(p, PROBLEM_MALFORMED, "the name %s is too long for a number after it", name);
	while (files_has(folder, ret, ".pem") || files_has(folder, ret, ".key"));
	return true;
}
