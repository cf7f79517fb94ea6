/* Vantage: the places from which validations look at the world, and how many of them must agree.
 *
 * The first is this server itself; each further one has resolvers of its own, a proxy for http-01, or
 * both. A `struct vantage` owns what proving needs at each, and is shared by the probe threads.
 * Internal to acme/. */
#pragma once

#include "acme/caa.h"
#include "acme/challenge.h"

struct vantage;
/* Of acme_options what says how validations are done. MALFORMED for what DNS cannot take. */
bool vantage_open(const struct acme_options *options, struct vantage **ret, struct problem *p) must_use;
void vantage_close(struct vantage *vantage);
declare_auto_struct(vantage, vantage_close);

/* The first place must find the proof, and enough of the others (options.quorum counts all). Refusals are
 * the challenge's own; which places did not agree stands before them. */
bool vantage_prove(struct vantage *vantage, const struct challenge_type *type, const struct probe_task *task,
                   struct problem *p) must_use;
/* The same of CAA. */
bool vantage_caa(struct vantage *vantage, const struct caa_subject *v, size_t n, struct problem *p) must_use;
