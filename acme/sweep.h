/* Sweep: the background removal of what has expired. Internal to acme/. */
#pragma once

#include "acme/state.h"

/* One batch, in one update. ret_more: it was full, more may be due. What the sweeper runs. */
bool acme_sweep_once(struct acme *acme, bool *ret_more, struct problem *p) must_use;
