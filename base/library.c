#include "base/library.h"

#include <dlfcn.h>

static void *open_file(const struct library *library, struct problem *p)
{
	void *handle = dlopen(library->file, RTLD_NOW | RTLD_LOCAL);

	if (!handle)
		problem_internal(p, "%s", dlerror());
	return handle;
}

static bool find(void *handle, const struct library *library, size_t i, void **ret, struct problem *p)
{
	*ret = dlsym(handle, library->calls[i].symbol);
	return *ret || problem_internal(p, "%s has no %s", library->file, library->calls[i].symbol);
}

static bool set_calls(void *handle, const struct library *library, struct problem *p)
{
	for (size_t i = 0; i < library->count; i++) {
		void *found;

		if (!find(handle, library, i, &found, p))
			return false;
		memcpy(library->calls[i].pointer, &found, sizeof(found));
	}
	return true;
}

static bool load(struct library *library, struct problem *p)
{
	void *handle = open_file(library, p);

	if (!handle)
		return false;
	if (set_calls(handle, library, p) && (!library->set_up || library->set_up(p)))
		return true;
	dlclose(handle);
	return false;
}

bool library_load(struct library *library, struct problem *p)
{
	if (atomic_load_explicit(&library->loaded, memory_order_acquire))
		return true;
	pthread_mutex_lock(&library->mutex);
	bool loaded = atomic_load(&library->loaded) || load(library, p);
	atomic_store_explicit(&library->loaded, loaded, memory_order_release);
	pthread_mutex_unlock(&library->mutex);
	return loaded;
}

bool library_check(const struct library *library, struct problem *p)
{
	void *found, *handle = open_file(library, p);
	bool whole = handle;

	for (size_t i = 0; whole && i < library->count; i++)
		whole = find(handle, library, i, &found, p);
	if (handle)
		dlclose(handle);
	return whole;
}
