/* Requests that wait for people: request list, show, approve, reject, cancel. */
#include "store/request.h"

#include "admin/actor.h"
#include "admin/listing.h"
#include "admin/option.h"
#include "admin/request_json.h"
#include "admin/words.h"
#include "base/clock.h"
#include "base/ossl.h"
#include "policy/consent.h"

static void put_request(const struct request *request, struct buf *ret)
{
	struct json_writer w = json_writer(ret);

	json_open(&w, NULL);
	json_put(&w, "id", request->id);
	json_put(&w, "status", request_state_name(request->state));
	json_put(&w, "profile", request->profile);
	json_put(&w, "method", request->method);
	json_put_some(&w, "account", request->account);
	json_put_some(&w, "order", request->order);
	json_put(&w, "identity", request->identity);
	if (request->managed)
		json_put_bool(&w, "managed", true);
	json_put_some(&w, "replaces", request->replaces);
	json_put(&w, "names", request->names);
	json_put_integer(&w, "needed", request->needed);
	json_put_integer(&w, "approvals", (int64_t)consent_count(request));
	request_put_decisions(request, &w);
	json_put_time(&w, "created", request->created);
	json_put_time(&w, request->ended ? "ended" : "expires", request->ended ?: request->expires);
	json_put_texts(&w, "reasons", request->reasons.v, request->reasons.n);
	json_put_some(&w, "certificate", request->certificate);
	auto_value(buf) pem = {0};
	if (request->csr.len > 0) {
		ossl_pem("CERTIFICATE REQUEST", request->csr, &pem);
		json_put_buf(&w, "csr", &pem);
	}
	json_close(&w);
}

static void add_decisions(const struct request *request, struct buf *ret)
{
	const struct request_decision *v = request->decisions.v;

	for (size_t i = 0; i < request->decisions.n; i++)
		buf_printf(ret, "%-12s %s%s%s\n", v[i].approved ? "approved by" : "rejected by", v[i].by,
		           v[i].reason ? ": " : "", v[i].reason ?: "");
}

static void add_request(const struct request *request, struct buf *ret)
{
	char created[CLOCK_RFC3339_SIZE], end[CLOCK_RFC3339_SIZE];

	clock_format(request->created, created);
	clock_format(request->ended ?: request->expires, end);
	words_text("id", request->id, ret);
	words_text("status", request_state_name(request->state), ret);
	words_text("profile", request->profile, ret);
	words_text("method", request->method, ret);
	words_text("account", request->account, ret);
	words_text("order", request->order, ret);
	words_text("identity", request->identity, ret);
	words_text("names", request->names, ret);
	words_text("replaces", request->replaces, ret);
	words_text("key",
	           !request->managed           ? NULL
	           : request->key_hash.len > 0 ? "the kept one"
	                                       : "the server makes it when it issues",
	           ret);
	buf_printf(ret, "%-12s %zu of %lld\n", "approvals", consent_count(request), (long long)request->needed);
	add_decisions(request, ret);
	words_text("created", created, ret);
	words_text(request->ended ? "ended" : "expires", end, ret);
	for (size_t i = 0; i < request->reasons.n; i++)
		words_text("reason", request->reasons.v[i], ret);
	words_text("certificate", request->certificate, ret);
	if (request->csr.len > 0)
		ossl_pem("CERTIFICATE REQUEST", request->csr, ret);
}

static bool print_request(const struct command_call *call, const struct request *request, struct problem *p)
{
	auto_value(buf) text = {0};

	if (call->json)
		put_request(request, &text);
	else
		add_request(request, &text);
	return listing_print_object(call, &text, p);
}

/* --- request list */

static bool list_page(struct store_txn *txn, void *arg, const char *after, size_t limit, struct store_page *ret,
                      struct problem *p)
{
	return store_request_list(txn, arg, after, limit, ret, p);
}

static bool list_row(struct store_txn *txn, void *arg, const char *id, bool json, struct buf *ret, struct problem *p)
{
	auto_value(request) request = {0};
	char created[CLOCK_RFC3339_SIZE];

	(void)arg;
	if (!store_request_get(txn, id, &request, p))
		return false;
	if (json) {
		put_request(&request, ret);
		return true;
	}
	clock_format(request.created, created);
	buf_printf(ret, "%-22s  %-9s  %s  %zu/%-3lld  %-16s  %s", id, request_state_name(request.state), created,
	           consent_count(&request), (long long)request.needed, request.profile, request.names ?: "");
	return true;
}

static const struct command_option list_options[] = {
	{ "--status", "STATUS", "pending, approved, rejected, cancelled, issued, failed or expired" },
	{ "--limit", "N", "at most so many" },
	{ 0 },
};

