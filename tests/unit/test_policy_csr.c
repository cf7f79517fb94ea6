#include "policy/csr.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <openssl/core_names.h>
#include <openssl/rsa.h>

#include "base/digest.h"
#include "policy_make.h"

#define SAN { "subjectAltName", "DNS:www.example.com" }
#define CN(value) { "CN", value }
/* An RDN of one common name: SET, SEQUENCE, OID 2.5.4.3, then the value element of n bytes. */
#define RDN_CN(set, sequence, value) "31" set "30" sequence "0603550403" value
/* An Extension of OID 2.5.29.x */
#define EXT(length, last, value) "30" length "0603551d" last "04" value

static const struct refusal {
	const char *name;
	struct make_csr csr;
	const char *want; /* in the detail */
} refusals[] = {
	{ "version 4", { .extensions = { SAN }, .version = "020103" }, "version" },
	{ "version -1", { .extensions = { SAN }, .version = "0201ff" }, "version" },
	{ "version of two bytes", { .extensions = { SAN }, .version = "02020000" }, "version" },
	{ "another key's signature", { .extensions = { SAN }, .signer = "P-256 other" }, "signature" },
	{ "an RSA signature for an EC key", { .extensions = { SAN }, .signer = "rsa-2048" }, "not one of its key" },
	{ "ecdsa-with-SHA1", { .extensions = { SAN }, .digest = "SHA1", .algorithm = "06072a8648ce3d0401" }, "SHA-1" },
	{ "ecdsa-with-SHA224", { .extensions = { SAN }, .digest = "SHA224", .algorithm = "06082a8648ce3d040301" }, "SHA-224" },
	{ "sha1WithRSAEncryption", { .key = "rsa-2048", .extensions = { SAN }, .digest = "SHA1", .algorithm = "06092a864886f70d0101050500" },
	  "SHA-1" },
	{ "md5WithRSAEncryption", { .key = "rsa-2048", .extensions = { SAN }, .digest = "MD5", .algorithm = "06092a864886f70d0101040500" },
	  "MD5" },
	{ "an unknown signature algorithm", { .extensions = { SAN }, .algorithm = "06032a0304" }, "1.2.3.4" },
	{ "ECDSA with parameters", { .extensions = { SAN }, .algorithm = "06082a8648ce3d040302020100" }, "parameters" },
	{ "RSA with odd parameters", { .key = "rsa-2048", .extensions = { SAN }, .algorithm = "06092a864886f70d01010b020100" }, "parameters" },
	{ "RSA-PSS without parameters", { .key = "rsa-2048", .extensions = { SAN }, .algorithm = "06092a864886f70d01010a" }, "parameters" },
	{ "no algorithm", { .extensions = { SAN }, .algorithm = "" }, "signature" },
	{ "the digest is not the algorithm's", { .extensions = { SAN }, .digest = "SHA384" }, "signature" },

	{ "RSA of 1024 bits", { .key = "rsa-1024", .extensions = { SAN } }, "1024" },
	{ "secp256k1", { .key = "secp256k1", .extensions = { SAN } }, "secp256k1" },
	{ "P-224", { .key = "P-224", .extensions = { SAN } }, "secp224r1" },
	{ "no key", { .extensions = { SAN }, .raw_spki = "3000" }, "SubjectPublicKeyInfo" },
	{ "a key that is no sequence", { .extensions = { SAN }, .raw_spki = "0500" }, "SubjectPublicKeyInfo" },
	{ "an Ed25519 key with a parameter", { .key = "ed25519", .extensions = { SAN },
	  .raw_spki = "302c300706032b65700500032100" "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a" }, "not a valid key" },

	{ "the same extension twice", { .extensions = { SAN, SAN } }, "2.5.29.17 twice" },
	{ "extensionRequest twice", { .extensions = { SAN }, .raw_attributes = "300f06092a864886f70d01090e310230" "00" }, "twice" },
	{ "extensions in both attributes", { .extensions = { SAN }, .raw_attributes = "3010060a2b060104018237020" "10e31023000" }, "two forms" },
	{ "extensionRequest of no value", { .raw_attributes = "300d06092a864886f70d01090e3100" }, "one value" },
	{ "extensionRequest of two values", { .raw_attributes = "301106092a864886f70d01090e310430003000" }, "one value" },
	{ "extensionRequest that is a SET", { .raw_attributes = "300f06092a864886f70d01090e31023100" }, "extensionRequest" },
	{ "challengePassword twice", { .raw_attributes = "301106092a864886f70d01090731040c024141" "301106092a864886f70d01090731040c024141" },
	  "twice" },
	{ "challengePassword with a NUL", { .raw_attributes = "301106092a864886f70d01090731040c024100" }, "NUL" },
	{ "ChangeSubjectName of nothing", { .raw_attributes = "300e06082b06010505070724" "31023000" }, "ChangeSubjectName" },
	{ "ChangeSubjectName with something after it", { .raw_attributes = "301406082b06010505070724" "3108" "3006" "3000" "0500" "0500" },
	  "ChangeSubjectName" },
	{ "estIdentityLinking with a NUL", { .raw_attributes = "3013060b2a864886f70d010910023a31040c024100" }, "estIdentityLinking" },
	{ "otpChallenge", { .raw_attributes = "3013060b2a864886f70d010910023831040c024142" }, "otpChallenge" },
	{ "revocationChallenge", { .raw_attributes = "3013060b2a864886f70d010910023931040c024142" }, "revocationChallenge" },
	{ "an empty DecryptKeyIdentifier", { .raw_attributes = "3011060b2a864886f70d010910022531020400" }, "decryption key" },
	{ "SMIMECapabilities that are none", { .raw_attributes = "301106092a864886f70d01090f310430020500" }, "SMIMECapabilities" },
	{ "an attribute that is no sequence", { .raw_attributes = "0500" }, "DER" },
	{ "an attribute of no type", { .raw_attributes = "300606022a833100" }, "an attribute of" },
	{ "an attribute with something after it", { .raw_attributes = "300806022a0331000500" }, "an attribute of" },
	{ "an extension with something after it", { .raw_extensions = "300b0603551d0f04020300" "0500" }, "malformed" },
	{ "an extension without a value", { .raw_extensions = "30050603551d0f" }, "malformed" },
	{ "a critical of two bytes", { .raw_extensions = "300d0603551d0f0102ffff04020300" }, "malformed" },

	{ "a name with a NUL", { .raw_names = "820f7777772e6578616d706c652e636f00" }, "NUL" },
	{ "a name cut by a NUL", { .raw_names = "82127777772e6578616d706c65006576696c2e75" }, "NUL" },
	{ "a name that is not ASCII", { .raw_names = "8203c3bc61" }, "not ASCII" },
	{ "a mail address that is not ASCII", { .raw_names = "8104c3bc4061" }, "not ASCII" },
	{ "an empty name", { .raw_names = "8200" }, "empty" },
	{ "a name with a space", { .raw_names = "8203206161" }, "character" },
	{ "a name with a final dot", { .raw_names = "8203612e2e" }, "dot" },
	{ "a name with an underscore", { .raw_names = "82035f6161" }, "\"_\"" },
	{ "an address as a DNS name", { .raw_names = "820831302e302e302e31" }, "IP address" },
	{ "no names", { .raw_names = "" }, "at least one name" },
	{ "an IP address of 5 bytes", { .raw_names = "87050a00000001" }, "4 nor 16" },
	{ "an IP address with its mask", { .raw_names = "87080a000000ff000000" }, "4 nor 16" },
	{ "an IPv4-mapped address", { .raw_names = "871000000000000000000000ffff0a000001" }, "mapped" },
	{ "a URI without a host", { .raw_names = "860775726e3a783a79" }, "absolute" },
	{ "a name of an unknown type", { .raw_names = "890161" }, "no known type" },
	{ "a dNSName that is constructed", { .raw_names = "a2038201" "61" }, "no known type" },
	{ "an otherName without a type", { .raw_names = "a003040161" }, "otherName" },
	{ "names that are cut", { .raw_names = "82056161" }, "DER" },

	{ "key usage of no bits", { .extensions = { SAN, { "2.5.29.15", "DER:03:01:00" } } }, "keyUsage" },
	{ "key usage of zero bits", { .extensions = { SAN, { "2.5.29.15", "DER:03:02:07:00" } } }, "keyUsage" },
	{ "key usage with dirty padding", { .extensions = { SAN, { "2.5.29.15", "DER:03:02:05:81" } } }, "keyUsage" },
	{ "key usage of three bytes", { .extensions = { SAN, { "2.5.29.15", "DER:03:04:00:80:80:80" } } }, "keyUsage" },
	{ "key usage with 8 unused bits", { .extensions = { SAN, { "2.5.29.15", "DER:03:02:08:80" } } }, "keyUsage" },
	{ "key usage that is an integer", { .extensions = { SAN, { "2.5.29.15", "DER:02:01:05" } } }, "keyUsage" },
	{ "extended key usage of none", { .extensions = { SAN, { "2.5.29.37", "DER:30:00" } } }, "extKeyUsage" },
	{ "extended key usage that is a text", { .extensions = { SAN, { "2.5.29.37", "DER:30:02:0c:00" } } }, "extKeyUsage" },
	{ "basic constraints with more", { .extensions = { SAN, { "2.5.29.19", "DER:30:02:0c:00" } } }, "basicConstraints" },
	{ "a path length below zero", { .extensions = { SAN, { "2.5.29.19", "DER:30:03:02:01:80" } } }, "basicConstraints" },
	{ "a path length of two bytes", { .extensions = { SAN, { "2.5.29.19", "DER:30:04:02:02:01:00" } } }, "basicConstraints" },
	{ "a TLS feature other than status_request", { .extensions = { SAN, { "1.3.6.1.5.5.7.1.24", "DER:30:03:02:01:11" } } }, "RFC 7633" },
	{ "status_request and another TLS feature", { .extensions = { SAN, { "1.3.6.1.5.5.7.1.24", "DER:30:06:02:01:05:02:01:11" } } }, "RFC 7633" },
	{ "no TLS feature", { .extensions = { SAN, { "1.3.6.1.5.5.7.1.24", "DER:30:00" } } }, "TLS feature" },
	{ "a TLS feature that is no number", { .extensions = { SAN, { "1.3.6.1.5.5.7.1.24", "DER:30:03:04:01:05" } } }, "TLS feature" },
	{ "a TLS feature without its list", { .extensions = { SAN, { "1.3.6.1.5.5.7.1.24", "DER:02:01:05" } } }, "TLS feature" },
	{ "basic constraints with a long boolean", { .extensions = { SAN, { "2.5.29.19", "DER:30:04:01:02:00:00" } } }, "basicConstraints" },

	{ "a common name with a NUL", { .extensions = { SAN }, .raw_subject = RDN_CN("0d", "0b", "0c04") "61006263" }, "NUL" },
	{ "a common name with a control character", { .extensions = { SAN }, .raw_subject = RDN_CN("0d", "0b", "0c04") "610a6263" }, "control" },
	{ "a common name that is no UTF-8", { .extensions = { SAN }, .raw_subject = RDN_CN("0d", "0b", "0c04") "61c32f62" }, "encoding" },
	{ "a common name in Latin-1", { .extensions = { SAN }, .raw_subject = RDN_CN("0d", "0b", "1404") "61fc6263" }, "encoding" },
	{ "a printable string that is not", { .extensions = { SAN }, .raw_subject = RDN_CN("0d", "0b", "1304") "61fc6263" }, "encoding" },
	{ "a BMPString of odd length", { .extensions = { SAN }, .raw_subject = RDN_CN("0c", "0a", "1e03") "006100" }, "encoding" },
	{ "a BMPString with a NUL", { .extensions = { SAN }, .raw_subject = RDN_CN("0d", "0b", "1e04") "00610000" }, "NUL" },
	{ "a common name that is an integer", { .extensions = { SAN }, .raw_subject = RDN_CN("0a", "08", "0201") "05" }, "no text" },
	{ "an empty RDN", { .extensions = { SAN }, .raw_subject = "3100" }, "RDN" },
	{ "an RDN that is a sequence", { .extensions = { SAN }, .raw_subject = "30" "0b" "30090603550403" "0c0261" "62" }, "subject" },
	{ "an attribute without a value", { .extensions = { SAN }, .raw_subject = "3107" "3005" "0603550403" }, "attribute" },
};

