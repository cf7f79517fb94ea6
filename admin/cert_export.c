/* cert export: certificate and chain, with the private key where that is asked for, as PEM, DER (the certificate
 * alone) or PKCS #12. */
#include <stdio.h>
#include <unistd.h>

#include "admin/certificate.h"
#include "admin/input.h"
#include "admin/kept_key.h"
#include "base/file.h"
#include "ca/files.h"
#include "ca/pkcs12.h"
#include "ca/vault.h"

enum { PASSWORD_MAX_ = 128 }; /* as over the API */

static const struct command_option options[] = {
	{ "--format", "pem|der|pkcs12", "without: pem; der is the certificate alone" },
	{ "--private-key", NULL, "with the private key, where the server keeps it; PKCS #12 has it always" },
	{ "--password-file", "FILE", "the password of the key: the file's first line" },
	{ "--password-env", "NAME", "the password: this variable of the environment" },
	{ "--alias", "TEXT", "of PKCS #12, friendlyName; without: the common name, or the first name" },
	{ "--legacy", NULL, "of PKCS #12, for old importers: Triple DES and SHA-1, which are weak" },
	{ "--out", "FILE", "write it there; without: to standard output" },
	{ 0 },
};

struct exporting {
	const struct command_call *call;
	bool pkcs12, der, with_key;
	struct store *store;
	struct certificate row;
	EVP_PKEY *key;
	struct buf password, chain, out;
};

static void exporting_free(struct exporting *e)
{
	store_close(e->store);
	certificate_free(&e->row);
	EVP_PKEY_free(e->key);
	buf_free(&e->password);
	buf_free(&e->chain);
	buf_free(&e->out);
}
declare_auto_value(exporting, exporting_free);

/* --- what is asked */

static bool take_options(struct exporting *e, struct problem *p)
{
	const char *format = command_value(e->call, "--format") ?: "pem";

	e->pkcs12 = str_equal(format, "pkcs12") || str_equal(format, "p12");
	e->der = str_equal(format, "der");
	e->with_key = command_value(e->call, "--private-key");
	if (!e->pkcs12 && !e->der && !str_equal(format, "pem"))
		return problem_set(p, PROBLEM_MALFORMED, "--format: expected pem, der or pkcs12, got `%s`", format);
	if (e->der && e->with_key)
		return problem_set(p, PROBLEM_MALFORMED,
		                   "--private-key: DER is the certificate alone; pem and pkcs12 have room for the "
		                   "key");
	if (e->pkcs12 && !e->with_key)
		return problem_set(p, PROBLEM_MALFORMED,
		                   "--private-key: PKCS #12 has the private key in it, which is only exported when "
		                   "it is asked for");
	if (!e->pkcs12 && (command_value(e->call, "--alias") || command_value(e->call, "--legacy")))
		return problem_set(p, PROBLEM_MALFORMED, "--alias and --legacy are of PKCS #12");
	if ((e->pkcs12 || e->der) && !command_value(e->call, "--out") && isatty(fileno(e->call->out)))
		return problem_set(p, PROBLEM_MALFORMED, "--out: %s is nothing for a terminal",
		                   e->der ? "DER" : "PKCS #12");
	return true;
}

/* PEM has one where it is named; it is not asked for then. */
static bool read_password(struct exporting *e, struct problem *p)
{
	const struct input_secret source = {
		.file = command_value(e->call, "--password-file"),
		.environment = command_value(e->call, "--password-env"),
		.prompt = "Password of the file: ",
		.twice = true,
		.max = PASSWORD_MAX_,
	};
	bool named = source.file || source.environment;

	if (!e->with_key && named)
		return problem_set(p, PROBLEM_MALFORMED, "a password is for the private key: --private-key is missing");
	if (source.file && source.environment)
		return problem_set(p, PROBLEM_MALFORMED, "--password-env: there is a --password-file already");
	return !e->with_key || (!e->pkcs12 && !named) || input_secret(&source, &e->password, p);
}

/* --- what is there */

static bool find(struct store_txn *txn, void *arg, struct problem *p)
{
	struct exporting *e = arg;

	return certificate_find(txn, e->call->args[0], &e->row, p);
}

