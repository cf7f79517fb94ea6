/* Policies: each field by each of its three lists, by value and by who asks; the presets; what a policy
 * must be itself. */
#include "policy/policy.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "policy_make.h"

/* What is put into an otherwise empty policy: "subject.cn+*" allowed, "!" required, "-" denied. */
static void rule_add(struct policy *policy, const char *text)
{
	size_t len = strcspn(text, "+!-");
	for (enum policy_field field = 0; field < POLICY_FIELD_MAX; field++) {
		const char *key = policy_field_key(field);
		struct policy_values *values = &policy->fields[field];
		if (strlen(key) == len && strncmp(key, text, len) == 0) {
			assert_true(strings_add(text[len] == '+' ? &values->allow : text[len] == '!' ? &values->required : &values->deny,
			                        text + len + 1));
			return;
		}
	}
	fail_msg("no field: %s", text);
}

static const struct judgment {
	const char *rules[4];
	enum policy_part part;
	const char *values[3]; /* "cn:x", "dns:a.example", "upn:a@b" */
	const char *want;      /* the text of the only violation, or NULL: none */
	const char *want_rule; /* "subject.cn allow" */
	bool unlisted;
} judgments[] = {
	/* not mentioned */
	{ { NULL }, POLICY_COMMON_NAME, { "cn:x" }, "common_name attribute is not allowed by template policy", "subject.cn unlisted", false },
	{ { NULL }, POLICY_COMMON_NAME, { "cn:x" }, NULL, NULL, true },
	{ { NULL }, POLICY_NAMES, { "dns:a.example" }, "DNS SAN is not allowed by template policy", "san.dns unlisted", false },
	{ { NULL }, POLICY_NAMES, { "dns:a.example" }, NULL, NULL, true },
	{ { "san.dns+*" }, POLICY_NAMES, { "ip:10.0.0.1" }, "IP SAN is not allowed by template policy", "san.ip unlisted", false },
	{ { "san.dns+*" }, POLICY_NAMES, { "email:a@b.example" }, "email SAN is not allowed by template policy", "san.email unlisted", false },
	{ { "san.dns+*" }, POLICY_NAMES, { "uri:https://a.example/" }, "URI SAN is not allowed by template policy", "san.uri unlisted", false },
	{ { "san.dns+*" }, POLICY_OTHERS, { "upn:a@b" }, "UPN SAN is not allowed by template policy", "san.upn unlisted", false },
	{ { NULL }, POLICY_OTHERS, { "upn:a@b" }, NULL, NULL, true },
	{ { NULL }, POLICY_OTHERS, { "permanent:a" }, "permanentIdentifier SAN is not allowed by template policy", "san.permanent_identifier unlisted", false },
	{ { NULL }, POLICY_OTHERS, { "hardware:1.2/00" }, "hardwareModuleName SAN is not allowed by template policy", "san.hardware_module_name unlisted", false },
	{ { NULL }, POLICY_OTHERS, { "text:1.2.3:x" }, "otherName SAN is not allowed by template policy", "san.other_name unlisted", false },
	{ { NULL }, POLICY_OTHERS, { "unreadable:directoryName" }, "directoryName SAN is not allowed by template policy", "san unlisted", true },
	{ { NULL }, POLICY_ATTRIBUTES, { "o:x" }, "organization attribute is not allowed by template policy", "subject.o unlisted", false },
	{ { NULL }, POLICY_ATTRIBUTES, { "serial_number:x" }, "serial_number attribute is not allowed by template policy", "subject.serial_number unlisted", false },
	/* allowed */
	{ { "subject.cn+device-*" }, POLICY_COMMON_NAME, { "cn:device-7" }, NULL, NULL, false },
	{ { "subject.cn+device-*" }, POLICY_COMMON_NAME, { "cn:DEVICE-7" }, NULL, NULL, false },
	{ { "subject.cn+device-*" }, POLICY_COMMON_NAME, { "cn:printer-7" }, "common_name value does not match allowed patterns", "subject.cn allow", false },
	{ { "subject.cn+device-*" }, POLICY_COMMON_NAME, { "cn:printer-7" }, "common_name value does not match allowed patterns", "subject.cn allow", true },
	{ { "subject.cn+*a*b*" }, POLICY_COMMON_NAME, { "cn:xxaxxaxbx" }, NULL, NULL, false },
	{ { "subject.cn+*a*b" }, POLICY_COMMON_NAME, { "cn:xxaxxaxbx" }, "common_name value does not match allowed patterns", "subject.cn allow", false },
	{ { "subject.cn+a.c" }, POLICY_COMMON_NAME, { "cn:abc" }, "common_name value does not match allowed patterns", "subject.cn allow", false },
	{ { "subject.ou+a", "subject.ou+b" }, POLICY_ATTRIBUTES, { "ou:a", "ou:b" }, NULL, NULL, false },
	{ { "subject.ou+a", "subject.ou+b" }, POLICY_ATTRIBUTES, { "ou:a", "ou:c" }, "organizational_unit value does not match allowed patterns", "subject.ou allow", false },
	{ { "san.dns+*.a.example" }, POLICY_NAMES, { "dns:x.a.example" }, NULL, NULL, false },
	{ { "san.dns+*.a.example" }, POLICY_NAMES, { "dns:x.b.example" }, "DNS SAN value does not match allowed patterns", "san.dns allow", false },
	{ { "san.ip+10.0.0.0/8" }, POLICY_NAMES, { "ip:11.0.0.1" }, "IP SAN value does not match allowed patterns", "san.ip allow", false },
	{ { "san.upn+*@example.com" }, POLICY_OTHERS, { "upn:a@example.com" }, NULL, NULL, false },
	{ { "san.upn+*@example.com" }, POLICY_OTHERS, { "upn:a@example.com.evil" }, "UPN SAN value does not match allowed patterns", "san.upn allow", false },
	/* denied, which wins */
	{ { "subject.o+*", "subject.o-Evil*" }, POLICY_ATTRIBUTES, { "o:evil corp" }, "organization value is denied by template policy", "subject.o deny", false },
	{ { "subject.o+*", "subject.o-Evil*" }, POLICY_ATTRIBUTES, { "o:good corp" }, NULL, NULL, false },
	{ { "subject.o-Evil*" }, POLICY_ATTRIBUTES, { "o:good corp" }, NULL, NULL, false },
	{ { "subject.o-Evil*" }, POLICY_ATTRIBUTES, { "o:evil" }, "organization value is denied by template policy", "subject.o deny", true },
	{ { "subject.o!Evil", "subject.o-Evil" }, POLICY_ATTRIBUTES, { "o:Evil" }, "organization value is denied by template policy", "subject.o deny", false },
	{ { "subject.o-Evil Corp" }, POLICY_ATTRIBUTES, { "o:Evil  Corp" }, "organization value is denied by template policy", "subject.o deny", false },
	{ { "subject.o-Evil  Corp" }, POLICY_ATTRIBUTES, { "o: Evil Corp " }, "organization value is denied by template policy", "subject.o deny", false },
	{ { "san.email+@b.example", "san.email-root@b.example" }, POLICY_NAMES, { "email:Root@b.example" }, "email SAN value is denied by template policy", "san.email deny", false },
	{ { "san.dns+*", "san.dns-secret.a.example" }, POLICY_NAMES, { "dns:*.a.example" }, "DNS SAN value is denied by template policy", "san.dns deny", false },
	/* required */
	{ { "subject.cn!*" }, POLICY_COMMON_NAME, { NULL }, "Missing required common_name attribute", "subject.cn required", false },
	{ { "subject.cn!*" }, POLICY_COMMON_NAME, { NULL }, "Missing required common_name attribute", "subject.cn required", true },
	{ { "subject.cn!*" }, POLICY_COMMON_NAME, { "cn:x" }, NULL, NULL, false },
	{ { "subject.c!DE" }, POLICY_ATTRIBUTES, { NULL }, "Missing required country attribute", "subject.c required", false },
	{ { "subject.ou!a", "subject.ou+*" }, POLICY_ATTRIBUTES, { "ou:b" }, "Missing required organizational_unit attribute", "subject.ou required", false },
	{ { "subject.ou!a", "subject.ou+*" }, POLICY_ATTRIBUTES, { "ou:b", "ou:a" }, NULL, NULL, false },
	{ { "san.dns!*", "san.ip+*" }, POLICY_NAMES, { "ip:10.0.0.1" }, "Required DNS SAN not found", "san.dns required", false },
	{ { "san.upn!*" }, POLICY_OTHERS, { NULL }, "Required UPN SAN not found", "san.upn required", false },
	/* bound to who asks: identity ada, account x7, no external account */
	{ { "subject.cn+{identity}" }, POLICY_COMMON_NAME, { "cn:ada" }, NULL, NULL, false },
	{ { "subject.cn+{identity}" }, POLICY_COMMON_NAME, { "cn:bob" }, "common_name value does not match allowed patterns", "subject.cn allow", false },
	{ { "san.dns+*.{account}.example.com" }, POLICY_NAMES, { "dns:www.x7.example.com" }, NULL, NULL, false },
	{ { "san.dns+*.{account}.example.com" }, POLICY_NAMES, { "dns:www.x8.example.com" }, "DNS SAN value does not match allowed patterns", "san.dns allow", false },
	{ { "san.email+{identity}@example.com" }, POLICY_NAMES, { "email:ada@example.com" }, NULL, NULL, false },
	{ { "san.upn+{identity}@{account}" }, POLICY_OTHERS, { "upn:ada@x7" }, NULL, NULL, false },
	{ { "subject.cn+{eab}" }, POLICY_COMMON_NAME, { "cn:x7" }, "common_name value does not match allowed patterns", "subject.cn allow", false },
	{ { "subject.cn+{name}" }, POLICY_COMMON_NAME, { "cn:a.example", "dns:a.example" }, NULL, NULL, false },
	{ { "subject.cn+{name}" }, POLICY_COMMON_NAME, { "cn:b.example", "dns:a.example" }, "common_name value does not match allowed patterns", "subject.cn allow", false },
};