static void refuse(const char *name, struct bytes der, const char *want)
{
	struct csr *csr = NULL;
	auto_value(problem) p = {0};

	if (csr_parse(der, &csr, &p))
		fail_msg("%s: parsed", name);
	assert_true(want[0] != '\0' || p.detail[0] != '\0');
	assert_null(csr);
	if (p.kind != PROBLEM_BAD_CSR || !strstr(p.detail, want))
		fail_msg("%s: %s: %s", name, problem_kind_name(p.kind), p.detail);
}

/* Ruby's acme-client writes 2. */
static void versions_of_the_field_are_read(void **state)
{
	static const char *const versions[] = { "020100", "020101", "020102" };

	(void)state;
	for (size_t i = 0; i < array_length(versions); i++) {
		auto_value(buf) der = {0};
		auto_struct(csr) *csr = NULL;
		auto_value(problem) p = {0};

		make_csr(&(struct make_csr){ .extensions = { SAN }, .version = versions[i] }, &der);
		if (!csr_parse(buf_bytes(&der), &csr, &p))
			fail_msg("%s: %s", versions[i], p.detail);
	}
}

static void test_refusals(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_length(refusals); i++) {
		auto_value(buf) der = {0};
		make_csr(&refusals[i].csr, &der);
		refuse(refusals[i].name, buf_bytes(&der), refusals[i].want);
	}
}

