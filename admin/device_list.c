#include "admin/device_list.h"

#include "admin/option.h"
#include "base/clock.h"

enum column { DEVICE, CERTIFICATE, PROFILE, NAMES, NOTE, EXPIRES, COLUMN_MAX };
static const char *const columns[COLUMN_MAX] = { "device", "certificate", "profile", "names", "note", "expires" };
enum { FIELDS_MAX = 16, FIELD_MAX = 4096 };

static void row_free(struct device_row *row)
{
	free(row->device);
	free(row->certificate);
	free(row->profile);
	free(row->note);
	strings_free(&row->names);
}

void device_list_free(struct device_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		row_free(&list->v[i]);
	free(list->v);
}

static bool add(struct device_list *list, struct device_row *row, struct problem *p)
{
	if (list->n == DEVICE_LIST_MAX)
		return problem_set(p, PROBLEM_TOO_LARGE, "over %d devices", DEVICE_LIST_MAX);
	if (list->n == list->room) {
		size_t room = list->room ? 2 * list->room : 1024;
		struct device_row *v = reallocarray(list->v, room, sizeof(*v));
		if (!v)
			return problem_memory(p);
		list->v = v;
		list->room = room;
	}
	list->v[list->n++] = *row;
	*row = (struct device_row){0};
	return true;
}

/* --- a row from its texts */

static bool take(char **ret, const char *text, struct problem *p)
{
	free(*ret);
	*ret = strdup(text);
	return *ret || problem_memory(p);
}

static bool take_certificate(struct device_row *row, const char *text, struct problem *p)
{
	auto_value(buf) hex = {0};

	return credential_certificate_read(text, &hex, p) && take(&row->certificate, buf_text(&hex), p);
}

static bool take_name(struct device_row *row, const char *text, struct problem *p)
{
	auto_value(problem) why = {0};

	if (!pattern_typed_check(text, &why))
		return problem_set(p, why.kind, "names: %s: %s", text, why.detail);
	return strings_add(&row->names, text) || problem_memory(p);
}

static bool take_names(struct device_row *row, const char *text, struct problem *p)
{
	auto_free char *copy = strdup(text);
	char *save = NULL;

	if (!copy)
		return problem_memory(p);
	for (char *one = strtok_r(copy, " ", &save); one; one = strtok_r(NULL, " ", &save))
		if (!take_name(row, one, p))
			return false;
	return true;
}

static bool take_text(struct device_row *row, enum column column, const char *text, struct problem *p)
{
	if (!*text)
		return true;
	switch (column) {
	case DEVICE: return credential_device_check(text, p) && take(&row->device, text, p);
	case CERTIFICATE: return take_certificate(row, text, p);
	case PROFILE: return take(&row->profile, text, p);
	case NAMES: return take_names(row, text, p);
	case NOTE: return take(&row->note, text, p);
	case EXPIRES:
		return clock_parse(text, &row->expires) ||
		       problem_set(p, PROBLEM_MALFORMED,
		                   "expires: expected a time such as 2027-01-31T00:00:00Z, got `%s`", text);
	default: return true;
	}
}

static bool row_check(const struct device_row *row, struct problem *p)
{
	return row->device || row->certificate ||
	       problem_set(p, PROBLEM_MALFORMED, "`device` or `certificate` is wanted");
}

static bool find_column(const char *name, enum column *ret)
{
	for (enum column c = 0; c < COLUMN_MAX; c++)
		if (str_equal(columns[c], name)) {
			*ret = c;
			return true;
		}
	return false;
}

static bool unknown_column(const char *name, struct problem *p)
{
	return problem_set(p, PROBLEM_MALFORMED,
	                   "`%s` is none of device, certificate, profile, names, note, expires", name);
}

/* --- JSON, one object a line */

static bool take_array(struct device_row *row, const struct json *value, struct problem *p)
{
	for (size_t i = 0; i < json_length(value); i++) {
		const char *name = json_string(json_at(value, i));
		if (!name)
			return problem_set(p, PROBLEM_MALFORMED, "names: expected texts");
		if (!take_name(row, name, p))
			return false;
	}
	return true;
}

static bool take_member(struct device_row *row, const struct json *member, struct problem *p)
{
	const char *name = json_name(member), *text = json_string(member);
	enum column column;

	if (!find_column(name, &column))
		return unknown_column(name, p);
	if (column == NAMES && json_is_array(member))
		return take_array(row, member, p);
	return text ? take_text(row, column, text, p) : problem_set(p, PROBLEM_MALFORMED, "%s: expected a text", name);
}

