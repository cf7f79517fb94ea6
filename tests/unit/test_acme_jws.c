#include "tests/unit/jws_maker.h"

#include "acme/jwk.h"
#include "acme/jws.h"

#define URL "https://ca.example/acme/default/new-account"

static void read_key(const char *text, struct jwk *ret)
{
	auto_value(problem) p = { 0 };
	auto_struct(json) *json = NULL;
	assert_true(json_parse(BYTES_STR(text), &json, &p));
	if (!jwk_read(json, ret, &p))
		fail_msg("%s", p.detail);
}

static bool parse(const char *text, enum jws_use use, struct jws *ret, struct problem *p)
{
	return jws_parse(BYTES_STR(text), use, ret, p);
}

/* A JWS of the right form whose signature is `signature` over `input`: what a vector gives. */
static void vector(const char *alg, const char *input, const char *signature, struct jws *ret)
{
	auto_value(problem) p = { 0 };
	auto_value(buf) text = { 0 }, header = { 0 };
	bool mac = str_starts(alg, "HS");
	buf_printf(&header, "{\"alg\":\"%s\",\"kid\":\"k\",\"url\":\"u\"%s}", alg, mac ? "" : ",\"nonce\":\"AA\"");
	maker_join(&text, buf_text(&header), "", BYTES("x", 1));
	if (!parse(buf_text(&text), mac ? JWS_BINDING : JWS_REQUEST, ret, &p))
		fail_msg("%s", p.detail);
	buf_clear(&ret->input);
	buf_clear(&ret->signature);
	buf_add_str(&ret->input, input);
	assert_true(base64url_decode(signature, strlen(signature), &ret->signature));
}

static const struct {
	const char *name, *alg, *key, *input, *signature;
} vectors[] = {
	{ "RFC 7515, A.2", "RS256",
	  "{\"kty\":\"RSA\",\"n\":\"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4"
	  "d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTB"
	  "EMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h"
	  "4FRWyuXpoQ\",\"e\":\"AQAB\"}",
	  "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ",
	  "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQ"
	  "jbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqt"
	  "FZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw" },
	{ "RFC 7515, A.3", "ES256",
	  "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
	  "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}",
	  "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ",
	  "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q" },
	{ "RFC 7515, A.4", "ES512",
	  "{\"kty\":\"EC\",\"crv\":\"P-521\",\"x\":\"AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjFZ6OvLFV1jSfS9tsz4qUxc"
	  "WceqwQGk\",\"y\":\"ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WDhjDly79ajL4Kkd0AZMaZmh9ubmf63e3kyMj2\"}",
	  "eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA",
	  "AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc-mZZqwqT2SI-KGDKB34XO0aw_7XdtAG8GaSwFKdCAPZgoXD2YBJZCPEX3xKpR"
	  "wcdOO8KpEHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9ERBXukOXolLzeO_Jn" },
	{ "RFC 8037, A.4", "EdDSA", "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}",
	  "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc",
	  "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg" },
};

/* By the key as it is and by the one made ready, more than once: all say the same. */
static bool verifies(const struct jws *jws, EVP_PKEY *key, struct problem *p)
{
	auto_struct(jws_key) *known = NULL;
	bool want = jws_verify(jws, key, p);
	for (int i = 0; i < 2; i++) {
		auto_value(problem) again = { 0 };
		bool got = (known || jws_key_new(key, &known, &again)) && jws_verify_known(jws, known, &again);
		assert_int_equal(got, want);
		assert_int_equal(again.kind, want ? PROBLEM_NONE : p->kind);
	}
	return want;
}

static void vectors_verify(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_length(vectors); i++) {
		auto_value(jws) jws = { 0 };
		auto_value(jwk) jwk = { 0 };
		auto_value(problem) p = { 0 };
		vector(vectors[i].alg, vectors[i].input, vectors[i].signature, &jws);
		read_key(vectors[i].key, &jwk);
		if (!verifies(&jws, jwk.key, &p))
			fail_msg("%s: %s", vectors[i].name, p.detail);
		jws.input.data[5] ^= 1;
		assert_false(verifies(&jws, jwk.key, &p));
		assert_int_equal(p.kind, PROBLEM_MALFORMED);
		jws.input.data[5] ^= 1;
		jws.signature.data[7] ^= 1;
		assert_false(verifies(&jws, jwk.key, &p));
		assert_int_equal(p.kind, PROBLEM_MALFORMED);
	}
}

