#include "base/json.h"

#include <assert.h>

#include "base/clock.h"

struct json_writer json_writer(struct buf *out)
{
	return (struct json_writer){ .out = out };
}

static bool is_plain(char c)
{
	return (uint8_t)c >= 0x20 && c != '"' && c != '\\';
}

/* Bytes of text that can be written as they are: ASCII for the most part. */
static size_t plain_length(const char *text, size_t len)
{
	size_t n = 0, next;

	while (n < len && is_plain(text[n]) && (next = (uint8_t)text[n] < 0x80 ? 1 : str_utf8(text + n, len - n)) > 0)
		n += next;
	return n;
}

static void write_special(struct buf *out, uint8_t c)
{
	static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
	const char *found = c ? strchr(from, c) : NULL;

	if (found)
		buf_printf(out, "\\%c", to[found - from]);
	else if (c < 0x20)
		buf_printf(out, "\\u%04x", c);
	else
		buf_add_str(out, "\xef\xbf\xbd"); /* U+FFFD */
}

static void write_string(struct buf *out, const char *text)
{
	size_t len = strlen(text);

	buf_add_char(out, '"');
	for (size_t n; len > 0; text += n, len -= n) {
		n = plain_length(text, len);
		buf_add(out, text, n);
		if (n == 0) {
			write_special(out, (uint8_t)*text);
			n = 1;
		}
	}
	buf_add_char(out, '"');
}

/* What comes before a value: the comma, and in an object its name. */
static void write_begin(struct json_writer *w, const char *name)
{
	assert((w->depth > 0 && w->closing[w->depth - 1] == '}') == (name != NULL));
	assert(w->depth > 0 || !w->comma);
	if (w->comma)
		buf_add_char(w->out, ',');
	w->comma = true;
	if (!name)
		return;
	write_string(w->out, name);
	buf_add_char(w->out, ':');
}

static void write_open(struct json_writer *w, const char *name, char opening, char closing)
{
	assert(w->depth < JSON_DEPTH_MAX);
	write_begin(w, name);
	buf_add_char(w->out, opening);
	w->closing[w->depth++] = closing;
	w->comma = false;
}

void json_open(struct json_writer *w, const char *name)
{
	write_open(w, name, '{', '}');
}

void json_open_array(struct json_writer *w, const char *name)
{
	write_open(w, name, '[', ']');
}

void json_close(struct json_writer *w)
{
	assert(w->depth > 0);
	buf_add_char(w->out, w->closing[--w->depth]);
	w->comma = true;
}

void json_put(struct json_writer *w, const char *name, const char *text)
{
	if (!text)
		return;
	write_begin(w, name);
	write_string(w->out, text);
}

void json_put_some(struct json_writer *w, const char *name, const char *text)
{
	json_put(w, name, text && *text ? text : NULL);
}

void json_put_buf(struct json_writer *w, const char *name, const struct buf *text)
{
	json_put(w, name, buf_text(text));
	if (text->failed)
		w->out->failed = true;
}

void json_put_integer(struct json_writer *w, const char *name, int64_t value)
{
	write_begin(w, name);
	if (value < 0)
		buf_add_char(w->out, '-');
	buf_add_decimal(w->out, value < 0 ? -(uint64_t)value : (uint64_t)value);
}

void json_put_bool(struct json_writer *w, const char *name, bool value)
{
	write_begin(w, name);
	buf_add_str(w->out, value ? "true" : "false");
}

void json_put_time(struct json_writer *w, const char *name, int64_t t)
{
	char text[CLOCK_RFC3339_SIZE];

	if (t == 0)
		return;
	clock_format(t, text);
	json_put(w, name, text);
}

void json_put_texts(struct json_writer *w, const char *name, const char *const *v, size_t n)
{
	json_open_array(w, name);
	for (size_t i = 0; i < n; i++)
		json_put(w, NULL, v[i]);
	json_close(w);
}

void json_put_strings(struct json_writer *w, const char *name, const struct strings *list)
{
	json_put_texts(w, name, (const char *const *)list->v, list->n);
}

void json_put_raw(struct json_writer *w, const char *name, struct bytes json)
{
	write_begin(w, name);
	buf_add(w->out, json.data, json.len);
}
