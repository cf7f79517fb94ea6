#include "policy/gate_case.h"

#include <stdio.h>

#include "base/base64.h"
#include "base/digest.h"
#include "policy/client_certificate.h"
#include "store/certificate.h"

enum { PAGE = 100, RENEWALS_MAX = 1000 };

struct key_search {
	struct gate_case *c;
	uint8_t thumbprint[SHA256_SIZE];
	struct strings line;  /* the certificates that are renewed, newest first */
};

static bool account_find(struct store_txn *txn, const char *directory, struct key_search *search,
                         struct problem *p)
{
	auto_value(account) account = {0};

	if (!store_account_by_key(txn, directory, BYTES(search->thumbprint, SHA256_SIZE), &account, p))
		return problem_forgive(p, PROBLEM_NOT_FOUND);
	search->c->key_is_account = true;
	return true;
}

/* A directory is named by its profile; the order's may be one that no profile has any more. */
static bool account_find_all(struct store_txn *txn, struct key_search *search, struct problem *p)
{
	const struct profile *profile;

	for (size_t i = 0; (profile = profiles_at(search->c->profiles, i)); i++)
		if (!account_find(txn, profile->name, search, p))
			return false;
	return !search->c->order.directory || account_find(txn, search->c->order.directory, search, p);
}

/* Of the same requester: of the account, or of who asks by the same method under the same name. */
static bool is_own(const struct gate_case *c, const struct certificate *certificate)
{
	const struct identity *who = c->tester ?: c->identity;
	const char *method = c->method == PROFILE_EST ? "est" : "api";

	if (!c->identity)
		return str_equal(certificate->account, c->asker ?: c->account.id);
	return str_equal(certificate->account, "") &&
	       str_equal(certificate->method ?: "", c->asker ? method : identity_method(who)) &&
	       str_equal(certificate->identity ?: "", c->asker ?: identity_text(who));
}

static bool has_name(const struct gate_case *c, const struct certificate_name *name)
{
	for (size_t i = 0; i < c->names.n; i++)
		if (str_equal(identifier_type_name(c->names.v[i].type), name->type) &&
		    str_equal(c->names.v[i].value, name->value))
			return true;
	for (size_t i = 0; i < c->csr->other_count; i++)
		if (c->csr->others[i].value[0] && str_equal(c->csr->others[i].value, name->value))
			return true;
	return str_equal(name->type, "cn") && subject_has(&c->subject, SUBJECT_CN, name->value);
}

/* Whoever asks for it: of the same subject, or a name of it. Another credential for the same device is no other
 * device. */
static bool is_of_holder(const struct gate_case *c, const struct certificate *certificate)
{
	const struct certificate_name *names = certificate->names.v;
	auto_value(buf) subject = {0};

	for (size_t i = 0; i < certificate->names.n; i++)
		if (has_name(c, &names[i]))
			return true;
	subject_text(&c->subject, &subject);
	return subject.len > 0 && str_equal(buf_text(&subject), certificate->subject ?: "");
}

/* The certificate that is renewed, or that a client of EST shows. */
static const char *renewed(const struct gate_case *c)
{
	const struct client_certificate *held = c->identity ? identity_certificate(c->identity, NULL) : NULL;

	return held && !identity_vouches(c->identity) ? held->id : c->wish ? c->wish->replaces : NULL;
}

/* It, the one that it has renewed, and so on: of whoever asked for each of them, they are one holder's. */
static bool line_read(struct store_txn *txn, struct key_search *search, struct problem *p)
{
	char id[RANDOM_ID_SIZE] = "";

	snprintf(id, sizeof(id), "%s", renewed(search->c) ?: "");
	while (id[0] != '\0' && search->line.n < RENEWALS_MAX && !strings_has(&search->line, id)) {
		auto_value(certificate) certificate = {0};
		if (!store_certificate_get(txn, id, &certificate, p))
			return problem_forgive(p, PROBLEM_NOT_FOUND);
		if (!strings_add(&search->line, id))
			return problem_memory(p);
		snprintf(id, sizeof(id), "%s", certificate.replaces ?: "");
	}
	return true;
}

