#include "base/problem.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

#include <openssl/err.h>

static const struct {
	int status;
	const char *name, *acme;
} kinds[PROBLEM_KIND_MAX] = {
	[PROBLEM_NONE] = { 500, "NONE", "serverInternal" },
#define X(name, status, acme) [PROBLEM_##name] = { status, #name, acme },
	PROBLEM_KINDS(X)
#undef X
};

static void problem_reset(struct problem *p)
{
	free(p->subs);
	p->subs = NULL;
	p->sub_count = 0;
	p->kind = PROBLEM_NONE;
	p->status = p->retry_after = 0;
	p->stale = false;
	p->algorithms = NULL;
	p->detail[0] = p->cause[0] = p->location[0] = p->link[0] = '\0';
}

/* C0, DEL, and C1 (U+0080 to U+009F), which some terminals obey. */
static bool is_control(const char *text, size_t len)
{
	const uint8_t *s = (const uint8_t *)text;

	return len == 1 ? s[0] < 0x20 || s[0] == 0x7f : s[0] == 0xc2 && s[1] < 0xa0;
}

/* As many whole characters as fit; a control character or a byte that is not UTF-8 becomes '?'. */
static void text_copy(char *ret, size_t size, const char *text)
{
	size_t n = 0;

	while (*text) {
		size_t len = str_utf8(text, strnlen(text, 4));
		bool plain = len > 0 && !is_control(text, len);
		size_t written = plain ? len : 1;

		if (written >= size - n)
			break;
		memcpy(ret + n, plain ? text : "?", written);
		n += written;
		text += len > 0 ? len : 1;
	}
	ret[n] = '\0';
}

/* The buffer is longer than the text by one character, so that a character cut by vsnprintf is
 * always one that text_copy leaves out. The arguments may be parts of the problem in ret. */
static void text_format(char ret[PROBLEM_DETAIL_MAX], const char *fmt, va_list args) printf_like(2, 0);
static void text_format(char ret[PROBLEM_DETAIL_MAX], const char *fmt, va_list args)
{
	char raw[PROBLEM_DETAIL_MAX + 4] = "";

	if (vsnprintf(raw, sizeof(raw), fmt, args) < 0)
		raw[0] = '\0';
	text_copy(ret, PROBLEM_DETAIL_MAX, raw);
}

static bool is_hidden(enum problem_kind kind)
{
	return kind == PROBLEM_INTERNAL || kind == PROBLEM_UNAVAILABLE;
}

/* Of these arguments, which may be parts of p itself. */
static void fill(struct problem *p, enum problem_kind kind, const char *fmt, va_list args) printf_like(3, 0);
static void fill(struct problem *p, enum problem_kind kind, const char *fmt, va_list args)
{
	char text[PROBLEM_DETAIL_MAX];

	assert(kind > PROBLEM_NONE && kind < PROBLEM_KIND_MAX);
	text_format(text, fmt, args);
	problem_reset(p);
	p->kind = kind;
	strcpy(is_hidden(kind) ? p->cause : p->detail, text);
}

bool problem_set(struct problem *p, enum problem_kind kind, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	fill(p, kind, fmt, args);
	va_end(args);
	return false;
}

bool problem_missing(struct problem *p, const char *fmt, ...)
{
	va_list args;

	if (problem_is_set(p) && p->kind != PROBLEM_NOT_FOUND)
		return false;
	va_start(args, fmt);
	fill(p, PROBLEM_NOT_FOUND, fmt, args);
	va_end(args);
	return false;
}

bool problem_forgive(struct problem *p, enum problem_kind kind)
{
	bool forgiven = p->kind == kind;

	if (forgiven)
		problem_reset(p);
	return forgiven;
}

bool problem_pass(struct problem *why, struct problem *p)
{
	problem_done(p);
	*p = *why;
	*why = (struct problem){0};
	return false;
}

bool problem_internal(struct problem *p, const char *cause_fmt, ...)
{
	va_list args;

	va_start(args, cause_fmt);
	fill(p, PROBLEM_INTERNAL, cause_fmt, args);
	va_end(args);
	return false;
}

bool problem_openssl(struct problem *p, const char *what)
{
	char text[2 * PROBLEM_DETAIL_MAX];
	int n = snprintf(text, PROBLEM_DETAIL_MAX, "%s", what);
	size_t used = n < PROBLEM_DETAIL_MAX ? (size_t)n : PROBLEM_DETAIL_MAX - 1;
	const char *data;
	unsigned long code;
	int flags;

	while ((code = ERR_get_error_all(NULL, NULL, NULL, &data, &flags)) != 0) {
		if (sizeof(text) - used < 256)
			continue;
		used += (size_t)snprintf(text + used, 3, ": ");
		ERR_error_string_n(code, text + used, 120);
		used += strlen(text + used);
		if ((flags & ERR_TXT_STRING) && *data)
			used += (size_t)snprintf(text + used, 100, " (%.90s)", data);
	}
	return problem_internal(p, "%s", text);
}

