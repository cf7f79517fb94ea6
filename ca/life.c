#include "ca/life_inside.h"

#include <stdio.h>

#include <openssl/err.h>

#include "base/clock.h"
#include "ca/chain.h"
#include "ca/constraint.h"
#include "ca/files.h"
#include "ca/pkcs11.h"

/* --- the CAs of the folder */

bool life_key(const struct life *life, const char *name, EVP_PKEY **ret, struct problem *p)
{
	auto_free char *path = mem_printf("%s/%s.key", life->folder, name);

	return path ? keyfile_read(path, life->passphrase, ret, p) : problem_memory(p);
}

bool life_authority(const struct life *life, const char *name, struct authority *ret, struct problem *p)
{
	auto_value(authority) a = { 0 };

	if (!files_certificate(life->folder, name, &a.certificate, p) || !life_key(life, name, &a.key, p))
		return false;
	if (!keyfile_fits(a.certificate, a.key))
		return problem_set(p, PROBLEM_MALFORMED, "%s.key in %s is not the key of %s.pem", name,
		                   life->folder, name);
	*ret = a;
	a = (struct authority){ 0 };
	return true;
}

static bool same_ca(X509 *a, X509 *b)
{
	bool same = X509_NAME_cmp(X509_get_subject_name(a), X509_get_subject_name(b)) == 0 &&
	            EVP_PKEY_eq(X509_get0_pubkey(a), X509_get0_pubkey(b)) == 1;

	ERR_clear_error();
	return same;
}

bool life_is_root(const struct life *life, const char *name, bool *ret, struct problem *p)
{
	auto(X509) *certificate = NULL;

	if (!files_certificate(life->folder, name, &certificate, p))
		return false;
	*ret = X509_self_signed(certificate, 1) == 1;
	ERR_clear_error();
	return true;
}

/* The first of the chain that is another CA than the one below it. */
static X509 *above_of(X509 *certificate, ossl_x509_stack *chain)
{
	int i = 0;

	while (i < sk_X509_num(chain) - 1 && same_ca(certificate, sk_X509_value(chain, i)))
		i++;
	return sk_X509_value(chain, i);
}

static bool find_ca(const struct life *life, X509 *wanted, char ret[ISSUER_NAME_SIZE], struct problem *p)
{
	auto_value(strings) names = { 0 };

	if (!files_names(life->folder, &names, p))
		return false;
	for (size_t i = 0; i < names.n; i++) {
		auto(X509) *certificate = NULL;
		if (!files_has(life->folder, names.v[i], ".key"))
			continue;
		if (!files_certificate(life->folder, names.v[i], &certificate, p))
			return false;
		if (same_ca(certificate, wanted)) {
			snprintf(ret, ISSUER_NAME_SIZE, "%s", names.v[i]);
			return true;
		}
	}
	return problem_set(p, PROBLEM_NOT_FOUND,
	                   "the key of the CA that signed this one is not in %s: `enrolld ca csr`, a signature "
	                   "outside and "
	                   "`enrolld ca install` do without it", life->folder);
}

bool life_signer(const struct life *life, const char *name, char ret[ISSUER_NAME_SIZE], struct problem *p)
{
	auto(X509) *certificate = NULL;
	auto(ossl_x509_stack) *chain = NULL;

	return files_certificate(life->folder, name, &certificate, p) && files_chain(life->folder, name, &chain, p) &&
	       find_ca(life, above_of(certificate, chain), ret, p);
}

/* --- terms */

static bool beyond_signer(int64_t end, struct problem *p)
{
	char text[CLOCK_RFC3339_SIZE];

	clock_format(end, text);
	return problem_set(p, PROBLEM_MALFORMED, "--lifetime: the CA that signs it ends at %s", text);
}

/* Its life ends with the signer's: one that is named and longer is refused, one that is the former's is cut short. by
 * NULL: it signs itself. */
static bool set_period(const struct life_terms *terms, X509 *before, X509 *by, struct authority_wish *wish,
                       struct problem *p)
{
	int64_t now = clock_now(), life = terms->lifetime, end;

	if (life == 0 && (!before || !authority_lifetime(before, &life)))
		return problem_set(p, PROBLEM_MALFORMED, "--lifetime: a life for the certificate is wanted");
	wish->not_before = now - AUTHORITY_BACKDATE;
	wish->not_after = now + life;
	if (!by)
		return true;
	if (!authority_not_after(by, &end, p))
		return false;
	if (end <= now)
		return problem_set(p, PROBLEM_MALFORMED, "the CA that would sign it has expired");
	if (wish->not_after <= end)
		return true;
	wish->not_after = end;
	return terms->lifetime == 0 || beyond_signer(end, p);
}