static struct csr *parse(const struct make_csr *m)
{
	auto_value(buf) der = {0};
	struct csr *csr;
	auto_value(problem) p = {0};

	make_csr(m, &der);
	if (!csr_parse(buf_bytes(&der), &csr, &p))
		fail_msg("%s", p.detail);
	return csr;
}

static void test_all_parts(void **state)
{
	auto_value(buf) der = {0};
	struct make_csr m = {
		.subject = { CN("WWW.example.com"), { "O", "Example" }, { "1.2.3.4", "x" } },
		.extensions = {
			{ "subjectAltName", "DNS:WWW.Example.com, DNS:www.example.com, DNS:*.a.example, IP:10.0.0.1, IP:2001:DB8::1, email:A@B.example, URI:spiffe://X.example/y" },
			{ "keyUsage", "critical,digitalSignature,decipherOnly,keyAgreement" },
			{ "extendedKeyUsage", "serverAuth,clientAuth,1.2.3.4.5,serverAuth" },
			{ "basicConstraints", "CA:FALSE" },
			{ "1.3.6.1.5.5.7.1.24", "DER:30:03:02:01:05" },
		},
		.raw_attributes = "301106092a864886f70d01090731040c024142",
	};
	struct problem p = {0};
	auto_struct(csr) *csr = NULL;
	uint8_t digest[SHA256_SIZE];
	auto_value(buf) spki = {0};

	(void)state;
	make_csr(&m, &der);
	assert_true(csr_parse(buf_bytes(&der), &csr, &p));
	digest_sha256(buf_bytes(&der), digest);
	assert_memory_equal(csr->digest, digest, sizeof(digest));
	assert_true(ossl_public_der(make_key("P-256"), &spki, &p));
	assert_true(bytes_equal(buf_bytes(&spki), buf_bytes(&csr->spki)));
	digest_sha256(buf_bytes(&spki), digest);
	assert_memory_equal(csr->key_hash, digest, sizeof(digest));
	assert_int_equal(csr->algorithm, KEY_EC_P256);
	assert_int_equal(EVP_PKEY_eq(csr->key, make_key("P-256")), 1);

	assert_int_equal(csr->subject_count, 3);
	assert_string_equal(csr->subject[0].short_name, "CN");
	assert_string_equal(csr->subject[0].oid, "2.5.4.3");
	assert_string_equal(csr->subject[0].value, "WWW.example.com");
	assert_string_equal(csr->subject[1].short_name, "O");
	assert_string_equal(csr->subject[2].short_name, "1.2.3.4");

	static const char *const names[] = {
		"dns:*.a.example", "dns:www.example.com", "ip:10.0.0.1", "ip:2001:db8::1", "email:A@b.example", "uri:spiffe://x.example/y",
	};
	assert_int_equal(csr->names.n, array_length(names));
	for (size_t i = 0; i < array_length(names); i++) {
		struct identifier name = make_identifier(names[i]);
		assert_true(identifiers_has(&csr->names, &name));
	}
	assert_int_equal(csr->other_count, 0);
	assert_int_equal(csr->extensions.n, 5);
	assert_true(strings_has(&csr->extensions, "1.3.6.1.5.5.7.1.24"));
	assert_true(csr->must_staple);
	assert_true(csr->has_key_usage);
	assert_int_equal(csr->key_usage, KU_DIGITAL_SIGNATURE | KU_KEY_AGREEMENT | KU_DECIPHER_ONLY);
	assert_int_equal(csr->extended_key_usage.n, 3);
	assert_string_equal(csr->extended_key_usage.v[2], "1.2.3.4.5");
	assert_false(csr->ca);
	assert_string_equal(csr->challenge_password, "AB");
}

