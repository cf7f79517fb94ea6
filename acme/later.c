#include "acme/later.h"

#include <stdio.h>

#include "acme/claim.h"
#include "base/log.h"

enum { THREADS = 8 }; /* of CAA_WAITING_MAX (acme/probe.c) half: requests wait for DNS as well */

struct later {
	struct acme *acme;
	later_job *job;
	const char *event;   /* static */
	char id[RANDOM_ID_SIZE];
};

static void end(void *arg)
{
	struct later *later = arg;

	claim_release(later->acme->claims, later->id);
	free(later);
}

static void run(void *arg)
{
	struct later *later = arg;
	auto_value(problem) p = {0};

	if (!later->job(later->acme, later->id, &p))
		log_event(LOG_LEVEL_ERROR, later->event, "id", later->id, "cause", problem_cause(&p), NULL);
	end(later);
}

/* false without a problem in p: it is under way already. */
static bool claim(struct acme *acme, const char *id, struct problem *p)
{
	static const uint8_t nothing[SHA256_SIZE];
	enum claim_result result;

	return claim_take(acme->claims, id, nothing, 0, &result, p) && result == CLAIM_TAKEN;
}

bool later_do(struct acme *acme, const char *event, const char *id, later_job *job, struct problem *p)
{
	struct later *later = calloc(1, sizeof(*later));

	if (!later)
		return problem_memory(p);
	*later = (struct later){ .acme = acme, .job = job, .event = event };
	snprintf(later->id, sizeof(later->id), "%s", id);
	if (!claim(acme, id, p)) {
		free(later);
		return !problem_is_set(p);
	}
	if (work_add(acme->later, 0, run, later, p))
		return true;
	end(later);
	return false;
}

bool later_begin(struct acme *acme, struct problem *p)
{
	return work_open("later", THREADS, LATER_MAX, &acme->later, p);
}

void later_end(struct acme *acme)
{
	work_close(acme->later, end);
	acme->later = NULL;
}
