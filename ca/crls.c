#include "ca/crls.h"

#include <pthread.h>

#include "base/clock.h"
#include "base/digest.h"
#include "ca/crl.h"
#include "store/revocation.h"

enum {
	PAGE = 500,
	PAUSE_FACTOR = 10,    /* the pause after a list is also so many times what it took */
	PAUSE_FAILED = 10000, /* ms */
	CLOCK_BACK = 60,      /* s that thisUpdate may lie ahead before the list is made anew */
};

struct place {
	const struct issuer *issuer;
	struct crl *current;          /* NULL: none yet */
	int64_t scheduled;            /* thisUpdate of the last list that came by time */
	int64_t not_before_ms;        /* of the next one */
};
struct crls {
	struct crls_options options;
	struct store *store;
	pthread_mutex_t mutex;        /* guards the current of each place */
	struct place *places;
	size_t count;
};

void crl_unref(struct crl *crl)
{
	if (!crl || atomic_fetch_sub(&crl->refs, 1) > 1)
		return;
	buf_free(&crl->der);
	free(crl);
}

/* --- what the store knows */

struct reading {
	const char *issuer;
	struct revocation ret;
};

static bool read_state(struct store_txn *txn, void *arg, struct problem *p)
{
	struct reading *r = arg;

	return store_revocation_get(txn, r->issuer, &r->ret, p);
}

/* The entries of a page are read in one transaction, so that no transaction lasts long. What is
 * revoked meanwhile counts as a change and makes the next list. */
struct paging {
	struct crl_writer *writer;
	const char *issuer;
	int64_t since;
	char next[sizeof(((struct store_page *)0)->next)];
};

static bool add_entry(struct store_txn *txn, const char *id, struct crl_writer *writer, struct problem *p)
{
	auto_value(certificate) certificate = { 0 };

	if (!store_certificate_get(txn, id, &certificate, p))
		return false;
	const struct crl_entry entry = { certificate.serial, certificate.revoked, certificate.reason };
	if (!certificate.no_revocation) /* RFC 9608, 2: a list never has an entry for it */
		crl_add(writer, &entry);
	return true;
}

static bool add_page(struct store_txn *txn, void *arg, struct problem *p)
{
	struct paging *paging = arg;
	auto_value(store_page) page = { 0 };

	if (!store_certificate_revoked(txn, paging->issuer, paging->since, paging->next, PAGE, &page, p))
		return false;
	for (size_t i = 0; i < page.ids.n; i++)
		if (!add_entry(txn, page.ids.v[i], paging->writer, p))
			return false;
	memcpy(paging->next, page.next, sizeof(page.next));
	return true;
}

static bool add_entries(struct store *store, struct paging *paging, struct problem *p)
{
	do {
		if (!store_view(store, add_page, paging, p))
			return false;
	} while (paging->next[0] != '\0');
	return true;
}

/* --- a list */

static int64_t number_after(int64_t last, int64_t now)
{
	return last < now ? now : last + 1;
}

/* An entry leaves the list when it stood on a scheduled one after its certificate had expired
 * (RFC 5280, 3.3). A list of the future was made by a clock that was wrong: then nothing leaves. */
static int64_t listed_since(const struct revocation *state, int64_t now)
{
	return state->crl_scheduled <= now ? state->crl_scheduled : 0;
}

static bool crl_write(const struct crls *crls, const struct place *place, const struct revocation *state,
                      struct crl *crl, struct problem *p)
{
	const struct crl_facts facts = { crl->number, crl->this_update, crl->next_update };
	struct crl_writer writer;
	struct paging paging = { .writer = &writer, .issuer = issuer_name(place->issuer), 
	                         .since = listed_since(state, crl->this_update) };

	crl_begin(&writer, place->issuer, &facts, &crl->der);
	if (!add_entries(crls->store, &paging, p) || !crl_end(&writer, p))
		return false;
	crl->count = writer.count;
	return true;
}

static void etag_make(struct crl *crl)
{
	auto_value(buf) text = { 0 };
	uint8_t digest[SHA256_SIZE];

	digest_sha256(buf_bytes(&crl->der), digest);
	buf_add_char(&text, '"');
	buf_add_hex(&text, BYTES(digest, sizeof(digest)));
	buf_add_char(&text, '"');
	memcpy(crl->etag, buf_text(&text), text.failed ? 1 : CRL_ETAG_SIZE);
}

static bool crl_make(const struct crls *crls, const struct place *place, const struct revocation *state,
                     struct crl **ret, struct problem *p)
{
	auto_struct(crl) *crl = calloc(1, sizeof(*crl));
	int64_t now = clock_now();

	if (!crl)
		return problem_memory(p);
	atomic_init(&crl->refs, 1);
	crl->number = number_after(state->crl_number, now);
	crl->this_update = now;
	crl->next_update = now + crls->options.lifetime;
	crl->changes = state->changes;
	if (!crl_write(crls, place, state, crl, p))
		return false;
	etag_make(crl);
	*ret = steal(crl);
	return true;
}

/* The number is taken in the store before anyone sees the list that has it. */
struct claim {
	const char *issuer;
	int64_t last_number;
	const struct crl *crl;
	int64_t scheduled;
};

