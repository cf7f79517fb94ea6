#include "acme/challenge_error.h"

#include "acme/call.h"

enum { TRIES_MAX = 10 };

static void put_entry(struct json_writer *w, const struct json *entry)
{
	const struct json *identifier = json_member(entry, "identifier");

	json_open(w, NULL);
	json_put(w, "type", json_member_string(entry, "type"));
	json_put(w, "detail", json_member_string(entry, "detail"));
	if (identifier) {
		json_open(w, "identifier");
		json_put(w, "type", json_member_string(identifier, "type"));
		json_put(w, "value", json_member_string(identifier, "value"));
		json_close(w);
	}
	json_close(w);
}

/* The entries of a problem: its parts, or itself. */
static void put_entries(struct json_writer *w, const struct json *problem, size_t from)
{
	const struct json *parts = json_member(problem, "subproblems");

	for (size_t i = from; i < json_length(parts); i++)
		put_entry(w, json_at(parts, i));
	if (!parts)
		put_entry(w, problem);
}

static void join(const struct json *before, const struct json *newest, struct buf *ret)
{
	size_t told = json_length(json_member(before, "subproblems"));
	struct json_writer w = json_writer(ret);
	int64_t status = 400;

	json_open(&w, NULL);
	json_put(&w, "type", json_member_string(newest, "type"));
	json_put(&w, "detail", json_member_string(newest, "detail"));
	(void)!json_integer(json_member(newest, "status"), &status);
	json_put_integer(&w, "status", status);
	json_open_array(&w, "subproblems");
	put_entries(&w, before, told >= TRIES_MAX ? told - TRIES_MAX + 1 : 0);
	put_entries(&w, newest, 0);
	json_close(&w);
	json_close(&w);
}

bool challenge_error_write(const char *before, const struct problem *p, struct buf *ret, struct problem *why)
{
	auto_value(buf) text = { 0 };
	auto_struct(json) *old = NULL, *new = NULL;

	acme_problem_write(p, NULL, &text);
	if (!buf_check(&text, why))
		return false;
	if (!before) {
		buf_add(ret, text.data, text.len);
		return buf_check(ret, why);
	}
	if (!json_parse(BYTES_STR(before), &old, why) || !json_parse(buf_bytes(&text), &new, why))
		return false;
	join(old, new, ret);
	return buf_check(ret, why);
}
