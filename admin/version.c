#include <openssl/crypto.h>

#include "admin/listing.h"

static bool run(struct command_call *call, struct problem *p)
{
	auto_value(buf) text = {0};
	if (!call->json) {
		fprintf(call->out, "enrolld %s\n", ENROLLD_VERSION);
		return true;
	}
	struct json_writer w = json_writer(&text);
	json_open(&w, NULL);
	json_put(&w, "version", ENROLLD_VERSION);
	json_put(&w, "openssl", OpenSSL_version(OPENSSL_VERSION_STRING));
	json_close(&w);
	return listing_print_object(call, &text, p);
}

const struct command admin_version_command = {
	.name = "version", .args = "", .json = true, .run = run, .summary = "print the version",
};
