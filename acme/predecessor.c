#include "acme/predecessor.h"

#include "acme/order_state.h"
#include "acme/renewal_window.h"
#include "ca/inventory.h"

/* RFC 9773, 5: marked as replaced by another order that is not invalid. One that was swept has ended long ago. */
static bool is_marked(struct store_txn *txn, const struct certificate *row, const char *order_id, int64_t now,
                      bool *ret, struct problem *p)
{
	auto_value(order) other = { 0 };
	enum order_status status;

	*ret = row->replaced_by && *row->replaced_by;
	if (*ret || !row->replacing[0] || str_equal(row->replacing, order_id))
		return true;
	if (!store_order_get(txn, row->replacing, &other, p))
		return problem_forgive(p, PROBLEM_NOT_FOUND);
	if (!order_status_at(txn, &other, now, &status, p))
		return false;
	*ret = status != ORDER_INVALID;
	return true;
}

static bool check_mark(struct store_txn *txn, const struct certificate *row, const char *order_id, int64_t now,
                       struct problem *p)
{
	bool marked;

	if (!is_marked(txn, row, order_id, now, &marked, p))
		return false;
	return !marked ||
	       problem_set(p, PROBLEM_ALREADY_REPLACED, "RFC 9773, 5: the certificate that the order \"replaces\" %s",
	                              row->replaced_by && *row->replaced_by ? "has been replaced already"
	                                                                    : "is being replaced by another order");
}

/* --- what newOrder says */

static bool is_shared(const struct certificate *row, const struct identifier *name)
{
	const struct certificate_name *v = row->names.v;
	char value[IDENTIFIER_VALUE_SIZE];
	const char *type = inventory_name(name, value);

	for (size_t i = 0; i < row->names.n; i++)
		if (str_equal(v[i].type, type) && str_equal(v[i].value, value))
			return true;
	return false;
}

/* One that was not to disclose its device names nothing by which to tell. */
static bool is_nameless(const struct certificate *row)
{
	const struct certificate_name *v = row->names.v;

	for (size_t i = 0; i < row->names.n; i++)
		if (!str_equal(v[i].type, "cn"))
			return false;
	return true;
}

static bool shares(const struct certificate *row, const struct identifier *names, size_t n, struct problem *p)
{
	for (size_t i = 0; i < n; i++)
		if (is_shared(row, &names[i]) || (identifier_is_device(names[i].type) && is_nameless(row)))
			return true;
	return problem_set(p, PROBLEM_MALFORMED, "RFC 9773, 5: the order shares no name with the certificate "
	                   "that it \"replaces\"");
}

struct checking {
	const struct acme_call *call;
	const struct identifier *names;
	size_t n;
	struct certificate_id id;
	struct certificate row;  /* the caller's to free */
};

/* Without a status of 404, which clients take for that of the resource. */
static bool find(struct store_txn *txn, const struct ca *ca, const struct certificate_id *id, struct certificate *ret,
                 struct problem *p)
{
	return renewal_find(txn, ca, id, ret, p) ||
	       (p->kind == PROBLEM_NOT_FOUND &&
	        problem_set(p, PROBLEM_MALFORMED, "RFC 9773, 5: this CA has not issued the certificate that "
	                    "\"replaces\" names"));
}

/* In a view, and run once. */
static bool check(struct store_txn *txn, void *arg, struct problem *p)
{
	struct checking *c = arg;
	const struct acme_call *call = c->call;

	if (!find(txn, call->acme->ca, &c->id, &c->row, p))
		return false;
	if (!str_equal(c->row.account, call->account.id))
		return problem_set(p, PROBLEM_UNAUTHORIZED,
		                   "RFC 9773, 5: the certificate that the order \"replaces\" is not this account's");
	return check_mark(txn, &c->row, "", call->now, p) && shares(&c->row, c->names, c->n, p);
}

bool predecessor_check(const struct acme_call *call, const char *replaces, const struct identifier *names, size_t n,
                       bool *ret_due, struct problem *p)
{
	struct checking c = { .call = call, .names = names, .n = n };
	struct renewal_window window;
	bool good = certificate_id_parse(replaces, "\"replaces\"", &c.id, p) &&
	            store_view(call->acme->store, check, &c, p);

	if (good) {
		renewal_window(call, &c.row, &window);
		*ret_due = call->now >= window.from;
	}
	certificate_free(&c.row);
	return good;
}

/* --- what becomes of it */

bool predecessor_mark(struct store_txn *txn, const struct acme_call *call, const struct order *order, struct problem *p)
{
	auto_value(certificate) row = { 0 };
	struct certificate_id id;

	if (!order->replaces)
		return true;
	return certificate_id_parse(order->replaces, "\"replaces\"", &id, p) &&
	       find(txn, call->acme->ca, &id, &row, p) &&
	       check_mark(txn, &row, order->id, call->now, p) && store_certificate_replacing(txn, row.id, order->id, p);
}

bool predecessor_find(struct store_txn *txn, const struct ca *ca, const struct order *order, int64_t now,
                      char ret[RANDOM_ID_SIZE], struct problem *p)
{
	auto_value(certificate) row = { 0 };
	auto_value(problem) why = { 0 };
	struct certificate_id id;

	ret[0] = '\0';
	if (!order->replaces || !certificate_id_parse(order->replaces, "\"replaces\"", &id, &why))
		return true;
	if (!renewal_find(txn, ca, &id, &row, p))
		return problem_forgive(p, PROBLEM_NOT_FOUND);
	memcpy(ret, row.id, sizeof(row.id));
	return check_mark(txn, &row, order->id, now, p);
}
