/* The methods of EC_KEY and RSA are deprecated in OpenSSL 3, which offers a whole provider in their place; it goes
 * on supporting them, and Debian 12 has no provider for PKCS#11. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "ca/pkcs11.h"

#include <pthread.h>
#include <stdio.h>

#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

#include "ca/pkcs11_session.h"

enum { POOL_MAX = 16, TEXT_MAX = 256, ATTRIBUTE_MAX = 1024 };

/* One private key in a token, with the sessions that wait for work. Never freed: an EVP_PKEY of it may live on. */
struct token_key {
	struct token_key *next;
	char *text;
	struct pkcs11_uri uri;
	pthread_mutex_t lock;
	struct pkcs11_session idle[POOL_MAX];
	size_t idle_count;
};

static pthread_mutex_t keys_lock = PTHREAD_MUTEX_INITIALIZER;
static struct token_key *keys;
static _Thread_local char trouble[TEXT_MAX];

bool pkcs11_trouble(struct problem *p)
{
	if (!*trouble)
		return false;
	ERR_clear_error();
	problem_unavailable(p, 10, "%s", trouble);
	*trouble = '\0';
	return true;
}

/* --- sessions of a key */

static bool take_idle(struct token_key *key, struct pkcs11_session *ret)
{
	bool found = false;

	pthread_mutex_lock(&key->lock);
	while (!found && key->idle_count > 0) {
		*ret = key->idle[--key->idle_count];
		found = !pkcs11_session_is_old(ret);
	}
	pthread_mutex_unlock(&key->lock);
	return found;
}

static void give_back(struct token_key *key, const struct pkcs11_session *session)
{
	pthread_mutex_lock(&key->lock);
	bool kept = key->idle_count < POOL_MAX;
	if (kept)
		key->idle[key->idle_count++] = *session;
	pthread_mutex_unlock(&key->lock);
	if (!kept)
		pkcs11_session_close(session);
}

static void drop_idle(struct token_key *key)
{
	struct pkcs11_session session;

	while (take_idle(key, &session))
		pkcs11_session_close(&session);
}

/* --- signing */

struct signing {
	struct token_key *key;
	CK_MECHANISM_TYPE mechanism;
	struct bytes data;
	uint8_t *ret;
	CK_ULONG len;       /* room, then what was written */
};

/* Whether it is done, one way or the other; false: another try may help. */
static bool sign_in_session(const CK_FUNCTION_LIST *functions, struct signing *s, bool *ret_good)
{
	struct pkcs11_session session;
	struct problem p = { 0 };
	CK_MECHANISM mechanism = { s->mechanism, NULL, 0 };

	if (!take_idle(s->key, &session) && !pkcs11_session_open(&s->key->uri, &session, &p)) {
		snprintf(trouble, sizeof(trouble), "%.250s", problem_cause(&p));
		return p.kind == PROBLEM_UNAUTHORIZED;
	}
	CK_RV result = functions->C_SignInit(session.handle, &mechanism, session.object);
	if (result == CKR_OK)
		result = functions->C_Sign(session.handle, (CK_BYTE_PTR)(uintptr_t)s->data.data, s->data.len,
		                           s->ret, &s->len);
	*ret_good = result == CKR_OK;
	if (*ret_good) {
		give_back(s->key, &session);
		return true;
	}
	pkcs11_session_close(&session);
	drop_idle(s->key);
	snprintf(trouble, sizeof(trouble), "the PKCS#11 token does not sign: %s", pkcs11_result_name(result));
	return !pkcs11_is_lost(result);
}

static bool sign_once(struct signing *s, bool *ret_good)
{
	CK_FUNCTION_LIST *functions;
	struct problem p = { 0 };

	if (!pkcs11_enter(&functions, &p)) {
		snprintf(trouble, sizeof(trouble), "%.250s", problem_cause(&p));
		return false;
	}
	bool done = sign_in_session(functions, s, ret_good);
	pkcs11_leave();
	return done;
}

static bool sign(struct signing *s)
{
	CK_ULONG room = s->len;
	bool good = false;

	*trouble = '\0';
	if (sign_once(s, &good))
		return good;
	pkcs11_restart();
	s->len = room;
	*trouble = '\0';
	return sign_once(s, &good) && good;
}

/* --- as OpenSSL asks for it */

static int ex_index(bool ec)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	static int index[2] = { -1, -1 };

	pthread_mutex_lock(&lock);
	if (index[ec] < 0)
		index[ec] = ec ? EC_KEY_get_ex_new_index(0, NULL, NULL, NULL, NULL)
		        : RSA_get_ex_new_index(0, NULL, NULL, NULL, NULL);
	pthread_mutex_unlock(&lock);
	return index[ec];
}

