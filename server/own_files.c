#include "server/own_files.h"

#include "base/file.h"
#include "ca/vault.h"

enum { FILE_MAX = 256 * 1024 };

static bool of_file(const char *path, const struct problem *why, struct problem *p)
{
	return problem_set(p, why->kind, "%s: %s", path, problem_cause(why));
}

bool own_files_certificate(const char *path, struct tls_certificate **ret, struct buf *ret_pem, struct problem *p)
{
	auto_value(problem) why = {0};

	return file_read(path, FILE_MAX, ret_pem, p) &&
	       (tls_certificate_parse(buf_bytes(ret_pem), ret, &why) || of_file(path, &why, p));
}

bool own_files_key(const char *path, struct tls_certificate *certificate, struct problem *p)
{
	auto_value(buf) pem = {0};
	auto_value(problem) why = {0};
	auto(EVP_PKEY) *key = NULL;

	return file_read(path, FILE_MAX, &pem, p) &&
	       ((vault_read_pem(buf_text(&pem), &key, &why) && tls_certificate_set_key(certificate, key, &why)) ||
	        of_file(path, &why, p));
}