/* Nothing that is not there is made up. */
static void test_no_parts(void **state)
{
	struct make_csr rows[] = { { .no_attributes = true }, { .no_attributes = false } };

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		auto_struct(csr) *csr = parse(&rows[i]);
		assert_int_equal(csr->subject_count + csr->names.n + csr->other_count + csr->extensions.n, 0);
		assert_false(csr->has_key_usage || csr->ca);
		assert_int_equal(csr->extended_key_usage.n, 0);
		assert_string_equal(csr->challenge_password, "");
	}
}

static void test_other_names(void **state)
{
	static const char *const want[] = {
		"otherName 1.3.6.1.4.1.311.20.2.3", "x400Address", "directoryName", "ediPartyName", "registeredID",
	};
	struct make_csr m = {
		.raw_names = "a012" "060a2b060104018237140203" "a0040c026140" "a3023000" "a4023000" "a5023000" "88032a0304" "820161",
	};
	auto_struct(csr) *csr = parse(&m);

	(void)state;
	assert_int_equal(csr->other_count, array_length(want));
	for (size_t i = 0; i < array_length(want); i++)
		assert_string_equal(csr->others[i].kind, want[i]);
	assert_int_equal(csr->names.n, 1);
}

static void test_other_names_twice(void **state)
{
	static const char names[] = "a012060a2b060104018237140203a0040c026140" "a01106082b06010505070803a00530030c0161"
	                            "a012060a2b060104018237140203a0040c026140" "a012060a2b060104018237140203a0040c026240";
	const struct make_csr m = { .raw_names = names };
	auto_struct(csr) *csr = parse(&m);

	(void)state;
	assert_int_equal(csr->other_count, 3);
	assert_string_equal(csr->others[0].value, "a@");
	assert_int_equal(csr->others[1].type, CSR_OTHER_PERMANENT);
	assert_string_equal(csr->others[2].value, "b@");
}

