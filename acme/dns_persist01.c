#include "acme/dns_persist01.h"

#include <ctype.h>
#include <stdio.h>

#include "acme/acme.h"
#include "acme/issue_value.h"
#include "base/clock.h"
#include "base/digest.h"
#include "policy/subdomain.h"

enum {
	TEXT_MAX = 2048,
	HASH_LEN = 43,       /* a SHA-256 in base64url */
	DIGITS_MAX = 15,
};

static const char algorithm[] = "sha-256/";

bool dns_persist01_prefix(const char *account_url, struct buf *ret)
{
	const char *at = NULL;

	for (const char *next = account_url; next && (next = strstr(next, "/account/")); next++)
		at = next;
	if (!at)
		return false;
	buf_add(ret, account_url, (size_t)(at - account_url));
	buf_add_str(ret, "/account-hash/");
	return true;
}

/* Draft 02, 4.1: H(length_of_domain || domain_name || key || account_URL). */
static void add_hash(struct buf *ret, const char *domain, struct bytes thumbprint, const char *account_url)
{
	auto_value(buf) in = {0};
	uint8_t digest[SHA256_SIZE];

	buf_add_char(&in, (char)strlen(domain));
	buf_add_str(&in, domain);
	buf_add_base64url(&in, thumbprint);
	buf_add_str(&in, account_url);
	digest_sha256(buf_bytes(&in), digest);
	buf_add_base64url(ret, BYTES(digest, sizeof(digest)));
}

static bool is_hash_of(struct bytes hash, const struct probe_task *task, struct bytes thumbprint)
{
	const char *const domains[] = { task->value, "*" };

	for (size_t i = 0; i < array_length(domains); i++) {
		auto_value(buf) want = {0};

		add_hash(&want, domains[i], thumbprint, task->account_url);
		if (!want.failed && bytes_equal(hash, buf_bytes(&want)))
			return true;
	}
	return false;
}

/* 4.2: the key that the account has now first, then those that it had, the newest first. */
static bool is_hash_of_account(struct bytes hash, const struct probe_task *task)
{
	size_t n = task->thumbprints.len / SHA256_SIZE;

	for (size_t i = n; i-- > 0;)
		if (is_hash_of(hash, task, BYTES(task->thumbprints.data + i * SHA256_SIZE, SHA256_SIZE)))
			return true;
	return false;
}

/* What follows prefix and algorithm; false: it is not well-formed. */
static bool take_hash(struct bytes uri, const struct probe_task *task, struct bytes *ret)
{
	auto_value(buf) prefix = {0};

	if (!dns_persist01_prefix(task->account_url, &prefix))
		return false;
	buf_add_str(&prefix, algorithm);
	if (prefix.failed || uri.len != prefix.len + HASH_LEN || memcmp(uri.data, prefix.data, prefix.len) != 0)
		return false;
	*ret = BYTES(uri.data + prefix.len, HASH_LEN);
	for (size_t i = 0; i < ret->len; i++)
		if (!isalnum(ret->data[i]) && ret->data[i] != '-' && ret->data[i] != '_')
			return false;
	return true;
}

static bool check_account(const struct dns_persist_rules *rules, const struct probe_task *task, struct bytes uri,
                          struct problem *p)
{
	struct bytes hash;

	if ((rules->forms & ACME_PERSIST_00) && bytes_equal(uri, BYTES_STR(task->account_url)))
		return true;
	if ((rules->forms & ACME_PERSIST_02) && take_hash(uri, task, &hash))
		return is_hash_of_account(hash, task) ||
		       problem_set(p, PROBLEM_UNAUTHORIZED,
		                   "the accounturi is the hash of another account, key or name");
	if (rules->forms == ACME_PERSIST_00)
		return problem_set(p, PROBLEM_UNAUTHORIZED, "the accounturi is not this account's URL");
	return problem_set(p, PROBLEM_MALFORMED,
	                   "the accounturi is not a hashed URI with sha-256 below this CA's accountHashPrefix");
}

/* Seconds since 1970 in decimal. */
static bool check_until(struct bytes text, int64_t now, int64_t *ret, struct problem *p)
{
	int64_t until = 0;

	if (text.len == 0 || text.len > DIGITS_MAX)
		return problem_set(p, PROBLEM_MALFORMED, "persistUntil is not a number of seconds");
	for (size_t i = 0; i < text.len; i++) {
		if (!isdigit(text.data[i]))
			return problem_set(p, PROBLEM_MALFORMED, "persistUntil is not a number of seconds");
		until = until * 10 + (text.data[i] - '0');
	}
	if (until <= now)
		return problem_set(p, PROBLEM_UNAUTHORIZED, "the record's persistUntil is past");
	*ret = until;
	return true;
}

static bool check_once(const struct issue_value *value, const char *tag, bool wanted, struct bytes *ret,
                       bool *ret_there, struct problem *p)
{
	size_t n = issue_value_find(value, tag, ret);

	*ret_there = n > 0;
	return (n <= 1 && (n == 1 || !wanted)) ||
	       problem_set(p, PROBLEM_MALFORMED, "the record has %s %s", n ? "more than one" : "no", tag);
}

