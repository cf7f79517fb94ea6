#include "ca/issuer_inside.h"

#include <assert.h>
#include <dirent.h>
#include <stdatomic.h>

#include "ca/chain.h"
#include "ca/constraint.h"
#include "ca/keyfile.h"
#include "ca/rollover.h"

enum { CHAIN_COUNT_MAX = 8 };

struct issuer {
	char name[ISSUER_NAME_SIZE];
	X509 *certificate, *root;
	struct buf der;
	struct buf all; /* der, the default chain and its root, the rollover */
	size_t rollover; /* where that begins in it */
	int64_t not_after;
	struct signer *signer;
	struct template template;
	struct buf chain[CHAIN_COUNT_MAX], root_pem; /* PEM */
	size_t chain_count;
	ossl_x509_stack *constrained; /* of the default chain, itself included: those with name constraints */
	atomic_bool disabled;
};

bool issuer_name_check(const char *name, struct problem *p)
{
	size_t len = strlen(name);

	if (len < 1 || len >= ISSUER_NAME_SIZE || strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") != len)
		return problem_set(p, PROBLEM_MALFORMED, "issuer \"%s\": a name of 1 to 32 of a-z, 0-9 and - is wanted",
		                   name);
	return true;
}

static bool name_set(struct issuer *issuer, const char *name, struct problem *p)
{
	if (!issuer_name_check(name, p))
		return false;
	strcpy(issuer->name, name);
	return true;
}

bool issuer_certificate_check(const char *path, X509 *certificate, struct problem *p)
{
	const char *wrong = NULL;

	if (!(X509_get_extension_flags(certificate) & EXFLAG_CA))
		wrong = "basicConstraints do not make it a CA's";
	else if (!(X509_get_key_usage(certificate) & KU_KEY_CERT_SIGN))
		wrong = "its keyUsage has no keyCertSign";
	else if (!(X509_get_key_usage(certificate) & KU_CRL_SIGN))
		wrong = "its keyUsage has no cRLSign";
	else if (!X509_get0_subject_key_id(certificate))
		wrong = "it has no subjectKeyIdentifier";
	else if (X509_NAME_entry_count(X509_get_subject_name(certificate)) == 0)
		wrong = "its subject is empty";
	return wrong ? problem_set(p, PROBLEM_MALFORMED, "%s: %s", path, wrong) : true;
}

static bool certificate_load(struct issuer *issuer, const char *path, struct problem *p)
{
	auto(ossl_x509_stack) *file = NULL;

	if (!chain_read(path, &file, p))
		return false;
	if (sk_X509_num(file) != 1)
		return problem_set(p, PROBLEM_MALFORMED, "%s: more than one certificate", path);
	issuer->certificate = sk_X509_shift(file);
	if (!issuer_certificate_check(path, issuer->certificate, p))
		return false;
	if (!ossl_time(X509_get0_notAfter(issuer->certificate), &issuer->not_after))
		return problem_set(p, PROBLEM_MALFORMED, "%s: notAfter is no time", path);
	return ossl_der(i2d_X509, issuer->certificate, &issuer->der) ? true : problem_memory(p);
}

static bool key_load(struct issuer *issuer, const char *path, struct bytes passphrase, struct problem *p)
{
	auto(EVP_PKEY) *key = NULL;

	if (!keyfile_read(path, passphrase, &key, p))
		return false;
	if (!keyfile_fits(issuer->certificate, key))
		return problem_set(p, PROBLEM_MALFORMED, "%s: not the key of the certificate %s.pem", path,
		                   issuer->name);
	return signer_new(key, &issuer->signer, p);
}

struct bytes issuer_key_id(const struct issuer *issuer)
{
	return ossl_key_id(issuer->certificate);
}

static bool template_load(struct issuer *issuer, const struct issuer_urls *urls, struct problem *p)
{
	auto_value(buf) name = { 0 };

	if (!ossl_der(i2d_X509_NAME, X509_get_subject_name(issuer->certificate), &name))
		return problem_memory(p);
	return template_make(buf_bytes(&name), issuer_key_id(issuer), issuer->name, urls, &issuer->template, p);
}

static bool constraints_keep_one(struct issuer *issuer, X509 *certificate)
{
	if (!constraint_any(certificate))
		return true;
	if (!X509_up_ref(certificate))
		return false;
	if (sk_X509_push(issuer->constrained, certificate) > 0)
		return true;
	X509_free(certificate);
	return false;
}

static bool constraints_keep(struct issuer *issuer, ossl_x509_stack *chain, struct problem *p)
{
	issuer->constrained = sk_X509_new_null();
	bool kept = issuer->constrained && constraints_keep_one(issuer, issuer->certificate);

	for (int i = 0; kept && i < sk_X509_num(chain); i++)
		kept = constraints_keep_one(issuer, sk_X509_value(chain, i));
	return kept ? true : problem_memory(p);
}

/* Before the root is taken out of the chain. */
static bool certificates_keep(struct issuer *issuer, const char *folder, ossl_x509_stack *chain, struct problem *p)
{
	buf_add(&issuer->all, issuer->der.data, issuer->der.len);
	for (int i = 0; i < sk_X509_num(chain); i++)
		if (!ossl_der(i2d_X509, sk_X509_value(chain, i), &issuer->all))
			return problem_memory(p);
	issuer->rollover = issuer->all.len;
	return rollover_read(folder, sk_X509_value(chain, sk_X509_num(chain) - 1), &issuer->all, p) &&
	       buf_check(&issuer->all, p);
}

/* A root has no chain but itself. */
static bool chain_open(const struct issuer *issuer, const char *path, ossl_x509_stack **ret, struct problem *p)
{
	if (X509_self_signed(issuer->certificate, 0) != 1)
		return chain_read(path, ret, p);
	auto(ossl_x509_stack) *alone = sk_X509_new_null();
	if (!alone || !X509_up_ref(issuer->certificate) || sk_X509_push(alone, issuer->certificate) <= 0)
		return problem_memory(p);
	*ret = steal(alone);
	return true;
}

static bool root_write(struct issuer *issuer, struct problem *p)
{
	auto_value(buf) der = { 0 };

	if (X509_cmp(issuer->root, issuer->certificate) == 0)
		return true;
	if (!ossl_der(i2d_X509, issuer->root, &der))
		return problem_memory(p);
	ossl_pem("CERTIFICATE", buf_bytes(&der), &issuer->root_pem);
	return buf_check(&issuer->root_pem, p);
}

static bool chain_load(struct issuer *issuer, const char *folder, const char *path, struct problem *p)
{
	auto(ossl_x509_stack) *chain = NULL;

	if (issuer->chain_count == CHAIN_COUNT_MAX)
		return problem_set(p, PROBLEM_MALFORMED, "%s: more than %d chains", path, CHAIN_COUNT_MAX);
	if (!chain_open(issuer, path, &chain, p) || !chain_verify(path, issuer->certificate, chain, p) ||
	    !chain_write(issuer->certificate, chain, &issuer->chain[issuer->chain_count++], p))
		return false;
	if (issuer->root)
		return true;
	if (!certificates_keep(issuer, folder, chain, p) || !constraints_keep(issuer, chain, p))
		return false;
	issuer->root = sk_X509_pop(chain);
	return root_write(issuer, p);
}

/* The files NAME.chain-*.pem of the folder, by name. */
static bool alternates_find(const struct issuer *issuer, const char *folder, struct strings *ret, struct problem *p)
{
	auto_free char *prefix = mem_printf("%s.chain-", issuer->name);
	DIR *dir = opendir(folder);
	bool added = prefix != NULL;

	if (!dir)
		return problem_internal(p, "%s: %m", folder);
	for (struct dirent *entry; added && (entry = readdir(dir)) != NULL;)
		if (str_starts(entry->d_name, prefix) && str_ends(entry->d_name, ".pem"))
			added = strings_add(ret, entry->d_name);
	closedir(dir);
	strings_sort(ret);
	return added ? true : problem_memory(p);
}

static bool chains_load(struct issuer *issuer, const char *folder, const char *path, struct problem *p)
{
	auto_value(strings) alternates = { 0 };

	if (!chain_load(issuer, folder, path, p) || !alternates_find(issuer, folder, &alternates, p))
		return false;
	for (size_t i = 0; i < alternates.n; i++) {
		auto_free char *alternate = mem_printf("%s/%s", folder, alternates.v[i]);
		if (!alternate)
			return problem_memory(p);
		if (!chain_load(issuer, folder, alternate, p))
			return false;
	}
	return true;
}

bool issuer_load_keyless(const char *folder, const char *name, const struct issuer_urls *urls, struct issuer **ret,
                         struct problem *p)
{
	auto_struct(issuer) *issuer = calloc(1, sizeof(*issuer));
	auto_free char *certificate = mem_printf("%s/%s.pem", folder, name);
	auto_free char *chain = mem_printf("%s/%s.chain.pem", folder, name);

	if (!issuer || !certificate || !chain)
		return problem_memory(p);
	if (!name_set(issuer, name, p) || !certificate_load(issuer, certificate, p) ||
	    !chains_load(issuer, folder, chain, p) || !template_load(issuer, urls, p))
		return false;
	*ret = steal(issuer);
	return true;
}

bool issuer_load(const char *folder, const char *name, struct bytes passphrase, const struct issuer_urls *urls,
                 struct issuer **ret, struct problem *p)
{
	auto_struct(issuer) *issuer = NULL;
	auto_free char *key = mem_printf("%s/%s.key", folder, name);

	if (!key)
		return problem_memory(p);
	if (!issuer_load_keyless(folder, name, urls, &issuer, p) || !key_load(issuer, key, passphrase, p))
		return false;
	*ret = steal(issuer);
	return true;
}

void issuer_free(struct issuer *issuer)
{
	if (!issuer)
		return;
	X509_free(issuer->certificate);
	X509_free(issuer->root);
	buf_free(&issuer->root_pem);
	buf_free(&issuer->der);
	buf_free(&issuer->all);
	sk_X509_pop_free(issuer->constrained, X509_free);
	signer_free(issuer->signer);
	template_free(&issuer->template);
	for (size_t i = 0; i < issuer->chain_count; i++)
		buf_free(&issuer->chain[i]);
	free(issuer);
}

const char *issuer_name(const struct issuer *issuer)
{
	return issuer->name;
}

struct bytes issuer_certificate(const struct issuer *issuer)
{
	return buf_bytes(&issuer->der);
}

struct bytes issuer_certificates(const struct issuer *issuer)
{
	return buf_bytes(&issuer->all);
}

struct bytes issuer_rollover(const struct issuer *issuer)
{
	return BYTES(issuer->all.data + issuer->rollover, issuer->all.len - issuer->rollover);
}

int64_t issuer_not_after(const struct issuer *issuer)
{
	return issuer->not_after;
}

bool issuer_may_certify(const struct issuer *issuer, int path_length)
{
	long own = X509_get_pathlen(issuer->certificate);

	return own < 0 || (own > 0 && path_length >= 0 && path_length < own);
}

size_t issuer_chain_count(const struct issuer *issuer)
{
	return issuer->chain_count;
}

struct bytes issuer_chain_pem(const struct issuer *issuer, size_t i)
{
	assert(i < issuer->chain_count);
	return buf_bytes(&issuer->chain[i]);
}

bool issuer_add_shown(const struct issuer *issuer, struct buf *ret, struct problem *p)
{
	buf_add(ret, issuer->chain[0].data, issuer->chain[0].len);
	return rollover_link(issuer_rollover(issuer), issuer->root, ret, p);
}

bool issuer_equal(const struct issuer *a, const struct issuer *b)
{
	bool same = str_equal(a->name, b->name) && bytes_equal(buf_bytes(&a->all), buf_bytes(&b->all)) &&
	            a->template.shards == b->template.shards &&
	            bytes_equal(buf_bytes(a->template.extensions), buf_bytes(b->template.extensions)) &&
	            a->chain_count == b->chain_count;

	for (size_t i = 0; same && i < a->chain_count; i++)
		same = bytes_equal(buf_bytes(&a->chain[i]), buf_bytes(&b->chain[i]));
	return same;
}

void issuer_set_disabled(struct issuer *issuer, bool disabled)
{
	atomic_store(&issuer->disabled, disabled);
}

bool issuer_is_disabled(const struct issuer *issuer)
{
	return atomic_load(&issuer->disabled);
}

ossl_x509_stack *issuer_constrained(const struct issuer *issuer)
{
	return issuer->constrained;
}

const struct signer *issuer_signer(const struct issuer *issuer)
{
	assert(issuer->signer); /* it was not loaded keyless */
	return issuer->signer;
}

const struct template *issuer_template(const struct issuer *issuer)
{
	return &issuer->template;
}

EVP_PKEY *issuer_public_key(const struct issuer *issuer)
{
	return X509_get0_pubkey(issuer->certificate);
}

X509 *issuer_x509(const struct issuer *issuer)
{
	return issuer->certificate;
}

struct bytes issuer_root_pem(const struct issuer *issuer)
{
	return buf_bytes(&issuer->root_pem);
}

X509 *issuer_root(const struct issuer *issuer)
{
	return issuer->root;
}
