#include "admin/api_query.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>

#include "admin/api_body.h"
#include "base/clock.h"

enum { NAME_MAX_ = 32, PARAMETERS_MAX = 32 };

#define wrong(name, value, ...) problem_add_field(parts, PROBLEM_MALFORMED, name, value, __VA_ARGS__)

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
		if (n == 0 || value->data[i] == '\0')
			return false;
	}
	return value->len > 0 && api_text_length(buf_text(value)) <= API_TEXT_MAX &&
	       !api_text_has_control(buf_text(value), "");
}

static bool is_integer(const struct api_parameter *parameter, const char *text)
{
	errno = 0;
	long long value = strtoll(text, NULL, 10);
	return text[strspn(text, "0123456789")] == '\0' && errno == 0 && value >= parameter->min &&
	       value <= parameter->max;
}

static void refuse_choice(const struct api_parameter *parameter, const char *value, struct problem *parts)
{
	auto_value(buf) known = {0};

	for (size_t i = 0; parameter->choices[i]; i++)
		buf_printf(&known, "%s%s", i > 0 ? ", " : "", parameter->choices[i]);
	wrong(parameter->name, value, "expected one of %s", buf_text(&known));
}

static void check_value(const struct api_parameter *parameter, const struct http_request *request,
                        struct problem *parts)
{
	auto_value(buf) value = {0};
	int64_t t;

	if (!http_query(request, parameter->name, &value) && value.failed)
		problem_memory(parts);
	else if (!is_text(&value))
		wrong(parameter->name, NULL, "expected a text of 1 to %d characters", API_TEXT_MAX);
	else if (!is_choice(parameter, buf_text(&value)))
		refuse_choice(parameter, buf_text(&value), parts);
	else if (parameter->type == API_INTEGER && !is_integer(parameter, buf_text(&value)))
		wrong(parameter->name, buf_text(&value), "expected a number from %lld to %lld",
		      (long long)parameter->min, (long long)parameter->max);
	else if (parameter->type == API_TIME && !clock_parse(buf_text(&value), &t))
		wrong(parameter->name, buf_text(&value), "expected a time as in RFC 3339");
}

/* The rest behind the next `&`; ret: the parameter of this one, NULL: there is none of that name. */
static const char *step(const struct api_route *route, const char *at, char name[NAME_MAX_ + 1],
                        const struct api_parameter **ret)
{
	size_t length = strcspn(at, "&");

	snprintf(name, NAME_MAX_ + 1, "%.*s", (int)strcspn(at, "=&"), at);
	*ret = parameter_find(route, name);
	return at + length + (at[length] == '&');
}

void api_query_check(const struct api_route *route, const struct http_request *request, struct problem *parts)
{
	const struct api_parameter *parameter;
	bool seen[PARAMETERS_MAX] = {0};
	char name[NAME_MAX_ + 1];

	for (const char *at = request->query; *at;) {
		at = step(route, at, name, &parameter);
		size_t i = parameter ? (size_t)(parameter - route->query) : 0;
		assert(i < PARAMETERS_MAX);
		if (!parameter)
			wrong(name, NULL, "there is no such parameter");
		else if (seen[i])
			wrong(name, NULL, "is given twice");
		else
			check_value(parameter, request, parts);
		seen[i] |= parameter != NULL;
	}
	for (size_t i = 0; route->query && route->query[i].name; i++)
		if (route->query[i].required && !seen[i])
			wrong(route->query[i].name, NULL, "is missing");
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

	return api_query(call, name, &text, parts) && clock_parse(buf_text(&text), &t) ? t : 0;
}

void api_query_after(const struct api_call *call, char ret[STORE_CURSOR_SIZE], struct problem *parts)
{
	auto_value(buf) after = {0};

	ret[0] = '\0';
	if (!api_query(call, "after", &after, parts))
		return;
	if (after.len >= STORE_CURSOR_SIZE)
		problem_add_field(parts, PROBLEM_MALFORMED, "after", NULL,
		                  "expected the `next` of a page of the same list");
	else
		strcpy(ret, buf_text(&after));
}

size_t api_query_limit(const struct api_call *call, struct problem *parts)
{
	auto_value(buf) text = {0};

	return api_query(call, "limit", &text, parts) ? (size_t)strtoul(buf_text(&text), NULL, 10) : API_PAGE;
}
