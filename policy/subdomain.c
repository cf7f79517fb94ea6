#include "policy/subdomain.h"

const char *subdomain_above(const char *name)
{
	const char *dot = strchr(name, '.');

	return dot ? dot + 1 : NULL;
}

bool subdomain_is_below(const char *name, const char *ancestor)
{
	for (const char *above = subdomain_above(name); above; above = subdomain_above(above))
		if (str_equal(above, ancestor))
			return true;
	return false;
}

/* Who shows a record in a domain's zone can name hosts in it; who answers at its address may be one host of many. */
static bool is_proven_by_dns(const struct authorization *a)
{
	const struct challenge *proof = authorization_proof(a);

	return proof && proof->type && str_starts(proof->type, "dns-");
}

bool subdomain_covers(const struct profile *profile, const struct authorization *a, const struct identifier *name)
{
	if (profile->subdomains == PROFILE_SUBDOMAINS_NONE || name->type != IDENTIFIER_DNS ||
	    identifier_is_wildcard(name))
		return false;
	return a->subdomains && !a->wildcard && a->type && str_equal(a->type, "dns") && a->value &&
	       subdomain_is_below(name->value, a->value) &&
	       (profile->subdomains == PROFILE_SUBDOMAINS_ANY || is_proven_by_dns(a));
}
