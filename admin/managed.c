#include "admin/managed.h"

/* --- which key */

/* All usages that were asked for; of those that a profile gives, what does not fit the key is left out. */
static bool can(enum key_algorithm a, const struct profile *profile, unsigned asked)
{
	unsigned of_cas = KU_KEY_CERT_SIGN | KU_CRL_SIGN, fits = key_algorithm_usage(a) | of_cas;

	return asked ? (asked & ~fits) == 0 : profile->key_usage == 0 || (profile->key_usage & fits) != 0;
}

/* The quickest that the profile takes and that can have the usages. Where there is none, the gate says why. */
static enum key_algorithm choose(const struct profile *profile, unsigned asked)
{
	static const enum key_algorithm order[] = {
		KEY_EC_P256, KEY_EC_P384, KEY_RSA_3072, KEY_RSA_2048, KEY_RSA_4096, KEY_EC_P521, KEY_ED25519,
	};

	for (int strict = 1; strict >= 0; strict--)
		for (size_t i = 0; i < array_length(order); i++)
			if (profile->keys & 1u << order[i] && (!strict || can(order[i], profile, asked)))
				return order[i];
	return KEY_EC_P256;
}

/* --- what signs */

/* The kind of key that certificates of a profile with this issuer are signed with now. */
static const char *issuer_type(const struct ca *ca, const char *name)
{
	const struct issuer *issuer = ca_issuer_current(ca, name);

	if (!issuer)
		return NULL;
	EVP_PKEY *key = X509_get0_pubkey(issuer_x509(issuer));
	return EVP_PKEY_is_a(key, "RSA") ? "RSA" : EVP_PKEY_is_a(key, "ED25519") ? "ED25519" : "ECDSA";
}

static bool take_signature(const struct managed *managed, const struct profile *profile, struct issuance *e,
                           struct problem *parts)
{
	static const struct {
		enum csr_signature signature;
		const char *type, *hash;
	} rows[] = {
		{ CSR_RSA_SHA256, "RSA", "SHA256" },     { CSR_RSA_SHA384, "RSA", "SHA384" },
		{ CSR_RSA_SHA512, "RSA", "SHA512" },     { CSR_ECDSA_SHA256, "ECDSA", "SHA256" },
		{ CSR_ECDSA_SHA384, "ECDSA", "SHA384" }, { CSR_ECDSA_SHA512, "ECDSA", "SHA512" },
		{ CSR_ED25519, "ED25519", NULL },
	};
	const char *type = issuer_type(e->api->ca, profile->issuer);

	if (!managed->has_signature)
		return true;
	e->signature = managed->signature;
	e->wish.signature = &e->signature;
	for (size_t i = 0; type && i < array_length(rows); i++)
		if (rows[i].signature == managed->signature && str_equal(rows[i].type, type)) {
			e->wish.hash = rows[i].hash;
			return true;
		}
	if (type && str_equal(type, "ED25519"))
		return problem_add_field(parts, PROBLEM_MALFORMED, "attributes.signatureAlgorithm",
		                         csr_signature_name(managed->signature),
		                         "the issuing CA of profile %s has an Ed25519 key: expected ed25519",
		                         profile->name);
	return problem_add_field(parts, PROBLEM_MALFORMED, "attributes.signatureAlgorithm",
	                         csr_signature_name(managed->signature),
	                         "the issuing CA of profile %s has an %s key: expected %s-SHA256, -SHA384 or "
	                         "-SHA512",
	                         profile->name, type ?: "unknown", type ?: "ECDSA");
}

/* --- making */

/* key is taken. */
static bool take_key(EVP_PKEY *key, struct issuance *e, struct problem *p)
{
	e->key = key;
	e->managed = true;
	e->csr = buf_bytes(&e->made_csr);
	return buf_check(&e->made_csr, p);
}

