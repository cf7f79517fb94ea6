#include "acme/jwk.h"

#include <openssl/core_names.h>

#include "base/base64.h"
#include "base/ossl.h"

enum { RSA_MODULUS_MAX = 1024, RSA_EXPONENT_MAX = 8 };

/* One supported kind: kty and, where it has one, crv. */
struct jwk_kind {
	const char *kty, *crv;
	const char *type, *group;     /* as OpenSSL names them */
	size_t size;                  /* bytes of a coordinate, exactly */
	bool (*read)(const struct json *object, const struct jwk_kind *kind, struct jwk *jwk, struct problem *p);
};

void jwk_free(struct jwk *jwk)
{
	EVP_PKEY_free(jwk->key);
	buf_free(&jwk->spki);
	buf_free(&jwk->text);
	*jwk = (struct jwk){ 0 };
}

/* The octets of a member; its text is returned, strict base64url and so the only spelling of them. */
static const char *member_octets(const struct json *object, const char *name, struct buf *ret, struct problem *p)
{
	const char *text = json_member_string(object, name);
	if (text && base64url_decode(text, strlen(text), ret) && ret->len > 0)
		return text;
	if (buf_check(ret, p))
		problem_set(p, PROBLEM_MALFORMED, "RFC 7518, 6: the JWK's \"%s\" must be a base64url string", name);
	return NULL;
}

static bool bad_key(struct problem *p, const char *why)
{
	return !ossl_no_memory(p) && problem_set(p, PROBLEM_BAD_PUBLIC_KEY, "RFC 8555, 6.2: %s", why);
}

static bool make_key(const char *type, OSSL_PARAM *params, struct jwk *jwk, struct problem *p)
{
	auto(EVP_PKEY_CTX) *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	if (!ctx || !params || EVP_PKEY_fromdata_init(ctx) != 1)
		return problem_openssl(p, "a key from a JWK");
	if (EVP_PKEY_fromdata(ctx, &jwk->key, EVP_PKEY_PUBLIC_KEY, params) != 1)
		return bad_key(p, "the JWK's numbers are no public key of its kind");
	return true;
}

static bool read_point(const struct json *object, const char *name, size_t size, struct buf *point,
                       const char **ret_text, struct problem *p)
{
	auto_value(buf) octets = { 0 };
	const char *text = member_octets(object, name, &octets, p);
	if (!text)
		return false;
	if (octets.len != size)
		return bad_key(p, "a coordinate of the JWK has not the full size of its curve (RFC 7518, 6.2.1.2)");
	buf_add(point, octets.data, octets.len);
	*ret_text = text;
	return buf_check(point, p);
}

static bool make_point_key(const struct jwk_kind *kind, struct buf *point, struct jwk *jwk, struct problem *p)
{
	OSSL_PARAM params[3], *next = params;
	if (kind->group) {
		auto_free char *group = strdup(kind->group);
		if (!group)
			return problem_memory(p);
		*next++ = OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0);
		*next++ = OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point->data, point->len);
		*next = OSSL_PARAM_construct_end();
		return make_key(kind->type, params, jwk, p);
	}
	*next++ = OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point->data, point->len);
	*next = OSSL_PARAM_construct_end();
	return make_key(kind->type, params, jwk, p);
}

static bool read_ec(const struct json *object, const struct jwk_kind *kind, struct jwk *jwk, struct problem *p)
{
	auto_value(buf) point = { 0 };
	const char *x, *y;
	buf_add_char(&point, POINT_CONVERSION_UNCOMPRESSED);
	if (!read_point(object, "x", kind->size, &point, &x, p) ||
	    !read_point(object, "y", kind->size, &point, &y, p))
		return false;
	buf_printf(&jwk->text, "{\"crv\":\"%s\",\"kty\":\"EC\",\"x\":\"%s\",\"y\":\"%s\"}", kind->crv, x, y);
	return make_point_key(kind, &point, jwk, p);
}

static bool read_okp(const struct json *object, const struct jwk_kind *kind, struct jwk *jwk, struct problem *p)
{
	auto_value(buf) point = { 0 };
	const char *x;
	if (!read_point(object, "x", kind->size, &point, &x, p))
		return false;
	buf_printf(&jwk->text, "{\"crv\":\"%s\",\"kty\":\"OKP\",\"x\":\"%s\"}", kind->crv, x);
	return make_point_key(kind, &point, jwk, p);
}

