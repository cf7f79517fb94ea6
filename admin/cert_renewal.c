/* Renewal of certificates by the server: cert renewal, cert renewals. */
#include "admin/actor.h"
#include "admin/certificate.h"
#include "admin/listing.h"
#include "admin/option.h"
#include "base/clock.h"

/* --- cert renewal */

struct setting {
	const char *text;
	const char *before;           /* --before; NULL */
	bool at_once;                 /* --now */
	int64_t seconds, now;
	struct certificate row;       /* as it is afterwards; the caller's to free */
};

static bool check(const struct setting *s, struct problem *p)
{
	const struct certificate *row = &s->row;

	if (certificate_is_imported(row))
		return problem_set(p, PROBLEM_CONFLICT,
		                   "the certificate was issued by another CA: it can be renewed there");
	if (!row->key_kept)
		return problem_set(p, PROBLEM_CONFLICT, "the server does not keep the key of certificate %s", row->id);
	if (row->replaced_by && *row->replaced_by)
		return problem_set(p, PROBLEM_CONFLICT, "the certificate was renewed already, as %s", row->replaced_by);
	if (row->status == CERTIFICATE_REVOKED)
		return problem_set(p, PROBLEM_CONFLICT, "the certificate is revoked");
	return s->seconds < row->not_after - row->not_before ||
	       problem_set(p, PROBLEM_MALFORMED, "--before: is as long as the certificate's life, or longer");
}

static bool find(struct store_txn *txn, struct setting *s, struct problem *p)
{
	certificate_free(&s->row);
	s->row = (struct certificate){0};
	return certificate_find(txn, s->text, &s->row, p);
}

static bool view(struct store_txn *txn, void *arg, struct problem *p)
{
	return find(txn, arg, p);
}

static bool change(struct store_txn *txn, void *arg, struct problem *p)
{
	struct setting *s = arg;
	const struct certificate_settings settings = { .renew_before = s->before ? &s->seconds : NULL };

	if (!find(txn, s, p) || !check(s, p))
		return false;
	const struct audit_fact facts[] = {
		audit_text("certificate", s->row.id), audit_hex("fingerprint", s->row.fingerprint),
		audit_text("renewal", s->at_once ? "now" : s->before), { 0 },
	};
	return (!s->before || store_certificate_set(txn, s->row.id, &settings, NULL, p)) &&
	       (!s->at_once || store_certificate_renew_at(txn, s->row.id, s->now, p)) &&
	       admin_tell(txn, AUDIT_CERTIFICATE_CHANGED, s->now, facts, p) && find(txn, s, p);
}

static bool print(const struct command_call *call, const struct certificate *row, struct problem *p)
{
	auto_value(buf) text = {0};
	char at[CLOCK_RFC3339_SIZE] = "never";

	if (call->json) {
		certificate_json(row, false, &text);
		return listing_print_object(call, &text, p);
	}
	if (row->renew_at)
		clock_format(row->renew_at, at);
	fprintf(call->out, "%s  %s, next try %s%s%s\n", row->id, certificate_renewal_state(row), at,
	        row->renew_error ? ": " : "", row->renew_error ?: "");
	return true;
}

static bool renewal_run(struct command_call *call, struct problem *p)
{
	auto_struct(store) *store = NULL;
	struct setting s = {
		.text = call->args[0],
		.before = command_value(call, "--before"),
		.at_once = command_value(call, "--now"),
		.now = clock_now(),
	};

	if (s.before && !str_equal(s.before, "off") && !clock_parse_duration(s.before, &s.seconds))
		return problem_set(p, PROBLEM_MALFORMED, "--before: expected a duration, as 20d, or off");
	bool done = admin_open_store(call->admin, &store, p) &&
	            (s.before || s.at_once ? store_update(store, change, &s, p) : store_view(store, view, &s, p)) &&
	            print(call, &s.row, p);
	certificate_free(&s.row);
	return done;
}

static const struct command_option renewal_options[] = {
	{ "--before", "DURATION|off", "how long before its end the server renews it" },
	{ "--now", NULL, "let the server renew it now" },
	{ 0 },
};
const struct command admin_cert_renewal = {
	.name = "cert renewal",
	.args = "ID|SERIAL|FINGERPRINT",
	.args_min = 1,
	.args_max = 1,
	.json = true,
	.admin = true,
	.options = renewal_options,
	.run = renewal_run,
	.summary = "show, set or begin the renewal of a certificate by the server",
	.details = "The server renews certificates whose key it keeps (`keep_keys` of the profile), and looks for "
	           "those whose time has\n"
	           "come every few seconds.",
};

/* --- cert renewals */

static bool list_page(struct store_txn *txn, void *arg, const char *after, size_t limit, struct store_page *ret,
                      struct problem *p)
{
	(void)arg;
	return store_certificate_list(txn, CERTIFICATE_RENEWALS, NULL, after, limit, ret, p);
}

static bool list_row(struct store_txn *txn, void *arg, const char *id, bool json, struct buf *ret, struct problem *p)
{
	auto_value(certificate) row = {0};
	char at[CLOCK_RFC3339_SIZE], end[CLOCK_RFC3339_SIZE];

	(void)arg;
	if (!store_certificate_get(txn, id, &row, p))
		return false;
	if (json) {
		certificate_json(&row, false, ret);
		return true;
	}
	clock_format(row.renew_at, at);
	clock_format(row.not_after, end);
	buf_printf(ret, "%-22s  %-9s  %s  %s  %-16s  ", id, certificate_renewal_state(&row), at, end, row.profile);
	certificate_add_names(&row, ret);
	buf_printf(ret, "%s%s", row.renew_error ? "  " : "", row.renew_error ?: "");
	return true;
}

static const struct command_option list_options[] = {
	{ "--limit", "N", "at most so many" },
	{ 0 },
};

static bool renewals_run(struct command_call *call, struct problem *p)
{
	auto_struct(store) *store = NULL;
	struct listing listing = {
		.call = call,
		.page = list_page,
		.row = list_row,
		.heading = "ID                      STATE      NEXT TRY              EXPIRES               PROFILE  "
		           "         NAMES",
	};

	return option_number("--limit", command_value(call, "--limit"), 1, &listing.limit, p) &&
	       admin_open_store(call->admin, &store, p) && listing_print(store, &listing, p);
}

const struct command admin_cert_renewals = {
	.name = "cert renewals", .args = "", .json = true, .admin = true, .options = list_options, .run = renewals_run,
	.summary = "list what the server renews, soonest first, with what has failed",
};
