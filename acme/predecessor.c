#include "acme/predecessor.h"

#include "acme/renewal_window.h"

struct checking {
	const struct acme_call *call;
	struct certificate_id id;
	struct certificate row;  /* the caller's to free */
};

/* In a view, and run once. */
static bool load(struct store_txn *txn, void *arg, struct problem *p)
{
	struct checking *c = arg;

	return renewal_find(txn, c->call->acme->ca, &c->id, &c->row, p);
}

/* Without a status of 404, which clients take for that of the resource. */
static bool find(struct checking *c, const char *replaces, struct problem *p)
{
	if (!certificate_id_parse(replaces, "\"replaces\"", &c->id, p))
		return false;
	if (store_view(c->call->acme->store, load, c, p))
		return true;
	return p->kind == PROBLEM_NOT_FOUND
	       ? problem_set(p, PROBLEM_MALFORMED, "RFC 9773, 5: this CA has not issued the certificate that \"replaces\" names")
	       : false;
}

static bool is_shared(const struct certificate *row, const struct identifier *name)
{
	const struct certificate_name *v = row->names.v;

	for (size_t i = 0; i < row->names.n; i++)
		if (str_equal(v[i].type, identifier_type_name(name->type)) && str_equal(v[i].value, name->value))
			return true;
	return false;
}

static bool shares(const struct certificate *row, const struct identifier *names, size_t n, struct problem *p)
{
	for (size_t i = 0; i < n; i++)
		if (is_shared(row, &names[i]))
			return true;
	return problem_set(p, PROBLEM_MALFORMED, "RFC 9773, 5: the order shares no name with the certificate that it \"replaces\"");
}

static bool judge(const struct checking *c, const struct identifier *names, size_t n, struct problem *p)
{
	const struct certificate *row = &c->row;

	if (!str_equal(row->account, c->call->account.id))
		return problem_set(p, PROBLEM_UNAUTHORIZED, "RFC 9773, 5: the certificate that the order \"replaces\" is not this account's");
	if (row->replaced_by && *row->replaced_by)
		return problem_set(p, PROBLEM_ALREADY_REPLACED,
		                   "RFC 9773, 5: the certificate that the order \"replaces\" has been replaced already");
	return shares(row, names, n, p);
}

bool predecessor_check(const struct acme_call *call, const char *replaces, const struct identifier *names, size_t n,
                       bool *ret_due, struct problem *p)
{
	struct checking c = { .call = call };
	struct renewal_window window;
	bool good = find(&c, replaces, p) && judge(&c, names, n, p);

	if (good) {
		renewal_window(call, &c.row, &window);
		*ret_due = call->now >= window.from;
	}
	certificate_free(&c.row);
	return good;
}

bool predecessor_find(struct store_txn *txn, const struct ca *ca, const struct order *order, char ret[RANDOM_ID_SIZE],
                      struct problem *p)
{
	auto_value(certificate) row = { 0 };
	auto_value(problem) why = { 0 };
	struct certificate_id id;

	ret[0] = '\0';
	if (!order->replaces || !certificate_id_parse(order->replaces, "\"replaces\"", &id, &why))
		return true;
	if (!renewal_find(txn, ca, &id, &row, &why)) {
		if (why.kind == PROBLEM_NOT_FOUND)
			return true;
		*p = why;
		why = (struct problem){ 0 };
		return false;
	}
	if (!row.replaced_by || !*row.replaced_by)
		memcpy(ret, row.id, sizeof(row.id));
	return true;
}
