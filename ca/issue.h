/* Whether an issuer's key signs what its certificate verifies: asked once, when the CA is opened. */
#pragma once

#include "ca/issuer.h"

bool issue_self_test(const struct issuer *issuer, struct problem *p) must_use;