bool managed_make(const struct managed *managed, const struct profile *profile, struct issuance *e,
                  struct problem *parts)
{
	const struct csr_wish wish = {
		.subject = &managed->subject,
		.names = &managed->names,
		.upns = &managed->upns,
		.key_usage = managed->key_usage,
		.extended_key_usage = &managed->extended_key_usage,
		.ca = managed->ca,
		.path_length = managed->path_length,
	};
	enum key_algorithm algorithm = managed->has_key ? managed->key : choose(profile, managed->key_usage);
	auto(EVP_PKEY) *key = NULL;
	auto_value(problem) why = {0};

	if (!take_signature(managed, profile, e, parts))
		return false;
	return (key_make(algorithm, &key, &why) &&
	        csr_make(&wish, key, profile->policy->signatures, &e->made_csr, &why) &&
	        take_key(steal(key), e, &why)) ||
	       api_gather(parts, &why, "attributes");
}

/* Where nothing is said, a renewal lives as long as what it renews. */
static void keep_life(const struct profile *profile, struct issuance *e)
{
	int64_t life = e->replaces->not_after - e->replaces->not_before + 1;

	if (e->wish.validity == 0 && e->wish.not_after == 0 && e->wish.not_before == 0)
		e->wish.validity = life < profile->validity_max ? life : profile->validity_max;
}

static bool algorithm_of(struct bytes certificate, enum key_algorithm *ret, struct problem *p)
{
	const uint8_t *at = certificate.data;
	auto(X509) *old = d2i_X509(NULL, &at, (long)certificate.len);

	if (!old)
		return problem_openssl(p, "a certificate of ours");
	return key_algorithm_of(X509_get0_pubkey(old), ret, p);
}

static bool renewal_key(bool same_key, const struct managed *managed, struct issuance *e, EVP_PKEY **ret,
                        struct problem *p)
{
	enum key_algorithm algorithm;

	if (!same_key)
		return (managed && managed->has_key ? (algorithm = managed->key, true)
		                                    : algorithm_of(e->replaces->der, &algorithm, p)) &&
		       key_make(algorithm, ret, p);
	if (!e->replaces->key_kept)
		return problem_set(p, PROBLEM_CONFLICT,
		                   "the server does not keep the key of certificate %s: a renewal with it takes a "
		                   "CSR",
		                   e->replaces->id);
	e->key_known = true;
	return managed_key(e->api, e->replaces->key_hash, ret, p);
}

bool managed_renew(bool same_key, const struct managed *managed, const struct profile *profile, struct issuance *e,
                   struct problem *p)
{
	auto(EVP_PKEY) *key = NULL;

	keep_life(profile, e);
	return renewal_key(same_key, managed, e, &key, p) &&
	       csr_make_renewal(e->replaces->der, key, profile->policy->signatures, &e->made_csr, p) &&
	       take_key(steal(key), e, p);
}

static bool approved_key(const struct request *request, struct issuance *e, EVP_PKEY **ret, struct problem *p)
{
	auto_struct(csr) *shown = NULL;

	if (request->key_hash.len > 0) {
		e->key_known = true;
		return managed_key(e->api, request->key_hash, ret, p);
	}
	return csr_parse(request->csr, &shown, p) && key_make(shown->algorithm, ret, p);
}

bool managed_make_approved(const struct request *request, const struct profile *profile, struct issuance *e,
                           struct problem *p)
{
	auto(EVP_PKEY) *key = NULL;

	return approved_key(request, e, &key, p) &&
	       csr_make_again(request->csr, key, profile->policy->signatures, &e->made_csr, p) &&
	       take_key(steal(key), e, p);
}

/* --- what is kept */

struct reading_key {
	struct bytes hash;
	struct private_key row;
};

static bool read_key(struct store_txn *txn, void *arg, struct problem *p)
{
	struct reading_key *r = arg;

	return store_private_key_get(txn, r->hash, &r->row, p);
}

bool managed_key(struct api *api, struct bytes key_hash, EVP_PKEY **ret, struct problem *p)
{
	struct reading_key reading = { .hash = key_hash };

	if (!store_view(api->store, read_key, &reading, p))
		return problem_missing(p, "the server does not keep the private key");
	bool opened = vault_reveal(api->vault, key_hash, &reading.row, ret, p);
	private_key_free(&reading.row);
	return opened;
}
