#include "policy/key_rsa.h"

enum {
	EXPONENT_BITS_MAX = 64,
	EXPONENT_MIN = 65537,
	FACTOR_MAX = 751,        /* trial division ends here */
	ROCA_PRIME_MAX = 167,
	FERMAT_ROUNDS = 100,
	MODULUS_WORDS_MAX = 4096 / 32,
};

static bool is_prime(unsigned n)
{
	for (unsigned d = 3; d * d <= n; d += 2)
		if (n % d == 0)
			return false;
	return true;
}

/* The product of the primes from this one on, as many as 32 bits hold: a long division for all of
 * them in place of one each. */
static uint32_t product_from(unsigned prime)
{
	uint64_t product = 1;

	for (; prime <= FACTOR_MAX && product * prime <= UINT32_MAX; prime += 2)
		product *= is_prime(prime) ? prime : 1;
	return (uint32_t)product;
}

static uint32_t residue(const uint32_t *words, size_t count, uint32_t modulus)
{
	uint64_t r = 0;

	for (size_t i = count; i-- > 0;)
		r = (r << 32 | words[i]) % modulus;
	return (uint32_t)r;
}

/* The modulus in words, lowest first. */
static bool words_of(const BIGNUM *n, uint32_t words[MODULUS_WORDS_MAX])
{
	uint8_t bytes[4 * MODULUS_WORDS_MAX];

	if (BN_bn2lebinpad(n, bytes, sizeof(bytes)) < 0)
		return false;
	for (size_t i = 0; i < MODULUS_WORDS_MAX; i++)
		words[i] = (uint32_t)bytes[4 * i] | (uint32_t)bytes[4 * i + 1] << 8 |
		           (uint32_t)bytes[4 * i + 2] << 16 | (uint32_t)bytes[4 * i + 3] << 24;
	return true;
}

/* Whether r is a power of 65537 modulo the prime. */
static bool is_power_of_generator(unsigned r, unsigned prime)
{
	unsigned power = 1;

	do {
		if (power == r)
			return true;
		power = power * (65537 % prime) % prime;
	} while (power != 1);
	return false;
}

/* Small factors, and the fingerprint of ROCA: the primes of the flawed library are k * M + (65537^a
 * mod M), M the product of the first primes, so that the modulus is a power of 65537 modulo each of
 * these. A sound modulus looks so once in 2^27. (Nemec, Sys, Svenda, Klinec, Matyas: The Return of
 * Coppersmith's Attack, CCS 2017.) */
static bool residues_check(const BIGNUM *n, struct problem *p)
{
	uint32_t words[MODULUS_WORDS_MAX];
	size_t count = ((size_t)BN_num_bytes(n) + 3) / 4;
	uint32_t product = 1, product_residue = 0;
	bool roca = true;

	if (!words_of(n, words))
		return problem_set(p, PROBLEM_BAD_PUBLIC_KEY, "the RSA modulus is over 4096 bits");
	for (unsigned prime = 3; prime <= FACTOR_MAX; prime += 2) {
		if (!is_prime(prime))
			continue;
		if (product % prime != 0) {
			product = product_from(prime);
			product_residue = residue(words, count, product);
		}
		unsigned r = product_residue % prime;
		if (r == 0)
			return problem_set(p, PROBLEM_BAD_PUBLIC_KEY,
			                   "the RSA modulus has the small factor %u", prime);
		roca = roca && (prime > ROCA_PRIME_MAX || is_power_of_generator(r, prime));
	}
	if (roca)
		return problem_set(p, PROBLEM_BAD_PUBLIC_KEY,
		                   "the RSA key is one of a library that makes weak ones (ROCA, CVE-2017-15361)");
	return true;
}

/* The greatest integer whose square is not over n: Newton's method from above. */
static bool square_root(const BIGNUM *n, BIGNUM *ret, BIGNUM *next, BN_CTX *ctx)
{
	if (!BN_set_bit(ret, (BN_num_bits(n) + 1) / 2))
		return false;
	for (;;) {
		if (!BN_div(next, NULL, n, ret, ctx) || !BN_add(next, next, ret) || !BN_rshift1(next, next))
			return false;
		if (BN_cmp(next, ret) >= 0)
			return true;
		if (!BN_copy(ret, next))
			return false;
	}
}

