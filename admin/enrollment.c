/* Enrollment codes, with which devices enroll over EST: est-credential create, list, revoke. */
#include "store/enrollment.h"

#include <errno.h>

#include "admin/actor.h"
#include "admin/listing.h"
#include "admin/option.h"
#include "base/clock.h"
#include "policy/enrollment_code.h"

enum { LIFE = 7 * 86400 };

static const char *status_of(const struct enrollment *enrollment, int64_t now)
{
	if (enrollment->revoked)
		return "revoked";
	if (enrollment->expires && enrollment->expires <= now)
		return "expired";
	return enrollment->uses_max && enrollment->uses >= enrollment->uses_max ? "used up" : "valid";
}

/* code: the code itself, which is shown once, when it is made; NULL. */
static void put_enrollment(const struct enrollment *enrollment, const char *code, struct buf *ret)
{
	struct json_writer w = json_writer(ret);
	json_open(&w, NULL);
	json_put(&w, "id", enrollment->id);
	json_put(&w, "code", code);
	json_put(&w, "status", status_of(enrollment, clock_now()));
	json_put(&w, "profile", enrollment->profile);
	json_open_array(&w, "names");
	for (size_t i = 0; i < enrollment->names.n; i++)
		json_put(&w, NULL, enrollment->names.v[i]);
	json_close(&w);
	json_put(&w, "note", enrollment->note);
	json_put_time(&w, "created", enrollment->created);
	json_put_time(&w, "expires", enrollment->expires);
	json_put_integer(&w, "uses", enrollment->uses);
	if (enrollment->uses_max)
		json_put_integer(&w, "usesMax", enrollment->uses_max);
	json_put_time(&w, "used", enrollment->used);
	json_put_time(&w, "revoked", enrollment->revoked);
	json_close(&w);
}

/* --- est-credential create */

static const struct command_option create_options[] = {
	{ "--profile", "NAME", "the profile it counts in; without: the first one of the configuration" },
	{ "--name", "PATTERN[,PATTERN...]",
	  "names that may be asked for, as dns:device-17.example.com; without: what the profile allows" },
	{ "--uses", "N|any", "how many certificates it gives; without: 1" },
	{ "--expires", "DURATION|TIME|never", "how long it counts, as 30d or until an RFC 3339 time; without: 7d" },
	{ "--note", "TEXT", "for whom it is" },
	{ 0 },
};

static bool parse_uses(const char *text, int64_t *ret, struct problem *p)
{
	char *end = NULL;
	*ret = text && str_equal(text, "any") ? 0 : 1;
	if (!text || *ret == 0)
		return true;
	errno = 0;
	long long value = strtoll(text, &end, 10);
	if (end == text || *end || errno || value < 1)
		return problem_set(p, PROBLEM_MALFORMED, "--uses: expected a number from 1, or any, got `%s`", text);
	*ret = value;
	return true;
}

static bool parse_life(const char *text, int64_t now, int64_t *ret, struct problem *p)
{
	*ret = now + LIFE;
	if (text && str_equal(text, "never")) {
		*ret = 0;
		return true;
	}
	return option_expires(text, now, ret, p);
}

static bool parse_profile(const struct admin *admin, const char *text, struct strings *ret, struct problem *p)
{
	if (!option_profiles(admin, text ?: admin->profiles->v[0], ret, p))
		return false;
	return ret->n == 1 || problem_set(p, PROBLEM_MALFORMED, "--profile: expected one profile, got `%s`", text);
}

/* It is typed where a value must not look like an option. */
static bool make_id(char ret[RANDOM_ID_SIZE], struct problem *p)
{
	do
		if (!random_id(ret, p))
			return false;
	while (ret[0] == '-');
	return true;
}

static bool put(struct store_txn *txn, void *arg, struct problem *p)
{
	const struct enrollment *enrollment = arg;
	const struct audit_fact facts[] = {
		audit_text("enrollment", enrollment->id), audit_text("note", enrollment->note),
		audit_text("profile", enrollment->profile), audit_texts("names", enrollment->names),
		audit_time("expires", enrollment->expires), audit_integer("usesMax", enrollment->uses_max), { 0 },
	};
	return store_enrollment_put(txn, enrollment, p) &&
	       admin_tell(txn, AUDIT_ENROLLMENT_CREATED, enrollment->created, facts, p);
}

static bool print_made(const struct command_call *call, const struct enrollment *enrollment, const char *code,
                       struct problem *p)
{
	auto_value(buf) json = {0};
	if (call->json) {
		put_enrollment(enrollment, code, &json);
		return listing_print_object(call, &json, p);
	}
	fprintf(call->out, "id    %s\ncode  %s\n", enrollment->id, code);
	return true;
}