struct seen {
	size_t held, violated;
	char text[256], rule[128];
};
static void see(void *arg, const struct policy_verdict *verdict)
{
	struct seen *seen = arg;

	assert_true(verdict->held == (verdict->text == NULL));
	if (verdict->held) {
		seen->held++;
		return;
	}
	seen->violated++;
	snprintf(seen->text, sizeof(seen->text), "%s", verdict->text);
	snprintf(seen->rule, sizeof(seen->rule), "%s %s", verdict->field, verdict->rule);
}

struct wanted {
	struct subject subject;
	struct identifiers names;
	struct csr_other_name others[3];
	struct policy_request request;
};
static void value_add(struct wanted *w, const char *text)
{
	static const char *const others[] = { "permanent:", "hardware:", "upn:", "text:", "unreadable:" };
	const char *value = strchr(text, ':') + 1;
	struct problem p = {0};

	for (enum csr_other_type type = 0; type < array_length(others); type++)
		if (str_starts(text, others[type])) {
			struct csr_other_name *other = &w->others[w->request.other_count++];
			other->type = type;
			strcpy(type == CSR_OTHER_UNREADABLE ? other->kind : other->value, value);
			return;
		}
	for (enum subject_type type = 0; type < SUBJECT_TYPE_MAX; type++) {
		const char *key = policy_field_key(POLICY_SUBJECT + type) + strlen("subject.");
		if (type != SUBJECT_EMAIL && str_starts(text, key) && text[strlen(key)] == ':') {
			assert_true(subject_add(&w->subject, type, value, &p));
			return;
		}
	}
	struct identifier name = make_identifier(text);
	assert_true(identifiers_add(&w->names, &name, &p));
}

