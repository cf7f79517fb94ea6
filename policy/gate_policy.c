#include "policy/gate_case.h"

struct refusing {
	const struct gate_case *c;
	struct problem *p;
};

static void refuse(void *arg, const struct policy_verdict *verdict)
{
	const struct refusing *r = arg;
	const struct identifier *name = verdict->name;
	const char *policy = r->c->profile->policy->name;

	if (verdict->held)
		return;
	const struct problem_breach breach = { verdict->field, verdict->value, verdict->rule, verdict->text };
	problem_add_breach(r->p, name ? PROBLEM_REJECTED_IDENTIFIER : PROBLEM_BAD_CSR,
	                   name ? identifier_type_name(name->type) : NULL, name ? name->value : NULL, &breach,
	                   "%s: \"%.128s\" (policy %s, %s, %s)", verdict->text, verdict->value ?: "", policy,
	                   verdict->field, verdict->rule);
}

bool gate_case_judge(const struct gate_case *c, enum policy_part part, struct problem *p)
{
	struct refusing r = { c, p };

	return policy_judge(c->profile->policy, part, &c->request, refuse, &r);
}

bool gate_names_allowed(const struct gate_case *c, struct problem *p)
{
	return gate_case_judge(c, POLICY_NAMES, p);
}

/* ACME proves no name of another type (RFC 8555, 9.7.7) but of devices. */
bool gate_names_typed(const struct gate_case *c, struct problem *p)
{
	return (c->identity || gate_case_device_names(c, p)) && gate_case_judge(c, POLICY_OTHERS, p);
}

bool gate_no_ca(const struct gate_case *c, struct problem *p)
{
	if (!c->identity && c->request.ca)
		return gate_bad_csr(p, "RFC 5280, 4.2.1.9: the CSR asks to be a CA");
	return gate_case_judge(c, POLICY_BASIC_CONSTRAINTS, p);
}

/* OpenSSL's own template of a request (v3_req in its openssl.cnf) asks for nonRepudiation, whatever the key is for,
 * and so do the clients that took it over: where the policy lists usages and says nothing of this one, it is left
 * out. */
unsigned gate_case_key_usage_asked(const struct gate_case *c)
{
	const struct policy_bits *bits = &c->profile->policy->key_usage;
	unsigned listed = bits->required | bits->allow, asked = c->csr->has_key_usage ? c->csr->key_usage : 0;

	if (listed != 0 && !((listed | bits->deny) & KU_NON_REPUDIATION))
		asked &= ~(unsigned)KU_NON_REPUDIATION;
	return asked;
}

unsigned gate_case_key_usage(const struct gate_case *c)
{
	unsigned ca = c->request.ca ? KU_KEY_CERT_SIGN | KU_CRL_SIGN : 0;
	unsigned usage = c->csr->has_key_usage ? c->request.key_usage_asked : c->profile->key_usage;

	usage &= key_algorithm_usage(c->csr->algorithm) | ca;
	if (!(usage & KU_KEY_AGREEMENT)) /* RFC 5280, 4.2.1.3: without it these two mean nothing */
		usage &= ~(unsigned)(KU_ENCIPHER_ONLY | KU_DECIPHER_ONLY);
	return usage;
}

/* Clients ask an EC key for keyEncipherment from habit: what the policy allows and the key cannot
 * have is left out, what the policy does not allow is refused. */
bool gate_key_usage(const struct gate_case *c, struct problem *p)
{
	if (!gate_case_judge(c, POLICY_KEY_USAGE, p))
		return false;
	bool may_be_ca = c->identity && c->profile->policy->ca != POLICY_CA_FORBIDDEN; /* otherwise no-ca has said it */
	if (c->request.ca && may_be_ca && !(c->request.key_usage & KU_KEY_CERT_SIGN))
		return gate_bad_csr(p, "RFC 5280, 4.2.1.9: the CSR asks to be a CA, and for key usages without "
		                       "keyCertSign");
	return c->request.key_usage != 0 || gate_bad_csr(p, "the CSR asks for no key usage that its key can have");
}

bool gate_extended_key_usage(const struct gate_case *c, struct problem *p)
{
	return gate_case_judge(c, POLICY_EXTENDED_KEY_USAGE, p);
}

/* RFC 8555, 6.7: badPublicKey is for the key of a JWS; a CSR's is the CSR's fault. */
bool gate_key_allowed(const struct gate_case *c, struct problem *p)
{
	return gate_case_judge(c, POLICY_KEY, p);
}

bool gate_signature_allowed(const struct gate_case *c, struct problem *p)
{
	return gate_case_judge(c, POLICY_SIGNATURE, p);
}
