/* dns-01: the challenge that a TXT record answers (RFC 8555, 8.4), and dns-account-01, the same under
 * a label of the account's own (draft-ietf-acme-dns-account-label-03). Internal to acme/. */
#pragma once

#include "acme/dns.h"
#include "acme/probe_reply.h"

/* Refusals: DNS, INCORRECT_RESPONSE, with the name that was asked for, whom, what was wanted and, when
 * it looks like such a proof, what came. */
bool dns01_prove(struct dns *dns, const struct probe_task *task, int64_t deadline, struct problem *p) must_use;
bool dns_account01_prove(struct dns *dns, const struct probe_task *task, int64_t deadline, struct problem *p) must_use;