static bool read_rsa(const struct json *object, const struct jwk_kind *kind, struct jwk *jwk, struct problem *p)
{
	auto_value(buf) n_octets = { 0 }, e_octets = { 0 };
	const char *n_text = member_octets(object, "n", &n_octets, p);
	const char *e_text = n_text ? member_octets(object, "e", &e_octets, p) : NULL;
	if (!e_text)
		return false;
	if (n_octets.len > RSA_MODULUS_MAX || e_octets.len > RSA_EXPONENT_MAX)
		return bad_key(p, "the JWK's modulus or exponent is too large");
	if (n_octets.data[0] == 0 || e_octets.data[0] == 0)
		return bad_key(p, "a number of the JWK begins with a zero byte (RFC 7518, 2: Base64urlUInt)");
	buf_printf(&jwk->text, "{\"e\":\"%s\",\"kty\":\"RSA\",\"n\":\"%s\"}", e_text, n_text);
	auto(BIGNUM) *n = BN_bin2bn(n_octets.data, (int)n_octets.len, NULL);
	auto(BIGNUM) *e = BN_bin2bn(e_octets.data, (int)e_octets.len, NULL);
	auto(OSSL_PARAM_BLD) *build = OSSL_PARAM_BLD_new();
	if (!n || !e || !build || OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n) != 1 ||
	    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e) != 1)
		return problem_memory(p);
	auto(OSSL_PARAM) *params = OSSL_PARAM_BLD_to_param(build);
	return make_key(kind->type, params, jwk, p);
}

static const struct jwk_kind kinds[] = {
	{ "EC",  "P-256",   "EC",      "P-256", 32, read_ec },
	{ "EC",  "P-384",   "EC",      "P-384", 48, read_ec },
	{ "EC",  "P-521",   "EC",      "P-521", 66, read_ec },
	{ "OKP", "Ed25519", "ED25519", NULL,    32, read_okp },
	{ "RSA", NULL,      "RSA",     NULL,    0,  read_rsa },
};

static const struct jwk_kind *kind_find(const char *kty, const char *crv)
{
	for (size_t i = 0; i < array_length(kinds); i++)
		if (str_equal(kinds[i].kty, kty) && (!kinds[i].crv || (crv && str_equal(kinds[i].crv, crv))))
			return &kinds[i];
	return NULL;
}

static bool check_members(const struct json *object, struct problem *p)
{
	static const char *const private_members[] = { "d", "p", "q", "dp", "dq", "qi", "oth", "k" };
	if (!json_is_object(object))
		return problem_set(p, PROBLEM_MALFORMED, "RFC 7517, 4: a JWK is a JSON object");
	for (size_t i = 0; i < array_length(private_members); i++)
		if (json_member(object, private_members[i]))
			return problem_set(p, PROBLEM_MALFORMED,
			                   "RFC 8555, 6.2: the JWK holds a private or symmetric key (\"%s\")",
			                   private_members[i]);
	const struct json *use = json_member(object, "use");
	if (use && (!json_is_string(use) || !str_equal(json_string(use), "sig")))
		return problem_set(p, PROBLEM_MALFORMED, "RFC 7517, 4.2: the JWK's \"use\" is not \"sig\"");
	return true;
}

bool jwk_read(const struct json *object, struct jwk *ret, struct problem *p)
{
	auto_value(jwk) jwk = { 0 };
	if (!check_members(object, p))
		return false;
	const char *kty = json_member_string(object, "kty"), *crv = json_member_string(object, "crv");
	if (!kty)
		return problem_set(p, PROBLEM_MALFORMED, "RFC 7517, 4.1: the JWK needs \"kty\"");
	const struct jwk_kind *kind = kind_find(kty, crv);
	if (!kind)
		return bad_key(p, "keys are RSA, EC (P-256, P-384, P-521) or OKP (Ed25519)");
	if (!kind->read(object, kind, &jwk, p) || !buf_check(&jwk.text, p) ||
	    !ossl_public_der(jwk.key, &jwk.spki, p))
		return false;
	digest_sha256(buf_bytes(&jwk.text), jwk.thumbprint);
	*ret = jwk;
	jwk = (struct jwk){ 0 };
	return true;
}
