#include "est/label.h"

#include <stdatomic.h>

struct labels {
	_Atomic unsigned references;
	struct profiles *profiles;
	struct label *v;
	size_t n;
};

static const char *const operations[] = {
	"cacerts", "simpleenroll", "simplereenroll", "fullcmc", "serverkeygen", "csrattrs",
};

/* RFC 7030, 3.2.2: a label must not be an operation's name. */
static bool is_segment(const char *text, size_t len)
{
	static const char unreserved[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~";

	if (len == 0 || len > 64 || strspn(text, unreserved) < len || strspn(text, ".") >= len)
		return false;
	for (size_t i = 0; i < array_length(operations); i++)
		if (strlen(operations[i]) == len && memcmp(operations[i], text, len) == 0)
			return false;
	return true;
}

bool label_check(const char *name, struct problem *p)
{
	size_t segments = 0;

	for (const char *at = name; *name; at += strcspn(at, "/") + 1) {
		size_t len = strcspn(at, "/");
		if (!is_segment(at, len) || ++segments > LABEL_SEGMENTS_MAX)
			return problem_set(p, PROBLEM_MALFORMED,
			                   "one to three segments such as factory/line-1, none of them an operation "
			                   "of EST (RFC 7030, 3.2.2)");
		if (!at[len])
			break;
	}
	return true;
}

const struct label *labels_find(const struct labels *labels, const char *name)
{
	for (size_t i = 0; i < labels->n; i++)
		if (str_equal(labels->v[i].name, name))
			return &labels->v[i];
	return NULL;
}

static bool is_open(const struct profile *profile)
{
	return profile && profile->methods & PROFILE_EST;
}

static bool add(struct labels *labels, const struct label *from, const char *name, const char *profile,
                struct problem *p)
{
	struct label *v = realloc(labels->v, (labels->n + 1) * sizeof(*v));

	if (!v)
		return problem_memory(p);
	labels->v = v;
	v[labels->n] = *from;
	v[labels->n].name = strdup(name);
	v[labels->n].profile = strdup(profile);
	labels->n++;
	return (v[labels->n - 1].name && v[labels->n - 1].profile) || problem_memory(p);
}

static bool add_own(struct labels *labels, const struct label *own, struct problem *p)
{
	if (!label_check(own->name, p))
		return false;
	if (labels_find(labels, own->name))
		return problem_set(p, PROBLEM_MALFORMED, "the label `%s` stands twice", own->name);
	if (!is_open(profiles_find(labels->profiles, own->profile)))
		return problem_set(p, PROBLEM_MALFORMED,
		                   "label `%s`: there is no profile %s that is open to EST", own->name, own->profile);
	return add(labels, own, own->name, own->profile, p);
}

/* Where the list does not say otherwise. */
static bool add_implied(struct labels *labels, const char *name, const struct profile *profile, struct problem *p)
{
	static const struct label plain = { .retry_after = 60 };

	return !is_open(profile) || labels_find(labels, name) || add(labels, &plain, name, profile->name, p);
}

bool labels_new(const struct labels_options *options, struct profiles *profiles, struct labels **ret, struct problem *p)
{
	auto_struct(labels) *labels = calloc(1, sizeof(*labels));
	const struct profile *profile;

	if (!labels)
		return problem_memory(p);
	labels->references = 1;
	labels->profiles = profiles_ref(profiles);
	for (size_t i = 0; i < options->count; i++)
		if (!add_own(labels, &options->list[i], p))
			return false;
	if (!add_implied(labels, "", profiles_default(profiles), p))
		return false;
	for (size_t i = 0; options->profiles && (profile = profiles_at(profiles, i)); i++)
		if (!add_implied(labels, profile->name, profile, p))
			return false;
	*ret = steal(labels);
	return true;
}

struct labels *labels_ref(struct labels *labels)
{
	atomic_fetch_add(&labels->references, 1);
	return labels;
}

void labels_unref(struct labels *labels)
{
	if (!labels || atomic_fetch_sub(&labels->references, 1) != 1)
		return;
	for (size_t i = 0; i < labels->n; i++) {
		free(labels->v[i].name);
		free(labels->v[i].profile);
	}
	free(labels->v);
	profiles_unref(labels->profiles);
	free(labels);
}

const struct profiles *labels_profiles(const struct labels *labels)
{
	return labels->profiles;
}
