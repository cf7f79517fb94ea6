/* Webhooks: webhook create, list, change, test, resume, revoke. */
#include "admin/actor.h"
#include "admin/listing.h"
#include "admin/option.h"
#include "admin/webhook_change.h"
#include "base/clock.h"
#include "base/json.h"
#include "store/audit.h"

static bool last_event(struct store_txn *txn, void *arg, struct problem *p)
{
	return store_audit_last(txn, arg, p);
}

/* As an object, or its id and, where it is new, the secret. */
static bool print_webhook(const struct command_call *call, struct store *store, const struct webhook *row,
                          const char *done, const struct buf *secret, struct problem *p)
{
	auto_value(buf) text = {0};
	const char *shown = secret && secret->len > 0 ? buf_text(secret) : NULL;
	uint64_t last;
	if (call->json) {
		if (!store_view(store, last_event, &last, p))
			return false;
		webhook_json(row, last, shown, &text);
		return listing_print_object(call, &text, p);
	}
	fprintf(call->out, "%s %s\n", done, row->id);
	if (shown)
		fprintf(call->out, "secret  %s\n", shown);
	return true;
}

static struct webhook_asker asker_here(char actor[ADMIN_ACTOR_SIZE])
{
	admin_actor(actor);
	return (struct webhook_asker){ .actor = actor, .now = clock_now() };
}

/* --- what is asked for */

#define WISH_OPTIONS                                                                                              \
	{ "--event", "KIND[,KIND...]", "what is sent, see below" },                                               \
	{ "--profile", "NAME[,NAME...]", "events about certificates and requests of these profiles alone; any: all" }, \
	{ "--secret-file", "FILE", "a secret of one's own, which others must not be able to read" },              \
	{ "--secret-env", "NAME", "a secret of one's own, from the environment" },                                \
	{ "--note", "TEXT", "what it is for" }

#define EVENT_DETAILS                                                                                           \
	"KIND is that of an event of the audit log (`audit list --help` names all), or the beginning of some\n" \
	"and `*`; without: certificate-*,request-*,renewal-failed.\n"

/* Takes the options of a command; secret and lists are where the wish points to. */
static bool take_wish(const struct command_call *call, struct buf *secret, struct strings *events,
                      struct strings *profiles, struct webhook_wish *ret, struct problem *p)
{
	const struct secret_source source = {
		.file = command_value(call, "--secret-file"), .environment = command_value(call, "--secret-env"),
	};
	auto_value(problem) parts = {0};
	if (source.file && source.environment)
		return problem_set(p, PROBLEM_MALFORMED, "--secret-file and --secret-env: expected one of them");
	if ((source.file || source.environment) && !secret_read(&source, call->admin->data_folder, secret, p))
		return false;
	const char *profile = command_value(call, "--profile");
	if (!option_list(command_value(call, "--event"), events, p) ||
	    !option_profiles(call->admin, profile && str_equal(profile, "any") ? NULL : profile, profiles, p))
		return false;
	ret->note = command_value(call, "--note");
	ret->events = command_value(call, "--event") ? events : NULL;
	ret->profiles = profile ? profiles : NULL;
	ret->secret = secret->len > 0 ? buf_text(secret) : NULL;
	webhook_wish_check(call->admin->webhook, ret, &parts);
	return parts.sub_count == 0 ||
	       problem_set(p, parts.subs[0].kind, "%s: %s", parts.subs[0].field, parts.subs[0].detail);
}

/* --- webhook create */

static const struct command_option create_options[] = { WISH_OPTIONS, { 0 } };

static bool create_run(struct command_call *call, struct problem *p)
{
	auto_struct(store) *store = NULL;
	auto_value(strings) events = {0}, profiles = {0};
	auto_value(buf) given = {0}, secret = {0};
	auto_value(webhook) row = {0};
	char actor[ADMIN_ACTOR_SIZE];
	struct webhook_wish wish = { .url = call->args[0] };
	struct webhook_asker asker = asker_here(actor);
	return take_wish(call, &given, &events, &profiles, &wish, p) && admin_open_store(call->admin, &store, p) &&
	       webhook_create(store, &wish, &asker, &secret, &row, p) &&
	       print_webhook(call, store, &row, "id     ", wish.secret ? NULL : &secret, p);
}

const struct command admin_webhook_create = {
	.name = "webhook create",
	.args = "URL", .args_min = 1, .args_max = 1, .json = true, .admin = true, .options = create_options,
	.run = create_run,
	.summary = "send events to a URL from now on",
	.details =
		"Prints the secret that they are signed with, which is not shown again (docs/webhooks.md).\n"
		EVENT_DETAILS,
};

/* --- webhook change */

static const struct command_option change_options[] = {
	{ "--url", "URL", "where they are sent" },
	WISH_OPTIONS,
	{ "--new-secret", NULL, "make another secret, and print it" },
	{ 0 },
};

static bool change_run(struct command_call *call, struct problem *p)
{
	auto_struct(store) *store = NULL;
	auto_value(strings) events = {0}, profiles = {0};
	auto_value(buf) given = {0}, secret = {0};
	auto_value(webhook) row = {0};
	char actor[ADMIN_ACTOR_SIZE];
	struct webhook_wish wish = { .url = command_value(call, "--url"),
		                     .new_secret = command_value(call, "--new-secret") };
	struct webhook_asker asker = asker_here(actor);
	return take_wish(call, &given, &events, &profiles, &wish, p) && admin_open_store(call->admin, &store, p) &&
	       webhook_set(store, call->args[0], &wish, &asker, &secret, &row, p) &&
	       print_webhook(call, store, &row, "changed", wish.secret ? NULL : &secret, p);
}

