#include "server/root_watch.h"

#include <pthread.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "ca/files.h"
#include "ca/root_list.h"
#include "store/audit.h"
#include "store/revocation.h"

/* ms. What was revoked or released is looked for more often; the command that did it may be about to make the list
 * itself. */
enum { EVERY = 12 * 3600 * 1000, BEHIND_EVERY = 5000 };

struct failing {
	char name[ISSUER_NAME_SIZE];
	uint64_t failures;
	struct failing *next;
};
struct root_watch {
	struct root_watch_options options;
	struct store *store;
	const struct ca *ca;
	struct crls *crls;
	int64_t looked_ms;         /* 0: not yet */
	int64_t behind_ms;
	struct strings told;       /* "root 1234": lists that end, of which was told */
	struct strings behind;     /* "root 7 seen", "root 7 tried": changes that no list tells of */
	pthread_mutex_t lock;
	struct failing *failing;   /* guarded by lock */
};

static void log_failure(const char *what, const char *name, const struct problem *p)
{
	log_event(LOG_LEVEL_ERROR, what, "ca", name, "cause", problem_cause(p), NULL);
}

/* --- a list that ends */

struct telling {
	const char *name, *cause;
	const struct crl *crl;
	int64_t now;
};

static bool tell(struct store_txn *txn, void *arg, struct problem *p)
{
	const struct telling *t = arg;
	const struct audit_fact facts[] = {
		audit_text("ca", t->name),
		audit_integer("number", t->crl->number),
		audit_time("nextUpdate", t->crl->next_update),
		audit_text("cause", t->cause),
		{ 0 },
	};

	return store_audit_add(txn, &(struct audit_event){ AUDIT_CRL_ENDS, t->now, "server", NULL, facts }, p);
}

static void tell_once(struct root_watch *watch, const char *name, const struct crl *crl, const char *cause)
{
	auto_free char *list = mem_printf("%s %lld", name, (long long)crl->number);
	auto_value(problem) why = { 0 };
	struct telling telling = { name, cause, crl, clock_now() };

	if (!list || strings_has(&watch->told, list))
		return;
	if (!store_update(watch->store, tell, &telling, &why))
		log_failure("not in the audit log", name, &why);
	else if (!strings_add(&watch->told, list))
		log_failure("the CRL of a root", name, &(struct problem){ .detail = "out of memory" });
}

static bool renew(struct root_watch *watch, const char *name, const struct crl *old, struct problem *p)
{
	auto_value(buf) passphrase = { 0 };
	auto_struct(crl) *crl = NULL;
	bool read = watch->options.passphrase(watch->options.arg, &passphrase, p);
	const struct life life = { ca_folder(watch->ca), buf_bytes(&passphrase), watch->options.base };

	return read &&
	       root_list_make(&life, watch->store, name, old->next_update - old->this_update, "server", &crl, p);
}

/* With the lock held. NULL: never. */
static struct failing *find_failing(const struct root_watch *watch, const char *name)
{
	struct failing *f = watch->failing;

	while (f && !str_equal(f->name, name))
		f = f->next;
	return f;
}

static void count_failure(struct root_watch *watch, const char *name)
{
	pthread_mutex_lock(&watch->lock);
	struct failing *f = find_failing(watch, name);
	if (!f && (f = calloc(1, sizeof(*f)))) {
		snprintf(f->name, sizeof(f->name), "%s", name);
		f->next = watch->failing;
		watch->failing = f;
	}
	if (f)
		f->failures++;
	pthread_mutex_unlock(&watch->lock);
}

/* A CA that is no issuer of this server and has no list either is none of ours to watch. */
static bool is_root(const struct root_watch *watch, const char *name)
{
	return !ca_issuer(watch->ca, name) && files_has(ca_folder(watch->ca), name, ".crl");
}

static bool is_due(const struct crl *crl)
{
	return crl->next_update - clock_now() <= (crl->next_update - crl->this_update) / 4;
}

/* --- a list that does not tell of all that was revoked or released since */

struct reading {
	const char *name;
	int64_t changes;           /* 0: the list tells of all */
};

static bool read_changes(struct store_txn *txn, void *arg, struct problem *p)
{
	struct reading *r = arg;
	auto_value(revocation) state = { 0 };

	if (!store_revocation_get(txn, r->name, &state, p))
		return false;
	r->changes = state.changes != state.crl_changes ? state.changes : 0;
	return true;
}

/* Once for each. */
static bool mark(struct root_watch *watch, const struct reading *r, const char *what)
{
	auto_free char *text = mem_printf("%s %lld %s", r->name, (long long)r->changes, what);

	return text && !strings_has(&watch->behind, text) && strings_add(&watch->behind, text);
}

