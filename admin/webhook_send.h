/* Webhook send: one try to deliver one event: signed, to an address that was judged. Internal to admin/. */
#pragma once

#include "admin/webhook.h"
#include "base/fetch.h"
#include "store/webhook.h"

struct webhook_message {
	const char *id, *type;         /* of the event */
	struct bytes body;             /* JSON */
	const atomic_bool *cancel;     /* true: end it now; NULL */
};
struct webhook_answer {
	long status;                   /* 0: there was none */
	int64_t retry_after;           /* seconds; 0: nothing was said */
};
/* true: it was taken, with a status of 2xx. Otherwise the problem says why not, without anything that the other
 * side wrote. The secret is the text that the operator was given. */
bool webhook_send(const struct webhook_options *options, struct fetcher *fetcher, const char *url, const char *secret,
                  const struct webhook_message *message, struct webhook_answer *ret, struct problem *p) must_use;
/* The value of the header Enrolld-Signature, appended: "t=TIME,v1=HEX", HMAC-SHA-256 of "TIME.BODY". */
void webhook_sign(const char *secret, int64_t now, struct bytes body, struct buf *ret);
/* The URL is http or https, of a host that is a name, or an address which may be connected to. */
bool webhook_url_check(const struct webhook_options *options, const char *url, struct problem *p) must_use;
/* "https://host", appended: all of a URL that everybody may read. */
void webhook_url_place(const char *url, struct buf *ret);