static const char *how(const struct exporting *e)
{
	return !e->pkcs12 ? "pem" : command_value(e->call, "--legacy") ? "pkcs12-legacy" : "pkcs12";
}

/* What a server sends: those above it, without the root. */
static bool read_chain(struct exporting *e, struct problem *p)
{
	const char *folder = e->call->admin->ca.folder, *issuer = e->row.issuer ?: "";
	auto(ossl_x509_stack) *above = NULL;
	auto(X509) *certificate = NULL;

	if (!*issuer || !files_has(folder, issuer, ".pem"))
		return true; /* of another CA */
	if (!files_certificate(folder, issuer, &certificate, p) || !files_chain(folder, issuer, &above, p))
		return false;
	if (X509_self_signed(certificate, 1) == 1)
		return true;
	for (int i = -1; i < sk_X509_num(above) - 1; i++) {
		auto_value(buf) der = {0};
		if (!ossl_der(i2d_X509, i < 0 ? certificate : sk_X509_value(above, i), &der))
			return problem_memory(p);
		ossl_pem("CERTIFICATE", buf_bytes(&der), &e->chain);
	}
	return buf_check(&e->chain, p);
}

static bool read_all(struct exporting *e, struct problem *p)
{
	const struct admin *admin = e->call->admin;

	return admin_open_store(admin, &e->store, p) &&
	       (e->with_key ? kept_key_read(admin, e->store, e->call->args[0], how(e), &e->row, &e->key, p)
	                    : store_view(e->store, find, e, p)) &&
	       read_chain(e, p);
}

/* --- the file */

static bool make_pem(struct exporting *e, struct problem *p)
{
	if (e->key && !vault_pem(e->key, e->password.len > 0 ? buf_text(&e->password) : NULL, &e->out, p))
		return false;
	ossl_pem("CERTIFICATE", e->row.der, &e->out);
	buf_add(&e->out, e->chain.data, e->chain.len);
	return buf_check(&e->out, p);
}

static bool make_der(struct exporting *e, struct problem *p)
{
	buf_add(&e->out, e->row.der.data, e->row.der.len);
	return buf_check(&e->out, p);
}

static bool make_pkcs12(struct exporting *e, struct problem *p)
{
	const struct pkcs12_parts parts = {
		.key = e->key,
		.certificate = e->row.der,
		.chain = buf_bytes(&e->chain),
		.password = buf_text(&e->password),
		.alias = command_value(e->call, "--alias") ?: certificate_alias(&e->row),
		.legacy = command_value(e->call, "--legacy"),
	};

	return pkcs12_make(&parts, &e->out, p) && buf_check(&e->out, p);
}

static bool write_out(const struct exporting *e, struct problem *p)
{
	const char *path = command_value(e->call, "--out");

	if (path) {
		if (!file_export(path, buf_bytes(&e->out), e->key ? 0600 : 0644, p))
			return false;
		fprintf(e->call->out, "wrote %s\n", path);
	} else {
		fwrite(e->out.data, 1, e->out.len, e->call->out);
	}
	return fflush(e->call->out) == 0 || problem_internal(p, "writing: %m");
}

static bool run(struct command_call *call, struct problem *p)
{
	auto_value(exporting) e = { .call = call };

	return take_options(&e, p) && read_password(&e, p) && read_all(&e, p) &&
	       (e.pkcs12 ? make_pkcs12 : e.der ? make_der : make_pem)(&e, p) && write_out(&e, p);
}

const struct command admin_cert_export = {
	.name = "cert export",
	.args = "ID|SERIAL|FINGERPRINT",
	.args_min = 1,
	.args_max = 1,
	.admin = true,
	.options = options,
	.run = run,
	.summary = "write a certificate and its chain, and with --private-key its key, as PEM, DER or PKCS #12",
	.details = "The chain is what a server sends, without the root. The password of PKCS #12 is asked for "
	           "where no option names it;\n"
		   "a PEM key is encrypted (PKCS #8, PBES2) where one does. That a key was exported is in the "
	           "audit log.",
};