bool problem_memory(struct problem *p)
{
	return problem_unavailable(p, 1, "out of memory");
}

bool problem_unavailable(struct problem *p, int retry_after, const char *cause_fmt, ...)
{
	va_list args;

	va_start(args, cause_fmt);
	fill(p, PROBLEM_UNAVAILABLE, cause_fmt, args);
	va_end(args);
	p->retry_after = retry_after;
	return false;
}

bool problem_limited(struct problem *p, int retry_after, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	fill(p, PROBLEM_RATE_LIMITED, fmt, args);
	va_end(args);
	p->retry_after = retry_after;
	return false;
}

bool problem_closed(struct problem *p, int retry_after, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	fill(p, PROBLEM_UNAVAILABLE, fmt, args);
	va_end(args);
	strcpy(p->detail, p->cause);
	p->retry_after = retry_after;
	return false;
}

/* A part that memory could not hold must not let the request pass: the whole is refused. */
static void sub_append(struct problem *p, const struct problem_sub *sub)
{
	if (p->sub_count >= PROBLEM_SUB_MAX)
		return;
	struct problem_sub *subs = reallocarray(p->subs, p->sub_count + 1, sizeof(*subs));
	if (!subs) {
		problem_memory(p);
		return;
	}
	p->subs = subs;
	subs[p->sub_count++] = *sub;
}

/* breach: NULL where no policy was broken. */
__attribute__((format(printf, 6, 0)))
static void sub_add(struct problem *p, enum problem_kind kind, const char *identifier_type,
                    const char *identifier_value, const struct problem_breach *breach, const char *fmt, va_list args)
{
	static const struct problem_breach none;
	struct problem_sub sub = { .kind = kind };

	assert(kind > PROBLEM_NONE && kind < PROBLEM_KIND_MAX);
	breach = breach ?: &none;
	text_format(sub.detail, fmt, args);
	text_copy(sub.identifier_type, sizeof(sub.identifier_type), identifier_type ?: "");
	text_copy(sub.identifier_value, sizeof(sub.identifier_value), identifier_value ?: "");
	text_copy(sub.field, sizeof(sub.field), breach->field ?: "");
	text_copy(sub.value, sizeof(sub.value), breach->value ?: "");
	text_copy(sub.rule, sizeof(sub.rule), breach->rule ?: "");
	text_copy(sub.message, sizeof(sub.message), breach->message ?: "");
	sub_append(p, &sub);
}

bool problem_add(struct problem *p, enum problem_kind kind, const char *identifier_type,
                 const char *identifier_value, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	sub_add(p, kind, identifier_type, identifier_value, NULL, fmt, args);
	va_end(args);
	return false;
}

bool problem_add_field(struct problem *p, enum problem_kind kind, const char *field, const char *value,
                       const char *fmt, ...)
{
	const struct problem_breach breach = { .field = field, .value = value };
	va_list args;

	va_start(args, fmt);
	sub_add(p, kind, NULL, NULL, &breach, fmt, args);
	va_end(args);
	return false;
}

bool problem_add_breach(struct problem *p, enum problem_kind kind, const char *identifier_type,
                        const char *identifier_value, const struct problem_breach *breach, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	sub_add(p, kind, identifier_type, identifier_value, breach, fmt, args);
	va_end(args);
	return false;
}

static enum problem_kind common_kind(const struct problem *p)
{
	for (size_t i = 1; i < p->sub_count; i++)
		if (p->subs[i].kind != p->subs[0].kind)
			return PROBLEM_COMPOUND;
	return p->subs[0].kind;
}

bool problem_settle(struct problem *p, const char *fmt, ...)
{
	size_t count = p->sub_count;
	va_list args;

	if (count == 0) /* UNAVAILABLE: a part was lost for want of memory */
		return p->kind != PROBLEM_UNAVAILABLE;
	enum problem_kind kind = common_kind(p);
	struct problem_sub *subs = steal(p->subs);
	va_start(args, fmt);
	fill(p, kind, fmt, args);
	va_end(args);
	p->subs = subs;
	p->sub_count = count;
	return false;
}

bool problem_is_ours(const struct problem *p)
{
	return is_hidden(p->kind);
}

bool problem_is_set(const struct problem *p)
{
	return p->kind != PROBLEM_NONE;
}

int problem_status(const struct problem *p)
{
	return p->status ? p->status : kinds[p->kind].status;
}

const char *problem_acme_type(enum problem_kind kind)
{
	return kinds[kind].acme;
}

const char *problem_kind_name(enum problem_kind kind)
{
	return kinds[kind].name;
}

const char *problem_text(const struct problem *p)
{
	switch (p->kind) {
	case PROBLEM_INTERNAL: return "The server met an unexpected error; it has been logged.";
	case PROBLEM_UNAVAILABLE:
		return p->detail[0] ? p->detail : "The server cannot do this at the moment; please try again later.";
	default: return p->detail;
	}
}

const char *problem_cause(const struct problem *p)
{
	return p->cause[0] ? p->cause : p->detail;
}

void problem_done(struct problem *p)
{
	problem_reset(p);
}