bool dns_persist01_judge(const struct dns_persist_rules *rules, const struct probe_task *task, struct bytes text,
                         int64_t now, int64_t *ret_until, struct problem *p)
{
	struct issue_value value;
	struct bytes account, policy, until;
	bool has_account, has_policy, has_until;
	int64_t end = 0;

	if (!issue_value_parse(text, &value) || !issue_value_domain_is(&value, rules->issuers))
		return false;
	if (!check_once(&value, "accounturi", true, &account, &has_account, p) ||
	    !check_once(&value, "policy", false, &policy, &has_policy, p) ||
	    !check_once(&value, "persistUntil", false, &until, &has_until, p) ||
	    !check_account(rules, task, account, p) || (has_until && !check_until(until, now, &end, p)))
		return false;
	if (task->wildcard && !(has_policy && issue_text_is(policy, "wildcard")))
		return problem_set(p, PROBLEM_UNAUTHORIZED, "the record is without policy=wildcard");
	*ret_until = end;
	return true;
}

/* --- the records that are there */

/* Where is asked: the name itself, and the domains above it, the nearest first. */
enum { DOMAINS_MAX = 9 };
struct asking {
	const struct dns_persist_rules *rules;
	const struct probe_task *task;
	size_t n;
	const char *domain[DOMAINS_MAX];
	struct buf name[DOMAINS_MAX];
	struct dns_question q[DOMAINS_MAX];
};

static void asking_free(struct asking *a)
{
	for (size_t i = 0; i < a->n; i++) {
		dns_question_clear(&a->q[i]);
		buf_free(&a->name[i]);
	}
}
declare_auto_value(asking, asking_free);

/* Draft 02, 6: no top-level domain, which nobody but its registry speaks for. */
static bool fill(struct asking *a, struct problem *p)
{
	const char *at = a->task->value;

	while (at && a->n < DOMAINS_MAX && (a->n == 0 || strchr(at, '.'))) {
		struct buf *name = &a->name[a->n];

		a->domain[a->n] = at;
		buf_printf(name, "_validation-persist.%s", at);
		a->q[a->n++] = (struct dns_question){ .name = buf_text(name), .type = DNS_TYPE_TXT };
		if (!buf_check(name, p))
			return false;
		at = subdomain_above(at);
	}
	return true;
}

static bool judge_each(const struct dns_persist_rules *rules, const struct probe_task *task,
                       const struct dns_question *q, int64_t *ret_until, struct problem *p)
{
	struct dns_answer answer;
	struct bytes data;
	size_t len;

	if (!dns_answer_open(buf_bytes(&q->message), DNS_TYPE_TXT, &answer))
		return false;
	while (dns_answer_next(&answer, &data)) {
		char text[TEXT_MAX];

		if (dns_answer_text(data, text, sizeof(text), &len) && len < sizeof(text) &&
		    dns_persist01_judge(rules, task, BYTES(text, len), clock_now(), ret_until, p))
			return true;
	}
	return false;
}

/* 6.2: what stands above the name counts with policy=wildcard alone. Why it does not is nobody's concern: the client
 * is told of the name itself. */
static bool judge_above(const struct asking *a, size_t i, int64_t *ret_until)
{
	auto_value(problem) ignored = {0};
	struct probe_task above = *a->task;

	above.value = a->domain[i];
	above.wildcard = true;
	return a->q[i].fate == DNS_ANSWERED && (!above.require_dnssec || a->q[i].secure) &&
	       judge_each(a->rules, &above, &a->q[i], ret_until, &ignored);
}

static bool found(const struct asking *a, int64_t *ret_until, struct problem *why)
{
	if (a->q[0].fate == DNS_ANSWERED && judge_each(a->rules, a->task, &a->q[0], ret_until, why))
		return true;
	for (size_t i = 1; i < a->n; i++)
		if (judge_above(a, i, ret_until))
			return true;
	return false;
}

/* Where the name itself cannot be asked for, nothing above it is believed. */
static bool judge(const struct dns *dns, const struct asking *a, struct problem *p)
{
	const struct strings *issuers = a->rules->issuers;
	const struct dns_question *own = &a->q[0];
	auto_value(problem) why = {0};
	int64_t until = 0;

	if (own->fate != DNS_ANSWERED && own->fate != DNS_NO_NAME)
		return dns_refuse(dns, own, p);
	if (a->task->require_dnssec && !dns_check_secure(own, p))
		return false;
	if (found(a, &until, &why)) {
		if (a->task->ret_until)
			*a->task->ret_until = until;
		return true;
	}
	if (problem_is_set(&why))
		return problem_set(p, why.kind, "draft-ietf-acme-dns-persist-02, 4.1: TXT at %s: %s (asked: "
		                   "%s)", own->name,
		                   why.detail, dns_servers(dns));
	if (own->fate == DNS_NO_NAME)
		return dns_refuse(dns, own, p);
	return problem_set(p, PROBLEM_UNAUTHORIZED,
	                   "draft-ietf-acme-dns-persist-02, 4.2: there is no TXT record for \"%s\" at %s (asked: %s)",
	                   issuers && issuers->n > 0 ? issuers->v[0] : "this CA", own->name, dns_servers(dns));
}

bool dns_persist01_prove(struct dns *dns, const struct dns_persist_rules *rules, const struct probe_task *task,
                         int64_t deadline, struct problem *p)
{
	auto_value(asking) a = { .rules = rules, .task = task };

	if (!task->account_url)
		return problem_internal(p, "the authorization does not know its account's URL");
	return fill(&a, p) && dns_ask(dns, a.q, a.n, deadline, p) && judge(dns, &a, p);
}
