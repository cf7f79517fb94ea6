#include "base/addr.h"

#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>

static struct addr addr_make(int family, const void *bytes)
{
	struct addr a = { .family = family };

	memcpy(a.byte, bytes, family == AF_INET ? 4 : 16);
	return a;
}

static bool is_mapped(const uint8_t byte[16])
{
	static const uint8_t prefix[12] = { [10] = 0xff, [11] = 0xff };

	return memcmp(byte, prefix, sizeof(prefix)) == 0;
}

static struct addr addr_make6(const uint8_t byte[16])
{
	return is_mapped(byte) ? addr_make(AF_INET, byte + 12) : addr_make(AF_INET6, byte);
}

bool addr_parse(const char *text, struct addr *ret)
{
	uint8_t byte[16];

	if (inet_pton(AF_INET, text, byte) == 1)
		*ret = addr_make(AF_INET, byte);
	else if (inet_pton(AF_INET6, text, byte) == 1)
		*ret = addr_make6(byte);
	else
		return false;
	return true;
}

bool addr_from_sockaddr(const struct sockaddr *sa, struct addr *ret)
{
	switch (sa->sa_family) {
	case AF_INET: {
		struct sockaddr_in in;
		memcpy(&in, sa, sizeof(in));
		*ret = addr_make(AF_INET, &in.sin_addr);
		return true;
	}
	case AF_INET6: {
		struct sockaddr_in6 in6;
		memcpy(&in6, sa, sizeof(in6));
		*ret = addr_make6(in6.sin6_addr.s6_addr);
		return true;
	}
	default:
		return false;
	}
}

socklen_t addr_to_sockaddr(const struct addr *a, unsigned port, struct sockaddr_storage *ret)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port) };
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	bool is6 = a->family == AF_INET6;

	memcpy(is6 ? (void *)&in6.sin6_addr : &in.sin_addr, a->byte, addr_length(a));
	*ret = (struct sockaddr_storage){0};
	memcpy(ret, is6 ? (void *)&in6 : &in, is6 ? sizeof(in6) : sizeof(in));
	return is6 ? sizeof(in6) : sizeof(in);
}

void addr_format(const struct addr *a, char ret[ADDR_TEXT_SIZE])
{
	const char *text = inet_ntop(a->family, a->byte, ret, ADDR_TEXT_SIZE);

	assert(text);
}

size_t addr_length(const struct addr *a)
{
	return a->family == AF_INET ? 4 : 16;
}

bool addr_equal(const struct addr *a, const struct addr *b)
{
	return a->family == b->family && memcmp(a->byte, b->byte, addr_length(a)) == 0;
}

struct addr addr_host(const struct addr *a)
{
	struct addr host = *a;

	if (host.family == AF_INET6)
		memset(host.byte + 8, 0, 8);
	return host;
}

void addr_format_host(const struct addr *a, char ret[ADDR_TEXT_SIZE])
{
	const struct addr host = addr_host(a);

	addr_format(&host, ret);
}

/* Whether the first `prefix` bits of both are the same. */
static bool same_prefix(const uint8_t *a, const uint8_t *b, unsigned prefix)
{
	unsigned whole = prefix / 8, rest = prefix % 8;

	return memcmp(a, b, whole) == 0 && (rest == 0 || (a[whole] ^ b[whole]) >> (8 - rest) == 0);
}

static bool host_is_zero(const uint8_t *byte, size_t len, unsigned prefix)
{
	uint8_t network[16] = {0};

	for (unsigned bit = 0; bit < prefix; bit++)
		network[bit / 8] |= byte[bit / 8] & (uint8_t)(0x80 >> bit % 8);
	return memcmp(network, byte, len) == 0;
}

/* "0" to "128", without leading zeros. */
static bool prefix_parse(const char *text, unsigned max, unsigned *ret)
{
	size_t digits = strspn(text, "0123456789");

	if (digits == 0 || digits > 3 || text[digits] != '\0' || (digits > 1 && text[0] == '0'))
		return false;
	unsigned value = 0;
	for (size_t i = 0; i < digits; i++)
		value = value * 10 + (unsigned)(text[i] - '0');
	*ret = value;
	return value <= max;
}

/* An IPv4-mapped network becomes the IPv4 one; its host bits being zero, its prefix is 96 or more. */
static struct addr_net net_make(int family, const uint8_t byte[16], unsigned prefix)
{
	bool mapped = family == AF_INET6 && is_mapped(byte);

	return (struct addr_net){
		.net = mapped ? addr_make(AF_INET, byte + 12) : addr_make(family, byte),
		.prefix = mapped ? prefix - 96 : prefix,
	};
}

bool addr_net_parse(const char *text, struct addr_net *ret)
{
	const char *slash = strchr(text, '/');
	size_t len = slash ? (size_t)(slash - text) : strlen(text);
	char host[ADDR_TEXT_SIZE];
	uint8_t byte[16] = {0};

	if (len >= sizeof(host))
		return false;
	memcpy(host, text, len);
	host[len] = '\0';
	int family = strchr(host, ':') ? AF_INET6 : AF_INET;
	unsigned prefix = family == AF_INET ? 32 : 128;
	if (inet_pton(family, host, byte) != 1 || (slash && !prefix_parse(slash + 1, prefix, &prefix)) ||
	    !host_is_zero(byte, sizeof(byte), prefix))
		return false;
	*ret = net_make(family, byte, prefix);
	return true;
}

bool addr_net_has(const struct addr_net *net, const struct addr *a)
{
	return net->net.family == a->family && same_prefix(net->net.byte, a->byte, net->prefix);
}

bool addr_list_add(struct addr_list *list, const char *text, struct problem *p)
{
	struct addr_net net;

	if (!addr_net_parse(text, &net))
		return problem_set(p, PROBLEM_MALFORMED, "\"%s\" is neither an IP address nor a network", text);
	struct addr_net *v = reallocarray(list->v, list->n + 1, sizeof(*v));
	if (!v)
		return problem_memory(p);
	v[list->n++] = net;
	list->v = v;
	return true;
}

bool addr_list_copy(const struct addr_list *from, struct addr_list *ret)
{
	struct addr_list copy = {0};

	if (from && from->n > 0) {
		copy.v = malloc(from->n * sizeof(*copy.v));
		if (!copy.v)
			return false;
		memcpy(copy.v, from->v, from->n * sizeof(*copy.v));
		copy.n = from->n;
	}
	*ret = copy;
	return true;
}

bool addr_list_has(const struct addr_list *list, const struct addr *a)
{
	for (size_t i = 0; i < list->n; i++)
		if (addr_net_has(&list->v[i], a))
			return true;
	return false;
}

void addr_list_free(struct addr_list *list)
{
	free(list->v);
	*list = (struct addr_list){0};
}
