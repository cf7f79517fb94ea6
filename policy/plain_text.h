/* Plain text: what a reader sees of a text, for rules about names that people read. All texts are UTF-8. Any thread. */
#pragma once

#include "base/bytes.h"

/* Whether it has a character that nobody sees, or a space of any kind at an end: two such texts can look alike. */
bool plain_text_hides(const char *text) must_use;
/* RFC 5280, 7.1: whether they are equal but for the case of ASCII's letters and for how many spaces stand between
 * words. */
bool plain_text_equal(const char *a, const char *b) must_use;
/* RFC 5280, 7.1: how many spaces stand between words, before or behind, makes no other value. Cut to size - 1 bytes. */
void plain_text_squeeze(const char *text, char *ret, size_t size);
/* The text as a rule that denies reads it (RFC 4518, 2.2): each kind of space is the usual one, and joiners within
 * words, which some languages are written with, are not there. Cut to size - 1 bytes. */
void plain_text_reduce(const char *text, char *ret, size_t size);
