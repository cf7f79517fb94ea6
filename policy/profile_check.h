/* Profile check: whether a profile makes sense as a whole. Internal to policy/. */
#pragma once

#include "policy/profile.h"

/* MALFORMED names the profile, the field, and what it should be. */
bool profile_check(const struct profile *profile, struct problem *p) must_use;
