/* CAs that a CA outside signs: the request, and the certificate that comes back or comes with its key. */
#include "ca/life_inside.h"

#include "ca/chain.h"
#include "ca/files.h"
#include "ca/signer.h"

/* --- a signature from outside */

static bool request_subject(const struct life *life, const char *name, const struct life_terms *terms,
                            X509 **ret_before, X509_NAME **ret, struct problem *p)
{
	if (files_has(life->folder, name, ".pem") && !files_certificate(life->folder, name, ret_before, p))
		return false;
	if (!terms->common_name && !*ret_before)
		return problem_set(p, PROBLEM_MALFORMED, "--name: a name for the CA is wanted");
	if (terms->common_name)
		return authority_name(terms->organization, terms->common_name, ret, p);
	*ret = X509_NAME_dup(X509_get_subject_name(*ret_before));
	return *ret ? true : problem_memory(p);
}

bool life_request(const struct life *life, const char *name, const struct life_terms *terms, struct buf *ret_pem,
                  struct change *ret, struct problem *p)
{
	auto(X509) *before = NULL;
	auto(X509_NAME) *subject = NULL;
	auto(EVP_PKEY) *key = NULL;
	auto(X509_REQ) *request = NULL;
	auto(NAME_CONSTRAINTS) *names = NULL;
	auto_value(buf) der = { 0 };

	if (!issuer_name_check(name, p))
		return false;
	strcpy(ret->name, name);
	bool there = files_has(life->folder, name, ".key");
	if (!request_subject(life, name, terms, &before, &subject, p) || !life_set_names(terms, before, &names, p) ||
	    !(there ? life_key(life, name, &key, p) : life_key_make(life, name, terms, &key, ret, p)))
		return false;
	const struct authority_wish wish = {
		.subject = subject, .key = key, .key_id = before ? X509_get0_subject_key_id(before) : NULL,
		.path_length = life_path_length(terms, before), .names = names,
	};
	if (!authority_request(&wish, &request, p))
		return false;
	if (!ossl_der(i2d_X509_REQ, request, &der))
		return problem_memory(p);
	ossl_pem("CERTIFICATE REQUEST", buf_bytes(&der), ret_pem);
	return buf_check(ret_pem, p);
}

/* --- a CA from outside */

static bool arrival_check(const char *name, const struct life_arrival *arrival, EVP_PKEY *key, ossl_x509_stack *chain,
                          struct problem *p)
{
	if (!issuer_certificate_check("the certificate", arrival->certificate, p) || !signer_key_check(key, p))
		return false;
	if (!keyfile_fits(arrival->certificate, key))
		return problem_set(p, PROBLEM_MALFORMED,
		                   "the private key is not the key of the certificate for %s", name);
	return chain_verify("the chain", arrival->certificate, chain, p);
}

/* The chain from the one above it to the root, whatever order it came in. */
static bool chain_sort(const struct life_arrival *arrival, ossl_x509_stack **ret, struct problem *p)
{
	auto(ossl_x509_stack) *sorted = sk_X509_new_null();
	X509 *at = arrival->certificate;

	while (sorted && sk_X509_num(sorted) < CHAIN_LENGTH_MAX && X509_self_signed(at, 0) != 1) {
		X509 *above = NULL;
		for (int i = 0; !above && i < sk_X509_num(arrival->chain); i++)
			if (X509_check_issued(sk_X509_value(arrival->chain, i), at) == X509_V_OK)
				above = sk_X509_value(arrival->chain, i);
		if (!above)
			return problem_set(p, PROBLEM_MALFORMED,
			                   "the chain does not lead to a self-signed root: a certificate is missing");
		X509_up_ref(above);
		if (sk_X509_push(sorted, above) <= 0)
			return problem_memory(p);
		at = above;
	}
	if (sorted && sk_X509_num(sorted) == 0 && X509_up_ref(at) && sk_X509_push(sorted, at) <= 0)
		return problem_memory(p);
	*ret = steal(sorted);
	return *ret ? true : problem_memory(p);
}

static bool put_key(const struct life *life, const char *name, const struct life_arrival *arrival,
                    struct change *change, struct problem *p)
{
	auto_value(buf) sealed = { 0 };

	if (files_has(life->folder, name, ".key"))
		return problem_set(p, PROBLEM_CONFLICT, "%s has a key of the name %s already", life->folder, name);
	if (arrival->key_uri)
		return life_put_uri(name, arrival->key_uri, change, p);
	return keyfile_seal(arrival->key, KEYFILE_CHOSEN, life->passphrase, &sealed, p) &&
	       change_file(change, name, ".key", buf_bytes(&sealed), 0600, p);
}

/* The root that clients are told to trust is that of the first CA of the folder. */
static bool put_arrival(const struct life *life, const char *name, const struct life_arrival *arrival,
                        ossl_x509_stack *chain, struct change *change, struct problem *p)
{
	X509 *certificate = arrival->certificate, *root = sk_X509_value(chain, sk_X509_num(chain) - 1);
	bool is_root = X509_self_signed(certificate, 0) == 1;

	if (!is_root && !files_has(life->folder, "root", ".pem") &&
	    !change_certificate_file(change, "root", ".pem", &root, 1, p))
		return false;
	if (!is_root && !change_chain_file(change, name, chain, p))
		return false;
	return change_certificate_file(change, name, ".pem", &certificate, 1, p) &&
	       change_row(change, certificate, "", p);
}

static bool check_replaces(const struct life *life, const char *name, const struct life_arrival *arrival,
                           struct change *change, struct problem *p)
{
	char successor[ISSUER_NAME_SIZE];

	if (!arrival->replaces)
		return true;
	if (str_equal(arrival->replaces, name))
		return problem_set(p, PROBLEM_MALFORMED, "--replaces: a CA cannot take its own place");
	if (!files_has(life->folder, arrival->replaces, ".pem"))
		return problem_set(p, PROBLEM_NOT_FOUND, "--replaces: there is no CA \"%s\" in %s",
		                   arrival->replaces, life->folder);
	if (!files_successor(life->folder, arrival->replaces, successor, p))
		return false;
	if (*successor && !str_equal(successor, name))
		return problem_set(p, PROBLEM_CONFLICT, "%s took the place of %s already", successor,
		                   arrival->replaces);
	strcpy(change->name, arrival->replaces);
	strcpy(change->successor, name);
	return life_put_successor(arrival->replaces, name, change, p);
}

bool life_install(const struct life *life, const char *name, const struct life_arrival *arrival, struct change *ret,
                  struct problem *p)
{
	auto(EVP_PKEY) *own = NULL;
	auto(ossl_x509_stack) *chain = NULL;

	if (!issuer_name_check(name, p) || (!arrival->key && !life_key(life, name, &own, p)) ||
	    !chain_sort(arrival, &chain, p) ||
	    !arrival_check(name, arrival, arrival->key ?: own, chain, p))
		return false;
	strcpy(ret->name, name);
	return (!arrival->key || put_key(life, name, arrival, ret, p)) &&
	       put_arrival(life, name, arrival, chain, ret, p) &&
	       check_replaces(life, name, arrival, ret, p);
}
