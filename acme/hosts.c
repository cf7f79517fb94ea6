#include "acme/hosts.h"

#include <string.h>
#include <strings.h>

static const char *const blanks = " \t\r";

/* Cuts what stands before the first of the ends off the text. false: nothing is left. */
static bool cut(struct bytes *text, const char *ends, struct bytes *ret)
{
	size_t n = 0;

	if (!text->len)
		return false;
	while (n < text->len && !(text->data[n] && strchr(ends, text->data[n])))
		n++;
	*ret = BYTES(text->data, n);
	n += n < text->len;
	*text = BYTES(text->data + n, text->len - n);
	return true;
}

static bool next_word(struct bytes *line, struct bytes *ret)
{
	while (cut(line, blanks, ret))
		if (ret->len)
			return true;
	return false;
}

static size_t without_dot(const char *name, size_t len)
{
	return len && name[len - 1] == '.' ? len - 1 : len;
}

static bool names(struct bytes line, const char *name)
{
	size_t len = without_dot(name, strlen(name));
	struct bytes word;

	while (next_word(&line, &word)) {
		const char *text = (const char *)word.data;

		if (without_dot(text, word.len) == len && strncasecmp(text, name, len) == 0)
			return true;
	}
	return false;
}

static bool take_address(struct bytes word, struct addr *ret)
{
	char text[ADDR_TEXT_SIZE];

	if (word.len >= sizeof(text) || memchr(word.data, 0, word.len))
		return false;
	memcpy(text, word.data, word.len);
	text[word.len] = 0;
	return addr_parse(text, ret);
}

size_t hosts_find(struct bytes text, const char *name, int family, struct addr *ret, size_t max)
{
	struct bytes line, rest, word;
	size_t n = 0;

	while (n < max && cut(&text, "\n", &line)) {
		rest = line;
		if (!cut(&rest, "#", &line) || !next_word(&line, &word) || !names(line, name))
			continue;
		if (take_address(word, &ret[n]) && ret[n].family == family)
			n++;
	}
	return n;
}
