/* Requester: who asks for a certificate over EST (RFC 7030, 3.2.3, 3.3.2 and 3.7), of several ways that he
 * shows at once the one that counts:
 *
 * 1. a certificate, of the connection or of a listed proxy, that is good for this label is enough, and
 * nothing is looked
 *    at beside it;
 * 2. one that was revoked, or whose device was, is refused, whatever else is shown: who holds it is not to come back by
 *    a weaker way;
 * 3. any other certificate proves nothing and takes nothing away: an expired one, one of an unknown CA, one for another
 *    label. The Authorization header counts then, if there is one;
 * 4. who shows nothing at all is anonymous, where the label has that method. Nobody becomes anonymous by failing.
 *
 * With renewal nothing but a certificate of ours counts. Any thread. Internal to est/. */
#pragma once

#include "est/call.h"
#include "policy/identity.h"

/* UNAUTHENTICATED where other HTTP credentials would mend it; UNAUTHORIZED; RATE_LIMITED; MALFORMED. What was shown and
 * refused is told to the audit log. */
bool requester_identify(struct est_call *call, bool renewal, struct identity **ret, struct problem *p) must_use;
