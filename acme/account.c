#include "acme/account.h"

#include "acme/actions.h"
#include "acme/contact.h"
#include "acme/eab.h"
#include "acme/event.h"
#include "policy/key.h"

bool acme_account_reply(struct acme_call *call, const struct account *account, int status, struct problem *p)
{
	auto_value(buf) orders = { 0 };
	acme_url(call, &orders, "account", account->id, "orders");
	struct json_writer w = acme_reply(call, status);
	json_open(&w, NULL);
	json_put(&w, "status", account_status_name(account->status));
	if (account->contacts.n > 0)
		json_put_texts(&w, "contact", account->contacts.v, account->contacts.n);
	if (account->terms_agreed)
		json_put_bool(&w, "termsOfServiceAgreed", true);
	if (account->eab_json)
		json_put_raw(&w, "externalAccountBinding", BYTES_STR(account->eab_json));
	json_put_raw(&w, "key", BYTES_STR(account->jwk)); /* as Boulder does: clients look for it */
	json_put_buf(&w, "orders", &orders);
	json_close(&w);
	return buf_check(&orders, p) && buf_check(&call->response->body, p);
}

/* --- newAccount (7.3) */

/* What a newAccount asks for, and what it brings with it. */
struct wish {
	bool only_existing, terms_agreed;
	struct strings contacts;
	struct eab_binding binding;   /* kid empty: none */
};

static void wish_free(struct wish *wish)
{
	strings_free(&wish->contacts);
	eab_binding_free(&wish->binding);
}
declare_auto_value(wish, wish_free);

static bool read_flag(const struct json *payload, const char *name, bool *ret, struct problem *p)
{
	const struct json *member = json_given(payload, name);
	if (member && !json_bool(member, ret))
		return problem_set(p, PROBLEM_MALFORMED, "RFC 8555, 7.3: \"%s\" must be true or false", name);
	return true;
}

static bool check_terms(const struct acme_call *call, const struct wish *wish, struct problem *p)
{
	const char *terms = call->acme->options.terms_of_service;
	if (!terms || wish->terms_agreed)
		return true;
	problem_set(p, PROBLEM_USER_ACTION_REQUIRED,
	            "RFC 8555, 7.3: \"termsOfServiceAgreed\" must be true: you must agree to terms of service");
	snprintf(p->link, sizeof p->link, "<%s>;rel=\"terms-of-service\"", terms);
	return false;
}

static bool read_binding(const struct acme_call *call, struct wish *wish, struct problem *p)
{
	const struct json *object = json_given(call->payload, "externalAccountBinding");
	if (object)
		return eab_verify(call, object, &wish->binding, p);
	if (call->profile->eab_required)
		return problem_set(p, PROBLEM_EXTERNAL_ACCOUNT_REQUIRED,
		                   "RFC 8555, 7.3.4: new accounts need an \"externalAccountBinding\" here");
	return true;
}

/* All that must hold before an account is made. */
static bool check_wish(const struct acme_call *call, struct wish *wish, struct problem *p)
{
	const struct json *contact = json_given(call->payload, "contact");
	return key_check(call->public_key, profiles_blocklist(call->profiles), p) &&
	       contact_read(contact, call->acme->options.contacts_max, &wish->contacts, p) &&
	       check_terms(call, wish, p) && read_binding(call, wish, p);
}

struct account_creation {
	const struct acme_call *call;
	const struct account *account;
};

static bool tell_created(struct store_txn *txn, const struct account_creation *creation, struct problem *p)
{
	const struct account *account = creation->account;
	auto_value(buf) thumbprint = { 0 };
	buf_add_base64url(&thumbprint, account->thumbprint);
	const struct audit_fact facts[] = {
		audit_text("directory", account->directory), audit_text("thumbprint", buf_text(&thumbprint)),
		audit_texts("contacts", account->contacts), audit_text("terms", account->terms),
		audit_text("eab", account->eab_kid), { 0 },
	};
	return buf_check(&thumbprint, p) &&
	       event_account(txn, creation->call, AUDIT_ACCOUNT_CREATED, account->id, facts, p);
}

