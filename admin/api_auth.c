#include <strings.h>

#include "admin/api_call.h"
#include "base/log.h"

enum { USED_EVERY = 3600 };

/* RFC 6750, 2.1. */
static const char *bearer_of(const char *value)
{
	if (strncasecmp(value, "Bearer ", 7) != 0)
		return NULL;
	value += 7;
	return value + strspn(value, " ");
}

struct used {
	const char *id;
	int64_t now;
};

static bool put_used(struct store_txn *txn, void *arg, struct problem *p)
{
	const struct used *used = arg;
	auto_value(token) token = {0};

	if (!store_token_get(txn, used->id, &token, p))
		return false;
	token.used = used->now;
	return store_token_put(txn, &token, p);
}

/* So that a token nobody uses can be told from one in use. Once an hour: a read is no write. */
static void note_used(struct api *api, const struct token *token, int64_t now)
{
	struct used used = { token->id, now };
	auto_value(problem) p = {0};

	if (now - token->used < USED_EVERY)
		return;
	if (!store_update(api->store, put_used, &used, &p))
		log_event(LOG_LEVEL_WARN, "token-use-not-noted", "token", token->id, "cause", problem_cause(&p), NULL);
}

static bool check_rate(struct api *api, const struct token *token, struct problem *p)
{
	int wait;

	if (limit_take(api->requests, token->id, &wait))
		return true;
	return problem_limited(p, wait, "too many requests with token %s", token->id);
}

static bool identify(struct api *api, const struct http_request *request, int64_t now, struct identity **ret,
                     struct problem *p)
{
	const char *value = http_header(request, "Authorization"); /* of several the server takes none */
	const char *text = value ? bearer_of(value) : NULL;

	if (value && !text)
		return problem_set(p, PROBLEM_UNAUTHENTICATED, "RFC 6750, 2.1: expected `Authorization: Bearer TOKEN`");
	if (text)
		return identity_bearer(api->store, text, now, ret, p);
	if (request->tls && request->tls->chain_length > 0)
		return identity_client(api->store, request->tls->chain[0], now, ret, p);
	return problem_set(p, PROBLEM_UNAUTHENTICATED, "a token is wanted: `Authorization: Bearer TOKEN`");
}

bool api_authenticate(struct api *api, const struct http_request *request, int64_t now, struct identity **ret,
                      struct problem *p)
{
	auto_struct(identity) *identity = NULL;

	if (!identify(api, request, now, &identity, p) || !check_rate(api, identity_token(identity), p))
		return false;
	note_used(api, identity_token(identity), now);
	*ret = steal(identity);
	return true;
}
