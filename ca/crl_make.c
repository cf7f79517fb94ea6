#include "ca/crl_make.h"

#include <assert.h>

#include <openssl/err.h>

#include "base/clock.h"
#include "base/work.h"
#include "ca/crl.h"
#include "ca/issuer_inside.h"
#include "store/certificate.h"

enum { PAGE = 500 };

/* --- one list */

void crl_unref(struct crl *crl)
{
	if (!crl || atomic_fetch_sub(&crl->refs, 1) > 1)
		return;
	buf_free(&crl->der);
	free(crl);
}

static struct crl *crl_new(void)
{
	struct crl *crl = calloc(1, sizeof(*crl));

	if (crl)
		atomic_init(&crl->refs, 1);
	return crl;
}

bool crl_from(struct bytes der, struct crl **ret, struct problem *p)
{
	const unsigned char *at = der.data;
	X509_CRL *parsed = d2i_X509_CRL(NULL, &at, (long)der.len);
	auto(ASN1_INTEGER) *number = parsed ? X509_CRL_get_ext_d2i(parsed, NID_crl_number, NULL, NULL) : NULL;
	auto_struct(crl) *crl = crl_new();
	bool good = crl && number && at == der.data + der.len && ASN1_INTEGER_get_int64(&crl->number, number) == 1 &&
	            ossl_time(X509_CRL_get0_lastUpdate(parsed), &crl->this_update) &&
	            ossl_time(X509_CRL_get0_nextUpdate(parsed), &crl->next_update);

	if (good)
		crl->count = (size_t)(X509_CRL_get_REVOKED(parsed)
		                      ? sk_X509_REVOKED_num(X509_CRL_get_REVOKED(parsed)) : 0);
	X509_CRL_free(parsed);
	ERR_clear_error();
	if (!good)
		return problem_set(p, PROBLEM_MALFORMED, "RFC 5280, 5: no CRL");
	buf_add(&crl->der, der.data, der.len);
	if (!buf_check(&crl->der, p))
		return false;
	http_etag(buf_bytes(&crl->der), crl->etag);
	*ret = steal(crl);
	return true;
}

/* --- a set of lists while it is written */

static void list_free(struct crl **list, size_t count)
{
	for (size_t i = 0; list && i < count; i++)
		crl_unref(list[i]);
	free(list);
}

void crl_set_free(struct crl_set *set)
{
	list_free(set->complete, set->shards);
	list_free(set->deltas, set->shards);
	*set = (struct crl_set){ 0 };
}

struct making {
	const struct crls_options *options;
	struct store *store;
	const struct issuer *issuer;
	struct revocation state;              /* as it was found; its text is the issuer's */
	struct crl_facts facts;               /* of the complete lists */
	int64_t delta_base, delta_since;      /* 0: no deltas */
	struct crl_set *set;
	struct crl_writer *writers;           /* of the complete lists, then of the deltas */
	char **urls;                          /* as they are needed by the writers */
	bool releases;                        /* the revoked are written, and those released from hold are next */
	char next[sizeof(((struct store_page *)0)->next)];
};

static void making_free(struct making *making)
{
	for (size_t i = 0; making->urls && i < 2 * making->set->shards; i++)
		free(making->urls[i]);
	free(making->urls);
	free(making->writers);
	making->urls = NULL;
	making->writers = NULL;
}
declare_auto_value(making, making_free);

static bool lists_new(size_t count, struct crl ***ret)
{
	struct crl **list = calloc(count, sizeof(*list));
	bool good = list != NULL;

	for (size_t i = 0; good && i < count; i++)
		good = (list[i] = crl_new()) != NULL;
	*ret = list;
	return good;
}

static bool set_new(struct making *making, struct problem *p)
{
	struct crl_set *set = making->set;
	const struct template *t = issuer_template(making->issuer);
	bool good;

	set->shards = making->state.shards > (int64_t)t->shards ? (size_t)making->state.shards : t->shards;
	assert(set->shards > 0);
	making->writers = calloc(2 * set->shards, sizeof(*making->writers));
	making->urls = calloc(2 * set->shards, sizeof(*making->urls));
	good = making->writers && making->urls && lists_new(set->shards, &set->complete) &&
	       (!making->delta_base || lists_new(set->shards, &set->deltas));
	for (size_t i = 0; good && t->crl_urls && i < 2 * set->shards; i++)
		good = (making->urls[i] = template_crl_url(t, i % set->shards, i >= set->shards)) != NULL;
	return good ? true : problem_memory(p);
}

