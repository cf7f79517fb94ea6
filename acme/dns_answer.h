/* Answer: the records in a DNS message (RFC 1035, 4). Internal to acme/. */
#pragma once

#include "base/addr.h"
#include "base/bytes.h"

enum {
	DNS_TYPE_A = 1, DNS_TYPE_CNAME = 5, DNS_TYPE_TXT = 16, DNS_TYPE_AAAA = 28, DNS_TYPE_CAA = 257,
	DNS_CLASS_IN = 1,
};
enum { DNS_SERVFAIL = 2, DNS_NXDOMAIN = 3 };

/* The records of one type in the answer section, whatever their names: the resolver has followed the
 * aliases and left out what is not of the chain. */
struct dns_answer {
	struct bytes rest;
	unsigned left;
	int type, rcode;
};
/* false: no whole message. It is read to its end once here, so that what follows cannot fail. */
bool dns_answer_open(struct bytes message, int type, struct dns_answer *ret) must_use;
/* The next of them; false: no more. */
bool dns_answer_next(struct dns_answer *answer, struct bytes *ret_data) must_use;

/* Of A or AAAA, up to max of them; an IPv4-mapped AAAA is the IPv4 address that it is. false: no
 * whole message. */
bool dns_answer_read(struct bytes message, int type, struct addr *v, size_t max, size_t *ret_n,
                     int *ret_rcode) must_use;

/* TXT: the character-strings of one record, joined (RFC 1035, 3.3.14; RFC 7208, 3.3). false: it is
 * malformed. Whatever its length, no more than size - 1 bytes are kept; ret_len is the whole. */
bool dns_answer_text(struct bytes data, char *ret, size_t size, size_t *ret_len) must_use;
