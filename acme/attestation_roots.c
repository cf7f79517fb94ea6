#include "acme/attestation_roots.h"

#include <assert.h>
#include <stdatomic.h>

#include "acme/attestation.h"

struct attestation_roots {
	atomic_uint references;
	struct trust *owned[ATTESTATION_FORMAT_MAX];
	struct attestation_rules rules;
};

bool attestation_format_known(const char *name)
{
	enum attestation_format ignored;

	return attestation_format_from(name, &ignored);
}

static bool row_add(struct attestation_roots *set, const struct attestation_source *row, struct problem *p)
{
	enum attestation_format format;
	auto_value(problem) why = {0};

	if (!attestation_format_from(row->format, &format))
		return problem_set(p, PROBLEM_MALFORMED, "there is no attestation format \"%s\"", row->format);
	if (set->owned[format])
		return problem_set(p, PROBLEM_MALFORMED, "attestation format %s has two rows", row->format);
	if (!trust_load(&row->roots, &set->owned[format], &why))
		return problem_set(p, why.kind, "attestation format %s: %s", row->format, why.detail);
	set->rules.roots[format] = set->owned[format];
	return true;
}

bool attestation_roots_new(const struct attestation_source *rows, size_t count, struct attestation_roots **ret,
                           struct problem *p)
{
	auto_struct(attestation_roots) *set = calloc(1, sizeof(*set));

	if (!set)
		return problem_memory(p);
	atomic_init(&set->references, 1);
	for (size_t i = 0; i < count; i++)
		if (!row_add(set, &rows[i], p))
			return false;
	*ret = steal(set);
	return true;
}

struct attestation_roots *attestation_roots_ref(struct attestation_roots *roots)
{
	atomic_fetch_add_explicit(&roots->references, 1, memory_order_relaxed);
	return roots;
}

void attestation_roots_unref(struct attestation_roots *roots)
{
	if (!roots)
		return;
	unsigned before = atomic_fetch_sub_explicit(&roots->references, 1, memory_order_acq_rel);
	assert(before > 0);
	if (before > 1)
		return;
	for (size_t i = 0; i < ATTESTATION_FORMAT_MAX; i++)
		trust_free(roots->owned[i]);
	free(roots);
}

const struct attestation_rules *attestation_roots_rules(const struct attestation_roots *roots)
{
	return &roots->rules;
}
