/* Keys of external account binding (RFC 8555, 7.3.4): eab create, eab list, eab show, eab revoke. */
#include "admin/external_key.h"
#include "admin/listing.h"
#include "admin/option.h"
#include "admin/scope.h"
#include "admin/words.h"
#include "base/clock.h"

/* --- eab create */

static const struct command_option create_options[] = {
	SCOPE_OPTIONS,
	{ "--expires", "DURATION|TIME", "how long it can be used, as 30d or until an RFC 3339 time" },
	{ "--uses", "N", "how many accounts it can bind; without: any number" },
	{ "--note", "TEXT", "for whom it is" },
	{ 0 },
};

static bool print_made(const struct command_call *call, const struct external_key *made, struct problem *p)
{
	auto_value(buf) text = {0};
	if (call->json) {
		external_key_json(&made->row, buf_text(&made->key), made->row.created, &text);
		return listing_print_object(call, &text, p);
	}
	fprintf(call->out, "kid  %s\nkey  %s\n", made->kid, buf_text(&made->key));
	return true;
}

static bool eab_create_run(struct command_call *call, struct problem *p)
{
	auto_struct(store) *store = NULL;
	auto_value(scope_words) words = {0};
	auto_value(external_key) made = {0};
	char name[ADMIN_ACTOR_SIZE];
	const struct actor actor = admin_actor_now(name);
	struct eab wish = { .note = command_value(call, "--note") };
	return option_number("--uses", command_value(call, "--uses"), 1, &wish.uses_max, p) &&
	       option_expires(command_value(call, "--expires"), actor.now, &wish.expires, p) &&
	       scope_read(call, &words, &wish.scope, p) && admin_open_store(call->admin, &store, p) &&
	       external_key_make(store, &wish, &actor, &made, p) && print_made(call, &made, p);
}

const struct command admin_eab_create = {
	.name = "eab create",
	.args = "",
	.json = true,
	.admin = true,
	.options = create_options,
	.run = eab_create_run,
	.summary = "make a key for external account binding",
	.details = "Prints the key's id and the key, as base64url, which clients take as --eab-kid and "
	           "--eab-hmac-key.\n"
	           "The key is not shown again. What can be ordered is inherited by the accounts that it binds, and "
	           "`account limit` changes it there;\n"
	           "its quotas are one for them all. What --authorize says is authorized when it is ordered; all "
	           "else is challenged.",
};

/* --- eab list */

static bool list_page(struct store_txn *txn, void *arg, const char *after, size_t limit,
                      struct store_page *ret, struct problem *p)
{
	(void)arg;
	return store_eab_list(txn, after, limit, ret, p);
}

static void add_row(const struct eab *eab, struct buf *ret)
{
	char expires[CLOCK_RFC3339_SIZE] = "never", limit[24] = "";
	if (eab->expires)
		clock_format(eab->expires, expires);
	if (eab->uses_max)
		snprintf(limit, sizeof limit, "/%lld", (long long)eab->uses_max);
	buf_printf(ret, "%-22s  %-7s  %-20s  %lld%-5s  ", eab->kid, external_key_status(eab, clock_now()), expires,
	           (long long)eab->uses, limit);
	for (size_t i = 0; i < eab->scope.profiles.n; i++)
		buf_printf(ret, "%s%s", i ? "," : "", eab->scope.profiles.v[i]);
	buf_printf(ret, "%s%s%s", eab->scope.profiles.n ? "" : "(all)", eab->note ? "  " : "", eab->note ?: "");
	scope_add_short(&eab->scope, ret);
}

static bool list_row(struct store_txn *txn, void *arg, const char *kid, bool json, struct buf *ret,
                     struct problem *p)
{
	auto_value(eab) eab = {0};
	(void)arg;
	if (!store_eab_get(txn, kid, &eab, p))
		return false;
	if (json)
		external_key_json(&eab, NULL, clock_now(), ret);
	else
		add_row(&eab, ret);
	return true;
}

static bool eab_list_run(struct command_call *call, struct problem *p)
{
	auto_struct(store) *store = NULL;
	const struct listing listing = {
		.call = call, .page = list_page, .row = list_row,
		.heading = "KID                     STATUS   EXPIRES               USES    PROFILES",
	};
	return admin_open_store(call->admin, &store, p) && listing_print(store, &listing, p);
}

const struct command admin_eab_list = {
	.name = "eab list", .args = "", .json = true, .admin = true, .run = eab_list_run,
	.summary = "list the keys for external account binding",
};

/* --- eab show, eab revoke */

struct showing {
	const char *kid;
	struct eab *ret;
};

static bool find(struct store_txn *txn, void *arg, struct problem *p)
{
	const struct showing *showing = arg;
	return external_key_find(txn, showing->kid, showing->ret, p);
}

static void add_eab(const struct eab *eab, struct buf *ret)
{
	words_text("kid", eab->kid, ret);
	words_text("status", external_key_status(eab, clock_now()), ret);
	words_text("note", eab->note, ret);
	scope_add(&eab->scope, ret);
	words_time("created", eab->created, ret);
	words_time("expires", eab->expires, ret);
	buf_printf(ret, "%-12s %lld", "uses", (long long)eab->uses);
	if (eab->uses_max)
		buf_printf(ret, " of %lld", (long long)eab->uses_max);
	buf_add_char(ret, '\n');
}

static bool print_eab(const struct command_call *call, const struct eab *eab, struct problem *p)
{
	auto_value(buf) text = {0};
	if (call->json)
		external_key_json(eab, NULL, clock_now(), &text);
	else
		add_eab(eab, &text);
	return listing_print_object(call, &text, p);
}

static bool eab_show_run(struct command_call *call, struct problem *p)
{
	auto_struct(store) *store = NULL;
	auto_value(eab) eab = {0};
	struct showing showing = { call->args[0], &eab };
	return admin_open_store(call->admin, &store, p) && store_view(store, find, &showing, p) &&
	       print_eab(call, &eab, p);
}

static bool eab_revoke_run(struct command_call *call, struct problem *p)
{
	auto_struct(store) *store = NULL;
	auto_value(eab) eab = {0};
	char name[ADMIN_ACTOR_SIZE];
	const struct actor actor = admin_actor_now(name);
	if (!admin_open_store(call->admin, &store, p) || !external_key_revoke(store, call->args[0], &actor, &eab, p))
		return false;
	if (call->json)
		return print_eab(call, &eab, p);
	fprintf(call->out, "revoked %s\n", eab.kid);
	return true;
}

const struct command admin_eab_show = {
	.name = "eab show", .args = "KID", .args_min = 1, .args_max = 1, .json = true, .admin = true,
	.run = eab_show_run,
	.summary = "show one key for external account binding, without the key itself",
};
const struct command admin_eab_revoke = {
	.name = "eab revoke", .args = "KID", .args_min = 1, .args_max = 1, .json = true, .admin = true,
	.run = eab_revoke_run,
	.summary = "revoke a key for external account binding",
	.details = "Accounts that it bound stay; `account deactivate` ends them.",
};
