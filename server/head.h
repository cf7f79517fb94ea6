/* Head: whether the bytes of a request's head are what RFC 9112 allows, to the letter, before
 * civetweb's more generous parser sees them. Two parsers that disagree about where a request ends
 * are how requests get smuggled (RFC 9112, 11.2), so what is odd is refused, not repaired.
 *
 * A value, fed with the bytes as they arrive. Never looks at a byte twice. */
#pragma once

#include "base/problem.h"

enum { HEAD_SIZE_MAX = 16384 };

struct head {
	unsigned char state;
	unsigned char matched;   /* characters of "HTTP/d.d" */
	unsigned lines;          /* header lines begun */
	size_t length;           /* bytes taken, the empty line included */
	const char *fault;       /* NULL: none; static */
	enum problem_kind kind;  /* of the fault */
};

/* Takes bytes up to the end of the head or to the first fault. {0} is the beginning. */
void head_feed(struct head *head, const uint8_t *data, size_t len);
bool head_is_whole(const struct head *head);
