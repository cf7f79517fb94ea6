#include "policy/consent.h"

#include "store/token.h"

void consent_room_free(struct consent_room *room)
{
	free(room->v);
	room->v = NULL;
}

static bool pending(const struct request *request, int64_t now, struct problem *p)
{
	if (request->state != REQUEST_PENDING)
		return problem_set(p, PROBLEM_CONFLICT, "request %s is %s already", request->id,
		                   request_state_name(request->state));
	return request->expires > now || problem_set(p, PROBLEM_GONE, "request %s has expired", request->id);
}

static bool may_decide(const struct request *request, const struct consent *consent, struct problem *p)
{
	const struct request_decision *made = request->decisions.v;

	if (consent->by[0] == '\0')
		return problem_set(p, PROBLEM_MALFORMED, "it is not said who decides");
	if (consent->approvers->n > 0 && !strings_has(consent->approvers, consent->by))
		return problem_set(p, PROBLEM_UNAUTHORIZED, "%s is none of the approvers of profile %s", consent->by,
		                   request->profile);
	for (size_t i = 0; i < request->decisions.n; i++)
		if (str_equal(made[i].by, consent->by))
			return problem_set(p, PROBLEM_CONFLICT, "%s has decided about request %s already",
			                   consent->by, request->id);
	return true;
}

static bool decide(struct request *request, const struct consent *consent, bool approved, struct consent_room *room,
                   struct problem *p)
{
	size_t n = request->decisions.n;

	if (!pending(request, consent->now, p) || !may_decide(request, consent, p))
		return false;
	consent_room_free(room);
	room->v = calloc(n + 1, sizeof(*room->v));
	if (!room->v)
		return problem_memory(p);
	if (n > 0)
		memcpy(room->v, request->decisions.v, n * sizeof(*room->v));
	room->v[n] = (struct request_decision){ consent->by, approved, consent->reason, consent->now };
	request->decisions = (struct record_list){ room->v, n + 1 };
	return true;
}

void consent_waiter(const char *label, const char *identity, const uint8_t key_hash[SHA256_SIZE],
                    uint8_t ret[SHA256_SIZE])
{
	uint8_t parts[3][SHA256_SIZE];

	digest_sha256(BYTES_STR(label), parts[0]);
	digest_sha256(BYTES_STR(identity), parts[1]);
	memcpy(parts[2], key_hash, SHA256_SIZE);
	digest_sha256(BYTES(parts, sizeof(parts)), ret);
}

size_t consent_count(const struct request *request)
{
	const struct request_decision *made = request->decisions.v;
	size_t count = 0;

	for (size_t i = 0; i < request->decisions.n; i++)
		count += made[i].approved;
	return count;
}

bool consent_approve(struct request *request, const struct consent *consent, struct consent_room *room,
                     struct problem *p)
{
	if (!decide(request, consent, true, room, p))
		return false;
	if ((int64_t)consent_count(request) >= request->needed)
		request->state = REQUEST_APPROVED;
	return true;
}

static bool refuse_own(const struct request *request, struct problem *p)
{
	return problem_set(p, PROBLEM_UNAUTHORIZED, "who made the request %s does not decide about it", request->id);
}

/* What the server asked for by itself, the renewal of what somebody had, is nobody's own. */
bool consent_check_other(struct store_txn *txn, const struct request *request, const char *by, struct problem *p)
{
	static const char prefix[] = "token ", person[] = "operator ";
	bool asked = request->identity && !request->by_server;
	auto_value(token) token = {0};

	if (asked && str_starts(request->identity, person))
		return !str_equal(request->identity + sizeof(person) - 1, by) || refuse_own(request, p);
	if (!asked || !str_starts(request->identity, prefix))
		return true;
	if (!store_token_get(txn, request->identity + sizeof(prefix) - 1, &token, p))
		return problem_forgive(p, PROBLEM_NOT_FOUND);
	return !str_equal(token.name ?: request->identity, by) || refuse_own(request, p);
}

static void end(struct request *request, enum request_state state, const struct consent *consent)
{
	request->state = state;
	request->ended = consent->now;
	request->reasons = (struct record_texts){ &consent->reason, consent->reason ? 1 : 0 };
}

bool consent_reject(struct request *request, const struct consent *consent, struct consent_room *room,
                    struct problem *p)
{
	if (!decide(request, consent, false, room, p))
		return false;
	end(request, REQUEST_REJECTED, consent);
	return true;
}

bool consent_cancel(struct request *request, const struct consent *consent, struct problem *p)
{
	if (request->state != REQUEST_APPROVED && !pending(request, consent->now, p))
		return false;
	end(request, REQUEST_CANCELLED, consent);
	return true;
}