static void wanted_make(struct wanted *w, const char *const values[3])
{
	*w = (struct wanted){0};
	for (size_t i = 0; i < 3 && values[i]; i++)
		value_add(w, values[i]);
	w->request.who = (struct policy_who){ "ada", "x7", NULL };
	w->request.subject = &w->subject;
	w->request.names = &w->names;
	w->request.others = w->others;
}

static void wanted_free(struct wanted *w)
{
	subject_free(&w->subject);
	identifiers_free(&w->names);
}

static void test_values(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_length(judgments); i++) {
		const struct judgment *row = &judgments[i];
		auto_struct(policy) *policy = NULL;
		struct problem p = {0};
		struct seen seen = {0};
		struct wanted w;

		assert_true(policy_new("test", &policy, &p));
		policy->unlisted = row->unlisted;
		for (size_t k = 0; k < array_length(row->rules) && row->rules[k]; k++)
			rule_add(policy, row->rules[k]);
		wanted_make(&w, row->values);
		bool held = policy_judge(policy, row->part, &w.request, see, &seen);
		if (held != !row->want || seen.violated != (row->want ? 1 : 0) || (!row->want && seen.held == 0))
			fail_msg("row %zu: %zu violations, %zu held: %s", i, seen.violated, seen.held, seen.text);
		if (row->want && (!str_equal(seen.text, row->want) || !str_equal(seen.rule, row->want_rule)))
			fail_msg("row %zu: %s (%s)", i, seen.text, seen.rule);
		wanted_free(&w);
	}
}

