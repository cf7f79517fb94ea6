#include "acme/device_attest01.h"

#include <stdio.h>

#include "acme/attestation.h"
#include "acme/attestation_roots.h"
#include "acme/event.h"
#include "acme/probe_result.h"
#include "base/base64.h"
#include "base/clock.h"
#include "base/digest.h"
#include "store/order.h"

enum { STALE_MAX = 3, NAME_SIZE = sizeof("permanent-identifier ") + 256 + TLV_OID_SIZE };

struct judging {
	const struct acme_call *call;
	struct probe_result result;
	struct attestation attestation;  /* empty where nothing was proven */
	uint8_t key[SHA256_SIZE];        /* of the attested key */
};

static void judging_done(struct judging *j)
{
	probe_result_free(&j->result);
	attestation_free(&j->attestation);
}
declare_auto_value(judging, judging_done);

static bool take_object(const char *text, struct buf *ret, struct problem *p)
{
	size_t len = strlen(text);

	if (len > ATTESTATION_OBJECT_MAX / 3 * 4 + 4)
		return problem_set(p, PROBLEM_BAD_ATTESTATION, "the attestation object is larger than %d bytes",
		                   ATTESTATION_OBJECT_MAX);
	return base64url_decode(text, len, ret) ||
	       (buf_check(ret, p) &&
	        problem_set(p, PROBLEM_BAD_ATTESTATION,
	                    "the device attestation draft, 5: \"attObj\" is not in base64url"));
}

/* --- what a profile takes */

struct wanting {
	const struct judging *j;
	const char *authorization;
};

static bool profile_wants(const struct judging *j, const char *name, struct problem *p)
{
	const struct profile *profile = profiles_find(j->call->profiles, name ?: "");
	const struct strings *formats = profile ? &profile->acme.attestation_formats : NULL;
	const char *format = attestation_format_name(j->attestation.format);

	return !formats || formats->n == 0 || strings_has(formats, format) ||
	       problem_set(p, PROBLEM_BAD_ATTESTATION, "profile %s takes no attestation in format %s", name, format);
}

/* In a view. Of each order that waits for it; of the directory where none does yet. */
static bool profiles_want(struct store_txn *txn, void *arg, struct problem *p)
{
	const struct wanting *w = arg;
	auto_value(strings) orders = {0};

	if (!store_order_by_authorization(txn, w->authorization, SIZE_MAX, &orders, p))
		return false;
	for (size_t i = 0; i < orders.n; i++) {
		auto_value(order) order = {0};
		if (!store_order_get(txn, orders.v[i], &order, p) || !profile_wants(w->j, order.profile, p))
			return false;
	}
	return orders.n > 0 || profile_wants(w->j, w->j->call->directory, p);
}

/* --- judging */

static struct attestation_roots *roots_now(struct acme *acme)
{
	pthread_rwlock_rdlock(&acme->profiles_lock);
	struct attestation_roots *roots = acme->attestation ? attestation_roots_ref(acme->attestation) : NULL;
	pthread_rwlock_unlock(&acme->profiles_lock);
	return roots;
}

/* The three steps of section 5. */
static bool prove(struct judging *j, const char *object_text, struct problem *p)
{
	static const struct attestation_rules none;
	const struct probe_task *task = &j->result.task;
	auto_struct(attestation_roots) *roots = roots_now(j->call->acme);
	auto_value(buf) object = {0};

	if (!(j->call->acme->options.challenges & ACME_DEVICE_ATTEST_01))
		return problem_set(p, PROBLEM_UNAUTHORIZED, "device-attest-01 is not offered any more");
	return take_object(object_text, &object, p) &&
	       attestation_judge(roots ? attestation_roots_rules(roots) : &none, buf_bytes(&object),
	                         BYTES_STR(task->key_authorization),
	                         clock_now(), &j->attestation, p) &&
	       attestation_check_name(&j->attestation, task->type, task->value, p) &&
	       store_view(j->call->acme->store, profiles_want, &(struct wanting){ j, j->result.authorization }, p);
}

/* --- what is told */

static void name_text(const struct attestation_name *name, char ret[NAME_SIZE])
{
	snprintf(ret, NAME_SIZE, "%s %s%s%s", name->hardware ? "hardware-module" : "permanent-identifier", name->value,
	         name->oid[0] ? "/" : "", name->oid);
}

/* In the update that stores the result. */
static bool tell(struct store_txn *txn, const struct probe_result *r, struct problem *p)
{
	const struct judging *j = r->told;
	const struct attestation *a = &j->attestation;
	char room[ATTESTATION_NAMES_MAX][NAME_SIZE];
	const char *names[ATTESTATION_NAMES_MAX];

	for (size_t i = 0; i < a->name_count; i++) {
		name_text(&a->names[i], room[i]);
		names[i] = room[i];
	}
	const struct audit_fact facts[] = {
		audit_text("authorization", r->authorization), audit_text("type", r->task.type),
		audit_text("identifier", r->task.value),
		audit_text("format", a->name_count > 0 ? attestation_format_name(a->format) : NULL),
		audit_texts("proven", ((struct record_texts){ names, a->name_count })),
		audit_hex("key", BYTES(j->key, a->name_count > 0 ? sizeof(j->key) : 0)),
		audit_text("reason", r->proven ? NULL : r->problem.detail), { 0 },
	};
	return event_account(txn, j->call, r->proven ? AUDIT_DEVICE_ATTESTED : AUDIT_ATTESTATION_REFUSED,
	                     r->account.id, facts, p);
}

/* false: nothing is stored. */
static bool judge(struct judging *j, const char *object_text, struct problem *p)
{
	struct probe_result *r = &j->result;

	if (!probe_result_load(j->call->acme->store, r, p))
		return false;
	if (r->dropped)
		return true;
	r->proven = prove(j, object_text, &r->problem);
	if (!r->proven && problem_is_ours(&r->problem))
		return problem_pass(&r->problem, p);
	if (j->attestation.name_count > 0)
		digest_sha256(buf_bytes(&j->attestation.key), j->key);
	if (r->proven) {
		r->attested_key = BYTES(j->key, sizeof(j->key));
		r->attestation = attestation_format_name(j->attestation.format);
	}
	r->last = true;
	r->tell = tell;
	r->told = j;
	probe_result_time(j->call->acme, r);
	return probe_result_store(j->call->acme->store, r, p);
}

/* What was judged with a key that the account has no more is judged anew. */
bool device_attest01_respond(const struct acme_call *call, const char *authorization, const char *challenge,
                             struct problem *p)
{
	const char *object_text = json_member_string(call->payload, "attObj");

	if (!object_text)
		return problem_set(p, PROBLEM_MALFORMED, "the device attestation draft, 5: the response has its "
		                   "attestation object in \"attObj\"");
	for (int i = 0; i < STALE_MAX; i++) {
		auto_value(judging) j = {
			.call = call, .result = { .authorization = authorization, .url_key = challenge },
		};

		if (!judge(&j, object_text, p))
			return false;
		if (!j.result.stale)
			return true;
	}
	return problem_unavailable(p, 1, "the account's key changes all the time");
}
