#include "admin/audit_export.h"

#include <errno.h>
#include <stdlib.h>

#include "base/base64.h"

enum { LINE_MAX_BYTES = 64 * 1024, HEX = 2 * SHA256_SIZE };
static const char before_hash[] = "{\"hash\":\"", before_event[] = "\",\"event\":", end[] = "}";
static const char before_previous[] = ",\"previous\":\"", after_previous[] = "\"}";

void audit_export_line(const struct audit_entry *entry, struct buf *ret)
{
	buf_add_str(ret, before_hash);
	buf_add_hex(ret, BYTES(entry->hash, SHA256_SIZE));
	buf_printf(ret, "%s%s%s\n", before_event, entry->line, end);
}

/* --- reading: the one form that is written, byte for byte */

static bool take_hash(struct bytes *rest, uint8_t ret[SHA256_SIZE])
{
	auto_value(buf) hash = {0};
	if (rest->len < HEX || !hex_decode((const char *)rest->data, HEX, &hash))
		return false;
	memcpy(ret, hash.data, SHA256_SIZE);
	*rest = BYTES(rest->data + HEX, rest->len - HEX);
	return true;
}

static bool take_end(struct bytes *rest, const char *text)
{
	size_t len = strlen(text);
	if (rest->len < len || memcmp(rest->data + rest->len - len, text, len) != 0)
		return false;
	rest->len -= len;
	return true;
}

struct export_line {
	uint64_t seq;
	uint8_t hash[SHA256_SIZE], previous[SHA256_SIZE];
};

/* The event's number and its link stand at its two ends. */
static bool read_event(struct bytes event, struct export_line *ret)
{
	size_t tail = strlen(before_previous) + HEX + strlen(after_previous);
	if (event.len < tail)
		return false;
	struct bytes rest = BYTES(event.data + event.len - tail, tail);
	if (!bytes_take_text(&rest, before_previous) || !take_hash(&rest, ret->previous) || !bytes_take_text(&rest, after_previous) ||
	    !bytes_take_text(&event, "{\"seq\":"))
		return false;
	return bytes_take_decimal(&event, &ret->seq) && bytes_take_text(&event, ",") && ret->seq > 0;
}

static bool read_line(struct bytes line, struct export_line *ret)
{
	uint8_t hash[SHA256_SIZE];
	if (!take_end(&line, "\n") || !bytes_take_text(&line, before_hash) || !take_hash(&line, ret->hash) ||
	    !bytes_take_text(&line, before_event) || !take_end(&line, end) || !read_event(line, ret))
		return false;
	digest_sha256(line, hash);
	return memcmp(hash, ret->hash, sizeof hash) == 0;
}

static bool follow(struct audit_export *export, const struct export_line *line)
{
	static const uint8_t none[SHA256_SIZE];
	bool fits = export->last == 0 ? line->seq > 1 || memcmp(line->previous, none, sizeof none) == 0
	          : line->seq == export->last + 1 && memcmp(line->previous, export->hash, sizeof export->hash) == 0;
	if (!fits)
		return false;
	if (export->last == 0)
		export->first = line->seq;
	export->last = line->seq;
	memcpy(export->hash, line->hash, sizeof export->hash);
	return true;
}

bool audit_export_take(struct audit_export *export, struct bytes text, bool *ret_event)
{
	struct export_line line;
	*ret_event = read_line(text, &line);
	return *ret_event && follow(export, &line);
}

static bool read_all(FILE *file, const char *path, struct audit_export *ret, struct problem *p)
{
	auto_free char *text = malloc(LINE_MAX_BYTES);
	bool event;
	if (!text)
		return problem_memory(p);
	for (uint64_t n = 1; fgets(text, LINE_MAX_BYTES, file); n++)
		if (!audit_export_take(ret, BYTES_STR(text), &event))
			return problem_set(p, PROBLEM_MALFORMED, "%s: line %llu %s", path, (unsigned long long)n,
			                   event ? "does not follow the one before it"
			                         : "was changed, or is no event of an export");
	return !ferror(file) || problem_internal(p, "reading %s: %m", path);
}

bool audit_export_read(const char *path, struct audit_export *ret, struct problem *p)
{
	struct audit_export export = {0};
	FILE *file = fopen(path, "re");
	if (!file)
		return problem_set(p, PROBLEM_NOT_FOUND, "%s: %s", path, strerror(errno));
	bool ok = read_all(file, path, &export, p);
	fclose(file);
	if (ok && export.last == 0)
		return problem_set(p, PROBLEM_MALFORMED, "%s: expected an export, and there is no line", path);
	if (ok)
		*ret = export;
	return ok;
}
