#include "admin/webhook_settings.h"

#include <stdatomic.h>

struct set {
	struct webhook_settings settings; /* first: the two share an address */
	atomic_uint references;
	struct addr_list allow, deny;
	char *trust;
};

static bool copy(const struct webhook_options *from, struct set *set)
{
	struct webhook_options *to = &set->settings.options;

	*to = *from;
	to->allow = &set->allow;
	to->deny = &set->deny;
	set->trust = from->trust ? strdup(from->trust) : NULL;
	to->trust = set->trust;
	return addr_list_copy(from->allow, &set->allow) && addr_list_copy(from->deny, &set->deny) &&
	       (set->trust || !from->trust);
}

bool webhook_settings_new(const struct webhook_options *options, struct webhook_settings **ret, struct problem *p)
{
	struct set *set = calloc(1, sizeof(*set));

	if (!set)
		return problem_memory(p);
	atomic_init(&set->references, 1);
	if (!copy(options, set)) {
		webhook_settings_unref(&set->settings);
		return problem_memory(p);
	}
	*ret = &set->settings;
	return true;
}

struct webhook_settings *webhook_settings_ref(struct webhook_settings *settings)
{
	atomic_fetch_add_explicit(&((struct set *)settings)->references, 1, memory_order_relaxed);
	return settings;
}

void webhook_settings_unref(struct webhook_settings *settings)
{
	struct set *set = (struct set *)settings;

	if (!set || atomic_fetch_sub_explicit(&set->references, 1, memory_order_acq_rel) > 1)
		return;
	addr_list_free(&set->allow);
	addr_list_free(&set->deny);
	free(set->trust);
	free(set);
}
