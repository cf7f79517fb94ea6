#include "admin/trial.h"

#include "admin/api_call.h"

void trial_begin(struct trial *ret)
{
	*ret = (struct trial){0};
	ret->rules_writer = json_writer(&ret->rules);
	ret->verdicts_writer = json_writer(&ret->verdicts);
	json_open_array(&ret->rules_writer, NULL);
	ret->errors_writer = json_writer(&ret->errors);
	json_open_array(&ret->verdicts_writer, NULL);
	json_open_array(&ret->errors_writer, NULL);
}

void trial_rule(struct trial *trial, const char *name, bool held, const struct problem *p)
{
	struct json_writer *w = &trial->rules_writer;

	json_open(w, NULL);
	json_put(w, "rule", name);
	json_put_bool(w, "held", held);
	json_open_array(w, "reasons");
	for (size_t i = 0; i < p->sub_count; i++)
		json_put(w, NULL, p->subs[i].detail);
	json_close(w);
	json_close(w);
	for (size_t i = 0; i < p->sub_count; i++)
		api_problem_part(&p->subs[i], &trial->errors_writer);
}

void trial_verdict(struct trial *trial, const struct policy_verdict *verdict)
{
	struct json_writer *w = &trial->verdicts_writer;

	json_open(w, NULL);
	json_put(w, "field", verdict->field);
	json_put(w, "rule", verdict->rule);
	json_put(w, "value", verdict->value);
	json_put_bool(w, "held", verdict->held);
	json_put(w, "text", verdict->text);
	json_close(w);
}

bool trial_put(struct trial *trial, struct json_writer *w, struct problem *p)
{
	json_close(&trial->rules_writer);
	json_close(&trial->verdicts_writer);
	json_close(&trial->errors_writer);
	json_put_raw(w, "errors", buf_bytes(&trial->errors));
	json_put_raw(w, "rules", buf_bytes(&trial->rules));
	json_put_raw(w, "verdicts", buf_bytes(&trial->verdicts));
	return buf_check(&trial->rules, p) && buf_check(&trial->verdicts, p) && buf_check(&trial->errors, p);
}

void trial_free(struct trial *trial)
{
	buf_free(&trial->rules);
	buf_free(&trial->verdicts);
	buf_free(&trial->errors);
}
