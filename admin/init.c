#include "admin/admin.h"

#include <unistd.h>

#include "admin/actor.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/file.h"
#include "base/json.h"
#include "base/ossl.h"
#include "base/random.h"
#include "ca/files.h"
#include "ca/root_list.h"
#include "store/folder.h"

enum { PASSPHRASE_BYTES = 32, PEM_MAX = 64 * 1024 };

bool admin_open_store(const struct admin *admin, struct store **ret, struct problem *p)
{
	return store_open(admin->data_folder, false, NULL, ret, p) ||
	       problem_missing(p, "there is no store in %s: run `enrolld init` first", admin->data_folder);
}

static bool exists(const char *path)
{
	return access(path, F_OK) == 0;
}

static bool passphrase_write(const char *path, struct problem *p)
{
	uint8_t random[PASSPHRASE_BYTES];
	auto_value(buf) text = {0};
	if (!random_bytes(random, sizeof random, p))
		return false;
	buf_add_base64url(&text, BYTES(random, sizeof random));
	buf_add_char(&text, '\n');
	mem_wipe(random, sizeof random);
	return buf_check(&text, p) && file_write(path, buf_bytes(&text), 0600, p);
}

/* Only where no other source is named: what the operator keeps is the operator's to make. */
bool admin_passphrase_complete(const struct admin *admin, bool *ret_made, struct problem *p)
{
	if (admin->passphrase.file || admin->passphrase.environment || admin->passphrase.credential)
		return true;
	auto_free char *path = mem_printf("%s/passphrase", admin->ca.folder);
	if (!path)
		return problem_memory(p);
	if (exists(path))
		return true;
	*ret_made = true;
	return folder_prepare(admin->ca.folder, true, p) && passphrase_write(path, p);
}

/* The passphrase stays empty where there is a CA. */
static bool ca_complete(const struct admin *admin, struct admin_init_result *ret, struct buf *ret_passphrase,
                        struct problem *p)
{
	struct ca_create_options options = admin->ca;
	if (ca_exists(admin->ca.folder))
		return true;
	if (!admin_passphrase_complete(admin, &ret->passphrase, p) ||
	    !secret_read(&admin->passphrase, admin->ca.folder, ret_passphrase, p))
		return false;
	ret->ca = true;
	options.passphrase = ret->passphrase ? KEYFILE_RANDOM : KEYFILE_CHOSEN;
	return ca_create(&options, buf_bytes(ret_passphrase), p);
}

static bool is_silent(struct store_txn *txn, void *arg, struct problem *p)
{
	uint64_t last;
	if (!store_audit_last(txn, &last, p))
		return false;
	*(bool *)arg = last == 0;
	return true;
}

/* A store that tells of nothing, not even of itself, is one that a disk did not let be finished. */
static bool store_complete(const struct admin *admin, bool *ret_made, struct store **ret, struct problem *p)
{
	return store_open(admin->data_folder, true, NULL, ret, p) && store_view(*ret, is_silent, ret_made, p);
}

static bool root_fingerprint(const char *path, struct buf *ret_hex, struct problem *p)
{
	auto_value(buf) pem = {0}, der = {0};
	uint8_t digest[SHA256_SIZE];
	if (!file_read(path, PEM_MAX, &pem, p) || !ossl_from_pem("CERTIFICATE", buf_bytes(&pem), &der, p))
		return false;
	digest_sha256(buf_bytes(&der), digest);
	buf_add_hex(ret_hex, BYTES(digest, sizeof digest));
	return buf_check(ret_hex, p);
}

/* The CA is files: its event can only follow them. */
struct init_event {
	const struct admin *admin;
	const struct admin_init_result *made;
	const char *fingerprint;
	const struct change *change;    /* the CAs' certificates */
	int64_t now;
};

static bool tell(struct store_txn *txn, void *arg, struct problem *p)
{
	const struct init_event *event = arg;
	const struct audit_fact store[] = { audit_text("folder", event->admin->data_folder), { 0 } };
	const struct audit_fact ca[] = {
		audit_text("folder", event->admin->ca.folder), audit_text("rootFingerprint", event->fingerprint), { 0 },
	};
	char actor[ADMIN_ACTOR_SIZE];
	admin_actor(actor);
	return (!event->made->store || admin_tell(txn, AUDIT_STORE_CREATED, event->now, store, p)) &&
	       (!event->made->ca || admin_tell(txn, AUDIT_CA_CREATED, event->now, ca, p)) &&
	       change_record(txn, event->change, actor, event->now, p);
}