/* RFC 7515, A.1 */
static void mac_vector_verifies(void **state)
{
	static const char key_text[] = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
	auto_value(jws) jws = { 0 };
	auto_value(buf) key = { 0 };
	auto_value(problem) p = { 0 };

	(void)state;
	assert_true(base64url_decode(key_text, strlen(key_text), &key));
	vector("HS256",
	       "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9p"
	       "c19yb290Ijp0cnVlfQ",
	       "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", &jws);
	assert_true(jws_verify_mac(&jws, buf_bytes(&key), &p));
	buf_shorten(&jws.signature, 31);
	assert_false(jws_verify_mac(&jws, buf_bytes(&key), &p));
	assert_int_equal(p.kind, PROBLEM_UNAUTHORIZED);
}

static void every_algorithm_verifies(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_length(maker_algorithms); i++) {
		const char *alg = maker_algorithms[i].name;
		auto(EVP_PKEY) *key = maker_key(alg);
		auto(EVP_PKEY) *other = maker_key(alg);
		auto_value(buf) header = { 0 }, text = { 0 };
		auto_value(jws) jws = { 0 };
		auto_value(jwk) jwk = { 0 };
		auto_value(problem) p = { 0 };
		buf_printf(&header, "{\"alg\":\"%s\",\"nonce\":\"AA\",\"url\":\"" URL "\",\"jwk\":", alg);
		maker_jwk(&header, key, alg);
		buf_add_char(&header, '}');
		maker_jws(&text, key, alg, buf_text(&header), "{\"a\":1}");
		if (!parse(buf_text(&text), JWS_REQUEST, &jws, &p) || !jwk_read(jws.jwk, &jwk, &p) || !verifies(&jws, jwk.key, &p))
			fail_msg("%s: %s", alg, p.detail);
		assert_string_equal(jws.url, URL);
		assert_string_equal(jws.nonce, "AA");
		assert_null(jws.kid);
		assert_string_equal(buf_text(&jws.payload), "{\"a\":1}");
		assert_false(verifies(&jws, other, &p));
		assert_int_equal(p.kind, PROBLEM_MALFORMED);
	}
}

/* Every algorithm with every other kind of key. */
static void algorithm_must_fit_the_key(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_length(maker_algorithms); i++) {
		for (size_t j = 0; j < array_length(maker_algorithms); j++) {
			const struct maker_algorithm *a = &maker_algorithms[i], *b = &maker_algorithms[j];
			if (str_equal(a->type, b->type) && (!a->group || str_equal(a->group, b->group)))
				continue;
			auto(EVP_PKEY) *key = maker_key(b->name);
			auto_value(jws) jws = { 0 };
			auto_value(problem) p = { 0 };
			vector(a->name, "a.b", "AAAA", &jws);
			assert_false(verifies(&jws, key, &p));
			assert_int_equal(p.kind, PROBLEM_BAD_PUBLIC_KEY);
			assert_non_null(strstr(p.detail, a->name));
		}
	}
}

/* EVP_EC_gen of other curves of the same size, and RSA keys that are too small. */
static void unsupported_keys_are_refused(void **state)
{
	static const struct {
		const char *alg, *group;
		unsigned bits;
	} rows[] = { { "ES256", "secp256k1", 0 }, { "ES256", "brainpoolP256r1", 0 }, { "ES384", "brainpoolP384r1", 0 }, { "RS256", NULL, 1024 } };

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		auto(EVP_PKEY) *key = rows[i].group ? EVP_EC_gen(rows[i].group) : EVP_RSA_gen(rows[i].bits);
		auto_value(jws) jws = { 0 };
		auto_value(problem) p = { 0 };
		vector(rows[i].alg, "a.b", "AAAA", &jws);
		assert_false(verifies(&jws, key, &p));
		assert_int_equal(p.kind, PROBLEM_BAD_PUBLIC_KEY);
	}
}

/* Signs until the first byte of r, of s, or of both is zero. */
static void sign_short(EVP_PKEY *key, bool r_zero, bool s_zero, struct buf *signature, struct buf *input)
{
	for (unsigned i = 0;; i++) {
		buf_clear(input);
		buf_clear(signature);
		buf_printf(input, "a.%u", i);
		maker_sign(signature, key, "ES256", buf_bytes(input));
		if ((signature->data[0] == 0) == r_zero && (signature->data[32] == 0) == s_zero)
			return;
	}
}

