#include "policy/gate_case.h"

#include <stdio.h>

#define OID_COMMON_NAME "2.5.4.3"

/* A part that concerns no one name. */
#define bad_csr(p, ...) problem_add((p), PROBLEM_BAD_CSR, NULL, NULL, __VA_ARGS__)

/* What is no name stays out of the names: common-name-named tells it. */
static void common_name_read(const char *text, struct gate_case *c)
{
	auto_value(problem) ignored = {0};
	struct addr addr;
	struct identifier name;

	c->common_name_count++;
	c->common_name_text = text;
	if (identifier_parse(addr_parse(text, &addr) ? "ip" : "dns", text, &name, &ignored))
		c->common_name = name;
}

bool gate_case_take_csr(struct csr *csr, struct gate_case *c, struct problem *p)
{
	c->csr = csr;
	for (size_t i = 0; i < csr->subject_count; i++)
		if (str_equal(csr->subject[i].oid, OID_COMMON_NAME))
			common_name_read(csr->subject[i].value, c);
	for (size_t i = 0; i < csr->names.n; i++)
		if (!identifiers_add(&c->names, &csr->names.v[i], p))
			return false;
	return c->common_name.value[0] == '\0' || identifiers_add(&c->names, &c->common_name, p);
}

bool gate_names_present(const struct gate_case *c, struct problem *p)
{
	return c->names.n > 0 || bad_csr(p, "RFC 8555, 7.4: the CSR has no name");
}

bool gate_names_count(const struct gate_case *c, struct problem *p)
{
	return c->names.n <= c->profile->names_max ||
	       bad_csr(p, "the CSR has %zu names: profile %s has %u at most", c->names.n,
	               c->profile->name, c->profile->names_max);
}

/* Adds a part for each name of `names` that is not in `others`. */
static bool names_within(const struct identifiers *names, const struct identifiers *others,
                         enum problem_kind kind, const char *text, struct problem *p)
{
	bool held = true;

