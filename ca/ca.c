#include "ca/ca.h"

#include "ca/chain.h"
#include "ca/issue.h"
#include "ca/issuer_inside.h"

struct ca {
	struct issuer **issuers;
	size_t count;
	struct buf root; /* PEM */
};

static bool issuer_add(struct ca *ca, const struct ca_options *options, const char *name, struct bytes passphrase,
                       struct problem *p)
{
	if (ca_issuer(ca, name))
		return problem_set(p, PROBLEM_MALFORMED, "issuer %s: named twice", name);
	struct issuer **issuers = reallocarray(ca->issuers, ca->count + 1, sizeof(*issuers));
	if (!issuers)
		return problem_memory(p);
	ca->issuers = issuers;
	if (!issuer_load(options->folder, name, passphrase, &options->urls, &issuers[ca->count], p))
		return false;
	ca->count++;
	return issue_self_test(issuers[ca->count - 1], p);
}

/* The root that clients are told to trust must be the one that the default chain ends in. */
static bool root_load(struct ca *ca, const char *folder, struct problem *p)
{
	auto_free char *path = mem_printf("%s/root.pem", folder);
	auto(ossl_x509_stack) *file = NULL;
	auto_value(buf) der = { 0 };

	if (!path)
		return problem_memory(p);
	if (!chain_read(path, &file, p))
		return false;
	X509 *root = sk_X509_value(file, 0);
	if (sk_X509_num(file) != 1 || X509_cmp(root, issuer_root(ca->issuers[0])) != 0)
		return problem_set(p, PROBLEM_MALFORMED, "%s: not the root that the chain of issuer %s ends in", path,
		                   issuer_name(ca->issuers[0]));
	if (!ossl_der(i2d_X509, root, &der))
		return problem_memory(p);
	ossl_pem("CERTIFICATE", buf_bytes(&der), &ca->root);
	return buf_check(&ca->root, p);
}

bool ca_open(const struct ca_options *options, struct bytes passphrase, struct ca **ret, struct problem *p)
{
	static const char *const usual[] = { "issuing", NULL };
	auto_struct(ca) *ca = calloc(1, sizeof(*ca));

	if (!ca)
		return problem_memory(p);
	for (const char *const *name = options->issuers ? options->issuers : usual; *name; name++)
		if (!issuer_add(ca, options, *name, passphrase, p))
			return false;
	if (ca->count == 0)
		return problem_set(p, PROBLEM_MALFORMED, "the CA has no issuer");
	if (!root_load(ca, options->folder, p))
		return false;
	*ret = steal(ca);
	return true;
}

void ca_free(struct ca *ca)
{
	if (!ca)
		return;
	for (size_t i = 0; i < ca->count; i++)
		issuer_free(ca->issuers[i]);
	free(ca->issuers);
	buf_free(&ca->root);
	free(ca);
}

const struct issuer *ca_issuer(const struct ca *ca, const char *name)
{
	for (size_t i = 0; i < ca->count; i++)
		if (*name == '\0' || str_equal(issuer_name(ca->issuers[i]), name))
			return ca->issuers[i];
	return NULL;
}

const struct issuer *ca_issuer_at(const struct ca *ca, size_t i)
{
	return i < ca->count ? ca->issuers[i] : NULL;
}

struct bytes ca_root_pem(const struct ca *ca)
{
	return buf_bytes(&ca->root);
}
