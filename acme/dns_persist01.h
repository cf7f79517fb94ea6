/* dns-persist-01: a TXT record that stays, and names an account of this CA (draft-ietf-acme-dns-persist-02; the
 * form of draft 00 beside it, where the configuration says so). Internal to acme/. */
#pragma once

#include "acme/dns.h"
#include "acme/probe_reply.h"

struct dns_persist_rules {
	const struct strings *issuers;   /* Issuer Domain Names */
	unsigned forms;                  /* enum acme_persist_form bits */
};
/* A record at the name, or one with policy=wildcard at one of the domains above it (draft 02, 6). Refusals as
 * 9.3.1 says: MALFORMED, UNAUTHORIZED; DNS. */
bool dns_persist01_prove(struct dns *dns, const struct dns_persist_rules *rules, const struct probe_task *task,
                         int64_t deadline, struct problem *p) must_use;

/* One record's text, for that task, at that time. ret_until: its end (persistUntil); 0: none. false with
 * nothing in p: it is of another CA. */
bool dns_persist01_judge(const struct dns_persist_rules *rules, const struct probe_task *task, struct bytes text,
                         int64_t now, int64_t *ret_until, struct problem *p) must_use;
/* The accountHashPrefix of the directory whose account has that URL; false: no account URL. */
bool dns_persist01_prefix(const char *account_url, struct buf *ret) must_use;
