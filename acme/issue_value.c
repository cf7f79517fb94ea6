#include "acme/issue_value.h"

#include <ctype.h>
#include <strings.h>

bool issue_text_is(struct bytes b, const char *text)
{
	return b.len == strlen(text) && strncasecmp((const char *)b.data, text, b.len) == 0;
}

static void skip_space(struct bytes *in)
{
	while (in->len > 0 && (in->data[0] == ' ' || in->data[0] == '\t'))
		*in = BYTES(in->data + 1, in->len - 1);
}

static bool skip_char(struct bytes *in, char c)
{
	if (in->len == 0 || in->data[0] != (uint8_t)c)
		return false;
	*in = BYTES(in->data + 1, in->len - 1);
	return true;
}

static struct bytes take_while(struct bytes *in, bool (*fits)(uint8_t c))
{
	struct bytes all = *in;

	while (in->len > 0 && fits(in->data[0]))
		*in = BYTES(in->data + 1, in->len - 1);
	return BYTES(all.data, all.len - in->len);
}

static bool is_label_char(uint8_t c)
{
	return isascii(c) && (isalnum(c) || c == '-');
}

static bool is_domain_char(uint8_t c)
{
	return is_label_char(c) || c == '.';
}

static bool is_value_char(uint8_t c)
{
	return c >= 0x21 && c <= 0x7e && c != ';';
}

static bool take_parameter(struct bytes *in, struct issue_value *v)
{
	struct issue_parameter *p = &v->parameters[v->n];

	if (v->n == ISSUE_PARAMETERS_MAX)
		return false;
	p->tag = take_while(in, is_label_char);
	if (p->tag.len == 0 || p->tag.data[0] == '-' || p->tag.data[p->tag.len - 1] == '-')
		return false;
	skip_space(in);
	if (!skip_char(in, '='))
		return false;
	skip_space(in);
	p->value = take_while(in, is_value_char);
	skip_space(in);
	v->n++;
	return true;
}

static bool take_parameters(struct bytes *in, struct issue_value *v)
{
	do {
		skip_space(in);
		if (!take_parameter(in, v))
			return false;
	} while (skip_char(in, ';'));
	return in->len == 0;
}

bool issue_value_parse(struct bytes text, struct issue_value *ret)
{
	ret->n = 0;
	skip_space(&text);
	ret->domain = take_while(&text, is_domain_char);
	skip_space(&text);
	if (text.len == 0)
		return true;
	if (!skip_char(&text, ';'))
		return false;
	skip_space(&text);
	return text.len == 0 || take_parameters(&text, ret);
}

size_t issue_value_find(const struct issue_value *value, const char *tag, struct bytes *ret)
{
	size_t found = 0;

	for (size_t i = 0; i < value->n; i++) {
		if (!issue_text_is(value->parameters[i].tag, tag))
			continue;
		*ret = value->parameters[i].value;
		found++;
	}
	return found;
}

bool issue_value_domain_is(const struct issue_value *value, const struct strings *names)
{
	for (size_t i = 0; names && value->domain.len > 0 && i < names->n; i++)
		if (issue_text_is(value->domain, names->v[i]))
			return true;
	return false;
}
