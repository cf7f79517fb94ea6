/* POST certificate-profiles/{profile}/test: judges a CSR without issuing, and tells every verdict, as
 * `enrolld policy test` does. */
#include "admin/api_ask.h"

struct report {
	struct json_writer rules, verdicts;
};

static void put_rule(void *arg, const char *name, bool held, const struct problem *p)
{
	struct report *r = arg;

	json_open(&r->rules, NULL);
	json_put(&r->rules, "rule", name);
	json_put_bool(&r->rules, "held", held);
	json_open_array(&r->rules, "reasons");
	for (size_t i = 0; i < p->sub_count; i++)
		json_put(&r->rules, NULL, p->subs[i].detail);
	json_close(&r->rules);
	json_close(&r->rules);
}

static void put_verdict(void *arg, const struct policy_verdict *verdict)
{
	struct report *r = arg;

	json_open(&r->verdicts, NULL);
	json_put(&r->verdicts, "field", verdict->field);
	json_put(&r->verdicts, "rule", verdict->rule);
	json_put(&r->verdicts, "value", verdict->value);
	json_put_bool(&r->verdicts, "held", verdict->held);
	json_put(&r->verdicts, "text", verdict->text);
	json_close(&r->verdicts);
}

static bool reply(struct api_call *call, bool held, const struct buf *rules, const struct buf *verdicts, struct problem *p)
{
	struct json_writer w = api_reply(call, 200);

	json_open(&w, NULL);
	json_put(&w, "profile", call->profile->name);
	json_put(&w, "policy", call->profile->policy->name);
	json_put_bool(&w, "approved", held);
	json_put_raw(&w, "rules", buf_bytes(rules));
	json_put_raw(&w, "verdicts", buf_bytes(verdicts));
	json_close(&w);
	return buf_check(rules, p) && buf_check(verdicts, p) && buf_check(&call->response->body, p);
}

static enum profile_method method_of(const struct api_call *call)
{
	const char *name = json_member_string(call->body, "method");

	return !name || str_equal(name, "api") ? PROFILE_API : str_equal(name, "est") ? PROFILE_EST : PROFILE_ACME;
}

bool api_profile_test(struct api_call *call, struct problem *p)
{
	auto_value(buf) rules = {0}, verdicts = {0}, csr = {0};
	auto_value(problem) parts = {0}, why = {0};
	struct report report = { json_writer(&rules), json_writer(&verdicts) };
	const struct gate_test test = {
		.profile = call->profile->name, .method = method_of(call), .rule = put_rule, .verdict = put_verdict, .arg = &report,
		.who = {
			json_member_string(call->body, "identity") ?: identity_name(call->identity),
			json_member_string(call->body, "account"), json_member_string(call->body, "eab"),
		},
	};
	bool held;

	if (!api_ask_csr(call->body, &csr, &parts))
		return api_settle(&parts, p);
	json_open_array(&report.rules, NULL);
	json_open_array(&report.verdicts, NULL);
	if (!gate_test(call->api->store, call->profiles, &test, buf_bytes(&csr), &held, &why)) {
		api_gather(&parts, &why, "csr");
		return api_settle(&parts, p);
	}
	json_close(&report.rules);
	json_close(&report.verdicts);
	return reply(call, held, &rules, &verdicts, p);
}