/* What of them is read, and what only has a kind. */
static void test_other_values(void **state)
{
	static const struct {
		const char *names;
		enum csr_other_type want;
		const char *want_value;
	} rows[] = {
		{ "a012060a2b060104018237140203a0040c026140", CSR_OTHER_UPN, "a@" },
		{ "a012060a2b060104018237140203a00416026140", CSR_OTHER_UNREADABLE, "" }, /* IA5String */
		{ "a012060a2b060104018237140203a0040c026100", CSR_OTHER_UNREADABLE, "" }, /* a NUL */
		{ "a015060a2b060104018237140203a0070c0561e2808b40", CSR_OTHER_UNREADABLE, "" }, /* a character that nobody sees */
		{ "a013060a2b060104018237140203a0050c03206140", CSR_OTHER_UNREADABLE, "" }, /* a space at an end */
		{ "a00c06022a03a0060c0478e281a0", CSR_OTHER_UNREADABLE, "" }, /* of any type */
		{ "a01106082b06010505070803a00530030c0161", CSR_OTHER_PERMANENT, "a" },
		{ "a01506082b06010505070803a00930070c016106022a03", CSR_OTHER_PERMANENT, "a/1.2.3" },
		{ "a01206082b06010505070803a006300406022a03", CSR_OTHER_UNREADABLE, "" }, /* no value */
		{ "a01706082b06010505070803a00b30090c07612f312e322e33", CSR_OTHER_UNREADABLE, "" }, /* "a/1.2.3", which would have an assigner */
		{ "a01906082b06010505070803a00d300b0c016106022a0306022a03", CSR_OTHER_UNREADABLE, "" }, /* two assigners */
		{ "a01606082b06010505070804a00a300806022a0304020aff", CSR_OTHER_HARDWARE, "1.2.3/0aff" },
		{ "a01406082b06010505070804a008300606022a030400", CSR_OTHER_UNREADABLE, "" }, /* no serial number */
		{ "a00906022a03a0030c0178", CSR_OTHER_TEXT, "1.2.3:x" },
		{ "a00906022a03a003020105", CSR_OTHER_UNREADABLE, "" }, /* a number */
		{ "a4023000", CSR_OTHER_UNREADABLE, "" },
	};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		auto_free char *hex = mem_printf("%s820161", rows[i].names);
		const struct make_csr m = { .raw_names = hex };
		auto_struct(csr) *csr = parse(&m);
		assert_int_equal(csr->other_count, 1);
		if (csr->others[0].type != rows[i].want || !str_equal(csr->others[0].value, rows[i].want_value))
			fail_msg("row %zu: %d \"%s\"", i, csr->others[0].type, csr->others[0].value);
		assert_int_equal(csr->others[0].der.len, rows[i].want == CSR_OTHER_UNREADABLE ? 0 : strlen(rows[i].names) / 2);
	}
}

