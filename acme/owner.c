#include "acme/owner.h"

bool acme_owned(const struct acme_call *call, const char *account, const char *directory, const char *what,
                struct problem *p)
{
	if (directory && !str_equal(directory, call->directory))
		return problem_set(p, PROBLEM_NOT_FOUND, "there is no such %s", what);
	if (call->account.id[0] && str_equal(account, call->account.id))
		return true;
	return problem_set(p, PROBLEM_UNAUTHORIZED, "the %s belongs to another account", what);
}

bool acme_account_stays(struct store_txn *txn, const char *account, struct problem *p)
{
	auto_value(account) now = {0};

	if (!store_account_get(txn, account, &now, p))
		return false;
	return now.status == ACCOUNT_VALID ||
	       problem_set(p, PROBLEM_UNAUTHENTICATED, "RFC 8555, 7.3.6: the account is %s",
	                   account_status_name(now.status));
}
