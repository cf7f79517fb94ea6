#include "policy/policy.h"

#include <assert.h>

bool policy_new(const char *name, struct policy **ret, struct problem *p)
{
	auto_struct(policy) *policy = calloc(1, sizeof(*policy));

	if (!policy || !(policy->name = strdup(name)))
		return problem_memory(p);
	policy->wildcards = true;
	policy->names_max = 100;
	policy->path_length = -1;
	*ret = steal(policy);
	return true;
}

static bool values_copy(const struct policy_values *from, struct policy_values *to)
{
	return strings_copy(&from->required, &to->required) && strings_copy(&from->allow, &to->allow) &&
	       strings_copy(&from->deny, &to->deny);
}

bool policy_copy(const struct policy *from, struct policy **ret, struct problem *p)
{
	static const struct policy_values none;
	auto_struct(policy) *policy = malloc(sizeof(*policy));

	if (!policy)
		return problem_memory(p);
	*policy = *from;
	policy->name = NULL;
	for (enum policy_field field = 0; field < POLICY_FIELD_MAX; field++)
		policy->fields[field] = none;
	policy->extended_key_usage = none;
	bool copied = (policy->name = strdup(from->name)) &&
	              values_copy(&from->extended_key_usage, &policy->extended_key_usage);
	for (enum policy_field field = 0; copied && field < POLICY_FIELD_MAX; field++)
		copied = values_copy(&from->fields[field], &policy->fields[field]);
	if (!copied)
		return problem_memory(p);
	*ret = steal(policy);
	return true;
}

static void values_free(struct policy_values *values)
{
	strings_free(&values->required);
	strings_free(&values->allow);
	strings_free(&values->deny);
}

void policy_free(struct policy *policy)
{
	if (!policy)
		return;
	for (enum policy_field field = 0; field < POLICY_FIELD_MAX; field++)
		values_free(&policy->fields[field]);
	values_free(&policy->extended_key_usage);
	free(policy->name);
	free(policy);
}

static const struct field {
	const char *key, *label;
} fields[POLICY_FIELD_MAX - POLICY_SAN] = {
	[IDENTIFIER_DNS] = { "san.dns", "DNS" },
	[IDENTIFIER_IP] = { "san.ip", "IP" },
	[IDENTIFIER_EMAIL] = { "san.email", "email" },
	[IDENTIFIER_URI] = { "san.uri", "URI" },
	[IDENTIFIER_PERMANENT] = { "san.permanent_identifier", "permanentIdentifier" },
	[IDENTIFIER_HARDWARE] = { "san.hardware_module_name", "hardwareModuleName" },
	[IDENTIFIER_PERMANENT + CSR_OTHER_UPN] = { "san.upn", "UPN" },
	[IDENTIFIER_PERMANENT + CSR_OTHER_TEXT] = { "san.other_name", "otherName" },
};
_Static_assert(POLICY_SAN + IDENTIFIER_PERMANENT == POLICY_OTHER + (int)CSR_OTHER_PERMANENT &&
               POLICY_SAN + IDENTIFIER_HARDWARE == POLICY_OTHER + (int)CSR_OTHER_HARDWARE,
               "what is ordered and what is in the certificate is one field");

const char *policy_field_key(enum policy_field field)
{
	static const char *const keys[SUBJECT_TYPE_MAX] = {
		[SUBJECT_CN] = "subject.cn", [SUBJECT_O] = "subject.o", [SUBJECT_OU] = "subject.ou", [SUBJECT_C] = "subject.c",
		[SUBJECT_ST] = "subject.st", [SUBJECT_L] = "subject.l", [SUBJECT_DC] = "subject.dc",
		[SUBJECT_EMAIL] = "subject.email", [SUBJECT_SERIAL_NUMBER] = "subject.serial_number",
	};

	assert(field < POLICY_FIELD_MAX);
	return field < POLICY_SAN ? keys[field] : fields[field - POLICY_SAN].key;
}

const char *policy_field_label(enum policy_field field)
{
	assert(field < POLICY_FIELD_MAX);
	return field < POLICY_SAN ? subject_type_label((enum subject_type)field) : fields[field - POLICY_SAN].label;
}
