#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include <openssl/crypto.h>

void mem_close_p(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

void mem_wipe(void *p, size_t len)
{
	if (len > 0)
		explicit_bzero(p, len);
}

void *mem_table(size_t size)
{
	void *table = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return table == MAP_FAILED ? NULL : table;
}

void mem_table_free(void *table, size_t size)
{
	if (table)
		munmap(table, size);
}

char *mem_printf(const char *fmt, ...)
{
	char *text = NULL;
	va_list args;

	va_start(args, fmt);
	int n = vasprintf(&text, fmt, args);
	va_end(args);
	return n < 0 ? NULL : text;
}

bool mem_equal_secret(const void *a, const void *b, size_t len)
{
	return CRYPTO_memcmp(a, b, len) == 0;
}

bool str_starts(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool str_ends(const char *s, const char *suffix)
{
	size_t len = strlen(s), suffix_len = strlen(suffix);

	return len >= suffix_len && memcmp(s + len - suffix_len, suffix, suffix_len) == 0;
}

static size_t utf8_announced(uint8_t first)
{
	if (first < 0x80)
		return 1;
	if (first >= 0xc2 && first <= 0xdf)
		return 2;
	if (first >= 0xe0 && first <= 0xef)
		return 3;
	return first >= 0xf0 && first <= 0xf4 ? 4 : 0;
}

/* RFC 3629, 4: no overlong form, no surrogate, nothing above U+10FFFF. */
static bool utf8_second_fits(uint8_t first, uint8_t second)
{
	switch (first) {
	case 0xe0: return second >= 0xa0;
	case 0xed: return second <= 0x9f;
	case 0xf0: return second >= 0x90;
	case 0xf4: return second <= 0x8f;
	default: return true;
	}
}

size_t str_utf8(const void *text, size_t len)
{
	const uint8_t *s = text;
	size_t n = len > 0 ? utf8_announced(s[0]) : 0;

	if (n > len)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	return n < 2 || utf8_second_fits(s[0], s[1]) ? n : 0;
}

void str_join(char *ret, size_t size, ...)
{
	const char *s;
	va_list args;

	va_start(args, size);
	while ((s = va_arg(args, const char *))) {
		size_t len = strnlen(s, size - 1);

		memcpy(ret, s, len);
		ret += len;
		size -= len;
	}
	va_end(args);
	*ret = '\0';
}

const char *str_decimal(uint64_t n, char ret[STR_DECIMAL_SIZE])
{
	char *at = ret + STR_DECIMAL_SIZE - 1;

	*at = '\0';
	do
		*--at = (char)('0' + n % 10);
	while ((n /= 10) > 0);
	return at;
}

bool strings_add(struct strings *list, const char *s)
{
	auto_free char *copy = strdup(s);
	char **v = copy ? reallocarray(list->v, list->n + 1, sizeof(*v)) : NULL;

	if (!v)
		return false;
	list->v = v;
	v[list->n++] = steal(copy);
	return true;
}

bool strings_has(const struct strings *list, const char *s)
{
	for (size_t i = 0; i < list->n; i++)
		if (str_equal(list->v[i], s))
			return true;
	return false;
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void strings_sort(struct strings *list)
{
	if (list->n > 0)
		qsort(list->v, list->n, sizeof(*list->v), compare);
}

bool strings_copy(const struct strings *from, struct strings *ret)
{
	auto_value(strings) copy = {0};

	for (size_t i = 0; i < from->n; i++)
		if (!strings_add(&copy, from->v[i]))
			return false;
	*ret = copy;
	copy = (struct strings){0};
	return true;
}

void strings_free(struct strings *list)
{
	for (size_t i = 0; i < list->n; i++)
		free(list->v[i]);
	free(list->v);
	*list = (struct strings){0};
}
