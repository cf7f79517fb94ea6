#include "server/port.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

enum { PORT_FREE = 1024 }; /* the first for everybody, unless net.ipv4.ip_unprivileged_port_start says otherwise */

static socklen_t sockaddr_of(const struct addr *address, unsigned port, struct sockaddr_storage *ret)
{
	*ret = (struct sockaddr_storage){ .ss_family = (sa_family_t)address->family };
	if (address->family == AF_INET) {
		struct sockaddr_in *in = (struct sockaddr_in *)ret;
		in->sin_port = htons((uint16_t)port);
		memcpy(&in->sin_addr, address->byte, sizeof in->sin_addr);
		return sizeof *in;
	}
	struct sockaddr_in6 *in = (struct sockaddr_in6 *)ret;
	in->sin6_port = htons((uint16_t)port);
	memcpy(&in->sin6_addr, address->byte, sizeof in->sin6_addr);
	return sizeof *in;
}

static const char *remedy(int why, unsigned port)
{
	if (why == EADDRINUSE)
		return ": another program has it; `ss -ltnp` tells which";
	if (why == EADDRNOTAVAIL)
		return ": no interface of this machine has the address";
	if (why == EACCES && port < PORT_FREE)
		return ": ports below 1024 take root or CAP_NET_BIND_SERVICE (AmbientCapabilities= in the unit)";
	return "";
}

bool port_check(const struct addr *address, unsigned port, struct problem *p)
{
	struct sockaddr_storage name;
	socklen_t len = sockaddr_of(address, port, &name);
	auto_fd int fd = socket(address->family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char text[ADDR_TEXT_SIZE];
	int on = 1;
	bool wide = address->family == AF_INET6;
	if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
	    bind(fd, (const struct sockaddr *)&name, len) == 0 && listen(fd, 1) == 0)
		return true;
	int why = errno;
	addr_format(address, text);
	return problem_internal(p, "cannot listen on %s%s%s:%u: %s%s", wide ? "[" : "", text, wide ? "]" : "", port,
	                        strerror(why), remedy(why, port));
}
