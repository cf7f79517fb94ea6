#include "est/authentication.h"

#include <stdatomic.h>

static char usual_name[] = "default";
static const struct authentication usual = { .name = usual_name, .methods = AUTHENTICATION_DEFAULT };

struct authentications {
	atomic_uint references;
	struct authentication *v;
	size_t n;
	struct addr_list proxies;
};

static void authentication_done(struct authentication *a)
{
	free(a->name);
	strings_free(&a->labels);
	strings_free(&a->manufacturers);
	trust_free(a->trust);
}

static bool refuse(const struct authentication *a, const char *key, const char *what, struct problem *p)
{
	return problem_set(p, PROBLEM_MALFORMED, "authentication %s: %s: %s", a->name ?: "", key, what);
}

static bool check(const struct authentication *a, struct problem *p)
{
	bool manufacturer = a->methods & AUTHENTICATION_MANUFACTURER;

	if (a->methods == 0)
		return refuse(a, "methods", "at least one", p);
	if (manufacturer != (a->manufacturers.n > 0))
		return refuse(a, "manufacturers",
		              "files are wanted with the method manufacturer, and with it alone", p);
	return !a->listed || manufacturer ||
	       refuse(a, "listed", "means the method manufacturer, which is not there", p);
}

static bool copy(const struct authentication *from, struct authentication *to, struct problem *p)
{
	to->methods = from->methods;
	to->listed = from->listed;
	to->binding = from->binding;
	to->exporter = from->exporter;
	to->name = strdup(from->name);
	if (!to->name || !strings_copy(&from->labels, &to->labels) ||
	    !strings_copy(&from->manufacturers, &to->manufacturers))
		return problem_memory(p);
	return to->manufacturers.n == 0 || trust_load(&to->manufacturers, &to->trust, p);
}

static bool copy_proxies(const struct addr_list *from, struct addr_list *to, struct problem *p)
{
	if (!from || from->n == 0)
		return true;
	to->v = calloc(from->n, sizeof(*to->v));
	if (!to->v)
		return problem_memory(p);
	memcpy(to->v, from->v, from->n * sizeof(*to->v));
	to->n = from->n;
	return true;
}

static bool shares_label(const struct authentication *a, const struct authentication *b)
{
	for (size_t l = 0; l < b->labels.n; l++)
		if (strings_has(&a->labels, b->labels.v[l]))
			return true;
	return false;
}

/* Each label has one row, whatever their order. */
bool authentications_check(const struct authentication *rows, size_t count, struct problem *p)
{
	for (size_t i = 0; i < count; i++) {
		const struct authentication *a = &rows[i];
		if (!check(a, p))
			return false;
		for (size_t k = 0; k < i; k++) {
			if (str_equal(rows[k].name, a->name))
				return refuse(a, "name", "the name of another row", p);
			if (a->labels.n == 0 && rows[k].labels.n == 0)
				return refuse(a, "labels", "one row alone may be for all other labels", p);
			if (shares_label(&rows[k], a))
				return refuse(a, "labels", "a label of another row", p);
		}
	}
	return true;
}

bool authentications_new(const struct authentication *rows, size_t count, const struct addr_list *proxies,
                         struct authentications **ret, struct problem *p)
{
	auto_struct(authentications) *set = NULL;

	if (!authentications_check(rows, count, p))
		return false;
	if (!(set = calloc(1, sizeof(*set))))
		return problem_memory(p);
	atomic_init(&set->references, 1);
	set->v = calloc(count + 1, sizeof(*set->v));
	if (!set->v)
		return problem_memory(p);
	for (; set->n < count; set->n++)
		if (!copy(&rows[set->n], &set->v[set->n], p)) {
			authentication_done(&set->v[set->n]);
			return false;
		}
	if (!copy_proxies(proxies, &set->proxies, p))
		return false;
	*ret = steal(set);
	return true;
}

struct authentications *authentications_ref(struct authentications *set)
{
	atomic_fetch_add_explicit(&set->references, 1, memory_order_relaxed);
	return set;
}

void authentications_unref(struct authentications *set)
{
	if (!set || atomic_fetch_sub_explicit(&set->references, 1, memory_order_acq_rel) > 1)
		return;
	for (size_t i = 0; i < set->n; i++)
		authentication_done(&set->v[i]);
	free(set->v);
	addr_list_free(&set->proxies);
	free(set);
}

const struct authentication *authentications_find(const struct authentications *set, const char *label)
{
	const struct authentication *rest = &usual;

	for (size_t i = 0; i < set->n; i++) {
		if (strings_has(&set->v[i].labels, label))
			return &set->v[i];
		if (set->v[i].labels.n == 0)
			rest = &set->v[i];
	}
	return rest;
}

const struct addr_list *authentications_proxies(const struct authentications *set)
{
	return &set->proxies;
}
