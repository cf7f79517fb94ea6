#include "acme/jws.h"

#include <assert.h>
#include <stdatomic.h>

#include "base/base64.h"
#include "base/digest.h"
#include "base/ossl.h"
#include "policy/key.h"

enum jws_family { JWS_RSA, JWS_RSA_PSS, JWS_ECDSA, JWS_EDDSA, JWS_MAC };

struct jws_algorithm {
	const char *name;
	enum jws_family family;
	int bits;             /* of the digest */
	const char *digest;   /* as OpenSSL names it; NULL: the algorithm brings its own */
	size_t coordinate;    /* bytes of r and of s (RFC 7518, 3.4) */
	unsigned keys;        /* 1u << enum key_algorithm */
};

enum { RSA_KEYS = 1u << KEY_RSA_2048 | 1u << KEY_RSA_3072 | 1u << KEY_RSA_4096 };

/* RFC 8555, 6.2: no "none", and MACs for the external account binding alone. */
static const struct jws_algorithm algorithms[] = {
	{ "ES256", JWS_ECDSA,   256, "SHA256", 32, 1u << KEY_EC_P256 },
	{ "ES384", JWS_ECDSA,   384, "SHA384", 48, 1u << KEY_EC_P384 },
	{ "ES512", JWS_ECDSA,   512, "SHA512", 66, 1u << KEY_EC_P521 },
	{ "EdDSA", JWS_EDDSA,   0,   NULL,     0,  1u << KEY_ED25519 },
	{ "RS256", JWS_RSA,     256, "SHA256", 0,  RSA_KEYS },
	{ "PS256", JWS_RSA_PSS, 256, "SHA256", 0,  RSA_KEYS },
	{ "HS256", JWS_MAC,     256, NULL,     0,  0 },
	{ "HS384", JWS_MAC,     384, NULL,     0,  0 },
	{ "HS512", JWS_MAC,     512, NULL,     0,  0 },
};
static const char *const signature_names[] = { "ES256", "ES384", "ES512", "EdDSA", "RS256", "PS256", NULL };
static const char *const mac_names[] = { "HS256", "HS384", "HS512", NULL };

/* What the protected header must hold, by use. */
struct jws_rule {
	const char *section;
	bool mac, jwk, kid, nonce;
};
static const struct jws_rule rules[JWS_USE_MAX] = {
	[JWS_REQUEST]    = { "RFC 8555, 6.2",   .jwk = true, .kid = true, .nonce = true },
	[JWS_KEY_CHANGE] = { "RFC 8555, 7.3.5", .jwk = true },
	[JWS_BINDING]    = { "RFC 8555, 7.3.4", .mac = true, .kid = true },
};

void jws_free(struct jws *jws)
{
	json_free(jws->header);
	buf_free(&jws->input);
	buf_free(&jws->payload);
	buf_free(&jws->signature);
	*jws = (struct jws){ 0 };
}

/* --- the form */

static const char *member_text(const struct json *object, const char *name, const struct jws_rule *rule,
                               struct problem *p)
{
	const char *text = json_member_string(object, name);
	if (!text)
		problem_set(p, PROBLEM_MALFORMED,
		            "%s: the JWS needs a member \"%s\" that is a string", rule->section, name);
	return text;
}

/* RFC 8555, 6.2: flattened, one signature, no unprotected header. Other members are ignored, as
 * RFC 7515, 7.2.1 demands. */
static bool check_form(const struct json *object, const struct jws_rule *rule, struct problem *p)
{
	if (!json_is_object(object))
		return problem_set(p, PROBLEM_MALFORMED, "%s: a JWS is a JSON object", rule->section);
	if (json_member(object, "signatures"))
		return problem_set(p, PROBLEM_MALFORMED,
		                   "%s: the JWS must be flattened and have one signature", rule->section);
	if (json_member(object, "header"))
		return problem_set(p, PROBLEM_MALFORMED,
		                   "%s: the JWS must not have an unprotected header", rule->section);
	return true;
}

static bool decode(const char *name, const char *text, struct buf *ret, struct problem *p)
{
	return base64url_decode(text, strlen(text), ret) ||
	       (buf_check(ret, p) &&
	        problem_set(p, PROBLEM_MALFORMED, "RFC 8555, 6.1: \"%s\" is not base64url without padding", name));
}

