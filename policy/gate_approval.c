#include "policy/consent.h"
#include "policy/csr_make.h"
#include "policy/gate_case.h"

/* A request counts for who made it, and in the profile for which it was made. */
static bool is_of_identity(const struct gate_case *c)
{
	const struct request *request = &c->request_record;

	return str_equal(request->method ?: "", identity_method(c->identity)) &&
	       str_equal(request->identity ?: "", identity_text(c->identity)) &&
	       str_equal(request->profile ?: "", c->profile_name);
}

bool gate_case_approved(const struct gate_case *c)
{
	return c->request_record.id[0] != '\0' && c->request_record.state == REQUEST_APPROVED &&
	       (!c->identity || is_of_identity(c));
}

/* What people saw is a CSR of another key, which exists no more; this one asks for the same. */
static bool is_as_shown(const struct gate_case *c)
{
	const struct request *request = &c->request_record;
	struct bytes key_hash = BYTES(c->csr->key_hash, sizeof(c->csr->key_hash));
	auto_struct(csr) *shown = NULL;
	auto_value(problem) ignored = {0};

	if (request->key_hash.len > 0 && !bytes_equal(request->key_hash, key_hash))
		return false;
	return csr_parse(request->csr, &shown, &ignored) && csr_asks_same(shown, c->csr);
}

static bool is_same_csr(const struct gate_case *c)
{
	const struct request *request = &c->request_record;

	if (c->identity && request->managed)
		return is_as_shown(c);
	if (c->identity && request->asked.len > 0) /* who asks again may have signed it anew */
		return bytes_equal(request->asked, BYTES(c->csr->asked, sizeof(c->csr->asked)));
	return request->csr_digest.len > 0 &&
	       bytes_equal(request->csr_digest, BYTES(c->csr->digest, sizeof(c->csr->digest)));
}

/* By as many as the profile asks for today. A method whose requests cannot wait has no request, and so no such
 * approval. */
bool gate_approved(const struct gate_case *c, struct problem *p)
{
	return c->profile->approvals == 0 ||
	       (gate_case_approved(c) && is_same_csr(c) &&
	        consent_count(&c->request_record) >= c->profile->approvals) ||
	       problem_add(p, PROBLEM_USER_ACTION_REQUIRED, NULL, NULL, "profile %s: %u must approve the request",
	                   c->profile->name, c->profile->approvals);
}

static bool request_read(struct store_txn *txn, void *arg, struct problem *p)
{
	struct gate_case *c = arg;

	return store_request_get(txn, c->wish->request, &c->request_record, p);
}

bool gate_case_read_request(struct store *store, struct gate_case *c, struct problem *p)
{
	return !c->wish || !c->wish->request || store_view(store, request_read, c, p);
}
