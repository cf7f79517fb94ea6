#include <strings.h>

#include "policy/client_certificate.h"
#include "policy/gate_case.h"
#include "policy/plain_text.h"

static bool other_key(const struct csr_other_name *other, struct buf *ret)
{
	buf_add_hex(ret, buf_bytes(&other->der));
	return !ret->failed;
}

/* What no certificate can hold (der is empty) is in none. */
static bool holds_other(const struct client_certificate *held, const struct csr_other_name *other)
{
	auto_value(buf) key = {0};

	return other->der.len > 0 && other_key(other, &key) && strings_has(&held->others, buf_text(&key));
}

/* What the CSR says of itself, whatever it wants changed. */
static const struct csr *own_of(const struct gate_case *c)
{
	return c->changed ? c->csr->change : c->csr;
}

static bool others_held(const struct gate_case *c, const struct client_certificate *held, struct problem *p)
{
	const struct csr *csr = own_of(c);
	bool all = true;

	for (size_t i = 0; i < csr->other_count; i++)
		if (!holds_other(held, &csr->others[i]))
			all = problem_add(p, PROBLEM_UNAUTHORIZED, NULL, NULL,
			                  "the %s of the CSR is not in the client certificate (RFC 7030, 4.2.2)",
			                  csr->others[i].kind);
	return all;
}

/* What would be written is compared, not the bytes of the CSR: encodings, case and spaces may differ, and so may
 * an attribute that the profile leaves out or fills in by itself. */
bool gate_subject_held(const struct gate_case *c, struct problem *p)
{
	const struct client_certificate *held = identity_certificate(c->identity, NULL);
	auto_value(buf) asked = {0};

	if (!held)
		return true;
	subject_text(c->changed ? &c->held_subject : &c->subject, &asked);
	bool same = !asked.failed && plain_text_equal(asked.len > 0 ? buf_text(&asked) : "", held->subject);
	if (!same)
		problem_add(p, PROBLEM_UNAUTHORIZED, NULL, NULL,
		            "RFC 7030, 4.2.2: the client certificate has the subject \"%s\", for the CSR it would be \"%s\"",
		            held->subject, asked.len > 0 ? buf_text(&asked) : "");
	return others_held(c, held, p) && same;
}

static bool asks_other(const struct gate_case *c, const char *want)
{
	const struct csr *csr = own_of(c);

	for (size_t i = 0; i < csr->other_count; i++) {
		auto_value(buf) key = {0};
		if (other_key(&csr->others[i], &key) && key.len > 0 && str_equal(buf_text(&key), want))
			return true;
	}
	return false;
}

bool gate_renewal_whole(const struct gate_case *c, struct problem *p)
{
	bool renewal = false, whole = true;
	const struct client_certificate *held = identity_certificate(c->identity, &renewal);

	if (!held || !renewal) /* a registrar renews the certificates of others, and shows none of them */
		return true;
	for (size_t i = 0; i < held->names.n; i++) {
		const struct identifier *name = &held->names.v[i];
		if (!identifiers_has(c->changed ? &c->held_names : &c->names, name))
			whole = problem_add(p, PROBLEM_UNAUTHORIZED, identifier_type_name(name->type), name->value,
			                    "%s is in the certificate to renew and not in the CSR (RFC 7030, 4.2.2)", name->value);
	}
	for (size_t i = 0; i < held->others.n; i++)
		if (!asks_other(c, held->others.v[i]))
			whole = problem_add(p, PROBLEM_UNAUTHORIZED, NULL, NULL,
			                    "RFC 7030, 4.2.2: a name of the certificate to renew is not in the CSR");
	return whole;
}