/* A requester's value that has a star, or is no part of a name, matches nothing. */
static void test_bound_values(void **state)
{
	static const char *const identities[] = { "*", "a*", "{name}", "", "a b", "a..b" };
	auto_struct(policy) *policy = NULL;
	struct identifier name = make_identifier("dns:www.x.example.com");
	auto_value(problem) p = {0};

	(void)state;
	assert_true(policy_new("test", &policy, &p));
	rule_add(policy, "san.dns+**.{identity}.example.com");
	for (size_t i = 0; i < array_length(identities); i++) {
		const struct policy_who who = { .identity = identities[i] };
		auto_value(problem) why = {0};
		assert_false(policy_allows(policy, &who, &name, &why));
		assert_int_equal(why.kind, PROBLEM_REJECTED_IDENTIFIER);
	}
	const struct policy_who good = { .identity = "x" };
	assert_true(policy_allows(policy, &good, &name, &p));
	assert_false(policy_allows(policy, NULL, &name, &p));
}

/* A requester's value stands for itself, and makes no other pattern of the one it is put in: no mail domain, no network, no other host. */
static void test_bound_value_is_no_pattern(void **state)
{
	static const struct {
		const char *rule, *identity, *name;
		bool want;
	} rows[] = {
		{ "san.email+{identity}", "ada@example.com", "email:ada@example.com", true },
		{ "san.email+{identity}", "@example.com", "email:root@example.com", false },
		{ "san.ip+{identity}", "10.0.0.1", "ip:10.0.0.1", true },
		{ "san.ip+{identity}", "10.0.0.0/8", "ip:10.0.0.1", false },
		{ "san.ip+{identity}", "0.0.0.0/0", "ip:10.0.0.1", false },
		{ "san.uri+https://{identity}.a.example/*", "x", "uri:https://x.a.example/y", true },
		{ "san.uri+https://{identity}.a.example/*", "evil.example/x?", "uri:https://evil.example/x?.a.example/y", false },
		{ "san.uri+https://{identity}.a.example/*", "evil.example/x/", "uri:https://evil.example/x/.a.example/y", false },
		{ "san.uri+spiffe://a.example/{identity}", "ns/x", "uri:spiffe://a.example/ns/x", true },
		{ "san.uri+{identity}", "spiffe://a.example/x", "uri:spiffe://a.example/x", true },
	};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		const struct policy_who who = { .identity = rows[i].identity };
		const struct identifier name = make_identifier(rows[i].name);
		auto_struct(policy) *policy = NULL;
		auto_value(problem) p = {0};
		assert_true(policy_new("test", &policy, &p));
		rule_add(policy, rows[i].rule);
		if (policy_allows(policy, &who, &name, &p) != rows[i].want)
			fail_msg("%s with %s: %s", rows[i].rule, rows[i].identity, rows[i].name);
	}
}

