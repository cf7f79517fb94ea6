/* Orders for devices (draft-ietf-acme-device-attest-09): the key that was attested, and what of the devices' names may
 * stand in the certificate. */
#include "base/digest.h"
#include "policy/csr_part.h"
#include "policy/device_name.h"
#include "policy/gate_case.h"

#define CHALLENGE "device-attest-01"

bool gate_case_has_devices(const struct gate_case *c)
{
	for (size_t i = 0; i < c->identifier_count; i++)
		if (identifier_is_device(c->identifiers[i].type))
			return true;
	return false;
}

/* Where a device is not to be known by its certificate, nothing there may be its name. */
bool gate_case_is_device(const struct gate_case *c, const char *text)
{
	for (size_t i = 0;
	     c->profile && c->profile->acme.device_names != PROFILE_DEVICE_NAMES_NEVER && i < c->identifier_count;
	     i++)
		if (identifier_is_device(c->identifiers[i].type) && device_name_is(&c->identifiers[i], text))
			return true;
	return false;
}

/* --- the key */

static bool was_attested(const struct authorization *a)
{
	const struct challenge *proof = authorization_proof(a);

	return (proof && str_equal(proof->type ?: "", CHALLENGE)) || a->attested_key.len > 0;
}

/* Of an authorization that has no key though it was attested, no key is. */
bool gate_key_attested(const struct gate_case *c, struct problem *p)
{
	auto_value(buf) spki = {0};
	uint8_t digest[SHA256_SIZE];
	bool held = true;

	for (size_t i = 0; i < c->identifier_count && i < c->authorization_count; i++) {
		const struct authorization *a = &c->authorizations[i];
		const struct identifier *name = &c->identifiers[i];
		if (!was_attested(a))
			continue;
		if (spki.len == 0) {
			auto_value(problem) why = {0};
			if (!ossl_public_der(c->csr->key, &spki, &why))
				return gate_case_part(p, &why, NULL);
			digest_sha256(buf_bytes(&spki), digest);
		}
		if (!bytes_equal(a->attested_key, BYTES(digest, sizeof(digest))))
			held = problem_add(p, PROBLEM_BAD_CSR, identifier_type_name(name->type), name->value,
			                   "the device attestation draft, 8: the CSR's key is not the one that was attested for %s", name->value);
	}
	return held;
}

static bool is_of_format(const struct gate_case *c, const struct authorization *a)
{
	const struct strings *formats = &c->profile->acme.attestation_formats;

	return formats->n == 0 || !was_attested(a) || (a->attestation && strings_has(formats, a->attestation));
}

/* As authorizations-method: another profile may have been content with it. */
bool gate_attestation_format(const struct gate_case *c, struct problem *p)
{
	bool held = true;

	for (size_t i = 0; i < c->identifier_count && i < c->authorization_count; i++) {
		const struct identifier *name = &c->identifiers[i];
		if (!is_of_format(c, &c->authorizations[i]))
			held = problem_add(p, PROBLEM_UNAUTHORIZED, identifier_type_name(name->type), name->value,
			                   "%s was attested in format %s, which profile %s does not take", name->value,
			                   c->authorizations[i].attestation ?: "unknown", c->profile->name);
	}
	return held;
}

/* --- the names */

/* The policy is held to what is ordered, and by names-typed to what will stand in the certificate. */
bool gate_devices_allowed(const struct gate_case *c, struct problem *p)
{
	bool held = true;

	for (size_t i = 0; i < c->identifier_count; i++) {
		auto_value(problem) why = {0};
		if (identifier_is_device(c->identifiers[i].type) &&
		    !profile_allows(c->profile, &c->request.who, &c->identifiers[i], &why))
			held = gate_case_part(p, &why, &c->identifiers[i]);
	}
	return held;
}

/* 3.2 and 4.2: octet for octet one of the order's. */
static bool is_ordered(const struct gate_case *c, const struct csr_other_name *other)
{
	struct identifier name;

	return device_name_read(other, &name) && identifiers_has(&c->proven, &name);
}

static bool device_name_held(const struct gate_case *c, const struct csr_other_name *other, struct problem *p)
{
	if (other->type != CSR_OTHER_PERMANENT && other->type != CSR_OTHER_HARDWARE)
		return gate_bad_csr(p, "RFC 8555, 7.4: the CSR's subjectAltName has a name of type %s", other->kind);
	if (c->trial)
		return true;
	if (c->profile->acme.device_names == PROFILE_DEVICE_NAMES_NEVER)
		return gate_bad_csr(p,
		                    "the device attestation draft, 3.2: certificates of profile %s do not name the "
		                    "device: leave %s out of the CSR",
		                    c->profile->name, other->kind);
	return is_ordered(c, other) ||
	       gate_bad_csr(p, "the device attestation draft, 3.2: %s \"%s\" is in the CSR and not in the order",
	                    other->kind, other->value);
}

bool gate_case_device_names(const struct gate_case *c, struct problem *p)
{
	bool held = true;

	for (size_t i = 0; i < c->csr->other_count; i++)
		held = device_name_held(c, &c->csr->others[i], p) && held;
	return held;
}

static bool is_asked(const struct gate_case *c, const struct identifier *name)
{
	struct identifier asked;

	for (size_t i = 0; i < c->csr->other_count; i++)
		if (device_name_read(&c->csr->others[i], &asked) && identifier_equal(&asked, name))
			return true;
	return false;
}

bool gate_case_add_devices(struct gate_case *c, struct problem *p)
{
	if (!c->profile || c->profile->acme.device_names != PROFILE_DEVICE_NAMES_ALWAYS)
		return true;
	for (size_t i = 0; i < c->identifier_count; i++) {
		const struct identifier *name = &c->identifiers[i];
		struct csr_other_name *other;
		if (!identifier_is_device(name->type) || is_asked(c, name))
			continue;
		other = csr_other_add(c->csr, p);
		if (!other || !device_name_make(name, other, p))
			return false;
	}
	return true;
}
