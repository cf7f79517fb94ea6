#include "policy/approval.h"

struct approval {
	struct approval_facts facts; /* points into the rest */
	struct buf spki;
	struct identifiers names, devices;
	struct csr_other_name *others;
	struct subject subject;
	struct strings extended_key_usage;
	struct strings texts;        /* owns every text of facts */
};

/* Declared here again, and in policy/gate.c, and in no header: see there. */
bool approval_make(const struct approval_facts *facts, struct approval **ret, struct problem *p) must_use;

static bool text_keep(struct approval *approval, const char **text)
{
	if (!*text)
		return true;
	if (!strings_add(&approval->texts, *text))
		return false;
	*text = approval->texts.v[approval->texts.n - 1];
	return true;
}

static bool texts_keep(struct approval *approval)
{
	struct approval_facts *facts = &approval->facts;
	const char **texts[] = {
		&facts->common_name, &facts->profile, &facts->issuer, &facts->hash,
		&facts->method, &facts->account, &facts->order, &facts->identity,
	};

	for (size_t i = 0; i < array_length(texts); i++)
		if (!text_keep(approval, texts[i]))
			return false;
	return true;
}

static bool identifiers_keep(const struct identifiers **names, struct identifiers *own, struct problem *p)
{
	for (size_t i = 0; *names && i < (*names)->n; i++)
		if (!identifiers_add(own, &(*names)->v[i], p))
			return false;
	*names = own;
	return true;
}

static bool names_keep(struct approval *approval, struct problem *p)
{
	return identifiers_keep(&approval->facts.names, &approval->names, p) &&
	       identifiers_keep(&approval->facts.devices, &approval->devices, p);
}

static bool others_keep(struct approval *approval, struct problem *p)
{
	struct approval_facts *facts = &approval->facts;
	size_t n = facts->other_count;

	facts->other_count = 0; /* as many as are our own */
	approval->others = calloc(n + 1, sizeof(*approval->others));
	if (!approval->others)
		return problem_memory(p);
	for (size_t i = 0; i < n; i++) {
		struct csr_other_name *to = &approval->others[facts->other_count++];
		*to = facts->others[i];
		to->der = (struct buf){0};
		buf_add(&to->der, facts->others[i].der.data, facts->others[i].der.len);
		if (!buf_check(&to->der, p))
			return false;
	}
	facts->others = approval->others;
	return true;
}

static bool subject_keep(struct approval *approval, struct problem *p)
{
	const struct subject *subject = approval->facts.subject;

	for (size_t i = 0; subject && i < subject->n; i++)
		if (!subject_add(&approval->subject, subject->v[i].type, subject->v[i].value, p))
			return false;
	approval->facts.subject = subject && subject->n > 0 ? &approval->subject : NULL;
	return true;
}

static bool key_keep(struct approval *approval, EVP_PKEY *key, struct problem *p)
{
	buf_add(&approval->spki, approval->facts.spki.data, approval->facts.spki.len);
	approval->facts.spki = buf_bytes(&approval->spki);
	if (EVP_PKEY_up_ref(key) != 1)
		return problem_openssl(p, "a reference to a public key");
	approval->facts.key = key;
	return buf_check(&approval->spki, p);
}

bool approval_make(const struct approval_facts *facts, struct approval **ret, struct problem *p)
{
	auto_struct(approval) *approval = calloc(1, sizeof(*approval));

	if (!approval)
		return problem_memory(p);
	approval->facts = *facts;
	approval->facts.key = NULL; /* until there is a reference of our own to free */
	if (!texts_keep(approval) || !strings_copy(facts->extended_key_usage, &approval->extended_key_usage))
		return problem_memory(p);
	approval->facts.extended_key_usage = &approval->extended_key_usage;
	if (!others_keep(approval, p) || !subject_keep(approval, p) || !names_keep(approval, p) ||
	    !key_keep(approval, facts->key, p))
		return false;
	*ret = steal(approval);
	return true;
}

const struct approval_facts *approval_facts(const struct approval *approval)
{
	return &approval->facts;
}

void approval_free(struct approval *approval)
{
	if (!approval)
		return;
	EVP_PKEY_free(approval->facts.key);
	buf_free(&approval->spki);
	identifiers_free(&approval->names);
	identifiers_free(&approval->devices);
	for (size_t i = 0; approval->others && i < approval->facts.other_count; i++)
		buf_free(&approval->others[i].der);
	free(approval->others);
	subject_free(&approval->subject);
	strings_free(&approval->extended_key_usage);
	strings_free(&approval->texts);
	free(approval);
}
