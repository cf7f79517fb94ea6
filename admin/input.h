/* Input: what commands read from files, standard input and the terminal. Internal to admin/. */
#pragma once

#include "base/bytes.h"

/* All of a file, or of standard input for "-". TOO_LARGE. */
bool input_read(const char *path, size_t max, struct buf *ret, struct problem *p) must_use;

/* The same of PEM; DER becomes PEM with this label (RFC 7468). MALFORMED: it can be neither. */
bool input_read_pem(const char *path, const char *label, size_t max, struct buf *ret, struct problem *p) must_use;

/* Not from the command line, where every other process could read it. */
struct input_secret {
	const char *file;             /* its first line; NULL */
	const char *environment;      /* or this variable; NULL */
	const char
		*prompt; /* else the terminal's, which shows nothing of it, or the first line of standard input */
	bool twice;                   /* a terminal is asked again, against mistypings */
	size_t max;
};
/* MALFORMED: none, too long, or not the same twice. */
bool input_secret(const struct input_secret *source, struct buf *ret, struct problem *p) must_use;
