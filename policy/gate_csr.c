#include "policy/gate_case.h"

#define OID_BASIC_CONSTRAINTS "2.5.29.19"

/* What is asked for, as the policy sees it. All is borrowed from the case. */
static void request_fill(struct gate_case *c)
{
	const struct csr *csr = c->csr;

	c->request = (struct policy_request){
		.who = c->request.who, .subject = &c->subject, .names = &c->names,
		.devices = c->profile->acme.device_names == PROFILE_DEVICE_NAMES_NEVER ? NULL : &c->proven,
		.others = csr->others, .other_count = csr->other_count, .key = csr->algorithm,
		.signature = c->wish && c->wish->signature ? *c->wish->signature : csr->signature,
		.key_usage_asked = gate_case_key_usage_asked(c), .ca = csr->ca, .path_length = csr->path_length,
		.extended_key_usage = csr->extended_key_usage.n > 0 ? &csr->extended_key_usage : &c->profile->extended_key_usage,
	};
	if (c->profile->policy->ca == POLICY_CA_REQUIRED && !strings_has(&csr->extensions, OID_BASIC_CONSTRAINTS))
		c->request.ca = true; /* what a CSR says nothing of is the profile's */
	if (c->request.ca && c->request.path_length < 0)
		c->request.path_length = c->profile->policy->path_length;
	c->request.key_usage = gate_case_key_usage(c);
}

static struct policy_who who_asks(const struct gate_case *c)
{
	if (c->trial)
		return *c->trial;
	if (c->identity)
		return (struct policy_who){ .identity = identity_name(c->identity) };
	return (struct policy_who){ .account = c->account.id, .eab = c->account.eab_kid };
}

/* The names out of the CSR, and the subject that they and the profile make. */
static bool take_names(struct gate_case *c, struct problem *p)
{
	const struct identifiers *names = &c->csr->names;

	gate_case_read_common_names(c);
	for (size_t i = 0; i < names->n; i++)
		if (!identifiers_add(&c->names, &names->v[i], p))
			return false;
	if (c->common_name.value[0] != '\0' && !identifiers_add(&c->names, &c->common_name, p))
		return false;
	return gate_case_add_mails(c, p) && gate_case_make_subject(c, p);
}

bool gate_case_take_csr(struct csr *csr, struct gate_case *c, struct problem *p)
{
	c->csr = csr;
	c->request.who = who_asks(c);
	if (!take_names(c, p) || !gate_case_add_devices(c, p))
		return false;
	if (csr->change && gate_case_may_change(c)) {
		gate_case_change(c);
		if (!take_names(c, p))
			return false;
	}
	request_fill(c);
	return true;
}

/* Outside ACME, and of devices, a subject or a name of another type may be all that names the holder. */
bool gate_names_present(const struct gate_case *c, struct problem *p)
{
	bool more = c->identity || gate_case_has_devices(c);
	bool named = c->names.n > 0 || (more && (c->subject.n > 0 || c->csr->other_count > 0));

	return named || gate_bad_csr(p, "RFC 5280, 4.1.2.6: the CSR has no name");
}

bool gate_names_count(const struct gate_case *c, struct problem *p)
{
	return c->names.n <= c->profile->names_max ||
	       gate_bad_csr(p, "the CSR has %zu names: profile %s has %u at most", c->names.n,
	               c->profile->name, c->profile->names_max);
}

/* Adds a part for each name of `names` that is not in `others`. Of devices a CSR need not tell (the device attestation
 * draft, 3.2); what it tells is judged by names-typed. */
static bool names_within(const struct identifiers *names, const struct identifiers *others,
                         enum problem_kind kind, const char *text, struct problem *p)
{
	bool held = true;

	for (size_t i = 0; i < names->n; i++) {
		const struct identifier *name = &names->v[i];
		if (!identifier_is_device(name->type) && !identifiers_has(others, name))
			held = problem_add(p, kind, identifier_type_name(name->type), name->value, "%s %s",
			                   name->value, text);
	}
	return held;
}

bool gate_names_equal(const struct gate_case *c, struct problem *p)
{
	bool none_more = names_within(&c->names, &c->proven, PROBLEM_BAD_CSR,
	                              "is in the CSR and not in the order (RFC 8555, 7.4)", p);
	bool none_less = names_within(&c->proven, &c->names, PROBLEM_BAD_CSR,
	                              "is in the order and not in the CSR (RFC 8555, 7.4)", p);

	return none_more && none_less;
}

