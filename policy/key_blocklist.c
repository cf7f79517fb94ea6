#include "base/file.h"
#include "policy/key.h"

#include "base/base64.h"
#include "base/digest.h"

struct key_blocklist {
	struct buf hashes; /* SHA256_SIZE bytes each, sorted */
};
enum { FILE_MAX = 48 * 1024 * 1024 };

static int hash_compare(const void *a, const void *b)
{
	return memcmp(a, b, SHA256_SIZE);
}

static size_t hash_count(const struct key_blocklist *list)
{
	return list->hashes.len / SHA256_SIZE;
}

/* The line without the comment and the white space around it. */
static struct bytes line_trim(const char *line, size_t len)
{
	const char *comment = memchr(line, '#', len);

	if (comment)
		len = (size_t)(comment - line);
	while (len > 0 && strchr(" \t\r", line[len - 1]))
		len--;
	while (len > 0 && strchr(" \t", line[0])) {
		line++;
		len--;
	}
	return BYTES(line, len);
}

static bool line_add(struct key_blocklist *list, struct bytes line)
{
	if (line.len == 0)
		return true;
	return line.len == 2 * SHA256_SIZE && hex_decode((const char *)line.data, line.len, &list->hashes);
}

static bool refuse(const char *path, unsigned line, const char *what, struct problem *p)
{
	return problem_set(p, PROBLEM_MALFORMED, "%s:%u: %s", path, line, what);
}

static bool file_add(struct key_blocklist *list, const char *path, struct problem *p)
{
	auto_value(buf) text = {0};
	unsigned number = 1;

	if (!file_read(path, FILE_MAX, &text, p))
		return false;
	for (const char *line = buf_text(&text);; number++) {
		size_t len = strcspn(line, "\n");
		if (!line_add(list, line_trim(line, len)))
			return list->hashes.failed ? problem_memory(p)
			       : refuse(path, number, "not the SHA-256 of a key in hexadecimal", p);
		if (line[len] == '\0')
			break;
		line += len + 1;
	}
	if (strlen(buf_text(&text)) != text.len)
		return refuse(path, number, "a NUL byte", p);
	return true;
}

bool key_blocklist_load(const struct strings *paths, struct key_blocklist **ret, struct problem *p)
{
	auto_struct(key_blocklist) *list = calloc(1, sizeof(*list));

	if (!list)
		return problem_memory(p);
	for (size_t i = 0; i < paths->n; i++)
		if (!file_add(list, paths->v[i], p))
			return false;
	if (list->hashes.len > 0)
		qsort(list->hashes.data, hash_count(list), SHA256_SIZE, hash_compare);
	*ret = steal(list);
	return true;
}

bool key_blocklist_has(const struct key_blocklist *list, const uint8_t sha256[32])
{
	return list && list->hashes.len > 0 &&
	       bsearch(sha256, list->hashes.data, hash_count(list), SHA256_SIZE, hash_compare) != NULL;
}

void key_blocklist_free(struct key_blocklist *list)
{
	if (!list)
		return;
	buf_free(&list->hashes);
	free(list);
}