/* Those of the folder, whoever made them, so that they can be found and be revoked like any other. */
static bool rows_add(const char *folder, struct change *change, struct problem *p)
{
	const struct life life = { .folder = folder };
	auto_value(strings) names = {0};
	if (!files_names(folder, &names, p))
		return false;
	for (size_t i = 0; i < names.n; i++) {
		auto(X509) *certificate = NULL;
		auto_value(problem) outside = {0};
		char signer[ISSUER_NAME_SIZE] = "";
		if (!files_certificate(folder, names.v[i], &certificate, p))
			return false;
		if (!life_signer(&life, names.v[i], signer, &outside) && outside.kind != PROBLEM_NOT_FOUND)
			return problem_set(p, outside.kind, "%s", problem_cause(&outside));
		if (!change_row(change, certificate, signer, p))
			return false;
	}
	return true;
}

static bool tell_made(const struct admin *admin, const struct admin_init_result *made, struct store *store,
                      struct problem *p)
{
	auto_value(buf) fingerprint = {0};
	auto_free char *root = mem_printf("%s/root.pem", admin->ca.folder);
	auto_value(change) change = {0};
	struct init_event event = { admin, made, NULL, &change, clock_now() };
	if (!root)
		return problem_memory(p);
	if (!root_fingerprint(root, &fingerprint, p) || !rows_add(admin->ca.folder, &change, p))
		return false;
	event.fingerprint = buf_text(&fingerprint);
	return store_update(store, tell, &event, p);
}

static bool list_missing(const struct admin *admin, bool *ret, struct problem *p)
{
	const struct life life = { .folder = admin->ca.folder };
	return root_list_missing(&life, ret, p);
}

/* The root's first list, so that what points to it leads somewhere; also where that alone had failed. */
static bool list_made(const struct admin *admin, struct buf *passphrase, struct store *store, struct problem *p)
{
	if (passphrase->len == 0 && !secret_read(&admin->passphrase, admin->ca.folder, passphrase, p))
		return false;
	const struct life life = { admin->ca.folder, buf_bytes(passphrase), admin->ca.base };
	return root_list_complete(&life, store, p);
}

bool admin_init(const struct admin *admin, struct admin_init_result *ret, struct problem *p)
{
	struct admin_init_result made = {0};
	auto_struct(store) *store = NULL;
	auto_value(buf) passphrase = {0};
	if (!ca_complete(admin, &made, &passphrase, p) || !store_complete(admin, &made.store, &store, p) ||
	    !list_missing(admin, &made.list, p))
		return false;
	if (!made.ca && !made.store && !made.list)
		return problem_set(p, PROBLEM_CONFLICT, "the CA in %s and the store in %s are there already",
		                   admin->ca.folder,
		                   admin->data_folder);
	if ((made.ca || made.store) && !tell_made(admin, &made, store, p))
		return false;
	if (made.list && !list_made(admin, &passphrase, store, p))
		return false;
	*ret = made;
	return true;
}

/* --- the command */

static bool print_json(const struct command_call *call, const struct admin_init_result *made,
                       const char *root, const char *fingerprint, struct problem *p)
{
	auto_value(buf) text = {0};
	struct json_writer w = json_writer(&text);
	json_open(&w, NULL);
	json_put(&w, "root", root);
	json_put(&w, "fingerprint", fingerprint);
	json_put_bool(&w, "madePassphrase", made->passphrase);
	json_put_bool(&w, "madeCa", made->ca);
	json_put_bool(&w, "madeStore", made->store);
	json_put_bool(&w, "madeRootList", made->list);
	json_close(&w);
	if (!buf_check(&text, p))
		return false;
	fprintf(call->out, "%s\n", buf_text(&text));
	return true;
}

static bool run(struct command_call *call, struct problem *p)
{
	const struct admin *admin = call->admin;
	struct admin_init_result made;
	auto_value(buf) fingerprint = {0};
	auto_free char *root = mem_printf("%s/root.pem", admin->ca.folder);
	if (!root)
		return problem_memory(p);
	if (!admin_init(admin, &made, p) || !root_fingerprint(root, &fingerprint, p))
		return false;
	if (call->json)
		return print_json(call, &made, root, buf_text(&fingerprint), p);
	if (made.passphrase)
		fprintf(call->out, "made  the passphrase   %s/passphrase\n", admin->ca.folder);
	fprintf(call->out, "%-5s the CA           %s\n", made.ca ? "made" : "found", admin->ca.folder);
	fprintf(call->out, "%-5s the store        %s\n", made.store ? "made" : "found", admin->data_folder);
	if (made.list)
		fprintf(call->out, "made  the root's CRL   %s/root.crl\n", admin->ca.folder);
	fprintf(call->out, "root certificate       %s\n", root);
	fprintf(call->out, "its SHA-256            %s\n", buf_text(&fingerprint));
	return true;
}

const struct command admin_init_command = {
	.name = "init",
	.args = "",
	.summary = "make the CA and the store",
	.details = "Makes what is missing; what is there is left as it is. Without a passphrase source in "
	           "the configuration\n"
	           "a random passphrase is written to `passphrase` in the CA's folder.",
	.json = true, .admin = true,
	.run = run,
};