static bool read_parts(const struct json *object, const struct jws_rule *rule, struct jws *jws, struct problem *p)
{
	auto_value(buf) header = { 0 };
	const char *protected, *payload, *signature;
	if (!check_form(object, rule, p) || !(protected = member_text(object, "protected", rule, p)) ||
	    !(payload = member_text(object, "payload", rule, p)) ||
	    !(signature = member_text(object, "signature", rule, p)))
		return false;
	buf_add_str(&jws->input, protected);
	buf_add_char(&jws->input, '.');
	buf_add_str(&jws->input, payload);
	return buf_check(&jws->input, p) && decode("protected", protected, &header, p) &&
	       decode("payload", payload, &jws->payload, p) && decode("signature", signature, &jws->signature, p) &&
	       json_parse(buf_bytes(&header), &jws->header, p);
}

/* --- the protected header */

static const struct jws_algorithm *algorithm_find(const char *name, bool mac)
{
	for (size_t i = 0; i < array_length(algorithms); i++)
		if (str_equal(algorithms[i].name, name) && (algorithms[i].family == JWS_MAC) == mac)
			return &algorithms[i];
	return NULL;
}

static bool read_algorithm(struct jws *jws, const struct jws_rule *rule, struct problem *p)
{
	const char *name = json_member_string(jws->header, "alg");
	if (!name)
		return problem_set(p, PROBLEM_MALFORMED,
		                   "%s: the protected header needs \"alg\"", rule->section);
	jws->algorithm = algorithm_find(name, rule->mac);
	if (jws->algorithm)
		return true;
	problem_set(p, PROBLEM_BAD_SIGNATURE_ALGORITHM,
	            "%s: the algorithm \"%.32s\" is not accepted here", rule->section, name);
	p->algorithms = rule->mac ? mac_names : signature_names;
	return false;
}

static bool check_extensions(const struct jws *jws, const struct jws_rule *rule, struct problem *p)
{
	if (!json_is_object(jws->header))
		return problem_set(p, PROBLEM_MALFORMED,
		                   "%s: the protected header is no JSON object", rule->section);
	if (json_member(jws->header, "b64"))
		return problem_set(p, PROBLEM_MALFORMED,
		                   "%s: the unencoded payload option must not be used", rule->section);
	if (json_member(jws->header, "crit"))
		return problem_set(p, PROBLEM_MALFORMED,
		                   "RFC 7515, 4.1.11: a critical extension is not understood");
	return true;
}

/* RFC 8555, 6.2: "jwk" and "kid" are mutually exclusive. */
static bool read_key_reference(struct jws *jws, const struct jws_rule *rule, struct problem *p)
{
	const struct json *jwk = json_member(jws->header, "jwk"), *kid = json_member(jws->header, "kid");
	if (jwk && kid)
		return problem_set(p, PROBLEM_MALFORMED,
		                   "%s: \"jwk\" and \"kid\" exclude each other", rule->section);
	if (jwk && rule->jwk && json_is_object(jwk)) {
		jws->jwk = jwk;
		return true;
	}
	if (kid && rule->kid && json_is_string(kid)) {
		jws->kid = json_string(kid);
		return true;
	}
	return problem_set(p, PROBLEM_MALFORMED, "%s: the protected header needs %s%s%s", rule->section,
	                   rule->jwk ? "\"jwk\" (an object)" : "", rule->jwk && rule->kid ? " or " : "",
	                   rule->kid ? "\"kid\" (a string)" : "");
}

static bool read_nonce(struct jws *jws, const struct jws_rule *rule, struct problem *p)
{
	const struct json *nonce = json_member(jws->header, "nonce");
	if (!rule->nonce) {
		if (nonce)
			return problem_set(p, PROBLEM_MALFORMED,
			                   "%s: this JWS must not have a nonce", rule->section);
		return true;
	}
	if (!nonce)
		return problem_set(p, PROBLEM_BAD_NONCE, "JWS has no anti-replay nonce");
	jws->nonce = json_string(nonce);
	auto_value(buf) octets = { 0 };
	if (!jws->nonce || !base64url_decode(jws->nonce, strlen(jws->nonce), &octets))
		return buf_check(&octets, p) &&
		       problem_set(p, PROBLEM_MALFORMED, "RFC 8555, 6.5.2: the nonce is not base64url");
	return true;
}

