#include "acme/order_caa.h"

#include "acme/caa.h"
#include "acme/probe.h"
#include "policy/identifier.h"
#include "store/authorization.h"

enum { RETRY = 5 };

/* How the name was proven, as CAA calls it (RFC 8657, 4); without a challenge by a label of our own. */
static const char *method_of(const struct authorization *a)
{
	const struct challenge *proof = authorization_proof(a);

	return proof ? proof->type : "ca-scope";
}

/* An order's identifiers and authorizations are pairs: of RFC 9444's ancestors several names may have one. */
struct names {
	const struct order *order;
	struct authorization *records;
	struct identifier *identifiers;
	struct caa_subject *subjects;
	size_t loaded, n;
};

static void names_free(struct names *names)
{
	for (size_t i = 0; i < names->loaded; i++)
		authorization_free(&names->records[i]);
	free(names->records);
	free(names->identifiers);
	free(names->subjects);
}
declare_auto_value(names, names_free);

static bool names_alloc(struct names *names, size_t n, struct problem *p)
{
	names->records = calloc(n + 1, sizeof(*names->records));
	names->identifiers = calloc(n + 1, sizeof(*names->identifiers));
	names->subjects = calloc(n + 1, sizeof(*names->subjects));
	return (names->records && names->identifiers && names->subjects) || problem_memory(p);
}

static bool add_name(struct names *names, size_t i, struct problem *p)
{
	const struct order_identifier *sent = (const struct order_identifier *)names->order->identifiers.v + i;
	const struct authorization *a = &names->records[i];
	struct identifier *name = &names->identifiers[i];

	if (!identifier_parse(sent->type, sent->value, name, p))
		return false;
	if (name->type == IDENTIFIER_DNS)
		names->subjects[names->n++] = (struct caa_subject){
			.value = identifier_base(name), .wildcard = identifier_is_wildcard(name),
			.method = method_of(a),
			.account_url = a->account_url, .require_dnssec = a->require_dnssec,
		};
	return true;
}

/* In a view, and run once. */
static bool load_names(struct store_txn *txn, void *arg, struct problem *p)
{
	struct names *names = arg;
	const struct order *order = names->order;

	if (order->authorizations.n != order->identifiers.n)
		return problem_internal(p, "order %s has not as many authorizations as names", order->id);
	for (size_t i = 0; i < order->identifiers.n; i++) {
		if (!store_authorization_get(txn, order->authorizations.v[i], &names->records[i], p))
			return false;
		names->loaded++;
		if (!add_name(names, i, p))
			return false;
	}
	return true;
}

bool order_caa_wanted(struct acme *acme, const char *name)
{
	auto_struct(profiles) *profiles = acme_profiles(acme);
	const struct profile *profile = profiles_find(profiles, name);

	return profile && profile->caa;
}

bool order_caa(struct acme *acme, const struct profiles *profiles, const struct order *order, struct problem *p)
{
	const struct profile *profile = profiles_find(profiles, order->profile);
	auto_value(names) names = { .order = order };

	if (!profile || !profile->caa)
		return true;
	if (!names_alloc(&names, order->identifiers.n, p) || !store_view(acme->store, load_names, &names, p))
		return false;
	if (!probes_caa_begin(acme->probes))
		return problem_unavailable(p, RETRY, "too many requests wait for CAA records");
	bool permitted = probes_caa(acme->probes, names.subjects, names.n, p);
	probes_caa_end(acme->probes);
	return permitted;
}