static bool is_behind(struct root_watch *watch, const char *name, bool all)
{
	struct reading reading = { .name = name };
	auto_value(problem) why = { 0 };

	if (!store_view(watch->store, read_changes, &reading, &why)) {
		log_failure("the CRL of a root", name, &why);
		return false;
	}
	return reading.changes != 0 && (all || (!mark(watch, &reading, "seen") && mark(watch, &reading, "tried")));
}

/* --- looking */

static void warn(struct root_watch *watch, const char *name, const struct crl *crl, bool ends, const char *cause)
{
	char text[CLOCK_RFC3339_SIZE];

	count_failure(watch, name);
	clock_format(crl->next_update, text);
	log_event(LOG_LEVEL_WARN, ends ? "the CRL of a root ends: run `enrolld ca crl`"
	                               : "the CRL of a root does not tell of all revocations: run `enrolld ca crl`",
	          "ca", name, "next_update", text, "cause", cause, NULL);
	if (ends)
		tell_once(watch, name, crl, cause);
}

/* all: not only at what was revoked. */
static void look_at(struct root_watch *watch, const char *name, bool all)
{
	auto_struct(crl) *crl = NULL;
	auto_value(problem) why = { 0 };

	if (!is_root(watch, name))
		return;
	bool behind = is_behind(watch, name, all);
	if (!all && !behind)
		return;
	if (!crls_get(watch->crls, name, (struct crl_name){ 0 }, &crl, &why)) {
		log_failure("the CRL of a root", name, &why);
		count_failure(watch, name);
		return;
	}
	if (!behind && !is_due(crl))
		return;
	if (!files_has(ca_folder(watch->ca), name, ".key"))
		problem_set(&why, PROBLEM_NOT_FOUND, "its key is not here");
	else if (renew(watch, name, crl, &why)) {
		log_event(LOG_LEVEL_INFO, "the CRL of a root made anew", "ca", name, NULL);
		return;
	}
	warn(watch, name, crl, is_due(crl), problem_cause(&why));
}

void root_watch_look(struct root_watch *watch)
{
	auto_value(strings) names = { 0 };
	auto_value(problem) why = { 0 };

	int64_t now = clock_monotonic_ms();
	bool all = !watch->looked_ms || now >= watch->looked_ms + EVERY;

	if (!all && now < watch->behind_ms + BEHIND_EVERY)
		return;
	watch->behind_ms = now;
	watch->looked_ms = all ? now : watch->looked_ms;
	if (!files_names(ca_folder(watch->ca), &names, &why))
		log_failure("the CA's folder", ca_folder(watch->ca), &why);
	for (size_t i = 0; i < names.n; i++)
		look_at(watch, names.v[i], all);
}

/* --- how they are */

static void visit_one(struct root_watch *watch, const char *name, root_visit *visit, void *arg)
{
	struct root_gauge gauge = { .name = name };
	auto_struct(crl) *crl = NULL;
	auto_value(problem) why = { 0 };

	if (crls_get(watch->crls, name, (struct crl_name){ 0 }, &crl, &why)) {
		gauge.this_update = crl->this_update;
		gauge.next_update = crl->next_update;
	}
	pthread_mutex_lock(&watch->lock);
	const struct failing *f = find_failing(watch, name);
	gauge.failures = f ? f->failures : 0;
	pthread_mutex_unlock(&watch->lock);
	visit(arg, &gauge);
}

bool root_watch_gauge(struct root_watch *watch, root_visit *visit, void *arg, struct problem *p)
{
	auto_value(strings) names = { 0 };

	if (!files_names(ca_folder(watch->ca), &names, p))
		return false;
	for (size_t i = 0; i < names.n; i++)
		if (is_root(watch, names.v[i]))
			visit_one(watch, names.v[i], visit, arg);
	return true;
}

/* --- life */

bool root_watch_new(const struct root_watch_options *options, struct store *store, const struct ca *ca,
                    struct crls *crls, struct root_watch **ret, struct problem *p)
{
	struct root_watch *watch = calloc(1, sizeof(*watch));

	if (!watch)
		return problem_memory(p);
	*watch = (struct root_watch){ .options = *options, .store = store, .ca = ca, .crls = crls };
	pthread_mutex_init(&watch->lock, NULL);
	*ret = watch;
	return true;
}

void root_watch_free(struct root_watch *watch)
{
	if (!watch)
		return;
	while (watch->failing) {
		struct failing *next = watch->failing->next;

		free(watch->failing);
		watch->failing = next;
	}
	strings_free(&watch->told);
	strings_free(&watch->behind);
	pthread_mutex_destroy(&watch->lock);
	free(watch);
}
