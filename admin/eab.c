/* Keys of external account binding (RFC 8555, 7.3.4): eab create, eab list, eab revoke. */
#include "store/eab.h"

#include <errno.h>

#include "admin/actor.h"
#include "admin/credential.h"
#include "admin/listing.h"
#include "admin/option.h"
#include "admin/scope.h"
#include "base/clock.h"
#include "base/random.h"

/* Long enough for HS512 (RFC 7518, 3.2). */
enum { KEY_BYTES = 64 };

static const char *eab_status(const struct eab *eab, int64_t now)
{
	if (eab->revoked)
		return "revoked";
	if (eab->expires && eab->expires <= now)
		return "expired";
	return eab->uses_max && eab->uses >= eab->uses_max ? "used up" : "valid";
}

/* key: base64url of the key itself, which is shown once, when it is made; NULL. */
static void put_eab(const struct eab *eab, const char *key, struct buf *ret)
{
	struct json_writer w = json_writer(ret);
	json_open(&w, NULL);
	json_put(&w, "kid", eab->kid);
	json_put(&w, "key", key);
	json_put(&w, "status", eab_status(eab, clock_now()));
	json_put(&w, "note", eab->note);
	scope_put(&w, &eab->scope);
	json_put_time(&w, "created", eab->created);
	json_put_time(&w, "expires", eab->expires);
	json_put_integer(&w, "uses", eab->uses);
	if (eab->uses_max)
		json_put_integer(&w, "usesMax", eab->uses_max);
	json_close(&w);
}

/* --- eab create */

static const struct command_option create_options[] = {
	SCOPE_OPTIONS,
	{ "--expires", "DURATION|TIME", "how long it can be used, as 30d or until an RFC 3339 time" },
	{ "--uses", "N", "how many accounts it can bind; without: any number" },
	{ "--note", "TEXT", "for whom it is" },
	{ 0 },
};

static bool parse_uses(const char *text, int64_t *ret, struct problem *p)
{
	char *end = NULL;
	errno = 0;
	long long value = text ? strtoll(text, &end, 10) : 0;
	if (text && (end == text || *end || errno || value < 1))
		return problem_set(p, PROBLEM_MALFORMED, "--uses: expected a number from 1, got `%s`", text);
	*ret = value;
	return true;
}

static bool put(struct store_txn *txn, void *arg, struct problem *p)
{
	const struct eab *eab = arg;
	const struct audit_fact facts[] = {
		audit_text("eab", eab->kid), audit_text("note", eab->note), audit_texts("profiles", eab->scope.profiles),
		audit_texts("names", eab->scope.names), audit_texts("authorized", eab->scope.authorized),
		audit_texts("networks", eab->scope.networks), audit_integer("quota", eab->scope.quota),
		audit_integer("quotaPeriod", eab->scope.quota_period), audit_integer("quotaTotal", eab->scope.quota_total),
		audit_time("expires", eab->expires), audit_integer("usesMax", eab->uses_max), { 0 },
	};
	return store_eab_put(txn, eab, p) && admin_tell(txn, AUDIT_EAB_CREATED, eab->created, facts, p);
}

/* Clients take it on their command lines, as the id, where a value must not look like an option. */
static bool make_key(uint8_t ret[KEY_BYTES], struct buf *ret_text, struct problem *p)
{
	do {
		buf_clear(ret_text);
		if (!random_bytes(ret, KEY_BYTES, p))
			return false;
		buf_add_base64url(ret_text, BYTES(ret, KEY_BYTES));
	} while (buf_text(ret_text)[0] == '-');
	return buf_check(ret_text, p);
}

/* Makes the key and seals it; ret_text is what the client is given. */
static bool seal_key(struct store *store, struct eab *eab, struct buf *ret_sealed, struct buf *ret_text,
                     struct problem *p)
{
	uint8_t key[KEY_BYTES];
	auto_free char *context = mem_printf("eab %s", eab->kid);
	if (!context)
		return problem_memory(p);
	bool ok = make_key(key, ret_text, p) &&
	          seal_close(store_seal(store), context, BYTES(key, sizeof key), ret_sealed, p);
	mem_wipe(key, sizeof key);
	eab->sealed_key = buf_bytes(ret_sealed);
	return ok;
}