/* A signature of r[32 - less_r bytes] s[32 - less_s bytes], cut or padded in front. */
static bool verifies_cut(EVP_PKEY *key, struct bytes whole, struct bytes input, int less_r, int less_s)
{
	auto_value(jws) jws = { 0 };
	auto_value(problem) p = { 0 };
	vector("ES256", "a.b", "AAAA", &jws);
	buf_clear(&jws.input);
	buf_clear(&jws.signature);
	buf_add(&jws.input, input.data, input.len);
	const int less[] = { less_r, less_s };
	for (int i = 0; i < 2; i++) {
		for (int j = less[i]; j < 0; j++)
			buf_add_char(&jws.signature, 0);
		int cut = less[i] > 0 ? less[i] : 0;
		buf_add(&jws.signature, whole.data + 32 * i + cut, 32 - cut);
	}
	return verifies(&jws, key, &p);
}

/* Apple's client drops a leading zero byte of r and of s; anything else of another length is wrong. */
static void dropped_zeros_are_restored(void **state)
{
	static const struct {
		bool r_zero, s_zero;
		int less_r, less_s;
		bool want;
	} rows[] = {
		{ false, false, 0, 0, true },   { true, false, 1, 0, true },    { true, false, 0, 0, true },
		{ false, true, 0, 1, true },    { false, true, 0, 0, true },    { false, false, 1, 0, false },
		{ false, false, 0, 1, false },  { false, false, 1, 1, false },  { false, false, -1, 0, false },
		{ false, false, 0, -1, false }, { false, false, -1, -1, false }, { false, false, 32, 0, false },
		{ false, false, 0, 32, false }, { false, false, 32, 31, false }, { false, false, 32, 32, false },
		{ true, false, 2, 0, false },   { true, false, 2, 2, false },
	};
	auto(EVP_PKEY) *key = maker_key("ES256");

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		auto_value(buf) signature = { 0 }, input = { 0 };
		sign_short(key, rows[i].r_zero, rows[i].s_zero, &signature, &input);
		if (verifies_cut(key, buf_bytes(&signature), buf_bytes(&input), rows[i].less_r, rows[i].less_s) != rows[i].want)
			fail_msg("row %zu", i);
	}
}

static void both_zeros_dropped_are_restored(void **state)
{
	auto(EVP_PKEY) *key = maker_key("ES256");
	auto_value(buf) signature = { 0 }, input = { 0 };

	(void)state;
	sign_short(key, true, true, &signature, &input);
	assert_true(verifies_cut(key, buf_bytes(&signature), buf_bytes(&input), 1, 1));
	assert_false(verifies_cut(key, buf_bytes(&signature), buf_bytes(&input), 2, 1));
}

/* ECDSA in DER, as no JWS has it, and pairs that are no signature. */
static void other_spellings_of_a_signature_are_refused(void **state)
{
	auto(EVP_PKEY) *key = maker_key("ES256");
	auto_value(jws) jws = { 0 };
	auto_value(problem) p = { 0 };
	auto(EVP_MD_CTX) *ctx = EVP_MD_CTX_new();
	uint8_t der[128];
	size_t len = sizeof der;

	(void)state;
	vector("ES256", "a.b", "AAAA", &jws);
	assert_int_equal(EVP_DigestSignInit_ex(ctx, NULL, "SHA256", NULL, NULL, key, NULL), 1);
	assert_int_equal(EVP_DigestSign(ctx, der, &len, jws.input.data, jws.input.len), 1);
	buf_clear(&jws.signature);
	buf_add(&jws.signature, der, len);
	assert_false(verifies(&jws, key, &p));
	for (int fill = 0; fill <= 0xff; fill += 0xff) {
		memset(der, fill, 64);
		buf_clear(&jws.signature);
		buf_add(&jws.signature, der, 64);
		assert_false(verifies(&jws, key, &p));
		assert_int_equal(p.kind, PROBLEM_MALFORMED);
	}
}

