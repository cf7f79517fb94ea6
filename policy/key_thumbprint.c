#include "policy/key.h"

#include "base/digest.h"
#include "base/tlv.h"

/* One member of the JWK: "name":"base64url". */
static void member_add(struct buf *jwk, const char *name, struct bytes value)
{
	buf_printf(jwk, "\"%s\":\"", name);
	buf_add_base64url(jwk, value);
	buf_add_char(jwk, '"');
}

/* RFC 7518, 6.3.1: no leading zero, which DER has where the highest bit is set. */
static struct bytes unsigned_of(struct bytes integer)
{
	return integer.len > 1 && integer.data[0] == 0 ? BYTES(integer.data + 1, integer.len - 1) : integer;
}

static bool rsa_write(struct bytes key, struct buf *jwk)
{
	struct bytes pair, n, e;

	if (!tlv_only(key, TLV_SEQUENCE, &pair) || !tlv_take(&pair, TLV_INTEGER, &n) ||
	    !tlv_only(pair, TLV_INTEGER, &e))
		return false;
	buf_add_char(jwk, '{');
	member_add(jwk, "e", unsigned_of(e));
	buf_add_str(jwk, ",\"kty\":\"RSA\",");
	member_add(jwk, "n", unsigned_of(n));
	buf_add_char(jwk, '}');
	return true;
}

/* SEC 1, 2.3.3: 4, x, y. */
static bool ec_write(struct bytes point, const char *curve, struct buf *jwk)
{
	size_t field = point.len / 2;

	if (point.len % 2 != 1 || point.data[0] != 4)
		return false;
	buf_printf(jwk, "{\"crv\":\"%s\",\"kty\":\"EC\",", curve);
	member_add(jwk, "x", BYTES(point.data + 1, field));
	buf_add_char(jwk, ',');
	member_add(jwk, "y", BYTES(point.data + 1 + field, field));
	buf_add_char(jwk, '}');
	return true;
}

static bool ed25519_write(struct bytes key, struct buf *jwk)
{
	buf_add_str(jwk, "{\"crv\":\"Ed25519\",\"kty\":\"OKP\",");
	member_add(jwk, "x", key);
	buf_add_char(jwk, '}');
	return true;
}

/* RFC 7638, 3.2: the required members alone, in the order of their names. */
static bool jwk_write(struct bytes key, enum key_algorithm a, struct buf *jwk)
{
	switch (a) {
	case KEY_RSA_2048:
	case KEY_RSA_3072:
	case KEY_RSA_4096: return rsa_write(key, jwk);
	case KEY_EC_P256: return ec_write(key, "P-256", jwk);
	case KEY_EC_P384: return ec_write(key, "P-384", jwk);
	case KEY_EC_P521: return ec_write(key, "P-521", jwk);
	case KEY_ED25519: return ed25519_write(key, jwk);
	case KEY_ALGORITHM_MAX: break;
	}
	return false;
}

bool key_thumbprint(struct bytes spki, enum key_algorithm a, uint8_t ret[32], struct problem *p)
{
	auto_value(buf) jwk = {0};
	struct bytes outer, algorithm, bits;

	if (!tlv_only(spki, TLV_SEQUENCE, &outer) || !tlv_take(&outer, TLV_SEQUENCE, &algorithm) ||
	    !tlv_only(outer, TLV_BIT_STRING, &bits) || bits.len < 2 ||
	    !jwk_write(BYTES(bits.data + 1, bits.len - 1), a, &jwk))
		return problem_internal(p, "the thumbprint of a key that is no %s key",
		                        key_algorithm_name(a));
	if (!buf_check(&jwk, p))
		return false;
	digest_sha256(buf_bytes(&jwk), ret);
	return true;
}
