#include "policy/policy_judging.h"

#include <openssl/err.h>
#include <stdio.h>

/* Purposes that no certificate of a policy has: one that could answer OCSP for the CA (RFC 6960, 4.2.2.2),
 * and one whose extension would have to be critical (RFC 3161, 2.3). */
static const char *const never_purposes[] = { "1.3.6.1.5.5.7.3.9", "1.3.6.1.5.5.7.3.8" };

/* RFC 5280, 4.2.1.12: it stands for every purpose, those that a policy denies among them. */
#define ANY_PURPOSE "2.5.29.37.0"

/* Of a list of algorithms: not mentioned is refused as well. */
static void listed_judge(struct judging *j, const char *field, unsigned list, unsigned bit, const char *value,
                         const char *what)
{
	const char *rule = list == 0 ? "unlisted" : "allow";

	if ((list & bit) != 0 || (list == 0 && j->policy->unlisted))
		policy_hold(j, field, rule, value, NULL);
	else
		policy_violate(j, field, rule, value, NULL, "%s algorithm is not allowed by template policy", what);
}

void policy_judge_key(struct judging *j)
{
	listed_judge(j, "keys", j->policy->keys, 1u << j->request->key, key_algorithm_name(j->request->key), "Key");
}

void policy_judge_signature(struct judging *j)
{
	listed_judge(j, "signatures", j->policy->signatures, 1u << j->request->signature,
	             csr_signature_name(j->request->signature), "Signature");
}

const char *policy_key_usage_name(unsigned bit)
{
	static const struct {
		unsigned bit;
		const char *name;
	} names[] = {
		{ KU_DIGITAL_SIGNATURE, "digitalSignature" }, { KU_NON_REPUDIATION, "nonRepudiation" },
		{ KU_KEY_ENCIPHERMENT, "keyEncipherment" }, { KU_DATA_ENCIPHERMENT, "dataEncipherment" },
		{ KU_KEY_AGREEMENT, "keyAgreement" }, { KU_KEY_CERT_SIGN, "keyCertSign" }, { KU_CRL_SIGN, "cRLSign" },
		{ KU_ENCIPHER_ONLY, "encipherOnly" }, { KU_DECIPHER_ONLY, "decipherOnly" },
	};

	for (size_t i = 0; i < array_length(names); i++)
		if (names[i].bit == bit)
			return names[i].name;
	return NULL;
}

/* RFC 5280, 4.2.1.3: the two usages of a CA are a CA's, whatever the policy says. */
static void key_usage_bit(struct judging *j, unsigned bit)
{
	const struct policy_bits *bits = &j->policy->key_usage;
	const char *name = policy_key_usage_name(bit) ?: "without a name";
	bool mentioned = (bits->required | bits->allow | bits->deny) != 0;

	if ((bits->deny & bit) != 0)
		policy_violate(j, "key_usage", "deny", name, NULL, "Key usage %s is denied by template policy", name);
	else if (!policy_key_usage_name(bit) || ((bit & (KU_KEY_CERT_SIGN | KU_CRL_SIGN)) != 0 && !j->request->ca))
		policy_violate(j, "key_usage", "basic_constraints", name, NULL,
		               "Key usage %s is not allowed by template policy", name);
	else if (!mentioned ? j->policy->unlisted
	                    : ((bits->required | bits->allow) & bit) != 0 || !(bits->required | bits->allow))
		policy_hold(j, "key_usage", mentioned ? "allow" : "unlisted", name, NULL);
	else
		policy_violate(j, "key_usage", mentioned ? "allow" : "unlisted", name, NULL,
		               "Key usage %s is not allowed by template policy", name);
}

void policy_judge_key_usage(struct judging *j)
{
	const struct policy_request *request = j->request;

	for (unsigned bit = 1; bit <= 0x8000; bit <<= 1) {
		bool required = (j->policy->key_usage.required & bit) != 0 && !request->partial;
		if ((request->key_usage_asked & bit) != 0)
			key_usage_bit(j, bit);
		if (required && (request->key_usage & bit) != 0)
			policy_hold(j, "key_usage", "required", policy_key_usage_name(bit), NULL);
		else if (required)
			policy_violate(j, "key_usage", "required", policy_key_usage_name(bit), NULL,
			               "Missing required key usage %s", policy_key_usage_name(bit));
	}
}

enum { PURPOSE_SIZE = 128 };

/* "serverAuth (1.3.6.1.5.5.7.3.1)" (RFC 5280, 4.2.1.12); an OID without a name is shown alone, and cut where there is
 * no room. */
