/* Memory: clean-up attributes, hand-over, strings.
 *
 * Owns nothing. Every owner in the project is declared with auto_free, or with auto(type) where
 * declare_auto(type, destroy) has been said once in the header of the type; it is handed over
 * with steal(). Destructors accept NULL. Running out of memory is a refusal (problem_memory), never
 * an exit. All functions may be called from any thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define must_use __attribute__((warn_unused_result))
#define printf_like(fmt, args) __attribute__((format(printf, fmt, args)))
#define array_length(a) (sizeof(a) / sizeof((a)[0]))

/* Hands a pointer over: the variable becomes NULL, the value is returned. */
#define steal(p) ({ __typeof__(p) *steal_p_ = &(p); __typeof__(p) steal_v_ = *steal_p_; *steal_p_ = NULL; steal_v_; })

/* declare_auto(EVP_PKEY, EVP_PKEY_free) makes `auto(EVP_PKEY) *key = NULL;` free itself. */
#define declare_auto(type, destroy)                                \
	static inline void auto_##type##_(type **p) { if (*p) destroy(*p); } \
	struct auto_##type##_semicolon_
/* The same for `struct x` with a function x_free(struct x *). */
#define declare_auto_struct(name, destroy)                                    \
	static inline void auto_##name##_(struct name **p) { if (*p) destroy(*p); } \
	struct auto_##name##_semicolon_
/* For a struct held by value: `auto_value(buf) struct buf b = {0};` calls destroy(&b). */
#define declare_auto_value(name, destroy)                                        \
	static inline void auto_value_##name##_(struct name *v) { destroy(v); } \
	struct auto_value_##name##_semicolon_

#define auto(type) __attribute__((cleanup(auto_##type##_))) type
#define auto_struct(name) __attribute__((cleanup(auto_##name##_))) struct name
#define auto_value(name) __attribute__((cleanup(auto_value_##name##_))) struct name

static inline void mem_free_p(void *p)
{
	free(*(void **)p);
}
#define auto_free __attribute__((cleanup(mem_free_p)))

/* `auto_fd int fd = open(...)`: closed at the end unless it is -1. */
void mem_close_p(int *fd);
#define auto_fd __attribute__((cleanup(mem_close_p)))

/* Overwrites secret memory so that the compiler cannot drop it. NULL with 0 is fine. */
void mem_wipe(void *p, size_t len);

/* A table of zeros that is large and mostly stays empty: what nobody has touched takes no memory, also where calloc
 * would clear what was in use before. size is the same for both; NULL when memory is out. */
void *mem_table(size_t size) must_use;
void mem_table_free(void *table, size_t size);

/* printf into a fresh string; NULL when memory is out. */
char *mem_printf(const char *fmt, ...) printf_like(1, 2) must_use;

/* Constant-time equality of two runs of len bytes. */
bool mem_equal_secret(const void *a, const void *b, size_t len) must_use;

static inline bool str_equal(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}
bool str_starts(const char *s, const char *prefix) must_use;
bool str_ends(const char *s, const char *suffix) must_use;
/* Bytes of the UTF-8 character (RFC 3629) that text starts with, 1 to 4; 0 when there is none. */
size_t str_utf8(const void *text, size_t len) must_use;

/* The strings one after the other, up to a NULL, as much of them as there is room for. */
void str_join(char *ret, size_t size, ...) __attribute__((sentinel));
/* The number in digits, as text at the end of ret. Borrowed from ret. */
enum { STR_DECIMAL_SIZE = sizeof("18446744073709551615") };
const char *str_decimal(uint64_t n, char ret[STR_DECIMAL_SIZE]) must_use;

/* A growable list of strings, each owned by the list. {0} is empty. */
struct strings {
	char **v;
	size_t n;
};
/* Appends a copy; false when memory is out (list unchanged). */
bool strings_add(struct strings *list, const char *s) must_use;
bool strings_has(const struct strings *list, const char *s) must_use;
/* By their bytes, as strcmp. */
void strings_sort(struct strings *list);
bool strings_copy(const struct strings *from, struct strings *ret) must_use;
void strings_free(struct strings *list);
declare_auto_value(strings, strings_free);
