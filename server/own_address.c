#include "server/own_address.h"

#include <ifaddrs.h>

static bool is_any(const struct addr *a)
{
	static const uint8_t zero[16];

	return memcmp(a->byte, zero, addr_length(a)) == 0;
}

static bool add(struct addr_list *list, const struct addr *a, struct problem *p)
{
	char text[ADDR_TEXT_SIZE];

	addr_format(a, text);
	return addr_list_has(list, a) || addr_list_add(list, text, p);
}

/* "::" takes IPv4 as well. */
static bool add_interfaces(struct addr_list *list, int family, struct problem *p)
{
	struct ifaddrs *all;
	bool added = true;

	if (getifaddrs(&all) != 0)
		return problem_internal(p, "getifaddrs: %m");
	for (const struct ifaddrs *i = all; i && added; i = i->ifa_next) {
		struct addr a;

		if (i->ifa_addr && addr_from_sockaddr(i->ifa_addr, &a) && (family == AF_INET6 || a.family == family))
			added = add(list, &a, p);
	}
	freeifaddrs(all);
	return added;
}

bool own_addresses(const struct config *config, struct addr_list *ret, struct problem *p)
{
	const struct acme_options *acme = &config->acme.options;

	for (size_t i = 0; i < config->listener_count; i++) {
		const struct config_listener *l = &config->listeners[i];
		struct addr a;

		bool probed = l->port == acme->http_port || l->port == acme->https_port ||
		              l->port == acme->tls_alpn_port;
		if (!probed || !addr_parse(l->address, &a))
			continue;
		if (!(is_any(&a) ? add_interfaces(ret, a.family, p) : add(ret, &a, p)))
			return false;
	}
	return true;
}
