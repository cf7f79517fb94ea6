#include "acme/dns_loop.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sys/queue.h>
#include <sys/time.h>
#include <unbound-event.h>

#include "base/clock.h"

/* A socket, a timer, or a socket with a time limit. */
struct event {
	struct ub_event ub;         /* first: all that libunbound knows of it */
	TAILQ_ENTRY(event) entry;   /* in its loop, while it is active */
	struct dns_loop *loop;
	void (*run)(int fd, short bits, void *arg);
	void *arg;
	int fd;                     /* -1: a timer */
	short bits, ready;
	bool active;
	int64_t delay, due;         /* ms; NEVER: without a time */
};

struct dns_loop {
	struct ub_event_base ub;    /* first, as above */
	TAILQ_HEAD(event_list, event) active;
	struct pollfd *fds;         /* room for all events there are */
	size_t events, room;
};

static const int64_t NEVER = INT64_MAX;

/* --- events, as libunbound uses them */

static struct event *event_of(struct ub_event *ub)
{
	return (struct event *)ub;
}

static int event_del(struct ub_event *ub)
{
	struct event *e = event_of(ub);

	if (e->active)
		TAILQ_REMOVE(&e->loop->active, e, entry);
	e->active = false;
	e->ready = 0;
	return 0;
}

static int event_add(struct ub_event *ub, struct timeval *after)
{
	struct event *e = event_of(ub);

	event_del(ub);
	e->delay = after ? after->tv_sec * 1000 + (after->tv_usec + 999) / 1000 : NEVER;
	e->due = after ? clock_monotonic_ms() + e->delay : NEVER;
	e->active = true;
	TAILQ_INSERT_TAIL(&e->loop->active, e, entry);
	return 0;
}

static int event_add_timer(struct ub_event *ub, struct ub_event_base *base, void (*run)(int, short, void *),
                           void *arg, struct timeval *after)
{
	struct event *e = event_of(ub);

	(void)base; /* the one it was made for */
	e->run = run;
	e->arg = arg;
	return event_add(ub, after);
}

static void event_add_bits(struct ub_event *ub, short bits)
{
	event_of(ub)->bits |= bits;
}

static void event_del_bits(struct ub_event *ub, short bits)
{
	event_of(ub)->bits &= (short)~bits;
}

static void event_set_fd(struct ub_event *ub, int fd)
{
	event_of(ub)->fd = fd;
}

static void event_free(struct ub_event *ub)
{
	if (!ub)
		return;
	event_del(ub);
	event_of(ub)->loop->events--;
	free(ub);
}

static struct ub_event_vmt event_calls = {
	.add_bits = event_add_bits,
	.del_bits = event_del_bits,
	.set_fd = event_set_fd,
	.free = event_free,
	.add = event_add,
	.del = event_del,
	.add_timer = event_add_timer,
	.del_timer = event_del,
};

static bool make_room(struct dns_loop *loop)
{
	size_t room = loop->room ? 2 * loop->room : 16;

	if (loop->events < loop->room)
		return true;
	struct pollfd *fds = reallocarray(loop->fds, room, sizeof(*fds));
	if (!fds)
		return false;
	loop->fds = fds;
	loop->room = room;
	return true;
}

static struct ub_event *event_new(struct ub_event_base *base, int fd, short bits,
                                  void (*run)(int, short, void *), void *arg)
{
	struct dns_loop *loop = (struct dns_loop *)base;
	struct event *e = make_room(loop) ? malloc(sizeof(*e)) : NULL;

	if (!e)
		return NULL;
	*e = (struct event){
		.ub = { UB_EVENT_MAGIC, &event_calls }, .loop = loop, .run = run, .arg = arg, .fd = fd,
		.bits = bits,
	};
	loop->events++;
	return &e->ub;
}

static int loop_exit(struct ub_event_base *base, struct timeval *after)
{
	(void)base;
	(void)after;
	return 0; /* whoever turns the loop sees that there is nothing left to wait for */
}

static struct ub_event_base_vmt loop_calls = { .loopexit = loop_exit, .new_event = event_new };

/* --- the loop */

bool dns_loop_new(struct dns_loop **ret)
{
	struct dns_loop *loop = calloc(1, sizeof(*loop));

	if (!loop)
		return false;
	loop->ub = (struct ub_event_base){ UB_EVENT_MAGIC, &loop_calls };
	TAILQ_INIT(&loop->active);
	*ret = loop;
	return true;
}

void dns_loop_free(struct dns_loop *loop)
{
	if (loop)
		free(loop->fds);
	free(loop);
}

struct ub_event_base *dns_loop_base(struct dns_loop *loop)
{
	return &loop->ub;
}

/* The sockets go to loop->fds in the order of the list. Returns the time of the first that is due. */
static int64_t gather(struct dns_loop *loop, nfds_t *ret_n)
{
	int64_t due = NEVER;
	struct event *e;

	*ret_n = 0;
	TAILQ_FOREACH(e, &loop->active, entry) {
		int wanted = (e->bits & UB_EV_READ ? POLLIN : 0) | (e->bits & UB_EV_WRITE ? POLLOUT : 0);

		if (e->fd >= 0)
			loop->fds[(*ret_n)++] = (struct pollfd){ .fd = e->fd, .events = (short)wanted };
		if (e->due < due)
			due = e->due;
	}
	return due;
}

/* A socket that is broken is ready for all that was wanted of it: the call on it tells the fault. */
static short ready_bits(const struct pollfd *fd)
{
	bool broken = fd->revents & (POLLERR | POLLHUP | POLLNVAL);
	short found = broken ? fd->events : fd->revents;

	return (short)((found & POLLIN ? UB_EV_READ : 0) | (found & POLLOUT ? UB_EV_WRITE : 0));
}

static void mark_ready(struct dns_loop *loop, int64_t now)
{
	const struct pollfd *fd = loop->fds;
	struct event *e;

	TAILQ_FOREACH(e, &loop->active, entry) {
		if (e->fd >= 0)
			e->ready = ready_bits(fd++);
		if (!e->ready && e->due <= now)
			e->ready = UB_EV_TIMEOUT;
	}
}

static struct event *first_ready(struct dns_loop *loop)
{
	struct event *e;

	TAILQ_FOREACH(e, &loop->active, entry)
		if (e->ready)
			return e;
	return NULL;
}

/* The call may end this event and any other. */
static void fire(struct event *e, int64_t now)
{
	short bits = e->ready;

	e->ready = 0;
	if (!(e->bits & UB_EV_PERSIST))
		event_del(&e->ub);
	else if (e->due != NEVER)
		e->due = now + e->delay;
	e->run(e->fd, bits, e->arg);
}

bool dns_loop_turn(struct dns_loop *loop, int64_t deadline)
{
	int64_t now = clock_monotonic_ms(), due;
	struct event *e;
	nfds_t n;

	if (now >= deadline)
		return false;
	due = gather(loop, &n);
	due = due < deadline ? due : deadline;
	int64_t wait = due > now ? due - now : 0;
	if (poll(loop->fds, n, wait < INT_MAX ? (int)wait : INT_MAX) < 0)
		return errno == EINTR || errno == EAGAIN;
	now = clock_monotonic_ms();
	mark_ready(loop, now);
	while ((e = first_ready(loop)))
		fire(e, now);
	return true;
}