static bool request_list_run(struct command_call *call, struct problem *p)
{
	const char *name = command_value(call, "--status");
	enum request_state state;
	auto_struct(store) *store = NULL;
	struct listing listing = {
		.call = call, .page = list_page, .row = list_row, .arg = name ? &state : NULL,
		.heading = "ID                      STATUS     CREATED               BY     PROFILE           NAMES",
	};

	if (name && !request_state_from(name, &state))
		return problem_set(p, PROBLEM_MALFORMED,
		                   "--status: expected one of pending, approved, rejected, cancelled, issued, "
		                   "failed, expired");
	if (!option_number("--limit", command_value(call, "--limit"), 1, &listing.limit, p) ||
	    !admin_open_store(call->admin, &store, p))
		return false;
	return listing_print(store, &listing, p);
}

const struct command admin_request_list = {
	.name = "request list", .args = "", .json = true, .admin = true, .options = list_options,
	.run = request_list_run,
	.summary = "list the requests for approval, newest first",
};

/* --- request show, approve, reject, cancel */

struct deciding {
	const struct admin *admin;
	const char *id;
	const char *what;                 /* "approve"; NULL: only to look */
	struct consent consent;
	struct consent_room room;
	struct request request;           /* the caller's to free */
};

static bool get(struct store_txn *txn, void *arg, struct problem *p)
{
	struct deciding *d = arg;

	request_free(&d->request);
	d->request = (struct request){0};
	return (random_id_valid(d->id) && store_request_get(txn, d->id, &d->request, p)) ||
	       problem_missing(p, "there is no request %s", d->id);
}

/* The log's actor is who ran the command, whatever he says who decides. */
static bool tell(struct store_txn *txn, const struct deciding *d, struct problem *p)
{
	const struct audit_fact facts[] = {
		audit_text("request", d->request.id),    audit_text("decision", d->what),
		audit_text("by", d->consent.by),         audit_text("status", request_state_name(d->request.state)),
		audit_text("reason", d->consent.reason), { 0 },
	};

	return admin_tell(txn, AUDIT_REQUEST_DECIDED, d->consent.now, facts, p);
}

/* What was decided is carried out by the server, which looks for it every second. */
static bool decide(struct store_txn *txn, void *arg, struct problem *p)
{
	static const struct strings nobody_else;
	struct deciding *d = arg;

	if (!get(txn, arg, p) ||
	    (!str_equal(d->what, "cancel") && !consent_check_other(txn, &d->request, d->consent.by, p)))
		return false;
	d->consent.approvers = d->admin->approvers(d->admin->config, d->request.profile) ?: &nobody_else;
	bool decided = str_equal(d->what, "approve")  ? consent_approve(&d->request, &d->consent, &d->room, p)
	               : str_equal(d->what, "reject") ? consent_reject(&d->request, &d->consent, &d->room, p)
	                                              : consent_cancel(&d->request, &d->consent, p);
	return decided && store_request_put(txn, &d->request, p) && tell(txn, d, p);
}

static bool run(struct command_call *call, const char *what, struct problem *p)
{
	auto_struct(store) *store = NULL;
	struct deciding d = { .admin = call->admin, .id = call->args[0], .what = what, .consent.now = clock_now() };
	char actor[ADMIN_ACTOR_SIZE];

	admin_actor(actor);
	if (what) {
		const char *said = command_value(call, "--by");
		d.consent.by = said ? said : actor + strlen("operator ");
		d.consent.reason = command_value(call, "--reason");
	}
	bool done = admin_open_store(call->admin, &store, p) &&
	            (what ? store_update(store, decide, &d, p) : store_view(store, get, &d, p)) &&
	            print_request(call, &d.request, p);
	request_free(&d.request);
	consent_room_free(&d.room);
	return done;
}

static bool show_run(struct command_call *call, struct problem *p)
{
	return run(call, NULL, p);
}

static bool approve_run(struct command_call *call, struct problem *p)
{
	return run(call, "approve", p);
}

static bool reject_run(struct command_call *call, struct problem *p)
{
	return run(call, "reject", p);
}

static bool cancel_run(struct command_call *call, struct problem *p)
{
	return run(call, "cancel", p);
}

static const struct command_option decide_options[] = {
	{ "--by", "NAME", "who decides; otherwise the name of who runs this" },
	{ "--reason", "TEXT", "why; shown to who asked" },
	{ 0 },
};

const struct command admin_request_show = {
	.name = "request show", .args = "ID", .args_min = 1, .args_max = 1, .json = true, .admin = true,
	.run = show_run,
	.summary = "show one request with its CSR",
};
const struct command admin_request_approve = {
	.name = "request approve", .args = "ID", .args_min = 1, .args_max = 1, .json = true, .admin = true,
	.options = decide_options, .run = approve_run,
	.summary = "approve a request; the last approval that is needed has it issued",
};
const struct command admin_request_reject = {
	.name = "request reject", .args = "ID", .args_min = 1, .args_max = 1, .json = true, .admin = true,
	.options = decide_options, .run = reject_run,
	.summary = "reject a request",
};
const struct command admin_request_cancel = {
	.name = "request cancel", .args = "ID", .args_min = 1, .args_max = 1, .json = true, .admin = true,
	.options = decide_options, .run = cancel_run,
	.summary = "take a request back that is not issued yet",
};