	for (size_t i = 0; i < names->n; i++) {
		const struct identifier *name = &names->v[i];
		if (!identifiers_has(others, name))
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

bool gate_names_proven(const struct gate_case *c, struct problem *p)
{
	bool held = true;

	for (size_t i = 0; i < c->names.n; i++) {
		const struct identifier *name = &c->names.v[i];
		if (!identity_proves(c->identity, name))
			held = problem_add(p, PROBLEM_UNAUTHORIZED, identifier_type_name(name->type), name->value,
			                   "%s is not a name that the requester has proven", name->value);
	}
	return held;
}

bool gate_names_allowed(const struct gate_case *c, struct problem *p)
{
	bool held = true;

	for (size_t i = 0; i < c->names.n; i++) {
		auto_value(problem) why = {0};
		if (!profile_allows(c->profile, &c->names.v[i], &why))
			held = gate_case_part(p, &why, &c->names.v[i]);
	}
	return held;
}

bool gate_names_typed(const struct gate_case *c, struct problem *p)
{
	bool held = true;

	for (size_t i = 0; i < c->csr->other_count; i++)
		held = bad_csr(p, "RFC 8555, 7.4: the CSR's subjectAltName has a name of type %s",
		               c->csr->others[i].kind);
	return held;
}

bool gate_common_name_single(const struct gate_case *c, struct problem *p)
{
	return c->common_name_count <= 1 ||
	       bad_csr(p, "the CSR's subject has %u common names", c->common_name_count);
}

bool gate_common_name_named(const struct gate_case *c, struct problem *p)
{
	return c->common_name_count == 0 || c->common_name.value[0] != '\0' ||
	       bad_csr(p,
	               "RFC 8555, 7.4: the CSR's common name \"%s\" is neither a DNS name nor an IP address",
	               c->common_name_text);
}

bool gate_subject_plain(const struct gate_case *c, struct problem *p)
{
	bool held = true;

	for (size_t i = 0; i < c->csr->subject_count; i++) {
		const struct csr_attribute *attribute = &c->csr->subject[i];
		if (!str_equal(attribute->oid, OID_COMMON_NAME))
			held = bad_csr(p, "RFC 8555, 7.4: the CSR's subject has %s, which nothing has proven",
			               attribute->short_name);
	}
	return held;
}

/* Those that have a rule or a field of their own. A subjectKeyIdentifier is let pass: the CA's own
 * is the hash of the same key. */
static const char *const known_extensions[] = {
	"2.5.29.14", "2.5.29.15", "2.5.29.17", "2.5.29.19", "2.5.29.37",
};

static bool is_known_extension(const char *oid)
{
	for (size_t i = 0; i < array_length(known_extensions); i++)
		if (str_equal(known_extensions[i], oid))
			return true;
	return false;
}

bool gate_extensions_known(const struct gate_case *c, struct problem *p)
{
	const struct strings *extensions = &c->csr->extensions;
	bool held = true;

	for (size_t i = 0; i < extensions->n; i++)
		if (!is_known_extension(extensions->v[i]))
			held = bad_csr(p,
			               "RFC 8555, 7.4: the CSR asks for extension %s, which this CA does not include",
			               extensions->v[i]);
	return held;
}

bool gate_no_ca(const struct gate_case *c, struct problem *p)
{
	return !c->csr->ca || bad_csr(p, "RFC 5280, 4.2.1.9: the CSR asks to be a CA");
}

unsigned gate_case_key_usage(const struct gate_case *c)
{
	unsigned usage = c->profile->key_usage & key_algorithm_usage(c->csr->algorithm);

	if (c->csr->has_key_usage)
		usage &= c->csr->key_usage;
	if (!(usage & KU_KEY_AGREEMENT)) /* RFC 5280, 4.2.1.3: without it these two mean nothing */
		usage &= ~(unsigned)(KU_ENCIPHER_ONLY | KU_DECIPHER_ONLY);
	return usage;
}

/* Clients ask an EC key for keyEncipherment from habit: what the profile gives and the key cannot
 * have is left out, what the profile does not give is refused. */
bool gate_key_usage(const struct gate_case *c, struct problem *p)
{
	static const char *const names[] = { /* RFC 5280, 4.2.1.3, from the first byte's highest bit on */
		"digitalSignature", "nonRepudiation", "keyEncipherment", "dataEncipherment", "keyAgreement",
		"keyCertSign", "cRLSign", "encipherOnly", "decipherOnly",
	};
	unsigned more = c->csr->has_key_usage ? c->csr->key_usage & ~c->profile->key_usage : 0;
	bool held = true;

	for (unsigned bit = 0; bit < 16; bit++) {
		unsigned mask = bit < 8 ? 0x80u >> bit : 0x8000u >> (bit - 8);
		if ((more & mask) != 0)
			held = bad_csr(p, "the CSR asks for key usage %s, which profile %s does not give",
			               bit < array_length(names) ? names[bit]
			               : "without a name", c->profile->name);
	}
	if (held && gate_case_key_usage(c) == 0)
		return bad_csr(p, "the CSR asks for no key usage that its key can have");
	return held;
}

bool gate_extended_key_usage(const struct gate_case *c, struct problem *p)
{
	const struct strings *asked = &c->csr->extended_key_usage;
	bool held = true;

	for (size_t i = 0; i < asked->n; i++)
		if (!strings_has(&c->profile->extended_key_usage, asked->v[i]))
			held = bad_csr(p,
			               "the CSR asks for extended key usage %s, which profile %s does not give",
			               asked->v[i], c->profile->name);
	return held;
}

/* RFC 8555, 6.7: badPublicKey is for the key of a JWS; a CSR's is the CSR's fault. */
bool gate_key_allowed(const struct gate_case *c, struct problem *p)
{
	return (c->profile->keys & 1u << c->csr->algorithm) != 0 ||
	       bad_csr(p, "the CSR's key is of kind %s, which profile %s does not take",
	               key_algorithm_name(c->csr->algorithm), c->profile->name);
}

bool gate_key_strong(const struct gate_case *c, struct problem *p)
{
	auto_value(problem) why = {0};

	if (key_check(c->csr->key, NULL, &why))
		return true;
	if (why.kind == PROBLEM_BAD_PUBLIC_KEY)
		why.kind = PROBLEM_BAD_CSR;
	return gate_case_part(p, &why, NULL);
}

bool gate_key_unlisted(const struct gate_case *c, struct problem *p)
{
	return !key_blocklist_has(profiles_blocklist(c->profiles), c->csr->key_hash) ||
	       bad_csr(p, "the CSR's key is on the list of keys that are known to others");
}

bool gate_key_not_account(const struct gate_case *c, struct problem *p)
{
	return c->profile->reuse_account_key || !c->key_is_account ||
	       bad_csr(p, "RFC 8555, 11.1: the CSR's key is an account's");
}
