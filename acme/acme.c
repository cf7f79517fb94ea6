#include "acme/acme.h"

#include "acme/actions.h"
#include "acme/dns_resolver.h"
#include "acme/ending.h"
#include "acme/key_cache.h"
#include "acme/later.h"
#include "acme/nonce.h"
#include "acme/request.h"
#include "acme/routes.h"
#include "acme/star.h"
#include "store/audit_queue.h"

enum { LIMIT_KEYS_MAX = 100000 };

/* The state and what its options point to. */
struct acme_house {
	struct acme acme;              /* first: the two share an address */
	char *terms_of_service, *website, *renewal_explanation;
	struct strings caa_identities, issuers_retiring;
	struct addr_list probe_allow, probe_deny, probe_own;
};

static bool copy_text(const char *from, char **owned, const char **ret)
{
	*owned = from ? strdup(from) : NULL;
	*ret = *owned;
	return *owned || !from;
}

static bool copy_strings(const struct strings *from, struct strings *owned, const struct strings **ret)
{
	*ret = owned;
	return !from || strings_copy(from, owned);
}

static bool copy_addresses(const struct addr_list *from, struct addr_list *owned, const struct addr_list **ret)
{
	*ret = owned;
	return addr_list_copy(from, owned);
}

static bool copy_options(const struct acme_options *from, struct acme_house *house, struct problem *p)
{
	struct acme_options *to = &house->acme.options;
	*to = *from;
	to->persist_forms = from->persist_forms ? from->persist_forms : ACME_PERSIST_02;
	to->challenges = from->challenges ? from->challenges : ACME_CHALLENGES_USUAL;
	if (!copy_text(from->terms_of_service, &house->terms_of_service, &to->terms_of_service) ||
	    !copy_text(from->website, &house->website, &to->website) ||
	    !copy_text(from->renewal_explanation, &house->renewal_explanation, &to->renewal_explanation) ||
	    !copy_strings(from->issuers_retiring, &house->issuers_retiring, &to->issuers_retiring) ||
	    !copy_strings(from->caa_identities, &house->caa_identities, &to->caa_identities) ||
	    !copy_addresses(from->probe_allow, &house->probe_allow, &to->probe_allow) ||
	    !copy_addresses(from->probe_deny, &house->probe_deny, &to->probe_deny) ||
	    !copy_addresses(from->probe_own, &house->probe_own, &to->probe_own))
		return problem_memory(p);
	return true;
}

static bool open_limit(const struct acme_limit_options *options, struct limit **ret, struct problem *p)
{
	return limit_new(options->burst, options->period, LIMIT_KEYS_MAX, ret, p);
}

static bool open_limits(struct acme *acme, struct problem *p)
{
	const struct acme_options *o = &acme->options;
	return open_limit(&o->accounts_per_address, &acme->accounts_per_address, p) &&
	       open_limit(&o->orders_per_account, &acme->orders_per_account, p) &&
	       open_limit(&o->orders_per_name, &acme->orders_per_name, p) &&
	       open_limit(&o->requests_per_address, &acme->requests_per_address, p) &&
	       open_limit(&o->renewal_info_per_address, &acme->renewal_info_per_address, p);
}

bool acme_check_libraries(struct problem *p)
{
	return dns_resolver_check(p);
}

bool acme_open(const struct acme_options *options, struct store *store, struct ca *ca, struct profiles *profiles,
               struct acme **ret, struct problem *p)
{
	struct acme_house *house = calloc(1, sizeof *house);
	if (!house)
		return problem_memory(p);
	auto_struct(acme) *acme = &house->acme;
	acme->store = store;
	acme->ca = ca;
	acme->profiles = profiles_ref(profiles);
	acme->attestation = options->attestation ? attestation_roots_ref(options->attestation) : NULL;
	acme->wing = acme_routes_wing(acme);
	pthread_rwlock_init(&acme->profiles_lock, NULL);
	if (!copy_options(options, house, p) || !open_limits(acme, p) || !nonces_open(&acme->nonces, p) ||
	    !key_cache_open(&acme->keys, p) || !claims_open(&acme->claims, p) ||
	    !audit_queue_open(store, &acme->audit, p) || !probes_open(acme, &acme->probes, p) ||
	    !later_begin(acme, p) ||
	    !acme_sweep_begin(acme, p) || !acme_requests_begin(acme, p) || !acme_star_begin(acme, p) ||
	    !acme_ending_begin(acme, p))
		return false;
	acme->options.dns = (struct dns_options){0};
	acme->options.vantage = NULL;
	acme->options.attestation = NULL;
	*ret = steal(acme);
	return true;
}

struct profiles *acme_profiles(struct acme *acme)
{
	pthread_rwlock_rdlock(&acme->profiles_lock);
	struct profiles *profiles = profiles_ref(acme->profiles);
	pthread_rwlock_unlock(&acme->profiles_lock);
	return profiles;
}

void acme_set_profiles(struct acme *acme, struct profiles *profiles)
{
	struct profiles *new = profiles_ref(profiles);
	pthread_rwlock_wrlock(&acme->profiles_lock);
	struct profiles *old = acme->profiles;
	acme->profiles = new;
	pthread_rwlock_unlock(&acme->profiles_lock);
	profiles_unref(old);
}

void acme_set_attestation(struct acme *acme, struct attestation_roots *roots)
{
	struct attestation_roots *new = attestation_roots_ref(roots);
	pthread_rwlock_wrlock(&acme->profiles_lock);
	struct attestation_roots *old = acme->attestation;
	acme->attestation = new;
	pthread_rwlock_unlock(&acme->profiles_lock);
	attestation_roots_unref(old);
}

const struct http_wing *acme_wing(struct acme *acme)
{
	return &acme->wing;
}

static void free_options(struct acme_house *house)
{
	free(house->terms_of_service);
	free(house->website);
	free(house->renewal_explanation);
	strings_free(&house->issuers_retiring);
	strings_free(&house->caa_identities);
	addr_list_free(&house->probe_allow);
	addr_list_free(&house->probe_deny);
	addr_list_free(&house->probe_own);
}

void acme_close(struct acme *acme)
{
	if (!acme)
		return;
	work_close(acme->sweeper, NULL);
	later_end(acme);
	probes_close(acme->probes);
	audit_queue_close(acme->audit);
	claims_close(acme->claims);
	key_cache_close(acme->keys);
	nonces_close(acme->nonces);
	limit_free(acme->accounts_per_address);
	limit_free(acme->orders_per_account);
	limit_free(acme->orders_per_name);
	limit_free(acme->requests_per_address);
	limit_free(acme->renewal_info_per_address);
	profiles_unref(acme->profiles);
	attestation_roots_unref(acme->attestation);
	pthread_rwlock_destroy(&acme->profiles_lock);
	free_options((struct acme_house *)acme);
	free(acme);
}
