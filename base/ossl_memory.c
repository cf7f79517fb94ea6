#include "base/ossl.h"

#include <assert.h>
#include <malloc.h>

/* As CRYPTO_malloc and its kin have it: no bytes are no block. */
static void *alloc(size_t len, const char *file, int line)
{
	(void)file;
	(void)line;
	return len > 0 ? malloc(len) : NULL;
}

static void wipe(void *p, const char *file, int line)
{
	(void)file;
	(void)line;
	if (!p) /* every other call */
		return;
	mem_wipe(p, malloc_usable_size(p));
	free(p);
}

static void *move(void *p, size_t len, const char *file, int line)
{
	size_t old = malloc_usable_size(p);
	void *fresh = alloc(len, file, line);

	if (!fresh && len > 0)
		return NULL;
	if (fresh && p)
		memcpy(fresh, p, old < len ? old : len);
	wipe(p, file, line);
	return fresh;
}

void ossl_begin(void)
{
	int begun = CRYPTO_set_mem_functions(alloc, move, wipe);

	assert(begun == 1);
}
