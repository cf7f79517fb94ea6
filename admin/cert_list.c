/* cert list: the inventory searched. */
#include "admin/certificate.h"
#include "admin/filter.h"
#include "admin/listing.h"
#include "admin/option.h"
#include "base/clock.h"
#include "ca/responder.h"

enum { PAGE = 200 };

static const struct command_option options[] = {
	FILTER_OPTIONS,
	{ "--after", "ID", "what comes after this one in the same list" },
	{ "--limit", "N", "at most so many" },
	{ 0 },
};

struct cert_list {
	struct command_call *call;
	struct filter filter;
	int64_t limit, count;
	struct search *search;
	bool end;
};

static void cert_list_free(struct cert_list *list)
{
	filter_free(&list->filter);
	search_free(list->search);
}
declare_auto_value(cert_list, cert_list_free);

static bool take_options(struct cert_list *list, struct problem *p)
{
	list->filter.query.now = clock_now();
	return filter_read(&list->filter, filter_option, list->call, "--", p) &&
	       option_number("--limit", command_value(list->call, "--limit"), 1, &list->limit, p) &&
	       search_new(&list->filter.query, &list->search, p);
}

/* --- rows */

static void add_row(const struct certificate *certificate, int64_t now, struct buf *ret)
{
	char expires[CLOCK_RFC3339_SIZE];
	clock_format(certificate->not_after, expires);
	buf_printf(ret, "%-22s  %-7s  %s  %-16s  ", certificate->id, certificate_status_name(certificate, now), expires,
	           certificate->profile ?: "");
	certificate_add_names(certificate, ret);
}

static bool print_row(void *arg, const struct certificate *certificate, struct problem *p)
{
	struct cert_list *list = arg;
	const struct command_call *call = list->call;
	auto_value(buf) text = {0};
	if (call->json)
		certificate_json(certificate, false, &text);
	else
		add_row(certificate, list->filter.query.now, &text);
	if (!buf_check(&text, p))
		return false;
	if (call->json)
		fputs(list->count == 0 ? "[\n" : ",\n", call->out);
	else if (list->count == 0)
		fprintf(call->out, "ID                      STATUS   EXPIRES               PROFILE           NAMES\n");
	fprintf(call->out, call->json ? "%s" : "%s\n", buf_text(&text));
	list->count++;
	return true;
}

static bool go_after(struct store_txn *txn, void *arg, struct problem *p)
{
	const struct cert_list *list = arg;
	const char *id = command_value(list->call, "--after");
	return !id || search_resume_after(txn, list->search, id, p);
}

/* Between two pages other transactions may run: a listing is not a snapshot, and holds none up. */
static bool print_page(struct store_txn *txn, void *arg, struct problem *p)
{
	struct cert_list *list = arg;
	char next[SEARCH_CURSOR_SIZE];
	int64_t left = list->limit ? list->limit - list->count : PAGE;
	if (!search_page(txn, list->search, left < PAGE ? (size_t)left : PAGE, print_row, list, p))
		return false;
	list->end = !search_next(list->search, next) || (list->limit && list->count == list->limit);
	return true;
}

static bool run(struct command_call *call, struct problem *p)
{
	auto_struct(store) *store = NULL;
	auto_value(cert_list) list = { .call = call };
	if (!take_options(&list, p) || !admin_open_store(call->admin, &store, p) ||
	    !store_view(store, go_after, &list, p))
		return false;
	while (!list.end)
		if (!store_view(store, print_page, &list, p))
			return false;
	if (call->json)
		fputs(list.count == 0 ? "[]\n" : "\n]\n", call->out);
	return fflush(call->out) == 0 ? true : problem_internal(p, "writing: %m");
}

const struct command admin_cert_list = {
	.name = "cert list",
	.args = "",
	.json = true,
	.admin = true,
	.options = options,
	.run = run,
	.summary = "list the certificates of the inventory",
	.details = "Of several options all must hold. A name, key, account or profile lists the newest first, a "
	           "time of expiry or a status\n"
	           "the soonest to expire. --limit ends a page, and --after with the id of its last row goes on. "
	           "Certificates of OCSP\n"
	           "responders, one for each start of a server, are listed with --profile " RESPONDER_PROFILE " alone.",
};
