/* Answer: the addresses in a DNS message (RFC 1035, 4). Internal to acme/. */
#pragma once

#include "base/addr.h"
#include "base/bytes.h"

enum { DNS_TYPE_A = 1, DNS_TYPE_AAAA = 28, DNS_CLASS_IN = 1 };
enum { DNS_SERVFAIL = 2, DNS_NXDOMAIN = 3 };

/* The records of that type in the answer section, up to max of them, whatever their names: the
 * resolver has followed the aliases and left out what is not of the chain. An IPv4-mapped AAAA
 * is the IPv4 address that it is. false: no whole message. */
bool dns_answer_read(struct bytes message, int type, struct addr *v, size_t max, size_t *ret_n,
                     int *ret_rcode) must_use;
