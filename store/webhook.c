#include "store/webhook.h"

#include "store/table.h"

static const struct record_field try_fields[] = {
	record_time(1, webhook_try, time),
	record_integer(2, webhook_try, event),
	record_integer(3, webhook_try, status),
	record_text(4, webhook_try, error),
};
static const struct record_schema try_schema = {
	"webhook try", sizeof(struct webhook_try), try_fields, array_length(try_fields),
};

static const struct record_field webhook_fields[] = {
	record_id(1, webhook, id),
	record_text_always(2, webhook, url),
	record_bytes(3, webhook, sealed_secret),
	record_text(4, webhook, note),
	record_texts(5, webhook, events),
	record_texts(6, webhook, profiles),
	record_time(7, webhook, created),
	record_integer(8, webhook, cursor),
	record_integer(9, webhook, delivered),
	record_integer(10, webhook, attempts),
	record_time(11, webhook, failing),
	record_time(12, webhook, next_try),
	record_time(13, webhook, stopped),
	record_list(14, webhook, tries, &try_schema),
	record_text(15, webhook, name),
};
static const struct record_schema webhook_schema = {
	"webhook", sizeof(struct webhook), webhook_fields, array_length(webhook_fields),
};
static const struct table webhooks = { .class = KEY_WEBHOOK, .schema = &webhook_schema };

void webhook_free(struct webhook *webhook)
{
	record_free(webhook);
}

bool store_webhook_get(struct store_txn *txn, const char *id, struct webhook *ret, struct problem *p)
{
	return table_get(txn, &webhooks, id, ret, p);
}

bool store_webhook_put(struct store_txn *txn, const struct webhook *webhook, struct problem *p)
{
	return table_put(txn, &webhooks, webhook->id, webhook, p);
}

bool store_webhook_delete(struct store_txn *txn, const char *id, struct problem *p)
{
	return table_delete(txn, &webhooks, id, p);
}

bool store_webhook_ids(struct store_txn *txn, size_t limit, struct strings *ret, struct problem *p)
{
	struct key prefix;

	key_begin(&prefix, KEY_WEBHOOK);
	return page_read_ids(txn, &prefix, limit, ret, p);
}

bool store_webhook_list(struct store_txn *txn, const char *after, size_t limit, struct store_page *ret,
                        struct problem *p)
{
	struct key prefix;

	key_begin(&prefix, KEY_WEBHOOK);
	return page_read(txn, &prefix, false, after, limit, ret, p);
}
