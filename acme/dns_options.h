/* How DNS is asked for validations: what the configuration says of it. Values; borrowed. */
#pragma once

#include "base/addr.h"

/* A zone that is asked elsewhere than the rest. */
struct dns_zone {
	char *name;                             /* "corp.example" */
	struct strings resolvers;               /* "192.0.2.53", "127.0.0.1@5353" */
	bool authoritative;                     /* they serve the zone, and do not resolve for others */
	bool insecure;                          /* no trust anchor above speaks for it */
};
struct dns_options {
	const struct strings *resolvers;        /* asked for all; NULL or empty: the system's resolv.conf and hosts */
	const char *hosts;                      /* the system's file; NULL: /etc/hosts */
	/* Not empty: nobody is asked to resolve, the root servers are: "builtin", or files of root
	 * hints. */
	const struct strings *root_hints;
	const struct strings *trust_anchors;    /* files, DS and DNSKEY records; NULL or empty: nothing is validated */
	const struct strings *insecure_zones;   /* not validated all the same */
	struct dns_zone *zones;
	size_t zone_count;
	bool tcp;                               /* TCP alone; otherwise where UDP was too short */
	/* For name servers that only the root and its children name: who publishes a zone chooses them. */
	const struct addr_list *allow, *deny;
};
