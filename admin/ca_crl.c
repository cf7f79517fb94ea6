/* ca crl: the list of what a root revoked, made by hand. ca revoke. */
#include "admin/actor.h"
#include "admin/ca_work.h"
#include "admin/listing.h"
#include "base/clock.h"
#include "base/digest.h"
#include "ca/files.h"
#include "ca/revocation.h"
#include "ca/root_list.h"

/* --- the command */

static const struct command_option options[] = {
	{ "--lifetime", "DURATION", "until nextUpdate; without: 1y" },
	{ 0 },
};

static bool make(const struct command_call *call, const struct ca_work *work, const char *name, struct json_writer *w,
                 struct problem *p)
{
	auto_struct(crl) *crl = NULL;
	char ends[CLOCK_RFC3339_SIZE], actor[ADMIN_ACTOR_SIZE];
	int64_t lifetime = work->terms.lifetime ?: ROOT_LIST_LIFETIME;
	bool is_root;

	if (!life_is_root(&work->life, name, &is_root, p))
		return false;
	if (!is_root)
		return problem_set(p, PROBLEM_MALFORMED, "%s is no root: the server makes its CRL", name);
	admin_actor(actor);
	if (!root_list_make(&work->life, work->store, name, lifetime, actor, &crl, p))
		return false;
	clock_format(crl->next_update, ends);
	if (!call->json)
		fprintf(call->out, "wrote %s/%s.crl: number %lld, %zu entries, until %s\n", work->life.folder, name,
		        (long long)crl->number, crl->count, ends);
	json_open(w, NULL);
	json_put(w, "ca", name);
	json_put_integer(w, "number", crl->number);
	json_put_integer(w, "entries", (int64_t)crl->count);
	json_put_time(w, "nextUpdate", crl->next_update);
	json_close(w);
	return true;
}

static bool run(struct command_call *call, struct problem *p)
{
	auto_value(ca_work) work = {0};
	auto_value(strings) roots = {0};
	auto_value(buf) text = {0};
	struct json_writer w = json_writer(&text);

	if (!ca_work_open(call, false, &work, p) || !ca_work_terms(call, &work, p))
		return false;
	if (call->arg_count ? !strings_add(&roots, call->args[0]) : !root_list_names(&work.life, &roots, p))
		return call->arg_count ? problem_memory(p) : false;
	if (roots.n == 0)
		return problem_set(p, PROBLEM_NOT_FOUND, "no key of a root is in %s", work.life.folder);
	json_open_array(&w, NULL);
	for (size_t i = 0; i < roots.n; i++)
		if (!make(call, &work, roots.v[i], &w, p))
			return false;
	json_close(&w);
	return !call->json || listing_print_object(call, &text, p);
}

const struct command admin_ca_crl = {
	.name = "ca crl",
	.args = "[ROOT]",
	.args_max = 1,
	.json = true,
	.admin = true,
	.options = options,
	.run = run,
	.summary = "make the CRL of a root, or of all whose key is here",
	.details = "It lists the CA certificates that `enrolld cert revoke` revoked. A server that runs sends it "
	           "from then\n"
	           "on, and makes it anew when three quarters of its time are over, where the root's key is in the "
	           "CA's\n"
	           "folder. CRLs of issuing CAs are the server's own matter.",
};

/* --- after `cert revoke` and `cert release` */

static bool renew(const struct admin *admin, struct store *store, const char *root, struct problem *p)
{
	auto_value(buf) passphrase = {0};
	auto_struct(crl) *crl = NULL;
	char actor[ADMIN_ACTOR_SIZE];

	admin_actor(actor);
	if (!files_has(admin->ca.folder, root, ".key"))
		return problem_set(p, PROBLEM_NOT_FOUND, "its key is not in %s", admin->ca.folder);
	if (!secret_read(&admin->passphrase, admin->ca.folder, &passphrase, p))
		return false;
	const struct life life = { .folder = admin->ca.folder,
		                   .passphrase = buf_bytes(&passphrase),
		                   .base = admin->ca.base };
	return root_list_make(&life, store, root, ROOT_LIST_LIFETIME, actor, &crl, p);
}

void ca_work_list_anew(const struct command_call *call, struct store *store, const char *issuer)
{
	const struct admin *admin = call->admin;
	const struct life life = { .folder = admin->ca.folder, .base = admin->ca.base };
	auto_value(problem) unknown = {0}, why = {0};
	bool is_root = false;

	if (!issuer || !files_has(admin->ca.folder, issuer, ".pem") ||
	    !life_is_root(&life, issuer, &is_root, &unknown) || !is_root || renew(admin, store, issuer, &why))
		return;
	fprintf(stderr,
	        "The CRL of %s does not tell of it yet: %s. Run `enrolld ca crl %s` where its key is, and copy "
	        "%s.crl into %s.\n",
	        issuer, problem_cause(&why), issuer, issuer, admin->ca.folder);
}

/* --- ca revoke */

enum { PAGE = 100 };

static const struct command_option revoke_options[] = {
	{ "--reason", "REASON", "name or number of RFC 5280, 5.3.1; without: cACompromise" },
	{ "--lifetime", "DURATION", "of the root's list, until nextUpdate; without: 1y" },
	{ 0 },
};

struct revoking {
	const struct change *change;
	struct bytes fingerprint;
	int64_t reason, now;
	char actor[ADMIN_ACTOR_SIZE];
	size_t count;
	struct strings signers;           /* whose lists are to tell of it */
};