static bool print_made(const struct command_call *call, const struct eab *eab, const struct buf *key,
                       struct problem *p)
{
	auto_value(buf) text = {0};
	if (call->json) {
		put_eab(eab, buf_text(key), &text);
		return listing_print_object(call, &text, p);
	}
	fprintf(call->out, "kid  %s\nkey  %s\n", eab->kid, buf_text(key));
	return true;
}

static bool eab_create_run(struct command_call *call, struct problem *p)
{
	auto_struct(store) *store = NULL;
	auto_value(scope_words) words = {0};
	auto_value(buf) sealed = {0}, key = {0};
	char kid[RANDOM_ID_SIZE];
	struct eab eab = { .kid = kid, .note = command_value(call, "--note"), .created = clock_now() };
	if (!parse_uses(command_value(call, "--uses"), &eab.uses_max, p) ||
	    !option_expires(command_value(call, "--expires"), eab.created, &eab.expires, p) ||
	    !scope_read(call, &words, &eab.scope, p) ||
	    !admin_open_store(call->admin, &store, p) || !credential_id(kid, p) || !seal_key(store, &eab, &sealed,
	        &key, p))
		return false;
	return store_update(store, put, &eab, p) && print_made(call, &eab, &key, p);
}

const struct command admin_eab_create = {
	.name = "eab create", .args = "", .json = true, .admin = true, .options = create_options,
	.run = eab_create_run,
	.summary = "make a key for external account binding",
	.details = "Prints the key's id and the key, as base64url, which clients take as --eab-kid and "
	           "--eab-hmac-key.\n"
	           "The key is not shown again. What can be ordered is inherited by the accounts that it binds, and "
	           "`account limit` changes it there;\nits quotas are one for them all. What --authorize says is authorized "
	           "when it is ordered; all else is challenged.",
};

/* --- eab list */

static bool list_page(struct store_txn *txn, void *arg, const char *after, size_t limit,
                      struct store_page *ret,
                      struct problem *p)
{
	(void)arg;
	return store_eab_list(txn, after, limit, ret, p);
}

static void add_eab(const struct eab *eab, struct buf *ret)
{
	char expires[CLOCK_RFC3339_SIZE] = "never", limit[24] = "";
	if (eab->expires)
		clock_format(eab->expires, expires);
	if (eab->uses_max)
		snprintf(limit, sizeof limit, "/%lld", (long long)eab->uses_max);
	buf_printf(ret, "%-22s  %-7s  %-20s  %lld%-5s  ", eab->kid, eab_status(eab, clock_now()), expires,
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
		put_eab(&eab, NULL, ret);
	else
		add_eab(&eab, ret);
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

/* --- eab revoke */

struct eab_revoking {
	const char *kid;
	int64_t now;
	struct eab *ret;
};

static bool revoke(struct store_txn *txn, void *arg, struct problem *p)
{
	struct eab_revoking *revoking = arg;
	eab_free(revoking->ret);
	*revoking->ret = (struct eab){0};
	if (!random_id_valid(revoking->kid) || !store_eab_get(txn, revoking->kid, revoking->ret, p))
		return problem_missing(p, "there is no external account key %s", revoking->kid);
	if (revoking->ret->revoked)
		return problem_set(p, PROBLEM_ALREADY_REVOKED, "external account key %s is revoked already",
		                   revoking->kid);
	revoking->ret->revoked = true;
	const struct audit_fact facts[] = {
		audit_text("eab", revoking->kid), audit_text("note", revoking->ret->note), { 0 },
	};
	return store_eab_put(txn, revoking->ret, p) && admin_tell(txn, AUDIT_EAB_REVOKED, revoking->now, facts, p);
}

static bool eab_revoke_run(struct command_call *call, struct problem *p)
{
	auto_struct(store) *store = NULL;
	auto_value(eab) eab = {0};
	auto_value(buf) text = {0};
	struct eab_revoking revoking = { call->args[0], clock_now(), &eab };
	if (!admin_open_store(call->admin, &store, p) || !store_update(store, revoke, &revoking, p))
		return false;
	if (call->json) {
		put_eab(&eab, NULL, &text);
		return listing_print_object(call, &text, p);
	}
	fprintf(call->out, "revoked %s\n", eab.kid);
	return true;
}

const struct command admin_eab_revoke = {
	.name = "eab revoke", .args = "KID", .args_min = 1, .args_max = 1, .json = true, .admin = true,
	.run = eab_revoke_run,
	.summary = "revoke a key for external account binding",
	.details = "Accounts that it bound stay; `account deactivate` ends them.",
};
