#include "server/router.h"

#include <assert.h>

#include "base/ascii.h"
#include "server/reply.h"

enum { SEGMENTS_MAX = 12 };

/* A path between its slashes; "/a/" ends with an empty one. */
struct segment {
	const char *text;
	size_t len;
};
struct segments {
	struct segment v[SEGMENTS_MAX];
	size_t n;
};

struct row {
	const struct http_wing *wing;
	size_t index;                    /* the route's, in its wing */
	const struct http_route *route;
	struct segments path;
};

struct router {
	const struct http_wing **wings;
	size_t wing_count;
	struct row *rows;                /* the more literal before the less */
	size_t row_count;
	size_t begin[SEGMENTS_MAX + 2];  /* of the rows of that many segments; the last: of those that take any rest */
};

/* Of a path of more segments, the last one is all the rest: no name fits it, a {name*} does. */
static bool segments_split(const char *path, struct segments *ret)
{
	ret->n = 0;
	while (*path == '/') {
		size_t len = ret->n == SEGMENTS_MAX - 1 ? strlen(path + 1) : strcspn(path + 1, "/");
		ret->v[ret->n++] = (struct segment){ ++path, len };
		path += len;
	}
	return *path == '\0' && ret->n > 0;
}

static bool is_capture(const struct segment *s)
{
	return s->len > 2 && s->text[0] == '{' && s->text[s->len - 1] == '}';
}

static bool is_rest(const struct segment *s)
{
	return is_capture(s) && s->text[s->len - 2] == '*';
}

static bool has_rest(const struct row *row)
{
	return is_rest(&row->path.v[row->path.n - 1]);
}

/* Rows that take any rest come last. Of the same length, literals before captures, left to right: the first that
 * fits fits best. */
static int row_compare(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	if (has_rest(x) != has_rest(y))
		return has_rest(x) ? 1 : -1;
	if (x->path.n != y->path.n)
		return (x->path.n < y->path.n) == has_rest(x) ? 1 : -1;
	for (size_t i = 0; i < x->path.n; i++) {
		int order = (int)is_capture(&x->path.v[i]) - (int)is_capture(&y->path.v[i]);
		if (order != 0)
			return order;
	}
	return 0;
}

static bool same_segment(const struct segment *a, const struct segment *b)
{
	if (is_capture(a) || is_capture(b))
		return is_capture(a) && is_capture(b);
	return a->len == b->len && memcmp(a->text, b->text, a->len) == 0;
}

static bool same_path(const struct row *a, const struct row *b)
{
	if (a->path.n != b->path.n || has_rest(a) != has_rest(b))
		return false;
	for (size_t i = 0; i < a->path.n; i++)
		if (!same_segment(&a->path.v[i], &b->path.v[i]))
			return false;
	return true;
}

/* Two rows of which one could never be reached. */
static bool same_row(const struct row *a, const struct row *b)
{
	const char *a_type = a->route->content_type ?: "", *b_type = b->route->content_type ?: "";

	return a->route->method == b->route->method && str_equal(a_type, b_type) && same_path(a, b);
}

static bool check_distinct(const struct row *rows, size_t count, struct problem *p)
{
	for (size_t i = 0; i < count; i++)
		for (size_t j = i + 1; j < count; j++)
			if (same_row(&rows[i], &rows[j]))
				return problem_internal(p, "the route %s stands twice", rows[j].route->path);
	return true;
}

/* A route has no more segments than a path is split into, and {name*} at its end alone. */
static bool is_written_well(const struct segments *path)
{
	for (size_t i = 0; i < path->n; i++)
		if (memchr(path->v[i].text, '/', path->v[i].len) || (is_rest(&path->v[i]) && i + 1 < path->n))
			return false;
	return true;
}

static bool row_init(const struct http_wing *wing, size_t i, struct row *row, struct problem *p)
{
	size_t captures = 0;

	*row = (struct row){ .wing = wing, .index = i, .route = wing->route(wing->state, i) };
	if (!segments_split(row->route->path, &row->path) || !is_written_well(&row->path))
		return problem_internal(p, "the route %s has no path or too long a one", row->route->path);
	for (size_t s = 0; s < row->path.n; s++)
		captures += is_capture(&row->path.v[s]) && !is_rest(&row->path.v[s]);
	if (captures > HTTP_CAPTURES_MAX)
		return problem_internal(p, "the route %s has too many captures", row->route->path);
	return true;
}

static size_t count_routes(const struct http_wing *const *wings, size_t count)
{
	size_t routes = 0;

	for (size_t i = 0; i < count; i++)
		routes += wings[i]->route_count;
	return routes;
}