/* RFC 7518, 3.5: PS256 and RS256 are not each other's, and the salt has one length. */
static void rsa_paddings_are_kept_apart(void **state)
{
	auto(EVP_PKEY) *key = maker_key("RS256");

	(void)state;
	for (int i = 0; i < 2; i++) {
		auto_value(jws) jws = { 0 };
		auto_value(problem) p = { 0 };
		vector(i ? "RS256" : "PS256", "a.b", "AAAA", &jws);
		buf_clear(&jws.signature);
		maker_sign(&jws.signature, key, i ? "PS256" : "RS256", buf_bytes(&jws.input));
		assert_false(verifies(&jws, key, &p));
	}
	auto_value(jws) jws = { 0 };
	auto_value(problem) p = { 0 };
	auto(EVP_MD_CTX) *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *options = NULL;
	uint8_t octets[256];
	size_t len = sizeof octets;
	vector("PS256", "a.b", "AAAA", &jws);
	assert_int_equal(EVP_DigestSignInit_ex(ctx, &options, "SHA256", NULL, NULL, key, NULL), 1);
	assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING), 1);
	assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_saltlen(options, 0), 1);
	assert_int_equal(EVP_DigestSign(ctx, octets, &len, jws.input.data, jws.input.len), 1);
	buf_clear(&jws.signature);
	buf_add(&jws.signature, octets, len);
	assert_false(verifies(&jws, key, &p));
}

#define REQUEST(more) "{\"alg\":\"ES256\",\"nonce\":\"AA\",\"url\":\"" URL "\"" more "}"
#define KID ",\"kid\":\"k\""
#define JWK ",\"jwk\":{\"kty\":\"EC\"}"

