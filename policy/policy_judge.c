#include <openssl/err.h>
#include <stdarg.h>
#include <stdio.h>

#include "policy/device_name.h"
#include "policy/likeness.h"
#include "policy/plain_text.h"
#include "policy/policy_match.h"

/* Purposes that no certificate of a policy has: one that could answer OCSP for the CA (RFC 6960, 4.2.2.2),
 * and one whose extension would have to be critical (RFC 3161, 2.3). */
static const char *const never_purposes[] = { "1.3.6.1.5.5.7.3.9", "1.3.6.1.5.5.7.3.8" };

/* RFC 5280, 4.2.1.12: it stands for every purpose, those that a policy denies among them. */
#define ANY_PURPOSE "2.5.29.37.0"

struct judging {
	const struct policy *policy;
	const struct policy_request *request;
	policy_visit *visit;
	void *arg;
	bool held; /* so far */
};

static void tell(struct judging *j, const struct policy_verdict *verdict)
{
	j->held = j->held && verdict->held;
	if (j->visit)
		j->visit(j->arg, verdict);
}

static void hold(struct judging *j, const char *field, const char *rule, const char *value,
                 const struct identifier *name)
{
	tell(j, &(struct policy_verdict){ .held = true, .field = field, .rule = rule, .value = value, .name = name });
}

static void printf_like(6, 7) violate(struct judging *j, const char *field, const char *rule, const char *value,
                                      const struct identifier *name, const char *fmt, ...)
{
	char text[256];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	tell(j, &(struct policy_verdict){ .field = field, .rule = rule, .value = value, .text = text, .name = name });
}

/* --- values */

static bool is_san(enum policy_field field)
{
	return field >= POLICY_SAN;
}

static bool is_mentioned(const struct policy_values *values)
{
	return values->required.n + values->allow.n + values->deny.n > 0;
}

/* A wildcard name is denied with each host that it stands for: it serves that one as well. */
static bool name_denied(const struct judging *j, enum policy_field field, const struct identifier *name)
{
	const struct strings *deny = &j->policy->fields[field].deny;

	for (size_t i = 0; i < deny->n; i++)
		if (pattern_touches(name->type, deny->v[i], name))
			return true;
	return false;
}

static bool text_denied(const struct judging *j, enum policy_field field, const char *value)
{
	const struct strings *deny = &j->policy->fields[field].deny;
	char reduced[SUBJECT_VALUE_SIZE]; /* other names have as much */

	plain_text_reduce(value, reduced, sizeof(reduced));
	return policy_match_any(field, deny, j->request, value, NULL) || policy_match_any(field, deny, j->request, reduced, NULL);
}

static bool is_denied(const struct judging *j, enum policy_field field, const char *value,
                      const struct identifier *name)
{
	return name ? name_denied(j, field, name) : text_denied(j, field, value);
}

static void value_unlisted(struct judging *j, enum policy_field field, const char *value, const struct identifier *name)
{
	const char *key = policy_field_key(field), *label = policy_field_label(field);

	if (j->policy->unlisted)
		hold(j, key, "unlisted", value, name);
	else
		violate(j, key, "unlisted", value, name,
		        is_san(field) ? "%s SAN is not allowed by template policy" : "%s attribute is not allowed by template policy",
		        label);
}

static void value_judge(struct judging *j, enum policy_field field, const char *value, const struct identifier *name)
{
	const struct policy_values *values = &j->policy->fields[field];
	const char *key = policy_field_key(field), *label = policy_field_label(field), *san = is_san(field) ? " SAN" : "";

	if (!is_mentioned(values))
		value_unlisted(j, field, value, name);
	else if (is_denied(j, field, value, name))
		violate(j, key, "deny", value, name, "%s%s value is denied by template policy", label, san);
	else if (values->required.n + values->allow.n == 0)
		hold(j, key, "deny", value, name);
	else if (policy_match_any(field, &values->allow, j->request, value, name) ||
	         policy_match_any(field, &values->required, j->request, value, name))
		hold(j, key, "allow", value, name);
	else
		violate(j, key, "allow", value, name, "%s%s value does not match allowed patterns", label, san);
}

static void wildcard_judge(struct judging *j, const struct identifier *name)
{
	if (!identifier_is_wildcard(name))
		return;
	if (j->policy->wildcards)
		hold(j, "san.dns", "wildcards", name->value, name);
	else
		violate(j, "san.dns", "wildcards", name->value, name, "wildcard names are not allowed by template policy");
}

