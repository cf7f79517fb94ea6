#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "attestation_maker.h"
#include "webauthn_vectors.h"

#define PERMANENT "1.3.6.1.5.5.7.8.3"
#define SUBJECT_ALT_NAME "2.5.29.17"

/* --- the examples of the specification: what they sign in place of a key authorization */

static const struct example {
	size_t vector;
	bool with_data;            /* what is to be signed is the client's data alone, and authData is signed with its hash */
	const char *want;          /* NULL: good */
	const char *want_other;    /* of another challenge */
} examples[] = {
	{ 0, false, NULL, "sig is not a signature (ES256)" },
	{ 0, true, NULL, "sig is not a signature (ES256)" },
	{ 1, true, "there is no \"x5c\"", "there is no \"x5c\"" },
	{ 2, false, NULL, "sig is not a signature (ES256)" },
	{ 2, true, NULL, "sig is not a signature (ES256)" },
	/* its attributes are all zero */
	{ 3, false, "could be moved to another TPM", "extraData of certInfo is not the hash (SHA256)" },
	/* its security level is software's */
	{ 4, false, "software attests", "sig is not a signature (ES256)" },
	/* Apple's anonymous attestation names no device: it is not what devices send over ACME */
	{ 5, false, "no freshness code", "no freshness code" },
	{ 6, false, "format \"fido-u2f\" is not accepted here", "format \"fido-u2f\" is not accepted here" },
	{ 7, false, "format \"none\" is not accepted here", "format \"none\" is not accepted here" },
};

static bool read_example(const struct attestation_rules *rules, const struct example *e, bool other, struct attestation *ret,
                         struct problem *p)
{
	const struct vector *v = &vectors[e->vector];
	auto_value(buf) client = {0}, both = {0}, object = {0};
	uint8_t hash[SHA256_SIZE];

	put_hex(&client, v->client_data);
	if (other)
		client.data[0] ^= 1;
	put_hex(&both, v->authenticator_data);
	put_hex(&object, v->object);
	digest_sha256(buf_bytes(&client), hash);
	buf_add(&both, hash, sizeof(hash));
	const struct attestation_challenge challenge = {
		.to_be_signed = buf_bytes(e->with_data ? &client : &both), .key = BYTES(hash, sizeof(hash)), .token = BYTES_STR("token"),
	};
	return attestation_read(rules, buf_bytes(&object), &challenge, 1735689600, ret, p);
}

/* With authenticator data the attested key is the one in it: of Ed25519, or on P-256, where its two coordinates are labelled. */
static bool key_is_of_data(const struct attestation *a, const struct vector *v)
{
	auto_value(buf) data = {0};

	put_hex(&data, v->authenticator_data);
	const uint8_t *x = memmem(data.data, data.len, "\x21\x58\x20", 3);
	return x && memmem(a->key.data, a->key.len, x + 3, 32);
}

static void judges_the_examples_of_webauthn(void **state)
{
	auto_value(buf) root = {0}, pem = {0};
	auto_struct(trust) *trust = NULL;
	auto_value(problem) none = {0};
	struct attestation_rules rules = {0};

	(void)state;
	put_hex(&root, vector_root);
	ossl_pem("CERTIFICATE", buf_bytes(&root), &pem);
	assert_true(trust_from_pem("vectors", buf_bytes(&pem), &trust, &none));
	for (size_t i = 0; i < ATTESTATION_FORMAT_MAX; i++)
		rules.roots[i] = trust;
	for (size_t i = 0; i < 2 * array_length(examples); i++) {
		const struct example *e = &examples[i / 2];
		const char *want = i % 2 ? e->want_other : e->want;
		auto_value(attestation) got = {0};
		auto_value(problem) p = {0};

		bool good = read_example(&rules, e, i % 2, &got, &p);
		if (good != !want || (!good && !strstr(p.detail, want)))
			fail_msg("%s: %s", vectors[e->vector].name, good ? "good" : p.detail);
		assert_true(!good || got.name_count == 0);
		assert_true(!good || key_is_of_data(&got, &vectors[e->vector]) == e->with_data);
	}
}

/* --- objects and chains; the format is packed */