static const struct {
	const char *name;
	struct make_csr csr;
} accepted[] = {
	{ "P-256", { .extensions = { SAN } } },
	{ "P-256 with NULL, as tpm2-openssl signs", { .extensions = { SAN }, .algorithm = "06082a8648ce3d0403020500" } },
	{ "P-256 with SHA-512", { .extensions = { SAN }, .digest = "SHA512", .algorithm = "06082a8648ce3d040304" } },
	{ "P-384", { .key = "P-384", .extensions = { SAN }, .digest = "SHA384", .algorithm = "06082a8648ce3d040303" } },
	{ "P-521", { .key = "P-521", .extensions = { SAN }, .digest = "SHA512", .algorithm = "06082a8648ce3d040304" } },
	{ "Ed25519", { .key = "ed25519", .extensions = { SAN } } },
	{ "RSA", { .key = "rsa-2048", .extensions = { SAN } } },
	{ "RSA with SHA-384", { .key = "rsa-2048", .extensions = { SAN }, .digest = "SHA384", .algorithm = "06092a864886f70d01010c0500" } },
	{ "RSA without parameters", { .key = "rsa-2048", .extensions = { SAN }, .algorithm = "06092a864886f70d01010b" } },
	{ "Microsoft's extensionRequest", { .extensions = { SAN }, .extension_request = "1.3.6.1.4.1.311.2.1.14" } },
	{ "an unknown attribute", { .extensions = { SAN }, .raw_attributes = "300906022a033103020105" } },
	{ "a critical FALSE", { .extensions = { SAN }, .raw_extensions = "300e0603551d0f0101000404030205a0" } },
	{ "two attributes in one RDN", { .extensions = { SAN }, .raw_subject = "311430080603550403" "0c0161" "30080603550403" "0c0162" } },
	{ "a subject in BMPString", { .extensions = { SAN }, .raw_subject = RDN_CN("0d", "0b", "1e04") "00610062" } },
	{ "a subject in UTF-8", { .extensions = { SAN }, .raw_subject = RDN_CN("0d", "0b", "0c04") "61c3bc62" } },
};

static void test_accepted(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_length(accepted); i++) {
		auto_struct(csr) *csr = parse(&accepted[i].csr);
		struct identifier name = make_identifier("dns:www.example.com");
		if (csr->names.n != 1 || !identifiers_has(&csr->names, &name))
			fail_msg("%s", accepted[i].name);
	}
}

