#include "admin/api_chain.h"

#include <openssl/err.h>

static X509 *last_of(struct bytes pem)
{
	auto(BIO) *bio = BIO_new_mem_buf(pem.data, (int)pem.len);
	X509 *last = NULL;

	for (X509 *next; bio && (next = PEM_read_bio_X509(bio, NULL, NULL, NULL)); last = next)
		X509_free(last);
	ERR_clear_error(); /* of the end of the text */
	return last;
}

/* An issuer whose chain ends in another root goes without it: its clients know which they trust. */
static bool is_under(struct bytes chain, struct bytes root)
{
	auto(X509) *top = last_of(chain), *anchor = last_of(root);

	return top && anchor && X509_check_issued(anchor, top) == X509_V_OK && X509_cmp(anchor, top) != 0;
}

static bool chain_make(const struct ca *ca, const struct issuer *issuer, struct api_chain *ret, struct problem *p)
{
	struct bytes chain = issuer_chain_pem(issuer, 0), root = ca_root_pem(ca);

	ret->issuer = issuer_name(issuer);
	ossl_pem("CERTIFICATE", issuer_certificate(issuer), &ret->issuing);
	buf_add(&ret->chain, chain.data, chain.len);
	buf_add(&ret->with_root, chain.data, chain.len);
	if (is_under(chain, root))
		buf_add(&ret->with_root, root.data, root.len);
	return buf_check(&ret->issuing, p) && buf_check(&ret->chain, p) && buf_check(&ret->with_root, p);
}

bool api_chains_make(const struct ca *ca, struct api_chains *ret, struct problem *p)
{
	const struct issuer *issuer;
	size_t count = 0;

	while (ca_issuer_at(ca, count))
		count++;
	*ret = (struct api_chains){ .v = calloc(count + 1, sizeof(*ret->v)) };
	if (!ret->v)
		return problem_memory(p);
	for (; (issuer = ca_issuer_at(ca, ret->n)); ret->n++)
		if (!chain_make(ca, issuer, &ret->v[ret->n], p))
			return false;
	return true;
}

const struct api_chain *api_chain_of(const struct api_chains *chains, const char *issuer)
{
	for (size_t i = 0; issuer && i < chains->n; i++)
		if (str_equal(chains->v[i].issuer, issuer))
			return &chains->v[i];
	return NULL;
}

void api_chains_free(struct api_chains *chains)
{
	for (size_t i = 0; chains->v && i < chains->n + 1; i++) { /* the last may be half made */
		buf_free(&chains->v[i].issuing);
		buf_free(&chains->v[i].chain);
		buf_free(&chains->v[i].with_root);
	}
	free(chains->v);
	*chains = (struct api_chains){0};
}