enum chain {
	CHAIN_GOOD, CHAIN_NO_CA, CHAIN_WITH_ROOT, CHAIN_OTHER_ROOT, CHAIN_EXPIRED_LEAF, CHAIN_EARLY_LEAF, CHAIN_EXPIRED_CA,
	CHAIN_EXPIRED_ROOT, CHAIN_EARLY_ROOT, CHAIN_FORGED_LEAF, CHAIN_NOT_A_CA, CHAIN_OLD_CA, CHAIN_LEAF_IS_CA, CHAIN_LEAF_IS_ROOT,
	CHAIN_SHA1, CHAIN_WEAK_KEY, CHAIN_CRITICAL, CHAIN_CRITICAL_NAMES, CHAIN_VERSION_1,
};
enum object {
	OBJECT_GOOD, OBJECT_AUTH_DATA, OBJECT_MORE_FIELDS, OBJECT_MORE_IN_STATEMENT, OBJECT_NO_FMT, OBJECT_FMT_BYTES,
	OBJECT_NO_STATEMENT, OBJECT_STATEMENT_ARRAY, OBJECT_NOT_A_MAP, OBJECT_EMPTY, OBJECT_TRAILING, OBJECT_TWICE, OBJECT_TOO_LONG,
	OBJECT_NO_X5C, OBJECT_X5C_EMPTY, OBJECT_X5C_BYTES, OBJECT_X5C_TEXT, OBJECT_X5C_NINE, OBJECT_X5C_GARBAGE,
	OBJECT_X5C_TRAILING, OBJECT_ALG_TEXT, OBJECT_NO_ALG, OBJECT_OTHER_FORMAT, OBJECT_LONG_FORMAT,
};

struct row {
	enum chain chain;
	enum object object;
	const char *want; /* NULL: good */
};

static const struct row rows[] = {
	{ CHAIN_GOOD, OBJECT_GOOD, NULL },
	{ CHAIN_WITH_ROOT, OBJECT_GOOD, NULL },
	{ CHAIN_CRITICAL_NAMES, OBJECT_GOOD, NULL },
	{ CHAIN_NO_CA, OBJECT_GOOD, "no manufacturer that is known here" },
	{ CHAIN_OTHER_ROOT, OBJECT_GOOD, "no manufacturer that is known here" },
	{ CHAIN_EXPIRED_LEAF, OBJECT_GOOD, "has expired" },
	{ CHAIN_EARLY_LEAF, OBJECT_GOOD, "not valid yet" },
	{ CHAIN_EXPIRED_CA, OBJECT_GOOD, "has expired" },
	{ CHAIN_EXPIRED_ROOT, OBJECT_GOOD, "root that the chain leads to has expired" },
	{ CHAIN_EARLY_ROOT, OBJECT_GOOD, "root that the chain leads to has expired or is not valid yet" },
	{ CHAIN_FORGED_LEAF, OBJECT_GOOD, "that has not signed it" },
	{ CHAIN_NOT_A_CA, OBJECT_GOOD, "no CA" },
	{ CHAIN_OLD_CA, OBJECT_GOOD, "no CA" },
	{ CHAIN_LEAF_IS_CA, OBJECT_GOOD, "is a CA's, not a device's" },
	{ CHAIN_LEAF_IS_ROOT, OBJECT_GOOD, "is a root of this server" },
	{ CHAIN_SHA1, OBJECT_GOOD, "weak hash" },
	{ CHAIN_WEAK_KEY, OBJECT_GOOD, "weak key" },
	{ CHAIN_CRITICAL, OBJECT_GOOD, "critical extension" },
	{ CHAIN_VERSION_1, OBJECT_GOOD, "version 3" },
	{ CHAIN_GOOD, OBJECT_AUTH_DATA, NULL },
	{ CHAIN_GOOD, OBJECT_MORE_FIELDS, NULL },
	{ CHAIN_GOOD, OBJECT_MORE_IN_STATEMENT, NULL },
	{ CHAIN_GOOD, OBJECT_NO_FMT, "has no \"fmt\"" },
	{ CHAIN_GOOD, OBJECT_FMT_BYTES, "has no \"fmt\"" },
	{ CHAIN_GOOD, OBJECT_NO_STATEMENT, "has no \"attStmt\"" },
	{ CHAIN_GOOD, OBJECT_STATEMENT_ARRAY, "has no \"attStmt\"" },
	{ CHAIN_GOOD, OBJECT_NOT_A_MAP, "not a CBOR map" },
	{ CHAIN_GOOD, OBJECT_EMPTY, "ends before" },
	{ CHAIN_GOOD, OBJECT_TRAILING, "bytes after" },
	{ CHAIN_GOOD, OBJECT_TWICE, "twice" },
	{ CHAIN_GOOD, OBJECT_TOO_LONG, "longer than" },
	{ CHAIN_GOOD, OBJECT_NO_X5C, "there is no \"x5c\"" },
	{ CHAIN_GOOD, OBJECT_X5C_EMPTY, "there is no \"x5c\"" },
	{ CHAIN_GOOD, OBJECT_X5C_BYTES, "there is no \"x5c\"" },
	{ CHAIN_GOOD, OBJECT_X5C_TEXT, "certificate 1 of x5c is not a byte string" },
	{ CHAIN_GOOD, OBJECT_X5C_NINE, "x5c has 9 certificates" },
	{ CHAIN_GOOD, OBJECT_X5C_GARBAGE, "cannot be read" },
	{ CHAIN_GOOD, OBJECT_X5C_TRAILING, "cannot be read" },
	{ CHAIN_GOOD, OBJECT_ALG_TEXT, "there is no \"alg\"" },
	{ CHAIN_GOOD, OBJECT_NO_ALG, "there is no \"alg\"" },
	{ CHAIN_GOOD, OBJECT_OTHER_FORMAT, "attestation format \"apple\" is not accepted here; accepted are \"packed\"" },
	{ CHAIN_GOOD, OBJECT_LONG_FORMAT, "accepted are \"packed\"" },
};

