/* Webhook change: what operators do to webhooks, by commands and over the API. Each change and its event of the
 * audit log are one update. Internal to admin/. */
#pragma once

#include "admin/webhook_send.h"
#include "store/webhook.h"

struct webhook_asker {
	const char *actor, *from;        /* from: NULL without an address */
	int64_t now;
	bool configuration;              /* it is the configuration that asks: nobody else changes what it names */
};
/* What is NULL is not said: a new one has the defaults then, and another one stays as it is. */
struct webhook_wish {
	const char *url, *note;
	const char *name;                /* of one of the configuration */
	const struct strings *events, *profiles; /* empty events: the default ones; empty profiles: all */
	const char *secret;
	bool new_secret;                 /* without a secret: make another one */
};
/* Adds a part for each field that is wrong, as the API calls it. */
void webhook_wish_check(const struct webhook_options *options, const struct webhook_wish *wish, struct problem *parts);

void webhook_secret_check(const char *secret, struct problem *parts); /* NULL: fine */

/* A checked wish. ret_secret has the secret, where it was made or given; ret is the row afterwards. CONFLICT: there
 * are WEBHOOKS_MAX. */
bool webhook_create(struct store *store, const struct webhook_wish *wish, const struct webhook_asker *asker,
                    struct buf *ret_secret, struct webhook *ret, struct problem *p) must_use;
/* NOT_FOUND, here and below; CONFLICT for one of the configuration. A failing one is tried again at once. */
bool webhook_set(struct store *store, const char *id, const struct webhook_wish *wish,
                 const struct webhook_asker *asker, struct buf *ret_secret, struct webhook *ret, struct problem *p)
	must_use;
bool webhook_revoke(struct store *store, const char *id, const struct webhook_asker *asker, struct problem *p) must_use;
/* Goes on now, where it stood; or behind the event that it stood at. */
bool webhook_resume(struct store *store, const char *id, bool skip, const struct webhook_asker *asker,
                    struct webhook *ret, struct problem *p) must_use;

/* One change that is ready for an update: its secret, if it has one, is made and sealed. It borrows wish (NULL: to
 * revoke) and asker. */
enum webhook_deed_kind { WEBHOOK_CREATES, WEBHOOK_SETS, WEBHOOK_REVOKES };
struct webhook_deed {
	enum webhook_deed_kind kind;
	char id[RANDOM_ID_SIZE];         /* of a new one: what it will have */
	const struct webhook_wish *wish;
	const struct webhook_asker *asker;
	struct buf sealed;               /* a new secret; empty: none */
};
/* ret_secret as above; id NULL: of a new one. The caller frees ret. */
bool webhook_deed_prepare(struct store *store, enum webhook_deed_kind kind, const char *id,
                          const struct webhook_wish *wish, const struct webhook_asker *asker,
                          struct buf *ret_secret, struct webhook_deed *ret, struct problem *p) must_use;
/* In the caller's update, with its event; ret as above, NULL where nobody looks. */
bool webhook_deed_do(struct store_txn *txn, const struct webhook_deed *deed, struct webhook *ret, struct problem *p)
	must_use;
void webhook_deed_free(struct webhook_deed *deed);
declare_auto_value(webhook_deed, webhook_deed_free);

/* Sends an event of the type webhook-test now, from this thread. Otherwise as webhook_send. */
bool webhook_test(struct store *store, const struct webhook_options *options, const struct webhook *webhook,
                  int64_t now, struct webhook_answer *ret, struct problem *p) must_use;

bool webhook_get(struct store_txn *txn, const char *id, struct webhook *ret, struct problem *p) must_use;
/* The text that the operator was given. */
bool webhook_secret(struct store *store, const struct webhook *webhook, struct buf *ret, struct problem *p) must_use;
const char *webhook_status(const struct webhook *webhook); /* "active" "failing" "stopped" */
/* One object, appended; last is the number of the log's last event, secret NULL unless it is to be shown. */
void webhook_json(const struct webhook *webhook, uint64_t last, const char *secret, struct buf *ret);
/* What the last try that failed came to; NULL: it did not. */
const char *webhook_error(const struct webhook *webhook);
