/* Issued: what came of a command that asked for a certificate, written to files and shown. Internal to admin/. */
#pragma once

#include "admin/local.h"

#define ISSUED_OPTIONS                                                                                          \
	{ "--out", "FILE", "write certificate and chain there; without: to standard output" },                  \
	{ "--key-out", "FILE", "write the private key that was made there, for its owner alone to read" }
/* Rows of what a request asks of the certificate's life, and of the words that are kept beside it. */
#define ISSUED_LIFE_OPTIONS                                                                                     \
	{ "--ttl", "TTL", "its life: 12h, 90d, 3m (of 30 days), 1y (of 365); without: the profile's" },         \
	{ "--not-before", "TIME", "when its life begins (RFC 3339)" },                                          \
	{ "--not-after", "TIME", "when it ends" },                                                              \
	{ "--metadata", "KEY=VALUE[,KEY=VALUE...]", "words that are kept beside it" }

/* Before anything is asked for: that the files can be written. */
bool issued_check(const struct command_call *call, struct problem *p) must_use;
/* `attributes` of those that were given; more: writes further members of it. NULL: none. */
void issued_attributes(const struct command_call *call,
                       void (*more)(const struct command_call *call, struct json_writer *w), struct json_writer *w);
/* `metadata`, where it was given. MALFORMED. */
bool issued_metadata(const struct command_call *call, struct json_writer *w, struct problem *p) must_use;
/* One KEY=VALUE as an entry. MALFORMED. */
bool issued_put_pair(const char *text, struct json_writer *w, struct problem *p) must_use;
/* `csr`: the file's text. */
bool issued_csr(const char *path, struct json_writer *w, struct problem *p) must_use;

/* The API's reply of what was issued, or waits for approval. */
bool issued_print(const struct command_call *call, const struct http_response *reply, struct problem *p) must_use;