/* { permanentIdentifier "SERIAL-1", assigner 1.2.3.4; the same without assigner "SERIAL-2"; hardwareModuleName 1.2.3.5 "HW-1"; a DNS
 * name; an otherName of another type } */
static const char names_hex[] = "306c"
	"a01d06082b06010505070803a011300f0c0853455249414c2d3106032a0304"
	"a01806082b06010505070803a00c300a0c0853455249414c2d32"
	"a01906082b06010505070804a00d300b06032a0305040448572d31"
	"8203612e62"
	"a011060a2b060104018237140203a0030c0141";

struct case_of {
	struct maker_of_devices m;
	EVP_PKEY *key;
	X509 *leaf, *ca, *root; /* what x5c shows; ca and root may be NULL */
	struct trust *trust;
};

static struct extension alt_names(struct buf *room, bool critical)
{
	buf_clear(room);
	put_hex(room, names_hex);
	room->data[1] = (uint8_t)(room->len - 2);
	return (struct extension){ SUBJECT_ALT_NAME, critical, buf_bytes(room) };
}

static X509 *make_ca(const struct case_of *c, enum chain chain)
{
	struct plan plan = { .name = "CA", .key = c->m.ca_key, .issuer = c->m.root, .issuer_key = c->m.root_key,
	                     .constraints = "critical,CA:TRUE", .from = -100 * DAY, .until = 100 * DAY };

	if (chain == CHAIN_EXPIRED_CA)
		plan.until = -DAY;
	if (chain == CHAIN_NOT_A_CA)
		plan.constraints = "critical,CA:FALSE";
	if (chain == CHAIN_OLD_CA) {
		plan.constraints = NULL;
		plan.usage = "critical,keyCertSign";
	}
	return make_certificate(&plan);
}

static X509 *make_leaf(struct case_of *c, enum chain chain)
{
	auto_value(buf) room = {0};
	auto(EVP_PKEY) *other = EVP_EC_gen("P-256");
	struct plan plan = { .name = "device", .key = c->key, .issuer = c->ca, .issuer_key = c->m.ca_key,
	                     .constraints = "CA:FALSE", .extensions = { alt_names(&room, chain == CHAIN_CRITICAL_NAMES) } };

	if (chain == CHAIN_EXPIRED_LEAF)
		plan.from = -2 * DAY, plan.until = -1;
	if (chain == CHAIN_EARLY_LEAF)
		plan.from = 1, plan.until = DAY;
	if (chain == CHAIN_FORGED_LEAF)
		plan.issuer_key = other;
	if (chain == CHAIN_LEAF_IS_CA)
		plan.constraints = "CA:TRUE";
	if (chain == CHAIN_SHA1)
		plan.hash = EVP_sha1();
	if (chain == CHAIN_CRITICAL)
		plan.extensions[1] = (struct extension){ "1.2.3.4.5", true, BYTES("\x05\x00", 2) };
	if (chain == CHAIN_VERSION_1)
		plan.version = 1, plan.constraints = NULL, plan.extensions[0].oid = NULL;
	return make_certificate(&plan);
}

