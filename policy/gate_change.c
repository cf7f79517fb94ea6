/* ChangeSubjectName (RFC 6402, 2.8; RFC 7030, 4.2.2): the CSR has the subject and names of the certificate that is
 * shown, and the attribute those that the new one is to have. */
#include "policy/client_certificate.h"
#include "policy/gate_case.h"

bool gate_case_may_change(const struct gate_case *c)
{
	return c->identity && identity_certificate(c->identity, NULL) && c->profile->est.change_names.n > 0;
}

#define swap(a, b) do { __typeof__(a) swap_ = (a); (a) = (b); (b) = swap_; } while (0)

void gate_case_change(struct gate_case *c)
{
	struct csr *csr = c->csr, *change = csr->change;

	c->changed = true;
	swap(c->subject, c->held_subject);
	swap(c->names, c->held_names);
	c->common_name_count = 0;
	c->common_name_text = NULL;
	c->common_name = (struct identifier){0};
	swap(csr->subject, change->subject);
	swap(csr->subject_count, change->subject_count);
	swap(csr->names, change->names);
	swap(csr->others, change->others);
	swap(csr->other_count, change->other_count);
}

static bool may_have(const struct gate_case *c, const struct identifier *name)
{
	const struct strings *patterns = &c->profile->est.change_names;

	return identity_proves(c->identity, name) ||
	       pattern_typed_any((const char *const *)patterns->v, patterns->n, name);
}

static bool is_name(const struct gate_case *c, const struct subject_attribute *attribute)
{
	return attribute->type == SUBJECT_CN && c->common_name.value[0] != '\0' &&
	       str_equal(attribute->value, c->common_name.value);
}

/* A subject in free text proves nothing, so it has what the old one had, and a common name that is one of the names. */
static bool subject_allowed(const struct gate_case *c, struct problem *p)
{
	bool held = true;

	for (size_t i = 0; i < c->subject.n; i++) {
		const struct subject_attribute *attribute = &c->subject.v[i];
		if (!subject_has(&c->held_subject, attribute->type, attribute->value) && !is_name(c, attribute))
			held = problem_add(p, PROBLEM_UNAUTHORIZED, NULL, NULL,
			                   "RFC 6402, 2.8: %s \"%s\" is not in the certificate, and no name "
			                   "that profile %s lets be taken",
			                   subject_type_short(attribute->type), attribute->value, c->profile->name);
	}
	return held;
}

bool gate_change_allowed(const struct gate_case *c, struct problem *p)
{
	bool held = true;

	if (!c->csr->change)
		return true;
	if (!c->changed)
		return problem_add(p, PROBLEM_UNAUTHORIZED, NULL, NULL,
		                   "RFC 6402, 2.8: profile %s lets nobody change subject and names here; "
		                   "leave ChangeSubjectName out of the CSR",
		                   c->profile->name);
	for (size_t i = 0; i < c->names.n; i++) {
		const struct identifier *name = &c->names.v[i];
		if (!may_have(c, name))
			held = problem_add(p, PROBLEM_UNAUTHORIZED, identifier_type_name(name->type), name->value,
			                   "RFC 6402, 2.8: %s is no name that profile %s lets be taken", name->value, c->profile->name);
	}
	if (c->csr->other_count > 0)
		held = problem_add(p, PROBLEM_UNAUTHORIZED, NULL, NULL,
		                   "RFC 6402, 2.8: no name of type %s can be taken", c->csr->others[0].kind);
	return subject_allowed(c, p) && held;
}
