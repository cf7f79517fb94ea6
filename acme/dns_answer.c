#include "acme/dns_answer.h"

#include <netinet/in.h>

enum { LABEL_MAX = 63, POINTER = 0xc0 };

static bool take(struct bytes *in, size_t n, struct bytes *ret)
{
	if (n > in->len)
		return false;
	*ret = BYTES(in->data, n);
	*in = BYTES(in->data + n, in->len - n);
	return true;
}

static bool take_number(struct bytes *in, unsigned *ret)
{
	struct bytes two;

	if (!take(in, 2, &two))
		return false;
	*ret = (unsigned)two.data[0] << 8 | two.data[1];
	return true;
}

/* Labels up to the empty one, or to a pointer, which is not followed (4.1.4). */
static bool skip_name(struct bytes *in)
{
	struct bytes length, rest;

	while (take(in, 1, &length)) {
		uint8_t n = length.data[0];

		if (n >= POINTER)
			return take(in, 1, &rest);
		if (n == 0)
			return true;
		if (n > LABEL_MAX || !take(in, n, &rest))
			return false;
	}
	return false;
}

struct record {
	unsigned type, class;
	struct bytes data;
};

static bool take_record(struct bytes *in, struct record *ret)
{
	struct bytes ttl;
	unsigned len;

	return skip_name(in) && take_number(in, &ret->type) && take_number(in, &ret->class) &&
	       take(in, 4, &ttl) && take_number(in, &len) && take(in, len, &ret->data);
}

static bool skip_question(struct bytes *in)
{
	unsigned type, class;

	return skip_name(in) && take_number(in, &type) && take_number(in, &class);
}

/* By way of sockaddr, which turns an IPv4-mapped AAAA record into the IPv4 address that it is. */
static bool address(const struct record *record, int type, struct addr *ret)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
	struct sockaddr_in in = { .sin_family = AF_INET };

	if (record->class != DNS_CLASS_IN || record->type != (unsigned)type)
		return false;
	if (type == DNS_TYPE_A && record->data.len == sizeof(in.sin_addr)) {
		memcpy(&in.sin_addr, record->data.data, sizeof(in.sin_addr));
		return addr_from_sockaddr((struct sockaddr *)&in, ret);
	}
	if (type == DNS_TYPE_AAAA && record->data.len == sizeof(in6.sin6_addr)) {
		memcpy(&in6.sin6_addr, record->data.data, sizeof(in6.sin6_addr));
		return addr_from_sockaddr((struct sockaddr *)&in6, ret);
	}
	return false;
}

bool dns_answer_read(struct bytes message, int type, struct addr *v, size_t max, size_t *ret_n,
                     int *ret_rcode)
{
	unsigned id, flags, questions, answers, authorities, more;
	struct record record;
	size_t n = 0;

	if (!take_number(&message, &id) || !take_number(&message, &flags) ||
	    !take_number(&message, &questions) || !take_number(&message, &answers) ||
	    !take_number(&message, &authorities) || !take_number(&message, &more))
		return false;
	while (questions-- > 0)
		if (!skip_question(&message))
			return false;
	while (answers-- > 0) {
		if (!take_record(&message, &record))
			return false;
		if (n < max && address(&record, type, &v[n]))
			n++;
	}
	*ret_n = n;
	*ret_rcode = flags & 0xf;
	return true;
}