static bool read_header(struct jws *jws, const struct jws_rule *rule, struct problem *p)
{
	if (!check_extensions(jws, rule, p) || !read_algorithm(jws, rule, p) || !read_key_reference(jws, rule, p))
		return false;
	jws->url = json_member_string(jws->header, "url");
	if (!jws->url)
		return problem_set(p, PROBLEM_MALFORMED,
		                   "%s: the protected header needs \"url\"", rule->section);
	return read_nonce(jws, rule, p);
}

bool jws_read(const struct json *object, enum jws_use use, struct jws *ret, struct problem *p)
{
	assert(use < JWS_USE_MAX);
	auto_value(jws) jws = { 0 };
	if (!read_parts(object, &rules[use], &jws, p) || !read_header(&jws, &rules[use], p))
		return false;
	*ret = jws;
	jws = (struct jws){ 0 };
	return true;
}

bool jws_parse(struct bytes body, enum jws_use use, struct jws *ret, struct problem *p)
{
	auto_struct(json) *document = NULL;
	return json_parse(body, &document, p) && jws_read(document, use, ret, p);
}

/* --- keys */

struct jws_key {
	atomic_uint references;
	EVP_PKEY *public;
	enum key_algorithm kind;
	const struct jws_algorithm *algorithm; /* what ready is for; NULL: nothing is ready */
	EVP_MD_CTX *ready;
};

/* The first algorithm that such a key signs with, which for all but RSA is the only one. */
static const struct jws_algorithm *algorithm_of(enum key_algorithm kind)
{
	for (size_t i = 0; i < array_length(algorithms); i++)
		if (algorithms[i].keys & 1u << kind)
			return &algorithms[i];
	return NULL;
}

/* OpenSSL 3.0 cannot copy a context that has no digest, as EdDSA's has none. A copy is for one signature: it
 * need not be copied once more so that it could go on after that. */
static bool make_ready(struct jws_key *key, struct problem *p)
{
	const struct jws_algorithm *algorithm = algorithm_of(key->kind);
	if (!algorithm || !algorithm->digest)
		return true;
	key->ready = EVP_MD_CTX_new();
	key->algorithm = algorithm;
	if (!key->ready ||
	    EVP_DigestVerifyInit_ex(key->ready, NULL, algorithm->digest, NULL, NULL, key->public, NULL) != 1)
		return problem_openssl(p, "preparing an account's key");
	EVP_MD_CTX_set_flags(key->ready, EVP_MD_CTX_FLAG_FINALISE);
	return true;
}

bool jws_key_new(EVP_PKEY *public, struct jws_key **ret, struct problem *p)
{
	auto_struct(jws_key) *key = calloc(1, sizeof *key);
	if (!key || !EVP_PKEY_up_ref(public)) {
		free(steal(key));
		return problem_memory(p);
	}
	atomic_init(&key->references, 1);
	key->public = public;
	if (!key_algorithm_of(public, &key->kind, p) || !make_ready(key, p))
		return false;
	*ret = steal(key);
	return true;
}

struct jws_key *jws_key_ref(struct jws_key *key)
{
	atomic_fetch_add_explicit(&key->references, 1, memory_order_relaxed);
	return key;
}

void jws_key_unref(struct jws_key *key)
{
	if (!key || atomic_fetch_sub_explicit(&key->references, 1, memory_order_acq_rel) > 1)
		return;
	EVP_MD_CTX_free(key->ready);
	EVP_PKEY_free(key->public);
	free(key);
}

EVP_PKEY *jws_key_public(const struct jws_key *key)
{
	return key->public;
}

/* --- verification */

static bool check_fit(const struct jws_algorithm *a, enum key_algorithm kind, struct problem *p)
{
	if (a->keys & 1u << kind)
		return true;
	return problem_set(p, PROBLEM_BAD_PUBLIC_KEY,
	                   "RFC 8555, 6.2: the algorithm %s does not fit a key of kind %s",
	                   a->name, key_algorithm_name(kind));
}

static bool context_init(const struct jws *jws, const struct jws_key *key, EVP_MD_CTX *ctx)
{
	EVP_PKEY_CTX *options = NULL; /* owned by ctx */
	if (key->algorithm == jws->algorithm)
		return EVP_MD_CTX_copy_ex(ctx, key->ready) == 1;
	if (EVP_DigestVerifyInit_ex(ctx, &options, jws->algorithm->digest, NULL, NULL, key->public, NULL) != 1)
		return false;
	return jws->algorithm->family != JWS_RSA_PSS || ossl_use_pss(options);
}