/* Whether the i-th value there is of the field; ret is it. */
typedef bool value_at(const struct policy_request *request, enum policy_field field, size_t i, const char **ret,
                      const struct identifier **ret_name);

static bool attribute_at(const struct policy_request *request, enum policy_field field, size_t i, const char **ret,
                         const struct identifier **ret_name)
{
	*ret_name = NULL;
	*ret = request->subject->v[i].value;
	return POLICY_SUBJECT + request->subject->v[i].type == (unsigned)field;
}

static bool name_at(const struct policy_request *request, enum policy_field field, size_t i, const char **ret,
                    const struct identifier **ret_name)
{
	*ret_name = &request->names->v[i];
	*ret = request->names->v[i].value;
	return POLICY_SAN + request->names->v[i].type == (unsigned)field;
}

static bool other_at(const struct policy_request *request, enum policy_field field, size_t i, const char **ret,
                     const struct identifier **ret_name)
{
	*ret_name = NULL;
	*ret = request->others[i].value;
	return POLICY_OTHER + request->others[i].type == (unsigned)field;
}

static void required_judge(struct judging *j, enum policy_field field, const char *pattern, value_at *at, size_t count)
{
	const char *value = NULL;
	const struct identifier *name;

	for (size_t i = 0; i < count; i++)
		if (at(j->request, field, i, &value, &name) && policy_match(field, pattern, j->request, value, name)) {
			hold(j, policy_field_key(field), "required", value, name);
			return;
		}
	violate(j, policy_field_key(field), "required", pattern, NULL,
	        is_san(field) ? "Required %s SAN not found" : "Missing required %s attribute", policy_field_label(field));
}

static void field_required(struct judging *j, enum policy_field field, value_at *at, size_t count)
{
	const struct strings *required = &j->policy->fields[field].required;

	for (size_t i = 0; !j->request->partial && i < required->n; i++)
		required_judge(j, field, required->v[i], at, count);
}

/* A text that readers take for a name: what is denied as a name is denied here as well. A type of which all is denied
 * is a type that nothing is certified of, and says nothing of texts. */
static void likeness_judge(struct judging *j, const char *label, const char *value, const struct identifier *name)
{
	enum policy_field field = POLICY_SAN + (enum policy_field)name->type;

	if (!strings_has(&j->policy->fields[field].deny, "*") && name_denied(j, field, name))
		violate(j, policy_field_key(field), "deny", value, NULL, "%s value is denied by template policy", label);
}

/* One of the names is judged among them. */
static void common_name_likeness(struct judging *j, const char *value)
{
	struct identifier name;

	if (likeness_of_text(value, &name) && !identifiers_has(j->request->names, &name))
		likeness_judge(j, subject_type_label(SUBJECT_CN), value, &name);
}

static void common_name_judge(struct judging *j)
{
	const struct subject *subject = j->request->subject;

	for (size_t i = 0; i < subject->n; i++)
		if (subject->v[i].type == SUBJECT_CN) {
			value_judge(j, POLICY_SUBJECT + SUBJECT_CN, subject->v[i].value, NULL);
			common_name_likeness(j, subject->v[i].value);
		}
	field_required(j, POLICY_SUBJECT + SUBJECT_CN, attribute_at, subject->n);
}

static void attributes_judge(struct judging *j)
{
	const struct subject *subject = j->request->subject;

	for (size_t i = 0; i < subject->n; i++)
		if (subject->v[i].type != SUBJECT_CN)
			value_judge(j, POLICY_SUBJECT + (enum policy_field)subject->v[i].type, subject->v[i].value, NULL);
	for (enum policy_field field = POLICY_SUBJECT; field < POLICY_SAN; field++)
		if (field != POLICY_SUBJECT + SUBJECT_CN)
			field_required(j, field, attribute_at, subject->n);
}

static void names_judge(struct judging *j)
{
	const struct identifiers *names = j->request->names;

	for (size_t i = 0; i < names->n; i++) {
		wildcard_judge(j, &names->v[i]);
		value_judge(j, POLICY_SAN + (enum policy_field)names->v[i].type, names->v[i].value, &names->v[i]);
	}
	for (enum policy_field field = POLICY_SAN; field < POLICY_OTHER; field++)
		field_required(j, field, name_at, names->n);
}

