/* Private keys that the server keeps: cert key, key reseal. */
#include "admin/actor.h"
#include "admin/kept_key.h"
#include "admin/listing.h"
#include "base/base64.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "ca/vault.h"

/* --- cert key */

static bool print_key(const struct command_call *call, EVP_PKEY *key, struct problem *p)
{
	const char *path = command_value(call, "--out");
	auto_value(buf) pem = {0};

	if (!vault_pem(key, NULL, &pem, p))
		return false;
	if (path)
		return file_export(path, buf_bytes(&pem), 0600, p);
	fputs(buf_text(&pem), call->out);
	return fflush(call->out) == 0 || problem_internal(p, "writing: %m");
}

static bool key_run(struct command_call *call, struct problem *p)
{
	auto_struct(store) *store = NULL;
	auto_value(certificate) row = {0};
	auto(EVP_PKEY) *key = NULL;

	return admin_open_store(call->admin, &store, p) &&
	       kept_key_read(call->admin, store, call->args[0], "command", &row, &key, p) &&
	       print_key(call, key, p);
}

static const struct command_option key_options[] = {
	{ "--out", "FILE", "write it there, for its owner alone to read; without: to standard output" },
	{ 0 },
};
const struct command admin_cert_key = {
	.name = "cert key", .args = "ID|SERIAL|FINGERPRINT", .args_min = 1, .args_max = 1, .admin = true,
	.options = key_options, .run = key_run,
	.summary = "print the private key of a certificate, where the server keeps it",
	.details = "PKCS #8, PEM, not encrypted. The audit log tells of it.",
};

/* --- key reseal */

enum { BATCH = 100 };

struct resealing {
	const struct vault *from, *to;
	int64_t now;
	struct store_page page;
	int64_t count, already;
};

static bool read_page(struct store_txn *txn, void *arg, struct problem *p)
{
	struct resealing *r = arg;
	char after[STORE_CURSOR_SIZE];

	memcpy(after, r->page.next, sizeof(after));
	store_page_free(&r->page);
	r->page = (struct store_page){0};
	return store_private_key_list(txn, after, BATCH, &r->page, p);
}

struct resealed {
	struct bytes key_hash;
	struct private_key old, new;
};

static bool read_old(struct store_txn *txn, void *arg, struct problem *p)
{
	struct resealed *one = arg;

	return store_private_key_get(txn, one->key_hash, &one->old, p);
}

static bool put_new(struct store_txn *txn, void *arg, struct problem *p)
{
	const struct resealed *one = arg;
	auto_value(private_key) now = {0};

	/* It may have been forgotten meanwhile, and stays so. */
	return store_private_key_get(txn, one->key_hash, &now, p) &&
	       store_private_key_put(txn, one->key_hash, &one->new, p);
}

static bool reseal(struct store *store, struct resealing *r, struct resealed *one, struct problem *p)
{
	auto(EVP_PKEY) *key = NULL;
	auto_value(buf) sealed = {0};
	uint8_t hash[32];

	if (!store_view(store, read_old, one, p))
		return false;
	if (vault_has(r->to, &one->old)) {
		r->already++;
		return true;
	}
	if (!vault_reveal(r->from, one->key_hash, &one->old, &key, p) ||
	    !vault_close(r->to, key, one->old.created, &sealed, hash, &one->new, p) ||
	    !store_update(store, put_new, one, p))
		return false;
	r->count++;
	return true;
}

static bool reseal_page(struct store *store, struct resealing *r, struct problem *p)
{
	for (size_t i = 0; i < r->page.ids.n; i++) {
		auto_value(buf) hash = {0};
		struct resealed one = {0};
		if (!hex_decode(r->page.ids.v[i], strlen(r->page.ids.v[i]), &hash))
			return problem_internal(p, "a private key under the name %s", r->page.ids.v[i]);
		one.key_hash = buf_bytes(&hash);
		bool done = reseal(store, r, &one, p);
		private_key_free(&one.old);
		if (!done)
			return false;
	}
	return true;
}

static bool tell_resealed(struct store_txn *txn, void *arg, struct problem *p)
{
	const struct resealing *r = arg;
	const struct audit_fact facts[] = { audit_integer("count", r->count), { 0 } };

	return admin_tell(txn, AUDIT_PRIVATE_KEYS_RESEALED, r->now, facts, p);
}

static bool reseal_run(struct command_call *call, struct problem *p)
{
	auto_struct(store) *store = NULL;
	auto_struct(vault) *from = NULL, *to = NULL;
	struct resealing r = { .now = clock_now() };

	if (!admin_open_store(call->admin, &store, p) || !vault_open(store, command_value(call, "--from"), &from, p) ||
	    !vault_open(store, call->admin->key_file, &to, p))
		return false;
	r.from = from;
	r.to = to;
	bool done = true;
	do
		done = store_view(store, read_page, &r, p) && reseal_page(store, &r, p);
	while (done && r.page.next[0]);
	store_page_free(&r.page);
	if (!done || (r.count > 0 && !store_update(store, tell_resealed, &r, p)))
		return false;
	if (!call->json) {
		fprintf(call->out, "%lld sealed anew, %lld were already\n", (long long)r.count, (long long)r.already);
		return true;
	}
	auto_value(buf) text = {0};
	struct json_writer w = json_writer(&text);
	json_open(&w, NULL);
	json_put_integer(&w, "sealed", r.count);
	json_put_integer(&w, "unchanged", r.already);
	json_close(&w);
	return listing_print_object(call, &text, p);
}

static const struct command_option reseal_options[] = {
	{ "--from", "FILE",
	  "the key file they were sealed under until now; without: the key that follows from seal.key" },
	{ 0 },
};
const struct command admin_key_reseal = {
	.name = "key reseal",
	.args = "",
	.json = true,
	.admin = true,
	.options = reseal_options,
	.run = reseal_run,
	.summary = "seal the private keys that the server keeps under the key that `api.key_file` names now",
	.details = "Set `api.key_file`, run this, and restart the server; run it again for keys that were made "
	           "meanwhile. Until then the\n"
	           "server cannot read what is sealed anew.",
};