static bool use_binding(struct store_txn *txn, const struct account_creation *creation, struct problem *p)
{
	const struct account *account = creation->account;
	const struct audit_fact facts[] = { audit_text("eab", account->eab_kid), { 0 } };
	return !account->eab_kid ||
	       (eab_use(txn, account->eab_kid, account->directory, creation->call->now, p) &&
	        event_account(txn, creation->call, AUDIT_EAB_USED, account->id, facts, p));
}

/* CONFLICT when a parallel request has made the account. */
static bool create(struct store_txn *txn, void *arg, struct problem *p)
{
	const struct account_creation *creation = arg;
	return store_account_put(txn, creation->account, p) && tell_created(txn, creation, p) &&
	       use_binding(txn, creation, p);
}

/* A policy may bind DNS names to it: `*.{account}.example.com`. So it is a label of a host name (RFC 1123, 2.1). */
static bool make_id(char ret[RANDOM_ID_SIZE], struct problem *p)
{
	do
		if (!random_id(ret, p))
			return false;
	while (strchr(ret, '_') || ret[0] == '-' || ret[RANDOM_ID_SIZE - 2] == '-');
	return true;
}

static bool make_account(struct acme_call *call, const struct wish *wish, struct problem *p)
{
	char from[ADDR_TEXT_SIZE];
	addr_format(&call->request->peer, from);
	bool bound = wish->binding.kid.len > 0;
	const struct scope *given = &wish->binding.key.scope;
	struct account account = {
		.directory = call->directory, .status = ACCOUNT_VALID, .key = call->key,
		.thumbprint = BYTES(call->thumbprint, sizeof call->thumbprint), .jwk = call->jwk,
		.contacts = record_texts_of(&wish->contacts), .terms_agreed = wish->terms_agreed,
		.terms_agreed_at = wish->terms_agreed ? call->now : 0,
		.terms = wish->terms_agreed ? call->acme->options.terms_of_service : NULL,
		.created = call->now, .created_from = from,
		.eab_kid = bound ? buf_text(&wish->binding.kid) : NULL,
		.eab_json = bound ? buf_text(&wish->binding.json) : NULL,
		.scope = {
			.names = given->names, .authorized = given->authorized, .profiles = given->profiles,
			.networks = given->networks,
		},
		.quota_shared = given->quota > 0 || given->quota_total > 0,
	};
	if (!acme_pass_limit(call->acme->accounts_per_address, call->request,
	                     "RFC 8555, 6.6: too many new accounts", p) ||
	    !make_id(account.id, p) ||
	    !store_update(call->acme->store, create, &(struct account_creation){ call, &account }, p))
		return false;
	acme_location(call, "account", account.id, NULL);
	return acme_account_reply(call, &account, 201, p);
}

struct account_by_key {
	const struct acme_call *call;
	struct account *ret;
};

static bool view_by_key(struct store_txn *txn, void *arg, struct problem *p)
{
	struct account_by_key *view = arg;
	struct bytes thumbprint = BYTES(view->call->thumbprint, SHA256_SIZE);
	return store_account_by_key(txn, view->call->directory, thumbprint, view->ret, p);
}

/* 7.3.1: the account as it was; what the request says of it is ignored. NOT_FOUND when there is none. Who shows the
 * key of one that is no more gets 403: 7.3.6 has 401 for what such an account signs, and this is a key without one.
 * Ansible takes this status, with that word in the detail, for "is deactivated already". */
static bool show_existing(struct acme_call *call, struct problem *p)
{
	auto_value(account) account = { 0 };
	if (!store_view(call->acme->store, view_by_key, &(struct account_by_key){ call, &account }, p))
		return false;
	if (account.status != ACCOUNT_VALID)
		return problem_set(p, PROBLEM_UNAUTHORIZED,
		                   "RFC 8555, 7.3.6: the account of this key is %s",
		                   account_status_name(account.status));
	acme_location(call, "account", account.id, NULL);
	return acme_account_reply(call, &account, 200, p);
}

