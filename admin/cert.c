/* One certificate of the inventory: cert show, cert revoke, cert release. */
#include "admin/actor.h"
#include "admin/ca_work.h"
#include "admin/certificate.h"
#include "admin/listing.h"
#include "admin/words.h"
#include "base/clock.h"
#include "base/ossl.h"
#include "ca/revocation.h"

/* --- one certificate in words */

static void add_hex(const char *label, struct bytes value, struct buf *ret)
{
	buf_printf(ret, "%-13s", label);
	buf_add_hex(ret, value);
	buf_add_char(ret, '\n');
}

static void add_renewal(const struct certificate *certificate, struct buf *ret)
{
	words_text("replaces", certificate->replaces, ret);
	words_text("replaced by", certificate->replaced_by, ret);
	if (!certificate->key_kept)
		return;
	words_text("key", "kept by the server", ret);
	words_text("renewal", certificate_renewal_state(certificate), ret);
	words_time("next try", certificate->renew_at, ret);
	words_text("last error", certificate->renew_error, ret);
}

static void add_certificate(const struct certificate *certificate, struct buf *ret)
{
	words_text("id", certificate->id, ret);
	words_text("status", certificate_status_name(certificate, clock_now()), ret);
	add_hex("serial", certificate->serial, ret);
	add_hex("fingerprint", certificate->fingerprint, ret);
	words_text("subject", certificate->subject, ret);
	buf_printf(ret, "%-13s", "names");
	certificate_add_names(certificate, ret);
	buf_add_char(ret, '\n');
	words_text("issuer", certificate->issuer, ret);
	words_text("profile", certificate->profile, ret);
	words_time("not before", certificate->not_before, ret);
	words_time("not after", certificate->not_after, ret);
	words_time("issued", certificate->issued, ret);
	words_text("method", certificate->method, ret);
	words_time("renew from", certificate->advised_from, ret);
	words_time("renew until", certificate->advised_until, ret);
	words_text("account", certificate->account, ret);
	words_text("identity", certificate->identity, ret);
	add_renewal(certificate, ret);
	words_time("released", certificate->released, ret);
	if (certificate->status == CERTIFICATE_REVOKED) {
		words_time("revoked", certificate->revoked, ret);
		words_text("reason", revocation_reason_name(certificate->reason), ret);
		words_text("revoked by", certificate->revoked_by, ret);
	}
	ossl_pem("CERTIFICATE", certificate->der, ret);
}

/* --- finding one */

struct cert_finding {
	const char *text;
	struct certificate *ret;
};

static bool view(struct store_txn *txn, void *arg, struct problem *p)
{
	const struct cert_finding *finding = arg;
	return certificate_find(txn, finding->text, finding->ret, p);
}

/* --- cert show */

static bool cert_show_run(struct command_call *call, struct problem *p)
{
	auto_struct(store) *store = NULL;
	auto_value(certificate) certificate = {0};
	auto_value(buf) text = {0};
	struct cert_finding finding = { call->args[0], &certificate };
	if (!admin_open_store(call->admin, &store, p) || !store_view(store, view, &finding, p))
		return false;
	if (call->json)
		certificate_json(&certificate, true, &text);
	else
		add_certificate(&certificate, &text);
	return listing_print_object(call, &text, p);
}

const struct command admin_cert_show = {
	.name = "cert show", .args = "ID|SERIAL|FINGERPRINT", .args_min = 1, .args_max = 1, .json = true,
	.admin = true,
	.run = cert_show_run,
	.summary = "show one certificate, with its PEM",
	.details = "SERIAL and FINGERPRINT (SHA-256) are hexadecimal, with or without colons.",
};

/* --- cert revoke, cert release */

struct cert_revoking {
	const char *text;
	int64_t reason, now;
	bool release;
	struct certificate *ret;       /* as it is afterwards */
};

static bool find_again(struct store_txn *txn, struct cert_revoking *revoking, struct problem *p)
{
	certificate_free(revoking->ret);
	*revoking->ret = (struct certificate){0};
	return certificate_find(txn, revoking->text, revoking->ret, p);
}

static bool revoke(struct store_txn *txn, void *arg, struct problem *p)
{
	struct cert_revoking *r = arg;
	char actor[ADMIN_ACTOR_SIZE];
	admin_actor(actor);
	if (!find_again(txn, r, p))
		return false;
	bool done = r->release ? revocation_release(txn, r->ret->id, r->now, actor, NULL, p)
	                       : revocation_record(txn, r->ret->id, r->reason, r->now, actor, NULL,
	                                           REVOCATION_BY_OPERATOR, p);
	return done && find_again(txn, r, p);
}

static bool change(const struct command_call *call, struct cert_revoking *revoking, struct problem *p)
{
	auto_struct(store) *store = NULL;
	auto_value(certificate) certificate = {0};
	auto_value(buf) text = {0};
	revoking->text = call->args[0];
	revoking->now = clock_now();
	revoking->ret = &certificate;
	if (!admin_open_store(call->admin, &store, p) || !store_update(store, revoke, revoking, p))
		return false;
	ca_work_list_anew(call, store, certificate.issuer);
	if (call->json) {
		certificate_json(&certificate, false, &text);
		return listing_print_object(call, &text, p);
	}
	if (revoking->release)
		fprintf(call->out, "released %s\n", certificate.id);
	else
		fprintf(call->out, "revoked %s (%s)\n", certificate.id, revocation_reason_name(certificate.reason));
	return true;
}

static const struct command_option revoke_options[] = {
	{ "--reason", "REASON", "of RFC 5280, 5.3.1: keyCompromise, superseded, ...; its name or number" },
	{ 0 },
};

static bool cert_revoke_run(struct command_call *call, struct problem *p)
{
	struct cert_revoking revoking = {0};
	const char *reason = command_value(call, "--reason");
	auto_value(buf) known = {0};
	revocation_reasons_add(&known, REVOCATION_BY_OPERATOR);
	if (reason && !revocation_reason_from(reason, &revoking.reason))
		return problem_set(p, PROBLEM_MALFORMED, "--reason: RFC 5280, 5.3.1 has no `%s`: expected %s",
		                   reason, buf_text(&known));
	return change(call, &revoking, p);
}

const struct command admin_cert_revoke = {
	.name = "cert revoke",
	.args = "ID|SERIAL|FINGERPRINT",
	.args_min = 1,
	.args_max = 1,
	.json = true,
	.admin = true,
	.options = revoke_options,
	.run = cert_revoke_run,
	.summary = "revoke one certificate",
	.details = "Takes effect at once, also in a server that runs. Without --reason: unspecified. What is "
	           "revoked with\n"
		   "certificateHold can be revoked for another reason, or be released; what was revoked for "
	           "another reason once\n"
		   "more with keyCompromise or cACompromise, which leaves the time of the revocation as it was.",
};

static bool cert_release_run(struct command_call *call, struct problem *p)
{
	struct cert_revoking revoking = { .release = true };
	return change(call, &revoking, p);
}

const struct command admin_cert_release = {
	.name = "cert release", .args = "ID|SERIAL|FINGERPRINT", .args_min = 1, .args_max = 1, .json = true,
	.admin = true,
	.run = cert_release_run,
	.summary = "end the hold of one certificate",
	.details = "Of one that was revoked with the reason certificateHold, and of no other: it counts again at once.",
};
