/* Tokens of the REST API: token create, token list, token revoke. */
#include "base/file.h"
#include "store/token.h"

#include "admin/actor.h"
#include "admin/listing.h"
#include "admin/option.h"
#include "base/clock.h"
#include "base/ossl.h"
#include "policy/bearer.h"

enum { CERTIFICATE_FILE_MAX = 64 * 1024, LIFE = 365 * 86400, IDENTITY_MAX = 128 };

static const char *status_of(const struct token *token, int64_t now)
{
	if (token->revoked)
		return "revoked";
	return token->expires && token->expires <= now ? "expired" : "valid";
}

static const struct {
	int64_t bit;
	const char *name;
} role_rows[] = {
#define X(role, bit, text, meaning) { TOKEN_##role, text },
	TOKEN_ROLES(X)
#undef X
};

static struct record_texts roles_of(const struct token *token, const char *ret[array_length(role_rows)])
{
	size_t n = 0;
	for (size_t i = 0; i < array_length(role_rows); i++)
		if (token->roles & role_rows[i].bit)
			ret[n++] = role_rows[i].name;
	return (struct record_texts){ ret, n };
}

/* text: the token itself, which is shown once, when it is made; NULL. */
static void put_token(const struct token *token, const char *text, struct buf *ret)
{
	const char *names[array_length(role_rows)];
	const struct record_texts roles = roles_of(token, names);
	struct json_writer w = json_writer(ret);
	json_open(&w, NULL);
	json_put(&w, "id", token->id);
	json_put(&w, "token", text);
	if (token->key_hash.len > 0) {
		auto_value(buf) hex = {0};
		buf_add_hex(&hex, token->key_hash);
		json_put_buf(&w, "keyHash", &hex);
	}
	json_put(&w, "status", status_of(token, clock_now()));
	json_put(&w, "note", token->note);
	json_put(&w, "identity", token->name);
	json_put_texts(&w, "roles", roles.v, roles.n);
	json_put_texts(&w, "profiles", token->profiles.v, token->profiles.n);
	json_put_texts(&w, "names", token->names.v, token->names.n);
	json_put_time(&w, "created", token->created);
	json_put_time(&w, "expires", token->expires);
	json_put_time(&w, "used", token->used);
	json_put_time(&w, "revoked", token->revoked);
	json_close(&w);
}

/* --- token create */

static const struct command_option create_options[] = {
	{ "--role", "ROLE[,ROLE...]", "what it lets do, see below" },
	{ "--profile", "NAME[,NAME...]", "the profiles it counts in; without: all" },
	{ "--name", "PATTERN[,PATTERN...]",
	  "names it may ask for, as dns:**.example.com; without: what the profile allows" },
	{ "--identity", "NAME", "what policies mean by {identity}" },
	{ "--expires", "DURATION|TIME|never", "how long it counts, as 30d or until an RFC 3339 time; without: 365d" },
	{ "--certificate", "FILE", "a client certificate (PEM) in place of a secret" },
	{ "--note", "TEXT", "whose it is" },
	{ 0 },
};

static bool no_role(const char *name, struct problem *p)
{
#define X(name, bit, text, meaning) ", " text
	static const char known[] = TOKEN_ROLES(X);
#undef X
	return problem_set(p, PROBLEM_MALFORMED, "--role: there is no role %s: expected some of %s", name,
	                   known + strlen(", "));
}

