#include "ca/ca.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/err.h>

#include "base/clock.h"
#include "base/random.h"
#include "ca/chain.h"
#include "ca/spki.h"

/* CA certificates are signed here, with keys fresh from their files and through the
 * X509 calls: never through ca/signer.h, which signs what was approved. */

/* Clocks lag, and a certificate that is itself backdated still lies within its issuer's life. */
enum { BACKDATE = 24 * 3600, SERIAL_SIZE = 16 };
static const int64_t time_max = 253402300799; /* 9999-12-31T23:59:59Z */

struct holder {
	const char *organization, *common_name;
	int64_t not_before, not_after;
	long path_length; /* -1: no limit */
	EVP_PKEY *key;
};
struct authority {
	X509 *certificate;
	EVP_PKEY *key;
};

static void authority_free(struct authority *authority)
{
	X509_free(authority->certificate);
	EVP_PKEY_free(authority->key);
}
declare_auto_value(authority, authority_free);

bool ca_exists(const char *folder)
{
	auto_free char *path = mem_printf("%s/issuing.pem", folder);

	return path && access(path, F_OK) == 0;
}

static bool name_add(X509_NAME *name, int nid, const char *value, struct problem *p)
{
	for (const char *at = value; *at; at++)
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			return problem_set(p, PROBLEM_MALFORMED, "a CA's %s has no control characters", OBJ_nid2ln(nid));
	if (X509_NAME_add_entry_by_NID(name, nid, MBSTRING_UTF8, (const unsigned char *)value, -1, -1, 0) == 1)
		return true;
	ERR_clear_error();
	return problem_set(p, PROBLEM_MALFORMED, "RFC 5280, A.1: a CA's %s is 1 to 64 characters of UTF-8",
	                   OBJ_nid2ln(nid));
}

static bool set_subject(X509 *certificate, const struct holder *subject, struct problem *p)
{
	X509_NAME *name = X509_get_subject_name(certificate);

	return (!subject->organization || name_add(name, NID_organizationName, subject->organization, p)) &&
	       name_add(name, NID_commonName, subject->common_name, p);
}

static bool set_serial(X509 *certificate, struct problem *p)
{
	uint8_t serial[SERIAL_SIZE];

	if (!random_bytes(serial, sizeof(serial), p))
		return false;
	serial[0] |= 0x40; /* never zero */
	auto(BIGNUM) *number = BN_bin2bn(serial, sizeof(serial), NULL);
	return number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) ? true : problem_memory(p);
}

static bool set_fields(X509 *certificate, const struct holder *subject, struct problem *p)
{
	time_t not_before = subject->not_before, not_after = subject->not_after;

	if (X509_set_version(certificate, X509_VERSION_3) != 1 || X509_set_pubkey(certificate, subject->key) != 1 ||
	    !ASN1_TIME_set(X509_getm_notBefore(certificate), not_before) ||
	    !ASN1_TIME_set(X509_getm_notAfter(certificate), not_after))
		return problem_openssl(p, "building a CA certificate");
	return set_serial(certificate, p) && set_subject(certificate, subject, p);
}

static bool add_basic_constraints(X509 *certificate, long path_length)
{
	auto(BASIC_CONSTRAINTS) *constraints = BASIC_CONSTRAINTS_new();

	if (!constraints)
		return false;
	constraints->ca = 0xff;
	if (path_length >= 0 && (!(constraints->pathlen = ASN1_INTEGER_new()) ||
	                         ASN1_INTEGER_set(constraints->pathlen, path_length) != 1))
		return false;
	return X509_add1_ext_i2d(certificate, NID_basic_constraints, constraints, 1, X509V3_ADD_DEFAULT) == 1;
}

/* RFC 5280, 4.2.1.3: keyCertSign is bit 5, cRLSign bit 6. */
static bool add_key_usage(X509 *certificate)
{
	auto(ASN1_BIT_STRING) *usage = ASN1_BIT_STRING_new();

	return usage && ASN1_BIT_STRING_set_bit(usage, 5, 1) == 1 && ASN1_BIT_STRING_set_bit(usage, 6, 1) == 1 &&
	       X509_add1_ext_i2d(certificate, NID_key_usage, usage, 1, X509V3_ADD_DEFAULT) == 1;
}

static bool add_subject_key_id(X509 *certificate)
{
	const ASN1_BIT_STRING *bits = X509_get0_pubkey_bitstr(certificate);
	auto(ASN1_OCTET_STRING) *id = ASN1_OCTET_STRING_new();
	uint8_t identifier[KEY_IDENTIFIER_SIZE];

	spki_key_identifier(BYTES(ASN1_STRING_get0_data(bits), (size_t)ASN1_STRING_length(bits)), identifier);
	return id && ASN1_OCTET_STRING_set(id, identifier, sizeof(identifier)) == 1 &&
	       X509_add1_ext_i2d(certificate, NID_subject_key_identifier, id, 0, X509V3_ADD_DEFAULT) == 1;
}