static void lists_begin(struct making *making)
{
	size_t shards = making->set->shards;

	for (size_t i = 0; i < shards; i++) {
		struct crl_facts facts = making->facts;
		facts.scope_url = shards > 1 ? making->urls[i] : NULL;
		facts.delta_url = making->delta_base ? making->urls[shards + i] : NULL;
		crl_begin(&making->writers[i], making->issuer, &facts, &making->set->complete[i]->der);
		if (!making->delta_base)
			continue;
		facts.base = making->delta_base;
		facts.next_update = facts.this_update + making->options->delta_lifetime;
		crl_begin(&making->writers[shards + i], making->issuer, &facts, &making->set->deltas[i]->der);
	}
}

/* --- the entries */

static size_t shard_of(const struct making *making, const struct certificate *certificate)
{
	int64_t shard = certificate->shard;

	return shard >= 0 && shard < (int64_t)making->set->shards ? (size_t)shard : 0;
}

/* RFC 5280, 5.2.4: a delta also has an entry whose reason is another than on the list that it is to. */
static bool is_news(const struct making *making, const struct certificate *certificate)
{
	return making->delta_base &&
	       (certificate->revoked >= making->delta_since || certificate->reason_changed >= making->delta_since);
}

static bool add_entry(struct store_txn *txn, const char *id, struct making *making, struct problem *p)
{
	auto_value(certificate) certificate = { 0 };

	if (!store_certificate_get(txn, id, &certificate, p))
		return false;
	if (certificate.no_revocation) /* RFC 9608, 2: a list never has an entry for it */
		return true;
	size_t shard = shard_of(making, &certificate);
	const struct crl_entry entry = { certificate.serial, certificate.revoked, certificate.reason };
	crl_add(&making->writers[shard], &entry);
	if (is_news(making, &certificate))
		crl_add(&making->writers[making->set->shards + shard], &entry);
	return true;
}

/* An entry leaves the list when it stood on a scheduled one after its certificate had expired
 * (RFC 5280, 3.3). A list of the future was made by a clock that was wrong: then nothing leaves. */
static int64_t listed_since(const struct making *making)
{
	return making->state.crl_scheduled <= making->facts.this_update ? making->state.crl_scheduled : 0;
}

/* RFC 5280, 5.2.4: who was on hold on the list that the delta is to, or on an earlier delta to it, is there no more. */
static bool add_released(struct store_txn *txn, const char *id, struct making *making, struct problem *p)
{
	auto_value(certificate) certificate = { 0 };

	if (!store_certificate_get(txn, id, &certificate, p))
		return false;
	const struct crl_entry entry = { certificate.serial, certificate.released, CRL_REMOVE_FROM_CRL };
	if (!certificate.no_revocation)
		crl_add(&making->writers[making->set->shards + shard_of(making, &certificate)], &entry);
	return true;
}

/* The entries of a page are read in one transaction, so that no transaction lasts long. What is
 * revoked meanwhile counts as a change and makes the next list. */
static bool add_page(struct store_txn *txn, void *arg, struct problem *p)
{
	struct making *making = arg;
	auto_value(store_page) page = { 0 };
	const char *issuer = issuer_name(making->issuer);
	bool read = making->releases
	                    ? store_certificate_released(txn, issuer, making->delta_since, making->next, PAGE, &page, p)
	                    : store_certificate_revoked(txn, issuer, listed_since(making), making->next, PAGE,
	                                                &page, p);

	for (size_t i = 0; read && i < page.ids.n; i++)
		read = (making->releases ? add_released : add_entry)(txn, page.ids.v[i], making, p);
	memcpy(making->next, page.next, sizeof(page.next));
	return read;
}

static bool add_pages(struct making *making, struct problem *p)
{
	do {
		if (work_ends())
			return problem_unavailable(p, 1, "the server ends, and the lists with it");
		if (!store_view(making->store, add_page, making, p))
			return false;
	} while (making->next[0] != '\0');
	return true;
}

static bool add_entries(struct making *making, struct problem *p)
{
	if (!add_pages(making, p))
		return false;
	making->releases = true;
	return !making->delta_base || add_pages(making, p);
}

