#include "est/call.h"
#include "est/certs_only.h"

/* RFC 7030, 4.1.3. The oldest clients compare the whole type, so smime-type is there only where it is asked for. */
static const char *type_of(const struct label *label)
{
	return label->cacerts_smime_type ? CERTS_ONLY_TYPE : "application/pkcs7-mime";
}

bool est_cacerts(struct est_call *call, struct problem *p)
{
	const struct issuer *issuer = ca_issuer_current(call->est->ca, call->profile->issuer);

	if (!issuer)
		return problem_internal(p, "profile %s: issuer %s is not loaded", call->profile->name,
		                        call->profile->issuer);
	return certs_only_reply(call, type_of(call->label), issuer_certificates(issuer), p);
}