/* Usages, keys, signatures, CAs and life. */
enum { DS = KU_DIGITAL_SIGNATURE, KE = KU_KEY_ENCIPHERMENT, CS = KU_KEY_CERT_SIGN };
#define SERVER "1.3.6.1.5.5.7.3.1"
#define CLIENT "1.3.6.1.5.5.7.3.2"
static void change_none(struct policy *p) { (void)p; }
static void change_usage(struct policy *p) { p->key_usage = (struct policy_bits){ DS, KE, 0 }; }
static void change_usage_deny(struct policy *p) { p->key_usage = (struct policy_bits){ 0, 0, KE }; }
static void change_usage_ca(struct policy *p) { p->key_usage.allow = CS | DS; }
static void change_purpose(struct policy *p) { assert_true(strings_add(&p->extended_key_usage.required, SERVER)); }
static void change_purpose_deny(struct policy *p) { assert_true(strings_add(&p->extended_key_usage.deny, CLIENT)); }
static void change_unlisted(struct policy *p) { p->unlisted = true; }
static void change_keys(struct policy *p) { p->keys = 1u << KEY_EC_P384; }
static void change_keys_good(struct policy *p) { p->keys = 1u << KEY_EC_P256; }
static void change_signatures(struct policy *p) { p->signatures = 1u << CSR_RSA_SHA256; }
static void change_ca(struct policy *p) { p->ca = POLICY_CA_ALLOWED, p->path_length = 1; }
static void change_ca_required(struct policy *p) { p->ca = POLICY_CA_REQUIRED; }
static void change_validity(struct policy *p) { p->validity_max = 100; }

