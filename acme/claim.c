#include "acme/claim.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>

#include "base/clock.h"

/* As many claims as requests are being finalized: few, so a list serves. */
struct claim {
	struct claim *next;
	char order[RANDOM_ID_SIZE];
	uint8_t digest[SHA256_SIZE];
};
struct claims {
	pthread_mutex_t mutex; /* guards the list */
	pthread_cond_t released;
	struct claim *first;
};

bool claims_open(struct claims **ret, struct problem *p)
{
	struct claims *claims = calloc(1, sizeof(*claims));

	if (!claims)
		return problem_memory(p);
	pthread_mutex_init(&claims->mutex, NULL);
	pthread_cond_init(&claims->released, NULL);
	*ret = claims;
	return true;
}

void claims_close(struct claims *claims)
{
	if (!claims)
		return;
	assert(!claims->first);
	pthread_cond_destroy(&claims->released);
	pthread_mutex_destroy(&claims->mutex);
	free(claims);
}

static struct claim **find(struct claims *claims, const char *order)
{
	struct claim **at = &claims->first;

	while (*at && !str_equal((*at)->order, order))
		at = &(*at)->next;
	return at;
}

/* With the mutex held. NULL: nobody has it any more. */
static const struct claim *wait_free(struct claims *claims, const char *order, int64_t wait_ms)
{
	const struct timespec end = clock_until(wait_ms);
	int error = 0;

	while (*find(claims, order) && error != ETIMEDOUT)
		error = pthread_cond_clockwait(&claims->released, &claims->mutex, CLOCK_MONOTONIC, &end);
	return *find(claims, order);
}

bool claim_take(struct claims *claims, const char *order, const uint8_t digest[SHA256_SIZE], int64_t wait_ms,
                enum claim_result *ret, struct problem *p)
{
	auto_free struct claim *claim = calloc(1, sizeof(*claim));
	const struct claim *other;

	if (!claim)
		return problem_memory(p);
	snprintf(claim->order, sizeof(claim->order), "%s", order);
	memcpy(claim->digest, digest, SHA256_SIZE);
	pthread_mutex_lock(&claims->mutex);
	other = wait_free(claims, order, wait_ms);
	if (other) {
		*ret = memcmp(other->digest, digest, SHA256_SIZE) == 0 ? CLAIM_BUSY_SAME : CLAIM_BUSY;
	} else {
		claim->next = claims->first;
		claims->first = steal(claim);
		*ret = CLAIM_TAKEN;
	}
	pthread_mutex_unlock(&claims->mutex);
	return true;
}

void claim_release(struct claims *claims, const char *order)
{
	pthread_mutex_lock(&claims->mutex);
	struct claim **at = find(claims, order), *claim = *at;
	assert(claim);
	*at = claim->next;
	pthread_cond_broadcast(&claims->released);
	pthread_mutex_unlock(&claims->mutex);
	free(claim);
}

bool claim_held(struct claims *claims, const char *order)
{
	pthread_mutex_lock(&claims->mutex);
	bool held = *find(claims, order) != NULL;
	pthread_mutex_unlock(&claims->mutex);
	return held;
}