static void other_likeness(struct judging *j, const struct csr_other_name *other)
{
	struct identifier name;

	if (likeness_of_other(other, &name))
		likeness_judge(j, "otherName SAN", other->value, &name);
}

static void others_judge(struct judging *j)
{
	const struct policy_request *request = j->request;

	for (size_t i = 0; i < request->other_count; i++) {
		const struct csr_other_name *other = &request->others[i];
		if (other->type == CSR_OTHER_UNREADABLE)
			violate(j, "san", "unlisted", other->fault ?: other->kind, NULL, "%s SAN is not allowed by template policy", other->kind);
		else
			value_judge(j, POLICY_OTHER + (enum policy_field)other->type, other->value, NULL);
		other_likeness(j, other);
	}
	for (enum policy_field field = POLICY_OTHER; field < POLICY_FIELD_MAX; field++)
		field_required(j, field, other_at, request->other_count);
}

/* --- keys, usages, life */

/* Of a list of algorithms: not mentioned is refused as well. */
static void listed_judge(struct judging *j, const char *field, unsigned list, unsigned bit, const char *value,
                         const char *what)
{
	const char *rule = list == 0 ? "unlisted" : "allow";

	if ((list & bit) != 0 || (list == 0 && j->policy->unlisted))
		hold(j, field, rule, value, NULL);
	else
		violate(j, field, rule, value, NULL, "%s algorithm is not allowed by template policy", what);
}

static void key_judge(struct judging *j)
{
	listed_judge(j, "keys", j->policy->keys, 1u << j->request->key, key_algorithm_name(j->request->key), "Key");
}

static void signature_judge(struct judging *j)
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
		violate(j, "key_usage", "deny", name, NULL, "Key usage %s is denied by template policy", name);
	else if (!policy_key_usage_name(bit) || ((bit & (KU_KEY_CERT_SIGN | KU_CRL_SIGN)) != 0 && !j->request->ca))
		violate(j, "key_usage", "basic_constraints", name, NULL, "Key usage %s is not allowed by template policy", name);
	else if (!mentioned ? j->policy->unlisted : ((bits->required | bits->allow) & bit) != 0 || !(bits->required | bits->allow))
		hold(j, "key_usage", mentioned ? "allow" : "unlisted", name, NULL);
	else
		violate(j, "key_usage", mentioned ? "allow" : "unlisted", name, NULL,
		        "Key usage %s is not allowed by template policy", name);
}

