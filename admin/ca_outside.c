/* ca import, ca csr, ca install: CAs that another CA has signed. */
#include "admin/actor.h"
#include "admin/ca_work.h"
#include "admin/listing.h"
#include "base/clock.h"
#include "base/file.h"
#include "ca/import.h"
#include "ca/pkcs11.h"

/* --- ca import */

static const struct command_option import_options[] = {
	{ "--certificate", "FILE", "PEM; its chain may follow in the same file" },
	{ "--key", "FILE", "PEM, encrypted or not" },
	{ "--key-uri", "URI", "in place of --key: the key is in a token: pkcs11:token=...;object=..." },
	{ "--chain", "FILE", "PEM: the certificates above it, up to the root" },
	{ "--pkcs12", "FILE", "certificate, key and chain in one file" },
	{ "--passphrase-file", "FILE", "holds the passphrase of the key or of the PKCS#12 file" },
	{ "--replaces", "NAME", "the CA whose place it takes" },
	{ 0 },
};

static bool import_run(struct command_call *call, struct problem *p)
{
	auto_value(ca_work) work = {0};
	auto_value(buf) passphrase = {0};
	auto_value(import) import = {0};
	const struct secret_source source = { .file = command_value(call, "--passphrase-file") };
	const char *uri = command_value(call, "--key-uri");
	struct import_files files = {
		.certificate = command_value(call, "--certificate"), .chain = command_value(call, "--chain"),
		.key = command_value(call, "--key"), .pkcs12 = command_value(call, "--pkcs12"),
	};

	if (source.file && !secret_read(&source, NULL, &passphrase, p))
		return false;
	files.passphrase = buf_bytes(&passphrase);
	if (!files.key + !files.pkcs12 + !uri != 2)
		return problem_set(p, PROBLEM_MALFORMED,
		                   "one of --key, --key-uri and --pkcs12: the private key of the CA is wanted");
	if (!import_read(&files, &import, p) || (uri && !pkcs11_key(uri, &import.key, p)) ||
	    !ca_work_open(call, true, &work, p))
		return false;
	const struct life_arrival arrival = {
		.certificate = import.certificate, .key = import.key, .key_uri = uri, .chain = import.chain,
		.replaces = command_value(call, "--replaces"),
	};
	return life_install(&work.life, call->args[0], &arrival, &work.change, p) &&
	       ca_work_commit(call, &work, "imported", p);
}

const struct command admin_ca_import = {
	.name = "ca import",
	.args = "NAME",
	.args_min = 1,
	.args_max = 1,
	.json = true,
	.admin = true,
	.options = import_options,
	.run = import_run,
	.summary = "take over an existing CA with its key",
	.details = "Judged as a whole before anything is written. The key is kept under the passphrase of the CA's "
	           "folder.\n"
	           "A root is imported as `root`, before `enrolld init` makes an issuing CA below it. NAME goes "
	           "into\n"
	           "`ca.issuers` of the configuration.",
};

/* --- ca csr */

static const struct command_option csr_options[] = {
	CA_OPTION_NAME,
	{ "--organization", "TEXT", "its O" },
	CA_OPTION_KEY, CA_OPTION_KEY_URI, CA_OPTION_PATH_LENGTH, CA_OPTION_PERMIT, CA_OPTION_EXCLUDE,
	{ "--out", "FILE", "where the request is written; without: to standard output" },
	{ 0 },
};

struct asking {
	const char *name;
	int64_t now;
};

static bool tell_requested(struct store_txn *txn, void *arg, struct problem *p)
{
	const struct asking *asking = arg;
	const struct audit_fact facts[] = { audit_text("ca", asking->name), { 0 } };

	return admin_tell(txn, AUDIT_CA_REQUESTED, asking->now, facts, p);
}

static bool give_out(const struct command_call *call, const struct buf *pem, struct problem *p)
{
	const char *out = command_value(call, "--out");
	auto_value(buf) text = {0};
	struct json_writer w = json_writer(&text);

	if (out && !file_write(out, buf_bytes(pem), 0644, p))
		return false;
	if (!call->json) {
		fprintf(call->out, out ? "wrote %s\n" : "%s", out ?: buf_text(pem));
		return true;
	}
	json_open(&w, NULL);
	json_put(&w, "ca", call->args[0]);
	json_put(&w, "file", out);
	json_put(&w, "request", buf_text(pem));
	json_close(&w);
	return listing_print_object(call, &text, p);
}

static bool csr_run(struct command_call *call, struct problem *p)
{
	auto_value(ca_work) work = {0};
	auto_value(buf) pem = {0};
	struct asking asking = { call->args[0], clock_now() };

	return ca_work_open(call, true, &work, p) && ca_work_terms(call, &work, p) &&
	       life_request(&work.life, call->args[0], &work.terms, &pem, &work.change, p) &&
	       store_update(work.store, tell_requested, &asking, p) &&
	       change_apply(work.life.folder, &work.change, p) && give_out(call, &pem, p);
}

const struct command admin_ca_csr = {
	.name = "ca csr",
	.args = "NAME",
	.args_min = 1,
	.args_max = 1,
	.json = true,
	.admin = true,
	.options = csr_options,
	.run = csr_run,
	.summary = "make a request for another CA to sign",
	.details = "Of a CA that is here: with its key and its name, to renew it. Of a new name: with a new key, "
	           "which is\n"
	           "kept. What comes back is for `enrolld ca install`.",
};

/* --- ca install */

static const struct command_option install_options[] = {
	{ "--chain", "FILE", "PEM: the certificates above it, up to the root" },
	{ "--replaces", "NAME", "the CA whose place it takes" },
	{ 0 },
};

static bool install_run(struct command_call *call, struct problem *p)
{
	auto_value(ca_work) work = {0};
	auto_value(import) import = {0};
	const struct import_files files = { .certificate = call->args[1], .chain = command_value(call, "--chain") };

	if (!import_read(&files, &import, p) || !ca_work_open(call, false, &work, p))
		return false;
	const struct life_arrival arrival = {
		.certificate = import.certificate, .chain = import.chain, .replaces = command_value(call, "--replaces"),
	};
	return life_install(&work.life, call->args[0], &arrival, &work.change, p) &&
	       ca_work_commit(call, &work, "installed", p);
}

const struct command admin_ca_install = {
	.name = "ca install",
	.args = "NAME FILE",
	.args_min = 2,
	.args_max = 2,
	.json = true,
	.admin = true,
	.options = install_options,
	.run = install_run,
	.summary = "put in place what another CA signed",
	.details = "FILE is PEM; the chain up to the root stands after the certificate, or in the file of --chain, "
	           "in any\n"
	           "order.",
};
