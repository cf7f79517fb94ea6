/* Webhook settings: how events are sent, as one configuration says it, with what it points to. Immutable and counted:
 * whoever is sending keeps the set that it began with while a reload puts another in place. Internal to admin/ and for
 * the server. */
#pragma once

#include "admin/webhook.h"

struct webhook_settings {
	struct webhook_options options;  /* its lists and texts are the set's own */
};
/* One reference. */
bool webhook_settings_new(const struct webhook_options *options, struct webhook_settings **ret, struct problem *p)
	must_use;
struct webhook_settings *webhook_settings_ref(struct webhook_settings *settings);
void webhook_settings_unref(struct webhook_settings *settings);
declare_auto_struct(webhook_settings, webhook_settings_unref);