static void key_usage_judge(struct judging *j)
{
	const struct policy_request *request = j->request;

	for (unsigned bit = 1; bit <= 0x8000; bit <<= 1) {
		bool required = (j->policy->key_usage.required & bit) != 0 && !request->partial;
		if ((request->key_usage_asked & bit) != 0)
			key_usage_bit(j, bit);
		if (required && (request->key_usage & bit) != 0)
			hold(j, "key_usage", "required", policy_key_usage_name(bit), NULL);
		else if (required)
			violate(j, "key_usage", "required", policy_key_usage_name(bit), NULL, "Missing required key usage %s",
			        policy_key_usage_name(bit));
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
	bool mentioned = is_mentioned(values), listed = strings_has(&values->allow, oid) || strings_has(&values->required, oid);
	char shown[PURPOSE_SIZE];

	purpose_text(oid, shown);
	if (strings_has(&values->deny, oid) || is_never(oid) || (values->deny.n > 0 && !listed && str_equal(oid, ANY_PURPOSE)))
		violate(j, "extended_key_usage", "deny", oid, NULL, "Extended key usage %s is denied by template policy", shown);
	else if (mentioned ? listed || values->allow.n + values->required.n == 0 : j->policy->unlisted)
		hold(j, "extended_key_usage", mentioned ? "allow" : "unlisted", oid, NULL);
	else
		violate(j, "extended_key_usage", mentioned ? "allow" : "unlisted", oid, NULL,
		        "Extended key usage %s is not allowed by template policy", shown);
}

static void purpose_required(struct judging *j, const char *oid)
{
	char shown[PURPOSE_SIZE];

	purpose_text(oid, shown);
	if (strings_has(j->request->extended_key_usage, oid))
		hold(j, "extended_key_usage", "required", oid, NULL);
	else
		violate(j, "extended_key_usage", "required", oid, NULL, "Missing required extended key usage %s", shown);
}

static void extended_key_usage_judge(struct judging *j)
{
	const struct strings *given = j->request->extended_key_usage, *required = &j->policy->extended_key_usage.required;

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
		hold(j, "basic_constraints.path_length", "max", asked < 0 ? NULL : value, NULL);
	else
		violate(j, "basic_constraints.path_length", "max", value, NULL, "CA path length is over %d, the limit of the template policy",
		        max);
}

static void basic_constraints_judge(struct judging *j)
{
	const char *field = "basic_constraints.ca", *value = j->request->ca ? "true" : "false";
	enum policy_ca ca = j->policy->ca;

	if (j->request->ca && ca == POLICY_CA_FORBIDDEN)
		violate(j, field, "forbidden", value, NULL, "CA certificate is not allowed by template policy");
	else if (!j->request->ca && ca == POLICY_CA_REQUIRED && !j->request->partial)
		violate(j, field, "required", value, NULL, "CA certificate is required by template policy");
	else
		hold(j, field, ca == POLICY_CA_REQUIRED ? "required" : ca == POLICY_CA_ALLOWED ? "allowed" : "forbidden", value, NULL);
	if (j->request->ca && ca != POLICY_CA_FORBIDDEN)
		path_length_judge(j);
}

static void validity_judge(struct judging *j)
{
	int64_t asked = j->request->validity, max = j->policy->validity_max;
	char value[32];

	if (asked == 0)
		return;
	snprintf(value, sizeof(value), "%lld s", (long long)asked);
	if (max == 0 ? j->policy->unlisted : asked <= max)
		hold(j, "validity", max == 0 ? "unlisted" : "max", value, NULL);
	else
		violate(j, "validity", max == 0 ? "unlisted" : "max", value, NULL, "Validity is over %lld seconds, the limit of the template policy",
		        (long long)max);
}

bool policy_judge(const struct policy *policy, enum policy_part part, const struct policy_request *request,
                  policy_visit *visit, void *arg)
{
	static void (*const parts[POLICY_PART_MAX])(struct judging *j) = {
		[POLICY_COMMON_NAME] = common_name_judge, [POLICY_ATTRIBUTES] = attributes_judge, [POLICY_NAMES] = names_judge,
		[POLICY_OTHERS] = others_judge, [POLICY_KEY] = key_judge, [POLICY_SIGNATURE] = signature_judge,
		[POLICY_KEY_USAGE] = key_usage_judge, [POLICY_EXTENDED_KEY_USAGE] = extended_key_usage_judge,
		[POLICY_BASIC_CONSTRAINTS] = basic_constraints_judge, [POLICY_VALIDITY] = validity_judge,
	};
	struct judging j = { policy, request, visit, arg, true };

	parts[part](&j);
	return j.held;
}

static void refusal_take(void *arg, const struct policy_verdict *verdict)
{
	struct problem *p = arg;

	if (!verdict->held && !problem_is_set(p))
		problem_set(p, PROBLEM_REJECTED_IDENTIFIER, "%s: \"%s\"", verdict->text, verdict->value);
}

bool policy_allows(const struct policy *policy, const struct policy_who *who, const struct identifier *name,
                   struct problem *p)
{
	static const struct policy_who nobody;
	const struct policy_request request = { .who = who ? *who : nobody };
	struct judging j = { policy, &request, refusal_take, p, true };

	if (identifier_is_device(name->type)) {
		char text[IDENTIFIER_VALUE_SIZE];
		device_name_policy(name, text);
		value_judge(&j, POLICY_SAN + (enum policy_field)name->type, text, NULL);
		return j.held;
	}
	wildcard_judge(&j, name);
	value_judge(&j, POLICY_SAN + (enum policy_field)name->type, name->value, name);
	return j.held;
}

bool policy_names_cn(const struct policy *policy, const struct policy_who *who, const char *value)
{
	static const struct identifiers none;
	const struct policy_values *values = &policy->fields[POLICY_SUBJECT + SUBJECT_CN];
	const struct policy_request request = { .who = *who, .names = &none };

	if (!strings_has(&values->allow, POLICY_ANY_NAME) && !strings_has(&values->required, POLICY_ANY_NAME))
		return false;
	return !policy_match_any(POLICY_SUBJECT + SUBJECT_CN, &values->allow, &request, value, NULL) &&
	       !policy_match_any(POLICY_SUBJECT + SUBJECT_CN, &values->required, &request, value, NULL);
}
