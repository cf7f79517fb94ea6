/* API: the REST API under /api/v1, by which people and pipelines with a token ask for certificates, find
 * them, renew and revoke them (docs/api.md).
 *
 * `struct api` owns its rates and its worker thread; it borrows store and CA, which live longer. Its
 * http_wing serves from any number of threads. */
#pragma once

#include "admin/account_life.h"
#include "admin/order_life.h"
#include "admin/webhook_settings.h"
#include "base/http.h"
#include "ca/crls.h"
#include "policy/profile.h"
#include "store/store.h"

struct api_options {
	unsigned requests_burst, requests_period; /* of one token; burst 0: no limit */
	int64_t retention;                        /* seconds that requests are kept after they were made */
	const char *key_file; /* under which private keys are sealed (ca/vault.h); NULL: the store's seal */
	const char *ca_base;                      /* issuer_urls.base; copied */
	struct crls *crls;                        /* borrowed: the current lists of the CAs */
	account_cancel_work *cancel_work;         /* the protocol's: as struct admin */
	order_cancel_one *cancel_order;
};
struct api;
/* Takes references to profiles, and to the settings, for webhooks that are made or tested. */
bool api_open(const struct api_options *options, struct store *store, struct ca *ca, struct profiles *profiles,
              struct webhook_settings *webhook, struct api **ret, struct problem *p) must_use;
/* For a command: one that serves nobody and does nothing by itself (admin/local.h). ca NULL: nothing is to be
 * signed. */
bool api_prepare(const struct api_options *options, struct store *store, struct ca *ca, struct profiles *profiles,
                 struct api **ret, struct problem *p) must_use;
/* From the next request on, these profiles (SIGHUP). */
void api_set_profiles(struct api *api, struct profiles *profiles);
void api_set_webhook(struct api *api, struct webhook_settings *webhook); /* likewise */
const struct http_wing *api_wing(struct api *api);
void api_close(struct api *api);
declare_auto_struct(api, api_close);
