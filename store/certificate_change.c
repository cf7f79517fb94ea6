#include "store/certificate.h"

#include <stdio.h>

bool store_certificate_replace(struct store_txn *txn, const char *old_id, const char *new_id, struct problem *p)
{
	auto_value(certificate) old = {0};

	if (!store_certificate_get(txn, old_id, &old, p))
		return false;
	if (old.replaced_by && *old.replaced_by)
		return problem_set(p, PROBLEM_ALREADY_REPLACED, "the certificate %s was renewed already, as %s",
		                   old_id, old.replaced_by);
	old.replaced_by = new_id;
	old.renew_at = old.renew_failures = 0;
	old.renew_error = NULL;
	return store_certificate_put(txn, &old, p);
}

bool store_certificate_replacing(struct store_txn *txn, const char *id, const char *order, struct problem *p)
{
	auto_value(certificate) row = {0};

	if (!store_certificate_get(txn, id, &row, p))
		return false;
	snprintf(row.replacing, sizeof(row.replacing), "%s", order);
	return store_certificate_put(txn, &row, p);
}

/* What is over, or not ours to renew, is not. */
static void renewal_set(struct certificate *row, int64_t renew_before)
{
	bool over = row->replaced_by || row->status == CERTIFICATE_REVOKED || !row->key_kept;

	row->renew_before = renew_before;
	row->renew_at = renew_before == 0 || over ? 0 : row->not_after - renew_before;
	row->renew_failures = 0;
	row->renew_error = NULL;
}

bool store_certificate_set(struct store_txn *txn, const char *id, const struct certificate_settings *settings,
                           struct certificate *ret, struct problem *p)
{
	auto_value(certificate) row = {0};

	if (!store_certificate_get(txn, id, &row, p))
		return false;
	if (settings->metadata)
		row.metadata = *settings->metadata;
	if (settings->renew_before)
		renewal_set(&row, *settings->renew_before);
	return store_certificate_put(txn, &row, p) && (!ret || certificate_copy(&row, ret, p));
}

bool store_certificate_advise(struct store_txn *txn, const char *id, const struct certificate_advice *advice,
                              struct problem *p)
{
	auto_value(certificate) row = {0};

	if (!store_certificate_get(txn, id, &row, p))
		return false;
	row.advised_from = advice->from;
	row.advised_until = advice->until;
	row.advised_why = advice->why;
	return store_certificate_put(txn, &row, p);
}

static bool renewal_tried(struct store_txn *txn, const char *id, int failures, int64_t renew_at, const char *why,
                          struct problem *p)
{
	auto_value(certificate) row = {0};

	if (!store_certificate_get(txn, id, &row, p))
		return false;
	if (row.renew_at == 0) /* it was revoked, renewed or left alone meanwhile */
		return true;
	row.renew_at = renew_at;
	row.renew_failures += failures;
	row.renew_error = why;
	return store_certificate_put(txn, &row, p);
}

bool store_certificate_renewal_failed(struct store_txn *txn, const char *id, int64_t renew_at, const char *why,
                                      struct problem *p)
{
	return renewal_tried(txn, id, 1, renew_at, why, p);
}

bool store_certificate_renewal_waits(struct store_txn *txn, const char *id, int64_t renew_at, const char *why,
                                     struct problem *p)
{
	return renewal_tried(txn, id, 0, renew_at, why, p);
}

bool store_certificate_renew_at(struct store_txn *txn, const char *id, int64_t renew_at, struct problem *p)
{
	auto_value(certificate) row = {0};

	if (!store_certificate_get(txn, id, &row, p))
		return false;
	if (!row.key_kept || row.status == CERTIFICATE_REVOKED || (row.replaced_by && *row.replaced_by))
		return problem_set(p, PROBLEM_CONFLICT, "the certificate %s is none that the server renews", id);
	row.renew_at = renew_at;
	return store_certificate_put(txn, &row, p);
}

bool store_certificate_key_forgotten(struct store_txn *txn, const char *id, struct problem *p)
{
	auto_value(certificate) row = {0};

	if (!store_certificate_get(txn, id, &row, p))
		return false;
	row.key_kept = false;
	row.renew_before = 0;
	row.renew_at = 0;
	return store_certificate_put(txn, &row, p);
}
