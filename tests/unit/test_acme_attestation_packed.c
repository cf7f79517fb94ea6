#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "attestation_maker.h"

#define SERIAL_NUMBER "1.3.6.1.4.1.45724.1.1.2"

enum data { DATA_NONE, DATA_IGNORED, DATA_SIGNED, DATA_CUT, DATA_SHORT, DATA_NO_FLAG, DATA_LONG_ID, DATA_NO_KEY, DATA_KEY_TEXT,
            DATA_MORE, DATA_EXTENSIONS, DATA_OTHER };
enum cose { COSE_GOOD, COSE_NO_KTY, COSE_KTY_9, COSE_CRV_0, COSE_CRV_9, COSE_OFF_CURVE, COSE_NO_X, COSE_LONG_X, COSE_Y_SIGN };

static const struct row {
	enum data data;
	const char *credential;   /* kind of the key in authData; NULL: P-256 */
	enum cose cose;
	const char *leaf;         /* kind of the key of the certificate; NULL: P-256 */
	int64_t alg;              /* 0: -7 */
	const char *serial;       /* extension, hexadecimal; NULL: "A1" as an OCTET STRING */
	bool serial_twice;
	const char *want_name;    /* NULL: "A1" */
	const char *want;         /* NULL: good */
} rows[] = {
	{ DATA_NONE },
	{ DATA_NONE, .leaf = "P-384", .alg = -35 },
	{ DATA_NONE, .leaf = "P-521", .alg = -36 },
	{ DATA_NONE, .leaf = "P-256", .alg = -9 },
	{ DATA_NONE, .leaf = "P-384", .alg = -51 },
	{ DATA_NONE, .leaf = "P-521", .alg = -52 },
	{ DATA_NONE, .leaf = "RSA", .alg = -257 },
	{ DATA_NONE, .leaf = "RSA", .alg = -258 },
	{ DATA_NONE, .leaf = "RSA", .alg = -259 },
	{ DATA_NONE, .leaf = "RSA", .alg = -37 },
	{ DATA_NONE, .leaf = "RSA", .alg = -38 },
	{ DATA_NONE, .leaf = "RSA", .alg = -39 },
	{ DATA_NONE, .leaf = "ED25519", .alg = -8 },
	{ DATA_NONE, .leaf = "ED25519", .alg = -19 },
	{ DATA_NONE, .leaf = "ED448", .alg = -53 },
	{ DATA_NONE, .alg = -51, .want = "is not for the key" },
	{ DATA_NONE, .leaf = "P-384", .alg = -9, .want = "is not for the key" },
	{ DATA_NONE, .leaf = "ED448", .alg = -8, .want = "is not for the key" },
	/* what is not signed attests nothing: the key is the certificate's */
	{ DATA_IGNORED },
	{ DATA_SIGNED },
	{ DATA_SIGNED, "P-384" },
	{ DATA_SIGNED, "P-521" },
	{ DATA_SIGNED, "RSA" },
	{ DATA_SIGNED, "ED25519" },
	{ DATA_EXTENSIONS },
	{ DATA_OTHER, .want = "sig is not a signature" },
	{ DATA_CUT, .want = "the credential in authData has no key" },
	{ DATA_SHORT, .want = "authData has no attested credential" },
	{ DATA_NO_FLAG, .want = "authData has no attested credential" },
	{ DATA_LONG_ID, .want = "authData has no attested credential" },
	{ DATA_NO_KEY, .want = "the credential in authData has no key" },
	{ DATA_KEY_TEXT, .want = "the credential in authData has no key" },
	{ DATA_MORE, .want = "the credential in authData has no key" },
	{ DATA_SIGNED, .cose = COSE_NO_KTY, .want = "kind of key is not known" },
	{ DATA_SIGNED, .cose = COSE_KTY_9, .want = "kind of key is not known" },
	{ DATA_SIGNED, .cose = COSE_CRV_0, .want = "curve is not known" },
	{ DATA_SIGNED, .cose = COSE_CRV_9, .want = "curve is not known" },
	{ DATA_SIGNED, "ED25519", .cose = COSE_CRV_9, .want = "no key of Ed25519" },
	{ DATA_SIGNED, "ED25519", .cose = COSE_LONG_X, .want = "no key of Ed25519" },
	{ DATA_SIGNED, .cose = COSE_OFF_CURVE, .want = "not a valid key" },
	{ DATA_SIGNED, .cose = COSE_NO_X, .want = "not a valid key" },
	{ DATA_SIGNED, .cose = COSE_LONG_X, .want = "not a valid key" },
	{ DATA_SIGNED, .cose = COSE_Y_SIGN, .want = "not a valid key" },
	{ DATA_SIGNED, "RSA", .cose = COSE_NO_X, .want = "not a valid key" },
	/* the serial number */
	{ DATA_NONE, .serial = "0405534e2d3031", .want_name = "SN-01" },
	{ DATA_NONE, .serial = "04020001", .want = "names no device" },
	{ DATA_NONE, .serial = "0c024131", .want = "names no device" },
	{ DATA_NONE, .serial_twice = true, .want = SERIAL_NUMBER " 2 times" },
};