static bool make(const struct command_call *call, struct enrollment *enrollment, struct problem *p)
{
	auto_struct(store) *store = NULL;
	char code[ENROLLMENT_CODE_SIZE];
	uint8_t hash[SHA256_SIZE];
	if (!admin_open_store(call->admin, &store, p) || !make_id(enrollment->id, p) ||
	    !enrollment_code_make(store, enrollment->id, code, hash, p))
		return false;
	enrollment->hash = BYTES(hash, sizeof hash);
	bool ok = store_update(store, put, enrollment, p) && print_made(call, enrollment, code, p);
	mem_wipe(code, sizeof code);
	return ok;
}

static bool create_run(struct command_call *call, struct problem *p)
{
	auto_value(strings) profile = {0}, names = {0};
	struct enrollment enrollment = { .note = command_value(call, "--note"), .created = clock_now() };
	if (!parse_profile(call->admin, command_value(call, "--profile"), &profile, p) ||
	    !option_names(command_value(call, "--name"), &names, p) ||
	    !parse_uses(command_value(call, "--uses"), &enrollment.uses_max, p) ||
	    !parse_life(command_value(call, "--expires"), enrollment.created, &enrollment.expires, p))
		return false;
	enrollment.profile = profile.v[0];
	enrollment.names = (struct record_texts){ .v = (const char *const *)names.v, .n = names.n };
	return make(call, &enrollment, p);
}

const struct command admin_est_credential_create = {
	.name = "est-credential create", .args = "", .json = true, .admin = true, .options = create_options,
	        .run = create_run,
	.summary = "make a code with which devices enroll over EST",
	.details = "Prints the code, which is not shown again: the store keeps its hash alone. Devices send it as\n"
	           "the password of HTTP Basic, with any user's name.",
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
	buf_printf(ret, "%-22s  %-7s  %-20s  %lld%-5s  %s  ", enrollment->id, status_of(enrollment, clock_now()), expires,
	           (long long)enrollment->uses, limit, enrollment->profile);
	for (size_t i = 0; i < enrollment->names.n; i++)
		buf_printf(ret, "%s%s", i ? "," : "", enrollment->names.v[i]);
	buf_printf(ret, "%s%s%s", enrollment->names.n ? "" : "(any)", enrollment->note ? "  " : "",
	           enrollment->note ?: "");
}

static bool list_row(struct store_txn *txn, void *arg, const char *id, bool json, struct buf *ret, struct problem *p)
{
	auto_value(enrollment) enrollment = {0};
	(void)arg;
	if (!store_enrollment_get(txn, id, &enrollment, p))
		return false;
	if (json)
		put_enrollment(&enrollment, NULL, ret);
	else
		add_enrollment(&enrollment, ret);
	return true;
}

static bool list_run(struct command_call *call, struct problem *p)
{
	auto_struct(store) *store = NULL;
	const struct listing listing = {
		.call = call, .page = list_page, .row = list_row,
		.heading = "ID                      STATUS   EXPIRES               USES    PROFILE  NAMES",
	};
	return admin_open_store(call->admin, &store, p) && listing_print(store, &listing, p);
}

const struct command admin_est_credential_list = {
	.name = "est-credential list", .args = "", .json = true, .admin = true, .run = list_run,
	.summary = "list the enrollment codes for EST",
};

/* --- est-credential revoke */

struct revoking {
	const char *id;
	int64_t now;
	struct enrollment *ret;
};

static bool revoke(struct store_txn *txn, void *arg, struct problem *p)
{
	struct revoking *revoking = arg;
	auto_value(problem) why = {0};
	enrollment_free(revoking->ret);
	*revoking->ret = (struct enrollment){0};
	if (!store_enrollment_get(txn, revoking->id, revoking->ret, &why))
		return problem_set(p, PROBLEM_NOT_FOUND, "there is no enrollment code %s", revoking->id);
	if (revoking->ret->revoked)
		return problem_set(p, PROBLEM_ALREADY_REVOKED, "enrollment code %s is revoked already", revoking->id);
	revoking->ret->revoked = revoking->now;
	const struct audit_fact facts[] = {
		audit_text("enrollment", revoking->id), audit_text("note", revoking->ret->note), { 0 },
	};
	return store_enrollment_put(txn, revoking->ret, p) &&
	       admin_tell(txn, AUDIT_ENROLLMENT_REVOKED, revoking->now, facts, p);
}

static bool revoke_run(struct command_call *call, struct problem *p)
{
	auto_struct(store) *store = NULL;
	auto_value(enrollment) enrollment = {0};
	auto_value(buf) text = {0};
	struct revoking revoking = { call->args[0], clock_now(), &enrollment };
	if (!admin_open_store(call->admin, &store, p) || !store_update(store, revoke, &revoking, p))
		return false;
	if (call->json) {
		put_enrollment(&enrollment, NULL, &text);
		return listing_print_object(call, &text, p);
	}
	fprintf(call->out, "revoked %s\n", enrollment.id);
	return true;
}

const struct command admin_est_credential_revoke = {
	.name = "est-credential revoke", .args = "ID", .args_min = 1, .args_max = 1, .json = true, .admin = true,
	        .run = revoke_run,
	.summary = "revoke an enrollment code for EST",
	.details = "Counts from the next request on. What it gave stays valid.",
};
