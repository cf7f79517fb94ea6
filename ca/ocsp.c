#include "ca/ocsp.h"

#include <pthread.h>

#include "base/clock.h"
#include "base/digest.h"
#include "ca/issuer_inside.h"
#include "ca/ocsp_request.h"

enum {
	PAUSE_FAILED = 10000, /* ms */
	CLOCK_BACK = 3600,    /* s: as far as a responder's certificate is backdated */
	UNKNOWN_LIFETIME = 300, /* s: what is unknown may be known soon, by another node */
};

struct place {
	char issuer[ISSUER_NAME_SIZE];
	uint8_t name_hash[OCSP_HASH_MAX][OCSP_HASH_SIZE_MAX], key_hash[OCSP_HASH_MAX][OCSP_HASH_SIZE_MAX];
	struct responder *responder;    /* NULL: none yet */
	int64_t not_before_ms;          /* of the next try to make one */
};
struct ocsp {
	struct ocsp_options options;
	struct store *store;
	const struct ca *ca;
	struct ocsp_cache *cache;
	pthread_mutex_t mutex;          /* guards the list of places, and the responder of each */
	struct place **places;
	size_t count;
};

/* --- responders */

static struct responder *responder_of(struct ocsp *ocsp, const struct place *place)
{
	pthread_mutex_lock(&ocsp->mutex);
	struct responder *responder = place->responder;
	if (responder)
		atomic_fetch_add(&responder->refs, 1);
	pthread_mutex_unlock(&ocsp->mutex);
	return responder;
}

static bool read_row(struct store_txn *txn, void *arg, struct problem *p)
{
	struct certificate *row = arg;

	return store_certificate_get(txn, row->id, row, p);
}

/* The operator may have revoked it, like any other in the inventory. */
static bool is_revoked(struct ocsp *ocsp, const struct responder *responder)
{
	auto_value(certificate) row = { 0 };
	auto_value(problem) p = { 0 };

	memcpy(row.id, responder->id, sizeof(row.id));
	return store_view(ocsp->store, read_row, &row, &p) && row.status == CERTIFICATE_REVOKED;
}

static bool is_due(struct ocsp *ocsp, const struct place *place)
{
	const struct responder *responder = place->responder;
	int64_t now = clock_now();

	return !responder || now >= responder->renew || now + CLOCK_BACK < responder->made ||
	       is_revoked(ocsp, responder);
}

static void publish(struct ocsp *ocsp, struct place *place, struct responder *responder)
{
	pthread_mutex_lock(&ocsp->mutex);
	struct responder *old = place->responder;
	place->responder = responder;
	pthread_mutex_unlock(&ocsp->mutex);
	responder_unref(old);
}

static bool place_refresh(struct ocsp *ocsp, struct place *place, struct problem *p)
{
	struct responder *responder;
	const struct issuer *issuer = ca_issuer(ocsp->ca, place->issuer);

	if (!issuer || clock_monotonic_ms() < place->not_before_ms || !is_due(ocsp, place))
		return true;
	if (!responder_new(issuer, ocsp->store, ocsp->options.responder_lifetime, &responder, p)) {
		place->not_before_ms = clock_monotonic_ms() + PAUSE_FAILED;
		return false;
	}
	publish(ocsp, place, responder);
	return true;
}

/* --- the issuers, of which a reload may bring more */

static struct place *place_named(const struct ocsp *ocsp, const char *issuer)
{
	for (size_t i = 0; i < ocsp->count; i++)
		if (str_equal(ocsp->places[i]->issuer, issuer))
			return ocsp->places[i];
	return NULL;
}

static bool place_init(struct place *place, const struct issuer *issuer, struct problem *p)
{
	struct bytes name = buf_bytes(&issuer_template(issuer)->issuer);
	const ASN1_BIT_STRING *key = X509_get0_pubkey_bitstr(issuer_x509(issuer));
	struct bytes bits = BYTES(ASN1_STRING_get0_data(key), (size_t)ASN1_STRING_length(key));
	strcpy(place->issuer, issuer_name(issuer));
	for (enum ocsp_hash hash = 0; hash < OCSP_HASH_MAX; hash++)
		if (EVP_Q_digest(NULL, ocsp_hashes[hash].name, NULL, name.data, name.len,
		                 place->name_hash[hash], NULL) != 1 ||
		    EVP_Q_digest(NULL, ocsp_hashes[hash].name, NULL, bits.data, bits.len, place->key_hash[hash],
		                 NULL) != 1)
			return problem_openssl(p, "hashing an issuer's name and key");
	return true;
}