static const struct {
	enum jws_use use;
	const char *header;
	enum problem_kind want;   /* NONE: accepted */
	const char *want_detail;
} headers[] = {
	{ JWS_REQUEST, REQUEST(KID), PROBLEM_NONE, NULL },
	{ JWS_REQUEST, REQUEST(JWK), PROBLEM_NONE, NULL },
	{ JWS_REQUEST, REQUEST(KID ",\"typ\":\"x\",\"cty\":7,\"jku\":\"http://x\""), PROBLEM_NONE, NULL },
	{ JWS_REQUEST, REQUEST(KID JWK), PROBLEM_MALFORMED, "exclude" },
	{ JWS_REQUEST, REQUEST(""), PROBLEM_MALFORMED, "\"jwk\" (an object) or \"kid\"" },
	{ JWS_REQUEST, REQUEST(",\"kid\":7"), PROBLEM_MALFORMED, "\"kid\"" },
	{ JWS_REQUEST, REQUEST(",\"kid\":null"), PROBLEM_MALFORMED, "\"kid\"" },
	{ JWS_REQUEST, REQUEST(",\"jwk\":\"x\""), PROBLEM_MALFORMED, "\"jwk\"" },
	{ JWS_REQUEST, REQUEST(",\"jwk\":null" KID), PROBLEM_MALFORMED, "exclude" },
	{ JWS_REQUEST, REQUEST(KID ",\"crit\":[\"exp\"],\"exp\":1"), PROBLEM_MALFORMED, "RFC 7515, 4.1.11" },
	{ JWS_REQUEST, REQUEST(KID ",\"crit\":[]"), PROBLEM_MALFORMED, "RFC 7515, 4.1.11" },
	{ JWS_REQUEST, REQUEST(KID ",\"b64\":false"), PROBLEM_MALFORMED, "unencoded" },
	{ JWS_REQUEST, REQUEST(KID ",\"b64\":true"), PROBLEM_MALFORMED, "unencoded" },
	{ JWS_REQUEST, REQUEST(KID ",\"kid\":\"l\""), PROBLEM_MALFORMED, NULL },
	{ JWS_REQUEST, "[]", PROBLEM_MALFORMED, "no JSON object" },
	{ JWS_REQUEST, "", PROBLEM_MALFORMED, NULL },
	{ JWS_REQUEST, "{\"alg\":\"ES256\"", PROBLEM_MALFORMED, NULL },
	{ JWS_REQUEST, "{\"nonce\":\"AA\",\"url\":\"u\"" KID "}", PROBLEM_MALFORMED, "\"alg\"" },
	{ JWS_REQUEST, "{\"alg\":1,\"nonce\":\"AA\",\"url\":\"u\"" KID "}", PROBLEM_MALFORMED, "\"alg\"" },
	{ JWS_REQUEST, "{\"alg\":\"none\",\"nonce\":\"AA\",\"url\":\"u\"" KID "}", PROBLEM_BAD_SIGNATURE_ALGORITHM, "none" },
	{ JWS_REQUEST, "{\"alg\":\"HS256\",\"nonce\":\"AA\",\"url\":\"u\"" KID "}", PROBLEM_BAD_SIGNATURE_ALGORITHM, "HS256" },
	{ JWS_REQUEST, "{\"alg\":\"es256\",\"nonce\":\"AA\",\"url\":\"u\"" KID "}", PROBLEM_BAD_SIGNATURE_ALGORITHM, "es256" },
	{ JWS_REQUEST, "{\"alg\":\"ES256K\",\"nonce\":\"AA\",\"url\":\"u\"" KID "}", PROBLEM_BAD_SIGNATURE_ALGORITHM, "ES256K" },
	{ JWS_REQUEST, "{\"alg\":\"\",\"nonce\":\"AA\",\"url\":\"u\"" KID "}", PROBLEM_BAD_SIGNATURE_ALGORITHM, NULL },
	{ JWS_REQUEST, "{\"alg\":\"ES256\",\"nonce\":\"AA\"" KID "}", PROBLEM_MALFORMED, "\"url\"" },
	{ JWS_REQUEST, "{\"alg\":\"ES256\",\"nonce\":\"AA\",\"url\":1" KID "}", PROBLEM_MALFORMED, "\"url\"" },
	{ JWS_REQUEST, "{\"alg\":\"ES256\",\"url\":\"u\"" KID "}", PROBLEM_BAD_NONCE, "anti-replay nonce" },
	{ JWS_REQUEST, "{\"alg\":\"ES256\",\"nonce\":1,\"url\":\"u\"" KID "}", PROBLEM_MALFORMED, "6.5.2" },
	{ JWS_REQUEST, "{\"alg\":\"ES256\",\"nonce\":\"A=\",\"url\":\"u\"" KID "}", PROBLEM_MALFORMED, "6.5.2" },
	{ JWS_REQUEST, "{\"alg\":\"ES256\",\"nonce\":\"a b\",\"url\":\"u\"" KID "}", PROBLEM_MALFORMED, "6.5.2" },

	{ JWS_KEY_CHANGE, "{\"alg\":\"ES256\",\"url\":\"u\"" JWK "}", PROBLEM_NONE, NULL },
	{ JWS_KEY_CHANGE, REQUEST(JWK), PROBLEM_MALFORMED, "must not have a nonce" },
	{ JWS_KEY_CHANGE, "{\"alg\":\"ES256\",\"url\":\"u\"" KID "}", PROBLEM_MALFORMED, "7.3.5" },
	{ JWS_KEY_CHANGE, "{\"alg\":\"HS256\",\"url\":\"u\"" JWK "}", PROBLEM_BAD_SIGNATURE_ALGORITHM, NULL },

	{ JWS_BINDING, "{\"alg\":\"HS256\",\"url\":\"u\"" KID "}", PROBLEM_NONE, NULL },
	{ JWS_BINDING, "{\"alg\":\"HS512\",\"url\":\"u\"" KID "}", PROBLEM_NONE, NULL },
	{ JWS_BINDING, "{\"alg\":\"HS256\",\"nonce\":\"AA\",\"url\":\"u\"" KID "}", PROBLEM_MALFORMED, "must not have a nonce" },
	{ JWS_BINDING, "{\"alg\":\"HS256\",\"url\":\"u\"" JWK "}", PROBLEM_MALFORMED, "7.3.4" },
	{ JWS_BINDING, "{\"alg\":\"ES256\",\"url\":\"u\"" KID "}", PROBLEM_BAD_SIGNATURE_ALGORITHM, NULL },
	{ JWS_BINDING, "{\"alg\":\"none\",\"url\":\"u\"" KID "}", PROBLEM_BAD_SIGNATURE_ALGORITHM, NULL },
};

static void headers_are_judged(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_length(headers); i++) {
		auto_value(buf) text = { 0 };
		auto_value(jws) jws = { 0 };
		auto_value(problem) p = { 0 };
		maker_join(&text, headers[i].header, "", BYTES("x", 1));
		bool ok = parse(buf_text(&text), headers[i].use, &jws, &p);
		if (p.kind != headers[i].want || ok != (headers[i].want == PROBLEM_NONE))
			fail_msg("%s: %s, %s", headers[i].header, problem_kind_name(p.kind), p.detail);
		if (headers[i].want_detail && !strstr(p.detail, headers[i].want_detail))
			fail_msg("%s: %s", headers[i].header, p.detail);
		assert_int_equal(p.kind == PROBLEM_BAD_SIGNATURE_ALGORITHM, p.algorithms != NULL);
		if (p.algorithms)
			assert_string_equal(p.algorithms[0], headers[i].use == JWS_BINDING ? "HS256" : "ES256");
	}
}

