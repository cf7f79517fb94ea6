#include "ca/crls.h"

#include <pthread.h>

#include "base/clock.h"
#include "base/file.h"
#include "store/revocation.h"

enum {
	PAUSE_FACTOR = 10,    /* the pause after a list is also so many times the CPU it took */
	PAUSE_MAX = 15000,    /* ms, of that: who was revoked is to be on a list within seconds */
	PAUSE_FAILED = 10000, /* ms */
	FILE_MAX = 16 * 1024 * 1024,
};

struct place {
	char issuer[ISSUER_NAME_SIZE];
	struct crl_set current;       /* shards 0: none yet */
	int64_t scheduled;            /* thisUpdate of the last list that came by time */
	int64_t not_before_ms;        /* of the next one */
};
struct crls {
	struct crls_options options;
	struct store *store;
	const struct ca *ca;
	pthread_mutex_t mutex;        /* guards the list of places, and the current of each */
	struct place **places;
	size_t count;
};

/* --- a list is made and published */

static void publish(struct crls *crls, struct place *place, struct crl_set *set)
{
	pthread_mutex_lock(&crls->mutex);
	struct crl_set old = place->current;
	place->current = *set;
	pthread_mutex_unlock(&crls->mutex);
	crl_set_free(&old);
}

static bool renew(struct crls *crls, struct place *place, struct problem *p)
{
	struct crl_set set = { 0 };
	const struct issuer *issuer = ca_issuer(crls->ca, place->issuer);

	if (!issuer)
		return true;
	if (!crl_set_make(&crls->options, crls->store, issuer, &set, p))
		return false;
	place->scheduled = set.crl_scheduled;
	publish(crls, place, &set);
	return true;
}

/* --- when */

struct reading {
	const char *issuer;
	int64_t changes;
};

static bool read_changes(struct store_txn *txn, void *arg, struct problem *p)
{
	struct reading *r = arg;
	auto_value(revocation) state = { 0 };

	if (!store_revocation_get(txn, r->issuer, &state, p))
		return false;
	r->changes = state.changes;
	return true;
}

static bool is_due(const struct crls *crls, const struct place *place, int64_t changes)
{
	const struct crl *current = place->current.shards ? place->current.complete[0] : NULL;
	int64_t now = clock_now();

	return !current || current->changes != changes || crl_is_scheduled(&crls->options, place->scheduled, now) ||
	       now + CRL_CLOCK_BACK < current->this_update ||
	       (crls->options.delta_lifetime && now >= current->this_update + crls->options.delta_lifetime / 2);
}

/* By CPU: what waits for a disk, as the first list after a start does, is not to hold the next one up. */
static int64_t pause_after(const struct crls_options *options, int64_t cpu_us)
{
	int64_t pause = PAUSE_FACTOR * cpu_us / 1000;

	if (pause > PAUSE_MAX)
		pause = PAUSE_MAX;
	return options->pause_ms > 0 && pause > options->pause_ms ? pause : options->pause_ms;
}

static bool renew_if_due(struct crls *crls, struct place *place, struct problem *p)
{
	int64_t begin = clock_thread_us();
	struct reading reading = { .issuer = place->issuer };

	if (!store_view(crls->store, read_changes, &reading, p))
		return false;
	if (!is_due(crls, place, reading.changes))
		return true;
	if (!renew(crls, place, p))
		return false;
	place->not_before_ms = clock_monotonic_ms() + pause_after(&crls->options, clock_thread_us() - begin);
	return true;
}

static bool place_refresh(struct crls *crls, struct place *place, struct problem *p)
{
	if (clock_monotonic_ms() < place->not_before_ms || renew_if_due(crls, place, p))
		return true;
	place->not_before_ms = clock_monotonic_ms() + PAUSE_FAILED;
	return false;
}

/* --- the issuers, of which a reload may bring more */

static struct place *find_place(const struct crls *crls, const char *issuer)
{
	for (size_t i = 0; i < crls->count; i++)
		if (str_equal(crls->places[i]->issuer, issuer))
			return crls->places[i];
	return NULL;
}