static bool parse_roles(const char *text, int64_t *ret, struct problem *p)
{
	auto_value(strings) names = {0};
	enum token_role role;
	if (!option_list(text, &names, p))
		return false;
	if (names.n == 0)
		return problem_set(p, PROBLEM_MALFORMED, "--role: expected at least one role");
	for (size_t i = 0; i < names.n; i++) {
		if (!token_role_from(names.v[i], &role))
			return no_role(names.v[i], p);
		*ret |= role;
	}
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

static bool read_key_hash(const char *path, uint8_t ret[SHA256_SIZE], struct problem *p)
{
	auto_value(buf) text = {0}, der = {0}, spki = {0};
	if (!file_read(path, CERTIFICATE_FILE_MAX, &text, p) ||
	    !ossl_from_pem("CERTIFICATE", buf_bytes(&text), &der, p))
		return false;
	const uint8_t *at = der.data;
	auto(X509) *certificate = d2i_X509(NULL, &at, (long)der.len);
	EVP_PKEY *key = certificate ? X509_get0_pubkey(certificate) : NULL;
	if (!key || at != der.data + der.len)
		return problem_set(p, PROBLEM_MALFORMED, "--certificate: %s holds no certificate that can be read",
		                   path);
	if (!ossl_public_der(key, &spki, p))
		return false;
	digest_sha256(buf_bytes(&spki), ret);
	return true;
}

/* The secret's hash or the key's: hash has room for either. */
static bool make_credential(const struct command_call *call, struct token *token, char text[BEARER_SIZE],
                            uint8_t hash[SHA256_SIZE], struct problem *p)
{
	const char *path = command_value(call, "--certificate");
	text[0] = '\0';
	if (!random_id(token->id, p))
		return false;
	if (path) {
		token->key_hash = BYTES(hash, SHA256_SIZE);
		return read_key_hash(path, hash, p);
	}
	token->hash = BYTES(hash, SHA256_SIZE);
	return bearer_make(token->id, text, hash, p);
}

static bool put(struct store_txn *txn, void *arg, struct problem *p)
{
	const struct token *token = arg;
	const char *names[array_length(role_rows)];
	const struct audit_fact facts[] = {
		audit_text("token", token->id),
		audit_text("identity", token->name),
		audit_text("note", token->note),
		audit_texts("roles", roles_of(token, names)),
		audit_texts("profiles", token->profiles),
		audit_texts("names", token->names),
		audit_hex("keyHash", token->key_hash),
		audit_time("expires", token->expires),
		{ 0 },
	};
	return store_token_put(txn, token, p) && admin_tell(txn, AUDIT_TOKEN_CREATED, token->created, facts, p);
}

static bool print_made(const struct command_call *call, const struct token *token, const char *text, struct problem *p)
{
	auto_value(buf) json = {0};
	if (call->json) {
		put_token(token, *text ? text : NULL, &json);
		return listing_print_object(call, &json, p);
	}
	fprintf(call->out, "id     %s\n", token->id);
	if (*text)
		fprintf(call->out, "token  %s\n", text);
	return true;
}

/* It is put into patterns and shown to people. */
static bool check_identity(const char *name, struct problem *p)
{
	bool good = !name || (*name && strlen(name) <= IDENTITY_MAX && !strpbrk(name, "*{}"));

	for (const char *c = name ?: ""; *c; c++)
		good = good && (unsigned char)*c >= 0x20 && *c != 0x7f;
	return good || problem_set(p, PROBLEM_MALFORMED,
	                           "--identity: expected 1 to %d bytes without control characters and none of *{}",
	                           IDENTITY_MAX);
}

static bool token_create_run(struct command_call *call, struct problem *p)
{
	auto_struct(store) *store = NULL;
	auto_value(strings) profiles = {0}, names = {0};
	char text[BEARER_SIZE];
	uint8_t hash[SHA256_SIZE];
	struct token token = { .note = command_value(call, "--note"),
		               .name = command_value(call, "--identity"),
		               .created = clock_now() };
	if (!check_identity(token.name, p) || !parse_roles(command_value(call, "--role"), &token.roles, p) ||
	    !parse_life(command_value(call, "--expires"), token.created, &token.expires, p) ||
	    !option_profiles(call->admin, command_value(call, "--profile"), &profiles, p) ||
	    !option_names(command_value(call, "--name"), &names, p) ||
	    !make_credential(call, &token, text, hash, p) || !admin_open_store(call->admin, &store, p))
		return false;
	token.profiles = record_texts_of(&profiles);
	token.names = record_texts_of(&names);
	bool ok = store_update(store, put, &token, p) && print_made(call, &token, text, p);
	mem_wipe(text, sizeof text);
	return ok;
}

#define ROLE_LINE(role, bit, text, meaning) "\n  " text ": " meaning

const struct command admin_token_create = {
	.name = "token create", .args = "", .json = true, .admin = true, .options = create_options,
	.run = token_create_run,
	.summary = "make a token for the REST API",
	.details = "Prints the token, which is not shown again: the store keeps its hash alone.\nRoles:"
	           TOKEN_ROLES(ROLE_LINE),
};

/* --- token list */

static bool list_page(struct store_txn *txn, void *arg, const char *after, size_t limit, struct store_page *ret,
                      struct problem *p)
{
	(void)arg;
	return store_token_list(txn, after, limit, ret, p);
}

static void add_texts(const struct record_texts *texts, const char *none, struct buf *ret)
{
	for (size_t i = 0; i < texts->n; i++)
		buf_printf(ret, "%s%s", i ? "," : "", texts->v[i]);
	if (texts->n == 0)
		buf_add_str(ret, none);
}

static void add_token(const struct token *token, struct buf *ret)
{
	char expires[CLOCK_RFC3339_SIZE] = "never";
	const char *names[array_length(role_rows)];
	const struct record_texts roles = roles_of(token, names);
	if (token->expires)
		clock_format(token->expires, expires);
	buf_printf(ret, "%-22s  %-7s  %-20s  ", token->id, status_of(token, clock_now()), expires);
	add_texts(&roles, "", ret);
	buf_add_str(ret, "  ");
	add_texts(&token->profiles, "(all)", ret);
	buf_add_str(ret, "  ");
	add_texts(&token->names, "(any)", ret);
	buf_printf(ret, "%s%s", token->note ? "  " : "", token->note ?: "");
}

static bool list_row(struct store_txn *txn, void *arg, const char *id, bool json, struct buf *ret, struct problem *p)
{
	auto_value(token) token = {0};
	(void)arg;
	if (!store_token_get(txn, id, &token, p))
		return false;
	if (json)
		put_token(&token, NULL, ret);
	else
		add_token(&token, ret);
	return true;
}

static bool token_list_run(struct command_call *call, struct problem *p)
{
	auto_struct(store) *store = NULL;
	const struct listing listing = {
		.call = call, .page = list_page, .row = list_row,
		.heading = "ID                      STATUS   EXPIRES               ROLES  PROFILES  NAMES",
	};
	return admin_open_store(call->admin, &store, p) && listing_print(store, &listing, p);
}

const struct command admin_token_list = {
	.name = "token list", .args = "", .json = true, .admin = true, .run = token_list_run,
	.summary = "list the tokens of the REST API",
};

/* --- token revoke */

struct token_revoking {
	const char *id;
	int64_t now;
	struct token *ret;
};

static bool revoke(struct store_txn *txn, void *arg, struct problem *p)
{
	struct token_revoking *revoking = arg;
	token_free(revoking->ret);
	*revoking->ret = (struct token){0};
	if (!store_token_get(txn, revoking->id, revoking->ret, p))
		return problem_missing(p, "there is no token %s", revoking->id);
	if (revoking->ret->revoked)
		return problem_set(p, PROBLEM_ALREADY_REVOKED, "token %s is revoked already", revoking->id);
	revoking->ret->revoked = revoking->now;
	const struct audit_fact facts[] = {
		audit_text("token", revoking->id), audit_text("note", revoking->ret->note), { 0 },
	};
	return store_token_put(txn, revoking->ret, p) && admin_tell(txn, AUDIT_TOKEN_REVOKED, revoking->now, facts, p);
}

static bool token_revoke_run(struct command_call *call, struct problem *p)
{
	auto_struct(store) *store = NULL;
	auto_value(token) token = {0};
	auto_value(buf) text = {0};
	struct token_revoking revoking = { call->args[0], clock_now(), &token };
	if (!admin_open_store(call->admin, &store, p) || !store_update(store, revoke, &revoking, p))
		return false;
	if (call->json) {
		put_token(&token, NULL, &text);
		return listing_print_object(call, &text, p);
	}
	fprintf(call->out, "revoked %s\n", token.id);
	return true;
}

const struct command admin_token_revoke = {
	.name = "token revoke", .args = "ID", .args_min = 1, .args_max = 1, .json = true, .admin = true,
	.run = token_revoke_run,
	.summary = "revoke a token of the REST API",
	.details = "Counts from the next request on. What it had issued stays valid.",
};