static bool read_object(struct bytes line, struct device_row *row, struct problem *p)
{
	auto_struct(json) *object = NULL;

	if (!json_parse(line, &object, p))
		return false;
	if (!json_is_object(object))
		return problem_set(p, PROBLEM_MALFORMED, "expected an object");
	for (size_t i = 0; i < json_length(object); i++)
		if (!take_member(row, json_at(object, i), p))
			return false;
	return row_check(row, p);
}

/* --- CSV */

struct csv {
	enum column columns[FIELDS_MAX];
	size_t count; /* 0: the head line was not read yet */
};

/* One field, quoted or not; *at is left behind the comma or at the end. */
static bool read_field(struct bytes line, size_t *at, char ret[FIELD_MAX], struct problem *p)
{
	bool quoted = *at < line.len && line.data[*at] == '"';
	size_t len = 0;

	for (*at += quoted; *at < line.len; (*at)++) {
		char c = (char)line.data[*at];
		if (quoted && c == '"' && *at + 1 < line.len && line.data[*at + 1] == '"')
			(*at)++;
		else if (quoted ? c == '"' : c == ',')
			break;
		if (len + 1 >= FIELD_MAX || c == '\0')
			return problem_set(p, PROBLEM_MALFORMED, "a field is too long, or has a NUL");
		ret[len++] = c;
	}
	ret[len] = '\0';
	if (quoted && (*at == line.len || line.data[(*at)++] != '"'))
		return problem_set(p, PROBLEM_MALFORMED, "RFC 4180, 2: a quote is not closed on its line");
	if (*at < line.len && line.data[*at] != ',')
		return problem_set(p, PROBLEM_MALFORMED, "RFC 4180, 2: a comma is wanted after a quote");
	return true;
}

static bool read_head_field(struct csv *csv, const char *text, struct problem *p)
{
	if (csv->count == FIELDS_MAX)
		return problem_set(p, PROBLEM_MALFORMED, "over %d columns", FIELDS_MAX);
	return find_column(text, &csv->columns[csv->count++]) || unknown_column(text, p);
}

static bool read_fields(struct csv *csv, struct bytes line, struct device_row *row, struct problem *p)
{
	char field[FIELD_MAX];
	size_t at = 0, n = 0, head = csv->count;

	for (;; at++, n++) {
		if (!read_field(line, &at, field, p))
			return false;
		if (head > 0 && n >= head)
			return problem_set(p, PROBLEM_MALFORMED, "more fields than the head line has");
		if (!(head > 0 ? take_text(row, csv->columns[n], field, p) : read_head_field(csv, field, p)))
			return false;
		if (at >= line.len)
			return true;
	}
}

/* --- the lines */

static bool read_line(struct csv *csv, struct bytes line, struct device_list *list, struct problem *p)
{
	struct device_row row = {0};
	bool is_json = line.data[0] == '{' && csv->count == 0, head = !is_json && csv->count == 0;
	bool ok = is_json ? read_object(line, &row, p)
	                  : read_fields(csv, line, &row, p) && (head || row_check(&row, p));

	ok = ok && (head || add(list, &row, p));
	row_free(&row);
	return ok;
}

static struct bytes line_at(struct bytes text, size_t at)
{
	const uint8_t *end = memchr(text.data + at, '\n', text.len - at);
	size_t len = end ? (size_t)(end - text.data) - at : text.len - at;

	return BYTES(text.data + at, len);
}

static struct bytes trimmed(struct bytes line)
{
	while (line.len > 0 && strchr("\r \t", line.data[line.len - 1]) && line.data[line.len - 1])
		line.len--;
	return line;
}

bool device_list_read(struct bytes text, struct device_list *ret, struct problem *p)
{
	static const uint8_t mark[] = { 0xef, 0xbb, 0xbf }; /* as spreadsheets write it */
	auto_value(device_list) list = {0};
	auto_value(problem) why = {0};
	struct csv csv = {0};
	size_t number = 1;

	if (text.len > sizeof(mark) && memcmp(text.data, mark, sizeof(mark)) == 0)
		text = BYTES(text.data + sizeof(mark), text.len - sizeof(mark));
	for (size_t at = 0; at < text.len; number++) {
		struct bytes whole = line_at(text, at), line = trimmed(whole);
		at += whole.len + 1;
		if (line.len > 0 && !read_line(&csv, line, &list, &why))
			return problem_set(p, why.kind, "line %zu: %s", number, problem_cause(&why));
	}
	*ret = list;
	list = (struct device_list){0};
	return true;
}