/* Squares are 0, 1, 4 or 9 modulo 16. */
static bool ends_like_square(const BIGNUM *n)
{
	unsigned low = 0;

	for (int bit = 3; bit >= 0; bit--)
		low = low << 1 | (unsigned)BN_is_bit_set(n, bit);
	return low == 0 || low == 1 || low == 4 || low == 9;
}

static bool is_square_modulo(BN_ULONG r, unsigned modulus)
{
	for (unsigned i = 0; i <= modulus / 2; i++)
		if (i * i % modulus == r)
			return true;
	return false;
}

/* Lets through one number in some hundreds, and every square. */
static bool may_be_square(const BIGNUM *n)
{
	static const unsigned moduli[] = { 63, 65, 11, 17, 19, 23 };

	if (!ends_like_square(n))
		return false;
	for (size_t i = 0; i < array_length(moduli); i++)
		if (!is_square_modulo(BN_mod_word(n, moduli[i]), moduli[i]))
			return false;
	return true;
}

enum verdict { SOUND, WEAK, NO_MEMORY };

static enum verdict square_judge(const BIGNUM *n, BN_CTX *ctx)
{
	auto(BIGNUM) *root = BN_new(), *next = BN_new();

	if (!root || !next || !square_root(n, root, next, ctx) || !BN_sqr(next, root, ctx))
		return NO_MEMORY;
	return BN_cmp(next, n) == 0 ? WEAK : SOUND;
}

/* Fermat: n = a^2 - b^2 with a near the root of n when the primes are near each other; b is 0 when
 * they are the same. The next b^2 is the last one plus 2a + 1. */
static enum verdict fermat_judge(const BIGNUM *n, BN_CTX *ctx)
{
	auto(BIGNUM) *a = BN_new(), *b2 = BN_new();

	if (!a || !b2 || !square_root(n, a, b2, ctx) || !BN_sqr(b2, a, ctx))
		return NO_MEMORY;
	if (BN_cmp(b2, n) == 0)
		return WEAK;
	if (!BN_add_word(a, 1) || !BN_sqr(b2, a, ctx) || !BN_sub(b2, b2, n))
		return NO_MEMORY;
	for (int round = 0; round < FERMAT_ROUNDS; round++) {
		enum verdict verdict = may_be_square(b2) ? square_judge(b2, ctx) : SOUND;
		if (verdict != SOUND)
			return verdict;
		if (!BN_add(b2, b2, a) || !BN_add_word(a, 1) || !BN_add(b2, b2, a)) /* to the square of a + 1 */
			return NO_MEMORY;
	}
	return SOUND;
}

static bool factors_check(const BIGNUM *n, struct problem *p)
{
	auto(BN_CTX) *ctx = BN_CTX_new();
	enum verdict verdict = ctx ? fermat_judge(n, ctx) : NO_MEMORY;

	if (verdict == NO_MEMORY)
		return problem_memory(p);
	if (verdict == WEAK)
		return problem_set(p, PROBLEM_BAD_PUBLIC_KEY,
		                   "the RSA key's primes are so near each other that Fermat's method finds them");
	return true;
}

static bool exponent_check(const BIGNUM *e, struct problem *p)
{
	if (!BN_is_odd(e))
		return problem_set(p, PROBLEM_BAD_PUBLIC_KEY, "the RSA exponent is even");
	if (BN_num_bits(e) <= 16)
		return problem_set(p, PROBLEM_BAD_PUBLIC_KEY,
		                   "NIST SP 800-89, 5.3.3: the RSA exponent is less than %d", EXPONENT_MIN);
	if (BN_num_bits(e) > EXPONENT_BITS_MAX)
		return problem_set(p, PROBLEM_BAD_PUBLIC_KEY, "the RSA exponent is over %d bits",
		                   EXPONENT_BITS_MAX);
	return true;
}

bool key_rsa_check(const BIGNUM *n, const BIGNUM *e, struct problem *p)
{
	if (!exponent_check(e, p))
		return false;
	if (!BN_is_odd(n))
		return problem_set(p, PROBLEM_BAD_PUBLIC_KEY, "the RSA modulus is even");
	if (BN_num_bits(n) % 8 != 0)
		return problem_set(p, PROBLEM_BAD_PUBLIC_KEY,
		                   "the RSA modulus is of %d bits, not of whole bytes", BN_num_bits(n));
	return residues_check(n, p) && factors_check(n, p);
}
