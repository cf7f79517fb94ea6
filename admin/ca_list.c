/* ca list, ca show. */
#include "admin/admin.h"
#include "admin/ca_facts.h"
#include "admin/listing.h"
#include "base/clock.h"
#include "ca/files.h"

static struct ca_place place_of(const struct command_call *call)
{
	return (struct ca_place){ .folder = call->admin->ca.folder, .base = call->admin->ca.base };
}

/* --- ca list */

static bool list_text(const struct command_call *call, const struct ca_facts *facts, struct problem *p)
{
	auto_value(buf) subject = {0};
	char end[CLOCK_RFC3339_SIZE];

	if (!ca_facts_subject(X509_get_subject_name(facts->certificate), &subject, p))
		return false;
	clock_format(facts->not_after, end);
	fprintf(call->out, "%-20s  %-9s  %-20s  %-4s  %-3s  %s\n", facts->name, ca_facts_status(facts), end,
	        facts->root ? "root" : "", facts->key ? "yes" : "no", buf_text(&subject));
	return true;
}

static bool list_run(struct command_call *call, struct problem *p)
{
	auto_struct(store) *store = NULL;
	auto_value(strings) names = {0};
	auto_value(buf) text = {0};
	struct json_writer w = json_writer(&text);
	const struct ca_place place = place_of(call);

	if (!files_names(call->admin->ca.folder, &names, p) || !admin_open_store(call->admin, &store, p))
		return false;
	json_open_array(&w, NULL);
	if (!call->json)
		fprintf(call->out, "NAME                  STATUS     ENDS                  ROOT  KEY  SUBJECT\n");
	for (size_t i = 0; i < names.n; i++) {
		auto_value(ca_facts) facts = {0};
		if (!ca_facts_read(&place, store, names.v[i], &facts, p) ||
		    !(call->json ? ca_facts_put(&w, &place, "name", &facts, false, p) : list_text(call, &facts, p)))
			return false;
	}
	json_close(&w);
	return !call->json || listing_print_object(call, &text, p);
}

const struct command admin_ca_list = {
	.name = "ca list", .args = "", .json = true, .admin = true, .run = list_run,
	.summary = "list the CAs, roots among them",
	.details =
		"STATUS: `succeeded` is one whose place another CA took; KEY: whether its key is in the CA's folder.",
};

/* --- ca show */

static bool show_run(struct command_call *call, struct problem *p)
{
	auto_struct(store) *store = NULL;
	auto_value(ca_facts) facts = {0};
	auto_value(buf) text = {0}, fingerprint = {0};
	struct json_writer w = json_writer(&text);
	const struct ca_place place = place_of(call);

	if (!admin_open_store(call->admin, &store, p) || !ca_facts_read(&place, store, call->args[0], &facts, p) ||
	    !ca_facts_fingerprint(facts.certificate, &fingerprint, p))
		return false;
	if (call->json)
		return ca_facts_put(&w, &place, "name", &facts, true, p) && listing_print_object(call, &text, p);
	auto(BIO) *out = BIO_new_fp(call->out, BIO_NOCLOSE);
	if (!out)
		return problem_memory(p);
	fprintf(call->out, "name       %s\nstatus     %s\nSHA-256    %s\n", facts.name, ca_facts_status(&facts),
	        buf_text(&fingerprint));
	if (*facts.successor)
		fprintf(call->out, "successor  %s\n", facts.successor);
	return X509_print(out, facts.certificate) == 1 && PEM_write_bio_X509(out, facts.certificate) == 1
	        ? true : problem_openssl(p, "printing a certificate");
}

const struct command admin_ca_show = {
	.name = "ca show", .args = "NAME", .args_min = 1, .args_max = 1, .json = true, .admin = true, .run = show_run,
	.summary = "show one CA and its certificate",
};
