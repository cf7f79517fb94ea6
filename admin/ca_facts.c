#include "admin/ca_facts.h"

#include <openssl/err.h>

#include "base/clock.h"
#include "base/digest.h"
#include "ca/authority.h"
#include "ca/constraint.h"
#include "ca/files.h"
#include "ca/responder.h"
#include "store/revocation.h"

void ca_facts_free(struct ca_facts *facts)
{
	X509_free(facts->certificate);
	ossl_free_stack_x509(facts->chain);
	authority_state_free(&facts->state);
}

/* --- read */

bool ca_facts_has(const char *folder, const char *name)
{
	auto_value(problem) why = {0};

	return issuer_name_check(name, &why) && files_has(folder, name, ".pem");
}

static bool read_responder(struct store_txn *txn, struct ca_facts *facts, struct problem *p)
{
	enum { LOOK_MAX = 100 };
	auto_value(store_page) page = {0};

	if (!store_certificate_list(txn, CERTIFICATE_BY_PROFILE, RESPONDER_PROFILE, "", LOOK_MAX, &page, p))
		return false;
	for (size_t i = 0; i < page.ids.n && !facts->responder.id[0]; i++) {
		auto_value(certificate) row = {0};
		if (!store_certificate_get(txn, page.ids.v[i], &row, p))
			return false;
		if (!str_equal(row.issuer ?: "", facts->name) || row.status != CERTIFICATE_VALID ||
		    row.not_after < facts->now)
			continue;
		memcpy(facts->responder.id, row.id, sizeof(row.id));
		facts->responder.not_after = row.not_after;
	}
	return true;
}

static bool read_store(struct store_txn *txn, void *arg, struct problem *p)
{
	struct ca_facts *facts = arg;
	auto_value(revocation) revocation = {0};

	if (!store_authority_get(txn, facts->name, &facts->state, p) ||
	    !store_revocation_get(txn, facts->name, &revocation, p))
		return false;
	facts->crl = (struct ca_list){
		.number = revocation.crl_number, .this_update = revocation.crl_time, .shards = revocation.shards ?: 1,
		.waiting = revocation.changes != revocation.crl_changes,
	};
	return read_responder(txn, facts, p);
}

/* One that is not to be had says nothing against the rest. */
static void read_lists(struct crls *crls, struct ca_facts *facts)
{
	struct ca_list read = facts->crl;

	read.entries = 0;
	for (size_t i = 0; i < (size_t)facts->crl.shards; i++) {
		auto_struct(crl) *crl = NULL;
		auto_value(problem) why = {0};
		if (!crls_get(crls, facts->name, (struct crl_name){ .shard = i }, &crl, &why))
			return;
		read.number = crl->number;
		read.this_update = crl->this_update;
		read.next_update = crl->next_update;
		read.entries += (int64_t)crl->count;
	}
	facts->crl = read;
}

bool ca_facts_read(const struct ca_place *place, struct store *store, const char *name, struct ca_facts *ret,
                   struct problem *p)
{
	ret->name = name;
	ret->now = clock_now();
	if (!files_certificate(place->folder, name, &ret->certificate, p) ||
	    !files_chain(place->folder, name, &ret->chain, p) ||
	    !files_successor(place->folder, name, ret->successor, p) ||
	    !authority_not_after(ret->certificate, &ret->not_after, p) || !store_view(store, read_store, ret, p))
		return false;
	if (place->crls)
		read_lists(place->crls, ret);
	if (!ossl_time(X509_get0_notBefore(ret->certificate), &ret->not_before))
		return problem_openssl(p, "reading the begin of a CA certificate");
	ret->root = X509_self_signed(ret->certificate, 1) == 1;
	ret->key = files_has(place->folder, name, ".key");
	ERR_clear_error();
	return true;
}

const char *ca_facts_status(const struct ca_facts *facts)
{
	if (facts->not_after < facts->now)
		return "expired";
	if (facts->state.disabled)
		return "disabled";
	return *facts->successor ? "succeeded" : "active";
}

/* --- told */

bool ca_facts_subject(X509_NAME *name, struct buf *ret, struct problem *p)
{
	auto(BIO) *bio = BIO_new(BIO_s_mem());
	char *text;

	if (!bio || X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) < 0)
		return problem_memory(p);
	long len = BIO_get_mem_data(bio, &text);
	buf_add(ret, text, (size_t)len);
	return buf_check(ret, p);
}

bool ca_facts_fingerprint(X509 *certificate, struct buf *ret, struct problem *p)
{
	auto_value(buf) der = {0};
	uint8_t digest[SHA256_SIZE];

	if (!ossl_der(i2d_X509, certificate, &der))
		return problem_memory(p);
	digest_sha256(buf_bytes(&der), digest);
	buf_add_hex(ret, BYTES(digest, sizeof(digest)));
	return buf_check(ret, p);
}

static bool put_names(struct json_writer *w, X509 *certificate, struct problem *p)
{
	const ASN1_INTEGER *serial = X509_get0_serialNumber(certificate);
	auto_value(buf) subject = {0}, issuer = {0}, hex = {0}, fingerprint = {0};

	if (!ca_facts_subject(X509_get_subject_name(certificate), &subject, p) ||
	    !ca_facts_subject(X509_get_issuer_name(certificate), &issuer, p) ||
	    !ca_facts_fingerprint(certificate, &fingerprint, p))
		return false;
	buf_add_hex(&hex, BYTES(ASN1_STRING_get0_data(serial), (size_t)ASN1_STRING_length(serial)));
	json_put_buf(w, "subject", &subject);
	json_put_buf(w, "issuer", &issuer);
	json_put_buf(w, "serial", &hex);
	json_put_buf(w, "fingerprint", &fingerprint);
	return true;
}

