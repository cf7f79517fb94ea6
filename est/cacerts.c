#include "est/call.h"
#include "est/certs_only.h"

/* Without smime-type: the oldest clients compare the whole value (RFC 7030, 4.1.3 has it as a MAY). */
bool est_cacerts(struct est_call *call, struct problem *p)
{
	const struct issuer *issuer = ca_issuer(call->est->ca, call->profile->issuer);

	if (!issuer)
		return problem_internal(p, "profile %s: issuer %s is not loaded", call->profile->name, call->profile->issuer);
	return certs_only_reply(call->request, "application/pkcs7-mime", issuer_certificates(issuer), call->response, p);
}
