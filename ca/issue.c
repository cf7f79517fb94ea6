#include "ca/issue.h"

#include <assert.h>
#include <stdio.h>

#include "base/digest.h"
#include "base/clock.h"
#include "base/tlv.h"
#include "ca/ca.h"
#include "ca/constraint.h"
#include "ca/extension.h"
#include "ca/inventory.h"
#include "ca/responder.h"
#include "ca/issuer_inside.h"
#include "ca/verdict.h"
#include "policy/device_name.h"

enum { COMMON_NAME_MAX = 64 };

/* The CA's own floor, under the policy's rules: what no approval can ask for, whatever the profile
 * and the gate made of it. A broken rule is a bug above, so the client learns nothing of it. */
struct floor_rule {
	const char *text;
	bool (*holds)(const struct approval_facts *facts);
};

static bool names_hold(const struct approval_facts *facts)
{
	for (size_t i = 0; i < facts->names->n; i++)
		if (identifier_is_device(facts->names->v[i].type))
			return false;
	for (size_t i = 0; i < facts->names->n; i++)
		for (const char *at = facts->names->v[i].value; *at; at++)
			if (*at <= ' ' || *at > '~')
				return false;
	for (size_t i = 0; i < facts->other_count; i++)
		if (facts->others[i].type == CSR_OTHER_UNREADABLE || facts->others[i].der.len == 0)
			return false;
	return facts->names->n + facts->other_count > 0 || facts->subject;
}

static bool subject_holds(const struct approval_facts *facts)
{
	auto_value(problem) why = { 0 };

	for (size_t i = 0; facts->subject && i < facts->subject->n; i++)
		if (!subject_check(facts->subject->v[i].type, facts->subject->v[i].value, &why))
			return false;
	return !facts->ca || facts->subject;
}

static bool is_acme(const struct approval_facts *facts)
{
	return str_equal(facts->method, "acme");
}

/* text NULL: any. */
static bool has_device(const struct approval_facts *facts, const char *text)
{
	for (size_t i = 0; facts->devices && i < facts->devices->n; i++)
		if (identifier_is_device(facts->devices->v[i].type) &&
		    (!text || device_name_is(&facts->devices->v[i], text)))
			return true;
	return false;
}

/* ACME proves names alone. Of others the policy has judged the common name. */
static bool common_name_holds(const struct approval_facts *facts)
{
	if (!facts->common_name)
		return true;
	for (size_t i = 0; i < facts->names->n; i++)
		if (str_equal(facts->names->v[i].value, facts->common_name))
			return strlen(facts->common_name) <= COMMON_NAME_MAX;
	return facts->subject && (!is_acme(facts) || has_device(facts, facts->common_name));
}

static bool is_proven_device(const struct approval_facts *facts, const struct csr_other_name *other)
{
	struct identifier name;

	return facts->devices && device_name_read(other, &name) && identifiers_has(facts->devices, &name);
}

static bool acme_holds(const struct approval_facts *facts)
{
	if (!is_acme(facts))
		return true;
	for (size_t i = 0; i < facts->other_count; i++)
		if (!is_proven_device(facts, &facts->others[i]))
			return false;
	return (facts->names->n > 0 || has_device(facts, NULL)) && !facts->ca;
}

static bool validity_holds(const struct approval_facts *facts)
{
	return facts->not_before > 0 && facts->not_before <= facts->not_after;
}

static bool ca_holds(const struct approval_facts *facts)
{
	unsigned usage = facts->key_usage & (KU_KEY_CERT_SIGN | KU_CRL_SIGN);

	if (!facts->ca)
		return usage == 0;
	return (usage & KU_KEY_CERT_SIGN) != 0 && facts->path_length >= -1 && facts->path_length <= 127;
}

/* RFC 5480, 3 and RFC 8410, 5: which usages a key's algorithm can serve. */
static bool key_usage_fits(const struct approval_facts *facts)
{
	const unsigned sign = KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION;
	const unsigned agree = KU_KEY_AGREEMENT | KU_ENCIPHER_ONLY | KU_DECIPHER_ONLY;
	const unsigned encipher = KU_KEY_ENCIPHERMENT | KU_DATA_ENCIPHERMENT;
	unsigned fits = sign | (facts->ca ? KU_KEY_CERT_SIGN | KU_CRL_SIGN : 0);

	if (facts->algorithm <= KEY_RSA_4096)
		fits |= encipher;
	else if (facts->algorithm != KEY_ED25519)
		fits |= agree;
	return !(facts->key_usage & ~fits);
}

