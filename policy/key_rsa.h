/* RSA keys: weaknesses of modulus and exponent. Internal to policy/; key_check is for others. */
#pragma once

#include "base/ossl.h"

/* BAD_PUBLIC_KEY names the weakness. n is positive. */
bool key_rsa_check(const BIGNUM *n, const BIGNUM *e, struct problem *p) must_use;
