#include "ca/ocsp_cache.h"

#include <pthread.h>

enum { CERT_ID_MAX = 128 }; /* of SHA-256 and 20 octets of serial: 119 */

struct place {
	uint8_t certificate[CERT_ID_MAX];
	size_t length;                   /* 0: nothing is here */
	enum ocsp_status status;
	int64_t revoked, reason;
	char responder[RANDOM_ID_SIZE];
	struct ocsp_reply reply;
};
struct ocsp_cache {
	pthread_mutex_t mutex;           /* guards the places */
	struct place *places;
	size_t count;
};

void ocsp_reply_free(struct ocsp_reply *reply)
{
	buf_free(&reply->der);
}

static bool reply_copy(const struct ocsp_reply *from, struct ocsp_reply *ret)
{
	struct buf der = { 0 };

	buf_add(&der, from->der.data, from->der.len);
	if (der.failed)
		return false;
	*ret = *from;
	ret->der = der;
	return true;
}

/* FNV-1a. Only certificates that were issued are kept, so nobody chooses what is hashed here. */
static struct place *place_of(const struct ocsp_cache *cache, struct bytes certificate)
{
	uint64_t hash = 0xcbf29ce484222325;

	for (size_t i = 0; i < certificate.len; i++)
		hash = (hash ^ certificate.data[i]) * 0x100000001b3;
	return &cache->places[hash % cache->count];
}

static bool place_fits(const struct place *place, const struct ocsp_single *single,
                       const struct responder *responder, int64_t now)
{
	return bytes_equal(BYTES(place->certificate, place->length), single->certificate) &&
	       place->status == single->status && place->revoked == single->revoked &&
	       place->reason == single->reason && str_equal(place->responder, responder->id) &&
	       now >= place->reply.this_update && now < place->reply.refresh;
}

bool ocsp_cache_get(struct ocsp_cache *cache, const struct ocsp_single *single, const struct responder *responder,
                    int64_t now, struct ocsp_reply *ret)
{
	if (cache->count == 0)
		return false;
	const struct place *place = place_of(cache, single->certificate);
	pthread_mutex_lock(&cache->mutex);
	bool found = place_fits(place, single, responder, now) && reply_copy(&place->reply, ret);
	pthread_mutex_unlock(&cache->mutex);
	return found;
}

static struct place place_make(const struct ocsp_single *single, const struct responder *responder,
                               struct ocsp_reply reply)
{
	struct place place = {
		.length = single->certificate.len, .status = single->status, .revoked = single->revoked,
		.reason = single->reason, .reply = reply,
	};

	memcpy(place.certificate, single->certificate.data, single->certificate.len);
	memcpy(place.responder, responder->id, sizeof(place.responder));
	return place;
}

void ocsp_cache_put(struct ocsp_cache *cache, const struct ocsp_single *single, const struct responder *responder,
                    const struct ocsp_reply *reply)
{
	struct ocsp_reply copy;

	if (cache->count == 0 || single->certificate.len > CERT_ID_MAX || !reply_copy(reply, &copy))
		return;
	struct place *place = place_of(cache, single->certificate), made = place_make(single, responder, copy);
	pthread_mutex_lock(&cache->mutex);
	struct ocsp_reply old = place->reply;
	*place = made;
	pthread_mutex_unlock(&cache->mutex);
	ocsp_reply_free(&old);
}

bool ocsp_cache_new(size_t places, struct ocsp_cache **ret, struct problem *p)
{
	struct ocsp_cache *cache = calloc(1, sizeof(*cache));

	if (!cache)
		return problem_memory(p);
	if (places > 0 && !(cache->places = calloc(places, sizeof(*cache->places)))) {
		free(cache);
		return problem_memory(p);
	}
	pthread_mutex_init(&cache->mutex, NULL);
	cache->count = places;
	*ret = cache;
	return true;
}

void ocsp_cache_free(struct ocsp_cache *cache)
{
	if (!cache)
		return;
	for (size_t i = 0; i < cache->count; i++)
		ocsp_reply_free(&cache->places[i].reply);
	free(cache->places);
	pthread_mutex_destroy(&cache->mutex);
	free(cache);
}
