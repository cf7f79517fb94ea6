/* cert delete, key forget: what the API does with a token, for who runs the server's commands. */
#include "admin/local.h"

static bool ask(const struct command_call *call, const char *route, const char *done, struct problem *p)
{
	auto_value(local) local = {0};
	auto_value(http_response) reply = {0};
	auto_value(buf) body = {0};

	if (!local_open(call, false, &local, p) || !local_ask(&local, route, call->args[0], &body, &reply, p))
		return false;
	fprintf(call->out, "%s %s\n", done, call->args[0]);
	return true;
}

static bool delete_run(struct command_call *call, struct problem *p)
{
	return ask(call, "deleteCertificate", "deleted", p);
}

static bool forget_run(struct command_call *call, struct problem *p)
{
	return ask(call, "deletePrivateKey", "forgot the private key of", p);
}

const struct command admin_cert_delete = {
	.name = "cert delete", .args = "ID|SERIAL|FINGERPRINT", .args_min = 1, .args_max = 1, .admin = true,
	.run = delete_run,
	.summary = "delete an imported certificate from the inventory",
	.details = "What was issued here stays, for CRL and OCSP: `cert revoke` ends it.",
};
const struct command admin_key_forget = {
	.name = "key forget", .args = "ID|SERIAL|FINGERPRINT", .args_min = 1, .args_max = 1, .admin = true,
	.run = forget_run,
	.summary = "forget the private key of a certificate, where the server keeps it",
	.details = "There is no way back. The certificate stays valid, and is not renewed by the server any more.",
};
