#include <strings.h>

#include "policy/gate_case.h"
#include "policy/policy_match.h"

/* Whether a pattern of the policy in which the requester's own name stands means this value. */
static bool is_tied(const struct gate_case *c, enum policy_field field, const char *value,
                    const struct identifier *name)
{
	const struct policy_values *values = &c->profile->policy->fields[field];
	const struct strings *const lists[] = { &values->required, &values->allow };

	for (size_t l = 0; l < array_length(lists); l++)
		for (size_t i = 0; i < lists[l]->n; i++)
			if (strstr(lists[l]->v[i], "{identity}") &&
			    policy_match(field, lists[l]->v[i], &c->request, value, name))
				return true;
	return false;
}

bool gate_device_proves(const struct gate_case *c, const struct identifier *name)
{
	return identity_serial(c->identity) && !identity_bound(c->identity) &&
	       is_tied(c, POLICY_SAN + (enum policy_field)name->type, name->value, name);
}

/* "value" or "value/OID of the assigner": the serial number is the value. */
static bool is_permanent(const struct csr_other_name *other, const char *serial)
{
	size_t len = strlen(serial);

	return other->type == CSR_OTHER_PERMANENT && strncmp(other->value, serial, len) == 0 &&
	       (other->value[len] == '\0' || other->value[len] == '/');
}

static bool proves_other(const struct gate_case *c, const struct csr_other_name *other, const char *serial)
{
	auto_value(buf) hex = {0};

	if (other->type == CSR_OTHER_UNREADABLE)
		return false;
	buf_add_hex(&hex, buf_bytes(&other->der));
	return is_permanent(other, serial) ||
	       (!hex.failed && hex.len > 0 && identity_holds_other(c->identity, buf_text(&hex))) ||
	       is_tied(c, POLICY_OTHER + (enum policy_field)other->type, other->value, NULL);
}

static bool others_proven(const struct gate_case *c, const char *serial, struct problem *p)
{
	bool held = true;

	for (size_t i = 0; i < c->csr->other_count; i++)
		if (!proves_other(c, &c->csr->others[i], serial))
			held = problem_add(p, PROBLEM_UNAUTHORIZED, NULL, NULL,
			                   "a name of type %s is not one that device %s has proven",
			                   c->csr->others[i].kind, serial);
	return held;
}

static bool is_name(const struct identifiers *names, const char *text)
{
	for (size_t i = 0; i < names->n; i++)
		if (strcasecmp(names->v[i].value, text) == 0)
			return true;
	return false;
}

/* What stands as one of the names is judged as a name; in free text it is the serial number, or as the policy ties
 * it. */
static bool common_name_proven(const struct gate_case *c, const char *serial, struct problem *p)
{
	const char *text = c->common_name_count > 0 && c->common_name.value[0] == '\0' ? c->common_name_text : NULL;

	return !text || str_equal(text, serial) || is_name(&c->names, text) ||
	       is_tied(c, POLICY_SUBJECT + SUBJECT_CN, text, NULL) ||
	       problem_add(p, PROBLEM_UNAUTHORIZED, NULL, NULL,
	                   "the common name \"%s\" is not one that device %s has proven", text, serial);
}

static bool serials_proven(const struct gate_case *c, const char *serial, struct problem *p)
{
	bool held = true;

	for (size_t i = 0; i < c->subject.n; i++)
		if (c->subject.v[i].type == SUBJECT_SERIAL_NUMBER && !str_equal(c->subject.v[i].value, serial))
			held = problem_add(p, PROBLEM_UNAUTHORIZED, NULL, NULL,
			                   "the subject's serialNumber \"%s\" is not that of device %s", c->subject.v[i].value, serial);
	return held;
}

bool gate_device_bound(const struct gate_case *c, struct problem *p)
{
	const char *serial = identity_serial(c->identity);

	if (!serial)
		return true;
	bool names = others_proven(c, serial, p), common = common_name_proven(c, serial, p);
	return serials_proven(c, serial, p) && names && common;
}

bool gate_identity_known(const struct gate_case *c, struct problem *p)
{
	return !identity_unproven(c->identity) || c->profile->approvals > 0 ||
	       problem_add(p, PROBLEM_UNAUTHORIZED, NULL, NULL,
	                   "profile %s asks for nobody's approval: who asks must prove who he is", c->profile->name);
}
