/* Scope: what an account may order, judged. newOrder shows early what the gate holds at finalize.
 *
 * The quota of an external account key is one for all its accounts: it is counted in the key's record, that of
 * an account in the account's. Values and rows; any thread. */
#pragma once

#include "base/addr.h"
#include "policy/identifier.h"
#include "store/account.h"
#include "store/eab.h"

/* Whether its patterns, networks and numbers make sense. MALFORMED. */
bool scope_check(const struct scope *scope, struct problem *p) must_use;

bool scope_opens(const struct scope *scope, const char *profile) must_use;
bool scope_admits(const struct scope *scope, const struct addr *from) must_use;
/* REJECTED_IDENTIFIER. */
bool scope_allows(const struct scope *scope, const struct identifier *name, struct problem *p) must_use;
/* Whether it is authorized without a challenge. */
bool scope_authorizes(const struct scope *scope, const struct identifier *name) must_use;
/* Whether some name of that type is. */
bool scope_authorizes_type(const struct scope *scope, enum identifier_type type) must_use;

/* Whether the account's certificates are counted: no other pays for the look. */
bool scope_is_metered(const struct account *account) must_use;
/* In a transaction: whether one certificate more is within the quotas. RATE_LIMITED until the period ends,
 * UNAUTHORIZED when all are spent. */
bool scope_has_room(struct store_txn *txn, const struct account *account, int64_t now, struct problem *p) must_use;
/* In the update that stores the certificate: the same of the account as it is stored now, and counts one. */
bool scope_spend(struct store_txn *txn, const char *account, int64_t now, struct problem *p) must_use;
