/* cert list: the inventory searched. */
#include "admin/certificate.h"
#include "admin/listing.h"
#include "admin/search.h"
#include "base/clock.h"
#include "base/digest.h"

enum { PAGE = 200, SERIAL_MAX = 20 };

static const struct command_option options[] = {
	{ "--name", "[TYPE:]NAME", "of this name, such as www.example.com or ip:192.0.2.1" },
	{ "--serial", "HEX", "of this serial number" },
	{ "--fingerprint", "HEX", "of this SHA-256 fingerprint" },
	{ "--key", "HEX", "of this public key (SHA-256 of its SubjectPublicKeyInfo)" },
	{ "--account", "ID", "of this ACME account" },
	{ "--profile", "NAME", "of this profile" },
	{ "--method", "METHOD", "that came over acme, est, api, internal or import" },
	{ "--identity", "TEXT", "of who asked for it, as `cert show` says it" },
	{ "--metadata", "KEY=VALUE", "with this of its metadata" },
	{ "--status", "STATUS", "valid, expired, revoked or renewed" },
	{ "--expires-after", "TIME|DURATION", "not before that time (RFC 3339), or not within 30d" },
	{ "--expires-before", "TIME|DURATION", "by that time, or within 30d" },
	{ "--after", "ID", "what comes after this one in the same list" },
	{ "--limit", "N", "at most so many" },
	{ 0 },
};

/* --- the options as a query */

struct cert_list {
	struct command_call *call;
	struct search_query query;
	struct buf name_type, serial, fingerprint, key_hash;
	int64_t limit, count;
	struct search *search;
	bool end;
};

static void cert_list_free(struct cert_list *list)
{
	buf_free(&list->name_type);
	buf_free(&list->serial);
	buf_free(&list->fingerprint);
	buf_free(&list->key_hash);
	search_free(list->search);
}
declare_auto_value(cert_list, cert_list_free);

static bool take_hex(const struct command_call *call, const char *option, size_t size, struct buf *ret, struct problem *p)
{
	const char *text = command_value(call, option);
	if (!text)
		return true;
	if (!certificate_hex(text, ret) || (size ? ret->len != size : ret->len > SERIAL_MAX))
		return problem_set(p, PROBLEM_MALFORMED, "%s: expected %s%d bytes in hexadecimal, got `%s`", option,
		                   size ? "" : "at most ", size ? (int)size : SERIAL_MAX, text);
	return true;
}

static bool take_time(const struct command_call *call, const char *option, int64_t now, int64_t *ret, struct problem *p)
{
	const char *text = command_value(call, option);
	int64_t seconds;
	if (!text || clock_parse(text, ret))
		return true;
	if (!clock_parse_duration(text, &seconds))
		return problem_set(p, PROBLEM_MALFORMED,
		                   "%s: expected a time such as 2027-01-31T00:00:00Z or a duration such as 30d, got `%s`", option, text);
	*ret = now + seconds;
	return true;
}

static bool take_status(const struct command_call *call, const char **ret, struct problem *p)
{
	const char *text = command_value(call, "--status");
	for (size_t i = 0; text && search_statuses[i]; i++)
		if (str_equal(search_statuses[i], text))
			*ret = search_statuses[i];
	return !text || *ret ||
	       problem_set(p, PROBLEM_MALFORMED, "--status: expected valid, expired, revoked or renewed, got `%s`", text);
}

static void take_name(struct cert_list *list)
{
	const char *text = command_value(list->call, "--name");
	size_t len = text ? search_name_type(text) : 0;
	list->query.name = text ? text + len + (len > 0) : NULL;
	if (len > 0) {
		buf_add(&list->name_type, text, len);
		list->query.name_type = buf_text(&list->name_type);
	}
}

static bool take_options(struct cert_list *list, struct problem *p)
{
	const struct command_call *call = list->call;
	struct search_query *q = &list->query;
	q->now = clock_now();
	take_name(list);
	if (!take_hex(call, "--serial", 0, &list->serial, p) ||
	    !take_hex(call, "--fingerprint", SHA256_SIZE, &list->fingerprint, p) ||
	    !take_hex(call, "--key", SHA256_SIZE, &list->key_hash, p) || !take_status(call, &q->status, p) ||
	    !take_time(call, "--expires-after", q->now, &q->expires_from, p) ||
	    !take_time(call, "--expires-before", q->now, &q->expires_to, p) ||
	    !listing_limit(command_value(call, "--limit"), &list->limit, p))
		return false;
	q->serial = buf_bytes(&list->serial);
	q->fingerprint = buf_bytes(&list->fingerprint);
	q->key_hash = buf_bytes(&list->key_hash);
	q->account = command_value(call, "--account");
	q->profile = command_value(call, "--profile");
	q->method = command_value(call, "--method");
	q->identity = command_value(call, "--identity");
	q->metadata = command_value(call, "--metadata");
	return buf_check(&list->name_type, p) && search_new(q, &list->search, p);
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
		add_row(certificate, list->query.now, &text);
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
	if (!take_options(&list, p) || !admin_open_store(call->admin, &store, p) || !store_view(store, go_after, &list, p))
		return false;
	while (!list.end)
		if (!store_view(store, print_page, &list, p))
			return false;
	if (call->json)
		fputs(list.count == 0 ? "[]\n" : "\n]\n", call->out);
	return fflush(call->out) == 0 ? true : problem_internal(p, "writing: %m");
}

const struct command admin_cert_list = {
	.name = "cert list", .args = "", .json = true, .admin = true, .options = options, .run = run,
	.summary = "list the certificates of the inventory",
	.details = "Of several options all must hold. A name, key, account or profile lists the newest first, a time of expiry or "
	           "a status\nthe soonest to expire. --limit ends a page, and --after with the id of its last row goes on.",
};