static bool extended_key_usage_holds(const struct approval_facts *facts)
{
	return facts->extended_key_usage->n > 0 || facts->ca;
}

/* Whoever holds such a certificate speaks for the CA about every certificate of it. */
static bool not_a_responder(const struct approval_facts *facts)
{
	return !strings_has(facts->extended_key_usage, OID_OCSP_SIGNING);
}

static bool no_revocation_holds(const struct approval_facts *facts)
{
	return !facts->no_revocation || !facts->ca;
}

/* Nothing could be stapled, and nobody that looks would connect. */
static bool must_staple_holds(const struct approval_facts *facts)
{
	return !facts->must_staple || (!facts->ca && !facts->no_revocation);
}

static const struct floor_rule floor_rules[] = {
	{ "RFC 5280, 4.2.1.6: there is at least one name, and those of subjectAltName are of visible ASCII",
	  names_hold },
	{ "RFC 5280, A.1: the common name of ACME is one of the names, or a device, and has at most 64 characters",
	  common_name_holds },
	{ "RFC 5280, 4.1.2.4 and A.1: each attribute of the subject is of its alphabet and size; a CA has one",
	  subject_holds },
	{ "RFC 8555, 7.4: ACME proves DNS names, addresses and devices alone, and makes no CA", acme_holds },
	{ "RFC 5280, 4.1.2.5: notBefore is not after notAfter", validity_holds },
	{ "RFC 5280, 4.2.1.3: a CA has keyCertSign; no end entity has it or cRLSign", ca_holds },
	{ "RFC 5480, 3: keyUsage fits the key", key_usage_fits },
	{ "RFC 5280, 4.2.1.12: extKeyUsage names at least one purpose", extended_key_usage_holds },
	{ "RFC 9608, 3: noRevAvail is in no CA's certificate", no_revocation_holds },
	{ "RFC 7633: status_request is for end entities that there is revocation information of", must_staple_holds },
	{ "RFC 6960, 4.2.2.2: the CA itself delegates the signing of OCSP answers", not_a_responder },
};

static bool floor_check(const struct approval_facts *facts, struct problem *p)
{
	for (size_t i = 0; i < array_length(floor_rules); i++)
		if (!floor_rules[i].holds(facts))
			return problem_internal(p, "the approval breaks a rule of the CA: %s", floor_rules[i].text);
	return true;
}

static void put_certificate(struct buf *ret, struct bytes tbs, struct bytes algorithm,
                            const struct signature *signature)
{
	struct der d = der_writer(ret);

	der_open(&d, TLV_SEQUENCE);
	der_put_raw(&d, tbs);
	der_put_raw(&d, algorithm);
	signature_put(&d, signature);
	der_close(&d);
}

static bool certificate_make(const struct issuer *issuer, const struct approval_facts *facts, struct bytes serial,
                             struct buf *ret, struct problem *p)
{
	const struct signer_scheme *scheme = signer_scheme(issuer_signer(issuer), facts->hash);
	auto_value(buf) tbs = { 0 };
	struct signature signature;

	if (!scheme)
		return problem_internal(p, "issuer %s cannot sign with %s", issuer_name(issuer), facts->hash);
	if (!template_write(issuer_template(issuer), scheme->algorithm, serial, facts, &tbs, p) ||
	    !constraint_check(issuer_constrained(issuer), buf_bytes(&tbs), scheme->algorithm, p) ||
	    !signer_sign(scheme, buf_bytes(&tbs), &signature, p))
		return false;
	put_certificate(ret, buf_bytes(&tbs), scheme->algorithm, &signature);
	return buf_check(ret, p);
}

static bool row_make(const struct issuer *issuer, const struct approval_facts *facts, struct bytes serial,
                     struct bytes der, struct certificate *ret, struct problem *p)
{
	if (!inventory_row(facts, issuer_name(issuer), serial, der, ret, p))
		return false;
	ret->shard = (int64_t)template_shard(issuer_template(issuer), serial);
	return true;
}

bool ca_issue(struct ca *ca, struct approval **approval, struct certificate *ret, struct problem *p)
{
	auto_struct(approval) *taken = steal(*approval);
	const struct approval_facts *facts = approval_facts(taken);
	const struct issuer *issuer = ca_issuer_current(ca, facts->issuer);
	auto_value(buf) der = { 0 };
	uint8_t room[CERTIFICATE_SERIAL_SIZE];
	const struct bytes serial = BYTES(room, sizeof(room));

	return verdict_ready(issuer, facts, p) && floor_check(facts, p) && verdict_below(issuer, facts, p) &&
	       certificate_serial_make(clock_now(), room, p) &&
	       certificate_make(issuer, facts, serial, &der, p) &&
	       row_make(issuer, facts, serial, buf_bytes(&der), ret, p);
}

