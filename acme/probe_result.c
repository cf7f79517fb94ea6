#include "acme/probe_result.h"

#include "acme/challenge_error.h"
#include "base/clock.h"

void probe_result_free(struct probe_result *r)
{
	account_free(&r->account);
	authorization_free(&r->record);
	free(r->key_authorization);
	buf_free(&r->thumbprints);
	problem_done(&r->problem);
	buf_free(&r->error);
	buf_free(&r->errors);
}

static bool is_waited_for(const struct account *account, const struct authorization *a,
                          const struct challenge *c, int64_t now)
{
	return account->status == ACCOUNT_VALID && authorization_status_at(a, now) == AUTHORIZATION_PENDING && c &&
	       (c->status == CHALLENGE_PENDING || c->status == CHALLENGE_PROCESSING);
}

/* Reads both records; false without a problem in p when either is gone. */
static bool read_both(struct store_txn *txn, const char *id, struct account *account, struct authorization *a,
                      struct problem *p)
{
	if (store_authorization_get(txn, id, a, p) && store_account_get(txn, a->account, account, p))
		return true;
	(void)!problem_forgive(p, PROBLEM_NOT_FOUND);
	return false;
}

static bool key_authorization(struct probe_result *r, struct problem *p)
{
	auto_value(buf) text = {0};

	buf_printf(&text, "%s.", r->challenge.token);
	buf_add_base64url(&text, r->account.thumbprint);
	if (!buf_check(&text, p))
		return false;
	buf_add(&r->thumbprints, r->account.former_thumbprints.data, r->account.former_thumbprints.len);
	buf_add(&r->thumbprints, r->account.thumbprint.data, r->account.thumbprint.len);
	if (!buf_check(&r->thumbprints, p))
		return false;
	r->key_authorization = buf_take(&text, NULL);
	r->task = (struct probe_task){
		.type = r->record.type, .value = r->record.value, .token = r->challenge.token,
		.key_authorization = r->key_authorization, .account_url = r->record.account_url,
		.thumbprints = buf_bytes(&r->thumbprints), .ret_until = &r->until,
		.wildcard = r->record.wildcard, .require_dnssec = r->record.require_dnssec,
	};
	return r->key_authorization || problem_memory(p);
}

/* In a view, and run once. */
static bool load(struct store_txn *txn, void *arg, struct problem *p)
{
	struct probe_result *r = arg;
	const struct challenge *c;

	r->dropped = true;
	if (!read_both(txn, r->authorization, &r->account, &r->record, p))
		return !problem_is_set(p);
	c = challenge_of(&r->record, r->url_key);
	if (!is_waited_for(&r->account, &r->record, c, clock_now()))
		return true;
	r->dropped = false;
	r->challenge = *c;
	r->task_type = c->type;
	r->directory = r->record.directory;
	return key_authorization(r, p);
}

bool probe_result_load(struct store *store, struct probe_result *r, struct problem *p)
{
	return store_view(store, load, r, p);
}

static int64_t lifetime(struct acme *acme, const char *directory)
{
	auto_struct(profiles) *profiles = acme_profiles(acme);
	const struct profile *profile = profiles_find(profiles, directory);

	return profile ? profile->authorization_lifetime : 0;
}

void probe_result_time(struct acme *acme, struct probe_result *r)
{
	r->change.now = clock_now();
	r->change.valid_until = r->change.now + lifetime(acme, r->directory);
	r->change.ends = r->until;
	r->change.keep_until = r->proven ? 0 : r->change.now + acme->options.retention;
}

static bool proven(struct store_txn *txn, struct probe_result *r, struct authorization *a,
                   struct challenge *c, struct problem *p)
{
	c->validated = r->change.now;
	c->error = NULL;
	a->attested_key = r->attested_key;
	a->attestation = r->attestation;
	return challenge_step(&c->status, CHALLENGE_PROVED) &&
	       authorization_apply(txn, a, AUTHORIZATION_PROVED, &r->change, p);
}

static bool failed(struct store_txn *txn, struct probe_result *r, struct authorization *a,
                   struct challenge *c, struct problem *p)
{
	buf_clear(&r->errors);
	if (!challenge_error_write(c->error, &r->problem, &r->errors, p))
		return false;
	c->error = buf_text(&r->errors);
	if (!r->last)
		return challenge_step(&c->status, CHALLENGE_RETRY) && store_authorization_put(txn, a, p);
	return challenge_step(&c->status, CHALLENGE_FAILED) &&
	       authorization_apply(txn, a, AUTHORIZATION_FAILED, &r->change, p);
}

/* The world may have changed while the probe ran: what it proved counts only for the same key of
 * the same account, and only while the authorization still waits. */
static bool store_it(struct store_txn *txn, void *arg, struct problem *p)
{
	struct probe_result *r = arg;
	auto_value(account) account = {0};
	auto_value(authorization) a = {0};
	struct challenge *c = NULL;

	r->stale = r->dropped = false;
	bool both = read_both(txn, r->authorization, &account, &a, p);
	if (problem_is_set(p))
		return false;
	if (both)
		c = challenge_of(&a, r->url_key);
	r->dropped = !both || !is_waited_for(&account, &a, c, r->change.now);
	if (r->dropped)
		return true;
	r->stale = !bytes_equal(account.thumbprint, r->account.thumbprint);
	if (r->stale)
		return true;
	c->attempts++;
	if (!challenge_step(&c->status, CHALLENGE_RESPONSE))
		return false;
	return (r->proven ? proven(txn, r, &a, c, p) : failed(txn, r, &a, c, p)) && (!r->tell || r->tell(txn, r, p));
}

bool probe_result_store(struct store *store, struct probe_result *r, struct problem *p)
{
	if (r->dropped)
		return true;
	if (!r->proven)
		acme_problem_write(&r->problem, NULL, &r->error);
	r->change.error = buf_text(&r->error);
	return buf_check(&r->error, p) && store_update(store, store_it, r, p);
}
