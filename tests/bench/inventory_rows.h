/* The rows of bench_inventory: certificates as an issuer writes them, all but the signature, and rows as issuing makes
 * them of these. The same for the same number, and as random as ids, keys and signatures are. One thread. */
#pragma once

#include "store/certificate.h"

enum { ROWS_BATCH = 20000, ROWS_ACCOUNTS = 1000, ROWS_DAY = 86400 };
#define ROWS_NOW INT64_C(1800000000)

struct made {
	struct certificate row;
	char host[64];
};
/* Row i of a store that is filled with `of` rows; those from `of` on are issued after that. */
void row_make(size_t i, size_t of, struct made *ret);
void made_free(struct made *made);
declare_auto_value(made, made_free);

void rows_random(uint64_t seed, uint8_t *to, size_t len);