/* C_Sign returns r and s as numbers of the same size, one after the other. */
static ECDSA_SIG *ec_sign(const unsigned char *digest, int len, const BIGNUM *kinv, const BIGNUM *rp, EC_KEY *ec)
{
	uint8_t raw[2 * 66];
	struct signing s = {
		EC_KEY_get_ex_data(ec, ex_index(true)), CKM_ECDSA, BYTES(digest, (size_t)len), raw, sizeof(raw),
	};

	(void)kinv, (void)rp;
	if (!s.key || !sign(&s) || s.len % 2 != 0)
		return NULL;
	BIGNUM *r = BN_bin2bn(raw, (int)s.len / 2, NULL), *t = BN_bin2bn(raw + s.len / 2, (int)s.len / 2, NULL);
	ECDSA_SIG *signature = ECDSA_SIG_new();
	if (r && t && signature && ECDSA_SIG_set0(signature, r, t) == 1)
		return signature;
	BN_free(r);
	BN_free(t);
	ECDSA_SIG_free(signature);
	return NULL;
}

/* from is the DigestInfo already (RFC 8017, 9.2). */
static int rsa_sign(int len, const unsigned char *from, unsigned char *to, RSA *rsa, int padding)
{
	struct signing s = {
		RSA_get_ex_data(rsa, ex_index(false)), CKM_RSA_PKCS, BYTES(from, (size_t)len), to,
		(CK_ULONG)RSA_size(rsa),
	};

	return padding == RSA_PKCS1_PADDING && s.key && sign(&s) ? (int)s.len : -1;
}

static const EC_KEY_METHOD *ec_method(void)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	static EC_KEY_METHOD *method;
	int (*usual)(int, const unsigned char *, int, unsigned char *, unsigned int *, const BIGNUM *,
	             const BIGNUM *, EC_KEY *);
	int (*setup)(EC_KEY *, BN_CTX *, BIGNUM **, BIGNUM **);

	pthread_mutex_lock(&lock);
	if (!method && (method = EC_KEY_METHOD_new(EC_KEY_OpenSSL()))) {
		EC_KEY_METHOD_get_sign(method, &usual, &setup, NULL);
		EC_KEY_METHOD_set_sign(method, usual, NULL, ec_sign);
	}
	pthread_mutex_unlock(&lock);
	return method;
}

static const RSA_METHOD *rsa_method(void)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	static RSA_METHOD *method;

	pthread_mutex_lock(&lock);
	if (!method && (method = RSA_meth_dup(RSA_PKCS1_OpenSSL()))) {
		RSA_meth_set_priv_enc(method, rsa_sign);
		RSA_meth_set_flags(method, RSA_FLAG_EXT_PKEY);
	}
	pthread_mutex_unlock(&lock);
	return method;
}

/* --- the public half, as the token tells it */

static bool attribute(const CK_FUNCTION_LIST *functions, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object,
                      CK_ATTRIBUTE_TYPE type, struct buf *ret, struct problem *p)
{
	uint8_t room[ATTRIBUTE_MAX];
	CK_ATTRIBUTE wanted = { type, room, sizeof(room) };
	CK_RV result = functions->C_GetAttributeValue(session, object, &wanted, 1);

	if (result != CKR_OK || wanted.ulValueLen > sizeof(room))
		return problem_set(p, PROBLEM_NOT_FOUND,
		                   "the PKCS#11 token does not tell what is public of the key: %s",
		                   pkcs11_result_name(result));
	buf_add(ret, room, wanted.ulValueLen);
	return buf_check(ret, p);
}

/* CKA_EC_PARAMS is ECParameters; CKA_EC_POINT an OCTET STRING of the point (PKCS#11 3.0, 6.3.3). */
static EC_KEY *ec_public(const struct buf *params, const struct buf *point)
{
	const unsigned char *at = params->data, *octets = point->data;
	EC_KEY *ec = d2i_ECParameters(NULL, &at, (long)params->len);
	auto(ASN1_OCTET_STRING) *value = d2i_ASN1_OCTET_STRING(NULL, &octets, (long)point->len);
	const unsigned char *raw = value ? ASN1_STRING_get0_data(value) : NULL;

	if (ec && raw && o2i_ECPublicKey(&ec, &raw, ASN1_STRING_length(value)) && EC_KEY_check_key(ec) == 1)
		return ec;
	EC_KEY_free(ec);
	return NULL;
}