/* What has ended, is revoked for as much, or was signed elsewhere is left alone. */
static bool revoke_one(struct store_txn *txn, struct revoking *r, const char *id, struct problem *p)
{
	auto_value(certificate) row = {0};
	auto_value(problem) why = {0};

	if (!store_certificate_get(txn, id, &row, p))
		return false;
	if (!row.issuer || !*row.issuer || row.not_after < r->now)
		return true;
	if (!revocation_record(txn, id, r->reason, r->now, r->actor, NULL, REVOCATION_BY_OPERATOR, &why)) {
		if (why.kind == PROBLEM_ALREADY_REVOKED)
			return true;
		*p = why;
		why = (struct problem){0};
		return false;
	}
	r->count++;
	return strings_has(&r->signers, row.issuer) || strings_add(&r->signers, row.issuer) || problem_memory(p);
}

static bool revoke_of_key(struct store_txn *txn, struct revoking *r, struct bytes key_hash, struct problem *p)
{
	auto_value(buf) hex = {0};
	char next[STORE_CURSOR_SIZE] = "";

	buf_add_hex(&hex, key_hash);
	if (!buf_check(&hex, p))
		return false;
	do {
		auto_value(store_page) page = {0};
		if (!store_certificate_list(txn, CERTIFICATE_BY_KEY, buf_text(&hex), next, PAGE, &page, p))
			return false;
		for (size_t i = 0; i < page.ids.n; i++)
			if (!revoke_one(txn, r, page.ids.v[i], p))
				return false;
		memcpy(next, page.next, sizeof(next));
	} while (next[0]);
	return true;
}

/* A CA that was renewed has other certificates of its key, with which all that it issued verifies too: they go with it.
 * One that an older version made is in the inventory only now. */
static bool revoke(struct store_txn *txn, void *arg, struct problem *p)
{
	struct revoking *r = arg;
	auto_value(certificate) row = {0};

	r->count = 0;
	if (!change_record(txn, r->change, r->actor, r->now, p) ||
	    !store_certificate_by_fingerprint(txn, r->fingerprint, &row, p) || !revoke_of_key(txn, r, row.key_hash, p))
		return false;
	/* None was left: this one says why. */
	return r->count > 0 ||
	       revocation_record(txn, row.id, r->reason, r->now, r->actor, NULL, REVOCATION_BY_OPERATOR, p);
}

/* The list of `signer` is the caller's to make. */
static bool revoke_certificates(const struct command_call *call, struct ca_work *work, const char *name,
                                const char *signer, int64_t reason, struct problem *p)
{
	auto(X509) *certificate = NULL;
	auto_value(buf) der = {0};
	uint8_t fingerprint[SHA256_SIZE];

	if (!files_certificate(work->life.folder, name, &certificate, p) ||
	    !change_row(&work->change, certificate, signer, p))
		return false;
	if (!ossl_der(i2d_X509, certificate, &der))
		return problem_memory(p);
	digest_sha256(buf_bytes(&der), fingerprint);
	struct revoking revoking = {
		.change = &work->change,
		.fingerprint = BYTES(fingerprint, sizeof fingerprint),
		.reason = reason,
		.now = clock_now(),
	};
	admin_actor(revoking.actor);
	bool done = store_update(work->store, revoke, &revoking, p);
	if (done && !call->json)
		fprintf(call->out, "revoked %zu certificate%s of %s\n", revoking.count,
		        revoking.count == 1 ? "" : "s", name);
	for (size_t i = 0; done && i < revoking.signers.n; i++)
		if (!str_equal(revoking.signers.v[i], signer))
			ca_work_list_anew(call, work->store, revoking.signers.v[i]);
	strings_free(&revoking.signers);
	return done;
}

static bool revoke_run(struct command_call *call, struct problem *p)
{
	auto_value(ca_work) work = {0};
	auto_value(buf) text = {0};
	struct json_writer w = json_writer(&text);
	const char *name = call->args[0], *reason_text = command_value(call, "--reason") ?: "cACompromise";
	char signer[ISSUER_NAME_SIZE];
	int64_t reason;
	bool is_root;

	if (!revocation_reason_from(reason_text, &reason))
		return problem_set(p, PROBLEM_BAD_REVOCATION_REASON, "--reason: there is no reason `%s`", reason_text);
	if (!ca_work_open(call, false, &work, p) || !ca_work_terms(call, &work, p) ||
	    !life_is_root(&work.life, name, &is_root, p))
		return false;
	if (is_root)
		return problem_set(p, PROBLEM_MALFORMED,
		                   "%s is a root: nothing stands above it that could revoke it", name);
	return life_signer(&work.life, name, signer, p) && revoke_certificates(call, &work, name, signer, reason, p) &&
	       make(call, &work, signer, &w, p) && (!call->json || listing_print_object(call, &text, p));
}

const struct command admin_ca_revoke = {
	.name = "ca revoke",
	.args = "NAME",
	.args_min = 1,
	.args_max = 1,
	.json = true,
	.admin = true,
	.options = revoke_options,
	.run = revoke_run,
	.summary = "revoke the certificate of a CA, and make the root's CRL anew",
	.details = "Those that it had before it was renewed, of the same key, are revoked with it. For a CA whose "
	           "root's key is here. It is not\n"
		   "disabled by this: `enrolld ca disable` does that.",
};
