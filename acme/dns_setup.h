/* Setup: what one libunbound is told before it is asked, as the text of its configuration file, and
 * the files that this rests on. Internal to acme/. */
#pragma once

#include "acme/dns_options.h"
#include "base/bytes.h"

/* The whole text but for resolv.conf and hosts. MALFORMED: names what cannot be. */
bool dns_setup_text(const struct dns_options *options, struct buf *ret, struct problem *p) must_use;
/* Whether the text leaves open whom to ask, so that resolv.conf says it. */
bool dns_setup_is_system(const struct dns_options *options);

/* Appends what tells one state of a file from another; a file that is missing has one too. */
void dns_setup_mark(const char *path, struct buf *ret);
