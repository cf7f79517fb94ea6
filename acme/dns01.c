#include "acme/dns01.h"

#include <ctype.h>

#include "base/digest.h"

enum {
	PROOF_LEN = 43,       /* a SHA-256 in base64url */
	SHOWN_MAX = 4,
	LABEL_BYTES = 10,     /* of the account URL's digest, draft 03, 3.1 */
};

/* What the records at a name amount to. */
struct found {
	const char *name, *want;
	bool proven;
	size_t records, shown;
	struct buf others;    /* those that look like proofs */
};

static bool is_proof(const char *text, size_t len)
{
	for (size_t i = 0; i < len && i < PROOF_LEN; i++)
		if (!isalnum((unsigned char)text[i]) && text[i] != '-' && text[i] != '_')
			return false;
	return len == PROOF_LEN;
}

/* An alias may lead to records that are no business of the client's: only what looks like a proof
 * is repeated. */
static void look_at(struct found *f, struct bytes data)
{
	char text[PROOF_LEN + 1];
	size_t len;

	f->records++;
	if (!dns_answer_text(data, text, sizeof(text), &len))
		return;
	if (len == PROOF_LEN && str_equal(text, f->want))
		f->proven = true;
	else if (is_proof(text, len) && f->shown++ < SHOWN_MAX)
		buf_printf(&f->others, "%s\"%s\"", f->shown > 1 ? ", " : "", text);
}

static bool refuse(const struct dns *dns, const struct found *f, struct problem *p)
{
	const char *name = f->name, *want = f->want, *servers = dns_servers(dns);

	if (f->records == 0)
		return problem_set(p, PROBLEM_INCORRECT_RESPONSE,
		                   "RFC 8555, 8.4: there is no TXT record at %s, \"%s\" was wanted (asked: %s)",
		                   name, want,
		                   servers);
	if (f->shown == 0)
		return problem_set(p, PROBLEM_INCORRECT_RESPONSE,
		                   "RFC 8555, 8.4: none of the %zu TXT records at %s is the \"%s\" that was "
		                   "wanted (asked: %s)",
		                   f->records, name, want, servers);
	return problem_set(p, PROBLEM_INCORRECT_RESPONSE,
	                   "RFC 8555, 8.4: of %zu TXT records at %s none is the \"%s\" that was wanted; there is %s%s "
	                   "(asked: %s)",
	                   f->records, name, want, buf_text(&f->others),
	                   f->shown > SHOWN_MAX ? " and more" : "", servers);
}

static bool judge(const struct dns *dns, const struct dns_question *q, const struct probe_task *task,
                  const char *want, struct problem *p)
{
	struct found f = { .name = q->name, .want = want };
	struct dns_answer answer;
	struct bytes data;

	if (q->fate != DNS_ANSWERED)
		return dns_refuse(dns, q, p);
	if (task->require_dnssec && !dns_check_secure(q, p))
		return false;
	bool whole = dns_answer_open(buf_bytes(&q->message), DNS_TYPE_TXT, &answer);
	while (whole && !f.proven && dns_answer_next(&answer, &data))
		look_at(&f, data);
	bool proven = f.proven || refuse(dns, &f, p);
	buf_free(&f.others);
	return proven;
}

/* The TXT record's value: base64url of the key authorization's SHA-256 (8.4). */
static bool prove_at(struct dns *dns, const char *name, const struct probe_task *task, int64_t deadline,
                     struct problem *p)
{
	struct dns_question q = { .name = name, .type = DNS_TYPE_TXT };
	uint8_t digest[SHA256_SIZE];
	auto_value(buf) want = {0};

	digest_sha256(BYTES_STR(task->key_authorization), digest);
	buf_add_base64url(&want, BYTES(digest, sizeof(digest)));
	bool proven = buf_check(&want, p) && dns_ask(dns, &q, 1, deadline, p) &&
	              judge(dns, &q, task, buf_text(&want), p);
	dns_question_clear(&q);
	return proven;
}

bool dns01_prove(struct dns *dns, const struct probe_task *task, int64_t deadline, struct problem *p)
{
	auto_value(buf) name = {0};

	buf_printf(&name, "_acme-challenge.%s", task->value);
	return buf_check(&name, p) && prove_at(dns, buf_text(&name), task, deadline, p);
}

/* RFC 4648, 6, in lower case; of LABEL_BYTES no padding is left. */
static void add_base32(struct buf *ret, const uint8_t *v)
{
	static const char digits[] = "abcdefghijklmnopqrstuvwxyz234567";
	unsigned bits = 0, held = 0;

	for (size_t i = 0; i < LABEL_BYTES; i++) {
		held = held << 8 | v[i];
		for (bits += 8; bits >= 5; bits -= 5)
			buf_add_char(ret, digits[held >> (bits - 5) & 31]);
	}
}

/* Draft 03, 3.4: the client sees which URL its label should have been made from. */
static bool tell_account(const struct probe_task *task, struct problem *p)
{
	char detail[PROBLEM_DETAIL_MAX];

	if (p->kind != PROBLEM_DNS && p->kind != PROBLEM_INCORRECT_RESPONSE)
		return false;
	memcpy(detail, p->detail, sizeof(detail));
	return problem_set(p, p->kind, "%s; the label is that of the account %s", detail, task->account_url);
}

bool dns_account01_prove(struct dns *dns, const struct probe_task *task, int64_t deadline, struct problem *p)
{
	auto_value(buf) name = {0};
	uint8_t digest[SHA256_SIZE];

	if (!task->account_url)
		return problem_internal(p, "the authorization does not know its account's URL");
	digest_sha256(BYTES_STR(task->account_url), digest);
	buf_add_char(&name, '_');
	add_base32(&name, digest);
	buf_printf(&name, "._acme-challenge.%s", task->value);
	return buf_check(&name, p) && (prove_at(dns, buf_text(&name), task, deadline, p) || tell_account(task, p));
}