static const struct {
	void (*change)(struct policy *p);
	enum policy_part part;
	unsigned asked, given;
	const char *purposes[3];
	bool ca;
	int path_length;
	int64_t validity;
	const char *want; /* NULL: nothing is violated */
} usages[] = {
	{ change_usage, POLICY_KEY_USAGE, DS | KE, DS | KE, { NULL }, false, -1, 0, NULL },
	{ change_usage, POLICY_KEY_USAGE, 0, DS, { NULL }, false, -1, 0, NULL },
	{ change_usage, POLICY_KEY_USAGE, KE, KE, { NULL }, false, -1, 0, "Missing required key usage digitalSignature" },
	{ change_usage, POLICY_KEY_USAGE, DS | KU_KEY_AGREEMENT, DS, { NULL }, false, -1, 0, "Key usage keyAgreement is not allowed by template policy" },
	{ change_usage_deny, POLICY_KEY_USAGE, KE, KE, { NULL }, false, -1, 0, "Key usage keyEncipherment is denied by template policy" },
	{ change_usage_deny, POLICY_KEY_USAGE, DS, DS, { NULL }, false, -1, 0, NULL },
	{ change_usage_ca, POLICY_KEY_USAGE, CS, CS, { NULL }, false, -1, 0, "Key usage keyCertSign is not allowed by template policy" },
	{ change_usage_ca, POLICY_KEY_USAGE, CS, CS, { NULL }, true, -1, 0, NULL },
	{ change_unlisted, POLICY_KEY_USAGE, CS, CS, { NULL }, false, -1, 0, "Key usage keyCertSign is not allowed by template policy" },
	{ change_none, POLICY_KEY_USAGE, DS, DS, { NULL }, false, -1, 0, "Key usage digitalSignature is not allowed by template policy" },
	{ change_unlisted, POLICY_KEY_USAGE, DS, DS, { NULL }, false, -1, 0, NULL },
	{ change_purpose, POLICY_EXTENDED_KEY_USAGE, 0, 0, { SERVER }, false, -1, 0, NULL },
	{ change_purpose, POLICY_EXTENDED_KEY_USAGE, 0, 0, { NULL }, false, -1, 0, "Missing required extended key usage serverAuth (" SERVER ")" },
	{ change_purpose, POLICY_EXTENDED_KEY_USAGE, 0, 0, { SERVER, CLIENT }, false, -1, 0, "Extended key usage clientAuth (" CLIENT ") is not allowed by template policy" },
	{ change_purpose_deny, POLICY_EXTENDED_KEY_USAGE, 0, 0, { CLIENT }, false, -1, 0, "Extended key usage clientAuth (" CLIENT ") is denied by template policy" },
	{ change_purpose_deny, POLICY_EXTENDED_KEY_USAGE, 0, 0, { SERVER }, false, -1, 0, NULL },
	{ change_purpose_deny, POLICY_EXTENDED_KEY_USAGE, 0, 0, { "2.5.29.37.0" }, false, -1, 0, "Extended key usage anyExtendedKeyUsage (2.5.29.37.0) is denied by template policy" },
	{ change_unlisted, POLICY_EXTENDED_KEY_USAGE, 0, 0, { "1.2.3.4" }, false, -1, 0, NULL },
	{ change_none, POLICY_EXTENDED_KEY_USAGE, 0, 0, { "1.2.3.4" }, false, -1, 0, "Extended key usage 1.2.3.4 is not allowed by template policy" },
	{ change_none, POLICY_EXTENDED_KEY_USAGE, 0, 0, { SERVER }, false, -1, 0, "Extended key usage serverAuth (" SERVER ") is not allowed by template policy" },
	{ change_unlisted, POLICY_EXTENDED_KEY_USAGE, 0, 0, { SERVER }, false, -1, 0, NULL },
	{ change_unlisted, POLICY_EXTENDED_KEY_USAGE, 0, 0, { "1.3.6.1.5.5.7.3.9" }, false, -1, 0, "Extended key usage OCSPSigning (1.3.6.1.5.5.7.3.9) is denied by template policy" },
	{ change_none, POLICY_KEY, 0, 0, { NULL }, false, -1, 0, "Key algorithm is not allowed by template policy" },
	{ change_keys, POLICY_KEY, 0, 0, { NULL }, false, -1, 0, "Key algorithm is not allowed by template policy" },
	{ change_keys_good, POLICY_KEY, 0, 0, { NULL }, false, -1, 0, NULL },
	{ change_unlisted, POLICY_KEY, 0, 0, { NULL }, false, -1, 0, NULL },
	{ change_none, POLICY_SIGNATURE, 0, 0, { NULL }, false, -1, 0, "Signature algorithm is not allowed by template policy" },
	{ change_signatures, POLICY_SIGNATURE, 0, 0, { NULL }, false, -1, 0, "Signature algorithm is not allowed by template policy" },
	{ change_unlisted, POLICY_SIGNATURE, 0, 0, { NULL }, false, -1, 0, NULL },
	{ change_none, POLICY_BASIC_CONSTRAINTS, 0, 0, { NULL }, false, -1, 0, NULL },
	{ change_none, POLICY_BASIC_CONSTRAINTS, 0, 0, { NULL }, true, -1, 0, "CA certificate is not allowed by template policy" },
	{ change_unlisted, POLICY_BASIC_CONSTRAINTS, 0, 0, { NULL }, true, -1, 0, "CA certificate is not allowed by template policy" },
	{ change_ca, POLICY_BASIC_CONSTRAINTS, 0, 0, { NULL }, true, 1, 0, NULL },
	{ change_ca, POLICY_BASIC_CONSTRAINTS, 0, 0, { NULL }, false, -1, 0, NULL },
	{ change_ca, POLICY_BASIC_CONSTRAINTS, 0, 0, { NULL }, true, 2, 0, "CA path length is over 1, the limit of the template policy" },
	{ change_ca_required, POLICY_BASIC_CONSTRAINTS, 0, 0, { NULL }, false, -1, 0, "CA certificate is required by template policy" },
	{ change_none, POLICY_VALIDITY, 0, 0, { NULL }, false, -1, 10, "Validity is over 0 seconds, the limit of the template policy" },
	{ change_validity, POLICY_VALIDITY, 0, 0, { NULL }, false, -1, 100, NULL },
	{ change_validity, POLICY_VALIDITY, 0, 0, { NULL }, false, -1, 101, "Validity is over 100 seconds, the limit of the template policy" },
};

