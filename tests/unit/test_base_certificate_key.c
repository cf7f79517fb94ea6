#include "base/tlv.h"
#include "base/certificate_key.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "policy_make.h"

#define EC "06072a8648ce3d0201"
#define PSS "06092a864886f70d01010a"

/* What stands in the key's AlgorithmIdentifier. */
static const struct {
	const char *algorithm;
	bool want;
	bool compressed;       /* the point */
} algorithms[] = {
	{ EC "06082a8648ce3d030107", true },
	{ EC "06052b81040022", true },
	{ EC "06052b81040023", true },
	{ EC "06092b240303020801010b", true },
	{ "06092a864886f70d0101010500", true },  /* RSA */
	{ "06032b6570", true },                  /* Ed25519 */
	{ "060b608648016503040311", false },     /* cut */
	{ "0609608648016503040311", true },      /* ML-DSA-44, of which OpenSSL knows nothing */
	{ PSS "3000", true },
	{ PSS, true },
	{ EC, true },                            /* RFC 5480, 2.1.1: no key, and nothing to compute */
	{ EC "0500", true },                     /* neither is this */
	{ EC "3003020101", false },              /* the curve is spelt out */
	{ EC "06052b81040021", true },           /* P-224 */
	{ EC "06052b81040021", false, true },    /* where a square root is expensive */
	{ EC "06052b81040027", false, true },    /* sect571r1 */
	{ EC "06052b81040023", true, true },
	{ EC "06082a8648ce3d0301070500", false },
	{ EC "06082a8648ce3d030107ff", false },
	{ "06082a811ccf5501822d3003020101", false }, /* SM2, its curve spelt out */
	{ "06072a8648ce3804013003020101", false },   /* DSA */
	{ "3000", false },
	{ "", false },
};

/* With a version, or as one of version 1. */
static void make_certificate(const char *algorithm_hex, bool compressed, bool versioned, struct buf *ret)
{
	auto_value(buf) algorithm = {0}, key = {0}, tbs = {0}, whole = {0};

	make_hex(&algorithm, algorithm_hex);
	make_tlv(&key, TLV_SEQUENCE, buf_bytes(&algorithm));
	make_hex(&key, compressed ? "03020003" : "03020004");
	make_hex(&tbs, versioned ? "a003020102" : "");
	make_hex(&tbs, "020105" "3000" "3000" "3000" "3000");
	make_tlv(&tbs, TLV_SEQUENCE, buf_bytes(&key));
	make_tlv(&whole, TLV_SEQUENCE, buf_bytes(&tbs));
	make_hex(&whole, "300003010000");
	make_tlv(ret, TLV_SEQUENCE, buf_bytes(&whole));
}

static void test_algorithms(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2 * array_length(algorithms); i++) {
		auto_value(buf) der = {0};

		make_certificate(algorithms[i / 2].algorithm, algorithms[i / 2].compressed, i % 2, &der);
		if (certificate_key_is_plain(buf_bytes(&der)) != algorithms[i / 2].want)
			fail_msg("%s", algorithms[i / 2].algorithm);
	}
}

/* Cut anywhere, or with a length in a longer form, it is not plain. */
static void test_what_is_no_certificate(void **state)
{
	static const char *const rows[] = { "", "00", "3000", "30023000", "3080", "30823000", "30810430020500" };
	auto_value(buf) der = {0};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		auto_value(buf) row = {0};
		make_hex(&row, rows[i]);
		assert_false(certificate_key_is_plain(buf_bytes(&row)));
	}
	make_certificate(algorithms[0].algorithm, false, true, &der);
	for (size_t len = 0; len < der.len; len++)
		assert_false(certificate_key_is_plain(BYTES(der.data, len)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_algorithms),
		cmocka_unit_test(test_what_is_no_certificate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