/* The rows are in their order. */
static void find_begins(struct router *router)
{
	size_t i = 0;

	for (size_t n = 0; n < array_length(router->begin); n++) {
		while (i < router->row_count && !has_rest(&router->rows[i]) && router->rows[i].path.n < n)
			i++;
		router->begin[n] = i;
	}
}

bool router_new(const struct http_wing *const *wings, size_t count, struct router **ret, struct problem *p)
{
	auto_struct(router) *router = calloc(1, sizeof(*router));
	size_t routes = count_routes(wings, count);

	if (!router)
		return problem_memory(p);
	router->wings = calloc(count + 1, sizeof(*router->wings));
	router->rows = calloc(routes + 1, sizeof(*router->rows));
	if (!router->wings || !router->rows)
		return problem_memory(p);
	for (size_t w = 0; w < count; w++) {
		router->wings[router->wing_count++] = wings[w];
		for (size_t i = 0; i < wings[w]->route_count; i++)
			if (!row_init(wings[w], i, &router->rows[router->row_count++], p))
				return false;
	}
	if (!check_distinct(router->rows, router->row_count, p))
		return false;
	qsort(router->rows, router->row_count, sizeof(*router->rows), row_compare);
	find_begins(router);
	*ret = steal(router);
	return true;
}

void router_free(struct router *router)
{
	if (!router)
		return;
	free(router->wings);
	free(router->rows);
	free(router);
}

static bool is_capture_char(char c)
{
	return ascii_is_alnum(c) || (c != '\0' && strchr("-_.~:", c)); /* a fingerprint is often written with colons */
}

/* "." and ".." are places in a tree, not names (RFC 3986, 5.2.4). */
static bool is_name(const struct segment *s)
{
	if (s->len == 0 || s->len >= HTTP_CAPTURE_SIZE || strspn(s->text, ".") >= s->len)
		return false;
	for (size_t i = 0; i < s->len; i++)
		if (!is_capture_char(s->text[i]))
			return false;
	return true;
}

static bool segment_fits(const struct segment *pattern, const struct segment *s)
{
	if (is_capture(pattern))
		return is_name(s);
	return pattern->len == s->len && memcmp(pattern->text, s->text, s->len) == 0;
}

static bool row_fits(const struct row *row, const struct segments *path)
{
	size_t n = has_rest(row) ? row->path.n - 1 : row->path.n;

	if (has_rest(row) ? path->n <= n : path->n != n)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!segment_fits(&row->path.v[i], &path->v[i]))
			return false;
	return true;
}

static void row_capture(const struct row *row, const struct segments *path, struct http_request *request)
{
	size_t n = 0;

	for (size_t i = 0; i < row->path.n; i++) {
		if (!is_capture(&row->path.v[i]) || is_rest(&row->path.v[i]))
			continue;
		memcpy(request->captures[n], path->v[i].text, path->v[i].len);
		request->captures[n++][path->v[i].len] = '\0';
	}
}

static bool type_fits(const struct http_route *route, const struct http_request *request)
{
	return !route->content_type || route->own_type || http_is_type(request, route->content_type);
}

/* What the rows of a path have to say about a request. */
struct finding {
	const struct row *first;     /* whose path fits best: all the others have the same */
	const struct row *row;       /* fits in everything, or NULL */
	const struct row *wrong_type;
	const struct row *wrong_method;
	unsigned methods;            /* bit per method that some row serves */
};

/* A row of the method itself wins over GET's for HEAD. */
static void finding_add(struct finding *f, const struct row *row, const struct http_request *request)
{
	enum http_method method = row->route->method;
	bool exact = method == request->method;

	f->first = f->first ?: row;
	f->methods |= 1u << method | (method == HTTP_GET ? 1u << HTTP_HEAD : 0);
	if (!exact && !(method == HTTP_GET && request->method == HTTP_HEAD))
		f->wrong_method = f->wrong_method ?: row;
	else if (!type_fits(row->route, request))
		f->wrong_type = f->wrong_type ?: row;
	else if (!f->row || (exact && f->row->route->method != request->method))
		f->row = row;
}

/* "/things/import" is one resource and "/things/{id}" another: what the second can, the first cannot. */
static void look_among(const struct router *router, size_t begin, size_t end, const struct segments *path,
                       const struct http_request *request, struct finding *f)
{
	for (size_t i = begin; i < end; i++)
		if (row_fits(&router->rows[i], path) && (!f->first || same_path(f->first, &router->rows[i])))
			finding_add(f, &router->rows[i], request);
}

static struct finding look_up(const struct router *router, const struct segments *path,
                              const struct http_request *request)
{
	struct finding f = {0};

	look_among(router, router->begin[path->n], router->begin[path->n + 1], path, request, &f);
	look_among(router, router->begin[SEGMENTS_MAX + 1], router->row_count, path, request, &f);
	return f;
}

