/* ACME accounts: account list, account show, account deactivate. */
#include "admin/account_life.h"
#include "admin/listing.h"
#include "admin/option.h"
#include "base/clock.h"

static void add_contacts(const struct account *account, struct buf *ret)
{
	for (size_t i = 0; i < account->contacts.n; i++)
		buf_printf(ret, "%s%s", i ? " " : "", account->contacts.v[i]);
}

static void add_account(const struct account *account, struct buf *ret)
{
	char created[CLOCK_RFC3339_SIZE];
	clock_format(account->created, created);
	buf_printf(ret, "id           %s\nstatus       %s\ndirectory    %s\ncontact      ", account->id,
	           account_status_name(account->status), account->directory);
	add_contacts(account, ret);
	buf_printf(ret, "\ncreated      %s\nfrom         %s\n", created, account->created_from ?: "");
	if (account->eab_kid)
		buf_printf(ret, "eab          %s\n", account->eab_kid);
	scope_add(&account->scope, ret);
	buf_add_str(ret, "thumbprint   ");
	buf_add_base64url(ret, account->thumbprint);
	buf_add_char(ret, '\n');
}

/* --- account list */

static bool is_asked_for(struct store_txn *txn, void *arg, const char *id, bool *ret, struct problem *p)
{
	auto_value(account) account = {0};

	if (!store_account_get(txn, id, &account, p))
		return false;
	*ret = account_fits(arg, &account);
	return true;
}

static bool list_page(struct store_txn *txn, void *arg, const char *after, size_t limit, struct store_page *ret,
                      struct problem *p)
{
	return store_account_list(txn, after, limit, ret, p) && listing_sift(txn, is_asked_for, arg, ret, p);
}

static bool list_row(struct store_txn *txn, void *arg, const char *id, bool json, struct buf *ret,
                     struct problem *p)
{
	auto_value(account) account = {0};
	char created[CLOCK_RFC3339_SIZE];
	(void)arg;
	if (!store_account_get(txn, id, &account, p))
		return false;
	if (json) {
		account_json(&account, ret);
		return true;
	}
	clock_format(account.created, created);
	buf_printf(ret, "%-22s  %-11s  %s  %-16s  ", id, account_status_name(account.status), created,
	           account.directory);
	add_contacts(&account, ret);
	return true;
}

static bool read_status(const char *text, struct problem *p)
{
	for (size_t i = 0; text && account_statuses[i]; i++)
		if (str_equal(text, account_statuses[i]))
			return true;
	return !text || problem_set(p, PROBLEM_MALFORMED,
	                            "--status: expected valid, deactivated or revoked, got `%s`", text);
}

static const struct command_option list_options[] = {
	{ "--status", "STATUS", "valid, deactivated or revoked" },
	{ "--directory", "NAME", "those of one ACME directory" },
	{ "--eab", "KID", "those that this external account key has bound" },
	{ "--limit", "N", "at most so many" },
	{ 0 },
};

static bool account_list_run(struct command_call *call, struct problem *p)
{
	auto_struct(store) *store = NULL;
	struct account_filter filter = {
		command_value(call, "--status"), command_value(call, "--directory"), command_value(call, "--eab"),
	};
	struct listing listing = {
		.call = call, .arg = &filter, .page = list_page, .row = list_row,
		.heading = "ID                      STATUS       CREATED               DIRECTORY         CONTACT",
	};
	if (!read_status(filter.status, p) ||
	    !option_number("--limit", command_value(call, "--limit"), 1, &listing.limit, p) ||
	    !admin_open_store(call->admin, &store, p))
		return false;
	return listing_print(store, &listing, p);
}

const struct command admin_account_list = {
	.name = "account list", .args = "", .json = true, .admin = true, .options = list_options,
	.run = account_list_run,
	.summary = "list the ACME accounts",
};

/* --- account show, account deactivate */

static const struct command_option limit_options[] = {
	SCOPE_OPTIONS,
	{ 0 },
};

struct asking {
	const char *id;
	struct account *ret;
};

static bool get(struct store_txn *txn, void *arg, struct problem *p)
{
	const struct asking *asking = arg;
	return account_find(txn, asking->id, asking->ret, p);
}

static bool print_account(const struct command_call *call, const struct account *account, struct problem *p)
{
	auto_value(buf) text = {0};
	if (call->json)
		account_json(account, &text);
	else
		add_account(account, &text);
	return listing_print_object(call, &text, p);
}

static bool account_show_run(struct command_call *call, struct problem *p)
{
	auto_struct(store) *store = NULL;
	auto_value(account) account = {0};
	struct asking asking = { call->args[0], &account };
	return admin_open_store(call->admin, &store, p) && store_view(store, get, &asking, p) &&
	       print_account(call, &account, p);
}

/* --- account deactivate: should this end before all is done, a server does the rest */

struct cancelling {
	const struct admin *admin;
	const char *id;
	bool more;                     /* something that it had begun is still to be cancelled */
};

static bool cancel_more(struct store_txn *txn, void *arg, struct problem *p)
{
	struct cancelling *c = arg;
	return c->admin->cancel_work(txn, c->id, &c->more, p);
}

static bool account_deactivate_run(struct command_call *call, struct problem *p)
{
	auto_struct(store) *store = NULL;
	auto_value(account) account = {0};
	char name[ADMIN_ACTOR_SIZE];
	const struct actor actor = admin_actor_now(name);
	struct cancelling c = { call->admin, call->args[0], false };
	if (!admin_open_store(call->admin, &store, p) ||
	    !account_deactivate(store, c.id, call->admin->cancel_work, &actor, &account, &c.more, p))
		return false;
	while (c.more)
		if (!store_update(store, cancel_more, &c, p))
			return false;
	return print_account(call, &account, p);
}

/* --- account limit */

static bool apply(const void *arg, struct scope_words *words, struct scope *scope, struct problem *p)
{
	return scope_read(arg, words, scope, p);
}

static bool account_limit_run(struct command_call *call, struct problem *p)
{
	auto_struct(store) *store = NULL;
	auto_value(account) account = {0};
	char name[ADMIN_ACTOR_SIZE];
	const struct actor actor = admin_actor_now(name);
	const struct scope_change change = { apply, call };
	bool any = false;
	for (size_t i = 0; limit_options[i].name; i++)
		any = any || command_value(call, limit_options[i].name);
	if (!any)
		return problem_set(p, PROBLEM_MALFORMED, "expected at least one option that says what it may order");
	return admin_open_store(call->admin, &store, p) &&
	       account_limit(store, call->args[0], &change, &actor, &account, p) &&
	       print_account(call, &account, p);
}

const struct command admin_account_limit = {
	.name = "account limit",
	.args = "ID",
	.args_min = 1,
	.args_max = 1,
	.json = true,
	.admin = true,
	.options = limit_options,
	.run = account_limit_run,
	.summary = "say what one ACME account may order",
	.details = "Changes what the options say and leaves the rest; `any` takes a limit away. It holds from now "
	           "on, also for orders that were made before.",
};
const struct command admin_account_show = {
	.name = "account show", .args = "ID", .args_min = 1, .args_max = 1, .json = true, .admin = true,
	.run = account_show_run,
	.summary = "show one ACME account",
};
const struct command admin_account_deactivate = {
	.name = "account deactivate", .args = "ID", .args_min = 1, .args_max = 1, .json = true, .admin = true,
	.run = account_deactivate_run,
	.summary = "deactivate an ACME account and cancel what it has begun",
	.details = "Its certificates stay valid; `cert list --account ID` tells which there are. There is no "
	           "way back.",
};