static void setup(struct case_of *c, enum chain chain)
{
	*c = (struct case_of){ .m = make_maker("Root"), .key = EVP_EC_gen(chain == CHAIN_WEAK_KEY ? "P-192" : "P-256") };
	if (chain == CHAIN_EXPIRED_ROOT || chain == CHAIN_EARLY_ROOT) {
		X509_free(c->m.root);
		c->m.root = make_certificate(&(struct plan){
			.name = "Root", .key = c->m.root_key, .issuer_key = c->m.root_key, .constraints = "critical,CA:TRUE",
			.from = chain == CHAIN_EXPIRED_ROOT ? -DAY : DAY, .until = chain == CHAIN_EXPIRED_ROOT ? -1 : 2 * DAY });
	}
	c->ca = make_ca(c, chain);
	c->leaf = make_leaf(c, chain);
	if (chain == CHAIN_LEAF_IS_ROOT) {
		X509_free(c->m.root);
		X509_up_ref(c->leaf);
		c->m.root = c->leaf;
	}
	if (chain == CHAIN_OTHER_ROOT) {
		struct maker_of_devices other = make_maker("Other");
		c->trust = steal(other.trust);
		free_maker(&other);
	} else {
		c->trust = trust_one(c->m.root);
	}
	if (chain == CHAIN_NO_CA) {
		X509_free(c->ca);
		c->ca = NULL;
	}
	c->root = chain == CHAIN_WITH_ROOT ? c->m.root : NULL;
}

static void teardown(struct case_of *c)
{
	EVP_PKEY_free(c->key);
	X509_free(c->leaf);
	X509_free(c->ca);
	trust_free(c->trust);
	free_maker(&c->m);
}

static void put_chain(struct buf *b, const struct case_of *c, enum object object)
{
	auto_value(buf) der = {0};
	size_t count = object == OBJECT_X5C_NINE ? 9 : object == OBJECT_X5C_EMPTY ? 0 : 1 + (size_t)!!c->ca + (size_t)!!c->root;

	put_text(b, object == OBJECT_NO_X5C ? "x5d" : "x5c");
	if (object == OBJECT_X5C_BYTES) {
		put_bytes(b, BYTES_STR("x"));
		return;
	}
	put_head(b, 4, count);
	if (count == 0)
		return;
	assert_true(ossl_der(i2d_X509, c->leaf, &der));
	if (object == OBJECT_X5C_TRAILING)
		buf_add_char(&der, 0);
	if (object == OBJECT_X5C_TEXT)
		put_text(b, "certificate");
	else
		put_bytes(b, object == OBJECT_X5C_GARBAGE ? BYTES(der.data, der.len - 1) : buf_bytes(&der));
	for (size_t i = 1; i < count; i++)
		put_certificate(b, i == 1 && c->ca ? c->ca : c->m.root);
}

static void put_statement(struct buf *b, const struct case_of *c, enum object object)
{
	auto_value(buf) signature = {0};

	put_text(b, object == OBJECT_NO_STATEMENT ? "attStm" : "attStmt");
	if (object == OBJECT_STATEMENT_ARRAY) {
		put_head(b, 4, 0);
		return;
	}
	put_head(b, 5, object == OBJECT_MORE_IN_STATEMENT ? 4 : 3);
	if (object == OBJECT_MORE_IN_STATEMENT) {
		put_text(b, "receipt");
		put_bytes(b, BYTES_STR("more"));
	}
	put_text(b, object == OBJECT_NO_ALG ? "algo" : "alg");
	if (object == OBJECT_ALG_TEXT)
		put_text(b, "ES256");
	else
		put_integer(b, -7);
	sign(c->key, EVP_sha256(), false, BYTES_STR(KEY_AUTHORIZATION), &signature);
	put_text(b, "sig");
	put_bytes(b, buf_bytes(&signature));
	put_chain(b, c, object);
}