/* RFC 5280, 4.2.1.1: a self-signed certificate may be without; linters want it there too. The
 * extension is decoded here, because X509's own cache would keep what it found before signing. */
static bool add_authority_key_id(X509 *certificate, X509 *issuer)
{
	auto(AUTHORITY_KEYID) *id = AUTHORITY_KEYID_new();

	return id && (id->keyid = X509_get_ext_d2i(issuer, NID_subject_key_identifier, NULL, NULL)) != NULL &&
	       X509_add1_ext_i2d(certificate, NID_authority_key_identifier, id, 0, X509V3_ADD_DEFAULT) == 1;
}

static const EVP_MD *signature_hash(EVP_PKEY *key)
{
	return EVP_PKEY_is_a(key, "EC") && EVP_PKEY_get_bits(key) == 384 ? EVP_sha384() : EVP_sha256();
}

/* issuer NULL: signed by the key itself. */
static bool certificate_make(const struct holder *subject, const struct authority *issuer, X509 **ret,
                             struct problem *p)
{
	auto(X509) *certificate = X509_new();

	if (!certificate)
		return problem_memory(p);
	if (!set_fields(certificate, subject, p))
		return false;
	X509 *above = issuer ? issuer->certificate : certificate;
	EVP_PKEY *key = issuer ? issuer->key : subject->key;
	if (X509_set_issuer_name(certificate, X509_get_subject_name(above)) != 1 ||
	    !add_basic_constraints(certificate, subject->path_length) || !add_key_usage(certificate) ||
	    !add_subject_key_id(certificate) || !add_authority_key_id(certificate, above) ||
	    X509_sign(certificate, key, signature_hash(key)) <= 0)
		return problem_openssl(p, "signing a CA certificate");
	*ret = steal(certificate);
	return true;
}

static bool certificate_write(const char *folder, const char *name, X509 *certificate, struct problem *p)
{
	auto_free char *path = mem_printf("%s/%s", folder, name);
	auto_value(buf) der = { 0 };
	auto_value(buf) pem = { 0 };

	if (!path || !ossl_der(i2d_X509, certificate, &der))
		return problem_memory(p);
	ossl_pem("CERTIFICATE", buf_bytes(&der), &pem);
	return buf_check(&pem, p) && file_write(path, buf_bytes(&pem), 0644, p);
}

/* The key of the file, made when there is none. */
static bool key_complete(const struct ca_create_options *options, const char *name, enum keyfile_kind kind,
                         struct bytes passphrase, EVP_PKEY **ret, struct problem *p)
{
	auto_free char *path = mem_printf("%s/%s", options->folder, name);
	auto(EVP_PKEY) *key = NULL;

	if (!path)
		return problem_memory(p);
	if (access(path, F_OK) == 0)
		return keyfile_read(path, passphrase, ret, p);
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
	if (sk_X509_num(file) != 1 || X509_check_private_key(sk_X509_value(file, 0), key) != 1) {
		ERR_clear_error();
		return problem_set(p, PROBLEM_MALFORMED, "%s: not one certificate, of the key root.key", path);
	}
	*ret = sk_X509_shift(file);
	return true;
}

static bool root_complete(const struct ca_create_options *options, struct bytes passphrase, struct authority *ret,
                          struct problem *p)
{
	int64_t now = clock_now();
	auto_value(authority) root = { 0 };
	auto_free char *path = mem_printf("%s/root.pem", options->folder);

	if (!path)
		return problem_memory(p);
	if (!key_complete(options, "root.key", options->root_key, passphrase, &root.key, p))
		return false;
	struct holder subject = { options->organization, options->root_name, now - BACKDATE,
		                   now + options->root_lifetime, -1, root.key };
	bool there = access(path, F_OK) == 0;
	if (there ? !root_read(path, root.key, &root.certificate, p)
	          : !certificate_make(&subject, NULL, &root.certificate, p) ||
	              !certificate_write(options->folder, "root.pem", root.certificate, p))
		return false;
	*ret = root;
	root = (struct authority){ 0 };
	return true;
}

/* Its life ends with the root's at the latest. */
static bool issuing_make(const struct ca_create_options *options, struct bytes passphrase, const struct authority *root,
                         struct problem *p)
{
	int64_t now = clock_now();
	auto(EVP_PKEY) *key = NULL;
	auto(X509) *certificate = NULL;
	struct tm end;

	if (!key_complete(options, "issuing.key", options->issuing_key, passphrase, &key, p))
		return false;
	struct holder subject = { options->organization, options->issuing_name, now - BACKDATE,
		                   now + options->issuing_lifetime, 0, key };
	if (ASN1_TIME_to_tm(X509_get0_notAfter(root->certificate), &end) == 1 && timegm(&end) < subject.not_after)
		subject.not_after = timegm(&end);
	return certificate_make(&subject, root, &certificate, p) &&
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
	if (mkdir(options->folder, 0700) != 0 && errno != EEXIST)
		return problem_internal(p, "%s: %m", options->folder);
	return root_complete(options, passphrase, &root, p) && issuing_make(options, passphrase, &root, p);
}
