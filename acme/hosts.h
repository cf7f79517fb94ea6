/* Hosts: the addresses that a hosts file (hosts(5)) gives a name. Pure; any thread. Internal to acme/. */
#pragma once

#include "base/addr.h"
#include "base/bytes.h"

enum { HOSTS_FILE_MAX = 1024 * 1024 };

/* Finds name, without regard to case or to a final dot, in the file's text; writes its first max
 * addresses of the family in their order and returns how many. Lines that make no sense are passed
 * over: one mistake in the file shall not cost the names beside it. */
size_t hosts_find(struct bytes text, const char *name, int family, struct addr *ret, size_t max);