static void test_usages(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_length(usages); i++) {
		auto_struct(policy) *policy = NULL;
		auto_value(strings) purposes = {0};
		static const struct subject subject;
		static const struct identifiers names;
		struct problem p = {0};
		struct seen seen = {0};

		assert_true(policy_new("test", &policy, &p));
		usages[i].change(policy);
		for (size_t k = 0; k < 3 && usages[i].purposes[k]; k++)
			assert_true(strings_add(&purposes, usages[i].purposes[k]));
		const struct policy_request request = {
			.subject = &subject, .names = &names, .key = KEY_EC_P256, .signature = CSR_ECDSA_SHA256,
			.key_usage_asked = usages[i].asked, .key_usage = usages[i].given, .extended_key_usage = &purposes,
			.ca = usages[i].ca, .path_length = usages[i].path_length, .validity = usages[i].validity,
		};
		bool held = policy_judge(policy, usages[i].part, &request, see, &seen);
		if (held != !usages[i].want || seen.violated != (usages[i].want ? 1 : 0) ||
		    (usages[i].want && !str_equal(seen.text, usages[i].want)))
			fail_msg("row %zu: %zu: %s", i, seen.violated, seen.text);
	}
}

/* Every preset makes sense, and none takes what it does not mention. */
static void test_presets(void **state)
{
	const struct policy_preset *preset;
	size_t n = 0;

	(void)state;
	for (; (preset = policy_preset_at(n)); n++) {
		auto_struct(policy) *policy = NULL;
		auto_struct(policy) *copy = NULL;
		auto_value(problem) p = {0};
		const char *const other[3] = { "text:1.2.3:x" };
		struct wanted w;

		assert_true(policy_preset_make(preset, &policy, &p));
		if (!policy_check(policy, &p))
			fail_msg("%s: %s", preset->name, p.detail);
		assert_ptr_equal(policy_preset_find(preset->name), preset);
		assert_false(policy->unlisted);
		assert_true(policy->own_key == str_equal(preset->name, "device") && policy->new_key == policy->own_key);
		assert_true((policy->ca == POLICY_CA_REQUIRED) == str_equal(preset->name, "intermediate-ca"));
		assert_true(policy_copy(policy, &copy, &p));
		wanted_make(&w, other);
		assert_false(policy_judge(copy, POLICY_OTHERS, &w.request, NULL, NULL));
		wanted_free(&w);
	}
	assert_int_equal(n, 8);
	assert_null(policy_preset_find("none"));
}

static void bad_pattern(struct policy *p) { rule_add(p, "san.dns+a.*.b"); }
static void bad_bound(struct policy *p) { rule_add(p, "san.dns+*.{nobody}.example"); }
static void bad_brace(struct policy *p) { rule_add(p, "subject.o+{"); }
static void bad_name(struct policy *p) { rule_add(p, "subject.o+{name}"); }
static void bad_name_part(struct policy *p) { rule_add(p, "subject.cn+x{name}"); }
static void bad_deny(struct policy *p) { rule_add(p, "subject.o-{identity}"); }
static void bad_empty(struct policy *p) { rule_add(p, "subject.o+"); }
static void bad_keys(struct policy *p) { p->keys = 0; }
static void bad_signatures(struct policy *p) { p->signatures = 0; }
static void bad_validity(struct policy *p) { p->validity_max = 0; }
static void bad_validity_short(struct policy *p) { p->validity_max = 59; }
static void bad_names(struct policy *p) { p->names_max = 0; }
static void bad_usage(struct policy *p) { p->key_usage.deny = DS; }
static void bad_usage_ca(struct policy *p) { p->key_usage.allow = KU_CRL_SIGN; }
static void bad_purpose(struct policy *p) { assert_true(strings_add(&p->extended_key_usage.allow, "serverAuth")); }
static void bad_purpose_both(struct policy *p) { assert_true(strings_add(&p->extended_key_usage.deny, SERVER)); }
static void bad_length(struct policy *p) { p->path_length = 0; }