static bool list_end(struct making *making, struct crl *crl, struct crl_writer *writer, struct problem *p)
{
	if (!crl_end(writer, p))
		return false;
	crl->number = writer->facts.number;
	crl->this_update = writer->facts.this_update;
	crl->next_update = writer->facts.next_update;
	crl->count = writer->count;
	crl->changes = making->state.changes;
	http_etag(buf_bytes(&crl->der), crl->etag);
	return true;
}

static bool lists_end(struct making *making, struct problem *p)
{
	struct crl_set *set = making->set;

	for (size_t i = 0; i < set->shards; i++)
		if (!list_end(making, set->complete[i], &making->writers[i], p) ||
		    (set->deltas && !list_end(making, set->deltas[i], &making->writers[set->shards + i], p)))
			return false;
	return true;
}

/* --- number and base */

static int64_t number_after(int64_t last, int64_t now)
{
	return last < now ? now : last + 1;
}

bool crl_is_scheduled(const struct crls_options *options, int64_t last, int64_t now)
{
	return now >= last + options->interval || now + CRL_CLOCK_BACK < last;
}

static bool read_state(struct store_txn *txn, void *arg, struct problem *p)
{
	struct making *making = arg;
	auto_value(revocation) state = { 0 };

	if (!store_revocation_get(txn, issuer_name(making->issuer), &state, p))
		return false;
	making->state = state;
	making->state.issuer = issuer_name(making->issuer);
	making->state.memory = NULL;
	return true;
}

/* One of the future was made by a clock that was wrong: what is revoked now would not be later than it. */
static bool has_base(const struct revocation *state, int64_t now)
{
	return state->delta_base && state->delta_base_time <= now;
}

/* The first list is the base of its own delta, which says nothing. */
static void facts_set(struct making *making)
{
	const struct revocation *state = &making->state;
	int64_t now = clock_now();

	making->facts = (struct crl_facts){
		.number = number_after(state->crl_number, now), .this_update = now,
		.next_update = now + making->options->lifetime,
	};
	if (making->options->delta_lifetime == 0 || !issuer_template(making->issuer)->crl_urls)
		return;
	making->delta_base = has_base(state, now) ? state->delta_base : making->facts.number;
	making->delta_since = has_base(state, now) ? state->delta_base_time : now;
}

/* Deltas are to a list so old that none from before it can still be used, so that they fit every one that is. */
static void move_base(struct revocation *state, const struct making *making)
{
	int64_t now = making->facts.this_update;

	if (!has_base(state, now)) {
		state->delta_base = state->next_base = making->facts.number;
		state->delta_base_time = state->next_base_time = now;
	} else if (state->next_base_time + making->options->lifetime <= now) {
		state->delta_base = state->next_base;
		state->delta_base_time = state->next_base_time;
		state->next_base = making->facts.number;
		state->next_base_time = now;
	}
}

static bool record_claim(struct store_txn *txn, void *arg, struct problem *p)
{
	const struct making *making = arg;
	auto_value(revocation) state = { 0 };

	if (!store_revocation_get(txn, making->state.issuer, &state, p))
		return false;
	if (state.crl_number != making->state.crl_number)
		return problem_set(p, PROBLEM_CONFLICT, "another process makes CRLs of issuer %s", state.issuer);
	state.crl_number = making->facts.number;
	state.crl_time = making->facts.this_update;
	state.crl_changes = making->state.changes;
	state.crl_scheduled = making->set->crl_scheduled;
	state.shards = (int64_t)making->set->shards;
	if (making->set->scheduled)
		move_base(&state, making);
	return store_revocation_put(txn, &state, p);
}

bool crl_set_make(const struct crls_options *options, struct store *store, const struct issuer *issuer,
                  struct crl_set *ret, struct problem *p)
{
	auto_value(crl_set) set = { 0 };
	auto_value(making) making = { .options = options, .store = store, .issuer = issuer, .set = &set };

	if (!store_view(store, read_state, &making, p))
		return false;
	facts_set(&making);
	set.scheduled = crl_is_scheduled(options, making.state.crl_scheduled, making.facts.this_update);
	set.crl_scheduled = set.scheduled ? making.facts.this_update : making.state.crl_scheduled;
	if (!set_new(&making, p))
		return false;
	lists_begin(&making);
	if (!add_entries(&making, p) || !lists_end(&making, p) || !store_update(store, record_claim, &making, p))
		return false;
	making_free(&making); /* while the set is here to count by */
	*ret = set;
	set = (struct crl_set){ 0 };
	return true;
}
