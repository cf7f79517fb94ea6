/* ca list, ca show. */
#include <openssl/err.h>

#include "admin/admin.h"
#include "admin/listing.h"
#include "base/clock.h"
#include "base/digest.h"
#include "ca/authority.h"
#include "ca/constraint.h"
#include "ca/files.h"
#include "store/authority.h"

/* What is known of one CA. */
struct ca_facts {
	const char *name;
	X509 *certificate;
	char successor[ISSUER_NAME_SIZE];
	int64_t not_after;
	bool root, key;
	struct authority_state state;
};

static void ca_facts_free(struct ca_facts *facts)
{
	X509_free(facts->certificate);
	authority_state_free(&facts->state);
}
declare_auto_value(ca_facts, ca_facts_free);

static bool read_state(struct store_txn *txn, void *arg, struct problem *p)
{
	struct ca_facts *facts = arg;

	return store_authority_get(txn, facts->name, &facts->state, p);
}

static bool facts_read(const struct command_call *call, struct store *store, const char *name, struct ca_facts *ret,
                       struct problem *p)
{
	const char *folder = call->admin->ca.folder;

	ret->name = name;
	if (!files_certificate(folder, name, &ret->certificate, p) || !files_successor(folder, name, ret->successor, p) ||
	    !authority_not_after(ret->certificate, &ret->not_after, p) || !store_view(store, read_state, ret, p))
		return false;
	ret->root = X509_self_signed(ret->certificate, 1) == 1;
	ret->key = files_has(folder, name, ".key");
	ERR_clear_error();
	return true;
}

static const char *status_of(const struct ca_facts *facts)
{
	if (facts->not_after < clock_now())
		return "expired";
	if (facts->state.disabled)
		return "disabled";
	return *facts->successor ? "succeeded" : "active";
}

static bool put_name(const X509_NAME *name, struct buf *ret)
{
	auto(BIO) *bio = BIO_new(BIO_s_mem());
	char *text;

	if (!bio || X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) < 0)
		return false;
	long len = BIO_get_mem_data(bio, &text);
	buf_add(ret, text, (size_t)len);
	return !ret->failed;
}

/* --- ca list */

static bool list_text(const struct command_call *call, const struct ca_facts *facts, struct problem *p)
{
	auto_value(buf) subject = {0};
	char end[CLOCK_RFC3339_SIZE];

	if (!put_name(X509_get_subject_name(facts->certificate), &subject))
		return problem_memory(p);
	clock_format(facts->not_after, end);
	fprintf(call->out, "%-20s  %-9s  %-20s  %-4s  %-3s  %s\n", facts->name, status_of(facts), end,
	        facts->root ? "root" : "", facts->key ? "yes" : "no", buf_text(&subject));
	return true;
}

static void put_constraints(struct json_writer *w, X509 *certificate, const char *member, bool excluded)
{
	auto(NAME_CONSTRAINTS) *names = X509_get_ext_d2i(certificate, NID_name_constraints, NULL, NULL);
	auto_value(strings) texts = {0};

	if (!constraint_texts(names, excluded, &texts) || texts.n == 0)
		return;
	json_open_array(w, member);
	for (size_t i = 0; i < texts.n; i++)
		json_put(w, NULL, texts.v[i]);
	json_close(w);
}

static bool add_fingerprint(X509 *certificate, struct buf *ret, struct problem *p)
{
	auto_value(buf) der = {0};
	uint8_t digest[SHA256_SIZE];

	if (!ossl_der(i2d_X509, certificate, &der))
		return problem_memory(p);
	digest_sha256(buf_bytes(&der), digest);
	buf_add_hex(ret, BYTES(digest, sizeof digest));
	return buf_check(ret, p);
}

static bool put_numbers(struct json_writer *w, X509 *certificate, struct problem *p)
{
	const ASN1_INTEGER *serial = X509_get0_serialNumber(certificate);
	auto_value(buf) hex = {0}, fingerprint = {0};

	if (!add_fingerprint(certificate, &fingerprint, p))
		return false;
	buf_add_hex(&hex, BYTES(ASN1_STRING_get0_data(serial), (size_t)ASN1_STRING_length(serial)));
	json_put_buf(w, "serial", &hex);
	json_put_buf(w, "fingerprint", &fingerprint);
	return true;
}

