/* Credentials of EST: est-credential create, list, revoke. Import: admin/enrollment_import.c. */
#include "admin/credential.h"

#include <stdio.h>

#include "admin/actor.h"
#include "admin/input.h"
#include "admin/listing.h"
#include "admin/option.h"
#include "base/clock.h"
#include "policy/password.h"

enum { CODE_LIFE = 7 * 86400 };

/* --- est-credential create */

static const struct command_option create_options[] = {
	{ "--kind", "code|password|secret|device|wrapping-key", "what it is, see below; without: code" },
	{ "--profile", "NAME",
	  "the profile it counts in; without: the first one of the configuration, a device's: any" },
	{ "--name", "PATTERN[,PATTERN...]",
	  "names that may be asked for, as dns:device-17.example.com; without: what the profile allows" },
	{ "--user", "NAME", "the user name of a password or secret" },
	{ "--password-file", "FILE", "the password, one line; without: the first line of standard input" },
	{ "--digest", "sha-256[,md5]", "HTTP Digest may be used too: what it needs is kept, sealed" },
	{ "--device", "SERIAL", "serial number of the device that it is for, which its names are then bound to" },
	{ "--certificate", "HEX", "serial number of the manufacturer's certificate of a device" },
	{ "--uses", "N|any", "how many certificates it gives; without: a code 1, all others any" },
	{ "--expires", "DURATION|TIME|never",
	  "how long it counts, as 30d or until an RFC 3339 time; without: a code 7d" },
	{ "--note", "TEXT", "for whom it is" },
	{ 0 },
};

static bool parse_kind(const char *text, enum enrollment_kind *ret, struct problem *p)
{
	return !text || credential_kind_from(text, ret) ||
	       problem_set(p, PROBLEM_MALFORMED,
	                   "--kind: expected code, password, secret, device or wrapping-key, got `%s`", text);
}

static bool parse_uses(const char *text, struct credential_wish *wish, struct problem *p)
{
	wish->uses_max = !text && wish->kind == ENROLLMENT_CODE ? 1 : 0;
	return (text && str_equal(text, "any")) || option_number("--uses", text, 1, &wish->uses_max, p);
}

static bool parse_life(const char *text, int64_t now, struct credential_wish *wish, struct problem *p)
{
	wish->expires = wish->kind == ENROLLMENT_CODE ? now + CODE_LIFE : 0;
	if (text && str_equal(text, "never")) {
		wish->expires = 0;
		return true;
	}
	return option_expires(text, now, &wish->expires, p);
}

static bool parse_profile(const struct admin *admin, const char *text, struct credential_wish *wish,
                          struct strings *ret, struct problem *p)
{
	if (!text && wish->kind == ENROLLMENT_DEVICE)
		return true;
	if (!option_profiles(admin, text ?: admin->profiles->v[0], ret, p))
		return false;
	wish->profile = ret->v[0];
	return ret->n == 1 || problem_set(p, PROBLEM_MALFORMED, "--profile: expected one profile, got `%s`", text);
}

static bool parse_digest(const char *text, struct credential_wish *wish, struct problem *p)
{
	auto_value(strings) list = {0};
	if (!option_list(text, &list, p))
		return false;
	wish->digest_sha256 = strings_has(&list, "sha-256");
	wish->digest_md5 = strings_has(&list, "md5");
	return list.n == (size_t)wish->digest_sha256 + wish->digest_md5 ||
	       problem_set(p, PROBLEM_MALFORMED, "--digest: expected `sha-256`, `md5` or `sha-256,md5`, got `%s`",
	                   text);
}

static bool read_password(const struct command_call *call, struct buf *ret, struct problem *p)
{
	const struct input_secret source = {
		.file = command_value(call, "--password-file"),
		.prompt = "Password: ",
		.twice = true,
		.max = PASSWORD_MAX,
	};
	return input_secret(&source, ret, p);
}

static bool print_made(const struct command_call *call, const struct enrollment *made, const char *secret,
                       struct problem *p)
{
	auto_value(buf) json = {0};
	if (call->json) {
		credential_json(made, secret, clock_now(), &json);
		return listing_print_object(call, &json, p);
	}
	fprintf(call->out, "id    %s\n", made->id);
	if (*secret)
		fprintf(call->out, "%-4s  %s\n", credential_secret_name(made->kind), secret);
	return true;
}

static bool make(const struct command_call *call, const struct credential_wish *wish, int64_t now, struct problem *p)
{
	auto_struct(store) *store = NULL;
	auto_value(enrollment) made = {0};
	char secret[CREDENTIAL_SECRET_SIZE], name[ADMIN_ACTOR_SIZE];
	admin_actor(name);
	const struct actor actor = { name, NULL, now };
	bool ok = admin_open_store(call->admin, &store, p) && credential_make(store, wish, &actor, &made, secret, p) &&
	          print_made(call, &made, secret, p);
	mem_wipe(secret, sizeof secret);
	return ok;
}

static bool create_run(struct command_call *call, struct problem *p)
{
	auto_value(strings) profile = {0}, names = {0};
	auto_value(buf) password = {0};
	int64_t now = clock_now();
	struct credential_wish wish = {
		.names = &names, .note = command_value(call, "--note"), .user = command_value(call, "--user"),
		.device = command_value(call, "--device"), .certificate = command_value(call, "--certificate"),
	};
	if (!parse_kind(command_value(call, "--kind"), &wish.kind, p) ||
	    !parse_profile(call->admin, command_value(call, "--profile"), &wish, &profile, p) ||
	    !option_names(command_value(call, "--name"), &names, p) ||
	    !parse_uses(command_value(call, "--uses"), &wish, p) ||
	    !parse_life(command_value(call, "--expires"), now, &wish, p) ||
	    !parse_digest(command_value(call, "--digest"), &wish, p))
		return false;
	if ((wish.kind == ENROLLMENT_PASSWORD || command_value(call, "--password-file")) &&
	    !read_password(call, &password, p))
		return false;
	wish.password = password.data ? buf_text(&password) : NULL;
	return make(call, &wish, now, p);
}