static const struct {
	void (*spoil)(struct policy *p);
	const char *want;
} bad[] = {
	{ bad_pattern, "san.dns:" }, { bad_bound, "san.dns:" }, { bad_brace, "subject.o:" }, { bad_name, "subject.o:" },
	{ bad_name_part, "subject.cn:" }, { bad_deny, "subject.o: what is denied" }, { bad_empty, "subject.o: an empty" },
	{ bad_keys, "keys:" }, { bad_signatures, "signatures:" }, { bad_validity, "validity_max: not mentioned" },
	{ bad_validity_short, "validity_max: from" }, { bad_names, "names_max:" }, { bad_usage, "key_usage: the same" },
	{ bad_usage_ca, "key_usage: keyCertSign" }, { bad_purpose, "extended_key_usage: dotted" },
	{ bad_purpose_both, "extended_key_usage: the same" }, { bad_length, "basic_constraints.path_length:" },
};

static void test_checks(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_length(bad); i++) {
		auto_struct(policy) *policy = NULL;
		auto_value(problem) p = {0};

		assert_true(policy_preset_make(policy_preset_find("tls-server"), &policy, &p));
		bad[i].spoil(policy);
		if (policy_check(policy, &p) || !strstr(p.detail, bad[i].want))
			fail_msg("row %zu: \"%s\"", i, p.detail);
		assert_int_equal(p.kind, PROBLEM_MALFORMED);
	}
}

static const struct {
	enum subject_type type;
	const char *value;
	bool want;
} texts[] = {
	{ SUBJECT_C, "DE", true }, { SUBJECT_C, "D", false }, { SUBJECT_C, "DEU", false }, { SUBJECT_C, "D*", false },
	{ SUBJECT_CN, "", false }, { SUBJECT_CN, "M\xc3\xbcller", true }, { SUBJECT_CN, "a\xff", false }, { SUBJECT_CN, "a\nb", false },
	{ SUBJECT_CN, "0123456789012345678901234567890123456789012345678901234567890123", true },
	{ SUBJECT_CN, "01234567890123456789012345678901234567890123456789012345678901234", false },
	{ SUBJECT_SERIAL_NUMBER, "A-7 (x)", true }, { SUBJECT_SERIAL_NUMBER, "a@b", false }, { SUBJECT_SERIAL_NUMBER, "\xc3\xbc", false },
	{ SUBJECT_DC, "example", true }, { SUBJECT_DC, "\xc3\xbc", false }, { SUBJECT_EMAIL, "a@b.example", true },
	{ SUBJECT_EMAIL, "\xc3\xbc@b.example", false }, { SUBJECT_EMAIL, "a", false }, { SUBJECT_C, "de", false },
	{ SUBJECT_CN, " a", false }, { SUBJECT_CN, "a ", false }, { SUBJECT_CN, "a b", true }, { SUBJECT_CN, "a\xc2\xad" "b", false },
};

static void test_subject_texts(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_length(texts); i++) {
		auto_value(problem) p = {0};
		if (subject_check(texts[i].type, texts[i].value, &p) != texts[i].want)
			fail_msg("row %zu", i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_bound_values),
		cmocka_unit_test(test_bound_value_is_no_pattern),
		cmocka_unit_test(test_usages),
		cmocka_unit_test(test_presets),
		cmocka_unit_test(test_checks),
		cmocka_unit_test(test_subject_texts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
