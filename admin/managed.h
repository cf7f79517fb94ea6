/* Managed: certificates whose key the server makes. What is asked for is read from a request's attributes, or from
 * the certificate that is renewed, and becomes a CSR that the gate judges as it judges everybody's; so the gate
 * stays the one door. Internal to admin/. */
#pragma once

#include "admin/api_issuance.h"
#include "policy/csr_make.h"

/* What `attributes` of a request say of the certificate. */
struct managed {
	struct subject subject;
	struct identifiers names;
	struct strings upns;
	unsigned key_usage;
	struct strings extended_key_usage;
	bool ca;
	int path_length;              /* -1: none */
	bool has_key, has_signature;
	enum key_algorithm key;
	enum csr_signature signature; /* of the certificate */
};
void managed_free(struct managed *managed);
declare_auto_value(managed, managed_free);

/* Whether they say anything that a CSR would say, or of the key. */
bool managed_is_asked(const struct json *attributes) must_use;
/* Adds a part for each that cannot stand beside a CSR. */
void managed_refuse(const struct json *attributes, struct problem *parts);
void managed_read(const struct json *attributes, struct managed *ret, struct problem *parts);

/* Makes a key as asked, or one that the profile takes, and the CSR, both e's from then on; sets what e's wish has
 * of it. A part where the profile's issuer cannot sign as asked. */
bool managed_make(const struct managed *managed, const struct profile *profile, struct issuance *e,
                  struct problem *parts) must_use;
/* The same for the renewal of e->replaces, with its own key (CONFLICT: the server has it not) or a new one, of
 * another algorithm where a key's is asked. Without a wish for its life it has the old one's, as far as the profile
 * gives it. */
bool managed_renew(bool same_key, const struct managed *managed, const struct profile *profile, struct issuance *e,
                   struct problem *p) must_use;
/* A key for a request that people have approved. */
bool managed_make_approved(const struct request *request, const struct profile *profile, struct issuance *e,
                           struct problem *p) must_use;

/* Opens the kept key. NOT_FOUND: there is none. */
bool managed_key(struct api *api, struct bytes key_hash, EVP_PKEY **ret, struct problem *p) must_use;

/* admin/managed_renewal.c: from now on those whose time has come are renewed. */
bool api_renewals_begin(struct api *api, struct problem *p) must_use;

/* `renewBeforeDays` of a body, as seconds; false: there is no number. */
bool managed_ask_renewal(const struct json *body, int64_t *ret) must_use;
