#include "admin/managed.h"
#include "admin/api_routes.h"
#include "base/work.h"

enum { TOKENS_MAX = 10000, QUEUE_MAX = 16, FAILURES_BURST = 60, FAILURES_PERIOD = 3600 };

bool api_prepare(const struct api_options *options, struct store *store, struct ca *ca, struct profiles *profiles,
                 struct api **ret, struct problem *p)
{
	auto_struct(api) *api = calloc(1, sizeof(*api));

	if (!api)
		return problem_memory(p);
	api->options = *options;
	api->store = store;
	api->ca = ca;
	api->profiles = profiles_ref(profiles);
	pthread_rwlock_init(&api->profiles_lock, NULL);
	if (options->ca_base && !(api->ca_base = strdup(options->ca_base)))
		return problem_memory(p);
	if (!limit_new(options->requests_burst, options->requests_period, TOKENS_MAX, &api->requests, p) ||
	    !limit_new(FAILURES_BURST, FAILURES_PERIOD, TOKENS_MAX, &api->failures, p) ||
	    !audit_queue_open(store, &api->audit, p) || !vault_open(store, options->key_file, &api->vault, p))
		return false;
	*ret = steal(api);
	return true;
}

bool api_open(const struct api_options *options, struct store *store, struct ca *ca, struct profiles *profiles,
              struct webhook_settings *webhook, struct api **ret, struct problem *p)
{
	auto_struct(api) *api = NULL;

	if (!api_prepare(options, store, ca, profiles, &api, p))
		return false;
	api->webhook = webhook_settings_ref(webhook);
	api->wing = api_routes_wing(api);
	if (!work_open("api", 1, QUEUE_MAX, &api->work, p) || !api_sweep_begin(api, p) || !api_pending_begin(api, p) ||
	    !api_renewals_begin(api, p))
		return false;
	*ret = steal(api);
	return true;
}

void api_set_profiles(struct api *api, struct profiles *profiles)
{
	pthread_rwlock_wrlock(&api->profiles_lock);
	struct profiles *old = api->profiles;
	api->profiles = profiles_ref(profiles);
	pthread_rwlock_unlock(&api->profiles_lock);
	profiles_unref(old);
}

struct profiles *api_profiles(struct api *api)
{
	pthread_rwlock_rdlock(&api->profiles_lock);
	struct profiles *profiles = profiles_ref(api->profiles);
	pthread_rwlock_unlock(&api->profiles_lock);
	return profiles;
}

void api_set_webhook(struct api *api, struct webhook_settings *webhook)
{
	pthread_rwlock_wrlock(&api->profiles_lock);
	struct webhook_settings *old = api->webhook;
	api->webhook = webhook_settings_ref(webhook);
	pthread_rwlock_unlock(&api->profiles_lock);
	webhook_settings_unref(old);
}

struct webhook_settings *api_webhook_settings(struct api *api)
{
	pthread_rwlock_rdlock(&api->profiles_lock);
	struct webhook_settings *webhook = webhook_settings_ref(api->webhook);
	pthread_rwlock_unlock(&api->profiles_lock);
	return webhook;
}

const struct http_wing *api_wing(struct api *api)
{
	return &api->wing;
}

void api_close(struct api *api)
{
	if (!api)
		return;
	work_close(api->work, NULL);
	audit_queue_close(api->audit);
	vault_free(api->vault);
	limit_free(api->requests);
	limit_free(api->failures);
	profiles_unref(api->profiles);
	webhook_settings_unref(api->webhook);
	free(api->ca_base);
	pthread_rwlock_destroy(&api->profiles_lock);
	free(api);
}