static const struct http_wing *wing_of_path(const struct router *router, const char *path)
{
	const struct http_wing *found = NULL;

	for (size_t i = 0; i < router->wing_count; i++) {
		const char *prefix = router->wings[i]->prefix;
		if (!prefix || !*prefix || !str_starts(path, prefix))
			continue;
		if (!found || strlen(prefix) > strlen(found->prefix))
			found = router->wings[i];
	}
	return found;
}

static void allow(unsigned methods, struct http_response *response)
{
	auto_value(buf) list = {0};

	methods |= 1u << HTTP_OPTIONS;
	for (enum http_method m = HTTP_GET; m < HTTP_METHOD_OTHER; m++)
		if (methods & 1u << m)
			buf_printf(&list, "%s%s", list.len > 0 ? ", " : "", http_method_name(m));
	http_response_header_buf(response, "Allow", &list);
}

/* RFC 9110, 9.3.7; "*" asks about the server as a whole. */
static bool answer_options(unsigned methods, struct http_response *response)
{
	response->status = 204;
	allow(methods, response);
	return false;
}

static void refuse(const struct http_wing *wing, size_t route, const struct http_request *request,
                   const struct problem *p, struct http_response *response)
{
	if (wing)
		wing->refuse(wing->state, route, request, p, response);
	else
		reply_problem(p, response);
}

static bool refuse_method(const struct finding *f, const struct http_request *request,
                          struct router_match *match, struct http_response *response)
{
	auto_value(problem) p = {0};

	match->wing = f->wrong_method->wing;
	match->route = match->wing->route_count;
	problem_set(&p, PROBLEM_METHOD_NOT_ALLOWED, "RFC 9110, 15.5.6: %s is not a method of this resource",
	            request->method_name);
	refuse(match->wing, match->route, request, &p, response);
	allow(f->methods, response);
	return false;
}

static bool refuse_type(const struct row *row, const struct http_request *request,
                        struct http_response *response)
{
	auto_value(problem) p = {0};

	problem_set(&p, PROBLEM_UNSUPPORTED_MEDIA_TYPE, "RFC 9110, 15.5.16: the Content-Type must be %s",
	            row->route->content_type);
	refuse(row->wing, row->index, request, &p, response);
	return false;
}

static bool refuse_path(const struct router *router, const struct http_request *request,
                        struct router_match *match, struct http_response *response)
{
	auto_value(problem) p = {0};

	match->wing = wing_of_path(router, request->path);
	match->route = match->wing ? match->wing->route_count : 0;
	problem_set(&p, PROBLEM_NOT_FOUND, "RFC 9110, 15.5.5: there is nothing at this path");
	refuse(match->wing, match->route, request, &p, response);
	return false;
}

bool router_find(const struct router *router, struct http_request *request, struct router_match *ret,
                 struct http_response *response)
{
	struct segments path;
	struct finding f = {0};

	*ret = (struct router_match){0};
	if (request->method == HTTP_OPTIONS && str_equal(request->path, "*"))
		return answer_options(1u << HTTP_GET | 1u << HTTP_HEAD | 1u << HTTP_POST, response);
	if (segments_split(request->path, &path))
		f = look_up(router, &path, request);
	if (f.methods == 0)
		return refuse_path(router, request, ret, response);
	if (!f.row && request->method == HTTP_OPTIONS)
		return answer_options(f.methods, response);
	if (!f.row && !f.wrong_type)
		return refuse_method(&f, request, ret, response);
	const struct row *row = f.row ?: f.wrong_type;
	*ret = (struct router_match){ row->wing, row->index, row->route->body_max };
	row_capture(row, &path, request);
	return f.row || refuse_type(row, request, response);
}

static void say_cause(const struct problem *p, char *cause, size_t size)
{
	const char *text = problem_cause(p);
	size_t len = strnlen(text, size - 1);

	memcpy(cause, text, len);
	cause[len] = '\0';
}

void router_serve(const struct router_match *match, const struct http_request *request, struct http_response *response,
                  char *cause, size_t cause_size)
{
	const struct http_wing *wing = match->wing;
	auto_value(problem) p = {0};

	assert(wing);
	*cause = '\0';
	if (wing->serve(wing->state, match->route, request, response, &p))
		return;
	say_cause(&p, cause, cause_size);
	http_response_clear(response);
	refuse(wing, match->route, request, &p, response);
}

void router_refuse(const struct router *router, const struct router_match *match, const struct http_request *request,
                   const struct problem *p, struct http_response *response)
{
	const struct http_wing *wing = match->wing ?: wing_of_path(router, request->path);
	size_t route = match->wing ? match->route : wing ? wing->route_count : 0;

	http_response_clear(response);
	refuse(wing, route, request, p, response);
}
