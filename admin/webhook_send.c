#include "admin/webhook_send.h"

#include "base/clock.h"
#include "base/digest.h"

void webhook_sign(const char *secret, int64_t now, struct bytes body, struct buf *ret)
{
	auto_value(buf) text = {0};
	uint8_t mac[SHA256_SIZE];

	buf_printf(&text, "%lld.", (long long)now);
	buf_add(&text, body.data, body.len);
	if (text.failed) {
		ret->failed = true;
		return;
	}
	digest_hmac(256, BYTES_STR(secret), buf_bytes(&text), mac);
	buf_printf(ret, "t=%lld,v1=", (long long)now);
	buf_add_hex(ret, BYTES(mac, sizeof(mac)));
}

static struct outbound_rules rules_of(const struct webhook_options *options)
{
	return (struct outbound_rules){ .allow = options->allow, .deny = options->deny, .private_denied = true };
}

static bool judge_answer(const struct fetch *fetch, struct problem *p)
{
	if (fetch->status >= 200 && fetch->status < 300)
		return true;
	if (fetch->status >= 300 && fetch->status < 400)
		return problem_set(p, PROBLEM_INCORRECT_RESPONSE, "answered %ld: redirects are not followed",
		                   fetch->status);
	return problem_set(p, PROBLEM_INCORRECT_RESPONSE, "answered %ld", fetch->status);
}

static bool run(const struct webhook_options *options, struct fetcher *fetcher, const struct fetch_url *url,
                const char *const *lines, const struct webhook_message *message, struct webhook_answer *ret,
                struct problem *p)
{
	struct outbound_rules rules = rules_of(options);
	auto_free struct fetch *fetch = calloc(1, sizeof(*fetch));

	if (!fetch)
		return problem_memory(p);
	*fetch = (struct fetch){
		.url = url,
		.rules = &rules,
		.headers = lines,
		.post = message->body,
		.verify = true,
		.trust = options->trust,
		.keep = true,
		.timeout_ms = options->timeout_ms,
		.connect_ms = options->timeout_ms,
		.cancel = message->cancel,
	};
	if (!fetch_run(fetcher, fetch, p))
		return false;
	*ret = (struct webhook_answer){ fetch->status, fetch->retry_after };
	return judge_answer(fetch, p);
}

bool webhook_send(const struct webhook_options *options, struct fetcher *fetcher, const char *url, const char *secret,
                  const struct webhook_message *message, struct webhook_answer *ret, struct problem *p)
{
	auto_value(buf) id = {0}, type = {0}, signature = {0};
	auto_struct(fetch_url) *parsed = NULL;

	*ret = (struct webhook_answer){0};
	buf_printf(&id, "Enrolld-Event-Id: %s", message->id);
	buf_printf(&type, "Enrolld-Event-Type: %s", message->type);
	buf_add_str(&signature, "Enrolld-Signature: ");
	webhook_sign(secret, clock_now(), message->body, &signature);
	if (!buf_check(&id, p) || !buf_check(&type, p) || !buf_check(&signature, p) ||
	    !fetch_url_parse(url, &parsed, p))
		return false;
	const char *const lines[] = {
		"Content-Type: application/json",
		"Accept: */*",
		buf_text(&id),
		buf_text(&type),
		buf_text(&signature),
		NULL,
	};
	return run(options, fetcher, parsed, lines, message, ret, p);
}

bool webhook_url_check(const struct webhook_options *options, const char *url, struct problem *p)
{
	struct outbound_rules rules = rules_of(options);
	auto_struct(fetch_url) *parsed = NULL;
	struct fetch_url_parts parts;
	struct addr addr;

	if (strlen(url) > WEBHOOK_URL_MAX)
		return problem_set(p, PROBLEM_MALFORMED, "expected a URL of at most %d bytes", WEBHOOK_URL_MAX);
	if (!fetch_url_parse(url, &parsed, p))
		return false;
	if (!fetch_url_parts(parsed, &parts))
		return problem_set(p, PROBLEM_MALFORMED, "expected an http or https URL of a host");
	return !addr_parse(parts.host, &addr) || outbound_check(&rules, &addr, p);
}

void webhook_url_place(const char *url, struct buf *ret)
{
	const char *host = strstr(url, "://");
	size_t len = host ? (size_t)(host - url) + 3 + strcspn(host + 3, "/?#") : 0;

	buf_add(ret, url, len);
}