static bool put_json(struct json_writer *w, const struct ca_facts *facts, bool whole, struct problem *p)
{
	auto_value(buf) subject = {0}, issuer = {0}, der = {0}, pem = {0};
	long length = X509_get_pathlen(facts->certificate);

	if (!put_name(X509_get_subject_name(facts->certificate), &subject) ||
	    !put_name(X509_get_issuer_name(facts->certificate), &issuer) || !ossl_der(i2d_X509, facts->certificate, &der))
		return problem_memory(p);
	json_open(w, NULL);
	json_put(w, "name", facts->name);
	json_put(w, "status", status_of(facts));
	json_put(w, "successor", *facts->successor ? facts->successor : NULL);
	json_put_bool(w, "root", facts->root);
	json_put_bool(w, "key", facts->key);
	json_put_buf(w, "subject", &subject);
	json_put_buf(w, "issuer", &issuer);
	if (!put_numbers(w, facts->certificate, p))
		return false;
	json_put_time(w, "notAfter", facts->not_after);
	json_put_time(w, "disabled", facts->state.disabled);
	json_put(w, "disabledBy", facts->state.disabled_by);
	if (length >= 0)
		json_put_integer(w, "pathLength", length);
	put_constraints(w, facts->certificate, "permitted", false);
	put_constraints(w, facts->certificate, "excluded", true);
	ossl_pem("CERTIFICATE", buf_bytes(&der), &pem);
	json_put(w, "certificate", whole ? buf_text(&pem) : NULL);
	json_close(w);
	return true;
}

static bool list_run(struct command_call *call, struct problem *p)
{
	auto_struct(store) *store = NULL;
	auto_value(strings) names = {0};
	auto_value(buf) text = {0};
	struct json_writer w = json_writer(&text);

	if (!files_names(call->admin->ca.folder, &names, p) || !admin_open_store(call->admin, &store, p))
		return false;
	json_open_array(&w, NULL);
	if (!call->json)
		fprintf(call->out, "NAME                  STATUS     ENDS                  ROOT  KEY  SUBJECT\n");
	for (size_t i = 0; i < names.n; i++) {
		auto_value(ca_facts) facts = {0};
		if (!facts_read(call, store, names.v[i], &facts, p) ||
		    !(call->json ? put_json(&w, &facts, false, p) : list_text(call, &facts, p)))
			return false;
	}
	json_close(&w);
	return !call->json || listing_print_object(call, &text, p);
}

const struct command admin_ca_list = {
	.name = "ca list", .args = "", .json = true, .admin = true, .run = list_run,
	.summary = "list the CAs, roots among them",
	.details = "STATUS: `succeeded` is one whose place another CA took; KEY: whether its key is in the CA's folder.",
};

/* --- ca show */

static bool show_run(struct command_call *call, struct problem *p)
{
	auto_struct(store) *store = NULL;
	auto_value(ca_facts) facts = {0};
	auto_value(buf) text = {0}, fingerprint = {0};
	struct json_writer w = json_writer(&text);

	if (!admin_open_store(call->admin, &store, p) || !facts_read(call, store, call->args[0], &facts, p) ||
	    !add_fingerprint(facts.certificate, &fingerprint, p))
		return false;
	if (call->json)
		return put_json(&w, &facts, true, p) && listing_print_object(call, &text, p);
	auto(BIO) *out = BIO_new_fp(call->out, BIO_NOCLOSE);
	if (!out)
		return problem_memory(p);
	fprintf(call->out, "name       %s\nstatus     %s\nSHA-256    %s\n", facts.name, status_of(&facts), buf_text(&fingerprint));
	if (*facts.successor)
		fprintf(call->out, "successor  %s\n", facts.successor);
	return X509_print(out, facts.certificate) == 1 && PEM_write_bio_X509(out, facts.certificate) == 1
	        ? true : problem_openssl(p, "printing a certificate");
}

const struct command admin_ca_show = {
	.name = "ca show", .args = "NAME", .args_min = 1, .args_max = 1, .json = true, .admin = true, .run = show_run,
	.summary = "show one CA and its certificate",
};