/* --- authenticator data */

static void put_label(struct buf *b, int64_t label, struct bytes value)
{
	put_integer(b, label);
	put_bytes(b, value);
}

static void put_number(struct buf *b, int64_t label, EVP_PKEY *key, const char *name, int size, enum cose cose)
{
	auto(BIGNUM) *n = NULL;
	uint8_t raw[514] = {0};

	assert_int_equal(EVP_PKEY_get_bn_param(key, name, &n), 1);
	size = size ? size : BN_num_bytes(n);
	assert_true(BN_bn2binpad(n, raw, size) == size);
	if (cose == COSE_OFF_CURVE && label == -3)
		raw[size - 1] ^= 1;
	put_label(b, cose == COSE_NO_X ? label - 20 : label, BYTES(raw, (size_t)size + (cose == COSE_LONG_X)));
}

static void put_ec2(struct buf *b, EVP_PKEY *key, const char *kind, enum cose cose)
{
	int crv = str_equal(kind, "P-256") ? 1 : str_equal(kind, "P-384") ? 2 : 3, size = crv == 1 ? 32 : crv == 2 ? 48 : 66;

	put_head(b, 5, 5);
	put_integer(b, cose == COSE_NO_KTY ? 100 : 1);
	put_integer(b, cose == COSE_KTY_9 ? 9 : 2);
	put_integer(b, 3);
	put_integer(b, -7);
	put_integer(b, -1);
	put_integer(b, cose == COSE_CRV_0 ? 0 : cose == COSE_CRV_9 ? 9 : crv);
	put_number(b, -2, key, "qx", size, cose);
	if (cose != COSE_Y_SIGN) {
		put_number(b, -3, key, "qy", size, cose);
		return;
	}
	put_integer(b, -3);
	buf_add_char(b, (char)0xf5); /* true: the sign alone */
}

static void put_okp(struct buf *b, EVP_PKEY *key, enum cose cose)
{
	uint8_t raw[33] = {0};
	size_t len = sizeof(raw);

	assert_int_equal(EVP_PKEY_get_raw_public_key(key, raw, &len), 1);
	put_head(b, 5, 3);
	put_integer(b, 1);
	put_integer(b, 1);
	put_integer(b, -1);
	put_integer(b, cose == COSE_CRV_9 ? 9 : 6);
	put_label(b, -2, BYTES(raw, len + (cose == COSE_LONG_X)));
}

static void put_cose(struct buf *b, EVP_PKEY *key, const char *kind, enum cose cose)
{
	if (kind && str_equal(kind, "ED25519")) {
		put_okp(b, key, cose);
	} else if (kind && str_equal(kind, "RSA")) {
		put_head(b, 5, 3);
		put_integer(b, 1);
		put_integer(b, 3);
		put_number(b, -1, key, "n", 0, cose);
		put_number(b, -2, key, "e", 0, COSE_GOOD);
	} else {
		put_ec2(b, key, kind ? kind : "P-256", cose);
	}
}

static void put_auth_data(struct buf *b, const struct row *row, EVP_PKEY *key)
{
	static const uint8_t zeros[32 + 16];

	buf_add(b, zeros, 32);
	buf_add_char(b, (char)(row->data == DATA_NO_FLAG ? 0x01 : row->data == DATA_EXTENSIONS ? 0xc1 : 0x41));
	buf_add(b, zeros, row->data == DATA_SHORT ? 3 : 4 + 16);
	if (row->data == DATA_SHORT)
		return;
	buf_add(b, row->data == DATA_LONG_ID ? "\xff\xff" : "\x00\x04", 2);
	buf_add(b, "cred", 4);
	if (row->data == DATA_KEY_TEXT)
		put_text(b, "key");
	else if (row->data != DATA_NO_KEY)
		put_cose(b, key, row->credential, row->cose);
	if (row->data == DATA_CUT)
		buf_shorten(b, b->len - 1);
	if (row->data == DATA_MORE || row->data == DATA_EXTENSIONS)
		put_head(b, 5, 0);
}

