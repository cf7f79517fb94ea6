#include "admin/ca_work.h"

#include "admin/actor.h"
#include "admin/listing.h"
#include "admin/option.h"
#include "base/clock.h"
#include "ca/constraint.h"
#include "ca/root_list.h"

void ca_work_close(struct ca_work *work)
{
	store_close(work->store);
	buf_free(&work->passphrase);
	strings_free(&work->permitted);
	strings_free(&work->excluded);
	change_free(&work->change);
}

bool ca_work_open(const struct command_call *call, bool begin, struct ca_work *ret, struct problem *p)
{
	const struct admin *admin = call->admin;
	bool made = false;

	if (begin ? !admin_passphrase_complete(admin, &made, p) ||
	                    !store_open(admin->data_folder, true, NULL, &ret->store, p)
	          : !admin_open_store(admin, &ret->store, p))
		return false;
	if (!secret_read(&admin->passphrase, admin->ca.folder, &ret->passphrase, p))
		return false;
	ret->life = (struct life){
		.folder = admin->ca.folder, .passphrase = buf_bytes(&ret->passphrase), .base = admin->ca.base,
	};
	ret->terms = (struct life_terms){ .path_length = LIFE_PATH_LENGTH_SAME, .kind = KEYFILE_EC_P256 };
	return true;
}

/* --- terms */

static bool set_lifetime(const char *text, struct life_terms *terms, struct problem *p)
{
	return (clock_parse_duration(text, &terms->lifetime) && terms->lifetime > 0) ||
	       problem_set(p, PROBLEM_MALFORMED, "--lifetime: expected a duration such as 5y, got `%s`", text);
}

static bool set_path_length(const char *text, struct life_terms *terms, struct problem *p)
{
	char *end = NULL;
	long value = str_equal(text, "none") ? LIFE_PATH_LENGTH_NONE : strtol(text, &end, 10);

	terms->path_length = (int)value;
	return !end || (end != text && *end == '\0' && value >= 0 && value <= CA_PATH_LENGTH_MAX) ||
	       problem_set(p, PROBLEM_MALFORMED, "--path-length: expected none or 0 to %d, got `%s`",
	                   CA_PATH_LENGTH_MAX, text);
}

static bool set_names(const char *permit, const char *exclude, struct ca_work *work, struct problem *p)
{
	auto(NAME_CONSTRAINTS) *names = NULL;

	if (!option_list(permit, &work->permitted, p) || !option_list(exclude, &work->excluded, p))
		return false;
	if (permit || exclude) {
		work->terms.permitted = &work->permitted;
		work->terms.excluded = &work->excluded;
	}
	return constraint_make(&work->permitted, &work->excluded, &names, p);
}

static const char *value_of(const struct command_call *call, const char *option)
{
	for (const struct command_option *row = call->command->options; row && row->name; row++)
		if (str_equal(row->name, option))
			return command_value(call, option);
	return NULL;
}

bool ca_work_terms(const struct command_call *call, struct ca_work *work, struct problem *p)
{
	const char *lifetime = value_of(call, "--lifetime"), *length = value_of(call, "--path-length");
	const char *key = value_of(call, "--key");

	work->terms.common_name = value_of(call, "--name");
	work->terms.key_uri = value_of(call, "--key-uri");
	work->terms.organization = value_of(call, "--organization");
	if (key && !keyfile_kind_from(key, &work->terms.kind))
		return problem_set(p, PROBLEM_MALFORMED,
		                   "--key: expected ec-p256, ec-p384, rsa-3072 or rsa-4096, got `%s`", key);
	return (!lifetime || set_lifetime(lifetime, &work->terms, p)) &&
	       (!length || set_path_length(length, &work->terms, p)) &&
	       set_names(value_of(call, "--permit"), value_of(call, "--exclude"), work, p);
}

/* --- a change */

struct telling {
	const struct change *change;
	const char *what;
	int64_t now;
};

/* The inventory's own events tell of each certificate; this one, of what it was for. */
static bool tell(struct store_txn *txn, void *arg, struct problem *p)
{
	const struct telling *t = arg;
	char actor[ADMIN_ACTOR_SIZE];
	const struct audit_fact facts[] = {
		audit_text("ca", t->change->name), audit_text("change", t->what),
		audit_text("successor", t->change->successor), { 0 },
	};

	admin_actor(actor);
	return change_record(txn, t->change, actor, t->now, p) && admin_tell(txn, AUDIT_CA_CHANGED, t->now, facts, p);
}

static bool print(const struct command_call *call, const struct change *change, const char *what, struct problem *p)
{
	auto_value(buf) text = {0};
	struct json_writer w = json_writer(&text);

	if (!call->json) {
		fprintf(call->out, "%s %s%s%s\n", what, change->name, *change->successor ? ", now " : "",
		        change->successor);
		for (size_t i = 0; i < change->file_count; i++)
			fprintf(call->out, "%s %s/%s\n", change->files[i].content.len ? "wrote  " : "removed",
			        call->admin->ca.folder, change->files[i].name);
		fprintf(call->out, "a server that runs takes it up when it is told to reload (SIGHUP)\n");
		return true;
	}
	json_open(&w, NULL);
	json_put(&w, "ca", change->name);
	json_put(&w, "change", what);
	json_put_some(&w, "successor", change->successor);
	json_open_array(&w, "files");
	for (size_t i = 0; i < change->file_count; i++)
		json_put(&w, NULL, change->files[i].name);
	json_close(&w);
	json_close(&w);
	return listing_print_object(call, &text, p);
}

bool ca_work_commit(const struct command_call *call, struct ca_work *work, const char *what, struct problem *p)
{
	struct telling telling = { &work->change, what, clock_now() };

	return store_update(work->store, tell, &telling, p) && change_apply(work->life.folder, &work->change, p) &&
	       root_list_complete(&work->life, work->store, p) && print(call, &work->change, what, p);
}
