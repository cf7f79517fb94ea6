#include <ctype.h>
#include <stdio.h>

#include "admin/api_call.h"

/* "BAD_CSR" as "bad-csr". */
static void put_type(struct json_writer *w, enum problem_kind kind)
{
	char type[64];
	int begin = snprintf(type, sizeof(type), "urn:enrolld:problem:");

	snprintf(type + begin, sizeof(type) - (size_t)begin, "%s", problem_kind_name(kind));
	for (char *c = type + begin; *c; c++)
		*c = *c == '_' ? '-' : (char)tolower((unsigned char)*c);
	json_put(w, "type", type);
}

void api_problem_part(const struct problem_sub *sub, struct json_writer *w)
{
	json_open(w, NULL);
	json_put_some(w, "field", sub->field);
	json_put_some(w, "value", sub->value);
	json_put_some(w, "rule", sub->rule);
	json_put(w, "message", *sub->message ? sub->message : sub->detail);
	json_put(w, "detail", sub->detail);
	json_close(w);
}

/* That something is revoked already is no fault of the request's form, as ACME has it (RFC 8555, 7.6). */
int api_problem_status(const struct problem *p)
{
	return p->kind == PROBLEM_ALREADY_REVOKED ? 409 : problem_status(p);
}

void api_problem_write(const struct problem *p, const char *request_id, struct buf *ret)
{
	char instance[96];
	struct json_writer w = json_writer(ret);

	snprintf(instance, sizeof(instance), "urn:enrolld:request:%s", request_id ?: "");
	json_open(&w, NULL);
	put_type(&w, p->kind);
	json_put_integer(&w, "status", api_problem_status(p));
	json_put(&w, "detail", problem_text(p));
	json_put(&w, "instance", request_id ? instance : NULL);
	if (p->sub_count > 0) {
		json_open_array(&w, "errors");
		for (size_t i = 0; i < p->sub_count; i++)
			api_problem_part(&p->subs[i], &w);
		json_close(&w);
	}
	json_close(&w);
}

static bool is_ours(enum problem_kind kind)
{
	return kind == PROBLEM_INTERNAL || kind == PROBLEM_UNAVAILABLE;
}

/* The parts of a refusal, in one line, as clients show it that know no `errors`. */
static void join(const struct problem *parts, char ret[PROBLEM_DETAIL_MAX])
{
	size_t used = 0;

	for (size_t i = 0; i < parts->sub_count && used < PROBLEM_DETAIL_MAX; i++) {
		const struct problem_sub *sub = &parts->subs[i];
		bool named = sub->field[0] && !strstr(sub->detail, sub->field) && !str_equal(sub->field, "csr");
		used += (size_t)snprintf(ret + used, PROBLEM_DETAIL_MAX - used, "%s%s%s%s", i > 0 ? "; " : "",
		                         named ? sub->field : "", named ? ": " : "", sub->detail);
	}
}

bool api_settle(struct problem *parts, struct problem *p)
{
	char text[PROBLEM_DETAIL_MAX] = "";
	char cause[PROBLEM_DETAIL_MAX];

	if (!problem_is_set(parts)) {
		join(parts, text);
		memcpy(cause, parts->cause, sizeof(cause));
		if (problem_settle(parts, "%s", text))
			return true;
		memcpy(parts->cause, cause, sizeof(cause));
	}
	problem_done(p);
	*p = *parts;
	*parts = (struct problem){0};
	return false;
}

static void take_part(struct problem *parts, const struct problem_sub *sub, const char *field)
{
	const struct problem_breach breach = { sub->field[0] ? sub->field : field, sub->value, sub->rule,
		                               sub->message };

	problem_add_breach(parts, sub->kind, NULL, NULL, &breach, "%s", sub->detail);
}

bool api_gather(struct problem *parts, struct problem *why, const char *field)
{
	if (problem_is_set(parts)) /* by what is our own fault: that hides the rest */
		return false;
	if (is_ours(why->kind)) {
		problem_done(parts);
		*parts = *why;
		*why = (struct problem){0};
		return false;
	}
	for (size_t i = 0; i < why->sub_count; i++)
		take_part(parts, &why->subs[i], field);
	if (why->sub_count == 0)
		problem_add_field(parts, why->kind, field, NULL, "%s", why->detail);
	snprintf(parts->cause, sizeof(parts->cause), "%s", why->cause);
	return false;
}