/* --- what the CA says of itself */

/* A time stands in a TBSCertList where a TBSCertificate of version 1 has its validity; those of
 * other versions begin otherwise (RFC 5280, 4.1 and 5.1). */
static bool is_list(struct bytes list)
{
	size_t head = list.len > 2 && list.data[1] >= 0x80 ? 2u + (list.data[1] & 0x7f) : 2;
	struct bytes rest, version, skipped;
	struct tlv time;

	if (list.len < head || list.data[0] != TLV_SEQUENCE)
		return false;
	rest = BYTES(list.data + head, list.len - head);
	return tlv_take(&rest, TLV_INTEGER, &version) && bytes_equal(version, BYTES("\x01", 1)) &&
	       tlv_take(&rest, TLV_SEQUENCE, &skipped) && tlv_take(&rest, TLV_SEQUENCE, &skipped) &&
	       tlv_next(&rest, &time) &&
	       (time.tag == TLV_UTC_TIME || time.tag == TLV_GENERALIZED_TIME);
}

bool issue_crl(const struct issuer *issuer, struct bytes list, struct signature *ret, struct problem *p)
{
	assert(is_list(list));
	return signer_sign(signer_scheme(issuer_signer(issuer), NULL), list, ret, p);
}

struct bytes issue_crl_algorithm(const struct issuer *issuer)
{
	return signer_scheme(issuer_signer(issuer), NULL)->algorithm;
}

static bool responder_certify(const struct issuer *issuer, const struct approval_facts *facts, struct certificate *ret,
                              struct problem *p)
{
	auto_value(buf) der = { 0 };
	uint8_t room[CERTIFICATE_SERIAL_SIZE];
	const struct bytes serial = BYTES(room, sizeof(room));

	return certificate_serial_make(clock_now(), room, p) && certificate_make(issuer, facts, serial, &der, p) &&
	       inventory_row(facts, issuer_name(issuer), serial, buf_bytes(&der), ret, p);
}

bool issue_responder(const struct issuer *issuer, EVP_PKEY *key, int64_t not_before, int64_t not_after,
                     struct certificate *ret, struct problem *p)
{
	static char usage[] = OID_OCSP_SIGNING;
	char *usages[] = { usage };
	char name[COMMON_NAME_MAX + 1];
	auto_value(subject) subject = { 0 };
	auto_value(buf) spki = { 0 };
	int64_t end = issuer_not_after(issuer);
	struct approval_facts facts = {
		.names = &(struct identifiers){ 0 }, .common_name = name, .subject = &subject,
		.profile = RESPONDER_PROFILE, .method = "internal",
		.account = "", .order = "", .identity = "the CA", .not_before = not_before,
		.not_after = not_after < end ? not_after : end, .key_usage = KU_DIGITAL_SIGNATURE,
		.extended_key_usage = &(struct strings){ usages, array_length(usages) },
	};

	snprintf(name, sizeof(name), "OCSP responder of %s", issuer_name(issuer));
	if (!constraint_directory(issuer_constrained(issuer), &subject, p) ||
	    !subject_add(&subject, SUBJECT_CN, name, p) ||
	    !key_algorithm_of(key, &facts.algorithm, p) || !ossl_public_der(key, &spki, p))
		return false;
	facts.spki = buf_bytes(&spki);
	digest_sha256(facts.spki, facts.key_hash);
	return responder_certify(issuer, &facts, ret, p);
}

/* Signs a text that no reader can take for a certificate. */
bool issue_self_test(const struct issuer *issuer, struct problem *p)
{
	const struct signer_scheme *scheme = signer_scheme(issuer_signer(issuer), NULL);
	const struct bytes text = BYTES_STR("self-test of an issuer's key");
	auto(EVP_MD_CTX) *ctx = EVP_MD_CTX_new();
	struct signature signature;

	if (!ctx || !signer_sign(scheme, text, &signature, p))
		return ctx ? false : problem_memory(p);
	if (EVP_DigestVerifyInit_ex(ctx, NULL, scheme->hash, NULL, NULL, issuer_public_key(issuer), NULL) != 1 ||
	    EVP_DigestVerify(ctx, signature.data, signature.len, text.data, text.len) != 1)
		return problem_openssl(p, "an issuer's key does not sign what its certificate verifies");
	return true;
}
