/* POST certificate-profiles/{profile}/test: judges a CSR without issuing, and tells every verdict, as
 * `enrolld policy test` does. */
#include "admin/api_ask.h"
#include "admin/trial.h"

static void put_rule(void *arg, const char *name, bool held, const struct problem *p)
{
	trial_rule(arg, name, held, p);
}

static void put_verdict(void *arg, const struct policy_verdict *verdict)
{
	trial_verdict(arg, verdict);
}

static bool reply(struct api_call *call, bool held, struct trial *trial, struct problem *p)
{
	struct json_writer w = api_reply(call, 200);

	json_open(&w, NULL);
	json_put(&w, "profile", call->profile->name);
	json_put(&w, "policy", call->profile->policy->name);
	json_put_bool(&w, "approved", held);
	bool whole = trial_put(trial, &w, p);
	json_close(&w);
	return whole && buf_check(&call->response->body, p);
}

static enum profile_method method_of(const struct api_call *call)
{
	const char *name = json_member_string(call->body, "method");

	return !name || str_equal(name, "api") ? PROFILE_API : str_equal(name, "est") ? PROFILE_EST : PROFILE_ACME;
}

bool api_profile_test(struct api_call *call, struct problem *p)
{
	auto_value(buf) csr = {0};
	auto_value(trial) trial = {0};
	auto_value(problem) parts = {0}, why = {0};
	const struct gate_test test = {
		.profile = call->profile->name, .method = method_of(call), .tester = call->identity,
		.rule = put_rule, .verdict = put_verdict, .arg = &trial,
		.who = {
			json_member_string(call->body, "identity") ?: identity_name(call->identity),
			json_member_string(call->body, "account"), json_member_string(call->body, "eab"),
		},
	};
	bool held;

	if (!api_ask_csr(call->body, &csr, &parts))
		return api_settle(&parts, p);
	trial_begin(&trial);
	if (!gate_test(call->api->store, call->profiles, &test, buf_bytes(&csr), &held, &why)) {
		api_gather(&parts, &why, "csr");
		return api_settle(&parts, p);
	}
	return reply(call, held, &trial, p);
}