static void put_all(struct buf *b, const struct case_of *c, enum object object)
{
	bool more = object == OBJECT_AUTH_DATA || object == OBJECT_MORE_FIELDS || object == OBJECT_TWICE;
	const char *format = object == OBJECT_OTHER_FORMAT ? "apple"
	                   : object == OBJECT_LONG_FORMAT ? "packedpackedpackedpackedpackedpackedpackedpacked" : "packed";

	if (object == OBJECT_EMPTY)
		return;
	if (object == OBJECT_NOT_A_MAP) {
		put_text(b, "packed");
		return;
	}
	put_head(b, 5, 2 + more);
	put_text(b, object == OBJECT_NO_FMT ? "format" : "fmt");
	if (object == OBJECT_FMT_BYTES)
		put_bytes(b, BYTES_STR(format));
	else
		put_text(b, format);
	put_statement(b, c, object);
	if (more) {
		put_text(b, object == OBJECT_AUTH_DATA ? "authData" : object == OBJECT_TWICE ? "fmt" : "epAtt");
		put_bytes(b, BYTES_STR("whatever"));
	}
	if (object == OBJECT_TRAILING)
		buf_add_char(b, 0);
	if (object == OBJECT_TOO_LONG)
		while (b->len <= ATTESTATION_OBJECT_MAX)
			buf_add_char(b, 0);
}

static void judges_objects_and_chains(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		struct case_of c;
		auto_value(buf) object = {0}, spki = {0};
		auto_value(attestation) got = {0};
		auto_value(problem) p = {0};

		setup(&c, rows[i].chain);
		const struct attestation_rules rules = { .roots[ATTESTATION_PACKED] = c.trust };
		put_all(&object, &c, rows[i].object);
		bool good = attestation_judge(&rules, buf_bytes(&object), BYTES_STR(KEY_AUTHORIZATION), NOW, &got, &p);
		if (good != !rows[i].want || (!good && !strstr(p.detail, rows[i].want)))
			fail_msg("row %zu: %s", i, good ? "good" : p.detail);
		assert_true(good || p.kind == PROBLEM_BAD_ATTESTATION);
		assert_true(!good || (ossl_public_der(c.key, &spki, &p) && bytes_equal(buf_bytes(&spki), buf_bytes(&got.key))));
		teardown(&c);
	}
}

/* Roots of one format vouch for no other, and none are needed for what is not accepted. */
static void keeps_the_roots_of_formats_apart(void **state)
{
	struct maker_of_devices other = make_maker("Other");
	struct case_of c;
	auto_value(buf) object = {0};
	auto_value(attestation) got = {0};
	auto_value(problem) p = {0};

	(void)state;
	setup(&c, CHAIN_GOOD);
	put_all(&object, &c, OBJECT_GOOD);
	struct attestation_rules rules = { .roots[ATTESTATION_PACKED] = other.trust, .roots[ATTESTATION_STEP] = c.trust };
	assert_false(attestation_judge(&rules, buf_bytes(&object), BYTES_STR(KEY_AUTHORIZATION), NOW, &got, &p));
	assert_non_null(strstr(p.detail, "no manufacturer that is known here"));
	rules.roots[ATTESTATION_PACKED] = NULL;
	assert_false(attestation_judge(&rules, buf_bytes(&object), BYTES_STR(KEY_AUTHORIZATION), NOW, &got, &p));
	assert_non_null(strstr(p.detail, "\"packed\" is not accepted here; accepted are \"step\""));
	rules = (struct attestation_rules){0};
	assert_false(attestation_judge(&rules, buf_bytes(&object), BYTES_STR(KEY_AUTHORIZATION), NOW, &got, &p));
	assert_non_null(strstr(p.detail, "accepted are none"));
	teardown(&c);
	free_maker(&other);
}

/* --- names */

