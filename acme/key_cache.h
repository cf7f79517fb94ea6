/* Key cache: the parsed keys of the accounts that were seen last, by account id.
 *
 * Bounded: sets of four keys, of which the one unused for longest goes. An entry counts only while
 * its thumbprint is that of the account as the store has it now, so a key change needs no notice.
 * Any thread. */
#pragma once

#include "acme/jws.h"
#include "store/account.h"

struct key_cache;
bool key_cache_open(struct key_cache **ret, struct problem *p) must_use;
void key_cache_close(struct key_cache *cache);
declare_auto_struct(key_cache, key_cache_close);

/* The account's public key; the caller gives the reference back. */
bool key_cache_get(struct key_cache *cache, const struct account *account, struct jws_key **ret,
                   struct problem *p) must_use;
