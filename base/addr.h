/* Addr: IP addresses, networks, and lists of them for allow and deny rules. Values; any thread. */
#pragma once

#include <sys/socket.h>

#include "base/problem.h"

struct addr {
	int family;        /* AF_INET or AF_INET6; an IPv4-mapped IPv6 address is held as AF_INET */
	uint8_t byte[16];  /* network order; 4 or 16 used */
};

enum { ADDR_TEXT_SIZE = 46 };

/* Plain textual form, no brackets, no port, no zone. */
bool addr_parse(const char *text, struct addr *ret) must_use;
bool addr_from_sockaddr(const struct sockaddr *sa, struct addr *ret) must_use;
/* The same the other way, with a port. Returns how long it is. */
socklen_t addr_to_sockaddr(const struct addr *a, unsigned port, struct sockaddr_storage *ret);
/* IPv4 dotted; IPv6 as RFC 5952. */
void addr_format(const struct addr *a, char ret[ADDR_TEXT_SIZE]);
bool addr_equal(const struct addr *a, const struct addr *b) must_use;
size_t addr_length(const struct addr *a); /* 4 or 16 */
/* Whom a limit counts: an IPv4 address, or the /64 in which an IPv6 host can take what address it likes. */
struct addr addr_host(const struct addr *a);
void addr_format_host(const struct addr *a, char ret[ADDR_TEXT_SIZE]);

struct addr_net {
	struct addr net;
	unsigned prefix;
};
/* "10.0.0.0/8", "::1", "192.0.2.7": a bare address is a network of one. Host bits must be zero. */
bool addr_net_parse(const char *text, struct addr_net *ret) must_use;
bool addr_net_has(const struct addr_net *net, const struct addr *a) must_use;

struct addr_list {
	struct addr_net *v; /* heap, owned */
	size_t n;
};
bool addr_list_add(struct addr_list *list, const char *text, struct problem *p) must_use;
/* NULL is an empty one. false: no memory. */
bool addr_list_copy(const struct addr_list *from, struct addr_list *ret) must_use;
bool addr_list_has(const struct addr_list *list, const struct addr *a) must_use;
void addr_list_free(struct addr_list *list);
declare_auto_value(addr_list, addr_list_free);
