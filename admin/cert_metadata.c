/* cert metadata: the operators' own words beside a certificate. */
#include "admin/actor.h"
#include "admin/api_body.h"
#include "admin/certificate.h"
#include "admin/issued.h"
#include "admin/listing.h"
#include "admin/option.h"
#include "base/clock.h"

enum { ENTRIES_MAX = 32 }; /* as over the API */

static const struct command_option options[] = {
	{ "--remove", "KEY[,KEY...]", "of set: take these away" },
	{ "--replace", NULL, "of set: take all away that is not named" },
	{ 0 },
};

struct wording {
	const struct command_call *call;
	bool set, replace;
	struct strings remove;
	struct json *body;            /* what is set, as the API has it */
	struct actor actor;
	struct certificate row;       /* as it is afterwards */
};

static void wording_free(struct wording *w)
{
	strings_free(&w->remove);
	json_free(w->body);
	certificate_free(&w->row);
}
declare_auto_value(wording, wording_free);

/* --- what is asked: the bounds are the API's */

static bool read_pairs(struct wording *w, struct problem *p)
{
	auto_value(buf) text = {0};
	auto_value(problem) parts = {0};
	struct json_writer out = json_writer(&text);

	json_open(&out, NULL);
	json_open_array(&out, "metadata");
	for (unsigned i = 2; i < w->call->arg_count; i++)
		if (!issued_put_pair(w->call->args[i], &out, p))
			return false;
	json_close(&out);
	json_close(&out);
	if (!buf_check(&text, p) || !json_parse(buf_bytes(&text), &w->body, p))
		return false;
	api_body_check(&api_change_body, w->body, &parts);
	return api_settle(&parts, p);
}

static bool take(struct wording *w, struct problem *p)
{
	const char *what = w->call->args[0], *remove = command_value(w->call, "--remove");

	w->set = str_equal(what, "set");
	w->replace = command_value(w->call, "--replace");
	if (!w->set && !str_equal(what, "get"))
		return problem_set(p, PROBLEM_MALFORMED, "expected get or set, got `%s`", what);
	if (!w->set && (w->call->arg_count > 3 || remove || w->replace))
		return problem_set(p, PROBLEM_MALFORMED, "get takes the certificate, and one KEY");
	if (w->set && w->call->arg_count == 2 && !remove && !w->replace)
		return problem_set(p, PROBLEM_MALFORMED, "expected KEY=VALUE, --remove or --replace");
	return !w->set || (option_list(remove, &w->remove, p) && read_pairs(w, p));
}

/* --- set */

static const char *given(const struct json *list, const char *key)
{
	for (size_t i = json_length(list); i > 0; i--)
		if (str_equal(json_member_string(json_at(list, i - 1), "key"), key))
			return json_member_string(json_at(list, i - 1), "value");
	return NULL;
}

static bool has_key(const struct record_list *list, const char *key)
{
	const struct certificate_metadata *v = list->v;

	for (size_t i = 0; i < list->n; i++)
		if (str_equal(v[i].key, key))
			return true;
	return false;
}

/* What was there keeps its place. */
static bool merge(const struct wording *w, struct certificate_metadata room[2 * ENTRIES_MAX],
                  struct record_list *ret, struct problem *p)
{
	const struct certificate_metadata *old = w->row.metadata.v;
	const struct json *list = json_member(w->body, "metadata");

	*ret = (struct record_list){ room, 0 };
	for (size_t i = 0; i < w->row.metadata.n && ret->n < ENTRIES_MAX; i++) {
		const char *value = given(list, old[i].key);
		if (!strings_has(&w->remove, old[i].key) && (value || !w->replace))
			room[ret->n++] = (struct certificate_metadata){ old[i].key, value ?: old[i].value };
	}
	for (size_t i = 0; i < json_length(list); i++) {
		const char *key = json_member_string(json_at(list, i), "key");
		if (!has_key(ret, key))
			room[ret->n++] = (struct certificate_metadata){ key, given(list, key) };
	}
	return ret->n <= ENTRIES_MAX || problem_set(p, PROBLEM_MALFORMED, "metadata: at most %d entries", ENTRIES_MAX);
}

static bool find(struct store_txn *txn, void *arg, struct problem *p)
{
	struct wording *w = arg;

	certificate_free(&w->row);
	w->row = (struct certificate){0};
	return certificate_find(txn, w->call->args[1], &w->row, p);
}

static bool change(struct store_txn *txn, void *arg, struct problem *p)
{
	struct wording *w = arg;
	struct certificate_metadata room[2 * ENTRIES_MAX];
	struct record_list list;
	const struct certificate_settings settings = { .metadata = &list };

	if (!find(txn, w, p) || !merge(w, room, &list, p))
		return false;
	const struct audit_fact facts[] = {
		audit_text("certificate", w->row.id), audit_hex("fingerprint", w->row.fingerprint), { 0 },
	};
	return store_certificate_set(txn, w->row.id, &settings, NULL, p) &&
	       actor_tell(txn, AUDIT_CERTIFICATE_CHANGED, &w->actor, facts, p) && find(txn, w, p);
}

/* --- shown */

static bool print(const struct wording *w, struct problem *p)
{
	const struct command_call *call = w->call;
	const struct certificate_metadata *v = w->row.metadata.v;
	const char *key = !w->set && call->arg_count == 3 ? call->args[2] : NULL;
	auto_value(buf) text = {0};
	struct json_writer out = json_writer(&text);

	if (key && !has_key(&w->row.metadata, key))
		return problem_set(p, PROBLEM_NOT_FOUND, "certificate %s has no `%s`", w->row.id, key);
	json_open(&out, NULL);
	for (size_t i = 0; i < w->row.metadata.n; i++) {
		if (key && !str_equal(v[i].key, key))
			continue;
		json_put(&out, v[i].key, v[i].value);
		if (!call->json)
			fprintf(call->out, "%s%s%s\n", key ? "" : v[i].key, key ? "" : "=", v[i].value);
	}
	json_close(&out);
	return !call->json || listing_print_object(call, &text, p);
}

static bool run(struct command_call *call, struct problem *p)
{
	auto_struct(store) *store = NULL;
	auto_value(wording) w = { .call = call };
	char name[ADMIN_ACTOR_SIZE];

	w.actor = admin_actor_now(name);
	return take(&w, p) && admin_open_store(call->admin, &store, p) &&
	       (w.set ? store_update(store, change, &w, p) : store_view(store, find, &w, p)) && print(&w, p);
}

const struct command admin_cert_metadata = {
	.name = "cert metadata",
	.args = "get|set ID|SERIAL|FINGERPRINT [KEY[=VALUE]...]",
	.args_min = 2,
	.args_max = COMMAND_ARGS_MAX,
	.json = true,
	.admin = true,
	.options = options,
	.run = run,
	.summary = "read, or set, the words that are kept beside a certificate",
	.details = "get prints all of them, or the value of one KEY; set changes those that it names and leaves the "
	           "rest.\n"
	           "`cert list --metadata KEY=VALUE` finds by them.",
};
