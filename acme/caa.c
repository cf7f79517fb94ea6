#include "acme/caa.h"

#include "acme/caa_record.h"
#include "policy/subdomain.h"

/* One name on its way up. Several that have come to the same parent ask for it once. */
struct climb {
	const struct caa_subject *subject;
	const char *at;              /* the rest of subject->value */
	bool done;
	size_t question;             /* of this round */
};
struct round {
	const struct dns *dns;
	const struct strings *identities;
	struct climb *climbs;
	size_t n;
	struct dns_question *questions;
	size_t question_count;
};

/* --- the Relevant RRset */

struct verdict {
	size_t issue, issuewild;     /* properties of the kind */
	bool may_issue, may_issuewild;
	bool stopped;                /* a critical property that we do not know, or a record that is none */
};

static void weigh(const struct caa_record *record, const struct caa_issuance *issuance, struct verdict *v)
{
	bool permits = caa_record_permits(record, issuance);

	switch (record->tag) {
	case CAA_ISSUE:
		v->issue++;
		v->may_issue = v->may_issue || permits;
		return;
	case CAA_ISSUEWILD:
		v->issuewild++;
		v->may_issuewild = v->may_issuewild || permits;
		return;
	case CAA_IODEF:
	case CAA_ISSUEMAIL:
		return;
	default:
		v->stopped = v->stopped || record->critical;
	}
}

/* 4.3: issuewild alone counts for a wildcard where there is one, and never for anything else. */
static bool allows(const struct verdict *v, bool wildcard)
{
	if (v->stopped)
		return false;
	if (wildcard && v->issuewild > 0)
		return v->may_issuewild;
	return v->issue == 0 || v->may_issue;
}

static void judge(const struct round *r, const struct climb *c, const struct dns_answer *set, struct problem *p)
{
	const struct caa_subject *s = c->subject;
	const struct caa_issuance issuance = { r->identities, s->method, s->account_url };
	struct dns_answer left = *set;
	struct caa_record record;
	struct verdict v = {0};
	struct bytes data;

	while (dns_answer_next(&left, &data)) {
		if (!caa_record_parse(data, &record))
			v.stopped = true;
		else
			weigh(&record, &issuance, &v);
	}
	if (allows(&v, s->wildcard))
		return;
	problem_add(p, PROBLEM_CAA, "dns", s->value, "RFC 8659, %s: the CAA records at %s %s for %s%s",
	            v.stopped ? "4.5" : "4.2", c->at,
	            v.stopped ? "have a critical property that this CA does not know"
	                      : "do not let this CA issue, this account or this challenge,",
	            s->wildcard ? "*." : "", s->value);
}

/* --- climbing */

static size_t question_for(struct round *r, const char *name)
{
	for (size_t i = 0; i < r->question_count; i++)
		if (str_equal(r->questions[i].name, name))
			return i;
	r->questions[r->question_count] = (struct dns_question){ .name = name, .type = DNS_TYPE_CAA };
	return r->question_count++;
}

static void refuse(const struct round *r, const struct climb *c, const struct dns_question *q, struct problem *p)
{
	auto_value(problem) why = {0};

	if (q->fate == DNS_ANSWERED || q->fate == DNS_NO_NAME)
		(void)!dns_check_secure(q, &why);
	else
		dns_refuse(r->dns, q, &why);
	problem_add(p, PROBLEM_DNS, "dns", c->subject->value, "RFC 8659, 3: CAA for %s: %s", c->subject->value,
	            why.detail);
}

/* A name that does not exist has no records, and neither has one whose alias leads nowhere: the
 * climb goes on from the name itself (3). */
static void step(const struct round *r, struct climb *c, struct problem *p)
{
	const struct dns_question *q = &r->questions[c->question];
	bool known = q->fate == DNS_ANSWERED || q->fate == DNS_NO_NAME;
	struct dns_answer set, look;
	struct bytes data;

	c->done = true;
	if (!known || (c->subject->require_dnssec && !q->secure)) {
		refuse(r, c, q, p);
		return;
	}
	if (q->fate == DNS_ANSWERED && dns_answer_open(buf_bytes(&q->message), DNS_TYPE_CAA, &set)) {
		look = set;
		if (dns_answer_next(&look, &data)) {
			judge(r, c, &set, p);
			return;
		}
	}
	c->at = subdomain_above(c->at);
	c->done = !c->at;
}

static bool go_round(struct round *r, struct dns *dns, int64_t deadline, bool *ret_more, struct problem *p)
{
	auto_value(problem) ours = {0};

	r->question_count = 0;
	for (size_t i = 0; i < r->n; i++)
		if (!r->climbs[i].done)
			r->climbs[i].question = question_for(r, r->climbs[i].at);
	*ret_more = r->question_count > 0;
	if (!*ret_more)
		return true;
	bool asked = dns_ask(dns, r->questions, r->question_count, deadline, &ours);
	for (size_t i = 0; asked && i < r->n; i++)
		if (!r->climbs[i].done)
			step(r, &r->climbs[i], p);
	for (size_t i = 0; i < r->question_count; i++)
		dns_question_clear(&r->questions[i]);
	if (asked)
		return true;
	return problem_pass(&ours, p);
}

bool caa_check(struct dns *dns, const struct strings *identities, const struct caa_subject *v, size_t n,
               int64_t deadline, struct problem *p)
{
	auto_free struct climb *climbs = calloc(n + 1, sizeof(*climbs));
	auto_free struct dns_question *questions = calloc(n + 1, sizeof(*questions));
	struct round r = { .dns = dns, .identities = identities, .climbs = climbs, .n = n, .questions = questions };
	bool more = true;

	if (!climbs || !questions)
		return problem_memory(p);
	for (size_t i = 0; i < n; i++)
		climbs[i] = (struct climb){ .subject = &v[i], .at = v[i].value };
	while (more)
		if (!go_round(&r, dns, deadline, &more, p))
			return false;
	return problem_settle(p, "CAA does not permit %s of the names", n > 1 ? "some" : "all");
}
