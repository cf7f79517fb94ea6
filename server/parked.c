#include "server/parked.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>

TAILQ_HEAD(members, parked_member);

/* How long a place is one's own at least. */
enum { GRACE_MS = 2000 };

struct room {
	struct members here;        /* in the order of their coming */
	size_t count, max;
};

struct parked {
	int epoll_fd;
	int timer_fd;               /* in it too, as no member */
	pthread_mutex_t lock;       /* all below, and the members in it */
	struct room rooms[PARKED_KINDS];
	struct members called;      /* in the order of their call */
	int64_t finished;           /* when the last of those that had begun got through */
	int64_t alarm; /* when the timer goes off, no later than the first deadline; INT64_MAX: it does not */
	bool closed;
};

bool parked_new(size_t max, struct parked **ret, struct problem *p)
{
	auto_struct(parked) *parked = calloc(1, sizeof(*parked));

	if (!parked)
		return problem_memory(p);
	max = max < PARKED_MAX ? max : PARKED_MAX;
	parked->rooms[PARKED_SERVED].max = max;
	parked->rooms[PARKED_BEGUN].max = max / 8;
	parked->rooms[PARKED_SILENT].max = max / 2;
	pthread_mutex_init(&parked->lock, NULL);
	for (size_t i = 0; i < PARKED_KINDS; i++)
		TAILQ_INIT(&parked->rooms[i].here);
	TAILQ_INIT(&parked->called);
	parked->alarm = INT64_MAX;
	parked->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	parked->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (epoll_ctl(parked->epoll_fd, EPOLL_CTL_ADD, parked->timer_fd,
	              &(struct epoll_event){ .events = EPOLLIN }) != 0)
		return problem_internal(p, "epoll_ctl: %s", strerror(errno));
	*ret = steal(parked);
	return true;
}

void parked_free(struct parked *parked)
{
	if (!parked)
		return;
	for (size_t i = 0; i < PARKED_KINDS; i++)
		assert(TAILQ_EMPTY(&parked->rooms[i].here));
	assert(TAILQ_EMPTY(&parked->called));
	mem_close_p(&parked->epoll_fd);
	mem_close_p(&parked->timer_fd);
	pthread_mutex_destroy(&parked->lock);
	free(parked);
}

/* Sets the timer; one that has gone off is no longer readable then. */
static void set_alarm(struct parked *parked, int64_t ms)
{
	struct itimerspec when = {0};

	if (ms != INT64_MAX)
		when.it_value = (struct timespec){ ms / 1000, ms % 1000 * 1000000 + 1 };
	timerfd_settime(parked->timer_fd, TFD_TIMER_ABSTIME, &when, NULL);
	parked->alarm = ms;
}

/* It is told of once, and then no more until it is watched again. */
static bool watch(struct parked *parked, struct parked_member *m)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLRDHUP | EPOLLONESHOT, .data.ptr = m };
	int how = m->watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;

	return epoll_ctl(parked->epoll_fd, how, m->fd, &event) == 0;
}

/* Whoever leaves otherwise than by a call is about to be closed, and must not be told of. */
static void leave(struct parked *parked, struct parked_member *m, bool called)
{
	struct room *room = &parked->rooms[m->kind];

	TAILQ_REMOVE(&room->here, m, entry);
	room->count--;
	if (!called)
		epoll_ctl(parked->epoll_fd, EPOLL_CTL_DEL, m->fd, NULL);
}

/* With the lock: nobody calls m before all of it is said. */
static bool put(struct parked *parked, struct parked_member *m)
{
	struct room *room = &parked->rooms[m->kind];

	if (parked->closed || room->max == 0 || !watch(parked, m))
		return false;
	m->watched = true;
	TAILQ_INSERT_TAIL(&room->here, m, entry);
	room->count++;
	if (m->deadline < parked->alarm)
		set_alarm(parked, m->deadline);
	return true;
}

/* A device without hardware for a handshake computes for seconds: while such get through, none of them has to leave. */
static bool may_evict(const struct parked *parked, enum parked_kind kind, int64_t now)
{
	const struct parked_member *first = TAILQ_FIRST(&parked->rooms[kind].here);

	return first && now - first->since > GRACE_MS && (kind != PARKED_BEGUN || now - parked->finished > GRACE_MS);
}