bool life_set_names(const struct life_terms *terms, X509 *before, NAME_CONSTRAINTS **ret, struct problem *p)
{
	if (terms->permitted || terms->excluded)
		return constraint_make(terms->permitted, terms->excluded, ret, p);
	*ret = before ? X509_get_ext_d2i(before, NID_name_constraints, NULL, NULL) : NULL;
	return !before || *ret || !constraint_any(before) || problem_openssl(p, "reading the name constraints of a CA");
}

int life_path_length(const struct life_terms *terms, X509 *before)
{
	if (terms->path_length != LIFE_PATH_LENGTH_SAME)
		return terms->path_length;
	return before ? (int)X509_get_pathlen(before) : 0;
}

/* --- what is written */

/* The signer and what is above it. */
static bool put_chain(const struct life *life, const char *name, const char *signer, X509 *by, struct change *change,
                      struct problem *p)
{
	auto(ossl_x509_stack) *above = NULL;

	if (X509_self_signed(by, 0) == 1)
		return change_certificate_file(change, name, ".chain.pem", &by, 1, p);
	if (!files_chain(life->folder, signer, &above, p))
		return false;
	if (!X509_up_ref(by) || sk_X509_unshift(above, by) <= 0)
		return problem_memory(p);
	return change_chain_file(change, name, above, p);
}

/* --- renew */

static bool certify_again(const struct life *life, const struct life_terms *terms, X509 *before,
                          const struct authority *by, const char *signer, X509 **ret, struct problem *p)
{
	auto(NAME_CONSTRAINTS) *names = NULL;
	struct authority_wish wish = authority_wish_like(before);

	if (!life_set_names(terms, before, &names, p) || !set_period(terms, before, by->certificate, &wish, p))
		return false;
	wish.path_length = life_path_length(terms, before);
	wish.names = names;
	wish.base = life->base;
	wish.by = signer;
	return authority_certify(&wish, by, ret, p);
}

static bool replace_root(const struct life *life, const char *name, X509 *old, X509 *new, struct change *change,
                         struct problem *p)
{
	auto(ossl_x509_stack) *chain = NULL;

	if (!files_has(life->folder, name, ".chain.pem"))
		return true;
	if (!files_chain(life->folder, name, &chain, p))
		return false;
	if (X509_cmp(sk_X509_value(chain, sk_X509_num(chain) - 1), old) != 0)
		return true;
	X509_free(sk_X509_pop(chain));
	if (!X509_up_ref(new) || sk_X509_push(chain, new) <= 0)
		return problem_memory(p);
	return change_chain_file(change, name, chain, p);
}

static bool renew_root(const struct life *life, const char *name, const struct life_terms *terms, struct change *change,
                       struct problem *p)
{
	auto_value(authority) root = { 0 };
	auto(X509) *made = NULL;
	auto(NAME_CONSTRAINTS) *constraints = NULL;
	auto_value(strings) names = { 0 };

	if (!life_authority(life, name, &root, p) || !life_set_names(terms, root.certificate, &constraints, p))
		return false;
	struct authority_wish wish = authority_wish_like(root.certificate);
	wish.key = root.key;
	wish.path_length = life_path_length(terms, root.certificate);
	wish.names = constraints;
	if (!set_period(terms, root.certificate, NULL, &wish, p) || !authority_certify(&wish, NULL, &made, p) ||
	    !files_names(life->folder, &names, p))
		return false;
	for (size_t i = 0; i < names.n; i++)
		if (!replace_root(life, names.v[i], root.certificate, made, change, p))
			return false;
	return change_certificate_file(change, name, ".pem", &made, 1, p) && change_row(change, made, name, p);
}

bool life_renew(const struct life *life, const char *name, const struct life_terms *terms, struct change *ret,
                struct problem *p)
{
	auto_value(authority) by = { 0 };
	auto(X509) *before = NULL, *made = NULL;
	char signer[ISSUER_NAME_SIZE];
	bool is_root;

	if (!life_is_root(life, name, &is_root, p))
		return false;
	strcpy(ret->name, name);
	if (is_root)
		return renew_root(life, name, terms, ret, p);
	return files_certificate(life->folder, name, &before, p) && life_signer(life, name, signer, p) &&
	       life_authority(life, signer, &by, p) && certify_again(life, terms, before, &by, signer, &made, p) &&
	       put_chain(life, name, signer, by.certificate, ret, p) &&
	       change_certificate_file(ret, name, ".pem", &made, 1, p) && change_row(ret, made, signer, p);
}

/* --- a new key */

bool life_put_uri(const char *name, const char *uri, struct change *change, struct problem *p)
{
	auto_free char *line = mem_printf("%s\n", uri);

	return line ? change_file(change, name, ".key", BYTES_STR(line), 0600, p) : problem_memory(p);
}

