#include "acme/actions.h"
#include "acme/renewal_window.h"

enum {
	MINUTE = 60,
	KEEP_MAX = 5 * MINUTE,   /* how long a cache may keep it: what an operator asks for is to be known soon */
};

struct asking {
	const struct acme_call *call;
	struct certificate_id id;
	struct certificate certificate; /* the caller's to free */
};

/* In a view, and run once. */
static bool load(struct store_txn *txn, void *arg, struct problem *p)
{
	struct asking *a = arg;

	return renewal_find(txn, a->call->acme->ca, &a->id, &a->certificate, p);
}

/* What lives for hours is asked about more often than every few hours. */
static int64_t retry_after(const struct acme_call *call, const struct certificate *row)
{
	int64_t part = (row->not_after - row->not_before) / 20, usual = call->acme->options.renewal_retry_after;
	int64_t seconds = part < usual ? part : usual;

	return seconds < MINUTE ? MINUTE : seconds;
}

static void reply(struct acme_call *call, const struct certificate *row)
{
	const char *explanation = row->advised_why ?: call->acme->options.renewal_explanation;
	int64_t wait = retry_after(call, row);
	struct renewal_window window;
	struct json_writer w = acme_reply(call, 200);

	renewal_window(call, row, &window);
	call->cacheable = true;
	http_response_header_printf(call->response, "Retry-After", "%lld", (long long)wait);
	http_response_header_printf(call->response, "Cache-Control", "public, max-age=%lld",
	                            (long long)(wait < KEEP_MAX ? wait : KEEP_MAX));
	json_open(&w, NULL);
	json_open(&w, "suggestedWindow");
	json_put_time(&w, "start", window.from);
	json_put_time(&w, "end", window.until);
	json_close(&w);
	json_put(&w, "explanationURL", explanation);
	json_close(&w);
}

/* RFC 9773, 4: two reads of the store, and no write. Anybody may ask, so this has a bucket of its own beside
 * that of all requests (6). */
bool acme_renewal_info_get(struct acme_call *call, struct problem *p)
{
	static const char what[] = "RFC 9773, 6: too many requests for renewal information";
	struct asking a = { .call = call };
	bool done = acme_pass_limit(call->acme->renewal_info_per_address, call->request, what, p) &&
	            certificate_id_parse(call->capture[0], "the path", &a.id, p) &&
	            store_view(call->acme->store, load, &a, p);

	if (done)
		reply(call, &a.certificate);
	certificate_free(&a.certificate);
	return done && buf_check(&call->response->body, p);
}