static void purpose_text(const char *oid, char ret[PURPOSE_SIZE])
{
	auto(ASN1_OBJECT) *object = OBJ_txt2obj(oid, 1);
	int nid = object ? OBJ_obj2nid(object) : NID_undef;

	ERR_clear_error();
	if (nid == NID_undef)
		snprintf(ret, PURPOSE_SIZE, "%s", oid);
	else
		snprintf(ret, PURPOSE_SIZE, "%s (%s)", OBJ_nid2sn(nid), oid);
}

static bool is_never(const char *oid)
{
	for (size_t i = 0; i < array_length(never_purposes); i++)
		if (str_equal(never_purposes[i], oid))
			return true;
	return false;
}

static void purpose_judge(struct judging *j, const char *oid)
{
	const struct policy_values *values = &j->policy->extended_key_usage;
	bool mentioned = policy_is_mentioned(values);
	bool listed = strings_has(&values->allow, oid) || strings_has(&values->required, oid);
	char shown[PURPOSE_SIZE];

	purpose_text(oid, shown);
	if (strings_has(&values->deny, oid) || is_never(oid) ||
	    (values->deny.n > 0 && !listed && str_equal(oid, ANY_PURPOSE)))
		policy_violate(j, "extended_key_usage", "deny", oid, NULL,
		               "Extended key usage %s is denied by template policy", shown);
	else if (mentioned ? listed || values->allow.n + values->required.n == 0 : j->policy->unlisted)
		policy_hold(j, "extended_key_usage", mentioned ? "allow" : "unlisted", oid, NULL);
	else
		policy_violate(j, "extended_key_usage", mentioned ? "allow" : "unlisted", oid, NULL,
		               "Extended key usage %s is not allowed by template policy", shown);
}

static void purpose_required(struct judging *j, const char *oid)
{
	char shown[PURPOSE_SIZE];

	purpose_text(oid, shown);
	if (strings_has(j->request->extended_key_usage, oid))
		policy_hold(j, "extended_key_usage", "required", oid, NULL);
	else
		policy_violate(j, "extended_key_usage", "required", oid, NULL,
		               "Missing required extended key usage %s", shown);
}

void policy_judge_extended_key_usage(struct judging *j)
{
	const struct strings *given = j->request->extended_key_usage;
	const struct strings *required = &j->policy->extended_key_usage.required;

	for (size_t i = 0; i < given->n; i++)
		purpose_judge(j, given->v[i]);
	for (size_t i = 0; !j->request->partial && i < required->n; i++)
		purpose_required(j, required->v[i]);
}

static void path_length_judge(struct judging *j)
{
	int asked = j->request->path_length, max = j->policy->path_length;
	char value[16];

	snprintf(value, sizeof(value), "%d", asked);
	if (asked < 0 || max < 0 || asked <= max)
		policy_hold(j, "basic_constraints.path_length", "max", asked < 0 ? NULL : value, NULL);
	else
		policy_violate(j, "basic_constraints.path_length", "max", value, NULL,
		               "CA path length is over %d, the limit of the template policy", max);
}

void policy_judge_basic_constraints(struct judging *j)
{
	static const char *const rules[] = {
		[POLICY_CA_FORBIDDEN] = "forbidden", [POLICY_CA_ALLOWED] = "allowed", [POLICY_CA_REQUIRED] = "required",
	};
	const char *field = "basic_constraints.ca", *value = j->request->ca ? "true" : "false";
	enum policy_ca ca = j->policy->ca;

	if (j->request->ca && ca == POLICY_CA_FORBIDDEN)
		policy_violate(j, field, "forbidden", value, NULL,
		               "CA certificate is not allowed by template policy");
	else if (!j->request->ca && ca == POLICY_CA_REQUIRED && !j->request->partial)
		policy_violate(j, field, "required", value, NULL, "CA certificate is required by template policy");
	else
		policy_hold(j, field, rules[ca], value, NULL);
	if (j->request->ca && ca != POLICY_CA_FORBIDDEN)
		path_length_judge(j);
}

void policy_judge_validity(struct judging *j)
{
	int64_t asked = j->request->validity, max = j->policy->validity_max;
	char value[32];

	if (asked == 0)
		return;
	snprintf(value, sizeof(value), "%lld s", (long long)asked);
	if (max == 0 ? j->policy->unlisted : asked <= max)
		policy_hold(j, "validity", max == 0 ? "unlisted" : "max", value, NULL);
	else
		policy_violate(j, "validity", max == 0 ? "unlisted" : "max", value, NULL,
		               "Validity is over %lld seconds, the limit of the template policy", (long long)max);
}
