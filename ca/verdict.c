#include "ca/verdict.h"

#include "base/clock.h"
#include "ca/constraint.h"
#include "ca/issuer_inside.h"

static bool ends_before(const struct approval_facts *facts, const struct issuer *issuer, struct problem *p)
{
	char issuer_end[CLOCK_RFC3339_SIZE], end[CLOCK_RFC3339_SIZE];

	clock_format(issuer_not_after(issuer), issuer_end);
	clock_format(facts->not_after, end);
	return problem_closed(p, 3600, "the issuing CA %s ends at %s, before the certificate would (at %s): it "
	                      "must be renewed first",
	                      issuer_name(issuer), issuer_end, end);
}

/* RFC 5280, 6.1 asks nothing of the kind, yet a certificate that outlives its issuer fails before
 * the date that it promises. */
bool verdict_ready(const struct issuer *issuer, const struct approval_facts *facts, struct problem *p)
{
	if (!issuer)
		return problem_internal(p, "profile %s: there is no issuer \"%s\"", facts->profile, facts->issuer);
	if (issuer_is_disabled(issuer))
		return problem_closed(p, 3600, "the issuing CA %s is disabled and issues nothing", issuer_name(issuer));
	return facts->not_after <= issuer_not_after(issuer) || ends_before(facts, issuer, p);
}

bool verdict_below(const struct issuer *issuer, const struct approval_facts *facts, struct problem *p)
{
	return !facts->ca || issuer_may_certify(issuer, facts->path_length) ||
	       problem_set(p, PROBLEM_BAD_CSR, "CA certificate is not allowed: issuer %s of profile %s may have "
	                   "no such CA below it "
	                   "(RFC 5280, 4.2.1.9)", issuer_name(issuer), facts->profile);
}

/* --- for the gate */

/* In the place of the certificate's key, which may not be made yet: names are all that is looked at. The generator
 * of P-256 (SEC 2, 2.4.2). */
static const uint8_t any_key[] = {
	0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
	0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04, 0x6b, 0x17, 0xd1, 0xf2, 0xe1, 0x2c, 0x42, 0x47, 0xf8,
	0xbc, 0xe6, 0xe5, 0x63, 0xa4, 0x40, 0xf2, 0x77, 0x03, 0x7d, 0x81, 0x2d, 0xeb, 0x33, 0xa0, 0xf4, 0xa1, 0x39,
	0x45, 0xd8, 0x98, 0xc2, 0x96, 0x4f, 0xe3, 0x42, 0xe2, 0xfe, 0x1a, 0x7f, 0x9b, 0x8e, 0xe7, 0xeb, 0x4a, 0x7c,
	0x0f, 0x9e, 0x16, 0x2b, 0xce, 0x33, 0x57, 0x6b, 0x31, 0x5e, 0xce, 0xcb, 0xb6, 0x40, 0x68, 0x37, 0xbf, 0x51,
	0xf5,
};
#define ANY_ALGORITHM BYTES("\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02", 12)
#define ANY_SERIAL BYTES("\x01", 1)

static bool names_stand(const struct issuer *issuer, const struct approval_facts *facts, struct problem *p)
{
	struct approval_facts before = *facts;
	auto_value(buf) tbs = { 0 };

	if (sk_X509_num(issuer_constrained(issuer)) <= 0)
		return true;
	before.spki = BYTES(any_key, sizeof(any_key));
	before.algorithm = KEY_EC_P256;
	return template_write(issuer_template(issuer), ANY_ALGORITHM, ANY_SERIAL, &before, &tbs, p) &&
	       constraint_check(issuer_constrained(issuer), buf_bytes(&tbs), ANY_ALGORITHM, p);
}

static bool allows(const void *ca, const struct approval_facts *facts, struct problem *p)
{
	const struct issuer *issuer = ca_issuer_current(ca, facts->issuer);

	return !issuer || (verdict_below(issuer, facts, p) && names_stand(issuer, facts, p));
}

static bool ready(const void *ca, const struct approval_facts *facts, struct problem *p)
{
	return verdict_ready(ca_issuer_current(ca, facts->issuer), facts, p);
}

void verdict_bind(const struct ca *ca, struct profiles *profiles)
{
	profiles_set_signers(profiles, &(struct profile_signers){ ca, allows, ready });
}
