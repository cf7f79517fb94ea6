/* Requester: who asks for a certificate over EST (RFC 7030, 3.2.3 and 3.3.2): a device with a certificate
 * of this CA, or somebody with an enrollment code. Any thread. Internal to est/. */
#pragma once

#include "est/call.h"
#include "policy/identity.h"

/* A certificate that is good for this label is enough, and no code is looked at beside it. With renewal,
 * nothing but a certificate is. UNAUTHENTICATED; UNAUTHORIZED; RATE_LIMITED after many wrong codes. */
bool requester_identify(struct est_call *call, bool renewal, struct identity **ret, struct problem *p) must_use;