/* What is a name and yet nothing that a pattern could be said for. */
static bool unnamed_proven(const struct gate_case *c, struct problem *p)
{
	bool held = true;

	if (!identity_bound(c->identity) || identity_serial(c->identity)) /* of a device: device-bound */
		return true;
	for (size_t i = 0; i < c->csr->other_count; i++)
		held = problem_add(p, PROBLEM_UNAUTHORIZED, NULL, NULL,
		                   "a name of type %s is not one that the requester has proven",
		                   c->csr->others[i].kind);
	if (c->common_name_count > 0 && c->common_name.value[0] == '\0')
		held = problem_add(p, PROBLEM_UNAUTHORIZED, NULL, NULL,
		                   "the common name \"%s\" is not a name that the requester has proven",
		                   c->common_name_text);
	return held;
}

bool gate_names_proven(const struct gate_case *c, struct problem *p)
{
	bool held = unnamed_proven(c, p);

	for (size_t i = 0; i < c->names.n; i++) {
		const struct identifier *name = &c->names.v[i];
		/* Of those that are changed: change-allowed. */
		if (!c->changed && !identity_proves(c->identity, name) && !gate_device_proves(c, name))
			held = problem_add(p, PROBLEM_UNAUTHORIZED, identifier_type_name(name->type), name->value,
			                   "%s is not a name that the requester has proven", name->value);
	}
	return held;
}

/* Those that have a rule or a field of their own. What asks for nothing is let pass: a subjectKeyIdentifier, as the
 * CA's own is the hash of the same key, and what Windows writes of itself: the ciphers that it can decrypt (RFC 8551,
 * 2.5.2), and the template that it was told, in whose place the profile is. */
static const char *const known_extensions[] = {
	"2.5.29.14", "2.5.29.15", "2.5.29.17", "2.5.29.19", "2.5.29.37", "1.3.6.1.5.5.7.1.24",
	"1.2.840.113549.1.9.15", "1.3.6.1.4.1.311.20.2", "1.3.6.1.4.1.311.21.7",
};

/* What the CA says of itself in each certificate. libest renews with all that the old one had. */
static const char *const issuer_extensions[] = { "1.3.6.1.5.5.7.1.1", "2.5.29.31", "2.5.29.35", "2.5.29.56" };

static bool is_of(const char *const *oids, size_t count, const char *oid)
{
	for (size_t i = 0; i < count; i++)
		if (str_equal(oids[i], oid))
			return true;
	return false;
}

static bool is_known_extension(const struct gate_case *c, const char *oid)
{
	bool renews = c->identity && identity_certificate(c->identity, NULL);

	return is_of(known_extensions, array_length(known_extensions), oid) ||
	       (renews && is_of(issuer_extensions, array_length(issuer_extensions), oid));
}

bool gate_extensions_known(const struct gate_case *c, struct problem *p)
{
	const struct strings *extensions = &c->csr->extensions;
	bool held = true;

	for (size_t i = 0; i < extensions->n; i++)
		if (!is_known_extension(c, extensions->v[i]))
			held = gate_bad_csr(p,
			               "RFC 5280, 4.2: the CSR asks for extension %s, which this CA does not include",
			               extensions->v[i]);
	return held;
}

/* RFC 7633: that the CSR asks is what a CSR can say of its server. With no period the rule of it has spoken. */
bool gate_must_staple(const struct gate_case *c, struct problem *p)
{
	auto_value(problem) why = {0};
	int64_t from, to;

	if (!c->csr->must_staple)
		return true;
	if (c->request.ca || !strings_has(c->request.extended_key_usage, "1.3.6.1.5.5.7.3.1"))
		return gate_bad_csr(p, "RFC 7633: the CSR asks for status_request, which is for certificates of TLS "
		                       "servers");
	if (gate_case_period(c, &from, &to, &why) && gate_case_is_unrevocable(c, from, to))
		return gate_bad_csr(p, "RFC 9608, 2: the CSR asks for status_request, and of this certificate there is "
		                    "no revocation information");
	return true;
}