bool life_key_make(const struct life *life, const char *name, const struct life_terms *terms, EVP_PKEY **ret,
                     struct change *change, struct problem *p)
{
	auto_value(buf) sealed = { 0 };
	auto(EVP_PKEY) *key = NULL;

	if (terms->key_uri)
		return pkcs11_key_complete(terms->key_uri, terms->kind, ret, p) &&
		       life_put_uri(name, terms->key_uri, change, p);
	if (!keyfile_generate(terms->kind, &key, p) ||
	    !keyfile_seal(key, KEYFILE_CHOSEN, life->passphrase, &sealed, p) ||
	    !change_file(change, name, ".key", buf_bytes(&sealed), 0600, p))
		return false;
	*ret = steal(key);
	return true;
}

/* As UTF-8, whatever type of string it is; "" without. */
static void common_name_of(const X509_NAME *name, char *ret, size_t size)
{
	int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
	unsigned char *utf8 = NULL;
	int len = at < 0 ? -1 : ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));

	if (len >= 0)
		snprintf(ret, size, "%.*s", len, (const char *)utf8);
	OPENSSL_free(utf8);
	ERR_clear_error();
}

/* The common name with the number of the new name at its end, unless another one is wanted. Two CAs of one name
 * and two keys are allowed, and some verifiers of CRLs do not get along with them. */
static bool name_after(X509 *before, const char *name, const struct life_terms *terms, X509_NAME **ret,
                       struct problem *p)
{
	auto(X509_NAME) *subject = X509_NAME_dup(X509_get_subject_name(before));
	char old[256] = "";

	if (!subject)
		return problem_memory(p);
	common_name_of(subject, old, sizeof(old));
	size_t len = strlen(old), digits = strspn(strrchr(old, ' ') ? strrchr(old, ' ') + 1 : "x", "0123456789");
	if (digits > 0 && digits < 4 && strrchr(old, ' ')[1 + digits] == '\0')
		len -= digits + 1;
	auto_free char *text = terms->common_name ? strdup(terms->common_name)
	                                          : mem_printf("%.*s %s", (int)len, old, strrchr(name, '-') + 1);
	if (!text)
		return problem_memory(p);
	if (!authority_name_set(subject, NID_commonName, text, p))
		return false;
	*ret = steal(subject);
	return true;
}

static bool certify_new(const struct life *life, const struct life_terms *terms, X509 *before,
                        const struct authority *by, struct change *change, EVP_PKEY *key, const char *signer,
                        X509 **ret, struct problem *p)
{
	auto(NAME_CONSTRAINTS) *names = NULL;
	auto(X509_NAME) *subject = NULL;
	struct authority_wish wish = {
		.key = key, .path_length = life_path_length(terms, before), .base = life->base, .by = signer,
	};

	if (!name_after(before, change->successor, terms, &subject, p) || !life_set_names(terms, before, &names, p) ||
	    !set_period(terms, before, by->certificate, &wish, p))
		return false;
	wish.subject = subject;
	wish.names = names;
	return authority_certify(&wish, by, ret, p);
}

bool life_put_successor(const char *name, const char *successor, struct change *change, struct problem *p)
{
	return change_file(change, name, ".successor", BYTES_STR(successor), 0600, p);
}

static bool rekey_check(const struct life *life, const char *name, struct change *change, struct problem *p)
{
	char successor[ISSUER_NAME_SIZE];
	bool is_root;

	if (!life_is_root(life, name, &is_root, p) || !files_successor(life->folder, name, successor, p))
		return false;
	if (is_root)
		return problem_set(p, PROBLEM_MALFORMED,
		                   "%s is a root: `enrolld ca rollover` gives it a new key", name);
	if (*successor)
		return problem_set(p, PROBLEM_CONFLICT, "%s took the place of %s already", successor, name);
	strcpy(change->name, name);
	return files_next(life->folder, name, change->successor, p);
}

bool life_rekey(const struct life *life, const char *name, const struct life_terms *terms, struct change *ret,
                struct problem *p)
{
	auto_value(authority) by = { 0 };
	auto(X509) *before = NULL, *made = NULL;
	auto(EVP_PKEY) *key = NULL;
	char signer[ISSUER_NAME_SIZE];
	const char *new = ret->successor;

	return rekey_check(life, name, ret, p) && files_certificate(life->folder, name, &before, p) &&
	       life_signer(life, name, signer, p) && life_authority(life, signer, &by, p) &&
	       life_key_make(life, new, terms, &key, ret, p) &&
	       certify_new(life, terms, before, &by, ret, key, signer, &made, p) &&
	       put_chain(life, new, signer, by.certificate, ret, p) &&
	       change_certificate_file(ret, new, ".pem", &made, 1, p) && life_put_successor(name, new, ret, p) &&
	       change_row(ret, made, signer, p);
}