static void test_wide_text(void **state)
{
	struct make_csr m = { .raw_subject = RDN_CN("0d", "0b", "1e04") "006100fc" };
	auto_struct(csr) *csr = parse(&m);

	(void)state;
	assert_string_equal(csr->subject[0].value, "a\xc3\xbc");
}

/* cA, and a pathLenConstraint without it, ask for a CA. */
static void test_ca(void **state)
{
	static const char *const values[] = { "DER:30:03:01:01:ff", "DER:30:03:01:01:01", "DER:30:06:01:01:ff:02:01:00", "DER:30:03:02:01:00" };

	(void)state;
	for (size_t i = 0; i < array_length(values); i++) {
		struct make_csr m = { .extensions = { SAN, { "2.5.29.19", values[i] } } };
		auto_struct(csr) *csr = parse(&m);
		assert_true(csr->ca);
	}
}

/* As OpenSSL writes it, for each digest; and with a salt that is not the digest's length. */
static void test_rsa_pss(void **state)
{
	static const struct {
		const char *digest;
		int salt;
		bool want;
	} rows[] = {
		{ "SHA256", RSA_PSS_SALTLEN_DIGEST, true }, { "SHA384", RSA_PSS_SALTLEN_DIGEST, true },
		{ "SHA512", RSA_PSS_SALTLEN_DIGEST, true }, { "SHA256", 20, false }, { "SHA1", RSA_PSS_SALTLEN_DIGEST, false },
	};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		auto(X509_REQ) *request = X509_REQ_new();
		auto(EVP_MD_CTX) *ctx = EVP_MD_CTX_new();
		EVP_PKEY_CTX *key_ctx;
		auto_value(buf) der = {0};
		auto_value(problem) p = {0};
		auto_struct(csr) *csr = NULL;

		assert_true(X509_REQ_set_pubkey(request, make_key("rsa-2048")));
		assert_true(EVP_DigestSignInit_ex(ctx, &key_ctx, rows[i].digest, NULL, NULL, make_key("rsa-2048"), NULL));
		assert_true(EVP_PKEY_CTX_set_rsa_padding(key_ctx, RSA_PKCS1_PSS_PADDING) > 0);
		assert_true(EVP_PKEY_CTX_set_rsa_pss_saltlen(key_ctx, rows[i].salt) > 0);
		assert_true(X509_REQ_sign_ctx(request, ctx) > 0);
		assert_true(ossl_der(i2d_X509_REQ, request, &der));
		if (csr_parse(buf_bytes(&der), &csr, &p) != rows[i].want)
			fail_msg("%s: %s", rows[i].digest, p.detail);
	}
}

/* One bit anywhere, one byte less, one more: no longer this CSR. */
static void test_every_byte(void **state)
{
	struct make_csr m = { .subject = { CN("www.example.com") }, .extensions = { SAN, { "keyUsage", "digitalSignature" } } };
	auto_value(buf) der = {0};

	(void)state;
	make_csr(&m, &der);
	for (size_t i = 0; i < der.len; i++) {
		der.data[i] ^= 1;
		refuse("a changed byte", buf_bytes(&der), "");
		der.data[i] ^= 1;
		refuse("cut", BYTES(der.data, i), "");
	}
	buf_add_char(&der, '\0');
	refuse("a byte more", buf_bytes(&der), "bytes follow");
}

/* BER that means the same: an indefinite length, a length in more bytes than it needs. */
static void test_ber(void **state)
{
	struct make_csr m = { .extensions = { SAN } };
	auto_value(buf) der = {0}, ber = {0}, indefinite = {0}, certificate = {0};

	(void)state;
	make_csr(&m, &der);
	assert_int_equal(der.data[1], 0x81);
	make_hex(&ber, "308200");
	buf_add(&ber, der.data + 2, der.len - 2);
	refuse("a long length", buf_bytes(&ber), "DER");
	make_hex(&indefinite, "3080");
	buf_add(&indefinite, der.data + 3, der.len - 3);
	make_hex(&indefinite, "0000");
	refuse("an indefinite length", buf_bytes(&indefinite), "DER");
	refuse("nothing", BYTES("", 0), "CSR cannot be empty");
	make_hex(&certificate, "300a3008a003020102020101");
	refuse("a certificate", buf_bytes(&certificate), "Self-signed certificates are not supported for CSR signing");
	refuse("PEM", BYTES_STR("-----BEGIN CERTIFICATE REQUEST-----\n"), "DER");
}

