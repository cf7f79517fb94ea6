#include "base/file.h"
#include "ca/ca.h"

#include <unistd.h>

#include "base/clock.h"
#include "ca/authority.h"
#include "ca/chain.h"
#include "ca/constraint.h"
#include "ca/files.h"
#include "ca/pkcs11.h"
#include "ca/signer.h"
#include "store/folder.h"

static const int64_t time_max = 253402300799; /* 9999-12-31T23:59:59Z */

bool ca_exists(const char *folder)
{
	auto_value(strings) names = { 0 };
	auto_value(problem) why = { 0 };
	bool found = false;

	if (!files_names(folder, &names, &why))
		return false;
	for (size_t i = 0; !found && i < names.n; i++)
		found = files_has(folder, names.v[i], ".chain.pem");
	return found;
}

static bool certificate_write(const char *folder, const char *name, X509 *certificate, struct problem *p)
{
	auto_free char *path = mem_printf("%s/%s", folder, name);
	auto_value(buf) pem = { 0 };

	if (!path)
		return problem_memory(p);
	return ossl_certificate_pem(certificate, &pem, p) && file_write(path, buf_bytes(&pem), 0644, p);
}

static bool key_of_token(const char *path, const char *uri, enum keyfile_kind kind, EVP_PKEY **ret, struct problem *p)
{
	auto_free char *line = mem_printf("%s\n", uri);

	if (!line)
		return problem_memory(p);
	return pkcs11_key_complete(uri, kind, ret, p) && signer_key_check(*ret, p) &&
	       file_write(path, BYTES_STR(line), 0600, p);
}

/* The key of the file, made when there is none. */
static bool key_complete(const struct ca_create_options *options, const char *name, enum keyfile_kind kind,
                         const char *uri, struct bytes passphrase, EVP_PKEY **ret, struct problem *p)
{
	auto_free char *path = mem_printf("%s/%s", options->folder, name);
	auto(EVP_PKEY) *key = NULL;

	if (!path)
		return problem_memory(p);
	if (access(path, F_OK) == 0)
		return keyfile_read(path, passphrase, ret, p);
	if (uri)
		return key_of_token(path, uri, kind, ret, p);
	if (!keyfile_generate(kind, &key, p) || !keyfile_write(path, key, options->passphrase, passphrase, p))
		return false;
	*ret = steal(key);
	return true;
}

static bool root_read(const char *path, EVP_PKEY *key, X509 **ret, struct problem *p)
{
	auto(ossl_x509_stack) *file = NULL;

	if (!chain_read(path, &file, p))
		return false;
	if (sk_X509_num(file) != 1 || !keyfile_fits(sk_X509_value(file, 0), key))
		return problem_set(p, PROBLEM_MALFORMED, "%s: not one certificate, of the key root.key", path);
	*ret = sk_X509_shift(file);
	return true;
}

static bool root_make(const struct ca_create_options *options, struct authority *root, struct problem *p)
{
	int64_t now = clock_now();
	auto(X509_NAME) *name = NULL;

	if (!authority_name(options->organization, options->root_name, &name, p))
		return false;
	const struct authority_wish wish = {
		.subject = name, .key = root->key, .not_before = now - AUTHORITY_BACKDATE,
		.not_after = now + options->root_lifetime, .path_length = -1,
	};
	return authority_certify(&wish, NULL, &root->certificate, p) &&
	       certificate_write(options->folder, "root.pem", root->certificate, p);
}

static bool root_complete(const struct ca_create_options *options, struct bytes passphrase, struct authority *ret,
                          struct problem *p)
{
	auto_value(authority) root = { 0 };
	auto_free char *path = mem_printf("%s/root.pem", options->folder);

	if (!path)
		return problem_memory(p);
	if (!key_complete(options, "root.key", options->root_key, options->root_uri, passphrase, &root.key, p))
		return false;
	bool there = access(path, F_OK) == 0;
	if (there ? !root_read(path, root.key, &root.certificate, p) : !root_make(options, &root, p))
		return false;
	*ret = root;
	root = (struct authority){ 0 };
	return true;
}

/* Its life ends with the root's at the latest. */
static bool issuing_certify(const struct ca_create_options *options, EVP_PKEY *key, const struct authority *root,
                            X509 **ret, struct problem *p)
{
	int64_t now = clock_now(), end;
	auto(X509_NAME) *name = NULL;
	auto(NAME_CONSTRAINTS) *names = NULL;

	if (!authority_not_after(root->certificate, &end, p) ||
	    !authority_name(options->organization, options->issuing_name, &name, p) ||
	    !constraint_make(options->permitted, options->excluded, &names, p))
		return false;
	const struct authority_wish wish = {
		.subject = name, .key = key, .not_before = now - AUTHORITY_BACKDATE,
		.not_after = end < now + options->issuing_lifetime ? end : now + options->issuing_lifetime,
		.path_length = options->path_length, .names = names, .base = options->base, .by = "root",
	};
	return authority_certify(&wish, root, ret, p);
}

static bool issuing_make(const struct ca_create_options *options, struct bytes passphrase, const struct authority *root,
                         struct problem *p)
{
	auto(EVP_PKEY) *key = NULL;
	auto(X509) *certificate = NULL;

	return key_complete(options, "issuing.key", options->issuing_key, options->issuing_uri, passphrase, &key, p) &&
	       issuing_certify(options, key, root, &certificate, p) &&
	       certificate_write(options->folder, "issuing.chain.pem", root->certificate, p) &&
	       certificate_write(options->folder, "issuing.pem", certificate, p);
}

static bool options_check(const struct ca_create_options *options, struct problem *p)
{
	int64_t longest = time_max - clock_now();

	if (options->root_lifetime <= 0 || options->root_lifetime > longest || options->issuing_lifetime <= 0 ||
	    options->issuing_lifetime > longest)
		return problem_set(p, PROBLEM_MALFORMED,
		                   "RFC 5280, 4.1.2.5: a CA's life ends after now and before the year 10000");
	if (options->path_length < 0 || options->path_length > CA_PATH_LENGTH_MAX)
		return problem_set(p, PROBLEM_MALFORMED,
		                   "RFC 5280, 4.2.1.9: a path length of 0 to %d is expected", CA_PATH_LENGTH_MAX);
	if (str_equal(options->root_name, options->issuing_name))
		return problem_set(p, PROBLEM_MALFORMED, "root and issuing CA need different names");
	return true;
}

bool ca_create(const struct ca_create_options *options, struct bytes passphrase, struct problem *p)
{
	auto_value(authority) root = { 0 };

	if (ca_exists(options->folder))
		return problem_set(p, PROBLEM_CONFLICT, "%s: there is a CA already", options->folder);
	if (!options_check(options, p))
		return false;
	return folder_prepare(options->folder, true, p) &&
	       root_complete(options, passphrase, &root, p) && issuing_make(options, passphrase, &root, p);
}
