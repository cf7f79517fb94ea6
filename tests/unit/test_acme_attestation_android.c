#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "attestation_maker.h"

#define KEY_DESCRIPTION "1.3.6.1.4.1.11129.2.1.17"

/* Entries of authorization lists: purpose [1] { SIGN }, { ENCRYPT }, { ENCRYPT, SIGN }; origin [702] GENERATED, IMPORTED;
 * allApplications [600]; serial [713] "SER1"; IMEI [714] "356938035643809"; MEID [715] "A0"; second IMEI [723] "35";
 * rootOfTrust [704], which is passed over. */
#define SIGNS "a1053103020102"
#define ENCRYPTS "a1053103020100"
#define BOTH "a1083106020100020102"
#define GENERATED "bf853e03020100"
#define IMPORTED "bf853e03020102"
#define ALL_APPLICATIONS "bf8458020500"
#define NAMES_SERIAL "bf854906040453455231"
#define NAMES_IMEI "bf854a11040f333536393338303335363433383039"
#define NAMES_MEID "bf854b0404024130"
#define NAMES_SECOND "bf85530404023335"
#define ROOT_OF_TRUST "bf8540133011040c000000000000000000000000010100"
#define USUAL SIGNS GENERATED NAMES_SERIAL

enum where { ONCE, NOWHERE, TWICE, IN_THE_CA, NOT_DER, CUT, MORE };
enum challenge { KEY_AUTHORIZATION_ITSELF, ITS_HASH, THE_TOKEN, ANOTHER, EMPTY };

static const struct row {
	const char *hardware, *software;
	int attested_by, kept_by;      /* 0: TrustedEnvironment; -1: Software; 2: StrongBox; 3: none known */
	enum challenge challenge;
	enum where where;
	int64_t alg;                   /* 0: -7; 1: left out */
	const char *signed_text;       /* NULL: the key authorization */
	bool foreign;
	size_t want_names;
	const char *want;              /* NULL: good */
} rows[] = {
	{ USUAL, "", .want_names = 1 },
	{ USUAL, "", 2, 2, .want_names = 1 },
	{ SIGNS GENERATED ROOT_OF_TRUST NAMES_SERIAL NAMES_IMEI NAMES_MEID NAMES_SECOND, "", .want_names = 4 },
	{ BOTH GENERATED NAMES_IMEI, SIGNS, .want_names = 1 },
	{ USUAL, "", .challenge = ITS_HASH, .want_names = 1 },
	{ USUAL, "", .challenge = THE_TOKEN, .want = "attestationChallenge is not" },
	{ USUAL, "", .challenge = ANOTHER, .want = "attestationChallenge is not" },
	{ USUAL, "", .challenge = EMPTY, .want = "attestationChallenge is not" },
	{ USUAL, "", .attested_by = -1, .want = "attestationSecurityLevel" },
	{ USUAL, "", .attested_by = 3, .want = "attestationSecurityLevel" },
	{ USUAL, "", .kept_by = -1, .want = "keyMintSecurityLevel" },
	{ USUAL, "", .kept_by = 3, .want = "keyMintSecurityLevel" },
	{ GENERATED NAMES_SERIAL, "", .want = "not for signatures" },
	{ GENERATED NAMES_SERIAL, SIGNS, .want = "not for signatures" },
	{ ENCRYPTS GENERATED NAMES_SERIAL, "", .want = "not for signatures" },
	{ SIGNS NAMES_SERIAL, "", .want = "not generated" },
	{ SIGNS NAMES_SERIAL, GENERATED, .want = "not generated" },
	{ SIGNS IMPORTED NAMES_SERIAL, "", .want = "not generated" },
	{ SIGNS ALL_APPLICATIONS GENERATED NAMES_SERIAL, "", .want = "allApplications" },
	{ USUAL, ALL_APPLICATIONS, .want = "allApplications" },
	{ SIGNS GENERATED, "", .want = "names no device" },
	{ SIGNS GENERATED, NAMES_SERIAL, .want = "names no device" },     /* software's word */
	{ SIGNS "00" GENERATED, "", .want = "authorization list" },
	{ SIGNS "bf85", "", .want = "authorization list" },
	{ SIGNS "bf853e", "", .want = "authorization list" },
	{ SIGNS "bf853e7f020100", "", .want = "authorization list" },
	{ SIGNS "bfffffffff7f03020100", "", .want = "authorization list" },
	{ SIGNS "bf803e03020100", "", .want = "authorization list" },
	{ USUAL, "020100", .want = "authorization list" },
	{ USUAL, "", .where = NOWHERE, .want = "no key description" },
	{ USUAL, "", .where = TWICE, .want = KEY_DESCRIPTION " 2 times" },
	{ USUAL, "", .where = IN_THE_CA, .want = "certificate 2 of the chain is of an attested key itself" },
	{ USUAL, "", .where = NOT_DER, .want = "key description cannot be read" },
	{ USUAL, "", .where = CUT, .want = "key description cannot be read" },
	{ USUAL, "", .where = MORE, .want = "key description cannot be read" },
	{ USUAL, "", .alg = 1, .want = "there is no \"alg\"" },
	{ USUAL, "", .alg = -257, .want = "is not for the key" },
	{ USUAL, "", .signed_text = TOKEN, .want = "sig is not a signature" },
	{ USUAL, "", .foreign = true, .want = "sig is not a signature" },
};

