/* cert import: a certificate of another CA becomes known. */
#include "admin/input.h"
#include "admin/issued.h"
#include "admin/listing.h"

enum { FILE_MAX = 64 * 1024 };

static const struct command_option options[] = {
	{ "--profile", "NAME", "a profile that it is counted among" },
	{ "--key", "FILE|-", "its private key, PEM or DER (PKCS #8), not encrypted; the server keeps it sealed" },
	{ "--metadata", "KEY=VALUE[,KEY=VALUE...]", "words that are kept beside it" },
	{ 0 },
};

static bool put_file(const char *member, const char *label, const char *path, struct json_writer *w, struct problem *p)
{
	auto_value(buf) text = {0};

	if (!path)
		return true;
	if (!input_read_pem(path, label, FILE_MAX, &text, p))
		return false;
	json_put_buf(w, member, &text);
	return true;
}

static bool put_body(const struct command_call *call, struct buf *ret, struct problem *p)
{
	struct json_writer w = json_writer(ret);

	json_open(&w, NULL);
	json_put(&w, "profileId", command_value(call, "--profile"));
	if (!put_file("certificate", "CERTIFICATE", call->args[0], &w, p) ||
	    !put_file("privateKey", "PRIVATE KEY", command_value(call, "--key"), &w, p) ||
	    !issued_metadata(call, &w, p))
		return false;
	json_close(&w);
	return buf_check(ret, p);
}

static bool run(struct command_call *call, struct problem *p)
{
	auto_value(local) local = {0};
	auto_value(http_response) reply = {0};
	auto_value(buf) body = {0};
	auto_struct(json) *row = NULL;

	if (!put_body(call, &body, p) || !local_open(call, false, &local, p) ||
	    !local_ask(&local, "importCertificate", NULL, &body, &reply, p))
		return false;
	if (call->json)
		return listing_print_object(call, &reply.body, p);
	if (!json_parse(buf_bytes(&reply.body), &row, p))
		return false;
	fprintf(call->out, "imported %s\n", json_member_string(row, "id"));
	return true;
}

const struct command admin_cert_import = {
	.name = "cert import",
	.args = "FILE|-",
	.args_min = 1,
	.args_max = 1,
	.json = true,
	.admin = true,
	.options = options,
	.run = run,
	.summary = "make a certificate of another CA known",
	.details = "PEM or DER. It is found, watched and told of when it expires, as those that are issued here; "
	           "it is neither renewed nor\n"
		   "revoked here.",
};