static bool record_claim(struct store_txn *txn, void *arg, struct problem *p)
{
	const struct claim *claim = arg;
	auto_value(revocation) state = { 0 };

	if (!store_revocation_get(txn, claim->issuer, &state, p))
		return false;
	if (state.crl_number != claim->last_number)
		return problem_set(p, PROBLEM_CONFLICT, "another process makes CRLs of issuer %s",
		                   claim->issuer);
	state.crl_number = claim->crl->number;
	state.crl_time = claim->crl->this_update;
	state.crl_scheduled = claim->scheduled;
	return store_revocation_put(txn, &state, p);
}

static void publish(struct crls *crls, struct place *place, struct crl *crl)
{
	pthread_mutex_lock(&crls->mutex);
	struct crl *old = place->current;
	place->current = crl;
	pthread_mutex_unlock(&crls->mutex);
	crl_unref(old);
}

static bool is_scheduled(const struct crls *crls, int64_t last, int64_t now)
{
	return now >= last + crls->options.interval || now + CLOCK_BACK < last;
}

static bool renew(struct crls *crls, struct place *place, const struct revocation *state, struct problem *p)
{
	auto_struct(crl) *crl = NULL;

	if (!crl_make(crls, place, state, &crl, p))
		return false;
	bool scheduled = is_scheduled(crls, state->crl_scheduled, crl->this_update);
	struct claim claim = {
		.issuer = issuer_name(place->issuer), .last_number = state->crl_number, .crl = crl,
		.scheduled = scheduled ? crl->this_update : state->crl_scheduled,
	};
	if (!store_update(crls->store, record_claim, &claim, p))
		return false;
	place->scheduled = claim.scheduled;
	publish(crls, place, steal(crl));
	return true;
}

/* --- when */

static bool is_due(const struct crls *crls, const struct place *place, const struct revocation *state)
{
	int64_t now = clock_now();

	return !place->current || place->current->changes != state->changes ||
	       is_scheduled(crls, place->scheduled, now) || now + CLOCK_BACK < place->current->this_update;
}

static int64_t pause_after(const struct crls_options *options, int64_t took_ms)
{
	int64_t pause = PAUSE_FACTOR * took_ms;

	return options->pause_ms > 0 && pause > options->pause_ms ? pause : options->pause_ms;
}

static bool renew_if_due(struct crls *crls, struct place *place, struct problem *p)
{
	int64_t begin = clock_monotonic_ms();
	struct reading reading = { .issuer = issuer_name(place->issuer) };

	if (!store_view(crls->store, read_state, &reading, p))
		return false;
	auto_value(revocation) state = reading.ret;
	if (!is_due(crls, place, &state))
		return true;
	if (!renew(crls, place, &state, p))
		return false;
	int64_t end = clock_monotonic_ms();
	place->not_before_ms = end + pause_after(&crls->options, end - begin);
	return true;
}

static bool place_refresh(struct crls *crls, struct place *place, struct problem *p)
{
	if (clock_monotonic_ms() < place->not_before_ms || renew_if_due(crls, place, p))
		return true;
	place->not_before_ms = clock_monotonic_ms() + PAUSE_FAILED;
	return false;
}

bool crls_refresh(struct crls *crls, struct problem *p)
{
	bool good = true;

	for (size_t i = 0; i < crls->count; i++)
		good = place_refresh(crls, &crls->places[i], p) && good;
	return good;
}

bool crls_get(struct crls *crls, const char *issuer, struct crl **ret, struct problem *p)
{
	for (size_t i = 0; i < crls->count; i++) {
		if (!str_equal(issuer_name(crls->places[i].issuer), issuer))
			continue;
		pthread_mutex_lock(&crls->mutex);
		struct crl *crl = crls->places[i].current;
		if (crl)
			atomic_fetch_add(&crl->refs, 1);
		pthread_mutex_unlock(&crls->mutex);
		if (!crl)
			return problem_unavailable(p, 1, "the CRL of issuer %s is not made yet", issuer);
		*ret = crl;
		return true;
	}
	return problem_set(p, PROBLEM_NOT_FOUND, "there is no issuer of this name");
}

/* --- life */

bool crls_open(const struct crls_options *options, struct store *store, const struct ca *ca, struct crls **ret,
               struct problem *p)
{
	auto_struct(crls) *crls = calloc(1, sizeof(*crls));
	size_t count = 0;

	if (!crls)
		return problem_memory(p);
	pthread_mutex_init(&crls->mutex, NULL);
	crls->options = *options;
	crls->store = store;
	while (ca_issuer_at(ca, count))
		count++;
	crls->places = calloc(count, sizeof(*crls->places));
	if (!crls->places)
		return problem_memory(p);
	for (; crls->count < count; crls->count++)
		crls->places[crls->count].issuer = ca_issuer_at(ca, crls->count);
	*ret = steal(crls);
	return true;
}

void crls_close(struct crls *crls)
{
	if (!crls)
		return;
	for (size_t i = 0; i < crls->count; i++)
		crl_unref(crls->places[i].current);
	free(crls->places);
	pthread_mutex_destroy(&crls->mutex);
	free(crls);
}