static void put_constraints(struct json_writer *w, X509 *certificate, const char *member, bool excluded)
{
	auto(NAME_CONSTRAINTS) *names = X509_get_ext_d2i(certificate, NID_name_constraints, NULL, NULL);
	auto_value(strings) texts = {0};

	if (constraint_texts(names, excluded, &texts) && texts.n > 0)
		json_put_strings(w, member, &texts);
}

static void put_url(struct json_writer *w, const struct ca_place *place, const char *what, const char *name,
                    const char *rest)
{
	auto_value(buf) url = {0};

	if (!place->base)
		return;
	buf_printf(&url, "%s/%s/%s%s", place->base, what, name, rest);
	json_put_buf(w, "url", &url);
}

static void put_status(struct json_writer *w, const struct ca_place *place, const struct ca_facts *facts)
{
	const struct ca_list *crl = &facts->crl;

	json_open(w, "crl");
	put_url(w, place, "crl", facts->name, "/0.crl");
	json_put_integer(w, "shards", crl->shards);
	if (crl->number)
		json_put_integer(w, "number", crl->number);
	json_put_time(w, "thisUpdate", crl->this_update);
	json_put_time(w, "nextUpdate", crl->next_update);
	if (crl->next_update)
		json_put_integer(w, "entries", crl->entries);
	json_put_bool(w, "waiting", crl->waiting);
	json_close(w);
	if (!facts->responder.id[0])
		return;
	json_open(w, "ocsp");
	put_url(w, place, "ocsp", facts->name, "");
	json_put(w, "responderCertificateId", facts->responder.id);
	json_put_time(w, "responderNotAfter", facts->responder.not_after);
	json_close(w);
}

static bool add_pem(X509 *certificate, struct buf *ret)
{
	auto_value(buf) der = {0};

	if (!ossl_der(i2d_X509, certificate, &der))
		return false;
	ossl_pem("CERTIFICATE", buf_bytes(&der), ret);
	return !ret->failed;
}

/* With those above it: what a client is to be given, the root at its end. */
static bool put_pem(struct json_writer *w, const struct ca_facts *facts, struct problem *p)
{
	auto_value(buf) pem = {0}, chain = {0};
	bool good = add_pem(facts->certificate, &pem) && add_pem(facts->certificate, &chain);

	for (int i = 0; good && !facts->root && i < sk_X509_num(facts->chain); i++)
		good = add_pem(sk_X509_value(facts->chain, i), &chain);
	if (!good)
		return problem_memory(p);
	json_put_buf(w, "certificate", &pem);
	json_put_buf(w, "certificateChain", &chain);
	return true;
}

bool ca_facts_put(struct json_writer *w, const struct ca_place *place, const char *id, const struct ca_facts *facts,
                  bool whole, struct problem *p)
{
	long length = X509_get_pathlen(facts->certificate);

	json_open(w, NULL);
	json_put(w, id, facts->name);
	json_put(w, "status", ca_facts_status(facts));
	json_put_some(w, "successor", facts->successor);
	json_put_bool(w, "root", facts->root);
	json_put_bool(w, "key", facts->key);
	if (!put_names(w, facts->certificate, p))
		return false;
	json_put_time(w, "notBefore", facts->not_before);
	json_put_time(w, "notAfter", facts->not_after);
	json_put_bool(w, "disabled", facts->state.disabled != 0);
	json_put_time(w, "disabledSince", facts->state.disabled);
	json_put(w, "disabledBy", facts->state.disabled_by);
	if (length >= 0)
		json_put_integer(w, "pathLength", length);
	put_constraints(w, facts->certificate, "permitted", false);
	put_constraints(w, facts->certificate, "excluded", true);
	put_status(w, place, facts);
	if (whole && !put_pem(w, facts, p))
		return false;
	json_close(w);
	return true;
}

/* --- disabled, enabled */

struct switching {
	const char *name;
	bool disable;
	const struct actor *actor;
};

static bool decide(struct store_txn *txn, void *arg, struct problem *p)
{
	const struct switching *s = arg;
	auto_value(authority_state) state = {0};
	const struct audit_fact facts[] = { audit_text("ca", s->name), { 0 } };

	if (!store_authority_get(txn, s->name, &state, p))
		return false;
	if ((state.disabled != 0) == s->disable)
		return problem_set(p, PROBLEM_CONFLICT, "%s is %s already", s->name,
		                   s->disable ? "disabled" : "enabled");
	state.disabled = s->disable ? s->actor->now : 0;
	state.disabled_by = s->disable ? s->actor->name : NULL;
	return store_authority_put(txn, &state, p) &&
	       actor_tell(txn, s->disable ? AUDIT_CA_DISABLED : AUDIT_CA_ENABLED, s->actor, facts, p);
}

bool ca_switch(struct store *store, const char *name, bool disable, const struct actor *actor, struct problem *p)
{
	struct switching switching = { name, disable, actor };

	return store_update(store, decide, &switching, p);
}