static bool verify_octets(const struct jws *jws, const struct jws_key *key, struct bytes signature)
{
	auto(EVP_MD_CTX) *ctx = EVP_MD_CTX_new();
	return ctx && context_init(jws, key, ctx) &&
	       EVP_DigestVerify(ctx, signature.data, signature.len, jws->input.data, jws->input.len) == 1;
}

enum { COORDINATE_MAX = 66, ECDSA_DER_MAX = 3 + 2 * (3 + COORDINATE_MAX) };

/* One INTEGER of X.690: minimal and positive. Returns its length. */
static size_t put_integer(uint8_t *out, struct bytes n)
{
	while (n.len > 1 && n.data[0] == 0)
		n = BYTES(n.data + 1, n.len - 1);
	bool sign = n.data[0] & 0x80;
	out[0] = V_ASN1_INTEGER;
	out[1] = (uint8_t)(n.len + sign);
	out[2] = 0;
	memcpy(out + 2 + sign, n.data, n.len);
	return 2 + sign + n.len;
}

/* ECDSA-Sig-Value (RFC 5480) of the two octet strings that JOSE puts side by side. */
static bool verify_pair(const struct jws *jws, const struct jws_key *key, struct bytes r, struct bytes s)
{
	uint8_t body[ECDSA_DER_MAX], der[ECDSA_DER_MAX];
	size_t len = put_integer(body, r);
	len += put_integer(body + len, s);
	size_t head = 0;
	der[head++] = V_ASN1_SEQUENCE | V_ASN1_CONSTRUCTED;
	if (len >= 0x80)
		der[head++] = 0x81;
	der[head++] = (uint8_t)len;
	memcpy(der + head, body, len);
	return verify_octets(jws, key, BYTES(der, head + len));
}

/* RFC 7518, 3.4: r and s side by side, each as long as the curve's order. Apple's client drops the
 * first zero byte of either, so a signature that is one byte short has lost it in r or in s, and one
 * that is two short in both. Each reading must verify in full: nothing is forged by it. */
static bool verify_ecdsa(const struct jws *jws, const struct jws_key *key)
{
	const size_t full = jws->algorithm->coordinate;
	const uint8_t *octets = jws->signature.data;
	const size_t len = jws->signature.len;
	for (size_t r = full - 1; r <= full; r++)
		if (len > r && (len - r == full || len - r == full - 1) &&
		    verify_pair(jws, key, BYTES(octets, r), BYTES(octets + r, len - r)))
			return true;
	return false;
}

bool jws_verify_known(const struct jws *jws, const struct jws_key *key, struct problem *p)
{
	assert(jws->algorithm->family != JWS_MAC);
	if (!check_fit(jws->algorithm, key->kind, p))
		return false;
	bool pair = jws->algorithm->family == JWS_ECDSA;
	if (pair ? verify_ecdsa(jws, key) : verify_octets(jws, key, buf_bytes(&jws->signature)))
		return true;
	return !ossl_no_memory(p) && problem_set(p, PROBLEM_MALFORMED,
	                                         "RFC 8555, 6.2: JWS verification error: the signature is not "
	                                         "the key's");
}

bool jws_verify(const struct jws *jws, EVP_PKEY *key, struct problem *p)
{
	struct jws_key once = { .public = key };
	return key_algorithm_of(key, &once.kind, p) && jws_verify_known(jws, &once, p);
}

bool jws_verify_mac(const struct jws *jws, struct bytes key, struct problem *p)
{
	assert(jws->algorithm->family == JWS_MAC);
	uint8_t want[64];
	size_t len = (size_t)jws->algorithm->bits / 8;
	digest_hmac(jws->algorithm->bits, key, buf_bytes(&jws->input), want);
	bool same = jws->signature.len == len && mem_equal_secret(want, jws->signature.data, len);
	mem_wipe(want, sizeof want);
	if (!same)
		return problem_set(p, PROBLEM_UNAUTHORIZED,
		                   "RFC 8555, 7.3.4: the binding's MAC is not that of its key");
	return true;
}
