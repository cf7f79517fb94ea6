#include "policy/policy_judging.h"

#include <stdarg.h>
#include <stdio.h>

#include "policy/device_name.h"
#include "policy/likeness.h"
#include "policy/plain_text.h"
#include "policy/policy_match.h"

static void tell(struct judging *j, const struct policy_verdict *verdict)
{
	j->held = j->held && verdict->held;
	if (j->visit)
		j->visit(j->arg, verdict);
}

void policy_hold(struct judging *j, const char *field, const char *rule, const char *value,
                 const struct identifier *name)
{
	tell(j, &(struct policy_verdict){ .held = true, .field = field, .rule = rule, .value = value, .name = name });
}

void policy_violate(struct judging *j, const char *field, const char *rule, const char *value,
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
	return policy_match_any(field, deny, j->request, value, NULL) ||
	       policy_match_any(field, deny, j->request, reduced, NULL);
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
		policy_hold(j, key, "unlisted", value, name);
	else
		policy_violate(j, key, "unlisted", value, name,
		               is_san(field) ? "%s SAN is not allowed by template policy"
		                             : "%s attribute is not allowed by template policy",
		               label);
}

static void value_judge(struct judging *j, enum policy_field field, const char *value, const struct identifier *name)
{
	const struct policy_values *values = &j->policy->fields[field];
	const char *key = policy_field_key(field), *label = policy_field_label(field);
	const char *san = is_san(field) ? " SAN" : "";

	if (!policy_is_mentioned(values))
		value_unlisted(j, field, value, name);
	else if (is_denied(j, field, value, name))
		policy_violate(j, key, "deny", value, name, "%s%s value is denied by template policy", label, san);
	else if (values->required.n + values->allow.n == 0)
		policy_hold(j, key, "deny", value, name);
	else if (policy_match_any(field, &values->allow, j->request, value, name) ||
	         policy_match_any(field, &values->required, j->request, value, name))
		policy_hold(j, key, "allow", value, name);
	else
		policy_violate(j, key, "allow", value, name, "%s%s value does not match allowed patterns", label,
		               san);
}

static void wildcard_judge(struct judging *j, const struct identifier *name)
{
	if (!identifier_is_wildcard(name))
		return;
	if (j->policy->wildcards)
		policy_hold(j, "san.dns", "wildcards", name->value, name);
	else
		policy_violate(j, "san.dns", "wildcards", name->value, name,
		               "wildcard names are not allowed by template policy");
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
			policy_hold(j, policy_field_key(field), "required", value, name);
			return;
		}
	policy_violate(j, policy_field_key(field), "required", pattern, NULL,
	               is_san(field) ? "Required %s SAN not found" : "Missing required %s attribute",
	               policy_field_label(field));
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
		policy_violate(j, policy_field_key(field), "deny", value, NULL,
		               "%s value is denied by template policy", label);
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
			value_judge(j, POLICY_SUBJECT + (enum policy_field)subject->v[i].type, subject->v[i].value,
			            NULL);
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
			policy_violate(j, "san", "unlisted", other->fault ?: other->kind, NULL,
			               "%s SAN is not allowed by template policy", other->kind);
		else
			value_judge(j, POLICY_OTHER + (enum policy_field)other->type, other->value, NULL);
		other_likeness(j, other);
	}
	for (enum policy_field field = POLICY_OTHER; field < POLICY_FIELD_MAX; field++)
		field_required(j, field, other_at, request->other_count);
}

bool policy_judge(const struct policy *policy, enum policy_part part, const struct policy_request *request,
                  policy_visit *visit, void *arg)
{
	static void (*const parts[POLICY_PART_MAX])(struct judging *j) = {
		[POLICY_COMMON_NAME] = common_name_judge, [POLICY_ATTRIBUTES] = attributes_judge, [POLICY_NAMES] = names_judge,
		[POLICY_OTHERS] = others_judge, [POLICY_KEY] = policy_judge_key, [POLICY_SIGNATURE] = policy_judge_signature,
		[POLICY_KEY_USAGE] = policy_judge_key_usage, [POLICY_EXTENDED_KEY_USAGE] = policy_judge_extended_key_usage,
		[POLICY_BASIC_CONSTRAINTS] = policy_judge_basic_constraints, [POLICY_VALIDITY] = policy_judge_validity,
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