const struct command admin_webhook_change = {
	.name = "webhook change", .args = "ID", .args_min = 1, .args_max = 1, .json = true, .admin = true,
	.options = change_options, .run = change_run,
	.summary = "send events elsewhere, or others",
	.details = "What is not given stays as it is. A webhook that failed is tried again at once.\n" EVENT_DETAILS,
};

/* --- webhook list */

static bool list_page(struct store_txn *txn, void *arg, const char *after, size_t limit, struct store_page *ret,
                      struct problem *p)
{
	(void)arg;
	return store_webhook_list(txn, after, limit, ret, p);
}

static void add_webhook(const struct webhook *row, uint64_t last, struct buf *ret)
{
	char next[CLOCK_RFC3339_SIZE];
	buf_printf(ret, "%-22s  %-7s  %9lld  %6lld  %s%s%s", row->id, webhook_status(row), (long long)row->delivered,
	           (long long)last - (long long)row->cursor, row->url, row->name ? "  " : "", row->name ?: "");
	buf_printf(ret, "%s%s", row->note && *row->note ? "  " : "", row->note ?: "");
	if (!row->failing)
		return;
	clock_format(row->next_try, next);
	buf_printf(ret, "\n    %lld %s failed: %s", (long long)row->attempts, row->attempts == 1 ? "try" : "tries",
	           webhook_error(row) ?: "?");
	buf_printf(ret, row->stopped ? "; given up" : "; next at %s", next);
}

static bool list_row(struct store_txn *txn, void *arg, const char *id, bool json, struct buf *ret, struct problem *p)
{
	auto_value(webhook) row = {0};
	uint64_t last;
	(void)arg;
	if (!store_webhook_get(txn, id, &row, p) || !store_audit_last(txn, &last, p))
		return false;
	if (json)
		webhook_json(&row, last, NULL, ret);
	else
		add_webhook(&row, last, ret);
	return true;
}

static bool list_run(struct command_call *call, struct problem *p)
{
	auto_struct(store) *store = NULL;
	const struct listing listing = {
		.call = call, .page = list_page, .row = list_row,
		.heading = "ID                      STATUS   DELIVERED  BEHIND  URL",
	};
	return admin_open_store(call->admin, &store, p) && listing_print(store, &listing, p);
}

const struct command admin_webhook_list = {
	.name = "webhook list", .args = "", .json = true, .admin = true, .run = list_run,
	.summary = "list the webhooks, how far they are, and what fails",
	.details = "BEHIND counts the events of the log that it has not come to, also those that it does not want.",
};

/* --- webhook test */

struct taking {
	const char *id;
	struct webhook *ret;
};

static bool take(struct store_txn *txn, void *arg, struct problem *p)
{
	const struct taking *taking = arg;
	return webhook_get(txn, taking->id, taking->ret, p);
}

static bool test_run(struct command_call *call, struct problem *p)
{
	auto_struct(store) *store = NULL;
	auto_value(webhook) row = {0};
	struct webhook_answer answer = {0};
	auto_value(buf) text = {0};
	if (!admin_open_store(call->admin, &store, p) ||
	    !store_view(store, take, &(struct taking){ call->args[0], &row }, p) ||
	    !webhook_test(store, call->admin->webhook, &row, clock_now(), &answer, p))
		return false;
	if (!call->json) {
		fprintf(call->out, "taken with status %ld\n", answer.status);
		return true;
	}
	struct json_writer w = json_writer(&text);
	json_open(&w, NULL);
	json_put_integer(&w, "status", answer.status);
	json_close(&w);
	return listing_print_object(call, &text, p);
}

const struct command admin_webhook_test = {
	.name = "webhook test", .args = "ID", .args_min = 1, .args_max = 1, .json = true, .admin = true,
	.run = test_run,
	.summary = "send an event of the type webhook-test now",
	.details = "Sent by this command itself, once; what waits to be delivered stays as it is.",
};

/* --- webhook resume, webhook revoke */

static const struct command_option resume_options[] = {
	{ "--skip", NULL, "leave out the event that it stands at" },
	{ 0 },
};

static bool resume_run(struct command_call *call, struct problem *p)
{
	auto_struct(store) *store = NULL;
	auto_value(webhook) row = {0};
	char actor[ADMIN_ACTOR_SIZE];
	struct webhook_asker asker = asker_here(actor);
	return admin_open_store(call->admin, &store, p) &&
	       webhook_resume(store, call->args[0], command_value(call, "--skip"), &asker, &row, p) &&
	       print_webhook(call, store, &row, "resumed", NULL, p);
}

const struct command admin_webhook_resume = {
	.name = "webhook resume", .args = "ID", .args_min = 1, .args_max = 1, .json = true, .admin = true,
	.options = resume_options, .run = resume_run,
	.summary = "let a webhook go on that was given up, or that waits",
};

static bool revoke_run(struct command_call *call, struct problem *p)
{
	auto_struct(store) *store = NULL;
	char actor[ADMIN_ACTOR_SIZE];
	struct webhook_asker asker = asker_here(actor);
	if (!admin_open_store(call->admin, &store, p) || !webhook_revoke(store, call->args[0], &asker, p))
		return false;
	if (!call->json) {
		fprintf(call->out, "revoked %s\n", call->args[0]);
		return true;
	}
	auto_value(buf) text = {0};
	struct json_writer w = json_writer(&text);
	json_open(&w, NULL);
	json_put(&w, "id", call->args[0]);
	json_put(&w, "status", "revoked");
	json_close(&w);
	return listing_print_object(call, &text, p);
}

const struct command admin_webhook_revoke = {
	.name = "webhook revoke", .args = "ID", .args_min = 1, .args_max = 1, .json = true, .admin = true,
	.run = revoke_run,
	.summary = "end a webhook",
	.details = "It is gone, with its secret and what waited to be delivered.",
};