static bool make_or_find(struct acme_call *call, const struct wish *wish, struct problem *p)
{
	return make_account(call, wish, p) || (problem_forgive(p, PROBLEM_CONFLICT) && show_existing(call, p));
}

bool acme_account_new(struct acme_call *call, struct problem *p)
{
	auto_value(wish) wish = { 0 };
	if (show_existing(call, p))
		return true;
	if (!problem_forgive(p, PROBLEM_NOT_FOUND))
		return false;
	if (!read_flag(call->payload, "onlyReturnExisting", &wish.only_existing, p) ||
	    !read_flag(call->payload, "termsOfServiceAgreed", &wish.terms_agreed, p))
		return false;
	if (wish.only_existing)
		return problem_set(p, PROBLEM_ACCOUNT_DOES_NOT_EXIST,
		                   "RFC 8555, 7.3.1: there is no account of this key");
	return check_wish(call, &wish, p) && make_or_find(call, &wish, p);
}

/* --- the account's URL (7.3.2, 7.3.6) */

struct account_change {
	const struct acme_call *call;
	const char *id;
	const struct strings *contacts;   /* NULL: as they are */
	bool deactivate;
	struct account *ret;
};

static bool tell_changed(struct store_txn *txn, const struct account_change *wanted, struct problem *p)
{
	const struct audit_fact facts[] = { audit_texts("contacts", wanted->ret->contacts), { 0 } };
	return (!wanted->contacts ||
	        event_account(txn, wanted->call, AUDIT_ACCOUNT_CHANGED, wanted->id, facts, p)) &&
	       (!wanted->deactivate ||
	        event_account(txn, wanted->call, AUDIT_ACCOUNT_DEACTIVATED, wanted->id, NULL, p));
}

static bool change(struct store_txn *txn, void *arg, struct problem *p)
{
	struct account_change *wanted = arg;
	bool more;
	account_free(wanted->ret);
	if (!store_account_get(txn, wanted->id, wanted->ret, p))
		return false;
	if (wanted->ret->status != ACCOUNT_VALID)
		return problem_set(p, PROBLEM_UNAUTHENTICATED, "RFC 8555, 7.3.6: the account is %s",
		                   account_status_name(wanted->ret->status));
	if (wanted->contacts)
		wanted->ret->contacts = record_texts_of(wanted->contacts);
	if (wanted->deactivate)
		wanted->ret->status = ACCOUNT_DEACTIVATED;
	return store_account_put(txn, wanted->ret, p) && tell_changed(txn, wanted, p) &&
	       (!wanted->deactivate || acme_account_cancel_work(txn, wanted->id, &more, p));
}

/* Members other than "contact" and the status "deactivated" are ignored (7.3.2). */
static bool update_account(struct acme_call *call, struct problem *p)
{
	auto_value(strings) contacts = { 0 };
	auto_value(account) changed = { 0 };
	const struct json *contact = json_given(call->payload, "contact");
	const char *status = json_member_string(call->payload, "status");
	struct account_change wanted = {
		.call = call, .id = call->account.id, .contacts = contact ? &contacts : NULL,
		.deactivate = status && str_equal(status, account_status_name(ACCOUNT_DEACTIVATED)), .ret = &changed,
	};
	if (!contact_read(contact, call->acme->options.contacts_max, &contacts, p))
		return false;
	if (!wanted.contacts && !wanted.deactivate)
		return acme_account_reply(call, &call->account, 200, p);
	return store_update(call->acme->store, change, &wanted, p) && acme_account_reply(call, &changed, 200, p);
}

bool acme_account_post(struct acme_call *call, struct problem *p)
{
	if (!str_equal(call->capture[0], call->account.id))
		return problem_set(p, PROBLEM_UNAUTHORIZED,
		                   "RFC 8555, 7.3.2: this account is not the one that signed the request");
	return call->payload ? update_account(call, p) : acme_account_reply(call, &call->account, 200, p);
}