static bool place_add(struct crls *crls, const char *issuer, struct problem *p)
{
	auto_free struct place *place = calloc(1, sizeof(*place));
	struct place **places = NULL;

	if (!place)
		return problem_memory(p);
	strcpy(place->issuer, issuer);
	pthread_mutex_lock(&crls->mutex);
	places = reallocarray(crls->places, crls->count + 1, sizeof(struct place *));
	if (places) {
		crls->places = places;
		crls->places[crls->count++] = steal(place);
	}
	pthread_mutex_unlock(&crls->mutex);
	return places ? true : problem_memory(p);
}

static bool places_complete(struct crls *crls, struct problem *p)
{
	const struct issuer *issuer;

	for (size_t i = 0; (issuer = ca_issuer_at(crls->ca, i)); i++)
		if (!find_place(crls, issuer_name(issuer)) && !place_add(crls, issuer_name(issuer), p))
			return false;
	return true;
}

bool crls_refresh(struct crls *crls, struct problem *p)
{
	bool good = places_complete(crls, p);

	for (size_t i = 0; i < crls->count; i++)
		good = place_refresh(crls, crls->places[i], p) && good;
	return good;
}

/* --- asking */

bool crl_name_from(const char *text, struct crl_name *ret)
{
	size_t digits = strspn(text, "0123456789");

	if (digits == 0 || digits > 4 || (text[0] == '0' && digits > 1))
		return false;
	ret->shard = strtoul(text, NULL, 10);
	ret->delta = str_equal(text + digits, ".delta.crl");
	return ret->delta || str_equal(text + digits, ".crl");
}

static struct crl *take(const struct place *place, struct crl_name name)
{
	struct crl **list = name.delta ? place->current.deltas : place->current.complete;
	struct crl *crl = list && name.shard < place->current.shards ? list[name.shard] : NULL;

	if (crl)
		atomic_fetch_add(&crl->refs, 1);
	return crl;
}

/* Few ask, for there are few CA certificates, and the file is small. */
static bool read_file(const struct crls *crls, const char *issuer, struct crl **ret, struct problem *p)
{
	auto_free char *path = mem_printf("%s/%s.crl", ca_folder(crls->ca), issuer);
	auto_value(buf) der = { 0 };
	auto_value(problem) why = { 0 };

	if (!path)
		return problem_memory(p);
	if (!issuer_name_check(issuer, &why))
		return problem_set(p, PROBLEM_NOT_FOUND, "there is no issuer of this name");
	if (!file_read(path, FILE_MAX, &der, p))
		return problem_missing(p, "there is no issuer of this name");
	return crl_from(buf_bytes(&der), ret, p);
}

bool crls_get(struct crls *crls, const char *issuer, struct crl_name name, struct crl **ret, struct problem *p)
{
	pthread_mutex_lock(&crls->mutex);
	const struct place *place = find_place(crls, issuer);
	bool made = place && place->current.shards > 0;
	struct crl *crl = made ? take(place, name) : NULL;
	pthread_mutex_unlock(&crls->mutex);

	if (!place && name.shard == 0 && !name.delta)
		return read_file(crls, issuer, ret, p);
	if (place && !made)
		return problem_unavailable(p, 1, "the CRL of issuer %s is not made yet", issuer);
	if (!crl)
		return problem_set(p, PROBLEM_NOT_FOUND,
		                   place ? "the issuer has no such CRL" : "there is no issuer of this name");
	*ret = crl;
	return true;
}

/* --- life */

bool crls_open(const struct crls_options *options, struct store *store, const struct ca *ca, struct crls **ret,
               struct problem *p)
{
	auto_struct(crls) *crls = calloc(1, sizeof(*crls));

	if (!crls)
		return problem_memory(p);
	pthread_mutex_init(&crls->mutex, NULL);
	crls->options = *options;
	crls->store = store;
	crls->ca = ca;
	if (!places_complete(crls, p))
		return false;
	*ret = steal(crls);
	return true;
}

void crls_close(struct crls *crls)
{
	if (!crls)
		return;
	for (size_t i = 0; i < crls->count; i++) {
		crl_set_free(&crls->places[i]->current);
		free(crls->places[i]);
	}
	free(crls->places);
	pthread_mutex_destroy(&crls->mutex);
	free(crls);
}