static bool place_add(struct ocsp *ocsp, const struct issuer *issuer, struct problem *p)
{
	auto_free struct place *place = calloc(1, sizeof(*place));
	struct place **places = NULL;

	if (!place)
		return problem_memory(p);
	if (!place_init(place, issuer, p))
		return false;
	pthread_mutex_lock(&ocsp->mutex);
	places = reallocarray(ocsp->places, ocsp->count + 1, sizeof(struct place *));
	if (places) {
		ocsp->places = places;
		ocsp->places[ocsp->count++] = steal(place);
	}
	pthread_mutex_unlock(&ocsp->mutex);
	return places ? true : problem_memory(p);
}

static bool places_complete(struct ocsp *ocsp, struct problem *p)
{
	const struct issuer *issuer;

	for (size_t i = 0; (issuer = ca_issuer_at(ocsp->ca, i)); i++)
		if (!place_named(ocsp, issuer_name(issuer)) && !place_add(ocsp, issuer, p))
			return false;
	return true;
}

bool ocsp_refresh(struct ocsp *ocsp, struct problem *p)
{
	bool good = places_complete(ocsp, p);

	for (size_t i = 0; i < ocsp->count; i++)
		good = place_refresh(ocsp, ocsp->places[i], p) && good;
	return good;
}

/* --- the status of the certificates of a request */

struct lookup {
	const struct place *place;
	const struct ocsp_request *request;
	struct ocsp_single singles[OCSP_CERTIFICATES_MAX];
	size_t ours;                    /* of this issuer, as far as the hashes say */
	size_t known;                   /* in the inventory */
};

static bool is_ours(const struct place *place, const struct ocsp_certificate *c)
{
	return c->hash != OCSP_HASH_MAX &&
	       bytes_equal(c->name_hash, BYTES(place->name_hash[c->hash], ocsp_hashes[c->hash].size)) &&
	       bytes_equal(c->key_hash, BYTES(place->key_hash[c->hash], ocsp_hashes[c->hash].size));
}

/* A serial number of another issuer of this server is not one of this issuer. Of one with noRevAvail nothing is
 * known here, whatever was recorded (RFC 9608, 2). */
static void take_row(struct lookup *lookup, const struct certificate *row, struct ocsp_single *single)
{
	if (!str_equal(row->issuer, lookup->place->issuer) || row->no_revocation)
		return;
	lookup->known++;
	single->status = row->status == CERTIFICATE_REVOKED ? OCSP_REVOKED : OCSP_GOOD;
	single->revoked = row->revoked;
	single->reason = row->reason;
	single->not_after = row->not_after;
}

static bool look_up_one(struct store_txn *txn, struct lookup *lookup, size_t i, struct problem *p)
{
	const struct ocsp_certificate *c = &lookup->request->certificates[i];
	auto_value(certificate) row = { 0 };

	lookup->singles[i] = (struct ocsp_single){ .certificate = c->whole, .status = OCSP_UNKNOWN };
	if (!is_ours(lookup->place, c))
		return true;
	lookup->ours++;
	if (!store_certificate_by_serial(txn, c->serial, &row, p))
		return problem_forgive(p, PROBLEM_NOT_FOUND);
	take_row(lookup, &row, &lookup->singles[i]);
	return true;
}

static bool look_up(struct store_txn *txn, void *arg, struct problem *p)
{
	struct lookup *lookup = arg;

	lookup->ours = lookup->known = 0;
	for (size_t i = 0; i < lookup->request->count; i++)
		if (!look_up_one(txn, lookup, i, p))
			return false;
	return true;
}

static bool check_known(const struct ocsp *ocsp, const struct lookup *lookup, struct problem *p)
{
	if (lookup->ours == 0)
		return problem_set(p, PROBLEM_UNAUTHORIZED,
		                   "RFC 9919, 3.2.3: no certificate of the request is of this issuer");
	if (lookup->known == 0 && ocsp->options.unknown == OCSP_SAY_UNAUTHORIZED)
		return problem_set(p, PROBLEM_UNAUTHORIZED,
		                   "RFC 9919, 3.2.3: no certificate of the request is known");
	return true;
}

/* --- answers */

static int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t lifetime_of(const struct ocsp *ocsp, const struct lookup *lookup)
{
	bool all_known = lookup->known == lookup->request->count;

	return all_known ? ocsp->options.lifetime : least(ocsp->options.lifetime, UNKNOWN_LIFETIME);
}