static void names_of(unsigned count, struct buf *ret)
{
	for (unsigned i = 0; i < count; i++)
		buf_printf(ret, "820661%02x%02x%02x2e62", '0' + i / 100 % 10, '0' + i / 10 % 10, '0' + i % 10);
}

static void test_bounds(void **state)
{
	auto_value(buf) few = {0}, many = {0}, der = {0}, large = {0}, subject = {0}, extensions = {0}, attributes = {0}, name = {0};
	struct make_csr m = { .raw_names = NULL };

	(void)state;
	names_of(CSR_NAMES_MAX, &few);
	m.raw_names = buf_text(&few);
	auto_struct(csr) *csr = parse(&m);
	assert_int_equal(csr->names.n, CSR_NAMES_MAX);
	names_of(CSR_NAMES_MAX + 1, &many);
	m.raw_names = buf_text(&many);
	make_csr(&m, &der);
	refuse("too many names", buf_bytes(&der), "1000 names");

	buf_add_str(&name, "82820100");
	for (int i = 0; i < 256; i++)
		buf_add_str(&name, "61");
	m.raw_names = buf_text(&name);
	buf_clear(&der);
	make_csr(&m, &der);
	refuse("a name of 256 bytes", buf_bytes(&der), "over 255 bytes");

	for (int i = 0; i < CSR_DER_MAX + 1; i++)
		buf_add_char(&large, 0);
	refuse("too large", buf_bytes(&large), "98304");

	for (int i = 0; i < 65; i++)
		buf_add_str(&subject, "310a" "3008" "0603550403" "0c0161");
	buf_clear(&der);
	make_csr(&(struct make_csr){ .raw_subject = buf_text(&subject) }, &der);
	refuse("too many attributes in the subject", buf_bytes(&der), "64 attributes");

	for (int i = 0; i < 33; i++)
		buf_printf(&extensions, "300706032a03%02x0400", i);
	buf_clear(&der);
	make_csr(&(struct make_csr){ .raw_extensions = buf_text(&extensions) }, &der);
	refuse("too many extensions", buf_bytes(&der), "32 extensions");

	for (int i = 0; i < 33; i++)
		buf_printf(&attributes, "300606022a033100");
	buf_clear(&der);
	make_csr(&(struct make_csr){ .raw_attributes = buf_text(&attributes) }, &der);
	refuse("too many attributes", buf_bytes(&der), "too many");
}

/* A compressed point is another spelling of a key that may be listed, or be the account's. */
static void test_compressed_key(void **state)
{
	auto(EVP_PKEY) *key = EVP_PKEY_dup(make_key("P-256"));
	auto_value(buf) spki = {0}, hex = {0}, der = {0};
	struct problem p = {0};

	(void)state;
	assert_true(EVP_PKEY_set_utf8_string_param(key, OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT, "compressed"));
	assert_true(ossl_public_der(key, &spki, &p));
	buf_add_hex(&hex, buf_bytes(&spki));
	make_csr(&(struct make_csr){ .raw_spki = buf_text(&hex) }, &der);
	refuse("a compressed point", buf_bytes(&der), "uncompressed");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(versions_of_the_field_are_read),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_all_parts),
		cmocka_unit_test(test_no_parts),
		cmocka_unit_test(test_other_names),
	cmocka_unit_test(test_other_names_twice),
	cmocka_unit_test(test_other_values),
		cmocka_unit_test(test_accepted),
		cmocka_unit_test(test_wide_text),
		cmocka_unit_test(test_ca),
		cmocka_unit_test(test_rsa_pss),
		cmocka_unit_test(test_every_byte),
		cmocka_unit_test(test_ber),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_compressed_key),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
