/* device-attest-01 (draft-ietf-acme-device-attest-09, 5): the response itself has the proof, so it is judged on the
 * thread of its request and at once: reading one object of bounded size and checking the few signatures of a bounded
 * chain cost less than the request's own signature and commit, and nothing is waited for. One try ends the challenge.
 * Internal to acme/. */
#pragma once

#include "acme/call.h"

/* Judges the response in the call's payload, and stores what came of it. MALFORMED when the payload has no "attObj": it
 * is no response, and the challenge waits on. */
bool device_attest01_respond(const struct acme_call *call, const char *authorization, const char *challenge,
                             struct problem *p) must_use;