/* --- the object */

static void put_to_be_signed(struct buf *b, const struct row *row, struct bytes auth_data)
{
	uint8_t hash[SHA256_SIZE];

	if (row->data == DATA_NONE || row->data == DATA_IGNORED) {
		buf_add_str(b, KEY_AUTHORIZATION);
		return;
	}
	digest_sha256(BYTES_STR(row->data == DATA_OTHER ? "another" : KEY_AUTHORIZATION), hash);
	buf_add(b, auth_data.data, auth_data.len);
	buf_add(b, hash, sizeof(hash));
}

static const EVP_MD *hash_of(const struct row *row)
{
	if (row->leaf && row->leaf[0] == 'E')
		return NULL;
	switch (row->alg) {
	case -35: case -258: case -38: case -51: return EVP_sha384();
	case -36: case -259: case -39: case -52: return EVP_sha512();
	default: return EVP_sha256();
	}
}

static X509 *make_leaf(const struct row *row, const struct maker_of_devices *m, EVP_PKEY *key)
{
	auto_value(buf) serial = {0};
	struct plan plan = { .name = "Authenticator Attestation", .key = key, .issuer = m->ca, .issuer_key = m->ca_key,
	                     .constraints = "CA:FALSE" };

	put_hex(&serial, row->serial ? row->serial : "04024131");
	for (int i = 0; i <= row->serial_twice; i++)
		plan.extensions[i] = (struct extension){ SERIAL_NUMBER, false, buf_bytes(&serial) };
	return make_certificate(&plan);
}

static void make_object(struct buf *b, const struct row *row, const struct maker_of_devices *m, EVP_PKEY *leaf_key,
                        EVP_PKEY *credential)
{
	auto(X509) *leaf = make_leaf(row, m, leaf_key);
	auto_value(buf) auth_data = {0}, to_be_signed = {0}, signature = {0};

	put_auth_data(&auth_data, row, credential);
	put_to_be_signed(&to_be_signed, row, buf_bytes(&auth_data));
	sign(leaf_key, hash_of(row), row->alg <= -37 && row->alg >= -39, buf_bytes(&to_be_signed), &signature);
	put_head(b, 5, 2 + (row->data != DATA_NONE));
	put_text(b, "fmt");
	put_text(b, "packed");
	put_text(b, "attStmt");
	put_head(b, 5, 3);
	put_text(b, "alg");
	put_integer(b, row->alg ? row->alg : -7);
	put_text(b, "sig");
	put_bytes(b, buf_bytes(&signature));
	put_x5c(b, leaf, m->ca);
	if (row->data != DATA_NONE) {
		put_text(b, "authData");
		put_bytes(b, buf_bytes(&auth_data));
	}
}

static void judges_packed_statements(void **state)
{
	struct maker_of_devices m = make_maker("Root");
	const struct attestation_rules rules = { .roots[ATTESTATION_PACKED] = m.trust };

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		const struct row *row = &rows[i];
		EVP_PKEY *leaf = made_key(row->leaf, ROLE_LEAF), *credential = made_key(row->credential, ROLE_ATTESTED);
		bool of_data = row->data != DATA_NONE && row->data != DATA_IGNORED;
		auto_value(buf) object = {0}, spki = {0};
		auto_value(attestation) got = {0};
		auto_value(problem) p = {0};

		make_object(&object, row, &m, leaf, credential);
		bool good = attestation_judge(&rules, buf_bytes(&object), BYTES_STR(KEY_AUTHORIZATION), NOW, &got, &p);
		if (good != !row->want || (!good && !strstr(p.detail, row->want)))
			fail_msg("row %zu: %s", i, good ? "good" : p.detail);
		assert_true(good || p.kind == PROBLEM_BAD_ATTESTATION);
		if (!good)
			continue;
		assert_int_equal(got.name_count, 1);
		assert_string_equal(got.names[0].value, row->want_name ? row->want_name : "A1");
		assert_true(ossl_public_der(of_data ? credential : leaf, &spki, &p));
		assert_true(bytes_equal(buf_bytes(&spki), buf_bytes(&got.key)));
	}
	free_maker(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(judges_packed_statements),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
