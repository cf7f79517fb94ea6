/* Private keys that the server keeps: cert key, key reseal. */
#include "admin/actor.h"
#include "admin/kept_key.h"
#include "admin/listing.h"
#include "base/base64.h"
#include "base/clock.h"
#include "base/digest.h"
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

struct resealed {
	struct bytes key_hash;         /* in `hash` */
	struct private_key old, new;   /* new: its bytes are in `sealed`, which is empty where there is none */
	struct buf hash, sealed;
};

static void resealed_free(struct resealed *one)
{
	private_key_free(&one->old);
	buf_free(&one->sealed);
	buf_free(&one->hash);
}

struct resealing {
	const struct vault *from, *to;
	int64_t now;
	struct store_page page;
	struct resealed *made;         /* of the page: so many as it has ids */
	int64_t put;                   /* of the page: so many were sealed anew */
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

static bool read_old(struct store_txn *txn, void *arg, struct problem *p)
{
	struct resealed *one = arg;

	return store_private_key_get(txn, one->key_hash, &one->old, p);
}

/* What was forgotten since the page was read has no `new` either. */
static bool reseal(struct store *store, struct resealing *r, const char *id, struct resealed *one, struct problem *p)
{
	auto(EVP_PKEY) *key = NULL;
	uint8_t hash[SHA256_SIZE];

	if (!hex_decode(id, strlen(id), &one->hash))
		return problem_internal(p, "a private key under the name %s", id);
	one->key_hash = buf_bytes(&one->hash);
	if (!store_view(store, read_old, one, p))
		return problem_forgive(p, PROBLEM_NOT_FOUND);
	if (vault_has(r->to, &one->old)) {
		r->already++;
		return true;
	}
	return vault_reveal(r->from, one->key_hash, &one->old, &key, p) &&
	       vault_close(r->to, key, one->old.created, &one->sealed, hash, &one->new, p);
}

static bool put_new(struct store_txn *txn, const struct resealed *one, bool *ret_put, struct problem *p)
{
	auto_value(private_key) now = {0};

	*ret_put = false;
	if (one->sealed.len == 0)
		return true;
	if (!store_private_key_get(txn, one->key_hash, &now, p))
		return problem_forgive(p, PROBLEM_NOT_FOUND); /* it was forgotten meanwhile, and stays so */
	*ret_put = true;
	return store_private_key_put(txn, one->key_hash, &one->new, p);
}

/* With the event that tells of them: what is sealed anew is in the audit log, also where a later page fails. */
static bool put_page(struct store_txn *txn, void *arg, struct problem *p)
{
	struct resealing *r = arg;

	r->put = 0;
	for (size_t i = 0; i < r->page.ids.n; i++) {
		bool put;
		if (!put_new(txn, &r->made[i], &put, p))
			return false;
		r->put += put;
	}
	const struct audit_fact facts[] = { audit_integer("count", r->put), { 0 } };
	return r->put == 0 || admin_tell(txn, AUDIT_PRIVATE_KEYS_RESEALED, r->now, facts, p);
}

static bool reseal_page(struct store *store, struct resealing *r, struct problem *p)
{
	size_t n = r->page.ids.n;
	bool done = true;

	if (n == 0)
		return true;
	r->made = calloc(n, sizeof(*r->made));
	if (!r->made)
		return problem_memory(p);
	for (size_t i = 0; done && i < n; i++)
		done = reseal(store, r, r->page.ids.v[i], &r->made[i], p);
	done = done && store_update(store, put_page, r, p);
	for (size_t i = 0; i < n; i++)
		resealed_free(&r->made[i]);
	free(r->made);
	r->count += done ? r->put : 0;
	return done;
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
	if (!done)
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
