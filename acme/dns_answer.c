#include "acme/dns_answer.h"

#include <netinet/in.h>

enum { LABEL_MAX = 63, POINTER = 0xc0 };

static bool take_number(struct bytes *in, unsigned *ret)
{
	struct bytes two;

	if (!bytes_take(in, 2, &two))
		return false;
	*ret = (unsigned)two.data[0] << 8 | two.data[1];
	return true;
}

/* Labels up to the empty one, or to a pointer, which is not followed (4.1.4). */
static bool skip_name(struct bytes *in)
{
	struct bytes length, rest;

	while (bytes_take(in, 1, &length)) {
		uint8_t n = length.data[0];

		if (n >= POINTER)
			return bytes_take(in, 1, &rest);
		if (n == 0)
			return true;
		if (n > LABEL_MAX || !bytes_take(in, n, &rest))
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
	       bytes_take(in, 4, &ttl) && take_number(in, &len) && bytes_take(in, len, &ret->data);
}

static bool skip_question(struct bytes *in)
{
	unsigned type, class;

	return skip_name(in) && take_number(in, &type) && take_number(in, &class);
}

bool dns_answer_open(struct bytes message, int type, struct dns_answer *ret)
{
	unsigned id, flags, questions, answers, authorities, more;
	struct record record;
	struct dns_answer answer = { .type = type };

	if (!take_number(&message, &id) || !take_number(&message, &flags) ||
	    !take_number(&message, &questions) || !take_number(&message, &answers) ||
	    !take_number(&message, &authorities) || !take_number(&message, &more))
		return false;
	while (questions-- > 0)
		if (!skip_question(&message))
			return false;
	answer.rest = message;
	answer.left = answers;
	answer.rcode = flags & 0xf;
	while (answers-- > 0)
		if (!take_record(&message, &record))
			return false;
	*ret = answer;
	return true;
}

bool dns_answer_next(struct dns_answer *answer, struct bytes *ret_data)
{
	struct record record;

	while (answer->left > 0) {
		answer->left--;
		if (!take_record(&answer->rest, &record))
			return false;
		if (record.class != DNS_CLASS_IN || record.type != (unsigned)answer->type)
			continue;
		*ret_data = record.data;
		return true;
	}
	return false;
}

/* By way of sockaddr, which turns an IPv4-mapped AAAA record into the IPv4 address that it is. */
static bool address(struct bytes data, int type, struct addr *ret)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
	struct sockaddr_in in = { .sin_family = AF_INET };

	if (type == DNS_TYPE_A && data.len == sizeof(in.sin_addr)) {
		memcpy(&in.sin_addr, data.data, sizeof(in.sin_addr));
		return addr_from_sockaddr((struct sockaddr *)&in, ret);
	}
	if (type == DNS_TYPE_AAAA && data.len == sizeof(in6.sin6_addr)) {
		memcpy(&in6.sin6_addr, data.data, sizeof(in6.sin6_addr));
		return addr_from_sockaddr((struct sockaddr *)&in6, ret);
	}
	return false;
}

bool dns_answer_read(struct bytes message, int type, struct addr *v, size_t max, size_t *ret_n,
                     int *ret_rcode)
{
	struct dns_answer answer;
	struct bytes data;
	size_t n = 0;

	if (!dns_answer_open(message, type, &answer))
		return false;
	while (dns_answer_next(&answer, &data))
		if (n < max && address(data, type, &v[n]))
			n++;
	*ret_n = n;
	*ret_rcode = answer.rcode;
	return true;
}

bool dns_answer_text(struct bytes data, char *ret, size_t size, size_t *ret_len)
{
	struct bytes length, part;
	size_t len = 0;

	while (data.len > 0) {
		if (!bytes_take(&data, 1, &length) || !bytes_take(&data, length.data[0], &part))
			return false;
		for (size_t i = 0; i < part.len; i++, len++)
			if (len + 1 < size)
				ret[len] = (char)part.data[i];
	}
	ret[len + 1 < size ? len : size - 1] = '\0';
	*ret_len = len;
	return true;
}
