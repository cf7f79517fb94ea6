/* Inventory: the row of store/certificate.h that a fresh certificate becomes. Any thread. */
#pragma once

#include "policy/approval.h"
#include "store/certificate.h"

/* All of ret is one block of its own (certificate_free). der is copied; the id is new. */
bool inventory_row(const struct approval_facts *facts, const char *issuer, struct bytes serial, struct bytes der,
                   struct certificate *ret, struct problem *p) must_use;