/* All who saw room for one may come: there are no more of them than threads. */
bool parked_put(struct parked *parked, struct parked_member *m, struct parked_member **ret_evicted)
{
	struct room *room = &parked->rooms[m->kind];

	*ret_evicted = NULL;
	pthread_mutex_lock(&parked->lock);
	bool done = put(parked, m);
	if (done && room->count > room->max && may_evict(parked, m->kind, m->since)) {
		*ret_evicted = TAILQ_FIRST(&room->here);
		leave(parked, *ret_evicted, false);
	}
	pthread_mutex_unlock(&parked->lock);
	return done;
}

bool parked_has_room(struct parked *parked, enum parked_kind kind, int64_t now)
{
	const struct room *room = &parked->rooms[kind];

	pthread_mutex_lock(&parked->lock);
	bool has = room->count < room->max || may_evict(parked, kind, now);
	pthread_mutex_unlock(&parked->lock);
	return has;
}

void parked_finish(struct parked *parked, int64_t now)
{
	pthread_mutex_lock(&parked->lock);
	parked->finished = now;
	pthread_mutex_unlock(&parked->lock);
}

size_t parked_count(struct parked *parked, enum parked_kind kind)
{
	pthread_mutex_lock(&parked->lock);
	size_t count = parked->rooms[kind].count;
	pthread_mutex_unlock(&parked->lock);
	return count;
}

int parked_fd(const struct parked *parked)
{
	return parked->epoll_fd;
}

/* The lock is held over the wait, which does not wait: who is told of cannot leave meanwhile. */
size_t parked_call(struct parked *parked, struct parked_member *ret[static PARKED_BATCH])
{
	struct epoll_event events[PARKED_BATCH];
	size_t called = 0;

	pthread_mutex_lock(&parked->lock);
	int n = epoll_wait(parked->epoll_fd, events, PARKED_BATCH, 0);
	for (int i = 0; i < n; i++) {
		struct parked_member *m = events[i].data.ptr;
		if (!m) /* the timer */
			continue;
		leave(parked, m, true);
		TAILQ_INSERT_TAIL(&parked->called, m, entry);
		ret[called++] = m;
	}
	pthread_mutex_unlock(&parked->lock);
	return called;
}

/* Threads take them in the order of their call: it is among the first. */
struct parked_member *parked_take(struct parked *parked, int fd)
{
	struct parked_member *m;

	pthread_mutex_lock(&parked->lock);
	TAILQ_FOREACH(m, &parked->called, entry)
		if (fd == -1 || m->fd == fd)
			break;
	if (m)
		TAILQ_REMOVE(&parked->called, m, entry);
	pthread_mutex_unlock(&parked->lock);
	return m;
}

/* With the lock. Returns the first deadline of those that stay. */
static int64_t take_overdue(struct parked *parked, struct room *room, int64_t now, struct parked_member **ret,
                            size_t *n)
{
	struct parked_member *m, *next;
	int64_t first = INT64_MAX;

	for (m = TAILQ_FIRST(&room->here); m && *n < PARKED_BATCH; m = next) {
		next = TAILQ_NEXT(m, entry);
		if (m->deadline <= now) {
			leave(parked, m, false);
			ret[(*n)++] = m;
		} else if (m->deadline < first) {
			first = m->deadline;
		}
	}
	return first;
}

size_t parked_take_overdue(struct parked *parked, int64_t now, struct parked_member *ret[static PARKED_BATCH])
{
	int64_t first = INT64_MAX;
	size_t n = 0;

	pthread_mutex_lock(&parked->lock);
	for (size_t i = 0; i < PARKED_KINDS; i++) {
		int64_t its = take_overdue(parked, &parked->rooms[i], now, ret, &n);
		first = its < first ? its : first;
	}
	if (parked->alarm <= now)
		set_alarm(parked, n == PARKED_BATCH ? now : first);
	pthread_mutex_unlock(&parked->lock);
	return n;
}

void parked_close(struct parked *parked)
{
	pthread_mutex_lock(&parked->lock);
	parked->closed = true;
	pthread_mutex_unlock(&parked->lock);
}
