/* ACME accounts: account list, account show, account deactivate. */
#include "store/account.h"

#include "admin/actor.h"
#include "admin/listing.h"
#include "admin/scope.h"
#include "base/clock.h"

static void put_account(const struct account *account, struct buf *ret)
{
	struct json_writer w = json_writer(ret);
	json_open(&w, NULL);
	json_put(&w, "id", account->id);
	json_put(&w, "directory", account->directory);
	json_put(&w, "status", account_status_name(account->status));
	json_open_array(&w, "contact");
	for (size_t i = 0; i < account->contacts.n; i++)
		json_put(&w, NULL, account->contacts.v[i]);
	json_close(&w);
	json_put_bool(&w, "termsOfServiceAgreed", account->terms_agreed);
	json_put_time(&w, "created", account->created);
	json_put(&w, "createdFrom", account->created_from);
	json_put(&w, "eab", account->eab_kid);
	scope_put(&w, &account->scope);
	auto_value(buf) thumbprint = {0};
	buf_add_base64url(&thumbprint, account->thumbprint);
	json_put_buf(&w, "thumbprint", &thumbprint);
	json_close(&w);
}

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

static bool list_page(struct store_txn *txn, void *arg, const char *after, size_t limit,
                      struct store_page *ret,
                      struct problem *p)
{
	(void)arg;
	return store_account_list(txn, after, limit, ret, p);
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
		put_account(&account, ret);
		return true;
	}
	clock_format(account.created, created);
	buf_printf(ret, "%-22s  %-11s  %s  %-16s  ", id, account_status_name(account.status), created,
	           account.directory);
	add_contacts(&account, ret);
	return true;
}

static const struct command_option list_options[] = {
	{ "--limit", "N", "at most so many" },
	{ 0 },
};

static bool account_list_run(struct command_call *call, struct problem *p)
{
	auto_struct(store) *store = NULL;
	struct listing listing = {
		.call = call, .page = list_page, .row = list_row,
		.heading = "ID                      STATUS       CREATED               DIRECTORY         CONTACT",
	};
	if (!listing_limit(command_value(call, "--limit"), &listing.limit, p) ||
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

struct account_asking {
	const struct admin *admin;
	const char *id;
	struct account *ret;
	int64_t now;                   /* of a change */
	bool more;                     /* something that it had begun is still to be cancelled */
};

static bool get(struct store_txn *txn, void *arg, struct problem *p)
{
	const struct account_asking *asking = arg;
	account_free(asking->ret);
	*asking->ret = (struct account){0};
	return (random_id_valid(asking->id) && store_account_get(txn, asking->id, asking->ret, p)) ||
	       problem_missing(p, "there is no account %s", asking->id);
}

/* --- account limit */

struct account_limiting {
	struct account_asking asking;
	const struct command_call *call;
};

static bool limit(struct store_txn *txn, void *arg, struct problem *p)
{
	const struct account_limiting *limiting = arg;
	const struct account_asking *asking = &limiting->asking;
	auto_value(scope_words) words = {0};
	struct account *account = asking->ret;
	if (!get(txn, arg, p))
		return false;
	const struct scope before = account->scope;
	bool done = scope_read(limiting->call, &words, &account->scope, p);
	const struct scope *scope = &account->scope;
	const struct audit_fact facts[] = {
		audit_text("account", asking->id), audit_texts("profiles", scope->profiles), audit_texts("names", scope->names),
		audit_texts("authorized", scope->authorized), audit_texts("networks", scope->networks),
		audit_integer("quota", scope->quota), audit_integer("quotaPeriod", scope->quota_period),
		audit_integer("quotaTotal", scope->quota_total), { 0 },
	};
	done = done && store_account_put(txn, account, p) && admin_tell(txn, AUDIT_ACCOUNT_LIMITED, asking->now, facts, p);
	account->scope = before; /* the words end here */
	return done;
}

static const struct command_option limit_options[] = {
	SCOPE_OPTIONS,
	{ 0 },
};

/* As the account itself may do it (RFC 8555, 7.3.6). */
static bool deactivate(struct store_txn *txn, void *arg, struct problem *p)
{
	struct account_asking *asking = arg;
	if (!get(txn, arg, p))
		return false;
	if (asking->ret->status != ACCOUNT_VALID)
		return problem_set(p, PROBLEM_CONFLICT, "account %s is %s already", asking->id,
		                   account_status_name(asking->ret->status));
	asking->ret->status = ACCOUNT_DEACTIVATED;
	const struct audit_fact facts[] = {
		audit_text("account", asking->id), audit_text("directory", asking->ret->directory), { 0 },
	};
	return store_account_put(txn, asking->ret, p) && asking->admin->cancel_work(txn, asking->id, &asking->more, p) &&
	       admin_tell(txn, AUDIT_ACCOUNT_DEACTIVATED, asking->now, facts, p);
}

/* Should this end here, a server does the rest. */
static bool cancel_more(struct store_txn *txn, void *arg, struct problem *p)
{
	struct account_asking *asking = arg;
	return asking->admin->cancel_work(txn, asking->id, &asking->more, p);
}

static bool print_account(const struct command_call *call, const struct account *account, struct problem *p)
{
	auto_value(buf) text = {0};
	if (call->json) {
		put_account(account, &text);
		return listing_print_object(call, &text, p);
	}
	add_account(account, &text);
	fputs(buf_text(&text), call->out);
	return buf_check(&text, p);
}

static bool account_show_run(struct command_call *call, struct problem *p)
{
	auto_struct(store) *store = NULL;
	auto_value(account) account = {0};
	struct account_asking asking = { .admin = call->admin, .id = call->args[0], .ret = &account };
	if (!admin_open_store(call->admin, &store, p) || !store_view(store, get, &asking, p))
		return false;
	return print_account(call, &account, p);
}

static bool account_deactivate_run(struct command_call *call, struct problem *p)
{
	auto_struct(store) *store = NULL;
	auto_value(account) account = {0};
	struct account_asking asking = { call->admin, call->args[0], &account, clock_now(), false };
	if (!admin_open_store(call->admin, &store, p) || !store_update(store, deactivate, &asking, p))
		return false;
	while (asking.more)
		if (!store_update(store, cancel_more, &asking, p))
			return false;
	return print_account(call, &account, p);
}

static bool account_limit_run(struct command_call *call, struct problem *p)
{
	auto_struct(store) *store = NULL;
	auto_value(account) account = {0};
	struct account_limiting limiting = { { call->admin, call->args[0], &account, clock_now(), false }, call };
	bool any = false;
	for (size_t i = 0; limit_options[i].name; i++)
		any = any || command_value(call, limit_options[i].name);
	if (!any)
		return problem_set(p, PROBLEM_MALFORMED, "expected at least one option that says what it may order");
	if (!admin_open_store(call->admin, &store, p) || !store_update(store, limit, &limiting, p) ||
	    !store_view(store, get, &limiting.asking, p))
		return false;
	return print_account(call, &account, p);
}

const struct command admin_account_limit = {
	.name = "account limit", .args = "ID", .args_min = 1, .args_max = 1, .json = true, .admin = true, .options = limit_options,
	.run = account_limit_run,
	.summary = "say what one ACME account may order",
	.details = "Changes what the options say and leaves the rest; `any` takes a limit away. It holds from now on, also for orders "
	           "that were made before.",
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
