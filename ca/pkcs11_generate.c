#include "ca/pkcs11.h"
#include "ca/pkcs11_session.h"

#include "base/random.h"

enum { ID_BYTES = 16 };

/* CKA_EC_PARAMS is the curve's OID (PKCS#11 3.0, 6.3.1). */
static const uint8_t p256[] = { 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07 };
static const uint8_t p384[] = { 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22 };
static const struct shape {
	CK_MECHANISM_TYPE mechanism;
	struct bytes curve;
	CK_ULONG bits;
} shapes[] = {
	[KEYFILE_EC_P256] = { CKM_EC_KEY_PAIR_GEN, { p256, sizeof(p256) }, 0 },
	[KEYFILE_EC_P384] = { CKM_EC_KEY_PAIR_GEN, { p384, sizeof(p384) }, 0 },
	[KEYFILE_RSA_3072] = { CKM_RSA_PKCS_KEY_PAIR_GEN, { NULL, 0 }, 3072 },
	[KEYFILE_RSA_4096] = { CKM_RSA_PKCS_KEY_PAIR_GEN, { NULL, 0 }, 4096 },
};

struct template {
	CK_ATTRIBUTE v[12];
	CK_ULONG n;
};

static void put(struct template *t, CK_ATTRIBUTE_TYPE type, const void *value, size_t len)
{
	t->v[t->n++] = (CK_ATTRIBUTE){ type, (void *)(uintptr_t)value, len };
}

static void put_bool(struct template *t, CK_ATTRIBUTE_TYPE type, bool value)
{
	static const CK_BBOOL yes = CK_TRUE, no = CK_FALSE;

	put(t, type, value ? &yes : &no, sizeof(CK_BBOOL));
}

/* By what the URI names the key, it is found again; other programs pair the halves by their id. */
static void put_names(struct template *t, const struct pkcs11_uri *uri, struct bytes id)
{
	put_bool(t, CKA_TOKEN, true);
	if (uri->object)
		put(t, CKA_LABEL, uri->object, strlen(uri->object));
	put(t, CKA_ID, id.data, id.len);
}

static void public_template(const struct shape *shape, struct template *t)
{
	static const uint8_t exponent[] = { 1, 0, 1 };

	put_bool(t, CKA_VERIFY, true);
	if (shape->curve.len > 0) {
		put(t, CKA_EC_PARAMS, shape->curve.data, shape->curve.len);
		return;
	}
	put(t, CKA_MODULUS_BITS, &shape->bits, sizeof(shape->bits));
	put(t, CKA_PUBLIC_EXPONENT, exponent, sizeof(exponent));
}

/* It can sign, and leaves the token in no form. */
static void private_template(struct template *t)
{
	put_bool(t, CKA_PRIVATE, true);
	put_bool(t, CKA_SENSITIVE, true);
	put_bool(t, CKA_EXTRACTABLE, false);
	put_bool(t, CKA_SIGN, true);
}

static bool generate(const CK_FUNCTION_LIST *functions, CK_SESSION_HANDLE session, const struct pkcs11_uri *uri,
                     const struct shape *shape, struct problem *p)
{
	uint8_t random[ID_BYTES];
	struct bytes id = uri->id.len > 0 ? buf_bytes(&uri->id) : BYTES(random, sizeof(random));
	struct template public = { 0 }, private = { 0 };
	CK_MECHANISM mechanism = { shape->mechanism, NULL, 0 };
	CK_OBJECT_HANDLE made[2];

	if (!random_bytes(random, sizeof(random), p))
		return false;
	put_names(&public, uri, id);
	put_names(&private, uri, id);
	public_template(shape, &public);
	private_template(&private);
	CK_RV result = functions->C_GenerateKeyPair(session, &mechanism, public.v, public.n, private.v,
	                                            private.n, &made[0], &made[1]);
	return result == CKR_OK ||
	       problem_unavailable(p, 10, "the PKCS#11 token makes no such key: %s", pkcs11_result_name(result));
}

/* None must be there: neither of the two would be the one that the URI means. */
static bool make(const CK_FUNCTION_LIST *functions, const struct pkcs11_uri *uri, const struct shape *shape,
                 struct problem *p)
{
	struct pkcs11_session session;
	struct problem why = { 0 };
	CK_OBJECT_HANDLE object;

	if (!pkcs11_session_begin(uri, CKF_RW_SESSION, &session, p))
		return false;
	bool found = pkcs11_find(session.handle, CKO_PRIVATE_KEY, uri, &object, &why);
	bool made = !found && why.kind == PROBLEM_NOT_FOUND && generate(functions, session.handle, uri, shape, p);
	pkcs11_session_close(&session);
	if (made || problem_is_set(p))
		return made;
	*p = why;
	return found && problem_set(p, PROBLEM_CONFLICT,
	                            "the PKCS#11 token has this key, and does not show it whole");
}

bool pkcs11_key_complete(const char *text, enum keyfile_kind kind, EVP_PKEY **ret, struct problem *p)
{
	auto_value(pkcs11_uri) uri = { 0 };
	auto_value(problem) why = { 0 };
	CK_FUNCTION_LIST *functions;

	if (pkcs11_key(text, ret, &why))
		return true;
	if (why.kind != PROBLEM_NOT_FOUND) {
		*p = why;
		return false;
	}
	if (!pkcs11_uri_parse(text, &uri, p) || !pkcs11_enter(&functions, p))
		return false;
	bool made = make(functions, &uri, &shapes[kind], p);
	pkcs11_leave();
	return made && pkcs11_key(text, ret, p);
}