/* No answer outlives the certificate of who signed it. */
static bool sign(const struct ocsp *ocsp, const struct lookup *lookup, const struct responder *responder,
                 struct bytes nonce, int64_t now, struct ocsp_reply *ret, struct problem *p)
{
	auto_value(ocsp_reply) reply = {
		.this_update = now, .next_update = least(now + lifetime_of(ocsp, lookup), responder->not_after),
	};
	const struct ocsp_facts facts = {
		.singles = lookup->singles, .count = lookup->request->count, .this_update = now,
		.next_update = reply.next_update, .nonce = nonce,
	};

	reply.refresh = now + (reply.next_update - now) / 2;
	if (reply.next_update <= now)
		return problem_unavailable(p, 60, "the OCSP responder's certificate has ended");
	if (!ocsp_answer_write(responder, &facts, &reply.der, p))
		return false;
	http_etag(buf_bytes(&reply.der), reply.etag);
	*ret = reply;
	reply = (struct ocsp_reply){ 0 };
	return true;
}

/* What asks for nothing new can have an answer that was given before. Of unknown certificates there
 * is no end, and they would drive out the others. */
static bool can_be_kept(const struct lookup *lookup, struct bytes nonce)
{
	return nonce.len == 0 && lookup->request->count == 1 && lookup->known == 1;
}

/* A clock that was put back must not tell the future. Of what has expired, the reader of an answer has to know that
 * good is more than forgotten (RFC 6960, 4.4.4). */
static void settle_times(const struct ocsp *ocsp, struct lookup *lookup, int64_t now)
{
	for (size_t i = 0; i < lookup->request->count; i++) {
		struct ocsp_single *single = &lookup->singles[i];
		bool expired = single->status != OCSP_UNKNOWN && single->not_after < now;
		single->revoked = least(single->revoked, now);
		single->archive_cutoff = expired && ocsp->options.archive ? now - ocsp->options.archive : 0;
	}
}

static bool reply_to(struct ocsp *ocsp, struct lookup *lookup, const struct responder *responder,
                     struct ocsp_reply *ret, struct problem *p)
{
	struct bytes nonce = ocsp->options.nonce ? lookup->request->nonce : BYTES("", 0);
	int64_t now = clock_now();
	bool kept = can_be_kept(lookup, nonce);

	settle_times(ocsp, lookup, now);
	if (kept && ocsp_cache_get(ocsp->cache, &lookup->singles[0], responder, now, ret))
		return true;
	if (!sign(ocsp, lookup, responder, nonce, now, ret, p))
		return false;
	if (kept)
		ocsp_cache_put(ocsp->cache, &lookup->singles[0], responder, ret);
	return true;
}

static const struct place *find_place(struct ocsp *ocsp, const char *issuer)
{
	pthread_mutex_lock(&ocsp->mutex);
	const struct place *place = place_named(ocsp, issuer);
	pthread_mutex_unlock(&ocsp->mutex);
	return place;
}

bool ocsp_answer(struct ocsp *ocsp, const char *issuer, struct bytes request, struct ocsp_reply *ret,
                 struct problem *p)
{
	struct ocsp_request parsed;
	struct lookup lookup = { .place = find_place(ocsp, issuer), .request = &parsed };

	if (!lookup.place)
		return problem_set(p, PROBLEM_NOT_FOUND, "there is no issuer of this name");
	if (!ocsp_request_parse(request, &parsed, p) || !store_view(ocsp->store, look_up, &lookup, p) ||
	    !check_known(ocsp, &lookup, p))
		return false;
	auto_struct(responder) *responder = responder_of(ocsp, lookup.place);
	if (!responder)
		return problem_unavailable(p, 1, "issuer %s has no OCSP responder yet", issuer);
	return reply_to(ocsp, &lookup, responder, ret, p);
}

/* --- life */

bool ocsp_open(const struct ocsp_options *options, struct store *store, const struct ca *ca, struct ocsp **ret,
               struct problem *p)
{
	auto_struct(ocsp) *ocsp = calloc(1, sizeof(*ocsp));

	if (!ocsp)
		return problem_memory(p);
	pthread_mutex_init(&ocsp->mutex, NULL);
	ocsp->options = *options;
	ocsp->store = store;
	ocsp->ca = ca;
	if (!places_complete(ocsp, p))
		return false;
	if (!ocsp_cache_new(options->cache_places, &ocsp->cache, p))
		return false;
	*ret = steal(ocsp);
	return true;
}

void ocsp_close(struct ocsp *ocsp)
{
	if (!ocsp)
		return;
	for (size_t i = 0; i < ocsp->count; i++) {
		responder_unref(ocsp->places[i]->responder);
		free(ocsp->places[i]);
	}
	ocsp_cache_free(ocsp->cache);
	free(ocsp->places);
	pthread_mutex_destroy(&ocsp->mutex);
	free(ocsp);
}
