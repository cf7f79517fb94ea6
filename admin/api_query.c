#include "admin/api_query.h"

#include <errno.h>
#include <stdio.h>

#include "base/clock.h"

enum { NAME_MAX_ = 32, VALUE_MAX = 255, NAMES_MAX = 32 };

static const struct api_parameter *parameter_find(const struct api_route *route, const char *name)
{
	for (size_t i = 0; route->query && route->query[i].name; i++)
		if (str_equal(route->query[i].name, name))
			return &route->query[i];
	return NULL;
}

static bool is_choice(const struct api_parameter *parameter, const char *value)
{
	if (!parameter->choices)
		return true;
	for (size_t i = 0; parameter->choices[i]; i++)
		if (str_equal(parameter->choices[i], value))
			return true;
	return false;
}

static bool is_text(const struct buf *value)
{
	for (size_t i = 0, n; i < value->len; i += n) {
		n = str_utf8(value->data + i, value->len - i);
		if (n == 0 || value->data[i] < 0x20 || value->data[i] == 0x7f)
			return false;
	}
	return true;
}

static void refuse_choice(const struct api_parameter *parameter, const char *value, struct problem *parts)
{
	auto_value(buf) known = {0};

	for (size_t i = 0; parameter->choices[i]; i++)
		buf_printf(&known, "%s%s", i > 0 ? ", " : "", parameter->choices[i]);
	problem_add_field(parts, PROBLEM_MALFORMED, parameter->name, value, "expected one of %s", buf_text(&known));
}

static void check_value(const struct api_parameter *parameter, const struct http_request *request, struct problem *parts)
{
	auto_value(buf) value = {0};

	if (!http_query(request, parameter->name, &value) && value.failed)
		problem_memory(parts);
	else if (value.len == 0 || value.len > VALUE_MAX || !is_text(&value))
		problem_add_field(parts, PROBLEM_MALFORMED, parameter->name, NULL, "expected a text of 1 to %d bytes", VALUE_MAX);
	else if (!is_choice(parameter, buf_text(&value)))
		refuse_choice(parameter, buf_text(&value), parts);
}

void api_query_check(const struct api_route *route, const struct http_request *request, struct problem *parts)
{
	const char *seen[NAMES_MAX];
	size_t count = 0;

	for (const char *at = request->query; *at; at += strcspn(at, "&"), at += *at == '&') {
		char name[NAME_MAX_ + 1];
		snprintf(name, sizeof(name), "%.*s", (int)strcspn(at, "=&"), at);
		const struct api_parameter *parameter = parameter_find(route, name);
		bool twice = false;
		for (size_t i = 0; parameter && i < count; i++)
			twice |= seen[i] == parameter->name;
		if (!parameter)
			problem_add_field(parts, PROBLEM_MALFORMED, name, NULL, "there is no such parameter");
		else if (twice)
			problem_add_field(parts, PROBLEM_MALFORMED, name, NULL, "is given twice");
		else
			check_value(parameter, request, parts);
		if (parameter && !twice && count < NAMES_MAX)
			seen[count++] = parameter->name;
	}
}

bool api_query(const struct api_call *call, const char *name, struct buf *ret, struct problem *parts)
{
	bool there = http_query(call->request, name, ret);

	if (ret->failed)
		problem_memory(parts);
	return there;
}

int64_t api_query_time(const struct api_call *call, const char *name, struct problem *parts)
{
	auto_value(buf) text = {0};
	int64_t t = 0;

	if (api_query(call, name, &text, parts) && !clock_parse(buf_text(&text), &t))
		problem_add_field(parts, PROBLEM_MALFORMED, name, buf_text(&text), "expected a time as in RFC 3339");
	return t;
}

size_t api_query_limit(const struct api_call *call, struct problem *parts)
{
	auto_value(buf) text = {0};
	char *end;

	if (!api_query(call, "limit", &text, parts))
		return API_PAGE;
	errno = 0;
	long value = strtol(buf_text(&text), &end, 10);
	if (errno == 0 && *end == '\0' && value >= 1 && value <= API_PAGE_MAX)
		return (size_t)value;
	problem_add_field(parts, PROBLEM_MALFORMED, "limit", buf_text(&text), "expected a number from 1 to %d", API_PAGE_MAX);
	return API_PAGE;
}