static bool page_look(struct store_txn *txn, struct key_search *search, const struct strings *ids, struct problem *p)
{
	struct gate_case *c = search->c;

	for (size_t i = 0; i < ids->n; i++) {
		auto_value(certificate) certificate = {0};
		if (!store_certificate_get(txn, ids->v[i], &certificate, p))
			return false;
		bool own = is_own(c, &certificate) || strings_has(&search->line, certificate.id);
		c->key_of_other = c->key_of_other || !own;
		c->key_again = c->key_again || own || is_of_holder(c, &certificate);
	}
	return true;
}

/* All certificates of the key, and only where a switch of the policy makes them matter: with it on, there
 * are few. */
static bool certificates_look(struct store_txn *txn, struct key_search *search, struct problem *p)
{
	struct gate_case *c = search->c;
	auto_value(buf) hex = {0};
	char after[STORE_CURSOR_SIZE] = "";

	buf_add_hex(&hex, BYTES(c->csr->key_hash, SHA256_SIZE));
	if (!buf_check(&hex, p) || !line_read(txn, search, p))
		return false;
	do {
		auto_value(store_page) page = {0};
		if (!store_certificate_list(txn, CERTIFICATE_BY_KEY, buf_text(&hex), after, PAGE, &page, p) ||
		    !page_look(txn, search, &page.ids, p))
			return false;
		memcpy(after, page.next, sizeof(after));
	} while (after[0] != '\0' && !(c->key_again && c->key_of_other));
	return true;
}

static bool key_find(struct store_txn *txn, void *arg, struct problem *p)
{
	struct key_search *search = arg;
	struct gate_case *c = search->c;
	const struct policy *policy = c->profile->policy;

	if (!store_certificate_compromised(txn, BYTES(c->csr->key_hash, SHA256_SIZE), &c->key_compromised, p))
		return false;
	if ((policy->own_key || policy->new_key) && !certificates_look(txn, search, p))
		return false;
	return c->identity || account_find_all(txn, search, p);
}

/* The caller's own key is compared as well, byte by byte: it is in the one form that key_form_check
 * lets pass. */
bool gate_case_find_key(struct store *store, struct gate_case *c, struct problem *p)
{
	struct key_search search = { .c = c };
	struct bytes spki = buf_bytes(&c->csr->spki);

	if (!c->identity)
		c->key_is_account = bytes_equal(c->account.key, spki);
	bool found = key_thumbprint(spki, c->csr->algorithm, search.thumbprint, p) &&
	             store_view(store, key_find, &search, p);
	strings_free(&search.line);
	return found;
}

bool gate_key_strong(const struct gate_case *c, struct problem *p)
{
	auto_value(problem) why = {0};

	if (key_check(c->csr->key, NULL, &why))
		return true;
	if (why.kind == PROBLEM_BAD_PUBLIC_KEY)
		why.kind = PROBLEM_BAD_CSR;
	return gate_case_part(p, &why, NULL);
}

bool gate_key_unlisted(const struct gate_case *c, struct problem *p)
{
	return !key_blocklist_has(profiles_blocklist(c->profiles), c->csr->key_hash) ||
	       gate_bad_csr(p, "the CSR's key is on the list of keys that are known to others");
}

bool gate_key_uncompromised(const struct gate_case *c, struct problem *p)
{
	return !c->key_compromised || gate_bad_csr(p, "a certificate of the CSR's key was revoked for keyCompromise");
}

bool gate_key_own(const struct gate_case *c, struct problem *p)
{
	if (!c->profile->policy->own_key || !c->key_of_other)
		return true;
	if (c->trial && !c->tester && !c->asker)
		return gate_bad_csr(p, "a certificate has the CSR's key, and this trial does not know who asks: whoever "
		                       "is not its requester is refused (policy %s, own_key)",
		                    c->profile->policy->name);
	return gate_bad_csr(p, "a certificate of another requester has the CSR's key (policy %s, own_key)",
	                    c->profile->policy->name);
}

bool gate_key_new(const struct gate_case *c, struct problem *p)
{
	return !c->profile->policy->new_key || !c->key_again ||
	       gate_bad_csr(p,
	                    "an earlier certificate has the CSR's key: a renewal takes a new one (policy %s, "
	                    "new_key)",
	                    c->profile->policy->name);
}

bool gate_key_not_account(const struct gate_case *c, struct problem *p)
{
	return c->profile->reuse_account_key || !c->key_is_account ||
	       gate_bad_csr(p, "RFC 8555, 11.1: the CSR's key is an account's");
}
