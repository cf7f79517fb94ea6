#include "server/pool.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "server/parked.h"

struct pool {
	struct pool_options options;
	struct pool_counters counters;
	pthread_mutex_t lock;           /* guards the lists */
	struct pool_member *first;
	TAILQ_HEAD(, pool_member) lingering; /* who has done so longest first */
	struct parked *parked;
	int drain_fd, stop_fd;          /* readable once said, for good */
	int relief_fd;                  /* a semaphore: as many threads are wanted */
	atomic_bool draining;
	atomic_uint busy;
	atomic_uint waiting;            /* accepted, and no thread has begun it yet */
	atomic_uint leaving;            /* members that give way and have not left */
};

bool pool_new(const struct pool_options *options, struct pool **ret, struct problem *p)
{
	auto_struct(pool) *pool = calloc(1, sizeof(*pool));

	if (!pool)
		return problem_memory(p);
	pool->options = *options;
	pthread_mutex_init(&pool->lock, NULL);
	TAILQ_INIT(&pool->lingering);
	pool->drain_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	pool->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	pool->relief_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK | EFD_SEMAPHORE);
	if (pool->drain_fd < 0 || pool->stop_fd < 0 || pool->relief_fd < 0)
		return problem_internal(p, "eventfd: %s", strerror(errno));
	if (!parked_new(options->parked, &pool->parked, p))
		return false;
	*ret = steal(pool);
	return true;
}

void pool_free(struct pool *pool)
{
	if (!pool)
		return;
	assert(!pool->first);
	parked_free(pool->parked);
	mem_close_p(&pool->drain_fd);
	mem_close_p(&pool->stop_fd);
	mem_close_p(&pool->relief_fd);
	pthread_mutex_destroy(&pool->lock);
	free(pool);
}

const struct pool_options *pool_options(const struct pool *pool)
{
	return &pool->options;
}

static void say(int fd)
{
	uint64_t one = 1;

	while (write(fd, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

void pool_drain(struct pool *pool)
{
	atomic_store(&pool->draining, true);
	say(pool->drain_fd);
}

bool pool_is_draining(const struct pool *pool)
{
	return atomic_load(&pool->draining);
}

void pool_stop(struct pool *pool)
{
	pool_drain(pool);
	say(pool->stop_fd);
}

bool pool_is_crowded(const struct pool *pool)
{
	unsigned seated = atomic_load(&pool->counters.open) - atomic_load(&pool->counters.parked);

	return atomic_load(&pool->waiting) + seated > pool->options.threads;
}

void pool_accepted(struct pool *pool)
{
	atomic_fetch_add(&pool->waiting, 1);
	pool_ring(pool);
}

void pool_ring(struct pool *pool)
{
	struct pool_member *member;

	if (!pool_is_crowded(pool))
		return;
	pthread_mutex_lock(&pool->lock);
	member = TAILQ_FIRST(&pool->lingering);
	if (member) {
		TAILQ_REMOVE(&pool->lingering, member, entry);
		member->lingers = false;
		say(member->bell);
	}
	pthread_mutex_unlock(&pool->lock);
	if (!member)
		say(pool->relief_fd);
}

/* With the lock: who begins to wait for a thread comes before, and is seen, or after, and rings. */
bool pool_linger(struct pool *pool, struct pool_member *member)
{
	pthread_mutex_lock(&pool->lock);
	bool lingers = member->bell >= 0 && !pool_is_crowded(pool);
	if (lingers)
		TAILQ_INSERT_TAIL(&pool->lingering, member, entry);
	member->lingers = lingers;
	pthread_mutex_unlock(&pool->lock);
	return lingers;
}

bool pool_is_rung(struct pool *pool, struct pool_member *member)
{
	uint64_t rings;

	pthread_mutex_lock(&pool->lock);
	bool rung = !member->lingers;
	if (!rung)
		TAILQ_REMOVE(&pool->lingering, member, entry);
	member->lingers = false;
	pthread_mutex_unlock(&pool->lock);
	return rung && read(member->bell, &rings, sizeof(rings)) == sizeof(rings);
}

void pool_gave_up(struct pool *pool)
{
	atomic_fetch_sub(&pool->waiting, 1);
}

static void link_member(struct pool *pool, struct pool_member *member)
{
	member->previous = NULL;
	member->next = pool->first;
	if (member->next)
		member->next->previous = member;
	pool->first = member;
}

static void unlink_member(struct pool *pool, struct pool_member *member)
{
	*(member->previous ? &member->previous->next : &pool->first) = member->next;
	if (member->next)
		member->next->previous = member->previous;
}

static unsigned count_host(const struct pool *pool, const struct addr *address)
{
	const struct addr host = addr_host(address);
	unsigned n = 0;

	for (const struct pool_member *other = pool->first; other; other = other->next) {
		const struct addr its = addr_host(&other->peer);
		n += addr_equal(&its, &host);
	}
	return n;
}

bool pool_enter(struct pool *pool, struct pool_member *member)
{
	unsigned cap = pool->options.per_address;

	pool_gave_up(pool);
	atomic_fetch_add(&pool->counters.connections, 1);
	atomic_fetch_add(&pool->counters.open, 1);
	pthread_mutex_lock(&pool->lock);
	unsigned others = cap == 0 ? 0 : count_host(pool, &member->peer);
	link_member(pool, member);
	pthread_mutex_unlock(&pool->lock);
	return cap == 0 || others < cap;
}

void pool_leave(struct pool *pool, struct pool_member *member)
{
	pthread_mutex_lock(&pool->lock);
	unlink_member(pool, member);
	pthread_mutex_unlock(&pool->lock);
	atomic_fetch_sub(&pool->counters.open, 1);
	if (member->gives_way)
		atomic_fetch_sub(&pool->leaving, 1);
}

void pool_park(struct pool *pool)
{
	atomic_fetch_add(&pool->counters.parked, 1);
}

void pool_unpark(struct pool *pool)
{
	atomic_fetch_sub(&pool->counters.parked, 1);
}

struct parked *pool_parked(const struct pool *pool)
{
	return pool->parked;
}

void pool_set_busy(struct pool *pool, bool busy)
{
	if (busy)
		atomic_fetch_add(&pool->busy, 1);
	else
		atomic_fetch_sub(&pool->busy, 1);
}

unsigned pool_busy(const struct pool *pool)
{
	return atomic_load(&pool->busy);
}

int pool_drain_fd(const struct pool *pool)
{
	return pool->drain_fd;
}

int pool_stop_fd(const struct pool *pool)
{
	return pool->stop_fd;
}

int pool_relief_fd(const struct pool *pool)
{
	return pool->relief_fd;
}

/* A token may be older than the need for it, and no more give way than wait. */
bool pool_takes_thread(struct pool *pool, struct pool_member *member)
{
	uint64_t token;

	if (member->gives_way) /* counted once, however often it is asked */
		return true;
	if (read(pool->relief_fd, &token, sizeof(token)) != sizeof(token))
		return false;
	member->gives_way = atomic_fetch_add(&pool->leaving, 1) < atomic_load(&pool->waiting);
	if (!member->gives_way)
		atomic_fetch_sub(&pool->leaving, 1);
	return member->gives_way;
}

int64_t pool_share(const struct pool *pool, int64_t ms)
{
	unsigned waiting = atomic_load(&pool->waiting), threads = pool->options.threads;

	return waiting > threads ? ms * threads / waiting : ms;
}

unsigned pool_waiting(const struct pool *pool)
{
	return atomic_load(&pool->waiting);
}

struct pool_counters *pool_counters(struct pool *pool)
{
	return &pool->counters;
}
