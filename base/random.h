/* Random: identifiers and keys from the operating system through OpenSSL. Any thread. */
#pragma once

#include "base/problem.h"

bool random_bytes(void *ret, size_t len, struct problem *p) must_use;

enum { RANDOM_ID_SIZE = 23 }; /* 128 bits, base64url, and NUL */
/* A fresh unguessable identifier, RFC 8555 section 11.3's entropy. */
bool random_id(char ret[RANDOM_ID_SIZE], struct problem *p) must_use;
/* A fresh identifier of the same form for what is not guarded by its name alone: 40 bits of the time, in 1/64
 * seconds since 1970, before 88 random ones. So they rise with the time, and what is made together lies together
 * in an ordered store. */
bool random_id_timed(char ret[RANDOM_ID_SIZE], struct problem *p) must_use;
/* true when text has the form of random_id: 22 base64url characters. */
bool random_id_valid(const char *text) must_use;
/* The id in a text PREFIX ID "." SECRET of so many bytes, NUL included, as secrets that are shown have it. false: it
 * has not that form. */
bool random_id_of(const char *text, const char *prefix, size_t size, char ret[RANDOM_ID_SIZE]) must_use;
