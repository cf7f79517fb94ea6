#include "admin/policy_json.h"

#include "base/clock.h"

enum { KEY_USAGE_BITS = 16 };

/* What a field is called within its mapping: of "subject.cn", "cn". */
static const char *field_name(enum policy_field field)
{
	return strchr(policy_field_key(field), '.') + 1;
}

static void put_list(struct json_writer *w, const char *name, const struct strings *list)
{
	if (list->n > 0)
		json_put_strings(w, name, list);
}

static bool is_mentioned(const struct policy_values *values)
{
	return values->required.n + values->allow.n + values->deny.n > 0;
}

static void put_values(struct json_writer *w, const char *name, const struct policy_values *values)
{
	if (!is_mentioned(values))
		return;
	json_open(w, name);
	put_list(w, "required", &values->required);
	put_list(w, "allow", &values->allow);
	put_list(w, "deny", &values->deny);
	json_close(w);
}

static void put_fields(struct json_writer *w, const char *name, const struct policy *policy, enum policy_field from,
                       enum policy_field to)
{
	bool any = false;

	for (enum policy_field field = from; field < to; field++)
		any = any || is_mentioned(&policy->fields[field]);
	if (!any)
		return;
	json_open(w, name);
	for (enum policy_field field = from; field < to; field++)
		put_values(w, field_name(field), &policy->fields[field]);
	json_close(w);
}

static void put_bits(struct json_writer *w, const char *name, unsigned bits)
{
	if (bits == 0)
		return;
	json_open_array(w, name);
	for (unsigned i = 0; i < KEY_USAGE_BITS; i++)
		if (bits & 1u << i)
			json_put(w, NULL, policy_key_usage_name(1u << i));
	json_close(w);
}

static void put_key_usage(struct json_writer *w, const struct policy_bits *bits)
{
	if ((bits->required | bits->allow | bits->deny) == 0)
		return;
	json_open(w, "key_usage");
	put_bits(w, "required", bits->required);
	put_bits(w, "allow", bits->allow);
	put_bits(w, "deny", bits->deny);
	json_close(w);
}

static void put_algorithms(struct json_writer *w, const struct policy *policy)
{
	if (policy->keys != 0) {
		json_open_array(w, "keys");
		for (enum key_algorithm a = 0; a < KEY_ALGORITHM_MAX; a++)
			if (policy->keys & 1u << a)
				json_put(w, NULL, key_algorithm_name(a));
		json_close(w);
	}
	if (policy->signatures == 0)
		return;
	json_open_array(w, "signatures");
	for (enum csr_signature s = 0; s < CSR_SIGNATURE_MAX; s++)
		if (policy->signatures & 1u << s)
			json_put(w, NULL, csr_signature_name(s));
	json_close(w);
}

static void put_basic_constraints(struct json_writer *w, const struct policy *policy)
{
	if (policy->ca == POLICY_CA_FORBIDDEN)
		return;
	json_open(w, "basic_constraints");
	json_put(w, "ca", policy->ca == POLICY_CA_REQUIRED ? "required" : "allowed");
	if (policy->path_length >= 0)
		json_put_integer(w, "path_length", policy->path_length);
	json_close(w);
}

void policy_put(struct json_writer *w, const char *member, const struct policy *policy)
{
	char validity[CLOCK_DURATION_SIZE];

	json_open(w, member);
	json_put(w, "name", policy->name);
	json_put(w, "unlisted", policy->unlisted ? "allow" : "refuse");
	put_fields(w, "subject", policy, POLICY_SUBJECT, POLICY_SAN);
	put_fields(w, "san", policy, POLICY_SAN, POLICY_FIELD_MAX);
	json_put_bool(w, "wildcards", policy->wildcards);
	json_put_integer(w, "names_max", policy->names_max);
	put_algorithms(w, policy);
	put_key_usage(w, &policy->key_usage);
	put_values(w, "extended_key_usage", &policy->extended_key_usage);
	put_basic_constraints(w, policy);
	if (policy->validity_max > 0) {
		clock_format_duration(policy->validity_max, validity);
		json_put(w, "validity_max", validity);
	}
	json_put_bool(w, "own_key", policy->own_key);
	json_put_bool(w, "new_key", policy->new_key);
	json_close(w);
}