static bool ec_make(const CK_FUNCTION_LIST *functions, const struct pkcs11_session *session, struct token_key *key,
                    EVP_PKEY *ret, struct problem *p)
{
	CK_OBJECT_HANDLE public;
	auto_value(buf) params = { 0 }, point = { 0 };

	if (!pkcs11_find(session->handle, CKO_PUBLIC_KEY, &key->uri, &public, p) ||
	    !attribute(functions, session->handle, public, CKA_EC_PARAMS, &params, p) ||
	    !attribute(functions, session->handle, public, CKA_EC_POINT, &point, p))
		return false;
	EC_KEY *ec = ec_public(&params, &point);
	if (ec && EC_KEY_set_method(ec, ec_method()) == 1 && EC_KEY_set_ex_data(ec, ex_index(true), key) == 1 &&
	    EVP_PKEY_assign_EC_KEY(ret, ec) == 1)
		return true;
	EC_KEY_free(ec);
	return problem_openssl(p, "the public key of a PKCS#11 token");
}

static bool rsa_make(const CK_FUNCTION_LIST *functions, const struct pkcs11_session *session, struct token_key *key,
                     EVP_PKEY *ret, struct problem *p)
{
	auto_value(buf) modulus = { 0 }, exponent = { 0 };

	if (!attribute(functions, session->handle, session->object, CKA_MODULUS, &modulus, p) ||
	    !attribute(functions, session->handle, session->object, CKA_PUBLIC_EXPONENT, &exponent, p))
		return false;
	RSA *rsa = RSA_new();
	BIGNUM *n = BN_bin2bn(modulus.data, (int)modulus.len, NULL),
	*e = BN_bin2bn(exponent.data, (int)exponent.len, NULL);
	if (!rsa || !n || !e || RSA_set0_key(rsa, n, e, NULL) != 1) {
		BN_free(n);
		BN_free(e);
		RSA_free(rsa);
		return problem_memory(p);
	}
	if (RSA_set_method(rsa, rsa_method()) == 1 && RSA_set_ex_data(rsa, ex_index(false), key) == 1 &&
	    EVP_PKEY_assign_RSA(ret, rsa) == 1)
		return true;
	RSA_free(rsa);
	return problem_openssl(p, "the public key of a PKCS#11 token");
}

static bool key_make(const CK_FUNCTION_LIST *functions, struct token_key *key, EVP_PKEY **ret, struct problem *p)
{
	struct pkcs11_session session;
	CK_KEY_TYPE type = 0;
	CK_ATTRIBUTE wanted = { CKA_KEY_TYPE, &type, sizeof(type) };
	auto(EVP_PKEY) *made = EVP_PKEY_new();

	if (!made)
		return problem_memory(p);
	if (!pkcs11_session_open(&key->uri, &session, p))
		return false;
	functions->C_GetAttributeValue(session.handle, session.object, &wanted, 1);
	bool good = type == CKK_EC ? ec_make(functions, &session, key, made, p)
	        : type == CKK_RSA ? rsa_make(functions, &session, key, made, p)
	        : problem_set(p, PROBLEM_BAD_PUBLIC_KEY, "the key of the PKCS#11 token is neither EC nor RSA");
	give_back(key, &session);
	if (good)
		*ret = steal(made);
	return good;
}

/* --- keys by their URI */

static bool key_find(const char *text, struct token_key **ret, struct problem *p)
{
	struct token_key *key;

	pthread_mutex_lock(&keys_lock);
	for (key = keys; key && !str_equal(key->text, text); key = key->next)
		;
	if (!key && (key = calloc(1, sizeof(*key)))) {
		pthread_mutex_init(&key->lock, NULL);
		key->text = strdup(text);
		if (!key->text || !pkcs11_uri_parse(text, &key->uri, p)) {
			free(key->text);
			free(key);
			pthread_mutex_unlock(&keys_lock);
			return problem_is_set(p) ? false : problem_memory(p);
		}
		key->next = keys;
		keys = key;
	}
	pthread_mutex_unlock(&keys_lock);
	*ret = key;
	return key ? true : problem_memory(p);
}

static bool key_try(struct token_key *key, EVP_PKEY **ret, struct problem *p)
{
	CK_FUNCTION_LIST *functions;

	if (!pkcs11_enter(&functions, p))
		return false;
	bool made = key_make(functions, key, ret, p);
	pkcs11_leave();
	return made;
}

bool pkcs11_key(const char *uri, EVP_PKEY **ret, struct problem *p)
{
	struct token_key *key = NULL;
	struct problem why = { 0 };

	if (!key_find(uri, &key, p))
		return false;
	if (key_try(key, ret, &why))
		return true;
	if (why.kind != PROBLEM_UNAVAILABLE) {
		*p = why;
		return false;
	}
	pkcs11_restart();
	return key_try(key, ret, p);
}
