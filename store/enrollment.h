/* Enrollment: a code that lets devices enroll over EST. Of the secret itself only a keyed hash is kept;
 * policy/enrollment_code.h makes and checks it. */
#pragma once

#include "base/random.h"
#include "store/record.h"
#include "store/store.h"

struct enrollment {
	void *memory;
	char id[RANDOM_ID_SIZE];
	struct bytes hash;            /* HMAC-SHA-256 of the whole code, with a key of the store's seal */
	const char *profile;          /* the one it counts in */
	struct record_texts names;    /* patterns, "dns:**.example.com"; none: whatever the profile allows */
	const char *note;             /* whose it is, in words */
	int64_t created, expires;     /* expires 0: never */
	int64_t uses, uses_max;       /* certificates it gave; 0: any number */
	int64_t revoked;              /* when; 0: not */
	int64_t used;                 /* when it last gave one; 0: never */
};
void enrollment_free(struct enrollment *enrollment);
declare_auto_value(enrollment, enrollment_free);

bool store_enrollment_get(struct store_txn *txn, const char *id, struct enrollment *ret, struct problem *p) must_use;
bool store_enrollment_put(struct store_txn *txn, const struct enrollment *enrollment, struct problem *p) must_use;
bool store_enrollment_list(struct store_txn *txn, const char *after, size_t limit, struct store_page *ret,
                           struct problem *p) must_use;