static uint8_t level(int of_row)
{
	return of_row == 0 ? 1 : of_row == -1 ? 0 : (uint8_t)of_row;
}

static void put_challenge(struct buf *b, enum challenge challenge)
{
	uint8_t hash[SHA256_SIZE];

	digest_sha256(BYTES_STR(KEY_AUTHORIZATION), hash);
	switch (challenge) {
	case KEY_AUTHORIZATION_ITSELF: put_der(b, V_ASN1_OCTET_STRING, BYTES_STR(KEY_AUTHORIZATION)); break;
	case ITS_HASH: put_der(b, V_ASN1_OCTET_STRING, BYTES(hash, sizeof(hash))); break;
	case THE_TOKEN: put_der(b, V_ASN1_OCTET_STRING, BYTES_STR(TOKEN)); break;
	case ANOTHER: put_der(b, V_ASN1_OCTET_STRING, BYTES_STR("another")); break;
	case EMPTY: put_der(b, V_ASN1_OCTET_STRING, BYTES(NULL, 0)); break;
	}
}

static void put_description(struct buf *b, const struct row *row)
{
	auto_value(buf) content = {0}, hardware = {0}, software = {0};
	uint8_t attested_by = level(row->attested_by), kept_by = level(row->kept_by);

	put_hex(&hardware, row->hardware);
	put_hex(&software, row->software);
	put_hex(&content, "0202012c");
	put_der(&content, V_ASN1_ENUMERATED, BYTES(&attested_by, 1));
	put_hex(&content, "020164");
	put_der(&content, V_ASN1_ENUMERATED, BYTES(&kept_by, 1));
	put_challenge(&content, row->challenge);
	put_der(&content, V_ASN1_OCTET_STRING, BYTES(NULL, 0));
	put_der(&content, TLV_SEQUENCE, buf_bytes(&software));
	if (row->where != CUT)
		put_der(&content, TLV_SEQUENCE, buf_bytes(&hardware));
	if (row->where == MORE)
		put_hex(&content, "0500");
	put_der(b, row->where == NOT_DER ? TLV_SET : TLV_SEQUENCE, buf_bytes(&content));
}

static X509 *make_leaf(const struct row *row, const struct maker_of_devices *m, X509 *ca, EVP_PKEY *key)
{
	auto_value(buf) description = {0};
	struct plan plan = { .name = "Android Keystore Key", .key = key, .issuer = ca, .issuer_key = m->ca_key };

	put_description(&description, row);
	for (int i = 0; row->where != NOWHERE && i <= (row->where == TWICE); i++)
		plan.extensions[i] = (struct extension){ KEY_DESCRIPTION, false, buf_bytes(&description) };
	return make_certificate(&plan);
}

static X509 *make_ca(const struct row *row, const struct maker_of_devices *m)
{
	auto_value(buf) description = {0};
	struct plan plan = { .name = "keybox", .key = m->ca_key, .issuer = m->root, .issuer_key = m->root_key,
	                     .constraints = "critical,CA:TRUE" };

	put_description(&description, row);
	if (row->where == IN_THE_CA)
		plan.extensions[0] = (struct extension){ KEY_DESCRIPTION, false, buf_bytes(&description) };
	return make_certificate(&plan);
}

static void make_object(struct buf *b, const struct row *row, const struct maker_of_devices *m, EVP_PKEY *key)
{
	auto(X509) *ca = make_ca(row, m), *leaf = make_leaf(row, m, ca, key);
	auto(EVP_PKEY) *other = EVP_EC_gen("P-256");
	auto_value(buf) signature = {0};

	sign(row->foreign ? other : key, EVP_sha256(), false,
	     BYTES_STR(row->signed_text ? row->signed_text : KEY_AUTHORIZATION), &signature);
	put_object(b, "android-key", 2 + (row->alg != 1));
	if (row->alg != 1) {
		put_text(b, "alg");
		put_integer(b, row->alg ? row->alg : -7);
	}
	put_text(b, "sig");
	put_bytes(b, buf_bytes(&signature));
	put_x5c(b, leaf, ca);
}

static void judges_android_statements(void **state)
{
	struct maker_of_devices m = make_maker("Android root");
	const struct attestation_rules rules = { .roots[ATTESTATION_ANDROID_KEY] = m.trust };

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		auto(EVP_PKEY) *key = EVP_EC_gen("P-256");
		auto_value(buf) object = {0}, spki = {0};
		auto_value(attestation) got = {0};
		auto_value(problem) p = {0};

		make_object(&object, &rows[i], &m, key);
		bool good = attestation_judge(&rules, buf_bytes(&object), BYTES_STR(KEY_AUTHORIZATION), NOW, &got, &p);
		if (good != !rows[i].want || (!good && !strstr(p.detail, rows[i].want)))
			fail_msg("row %zu: %s", i, good ? "good" : p.detail);
		assert_true(good || p.kind == PROBLEM_BAD_ATTESTATION);
		if (!good)
			continue;
		assert_int_equal(got.name_count, rows[i].want_names);
		if (rows[i].want_names != 1)
			assert_true(attestation_check_name(&got, "permanent-identifier", "356938035643809", &p));
		assert_true(ossl_public_der(key, &spki, &p) && bytes_equal(buf_bytes(&spki), buf_bytes(&got.key)));
	}
	free_maker(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(judges_android_statements),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