#define HEADER "eyJhbGciOiJFUzI1NiIsIm5vbmNlIjoiQUEiLCJ1cmwiOiJ1Iiwia2lkIjoiayJ9" /* ES256, a nonce, a url, a kid */
#define BODY(p, q, r) "{\"protected\":\"" p "\",\"payload\":\"" q "\",\"signature\":\"" r "\"}"

static const struct {
	const char *text;
	bool want;
} forms[] = {
	{ BODY(HEADER, "", "eA"), true },
	{ BODY(HEADER, "e30", "eA"), true },
	{ "{\"signature\":\"eA\",\"payload\":\"e30\",\"protected\":\"" HEADER "\",\"unknown\":[1]}", true },
	{ "", false },
	{ "[]", false },
	{ "null", false },
	{ "\"x\"", false },
	{ "{}", false },
	{ BODY(HEADER, "e30", "eA") "x", false },
	{ BODY(HEADER "=", "e30", "eA"), false },
	{ BODY(HEADER, "e30=", "eA"), false },
	{ BODY(HEADER, "e30", "eA=="), false },
	{ BODY(HEADER, "e3+", "eA"), false },
	{ BODY(HEADER, "e30", "eB"), false },                       /* unused bits are not zero */
	{ BODY(HEADER, "e30\\n", "eA"), false },
	{ BODY("", "e30", "eA"), false },
	{ BODY("e30", "e30", "eA"), false },
	{ "{\"payload\":\"\",\"signature\":\"eA\"}", false },
	{ "{\"protected\":\"" HEADER "\",\"signature\":\"eA\"}", false },   /* detached */
	{ "{\"protected\":\"" HEADER "\",\"payload\":\"\"}", false },
	{ "{\"protected\":\"" HEADER "\",\"payload\":null,\"signature\":\"eA\"}", false },
	{ "{\"protected\":{},\"payload\":\"\",\"signature\":\"eA\"}", false },
	{ "{\"protected\":\"" HEADER "\",\"payload\":\"\",\"signature\":[\"eA\"]}", false },
	{ "{\"header\":{},\"protected\":\"" HEADER "\",\"payload\":\"\",\"signature\":\"eA\"}", false },
	{ "{\"header\":null,\"protected\":\"" HEADER "\",\"payload\":\"\",\"signature\":\"eA\"}", false },
	{ "{\"signatures\":[],\"protected\":\"" HEADER "\",\"payload\":\"\",\"signature\":\"eA\"}", false },
	{ "{\"payload\":\"\",\"signatures\":[{\"protected\":\"" HEADER "\",\"signature\":\"eA\"}]}", false },
	{ "{\"payload\":\"\",\"protected\":\"" HEADER "\",\"payload\":\"e30\",\"signature\":\"eA\"}", false },
	{ HEADER "..eA", false },                                   /* compact */
};

static void forms_are_judged(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_length(forms); i++) {
		auto_value(jws) jws = { 0 };
		auto_value(problem) p = { 0 };
		if (parse(forms[i].text, JWS_REQUEST, &jws, &p) != forms[i].want)
			fail_msg("%s: %s", forms[i].text, p.detail);
		if (!forms[i].want)
			assert_int_equal(p.kind, PROBLEM_MALFORMED);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vectors_verify),
		cmocka_unit_test(mac_vector_verifies),
		cmocka_unit_test(every_algorithm_verifies),
		cmocka_unit_test(algorithm_must_fit_the_key),
		cmocka_unit_test(unsupported_keys_are_refused),
		cmocka_unit_test(dropped_zeros_are_restored),
		cmocka_unit_test(both_zeros_dropped_are_restored),
		cmocka_unit_test(other_spellings_of_a_signature_are_refused),
		cmocka_unit_test(rsa_paddings_are_kept_apart),
		cmocka_unit_test(headers_are_judged),
		cmocka_unit_test(forms_are_judged),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