static void finds_names(void **state)
{
	static const struct {
		const char *type, *value;
		bool want;
	} orders[] = {
		{ "permanent-identifier", "SERIAL-1", true },
		{ "permanent-identifier", "SERIAL-1/1.2.3.4", true },
		{ "permanent-identifier", "SERIAL-1/1.2.3.5", false },
		{ "permanent-identifier", "SERIAL-1/", false },
		{ "permanent-identifier", "SERIAL-2", true },
		{ "permanent-identifier", "SERIAL-2/1.2.3.4", false },
		{ "permanent-identifier", "SERIAL-2/", false },
		{ "permanent-identifier", "SERIAL-1.1.2.3.4", false },
		{ "permanent-identifier", "serial-1", false },
		{ "permanent-identifier", "SERIAL-", false },
		{ "permanent-identifier", "SERIAL-11", false },
		{ "permanent-identifier", "", false },
		{ "permanent-identifier", "HW-1", false },
		{ "permanent-identifier", "HW-1/1.2.3.5", false },
		{ "hardware-module", "HW-1/1.2.3.5", true },
		{ "hardware-module", "HW-1", false },
		{ "hardware-module", "HW-1/1.2.3.4", false },
		{ "hardware-module", "SERIAL-1/1.2.3.4", false },
	};
	struct case_of c;
	auto_value(buf) object = {0};
	auto_value(attestation) got = {0};
	auto_value(problem) p = {0};

	(void)state;
	setup(&c, CHAIN_GOOD);
	put_all(&object, &c, OBJECT_GOOD);
	const struct attestation_rules rules = { .roots[ATTESTATION_PACKED] = c.trust };
	assert_true(attestation_judge(&rules, buf_bytes(&object), BYTES_STR(KEY_AUTHORIZATION), NOW, &got, &p));
	assert_int_equal(got.name_count, 3);
	for (size_t i = 0; i < array_length(orders); i++) {
		auto_value(problem) why = {0};

		if (attestation_check_name(&got, orders[i].type, orders[i].value, &why) != orders[i].want)
			fail_msg("%s %s: %s", orders[i].type, orders[i].value, orders[i].want ? why.detail : "is taken for the device's");
		assert_true(orders[i].want || why.kind == PROBLEM_BAD_ATTESTATION);
		assert_true(orders[i].want || strstr(why.detail, "permanent-identifier \"SERIAL-1/1.2.3.4\", permanent-identifier \"SERIAL-2\", "
		                                                 "hardware-module \"HW-1/1.2.3.5\""));
	}
	teardown(&c);
}

static void leaves_out_what_no_order_can_say(void **state)
{
	static const struct {
		const char *value;
		size_t len;
		bool want;
	} values[] = {
		{ "A", 1, true },
		{ "\xc3\xbc", 2, true },
		{ "with space", 10, true },
		{ "", 0, false },
		{ "a/b", 3, false },
		{ "a\0b", 3, false },
		{ "a\nb", 3, false },
		{ "a\x7f", 2, false },
		{ "\xff", 1, false },
		{ "\xc3", 1, false },
	};
	char longest[256];

	(void)state;
	for (size_t i = 0; i < array_length(values); i++) {
		struct attestation a = {0};

		attestation_add_name(&a, false, BYTES(values[i].value, values[i].len), BYTES(NULL, 0));
		if (a.name_count != values[i].want)
			fail_msg("row %zu", i);
	}
	struct attestation a = {0};
	memset(longest, 'x', sizeof(longest));
	attestation_add_name(&a, false, BYTES(longest, 256), BYTES(NULL, 0));
	assert_int_equal(a.name_count, 0);
	attestation_add_name(&a, false, BYTES(longest, 255), BYTES(NULL, 0));
	attestation_add_name(&a, false, BYTES(longest, 255), BYTES(NULL, 0));
	assert_int_equal(a.name_count, 1);
	attestation_add_name(&a, true, BYTES(longest, 255), BYTES("\x80", 1)); /* no OBJECT IDENTIFIER */
	assert_int_equal(a.name_count, 1);
	for (size_t i = 1; i < 20; i++)
		attestation_add_name(&a, false, BYTES(longest, i), BYTES(NULL, 0));
	assert_int_equal(a.name_count, ATTESTATION_NAMES_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(judges_the_examples_of_webauthn),
		cmocka_unit_test(judges_objects_and_chains),
		cmocka_unit_test(keeps_the_roots_of_formats_apart),
		cmocka_unit_test(finds_names),
		cmocka_unit_test(leaves_out_what_no_order_can_say),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