const struct command admin_est_credential_create = {
	.name = "est-credential create", .args = "", .json = true, .admin = true, .options = create_options,
	.run = create_run,
	.summary = "make a credential with which devices enroll over EST",
	.details =
		"Prints a code or secret, which is not shown again: the store keeps its hash alone.\n"
		"A code is sent as the password of HTTP Basic, with any user's name. A password or secret goes "
		"with\n"
		"its --user; the one is a person's own, the other is made here, for a machine. A device puts one "
		"on\n"
		"the list of those whose manufacturers' certificates are taken: by --device, --certificate or "
		"both.\n"
		"A wrapping-key lets nobody in: keys that serverkeygen makes are encrypted with it for a device "
		"that\n"
		"names its id as DecryptKeyIdentifier. It is kept, sealed.",
};

/* --- est-credential list */

static bool list_page(struct store_txn *txn, void *arg, const char *after, size_t limit, struct store_page *ret,
                      struct problem *p)
{
	(void)arg;
	return store_enrollment_list(txn, after, limit, ret, p);
}

static void add_enrollment(const struct enrollment *enrollment, struct buf *ret)
{
	char expires[CLOCK_RFC3339_SIZE] = "never", limit[24] = "";
	if (enrollment->expires)
		clock_format(enrollment->expires, expires);
	if (enrollment->uses_max)
		snprintf(limit, sizeof limit, "/%lld", (long long)enrollment->uses_max);
	buf_printf(ret, "%-22s  %-12s  %-7s  %-20s  %lld%-5s  %s  ", enrollment->id,
	           enrollment_kind_name(enrollment->kind), credential_status(enrollment, clock_now()), expires,
	           (long long)enrollment->uses, limit, enrollment->profile ?: "(any)");
	for (size_t i = 0; i < enrollment->names.n; i++)
		buf_printf(ret, "%s%s", i ? "," : "", enrollment->names.v[i]);
	const char *who = enrollment->user ?: enrollment->device ?: enrollment->certificate;
	buf_printf(ret, "%s%s%s%s%s", enrollment->names.n ? "" : "(any)", who ? "  " : "", who ?: "",
	           enrollment->note ? "  " : "", enrollment->note ?: "");
}

static bool list_row(struct store_txn *txn, void *arg, const char *id, bool json, struct buf *ret, struct problem *p)
{
	auto_value(enrollment) enrollment = {0};
	(void)arg;
	if (!store_enrollment_get(txn, id, &enrollment, p))
		return false;
	if (json)
		credential_json(&enrollment, NULL, clock_now(), ret);
	else
		add_enrollment(&enrollment, ret);
	return true;
}

/* One that is named is a page of its own. */
static bool list_one(struct store_txn *txn, void *arg, const char *after, size_t limit, struct store_page *ret,
                     struct problem *p)
{
	auto_value(enrollment) enrollment = {0};
	(void)after, (void)limit;
	return credential_find(txn, arg, &enrollment, p) &&
	       (strings_add(&ret->ids, enrollment.id) || problem_memory(p));
}

static bool list_run(struct command_call *call, struct problem *p)
{
	auto_struct(store) *store = NULL;
	auto_free char *name = call->args[0] ? strdup(call->args[0]) : NULL;
	const struct listing listing = {
		.call = call,
		.page = name ? list_one : list_page,
		.arg = name,
		.row = list_row,
		.heading = "ID                      KIND      STATUS   EXPIRES               USES    PROFILE  NAMES "
		           " USER OR DEVICE  NOTE",
	};
	if (call->args[0] && !name)
		return problem_memory(p);
	return admin_open_store(call->admin, &store, p) && listing_print(store, &listing, p);
}

const struct command admin_est_credential_list = {
	.name = "est-credential list", .args = "[CREDENTIAL]", .args_max = 1, .json = true, .admin = true,
	.run = list_run,
	.summary = "list the credentials for EST, or one of them",
	.details = "CREDENTIAL is an id, or device:SERIAL, certificate:HEX or user:NAME.",
};

/* --- est-credential revoke */

static bool revoke_run(struct command_call *call, struct problem *p)
{
	auto_struct(store) *store = NULL;
	auto_value(enrollment) enrollment = {0};
	auto_value(buf) text = {0};
	char name[ADMIN_ACTOR_SIZE];
	admin_actor(name);
	const struct actor actor = { name, NULL, clock_now() };
	if (!admin_open_store(call->admin, &store, p) ||
	    !credential_revoke(store, call->args[0], &actor, &enrollment, p))
		return false;
	if (call->json) {
		credential_json(&enrollment, NULL, actor.now, &text);
		return listing_print_object(call, &text, p);
	}
	fprintf(call->out, "revoked %s\n", enrollment.id);
	return true;
}

const struct command admin_est_credential_revoke = {
	.name = "est-credential revoke",
	.args = "CREDENTIAL",
	.args_min = 1,
	.args_max = 1,
	.json = true,
	.admin = true,
	.run = revoke_run,
	.summary = "revoke a credential for EST",
	.details = "CREDENTIAL is an id, or device:SERIAL, certificate:HEX or user:NAME.\n"
	           "Counts from the next request on. What it gave stays valid. A device that is revoked is refused "
	           "even where\n"
	           "no list is asked for.",
};
